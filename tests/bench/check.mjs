// SPDX-License-Identifier: MIT
/*
 * check.mjs - has a message or a delivery become dearer?  For every change.
 *
 * Time is not asked, for on a busy machine it says nothing; counts are.  What a
 * worker does for a load is counted twice: its instructions outside the kernel,
 * by callgrind, and, by its own counters, the turns of its loop, its writes and
 * the doorbells it rang, which is what its time goes into.  The bounds are what
 * it takes today and a quarter more, for another compiler's or library's way;
 * how many messages a turn takes at once depends on who is faster, too.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { load } from "./measure.mjs";
import { BUILD, pubsubd, status, stopAll } from "./servers.mjs";

const CHECKS = [
	{
		what: "a message into one of 64 rooms of one, 16 in flight",
		load: { rooms: 64, members: 1, window: 16 },
		most: { "instructions / message": 3_100,
			"turns / message": 0.3, "writes / delivery": 0.3 },
	}, {
		what: "the same in pubsubd.v1",
		load: { rooms: 64, members: 1, window: 16, form: "v1" },
		most: { "instructions / message": 3_100,
			"turns / message": 0.3, "writes / delivery": 0.3 },
	}, {
		what: "the same with an answer to each",
		load: { rooms: 64, members: 1, window: 16, form: "acked" },
		most: { "instructions / message": 5_300,
			"turns / message": 0.3, "writes / delivery": 0.3 },
	}, {
		what: "a message to 10, 16 in flight",
		load: { members: 10, window: 16 },
		most: { "instructions / message": 3_600,
			"turns / message": 0.3, "writes / delivery": 0.3 },
	}, {
		what: "the same in pubsubd.v1",
		load: { members: 10, window: 16, form: "v1" },
		most: { "instructions / message": 3_600,
			"turns / message": 0.3, "writes / delivery": 0.3 },
	}, {
		what: "a message to 200, one in flight",
		load: { members: 200, window: 1 },
		most: { "instructions / delivery": 520,
			"turns / message": 1.1, "writes / delivery": 1.01 },
	}, {
		what: "a message to 100 on 4 workers, one in flight",
		workers: 4,
		load: { members: 100, window: 1 },
		most: { "turns / message": 4.5, "writes / delivery": 1.02,
			"doorbells / message": 3.1 },
	},
];

const COUNTERS = { message: "messages_in", delivery: "messages_out",
	turns: "turns", writes: "writes", doorbells: "wakeups_sent" };

/* What callgrind counted for a process that has ended. */
function instructions(directory, pid) {
	const found = /^(?:totals|summary): (\d+)/mu.exec(
	    readFileSync(join(directory, String(pid)), "latin1"));

	return Number(found[1]);
}

/* Run a server with a load.  Returns: what its workers say they did, and how
 * many instructions that and everything before it took them. */
async function count(workers, options, directory) {
	const server = await pubsubd({ workers, under: directory === null ? [] : [
		"valgrind", "-q", "--tool=callgrind", "--trace-children=yes",
		`--callgrind-out-file=${directory}/%p`,
		"env", `LD_PRELOAD=${join(BUILD, "openat2.so")}`] });

	await load(server, "window", { warm: 0, ...options });
	const each = (await status(server)).workers;
	const sum = Object.fromEntries(Object.entries(COUNTERS).map(
	    ([name, counter]) => [name, each.reduce(
		(total, worker) => total + worker[counter], 0)]));

	await server.stop();
	if (directory !== null)
		sum.instructions = each.reduce((total, { pid }) =>
			total + instructions(directory, pid), 0);
	return sum;
}

/* What the messages alone took: a longer load less a short one. */
async function countLoad({ workers = 1, load: options, most }) {
	const under = Object.keys(most).some((key) => key.startsWith("instr"));
	const directory = under ?
	    mkdtempSync(join(tmpdir(), "pubsubd-check-")) : null;

	try {
		const long = await count(workers,
		    { ...options, seconds: 1.5 }, directory);
		const short = await count(workers,
		    { ...options, seconds: 0.1 }, directory);

		return Object.fromEntries(Object.entries(long).map(
		    ([name, value]) => [name, value - short[name]]));
	} finally {
		if (under)
			rmSync(directory, { recursive: true });
	}
}

for (const signal of ["SIGINT", "SIGTERM"])
	process.once(signal, () => stopAll().then(() => process.exit(130)));
try {
	for (const one of CHECKS) {
		const counted = await countLoad(one);

		for (const [key, bound] of Object.entries(one.most)) {
			const [part, whole] = key.split(" / ");
			const per = counted[part] / counted[whole];
			const ok = per <= bound;

			console.log(`${ok ? "ok" : "not ok"}: ${one.what}: ` +
			    `${Number(per.toPrecision(4))} ${key}, at most ${bound}`);
			if (!ok)
				process.exitCode = 1;
		}
	}
} finally {
	await stopAll();
}
