// SPDX-License-Identifier: MIT
/* plain.test.mjs - what the first program with this contract was tested by. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";

import { Client, Server, bounded } from "./support.mjs";

describe("the plain contract's first cases", () => {
	const server = new Server();

	before(() => server.run());
	after(() => server.end());

	test("connect", async () => {
		const client = await Client.open(server);

		assert.equal(client.socket.protocol, "");
		assert.deepEqual(await client.close(), { code: 1005, reason: "" });
	});

	test("publish, and receive the own message", async () => {
		const client = await Client.open(server);

		client.say("test", "hello");
		assert.equal(await client.next(), "hello");
		await client.close();
	});

	test("five connections", async () => {
		const clients = await Promise.all(Array.from({ length: 5 },
		    () => Client.open(server, { topics: ["five"] })));
		const said = clients.map((_, i) => `message ${i}`);

		clients.forEach((client, i) => client.say("five", said[i]));
		for (const client of clients) {
			assert.deepEqual([...await client.received(5)].sort(), said);
			assert.deepEqual(client.messages, clients[0].messages,
			    "all in the same order");
		}
		await Promise.all(clients.map((client) => client.close()));
	});

	test("delivery to several subscribers, not to others", async () => {
		const subscribers = await Promise.all(Array.from({ length: 3 },
		    () => Client.open(server, { topics: ["news"] })));
		const other = await Client.open(server, { topics: ["else"] });

		subscribers[0].say("news", "to all");
		for (const subscriber of subscribers)
			assert.equal(await subscriber.next(), "to all");
		other.say("else", "own");
		assert.equal(await other.next(), "own");
		for (const client of [...subscribers, other])
			await client.close();
	});
});

describe("ping", { concurrency: true }, () => {
	const server = new Server(["--ping-interval", "0.5"]);

	before(() => server.run());
	after(() => server.end());

	test("who is silent is pinged, and stays when it answers", async () => {
		const client = await Client.open(server);

		for (let i = 0; i < 3; i++) {
			const [payload] = await bounded("ping",
			    once(client.socket, "ping"));

			assert.equal(payload.length, 0);
		}
		client.say("test", "alive");
		assert.equal(await client.next(), "alive");
		await client.close();
	});

	test("who does not answer is cut off", async () => {
		const client = await Client.open(server, { autoPong: false });

		assert.equal((await bounded("close", client.closed)).code, 1006);
		assert.equal(await server.total("timeouts"), 1);
	});

	/* Unless this process or the server is held up for longer than that, as
	 * what comes back then shows. */
	test("who talks is not pinged", async () => {
		const client = await Client.open(server, { topics: ["t"] });
		const pinger = await Client.open(server);
		let last = Date.now(), gap = 0, pings = 0;
		const talk = setInterval(() => client.say("t", "x"), 20);

		client.socket.on("message", () => {
			gap = Math.max(gap, Date.now() - last);
			last = Date.now();
		});
		client.socket.on("ping", () => pings++);
		for (let i = 0; i < 2; i++)
			await bounded("ping", once(pinger.socket, "ping"));
		clearInterval(talk);
		await client.barrier();
		assert.ok(pings === 0 || gap > 200, `${pings} pings`);
		await client.close();
		await pinger.close();
	});
});

test("shutdown: each client sees a close frame, and nothing stays", async (t) => {
	const server = await Server.start(t);
	const clients = await Promise.all(Array.from({ length: 5 },
	    () => Client.open(server, { topics: ["room"] })));

	clients[0].say("room", "goodbye");
	for (const client of clients)
		assert.equal(await client.next(), "goodbye");
	assert.deepEqual(await server.stop(), { code: 0, signal: null });
	for (const client of clients)
		assert.deepEqual(await client.closed,
		    { code: 1001, reason: "the server goes away" });
	assert.match(server.stderr, /5 connections closed cleanly, 0 cut/u);
	await server.assertNothingLeft();
});
