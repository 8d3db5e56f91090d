// SPDX-License-Identifier: MIT
/*
 * cluster.mjs - a storm over three hosts and the three servers of their log.
 *
 *	node tests/chaos/cluster.mjs --seconds 60 [--seed N]
 *
 * Two speakers on each host publish, each message when the one before it was
 * answered.  Meanwhile bridges, workers and servers are killed or stopped and
 * hosts restarted, as the seed says.  Then all hosts must have one past: every
 * message that was acknowledged, at the place that the answer said; nothing
 * twice, nothing that was refused, each speaker's in order; and the hosts' hashes
 * are the same.  What was never answered may be there or not.
 */

import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

import { Nats, bridgeOf, host, past, skip } from "../e2e/nats.mjs";
import { V1 } from "../e2e/v1-client.mjs";
import { bounded, waitFor } from "../e2e/wait.mjs";

const ANSWER_MS = 60_000;

const { values } = parseArgs({ options: {
	seconds: { type: "string", default: "60" },
	seed: { type: "string", default: `${Date.now() % 1e6}` },
} });

if (skip) {
	console.log(`# skipped: ${skip}`);
	process.exit(0);
}

let state = Number(values.seed);

function below(n) {
	state = (state * 1103515245 + 12345) % 2147483648;
	return Math.floor(state / 65536) % n;
}

const ends = [];
const t = { after: (end) => ends.unshift(end) };
const nats = await Nats.start(t);
const hosts = await Promise.all([0, 1, 2].map(() =>
	host(t, nats, "--ring-size", "128M"))); /* none of it expires */
const acked = new Map(), refused = new Set();
let said = 0, over = false;
const faults = [];

async function speak(server, who) {
	let client = null;

	while (!over)
		try {
			client ??= await V1.open(server);
			const text = `${who}-${said++}`;
			const answer = await bounded("an answer",
			    client.publish("storm", text), ANSWER_MS);

			if (answer.type === "ack") {
				acked.set(text, answer.pos);
			} else {
				refused.add(text);
				await pause(200);
			}
		} catch (error) {
			if (/never came/u.test(error.message))
				faults.push(`${who}: ${error.message}`);
			client = null;
			await pause(50);
		}
	client?.socket.terminate();
}

async function stopFor(ms, stop, go) {
	stop();
	await pause(ms);
	go();
}

const deeds = [
	["bridge killed", (i) => {
		for (const pid of bridgeOf(hosts[i]))
			process.kill(pid, "SIGKILL");
	}],
	["bridge stopped", (i) => stopFor(1500,
	    () => bridgeOf(hosts[i]).forEach((p) => process.kill(p, "SIGSTOP")),
	    () => bridgeOf(hosts[i]).forEach((p) => process.kill(p, "SIGCONT")))],
	["worker killed", async (i) => {
		const pids = await hosts[i].workers();

		process.kill(pids[below(pids.length)], "SIGKILL");
	}],
	["server killed", async (i) => {
		await nats.kill(i);
		nats.revive(i);
		await nats.meet(true);
	}],
	["server stopped", (i) => stopFor(5000,
	    () => nats.signal(i, "SIGSTOP"), () => nats.signal(i, "SIGCONT"))],
	["host restarted", (i) => hosts[i].cli("restart")],
];

async function storm() {
	const until = Date.now() + Number(values.seconds) * 1000;

	while (Date.now() < until) {
		await pause(500 + below(1500));
		const [what, does] = deeds[below(deeds.length)], i = below(3);

		console.log(`${what}: ${i}`);
		await Promise.resolve(does(i)).catch((error) =>
			console.log(`  ${error.message}`));
	}
}

function judge([first, ...others]) {
	const places = new Map(), last = new Map();

	for (const other of others)
		if (JSON.stringify(other) !== JSON.stringify(first))
			faults.push("hosts have different pasts");
	for (const [pos, text] of first) {
		const [who, n] = text.split("-");

		if (places.has(text))
			faults.push(`twice: ${text}`);
		if (last.get(who) > Number(n))
			faults.push(`out of order: ${text}`);
		if (refused.has(text))
			faults.push(`refused, and there: ${text}`);
		places.set(text, pos);
		last.set(who, Number(n));
	}
	for (const [text, pos] of acked)
		if (places.get(text) !== pos)
			faults.push(`lost: ${text} at ${pos}`);
}

for (const one of hosts) {
	one.deathsExpected = true;
	await one.logs("a log", /joined the log/u);
}
const speakers = hosts.flatMap((one, i) =>
	[0, 1].map((k) => speak(one, `${"abc"[i]}${k}`)));

await storm();
over = true;
await Promise.all(speakers);
let pasts = [];

await waitFor("one past", async () => {
	pasts = await Promise.all(hosts.map((one) => past(one, "storm")));
	return pasts.every((one) => one.length === pasts[0].length &&
		one.length >= acked.size);
}, 60_000).catch((error) => faults.push(error.message));
judge(pasts);
if ((await nats.cluster("check")).status !== 0)
	faults.push("pubsubd cluster check fails");
console.log(`said ${said}, acknowledged ${acked.size}, refused ` +
    `${refused.size}, there ${pasts[0].length}`);
for (const end of ends)
	await end().catch((error) => faults.push(error.message));
for (const fault of faults.slice(0, 20))
	console.log(`FAULT ${fault}`);
if (faults.length > 0)
	console.log(`again: node tests/chaos/cluster.mjs --seconds ` +
	    `${values.seconds} --seed ${values.seed}`);
process.exit(faults.length > 0 ? 1 : 0);
