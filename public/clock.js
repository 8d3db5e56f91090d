// SPDX-License-Identifier: MIT
/*
 * clock.js - say when, the way the reader's own language does.
 */

const time = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined,
    { weekday: "long", day: "numeric", month: "long" });
const full = new Intl.DateTimeFormat(undefined,
    { dateStyle: "full", timeStyle: "medium" });

/* "10:42" */
export function timeOf(ms) {
	return time.format(ms);
}

/* "Wednesday 4 March 2026 at 10:42:07" */
export function fullTimeOf(ms) {
	return full.format(ms);
}

/* "Today", else "Wednesday 4 March" */
export function dayOf(ms) {
	return sameDay(ms, Date.now()) ? "Today" : day.format(ms);
}

export function sameDay(a, b) {
	return new Date(a).toDateString() === new Date(b).toDateString();
}
