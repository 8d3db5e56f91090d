// SPDX-License-Identifier: MIT
/*
 * alive.test.mjs - who is there and who is not: one that reads slowly, one that
 * reads nothing, one that has vanished.
 *
 * Slow readers were cut as dead, for their sockets were seldom writable; the
 * vanished stayed until TCP gave up (967 s), for the kernel's buffer took every
 * heartbeat.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";

import { host, skip } from "./netns.mjs";
import { PUBSUBD, Server, waitFor } from "./support.mjs";

const HOST = "127.0.0.1";

/*
 * A client, as a program of its own: node -e PEER ADDRESS PORT KIND RATE.  It
 * subscribes, says "ready", and then reads RATE bytes per second (0: nothing,
 * until it is told "read"; it answers no pings) and says how many it has.
 */
const PEER = `
	const [address, port, kind, rate] = process.argv.slice(1);
	const socket = require("net").connect(Number(port), address);
	let got = 0, fast = false;
	const path = { ws: "/ws?topic=x&buffer=4096", file: "/client/pubsub.js",
		events: "/topics/x/events?buffer=4096" }[kind];

	socket.on("error", () => process.exit());
	socket.write("GET " + path + " HTTP/1.1\\r\\nHost: " + address + ":" +
	    port + "\\r\\n" + (kind === "ws" ? "Upgrade: websocket\\r\\n" +
	    "Connection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n" +
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n" : "") +
	    "\\r\\n");
	socket.once("data", () => {
		socket.pause();
		console.log("ready");
		setInterval(() => {
			const some = socket.read(fast ? undefined :
			    Math.min(Number(rate) / 10,
				socket.readableLength)) ?? "";

			got += some.length;
			if (some.length > 0)
				console.log(got);
		}, 100);
	});
	process.stdin.on("data", () => { fast = true; }).on("end",
	    () => process.exit());
`;

/* A host of one's own with a server and a client. */
async function scene(t, kind, rate, ...args) {
	const box = await host(t);
	const server = await Server.start(t, ["--workers", "1", "--ping-interval",
		"1", ...args], { wrap: box.words });
	const [program, ...words] = [...box.words, process.execPath, "-e",
		PEER, HOST, `${server.port}`, kind, `${rate}`];
	const child = spawn(program, words,
	    { stdio: ["pipe", "pipe", "inherit"] });
	const peer = { child, got: 0 };

	child.stdout.setEncoding("utf8").on("data", (text) => {
		peer.got = Number(/(\d+)\n$/u.exec(text)?.[1] ?? peer.got);
	});
	t.after(async () => {
		const exit = once(child, "exit");

		if (child.exitCode === null) {
			child.stdin.end();
			await exit;
		}
	});
	await once(child.stdout, "data");
	return { box, server, peer };
}

/* Publish 30 messages of 60 KB. */
async function publish({ box, server }) {
	const [program, ...words] = [...box.words, PUBSUBD, "pub", "--url",
		`ws://${HOST}:${server.port}/ws`, "x"];
	const child = spawn(program, words,
	    { stdio: ["pipe", "ignore", "inherit"] });

	child.stdin.end(`${"x".repeat(60_000)}\n`.repeat(30));
	const [status] = await once(child, "exit");

	assert.equal(status, 0);
}

const COUNTERS = { ws: "websockets", events: "event_streams" };

describe("who is alive", { concurrency: true }, () => {
	for (const kind of ["ws", "events"]) {
		const count = ({ server }) => server.total(COUNTERS[kind]);

		test(`${kind}: a slow reader stays, and gets everything`,
		    { skip }, async (t) => {
			    const all = await scene(t, kind, 10_000);
			    const { server, peer } = all;

			    await publish(all);
			    assert.ok(await server.total("buffered_bytes") > 0);
			    const before = peer.got;
			    const { uptime_ms: then } = await server.status();

			    await waitFor("many intervals", async () =>
				(await server.status()).uptime_ms > then + 8000);
			    assert.equal(await count(all), 1);
			    assert.ok(peer.got > before, "it has read on");
			    assert.ok(peer.got < 1_000_000, "but not all");
			    peer.child.stdin.write("read\n");
			    await waitFor("the rest", async () =>
				await server.total("buffered_bytes") === 0);
			    assert.equal(await server.total("timeouts"), 0);
		    });

		test(`${kind}: who reads nothing goes after --stall-timeout`,
		    { skip }, async (t) => {
			    const all = await scene(t, kind, 0,
				"--stall-timeout", "3");

			    const { uptime_ms: then } = await all.server.status();

			    await publish(all);
			    await waitFor("its end", async () =>
				await count(all) === 0);
			    const { uptime_ms: now } = await all.server.status();

			    assert.ok(now - then >= 3000, "not before that");
			    assert.equal(await all.server.total("timeouts"), 1);
		    });

		test(`${kind}: one that has vanished goes`, { skip }, async (t) => {
			const all = await scene(t, kind, 1_000_000);

			assert.equal(await count(all), 1);
			await all.box.cut();
			await waitFor("its end", async () =>
				await count(all) === 0);
			assert.equal(await all.server.total("timeouts"), 1);
		});
	}

	test("what the kernel holds for one that reads nothing is bounded",
	    { skip }, async (t) => {
		    const all = await scene(t, "ws", 0);

		    await publish(all);
		    /* What is not in our queue nor in the client's is there. */
		    const sent = await all.server.total("bytes_out");

		    assert.ok(sent < 400_000, `${sent} of 1,800,000`);
	    });
});
