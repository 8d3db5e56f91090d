// SPDX-License-Identifier: MIT
/*
 * fault.test.mjs - whole programs to which the system says no: a server that
 * cannot start says why and leaves nothing, one that serves goes on and loses
 * nothing, and a client tells or carries on.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { FAULTY, SHORT, fault } from "./fault.mjs";
import { Client, Server, openOnEachWorker, run, waitFor } from "./support.mjs";

const MANY = 1_000_000; /* times */

const EMFILE = "Too many open files";
const ENOMEM = "Cannot allocate memory";
const NO_ROOM = "shared memory NAME: no room for 63 MiB in /dev/shm " +
    "(see --ring-size, --max-topics): No space left on device";

/* What fails, with what, and what the last line says. */
const REFUSED = [
	["socket", "EMFILE", `cannot listen on 127.0.0.1:0: ${EMFILE}`],
	["pipe2", "EMFILE", `a pipe for the log: ${EMFILE}`],
	["pipe2", "EMFILE", `cannot open descriptors: ${EMFILE}`,
		{ nth: 2 }],
	["signalfd", "EMFILE", `cannot open descriptors: ${EMFILE}`],
	["eventfd", "EMFILE", `cannot open descriptors: ${EMFILE}`],
	["eventfd", "ENFILE", "cannot open descriptors: " +
		"Too many open files in system", { nth: 2 }],
	["mmap", "ENOMEM", `no memory for grants: ${ENOMEM}`],
	["mmap", "ENOMEM",
		`shared memory NAME: cannot be mapped: ${ENOMEM}`, { nth: 2 }],
	["posix_fallocate", "ENOSPC", NO_ROOM],
	["posix_fallocate", "ENOSPC", NO_ROOM, { nth: 2 }],
	["ftruncate", "ENOSPC",
		"pidfile PIDFILE: No space left on device"],
	["ftruncate", "ENOSPC", NO_ROOM, { nth: 2 }],
];

/* What a worker cannot do before it is ready, how it says so, how it ends. */
const WORKER_REFUSED = [
	["epoll_create1", "EMFILE", "no event loop: epoll is not to be had",
		"left with status 1"],
	["fcntl", "ENOLCK", "cannot lock LOCKFILE: No locks available",
		"left with status 1"],
	["calloc", "ENOMEM", "out of memory", "was killed by SIGABRT"],
];

describe("a server that cannot start", { concurrency: true }, () => {
	/* Returns what it said, with what differs from run to run by its name. */
	async function startsNot(t, options) {
		const server = new Server([], options);

		t.after(() => server.end());
		const done = await run(FAULTY, server.commandLine("run"),
		    { env: server.env });

		assert.equal(done.status, 1);
		assert.equal(done.stdout, "");
		await server.assertNothingLeft();
		return done.stderr
		    .replaceAll(`/pubsubd.${server.name}`, "NAME")
		    .replaceAll(server.pidfile, "PIDFILE")
		    .replaceAll(server.lockfile, "LOCKFILE");
	}

	for (const [call, error, line, more] of REFUSED)
		test(`${call}${more ? ` ${more.nth}` : ""}, ${error}: ${line}`, async (t) => {
			const text = await startsNot(t,
			    fault("self", call, error, more));

			assert.ok(text.endsWith(`pubsubd: ${line}\n`), text);
		});

	for (const [call, error, words, end] of WORKER_REFUSED)
		test(`a worker: ${call}, ${error}`, async (t) => {
			const text = await startsNot(t,
			    fault("child", call, error));

			assert.match(text, new RegExp(`^pubsubd: worker \\d ${
				end} before it was ready: .*${words}`, "mu"));
		});

	for (const [who, call, error, why, more] of [
		["self", "pipe2", "EMFILE", EMFILE],
		["self", "fork", "EAGAIN", "Resource temporarily unavailable"],
		["child", "fork", "EAGAIN", "Resource temporarily unavailable"],
	])
		test(`in the background: ${who}, ${call}`, async (t) => {
			const server = new Server([],
			    fault(who, call, error, more));

			t.after(() => server.end());
			assert.deepEqual(await server.start(), {
				status: 1, signal: null, stdout: "", stderr:
				`pubsubd: cannot go to the background: ${why}\n`,
			});
			await server.assertNothingLeft();
		});
});

