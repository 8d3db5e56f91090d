// SPDX-License-Identifier: MIT
/*
 * presence-access.test.mjs - whose names are believed, who may see them, and what
 * happens when there are more than the server has room for.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { guarded, open } from "./access.mjs";
import { Client, Server, waitFor } from "./support.mjs";
import { V1 } from "./v1-client.mjs";

const ROOM = "room/1";
const info = { name: "Ann", is: ["a", { b: "c" }] };

const members = (client, topic = ROOM, more = {}) => client.ask(
    { type: "presence", topic, members: true, ...more });

const grants = (...presence) =>
	({ subscribe: ["room/+"], presence, publish: ["room/+"] });

async function visit(t, server, token, query = {}) {
	const client = await open(server, token, { query });

	t.after(() => client.close());
	await client.subscribe(ROOM);
	return client;
}

test("a token's name and info are told; who only says a name is marked",
    async (t) => {
	    const { server, issuer } = await guarded(t,
		["--anonymous", "subscribe:room/+", "--leave-delay", "0"]);
	    const ann = await visit(t, server, issuer.token(
		{ sub: "ann", info, pubsubd: grants("room/+") }));

	    await visit(t, server, issuer.token({ sub: "bob" }), { user: "eve" });
	    await visit(t, server, null, { user: "ann" });
	    await visit(t, server, null);
	    const { count, members: found } = await members(ann);

	    assert.equal(count, 4);
	    assert.deepEqual(found, [
		    { user: "ann", info, connections: 1 },
		    { user: "bob", connections: 1 },
		    { user: "ann", verified: false, connections: 1 },
	    ]);
    });

test("it takes the grant presence to see them, and to go on seeing them",
    async (t) => {
	    const { server, issuer } = await guarded(t, ["--leave-delay", "0"]);
	    const token = (user, ...presence) => issuer.token(
		{ sub: user, pubsubd: grants(...presence) });
	    const blind = await visit(t, server, token("blind"));
	    const ann = await visit(t, server, token("ann", "room/+"));

	    await blind.refuse({ type: "presence", topic: ROOM, members: true },
		"forbidden");
	    await blind.refuse({ type: "presence", topic: ROOM,
		    subscribe: true }, "forbidden");
	    assert.equal((await fetch(
		`${server.url}/topics/presence?topic=${ROOM}`)).status, 401);
	    await members(ann, ROOM, { subscribe: true });
	    const carl = await visit(t, server, token("carl"));

	    assert.equal((await ann.next()).user, "carl");
	    await ann.ask({ type: "auth", token: token("ann") });
	    assert.deepEqual(await ann.next(), { type: "presence", topic: ROOM,
		    subscribe: false, reason: "forbidden" });
	    carl.close();
	    await waitFor("the leave", async () => {
		    const eye = await visit(t, server, token("eye", "room/+"));
		    const { members: found } = await members(eye);

		    return !found.some(({ user }) => user === "carl");
	    });
	    await ann.quiet();
    });

test("who becomes somebody joins, and the name of before leaves", async (t) => {
	const { server, issuer } = await guarded(t,
	    ["--anonymous", "all:room/+", "--leave-delay", "0"]);
	const eye = await visit(t, server, null);
	const told = [];

	await members(eye, ROOM, { subscribe: true });
	const ann = await visit(t, server, null, { user: "somebody" });

	await ann.ask({ type: "auth", token: issuer.token({ sub: "ann" }) });
	while (told.length < 3) {
		const { type, user, verified = true } = await eye.next();

		told.push(`${type} ${user} ${verified}`);
	}
	assert.deepEqual(told, ["join somebody false", "join ann true",
		"leave somebody false"]);
	assert.deepEqual((await members(eye)).members,
	    [{ user: "ann", connections: 1 }]);
});

test("more than there is room for: no wrong list, and all subscribe",
    async (t) => {
	    const server = await Server.start(t, ["--workers", "1",
		    "--leave-delay", "0", "--max-topics-per-conn", "1024",
		    "--max-members", "4096"]);
	    const { members: { max } } = await server.status();
	    const eye = await V1.open(server);
	    const crowd = [];

	    t.after(() => [eye, ...crowd].forEach((client) => client.close()));
	    await eye.subscribe("t0");
	    await members(eye, "t0", { subscribe: true });
	    for (let i = 0; i <= max / 1024; i++) {
		    const client = await V1.open(server,
			{ query: { user: `user ${i}` } });

		    crowd.push(client);
		    for (let topic = 0; topic < 1024; topic++)
			    client.send({ type: "subscribe", topic: `t${topic}` });
		    await client.quiet();
	    }
	    const { members: full, workers } = await server.status();

	    assert.equal(max, 4096);

	    assert.equal(full.present, max);
	    assert.equal(workers[0].members_uncounted, 1024);
	    for (let i = 0; i < max / 1024; i++)
		    assert.equal((await eye.next()).type, "join");
	    assert.deepEqual(await eye.next(), { type: "presence", topic: "t0",
		    subscribe: false, reason: "members_full" });
	    await eye.refuse({ type: "presence", topic: "t0", members: true },
		"members_full");
	    const response = await fetch(`${server.url}/topics/t1/presence`);

	    assert.equal(response.status, 503);
	    assert.equal((await response.json()).error.code, "members_full");
	    crowd.shift().close();
	    await waitFor("all are counted", async () => (await server.status())
		.workers[0].members_uncounted === 0);
	    assert.equal((await members(eye, "t0")).members.length, max / 1024);
    });

test("names that one address makes up leave room for others", async (t) => {
	const server = await Server.start(t, ["--workers", "2", "--leave-delay",
		"0", "--max-members", "128", "--trust-proxy", "127.0.0.1",
		"--trust-proxy", "::1"]);
	const from = (address, user, query = {}) => V1.open(server, {
		headers: { "X-Forwarded-For": address },
		query: { ...user && { user }, ...query } });
	const crowd = await Promise.all(Array.from({ length: 128 },
	    (_, i) => from("203.0.113.1", `made up ${i}`)));
	let there = 0;

	t.after(() => crowd.forEach((client) => client.close()));
	for (const client of crowd) {
		const { type, code } = await client.ask(
		    { type: "subscribe", topic: "room" });

		if (type === "ack")
			there++;
		else
			assert.equal(code, "too_many_members");
	}
	assert.equal(there, 100); /* 78 % */
	assert.equal(await server.total("refused_members"), 28);
	const ann = await from("198.51.100.1", "ann");

	t.after(() => ann.close());
	await ann.subscribe("room");
	const list = await members(ann, "room");

	assert.deepEqual([list.count, list.members.length], [101, 101]);
	assert.equal(list.members.at(-1).user, "ann");
	/* The same user again is no other member, and without a name one is
	 * none. */
	const again = await from("203.0.113.1", "made up 0");
	const nobody = await from("203.0.113.1");

	t.after(() => [again, nobody].forEach((client) => client.close()));
	for (const client of [again, nobody])
		await client.subscribe("room");
	/* In the plain contract there are no errors but to be closed, and an
	 * event stream ends, to be tried again. */
	const plain = await Client.open(server, { topics: ["room"],
		headers: { "X-Forwarded-For": "203.0.113.1" },
		query: { user: "another" } });

	assert.equal((await plain.closed).code, 1008);
	const stream = await fetch(
	    `${server.url}/topics/room/events?user=another`,
	    { headers: { "X-Forwarded-For": "203.0.113.1" } });

	assert.equal(stream.status, 200);
	assert.match(await stream.text(), /^retry: \d+\n$/u);
	/* Who leaves makes room. */
	for (const client of crowd.splice(0, 50))
		client.close();
	await waitFor("room", async () => (await crowd.at(-1).ask(
	    { type: "subscribe", topic: "room" })).type === "ack");
});

/* Whoever says only later who it is could not be refused before. */
test("those who become too many are let go", async (t) => {
	const { server, issuer } = await guarded(t, ["--workers", "1",
		"--max-members", "8", "--anonymous", "all:room/+",
		"--trust-proxy", "127.0.0.1"]);
	const headers = { "X-Forwarded-For": "203.0.113.1" };
	const ended = [];

	for (let i = 0; i < 10; i++) {
		const client = await V1.open(server, { headers });

		t.after(() => client.close());
		await client.subscribe(ROOM);
		await client.ask({ type: "auth", token: issuer.token(
		    { sub: `user ${i}`, pubsubd: grants(ROOM) }) });
		ended.push(...await client.barrier());
	}
	assert.deepEqual(ended, Array(3).fill({ type: "unsubscribed",
		topic: ROOM, code: "forbidden" }));
	const eye = await V1.open(server);

	t.after(() => eye.close());
	const list = await members(eye);

	assert.deepEqual([list.count, list.members.length], [7, 7]);
});
