// SPDX-License-Identifier: MIT
/*
 * bench.mjs - measure everything: build/bench/report.{html,json}, fan-out.svg.
 *
 *	node tests/bench/bench.mjs [--quick] [--only PART[,PART...]]
 *
 * The whole is bounded: each part gets a share of the time, by its weight, and
 * measures fewer rounds where that is not enough; what is left when the time is
 * up is named as not measured.  Exit status 1 means that something could not be
 * measured; a missed goal is a result.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";

import { cluster } from "./rows-cluster.mjs";
import { ingest } from "./rows-ingest.mjs";
import { lifecycle } from "./lifecycle.mjs";
import { setDeadline } from "./measure.mjs";
import { html } from "./report.mjs";
import { files } from "./rows-files.mjs";
import * as connections from "./rows-connections.mjs";
import * as delivery from "./rows-delivery.mjs";
import * as alone from "./rows-ring.mjs";
import { tls } from "./rows-tls.mjs";
import { svg } from "./svg.mjs";
import { BUILD, peers, PUBSUBD, stopAll } from "./servers.mjs";

const SECONDS = { whole: 800, quick: 78 };
const GRACE = 20; /* seconds, for what is under way when the time is up */

/* What is measured, with its share of the time.  Those that always take as long
 * stand before those that can do with fewer rounds. */
const PARTS = [
	["fan-out", delivery.fanOut, 110],
	["contracts", delivery.contracts, 20],
	["compression", delivery.compression, 20],
	["ingest", ingest, 45],
	["workers", delivery.workers, 40],
	["cores", delivery.cores, 25],
	["tls", tls, 60],
	["connect", connections.connect, 20],
	["files", files, 25],
	["tokens", connections.tokens, 12],
	["ring", alone.ring, 15],
	["lifecycle", lifecycle, 12],
	["memory", connections.memory, 35],
	["pings", connections.pings, 65],
	["crowd", connections.crowd, 110],
	["chat-load", connections.chatLoad, 28],
	["rooms", delivery.rooms, 60],
	["sizes", delivery.sizes, 35],
	["latency", alone.latency, 30],
	["slow", connections.slow, 60],
	["backlog", connections.backlog, 8],
	["subscribers", delivery.subscribers, 60],
	["topics", delivery.topics, 60],
	["cluster", cluster, 190],
];

/* What a quick run leaves out. */
const WHOLE_ONLY = ["pings", "crowd", "cluster"];

/* So much time, of which parts can be cut. */
class Clock {
	constructor(seconds) {
		this.until = Date.now() + seconds * 1000;
	}

	left() {
		return Math.max(0, (this.until - Date.now()) / 1000);
	}

	isUp() {
		return Date.now() >= this.until;
	}

	part(share) {
		return new Clock(this.left() * share);
	}
}

function fixed(value) {
	return Math.abs(value) >= 1000 ? value.toExponential(2)
	                               : value.toPrecision(3);
}

/*
 * A goal is reached when the median's 90 % interval touches it, for the last
 * step is noise; but an interval so wide that it would touch anything decides
 * nothing.  Fewer than five rounds have no such interval: the median counts.
 */
function judge(goal, { median, low, high, n }, atLeast) {
	const holds = (value) => atLeast ? value >= goal : value <= goal;

	if (holds(median))
		return "reached";
	if (n < 5 || !holds(atLeast ? high : low))
		return "missed";
	return high - low > median / 2 ? "undecided" : "reached";
}

/* Collects what the parts find. */
class Bench {
	report = { goals: [], tables: [], plots: [], notes: [] };
	peers = peers();

	constructor(quick) {
		this.quick = quick;
		for (const name of ["nginx+nchan", "nats-server"])
			if (!(name in this.peers))
				this.note(`${name} is not installed here: skipped ` +
				    "(make bench-deps)");
	}

	note(text) {
		console.log(`  ${text}`);
		this.report.notes.push(text);
	}

	table(title, head, lines) {
		this.report.tables.push({ title, head, lines });
	}

	plot(plot) {
		this.report.plots.push(plot);
	}

	/* A goal of the project: the figure is at most that much, or at least. */
	goal(what, goal, s, note = "", { atLeast = false, judged = true } = {}) {
		const verdict = s === null || s === undefined ? "not measured" :
		    judged ? judge(goal, s, atLeast) : "not judged";

		this.report.goals.push({ what, goal, atLeast, verdict, note,
			...s ?? {} });
		console.log(`  ${verdict.padEnd(12)} ${what}: ${s ?
		    `${fixed(s.median)} (${fixed(s.low)}-${fixed(s.high)}, ` +
		    `${s.n} rounds)` : "-"}, goal ${atLeast ? "≥" : "≤"} ${goal}`);
	}
}

function machine() {
	return {
		date: new Date().toISOString(),
		cpus: cpus().length,
		cpu: cpus()[0]?.model ?? "",
		kernel: release(),
		memoryGiB: Math.round(totalmem() / 2 ** 30),
		load: loadavg()[0],
		version: execFileSync(PUBSUBD, ["version"], { encoding: "utf8" })
		    .trim(),
		ports: readFileSync("/proc/sys/net/ipv4/ip_local_port_range",
		    "utf8").trim().replace(/\s+/u, "-"),
	};
}

async function measure(bench, only) {
	const clock = new Clock(bench.quick ? SECONDS.quick : SECONDS.whole);

	setDeadline(clock.until + GRACE * 1000);
	let parts = PARTS.filter(([name]) => only ? only.includes(name) :
		!(bench.quick && WHOLE_ONLY.includes(name)));

	while (parts.length > 0) {
		const [[name, run, weight], ...rest] = parts;
		const all = parts.reduce((sum, part) => sum + part[2], 0);

		parts = rest;
		if (clock.left() < (bench.quick ? 2 : 5)) {
			bench.note(`${name}: not measured, the time is up`);
			continue;
		}
		console.log(`${name} (${Math.round(clock.left())} s left)`);
		try {
			await run(bench, clock.part(weight / all));
		} catch (error) {
			bench.note(`${name}: ${error.message}`);
			process.exitCode = 1;
		}
	}
}

async function main(args) {
	const quick = args.includes("--quick");
	const only = args.includes("--only") ?
	    args[args.indexOf("--only") + 1].split(",") : null;
	const directory = join(BUILD, "bench");
	const bench = new Bench(quick);
	const began = Date.now();

	bench.report.machine = machine();
	for (const signal of ["SIGINT", "SIGTERM"])
		process.once(signal, () => stopAll().then(() => process.exit(130)));
	try {
		await measure(bench, only);
	} finally {
		await stopAll();
	}
	bench.report.machine.loadAfter = loadavg()[0];
	bench.report.quick = quick;
	bench.report.seconds = Math.round((Date.now() - began) / 1000);
	mkdirSync(directory, { recursive: true });
	writeFileSync(join(directory, "report.json"),
	    `${JSON.stringify(bench.report, null, "\t")}\n`);
	writeFileSync(join(directory, "report.html"), html(bench.report));
	if (bench.report.plots.length > 0)
		writeFileSync(join(directory, "fan-out.svg"),
		    `${svg(bench.report.plots[0])}\n`);
	const missed = bench.report.goals.filter(
	    ({ verdict }) => verdict === "missed").length;

	console.log(`${missed} of ${bench.report.goals.length} goals missed, ` +
	    `${bench.report.seconds} s; ${join(directory, "report.html")}`);
}

await main(process.argv.slice(2));
