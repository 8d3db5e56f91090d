// SPDX-License-Identifier: MIT
/*
 * sandbox.test.mjs - least privilege: what the workers of a server that runs
 * have given up, what they still hold, and what status says of it.
 *
 * That the filter kills whom it should is in tests/mp/test_sandbox.c, and every
 * other file here runs confined: that is how a worker's own needs are tested.
 */

import assert from "node:assert/strict";
import {
	chmodSync, readFileSync, readdirSync, readlinkSync, renameSync, statSync,
} from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";

import {
	BUILT_WITHOUT, Client, PUBSUBD, ROOT, Server, builtWithoutSandbox,
	publicDirectory, run, waitFor,
} from "./support.mjs";

const ROOT_ONLY = process.getuid() === 0 ? false : "only root can";

/* The program under test was built so that its workers are not confined. */
let instrumented = false;

before(async () => {
	instrumented = await builtWithoutSandbox();
	if (PUBSUBD === join(ROOT, "build/pubsubd"))
		assert.equal(instrumented, false);
});

/* A field of /proc/PID/status. */
function field(pid, name) {
	return new RegExp(`^${name}:\\s+(.*)$`, "mu")
	    .exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1];
}

/* That a process is confined, or that it is not. */
function assertConfined(pid, confined = true) {
	assert.equal(field(pid, "Seccomp"), confined ? "2" : "0");
	assert.equal(field(pid, "NoNewPrivs"), confined ? "1" : "0");
}

/* That no core file is made, and that nothing is in what a program gets. */
function assertNoCore(pid) {
	assert.match(readFileSync(`/proc/${pid}/limits`, "utf8"),
	    /^Max core file size +0 +0 /mu);
	assert.equal(Number(readFileSync(`/proc/${pid}/coredump_filter`, "utf8")),
	    0);
}

/* What status prints behind a word. */
async function line(server, word) {
	const { status, stdout } = await server.cli("status");

	assert.equal(status, 0);
	return new RegExp(`^${word} +(.*)$`, "mu").exec(stdout)[1];
}

/* The worker of a slot, when it is another one than before, and serves. */
function successor(server, slot, old) {
	return waitFor(`successor on slot ${slot}`, async () => {
		const worker = (await server.status()).workers[slot];

		return worker.pid !== old && worker.state === "ready" && worker.pid;
	});
}

/* A message goes from one worker's client to all. */
async function assertServes(server) {
	const client = await Client.open(server, { topics: ["x"] });

	client.say("x", "served");
	assert.equal(await client.next(), "served");
	await client.close();
	assert.equal((await fetch(`${server.url}/chat.js`)).status, 200);
}

describe("the sandbox", { concurrency: 2 }, () => {
	test("is on, of every worker and not of the supervisor, and status says so",
	    async (t) => {
		const server = await Server.start(t);
		const { pid, sandbox } = await server.status();

		if (instrumented) {
			t.skip(BUILT_WITHOUT);
			return;
		}
		assert.deepEqual(sandbox, { seccomp: true,
			landlock: sandbox.landlock, no_new_privs: true,
			user: null, off: null });
		assert.equal(await line(server, "sandbox"), `seccomp, ${
			sandbox.landlock ? "" : "no "}landlock${
			sandbox.landlock ? "" : " in this kernel"}, no_new_privs`);
		assert.match(server.stderr, /: sandbox of the workers: seccomp, /u);
		for (const worker of await server.workers())
			assertConfined(worker);
		assertConfined(pid, false);
	});

	test("is there again after a death and after a restart", async (t) => {
		const server = await Server.start(t);

		if (instrumented) {
			t.skip(BUILT_WITHOUT);
			return;
		}
		const before = await server.status();
		const [{ pid }] = before.workers;

		server.deathsExpected = true;
		process.kill(pid, "SIGKILL");
		assertConfined(await successor(server, 0, pid));
		assert.equal((await server.cli("restart")).status, 0);
		assert.deepEqual((await server.status()).sandbox, before.sandbox);
		for (const worker of await server.workers())
			assertConfined(worker);
		assertConfined(server.child.pid, false);
		await assertServes(server);
	});

	test("is off with --no-sandbox, and status says so", async (t) => {
		const server = await Server.start(t, ["--no-sandbox"]);
		const reason = instrumented ? BUILT_WITHOUT : "--no-sandbox";

		assert.deepEqual((await server.status()).sandbox, { seccomp: false,
			landlock: false, no_new_privs: false, user: null,
			off: reason });
		assert.equal(await line(server, "sandbox"), `off (${reason})`);
		for (const worker of await server.workers())
			assertConfined(worker, false);
		await assertServes(server);
	});

	test("a worker that it kills is named as such, and replaced",
	    async (t) => {
		if (instrumented) {
			t.skip(BUILT_WITHOUT);
			return;
		}
		const server = await Server.start(t);
		const [pid] = await server.workers();

		server.deathsExpected = true;
		process.kill(pid, "SIGSYS");
		await server.logs("the death", new RegExp(`worker 0\\[${pid}\\] was ` +
		    "killed by SIGSYS: a system call that its sandbox forbids", "u"));
		await successor(server, 0, pid);
		await assertServes(server);
	});

	test("the words of the dying get through", async (t) => {
		const server = await Server.start(t);
		const [pid] = await server.workers();

		server.deathsExpected = true;
		process.kill(pid, "SIGBUS");
		await server.logs("the death",
		    /was killed by SIGBUS; its last words: fatal signal SIGBUS/u);
		await successor(server, 0, pid);
		server.stderr = ""; /* where they are an alarm for all others */
	});
});

