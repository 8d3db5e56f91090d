// SPDX-License-Identifier: MIT
/*
 * topic-policy.test.mjs - what sections of the configuration file say of topics:
 * how many messages a topic takes, how far back its past can be had, what happens
 * to who reads it too slowly, which messages are its last value and for how long
 * they can be had.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Command } from "./command.mjs";
import { Events, post } from "./events.mjs";
import { Client, Server, waitFor } from "./support.mjs";
import { upgrade } from "./upgrade.mjs";
import { Books, V1 } from "./v1-client.mjs";

/* A server whose file has these lines, and a function that writes others. */
async function scene(t, lines, args = []) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-policy-"));
	const path = join(dir, "main.conf");
	const write = (...next) => writeFileSync(path, `${next.join("\n")}\n`);

	t.after(() => rmSync(dir, { recursive: true }));
	write(...lines);
	const server = await Server.start(t, ["--config", path, ...args]);

	return { server, write, path };
}

const topic = (server, name, rest = "") =>
	`${server.url}/topics/${encodeURIComponent(name)}${rest}`;

async function history(server, name, query = "") {
	const answer = await (await fetch(
	    topic(server, name, `/history${query}`))).json();

	return { numbers: answer.messages.map(({ seq }) => seq),
		more: answer.more === true };
}

describe("rate", { concurrency: true }, () => {
	const lines = ["[topic \"slow/#\"]", "rate = 3"];

	test("is that of a topic, whoever publishes there", async (t) => {
		const { server } = await scene(t, lines);
		const [a, b, c] = await Promise.all([1, 2, 3].map(() =>
			V1.open(server)));
		const results = [];

		await c.subscribe("slow/1");
		for (let i = 0; i < 4; i++)
			for (const client of [a, b])
				client.send({ type: "publish", id: i,
					topic: "slow/1", message: i });
		for (const client of [a, b])
			for (const frame of await client.barrier())
				results.push(frame.code ?? frame.type);
		/* As many as in a second; time passes meanwhile. */
		const done = results.filter((one) => one === "ack").length;

		assert.equal(results.length, 8);
		assert.ok(done >= 3 && done < 8, results.join(" "));
		assert.equal(results.filter((one) => one === "too_fast").length,
		    8 - done);
		assert.equal(await server.total("refused_topic_rate"), 8 - done);
		/* Others are not held to it. */
		assert.equal((await a.publish("slow/2", 1)).seq, 1);
		for (let i = 1; i <= 20; i++)
			assert.equal((await a.publish("other", 1)).seq, i);
		for (const client of [a, b, c])
			await client.close();
	});

	test("lets more in as time passes", async (t) => {
		const { server } = await scene(t, lines);
		const client = await V1.open(server);
		let seq = 0;

		await waitFor("ten messages", async () => {
			const answer = await client.ask({ type: "publish",
				topic: "slow", message: 1 });

			if (answer.type === "ack")
				({ seq } = answer);
			else
				assert.equal(answer.code, "too_fast");
			return seq === 10;
		});
		await client.close();
	});

	test("is told by HTTP, and closes a plain client", async (t) => {
		const { server } = await scene(t,
		    ["[topic \"slow/#\"]", "rate = 1"]);
		const plain = await Client.open(server);
		const batch = Array.from({ length: 5 },
		    () => ({ topic: "slow/b", message: "x" }));

		assert.equal((await post(server, "slow/a", "x")).seq, 1);
		let response;

		do
			response = await fetch(topic(server, "slow/a"),
			    { method: "POST", body: "x" });
		while (response.status === 200);
		assert.equal(response.status, 429);
		assert.equal(response.headers.get("retry-after"), "2");
		assert.equal((await response.json()).error.code, "too_fast");
		const { results } = await (await fetch(`${server.url}/publish`, {
			method: "POST", body: JSON.stringify(batch),
			headers: { "Content-Type": "application/json" } })).json();

		assert.equal(results[0].seq, 1);
		assert.equal(results[4].error.code, "too_fast");
		for (let i = 0; i < 5; i++)
			plain.say("slow/c", "x");
		assert.equal((await plain.closed).code, 1013);
	});
});

