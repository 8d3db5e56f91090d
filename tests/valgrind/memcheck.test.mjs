// SPDX-License-Identifier: MIT
/*
 * memcheck.test.mjs - a short life of a server under valgrind's memcheck: both
 * contracts, the HTTP API, event streams, files, clients that vanish, a restart,
 * a drain.
 *
 *	OPENAT2   the library that openat2.c says a valgrind needs
 *
 * Not part of `make test': scripts/deep.sh runs it.  valgrind looks at the
 * system calls' arguments and at every byte that a branch depends on, which the
 * compilers' sanitizers do not; what it finds, in any of the processes, is in a
 * file of its own.  The sandbox forbids what valgrind does, so it is off.
 */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { Events } from "../e2e/events.mjs";
import { Client, Raw, Server, openOnEachWorker } from "../e2e/support.mjs";
import { V1 } from "../e2e/v1-client.mjs";

const ROUNDS = 20;
const FOUND = 99; /* the exit status of a process that has an error */

/* A server under valgrind; what it found is in the directory. */
function start(t, directory) {
	return Server.start(t, ["--no-sandbox", "--ring-size", "2M",
		"--watchdog", "0"], { wrap: ["valgrind", "--quiet",
		"--trace-children=yes", "--track-fds=no",
		"--leak-check=full", "--show-leak-kinds=definite",
		"--errors-for-leak-kinds=definite", `--error-exitcode=${FOUND}`,
		`--log-file=${directory}/%p`,
		"env", `LD_PRELOAD=${process.env.OPENAT2}`] });
}

/* No process of those has found anything. */
function assertClean(directory) {
	const found = readdirSync(directory).map(
	    (pid) => readFileSync(join(directory, pid), "utf8")).join("");

	assert.equal(found, "");
	assert.ok(readdirSync(directory).length >= 3, "supervisor and workers");
}

/* Plain and v1 clients on both workers talk in a topic. */
async function talk(server) {
	const plain = await openOnEachWorker(server,
	    () => Client.open(server, { topics: ["room"] }));
	const listener = await V1.open(server, { topics: ["room"] });
	const v1 = await V1.open(server);

	for (let i = 0; i < ROUNDS; i++) {
		plain[i % 2].say("room", `${i} ${"x".repeat(i * 500)}`);
		await Promise.all(plain.map((client) => client.received(i + 1)));
		await v1.ask({ type: "publish", topic: "aside", message: { i } });
	}
	await v1.ask({ type: "history", topic: "aside", limit: 10 });
	await v1.ask({ type: "subscribe", topic: "aside" });
	await v1.ask({ type: "presence", topic: "room" });
	await v1.refuse({ type: "unsubscribe", topic: "never" },
	    "not_subscribed");
	for (let seq = 0; seq < ROUNDS; seq++)
		assert.equal((await listener.next()).type, "message");
}

async function fetchAll(server) {
	const events = await Events.open(server, "news");
	const post = (path, body) => fetch(`${server.url}${path}`,
	    { method: "POST", body });

	assert.equal((await post("/topics/news", "text")).status, 200);
	assert.equal(await events.next(), "text");
	for (const path of ["/", "/healthz", "/topics", "/topics/news",
		"/topics/news/messages", "/none"])
		await (await fetch(`${server.url}${path}`)).arrayBuffer();
	events.close();
}

/* Clients that leave in the middle of something. */
async function vanish(server, t) {
	for (const bytes of ["", "GET / HT", "GET /ws?topic=room HTTP/1.1\r\n",
		"POST /topics/x HTTP/1.1\r\nHost: localhost\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"]) {
		const raw = await Raw.connect(server.port, { t });

		raw.send(bytes);
		raw.destroy();
	}
	const client = await Client.open(server, { topics: ["room"] });

	client.socket._socket.destroy();
}

test("memcheck finds nothing", async (t) => {
	const directory = mkdtempSync(join(tmpdir(), "pubsubd-memcheck-"));

	t.after(() => rmSync(directory, { recursive: true }));
	const server = await start(t, directory);

	for (let run = 1; run <= 2; run++) {
		await talk(server);
		await fetchAll(server);
		await vanish(server, t);
		if (run === 2)
			break;
		const done = await server.cli("restart");

		assert.equal(done.status, 0, done.stderr);
	}
	assert.deepEqual(await server.stop(), { code: 0, signal: null });
	assertClean(directory);
});