describe("what a process holds", { concurrency: 2 }, () => {
	/* Descriptors of a process, by what each is, sorted; sockets and the like
	 * without their numbers, files with how they may be used. */
	function descriptors(pid) {
		const modes = ["read", "write", "read and write"];

		return readdirSync(`/proc/${pid}/fd`).map((fd) => {
			const [, flags] = /^flags:\s+(\d+)$/mu.exec(readFileSync(
			    `/proc/${pid}/fdinfo/${fd}`, "utf8"));
			const what = readlinkSync(`/proc/${pid}/fd/${fd}`)
			    .replace(/:\[\d+\]$/u, "");
			const bits = parseInt(flags, 8);
			const how = bits & 0o10000000 ? "as a place" : modes[bits & 3];

			return `${what}, to ${how}`.replace("to as", "as");
		}).sort();
	}

	/* All of a worker's, and what for. */
	function expected(server, workers, clients) {
		const repeat = (n, what) => Array.from({ length: n }, () => what);

		return [
			"/dev/null, to read and write",     /* standard input */
			"/dev/null, to read and write",     /* standard output */
			"pipe, to write",                   /* the log */
			`${server.lockfile}, to read`,      /* its lock: it lives */
			"pipe, to read",                    /* ends with the supervisor */
			"anon_inode:[eventfd], to read and write", /* its state */
			/* the doorbells, its own and those it rings */
			...repeat(workers, "anon_inode:[eventfd], to read and write"),
			"anon_inode:[eventpoll], to read and write", /* the loop */
			`${join(ROOT, "public")}, as a place`,       /* --root */
			"socket, to read and write",        /* where it listens */
			"socket, to read and write",        /* the operator's */
			"socket, to read and write",        /* an upgrade's */
			/* kept for the operator */
			"anon_inode:[eventfd], to read and write",
			...repeat(clients, "socket, to read and write"),
		].sort();
	}

	test("a worker has the descriptors that it needs, and no other",
	    async (t) => {
		const server = await Server.start(t, ["--workers", "3",
			"--admin", "127.0.0.1:0"]);

		for (const pid of await server.workers())
			assert.deepEqual(descriptors(pid), expected(server, 3, 0));
		const client = await Client.open(server);

		await waitFor("the client in one of them", async () =>
			(await server.workers()).some((pid) =>
				descriptors(pid).length ===
				    expected(server, 3, 1).length));
		await client.close();
	});

	test("a successor has no more", async (t) => {
		const server = await Server.start(t, ["--admin", "127.0.0.1:0"]);
		const [pid] = await server.workers();

		server.deathsExpected = true;
		process.kill(pid, "SIGKILL");
		assert.deepEqual(descriptors(await successor(server, 0, pid)),
		    expected(server, 2, 0));
	});

	test("nor has one of an upgrade", async (t) => {
		const server = await Server.start(t, ["--admin", "127.0.0.1:0"]);

		assert.equal((await server.cli("upgrade")).status, 0);
		for (const pid of await server.workers())
			assert.deepEqual(descriptors(pid), expected(server, 2, 0));
	});

	test("nobody leaves a core", async (t) => {
		const server = await Server.start(t);

		assertNoCore(server.child.pid);
		for (const pid of await server.workers())
			assertNoCore(pid);
	});
});

