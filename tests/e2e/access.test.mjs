// SPDX-License-Identifier: MIT
/*
 * access.test.mjs - who may what: tokens and grants, for WebSockets of both
 * contracts, streams of events, and the HTTP interface.
 */

import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import {
	ask, guarded, open, openPlain, publish, refused, topic,
} from "./access.mjs";
import { Events } from "./events.mjs";
import { Client, PUBSUBD, Raw, Server, run } from "./support.mjs";
import {
	ALGORITHMS, Issuer, bearer, directory, now, writeKeys,
} from "./tokens.mjs";

const ROOM = { subscribe: ["room/#"], publish: ["room/#"],
	presence: ["room/#"], history: ["room/#"] };

describe("a server with a key", { concurrency: true }, () => {
	for (const alg of ALGORITHMS)
		test(`takes tokens by ${alg}`, async (t) => {
			const { server, issuer } =
			    await guarded(t, [], new Issuer(alg));
			const token = issuer.grant(ROOM);

			assert.equal(
			    (await publish(server, "room/1", token)).status, 200);
			const client = await open(server, token);

			assert.equal((await client.subscribe("room/1")).seq, 1);
			await client.close();
			assert.equal(await server.total("tokens_accepted"), 2);
		});

	test("grants nothing to who has no token", async (t) => {
		const { server } = await guarded(t);

		for (const [path, options] of [
			[topic("room/1"), { method: "POST", body: "x" }],
			[topic("room/1"), {}],
			[`${topic("room/1")}/history`, {}],
			[`${topic("room/1")}/events`, {}],
			["/topics", {}],
		]) {
			const answer = await ask(server, path, null, options);

			refused(answer, 401, "unauthorized");
			assert.equal(answer.challenge, "Bearer");
		}
		const many = await ask(server, "/publish", null, {
			method: "POST",
			body: JSON.stringify([{ topic: "a", message: 1 }]) });

		assert.equal(many.status, 200);
		assert.equal(many.body.results[0].error.code, "unauthorized");

		const client = await open(server);

		for (const request of [
			{ type: "subscribe", topic: "room/1" },
			{ type: "publish", topic: "room/1", message: 1 },
			{ type: "history", topic: "room/1" },
			{ type: "presence", topic: "room/1" },
			{ topic: "room/1", message: "x" },
		])
			await client.refuse(request, "unauthorized");
		await client.close();

		const plain = await openPlain(server);

		plain.say("room/1", "x");
		assert.deepEqual(await plain.closed, { code: 1008,
			reason: "unauthorized: this needs a token that grants it" });
		assert.equal(await server.total("refused_grants"), 11);
		/* And nobody has made a topic. */
		assert.equal((await server.status()).topics.used, 0);
	});

	test("serves the page and its health to all", async (t) => {
		const { server } = await guarded(t);

		for (const path of ["/", "/healthz", "/pubsub.js"]) {
			const response = await fetch(`${server.url}${path}`);

			assert.equal(response.status, 200, path);
			await response.text();
		}
	});

	test("grants each kind by itself", async (t) => {
		const { server, issuer } = await guarded(t);
		const attempts = {
			subscribe: (client) => client.ask(
			    { type: "subscribe", topic: "a/1" }),
			publish: (client) => client.ask(
			    { type: "publish", topic: "a/1", message: 1 }),
			presence: (client) => client.ask(
			    { type: "presence", topic: "a/1" }),
			history: (client) => client.ask(
			    { type: "history", topic: "a/1" }),
		};

		for (const kind of Object.keys(attempts)) {
			const token = issuer.grant({ [kind]: ["a/+"] });
			const client = await open(server, token);

			for (const [other, attempt] of Object.entries(attempts)) {
				const answer = await attempt(client);

				assert.equal(answer.code, other === kind ?
					undefined : "forbidden", `${kind} ${other}`);
			}
			await client.close();
			const statuses = [
				(await publish(server, "a/1", token)).status,
				(await ask(server, topic("a/1"), token)).status,
				(await ask(server, `${topic("a/1")}/history`,
				    token)).status,
			];

			assert.deepEqual(statuses, ["publish", "presence",
				"history"].map((name) => name === kind ? 200 : 403));
		}
	});

	test("a pattern reaches no further than it says", async (t) => {
		const { server, issuer } = await guarded(t);
		const token = issuer.grant({ publish: ["room/+/say", "own"] });

		for (const name of ["room/1/say", "room//say", "own"])
			assert.equal(
			    (await publish(server, name, token)).status, 200, name);
		for (const name of ["room/1", "room/1/2/say", "room/1/say/",
			"Room/1/say", "rooms/1/say", "owner", "OWN", "/own",
			"own/", "room%2F1%2Fsay", "room/+", "#", "+"])
			refused(await publish(server, name, token), 403,
			    "forbidden");
		/* Slashes that a proxy or a client encodes twice are no slashes. */
		refused(await ask(server, "/topics/room%252F1%252Fsay", token,
		    { method: "POST", body: "x" }), 403, "forbidden");
		/* Both ways to name a topic are asked about the same topic. */
		refused(await ask(server, "/topics?topic=secret", token,
		    { method: "POST", body: "x" }), 403, "forbidden");
		assert.equal((await ask(server, "/topics?topic=own", token,
		    { method: "POST", body: "x" })).status, 200);
	});

	test("publishes of many at once are judged one by one", async (t) => {
		const { server, issuer } = await guarded(t);
		const { status, body } = await ask(server, "/publish",
		    issuer.grant({ publish: ["a"] }), { method: "POST",
			body: JSON.stringify(["a", "b", "a"].map((name) =>
				({ topic: name, message: 1 }))) });

		assert.equal(status, 200);
		assert.deepEqual(body.results.map(({ seq, error }) =>
			error?.code ?? seq), [1, "forbidden", 2]);
	});

	test("the list shows what the token may look at", async (t) => {
		const { server, issuer } = await guarded(t);
		const all = issuer.grant({ publish: ["#"], presence: ["#"] });

		for (const name of ["a/1", "a/2", "b/1"])
			await publish(server, name, all);
		const names = async (token) => {
			const { body } = await ask(server, "/topics", token);

			return body.topics.map((entry) => entry.topic);
		};

		assert.deepEqual(await names(all), ["a/1", "a/2", "b/1"]);
		assert.deepEqual(await names(issuer.grant(
		    { presence: ["+/1"] })), ["a/1", "b/1"]);
		refused(await ask(server, "/topics", issuer.grant(
		    { publish: ["#"] })), 403, "forbidden");
	});

	/* Whoever may only write learnt how many read from the answer. */
	test("how many subscribe is told with presence alone", async (t) => {
		const { server, issuer } = await guarded(t);
		const tokens = { 1: issuer.grant({ publish: ["#"],
			presence: ["a"] }), 0: issuer.grant({ publish: ["#"] }) };

		for (const [told, token] of Object.entries(tokens)) {
			const one = await publish(server, "a", token);
			const many = await ask(server, "/publish", token,
			    { method: "POST", headers: {
				    "Content-Type": "application/json" },
			    body: JSON.stringify(["a", "b"].map((name) => (
				{ topic: name, message: 1 }))) });
			const [a, b] = many.body.results;

			for (const answer of [one.body, a])
				assert.equal("subscribers" in answer, told === "1");
			assert.deepEqual(Object.keys(b), ["seq"]);
		}
	});

	test("the past is a grant of its own", async (t) => {
		const { server, issuer } = await guarded(t);

		for (let i = 0; i < 5; i++)
			await publish(server, "a", issuer.grant({ publish: ["a"] }));
		const client = await open(server,
		    issuer.grant({ subscribe: ["a"] }));

		await client.refuse({ type: "subscribe", topic: "a", history: 2 },
		    "forbidden");
		const { epoch } = client.welcome;
		const ack = await client.subscribe("a",
		    { since: { epoch, seq: 2 } });

		/* Who resumes goes on with the present, and is told the gap. */
		assert.deepEqual([ack.seq, ack.replayed, ack.recovered],
		    [5, 0, false]);
		assert.deepEqual(await client.next(), { type: "gap", topic: "a",
			from: 3, to: 5, reason: "forbidden" });
		await publish(server, "a", issuer.grant({ publish: ["a"] }));
		assert.equal((await client.next()).seq, 6);
		await client.close();

		const upToDate = await open(server,
		    issuer.grant({ subscribe: ["a"] }));

		assert.equal((await upToDate.subscribe("a",
		    { since: { epoch, seq: 6 } })).recovered, true);
		await upToDate.quiet();
		await upToDate.close();
		const events = await Events.open(server, "a", { t,
			query: { since: `${epoch}:1` },
			headers: bearer(issuer.grant({ subscribe: ["a"] })) });
		const gap = await events.block();

		assert.equal(gap.event, "gap");
		assert.equal(JSON.parse(gap.data).reason, "forbidden");
		assert.equal(JSON.parse(gap.data).to, 6);
	});

	test("a plain client needs both grants", async (t) => {
		const { server, issuer } = await guarded(t);
		const client = await openPlain(server, issuer.grant(
		    { subscribe: ["a", "b"], publish: ["a"] }));

		client.say("a", "one");
		assert.equal(await client.next(), "one");
		client.say("b", "two");
		assert.deepEqual(await client.closed, { code: 1008,
			reason: "forbidden: there is no grant for this" });
		const early = await openPlain(server,
		    issuer.grant({ publish: ["a"] }), { topics: ["a"] });

		assert.equal((await early.closed).code, 1008);
	});

	test("events come to who may subscribe", async (t) => {
		const { server, issuer } = await guarded(t);
		const events = await Events.open(server, "a", { t,
			headers: bearer(issuer.grant({ subscribe: ["a"] })) });

		await publish(server, "a", issuer.grant({ publish: ["#"] }), "one");
		assert.equal((await events.block()).data, "one");
		refused(await ask(server, `${topic("b")}/events`,
		    issuer.grant({ subscribe: ["a"] })), 403, "forbidden");
	});

	test("each request of a connection speaks for itself", async (t) => {
		const { server, issuer } = await guarded(t);
		const token = issuer.grant({ publish: ["a"] });

		/* node's fetch keeps its connections. */
		for (const [who, status] of [[token, 200], [null, 401],
			[issuer.grant({}), 403], [token, 200]])
			assert.equal(
			    (await publish(server, "a", who)).status, status);
	});
});

