// SPDX-License-Identifier: MIT
/* rows-connections.mjs - many connections, idle, new or slow; see rows.mjs. */

import { cpus, freemem } from "node:os";

import { inTurn, load, ratios, summary, values } from "./measure.mjs";
import { addPeers, CPU, lineOf, median, peersOf, UWEBSOCKETS, withAll }
	from "./rows.mjs";
import { floor, guarded, pubsubd } from "./servers.mjs";

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

/* Both at the same time, since it takes that long: two pings for each client. */
export async function pings(bench) {
	const clients = 10000, interval = 25, seconds = 2 * interval;
	const key = "idle_cpu_percent";
	const [least, ours] = await withAll(
	    [() => floor({ ping: interval }),
		    () => pubsubd({ args: ["--ping-interval", String(interval)] })],
	    (both) => Promise.all(both.map((contestant) => load(contestant, "idle",
		{ clients, base: clients / 10, seconds }, seconds + 40))));

	bench.goal(`${clients} connections that answer a ping every ${interval} s:` +
	    " percent of a core", 0.5, summary([ours[key]]));
	bench.goal("the same against the floor", 1.1,
	    summary([ours[key] / least[key]]));
	bench.table(`${clients} connections that do nothing but answer a ping ` +
	    `every ${interval} s`, ["", "floor", "pubsubd"], [
		["CPU, percent of a core", least[key].toFixed(2),
			ours[key].toFixed(2)],
		["CPU per ping, µs", ...[least, ours].map((figures) =>
			(figures[key] * 1e4 * interval / clients).toFixed(1))],
	]);
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

/* A reconnect storm where everybody shows a token, which was verified before. */
export async function tokens(bench, clock) {
	const names = ["pubsubd", "with a token"];
	const key = "cpu_us_per_connection";
	const found = await withAll([pubsubd, guarded], (both) =>
		inTurn(clock, bench.quick ? 3 : 9, both, (contestant) =>
			load(contestant, "connect",
			    { clients: bench.quick ? 2000 : 5000 })));
	const [without, those] = names.map((name) =>
		values(found.get(name), key));

	bench.goal("CPU per connect, handshake and subscribe with a token that is " +
	    "known, over that without, µs", 5,
	summary(those.map((figure, i) => figure - without[i])));
	bench.table("A storm of clients that come back with a token; server CPU " +
	    "µs per connect, handshake and subscribe", ["", ...names],
	[["", ...lineOf(found, names, key)]]);
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

const BACKLOG = { deaf: 500, size: 1000, waiting: 256 /* ?buffer= */ };

/* What it takes to hold back messages for those that do not read. */
export async function backlog(bench, clock) {
	const { deaf, size, waiting } = BACKLOG;
	const found = await withAll([pubsubd], ([server]) =>
		load(server, "slow", { members: 5, deaf, size, rounds: 1,
			window: 16, warm: 0.1, seconds: 1 }, clock.left() + 20));
	const more = (what) => (found[`${what}_with_kib`] -
		found[`${what}_without_kib`]) * 1024;
	const perByte = more("pss") / (deaf * size * waiting);
	const each = (more("pss") + more("kernel")) / deaf;
	const what = `${deaf} that never read, ${waiting} messages of ${size} ` +
	    "bytes waiting for each: ";

	bench.goal(`${what}user memory, bytes per byte of that`, 0.1,
	    summary([perByte]));
	bench.goal(`${what}user and kernel memory each, KB`, 300,
	    summary([each / 1000]));
	bench.table("Members that do not read: what is held for each, KB",
	    ["", "user", "kernel"], [[`${waiting} × ${size} bytes`,
		(more("pss") / deaf / 1000).toFixed(1),
		(more("kernel") / deaf / 1000).toFixed(1)]]);
}

/* How long all cores have worked, and have been there, in ms. */
function machineTimes() {
	const times = cpus().map((cpu) => cpu.times);
	const sum = (of) => times.reduce((total, time) => total + of(time), 0);

	return { busy: sum(({ user, nice, sys, irq }) => user + nice + sys + irq),
		all: sum((time) => Object.values(time).reduce((a, b) => a + b)) };
}

async function chat(server, clients, seconds) {
	const before = machineTimes();
	const figures = await load(server, "rooms", { clients, "room-size": 10,
		interval: 1, seconds, wait: 5 }, 60);
	const after = machineTimes();

	return {
		wrong: figures.lost + figures.doubled + figures.out_of_order,
		rate: figures.delivered_per_s,
		p50: figures.latency.p50_us / 1000,
		p99: figures.latency.p99_us / 1000,
		server: figures.server.cpu_percent,
		machine: 100 * (after.busy - before.busy) / (after.all - before.all),
		late: figures.late_max_us / 1000,
	};
}

export async function chatLoad(bench, clock) {
	const clients = bench.quick ? 2000 : 10000;
	const found = await withAll([() => pubsubd({ workers: cpus().length,
		pin: false })], (servers) => inTurn(clock, bench.quick ? 1 : 3,
		servers, (server) => chat(server, clients, bench.quick ? 3 : 5)));
	const of = (key) => summary(values(found.get("pubsubd"), key));

	bench.goal(`${clients} clients in rooms of 10, each sending once a second:` +
	    " lost, doubled or out of order", 0, of("wrong"));
	bench.goal("the same: p99, ms", 100, of("p99"));
	bench.table("The chat's own load (scripts/load.sh), a worker per core, " +
	    "generator on the same cores", ["", "pubsubd"], [
		["delivered per second", of("rate")],
		["p50, ms", of("p50")],
		["p99, ms", of("p99")],
		["server CPU, percent of a core", of("server")],
		["the whole machine, percent of its cores", of("machine")],
		["generator at worst late, ms", of("late")],
	]);
}

/* Clients that all have something to say, in rooms of ten: the members of each
 * publish in turn, so every message comes from another connection.  The floor
 * takes messages in, too. */
async function speakers(bench, clock) {
	const clients = 8000, members = 10;
	const shape = { rooms: clients / members, members, window: 1,
		everybody: true };
	const names = ["floor", "pubsubd",
		...peersOf(bench).filter((name) => name === "nats-server")];
	const measure = (contestant) => load(contestant, "window",
	    { ...shape, warm: 0.3, seconds: 1.2 });
	const found = await withAll([() => floor({ rooms: true }), pubsubd],
	    (both) => inTurn(clock.part(0.8), 11, both, measure));

	await addPeers(bench, found, clock, 3, measure, names.slice(2));
	const ratio = summary(ratios(
	    found.get("pubsubd"), found.get("floor"), CPU));

	bench.goal(`${clients} clients in rooms of ${members} that all publish: ` +
	    "CPU per delivery against the floor, which takes messages in, too",
	1.08, ratio);
	bench.table(`${clients} clients in rooms of ${members}, whose members ` +
	    "publish in turn, a message in flight in each; server CPU µs per " +
	    "delivery", ["", ...names, "pubsubd / floor"],
	[["", ...lineOf(found, names, CPU), ratio]]);
}

/* As many as 8 workers, their descriptors and the memory let; and as many with
 * the floor, one after the other. */
async function broadcast(bench, clock) {
	const count = 8;
	const files = 20000;
	const room = Math.floor(freemem() / (32 * 1024));
	const clients = Math.floor(
	    Math.min(100_000, count * (files - 2000), room) / 1000) * 1000;
	const measure = (start) => withAll([start], ([server]) =>
		load(server, "idle", { clients, base: clients / 10, seconds: 2,
			broadcast: true, cpu: null }, clock.left() / 2 + 30));
	const least = await measure(() => floor({ processes: count, pin: false }));
	const ours = await measure(() => pubsubd({ workers: count, pin: false }));
	const line = (figure) => [least, ours].map(figure);

	bench.goal(`one message to ${clients} connections on ${count} workers: ` +
	    "time against the floor", 1.15,
	summary([ours.broadcast_ms / least.broadcast_ms]));
	bench.table(`A crowd: ${clients} connections, ${count} workers`,
	    ["", "floor", "pubsubd"], [
		["connections held", ...line((one) => one.connections)],
		["seconds to open them",
			...line((one) => one.connect_s.toFixed(1))],
		["user space, bytes per connection",
			...line((one) => Math.round(one.pss_bytes_per_connection))],
		["user space in all, MiB, without the segment",
			...line((one) => Math.round(one.pss_kib / 1024))],
		["kernel slab, bytes per connection, both ends",
			...line((one) => Math.round(one.slab_bytes_per_connection))],
		["one message to all, ms until the last has it",
			...line((one) => Math.round(one.broadcast_ms))],
		["CPU while idle, percent of a core",
			...line((one) => one.idle_cpu_percent.toFixed(2))],
	]);
}

export async function crowd(bench, clock) {
	await broadcast(bench, clock.part(0.6));
	await speakers(bench, clock);
}
