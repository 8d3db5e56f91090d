// SPDX-License-Identifier: MIT
/*
 * feed.test.mjs - GET /events: several topics, and patterns of topics, as one
 * stream of server-sent events.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { guarded } from "./access.mjs";
import { Events, post } from "./events.mjs";
import { Raw, Server } from "./support.mjs";
import { bearer } from "./tokens.mjs";
import { upgrade } from "./upgrade.mjs";
import { V1 } from "./v1-client.mjs";

/* Follow; the first block has been read. */
async function feed(server, query, t, headers = {}) {
	const events = await Events.connect(server, `/events?${query}`,
	    { t, headers });
	const first = await events.block();
	const { epoch } = await server.status();

	assert.deepEqual({ ...first, retry: undefined }, { retry: undefined,
		id: epoch, event: "ready",
		data: JSON.stringify({ type: "ready", epoch }) });
	return events;
}

/* The next message; it has no id. */
async function message(events) {
	const { data, ...rest } = await events.block();

	assert.deepEqual(rest, {});
	const { time, ...said } = JSON.parse(data);

	assert.equal(typeof time, "number");
	return said;
}

describe("a stream of several topics", { concurrency: 4 }, () => {
	test("brings topics and what patterns match", async (t) => {
		const server = await Server.start(t, ["--workers", "2"]);
		const events = await feed(server,
		    "topic=a&topic=b&pattern=room/%2B/chat&pattern=room/%23", t);

		for (const topic of ["a", "room/1/chat", "c", "b", "room"]) {
			await post(server, topic, `to ${topic}`);
			if (topic !== "c")
				assert.deepEqual(await message(events), { topic,
					seq: 1, message: `to ${topic}` });
		}
		assert.equal(await server.total("event_streams"), 1);
		assert.equal(await server.total("subscriptions"), 2);
		assert.equal(await server.total("pattern_subscriptions"), 2);
		events.close();
	});

	test("says to who comes back that something may be missing",
	    async (t) => {
		    const server = await Server.start(t);
		    const { epoch } = await server.status();
		    const cases = [[{ "Last-Event-ID": epoch }, "", "reconnected"],
			[{ "Last-Event-ID": "other" }, "", "epoch"],
			[{}, `&lastEventId=${epoch}`, "reconnected"],
			[{}, `&since=${epoch}`, "reconnected"]];

		    for (const [headers, query, reason] of cases) {
			    const events = await feed(server,
				`pattern=%23${query}`, t, headers);
			    const { event, data } = await events.block();

			    assert.equal(event, "gap");
			    assert.deepEqual(JSON.parse(data),
				{ type: "gap", reason });
			    events.close();
		    }
	    });

	test("begins with the last values of its topics", async (t) => {
		const server = await Server.start(t, ["--ring-size", "2M"]);
		const say = (topic, text, query = "?retain=true") => fetch(
		    `${server.url}/topics/${topic}${query}`,
		    { method: "POST", body: text });

		await say("a", "kept a");
		await say("a", "not kept", "");
		await say("c", "kept c");
		const events = await feed(server,
		    "last=true&topic=a&topic=b&topic=c&topic=a", t);

		assert.deepEqual(await message(events), { topic: "a", seq: 1,
			retained: true, message: "kept a" });
		assert.deepEqual(await message(events), { topic: "c", seq: 1,
			retained: true, message: "kept c" });
		await say("a", "live", "");
		assert.deepEqual(await message(events), { topic: "a", seq: 3,
			message: "live" });
		events.close();
	});

	/* Values of more than a turn reads: a stream is not begun in two. */
	test("with large last values, of many streams at once", async (t) => {
		const server = await Server.start(t,
		    ["--workers", "1", "--retain-size", "16M"]);
		const names = Array.from({ length: 100 }, (_, i) => `t${i}`);
		const text = "x".repeat(60_000);
		const query = names.map((name) => `topic=${name}`).join("&");

		for (const name of names)
			await fetch(`${server.url}/topics/${name}?retain=true`,
			    { method: "POST", body: text });
		const streams = await Promise.all([1, 2, 3].map(() => feed(server,
		    `buffer=1000&last=true&${query}`, t)));

		await Promise.all(streams.map(async (events) => {
			for (const topic of names)
				assert.deepEqual(await message(events), { topic,
					seq: 1, retained: true, message: text });
			events.close();
		}));
	});

	test("has each topic's newest, every so often", async (t) => {
		const server = await Server.start(t, ["--workers", "1"]);
		const events = await feed(server,
		    "every_ms=1000&topic=a&topic=b", t);
		const client = await V1.open(server);

		const told = { a: [], b: [] };

		for (let i = 1; i <= 5; i++)
			for (const topic of ["a", "b"])
				client.send({ type: "publish", topic, message: i });
		while (told.a.at(-1) !== 5 || told.b.at(-1) !== 5) {
			const { event, data } = await events.block();
			const { topic, seq, from, to, reason } =
				JSON.parse(data);

			assert.equal(event, reason && "gap");
			told[topic].push(seq ?? [from, to, reason]);
		}
		/* Which are sent depends on how many come at once; each is told
		 * once, in order, and the newest is among them. */
		for (const topic of ["a", "b"]) {
			const sent = told[topic].filter(Number.isInteger);

			assert.deepEqual(told[topic].flatMap((one) =>
				Number.isInteger(one) ? [one] : Array.from(
				    { length: one[1] - one[0] + 1 },
				    (_, i) => one[0] + i)), [1, 2, 3, 4, 5]);
			assert.ok(sent.length < 5, `${sent} were sent`);
			assert.ok(told[topic].every((one) =>
				Number.isInteger(one) || one[2] === "conflated"));
		}
		events.close();
		await client.close();
	});

	test("says why patterns have no last and no every_ms", async (t) => {
		const server = await Server.start(t);

		for (const query of ["last=true", "every_ms=200"]) {
			const answer = await fetch(
			    `${server.url}/events?topic=a&pattern=b/%23&${query}`);

			assert.equal(answer.status, 400);
			assert.match((await answer.json()).error.reason,
			    /of topics, not of patterns/u);
		}
	});

	test("moves in an upgrade", async (t) => {
		const server = await Server.start(t, ["--workers", "1"]);
		const events = await feed(server, "topic=a&pattern=b/%23", t);

		assert.deepEqual(await upgrade(server), { moved: 1, closed: 0 });
		await post(server, "a", "1");
		await post(server, "b/c", "2");
		assert.equal((await message(events)).topic, "a");
		assert.equal((await message(events)).topic, "b/c");
		assert.equal(await server.total("event_streams"), 1);
		events.close();
	});

	test("in HTTP/1.0 ends with the connection", async (t) => {
		const server = await Server.start(t);
		const raw = await Raw.connect(server.port, { t });

		raw.request("GET", "/events?pattern=%23", {}, "HTTP/1.0");
		assert.equal((await raw.head()).status, 200);
		await post(server, "a", "x");
		let text = "";

		while (!text.includes('"message":"x"'))
			text += (await raw.read(1)).toString();
		raw.destroy();
	});

	test("is refused as a whole", async (t) => {
		const { server, issuer } = await guarded(t);
		const headers = bearer(issuer.grant({ subscribe: ["a", "b/#"] }));
		const status = async (query) => (await fetch(
		    `${server.url}/events?${query}`, { headers })).status;

		assert.equal(await status("topic=a&topic=c"), 403);
		assert.equal(await status("topic=c&pattern=b/%23"), 403);
		assert.equal(await status("pattern=%23&topic=a"), 403);
		assert.equal(await status(""), 400);
		assert.equal(await status("pattern=%23/a"), 400);
		assert.equal(await server.total("subscriptions"), 0);
		assert.equal(await server.total("patterns"), 0);
		const events = await feed(server, "topic=a&pattern=b/%23", t,
		    headers);

		events.close();
	});
});
