// SPDX-License-Identifier: MIT
/*
 * centrifuge.test.mjs - clients of Centrifuge and Centrifugo, with the library
 * that they have from npm: whatever happens to the server, they miss nothing, or
 * know that they did.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import WebSocket from "ws";

import { guarded } from "./access.mjs";
import { PATH, Sdk } from "./centrifuge.mjs";
import { post } from "./events.mjs";
import { Server, bounded, waitFor } from "./support.mjs";
import { now } from "./tokens.mjs";
import { upgrade } from "./upgrade.mjs";
import { V1 } from "./v1-client.mjs";

/* A client that stops reading is slow only when the sockets on both sides are
 * full: 20 of these are more than the kernel ever takes. */
const LARGE = "x".repeat(900_000);

/* On a busy machine so much takes longer than the library waits for an answer. */
const PATIENT = { timeout: 60_000 };

/* Publish the numbers of this range by HTTP. */
async function publish(server, from, to, pad = "") {
	for (let i = from; i <= to; i++)
		await post(server, "room", JSON.stringify({ i, pad }),
		    { "Content-Type": "application/json" });
}

/* A connection without the library; its messages, parsed, and its end. */
async function raw(t, server, { protocols = [], ...options } = {}) {
	const ws = new WebSocket(`ws://127.0.0.1:${server.port}${PATH}`,
	    protocols, options);
	const client = { ws, replies: [] };

	t.after(() => ws.terminate());
	ws.on("message", (text) => client.replies.push(...String(text)
	    .split("\n").map(JSON.parse)));
	client.closed = new Promise((resolve) => {
		ws.on("close", (code, reason) =>
			resolve({ code, reason: String(reason) }));
	});
	await bounded("connection", new Promise((resolve, reject) => {
		ws.on("open", resolve);
		ws.on("error", reject);
	}));
	client.say = (...commands) =>
		ws.send(commands.map((c) => JSON.stringify(c)).join("\n"));
	client.next = () => waitFor("a reply", () => client.replies.shift());
	return client;
}

const code = async (client) => (await bounded("close", client.closed)).code;

