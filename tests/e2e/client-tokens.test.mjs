// SPDX-License-Identifier: MIT
/*
 * client-tokens.test.mjs - public/pubsub.js shows a token: when it fetches one,
 * when it shows it, and what becomes of a refusal.
 *
 * Servers of a script's make here what a real one makes only in hours.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { PubSubError } from "../../public/pubsub.js";
import { Tokens } from "../../public/pubsub-token.js";
import { guarded } from "./access.mjs";
import { Ear, open, reaches, scripted } from "./client-support.mjs";
import { Server, waitFor } from "./support.mjs";
import { Issuer, now } from "./tokens.mjs";

const UNAUTHORIZED = 4001, EXPIRED = 4103;

const seconds = () => Math.floor(Date.now() / 1000);

/* What answers every request as a server does that takes these tokens; `asked'
 * notes all of them. */
function serving({ say, welcome }, { asked, takes = () => true, life = 3600 }) {
	welcome();
	return (request) => {
		const { type, id, topic, token } = request;

		asked.push(request);
		if (type !== "auth")
			say({ type: "ack", id, topic, epoch: "E", seq: asked.length });
		else if (takes(token))
			say({ type: "ack", id, user: `of ${token}`,
				expires: seconds() + life });
		else
			say({ type: "error", id, code: "bad_token",
				reason: "bad token: no" });
	};
}

/* Gives out the tokens t1, t2 ...; `given' says how many. */
function mint() {
	const get = async () => `t${++get.given}`;

	get.given = 0;
	return get;
}

const auths = (asked) =>
	asked.filter(({ type }) => type === "auth").map(({ token }) => token);

const code = (expected) => (error) => {
	assert.ok(error instanceof PubSubError, error);
	assert.equal(error.code, expected);
	return true;
};

describe("a token", { concurrency: true }, () => {
	test("is shown before anything is asked", async (t) => {
		const asked = [], token = mint();
		const { port } = await scripted(t, (server) =>
			serving(server, { asked }));
		const client = open(t, port, { token });

		assert.equal(token.given, 1); /* before there is a connection */
		assert.equal(client.user, "");
		client.publish("a", 1);
		await client.subscribe("b");
		assert.deepEqual(asked.map(({ type, id }) => [type, id]),
		    [["auth", 0], ["subscribe", 2], ["publish", 1]]);
		assert.equal(asked[0].token, "t1");
		assert.equal(client.user, "of t1");
	});

	test("serves for the next connection, while it is good", async (t) => {
		const asked = [], token = mint(), sockets = [];
		const { port } = await scripted(t, (server) => {
			sockets.push(server.socket);
			return serving(server, { asked });
		});
		const client = open(t, port, { token });

		await reaches(client, "open");
		sockets[0].terminate();
		await waitFor("two tokens shown", () => auths(asked).length === 2);
		assert.deepEqual(auths(asked), ["t1", "t1"]);
		assert.equal(token.given, 1);
	});

	test("that ends soon does not", async (t) => {
		const asked = [], token = mint(), sockets = [];
		const { port } = await scripted(t, (server) => {
			sockets.push(server.socket);
			return serving(server, { asked, life: 59 });
		});
		const client = open(t, port, { token });

		await reaches(client, "open");
		sockets[0].close(EXPIRED, "the token has expired");
		await waitFor("two tokens shown", () => auths(asked).length === 2);
		assert.deepEqual(auths(asked), ["t1", "t2"]);
	});

	test("is renewed on the connection", async (t) => {
		const asked = [], token = mint();
		let tell;
		const server = await scripted(t, (connection) => {
			tell = connection.say;
			return serving(connection, { asked });
		});
		const client = open(t, server.port, { token });

		await client.subscribe("a");
		tell({ type: "expiring", in_ms: 0 });
		await waitFor("another", () => client.user === "of t2");
		assert.equal((await client.publish("a", 1)).topic, "a");
		assert.equal(server.connections, 1);
		assert.deepEqual(auths(asked), ["t1", "t2"]);
	});

	test("is not fetched over and over where it lives shortly", async () => {
		const tokens = new Tokens(mint());

		assert.equal(tokens.delay(0), 0);
		await tokens.token();
		assert.equal(tokens.delay(20_000), 10_000);
		assert.equal(tokens.delay(0), 0);
	});

	test("is fetched once for all who wait for it", async () => {
		const get = mint();
		const tokens = new Tokens(get);

		assert.deepEqual(await Promise.all(
		    [tokens.token(), tokens.renewed(), tokens.token()]),
		["t1", "t1", "t1"]);
		assert.equal(await tokens.token(), "t1");
		assert.equal(await tokens.renewed(), "t2");
	});

	for (const nothing of [null, "", async () => null])
		test(`that is ${nothing} is not shown`, async (t) => {
			const asked = [];
			const { port } = await scripted(t, (server) =>
				serving(server, { asked }));
			const client = open(t, port, { token: typeof nothing ===
			    "function" ? nothing : () => nothing });

			await client.publish("a", 1);
			assert.deepEqual(auths(asked), []);
		});
});