describe("a bad token", { concurrency: true }, () => {
	const cases = {
		"of another key": (issuer) => new Issuer().grant(ROOM),
		"that has expired": (issuer) =>
			issuer.grant(ROOM, "42", { exp: now() - 3600 }),
		"that is not yet valid": (issuer) =>
			issuer.grant(ROOM, "42", { nbf: now() + 3600 }),
		"without an end": (issuer) =>
			issuer.grant(ROOM, "42", { exp: undefined }),
		"for somebody else": (issuer) =>
			issuer.grant(ROOM, "42", { aud: "another" }),
		"without a signature": (issuer) => issuer.grant(ROOM)
		    .replace(/[^.]*$/u, ""),
		"that says alg none": (issuer) => {
			const [, payload] = issuer.grant(ROOM).split(".");

			return `${Buffer.from('{"alg":"none"}')
			    .toString("base64url")}.${payload}.`;
		},
		"whose grants are no lists": (issuer) =>
			issuer.grant({ subscribe: "room/#" }),
		"with a pattern that is none": (issuer) =>
			issuer.grant({ subscribe: ["#/room"] }),
		"that is none": () => "hello",
	};

	for (const [what, make] of Object.entries(cases))
		test(what, async (t) => {
			/* What everybody may is no way around it. */
			const { server, issuer } = await guarded(t,
			    ["--anonymous", "all:#"]);
			const token = make(issuer);
			const answer = await publish(server, "room/1", token);

			refused(answer, 401, "bad_token");
			assert.equal(answer.challenge,
			    'Bearer error="invalid_token"');
			assert.match(answer.body.error.reason, /^bad token: \S/u);
			assert.doesNotMatch(answer.body.error.reason, /eyJ/u);
			refused(await ask(server, `${topic("a")}/events`, token),
			    401, "bad_token");

			/* A browser cannot read why a handshake fails. */
			const plain = await openPlain(server, token,
			    { topics: ["room/1"] });

			assert.equal((await plain.closed).code, 1008);
			const v1 = await Client.open(server, {
				protocols: ["pubsubd.v1"],
				headers: bearer(token) });
			const { code, reason } = await v1.closed;

			assert.equal(code, 4001);
			assert.equal(reason, answer.body.error.reason);
			assert.deepEqual(v1.messages, []);
			assert.equal(await server.total("tokens_accepted"), 0);
		});

	test("twice in a head is none", async (t) => {
		const { server, issuer } = await guarded(t);
		const token = issuer.grant(ROOM);

		const raw = await Raw.connect(server.port, { t });

		raw.request("GET", topic("room/1"), { Authorization:
			`Bearer ${token}\r\nAuthorization: Bearer ${token}` });
		const { status, body } = await raw.response();

		assert.equal(status, 401);
		assert.equal(JSON.parse(body).error.code, "bad_token");
	});

	test("a scheme that is not Bearer is a proxy's", async (t) => {
		const { server } = await guarded(t,
		    ["--anonymous", "publish:a"]);

		assert.equal((await ask(server, topic("a"), null, {
			method: "POST", body: "x",
			headers: { Authorization: "Basic eDp5" } })).status, 200);
	});
});

