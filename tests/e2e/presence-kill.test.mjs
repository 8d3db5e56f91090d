// SPDX-License-Identifier: MIT
/*
 * presence-kill.test.mjs - members when workers are killed, and when the server is
 * restarted or upgraded: each comes and leaves once, and who stays never left.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Server, openOn, waitFor } from "./support.mjs";
import { upgrade } from "./upgrade.mjs";
import { V1 } from "./v1-client.mjs";

const TOPIC = "room";
const as = (user) => ({ query: { user } });

async function scene(t, ...args) {
	const server = await Server.start(t, ["--workers", "2", ...args]);
	server.deathsExpected = true;
	const eye = await openOn(server, 0, () => V1.open(server));

	t.after(() => eye.close());
	await eye.subscribe(TOPIC);
	await list(eye, { subscribe: true });
	return { server, eye };
}

async function list(client, more = {}) {
	const { members } = await client.ask(
	    { type: "presence", topic: TOPIC, members: true, ...more });

	return members.map(({ user, connections }) => [user, connections]);
}

async function join(t, server, slot, user) {
	const client = await openOn(server, slot, () => V1.open(server, as(user)));

	t.after(() => client.close());
	await client.subscribe(TOPIC);
	return client;
}

/* The next events; nothing else comes. */
async function events(eye, n) {
	const got = [];

	while (got.length < n) {
		const { type, user } = await eye.next();

		got.push(`${type} ${user}`);
	}
	return got.sort();
}

describe("a worker is killed", { concurrency: true }, () => {
	test("its members leave, once each; others notice nothing", async (t) => {
		const { server, eye } = await scene(t, "--leave-delay", "0");

		await join(t, server, 0, "stays");
		await join(t, server, 0, "both");
		await join(t, server, 1, "both");
		for (let i = 0; i < 20; i++)
			await join(t, server, 1, `gone ${i}`);
		await events(eye, 22);
		process.kill((await server.workers())[1], "SIGKILL");
		assert.deepEqual(await events(eye, 20), [...Array(20).keys()]
		    .map((i) => `leave gone ${i}`).sort());
		assert.deepEqual(await list(eye), [["stays", 1], ["both", 1]]);
		await eye.quiet();
	});

	test("who comes back within --leave-delay has never left", async (t) => {
		const { server, eye } = await scene(t, "--leave-delay", "2");

		await join(t, server, 1, "back");
		await join(t, server, 1, "gone");
		await events(eye, 2);
		process.kill((await server.workers())[1], "SIGKILL");
		await join(t, server, 0, "back");
		assert.deepEqual(await events(eye, 1), ["leave gone"]);
		assert.deepEqual(await list(eye), [["back", 1]]);
		await eye.quiet();
	});

	test("twice, also the one that waits to tell it", async (t) => {
		const { server, eye } = await scene(t, "--leave-delay", "1");
		const [mine, theirs] = await server.workers();

		assert.notEqual(mine, theirs);
		await join(t, server, 1, "ann");
		await events(eye, 1);
		process.kill(theirs, "SIGKILL");
		await waitFor("a successor", async () => {
			const { workers } = await server.status();

			return workers[1].pid !== theirs &&
			    workers[1].state === "ready";
		});
		process.kill((await server.workers())[1], "SIGKILL");
		assert.deepEqual(await events(eye, 1), ["leave ann"]);
		await eye.quiet();
	});
});

test("restart: members who come back have never left", async (t) => {
	const { server, eye } = await scene(t, "--leave-delay", "0");

	await join(t, server, 1, "ann");
	await events(eye, 1);
	assert.equal((await server.cli("restart")).status, 0);
	const again = await V1.open(server);

	t.after(() => again.close());
	await again.subscribe(TOPIC);
	assert.deepEqual(await list(again, { subscribe: true }), [["ann", 0]]);
	const back = await V1.open(server, as("ann"));

	t.after(() => back.close());
	await back.subscribe(TOPIC);
	assert.deepEqual(await list(again), [["ann", 1]]);
	await again.quiet();
	await back.ask({ type: "unsubscribe", topic: TOPIC });
	assert.deepEqual(await events(again, 1), ["leave ann"]);
});

test("upgrade: nobody leaves, and who watches goes on", async (t) => {
	const { server, eye } = await scene(t, "--leave-delay", "0");
	const ann = await join(t, server, 1, "ann");
	const also = await join(t, server, 0, "ann");

	await events(eye, 1);
	assert.equal((await upgrade(server)).closed, 0);
	assert.deepEqual(await list(eye), [["ann", 2]]);
	await eye.quiet();
	await ann.ask({ type: "unsubscribe", topic: TOPIC });
	await join(t, server, 1, "bob");
	assert.deepEqual(await events(eye, 1), ["join bob"]);
	await also.ask({ type: "unsubscribe", topic: TOPIC });
	assert.deepEqual(await events(eye, 1), ["leave ann"]);
	assert.deepEqual(await list(eye), [["bob", 1]]);
	await eye.quiet();
});
