// SPDX-License-Identifier: MIT
/*
 * client-hosts.test.mjs - public/pubsub.js with several servers: to which it goes
 * and when, where it goes on there, and what it does when one is cut off from its
 * cluster.
 *
 * What hosts of a cluster say is in scripts; real ones are in cluster.test.mjs.
 * The real servers here share nothing, so each has numbers of its own.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import WebSocket from "ws";

import { Hosts } from "../../public/pubsub-hosts.js";
import { connect } from "../../public/pubsub.js";
import { freePort } from "./ports.mjs";
import { Ear, reaches, runAgain, scripted } from "./client-support.mjs";
import { Server, waitFor } from "./support.mjs";

const FAR = { min_ms: 1e6, max_ms: 1e6 }; /* 100 to 1000 s: never, to a test */
const FARTHER = { min_ms: 2e7, max_ms: 2e7 };

const urlOf = (port) => `ws://127.0.0.1:${port}/ws`;

/* A client of the servers on these ports, which notes its states: the number of
 * the server with each. */
function openAll(t, ports, options = {}) {
	const states = [];
	const client = connect(ports.map(urlOf), { WebSocket, ...options,
		onState: ({ state, url }) => states.push(
		    `${state} ${ports.map(urlOf).indexOf(url)}`) });

	t.after(() => client.close());
	return { client, states };
}

/* Welcomes, and closes when it is told to. */
function closing(how, more = {}) {
	return ({ socket, say, welcome }) => {
		welcome(more);
		how(socket, say);
	};
}

/* A host of a cluster: it has pos, and answers by this function of a request,
 * which gives frames. */
function host(epoch, asked, answers) {
	return ({ socket, say, welcome }) => {
		welcome({ epoch });
		return (request) => {
			asked.push(request);
			for (const frame of answers(request, socket))
				say(frame);
		};
	};
}

const ack = ({ id, topic }, epoch, seq, more = {}) =>
	({ type: "ack", id, topic, epoch, seq, ...more });

const message = (seq, pos, text) =>
	({ type: "message", topic: "t", seq, pos, time: 1, message: text });

const refusal = ({ id }) => ({ type: "error", id, code: "cluster_down",
	reason: "the log is away" });

/* Of a request, what tells where to begin. */
const begin = ({ since, history }) => ({ since, history });

describe("JavaScript client, a list of servers", () => {
	const refused = (list, message) => assert.throws(
	    () => connect(list, { WebSocket }), { name: "TypeError", message });

	test("bad lists are refused at once", () => {
		refused([], "connect: the list of servers is empty");
		refused(["ws://a/ws", "no address"],
		    "connect: no address is no address of a server");
		refused(["ws://a/ws", null],
		    "connect: null is no address of a server");
		refused(["ws://a/ws", "ftp://b/ws"],
		    "connect: ftp://b/ws must be ws:, wss:, http: or https:");
	});

	test("a page of https has none without TLS in it", (t) => {
		globalThis.location = new URL("https://a/");
		t.after(() => delete globalThis.location);
		refused(["wss://a/ws", "ws://b/ws"], "connect: ws://b/ws is not " +
		    "for a page of https:, which may use wss: alone");
		const client = connect(["ws://127.0.0.1:1/ws", "wss://[::1]:1/"],
		    { WebSocket });

		assert.equal(client.url, "ws://127.0.0.1:1/ws");
		client.close();
	});

	test("what is there twice counts once", async (t) => {
		const a = await scripted(t, closing((socket) => socket.close(1011),
		    { retry: FAR }));
		const { client } = openAll(t, [a.port, a.port]);

		await reaches(client, "waiting");
		assert.ok(client.retryAt - Date.now() > 0.9e5);
	});

	test("the others of each client have an order of its own", () => {
		const seen = new Set(), waits = new Set();

		for (let i = 0; i < 100; i++) {
			const hosts = new Hosts(["a", "b", "c"]);
			const order = [hosts.url];

			for (let k = 0; k < 2; k++) {
				const wait = hosts.lost({ wasOpen: k === 0 });

				if (k === 0) {
					assert.ok(wait >= 50 && wait <= 500, `${wait}`);
					waits.add(wait);
				} else {
					assert.equal(wait, 0);
				}
				hosts.go();
				order.push(hosts.url);
			}
			seen.add(order.join(""));
		}
		assert.deepEqual([...seen].sort(), ["abc", "acb"]);
		assert.ok(waits.size > 90);
	});
});