describe("who is meant", { concurrency: true }, () => {
	test("issuer and audience are checked", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--jwt-iss", "https://id.example", "--jwt-aud", "chat",
			"--jwt-aud", "news"]);
		const status = async (claims) => (await publish(server, "room/1",
		    issuer.grant(ROOM, "42", claims))).status;

		assert.equal(await status(
		    { iss: "https://id.example", aud: "chat" }), 200);
		assert.equal(await status(
		    { iss: "https://id.example", aud: ["x", "news"] }), 200);
		assert.equal(await status(
		    { iss: "https://id.example", aud: "x" }), 401);
		assert.equal(await status({ iss: "https://id.example" }), 401);
		assert.equal(await status({ aud: "chat" }), 401);
	});

	test("everybody has what --anonymous grants", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--anonymous", "subscribe,history:news/#"]);

		refused(await publish(server, "news/1"), 401, "unauthorized");
		assert.equal((await publish(server, "news/1",
		    issuer.grant({ publish: ["news/1"] }))).status, 200);
		const reader = await open(server);
		const known = await open(server, issuer.grant({}));

		for (const client of [reader, known]) {
			assert.equal((await client.subscribe("news/1",
			    { history: 1 })).replayed, 1);
			assert.equal((await client.next()).message, "hello");
		}
		await reader.refuse({ type: "subscribe", topic: "room/1" },
		    "unauthorized");
		await known.refuse({ type: "subscribe", topic: "room/1" },
		    "forbidden");
		await reader.close();
		await known.close();
	});

	test("--anonymous alone needs no key", async (t) => {
		const server = await Server.start(t,
		    ["--anonymous", "all:room/#"]);

		assert.equal((await publish(server, "room/1")).status, 200);
		refused(await publish(server, "other"), 401, "unauthorized");
	});

	test("who has a token has what --grant grants", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--grant", "publish:user/{sub}/#"]);

		assert.equal((await publish(server, "user/42/x",
		    issuer.grant({}))).status, 200);
		refused(await publish(server, "user/43/x", issuer.grant({})),
		    403, "forbidden");
		refused(await publish(server, "user/42/x"), 401, "unauthorized");
		/* A name that would reach further gets nothing by it. */
		for (const sub of ["+", "#", "a/b"])
			refused(await publish(server, `user/${sub}/x`,
			    issuer.grant({}, sub)), 403, "forbidden");
	});
});

