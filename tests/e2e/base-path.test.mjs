// SPDX-License-Identifier: MIT
/*
 * base-path.test.mjs - --base-path: everything lies below a prefix that a proxy
 * passes on.
 */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { Events } from "./events.mjs";
import { Frame, Raw, Server, run, waitFor } from "./support.mjs";

describe("--base-path /a/app", () => {
	const server = new Server(["--base-path", "/a/app"]);
	const root = join(server.dir, "root");

	before(() => {
		mkdirSync(join(root, "sub"), { recursive: true });
		writeFileSync(join(root, "index.html"), "index");
		writeFileSync(join(root, "sub/index.html"), "sub");
		writeFileSync(join(root, "a"), "a file");
		server.args.push("--root", root);
		return server.run();
	});
	after(() => server.end());

	async function get(t, target, method = "GET") {
		const raw = await Raw.connect(server.port, { t });

		raw.request(method, target);
		return raw.response({ bare: method === "HEAD" });
	}

	for (const [target, status, text] of [
		["/a/app/", 200, "index"], ["/a/app/index.html", 200, "index"],
		["/a/app/sub/", 200, "sub"], ["/%61/%61pp/", 200, "index"],
		["/a/app/healthz", 200, "ok\n"], ["/a/app/readyz", 200, "ok\n"],
		["/a/app/ws", 426], ["/a/app/topics", 200],
		["/a/app/publish", 405], ["/a/app/topics/none", 404],
		/* Whoever asks the server itself need not know it. */
		["/", 200, "index"], ["/healthz", 200, "ok\n"], ["/topics", 200],
		["/a", 200, "a file"],
		/* It is a prefix of names, taken away once. */
		["/a/application", 404], ["/a/app/a/app/", 404],
		["/a/app%2F", 404], ["//a/app/", 404],
	])
		test(`${target}: ${status}`, async (t) => {
			const response = await get(t, target);

			assert.equal(response.status, status);
			if (text !== undefined)
				assert.equal(response.body.toString(), text);
		});

	test("redirects stay below it", async (t) => {
		for (const [target, to] of [["/a/app", "/a/app/"],
			["/a/app?x=1", "/a/app/?x=1"], ["/%61/app", "/a/app/"],
			["/a/app/sub", "/a/app/sub/"]]) {
			const { status, headers } = await get(t, target);
			const { pathname, search } = new URL(headers.get("location"),
			    `https://proxy.example${target}`);

			assert.equal(status, 301);
			assert.equal(decodeURI(pathname) + search, to);
		}
		assert.equal((await get(t, "/a/app", "HEAD")).status, 301);
	});

	test("WebSockets and event streams", async (t) => {
		const events = await Events.at(server,
		    "/a/app/topics/below/events", "below", { t });
		const socket = await Raw.open(server.port, "/a/app/ws", { t });

		socket.send(Frame.message("below", "hello"));
		assert.equal(await socket.text(), "hello");
		assert.equal(await events.next(), "hello");
	});

	test("the command line needs no prefix, and takes one", async () => {
		const said = await run("curl", ["-s", "-d", "x",
			`${server.url}/a/app/topics/cli`]);

		assert.equal(said.status, 0);
		const listed = await server.cli("topics");

		assert.equal(listed.status, 0);
		assert.match(listed.stdout, / cli$/mu);
	});

	test("OPTIONS by anybody", async (t) => {
		assert.equal((await get(t, "/a/app/topics", "OPTIONS")).status, 204);
		assert.equal((await get(t, "*", "OPTIONS")).status, 204);
	});
});

test("a full server puts streams below it off", async (t) => {
	const server = await Server.start(t, ["--workers", "1", "--max-conns",
		"1", "--base-path", "/app"]);

	/* It was asked whether it is ready. */
	await waitFor("room", async () =>
		await server.total("connections") === 0);
	const holder = await Raw.open(server.port, "/app/ws", { t });
	const response = await fetch(`${server.url}/app/topics/x/events`);

	assert.equal(response.status, 200);
	assert.match(await response.text(), /^retry: \d{4}\n$/u);
	holder.destroy();
});
