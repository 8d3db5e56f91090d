// SPDX-License-Identifier: MIT
/*
 * pace.test.mjs - `every_ms`: at most one message of a topic in that time, the
 * newest in the end, and every number once, in a message or a gap.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { open } from "./client-support.mjs";
import { Command } from "./command.mjs";
import { Events } from "./events.mjs";
import { Server, waitFor } from "./support.mjs";
import { Books, V1 } from "./v1-client.mjs";

/* Enter what comes until number `last' is dealt with; returns the messages'
 * numbers and when they came. */
async function follow(client, books, last) {
	const got = [];

	while (books.next <= last) {
		const frame = await client.next();

		assert.ok(books.enter(frame), JSON.stringify(frame));
		if (frame.type === "message")
			got.push({ seq: frame.seq, at: performance.now() });
		else
			assert.equal(frame.reason, "conflated");
	}
	return got;
}

/* Publish numbers up to n, as fast as they are acknowledged. */
async function publishTo(client, topic, n) {
	for (;;) {
		const { seq } = await client.publish(topic, "x");

		if (seq >= n)
			return;
	}
}

const PACE = { every_ms: 300 };

describe("every_ms", { concurrency: 4 }, () => {
	test("the first at once, then one in a time, the newest last", async (t) => {
		const server = await Server.start(t, ["--workers", "2"]);
		const writer = await V1.open(server);
		const reader = await V1.open(server);
		const { seq } = await reader.subscribe("t", PACE);
		const books = new Books("t", seq + 1);
		const going = follow(reader, books, 3000);

		await publishTo(writer, "t", 3000);
		const got = await going;

		assert.equal(got[0].seq, 1);
		assert.equal(got.at(-1).seq, 3000);
		/* They came no closer than that; but for the first of two, which
		 * a busy machine may have read late. */
		const span = got.at(-1).at - got[0].at;

		assert.ok(got.length <= 2 + span / PACE.every_ms,
		    `${got.length} in ${span} ms`);
		assert.equal(await server.total("conflated"), 3000 - got.length);
		await reader.quiet();
		/* Others get all of them. */
		const all = await V1.open(server);

		assert.equal((await all.subscribe("t", { history: 50 })).replayed,
		    50);
		for (let n = 2951; n <= 3000; n++)
			assert.equal((await all.next()).seq, n);
	});

	test("since and history: the newest of what was missed", async (t) => {
		const server = await Server.start(t);
		const writer = await V1.open(server);
		const { epoch } = await writer.publish("t", "x");

		await publishTo(writer, "t", 10);
		for (const [options, from] of [[{ since: { epoch, seq: 4 } }, 5],
			[{ history: 3 }, 8], [{ history: 1 }, 10],
			[{ since: { epoch, seq: 10 } }, 11]]) {
			const client = await V1.open(server);
			const ack = await client.subscribe("t",
			    { ...options, ...PACE });

			assert.deepEqual([ack.seq, ack.replayed, ack.recovered],
			    [10, 11 - from, from >= 10]);
			const books = new Books("t", from);

			await follow(client, books, 10);
			assert.equal(books.messages, from > 10 ? 0 : 1);
			/* It goes on, and where it was is told. */
			assert.deepEqual((await client.ask({ type: "unsubscribe",
				topic: "t" })).seq, 10);
		}
	});

	test("of another ring, and with a last value", async (t) => {
		const server = await Server.start(t);
		const client = await V1.open(server);

		await client.ask({ type: "publish", topic: "t", message: "r",
			retain: true });
		await client.publish("t", "s");
		await client.subscribe("t",
		    { since: { epoch: "other", seq: 7 }, last: true, ...PACE });
		assert.equal((await client.next()).reason, "epoch");
		const { seq, retained } = await client.next();

		assert.deepEqual([seq, retained], [1, true]);
		await client.refuse({ type: "subscribe", topic: "t", ...PACE },
		    "bad_request");
		for (const every_ms of [0, 99, 3600001, "1", 100.5])
			await client.refuse({ type: "subscribe", topic: "u",
				every_ms }, "bad_request");
	});

	test("without echo: others' newest", async (t) => {
		const server = await Server.start(t, ["--workers", "1"]);
		const writer = await V1.open(server);
		const reader = await V1.open(server);

		await reader.subscribe("t", { echo: false, every_ms: 100 });
		await writer.publish("t", "a");
		assert.equal((await reader.next()).message, "a");
		await writer.publish("t", "b");
		reader.send({ type: "publish", topic: "t", message: "own" });
		const { seq, message } = await reader.next();

		assert.deepEqual([seq, message], [2, "b"]);
		await reader.publish("t", "own");
		await reader.quiet();
	});

	test("moves in an upgrade, with what waits", async (t) => {
		const server = await Server.start(t, ["--workers", "2"]);
		const writer = await V1.open(server);
		const reader = await V1.open(server);
		const long = { every_ms: 1500 };
		const began = performance.now();

		await reader.subscribe("t", long);
		const books = new Books("t", 1);

		await publishTo(writer, "t", 20); /* 1 came, 20 waits */
		const going = follow(reader, books, 520);

		assert.equal((await server.cli("upgrade")).status, 0);
		await publishTo(writer, "t", 520);
		const got = await going;

		/* One at once, and one at the end of each such time. */
		const most = 1 + Math.ceil((performance.now() - began) /
		    long.every_ms);

		assert.ok(got.length <= most, `${got.length} messages`);
		assert.equal(got.at(-1).seq, 520);
	});

	test("a worker's death: who resumes misses nothing", async (t) => {
		const server = await Server.start(t, ["--workers", "2"]);
		const client = open(t, server.port);
		const seen = [];
		const note = (from, to) => {
			assert.equal(from, (seen.at(-1) ?? 0) + 1);
			seen.push(to);
		};

		server.deathsExpected = true;
		await client.subscribe("t", { every: 100,
			onMessage: ({ seq }) => note(seq, seq),
			onGap: ({ from, to, reason }) => {
				assert.equal(reason, "conflated");
				note(from, to);
			} });
		for (let i = 1; i <= 6; i++) {
			for (let n = 0; n < 50; n++)
				await client.publish("t", n,
				    { retry: true, key: `${i} ${n}` });
			for (const pid of await server.workers())
				process.kill(pid, "SIGKILL");
		}
		const { seq } = await client.publish("t", "end",
		    { retry: true, key: "end" });

		assert.equal(seq, 301);
		await waitFor("the newest", () => seen.at(-1) === 301);
		assert.ok(seen.length < 250, `${seen.length}`);
	});

	test("event streams, and sub --every", async (t) => {
		const server = await Server.start(t);
		const writer = await V1.open(server);
		const events = await Events.open(server, "t",
		    { t, query: { every_ms: 200 } });
		const sub = new Command(t, ["sub", "--url",
			`${server.url.replace("http", "ws")}/ws`, "--every", "0.2",
			"--history", "1", "t"]);

		await waitFor("both", async () => (await writer.ask(
		    { type: "presence", topic: "t" })).count === 2);
		await publishTo(writer, "t", 500);
		const ids = [];
		let count = 0;

		while (ids.at(-1) !== 500) {
			const { id, event } = await events.block();

			ids.push(Number(id.split(":")[1].trim()));
			count += event !== "gap";
		}
		assert.deepEqual(ids, [...ids].sort((a, b) => a - b));
		assert.ok(count < 250);
		await waitFor("its last line", () => sub.stderr.includes("499"));
		assert.ok(sub.lines.length < 250);
		sub.signal("SIGINT");
		await sub.ended();
		const bad = await fetch(`${server.url}/topics/t/events?every_ms=1`);

		assert.equal(bad.status, 400);
	});
});