describe("a token that is refused", { concurrency: true }, () => {
	const bad = { takes: () => false };

	test("though it is new is the end", async (t) => {
		const asked = [], token = mint();
		const server = await scripted(t, (connection) =>
			serving(connection, { asked, ...bad }));
		const client = open(t, server.port, { token });

		await assert.rejects(client.subscribe("a"), code("closed"));
		assert.equal(client.state, "closed");
		assert.equal(client.reason, "bad token: no");
		assert.deepEqual(auths(asked), ["t1"]);
		assert.equal(server.connections, 1);
	});

	test("by a close, too", async (t) => {
		const { port } = await scripted(t, ({ socket, welcome }) => {
			welcome();
			return () => socket.close(UNAUTHORIZED, "bad token: no");
		});
		const client = open(t, port, { token: mint() });

		await reaches(client, "closed");
		assert.equal(client.reason, "bad token: no");
	});

	test("though it was taken before: the next is fetched", async (t) => {
		const asked = [], token = mint(), sockets = [];
		let good = "t1";
		const { port } = await scripted(t, (server) => {
			sockets.push(server.socket);
			return serving(server, { asked, takes: (it) => it === good });
		});
		const client = open(t, port, { token });

		await reaches(client, "open");
		good = "t2";
		sockets[0].terminate();
		await waitFor("the second", () => client.user === "of t2");
		assert.deepEqual(auths(asked), ["t1", "t1", "t2"]);
	});

	test("as a renewal leaves the connection", async (t) => {
		const asked = [], token = mint();
		let tell, end;
		const server = await scripted(t, (connection) => {
			tell = connection.say;
			end = connection.socket;
			return serving(connection,
			    { asked, takes: (it) => it !== "t2" });
		});
		const client = open(t, server.port, { token });

		await reaches(client, "open");
		tell({ type: "expiring", in_ms: 0 });
		await waitFor("the renewal", () => auths(asked).length === 2);
		await client.publish("a", 1);
		assert.equal(server.connections, 1);
		end.close(EXPIRED, "the token has expired");
		await waitFor("a third", () => client.user === "of t3");
	});

	test("before it was there does not end anything", async (t) => {
		const asked = [];
		let give;
		const first = new Promise((resolve) => {
			give = resolve;
		});
		const server = await scripted(t, ({ socket, welcome }) => {
			welcome();
			socket.close(UNAUTHORIZED, "no token in time");
		}, (connection) => serving(connection, { asked }));
		const client = open(t, server.port, { token: () => first });

		await waitFor("another try", () => server.connections === 2);
		give("late");
		await client.publish("a", 1);
		assert.deepEqual(auths(asked), ["late"]); /* on the second alone */
	});
});

describe("no token to be had", { concurrency: true }, () => {
	test("is a connection to be tried again", async (t) => {
		const asked = [], reasons = [];
		let tries = 0;
		const { port } = await scripted(t, (server) =>
			serving(server, { asked }));
		const client = open(t, port, {
			async token() {
				if (++tries < 3)
					throw new Error("logged out");
				return "at last";
			},
			onState: ({ state, reason }) =>
				state === "waiting" && reasons.push(reason),
		});

		await client.publish("a", 1);
		assert.deepEqual(reasons,
		    ["no token: logged out", "no token: logged out"]);
		assert.deepEqual(auths(asked), ["at last"]);
	});

	test("in time", async (t) => {
		const { port } = await scripted(t, (server) =>
			serving(server, { asked: [] }));
		const client = open(t, port,
		    { timeout: 50, token: () => new Promise(() => {}) });

		await waitFor("the reason", () => client.reason === "no token");
	});
});