describe("history", { concurrency: true }, () => {
	const lines = ["[topic \"#\"]", "history = 5", "[topic \"none\"]",
		"history = 0", "[topic \"all\"]", "history = 1000000"];

	async function filled(t) {
		const all = await scene(t, lines);
		const client = await V1.open(all.server);

		for (const name of ["x", "none", "all"])
			for (let i = 1; i <= 9; i++)
				await client.publish(name, i);
		return { ...all, client, epoch: client.welcome.epoch };
	}

	test("bounds what is asked for, page by page", async (t) => {
		const { server, client } = await filled(t);

		assert.deepEqual(await history(server, "x"),
		    { numbers: [5, 6, 7, 8, 9], more: false });
		assert.deepEqual(await history(server, "x", "?limit=2"),
		    { numbers: [8, 9], more: true });
		assert.deepEqual(await history(server, "x", "?limit=9&before=7"),
		    { numbers: [5, 6], more: false });
		assert.deepEqual(await history(server, "x", "?before=5"),
		    { numbers: [], more: false });
		assert.deepEqual(await history(server, "none"),
		    { numbers: [], more: false });
		assert.equal((await history(server, "all")).numbers.length, 9);
		const answer = await client.ask({ type: "history", topic: "x" });

		assert.deepEqual(answer.messages.map(({ seq }) => seq),
		    [5, 6, 7, 8, 9]);
		await client.close();
	});

	test("bounds how far a client resumes; it is told", async (t) => {
		const { server, client, epoch } = await filled(t);

		for (const [name, since, replayed] of [["x", 2, 5], ["x", 4, 5],
			["x", 6, 3], ["x", 9, 0], ["none", 2, 0], ["all", 0, 9]]) {
			const one = await V1.open(server);
			const books = new Books(name, since + 1);
			const ack = await one.subscribe(name,
			    { since: { epoch, seq: since } });

			assert.equal(ack.replayed, replayed);
			assert.equal(ack.recovered, 9 - since === replayed);
			while (books.next <= 9)
				assert.ok(books.enter(await one.next()));
			assert.equal(books.messages, replayed);
			assert.deepEqual(books.gaps,
			    ack.recovered ? [] : ["expired"]);
			await one.close();
		}
		const late = await V1.open(server);

		assert.equal((await late.subscribe("x", { history: 100 })).replayed,
		    5);
		await late.close();
		await client.close();
	});

	test("bounds event streams, too", async (t) => {
		const { server, client, epoch } = await filled(t);
		const events = await Events.open(server, "x",
		    { t, query: { since: `${epoch}:3` } });

		assert.match((await events.block()).data, /"from":4,"to":4/u);
		assert.equal((await events.block()).data, "5");
		events.close();
		await client.close();
	});

	test("is another after a reload, and after an upgrade", async (t) => {
		const { server, write, client } = await filled(t);

		write("[topic \"#\"]", "history = 2");
		const { stdout } = await server.cli("reload");

		assert.match(stdout, /changed: topic sections/u);
		for (const name of ["x", "none", "all"])
			assert.deepEqual((await history(server, name)).numbers,
			    [8, 9]);
		write("[topic \"x\"]", "history = 1");
		await upgrade(server);
		assert.deepEqual((await history(server, "x")).numbers, [9]);
		assert.equal((await history(server, "all")).numbers.length, 9);
		write();
		assert.equal((await server.cli("reload")).status, 0);
		assert.equal((await history(server, "x")).numbers.length, 9);
		write("[topic \"x\"]", "history = x");
		const refused = await server.cli("reload");

		assert.equal(refused.status, 1);
		assert.match(refused.stderr, /main\.conf:2: history x: must be/u);
		assert.equal((await history(server, "x")).numbers.length, 9);
		await client.close();
	});
});

/* A topic's last value by HTTP, as [number, message]; or null. */
async function lastValue(server, name) {
	const answer = await fetch(topic(server, name, "/last"));
	const { seq, message } = await answer.json();

	assert.equal(answer.status, seq === undefined ? 404 : 200);
	return seq === undefined ? null : [seq, message];
}