describe("time", { concurrency: true }, () => {
	const SHORT = ["--jwt-leeway", "0"];

	test("a connection ends with its token", async (t) => {
		const { server, issuer } = await guarded(t, SHORT);
		const token = issuer.grant(ROOM, "42", { exp: now() + 2 });
		const client = await open(server, token);
		const plain = await openPlain(server, token);
		const events = await Events.open(server, "room/1",
		    { t, headers: bearer(token) });
		const stays = await open(server, issuer.grant(ROOM));
		const expiring = await client.next();

		assert.equal(expiring.type, "expiring");
		assert.ok(expiring.in_ms > 0 && expiring.in_ms <= 60_000);
		assert.equal(await client.next(), null);
		for (const one of [client, plain])
			assert.deepEqual(await one.closed, { code: 4103,
				reason: "the token has expired" });
		assert.equal(await events.block(), null);
		refused(await publish(server, "room/1", token), 401, "bad_token");
		assert.equal(await server.total("access_ended"), 3);
		await stays.quiet();
		await stays.close();
	});

	test("clocks may differ by the leeway", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--jwt-leeway", "120"]);

		assert.equal((await publish(server, "room/1", issuer.grant(ROOM,
		    "42", { exp: now() - 60, nbf: now() + 60 }))).status, 200);
	});
});

