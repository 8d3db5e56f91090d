// SPDX-License-Identifier: MIT
/*
 * v1-slow.test.mjs - v1 clients that stop reading, and go on: every number is
 * then a message or in exactly one gap, in order.  And what a drain tells them.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Server, bounded, waitFor } from "./support.mjs";
import { Books, V1 } from "./v1-client.mjs";

/* Far more than the kernel takes for a connection. */
const MANY = 500, TEXT = "x".repeat(40000);

async function scene(t, ...args) {
	const server = await Server.start(t, ["--workers", "2", ...args]);
	const talker = await V1.open(server);

	return { server, talker, epoch: talker.welcome.epoch };
}

async function fill(talker, count = MANY) {
	for (let i = 0; i < count; i++)
		talker.send({ type: "publish", topic: "room", message: TEXT });
	await talker.barrier();
}

/* Read until the books are complete up to this number. */
async function readTo(client, books, last) {
	while (books.next <= last)
		books.enter(await client.next());
	assert.equal(books.next, last + 1);
}

/* A subscriber that stops reading, and a lot that has been published since. */
async function stalled(t, query) {
	const { server, talker } = await scene(t);
	const slow = await V1.open(server, { topics: ["room"], query });
	const books = new Books("room", 1);

	slow.socket.pause();
	await fill(talker);
	return { server, talker, slow, books };
}

/* Each publishes 20 MB; all of them at once would keep this process from opening
 * connections for longer than a server waits for a request. */
describe("one that stops reading", { concurrency: 2 }, () => {
	for (const buffer of [0, 1, 20])
		test(`drop, ${buffer} may wait`, async (t) => {
			const { server, talker, slow, books } = await stalled(t,
			    { buffer });

			await waitFor("drops", async () =>
				await server.total("drops") > 0);
			slow.socket.resume();
			await readTo(slow, books, MANY);
			assert.ok(books.messages > 0 && books.missed > 0);
			assert.ok(books.gaps.every((reason) => reason === "slow"));
			await talker.publish("room", "and on");
			await readTo(slow, books, MANY + 1);
			assert.equal(await server.total("drops"), books.missed);
			await Promise.all([slow.close(), talker.close()]);
		});

	test("latest: the newest are there", async (t) => {
		const { server, talker, slow, books } = await stalled(t,
		    { buffer: 5, overflow: "latest" });
		const got = [];

		await waitFor("all dealt with", async () =>
			await server.total("drops") > 100);
		await talker.publish("room", "the last");
		slow.socket.resume();
		while (books.next <= MANY + 1) {
			const frame = await slow.next();

			books.enter(frame);
			got.push(frame.type);
		}
		assert.deepEqual(got.slice(-5), Array(5).fill("message"));
		assert.ok(books.missed > 100);
		assert.ok(books.gaps.every((reason) => reason === "slow"));
		await Promise.all([slow.close(), talker.close()]);
	});

	test("close: 4200, and resumes without a loss", async (t) => {
		const { server, talker } = await scene(t);
		const slow = await V1.open(server, { topics: ["room"],
			query: { buffer: 5, overflow: "close" } });
		const books = new Books("room", 1);
		let last = 0;

		slow.socket.pause();
		/* The server waits for 5 s for who is closed.  When all 20 MB
		 * were published meanwhile, reading on began too late for that
		 * on a busy machine. */
		while (await server.total("slow_closes") === 0) {
			assert.ok(last < MANY);
			await fill(talker, MANY / 20);
			last += MANY / 20;
		}
		slow.socket.resume();
		for (let frame; (frame = await slow.next()) !== null;)
			assert.ok(books.enter(frame));
		assert.equal((await slow.closed).code, 4200);
		assert.ok(books.messages < last);
		const again = await V1.open(server);
		const ack = await again.subscribe("room", { since: {
			epoch: again.welcome.epoch, seq: books.next - 1 } });

		assert.equal(ack.recovered, true);
		await readTo(again, books, last);
		assert.equal(books.messages, last);
		await Promise.all([again.close(), talker.close()]);
	});

	test("a replay waits for it, and nothing is dropped", async (t) => {
		const { server, talker, epoch } = await scene(t);
		const slow = await V1.open(server, { query: { buffer: 0 } });
		const books = new Books("room", 1);

		await fill(talker, MANY / 2);
		await slow.subscribe("room", { since: { epoch, seq: 0 } });
		slow.socket.pause();
		await fill(talker, MANY / 2);
		await waitFor("that it is behind", async () =>
			await server.total("buffered_bytes") > 0);
		const waiting = await server.total("buffered_bytes");

		/* Of 20 MB a turn's share, and twice what the tail brought in
		 * that turn (replay.h). */
		assert.ok(waiting < 1_000_000, `${waiting} bytes`);
		slow.socket.resume();
		await readTo(slow, books, MANY);
		assert.deepEqual(books.gaps, []);
		/* Now it is live. */
		await talker.publish("room", "and on");
		await readTo(slow, books, MANY + 1);
		await slow.quiet();
		await Promise.all([slow.close(), talker.close()]);
	});

	test("a replay is overtaken by the ring", async (t) => {
		const { talker, server, epoch } = await scene(t, "--ring-size",
		    "16M");
		const slow = await V1.open(server);
		const books = new Books("room", 1);

		await fill(talker, 350);
		await slow.subscribe("room", { since: { epoch, seq: 0 } });
		slow.socket.pause();
		await fill(talker, MANY);
		slow.socket.resume();
		server.deathsExpected = true; /* or its worker is lapped */
		await readTo(slow, books, MANY + 350);
		assert.ok(books.gaps.some((reason) =>
			reason === "expired" || reason === "lapped"));
		await Promise.all([slow.close(), talker.close()]);
	});

	test("100,000 requests, and the answers read late", async (t) => {
		const { server, talker } = await scene(t);
		const client = await V1.open(server);

		client.socket.pause();
		for (let id = 0; id < 100_000; id++)
			client.socket.send(`{"type":"presence","id":${id},` +
			    `"topic":"${"room".repeat(20)}"}`);
		await waitFor("a full queue", async () =>
			await server.total("buffered_bytes") > 0);
		await talker.publish("room", "others go on");
		client.socket.resume();
		for (let id = 0; id < 100_000; id++)
			assert.equal((await client.next()).id, id);
		assert.equal(await server.total("buffered_bytes"), 0);
		await Promise.all([client.close(), talker.close()]);
	});
});