describe("JavaScript client, a host leaves", () => {
	for (const [what, how] of [
		["closes with 1012", (socket) => socket.close(1012)],
		["closes with 1001", (socket) => socket.close(1001)],
		["closes with 1011", (socket) => socket.close(1011)],
		["breaks off", (socket) => socket.terminate()],
		["says nonsense", (socket) => socket.send("?")],
	])
		test(`${what}: to the other, and the state names it`, async (t) => {
			const a = await scripted(t, closing(how, { retry: FAR }));
			const b = await scripted(t, closing(() => {}));
			const { client, states } = openAll(t, [a.port, b.port]);

			await waitFor("the other", () => client.state === "open" &&
			    client.url === urlOf(b.port));
			assert.deepEqual(states, ["connecting 0", "open 0", "waiting 0",
				"connecting 1", "open 1"]);
			assert.equal(a.connections, 1);
		});

	test("gives no answer: to the other", async (t) => {
		const a = await scripted(t, ({ welcome }) => {
			welcome();
			return () => {};
		});
		const b = await scripted(t, host("B", [], (request) =>
			[{ type: "pong", id: request.id }]));
		const { client, states } = openAll(t, [a.port, b.port],
		    { timeout: 50 });

		await client.ping();
		assert.equal(client.url, urlOf(b.port));
		assert.deepEqual(states.slice(0, 3),
		    ["connecting 0", "open 0", "waiting 0"]);
	});

	test("one that is not there is passed over at once", async (t) => {
		const b = await scripted(t, closing(() => {}));
		const { client, states } = openAll(t, [await freePort(), b.port]);

		await reaches(client, "open");
		assert.deepEqual(states, ["connecting 0", "waiting 0",
			"connecting 1", "open 1"]);
	});

	test("each is left alone for a time of its own", async (t) => {
		const a = await scripted(t, closing((socket) => socket.close(1011),
		    { retry: FAR }));
		const b = await scripted(t, closing((socket) => socket.close(1011),
		    { retry: FARTHER }));
		const { client } = openAll(t, [a.port, b.port]);

		await waitFor("b to be lost", () => client.url === urlOf(b.port) &&
		    client.state === "waiting");
		const wait = client.retryAt - Date.now();

		/* Of the two, that of a comes first. */
		assert.ok(wait > 0.9e5 && wait <= 1e6, `${wait}`);
		client.wake();
		assert.equal(client.url, urlOf(a.port));
		await waitFor("a to be lost", () => client.state === "waiting");
		assert.deepEqual([a.connections, b.connections], [2, 1]);
	});

	test("and not tried before, however often another is", async (t) => {
		const a = await scripted(t, closing((socket) => socket.close(1011),
		    { retry: FAR }));
		const { states } = openAll(t, [a.port, await freePort()]);

		await waitFor("three tries", () =>
			states.filter((state) => state === "waiting 1").length === 3);
		assert.equal(a.connections, 1);
	});

	test("one that drains says how those it had are to spread", async (t) => {
		const a = await scripted(t, closing((socket, say) => {
			say({ type: "drain", in_ms: 9,
				retry: { min_ms: 1e6, max_ms: 2e6 } });
			socket.close(1012);
		}));
		const asked = [];
		const b = await scripted(t, host("B", asked, (request) =>
			[ack(request, "B", 1)]));
		const { client } = openAll(t, [a.port, b.port]);

		await reaches(client, "waiting");
		const wait = client.retryAt - Date.now();

		assert.ok(wait > 0.9e6 && wait <= 2e6, `${wait}`);
		const publish = client.publish("t", "meanwhile");

		client.wake();
		assert.equal((await publish).epoch, "B");
		assert.deepEqual([a.connections, b.connections], [1, 1]);
	});

	/* It is about this client, whom another host would not like better. */
	for (const code of [4200, 4103])
		test(`${code} is no reason to go`, async (t) => {
			const a = await scripted(t,
			    closing((socket) => socket.close(code)),
			    closing(() => {}));
			const { client, states } = openAll(t,
			    [a.port, await freePort()]);

			await waitFor("it is back", () => a.connections === 2);
			await reaches(client, "open");
			assert.deepEqual(states, ["connecting 0", "open 0",
				"waiting 0", "connecting 0", "open 0"]);
		});

	test("4003 is the end", async (t) => {
		const a = await scripted(t, closing((socket) =>
			socket.close(4003, "not you")));
		const { client } = openAll(t, [a.port, await freePort()]);

		await reaches(client, "closed");
		assert.equal(client.reason, "not you");
		assert.equal(client.url, urlOf(a.port));
	});

	test("a token that cannot be had is none either", async (t) => {
		const a = await scripted(t, ({ welcome }) => welcome({ retry: FAR }));
		const { client } = openAll(t, [a.port, await freePort()],
		    { token: () => Promise.reject(new Error("later")) });

		for (let i = 1; i < 4; i++) {
			await reaches(client, "waiting");
			assert.equal(client.reason, "no token: later");
			assert.equal(a.connections, i);
			client.wake();
		}
	});
});

