// SPDX-License-Identifier: MIT
/*
 * ephemeral.test.mjs - messages for those who are there now: in their place
 * among the others, without a number, and in nobody's past.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { open } from "./client-support.mjs";
import { Events } from "./events.mjs";
import {
	PUBSUBD, Raw, Server, openOnEachWorker, run, waitFor,
} from "./support.mjs";
import { V1 } from "./v1-client.mjs";

const say = (topic, message, ephemeral) =>
	({ type: "publish", topic, message, ephemeral });

/* What is told of a message: its number or "-", and what it says. */
const told = ({ type, seq = "-", message }) =>
	(type === "gap" ? "gap" : `${seq} ${message}`);

describe("an ephemeral message", () => {
	const server = new Server(["--workers", "2"]);

	before(() => server.run());
	after(() => server.end());

	async function client(t) {
		const made = await V1.open(server);

		t.after(() => made.close());
		return made;
	}

	test("has a type of its own, a time, and no number", async (t) => {
		const ann = await client(t);
		const begun = Date.now();

		await ann.subscribe("form");
		ann.send(say("form", { is: "typing" }, true));
		const { time, ...rest } = await ann.next();

		assert.deepEqual(rest, { type: "ephemeral", topic: "form",
			message: { is: "typing" } });
		assert.ok(time >= begun - 1 && time <= Date.now() + 1);
	});

	test("its ack has no number either", async (t) => {
		const ann = await client(t);
		const { epoch } = ann.welcome;

		assert.deepEqual(await ann.ask(say("ack", 1, true)),
		    { type: "ack", topic: "ack", epoch });
		assert.deepEqual(await ann.ask(say("ack", 1, false)),
		    { type: "ack", topic: "ack", epoch, seq: 1 });
		await ann.refuse(say("ack", 1, "yes"), "bad_request");
	});

	test("comes in its place on every worker, and the numbers go on",
	    async (t) => {
		    const listeners = await openOnEachWorker(server,
			() => V1.open(server));
		    const ann = await client(t);

		    t.after(() => listeners.forEach((v1) => v1.close()));
		    for (const listener of listeners)
			    await listener.subscribe("order");
		    for (let i = 1; i <= 50; i++) {
			    ann.send(say("order", `a${i}`));
			    ann.send(say("order", `b${i}`, true));
			    ann.send(say("order", `c${i}`, true));
		    }
		    await ann.quiet();
		    for (const listener of listeners)
			    for (let i = 1; i <= 50; i++)
				    for (const text of [`${i} a${i}`, `- b${i}`,
					    `- c${i}`])
					    assert.equal(told(await listener.next()),
						text);
	    });

	test("is in no history, and nobody is replayed it", async (t) => {
		const ann = await client(t), bob = await client(t);

		for (const [message, ephemeral] of [["a", false], ["b", true],
			["c", false], ["d", true]])
			ann.send(say("past", message, ephemeral));
		const { messages } = await ann.ask(
		    { type: "history", topic: "past" });

		assert.deepEqual(messages.map(told), ["1 a", "2 c"]);
		const ack = await bob.subscribe("past", { since:
			{ epoch: ann.welcome.epoch, seq: 0 } });

		assert.equal(ack.seq, 2);
		assert.deepEqual((await bob.barrier()).map(told), ["1 a", "2 c"]);
	});

	test("echo:false counts for it", async (t) => {
		const ann = await client(t), bob = await client(t);

		await ann.subscribe("echo", { echo: false });
		await bob.subscribe("echo");
		ann.send(say("echo", "mine", true));
		assert.equal(told(await bob.next()), "- mine");
		bob.send(say("echo", "yours", true));
		assert.equal(told(await ann.next()), "- yours");
	});

	test("plain clients get its text, streams an event without an id",
	    async (t) => {
		    const plain = await Raw.open(server.port, "/ws?topic=forms",
			{ t });
		    const events = await Events.open(server, "forms", { t });
		    const ann = await client(t);

		    await ann.ask(say("forms", "now", true));
		    await ann.ask(say("forms", "later"));
		    assert.equal(await plain.text(), "now");
		    assert.equal(await plain.text(), "later");
		    assert.deepEqual(await events.block(), { data: "now" });
		    assert.deepEqual(await events.block(), { data: "later",
			    id: `${ann.welcome.epoch}:1` });
	    });

	test("by HTTP, alone and among others", async (t) => {
		const ann = await client(t);
		const at = `${server.url}/topics/http`;

		await ann.subscribe("http");
		const one = await fetch(`${at}?ephemeral=true`,
		    { method: "POST", body: "x" });

		assert.deepEqual(await one.json(), { topic: "http",
			epoch: ann.welcome.epoch, subscribers: 1 });
		const many = await fetch(`${server.url}/publish`, { method: "POST",
			body: JSON.stringify([{ topic: "http", message: "y",
				ephemeral: true }, { topic: "http", message: "z" },
			{ topic: "http", message: 0, ephemeral: 1 }]) });
		const { results } = await many.json();

		assert.deepEqual(results.slice(0, 2), [{ subscribers: 1 },
			{ seq: 1, subscribers: 1 }]);
		assert.equal(results[2].error.code, "bad_request");
		/* Another worker may have published them: they come when they
		 * come. */
		for (const text of ["- x", "- y", "1 z"])
			assert.equal(told(await ann.next()), text);
		await ann.quiet();
		assert.equal((await fetch(`${at}?ephemeral=perhaps`,
		    { method: "POST", body: "x" })).status, 400);
	});

	test("from the command line, and to it", async (t) => {
		const ann = await client(t);
		const at = ["--name", server.name];

		const sub = run(PUBSUBD, ["sub", ...at, "-C", "2", "cli"]);

		await waitFor("the subscriber", async () =>
			(await ann.ask({ type: "presence", topic: "cli" })).count === 1);
		await run(PUBSUBD, ["pub", ...at, "--ephemeral", "cli", "one"]);
		await run(PUBSUBD, ["pub", ...at, "cli", "two"]);
		assert.equal((await sub).stdout, "one\ntwo\n");
		assert.deepEqual((await ann.ask({ type: "history", topic: "cli" }))
		    .messages.map(told), ["1 two"]);
	});

	test("pubsub.js hands it to a handler of its own", async (t) => {
		const js = open(t, server.port);
		const got = [];

		await js.subscribe("js", {
			onMessage: ({ seq, message }) => got.push([seq, message]),
			onEphemeral: ({ topic, time, message }) => {
				assert.ok(Math.abs(time - Date.now()) < 60_000);
				got.push([topic, message]);
			},
		});
		const place = await js.publish("js", "typing", { ephemeral: true });

		assert.equal(place.seq, undefined);
		await js.publish("js", "text");
		await waitFor("both", () => got.length === 2);
		assert.deepEqual(got, [["js", "typing"], [1, "text"]]);
	});
});

