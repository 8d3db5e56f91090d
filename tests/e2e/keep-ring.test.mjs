// SPDX-License-Identifier: MIT
/*
 * keep-ring.test.mjs - --keep-ring: what a stop leaves, and what the next start
 * makes of it.
 */

import assert from "node:assert/strict";
import {
	closeSync, existsSync, openSync, rmSync, writeFileSync, writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { PUBSUBD, Server, run, waitFor } from "./support.mjs";
import { V1 } from "./v1-client.mjs";

/* A server in the background, with these options; at the test's end nothing of
 * it is left. */
async function scene(t, ...args) {
	const server = new Server(args, { listen: ["127.0.0.1:0"] });

	t.after(async () => {
		await server.cli("stop");
		rmSync(server.shm, { force: true });
		await server.end();
	});
	return server;
}

async function start(server) {
	const { status, stderr } = await server.start();

	assert.equal(status, 0, stderr);
	return (await server.status()).epoch;
}

async function stop(server) {
	const { status, stderr } = await server.cli("stop");

	assert.equal(status, 0, stderr);
}

/* Publish by HTTP.  Returns the number. */
async function say(server, text) {
	const answer = await fetch(`${server.url}/topics/room`,
	    { method: "POST", body: text });

	return (await answer.json()).seq;
}

async function history(server) {
	const answer = await fetch(`${server.url}/topics/room/history`);

	return answer.status === 404 ? [] : (await answer.json()).messages
	    .map(({ seq, message }) => `${seq} ${message}`);
}

describe("--keep-ring", { concurrency: true }, () => {
	test("epoch, numbers and history are there after stop and start",
	    async (t) => {
		    const server = await scene(t, "--keep-ring");
		    const epoch = await start(server);

		    assert.equal(await say(server, "one"), 1);
		    assert.equal(await say(server, "two"), 2);
		    await stop(server);
		    assert.ok(existsSync(server.shm));
		    assert.equal(await start(server), epoch);
		    assert.deepEqual(await history(server), ["1 one", "2 two"]);
		    assert.equal(await say(server, "three"), 3);
		    await server.logs("that", /is kept for the next start/u);
	    });

	test("a client goes on where it was, without a gap", async (t) => {
		const server = await scene(t, "--keep-ring");
		const epoch = await start(server);

		await say(server, "one");
		await say(server, "two");
		await stop(server);
		await start(server);
		const client = await V1.open(server);
		const ack = await client.ask({ type: "subscribe", topic: "room",
			since: { epoch, seq: 1 } });

		assert.equal(ack.recovered, true);
		assert.equal((await client.next()).message, "two");
		await client.close();
	});

	test("a second SIGTERM, or kill -9 at the end, changes nothing",
	    async (t) => {
		    const server = await scene(t, "--keep-ring");
		    const epoch = await start(server);

		    await say(server, "one");
		    server.deathsExpected = true;
		    server.killAll();
		    await waitFor("their end",
			() => server.processes().length === 0);
		    assert.equal(await start(server), epoch);
		    await stop(server);
		    assert.equal(await start(server), epoch);
		    assert.deepEqual(await history(server), ["1 one"]);
	    });

	test("without it a stop removes the ring, a kept one as well",
	    async (t) => {
		    const server = await scene(t, "--keep-ring");
		    const epoch = await start(server);

		    await stop(server);
		    server.args = [];
		    assert.equal(await start(server), epoch);
		    await stop(server);
		    assert.equal(existsSync(server.shm), false);
		    assert.notEqual(await start(server), epoch);
	    });

	test("stop leaves a kept ring alone, and status knows it", async (t) => {
		const server = await scene(t, "--keep-ring");

		await start(server);
		await stop(server);
		const again = await server.cli("stop");

		assert.equal(again.status, 3);
		assert.match(again.stderr,
		    /is not running; its ring is kept for the next start/u);
		assert.ok(existsSync(server.shm));
		const { stdout } = await run(PUBSUBD, ["status", "--all",
			"--json"]);
		const [one] = JSON.parse(stdout)
		    .filter(({ instance }) => instance === server.name);

		assert.equal(one.state, "kept");
	});

	for (const [what, args, harm] of [
		["of another size", ["--ring-size", "8M"], () => {}],
		["of another directory", ["--max-topics", "100"], () => {}],
		["of another layout", [], (fd) => writeSync(fd, "x", 8)],
		["whose positions are damaged", [], (fd) => {
			/* All numbers behind the geometry. */
			writeSync(fd, Buffer.alloc(4096, 0xff), 0, 4096, 2048);
		}],
	])
		test(`one ${what} is replaced, and that is said`, async (t) => {
			const server = await scene(t, "--keep-ring");
			const epoch = await start(server);

			await say(server, "one");
			await stop(server);
			const fd = openSync(server.shm, "r+");

			harm(fd);
			closeSync(fd);
			server.args = ["--keep-ring", ...args];
			assert.notEqual(await start(server), epoch);
			assert.deepEqual(await history(server), []);
			assert.equal(await say(server, "new"), 1);
			await server.logs("why",
			    /a new ring instead of the one found: /u);
		});

	test("a start that fails leaves nothing that was not there", async (t) => {
		const server = await scene(t, "--keep-ring");
		const epoch = await start(server);
		const args = ["start", "--name", `${server.name}-2`, "--listen",
			`127.0.0.1:${server.port}`, "--admin", "none",
			"--keep-ring", "--log", server.log];
		const { status } = await run(PUBSUBD, args, { env: server.env });

		assert.equal(status, 1);
		assert.equal(existsSync(`${server.shm}-2`), false);
		assert.equal((await server.status()).epoch, epoch);
	});

	test("reload sets it", async (t) => {
		const server = await scene(t);
		const path = join(server.dir, "conf");

		writeFileSync(path, "");
		server.args = ["--config", path];
		const epoch = await start(server);

		writeFileSync(path, "keep-ring = 1\n");
		assert.equal((await server.cli("reload")).status, 0);
		await stop(server);
		assert.equal(await start(server), epoch);
	});
});
