// SPDX-License-Identifier: MIT
/*
 * rows.mjs - what the parts of the report have in common.
 *
 * A part is a function that takes the bench (report.mjs collects what it is
 * told) and the time it has, starts what it needs, and measures.  They are in
 * rows-*.mjs and lifecycle.mjs.
 */

import { inTurn, summary, values } from "./measure.mjs";

export const CPU = "cpu_us_per_delivery";

/* Start all, measure, and end them.  starts: functions. */
export async function withAll(starts, use) {
	const contestants = [];

	try {
		for (const start of starts)
			contestants.push(await start());
		return await use(contestants);
	} finally {
		await Promise.all(contestants.map((one) => one.stop()));
	}
}

export function median(found, name, key) {
	return summary(values(found.get(name), key))?.median ?? null;
}

/* A table line: the median of a figure for each contestant. */
export function lineOf(found, names, key, scale = 1) {
	return names.map((name) => {
		const rounds = found.get(name);

		if (rounds?.error !== undefined)
			return { error: rounds.error };
		const s = summary(values(rounds, key));

		return s === null ? null : { median: s.median / scale,
			low: s.low / scale, high: s.high / scale, n: s.n };
	});
}

/* For peers of which fewer rounds are enough: their figures decide nothing. */
export async function addPeers(bench, found, clock, rounds, measure,
    names = Object.keys(bench.peers)) {
	for (const start of names.map((name) => bench.peers[name]))
		await withAll([start], async (contestants) => {
			const more = await inTurn(clock, rounds, contestants, measure);

			for (const [name, list] of more)
				found.set(name, list);
		}).catch((error) => bench.note(error.message));
}

/* In a quick run the peers only take part where a goal names them. */
export function peersOf(bench) {
	return bench.quick ? [] : Object.keys(bench.peers);
}

/* Measured once, elsewhere, with the same method; see the report's text. */
export const UWEBSOCKETS = {
	windows: { 1: [7.7, 7.4], 16: [0.60, 0.49], 64: [2.05, 0.24] },
	rooms: "8.9-10.7", 1024: "1.08", 16384: "12.0", memory: 434,
	connect: "48-89",
	/* a message taken in and handed to one, by window: of the floor's */
	ingest: { 16: 2.6, 64: 2.9 },
};

export function divide(s, by) {
	return { ...s, median: s.median / by, low: s.low / by, high: s.high / by };
}

/* The largest of several medians against the smallest, with what the
 * intervals allow. */
export function spread(list) {
	const whole = list.filter((s) => s !== null);
	const most = (key) => Math.max(...whole.map((s) => s[key]));
	const least = (key) => Math.min(...whole.map((s) => s[key]));

	if (whole.length < 2)
		return null;
	return { median: most("median") / least("median"),
		low: Math.max(1, most("low") / least("high")),
		high: most("high") / least("low"),
		n: Math.min(...whole.map((s) => s.n)) };
}
