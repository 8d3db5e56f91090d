// SPDX-License-Identifier: MIT
/*
 * cluster.mjs - a storm over three hosts and the three servers of their log.
 *
 *	node tests/chaos/cluster.mjs --seconds 60 [--seed N]
 *
 * Publishers at each host number what they say, clients of one host and of all
 * follow it, and meanwhile bridges, workers, supervisors and servers are killed or
 * stopped, routes and hosts are cut off where this user may have namespaces, and
 * one more host comes and goes, by a schedule that the seed alone makes
 * (cluster-actions.mjs).  Then the ledger judges, by places in the log: every
 * message that was acknowledged is in the past of each host, at the place that the
 * answer said, once, and each speaker's in order; nothing that was refused is there;
 * whoever followed missed nothing that no gap was told of.  All hosts have one past,
 * and their hashes are the same.
 */

import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

import { Nats, hostAt, past, skip } from "../e2e/nats.mjs";
import { lan, skipLan } from "../e2e/netns.mjs";
import { waitFor } from "../e2e/wait.mjs";
import { HOSTS, KINDS, act } from "./cluster-actions.mjs";
import { Dice } from "./dice.mjs";
import { reachTheEnd } from "./ending.mjs";
import { Follower } from "./follower.mjs";
import { Ledger } from "./ledger.mjs";
import { V1Publisher } from "./publishers.mjs";
import { schedule } from "./schedule.mjs";
import { whereIs } from "./words.mjs";

const TOPICS = ["t0", "t1", "flood"];
const REST = [500, 2500];

/* How long servers may take to go on when the storm is over. */
const CALM_MS = 120_000;

const { values } = parseArgs({ options: {
	seconds: { type: "string", default: "60" },
	seed: { type: "string", default: `${Date.now() % 1e6}` },
} });

if (skip) {
	console.log(`skipped: ${skip}`);
	process.exit(0);
}
if (skipLan)
	console.log(`skipped: cuts of routes and hosts: ${skipLan}`);

const ledger = new Ledger({ dense: false });

/* What publishers.mjs wants to know of a host. */
const worldOf = (server) => ({ ledger, host: server.host,
	get port() {
		return server.port;
	},
	dice: (name) => new Dice(values.seed, name) });

async function begin(t) {
	const places = skipLan ? null : await lan(t, HOSTS);
	const nats = await Nats.start(t, HOSTS, 0, places ? { places } : {});
	const hosts = await Promise.all(Array.from({ length: HOSTS }, (_, i) =>
		hostAt(t, nats, places?.[i] ?? null,
		    "--ring-size", "128M"))); /* none of it expires */

	for (const one of hosts) {
		one.deathsExpected = true;
		await one.logs("a log", /joined the log/u);
	}
	const publishers = hosts.flatMap((one, i) => [0, 1].map((n) =>
		new V1Publisher(worldOf(one), `host${i}-${n}`,
		    TOPICS.slice(0, 2))));
	const followers = [
		...hosts.map((one, i) => new Follower(ledger, `at${i}`, [one],
		    TOPICS)),
		...hosts.map((_, i) => new Follower(ledger, `hopper${i}`,
		    [...hosts.slice(i), ...hosts.slice(0, i)], TOPICS))];

	return { nats, places, hosts, publishers, followers, late: null,
		flood: TOPICS.at(-1) };
}

async function storm(scene) {
	const started = Date.now();
	const said = () => ((Date.now() - started) / 1000).toFixed(3).padStart(8);

	for (const action of schedule(values.seed, Number(values.seconds),
	    { kinds: KINDS, rest: REST, ending: () => [] })) {
		await pause(Math.max(0, started + action.at - Date.now()));
		const what = await act(scene, action).catch((error) => {
			ledger.fault("damaged", `${action.kind}: ${error.message}`);
			return error.message;
		});

		console.log(`${said()}  ${action.kind}: ${what}`);
	}
	console.log(`${said()}  the storm is over`);
}

/* The servers hear each other, and each host takes messages. */
async function calm({ nats, hosts, publishers, followers }) {
	publishers.forEach((one) => one.rest());
	followers.forEach((one) => one.resume());
	await nats.meet(true);
	for (const one of hosts)
		await waitFor("a host that takes messages", async () =>
			(await fetch(`${one.url}/topics/ready`, { method: "POST",
				body: "x", signal: AbortSignal.timeout(10_000) })
			    .catch(() => null))?.status === 200, CALM_MS);
}

/* Enter what each host has, and see that it is the same. */
async function compare(servers) {
	for (const topic of TOPICS) {
		const pasts = await Promise.all(servers.map(
		    (one) => past(one, topic)));

		pasts.forEach((all, i) => {
			const observer = ledger.placed(`past of ${i}`);

			if (JSON.stringify(all) !== JSON.stringify(pasts[0]))
				ledger.fault("disorder", `host ${i} has another ` +
				    `past of ${topic} than host 0: ${all.length} ` +
				    `messages, ${pasts[0].length}`);
			observer.begin(topic, whereIs({ pos: all[0][0] }).epoch);
			for (const [pos, text] of all)
				observer.message(topic, whereIs({ pos }), text);
		});
	}
}

async function judge(scene) {
	const { nats, hosts, publishers, followers, late } = scene;
	const servers = [...hosts, ...late ? [late.server] : []];

	await reachTheEnd({ ledger, world: worldOf(hosts[0]), cast: {
		hearers: followers, publishers, topics: TOPICS } });
	let status;

	await waitFor("hosts with one hash", async () => {
		status = await nats.cluster("check");
		return status.status === 0;
	}).catch(() => ledger.fault("damaged",
	    `cluster check: ${status.stderr.trim()}`));
	await compare(servers);
	return ledger.judge(0);
}

const ends = [];
let scene = null, good = false;

console.log(`seed ${values.seed}, ${values.seconds} seconds`);
try {
	scene = await begin({ after: (end) => ends.unshift(end) });
	scene.publishers.forEach((one) => one.open());
	await storm(scene);
	await calm(scene);
	good = await judge(scene);
} catch (error) {
	console.log(error.stack);
}
for (const one of [...scene?.publishers ?? [], ...scene?.followers ?? []])
	one.leave();
if (scene?.late)
	ends.unshift(() => scene.late.server.end());
for (const end of ends)
	await Promise.resolve().then(end).catch((error) => {
		good = false;
		console.log(error.stack);
	});
for (const [name, value] of Object.entries(ledger.counts))
	if (value > 0)
		console.log(`${name.padEnd(14)}${String(value).padStart(10)}`);
for (const { kind, text } of ledger.faults)
	console.log(`${kind}: ${text}`);
if (!good) {
	for (const one of scene?.hosts ?? [])
		console.log(one.stderr);
	console.log(`FAILED; again: make cluster-chaos SECONDS=${values.seconds
	} SEED=${values.seed}`);
}
process.exit(good ? 0 : 1);
