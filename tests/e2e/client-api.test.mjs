// SPDX-License-Identifier: MIT
/*
 * client-api.test.mjs - what public/pubsub.js promises to who calls it, against
 * the real server.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { PubSubError, connect } from "../../public/pubsub.js";
import { Client, Server, bounded, run, waitFor } from "./support.mjs";
import { Ear, open, reaches, runAgain } from "./client-support.mjs";

const code = (expected) => (error) => {
	assert.ok(error instanceof PubSubError, error);
	assert.equal(error.code, expected);
	return true;
};

describe("JavaScript client", () => {
	let server;

	before(async () => {
		server = await new Server().run();
	});

	after(() => server.end());

	test("a message goes round, with number and time", async (t) => {
		const client = open(t, server.port);
		const got = [];
		const room = await client.subscribe("round",
		    { onMessage: (m) => got.push(m) });
		const sent = Date.now();
		const place = await client.publish("round", { a: [1, "ü", null] });

		await waitFor("the message", () => got.length > 0);
		const [{ time, ...message }] = got;

		assert.deepEqual(message,
		    { ...place, live: true, message: { a: [1, "ü", null] } });
		assert.ok(Math.abs(time - sent) < 60_000, `${time}`);
		assert.equal(place.topic, "round");
		assert.deepEqual(room.place, { epoch: place.epoch, seq: place.seq });
		assert.equal(place.epoch, (await server.status()).epoch);
	});

	test("any JSON value arrives as it was", async (t) => {
		const client = open(t, server.port);
		const ear = new Ear();
		const values = ["", "text\n\u2028", 0, -1.5e300, true, false, null,
			[], {}, { type: "gap", id: 1 }, "\ud83d\ude00"];

		await client.subscribe("values", ear.options);
		for (const value of values)
			client.publish("values", value);
		assert.deepEqual(await ear.hears(values.length), values);
	});

	/* The server decodes it as U+FFFD, and so sends that topic's messages. */
	test("a topic with half a surrogate pair is one with U+FFFD", async (t) => {
		const client = open(t, server.port);
		const ear = new Ear();
		const room = await client.subscribe("half \ud83d",
		    { ...ear.options, echo: false });
		const topic = "half \ufffd";

		assert.equal(room.topic, topic);
		await assert.rejects(client.subscribe(topic),
		    code("already_subscribed"));
		assert.equal((await client.publish("half \ud83d", 1)).topic, topic);
		await open(t, server.port).publish("half \ude00", 2);
		assert.deepEqual(await ear.hears(1), [2]);
		assert.equal((await client.history("half \ud83d")).messages[0].topic,
		    topic);
		assert.equal(await client.presence("half \ud83d"), 1);
		await client.unsubscribe("half \ud83d");
		assert.equal(await client.presence(topic), 0);
		assert.equal((await client.publish("\ud83d\ude00", 1)).topic,
		    "\ud83d\ude00");
	});

	test("publishing does not subscribe", async (t) => {
		const client = open(t, server.port);

		await client.publish("unheard", 1);
		assert.equal(await client.presence("unheard"), 0);
	});

	test("history brings the last ones first, then what is new", async (t) => {
		const client = open(t, server.port);
		const ear = new Ear();

		for (let i = 1; i <= 5; i++)
			await client.publish("past", i);
		await client.subscribe("past", { history: 3,
			onMessage: (m) => ear.heard.push([m.message, m.live]) });
		await client.publish("past", 6);
		assert.deepEqual(await ear.hears(4),
		    [[3, false], [4, false], [5, false], [6, true]]);
	});

	test("since goes on behind a place of another day", async (t) => {
		const client = open(t, server.port);
		const ear = new Ear();
		const first = await client.publish("later", "known");

		await client.publish("later", "missed");
		await client.subscribe("later",
		    { ...ear.options, since: first, history: 100 });
		assert.deepEqual(await ear.hears(1), ["missed"]);
	});

	test("since a place of another server: a gap, then all of this one",
	    async (t) => {
		    const client = open(t, server.port);
		    const ear = new Ear();

		    await client.publish("other", "here");
		    await client.publish("other", "and here");
		    await client.subscribe("other", { ...ear.options, history: 1,
			    since: { epoch: "elsewhere", seq: 7 } });
		    assert.deepEqual(await ear.hears(3), [
			    { from: undefined, to: undefined, reason: "epoch" },
			    "here", "and here"]);
	    });

	/* It once reported the epoch and went on with what came from then on. */
	test("stopped and started: what the new one has already is heard",
	    async (t) => {
		    const twice = await new Server().run();
		    const ear = new Ear();

		    t.after(() => twice.end());
		    const client = open(t, twice.port);

		    await client.subscribe("anew", ear.options);
		    await client.publish("anew", "old");
		    await ear.hears(1);
		    await twice.stop();
		    await runAgain(twice);
		    await open(t, twice.port).publish("anew", "first");
		    client.wake();
		    assert.deepEqual(await ear.hears(3), ["old",
			    { from: undefined, to: undefined, reason: "epoch" },
			    "first"]);
	    });

	test("since a number that never was: a gap, then the present", async (t) => {
		const client = open(t, server.port);
		const ear = new Ear();
		const { epoch, seq } = await client.publish("ahead", "not this");

		await client.subscribe("ahead",
		    { ...ear.options, since: { epoch, seq: seq + 10 } });
		await client.publish("ahead", "this");
		assert.deepEqual(await ear.hears(2), [
			{ from: undefined, to: undefined, reason: "unknown" },
			"this"]);
	});

	test("echo: false leaves out one's own, and nothing else", async (t) => {
		const client = open(t, server.port);
		const other = open(t, server.port);
		const ear = new Ear();

		const room = await client.subscribe("echo",
		    { ...ear.options, echo: false });

		for (let i = 0; i < 50; i++) {
			client.publish("echo", `own ${i}`);
			other.publish("echo", i);
		}
		await client.publish("echo", "own last");
		const { seq } = await other.publish("echo", "end");

		assert.deepEqual(await ear.hears(51),
		    [...Array(50).keys(), "end"]);
		assert.equal(room.place.seq, seq);
		client.publish("echo", "own");
		await client.ping();
		assert.equal(room.place.seq, seq + 1);
	});

	test("after unsubscribe nothing comes, and one may come back", async (t) => {
		const client = open(t, server.port);
		const ear = new Ear();

		await client.subscribe("leave", ear.options);
		assert.equal(await client.presence("leave"), 1);
		client.publish("leave", "just before");
		const left = client.unsubscribe("leave");

		await left;
		assert.equal(await client.presence("leave"), 0);
		await client.publish("leave", "not heard");
		await client.subscribe("leave", ear.options);
		await client.publish("leave", "heard");
		assert.equal((await ear.hears(1)).at(-1), "heard");
		assert.equal(ear.heard.includes("not heard"), false);
		assert.equal(ear.heard.includes("just before"), false);
	});

	test("unsubscribed before the answer: the promise says so", async (t) => {
		const client = open(t, server.port);
		const joining = client.subscribe("brief");

		await client.unsubscribe("brief");
		await assert.rejects(joining, code("unsubscribed"));
		await assert.rejects(client.unsubscribe("brief"),
		    code("not_subscribed"));
		assert.equal(await client.presence("brief"), 0);
	});

	test("history in pages, oldest first", async (t) => {
		const client = open(t, server.port);
		const places = [];

		for (let i = 0; i < 5; i++)
			places.push(await client.publish("pages", i));
		const last = await client.history("pages", { limit: 2 });
		const before = await client.history("pages",
		    { before: places[3].seq, limit: 2 });

		assert.deepEqual(last.messages.map((m) => m.message), [3, 4]);
		assert.deepEqual(before.messages.map((m) => m.message), [1, 2]);
		assert.deepEqual(before.messages.map(
		    ({ topic, epoch, seq }) => ({ topic, epoch, seq })),
		    places.slice(1, 3));
		assert.ok(last.messages.every((m) => m.time > 0));
		assert.deepEqual(await client.history("nothing here"),
		    { messages: [], more: false });
	});

	test("presence counts all connections", async (t) => {
		const clients = [1, 2, 3].map(() => open(t, server.port));

		await Promise.all(clients.map((c) => c.subscribe("many")));
		assert.equal(await clients[0].presence("many"), 3);
	});

	test("the server's refusals are errors with its code", async (t) => {
		const client = open(t, server.port);

		await assert.rejects(client.publish("", 1), code("bad_topic"));
		await assert.rejects(client.publish("a\nb", 1), code("bad_topic"));
		await assert.rejects(client.subscribe(5), code("bad_topic"));
		await assert.rejects(client.publish("a", undefined),
		    code("bad_request"));
		await assert.rejects(client.subscribe("x".repeat(256)),
		    code("bad_topic"));
		await assert.rejects(client.subscribe("h", { history: -1 }),
		    code("bad_request"));
		await client.subscribe("h");
		await assert.rejects(client.subscribe("h"),
		    code("already_subscribed"));
	});

	/* A subscription was looked at only with a connection, and ended that. */
	test("what is no JSON is refused, and the connection stays", async (t) => {
		const client = open(t, server.port);
		const early = client.subscribe("no JSON", { history: 1n });

		await assert.rejects(bounded("no", early), code("bad_request"));
		await assert.rejects(client.subscribe("no JSON", { history: 1n }),
		    code("bad_request"));
		await assert.rejects(client.publish("no JSON", 1n),
		    code("bad_request"));
		await client.subscribe("no JSON");
		assert.equal(client.state, "open");
	});

	test("what is too long is refused, and the connection stays", async (t) => {
		const client = open(t, server.port);
		let changes = 0;

		await client.ping();
		client.addEventListener("state", () => changes++);
		const { message: max } = client.limits;

		await client.publish("long", "x".repeat(max - 2));
		await assert.rejects(client.publish("long", "x".repeat(max - 1)),
		    code("too_large"));
		for (const letter of ["x", "é", "\u0001"])
			await assert.rejects(
			    client.publish("long", letter.repeat(max + 1024)),
			    code("too_large"));
		await client.ping();
		assert.equal(changes, 0);
	});

	/* The envelope around it nests deeper than what may be published. */
	test("what nests as deep as allowed goes round, in every frame", async (t) => {
		const client = open(t, server.port);
		const deep = JSON.parse("[".repeat(61) + "]".repeat(61));
		const ear = new Ear();

		await client.publish("deepest", deep);
		await client.subscribe("deepest", { ...ear.options, history: 1 });
		await client.publish("deepest", deep);
		assert.deepEqual(await ear.hears(2), [deep, deep]);
		assert.deepEqual((await client.history("deepest")).messages
		    .map((m) => m.message), [deep, deep]);
	});

	test("what nests too deep is refused, and the connection stays", async (t) => {
		const client = open(t, server.port);
		const deep = JSON.parse("[".repeat(64) + "]".repeat(64));
		const ear = new Ear();
		let changes = 0;

		client.subscribe("deep", ear.options);
		const kept = client.publish("deep", deep, { retry: true });

		await assert.rejects(bounded("no", kept), code("bad_json"));
		client.addEventListener("state", () => changes++);
		client.publish("deep", 1);
		const said = client.publish("deep", deep);

		client.publish("deep", 2);
		await assert.rejects(said, code("bad_json"));
		assert.deepEqual(await ear.hears(2), [1, 2]);
		await client.ping();
		assert.equal(changes, 0);
	});

	test("too many topics: the error names it, the others stay", async (t) => {
		const client = open(t, server.port);
		const ear = new Ear();

		await client.subscribe("topic 0", ear.options);
		for (let i = 1; i < 128; i++)
			client.subscribe(`topic ${i}`);
		await assert.rejects(client.subscribe("one more"),
		    code("too_many_topics"));
		await client.publish("topic 0", "on we go");
		assert.deepEqual(await ear.hears(1), ["on we go"]);
		await client.unsubscribe("topic 1");
		await client.subscribe("one more");
	});

	test("plain clients and this one hear each other", async (t) => {
		const client = open(t, server.port);
		const plain = await Client.open(server, { topics: ["mixed"] });
		const ear = new Ear();

		await client.subscribe("mixed", ear.options);
		plain.say("mixed", "words");
		await client.publish("mixed", { a: 1 });
		assert.deepEqual((await ear.hears(2)).sort(),
		    [{ a: 1 }, "words"].sort());
		assert.deepEqual([...await plain.received(2)].sort(),
		    ["words", "{\"a\":1}"].sort());
		await plain.close();
	});

	test("a handler that throws harms nobody but itself", async (t) => {
		const client = open(t, server.port);
		const thrown = [];
		const got = [];
		const listeners = process.listeners("uncaughtException");

		process.removeAllListeners("uncaughtException");
		process.on("uncaughtException", (error) => thrown.push(error.message));
		t.after(() => {
			process.removeAllListeners("uncaughtException");
			for (const listener of listeners)
				process.on("uncaughtException", listener);
		});
		await client.subscribe("throw", { onMessage: ({ message }) => {
			got.push(message);
			throw new Error(`at ${message}`);
		} });
		await client.publish("throw", 1);
		await client.publish("throw", 2);
		await waitFor("both", () => thrown.length === 2);
		assert.deepEqual(got, [1, 2]);
		assert.deepEqual(thrown, ["at 1", "at 2"]);
	});

	test("closed is closed", async (t) => {
		const client = open(t, server.port);
		const witness = open(t, server.port);
		const states = [];

		client.addEventListener("state", () => states.push(client.state));
		await client.subscribe("end");
		const asked = client.presence("end");
		const said = client.publish("end", 1);
		const closed = client.close();

		await assert.rejects(asked, code("closed"));
		await assert.rejects(said, code("unknown"));
		await assert.rejects(client.publish("end", 1), code("closed"));
		await assert.rejects(client.subscribe("end"), code("closed"));
		await bounded("the close", closed);
		await client.close();
		assert.deepEqual(states, ["open", "closed"]);
		await waitFor("the server to notice",
		    async () => await witness.presence("end") === 0);
	});

	test("closed before it is connected", async (t) => {
		const client = open(t, server.port);
		const joining = client.subscribe("never");

		joining.catch(() => {});
		await bounded("the close", client.close());
		await assert.rejects(joining, code("closed"));
	});

	test("no server: it waits, and keeps what is asked",
	    async (t) => {
		    const late = await new Server().run();
		    const ear = new Ear();

		    t.after(() => late.end());
		    await late.stop();
		    const client = open(t, late.port);
		    const joining = client.subscribe("later", ear.options);
		    const said = [1, 2, 3].map((n) => client.publish("later", n));

		    await reaches(client, "waiting");
		    assert.ok(client.retryAt > Date.now() - 1000);
		    assert.equal(client.limits, null);
		    await runAgain(late);
		    client.wake();
		    await joining;
		    await Promise.all(said);
		    assert.deepEqual(await ear.hears(3), [1, 2, 3]);
		    assert.equal(client.state, "open");
	    });

	/* Before version 22 it has to be asked for, and some have none. */
	const flag = "--experimental-websocket";
	const hasFlag = process.allowedNodeEnvironmentFlags.has(flag);
	const ownSocket = {
		skip: !globalThis.WebSocket && !hasFlag && "this Node has none",
	};

	/* Run a script with a Node of its own that has a WebSocket. */
	function inNode(script) {
		const module = new URL("../../public/pubsub.js", import.meta.url);

		return run(process.execPath, [
			...hasFlag ? [flag] : [],
			"--input-type=module", "--eval", `
			import { connect } from ${JSON.stringify(module.href)};
			${script}`]);
	}

	test("with Node's own WebSocket", ownSocket, async () => {
		const done = await inNode(`
			const client = connect("ws://127.0.0.1:${server.port}/ws");
			const heard = new Promise((resolve) => client.subscribe(
			    "own", { onMessage: (m) => resolve(m.message) }));
			await client.publish("own", "hello");
			console.log(await heard);
			await client.close();
			console.log(client.state);`);

		assert.equal(done.stdout, "hello\nclosed\n", done.stderr);
	});

	/* undici 6 sends no close behind a failed attempt; each took as long as
	 * an answer may take, and the process as long again to end. */
	test("with Node's own WebSocket and no server", ownSocket, async () => {
		const done = await inNode(`
			const client = connect("ws://127.0.0.1:1/ws",
			    { timeout: 600_000 });
			const states = [];
			await new Promise((resolve) => {
				client.addEventListener("state", () => {
					states.push(client.state);
					if (states.length === 5)
						resolve();
					else if (client.state === "waiting")
						client.wake();
				});
			});
			client.wake();
			await client.close();
			console.log(states.join(" "));`);

		assert.equal(done.stdout, "waiting connecting waiting connecting " +
		    "waiting connecting closed\n", done.stderr);
		assert.match(done.stderr, /^.* no connection to ws:.*\n$/mu);
	});

	test("without any WebSocket it says what to do", () => {
		const here = globalThis.WebSocket;

		globalThis.WebSocket = undefined;
		try {
			assert.throws(() => connect("ws://127.0.0.1:1/"),
			    /pass one in options/u);
		} finally {
			globalThis.WebSocket = here;
		}
	});
});
