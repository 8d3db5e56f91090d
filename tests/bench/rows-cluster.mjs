// SPDX-License-Identifier: MIT
/*
 * rows-cluster.mjs - hosts that share a log, beside bare libnats on the same
 * servers; see rows.mjs.
 *
 * Three nats-server are there for all of it.  What is compared goes to the same
 * one of them, and to streams of the same kind that the same one leads, in turn;
 * each of the three has its share of the rounds.  All processes share the
 * machine's processors, so nothing is pinned.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { waitFor } from "../e2e/wait.mjs";
import { inTurn, load, ratios, runJson, summary, values } from "./measure.mjs";
import { lineOf, withAll } from "./rows.mjs";
import { BUILD, hold, letGo, pubsubd, PUBSUBD } from "./servers.mjs";

const FLIGHT = 64;
const RING_MIB = 32;
const FILLED_MIB = 48; /* the log has more than a joiner's ring takes */
const WAIT_S = 10;     /* --cluster-wait's default */
const AWAY_S = 18;     /* that is watched of a leader's death */
const SPEAKERS = 4;
const HEALTHY_MS = 3500; /* a bridge that dies younger is begun later each time */

/* The tests' servers of a log, and their other words: nats-server may have to be
 * downloaded, so nobody asks for it who does not measure this. */
async function testKit() {
	process.env.PUBSUBD ??= PUBSUBD;
	return await import("../e2e/nats.mjs");
}

function whyNot(kit) {
	if (!existsSync(join(BUILD, "log-bench")))
		return "built without libnats (libnats-dev)";
	return kit.skip;
}

const urlsOf = (nats, first = 0) => nats.ports.map((_, i, ports) =>
	`nats://${nats.address.host}:${ports[(first + i) % ports.length]}`);

/* Bare libnats, which is at the first of these servers while that is there. */
function bare(urls, mode, options = {}, seconds = 60) {
	return runJson("log-bench", [mode,
		...urls.flatMap((url) => ["--url", url]),
		...Object.entries(options).flatMap(([name, value]) =>
			[`--${name}`, String(value)])], seconds);
}

/* A host, which has joined.  Blocks until then. */
async function host(urls, args = []) {
	const server = await pubsubd({ pin: false, args: ["--config", "none",
		"--ring-size", `${RING_MIB}M`,
		...urls.flatMap((url) => ["--cluster", url]), ...args] });

	server.http = server.url.replace(/^ws(.*)\/ws$/u, "http$1");
	await waitFor("a host in the log",
	    () => /joined the log/u.test(server.said));
	return server;
}

/* The log as that server sees it which says that it leads it: name, leader and
 * bytes.  The others may be late. */
async function lookForLog(nats) {
	for (const [i, port] of nats.monitors.entries())
		try {
			const answer = await fetch(`http://${nats.address.host}:${
				port}/jsz?accounts=true&streams=true`,
			{ signal: AbortSignal.timeout(2000) });
			const { account_details: accounts } = await answer.json();
			const { name, cluster: { leader }, state: { bytes } } =
			    accounts.flatMap((one) => one.stream_detail)
			    .find((one) => one.name.startsWith("pubsubd-"));

			if (leader === `n${i}`)
				return { name, leader, bytes };
		} catch {
			/* it is another one's turn */
		}
	return null;
}

const logOf = (nats) => waitFor("a leader of the log", () => lookForLog(nats));

/* Have the bare stream led by whoever leads the log.  A server that has just been
 * loaded to the limit may be taken for one that is away, and then no stream can be
 * made. */
async function follow(nats) {
	let error;

	return await waitFor("a bare stream beside the log", async () => {
		const { leader } = await logOf(nats);

		try {
			await bare(urlsOf(nats), "make", { leader });
			return leader;
		} catch (reason) {
			error = reason;
			return null;
		}
	}).catch((reason) => {
		throw error ?? reason;
	});
}