describe("who is slow", () => {
	const LARGE = "x".repeat(60_000);

	test("loses ephemeral messages without a gap", async (t) => {
		const server = await Server.start(t, ["--workers", "1"]);
		const slow = await V1.open(server, { query: { buffer: 4 } });
		const fast = await V1.open(server);

		t.after(() => [slow, fast].forEach((client) => client.close()));
		await slow.subscribe("slow");
		await fast.subscribe("slow");
		slow.socket.pause();
		const drops = async () => (await server.status()).workers[0].drops;

		for (let i = 0; await drops() < 10; i++) {
			assert.ok(i < 1000, "nothing was dropped");
			await fast.ask(say("slow", LARGE, true)).catch(() => {});
			fast.frames.length = 0;
		}
		slow.socket.resume();
		await waitFor("room for the last one", async () =>
			(await server.status()).workers[0].buffered_bytes === 0);
		fast.send(say("slow", "end"));
		for (;;) {
			const frame = await slow.next();

			assert.notEqual(frame.type, "gap");
			if (told(frame) === "1 end")
				break;
			assert.equal(frame.type, "ephemeral");
		}
	});
});

test("a server that went through a ring of nothing else loses no number",
    async (t) => {
	    const server = await Server.start(t, ["--workers", "1",
		    "--ring-size", "1M", "--max-message", "1000"]);
	    const ann = await V1.open(server), body = "y".repeat(900);

	    t.after(() => ann.close());
	    assert.equal((await ann.publish("ring", 1)).seq, 1);
	    for (let i = 0; i < 1500; i++)
		    ann.send(say("ring", body, true));
	    await ann.quiet();
	    assert.equal((await ann.publish("ring", 2)).seq, 2);
	    assert.deepEqual((await ann.ask({ type: "history", topic: "ring" }))
		.messages.map(told), ["2 2"]);
    });