describe("JavaScript client, from host to host of a cluster", () => {
	/* At host a it has 1 and 2; b knows them by other numbers. */
	async function moved(t, answersOfB, options = {}) {
		const ear = new Ear(), asked = [];
		const a = await scripted(t, host("A", [], (request, socket) => {
			if (request.type === "publish")
				return [ack(request, "A", 3, { pos: "log.40" })];
			setTimeout(() => socket.close(1012), 0);
			return [ack(request, "A", 0, { pos: "log.1" }),
				message(1, "log.10", "one"),
				message(2, "log.20", "two")];
		}));
		const b = await scripted(t, host("B", asked, answersOfB));
		const { client } = openAll(t, [a.port, b.port]);
		const room = await client.subscribe("t",
		    { ...ear.options, ...options });

		return { client, room, ear, asked };
	}

	test("it goes on behind its place, and nothing is missing", async (t) => {
		const { room, ear, asked } = await moved(t, (request) => [
			ack(request, "B", 9, { pos: "log.60", replayed: 2,
				recovered: true }),
			message(8, "log.30", "three"), message(9, "log.50", "four"),
			message(10, "log.70", "five")]);

		assert.deepEqual(await ear.hears(5),
		    ["one", "two", "three", "four", "five"]);
		assert.deepEqual(begin(asked[0]), { history: undefined,
			since: { epoch: "A", seq: 2, pos: "log.20" } });
		assert.deepEqual(room.place,
		    { epoch: "B", seq: 10, pos: "log.70" });
	});

	test("what that host has no more is a gap", async (t) => {
		const { ear } = await moved(t, (request) => [
			ack(request, "B", 9, { pos: "log.60", replayed: 1,
				recovered: false }),
			{ type: "gap", topic: "t", reason: "expired" },
			message(9, "log.50", "four")]);

		assert.deepEqual(await ear.hears(4), ["one", "two",
			{ from: undefined, to: undefined, reason: "expired" },
			"four"]);
	});

	test("what it passes over to be paced has numbers", async (t) => {
		const { ear, room } = await moved(t, (request) => [
			ack(request, "B", 9, { pos: "log.60", replayed: 3,
				recovered: false }),
			{ type: "gap", topic: "t", from: 7, to: 8,
				reason: "conflated" },
			message(9, "log.50", "five")], { every: 100 });

		assert.deepEqual(await ear.hears(4), ["one", "two",
			{ from: 7, to: 8, reason: "conflated" }, "five"]);
		assert.deepEqual(room.place, { epoch: "B", seq: 9, pos: "log.60" });
	});

	test("of another log all is new, behind one gap", async (t) => {
		const { ear, asked, room } = await moved(t, (request) => {
			if (request.type === "unsubscribe")
				return [ack(request, "B", 2)];
			if (request.since)
				return [ack(request, "B", 2, { pos: "new.9",
					recovered: false }),
				{ type: "gap", topic: "t", reason: "cluster" },
				message(3, "new.10", "too early")];
			return [ack(request, "B", 3, { pos: "new.10", replayed: 3,
				recovered: true }),
			message(1, "new.1", "x"), message(2, "new.2", "y"),
			message(3, "new.10", "z")];
		});

		assert.deepEqual(await ear.hears(6), ["one", "two",
			{ from: undefined, to: undefined, reason: "cluster" },
			"x", "y", "z"]);
		assert.deepEqual(asked.map(({ type }) => type),
		    ["subscribe", "unsubscribe", "subscribe"]);
		assert.equal(asked[2].history, 2 ** 32 - 1);
		assert.deepEqual(room.place, { epoch: "B", seq: 3, pos: "new.10" });
	});

	/* Nothing has come yet, so the place is where the log ended. */
	test("who has heard nothing has a place, too", async (t) => {
		const asked = [];
		const a = await scripted(t, host("A", [], (request, socket) => {
			setTimeout(() => socket.close(1012), 0);
			return [ack(request, "A", 7, { pos: "log.5" })];
		}));
		const b = await scripted(t, host("B", asked, (request) =>
			[ack(request, "B", 3, { pos: "log.8", recovered: true })]));
		const { client } = openAll(t, [a.port, b.port]);
		const room = await client.subscribe("t");

		await waitFor("the other", () => room.place.epoch === "B");
		assert.deepEqual(asked[0].since,
		    { epoch: "A", seq: 7, pos: "log.5" });
		assert.deepEqual(room.place, { epoch: "B", seq: 3, pos: "log.8" });
	});

	/* It was cut off before the first, so it begins again. */
	test("a past that never came is asked for again", async (t) => {
		const ear = new Ear(), asked = [];
		const a = await scripted(t, host("A", [], (request, socket) => {
			setTimeout(() => socket.close(1012), 0);
			return [ack(request, "A", 7, { pos: "log.5", replayed: 2,
				recovered: true })];
		}));
		const b = await scripted(t, host("B", asked, (request) =>
			[ack(request, "B", 3, { pos: "log.8", replayed: 1,
				recovered: true }), message(3, "log.4", "last")]));
		const { client } = openAll(t, [a.port, b.port]);

		await client.subscribe("t", { history: 2, ...ear.options });
		assert.deepEqual(await ear.hears(1), ["last"]);
		assert.equal(asked[0].history, 2);
	});

	test("its own messages do not come back by the other", async (t) => {
		const ear = new Ear(), asked = [];
		let leave;
		const a = await scripted(t, host("A", [], (request, socket) => {
			leave = () => socket.close(1012);
			if (request.type === "publish")
				return [ack(request, "A", 2, { pos: "log.20" })];
			return [ack(request, "A", 0, { pos: "log.1" })];
		}));
		const b = await scripted(t, host("B", asked, (request) => [
			ack(request, "B", 6, { pos: "log.30", replayed: 2,
				recovered: true }),
			message(5, "log.10", "another's"),
			message(6, "log.20", "mine"),
			message(7, "log.40", "later")]));
		const { client } = openAll(t, [a.port, b.port]);

		await client.subscribe("t", { echo: false, ...ear.options });
		assert.deepEqual(await client.publish("t", "mine"),
		    { topic: "t", epoch: "A", seq: 2, pos: "log.20" });
		leave();
		assert.deepEqual(await ear.hears(2), ["another's", "later"]);
		assert.equal(asked[0].since.pos, "log.1");
	});
});