/* A server with a fault, and a subscriber and a publisher on each of its two
 * workers. */
async function startWithPairs(t, ...of) {
	const server = await Server.start(t, [], fault(...of));
	const subscribers = await openOnEachWorker(server, () =>
		Client.open(server,
		    { topics: ["room"], query: { buffer: 1000 } }));
	const publishers = await openOnEachWorker(server);

	return { server, subscribers, publishers };
}

/* Everybody gets what all publish: each publisher's in its order. */
async function checkAllArrives({ subscribers, publishers }, count) {
	for (let i = 0; i < count; i++)
		for (const [p, publisher] of publishers.entries())
			publisher.say("room", `${p} ${i}`);
	for (const subscriber of subscribers) {
		await subscriber.received(count * publishers.length);
		for (const p of publishers.keys())
			assert.deepEqual(subscriber.messages.filter(
			    (text) => text.startsWith(`${p} `)),
			Array.from({ length: count }, (_, i) => `${p} ${i}`));
	}
}

test("a start that cannot fork says so, and does not wait", async (t) => {
	const server = new Server([], fault("self", "fork", "EAGAIN",
	    { times: MANY }));

	t.after(() => server.end());
	const done = await run(FAULTY, server.commandLine("run"),
	    { env: server.env });

	assert.equal(done.status, 1);
	assert.match(done.stderr, new RegExp("^pubsubd: cannot fork worker \\d: " +
	    "Resource temporarily unavailable$", "mu"));
	assert.doesNotMatch(done.stderr, /not ready after/u);
});

describe("a server that goes on", { concurrency: true }, () => {
	test("a worker that could not be forked comes later", async (t) => {
		const server = await Server.start(t, [],
		    fault("self", "fork", "EAGAIN", { times: 2 }));

		await server.logs("a first try", /cannot fork worker 0/u);
		await server.logs("another", /cannot fork worker 1/u);
		assert.equal((await server.workers()).length, 2);
	});

	for (const [call, error] of [["send", SHORT], ["sendmsg", SHORT],
		["recv", SHORT], ["recv", "EINTR"], ["send", "EINTR"]])
		test(`${call}: ${error ?? "a part"}`, async (t) => {
			const times = error === SHORT ? MANY : 50;
			const pairs = await startWithPairs(t, "child", call,
			    error, { times });

			await checkAllArrives(pairs, 100);
			assert.equal(await pairs.server.total("drops"), 0);
		});

	/* The doorbell and the log are the only ones that write(2). */
	test("a doorbell that fails costs a beat, no message", async (t) => {
		const pairs = await startWithPairs(t, "child", "write", "EAGAIN",
		    { times: 100 });

		for (let i = 0; i < 5; i++) {
			pairs.publishers[0].say("room", `0 ${i}`);
			await pairs.subscribers[1].received(i + 1);
			await pairs.subscribers[0].received(i + 1);
		}
	});

	for (const error of ["EMFILE", "ENFILE", "ECONNABORTED", "EINTR",
		"ENOMEM"])
		test(`accept4: ${error}`, async (t) => {
			const server = await Server.start(t, [],
			    fault("child", "accept4", error, { times: 5 }));
			const clients = await Promise.all(Array.from(
			    { length: 20 }, () => Client.open(server)));

			for (const [i, client] of clients.entries()) {
				client.say("own", `${i}`);
				await client.received(1);
			}
		});

	test("a worker that runs out of memory is replaced", async (t) => {
		const server = await Server.start(t, [],
		    fault("child", "malloc", "ENOMEM", { nth: 2000 }));

		server.deathsExpected = true;
		while (!/last words/u.test(server.logged)) {
			const client = await Client.open(server)
			    .catch(() => null); /* its worker has just died */

			client?.say("room", "text");
			client?.socket.terminate();
		}
		assert.match(server.logged, new RegExp("was killed by SIGABRT" +
			"( with the ring's lock held)?; its last words: " +
			"bug at \\S+ in xmalloc\\(\\): out of memory", "u"));
		await waitFor("two workers", async () =>
			(await server.workers()).every((pid) => pid !== 0));
		const client = await Client.open(server);

		client.say("room", "again");
		assert.equal(await client.next(), "again");
		/* The alarm that end() looks for has been told here. */
		server.stderr = "";
	});

	test("a restart that cannot fork is refused", async (t) => {
		const server = await Server.start(t, [],
		    fault("self", "fork", "EAGAIN", { nth: 3 }));
		const client = await Client.open(server);
		const done = await server.cli("restart");

		assert.equal(done.status, 1);
		assert.match(done.stderr, /Resource temporarily unavailable/u);
		client.say("room", "still here");
		assert.equal(await client.next(), "still here");
	});
});