describe("retain", { concurrency: true }, () => {
	const lines = ["[topic \"lamp/#\"]", "retain = yes"];

	test("is for publishers of all kinds, who need not know", async (t) => {
		const { server } = await scene(t, lines);
		const client = await V1.open(server);
		const plain = await Client.open(server);

		await client.publish("lamp/1", "v1");
		await post(server, "lamp/2", "http");
		plain.say("lamp/3", "plain");
		await plain.next();
		await fetch(`${server.url}/publish`, { method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify(
			    [{ topic: "lamp/4", message: "batch" }]) });
		await client.publish("other", "x");
		assert.deepEqual(await lastValue(server, "lamp/1"), [1, "v1"]);
		assert.deepEqual(await lastValue(server, "lamp/2"), [1, "http"]);
		assert.deepEqual(await lastValue(server, "lamp/3"), [1, "plain"]);
		assert.deepEqual(await lastValue(server, "lamp/4"), [1, "batch"]);
		assert.equal(await lastValue(server, "other"), null);
		/* An empty one clears it here, too. */
		await client.publish("lamp/1", "");
		assert.equal(await lastValue(server, "lamp/1"), null);
		for (const one of [client, plain])
			await one.close();
	});

	test("is not for who says otherwise, or is kept nowhere", async (t) => {
		const { server } = await scene(t, lines);
		const client = await V1.open(server);
		const say = (message, rest) => client.ask({ type: "publish",
			topic: "lamp", message, ...rest });

		await say("kept");
		await say("not", { retain: false });
		await say("not", { ephemeral: true });
		await fetch(topic(server, "lamp", "?retain=false"),
		    { method: "POST", body: "not" });
		await fetch(`${server.url}/publish`, { method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify([{ topic: "lamp", message: "not",
				retain: false }]) });
		assert.deepEqual(await lastValue(server, "lamp"), [1, "kept"]);
		await say("kept", { retain: null });
		assert.deepEqual(await lastValue(server, "lamp"), [5, "kept"]);
		await client.close();
	});

	test("that has no room is refused; a plain client is closed", async (t) => {
		const { server } = await scene(t, lines, ["--retain-size", "128"]);
		const client = await V1.open(server);
		const plain = await Client.open(server);

		await client.publish("lamp/1", "x");
		await client.refuse({ type: "publish", topic: "lamp/2",
			message: "x" }, "retain_full");
		plain.say("lamp/3", "x");
		assert.equal((await plain.closed).code, 1013);
		assert.equal(await server.total("refused_retain"), 2);
		assert.equal((await client.ask({ type: "publish", retain: false,
			topic: "lamp/2", message: "x" })).seq, 1);
		await client.close();
	});

	test("holds from a reload on, as a section says", async (t) => {
		const { server, write } = await scene(t, lines);
		const client = await V1.open(server);

		await client.publish("lamp", "before");
		write("[topic \"lamp\"]", "retain = no", "[topic \"other\"]",
		    "retain = yes", "ttl = 1");
		assert.match((await server.cli("reload")).stdout,
		    /changed: topic sections/u);
		await client.publish("lamp", "after");
		await client.publish("other", "after");
		assert.deepEqual(await lastValue(server, "lamp"), [1, "before"]);
		assert.deepEqual(await lastValue(server, "other"), [1, "after"]);
		await waitFor("its end", async () =>
			!await lastValue(server, "other"));
		await client.close();
	});
});

describe("ttl", { concurrency: true }, () => {
	test("is that of messages which say none", async (t) => {
		const { server } = await scene(t,
		    ["[topic \"short/#\"]", "ttl = 1"]);
		const client = await V1.open(server);

		await client.publish("short", "short");
		await client.ask({ type: "publish", topic: "short",
			message: "long", ttl: 1000 });
		await client.publish("long", "long");
		const past = async (name) => (await client.ask(
		    { type: "history", topic: name })).messages;

		await waitFor("its end", async () =>
			(await past("short"))[0].expired === true);
		assert.deepEqual((await past("short")).map(
		    ({ message }) => message), [undefined, "long"]);
		assert.equal((await past("long"))[0].message, "long");
		await client.close();
	});
});