describe("JavaScript client, a host is cut off from its cluster", () => {
	test("what it refuses is published at another", async (t) => {
		const asked = [[], []];
		const a = await scripted(t, host("A", asked[0], (request) =>
			[refusal(request)]));
		let seq = 0;
		const b = await scripted(t, host("B", asked[1], (request) =>
			[ack(request, "B", ++seq)]));
		const { client, states } = openAll(t, [a.port, b.port]);

		await reaches(client, "open");
		const done = await Promise.all([1, 2, 3].map((n) =>
			client.publish("t", n)));

		assert.deepEqual(done.map(({ epoch, seq }) => [epoch, seq]),
		    [["B", 1], ["B", 2], ["B", 3]]);
		assert.deepEqual(asked.map((all) => all.map((one) => one.message)),
		    [[1, 2, 3], [1, 2, 3]]);
		assert.deepEqual(states, ["connecting 0", "open 0", "waiting 0",
			"connecting 1", "open 1"]);
	});

	/* The host has come back in between, and answers when the client has
	 * dealt with its refusal. */
	test("what is under way meanwhile is answered first", async (t) => {
		const a = await scripted(t, ({ say, welcome }) => {
			welcome({ epoch: "A" });
			return (request) => {
				if (request.message === 1)
					say(refusal(request));
				else
					setTimeout(() => say(ack(request, "A", 1)), 50);
			};
		});
		const b = await scripted(t, host("B", [], (request) =>
			[ack(request, "B", 7)]));
		const { client } = openAll(t, [a.port, b.port]);

		await reaches(client, "open");
		const done = await Promise.all([1, 2].map((n) =>
			client.publish("t", n)));

		assert.deepEqual(done.map(({ epoch, seq }) => [epoch, seq]),
		    [["B", 7], ["A", 1]]);
	});

	test("it fails when each has refused, and goes no further", async (t) => {
		const servers = [];

		for (let i = 0; i < 3; i++)
			servers.push(await scripted(t, host(`${i}`, [],
			    (request) => [refusal(request)])));
		const { client } = openAll(t, servers.map(({ port }) => port));

		await assert.rejects(client.publish("t", 1),
		    { code: "cluster_down", message: "the log is away" });
		assert.equal(client.state, "open");
		assert.deepEqual(servers.map(({ connections }) => connections),
		    [1, 1, 1]);
	});

	test("one server alone has the last word", async (t) => {
		const a = await scripted(t, host("A", [],
		    (request) => [refusal(request)]));
		const { client } = openAll(t, [a.port]);

		await assert.rejects(client.publish("t", 1),
		    { code: "cluster_down" });
		assert.equal(a.connections, 1);
	});

	/* It has not come to the place of this client, and will not. */
	test("a subscription it cannot go on with does at another", async (t) => {
		const asked = [], ear = new Ear();
		const a = await scripted(t, host("A", [], (request) =>
			[refusal(request)]));
		const b = await scripted(t, host("B", asked, (request) => [
			ack(request, "B", 1, { pos: "log.9", replayed: 1,
				recovered: true }),
			message(1, "log.8", "there")]));
		const { client } = openAll(t, [a.port, b.port]);
		const since = { epoch: "C", seq: 4, pos: "log.7" };

		await client.subscribe("t", { since, ...ear.options });
		assert.deepEqual(await ear.hears(1), ["there"]);
		assert.deepEqual(asked[0].since, since);
	});

	test("with one server alone, later", async (t) => {
		const a = await scripted(t,
		    host("A", [], (request) => [refusal(request)]),
		    host("A", [], (request) => [refusal(request)]),
		    host("A", [], (request) => [ack(request, "A", 1,
			{ pos: "log.9", recovered: true })]));
		const { client } = openAll(t, [a.port]);

		await client.subscribe("t",
		    { since: { epoch: "C", seq: 4, pos: "log.7" } });
		assert.equal(a.connections, 3);
	});
});

