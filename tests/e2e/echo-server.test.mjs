// SPDX-License-Identifier: MIT
/*
 * echo-server.test.mjs - the program that conformance suites are pointed at:
 * how it is called, that its limits are pubsubd's, and that a client which
 * nobody here wrote gets on with it.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";

import WebSocket from "ws";

import { MIB, TEXT, assertFrame, noise } from "./conformance.mjs";
import { ECHO_SERVER, Frame, ROOT, Raw, Server, bounded, run, waitFor } from
	"./support.mjs";

const start = (t, ...args) =>
	Server.start(t, ["--workers", "1", ...args], { program: ECHO_SERVER });

test("--listen is all it needs; it says where, and ends by SIGTERM",
    async (t) => {
	const server = new Server([], { program: ECHO_SERVER });

	/* The name is that of no other instance on this machine; public/ is
	 * beside the program's directory in the plain build only. */
	server.commandLine = () => ["--listen", "127.0.0.1:0",
		"--name", server.name, "--pidfile", server.pidfile,
		"--root", join(ROOT, "public")];
	t.after(() => server.end());
	await server.run();
	const raw = await Raw.open(server.port, "/ws", { t });

	raw.send(Frame.encode(TEXT, "hello"));
	await assertFrame(raw, TEXT, "hello");
	server.child.kill("SIGTERM");
	assert.equal((await raw.closing()).code, 1001);
	assert.deepEqual(await server.exited, { code: 0, signal: null });
});

test("a wrong option is refused by name", async () => {
	for (const [args, why] of [
		[["--no-such-thing"], /--no-such-thing: no such option/u],
		[["--max-message", "17M"], /--max-message 17M/u],
		[["--listen", "nowhere"], /--listen nowhere/u]]) {
		const { status, stderr } = await run(ECHO_SERVER, args);

		assert.equal(status, 2);
		assert.match(stderr, why);
	}
});

test("16 MiB is the largest message unless told otherwise", async (t) => {
	const server = await start(t);
	const raw = await Raw.open(server.port, "/ws", { t });

	raw.send(Frame.encode(TEXT, "x", { claim: 16 * MIB + 1 }));
	assert.equal((await raw.closing()).code, 1009);
});

test("it has pubsubd's limits", async (t) => {
	const server = await start(t, "--max-conns", "1",
	    "--max-message", "10");

	/* It was asked whether it is ready. */
	await waitFor("room", async () =>
		await server.total("connections") === 0);
	const raw = await Raw.open(server.port, "/ws", { t });
	const other = await Raw.connect(server.port, { t });

	other.request("GET", "/ws");
	assert.equal((await other.response()).status, 503);
	raw.send(Frame.encode(TEXT, "x".repeat(11)));
	assert.equal((await raw.closing()).code, 1009);
});

test("there is no publish and subscribe", async (t) => {
	const server = await start(t);
	const raw = await Raw.connect(server.port, { t });

	raw.request("GET", "/topics");
	assert.equal((await raw.response()).status, 404);
	raw.request("GET", "/healthz");
	assert.equal((await raw.response()).status, 200);
	raw.request("POST", "/topics/x", { "Content-Length": "0" });
	assert.equal((await raw.response()).status, 405);
	await raw.end();
});

test("the npm package ws gets on with it, and does without compression",
    async (t) => {
	const server = await start(t);
	const ws = new WebSocket(`ws://127.0.0.1:${server.port}/ws`,
	    { perMessageDeflate: true });
	const next = () => bounded("message", once(ws, "message"));

	await bounded("open", once(ws, "open"));
	assert.equal(ws.extensions, "");
	for (const size of [0, 1, 125, 126, 65535, 65536, 16 * MIB]) {
		const data = noise(size, size);

		ws.send(data);
		const [got, isBinary] = await next();

		assert.ok(isBinary && data.equals(got), `${size} bytes`);
		ws.send(data.toString("base64").slice(0, size));
		const [text, textIsBinary] = await next();

		assert.equal(textIsBinary, false);
		assert.ok(text.equals(Buffer.from(
		    data.toString("base64").slice(0, size))));
	}
	ws.send("frag", { fin: false });
	ws.ping("between");
	ws.send("ment", { fin: true });
	const [[pong], [message]] = await Promise.all(
	    [bounded("pong", once(ws, "pong")), next()]);

	assert.equal(`${pong} ${message}`, "between fragment");
	ws.close(4321, "so long");
	assert.equal((await bounded("close", once(ws, "close")))[0], 4321);
});
