// SPDX-License-Identifier: MIT
/*
 * access-live.test.mjs - who may what, on a connection that lives: the token as
 * a message, another one later, and what ends when a grant does.
 */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { ask, guarded, open, openPlain, publish } from "./access.mjs";
import { Events } from "./events.mjs";
import { Client, Frame, Raw, Server, waitFor } from "./support.mjs";
import { Issuer, bearer, directory, now, writeKeys } from "./tokens.mjs";

const ALL = { subscribe: ["#"], publish: ["#"], presence: ["#"],
	history: ["#"] };

const auth = (client, token) => client.ask({ type: "auth", token });

describe("a token as a message", { concurrency: true }, () => {
	test("makes somebody of a connection", async (t) => {
		const { server, issuer } = await guarded(t);
		const client = await open(server);
		const exp = now() + 1000;

		await client.refuse({ type: "publish", topic: "a", message: 1 },
		    "unauthorized");
		assert.deepEqual(await auth(client,
		    issuer.grant({ publish: ["a"] }, "42", { exp })),
		    { type: "ack", user: "42", expires: exp });
		assert.equal((await client.publish("a", 1)).seq, 1);
		await client.refuse({ type: "subscribe", topic: "a" },
		    "forbidden");
		await client.close();
	});

	test("takes effect in its place among the requests", async (t) => {
		const { server, issuer } = await guarded(t);
		const raw = await Raw.open(server.port, "/ws", { t,
			headers: { "Sec-WebSocket-Protocol": "pubsubd.v1" } });
		const requests = [
			{ type: "publish", topic: "a", message: 1 },
			{ type: "auth", token: issuer.grant({ publish: ["a"] }) },
			{ type: "publish", topic: "a", message: 1 },
			{ type: "auth", token: issuer.grant({}) },
			{ type: "publish", topic: "a", message: 1 },
		];
		const answers = [];

		/* In one piece, so that all of them are of one turn. */
		raw.send(...requests.map((request, id) => Frame.encode(Frame.TEXT,
		    JSON.stringify({ id, ...request }))));
		assert.equal(JSON.parse(await raw.text()).type, "welcome");
		for (let i = 0; i < requests.length; i++)
			answers.push(JSON.parse(await raw.text()));
		assert.deepEqual(answers.map(({ id, type, code }) =>
			[id, code ?? type]),
		    [[0, "unauthorized"], [1, "ack"], [2, "ack"], [3, "ack"],
			[4, "forbidden"]]);
		await raw.close();
	});

	test("needs no sub, and no id", async (t) => {
		const { server, issuer } = await guarded(t);
		const client = await open(server);
		const exp = now() + 1000;

		client.send({ type: "auth", token: issuer.token(
		    { exp, pubsubd: { publish: ["a"] } }) });
		assert.equal((await client.publish("a", 1)).seq, 1);
		assert.deepEqual(await auth(client, issuer.token({ exp })),
		    { type: "ack", expires: exp });
		await client.close();
	});

	test("that is bad changes nothing", async (t) => {
		const { server, issuer } = await guarded(t);
		const client = await open(server,
		    issuer.grant({ publish: ["a"] }));

		for (const [request, code] of [
			[{ token: new Issuer().grant(ALL) }, "bad_token"],
			[{ token: "x" }, "bad_token"],
			[{ token: "" }, "bad_token"],
			[{ token: "x".repeat(9000) }, "bad_token"],
			[{ token: 1 }, "bad_request"],
			[{ token: null }, "bad_request"],
			[{}, "bad_request"],
		])
			await client.refuse({ type: "auth", ...request }, code);
		assert.equal((await client.publish("a", 1)).seq, 1);
		await client.close();
	});

	test("of another user is refused", async (t) => {
		const { server, issuer } = await guarded(t);
		const client = await open(server,
		    issuer.grant({ publish: ["a"] }, "42"));

		for (const sub of ["43", "4", "421", undefined])
			await client.refuse({ type: "auth",
				token: issuer.token({ sub, pubsubd: ALL }) },
			    "forbidden");
		await client.refuse({ type: "publish", topic: "b", message: 1 },
		    "forbidden");
		assert.equal((await client.publish("a", 1)).seq, 1);
		await client.close();
	});

	test("is acknowledged where everybody may everything", async (t) => {
		const server = await Server.start(t);
		const client = await open(server);

		assert.deepEqual(await auth(client, new Issuer().grant(ALL)),
		    { type: "ack" });
		await client.close();
	});

	test("must come in time where nothing is granted", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--auth-timeout", "3"]);
		const silent = await open(server), talks = await open(server);
		const known = await open(server);

		await auth(known, issuer.grant({ publish: ["a"] }));
		await talks.refuse({ type: "subscribe", topic: "a" },
		    "unauthorized");
		for (const client of [silent, talks])
			assert.deepEqual(await client.closed, { code: 4001,
				reason: "unauthorized: no token came in time" });
		assert.equal((await known.publish("a", 1)).seq, 1);
		assert.equal(await server.total("timeouts"), 2);
		await known.close();
	});

	test("need not come where something is granted to all", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--auth-timeout", "1", "--anonymous", "subscribe:news"]);
		const nobody = await open(server);
		/* One whose time is over shows that time has passed. */
		const brief = await open(server, issuer.grant({}, "42",
		    { exp: now() - 28 }));

		assert.equal((await brief.closed).code, 4103);
		assert.equal((await nobody.subscribe("news")).seq, 0);
		await nobody.close();
	});
});

