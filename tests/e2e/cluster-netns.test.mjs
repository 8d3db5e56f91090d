// SPDX-License-Identifier: MIT
/*
 * cluster-netns.test.mjs - three hosts on a network, each a pubsubd and a
 * nats-server: a route between two servers is cut, or a whole host, and healed.
 *
 * Clients come by a link of their own, which is never cut.  What is said before,
 * during and after a cut is there afterwards, as it was acknowledged, once, and in
 * one order on all hosts.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Speaker, assertHas, publish, refuses } from "./cluster-talk.mjs";
import { Nats, agree, hostAt, skip } from "./nats.mjs";
import { lan, skipLan } from "./netns.mjs";
import { V1 } from "./v1-client.mjs";
import { bounded, waitFor } from "./wait.mjs";

/* How long servers that were cut off may take to hear each other again. */
const HEAL_MS = 90_000;

describe("three hosts on a network", { skip: skip || skipLan,
	concurrency: false }, () => {
	const ends = [];
	const t = { after: (end) => ends.unshift(end) };
	let places, nats, hosts;

	before(async () => {
		places = await lan(t, 3);
		nats = await Nats.start(t, 3, 0, { places });
		hosts = await Promise.all(places.map((place) =>
			hostAt(t, nats, place, "--cluster-wait", "5")));
		for (const one of hosts) {
			one.deathsExpected = true; /* bridges try another server */
			await one.logs("a log", /joined the log/u);
		}
	});

	/* One behind the other: what is in a namespace before that. */
	after(async () => {
		const errors = [];

		for (const end of ends)
			try {
				await end();
			} catch (error) {
				errors.push(error);
			}
		assert.deepEqual(errors, []);
	});

	const speak = (topic) => hosts.map((one, i) =>
		new Speaker(one, topic, "abc"[i]));

	/* All are in touch again, and have the same past, of which nothing that was
	 * refused is a part. */
	async function isWhole(topic, speakers, servers = hosts, more = []) {
		await Promise.all(speakers.map((one) => one.more(10)));
		const acks = [];

		for (const one of speakers)
			acks.push(await one.stop());
		const all = await agree(servers, topic, [...acks, ...more]
		    .reduce((sum, list) => sum + list.length, 0));
		const said = new Set(all.map(([, message]) => message));

		assertHas(all, ...acks, ...more);
		for (const text of speakers.flatMap(({ refused }) => refused))
			assert.ok(!said.has(text), `${text} was refused`);
		let status;

		await waitFor("hosts with one hash", async () => {
			status = await nats.cluster("status");
			return status.status === 0 && status.stdout
			    .includes(`, ${servers.length} hosts`);
		}, HEAL_MS).catch((error) => {
			error.message += `\n${status.stdout}${status.stderr}`;
			throw error;
		});
		assert.doesNotMatch(status.stdout, /ANOTHER LOG/u);
		for (const one of servers)
			assert.doesNotMatch(one.logged,
			    /a new ring|another log|lost messages/u);
	}

	test("a route between two servers is cut", async () => {
		const leader = await nats.leader();
		const [here, there] = [places[leader], places[(leader + 1) % 3]];
		const speakers = speak("route");

		await Promise.all(speakers.map((one) => one.more(10)));
		await here.cutFrom(there);
		await Promise.all(speakers.map((one) => one.more(30)));
		await here.healTo(there);
		await isWhole("route", speakers);
	});

	/* Cut a host off until it refuses and the others go on; do something
	 * meanwhile, and heal it. */
	async function cutOff(i, topic, meanwhile = () => []) {
		const speakers = speak(topic);
		const others = speakers.filter((_, n) => n !== i);
		const waits = await V1.open(hosts[i]);
		const later = await V1.open(hosts[i]);

		await Promise.all(speakers.map((one) => one.more(10)));
		await places[i].cut();
		waits.send({ type: "publish", id: "w", topic,
			message: "under way" });
		await Promise.all([refuses(hosts[i]),
			...others.map((one) => one.more(20))]);
		await later.refuse({ type: "publish", topic,
			message: "refused" }, "cluster_down");
		assert.deepEqual(waits.frames, []);
		const more = await meanwhile();

		await places[i].heal();
		const ack = await bounded("the answer", waits.next(), HEAL_MS);

		assert.equal(ack.id, "w");
		assert.equal(ack.type, "ack", JSON.stringify(ack));
		for (const one of [waits, later])
			one.socket.terminate();
		return [speakers, [[[ack.pos, "under way"]], ...more]];
	}

	test("the leader's host is cut off", async () => {
		const [speakers, more] = await cutOff(await nats.leader(), "leader");

		await isWhole("leader", speakers, hosts, more);
	});

	test("a follower's host is cut off", async () => {
		const i = (await nats.leader() + 1) % 3;
		const [speakers, more] = await cutOff(i, "follower");

		await isWhole("follower", speakers, hosts, more);
	});

	test("one joins while a host is cut off", async (own) => {
		const i = (await nats.leader() + 1) % 3;
		let late;
		const [speakers, more] = await cutOff(i, "join", async () => {
			late = await hostAt(own, nats, places[(i + 1) % 3]);
			await late.logs("a log", /joined the log/u);
			await agree([late, hosts[(i + 2) % 3]], "follower",
			    (await fetch(`${hosts[(i + 2) % 3].url}/topics/follower`)
				.then((answer) => answer.json())).seq);
			return [await publish(late, "join", "late", 5)];
		});

		late.deathsExpected = true;
		await isWhole("join", speakers, [...hosts, late], more);
	});
});