describe("JavaScript client, servers that share nothing", () => {
	const gap = { from: undefined, to: undefined, reason: "epoch" };

	async function said(server, ...texts) {
		for (const body of texts)
			assert.equal((await fetch(`${server.url}/topics/t`,
			    { method: "POST", body })).status, 200);
	}

	/* Restart the server that the client is at until it goes to the other one:
	 * it goes to whose time comes first, and those are drawn. */
	async function moves({ client, states }, from, to) {
		do {
			const known = states.length;

			await from.cli("restart");
			await waitFor("open again", () => {
				client.wake();
				return states.slice(known).some(
				    (state) => state.startsWith("open"));
			});
		} while (client.url !== urlOf(to.port));
		await isAt(client, to);
	}

	/* The client is at this server, with its subscription. */
	function isAt(client, server) {
		return waitFor(`at ${server.port}`, async () => {
			client.wake();
			return client.url === urlOf(server.port) &&
			    await server.total("subscriptions") === 1;
		});
	}

	test("a gap is told where each begins, and nothing doubled",
	    async (t) => {
		    const [a, b, c] = [await Server.start(t),
			    await Server.start(t), await Server.start(t)];
		    const ear = new Ear();
		    const all = openAll(t, [a.port, b.port]);
		    const { client } = all;

		    await said(b, "b0");
		    await said(c, "never");
		    await client.subscribe("t", ear.options);
		    await said(a, "a1", "a2");
		    await ear.hears(2);

		    /* All of b is new. */
		    await moves(all, a, b);
		    assert.deepEqual((await ear.hears(4)).slice(2), [gap, "b0"]);
		    await said(b, "b1");
		    await said(a, "a3", "a4");
		    await ear.hears(5);

		    /* Of a, what came meanwhile. */
		    await moves(all, b, a);
		    await said(a, "a5");
		    assert.deepEqual((await ear.hears(9)).slice(4),
			["b1", gap, "a3", "a4", "a5"]);

		    /* A server that has begun anew has another ring. */
		    await a.stop();
		    await isAt(client, b);
		    await said(b, "b2");
		    await runAgain(a);
		    await said(a, "A1");
		    await b.stop();
		    await isAt(client, a);
		    await said(a, "A2");
		    assert.deepEqual((await ear.hears(14)).slice(9),
			[gap, "b2", gap, "A1", "A2"]);
		    assert.equal(ear.heard.length, 14);
	    });

	test("what is asked while one is gone is done at another",
	    async (t) => {
		    const [a, b] = [await Server.start(t),
			    await Server.start(t)];
		    const { client } = openAll(t, [a.port, b.port]);

		    await reaches(client, "open");
		    await a.stop();
		    await waitFor("gone", () => client.state !== "open" ||
			client.url === urlOf(b.port));
		    const { seq } = await client.publish("t", "x");

		    assert.equal(seq, 1);
		    assert.equal(client.url, urlOf(b.port));
	    });
});
