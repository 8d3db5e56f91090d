// SPDX-License-Identifier: MIT
/*
 * presence.test.mjs - who is in a topic: members, pages of them, and events of
 * who comes and leaves, in their place among the messages.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Server, openOnEachWorker, waitFor } from "./support.mjs";
import { V1 } from "./v1-client.mjs";

const as = (user) => ({ query: { user } });
const stranger = (user, connections = 1) =>
	({ user, verified: false, connections });

async function open(t, server, user) {
	const client = await V1.open(server, user ? as(user) : {});

	t.after(() => client.close());
	return client;
}

const members = (client, topic, more = {}) =>
	client.ask({ type: "presence", topic, members: true, ...more });

/* Wait until a question has this answer; nothing else may come meanwhile. */
async function becomes(client, topic, expected) {
	await waitFor(`members of ${topic}`, async () =>
		JSON.stringify((await members(client, topic)).members) ===
		    JSON.stringify(expected));
}

/* What is told of somebody, without the time. */
function told({ type, time, topic, ...who }) {
	assert.ok(Number.isInteger(time) && topic !== undefined);
	return [type, who];
}

describe("members", () => {
	const server = new Server(["--workers", "2", "--leave-delay", "0"]);

	before(() => server.run());
	after(() => server.end());

	test("are those with a name, once each, with their connections",
	    async (t) => {
		    const anns = await openOnEachWorker(server,
			() => V1.open(server, as("ann")));
		    const bob = await open(t, server, "bob");
		    const eve = await open(t, server);

		    t.after(() => anns.forEach((client) => client.close()));
		    for (const client of [...anns, bob, eve])
			    await client.subscribe("who");
		    assert.deepEqual(await members(eve, "who"), {
			    type: "presence", topic: "who", count: 4,
			    members: [stranger("ann", 2), stranger("bob")] });
		    assert.deepEqual(await eve.ask(
			{ type: "presence", topic: "who" }),
		    { type: "presence", topic: "who", count: 4 });
		    await anns[0].ask({ type: "unsubscribe", topic: "who" });
		    await becomes(eve, "who", [stranger("ann"), stranger("bob")]);
		    anns[1].close();
		    await becomes(eve, "who", [stranger("bob")]);
	    });

	test("of a topic that nobody has used there are none", async (t) => {
		const eve = await open(t, server);

		assert.deepEqual(await members(eve, "never"), {
			type: "presence", topic: "never", count: 0,
			members: [] });
	});

	test("come in pages, in the order of coming", async (t) => {
		const eve = await open(t, server);
		const names = [...Array(25).keys()].map((i) => `user ${i}`);
		const seen = [];

		for (const name of names)
			await (await open(t, server, name))
			    .subscribe("pages");
		for (let after = 0; after !== undefined;) {
			const page = await members(eve, "pages", { limit: 10, after });

			assert.ok(page.members.length <= 10);
			assert.equal(page.more, page.after && true);
			seen.push(...page.members.map(({ user }) => user));
			({ after } = page);
		}
		assert.deepEqual(seen, names);
		const byHttp = await (await fetch(
		    `${server.url}/topics/pages/presence?limit=2`)).json();

		assert.equal(byHttp.subscribers, 25);
		assert.deepEqual(byHttp.members, names.slice(0, 2).map(
		    (name) => stranger(name)));
		assert.equal(byHttp.more, true);
		const next = await (await fetch(`${server.url}/topics/presence?` +
		    `topic=pages&limit=1&after=${byHttp.after}`)).json();

		assert.deepEqual(next.members, [stranger("user 2")]);
	});

	test("by HTTP: faults", async () => {
		const get = async (path) =>
			(await fetch(`${server.url}/topics/${path}`)).status;

		assert.equal(await get("nobody/presence"), 404);
		assert.equal(await get("pages/presence?after=x"), 400);
		assert.equal(await get("pages/presence?limit=0"), 400);
	});

	test("bad names are refused before there is a WebSocket", async () => {
		for (const user of ["", "%00", "%ff", "x".repeat(65), "%"]) {
			const { status } = await fetch(
			    `${server.url}/ws?user=${user}`, { headers: {
				    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
				    "Sec-WebSocket-Version": "13" } });

			assert.ok(status === 400 || status === 426, `${status}`);
		}
		await assert.rejects(V1.open(server, as("x".repeat(65))));
	});

	test("a bad request is refused, and needs a subscription to be told",
	    async (t) => {
		    const eve = await open(t, server);

		    await eve.refuse({ type: "presence", topic: "x",
			    members: 1 }, "bad_request");
		    await eve.refuse({ type: "presence", topic: "x",
			    subscribe: "yes" }, "bad_request");
		    await eve.refuse({ type: "presence", topic: "x",
			    members: true, limit: 0 }, "bad_request");
		    await eve.refuse({ type: "presence", topic: "x",
			    subscribe: true }, "not_subscribed");
	    });
});