describe("reload", { concurrency: true }, () => {
	const reload = async (server) => {
		const { status, stderr } = await server.cli("reload");

		assert.equal(status, 0, stderr);
	};

	test("other keys, and nobody is disconnected", async (t) => {
		const { server, issuer, path } = await guarded(t);
		const next = new Issuer("ES256");
		const token = issuer.grant(ROOM);
		const client = await open(server, token);

		writeKeys(path, next);
		await reload(server);
		assert.match(server.stderr, /keys read anew/u);
		/* Who was let in stays; who comes needs the new key. */
		assert.equal((await client.publish("room/1", 1)).seq, 1);
		refused(await publish(server, "room/1", token), 401, "bad_token");
		assert.equal((await publish(server, "room/1",
		    next.grant(ROOM))).status, 200);
		await client.quiet();
		await client.close();
	});

	/* Two keys; that of the second goes.  The first is written anew, by another
	 * name, and is the same for that. */
	test("with --jwt-strict-rotation a key takes its tokens with it",
	    async (t) => {
		const one = new Issuer("ES256", "one"), two = new Issuer();
		const path = writeKeys(join(directory(t), "keys"), one, two);
		const server = await Server.start(t, ["--jwt-key", path,
			"--jwt-strict-rotation", "--workers", "2"]);
		const stays = await open(server, one.grant(ROOM));
		const goes = await open(server, two.grant(ROOM));
		const renewed = await open(server, two.grant(ROOM));
		const plain = await openPlain(server, two.grant(ROOM),
		    { topics: ["room/1"] });
		const events = await Events.open(server, "room/1",
		    { t, headers: bearer(two.grant(ROOM)) });

		await renewed.ask({ type: "auth", token: one.grant(ROOM) });
		one.kid = "uno";
		writeKeys(path, one);
		await reload(server);
		const gone = { code: 4103, reason: "its key has been taken out" };

		assert.deepEqual(await goes.closed, gone);
		assert.deepEqual(await plain.closed, gone);
		assert.equal(await events.block(), null);
		for (const client of [stays, renewed]) {
			await client.publish("room/1", 1);
			await client.quiet();
			await client.close();
		}
		assert.equal(await server.total("access_ended"), 3);
		refused(await publish(server, "room/1", two.grant(ROOM)), 401,
		    "bad_token");
	});

	test("a bad file changes nothing", async (t) => {
		const { server, issuer, path } = await guarded(t);

		for (const [text, why] of [
			["{", /:1: /u],
			['{"keys":[]}', /no key in it/u],
			['{"kty":"oct","k":"AAAA"}', /32 bytes/u],
		]) {
			writeFileSync(path, text);
			const { status, stderr } = await server.cli("reload");

			assert.equal(status, 1);
			assert.match(stderr, why);
			assert.match(stderr, /--jwt-key/u);
		}
		assert.equal((await publish(server, "room/1",
		    issuer.grant(ROOM))).status, 200);
	});

	test("other options, and from open to guarded", async (t) => {
		const dir = directory(t), issuer = new Issuer();
		const keys = writeKeys(join(dir, "keys"), issuer);
		const file = join(dir, "conf");

		writeFileSync(file, "");
		const server = await Server.start(t, ["--config", file]);
		const client = await open(server);

		assert.equal((await client.publish("a", 1)).seq, 1);
		writeFileSync(file, `jwt-key = ${keys}\n`);
		await reload(server);
		await client.refuse({ type: "publish", topic: "a", message: 1 },
		    "unauthorized");
		const known = await open(server, issuer.grant({}));

		await known.refuse({ type: "publish", topic: "a", message: 1 },
		    "forbidden");
		writeFileSync(file,
		    `jwt-key = ${keys}\ngrant = publish:a\nanonymous = presence:a\n`);
		await reload(server);
		assert.equal((await known.publish("a", 1)).seq, 2);
		assert.equal((await client.ask(
		    { type: "presence", topic: "a" })).count, 0);
		writeFileSync(file, "");
		await reload(server);
		assert.equal((await client.publish("a", 1)).seq, 3);
		await client.close();
		await known.close();
	});
});