describe("a drain", { concurrency: true }, () => {
	/* A replay that is not read holds a drain up for half of its time. */
	async function draining(t, begin) {
		const { server, talker, epoch } = await scene(t, "--drain", "4",
		    "--workers", "1");
		const slow = await V1.open(server);

		await fill(talker, MANY / 2);
		const client = await V1.open(server, { topics: ["room"] });

		await slow.subscribe("room", { since: { epoch, seq: 0 } });
		slow.socket.pause();
		t.after(() => slow.socket.terminate());
		const done = begin(server);
		const told = await client.next();

		assert.equal(told.type, "drain");
		assert.ok(told.in_ms > 0 && told.in_ms <= 4000, told.in_ms);
		assert.equal(told.retry.min_ms, 0);
		assert.ok(told.retry.max_ms > 0);
		return { server, client, done };
	}

	test("tells, refuses to publish, answers the rest, closes: 1001",
	    async (t) => {
		const { client, done } = await draining(t,
		    (server) => server.stop());

		await client.refuse({ type: "publish", id: 1, topic: "room",
			message: 1 }, "draining");
		await client.refuse({ topic: "room", message: "x" }, "draining");
		assert.equal((await client.ask({ type: "presence",
			topic: "room" })).count, 2);
		assert.equal((await client.subscribe("other")).seq, 0);
		await client.quiet();
		assert.equal(await client.next(), null);
		assert.equal((await client.closed).code, 1001);
		assert.equal((await done).code, 0);
	});

	test("a restart closes with 1012, and one resumes", async (t) => {
		const { server, client, done } = await draining(t,
		    (s) => s.cli("restart"));

		assert.equal(await client.next(), null);
		assert.equal((await client.closed).code, 1012);
		assert.equal((await done).status, 0);
		const again = await V1.open(server);

		assert.equal(again.welcome.epoch, client.welcome.epoch);
		assert.equal((await again.subscribe("room", { since: {
			epoch: again.welcome.epoch, seq: MANY / 2 - 1,
		} })).replayed, 1);
		assert.equal((await bounded("one", again.next())).seq, MANY / 2);
		await again.close();
	});
});