describe("another token", { concurrency: true }, () => {
	test("keeps a connection beyond the end of the first", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--jwt-leeway", "0"]);
		const brief = { exp: now() + 2 };
		const renewed = await open(server,
		    issuer.grant({ subscribe: ["a"] }, "42", brief));
		const other = await open(server,
		    issuer.grant({ subscribe: ["a"] }, "43", brief));

		/* The end may be near by the time this is answered. */
		renewed.send({ type: "subscribe", id: "a", topic: "a" });
		assert.deepEqual([await renewed.next(), await renewed.next()]
		    .map(({ type }) => type).sort(), ["ack", "expiring"]);
		assert.equal((await auth(renewed,
		    issuer.grant({ subscribe: ["a"] }))).user, "42");
		assert.equal((await other.closed).code, 4103);
		await publish(server, "a", issuer.grant(ALL), "later");
		assert.equal((await renewed.next()).message, "later");
		assert.equal(await server.total("tokens_renewed"), 1);
		await renewed.close();
	});

	test("that grants less ends what it does not grant", async (t) => {
		const { server, issuer } = await guarded(t);
		const client = await open(server, issuer.grant(ALL));

		for (const name of ["a/1", "a/2", "b/1"])
			await client.subscribe(name);
		client.send({ type: "auth", id: 7,
			token: issuer.grant({ subscribe: ["a/+"] }) });
		assert.equal((await client.next()).type, "ack");
		assert.deepEqual(await client.next(), { type: "unsubscribed",
			topic: "b/1", code: "forbidden" });
		for (const name of ["b/1", "a/1", "a/2"])
			await publish(server, name, issuer.grant(ALL), name);
		assert.equal((await client.next()).topic, "a/1");
		assert.equal((await client.next()).topic, "a/2");
		await client.refuse({ type: "subscribe", topic: "b/1" },
		    "forbidden");
		await client.refuse({ type: "unsubscribe", topic: "b/1" },
		    "not_subscribed");
		assert.equal(await server.total("subscriptions"), 2);
		await client.close();
	});

	/* Messages of the topic are under way all the time: those before the end
	 * may come, none after it, and none of the others is lost. */
	test("no message follows the end of its subscription", async (t) => {
		const { server, issuer } = await guarded(t);
		const wide = issuer.grant(ALL);
		const narrow = issuer.grant({ subscribe: ["kept"],
			publish: ["kept", "lost"] });
		const writer = await open(server, wide);
		let going = true;

		const writing = (async () => {
			while (going) {
				for (const name of ["lost", "kept"])
					writer.send({ type: "publish",
						topic: name, message: 1 });
				await writer.barrier();
			}
		})();

		for (let round = 0; round < 20; round++) {
			const client = await open(server, wide);
			const { seq } = await client.subscribe("kept");
			let next = seq + 1, ended = false;

			client.send({ type: "subscribe", topic: "lost",
				history: round });
			client.send({ type: "auth", token: narrow });
			client.send({ type: "ping", id: "first" });
			for (let pongs = 0; pongs < 2;) {
				const frame = await client.next();

				if (frame.type === "unsubscribed") {
					assert.equal(frame.topic, "lost");
					ended = true;
					client.send({ type: "ping", id: "last" });
				} else if (frame.type === "pong") {
					pongs++;
				} else if (frame.topic === "kept") {
					assert.equal(frame.seq, next++);
				} else {
					assert.equal(ended, false, frame.type);
				}
			}
			await client.close();
		}
		going = false;
		await writing;
		await writer.close();
	});

	test("one that does not read is told in order, too", async (t) => {
		const { server, issuer } = await guarded(t);
		const client = await open(server, issuer.grant(ALL), {
			query: { buffer: 4096 } });
		const writer = await open(server, issuer.grant(ALL));

		await client.subscribe("a");
		client.socket.pause();
		for (let i = 0; i < 200; i++)
			await writer.publish("a", "x".repeat(10_000));
		client.send({ type: "auth",
			token: issuer.grant({ subscribe: ["b"] }) });
		await waitFor("the end of the subscription", async () =>
			await server.total("subscriptions") === 0);
		await writer.publish("a", "late");
		client.socket.resume();
		let ended = false, messages = 0;

		for (const frame of await client.barrier()) {
			if (frame.type === "unsubscribed")
				ended = true;
			else
				assert.equal(ended, false);
			messages += frame.type === "message" ? 1 : 0;
		}
		assert.equal(ended, true);
		assert.ok(messages <= 200);
		await client.close();
		await writer.close();
	});
});

