// SPDX-License-Identifier: MIT
/*
 * access-keys.test.mjs - keys of programs (--api-keys), and the operator's
 * (--admin-key).
 */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { ask, open, publish, refused } from "./access.mjs";
import { Server, run, PUBSUBD } from "./support.mjs";
import { bearer, directory } from "./tokens.mjs";

const digest = (key) => createHash("sha256").update(key).digest("hex");

/* A server with these keys: grants by key. */
async function scene(t, grants, args = []) {
	const path = join(directory(t), "api-keys");
	const write = (list) => writeFileSync(path, ["# keys",
		...Object.entries(list).map(([key, grant], i) =>
			`program-${i} ${digest(key)} ${grant}`)].join("\n"),
	{ mode: 0o600 });

	write(grants);
	const server = await Server.start(t, ["--api-keys", path, ...args]);

	return { server, path, async change(list) {
		write(list);
		const { status, stderr } = await server.cli("reload");

		assert.equal(status, 0, stderr);
	} };
}

describe("--api-keys", { concurrency: true }, () => {
	test("anonymous readers with one publishing key", async (t) => {
		const key = randomBytes(32).toString("hex");
		const { server } = await scene(t, { [key]: "publish:news/#" },
		    ["--anonymous", "subscribe,history:news/#"]);
		const reader = await open(server);

		assert.equal((await reader.subscribe("news/1")).seq, 0);
		assert.equal((await publish(server, "news/1", key)).status, 200);
		assert.equal((await reader.next()).message, "hello");
		refused(await publish(server, "news/1"), 401, "unauthorized");
		refused(await publish(server, "other", key), 403, "forbidden");
		for (const bad of [`${key}0`, key.slice(1), key.toUpperCase(),
			digest(key), "program-0"])
			refused(await publish(server, "news/1", bad), 401,
			    "bad_token");
		await reader.close();
	});

	test("say who a connection is, without an end", async (t) => {
		const { server } = await scene(t, { "a key": "subscribe:a" },
		    ["--grant", "publish:by/{sub}"]);
		const client = await open(server);

		assert.deepEqual(await client.ask(
		    { type: "auth", token: "a key" }),
		{ type: "ack", user: "program-0" });
		await client.subscribe("a");
		await client.publish("by/program-0", 1);
		await client.quiet();
		await client.close();
	});

	test("are good for nothing when they are taken out", async (t) => {
		const { server, change } = await scene(t,
		    { one: "subscribe:a", two: "subscribe:a,b" });
		const one = await open(server, "one");
		const two = await open(server, "two");

		await one.subscribe("a");
		await two.subscribe("a,b");
		await change({ two: "publish:c" });
		assert.equal((await two.next()).type, "unsubscribed");
		assert.equal((await two.publish("c", 1)).seq, 1);
		for (;;) {
			const frame = await one.next();

			if (frame === null)
				break;
			assert.equal(frame.type, "unsubscribed");
		}
		assert.deepEqual(await one.closed, { code: 4103,
			reason: "its key has been taken out" });
		refused(await publish(server, "a", "one"), 401, "bad_token");
		await two.close();
	});

	test("a file that others may read, or a bad line", async (t) => {
		const path = join(directory(t), "api-keys");
		const check = () => run(PUBSUBD,
		    ["check", "--config", "none", "--root", "/",
			"--api-keys", path]);

		writeFileSync(path, `a ${digest("x")} publish:a\n`,
		    { mode: 0o600 });
		assert.equal((await check()).status, 0);
		chmodSync(path, 0o644);
		assert.match((await check()).stderr, /may read it/u);
		chmodSync(path, 0o600);
		writeFileSync(path, `a ${digest("x")} publish:a\nb x publish:b\n`);
		const { status, stderr } = await check();

		assert.equal(status, 1);
		assert.match(stderr, /--api-keys \S+:2: behind the name/u);
	});
});

describe("--admin-key", { concurrency: true }, () => {
	async function pages(t, address) {
		const path = join(directory(t), "admin-key");

		writeFileSync(path, "the operator's own\n", { mode: 0o600 });
		const server = await Server.start(t,
		    ["--admin", address, "--admin-key", path]);
		const { port } = new URL((await server.status()).admin);

		return { server, status: async (page, key) => {
			const response = await fetch(
			    `http://127.0.0.1:${port}${page}`,
			    { headers: key ? bearer(key) : {} });

			await response.text();
			return response.status;
		} };
	}

	test("is asked for off loopback", async (t) => {
		const { server, status } = await pages(t, "*:0");

		for (const page of ["/metrics", "/stats", "/busiest", "/conns",
			"/nothing"]) {
			const found = page === "/nothing" ? 404 : 200;

			assert.equal(await status(page), 401);
			assert.equal(await status(page, "the operator's ow"), 401);
			assert.equal(await status(page, "the operator's own"), found);
		}
		/* These say nothing of the server; the page asks for the key. */
		for (const page of ["/", "/operator.js", "/operator.css",
			"/healthz", "/readyz"])
			assert.equal(await status(page), 200);
		/* It guards the operator's pages, and nothing else. */
		assert.equal((await publish(server, "a")).status, 200);
		assert.equal((await ask(server, "/topics")).status, 200);
	});

	test("is not asked for on loopback", async (t) => {
		const { status } = await pages(t, "127.0.0.1:0");

		assert.equal(await status("/metrics"), 200);
	});

	test("is missed in the log, off loopback", async (t) => {
		const open = await Server.start(t, ["--admin", "*:0"]);
		const closed = await pages(t, "*:0");
		const inside = await Server.start(t, ["--admin", "127.0.0.1:0"]);
		const warns = (server) =>
			/--admin-key has them/u.test(server.stderr);

		assert.deepEqual([open, closed.server, inside].map(warns),
		    [true, false, false]);
	});

	test("has sixteen bytes at least", async (t) => {
		const path = join(directory(t), "admin-key");

		writeFileSync(path, "short\n", { mode: 0o600 });
		const { status, stderr } = await run(PUBSUBD,
		    ["check", "--config", "none", "--admin-key", path]);

		assert.equal(status, 1);
		assert.match(stderr, /--admin-key \S+: a key has 16 bytes/u);
	});
});
