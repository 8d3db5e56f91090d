// SPDX-License-Identifier: MIT
/*
 * hardship.test.mjs - a machine that does not do its part: logs that cannot be
 * written, files that go away, workers that hang when all is to end, and a user
 * who may do less.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import {
	chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, unlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import {
	Client, PUBSUBD, Raw, Server, Stream, bounded, openOnEachWorker, waitFor,
} from "./support.mjs";

/* A server whose program is gone from the disk: each SIGUSR2 is a line of why
 * there is no restart. */
async function chattyServer(t) {
	const server = new Server();

	t.after(() => server.end());
	server.options.program = join(server.dir, "pubsubd");
	copyFileSync(PUBSUBD, server.program);
	await server.run();
	unlinkSync(server.program);
	return server;
}

async function assertServes(server) {
	const client = await Client.open(server, { topics: ["x"] });

	client.say("x", "served");
	assert.equal(await client.next(), "served");
	await client.close();
}

/* When the worker of a slot is another one than before, and ready. */
function successor(server, slot, before) {
	return waitFor("successor", async () => {
		const worker = (await server.status()).workers[slot];

		return worker.pid !== before && worker.state === "ready";
	});
}

describe("the log", { concurrency: true }, () => {
	test("a full disk costs lines, nothing else", async (t) => {
		const server = await Server.start(t,
		    ["--log", "/dev/full", "--log-level", "debug"]);

		await assertServes(server);
		server.child.kill("SIGHUP");
		assert.equal((await server.cli("restart")).status, 0);
		await assertServes(server);
		assert.deepEqual(await server.stop(), { code: 0, signal: null });
	});

	test("nobody reads standard error: nobody waits for that", async (t) => {
		const server = await chattyServer(t);
		const client = await Client.open(server, { topics: ["x"] });
		let signals = 0;

		/* Each is a line; a pipe holds some hundred. */
		server.child.stderr.pause();
		await waitFor("many lines", async () => {
			for (let i = 0; i < 20; i++) {
				server.child.kill("SIGUSR2");
				client.say("x", `${signals++}`);
				await client.next();
			}
			return signals > 3000;
		}, 60_000);
		assert.equal((await server.status()).state, "serving");
		server.child.stderr.resume();
		await client.close();
		assert.deepEqual(await server.stop(), { code: 0, signal: null });
		assert.match(server.stderr, /drained in/u);
	});

	test("whoever read standard error is gone", async (t) => {
		const server = await chattyServer(t);

		server.child.stderr.destroy();
		for (let i = 0; i < 5; i++)
			server.child.kill("SIGUSR2");
		await assertServes(server);
		assert.deepEqual(await server.stop(), { code: 0, signal: null });
	});

	test("a rotated log that cannot be opened anew: the old one goes on",
	    async (t) => {
		    const server = new Server();
		    const logs = join(server.dir, "logs");

		    mkdirSync(logs);
		    server.log = join(logs, "log");
		    server.args.push("--log", server.log);
		    t.after(() => server.end());
		    await server.run();
		    renameSync(logs, `${logs}.old`);
		    server.log = join(`${logs}.old`, "log");
		    server.child.kill("SIGHUP");
		    await server.logs("the reason",
			/log file \S+: No such file.*going on with the old one/u);
		    await assertServes(server);
	    });
});

