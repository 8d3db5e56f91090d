// SPDX-License-Identifier: MIT
/*
 * inspect.test.mjs - `inspect' against the real program: what it tells of a
 * server that runs, of one that was killed, and of shared memory that is
 * damaged; and that it changes nothing.
 */

import assert from "node:assert/strict";
import {
	closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync,
} from "node:fs";
import { describe, test } from "node:test";

import { Client, PUBSUBD, Server, run, waitFor } from "./support.mjs";

const OK = 0, FAILED = 1, NOT_RUNNING = 3;

async function publish(server, topic, count = 1) {
	for (let i = 0; i < count; i++)
		await (await fetch(`${server.url}/topics/${topic}`,
		    { method: "POST", body: "hello" })).arrayBuffer();
}

async function inspect(server) {
	const { status, stdout, stderr } = await server.cli("inspect", "--json");

	assert.equal(stderr, "");
	return { status, ...JSON.parse(stdout) };
}

/* A server that was killed with all its workers, and what it left. */
async function killed(t, args = []) {
	const server = await Server.start(t, args);

	server.deathsExpected = true;
	await publish(server, "a", 3);
	await publish(server, "b");
	server.killAll();
	await waitFor("the end of all", () => server.processes().length === 0);
	return server;
}

describe("inspect", { concurrency: true }, () => {
	test("tells of a server that runs", async (t) => {
		const server = await Server.start(t, ["--max-topics", "8"]);
		const client = await Client.open(server, { topics: ["a"] });

		await publish(server, "a", 3);
		await publish(server, "b");
		const of = await inspect(server);
		const { ring, topics, workers, ...rest } = of;

		assert.equal(rest.status, OK);
		assert.equal(rest.alive, true);
		assert.equal(rest.verdict, "good");
		assert.equal(rest.pid, server.child.pid);
		assert.equal(rest.epoch, (await server.status()).epoch);
		assert.deepEqual(rest.listen, [server.url]);
		assert.equal(ring.applied, ring.head);
		assert.equal(ring.lock, null);
		assert.equal(topics.max, 8);
		assert.deepEqual(topics.live.map(({ topic, seq, subscribers }) =>
			[topic, seq, subscribers]), [["a", 3, 1], ["b", 1, 0]]);
		assert.deepEqual(workers.map(({ pid }) => pid),
		    await server.workers());
		const { status, stdout } = await server.cli("inspect");

		assert.equal(status, OK);
		assert.match(stdout, /^verdict +good/mu);
		assert.match(stdout, new RegExp(
		    `^server +serving, pid ${server.child.pid}$`, "mu"));
		assert.match(stdout,
		    /^options +--workers 2 --ring-size 32.0M --max-topics 8 /mu);
		assert.match(stdout,
		    /topic \(2 of 8\)\n +1 +\d+ +0 {2}b\n +3 +\d+ +1 {2}a\n$/u);
		await client.close();
	});

	test("tells of a dead one, and changes nothing", async (t) => {
		const server = await killed(t);
		const before = readFileSync(server.shm);
		const of = await inspect(server);

		assert.equal(of.status, OK);
		assert.equal(of.alive, false);
		assert.equal(of.verdict, "good");
		assert.deepEqual(of.topics.live.map(({ topic, seq }) => [topic, seq]),
		    [["a", 3], ["b", 1]]);
		const { stdout } = await server.cli("inspect");

		assert.match(stdout, /^server +dead; it was serving, as pid \d+$/mu);
		assert.ok(readFileSync(server.shm).equals(before));
	});

	test("says what the next start has to repair", async (t) => {
		const server = await killed(t);
		const { ring, topics: { live } } = await inspect(server);
		const newest = Math.max(...live.map(({ last }) => last));
		const memory = readFileSync(server.shm);
		const word = Buffer.alloc(8), found = [];

		/* As if a worker had died between the commit and the directory:
		 * reserve, applied and head have the same value, in this order. */
		word.writeBigUInt64LE(BigInt(ring.head));
		for (let i = 0; i < 4096; i += 8)
			if (memory.subarray(i, i + 8).equals(word))
				found.push(i);
		assert.equal(found.length, 3);
		word.writeBigUInt64LE(BigInt(newest));
		const fd = openSync(server.shm, "r+");

		writeSync(fd, word, 0, 8, found[1]);
		closeSync(fd);
		const of = await inspect(server);

		assert.equal(of.verdict, "repaired");
		assert.equal(of.ring.applied, newest);
		assert.match((await server.cli("inspect")).stdout,
		    /^verdict +good after a repair.* \d+ bytes/mu);
		assert.equal((await inspect(server)).verdict, "repaired");
	});

	test("finds damage", async (t) => {
		const server = await killed(t);
		const { topics: { live } } = await inspect(server);
		const { size, ring } = await inspect(server);
		const fd = openSync(server.shm, "r+");

		/* The ring lies at the end; a position is taken modulo its size. */
		writeSync(fd, Buffer.alloc(8, 0xff), 0, 8,
		    size - ring.size + live[0].last % ring.size);
		closeSync(fd);
		const of = await inspect(server);

		assert.equal(of.status, FAILED);
		assert.equal(of.verdict, "damaged");
		assert.match(of.why, /^topic 0: no record 3 at position \d+$/u);
		assert.match((await server.cli("inspect")).stdout,
		    /^verdict +damaged: .*\(topic 0: /mu);
	});

	test("of one that has lost its name", async (t) => {
		const server = await Server.start(t);

		server.deathsExpected = true;
		rmSync(server.shm);
		const of = await inspect(server);

		assert.equal(of.alive, true);
		assert.equal(of.pid, server.child.pid);
	});

	test("of what is none", async (t) => {
		const server = new Server();

		t.after(() => server.end());
		const none = await server.cli("inspect");

		assert.equal(none.status, NOT_RUNNING);
		assert.equal(none.stderr, `pubsubd: ${server.name} is not ` +
		    "running; it has left no shared memory\n");
		writeFileSync(server.shm, Buffer.alloc(1 << 20), { mode: 0o600 });
		const foreign = await run(PUBSUBD,
		    ["inspect", "--name", server.name]);

		assert.equal(foreign.status, FAILED);
		assert.match(foreign.stderr, /is of another version\n$/u);
		rmSync(server.shm);
	});
});