describe("Centrifuge's library", { concurrency: 2 }, () => {
	test("publishes, subscribes, and reads the past", async (t) => {
		const server = await Server.start(t);
		const [ann, bob] = [await Sdk.open(t, server),
			await Sdk.open(t, server)];
		const room = await ann.subscribe("room");

		assert.equal(room.subscribed[0].recoverable, true);
		assert.equal(room.subscribed[0].positioned, true);
		assert.equal(room.subscribed[0].wasRecovering, false);
		assert.notEqual(ann.connected[0].client, bob.connected[0].client);
		await bob.publish("room", { text: "grüß\n\"dich\"" });
		for (const data of ["text", 7, null, [1, { a: true }]])
			await bob.publish("room", data);
		await room.received(5);
		assert.deepEqual(room.data, [{ text: "grüß\n\"dich\"" }, "text",
			7, null, [1, { a: true }]]);
		room.assertDense(1, 5);
		const { epoch } = await server.status();
		const past = async (options) => {
			const history = await bob.client.history("room", options);

			assert.equal(history.epoch, epoch);
			assert.equal(history.offset, 5);
			return history.publications.map(({ offset }) => offset);
		};

		assert.deepEqual(await past(), []);
		assert.deepEqual(await past({ limit: 2 }), [1, 2]);
		assert.deepEqual(await past({ limit: -1 }), [1, 2, 3, 4, 5]);
		assert.deepEqual(await past({ limit: 2, reverse: true }), [5, 4]);
		assert.deepEqual(
		    await past({ limit: 9, since: { offset: 3, epoch } }), [4, 5]);
		await assert.rejects(
		    past({ limit: 9, since: { offset: 3, epoch: "x" } }),
		    { code: 112 });
		await assert.rejects(bob.client.rpc("dance", {}), { code: 108 });
		await room.sub.unsubscribe();
		await bob.publish("room", "unheard");
		assert.deepEqual(room.unsubscribed, [0]);
		assert.equal(await server.total("subscriptions"), 0);
	});

	test("and hears from others, who hear from it", async (t) => {
		const server = await Server.start(t);
		const sdk = await Sdk.open(t, server);
		const room = await sdk.subscribe("room");
		const [v1, other] = [await V1.open(server),
			await V1.open(server)];

		await v1.subscribe("room");
		await post(server, "room", "by HTTP");
		await other.ask({ type: "publish", topic: "room", message: [1] });
		await sdk.publish("room", { by: "centrifuge" });
		await room.received(3);
		assert.deepEqual(room.data,
		    ["by HTTP", [1], { by: "centrifuge" }]);
		assert.deepEqual((await v1.barrier())
		    .filter(({ type }) => type === "message")
		    .map(({ message }) => message), room.data);
		await v1.close();
		await other.close();
	});

	test("knows who is there, comes and leaves", async (t) => {
		const server = await Server.start(t, ["--leave-delay", "0"]);
		const ann = await Sdk.open(t, server, { query: "?user=ann" });
		const room = await ann.subscribe("room", { joinLeave: true });
		const bob = await Sdk.open(t, server, { query: "?user=bob" });
		const nobody = await Sdk.open(t, server);

		await bob.subscribe("room");
		await nobody.subscribe("room");
		const { clients } = await room.sub.presence();

		assert.deepEqual(Object.values(clients)
		    .map(({ user }) => user).sort(), ["ann", "bob"]);
		assert.deepEqual(await room.sub.presenceStats(),
		    { numClients: 3, numUsers: 2 });
		bob.client.disconnect();
		await waitFor("two events", () => room.members.length >= 2);
		assert.deepEqual(room.members,
		    [["join", "bob"], ["leave", "bob"]]);
	});

	test("is a connection as all others to the operator", async (t) => {
		const server = await Server.start(t);
		const sdk = await Sdk.open(t, server);

		await sdk.subscribe("room");
		const { stdout } = await server.cli("conns", "--json");
		const [conn, ...none] = JSON.parse(stdout);

		assert.deepEqual(none, []);
		assert.equal(conn.protocol, "centrifuge-json");
		assert.equal(conn.id, sdk.connected[0].client);
		assert.deepEqual(conn.topics, ["room"]);
	});

	test("lives below a base path", async (t) => {
		const server = await Server.start(t, ["--base-path", "/chat"]);
		const sdk = await Sdk.open(t, server, { path: `/chat${PATH}` });

		await sdk.publish("room", 1);
	});
});