describe("who watches", () => {
	const server = new Server(["--workers", "2", "--leave-delay", "0"]);

	before(() => server.run());
	after(() => server.end());

	test("is told of each once, in order, on every worker", async (t) => {
		const eyes = await openOnEachWorker(server,
		    () => V1.open(server));

		t.after(() => eyes.forEach((client) => client.close()));
		for (const eye of eyes) {
			await eye.subscribe("watch");
			assert.deepEqual((await members(eye, "watch",
			    { subscribe: true })).members, []);
		}
		const ann = await open(t, server, "ann");
		const again = await open(t, server, "ann");

		await ann.subscribe("watch");
		await again.subscribe("watch");
		ann.send({ type: "publish", topic: "watch", message: "hello" });
		assert.equal((await ann.next()).message, "hello");
		ann.close();
		again.send({ type: "publish", topic: "watch", message: "still" });
		again.send({ type: "unsubscribe", topic: "watch" });
		for (const eye of eyes) {
			assert.deepEqual(told(await eye.next()), ["join",
				{ user: "ann", verified: false }]);
			assert.equal((await eye.next()).message, "hello");
			assert.equal((await eye.next()).message, "still");
			assert.deepEqual(told(await eye.next()), ["leave",
				{ user: "ann", verified: false }]);
		}
	});

	test("until it does not want to any more", async (t) => {
		const eye = await open(t, server), bob = await open(t, server, "bob");

		await eye.subscribe("until");
		await members(eye, "until", { subscribe: true });
		await bob.subscribe("until");
		assert.equal((await eye.next()).type, "join");
		await eye.ask({ type: "presence", topic: "until",
			subscribe: false });
		await bob.ask({ type: "unsubscribe", topic: "until" });
		await eye.quiet();
		assert.deepEqual((await members(eye, "until")).members, []);
	});

	test("others of the topic get nothing of it, nor do numbers change",
	    async (t) => {
		    const eye = await open(t, server);
		    const other = await open(t, server);
		    const bob = await open(t, server, "bob");

		    await eye.subscribe("quiet");
		    await other.subscribe("quiet");
		    await members(eye, "quiet", { subscribe: true });
		    await bob.subscribe("quiet");
		    assert.equal((await eye.next()).type, "join");
		    await other.quiet();
		    other.send({ type: "publish", topic: "quiet", message: 1 });
		    assert.equal((await other.next()).seq, 1);
	    });
});

/* The list of who watches was made shorter before the one to be taken out was
 * looked for, where the compiler took the right side of the assignment first: if
 * that was the last one, the worker died. */
test("of two who watch the later may leave first", async (t) => {
	const server = await Server.start(t, ["--workers", "1"]);
	const eyes = [await open(t, server), await open(t, server)];

	for (const eye of eyes) {
		await eye.subscribe("room");
		await members(eye, "room", { subscribe: true });
	}
	await eyes[1].ask({ type: "presence", topic: "room",
		subscribe: false });
	await (await open(t, server, "bob")).subscribe("room");
	assert.equal((await eyes[0].next()).type, "join");
	await eyes[1].quiet();
});

test("with --leave-delay a reload is not told", async (t) => {
	const server = await Server.start(t,
	    ["--workers", "2", "--leave-delay", "1"]);
	const eye = await open(t, server);

	await eye.subscribe("room");
	await members(eye, "room", { subscribe: true });
	for (let i = 0; i < 5; i++) {
		const ann = await V1.open(server, as("ann"));

		await ann.subscribe("room");
		if (i === 0)
			assert.equal((await eye.next()).type, "join");
		ann.close();
		await becomes(eye, "room", [stranger("ann", 0)]);
	}
	const { time } = await eye.next();

	assert.ok(Date.now() - time < 60_000);
	assert.deepEqual((await members(eye, "room")).members, []);
	await eye.quiet();
});
