// SPDX-License-Identifier: MIT
/*
 * clock.js - say when, the way the reader's own language does.
 */

const MINUTE_MS = 60 * 1000;

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

/* "12 s", "4 min", "3 h" */
export function spanOf(ms) {
	if (ms < MINUTE_MS)
		return `${Math.max(1, Math.round(ms / 1000))} s`;
	if (ms < 60 * MINUTE_MS)
		return `${Math.round(ms / MINUTE_MS)} min`;
	return `${Math.round(ms / (60 * MINUTE_MS))} h`;
}