describe("what cannot be said", { concurrency: true }, () => {
	const check = async (t, lines, args = []) => {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-policy-"));
		const path = join(dir, "main.conf");

		t.after(() => rmSync(dir, { recursive: true }));
		writeFileSync(path, `${lines.join("\n")}\n`);
		const command = new Command(t,
		    ["check", "--config", path, "--root", "/", ...args]);
		const status = await command.ended();

		return { status, out: command.stdout, error: command.stderr };
	};

	test("is refused with its line", async (t) => {
		for (const [line, why] of [
			["retain = 1", /:2: retain 1: must be yes or no/u],
			["ttl = 31622401", /:2: ttl 31622401: must be/u],
			["ttl = -1", /:2: ttl -1: must be/u]]) {
			const { status, error } =
				await check(t, ["[topic \"a\"]", line]);

			assert.equal(status, 2);
			assert.match(error, why);
		}
		const { status, out } = await check(t,
		    ["[topic \"a\"]", "retain = yes", "ttl = 31622400"]);

		assert.equal(status, 0);
		assert.match(out, /\[topic "a"\] retain +reload +yes .*:2/u);
		assert.match(out, /\[topic "a"\] ttl +reload +31622400 .*:3/u);
	});

	test("in a cluster, nothing that its log has not", async (t) => {
		const cluster = ["--cluster", "nats://127.0.0.1:1"];

		for (const line of ["retain = yes", "ttl = 1"]) {
			const { status, error } = await check(t,
			    ["[topic \"a\"]", line], cluster);

			assert.equal(status, 2);
			assert.match(error, /\[topic "a"\]: a cluster has no/u);
		}
		assert.equal((await check(t, ["[topic \"a\"]", "retain = no",
			"ttl = 0", "rate = 1"], cluster)).status, 0);
	});
});

describe("overflow", { concurrency: 2 }, () => {
	const LARGE = "x".repeat(50_000);

	/* A client that does not read, with these messages for it: the last of
	 * them in "last". */
	async function slow(t, section, query) {
		const { server } = await scene(t, ["[topic \"news/#\"]", section],
		    ["--workers", "1"]);
		const talker = await V1.open(server);
		const client = await V1.open(server, { query });

		await client.subscribe("news/1");
		await client.subscribe("other");
		client.socket.pause();
		return { server, talker, client };
	}

	async function fill(server, talker, name, counter) {
		while (await server.total(counter) === 0)
			await talker.publish(name, LARGE);
		return (await talker.publish(name, "the last")).seq;
	}

	test("latest, where the client keeps the oldest", async (t) => {
		const { server, talker, client } = await slow(t,
		    "overflow = latest", { buffer: 4, overflow: "drop" });
		const last = await fill(server, talker, "news/1", "drops");
		const books = new Books("news/1", 1);

		client.socket.resume();
		let frame;

		while (books.next <= last) {
			frame = await client.next();
			assert.ok(books.enter(frame));
		}
		assert.equal(frame.message, "the last");
		assert.ok(books.missed > 0);
		await client.close();
		await talker.close();
	});

	test("drop, where the client wants to be closed", async (t) => {
		const { server, talker, client } = await slow(t,
		    "overflow = drop", { buffer: 4, overflow: "close" });
		const last = await fill(server, talker, "news/1", "drops");
		const books = new Books("news/1", 1);

		client.socket.resume();
		while (books.next <= last)
			assert.ok(books.enter(await client.next()));
		assert.ok(books.missed > 0);
		assert.equal(await server.total("slow_closes"), 0);
		/* and of other topics it is closed, as it has asked for */
		client.socket.pause();
		await fill(server, talker, "other", "slow_closes");
		client.socket.resume();
		assert.equal((await client.closed).code, 4200);
		await talker.close();
	});

	test("close, where the client would drop", async (t) => {
		const { server, talker, client } = await slow(t,
		    "overflow = close", { buffer: 4, overflow: "drop" });

		await fill(server, talker, "other", "drops");
		assert.equal(await server.total("slow_closes"), 0);
		await fill(server, talker, "news/1", "slow_closes");
		client.socket.resume();
		assert.equal((await client.closed).code, 4200);
		await talker.close();
	});
});
