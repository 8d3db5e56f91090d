// SPDX-License-Identifier: MIT
/*
 * check.mjs - has a delivery become much dearer?  For every change, anywhere.
 *
 * Not a measurement: short rounds of floor and server in turn, and a loose bound
 * on the ratio of their CPU times.  The best round of each counts: noise makes a
 * round dearer, hardly ever cheaper.
 *
 * What it sees was tried, beside another benchmark on the same two cores: with
 * every write cut in two, window 1 said so in three runs of four (1.4-1.9; as
 * it should be: 0.7-1.4), window 16 in none (1.3-1.7; as it should be: 1.0-1.3).
 * So it finds what doubles the work, not what adds a quarter to it.
 */

import { inTurn, load, values } from "./measure.mjs";
import { floor, pubsubd, stopAll } from "./servers.mjs";

/* window -> the ratio that is too much; the goals are 1.05 and 1.25 */
const BOUNDS = { 1: 1.6, 16: 2.5 };
const ROUNDS = 6;
const SECONDS = 6;

for (const signal of ["SIGINT", "SIGTERM"])
	process.once(signal, () => stopAll().then(() => process.exit(130)));
try {
	const both = [await floor(), await pubsubd()];

	for (const [window, bound] of Object.entries(BOUNDS)) {
		const until = Date.now() + SECONDS * 1000;
		const found = await inTurn({ isUp: () => Date.now() > until }, ROUNDS,
		    both, (one) => load(one, "window", { window, members: 500,
			    warm: 0.1, seconds: 0.3 }, 15));
		const failed = [...found.values()].find((list) => list.error);
		const [ours, theirs] = ["pubsubd", "floor"].map((name) =>
			Math.min(...values(found.get(name), "cpu_us_per_delivery")));
		const ratio = ours / theirs;
		const ok = failed === undefined && ratio <= bound;

		console.log(`${ok ? "ok" : "not ok"}: window ${window}: ` +
		    `${failed?.error ?? `${ours.toFixed(2)} µs per delivery, ` +
		    `${ratio.toFixed(2)} × the floor`}, bound ${bound}`);
		if (!ok)
			process.exitCode = 1;
	}
} finally {
	await stopAll();
}