describe("other rules by a reload", { concurrency: true }, () => {
	async function scene(t, ...lines) {
		const dir = directory(t), issuer = new Issuer();
		const keys = writeKeys(join(dir, "keys"), issuer);
		const file = join(dir, "conf");
		const write = (...list) => writeFileSync(file,
		    `${list.join("\n").replaceAll("KEYS", keys)}\n`);

		write(...lines);
		const server = await Server.start(t, ["--config", file]);

		return { server, issuer, async change(...list) {
			write(...list);
			const { status, stderr } = await server.cli("reload");

			assert.equal(status, 0, stderr);
		} };
	}

	test("end what they do not grant any more", async (t) => {
		const { server, issuer, change } = await scene(t,
		    "jwt-key = KEYS", "anonymous = subscribe:#");
		const nobody = await open(server);
		const known = await open(server,
		    issuer.grant({ subscribe: ["a"] }));
		const plain = await openPlain(server, null, { topics: ["a"] });
		const events = await Events.open(server, "a", { t });

		for (const client of [nobody, known])
			for (const name of ["a", "news"])
				await client.subscribe(name);
		await change("jwt-key = KEYS", "anonymous = subscribe:news");
		assert.deepEqual(await nobody.next(),
		    { type: "unsubscribed", topic: "a", code: "forbidden" });
		assert.deepEqual(await plain.closed, { code: 1008,
			reason: "forbidden: a topic is not granted any more" });
		assert.equal(await events.block(), null);
		/* What its own token grants stays. */
		await known.quiet();
		assert.equal(await server.total("subscriptions"), 3);
		await nobody.close();
		await known.close();
	});

	test("from open to guarded, and back", async (t) => {
		const { server, issuer, change } = await scene(t, "");
		const client = await open(server);

		await client.subscribe("a");
		await change("jwt-key = KEYS", "auth-timeout = 1");
		assert.equal((await client.next()).type, "unsubscribed");
		assert.equal((await client.closed).code, 4001);
		const waits = await open(server);

		await change("");
		/* Nobody waits for a token any more. */
		assert.equal((await waits.subscribe("a")).seq, 0);
		await change("jwt-key = KEYS", "auth-timeout = 100");
		assert.equal((await waits.next()).type, "unsubscribed");
		await auth(waits, issuer.grant(ALL));
		assert.equal((await waits.subscribe("a")).seq, 0);
		await waits.close();
	});
});

/* What there is beside a token: none of it may be a way around it. */
test("old ways in are asked, too", async (t) => {
	const { server, issuer } = await guarded(t);
	const client = await open(server, issuer.grant({ publish: ["a"] }));

	/* The plain contract's message inside pubsubd.v1. */
	await client.refuse({ topic: "a", message: "x" }, "forbidden");
	await client.refuse("{\"type\":\"publish\",\"topic\":\"b\",\"message\":1}",
	    "forbidden");
	await client.refuse(
	    "{\"type\":\"publish\",\"topic\":\"\\u0062\",\"message\":1}",
	    "forbidden");
	assert.equal((await client.ask(
	    { type: "publish", topic: "\u0061", message: 1 })).seq, 1);
	for (const path of ["/topics/b", "/topics/%62", "/topics?topic=b",
		"/topics/b?topic=b"]) {
		const { status } = await ask(server, path,
		    issuer.grant({ publish: ["a"] }),
		    { method: "POST", body: "x" });

		assert.equal(status, 403, path);
	}
	const query = await Client.open(server, { topics: ["b"],
		protocols: ["pubsubd.v1"],
		headers: bearer(issuer.grant({ subscribe: ["a"] })) });

	await query.received(2);
	assert.equal(JSON.parse(query.messages[1]).code, "forbidden");
	await query.close();
	await client.close();
});