describe("it misses nothing", { concurrency: 2 }, () => {
	test("when workers are killed", async (t) => {
		const server = await Server.start(t);
		const sdk = await Sdk.open(t, server);
		const room = await sdk.subscribe("room");

		server.deathsExpected = true;
		for (let round = 0; round < 3; round++) {
			const from = round * 20;

			await publish(server, from + 1, from + 10);
			for (const pid of await server.workers())
				process.kill(pid, "SIGKILL");
			await waitFor("the next ones", async () => (
				await server.status()).workers
			    .every(({ state }) => state === "ready"));
			await publish(server, from + 11, from + 20);
			await room.received(from + 20);
		}
		room.assertDense(1, 60);
		assert.deepEqual(room.data.map(({ i }) => i), room.offsets);
		assert.ok(room.subscribed.length > 1);
		for (const context of room.subscribed.slice(1))
			assert.ok(context.wasRecovering && context.recovered);
	});

	test("when the server restarts", async (t) => {
		const server = await Server.start(t);
		const sdk = await Sdk.open(t, server);
		const room = await sdk.subscribe("room");

		await publish(server, 1, 5);
		assert.equal((await server.cli("restart")).status, 0);
		await publish(server, 6, 10);
		await room.received(10);
		room.assertDense(1, 10);
		assert.equal((await room.times(2)).recovered, true);
		assert.equal(sdk.connecting[1].code, 3001);
		assert.deepEqual(sdk.disconnected, []);
	});

	test("when it is upgraded, not even its connection", async (t) => {
		const server = await Server.start(t);
		const sdk = await Sdk.open(t, server, { query: "?user=ann" });
		const room = await sdk.subscribe("room", { joinLeave: true });

		for (let i = 0; i < 3; i++) {
			for (let j = 0; j < 10; j++)
				await sdk.publish("room", { i: 10 * i + j });
			assert.deepEqual(await upgrade(server),
			    { moved: 1, closed: 0 });
		}
		await sdk.publish("room", { i: 30 });
		await room.received(31);
		room.assertDense(1, 31);
		assert.equal(room.subscribed.length, 1);
		const bob = await Sdk.open(t, server, { query: "?user=bob" });

		await bob.subscribe("room");
		await waitFor("bob", () => room.members.length > 0);
		assert.deepEqual(room.members[0], ["join", "bob"]);
	});

	test("when it is slow, and the ring still has it", async (t) => {
		const server = await Server.start(t,
		    ["--workers", "1", "--max-message", "1M"]);
		const sdk = await Sdk.open(t, server, PATIENT);
		const room = await sdk.subscribe("room");

		sdk.socket.pause();
		await publish(server, 1, 25, LARGE);
		assert.ok(await server.total("drops") > 0);
		sdk.socket.resume();
		await room.received(25);
		room.assertDense(1, 25);
		assert.equal(room.subscribing[1], 2500);
		for (const context of room.subscribed.slice(1))
			assert.ok(context.wasRecovering && context.recovered);
		assert.equal(sdk.connected.length, 1);
	});
});

describe("it knows what it missed", { concurrency: 2 }, () => {
	test("when it is slow, and the ring went by", async (t) => {
		const server = await Server.start(t, ["--workers", "1",
			"--max-message", "1M", "--ring-size", "20M"]);
		const sdk = await Sdk.open(t, server, PATIENT);
		const room = await sdk.subscribe("room");

		sdk.socket.pause();
		await publish(server, 1, 40, LARGE);
		sdk.socket.resume();
		const context = await room.times(2);

		assert.equal(room.subscribing[1], 2500);
		assert.equal(context.wasRecovering, true);
		assert.equal(context.recovered, false);
		assert.equal(context.streamPosition.offset, 40);
		const before = room.publications.length;

		room.assertDense(1, before);
		await publish(server, 41, 41);
		await room.received(before + 1);
		assert.equal(room.offsets.at(-1), 41);
	});

	test("when the ring is another", async (t) => {
		const server = await Server.start(t);
		const sdk = await Sdk.open(t, server);
		const room = await sdk.subscribe("room");

		await publish(server, 1, 3);
		await room.received(3);
		await server.stop();
		await server.run();
		const context = await room.times(2);

		assert.equal(context.wasRecovering, true);
		assert.equal(context.recovered, false);
		assert.notEqual(context.streamPosition.epoch,
		    room.subscribed[0].streamPosition.epoch);
		await publish(server, 4, 4);
		await room.received(4);
	});
});

