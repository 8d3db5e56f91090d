// SPDX-License-Identifier: MIT
/*
 * rows.mjs - what is measured: one function per part of the report.
 *
 * Each takes the bench (report.mjs collects what it is told) and starts what it
 * needs.  A part has a weight, by which it gets its share of the time, and two
 * sizes: the whole and the quick one.
 */

import { cpus, freemem } from "node:os";

import { inTurn, load, ratios, runJson, summary, values } from "./measure.mjs";
import { floor, pubsubd } from "./servers.mjs";

const CPU = "cpu_us_per_delivery";

/* Start all, measure, and end them.  starts: functions. */
async function withAll(starts, use) {
	const contestants = [];

	try {
		for (const start of starts)
			contestants.push(await start());
		return await use(contestants);
	} finally {
		await Promise.all(contestants.map((one) => one.stop()));
	}
}

function median(found, name, key) {
	return summary(values(found.get(name), key))?.median ?? null;
}

/* A table line: the median of a figure for each contestant. */
function lineOf(found, names, key, scale = 1) {
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
async function addPeers(bench, found, clock, rounds, measure) {
	for (const start of Object.values(bench.peers))
		await withAll([start], async (contestants) => {
			const more = await inTurn(clock, rounds, contestants, measure);

			for (const [name, list] of more)
				found.set(name, list);
		}).catch((error) => bench.note(error.message));
}

/* In a quick run the peers only take part where a goal names them. */
function peersOf(bench) {
	return bench.quick ? [] : Object.keys(bench.peers);
}

/* Measured once, elsewhere, with the same method; see the report's text. */
const UWEBSOCKETS = {
	windows: { 1: [7.7, 7.4], 16: [0.60, 0.49], 64: [2.05, 0.24] },
	rooms: "8.9-10.7", 1024: "1.08", 16384: "12.0", memory: 434,
	connect: "48-89",
};

export async function fanOut(bench, clock) {
	const windows = bench.quick ? [1, 16, 64] : [1, 4, 16, 64];
	const goals = { 1: [1.05, 1.0], 16: [1.25, 1.0], 64: [1.6, 0.2] };
	const names = ["floor", "pubsubd", ...Object.keys(bench.peers)];
	const measure = (window) => (contestant) => load(contestant, "window", {
		window, warm: bench.quick ? 0.1 : 0.2,
		seconds: bench.quick ? 0.3 : 0.6,
	});
	const lines = [];
	const plot = names.map((name) => ({ name, points: [] }));

	for (const [i, window] of windows.entries()) {
		const part = clock.part(1 / (windows.length - i));
		const found = await withAll([floor, pubsubd], (both) =>
			inTurn(part.part(0.75), bench.quick ? 3 : 11, both,
			    measure(window)));

		await addPeers(bench, found, part, bench.quick ? 1 : 3,
		    measure(window));
		const ratio = summary(ratios(
		    found.get("pubsubd"), found.get("floor"), CPU));
		const theirs = UWEBSOCKETS.windows[window];

		if (goals[window]) {
			bench.goal(`fan-out to 1000, window ${window}: CPU per ` +
			    "delivery against the floor", goals[window][0], ratio);
			bench.goal(`the same against uWebSockets`, goals[window][1],
			    ratio && divide(ratio, theirs[0] / theirs[1]),
			    "by way of the floor: uWebSockets was " +
			    `${(theirs[0] / theirs[1]).toFixed(2)} of it elsewhere`);
		}
		if (window === 16)
			bench.most = new Map(names.map((name) => [name,
				median(found, name, "deliveries_per_s")]));
		lines.push([`window ${window}`, ...lineOf(found, names, CPU), ratio,
			theirs ? `${theirs[0]} (floor ${theirs[1]})` : ""]);
		for (const series of plot) {
			const s = summary(values(found.get(series.name), CPU));

			if (s !== null)
				series.points.push([window, s.median, s.low, s.high]);
		}
	}
	bench.table("Fan-out: one topic, 1000 subscribers, 100 bytes; server " +
	    "CPU µs per delivery", ["", ...names, "pubsubd / floor",
		"uWebSockets, elsewhere"], lines);
	bench.plot({ title: "Cost per delivery by window", x: "messages in flight",
		y: "server CPU µs per delivery", logX: true, logY: true,
		series: plot });
}

function divide(s, by) {
	return { ...s, median: s.median / by, low: s.low / by, high: s.high / by };
}

export async function workers(bench, clock) {
	const counts = [1, 2, 4, 8];
	const goals = { 2: 1.10, 4: 1.15, 8: 1.25 };
	const starts = counts.map((n) => async () => {
		const server = await pubsubd({ workers: n });

		server.name = `${n}`;
		return server;
	});
	const found = await withAll(starts, (all) => inTurn(clock,
	    bench.quick ? 2 : 9, all, (server) => load(server, "window", {
		    window: 16, warm: 0.2, seconds: bench.quick ? 0.3 : 0.6 })));
	const points = [];
	const lines = counts.map((n) => {
		const s = summary(values(found.get(`${n}`), CPU));
		const ratio = summary(ratios(
		    found.get(`${n}`), found.get("1"), CPU));

		if (s !== null)
			points.push([n, s.median, s.low, s.high]);
		if (goals[n])
			bench.goal(`the same fan-out over ${n} workers, window ` +
			    "16: total CPU against 1 worker", goals[n], ratio);
		return [`${n} worker${n > 1 ? "s" : ""}`,
			lineOf(found, [`${n}`], CPU)[0], ratio];
	});

	bench.table("The same over several workers, window 16; CPU µs per " +
	    "delivery of all together", ["", "pubsubd", "/ 1 worker"], lines);
	bench.plot({ title: "Cost per delivery by workers", x: "workers",
		y: "server CPU µs per delivery, window 16", logX: true,
		series: [{ name: "pubsubd", points }] });
}

export async function rooms(bench, clock) {
	const names = ["floor", "pubsubd", ...Object.keys(bench.peers)];
	const shape = bench.quick ? { rooms: 300, members: 10 }
	                          : { rooms: 1000, members: 10 };
	const measure = (contestant) => load(contestant, "window", { ...shape,
		window: 1, warm: 0.3, seconds: bench.quick ? 0.5 : 1.2 });
	const found = await withAll([floor, pubsubd], (both) =>
		inTurn(clock.part(0.6), bench.quick ? 2 : 9, both, measure));

	await addPeers(bench, found, clock, bench.quick ? 1 : 3, measure);
	const ratio = summary(ratios(
	    found.get("pubsubd"), found.get("floor"), CPU));
	const theirs = median(found, "nginx+nchan", CPU);
	const own = summary(values(found.get("pubsubd"), CPU));

	bench.goal(`${shape.rooms} rooms of 10, window 1 each: CPU per delivery ` +
	    "against 0.53 × nchan's", 1.0,
	    theirs && own ? divide(own, 0.53 * theirs) : null,
	    theirs ? "" : "nginx with nchan is not installed or failed");
	bench.table(`Many rooms: ${shape.rooms} × 10 members, a message in flight ` +
	    "in each; server CPU µs per delivery",
	    ["", ...names, "pubsubd / floor", "uWebSockets, elsewhere"],
	    [["", ...lineOf(found, names, CPU), ratio, UWEBSOCKETS.rooms]]);
}

export async function sizes(bench, clock) {
	const kinds = [[1024, 16], [16384, 1]];
	const names = ["floor", "pubsubd", ...peersOf(bench)];
	const lines = [];

	for (const [i, [size, window]] of kinds.entries()) {
		const part = clock.part(1 / (kinds.length - i));
		const measure = (contestant) => load(contestant, "window", {
			size, window, warm: 0.1, seconds: bench.quick ? 0.3 : 0.6 });
		const found = await withAll([() => floor({ size }), pubsubd],
		    (both) => inTurn(part.part(0.7), bench.quick ? 2 : 9, both,
			measure));

		if (!bench.quick)
			await addPeers(bench, found, part, 3, measure);
		lines.push([`${size} bytes, window ${window}`,
			...lineOf(found, names, CPU), summary(ratios(
			    found.get("pubsubd"), found.get("floor"), CPU)),
			UWEBSOCKETS[size]]);
		bench.goal(`${size}-byte messages, window ${window}: CPU per ` +
		    "delivery, µs, against uWebSockets' elsewhere",
		    Number(UWEBSOCKETS[size]),
		    summary(values(found.get("pubsubd"), CPU)),
		    "an absolute figure of another run: a hint, no judgement",
		    { judged: false });
	}
	bench.table("Larger messages: one topic, 1000 subscribers; server CPU µs " +
	    "per delivery", ["", ...names, "pubsubd / floor",
		"uWebSockets, elsewhere"], lines);
}

export async function memory(bench) {
	const clients = bench.quick ? 4000 : 10000;
	const options = { clients, base: bench.quick ? 1000 : 2000,
		seconds: bench.quick ? 1 : 5 };
	const starts = { pubsubd, ...bench.quick ? {} : bench.peers };
	const names = Object.keys(starts);
	const found = new Map();

	for (const name of names)
		await withAll([starts[name]], async ([contestant]) => {
			found.set(name, [await load(contestant, "idle", options)]);
		}).catch((error) => {
			found.set(name, Object.assign([], { error: error.message }));
		});
	const key = "pss_bytes_per_connection";

	bench.goal("memory per idle subscribed connection, bytes of PSS", 434,
	    summary(values(found.get("pubsubd"), key)),
	    "uWebSockets elsewhere: 434");
	bench.goal(`${clients} idle connections: percent of a core`, 0.5,
	    summary(values(found.get("pubsubd"), "idle_cpu_percent")));
	bench.table(`Idle: growth from ${options.base} to ${clients} connections ` +
	    "in rooms of 10, after each has sent and received",
	    ["", ...names], [
		["user space, bytes per connection (PSS)",
			...lineOf(found, names, key)],
		["shared segment, KiB, fixed, not in it",
			...lineOf(found, names, "shm_kib")],
		["kernel slab, bytes per connection, both ends",
			...lineOf(found, names, "slab_bytes_per_connection")],
		["CPU while idle, percent of a core",
			...lineOf(found, names, "idle_cpu_percent")],
	]);
	bench.plot({ title: "Memory per idle connection", kind: "bars",
		y: "bytes of PSS", bars: [
			...names.map((name) => [name, median(found, name, key)]),
			["uWebSockets, elsewhere", UWEBSOCKETS.memory],
		] });
}

export async function connect(bench, clock) {
	const names = ["floor", "pubsubd", ...peersOf(bench)];
	const key = "cpu_us_per_connection";
	const measure = (contestant) => load(contestant, "connect",
	    { clients: bench.quick ? 2000 : 5000 });
	const found = await withAll([floor, pubsubd], (both) =>
		inTurn(clock.part(0.7), bench.quick ? 3 : 9, both, measure));

	if (!bench.quick)
		await addPeers(bench, found, clock, 3, measure);
	const ratio = summary(ratios(
	    found.get("pubsubd"), found.get("floor"), key));

	bench.goal("CPU per connect, handshake and subscribe, µs", 32,
	    summary(values(found.get("pubsubd"), key)));
	bench.goal("the same against the floor", 1.6, ratio);
	bench.table("A storm of newcomers in rooms of 10; server CPU µs per " +
	    "connect, handshake and subscribe",
	    ["", ...names, "pubsubd / floor", "uWebSockets, elsewhere"],
	    [["", ...lineOf(found, names, key), ratio, UWEBSOCKETS.connect]]);
}

/* The same figure of each round with and without the slow, as a ratio. */
function slowRatio(figures, key) {
	return summary(Array.from({ length: figures.rounds }, (_, i) =>
		figures[`with_${i}_${key}`] / figures[`without_${i}_${key}`]));
}

export async function slow(bench, clock) {
	const kinds = [["1 that never reads", { deaf: 1, rounds: 7 }],
		["1 that reads a byte a second",
			{ deaf: 0, dribbling: 1, rounds: 3 }],
		["1000 that never read", { deaf: 1000, rounds: 3 }]];
	const lines = [];

	for (const [what, options] of bench.quick ? kinds.slice(0, 1) : kinds) {
		const rounds = bench.quick ? 2 : options.rounds;
		const figures = await withAll([pubsubd], ([server]) =>
			load(server, "slow", { ...options, rounds, window: 16,
				warm: 0.3, seconds: bench.quick ? 0.4 : 0.8 },
			    clock.left() + 20));
		const p99 = slowRatio(figures, "p99_us");
		const rate = slowRatio(figures, "deliveries_per_s");

		bench.goal(`${what}, at full load: the others' p99 against ` +
		    "without", 1.1, p99);
		bench.goal(`${what}, at full load: the others' throughput ` +
		    "against without", 0.9, rate, "", { atLeast: true });
		lines.push([what, p99, rate, slowRatio(figures, CPU),
			((figures.pss_with_kib - figures.pss_without_kib) / 1024)
			.toFixed(1)]);
		if (clock.isUp())
			break;
	}
	bench.table("Members that do not keep up, among 1000 that do, window 16: " +
	    "the others with them against without", ["", "p99", "throughput",
		"CPU per delivery", "memory more, MiB"], lines);
}

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

export async function subscribers(bench, clock) {
	const counts = bench.quick ? [10, 100, 1000] : [10, 100, 1000, 10000];
	const lines = [];
	const points = { floor: [], pubsubd: [] };
	const each = [];

	for (const [i, members] of counts.entries()) {
		const found = await withAll([floor, pubsubd], (both) => inTurn(
		    clock.part(1 / (counts.length - i)), bench.quick ? 2 : 9, both,
		    (one) => load(one, "window", { members, window: 16,
			    warm: 0.2, seconds: bench.quick ? 0.3 : 0.6 })));
		const ratio = summary(ratios(
		    found.get("pubsubd"), found.get("floor"), CPU));

		for (const [name, list] of Object.entries(points)) {
			const s = summary(values(found.get(name), CPU));

			if (s !== null)
				list.push([members, s.median, s.low, s.high]);
		}
		each.push(ratio);
		lines.push([`${members}`,
			...lineOf(found, ["floor", "pubsubd"], CPU), ratio]);
	}
	bench.goal(`growth over ${counts[0]} to ${counts.at(-1)} subscribers: ` +
	    "worst ratio to the floor against the best", 1.15, spread(each));
	bench.table("By subscribers of one topic, window 16; server CPU µs per " +
	    "delivery", ["subscribers", "floor", "pubsubd", "ratio"], lines);
	bench.plot({ title: "Cost per delivery by subscribers", x: "subscribers",
		y: "server CPU µs per delivery, window 16", logX: true,
		logY: true, series: Object.entries(points).map(
		    ([name, list]) => ({ name, points: list })) });
}

/* The largest of several medians against the smallest, with what the
 * intervals allow. */
function spread(list) {
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

export async function topics(bench, clock) {
	const kinds = bench.quick ? [[1, 1], [300, 1], [300, 100]]
	                          : [[1, 1], [1000, 1], [1000, 100]];
	const lines = [];
	const points = { floor: [], pubsubd: [] };
	const each = [];

	for (const [i, [count, per]] of kinds.entries()) {
		const found = await withAll([floor, pubsubd], (both) => inTurn(
		    clock.part(1 / (kinds.length - i)), bench.quick ? 1 : 7, both,
		    (one) => load(one, "window", { rooms: count, members: 10,
			    topics: one.name === "floor" ? 1 : per, window: 1,
			    warm: 0.3, seconds: bench.quick ? 0.4 : 0.8 })));
		const ratio = summary(ratios(
		    found.get("pubsubd"), found.get("floor"), CPU));

		for (const [name, list] of Object.entries(points)) {
			const s = summary(values(found.get(name), CPU));

			if (s !== null)
				list.push([count * per, s.median, s.low, s.high]);
		}
		each.push(ratio);
		lines.push([`${count * per}`, `${count} × 10`,
			...lineOf(found, ["floor", "pubsubd"], CPU), ratio]);
		for (const rounds of found.values())
			if (rounds.error !== undefined)
				bench.note(rounds.error);
	}
	bench.goal(`growth over 1 to ${kinds.at(-1)[0] * kinds.at(-1)[1]} topics:` +
	    " worst ratio to the floor against the best", 1.15, spread(each));
	bench.table("By topics, each with 10 subscribers, one message in flight " +
	    "per room; server CPU µs per delivery",
	    ["topics", "connections", "floor", "pubsubd", "ratio"], lines);
	bench.plot({ title: "Cost per delivery by topics", x: "topics",
		y: "server CPU µs per delivery, window 1", logX: true,
		series: Object.entries(points).map(
		    ([name, list]) => ({ name, points: list })) });
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

export async function seedLoad(bench) {
	const clients = bench.quick ? 2000 : 10000;
	const figures = await withAll([() => pubsubd({
		workers: cpus().length, pin: false })], ([server]) =>
		load(server, "rooms", { clients, "room-size": 10, interval: 1,
			seconds: bench.quick ? 3 : 10, wait: 5 }, 90));
	const single = (value) => ({ median: value, low: value, high: value, n: 1 });

	bench.goal(`${clients} clients in rooms of 10, each sending once a second:` +
	    " lost or doubled", 0, single(figures.lost + figures.doubled +
		figures.out_of_order));
	bench.goal("the same: p99, ms", 100, single(figures.latency.p99_us / 1000));
	bench.table("The chat's own load (scripts/load.sh), a worker per core, " +
	    "generator on the same cores", ["", "pubsubd"], [
		["delivered per second", single(figures.delivered_per_s)],
		["p50, ms", single(figures.latency.p50_us / 1000)],
		["p99, ms", single(figures.latency.p99_us / 1000)],
		["server CPU, percent of a core",
			single(figures.server.cpu_percent)],
		["generator at worst late, ms", single(figures.late_max_us / 1000)],
	]);
}

/* As many as 8 workers, their descriptors and the memory let. */
export async function crowd(bench, clock) {
	const count = 8;
	const files = 20000;
	const room = Math.floor(freemem() / (32 * 1024));
	const clients = Math.floor(
	    Math.min(100_000, count * (files - 2000), room) / 1000) * 1000;
	const figures = await withAll([() => pubsubd({ workers: count,
		pin: false })], ([server]) => load(server, "idle", { clients,
		base: clients / 10, seconds: 2, broadcast: true, cpu: null },
	    clock.left() + 30));

	bench.table(`A crowd: ${clients} connections, ${count} workers`,
	    ["", "pubsubd"], [
		["connections held", figures.connections],
		["seconds to open them", figures.connect_s.toFixed(1)],
		["user space, bytes per connection",
			Math.round(figures.pss_bytes_per_connection)],
		["user space in all, MiB, without the segment",
			Math.round(figures.pss_kib / 1024)],
		["kernel slab, bytes per connection, both ends",
			Math.round(figures.slab_bytes_per_connection)],
		["one message to all, ms until the last has it",
			Math.round(figures.broadcast_ms)],
		["CPU while idle, percent of a core",
			figures.idle_cpu_percent.toFixed(2)],
	]);
}