describe("--user", { concurrency: 2, skip: ROOT_ONLY }, () => {
	/* Pidfile and log are where nobody cannot go. */
	async function scene(t, ...args) {
		const server = new Server(["--user", "nobody", ...args]);

		server.args.push("--root", join(publicDirectory(t), "public"));
		t.after(() => server.end());
		assert.equal(statSync(server.dir).mode & 0o777, 0o700);
		assert.equal((await server.start()).status, 0);
		return server;
	}

	test("workers have nobody's rights only, and are confined", async (t) => {
		const server = await scene(t);
		const { sandbox } = await server.status();

		assert.equal(sandbox.user, "nobody");
		assert.match(await line(server, "sandbox"), /, user nobody$/u);
		for (const pid of await server.workers()) {
			const [uid] = field(pid, "Uid").split("\t");
			const [gid] = field(pid, "Gid").split("\t");

			assert.notEqual(uid, "0");
			assert.equal(field(pid, "Uid"), Array(4).fill(uid).join("\t"));
			assert.equal(field(pid, "Gid"), Array(4).fill(gid).join("\t"));
			assert.equal(field(pid, "Groups").trim(), gid);
			for (const set of ["CapPrm", "CapEff", "CapAmb"])
				assert.match(field(pid, set), /^0+$/u, set);
			if (!instrumented)
				assertConfined(pid);
		}
		await assertServes(server);
	});

	/* The sockets come by a process that may open none, from one that may
	 * not signal it. */
	test("an upgrade moves the connections of such workers", async (t) => {
		const server = await scene(t);
		const client = await Client.open(server, { topics: ["x"] });
		const before = await server.workers();

		for (let i = 0; i < 2; i++) {
			const done = await server.cli("upgrade");

			assert.match(done.stdout,
			    / 1 connections handed over, 0 closed\n$/u);
			client.say("x", `${i}`);
			assert.equal(await client.next(), `${i}`);
		}
		for (const pid of await server.workers()) {
			assert.ok(!before.includes(pid));
			assert.notEqual(field(pid, "Uid").split("\t")[0], "0");
			if (!instrumented)
				assertConfined(pid);
		}
		await client.close();
	});

	test("the supervisor keeps its own: log, port, pidfile, segment, restart",
	    async (t) => {
		const server = await scene(t, "--no-sandbox");
		const { pid } = await server.status();

		assert.match(field(pid, "Uid"), /^0\t0\t0\t0$/u);
		renameSync(server.log, `${server.log}.1`);
		process.kill(pid, "SIGHUP");
		await server.logs("the new file", /log file opened anew/u);
		assert.equal((await server.cli("restart")).status, 0);
		await assertServes(server);
		assert.equal(await line(server, "sandbox"), `off (${
			instrumented ? BUILT_WITHOUT : "--no-sandbox"}), user nobody`);
		assert.equal((await server.cli("stop")).status, 0);
		await server.assertNothingLeft();
	});
});

describe("started by another than root", { skip: ROOT_ONLY }, () => {
	test("workers are confined just the same", async (t) => {
		const dir = publicDirectory(t, PUBSUBD);
		const program = join(dir, "pubsubd");
		const wrap = ["setpriv", "--reuid=65534", "--regid=65534",
			"--clear-groups"];
		const server = new Server(["--root", join(dir, "public")],
		    { program, wrap });

		t.after(() => server.end());
		chmodSync(server.dir, 0o777);
		await server.run();
		const [command, ...args] = wrap;
		const found = await run(command, [...args, program, "status",
			"--json", "--name", server.name, "--pidfile",
			server.pidfile], { env: server.env });

		assert.equal(found.status, 0, found.stderr);
		const { sandbox, workers } = JSON.parse(found.stdout);

		assert.equal(sandbox.user, null);
		assert.equal(sandbox.off, instrumented ? BUILT_WITHOUT : null);
		for (const { pid } of workers) {
			assert.match(field(pid, "Uid"), /^65534\t/u);
			assertConfined(pid, !instrumented);
			assertNoCore(pid);
		}
		await assertServes(server);
	});
});
