// SPDX-License-Identifier: MIT
/*
 * last-value.test.mjs - `retain`, by which a message is its topic's last value,
 * and `last`, by which who comes later begins with it.
 */

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { describe, test } from "node:test";

import { guarded, open as openAs } from "./access.mjs";
import { open } from "./client-support.mjs";
import { Command } from "./command.mjs";
import { Events } from "./events.mjs";
import { Server, openOnEachWorker, waitFor } from "./support.mjs";
import { V1 } from "./v1-client.mjs";

const retain = (client, topic, message, options) =>
	client.ask({ type: "publish", topic, message, retain: true, ...options });

/* What there is by HTTP: [number, message], or null. */
async function last(server, topic) {
	const answer = await fetch(
	    `${server.url}/topics/${encodeURIComponent(topic)}/last`);
	const { seq, message } = await answer.json();

	assert.equal(answer.status, seq === undefined ? 404 : 200);
	return seq === undefined ? null : [seq, message];
}

async function post(server, path, body) {
	const answer = await fetch(server.url + path, { method: "POST", body });

	return { status: answer.status, ...await answer.json() };
}

/* Messages elsewhere, until the ring has turned over. */
async function turnOver(client) {
	const message = "x".repeat(60000);

	for (let i = 0; i < 80; i++)
		await client.publish("elsewhere", message);
}

/* Subscribe with `last'; returns the ack and what follows at once. */
async function begin(server, topic, options = {}) {
	const client = await V1.open(server);
	const ack = await client.subscribe(topic, { last: true, ...options });
	const frames = (await client.barrier()).map(
	    ({ type, seq, message, retained, from, to, reason }) =>
		type === "gap" ? { from, to, reason } :
			retained ? { seq, message, retained } : { seq, message });

	return { client, ack, frames };
}

