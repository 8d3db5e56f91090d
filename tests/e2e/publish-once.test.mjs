// SPDX-License-Identifier: MIT
/*
 * publish-once.test.mjs - what a publish may ask for: `key`, with which it is
 * published once however often it is tried, and `ttl`, after which nobody is
 * sent it any more.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { guarded, open as openAs } from "./access.mjs";
import { open } from "./client-support.mjs";
import { Command } from "./command.mjs";
import { Events } from "./events.mjs";
import { Server, openOnEachWorker, waitFor } from "./support.mjs";
import { V1 } from "./v1-client.mjs";

const publish = (client, topic, message, options) =>
	client.ask({ type: "publish", topic, message, ...options });

/* Publish by HTTP. */
async function post(server, topic, body, { query = "", headers = {} } = {}) {
	const answer = await fetch(`${server.url}/topics/${topic}${query}`,
	    { method: "POST", body, headers });

	return { status: answer.status, ...await answer.json() };
}

async function history(server, topic) {
	const answer = await fetch(`${server.url}/topics/${topic}/history`);

	return (await answer.json()).messages.map(
	    ({ time, ...rest }) => rest);
}

describe("a key", { concurrency: 4 }, () => {
	test("the same one is published once, on whichever worker", async (t) => {
		const server = await Server.start(t, ["--workers", "2"]);
		const [a, b] = await openOnEachWorker(server, () => V1.open(server));
		const first = await publish(a, "t", 1, { key: "k" });
		const again = { ...first, duplicate: true };

		assert.equal(first.seq, 1);
		assert.deepEqual(await publish(b, "t", 1, { key: "k" }), again);
		assert.deepEqual(await publish(a, "t", "other", { key: "k" }), again);
		assert.equal((await publish(b, "t", 2, { key: "k2" })).seq, 2);
		assert.equal((await publish(b, "u", 3, { key: "k" })).seq, 1);
		assert.deepEqual(await history(server, "t"),
		    [{ seq: 1, message: 1 }, { seq: 2, message: 2 }]);
		assert.equal(await server.total("duplicates"), 2);
	});

	test("many in one turn: the second is the first", async (t) => {
		const server = await Server.start(t, ["--workers", "1"]);
		const client = await V1.open(server);

		client.socket._socket.cork();
		for (let id = 0; id < 30; id++)
			client.send({ type: "publish", id, topic: "t", message: id,
				key: `k${id % 10}` });
		client.socket._socket.uncork();
		for (let id = 0; id < 30; id++) {
			const ack = await client.next();

			assert.equal(ack.id, id);
			assert.equal(ack.seq, id % 10 + 1);
			assert.equal(ack.duplicate, id < 10 ? undefined : true);
		}
	});

	test("over a worker's death, a restart and an upgrade", async (t) => {
		const server = await Server.start(t, ["--workers", "2"]);
		const [a] = await openOnEachWorker(server, () => V1.open(server));
		const { seq } = await publish(a, "t", 1, { key: "k" });
		const ask = async () => {
			const client = await V1.open(server);
			const ack = await publish(client, "t", 1, { key: "k" });

			await client.close();
			return ack;
		};

		server.deathsExpected = true;
		for (const pid of await server.workers())
			process.kill(pid, "SIGKILL");
		await waitFor("others", async () => (await server.status())
		    .workers.every(({ state, starts }) =>
			state === "ready" && starts > 1));
		for (const command of [null, "upgrade", "restart"]) {
			if (command) {
				const done = await server.cli(command);

				assert.equal(done.status, 0, done.stderr);
			}
			assert.equal((await ask()).seq, seq);
			assert.equal((await ask()).duplicate, true);
		}
		assert.equal((await history(server, "t")).length, 1);
	});

	test("is forgotten after --dedup-window", async (t) => {
		const server = await Server.start(t, ["--dedup-window", "1"]);
		const client = await V1.open(server);

		await publish(client, "t", 1, { key: "k" });
		const ack = await waitFor("another number", async () => {
			const answer = await publish(client, "t", 2, { key: "k" });

			return answer.seq === 2 && answer;
		});

		assert.equal(ack.duplicate, undefined);
	});

	test("a full table refuses, and forgets nothing", async (t) => {
		const server = await Server.start(t, ["--dedup-keys", "3"]);
		const client = await V1.open(server);

		for (const key of ["a", "b", "c"])
			await publish(client, "t", key, { key });
		await client.refuse({ type: "publish", topic: "t", message: 1,
			key: "d" }, "keys_full");
		const { status, error } = await post(server, "t", "x",
		    { query: "?key=d" });

		assert.equal(status, 503);
		assert.equal(error.code, "keys_full");
		assert.equal((await publish(client, "t", 1, { key: "a" })).seq, 1);
		assert.equal((await publish(client, "t", 1)).seq, 4);
		assert.equal(await server.total("refused_keys"), 2);
	});

	test("is the user's: another one publishes", async (t) => {
		const { server, issuer } = await guarded(t);
		const users = await Promise.all(["ann", "bob", "ann"].map((sub) =>
			openAs(server, issuer.token({ sub,
				pubsubd: { publish: ["t"] } }))));
		const seqs = [];

		for (const user of users)
			seqs.push((await publish(user, "t", 1, { key: "k" })).seq);
		assert.deepEqual(seqs, [1, 2, 1]);
	});

	test("by HTTP: Idempotency-Key, ?key=, and in a batch", async (t) => {
		const server = await Server.start(t);
		const header = (key) => ({ headers: { "Idempotency-Key": key } });

		for (const options of [header('"k"'), header("k"),
			{ query: "?key=%6b" }, { query: "?key=x", ...header("k") }]) {
			const { status, topic, seq } =
				await post(server, "t", "x", options);

			assert.deepEqual({ status, topic, seq },
			    { status: 200, topic: "t", seq: 1 });
		}
		const batch = await fetch(`${server.url}/publish`, { method: "POST",
			body: JSON.stringify([
				{ topic: "t", message: "x", key: "k" },
				{ topic: "t", message: "y", key: "l" },
				{ topic: "t", message: "y", key: "l" },
				{ topic: "t", message: "y", key: 1 },
				{ topic: "t", message: "y", ttl: 0 }]) });
		const { results } = await batch.json();

		assert.deepEqual(results.slice(0, 3), [
			{ seq: 1, subscribers: 0, duplicate: true },
			{ seq: 2, subscribers: 0 },
			{ seq: 2, subscribers: 0, duplicate: true }]);
		assert.deepEqual(results.slice(3).map(({ error }) => error.code),
		    ["bad_request", "bad_request"]);
		for (const options of [header(""), header('""'),
			header("k".repeat(256)), { query: "?key=" },
			{ query: "?ttl=0" }, { query: "?ttl=1.5" },
			{ query: "?ttl=31622401" }])
			assert.equal((await post(server, "t", "x", options)).status,
			    400, JSON.stringify(options));
	});

	test("bad ones are refused, and nothing is published", async (t) => {
		const server = await Server.start(t);
		const client = await V1.open(server);

		for (const bad of [{ key: "" }, { key: 1 }, { key: ["k"] },
			{ key: "ü".repeat(128) }, { ttl: 0 }, { ttl: -1 },
			{ ttl: "1" }, { ttl: 1.5 }, { ttl: 31622401 }])
			await client.refuse({ type: "publish", topic: "t",
				message: 1, ...bad }, "bad_request");
		const { seq } = await publish(client, "t", 1,
		    { key: "ü".repeat(127), ttl: null });

		assert.equal(seq, 1);
	});

	test("the client publishes once through kills", async (t) => {
		const server = await Server.start(t, ["--workers", "2"]);
		const client = open(t, server.port);
		const places = [];

		server.deathsExpected = true;
		for (let i = 0; i < 4; i++) {
			const asked = Array.from({ length: 50 }, (_, n) =>
				client.publish("t", `${i} ${n}`,
				    { retry: true, key: `${i} ${n}` }));

			await asked[10];
			for (const pid of await server.workers())
				process.kill(pid, "SIGKILL");
			places.push(...await Promise.all(asked));
		}
		assert.deepEqual(places.map(({ seq }) => seq).sort((a, b) => a - b),
		    places.map((_, i) => i + 1));
		const said = (await client.history("t")).messages;

		assert.equal(said.length, 200);
		assert.equal(new Set(said.map(({ message }) => message)).size, 200);
	});

	test("pub --key, of a message and of lines", async (t) => {
		const server = await Server.start(t);
		const pub = async (input, ...args) => {
			const done = new Command(t, ["pub", "--url",
				`${server.url.replace("http", "ws")}/ws`, ...args]);

			done.child.stdin.end(input);
			assert.equal(await done.ended(), 0, done.stderr);
		};

		for (let i = 0; i < 2; i++) {
			await pub("", "--key", "k", "t", "one");
			await pub("two\nthree\n", "--key", "lines", "--ttl", "60",
			    "t", "-");
		}
		assert.deepEqual((await history(server, "t"))
		    .map(({ message }) => message), ["one", "two", "three"]);
	});
});

