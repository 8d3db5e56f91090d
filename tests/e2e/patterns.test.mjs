// SPDX-License-Identifier: MIT
/*
 * patterns.test.mjs - subscriptions to patterns of topics, on whichever worker,
 * through upgrades, deaths and grants that end.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { guarded, open } from "./access.mjs";
import {
	Client, Server, bounded, openOnEachWorker, waitFor,
} from "./support.mjs";
import { upgrade } from "./upgrade.mjs";
import { V1 } from "./v1-client.mjs";

const follow = (client, pattern, options = {}) =>
	client.ask({ type: "subscribe", pattern, ...options });

/* What has come, as "topic:seq". */
async function came(client) {
	return (await client.barrier()).map(({ type, topic, seq }) => {
		assert.equal(type, "message");
		return `${topic}:${seq}`;
	});
}

/* Each client has got all of these, whatever worker it is on: wait until each has
 * the last one. */
async function expectAll(clients, wanted) {
	for (const client of clients) {
		const got = [];

		await waitFor(`${wanted.length} messages`, async () => {
			got.push(...await came(client));
			return got.length >= wanted.length;
		});
		assert.deepEqual([...got].sort(), [...wanted].sort());
	}
}

describe("patterns", { concurrency: 4 }, () => {
	test("reach the clients of every worker", async (t) => {
		const server = await Server.start(t, ["--workers", "4"]);
		const clients = await openOnEachWorker(server,
		    () => V1.open(server));
		const says = await V1.open(server);

		assert.equal(says.welcome.limits.patterns, 32);
		for (const client of clients)
			assert.deepEqual(await follow(client, "room/+/chat"),
			    { type: "ack", pattern: "room/+/chat" });
		for (let i = 0; i < 3; i++) {
			await says.publish("room/1/chat", i);
			await says.publish("room/1", i);
			await says.publish("room/2/chat", i);
		}
		await expectAll(clients, ["room/1/chat:1", "room/1/chat:2",
			"room/1/chat:3", "room/2/chat:1", "room/2/chat:2",
			"room/2/chat:3"]);
		assert.equal(await server.total("pattern_subscriptions"), 4);
		assert.equal(await server.total("patterns"), 4);
		assert.ok(await server.total("pattern_bytes") > 0);
		for (const client of clients)
			await client.close();
		await waitFor("no patterns", async () =>
			await server.total("patterns") === 0);
		assert.equal(await server.total("pattern_bytes"), 0);
		await says.close();
	});

	test("move in an upgrade, and end afterwards", async (t) => {
		const server = await Server.start(t, ["--workers", "2"]);
		const clients = await openOnEachWorker(server,
		    () => V1.open(server));
		const says = await V1.open(server);
		const wanted = [];

		for (const client of clients) {
			await follow(client, "a/+");
			await follow(client, "#", { echo: false });
			await client.subscribe("a/1");
		}
		for (let i = 1; i <= 3; i++) {
			await says.publish("a/1", i);
			await says.publish("b", i);
			wanted.push(`a/1:${i}`, `b:${i}`);
			await upgrade(server);
		}
		await says.publish("c", 1);
		await expectAll(clients, [...wanted, "c:1"]);
		/* The options are those from before. */
		assert.equal((await clients[0].publish("d", 1)).seq, 1);
		await clients[0].quiet();
		await expectAll([clients[1]], ["d:1"]);
		for (const client of clients) {
			assert.equal((await client.ask({ type: "unsubscribe",
				pattern: "#" })).type, "ack");
			assert.equal((await client.ask({ type: "unsubscribe",
				pattern: "a/+" })).type, "ack");
		}
		assert.equal(await server.total("patterns"), 0);
		await says.publish("b", 4);
		await says.publish("a/1", 4);
		await expectAll(clients, ["a/1:4"]);
		for (const client of [...clients, says])
			await client.close();
	});

	test("are followed again after the death of a worker", async (t) => {
		const server = await Server.start(t, ["--workers", "2"]);
		const [first, second] = await openOnEachWorker(server,
		    () => V1.open(server));

		await follow(first, "a/+");
		await follow(second, "a/+");
		const pids = await server.workers();

		server.deathsExpected = true;
		process.kill(pids[0], "SIGKILL");
		await bounded("closed", first.closed);
		await waitFor("a successor", async () =>
			(await server.workers())[0] !== pids[0]);
		const clients = [second, ...await openOnEachWorker(server,
		    () => V1.open(server))];

		for (const client of clients.slice(1))
			await follow(client, "a/+");
		assert.equal((await clients[1].publish("a/1", 1)).seq, 1);
		await expectAll(clients, ["a/1:1"]);
		for (const client of clients)
			await client.close();
	});

	test("come in the query, and as plain text", async (t) => {
		const server = await Server.start(t);
		const plain = await Client.open(server,
		    { query: "pattern=room%2F%2B&pattern=a/%23" });
		const v1 = await V1.open(server, { query: "pattern=room%2F%2B" });
		const says = await V1.open(server);

		await says.publish("room/1", "x");
		await says.publish("a", "y");
		await says.publish("b", "z");
		assert.equal(await plain.next(), "x");
		assert.equal(await plain.next(), "y");
		assert.equal((await v1.next()).topic, "room/1");
		for (const client of [plain, v1, says])
			await client.close();
	});
});

describe("grants and patterns", { concurrency: 4 }, () => {
	test("a pattern is allowed if one grant covers it", async (t) => {
		const { server, issuer } = await guarded(t);
		const client = await open(server, issuer.grant({
			subscribe: ["room/+/chat", "news/#"], publish: ["#"],
		}));

		for (const pattern of ["room/+/chat", "room/1/chat", "news/#",
			"news/+", "news/a/#"])
			assert.equal((await follow(client, pattern)).type,
			    "ack", pattern);
		for (const pattern of ["#", "+/+/chat", "room/#", "room/+/+",
			"room/1/#", "news", "+"].filter((p) => p !== "news"))
			await client.refuse({ type: "subscribe", pattern },
			    "forbidden");
		assert.equal(await server.total("refused_grants"), 6);
		await client.close();
	});

	test("a token that narrows ends it", async (t) => {
		const { server, issuer } = await guarded(t);
		const client = await open(server, issuer.grant(
		    { subscribe: ["#"], publish: ["#"] }));
		const token = issuer.grant(
		    { subscribe: ["a/#"], publish: ["#"] });

		await follow(client, "a/+");
		await follow(client, "b/+");
		assert.equal((await client.ask({ type: "auth", token })).type,
		    "ack");
		assert.deepEqual(await client.next(), { type: "unsubscribed",
			pattern: "b/+", code: "forbidden" });
		await client.publish("b/1", 1);
		await client.quiet();
		client.send({ type: "publish", topic: "a/1", message: 1 });
		assert.equal((await client.next()).topic, "a/1");
		await client.close();
	});
});