describe("a last value", { concurrency: 4 }, () => {
	test("comes first to who asks for it, on whichever worker", async (t) => {
		const server = await Server.start(t, ["--workers", "2"]);
		const [a, b] = await openOnEachWorker(server, () => V1.open(server));

		await retain(a, "t", "one");
		await retain(a, "t", { two: 2 });
		await a.publish("t", "three");
		const ack = await b.subscribe("t", { last: true });

		assert.equal(ack.seq, 3);
		const frame = await b.next();

		assert.deepEqual([frame.type, frame.topic, frame.seq, frame.message,
			frame.retained, typeof frame.time],
		["message", "t", 2, { two: 2 }, true, "number"]);
		await a.publish("t", "four");
		const { seq, retained } = await b.next();

		assert.deepEqual([seq, retained], [4, undefined]);
		/* And to nobody else. */
		await a.subscribe("t");
		await a.quiet();
	});

	test("is none, or cleared", async (t) => {
		const server = await Server.start(t);
		const client = await V1.open(server);

		assert.deepEqual((await begin(server, "t")).frames, []);
		await client.publish("t", "not retained");
		assert.deepEqual((await begin(server, "t")).frames, []);
		assert.equal(await last(server, "t"), null);
		await retain(client, "t", "x");
		assert.deepEqual(await last(server, "t"), [2, "x"]);
		await retain(client, "t", "");
		assert.equal(await last(server, "t"), null);
		assert.deepEqual((await begin(server, "t")).frames, []);
		for (const message of [null, 0, " ", [], {}, false]) {
			await retain(client, "t", message);
			assert.deepEqual((await last(server, "t"))[1], message);
		}
	});

	test("outlives the ring's turn and the directory's slot", async (t) => {
		const server = await Server.start(t,
		    ["--ring-size", "2M", "--max-topics", "4", "--rate", "0"]);
		const client = await V1.open(server);
		const long = "ä€😀".repeat(5000);

		await retain(client, "t", long);
		await turnOver(client);
		for (let i = 0; i < 20; i++)
			await client.publish(`other ${i}`, i);
		const { ack, frames } = await begin(server, "t");

		assert.deepEqual(frames,
		    [{ seq: 1, message: long, retained: true }]);
		assert.ok(ack.seq > 1, "a new life");
		assert.deepEqual(await last(server, "t"), [1, long]);
	});

	/* On one worker: another might not have seen the newest number yet, and
	 * bring it behind the replay. */
	test("stands among the numbers that were missed", async (t) => {
		const server = await Server.start(t,
		    ["--ring-size", "2M", "--rate", "0", "--workers", "1"]);
		const client = await V1.open(server);
		const { epoch } = await client.publish("t", 1);

		await client.publish("t", 2);
		await retain(client, "t", 3);
		await client.publish("t", 4);
		const from = (seq) => begin(server, "t", { since: { epoch, seq } });

		/* In the ring: it comes with the replay, once. */
		assert.deepEqual((await from(1)).frames.map(({ seq }) => seq),
		    [2, 3, 4]);
		assert.deepEqual((await from(4)).frames, []);
		assert.deepEqual((await begin(server, "t", { history: 2 })).frames
		    .map(({ seq }) => seq), [3, 4]);
		assert.deepEqual((await begin(server, "t", { history: 1 })).frames,
		    [{ seq: 3, message: 3, retained: true },
			{ seq: 4, message: 4 }]);
		await turnOver(client);
		await client.publish("t", 5);
		const value = { seq: 3, message: 3, retained: true };
		const gap = (a, b) => ({ from: a, to: b, reason: "expired" });

		assert.deepEqual((await from(1)).frames,
		    [gap(2, 2), value, gap(4, 4), { seq: 5, message: 5 }]);
		assert.deepEqual((await from(2)).frames,
		    [value, gap(4, 4), { seq: 5, message: 5 }]);
		assert.deepEqual((await from(3)).frames,
		    [gap(4, 4), { seq: 5, message: 5 }]);
	});

	test("stays over death, upgrade, restart, stop and start", async (t) => {
		const server = new Server(["--workers", "2", "--keep-ring"],
		    { listen: ["127.0.0.1:0"] });

		t.after(async () => {
			await server.cli("stop");
			rmSync(server.shm, { force: true });
			await server.end();
		});
		assert.equal((await server.start()).status, 0);
		server.deathsExpected = true;
		const client = await V1.open(server);

		await retain(client, "t", "kept");
		for (const pid of await server.workers())
			process.kill(pid, "SIGKILL");
		await waitFor("others", async () => (await server.status())
		    .workers.every(({ state, starts }) =>
			state === "ready" && starts > 1));
		assert.deepEqual(await last(server, "t"), [1, "kept"]);
		for (const command of ["upgrade", "restart", "stop"]) {
			const done = await server.cli(command);

			assert.equal(done.status, 0, done.stderr);
			if (command === "stop")
				assert.equal((await server.start()).status, 0);
			assert.deepEqual(await last(server, "t"), [1, "kept"]);
		}
	});

	test("that has no room is refused, and all stays", async (t) => {
		const server = await Server.start(t, ["--retain-size", "384"]);
		const client = await V1.open(server);

		await retain(client, "a", "a".repeat(190)); /* two pieces */
		await retain(client, "b", "b");
		await client.refuse({ type: "publish", topic: "c", message: "c",
			retain: true }, "retain_full");
		await client.refuse({ type: "publish", topic: "b",
			message: "b".repeat(100), retain: true }, "retain_full");
		const { status, error } =
			await post(server, "/topics/c?retain=true", "c");

		assert.deepEqual([status, error.code], [503, "retain_full"]);
		assert.equal(await server.total("refused_retain"), 3);
		assert.deepEqual(await last(server, "a"), [1, "a".repeat(190)]);
		assert.deepEqual(await last(server, "b"), [1, "b"]);
		assert.equal((await client.publish("b", 2)).seq, 2);
		/* One that is cleared makes room. */
		await retain(client, "a", "");
		assert.equal((await retain(client, "c", "c")).type, "ack");
	});

	test("whose ttl is over is none, and makes room", async (t) => {
		const server = await Server.start(t, ["--retain-size", "128"]);
		const client = await V1.open(server);

		await retain(client, "a", "a", { ttl: 1 });
		assert.deepEqual(await last(server, "a"), [1, "a"]);
		await waitFor("its end", async () => !await last(server, "a"));
		assert.equal((await retain(client, "b", "b")).type, "ack");
	});

	test("is the past, which needs a grant", async (t) => {
		const { server, issuer } = await guarded(t);
		const user = (...kinds) => openAs(server, issuer.token({ sub: "u",
			pubsubd: Object.fromEntries(
			    kinds.map((kind) => [kind, ["t"]])) }));
		const writer = await user("publish", "subscribe");

		await retain(writer, "t", "x");
		await writer.refuse({ type: "subscribe", topic: "t", last: true },
		    "forbidden");
		const reader = await user("subscribe", "history");

		await reader.subscribe("t", { last: true });
		assert.equal((await reader.next()).message, "x");
		assert.equal((await fetch(`${server.url}/topics/t/last`)).status,
		    401);
	});

	test("by HTTP: publish, ask, and event streams", async (t) => {
		const server = await Server.start(t);

		assert.equal((await post(server, "/topics/t?retain=true", "one"))
		    .seq, 1);
		await post(server, "/topics/t", "two");
		const batch = await post(server, "/publish", JSON.stringify([
			{ topic: "u", message: [3], retain: true },
			{ topic: "u", message: 1, retain: 1 }]));

		assert.equal(batch.results[1].error.code, "bad_request");
		assert.deepEqual(await last(server, "t"), [1, "one"]);
		assert.deepEqual(await last(server, "u"), [1, [3]]);
		const events = await Events.open(server, "t",
		    { t, query: { last: "true" } });
		const first = await events.block();

		assert.equal(first.data, "one");
		/* Its id is where the stream stands: who comes back has no less. */
		assert.match(first.id, /:2$/u);
		await post(server, "/topics/t?retain=true", ""); /* clears */
		assert.match((await events.block()).id, /:3$/u);
		assert.equal(await last(server, "t"), null);
		for (const path of ["/topics/t?retain=1", "/topics/t?retain="])
			assert.equal((await post(server, path, "x")).status, 400);
		assert.equal((await fetch(
		    `${server.url}/topics/t/events?last=yes`)).status, 400);
	});

	test("bad requests", async (t) => {
		const server = await Server.start(t);
		const client = await V1.open(server);
		const publish = { type: "publish", topic: "t", message: 1 };

		await client.refuse({ ...publish, retain: 1 }, "bad_request");
		await client.refuse({ ...publish, retain: true, ephemeral: true },
		    "bad_request");
		await client.refuse({ type: "subscribe", topic: "t", last: 1 },
		    "bad_request");
		await client.subscribe("t");
		await client.refuse({ type: "subscribe", topic: "t", last: true },
		    "bad_request");
	});

	test("the JavaScript client, pub and sub", async (t) => {
		const server = await Server.start(t);
		const client = open(t, server.port);
		const url = `${server.url.replace("http", "ws")}/ws`;
		const heard = [];

		await client.publish("t", "one", { retain: true });
		await client.publish("t", "two");
		await client.subscribe("t", { last: true, onMessage:
			({ seq, message, retained, live }) =>
				heard.push([seq, message, retained, live]) });
		await client.publish("t", "three");
		await waitFor("both", () => heard.length === 2);
		assert.deepEqual(heard,
		    [[1, "one", true, false], [3, "three", undefined, true]]);

		const pub = new Command(t,
		    ["pub", "--url", url, "--retain", "t", "four"]);

		assert.equal(await pub.ended(), 0, pub.stderr);
		await client.publish("t", "five");
		const sub = new Command(t,
		    ["sub", "--url", url, "--last", "-C", "2", "t"]);

		assert.deepEqual(await sub.printed(1), ["four"]);
		await client.publish("t", "six");
		assert.deepEqual(await sub.printed(2), ["four", "six"]);
		assert.equal(await sub.ended(), 0, sub.stderr);
	});
});