describe("a worker", { concurrency: true }, () => {
	test("ignores the signals that are for the supervisor", async (t) => {
		const server = await Server.start(t);
		const clients = await openOnEachWorker(server, () =>
			Client.open(server, { topics: ["x"] }));
		const workers = await server.workers();

		for (const pid of workers)
			for (const signal of ["SIGTERM", "SIGINT", "SIGHUP",
				"SIGUSR2", "SIGPIPE"])
				process.kill(pid, signal);
		clients[0].say("x", "not disturbed");
		for (const client of clients) {
			assert.equal(await client.next(), "not disturbed");
			await client.close();
		}
		assert.deepEqual(await server.workers(), workers);
	});

	/* Once it could not: each worker opened the directory by its name. */
	test("that starts again needs no name of its files", async (t) => {
		const server = new Server();
		const root = join(server.dir, "root");

		mkdirSync(root);
		writeFileSync(join(root, "index.html"), "here");
		server.args.push("--root", root);
		server.deathsExpected = true;
		t.after(() => server.end());
		await server.run();
		const clients = await openOnEachWorker(server, () =>
			Client.open(server, { topics: ["x"] }));
		const [, pid] = await server.workers();

		renameSync(root, `${root}.away`);
		process.kill(pid, "SIGKILL");
		await successor(server, 1, pid);
		clients[0].say("x", "the other serves on");
		assert.equal(await clients[0].next(), "the other serves on");
		for (let i = 0; i < 8; i++)
			assert.equal(await (await fetch(`${server.url}/`)).text(),
			    "here");
		const [first, ...more] = await openOnEachWorker(server);

		assert.equal(more.length, 1);
		for (const client of [clients[0], first, ...more])
			await client.close();
	});

	test("that hangs when all is to end does not keep the others",
	    async (t) => {
		    const server = await Server.start(t, ["--workers", "3",
			    "--drain", "2"]);
		    const clients = await openOnEachWorker(server, () =>
			Client.open(server, { topics: ["room"],
				query: { buffer: 4096 } }));
		    const [, , hung] = await server.workers();
		    const stream = new Stream(clients[0], "room");

		    server.deathsExpected = true;
		    await stream.progress();
		    process.kill(hung, "SIGSTOP");
		    await stream.progress();
		    await stream.stop();
		    const end = server.stop();

		    for (const client of clients.slice(0, 2)) {
			    assert.equal((await bounded("close", client.closed))
				.code, 1001);
			    await stream.assertComplete(client);
		    }
		    assert.deepEqual(await end, { code: 0, signal: null });
		    assert.equal((await clients[2].closed).code, 1006);
		    assert.match(server.stderr,
			/2 connections closed cleanly, 1 cut/u);
		    await server.assertNothingLeft();
	    });

	test("that is killed when all is to end is not replaced", async (t) => {
		const server = await Server.start(t, ["--drain", "60"]);
		const holders = await openOnEachWorker(server, () =>
			Raw.open(server.port, "/ws?topic=x", { t }));

		server.deathsExpected = true;
		const workers = await server.workers();
		const end = server.stop();

		await Promise.all(holders.map((raw) => raw.frame()));
		process.kill(workers[0], "SIGKILL");
		await server.logs("the death", /worker 0\[\d+\] was killed/u);
		for (const raw of holders)
			raw.destroy();
		assert.deepEqual(await end, { code: 0, signal: null });
		assert.doesNotMatch(server.stderr, /ready on[^]*ready on/u);
	});
});

describe("another user", { concurrency: true, skip: process.getuid() === 0 ?
	false : "only root can start workers as another user" }, () => {
	/* A server whose workers are nobody's, with a file for them. */
	async function scene(t, ...args) {
		const server = new Server();
		const root = join(server.dir, "root");

		t.after(() => server.end());
		chmodSync(server.dir, 0o755);
		mkdirSync(root);
		writeFileSync(join(root, "open"), "for all");
		writeFileSync(join(root, "closed"), "for root", { mode: 0o600 });
		server.args.push("--root", root, "--user", "nobody", ...args);
		return server.run();
	}

	const uid = (pid) => /^Uid:\s+(\d+)\s+(\d+)/mu.exec(
	    readFileSync(`/proc/${pid}/status`, "utf8")).slice(1).map(Number);

	test("workers are nobody, the supervisor is not", async (t) => {
		const server = await scene(t);

		for (const pid of await server.workers())
			for (const id of uid(pid))
				assert.notEqual(id, 0);
		assert.deepEqual(uid(server.child.pid), [0, 0]);
		await assertServes(server);
	});

	test("what nobody may not read is 403", async (t) => {
		const server = await scene(t);

		for (const [path, status] of [["/open", 200], ["/closed", 403]])
			assert.equal((await fetch(server.url + path)).status,
			    status, path);
	});

	test("deaths, restarts and the end go the same way", async (t) => {
		const server = await scene(t);
		const [pid] = await server.workers();

		server.deathsExpected = true;
		process.kill(pid, "SIGKILL");
		await successor(server, 0, pid);
		await assertServes(server);
		assert.equal((await server.cli("restart")).status, 0);
		await assertServes(server);
		await server.stop("SIGKILL");
		await waitFor("the workers' end",
		    () => server.processes().length === 0);
		await server.run();
		await assertServes(server);
		assert.match(server.stderr, /going on with the ring/u);
		const closed = once(server.child, "close");

		assert.equal((await server.cli("stop")).status, 0);
		assert.deepEqual(await closed, [0, null]);
	});
});
