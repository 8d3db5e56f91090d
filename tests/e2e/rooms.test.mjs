// SPDX-License-Identifier: MIT
/*
 * rooms.test.mjs - four workers, one ring: everybody gets everything of their
 * rooms, in one order, and nothing else.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Client, Server, openOnEachWorker } from "./support.mjs";

const WORKERS = 4;
const EACH = 2000; /* messages of one publisher */

/* Let other things of this process happen. */
const breathe = () => new Promise((resolve) => setImmediate(resolve));

describe("several workers", () => {
	const server = new Server(["--workers", `${WORKERS}`]);

	before(() => server.run());
	after(() => server.end());

	const open = (topics) => openOnEachWorker(server, () =>
		Client.open(server, { topics, query: { buffer: 4096 } }));

	const closeAll = (clients) =>
		Promise.all(clients.map((client) => client.close()));

	/* Publish numbered messages, in pieces, so that those of several
	 * publishers mix. */
	async function publish(client, topic, who, count) {
		for (let i = 0; i < count; i++) {
			client.say(topic, `${who} ${i}`);
			if (i % 10 === 9)
				await breathe();
		}
	}

	/* That each of these publishers' messages are there, in order. */
	function assertComplete(messages, publishers, count) {
		for (let who = 0; who < publishers; who++)
			assert.deepEqual(messages
			    .filter((text) => text.startsWith(`${who} `)),
			Array.from({ length: count }, (_, i) => `${who} ${i}`));
		assert.equal(messages.length, publishers * count);
	}

	test("one room, a publisher on each worker: all record the same",
	    async () => {
		    const publishers = await open([]);
		    const subscribers = [...await open(["room"]),
			    ...await open(["room"])];

		    await Promise.all(publishers.map((client, who) =>
			publish(client, "room", who, EACH)));
		    const first = await subscribers[0]
			.received(WORKERS * EACH);

		    assertComplete(first, WORKERS, EACH);
		    for (const client of subscribers)
			    assert.deepEqual(
				await client.received(WORKERS * EACH), first);
		    assert.equal(await server.total("drops"), 0);
		    assert.equal(await server.total("missed"), 0);
		    await closeAll([...publishers, ...subscribers]);
	    });

	test("publishers get the same order, each its own included",
	    async () => {
		    const clients = await open(["own"]);

		    await Promise.all(clients.map((client, who) =>
			publish(client, "own", who, 300)));
		    await Promise.all(clients.map((client) =>
			client.received(WORKERS * 300)));
		    assertComplete(clients[0].messages, WORKERS, 300);
		    for (const client of clients)
			    assert.deepEqual(client.messages,
				clients[0].messages);
		    await closeAll(clients);
	    });

	test("rooms are apart, also between workers", async () => {
		const rooms = Array.from({ length: 8 }, (_, i) => `room ${i}`);
		const sets = [];

		for (const room of rooms)
			sets.push(await open([room]));
		await Promise.all(sets.flatMap((clients, i) =>
			clients.map((client, who) =>
				publish(client, rooms[i], who, 100))));
		for (const clients of sets)
			for (const client of clients)
				assertComplete(
				    await client.received(WORKERS * 100),
				    WORKERS, 100);
		await closeAll(sets.flat());
	});

	test("a client in several rooms gets each room's order", async () => {
		const rooms = ["north", "south", "east"];
		const publishers = await open([]);
		const both = await open(rooms);
		const each = await Promise.all(rooms.map((room) =>
			Client.open(server,
			    { topics: [room], query: { buffer: 4096 } })));

		await Promise.all(publishers.map((client, who) =>
			Promise.all(rooms.map((room) =>
				publish(client, room, `${room} ${who}`, 100)))));
		for (const client of each)
			await client.received(WORKERS * 100);
		for (const client of both) {
			await client.received(WORKERS * 300);
			for (const [i, room] of rooms.entries())
				assert.deepEqual(client.messages.filter(
				    (text) => text.startsWith(room)),
				each[i].messages);
		}
		await closeAll([...publishers, ...both, ...each]);
	});

	test("subscribing in the middle of a stream: no holes after the first",
	    async () => {
		    const [publisher, ...others] = await open([]);
		    const stream = publish(publisher, "stream", 0, EACH);
		    const late = [];

		    while (late.length < 20)
			    late.push(await Client.open(server, {
				    topics: ["stream"],
				    query: { buffer: 4096 } }));
		    await stream;
		    publisher.say("stream", "end");
		    for (const client of late) {
			    let n = 0;

			    while (client.messages.at(-1) !== "end")
				    await client.received(++n);
			    client.messages.pop();
			    const start = EACH - client.messages.length;

			    client.messages.forEach((text, i) =>
				assert.equal(text, `0 ${start + i}`));
		    }
		    await closeAll([publisher, ...others, ...late]);
	    });

	test("leaving and coming in the middle of a stream harms nobody",
	    async () => {
		    const [publisher, ...others] = await open([]);
		    const [witness] = await open(["busy"]);
		    const stream = publish(publisher, "busy", 0, EACH);

		    for (let i = 0; i < 50; i++) {
			    const client = await Client.open(server,
				{ topics: ["busy", `busy ${i}`] });

			    client.say(`busy ${i}`, "mine");
			    client.socket.terminate();
		    }
		    await stream;
		    assertComplete(await witness.received(EACH), 1, EACH);
		    await closeAll([publisher, witness, ...others]);
	    });

	test("messages of 64 KiB from all sides", async () => {
		const clients = await open(["large"]);
		const filler = "x".repeat(65_000);

		for (let i = 0; i < 20; i++) {
			clients.forEach((client, who) =>
				client.say("large", `${who} ${i} ${filler}`));
			for (const client of clients)
				await client.received((i + 1) * WORKERS);
		}
		for (const client of clients) {
			assert.deepEqual(client.messages, clients[0].messages);
			assert.equal(client.messages[0].length, 65_004);
		}
		await closeAll(clients);
	});
});