/* Run a client that has a fault; its standard input is what a command prints. */
function client(server, of, input, args) {
	const { env } = fault("self", ...of);

	return run("bash", ["-c", `${input} | "$0" "$@"`, FAULTY, ...args,
		"--url", server.url], { env: { ...process.env, ...env } });
}

const numbers = (n) => Array.from({ length: n }, (_, i) => `${i + 1}\n`).join("");

describe("clients", { concurrency: true }, () => {
	for (const of of [["send", SHORT, { times: MANY }],
		["send", "EINTR", { times: 3 }], ["send", "EAGAIN", { times: 3 }],
		["recv", SHORT, { times: MANY }], ["recv", "EINTR", { times: 3 }]])
		test(`pub: ${of[0]}, ${of[1] ?? "a part"}`, async (t) => {
			const server = await Server.start(t);
			const reader = await Client.open(server,
			    { topics: ["room"], query: { buffer: 2000 } });
			const done = await client(server, of, "seq 500",
			    ["pub", "room"]);

			assert.deepEqual(done, { status: 0, signal: null,
				stdout: "", stderr: "" });
			await reader.received(500);
			assert.equal(`${reader.messages.join("\n")}\n`,
			    numbers(500));
		});

	for (const of of [["write", SHORT, { times: MANY }],
		["write", "EINTR", { times: 3 }],
		["recv", SHORT, { times: MANY }], ["recv", "EINTR", { times: 3 }],
		["send", SHORT, { times: MANY }]])
		test(`sub: ${of[0]}, ${of[1] ?? "a part"}`, async (t) => {
			const server = await Server.start(t);
			const writer = await Client.open(server,
			    { topics: ["room"], query: { buffer: 2000 } });

			for (let i = 1; i <= 500; i++)
				writer.say("room", `${i}`);
			await writer.received(500);
			assert.deepEqual(await client(server, of, "true",
			    ["sub", "room", "--history", "500", "--count", "500"]),
			{ status: 0, signal: null, stdout: numbers(500),
				stderr: "" });
		});

	for (const of of [["send", SHORT, { times: MANY }],
		["recv", SHORT, { times: MANY }], ["recv", "EINTR", { times: 3 }],
		["send", "EINTR", { times: 3 }]])
		test(`topics: ${of[0]}, ${of[1] ?? "a part"}`, async (t) => {
			const server = await Server.start(t);
			const writer = await Client.open(server);

			for (const topic of ["a", "b", "c"])
				writer.say(topic, "text");
			await writer.received(3);
			const done = await client(server, of, "true", ["topics"]);

			assert.equal(done.stderr, "");
			assert.equal(done.status, 0);
			for (const topic of ["a", "b", "c"])
				assert.match(done.stdout,
				    new RegExp(` ${topic}$`, "mu"));
		});

	for (const [command, call, error, line, ended = 1] of [
		[["topics"], "recv", "ECONNRESET", /Connection reset by peer/u],
		[["topics"], "send", "EPIPE", /Broken pipe/u],
		[["topics"], "socket", "EMFILE", /Too many open files/u, 3],
		[["pub", "room"], "socket", "EMFILE", /Too many open files/u, 3],
	])
		test(`${command[0]}: ${call}, ${error}`, async (t) => {
			const server = await Server.start(t);
			const done = await client(server,
			    [call, error, { times: MANY }], "echo 1", command);

			assert.equal(done.status, ended);
			assert.match(done.stderr, /^pubsubd: [^\n]+\n$/u);
			assert.match(done.stderr, line);
		});

	test("status: mmap, ENOMEM", async (t) => {
		const server = await Server.start(t);
		const { env } = fault("self", "mmap", "ENOMEM");
		const { status, stderr } = await run(FAULTY, ["status", "--name",
			server.name, "--pidfile", server.pidfile],
		{ env: { ...server.env, ...env } });

		assert.equal(status, 1);
		assert.match(stderr, /cannot be mapped: Cannot allocate memory/u);
	});
});