describe("a ttl", { concurrency: 4 }, () => {
	/* Numbers 1 to 5, of which 2, 3 and 5 are soon too old. */
	async function five(t, ...args) {
		const server = await Server.start(t, ["--workers", "1", ...args]);
		const client = await V1.open(server);
		const { epoch } = await client.subscribe("t");

		for (let n = 1; n <= 5; n++)
			client.send({ type: "publish", topic: "t", message: n,
				...[2, 3, 5].includes(n) && { ttl: 1 } });
		for (let n = 1; n <= 5; n++) /* at once, to all */
			assert.equal((await client.next()).message, n);
		return { server, epoch };
	}

	const old = (server) => waitFor("they are too old", async () =>
		(await history(server, "t")).at(-1).expired);

	test("over: a gap in its place for who comes later", async (t) => {
		const { server, epoch } = await five(t);
		const since = { epoch, seq: 0 };

		await old(server);
		const late = await V1.open(server);
		const ack = await late.subscribe("t", { since });

		assert.deepEqual([ack.seq, ack.replayed, ack.recovered],
		    [5, 5, false]);
		const frames = await waitFor("all five", async () => {
			const got = await late.barrier();

			late.got = [...late.got ?? [], ...got];
			return late.got.length >= 4 && late.got;
		});

		assert.deepEqual(frames.map(({ seq, from, to, reason }) =>
			seq ?? { from, to, reason }), [1,
			{ from: 2, to: 3, reason: "expired" }, 4,
			{ from: 5, to: 5, reason: "expired" }]);
		assert.equal(await server.total("expired"), 3);
		/* And live from the next number on. */
		await publish(await V1.open(server), "t", 6);
		assert.equal((await late.next()).seq, 6);
	});

	test("over: its number in a history", async (t) => {
		const { server } = await five(t);
		const fresh = (await history(server, "t"))
		    .map(({ seq, message }) => [seq, message]);

		assert.deepEqual(fresh[0], [1, 1]);
		await old(server);
		assert.deepEqual(await history(server, "t"), [
			{ seq: 1, message: 1 }, { seq: 2, expired: true },
			{ seq: 3, expired: true }, { seq: 4, message: 4 },
			{ seq: 5, expired: true }]);
	});

	test("over: of an event stream, and of the plain contract", async (t) => {
		const { server, epoch } = await five(t);

		await old(server);
		const events = await Events.open(server, "t",
		    { t, query: { since: `${epoch}:0` } });
		const blocks = [];

		while (blocks.length < 4)
			blocks.push(await events.block());
		assert.deepEqual(blocks.map(({ event, data }) =>
			event === "gap" ? JSON.parse(data).reason : data),
		    ["1", "expired", "4", "expired"]);
	});

	test("restart and the wall clock change nothing", async (t) => {
		const { server, epoch } = await five(t);

		assert.equal((await server.cli("restart")).status, 0);
		await old(server);
		const late = await V1.open(server);

		assert.equal((await late.subscribe("t",
		    { since: { epoch, seq: 4 } })).recovered, false);
		const gap = await late.next();

		assert.deepEqual([gap.type, gap.from, gap.to], ["gap", 5, 5]);
	});

	test("HTTP and the client", async (t) => {
		const server = await Server.start(t);
		const client = open(t, server.port);

		await post(server, "t", "a", { query: "?ttl=1" });
		await client.publish("t", "b", { ttl: 1 });
		await client.publish("t", "c", { ttl: 3600 });
		await waitFor("two are too old", async () => {
			const { messages } = await client.history("t");

			return messages[0].expired && messages[1].expired &&
			    messages[2].message === "c";
		});
		const heard = [];

		await client.subscribe("t", { history: 3,
			onMessage: ({ message }) => heard.push(message),
			onGap: ({ from, to }) => heard.push([from, to]) });
		await waitFor("both", () => heard.length === 2);
		assert.deepEqual(heard, [[1, 2], "c"]);
	});
});