/* Publish by HTTP.  Returns the answer's status, and its place. */
async function publish({ http }, topic, message) {
	const answer = await fetch(`${http}/topics/${topic}`,
	    { method: "POST", body: message,
		    signal: AbortSignal.timeout(60_000) });

	return { status: answer.status, ...await answer.json() };
}

/* What is measured in turn: who, and with which options. */
function contestants(server, urls) {
	const seconds = { warm: 0.2, seconds: 1 };
	const ours = (name, rooms, window) => ({ name, measure: () =>
		load(server, "window", { form: "answers", rooms, members: 1,
			window, cpu: null, ...seconds }) });
	const theirs = (name, batch, flight) => ({ name, measure: () =>
		bare(urls, "window", { batch, flight, ...seconds }) });

	return [ours("one", 1, 1), theirs("bare one", 1, 1),
		ours("many", FLIGHT, FLIGHT), theirs("bare batches", 64, FLIGHT),
		ours("some", FLIGHT, 1), theirs("bare single", 1, FLIGHT)];
}

/* Messages per second of a contestant, under the name of both programs. */
function perSecond(found, name) {
	const rounds = found.get(name) ?? [];

	return rounds.error === undefined ? summary(rounds.map((one) =>
		one.messages_per_s ?? one.deliveries_per_s)) : rounds;
}

async function steady(bench, clock, nats) {
	const found = new Map();

	for (const i of nats.ports.keys()) {
		const urls = urlsOf(nats, i).slice(0, 1);

		await withAll([() => host(urls)], async ([server]) => {
			await follow(nats);
			const more = await inTurn(clock.part(1 / (3 - i)), 3,
			    contestants(server, urls), ({ measure }) => measure());

			for (const [name, list] of more) {
				const all = found.get(name) ?? [];

				all.push(...list);
				all.error = list.error ?? all.error;
				found.set(name, all);
			}
		});
	}
	for (const [name, { error }] of found)
		if (error !== undefined)
			bench.note(`${name}: ${error}`);
	tellSteady(bench, found);
}

function tellSteady(bench, found) {
	const rate = (name) => (found.get(name) ?? []).map((one) => ({
		rate: one.messages_per_s ?? one.deliveries_per_s }));
	const latency = summary(ratios(
	    found.get("one"), found.get("bare one"), "p50_us"));
	const batches = summary(ratios(
	    rate("many"), rate("bare batches"), "rate"));
	const single = summary(ratios(rate("some"), rate("bare single"), "rate"));

	bench.goal("cluster: answer to a publish, p50, against bare libnats to " +
	    "its ordered consumer", 1.5, latency);
	bench.goal(`cluster: messages per second, ${FLIGHT} publishers with ` +
	    `${FLIGHT} in flight each, against bare batches of 64, ${FLIGHT} in ` +
	    "flight", 0.7, batches, "", { atLeast: true });
	bench.table("Three servers of a log with three copies: from a publish to " +
	    "its answer, and bare libnats from a publish to its ordered consumer, " +
	    "100 bytes", ["", "pubsubd", "bare libnats", "ratio"], [
		...["p50", "p99"].map((q) => [`one in flight, ${q}, µs`,
			...lineOf(found, ["one", "bare one"], `${q}_us`),
			summary(ratios(found.get("one"), found.get("bare one"),
			    `${q}_us`))]),
		[`${FLIGHT} × ${FLIGHT} in flight, messages per second (bare: ` +
		    "batches of 64)", perSecond(found, "many"),
		perSecond(found, "bare batches"), batches],
		[`${FLIGHT} in flight, messages per second (bare: single ones)`,
			perSecond(found, "some"), perSecond(found, "bare single"),
			single],
	]);
}

/* What one stream takes, and what it is to be read by several: the plan of
 * broker/bridge/README.md has its figures from here. */