test("a server that asks for no token", async (t) => {
	const { port } = await scripted(t, ({ say, welcome }) => {
		welcome();
		return ({ type, id, topic }) => say(type === "auth" ?
			{ type: "error", id, code: "unknown_type", reason: "what?" } :
			{ type: "ack", id, topic, epoch: "E", seq: 1 });
	});
	const client = open(t, port, { token: mint() });

	await client.publish("a", 1);
	assert.equal(client.user, "");
});

describe("with a server that asks", { concurrency: true }, () => {
	test("what is granted is done, and all else fails by itself", async (t) => {
		const { server, issuer } = await guarded(t);
		const token = () => issuer.grant({ subscribe: ["room/+"],
			publish: ["room/1"], history: ["room/+"] });
		const client = open(t, server.port, { token });
		const ear = new Ear();

		await client.subscribe("room/1", ear.options);
		await client.publish("room/1", "hello");
		assert.deepEqual(await ear.hears(1), ["hello"]);
		assert.equal(client.user, "42");
		for (const call of [client.publish("room/2", 1),
			client.subscribe("rooms"), client.presence("room/1"),
			client.history("rooms")])
			await assert.rejects(call, code("forbidden"));
		assert.equal((await client.history("room/1")).messages.length, 1);
		assert.equal(client.state, "open");
	});

	test("nothing is done without a token", async (t) => {
		const { server } = await guarded(t);

		for (const options of [{}, { token: () => null }])
			await assert.rejects(open(t, server.port, options)
			    .subscribe("room/1"), code("unauthorized"));
	});

	test("a token of another's key ends the client", async (t) => {
		const { server } = await guarded(t);
		const stranger = new Issuer();
		const client = open(t, server.port,
		    { token: () => stranger.grant({ subscribe: ["#"] }) });

		await assert.rejects(client.subscribe("a"), code("closed"));
		assert.equal(client.reason, "the token's signature is wrong");
	});

	test("a subscription goes on with the next token", async (t) => {
		const { server, issuer } = await guarded(t, ["--jwt-leeway", "0"]);
		const lives = [2, 3600];
		let given = 0;
		const all = { subscribe: ["#"], publish: ["#"], history: ["#"] };
		const client = open(t, server.port, { token: () => issuer.grant(all,
		    "42", { exp: now() + lives[Math.min(given++, 1)] }) });
		const ear = new Ear();

		await client.subscribe("room/1", ear.options);
		await client.publish("room/1", 1);
		await waitFor("the end of a token", () => given === 2);
		await client.publish("room/1", 2);
		assert.deepEqual(await ear.hears(2), [1, 2]);
		assert.equal(client.state, "open");
	});

	test("a server that does not ask takes everybody", async (t) => {
		const server = await Server.start(t);
		const client = open(t, server.port, { token: () => "a.b.c" });

		await client.publish("a", 1);
		assert.equal(client.user, "");
	});
});

test("what is not granted fails by itself", async (t) => {
	let tell;
	const { port } = await scripted(t, ({ say, welcome }) => {
		tell = say;
		welcome();
		return ({ type, id, topic }) => {
			if (topic === "theirs")
				say({ type: "error", id, code: "forbidden",
					reason: "there is no grant for this" });
			else
				say({ type: "ack", id, topic, epoch: "E", seq: 1,
					...type === "auth" && { user: "42" } });
		};
	});
	const client = open(t, port, { token: mint() });
	const ends = [];

	await assert.rejects(client.publish("theirs", 1), code("forbidden"));
	await assert.rejects(client.subscribe("theirs"), code("forbidden"));
	await client.subscribe("mine", { onEnd: (error) => ends.push(error) });
	assert.equal(client.state, "open");
	tell({ type: "unsubscribed", topic: "mine", code: "forbidden" });
	await waitFor("the end", () => ends.length === 1);
	assert.ok(code("forbidden")(ends[0]));
	await client.subscribe("mine"); /* there is no subscription any more */
	assert.equal(client.state, "open");
});
