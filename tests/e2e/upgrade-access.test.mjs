// SPDX-License-Identifier: MIT
/*
 * upgrade-access.test.mjs - who a client is moves with its connection, in an
 * upgrade: its name, what it may, and how long.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { ask, guarded, open, openPlain, publish } from "./access.mjs";
import { Events } from "./events.mjs";
import { Server } from "./support.mjs";
import { Issuer, bearer, directory, now, writeKeys } from "./tokens.mjs";
import { upgrade } from "./upgrade.mjs";

const ALL = { subscribe: ["#"], publish: ["#"], presence: ["#"],
	history: ["#"] };
const auth = (client, token) => client.ask({ type: "auth", token });
const one = (...args) => ["--workers", "1", ...args];

describe("an upgrade, of who showed a token or key", { concurrency: 4 }, () => {
	test("moves clients of all kinds, with name and grants", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--grant", "publish:by/{sub}"]);
		const token = issuer.grant({ subscribe: ["a", "by/#"] }, "anna");
		const anna = await open(server, token);
		const again = await open(server, token);
		const plain = await openPlain(server,
		    issuer.grant({ subscribe: ["a"], publish: ["a"] }, "bert"),
		    { topics: ["a"] });
		const events = await Events.open(server, "a",
		    { t, headers: bearer(token) });
		const late = await open(server);

		await auth(late, issuer.grant({ publish: ["a"] }, "carl"));
		await anna.subscribe("a");
		for (let i = 1; i <= 3; i++) {
			assert.deepEqual(await upgrade(server),
			    { moved: 5, closed: 0 });
			assert.equal((await late.publish("a", `${i}`)).seq, i);
			assert.equal((await anna.next()).message, `${i}`);
			assert.equal(await plain.next(), `${i}`);
			assert.equal(await events.next(), `${i}`);
		}
		await anna.refuse({ type: "publish", topic: "a", message: 1 },
		    "forbidden");
		assert.equal((await anna.publish("by/anna", 1)).seq, 1);
		await anna.refuse({ type: "publish", topic: "by/bert",
			message: 1 }, "forbidden");
		await again.subscribe("by/anna");
		/* A connection does not change hands. */
		await late.refuse({ type: "auth",
			token: issuer.grant(ALL, "anna") }, "forbidden");
		assert.equal((await auth(late, issuer.grant(ALL, "carl"))).user,
		    "carl");
		/* The stream, too, is hers. */
		assert.match((await server.cli("kick", "--user", "anna")).stdout,
		    /: 3 connections closed\n$/u);
		await plain.close();
		await late.close();
	});

	test("moves how long it may stay, and that it knows", async (t) => {
		const { server, issuer } = await guarded(t,
		    one("--jwt-leeway", "0"));
		const brief = await open(server,
		    issuer.grant(ALL, "42", { exp: now() + 3 }));
		const warned = await brief.next();

		assert.equal(warned.type, "expiring");
		assert.deepEqual(await upgrade(server), { moved: 1, closed: 0 });
		assert.equal((await brief.closed).code, 4103);
		assert.equal(await brief.next(), null); /* not said twice */
		assert.equal(await server.total("access_ended"), 1);
	});

	test("moves who has still to show one, and its time", async (t) => {
		const { server, issuer } = await guarded(t,
		    one("--auth-timeout", "6")); /* longer than an upgrade */
		const silent = await open(server), talks = await open(server);

		assert.deepEqual(await upgrade(server), { moved: 2, closed: 0 });
		assert.equal((await auth(talks, issuer.grant(ALL))).user, "42");
		assert.equal((await silent.closed).code, 4001);
		await talks.publish("a", 1);
		await talks.close();
	});

	test("holds them to the rules that the new program reads", async (t) => {
		const { server, issuer, path } = await guarded(t,
		    one("--grant", "subscribe:by/{sub}"));
		const client = await open(server, issuer.grant({ publish: ["a"] }));
		const other = new Issuer();

		writeKeys(path, other);
		await upgrade(server);
		/* As after a reload: who is here stays, who comes needs a new one. */
		await client.subscribe("by/42");
		assert.equal((await client.publish("a", 1)).seq, 1);
		assert.equal((await publish(server, "a", issuer.grant(ALL))).status,
		    401);
		assert.equal((await publish(server, "a", other.grant(ALL))).status,
		    200);
		await client.close();
	});

	test("with --jwt-strict-rotation ends who has no key left",
	    async (t) => {
		const { server, issuer, path } = await guarded(t,
		    one("--jwt-strict-rotation"), new Issuer("EdDSA"));
		const client = await open(server, issuer.grant(ALL));

		await upgrade(server);
		assert.equal((await client.publish("a", 1)).seq, 1);
		writeKeys(path, new Issuer("EdDSA"));
		await upgrade(server);
		assert.deepEqual(await client.closed, { code: 4103,
			reason: "its key has been taken out" });
	});

	test("moves programs, and ends those whose key is gone", async (t) => {
		const path = join(directory(t), "api-keys");
		const write = (keys) => writeFileSync(path, keys.map((key) =>
			`${key} ${createHash("sha256").update(key).digest("hex")
			} publish:#\n`).join(""), { mode: 0o600 });

		write(["one", "two"]);
		const server = await Server.start(t, one("--api-keys", path));
		const stays = await open(server, "one"), goes =
			await open(server, "two");

		await upgrade(server);
		assert.equal((await stays.publish("a", 1)).seq, 1);
		assert.equal((await goes.publish("a", 1)).seq, 2);
		write(["one"]);
		await upgrade(server);
		assert.equal((await goes.closed).code, 4103);
		assert.equal((await stays.publish("a", 1)).seq, 3);
		await stays.close();
	});

	test("moves many of them, each who it was", async (t) => {
		const { server, issuer } = await guarded(t,
		    one("--grant", "publish:by/{sub}"));
		/* More identities than one parcel has room for. */
		const clients = await Promise.all(Array.from({ length: 300 },
		    (_, i) => open(server, issuer.grant(
			{ subscribe: Array.from({ length: 20 },
			    (__, j) => `a long room/${i}/${j}`) }, `user-${i}`))));

		assert.deepEqual(await upgrade(server),
		    { moved: 300, closed: 0 });
		await Promise.all(clients.map(async (client, i) => {
			assert.equal((await client.publish(`by/user-${i}`, 1)).seq,
			    1);
			await client.refuse({ type: "publish", message: 1,
				topic: `by/user-${i + 1}` }, "forbidden");
			await client.subscribe(`a long room/${i}/19`);
			await client.close();
		}));
	});

	test("an idle HTTP connection asks with its own token", async (t) => {
		const { server, issuer } = await guarded(t, one());

		await publish(server, "a", issuer.grant(ALL));
		await upgrade(server);
		assert.equal((await ask(server, "/topics/a")).status, 401);
		assert.equal((await ask(server, "/topics/a",
		    issuer.grant(ALL))).status, 200);
	});
});