async function capacity(bench, clock, nats) {
	const kinds = [[1, 100], [64, 100], [256, 100], [256, 256]];
	const readers = [1, 3, 9];
	const lines = [];

	await follow(nats);
	for (const [i, [batch, size]] of kinds.entries()) {
		const found = await inTurn(clock.part(1 / (kinds.length - i)), 3,
		    readers.map((consumers) => ({ name: `${consumers}`, consumers })),
		    ({ consumers }) => bare(urlsOf(nats), "window", { batch, size,
			    consumers, flight: FLIGHT, warm: 0.2, seconds: 1 }));
		const of = (key, scale) => lineOf(
		    found, readers.map(String), key, scale);

		lines.push([`${batch} × ${size} bytes`, ...of("messages_per_s", 1),
			...of("bytes_per_s", 1e6)]);
	}
	bench.table(`What one stream takes, bare: ${FLIGHT} publishes in flight, ` +
	    "by readers, which all have it all", ["a publish",
		...readers.map((n) => `messages/s, ${n} reader${n > 1 ? "s" : ""}`),
		...readers.map((n) => `MB/s, ${n}`)], lines);
}

/* How long what was published came back to nobody, of a host whose bridge was
 * killed; and how long bare libnats takes to begin. */
async function bridges(bench, clock, kit, nats) {
	const ours = [], theirs = [];

	await withAll([() => host(urlsOf(nats).slice(0, 1))], async ([server]) => {
		await follow(nats);
		for (let i = 0; i < 7 && (i === 0 || !clock.isUp()); i++) {
			await pause(HEALTHY_MS);
			await publish(server, "bridge", `before ${i}`);
			const [pid] = kit.bridgeOf(server);
			const killed = performance.now();

			process.kill(pid, "SIGKILL");
			await publish(server, "bridge", `behind ${i}`);
			ours.push(performance.now() - killed);
			const { first_ms: first } = await bare(
			    urlsOf(nats).slice(0, 1), "first");

			theirs.push(first);
		}
	});
	bench.goal("cluster: a bridge is killed, until what is published then is " +
	    "answered, ms", 100, summary(ours));
	return ["a bridge is killed, until it flows again, ms (bare: begin, " +
	    "publish, and have it back)", summary(ours), summary(theirs),
	summary(ours.map((ms, i) => ms / theirs[i]))];
}

async function fill(nats, server) {
	for (let i = 0; i < 60; i++) {
		if ((await logOf(nats)).bytes >= FILLED_MIB << 20)
			return;
		await load(server, "window", { form: "answers", rooms: FLIGHT,
			members: 1, window: FLIGHT, size: 200, cpu: null,
			warm: 0, seconds: 1 });
	}
	throw new Error(`no ${FILLED_MIB} MiB in the log`);
}

/* From the start of a new host until it has the newest message; and bare libnats
 * reading as many bytes of the same log. */
async function joiner(bench, clock, nats) {
	const urls = urlsOf(nats).slice(0, 1);
	const ours = [], theirs = [];

	await withAll([() => host(urls)], async ([server]) => {
		await fill(nats, server);
		for (let i = 0; i < 5 && (i === 0 || !clock.isUp()); i++) {
			await publish(server, `newest${i}`, "x");
			const began = performance.now();

			await withAll([() => host(urls)], async ([late]) => {
				await waitFor("the newest message", async () =>
					(await fetch(`${late.http}/topics/newest${i}`))
					.ok);
				ours.push(performance.now() - began);
			});
			const { read_ms: read } = await bare(urls, "read", {
				stream: (await logOf(nats)).name,
				bytes: RING_MIB << 20 });

			theirs.push(read);
		}
	});
	bench.goal(`cluster: a host with a ring of ${RING_MIB}M, from its start ` +
	    "until it has the newest message, s", 1,
	summary(ours.map((ms) => ms / 1000)));
	return [`a host with a ring of ${RING_MIB}M joins, ms (bare: read as much ` +
	    "of the log)", summary(ours), summary(theirs),
	summary(ours.map((ms, i) => ms / theirs[i]))];
}

/* Publish, each message when the one before was answered, and note when. */
async function speak(server, who, until, answers) {
	for (let i = 0; performance.now() < until; i++) {
		const text = `${who}-${i}`;
		const { status, pos } = await publish(server, "death", text);

		answers.push({ ms: performance.now(), text, pos, status });
	}
}