describe("with tokens", { concurrency: 2 }, () => {
	const all = { subscribe: ["#"], publish: ["#"], presence: ["#"],
		history: ["#"] };

	test("it is who its token says, and may what that grants", async (t) => {
		const { server, issuer } = await guarded(t);
		const ann = await Sdk.open(t, server, { token: issuer.grant(all,
		    "ann", { info: { name: "Ann" } }) });
		const room = await ann.subscribe("room");
		const { clients } = await room.sub.presence();
		const [{ user, connInfo }] = Object.values(clients);

		assert.equal(user, "ann");
		assert.deepEqual(connInfo, { name: "Ann" });
		const bob = await Sdk.open(t, server, { token:
			issuer.grant({ subscribe: ["room"] }, "bob") });

		await bob.subscribe("room");
		await assert.rejects(bob.publish("room", 1), { code: 103 });
		await assert.rejects(bob.client.presence("room"), { code: 103 });
		await assert.rejects(bob.client.history("room"), { code: 103 });
		const other = bob.client.newSubscription("other");
		const refused = new Promise((resolve) => {
			other.on("unsubscribed", resolve);
		});

		other.subscribe();
		assert.equal((await bounded("refusal", refused)).code, 103);
	});

	test("none, a bad one, and one that is over", async (t) => {
		const { server, issuer } = await guarded(t);
		const over = issuer.grant(all, "ann", { exp: now() - 100 });
		let asked = 0;
		const getToken = () => {
			asked++;
			return Promise.resolve(issuer.grant(all, "ann"));
		};

		assert.equal(await new Sdk(t, server).end(), 101);
		assert.equal(await new Sdk(t, server, { token: "a.b.c" }).end(),
		    3500);
		const sdk = await Sdk.open(t, server, { token: over, getToken });

		assert.equal(asked, 1);
		await sdk.publish("room", 1);
	});

	test("of the handshake", async (t) => {
		const { server, issuer } = await guarded(t);
		const headers = { Authorization:
			`Bearer ${issuer.grant(all, "ann")}` };
		const sdk = await Sdk.open(t, server, { headers });

		await sdk.publish("room", 1);
		assert.equal(await new Sdk(t, server, { headers:
			{ Authorization: "Bearer a.b.c" } }).end(), 3500);
	});

	test("it renews its token in time, and loses what that does not grant",
	    async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--jwt-leeway", "0"]);
		const grants = [all, { subscribe: ["room"] }];
		let asked = 0;
		const sdk = await Sdk.open(t, server, { getToken: () => {
			const grant = grants[Math.min(asked++, 1)];

			return Promise.resolve(issuer.grant(grant, "ann",
			    { exp: now() + (asked === 1 ? 6 : 3600) }));
		} });
		const room = await sdk.subscribe("room");
		const hall = await sdk.subscribe("hall");

		await waitFor("the end of one subscription",
		    () => hall.unsubscribed.length > 0);
		assert.deepEqual(hall.unsubscribed, [2000]);
		assert.deepEqual(room.unsubscribed, []);
		assert.equal(asked, 2);
		assert.equal(sdk.connected.length, 1);
		assert.equal(await server.total("tokens_renewed"), 1);
	});

	test("who does not renew it is let go", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--jwt-leeway", "0"]);
		const client = await raw(t, server);

		client.say({ id: 1, connect: { token: issuer.grant(all, "ann",
		    { exp: now() + 3 }) } });
		const { connect } = await client.next();

		assert.equal(connect.expires, true);
		assert.ok(connect.ttl >= 1 && connect.ttl <= 2, connect.ttl);
		assert.equal(await code(client), 3005);
	});

	test("refresh needs one that is the same user's", async (t) => {
		const { server, issuer } = await guarded(t);
		const say = async (token) => {
			const client = await raw(t, server);

			client.say({ id: 1, connect:
			    { token: issuer.grant(all, "ann") } });
			assert.equal((await client.next()).id, 1);
			client.say({ id: 2, refresh: { token } });
			return client;
		};
		let client = await say(issuer.grant(all, "ann"));
		const { refresh } = await client.next();

		assert.equal(refresh.expires, true);
		assert.ok(refresh.ttl > 3000 && refresh.ttl < 3600);
		client = await say(issuer.grant(all, "bob"));
		assert.equal((await client.next()).error.code, 103);
		client = await say("a.b.c");
		assert.equal(await code(client), 3500);
		client = await say(issuer.grant(all, "ann",
		    { exp: now() - 100 }));
		assert.equal(await code(client), 3005);
	});

	test("who says nothing has not long to do so", async (t) => {
		const { server } = await guarded(t, ["--auth-timeout", "1"]);
		const client = await raw(t, server);

		assert.equal(await code(client), 3502);
	});
});

