// SPDX-License-Identifier: MIT
/*
 * lap.test.mjs - a worker that stands still while the ring goes round.
 *
 * It is stopped, the others publish more than the ring holds, it goes on.  Its
 * clients have missed something; what they get is in order and nothing twice,
 * the counter says exactly what is missing, and nobody else lost anything.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Client, Server, openOnEachWorker, waitFor } from "./support.mjs";

const RING = ["--ring-size", "1152K", "--rate", "0", "--max-buffer", "100000"];
const BIG = "x".repeat(10_000);

/* A server, and on each of its two workers a client of all these topics. */
async function scene(t, topics, ...args) {
	const server = await Server.start(t, [...RING, ...args]);
	const clients = await openOnEachWorker(server, () =>
		Client.open(server, { topics, query: { buffer: 100_000 } }));
	const [, pid] = await server.workers();

	server.deathsExpected = true; /* "lapped" is a warning */
	t.after(() => {
		try {
			process.kill(pid, "SIGCONT");
		} catch {
			/* it has been replaced */
		}
	});
	return { server, clients, pid };
}

/* Publish numbered messages to the topics in turn; the publisher, who is
 * subscribed to all of them, gets each. */
async function publish(client, topics, from, count) {
	for (let i = from; i < from + count; i += 10) {
		for (let j = i; j < i + 10; j++)
			client.say(topics[j % topics.length],
			    `${topics[j % topics.length]} ${j} ${BIG}`);
		await client.received(i + 10);
	}
}

/* That the messages of each topic are in order, and none comes twice.  (Between
 * topics there is no order.)  Returns their numbers, sorted. */
function assertInOrder(messages) {
	const last = new Map();

	return messages.map((text) => {
		const [topic, n] = text.split(" ");

		assert.ok(Number(n) > (last.get(topic) ?? -1), text.slice(0, 20));
		last.set(topic, Number(n));
		return Number(n);
	}).sort((a, b) => a - b);
}

describe("a worker is lapped", { concurrency: true }, () => {
	for (const count of [1, 7])
		test(`${count} topics`, async (t) => {
			const topics = Array.from({ length: count },
			    (_, i) => `t${i}`);
			const { server, clients, pid } = await scene(t, topics);
			const [publisher, lapped] = clients;
			const last = `${topics[0]} end`;

			await publish(publisher, topics, 0, 50);
			await lapped.received(50);
			process.kill(pid, "SIGSTOP");
			await publish(publisher, topics, 50, 300);
			process.kill(pid, "SIGCONT");
			await server.logs("the lap", /lapped by the ring/u);
			await publish(publisher, topics, 350, 50);
			publisher.say(topics[0], last);
			await waitFor("the last message",
			    () => lapped.messages.at(-1) === last);
			lapped.messages.pop();
			const numbers = assertInOrder(lapped.messages);

			assert.deepEqual(numbers.slice(0, 50),
			    Array.from({ length: 50 }, (_, i) => i));
			assert.deepEqual(numbers.slice(-50),
			    Array.from({ length: 50 }, (_, i) => 350 + i));
			const missed = 400 - numbers.length;

			assert.ok(missed > 0);
			assert.equal(await server.total("missed"), missed);
			assert.ok(await server.total("laps") >= 1);
			await publisher.received(401);
			assertInOrder(publisher.messages.slice(0, 400));
			await publisher.close();
			await lapped.close();
		});

	test("again and again, while topics come and go", async (t) => {
		const topics = ["a", "b", "c"];
		const { server, clients, pid } = await scene(t, topics,
		    "--max-topics", "8");
		const [publisher, lapped] = clients;
		let at = 0;

		for (let round = 0; round < 8; round++) {
			process.kill(pid, "SIGSTOP");
			await publish(publisher, topics, at, 150);
			at += 150;
			process.kill(pid, "SIGCONT");
			for (let i = 0; i < 5; i++) {
				const visitor = await Client.open(server,
				    { topics: [`${round} ${i}`] });

				visitor.say(`${round} ${i}`, "mine");
				assert.equal(await visitor.next(), "mine");
				visitor.socket.terminate();
			}
		}
		publisher.say("a", "a 999999");
		await waitFor("the last message",
		    () => lapped.messages.at(-1) === "a 999999");
		const numbers = assertInOrder(lapped.messages);

		/* numbers has the last one, too */
		assert.equal(await server.total("missed"),
		    at - (numbers.length - 1));
		assert.equal(await server.total("drops"), 0);
		await publisher.close();
		await lapped.close();
	});
});
