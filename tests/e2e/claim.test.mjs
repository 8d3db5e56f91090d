// SPDX-License-Identifier: MIT
/*
 * claim.test.mjs - a name is one server's, whatever pidfiles they were given:
 * the shared memory itself is claimed, and nobody takes it from who lives.
 */

import assert from "node:assert/strict";
import {
	existsSync, readFileSync, readdirSync, readlinkSync, rmSync, unlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Client, Raw, Server, bounded, waitFor } from "./support.mjs";

/* A server that is told the same name, but another pidfile. */
function twinOf(t, server, ...args) {
	const twin = new Server(args);

	t.after(() => rmSync(twin.dir, { recursive: true }));
	twin.name = server.name;
	return twin;
}

/* Whether a command holds a process that it waits for. */
function waits(server, command) {
	return server.processes().some((pid) => {
		try {
			const fds = `/proc/${pid}/fd`;

			return readFileSync(`/proc/${pid}/cmdline`, "utf8")
			    .split("\0")[1] === command && readdirSync(fds)
			    .some((fd) => readlinkSync(`${fds}/${fd}`)
				.includes("[pidfd]"));
		} catch {
			return false; /* it is gone, or was not whole yet */
		}
	});
}

async function assertServes(server) {
	const client = await Client.open(server, { topics: ["room"] });

	client.say("room", "here");
	assert.equal(await client.next(), "here");
	await client.close();
}

/* A server with a client that never says goodbye. */
async function sceneOf(t) {
	const server = await Server.start(t, ["--drain", "30"]);
	const deaf = await Raw.open(server.port, "/ws", { t });

	server.deathsExpected = true;
	return { server, deaf };
}

describe("a name is one server's", { concurrency: true }, () => {
	for (const [what, args] of [["a twin", []],
		["one with another ring", ["--ring-size", "2M"]]])
		test(`${what} with another pidfile is refused`, async (t) => {
			const server = await Server.start(t);
			const { epoch } = await server.status();
			const twin = twinOf(t, server, ...args);
			const done = await twin.start();

			assert.equal(done.status, 4, done.stderr);
			assert.match(done.stderr, /another server of this name has it/u);
			assert.equal(existsSync(twin.pidfile), false);
			assert.equal((await server.status()).epoch, epoch);
			await assertServes(server);
		});

	test("so is one while the workers of a killed server live", async (t) => {
		const { server, deaf } = await sceneOf(t);

		await server.stop("SIGKILL");
		const done = await twinOf(t, server).start();

		assert.equal(done.status, 4, done.stderr);
		deaf.destroy();
		await waitFor("the workers' end",
		    () => server.processes().length === 0);
	});

	test("stop with another pidfile leaves it, and any other file", async (t) => {
		const server = await Server.start(t);
		const file = join(server.dir, "file");

		writeFileSync(file, "precious data\n");
		for (const pidfile of [file, join(server.dir, "none")]) {
			const twin = twinOf(t, server);

			twin.pidfile = pidfile;
			assert.equal((await twin.cli("stop")).status, 3);
			assert.ok(existsSync(server.shm));
		}
		assert.equal(readFileSync(file, "utf8"), "precious data\n");
		await assertServes(server);
	});

	test("a pidfile that was replaced is left to its owner", async (t) => {
		const server = await Server.start(t);
		const other = new Server();

		t.after(() => other.end());
		unlinkSync(server.pidfile);
		other.pidfile = server.pidfile;
		await other.run();
		await server.stop();
		assert.equal((await other.cli("status")).status, 0);
	});

	test("a restart keeps it", async (t) => {
		const server = await Server.start(t);

		assert.equal((await server.cli("restart")).status, 0);
		assert.equal((await twinOf(t, server).start()).status, 4);
		await assertServes(server);
	});
});

describe("stop and a killed supervisor", { concurrency: true }, () => {
	test("killed while it stops: stop waits for the workers", async (t) => {
		const { server, deaf } = await sceneOf(t);
		const stopping = server.cli("stop");

		await server.logs("draining", /told to stop: draining/u);
		await server.stop("SIGKILL");
		deaf.destroy();
		const done = await bounded("stop", stopping);

		assert.equal(done.status, 0, done.stderr);
		assert.match(done.stdout, /workers of a killed server are gone/u);
		assert.equal(server.processes().length, 0);
	});

	test("a server that starts meanwhile is left alone", async (t) => {
		const { server, deaf } = await sceneOf(t);

		await server.stop("SIGKILL");
		const stopping = server.cli("stop");

		await waitFor("stop to wait", () => waits(server, "stop"));
		const starting = server.start();

		await waitFor("start to wait", () => waits(server, "start"));
		deaf.destroy();
		assert.equal((await bounded("stop", stopping)).status, 0);
		const done = await bounded("start", starting);

		assert.equal(done.status, 0, done.stderr);
		await assertServes(server);
	});

	test("stop later removes the ring, and says so", async (t) => {
		const server = await Server.start(t);

		server.deathsExpected = true;
		await server.stop("SIGKILL");
		await waitFor("the workers' end",
		    () => server.processes().length === 0);
		const done = await server.cli("stop");

		assert.equal(done.status, 3);
		assert.match(done.stderr,
		    /is not running; the ring of a killed server is removed\n$/u);
		assert.equal(existsSync(server.shm), false);
		assert.match((await server.cli("stop")).stderr, /is not running\n$/u);
	});
});