describe("on the wire", { concurrency: 2 }, () => {
	test("what these clients cannot have is refused", async (t) => {
		const server = await Server.start(t);

		for (const [options, status] of [
			[{ protocols: ["centrifuge-protobuf"] }, 400]])
			await assert.rejects(raw(t, server, options),
			    { message: `Unexpected server response: ${status}` });
		for (const path of ["sse", "http_stream", "sockjs"])
			assert.equal((await fetch(
			    `${server.url}/connection/${path}`)).status, 404);
		assert.equal((await fetch(`${server.url}${PATH}`)).status, 426);
		const client = await raw(t, server);

		client.say({ id: 1, connect: {} },
		    { id: 2, subscribe: { channel: "a", tf: { key: "k" } } },
		    { id: 3, subscribe: { channel: "a", type: 1 } },
		    { id: 4, subscribe: { channel: "a", delta: "fossil" } },
		    { id: 5, sub_refresh: { channel: "a", token: "t" } },
		    { id: 6, dance: {} },
		    { id: 7, subscribe: { channel: "x".repeat(256) } });
		assert.equal((await client.next()).connect.pong, true);
		assert.equal((await client.next()).error.code, 108);
		assert.equal((await client.next()).error.code, 108);
		assert.equal((await client.next()).subscribe.delta, undefined);
		assert.equal((await client.next()).error.code, 108);
		assert.equal((await client.next()).error.code, 104);
		assert.equal((await client.next()).error.code, 107);
	});

	test("limits", async (t) => {
		const server = await Server.start(t,
		    ["--max-topics-per-conn", "2", "--max-message", "1000"]);
		const client = await raw(t, server);

		client.say({ id: 1, connect: {} },
		    { id: 2, subscribe: { channel: "a" } },
		    { id: 3, subscribe: { channel: "b" } },
		    { id: 4, subscribe: { channel: "c" } },
		    { id: 5, publish: { channel: "a", data: "x".repeat(999) } });
		for (const wanted of [undefined, undefined, undefined, 106, 106])
			assert.equal((await client.next()).error?.code, wanted);
		client.say({ id: 6, publish: { channel: "a",
			data: "x".repeat(3000) } });
		assert.equal(await code(client), 1009);
	});

	test("commands count, not frames", async (t) => {
		const server = await Server.start(t, ["--rate", "50"]);
		const client = await raw(t, server);
		const commands = Array.from({ length: 500 },
		    (_, i) => ({ id: i + 2, unsubscribe: { channel: "a" } }));

		client.say({ id: 1, connect: {} }, ...commands);
		client.say({ id: 1000, unsubscribe: { channel: "a" } });
		await waitFor("all of the first frame",
		    () => client.replies.length >= 501);
		await waitFor("the pause",
		    async () => await server.total("rate_pauses") > 0);
		assert.equal(client.replies.length, 501);
	});

	test("what a stop and a kick are", async (t) => {
		const server = await Server.start(t);
		const client = await raw(t, server);

		client.say({ id: 1, connect: {} });
		await client.next();
		await server.stop();
		assert.equal(await code(client), 3001);
	});

	test("a ping is {}, and so is its answer", async (t) => {
		const server = await Server.start(t, ["--ping-interval", "1"]);
		const [quiet, heard] = [await raw(t, server),
			await raw(t, server)];

		for (const client of [quiet, heard]) {
			client.say({ id: 1, connect: {} });
			assert.equal((await client.next()).connect.ping, 1);
		}
		for (let i = 0; i < 3; i++) {
			assert.deepEqual(await heard.next(), {});
			heard.say({});
		}
		assert.deepEqual(await quiet.next(), {});
		assert.equal(await code(quiet), 3012);
	});
});