/* Acknowledged messages that are not at their place on one of the hosts, and
 * messages that are there twice. */
function judge(pasts, answers) {
	const found = { lost: 0, doubled: 0 };

	for (const past of pasts) {
		const places = new Map(past.map(([pos, text]) => [text, pos]));

		found.doubled += past.length - places.size;
		found.lost += answers.filter(({ text, pos }) =>
			places.get(text) !== pos).length;
	}
	return found;
}

const longestPause = (times) => Math.max(...times.slice(1).map(
	(ms, i) => ms - times[i]));

async function deathOnce(kit, nats, hosts, round) {
	const leader = Number((await follow(nats)).slice(1));
	const began = performance.now(), answers = [];
	const bareOne = bare(urlsOf(nats), "window",
	    { seconds: AWAY_S, warm: 0 }, AWAY_S + 40);
	const speakers = Array.from({ length: SPEAKERS }, (_, i) => speak(
	    hosts[i % hosts.length], `${round}${i}`, began + AWAY_S * 1000,
	    answers));

	await waitFor("answers", () => answers.length > 100);
	await nats.kill(leader);
	const results = await Promise.allSettled([bareOne, ...speakers]);

	nats.revive(leader);
	await nats.meet(true);
	for (const { reason } of results)
		if (reason !== undefined)
			throw reason;
	const acked = answers.filter(({ status }) => status === 200);
	const newest = (await publish(hosts[0], "death", `${round}end`)).pos;
	let pasts;

	await waitFor("all hosts to have all", async () => {
		pasts = await Promise.all(hosts.map(({ http }) =>
			kit.past({ url: http }, "death")));
		return pasts.every((past) => past.at(-1)?.[0] === newest);
	});
	return {
		...judge(pasts, acked),
		refused: answers.length - acked.length,
		pause: longestPause(acked.map(({ ms }) => ms).sort((a, b) => a - b)),
		bare: results[0].value.pause_ms,
	};
}

async function deaths(bench, clock, kit, nats) {
	const rounds = await withAll([0, 1, 2].map((i) =>
		() => host(urlsOf(nats, i), ["--ring-size", "128M"])),
	async (hosts) => {
		const all = [];

		for (let i = 0; i < 3 && (i === 0 || !clock.isUp()); i++)
			all.push(await deathOnce(kit, nats, hosts, "abc"[i]));
		return all;
	});
	const of = (key) => summary(values(rounds, key));
	const worst = (key) => summary([Math.max(...values(rounds, key))]);

	bench.goal("cluster: the log's leader is killed: lost", 0, worst("lost"));
	bench.goal("the same: doubled", 0, worst("doubled"));
	bench.goal("the same: the longest pause between two answers, s",
	    WAIT_S, summary(rounds.map(({ pause }) => pause / 1000)));
	return [["the log's leader is killed: the longest pause, ms", of("pause"),
		of("bare"), summary(rounds.map(({ pause, bare: b }) => pause / b))],
	["the same: publishes that were refused", of("refused"), null, null]];
}

async function measureAll(bench, clock, kit, nats) {
	await steady(bench, clock.part(0.3), nats);
	await capacity(bench, clock.part(0.25), nats);
	const lines = [await bridges(bench, clock.part(0.15), kit, nats),
		await joiner(bench, clock.part(0.25), nats),
		...await deaths(bench, clock, kit, nats)];

	bench.table("What happens to a cluster", ["", "pubsubd", "bare libnats",
		"ratio"], lines);
}

export async function cluster(bench, clock) {
	const kit = await testKit();
	const why = whyNot(kit);

	if (why) {
		bench.note(`cluster: skipped: ${why}`);
		return;
	}
	const ends = [];
	const all = { stop: async () => {
		while (ends.length > 0)
			await ends.pop()();
	} };

	hold(all);
	try {
		await measureAll(bench, clock, kit, await kit.Nats.start(
		    { after: (end) => ends.push(end) }));
	} finally {
		await all.stop();
		letGo(all);
	}
}
