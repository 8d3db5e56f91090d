// SPDX-License-Identifier: MIT
/*
 * client-members.test.mjs - public/pubsub.js knows who is there, whatever happens
 * to its connection and to others'.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { open } from "./client-support.mjs";
import { Server, waitFor } from "./support.mjs";

const names = ({ members }) => members?.map(({ user }) => user).join() ?? null;

async function scene(t, ...args) {
	const server = await Server.start(t, ["--workers", "2",
		"--leave-delay", "0", ...args]);
	const seen = [];
	const eye = open(t, server.port);

	await eye.subscribe("room", { onMembers: (change) => seen.push(change) });
	const sees = (expected) => waitFor(`members ${expected}`,
	    () => seen.length > 0 && names(seen.at(-1)) === expected);

	await sees("");
	return { server, seen, eye, sees };
}

const join = async (t, server, name) => {
	const client = open(t, server.port, { user: () => name });

	await client.subscribe("room");
	return client;
};

test("who comes and leaves", async (t) => {
	const { server, seen, eye, sees } = await scene(t);
	const ann = await join(t, server, "ann");

	await sees("ann");
	await join(t, server, "bob");
	await sees("ann,bob");
	const { members, count } = await eye.members("room", { limit: 1 });

	assert.deepEqual(members, [{ user: "ann", verified: false,
		connections: 1 }]);
	assert.equal(count, 3);
	await ann.close();
	await sees("bob");
	assert.deepEqual(seen.at(-1), { error: null,
		members: [{ user: "bob", verified: false }] });
});

test("another name", async (t) => {
	const { server, sees } = await scene(t);
	let name = "ann";
	const client = open(t, server.port, { user: () => name });

	await client.subscribe("room");
	await sees("ann");
	name = "Ann & Co";
	client.reconnect();
	await sees("Ann & Co");
});

test("over a restart and the death of a worker", async (t) => {
	const { server, sees } = await scene(t);

	server.deathsExpected = true;
	await join(t, server, "ann");
	await join(t, server, "bob");
	await sees("ann,bob");
	for (const pid of await server.workers())
		process.kill(pid, "SIGKILL");
	await waitFor("both are back", async () => {
		const { members } = await (await fetch(
		    `${server.url}/topics/room/presence`)).json();

		return members?.map(({ user }) => user).sort().join() === "ann,bob";
	});
	await server.cli("restart");
	const carl = await join(t, server, "carl");

	await waitFor("all three", async () => {
		const { members } = await carl.members("room");

		return members.filter(({ connections }) => connections > 0)
		    .length === 3;
	});
});