describe("keys that cannot be used", { concurrency: true }, () => {
	/* What each of these says of a key file. */
	async function verdicts(t, path) {
		const server = new Server(["--jwt-key", path]);

		t.after(() => server.end());
		const check = await run(server.program,
		    ["check", "--config", "none", "--jwt-key", path]);
		const start = await server.start();

		assert.equal(check.status, 1);
		assert.equal(start.status, 1);
		assert.equal(check.stderr, start.stderr);
		assert.equal(check.stderr.split("\n").length, 2);
		return check.stderr;
	}

	test("a secret that others may read", async (t) => {
		const path = writeKeys(join(directory(t), "keys"), new Issuer());

		chmodSync(path, 0o644);
		assert.match(await verdicts(t, path),
		    /--jwt-key \S+: others than its owner may read it/u);
	});

	test("a public key that everybody may change", async (t) => {
		const path = writeKeys(join(directory(t), "keys"),
		    new Issuer("EdDSA"));

		chmodSync(path, 0o666);
		assert.match(await verdicts(t, path), /everybody may change it/u);
	});

	test("a public key may be read by all", async (t) => {
		const issuer = new Issuer("EdDSA");
		const path = writeKeys(join(directory(t), "keys"), issuer);

		chmodSync(path, 0o644);
		const server = await Server.start(t, ["--jwt-key", path]);

		assert.equal((await publish(server, "room/1",
		    issuer.grant(ROOM))).status, 200);
	});

	test("a file that is not there, or no keys", async (t) => {
		const dir = directory(t);

		assert.match(await verdicts(t, join(dir, "none")),
		    /--jwt-key \S+: No such file or directory/u);
		const path = join(dir, "text");

		writeFileSync(path, "hello\n", { mode: 0o600 });
		assert.match(await verdicts(t, path),
		    /--jwt-key \S+:1: no key in it/u);
	});

	test("two keys of one name", async (t) => {
		const path = writeKeys(join(directory(t), "keys"),
		    new Issuer("ES256", "a"), new Issuer("ES256", "a"));

		assert.match(await verdicts(t, path), /--jwt-key \S+:\d+: /u);
	});

	test("grants that are none", async () => {
		for (const [option, value, why] of [
			["--grant", "room", /KIND\[,KIND/u],
			["--anonymous", "all:user/{sub}", /\{sub\} is for/u],
			["--grant", "all:#/x", /# is the last level/u],
			["--grant", "all:x", /goes with --jwt-key/u],
		]) {
			const { status, stderr } = await run(PUBSUBD,
			    ["check", "--config", "none", option, value]);

			assert.equal(status, 2);
			assert.match(stderr, why);
		}
	});
});
