// SPDX-License-Identifier: MIT
/*
 * slow.test.mjs - subscribers who do not keep up: each loses by the rule that it
 * chose, every loss is counted, and nobody else pays for it.
 *
 * A client that stops reading is slow only when the sockets on both sides are
 * full, so messages are large, and more than the kernel ever takes.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Client, Frame, Raw, Server, waitFor } from "./support.mjs";

const LARGE = "x".repeat(60_000);
const COUNT = 300; /* 18 MB */
const BATCH = 10;  /* in flight at once: less than anybody's buffer */

const body = (i) => `${i} ${LARGE}`;

/* A server with a slow subscriber of room "x", who reads nothing yet, and a
 * publisher, who keeps up. */
async function scene(t, query, ...args) {
	const server = await Server.start(t, ["--workers", "1", ...args]);
	const slow = await Raw.open(server.port, `/ws?topic=x&${query}`, { t });
	const publisher = await Client.open(server, { topics: ["x"] });

	slow.socket.pause();
	return { server, slow, publisher };
}

/* Publish them all; whoever keeps up has them all. */
async function publishAll(publisher) {
	for (let i = 0; i < COUNT; i += BATCH) {
		for (let j = i; j < i + BATCH; j++)
			publisher.say("x", body(j));
		await publisher.received(i + BATCH);
	}
	publisher.messages.forEach(
	    (text, i) => assert.equal(text.length, body(i).length));
}

/* Read n messages; their numbers. */
async function catchUp(slow, n) {
	const numbers = [];

	slow.socket.resume();
	while (numbers.length < n) {
		const text = await slow.text();

		numbers.push(Number.parseInt(text, 10));
		assert.equal(text, body(numbers.at(-1)));
	}
	return numbers;
}

function assertIncreasing(numbers) {
	assert.equal(numbers[0], 0);
	for (let i = 1; i < numbers.length; i++)
		assert.ok(numbers[i] > numbers[i - 1], `at ${i}`);
}

describe("a slow subscriber", { concurrency: 4 }, () => {
	for (const [query, waiting] of [["", 17], ["buffer=0", 0],
		["buffer=5&overflow=drop", 5], ["buffer=4096", 17]])
		test(`?${query}: the newest are dropped`, async (t) => {
			const { server, slow, publisher } = await scene(t, query);

			await publishAll(publisher);
			const drops = await server.total("drops");
			const buffered = await server.total("buffered_bytes");

			assert.ok(drops > 0);
			assert.ok(buffered <= (waiting + 1) * 61_000, `${buffered}`);
			const read = await catchUp(slow, COUNT - drops);

			assertIncreasing(read);
			assert.ok(read.length > waiting);
			publisher.say("x", "on we go");
			assert.equal(await slow.text(), "on we go");
			assert.equal(await server.total("drops"), drops);
			assert.equal(await server.total("buffered_bytes"), 0);
			await publisher.close();
		});

	test("?overflow=latest: the newest are kept", async (t) => {
		const { server, slow, publisher } = await scene(t,
		    "buffer=5&overflow=latest");

		await publishAll(publisher);
		const drops = await server.total("drops");
		const read = await catchUp(slow, COUNT - drops);

		assert.ok(drops > 0);
		assertIncreasing(read);
		assert.deepEqual(read.slice(-5), [COUNT - 5, COUNT - 4,
			COUNT - 3, COUNT - 2, COUNT - 1]);
		publisher.say("x", "on we go");
		assert.equal(await slow.text(), "on we go");
		await publisher.close();
	});

	test("?overflow=close: it is told 4200, after what it still gets",
	    async (t) => {
		    const { server, slow, publisher } = await scene(t,
			"buffer=5&overflow=close");

		    let sent = 0;

		    while (await server.total("slow_closes") === 0) {
			    assert.ok(sent < COUNT, "it is never too slow");
			    publisher.say("x", body(sent));
			    await publisher.received(++sent);
		    }
		    /* At once: the server does not wait for long for who is closed. */
		    slow.socket.resume();
		    let frame = await slow.frame(), n = 0;

		    for (; frame.opcode === Frame.TEXT; n++) {
			    assert.equal(frame.text, body(n), "no hole before it");
			    frame = await slow.frame();
		    }
		    assert.equal(frame.opcode, Frame.CLOSE);
		    assert.equal(frame.code, 4200);
		    assert.match(frame.reason, /too slow/u);
		    assert.ok(n >= 5 && n < COUNT);
		    await slow.end();
		    await publisher.close();
	    });

	test("who reads now and then loses nothing with room enough",
	    async (t) => {
		    const { server, slow, publisher } = await scene(t,
			"buffer=4096");

		    for (let round = 0; round < 5; round++) {
			    slow.socket.pause();
			    for (let i = 0; i < 12; i++)
				    publisher.say("x", body(i));
			    await publisher.received(12 * (round + 1));
			    slow.socket.resume();
			    for (let i = 0; i < 12; i++)
				    assert.equal(await slow.text(), body(i));
		    }
		    assert.equal(await server.total("drops"), 0);
		    await publisher.close();
	    });

	test("many of them: what the server keeps for them is bounded",
	    async (t) => {
		    const { server, slow, publisher } = await scene(t,
			"buffer=4096", "--max-worker-memory", "8M");
		    const others = await Promise.all(Array.from({ length: 9 },
			() => Raw.open(server.port, "/ws?topic=x&buffer=4096",
			    { t })));

		    for (const other of others)
			    other.socket.pause();
		    await publishAll(publisher);
		    assert.ok(await server.total("drops_memory") > 0);
		    assert.ok(await server.total("buffered_bytes") <=
			8 * 1024 * 1024 + 10 * 64 * 1024);
		    for (const raw of [slow, ...others])
			    raw.destroy();
		    await waitFor("the memory to be free", async () =>
			await server.total("buffered_bytes") === 0);
		    await publisher.close();
	    });

	test("who does not read the answers to its pings is not read",
	    async (t) => {
		    const server = await Server.start(t, ["--workers", "1",
			    "--control-rate", "0"]);
		    const rude = await Raw.open(server.port, "/ws", { t });
		    const client = await Client.open(server);
		    const count = 80_000; /* 10 MB, there and back */
		    const ping = Frame.encode(Frame.PING, "p".repeat(125));

		    rude.socket.pause();
		    rude.send(Buffer.alloc(count * ping.length, ping));
		    await waitFor("the server to stop reading", async () => {
			    client.say("x", "x");
			    await client.next();
			    return await server.total("buffered_bytes") > 32768;
		    });
		    assert.ok(await server.total("buffered_bytes") < 300_000);
		    rude.socket.resume();
		    for (let i = 0; i < count; i++) {
			    const pong = await rude.frame();

			    assert.equal(pong.opcode, Frame.PONG);
			    assert.equal(pong.payload.length, 125);
		    }
		    assert.equal(await server.total("drops"), 0);
		    await client.close();
	    });
});
