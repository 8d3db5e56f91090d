// SPDX-License-Identifier: MIT
/*
 * client-patterns.test.mjs - public/pubsub.js follows patterns of topics.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { matches } from "../../public/pubsub-pattern.js";
import { open, reaches } from "./client-support.mjs";
import { Server, waitFor } from "./support.mjs";

/* Handlers that note what came: "topic:seq", or a gap. */
function notes() {
	const heard = [];

	return { heard, options: {
		onMessage: ({ topic, seq }) => heard.push(`${topic}:${seq}`),
		onEphemeral: ({ topic }) => heard.push(`${topic}:ephemeral`),
		onGap: (gap) => heard.push(gap),
	} };
}

const hears = (heard, n) => waitFor(`${n} things, not ${heard.length}`,
    () => heard.length >= n);

describe("patterns in the JavaScript client", { concurrency: 4 }, () => {
	test("a message goes to whom it concerns, once", async (t) => {
		const server = await Server.start(t);
		const client = open(t, server.port);
		const chat = notes(), rooms = notes(), one = notes();

		await client.follow("room/+/chat", chat.options);
		const all = await client.follow("room/#", rooms.options);

		await client.subscribe("room/1", one.options);
		await client.publish("room/1/chat", 1);
		await client.publish("room/1", 2);
		await client.publish("hall", 3);
		await client.publish("room/2", 4, { ephemeral: true });
		await client.publish("room/2/chat", 5);
		await client.ping();
		assert.deepEqual(chat.heard, ["room/1/chat:1", "room/2/chat:1"]);
		assert.deepEqual(rooms.heard, ["room/1/chat:1",
			"room/2:ephemeral", "room/2/chat:1"]);
		assert.deepEqual(one.heard, ["room/1:1"]);
		await assert.rejects(client.follow("room/#"),
		    { code: "already_subscribed" });
		await assert.rejects(client.follow("#/a"),
		    { code: "bad_pattern" });
		await all.unsubscribe();
		await client.publish("room/3", 6);
		await client.publish("room/3/chat", 7);
		assert.equal(rooms.heard.length, 3);
		assert.equal(chat.heard.length, 3);
		await client.close();
	});

	test("comes back, and says that something may be missing",
	    async (t) => {
		    const server = await Server.start(t);
		    const client = open(t, server.port);
		    const { heard, options } = notes();

		    await client.follow("a/+", options);
		    await client.publish("a/1", 1);
		    await server.cli("restart");
		    await hears(heard, 2);
		    await reaches(client, "open");
		    await client.publish("a/1", 2);
		    await hears(heard, 3);
		    assert.deepEqual(heard, ["a/1:1",
			{ pattern: "a/+", reason: "reconnected" }, "a/1:2"]);
		    await client.close();
	    });

	test("matches as the server does", () => {
		for (const [pattern, topic, wanted] of [
			["room/+", "room/1", true], ["room/+", "room/", true],
			["room/+", "room", false], ["room/+", "room/1/2", false],
			["room/#", "room", true], ["room/#", "room/1/2", true],
			["room/#", "rooms", false], ["#", "", true],
			["#", "a/b", true], ["+/#", "a", true],
			["/#", "a", false], ["a+", "ab", false],
			["+", "a/b", false], ["a//b", "a/b", false],
		])
			assert.equal(matches(pattern, topic), wanted,
			    `${pattern} ${topic}`);
	});
});
