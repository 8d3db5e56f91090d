// SPDX-License-Identifier: MIT
/* rows-ring.mjs - the ring alone, and latency; see rows.mjs. */

import { inTurn, load, runJson, summary, values } from "./measure.mjs";
import { divide, lineOf, median, withAll } from "./rows.mjs";
import { floor, pubsubd } from "./servers.mjs";

export async function ring(bench, clock) {
	const seconds = bench.quick ? 0.06 : 0.2;
	const found = await inTurn(clock, bench.quick ? 2 : 5,
	    [{ name: "ring" }], () => runJson("ring-bench",
		["--json", "--seconds", String(seconds)], 30));
	const runs = found.get("ring");
	const of = (key) => summary(values(runs, key));
	const per = (key, other) => summary(
	    runs.map((run) => run[key] / run[other]));

	if (runs.error !== undefined)
		bench.note(runs.error);
	bench.goal("ring: one writer, 128-byte records in batches of 64, per " +
	    "second", 5e6, of("batched_per_s"), "", { atLeast: true });
	bench.goal("ring: the same one by one", 2e6, of("one_by_one_per_s"), "",
	    { atLeast: true });
	bench.goal("ring: seen by a sleeping worker of another process, p50 " +
	    "against a bare eventfd", 1.5, per("sleeping_p50_us", "bare_p50_us"));
	bench.goal("ring: the same, p99", 1.5,
	    per("sleeping_p99_us", "bare_p99_us"));
	bench.goal("ring: seen by a polling reader, p50, µs", 0.5,
	    of("polling_p50_us"));
	bench.goal("ring: a message nobody on a worker wants, ns", 50,
	    of("unwanted_ns"));
	bench.table("The ring alone: 128-byte records per second",
	    ["", "one by one", "in batches of 64"], [
		["1 writer", of("one_by_one_per_s"), of("batched_per_s")],
		["2 writers", of("writers_2_per_s"),
			of("writers_2_batched_per_s")],
		["4 writers", of("writers_4_per_s"),
			of("writers_4_batched_per_s")],
	]);
	bench.table("The ring alone: records per second by the size of the " +
	    "message, in batches of 64", ["bytes", "records", "MB/s"],
	    [32, 128, 512, 2048, 16384].map((size) => {
		    const s = of(`body_${size}_records_per_s`);

		    return [`${size}`, s, s && divide(s, 1e6 / size)];
	    }));
	bench.table("The ring alone: µs from publish to seen in another process",
	    ["", "p50", "p99", "p99.9"], ["bare", "sleeping", "polling"].map(
		(name) => [{ bare: "an eventfd, no ring",
			sleeping: "a sleeping reader",
			polling: "a polling reader" }[name],
			...["p50", "p99", "p99.9"].map(
			    (q) => of(`${name}_${q}_us`))]));
}

export async function latency(bench, clock) {
	const starts = { floor, pubsubd, ...bench.quick ? {} : bench.peers };
	const names = Object.keys(starts);
	const quantiles = ["p50", "p75", "p90", "p95", "p99", "p99.5", "p99.9",
		"p99.99"];
	const found = new Map();
	const rates = [];

	for (const [i, name] of names.entries()) {
		const part = clock.part(1 / (names.length - i));
		const most = bench.most?.get(name);
		const members = 1000;

		rates.push(most ? Math.round(most / 2) : null);
		if (!most)
			continue;
		await withAll([starts[name]], async (one) => {
			for (const [key, list] of await inTurn(part,
			    bench.quick ? 1 : 3, one, (contestant) => load(
				contestant, "open", { members, warm: 0.5,
					rate: most / 2 / members,
					seconds: bench.quick ? 1 : 2 })))
				found.set(key, list);
		}).catch((error) => bench.note(error.message));
	}
	bench.table("Latency, µs from the moment a message was due, at half of " +
	    "each server's own most at window 16 (1 topic, 1000 subscribers)",
	    ["", ...names], [
		["deliveries per second", ...rates],
		...["p50", "p99", "p99.9", "max"].map((q) =>
			[q, ...lineOf(found, names, `${q}_us`)]),
		["generator at worst late by", ...lineOf(found, names, "late_us")],
	]);
	bench.plot({ title: "Latency distribution at half load", kind: "quantiles",
		x: "share of deliveries", y: "µs", logY: true,
		series: names.filter((name) => found.get(name)?.length > 0).map(
		    (name) => ({ name, points: quantiles.map((q) =>
			    [Number(q.slice(1)), median(found, name, `${q}_us`)]) })),
	});
}
