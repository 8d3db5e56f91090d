// SPDX-License-Identifier: MIT
/*
 * claim.test.mjs - a name is one server's, whatever pidfiles they were given:
 * its lock file is by the name, and nobody takes anything from who lives.
 */

import assert from "node:assert/strict";
import {
	chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync,
	readdirSync, renameSync, rmSync, unlinkSync, writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";

import {
	Client, PUBSUBD, Raw, Server, bounded, run, waitFor,
} from "./support.mjs";

/* A server that is told the same name, but another pidfile. */
function twinOf(t, server, ...args) {
	const twin = new Server(args);

	t.after(() => rmSync(twin.dir, { recursive: true }));
	twin.name = server.name;
	return twin;
}

/* Whether a command waits for a process, or for this one. */
function waits(server, command, awaited = "\\d+") {
	const pidfd = new RegExp(`^Pid:\\t${awaited}$`, "mu");

	return server.processes().some((pid) => {
		try {
			const infos = `/proc/${pid}/fdinfo`;

			return readFileSync(`/proc/${pid}/cmdline`, "utf8")
			    .split("\0")[1] === command && readdirSync(infos)
			    .some((fd) => pidfd.test(
				readFileSync(`${infos}/${fd}`, "utf8")));
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
			assert.match(done.stderr, /is running already \(pid \d+\)\n$/u);
			assert.equal(existsSync(twin.pidfile), false);
			assert.equal((await server.status()).epoch, epoch);
			await assertServes(server);
		});

	test("one with another pidfile waits for a killed server's workers",
	    async (t) => {
		    const { server, deaf } = await sceneOf(t);
		    const before = await server.workers();

		    await server.stop("SIGKILL");
		    const starting = twinOf(t, server).start();

		    await waitFor("start to wait", () => waits(server, "start"));
		    deaf.destroy();
		    const done = await bounded("start", starting);

		    assert.equal(done.status, 0, done.stderr);
		    assert.deepEqual(before.filter((pid) =>
			    server.processes().includes(pid)), []);
		    rmSync(server.pidfile); /* of the one that was killed */
	    });

	test("stop needs no pidfile, and leaves any other file", async (t) => {
		const server = await Server.start(t);
		const twin = twinOf(t, server);
		const file = join(server.dir, "file");

		writeFileSync(file, "precious data\n");
		twin.pidfile = file;
		assert.equal((await twin.cli("stop")).status, 0);
		await bounded("end of the server", server.exited);
		assert.equal((await twin.cli("stop")).status, 3);
		assert.equal(readFileSync(file, "utf8"), "precious data\n");
	});

	test("a pidfile that was replaced is left to its owner", async (t) => {
		const other = new Server();

		t.after(() => other.end());
		const server = await Server.start(t);

		other.pidfile = server.pidfile;
		await other.run();
		await server.stop();
		assert.equal(readFileSync(server.pidfile, "utf8"),
		    `${other.child.pid}\n`);
		assert.equal((await other.cli("status")).status, 0);
	});

	test("a restart keeps it", async (t) => {
		const server = await Server.start(t);

		assert.equal((await server.cli("restart")).status, 0);
		assert.equal((await twinOf(t, server).start()).status, 4);
		await assertServes(server);
	});
});

/*
 * What a hand, a cleaner of old files or a logout removes while a server runs.
 */
describe("what is removed while it runs", { concurrency: true }, () => {
	test("the name in /dev/shm: it is found, restarted and stopped all the same",
	    async (t) => {
		    const server = await Server.start(t);
		    const { epoch, pid } = await server.status();

		    unlinkSync(server.shm);
		    await server.logs("the loss",
			/shared memory \S+ was removed, and cannot get its name back/u);
		    assert.equal((await server.status()).epoch, epoch);
		    assert.equal((await twinOf(t, server).start()).status, 4);
		    const { status, stderr } = await server.cli("restart");

		    assert.equal(status, 0, stderr);
		    assert.equal((await server.status()).epoch, epoch);
		    assert.equal((await server.status()).pid, pid);
		    await assertServes(server);
		    assert.equal((await server.cli("stop")).status, 0);
	    });

	test("a name that was moved is put back", async (t) => {
		const server = await Server.start(t);
		const moved = `${server.shm}.moved`;

		t.after(() => rmSync(moved, { force: true }));
		renameSync(server.shm, moved);
		await server.logs("the return",
		    /had lost its name, which was put back/u);
		assert.ok(existsSync(server.shm));
	});

	test("another file of that name is left alone", async (t) => {
		const server = await Server.start(t);

		t.after(() => rmSync(server.shm, { force: true }));
		unlinkSync(server.shm);
		writeFileSync(server.shm, "precious data\n");
		await server.logs("the loss", /cannot get its name back/u);
		assert.equal((await server.status()).pid, server.child.pid);
		await server.stop();
		assert.equal(readFileSync(server.shm, "utf8"),
		    "precious data\n");
		rmSync(server.shm);
	});

	test("the lock file is made anew", async (t) => {
		const server = await Server.start(t);

		unlinkSync(server.lockfile);
		await server.logs("the renewal", /lock file \S+ was removed: made anew/u);
		assert.equal((await server.status()).pid, server.child.pid);
		assert.equal((await twinOf(t, server).start()).status, 4);
		assert.equal((await server.cli("restart")).status, 0);
		assert.equal((await server.cli("stop")).status, 0);
	});

	test("the pidfile is for people alone", async (t) => {
		const server = await Server.start(t);

		unlinkSync(server.pidfile);
		assert.equal((await server.status()).pid, server.child.pid);
		assert.equal((await server.cli("stop")).status, 0);
	});

	test("the runtime directory, as of a user who has logged out", {
		skip: process.getuid() !== 0 && "only root can become a user",
	}, async (t) => {
		const server = new Server();
		const runtime = join(server.dir, "runtime");
		const state = join(server.dir, "state");
		const root = join(server.dir, "root");
		const user = "--reuid=12345 --regid=12345 --clear-groups".split(" ");
		const env = { XDG_RUNTIME_DIR: runtime, XDG_STATE_HOME: state };
		const as = (command, ...args) => run("setpriv", [...user, PUBSUBD,
			command, "--name", server.name, ...args],
		{ env: server.env });

		server.options.env = env;
		for (const directory of [server.dir, runtime, state, root]) {
			mkdirSync(directory, { recursive: true, mode: 0o700 });
			chownSync(directory, 12345, 12345);
		}
		t.after(() => server.end());
		const started = await as("start", "--listen", "127.0.0.1:0",
		    "--root", root);

		assert.equal(started.status, 0, started.stderr);
		rmSync(runtime, { recursive: true });
		delete server.options.env.XDG_RUNTIME_DIR; /* as from cron */
		assert.equal((await as("status")).status, 0);
		assert.equal((await as("stop")).status, 0);
		assert.equal((await as("status")).status, 3);
		assert.deepEqual(readdirSync(join(state, "pubsubd")),
		    [`${server.name}.log`]);
	});
});

/* Files of that name that somebody else made first, and locks. */
describe("a stranger's files", {
	concurrency: true,
	skip: process.getuid() !== 0 && "only root can be somebody else",
}, () => {
	/* Have a file open and locked, until the test ends: flock(1) locks what
	 * it shares with us.  It would open a name to create it, which the kernel
	 * forbids for another's file (proc_sys_fs(5), protected_regular). */
	async function locks(t, file) {
		const fd = openSync(file, "r");

		t.after(() => closeSync(fd));
		const { status, stderr } = await run("flock",
		    ["--exclusive", "--nonblock", "3"],
		    { stdio: ["ignore", "pipe", "pipe", fd] });

		assert.equal(status, 0, stderr);
	}

	test("in /dev/shm: one line says so, and names the way out", async (t) => {
		const server = new Server();

		t.after(() => server.end());
		writeFileSync(server.shm, "x");
		chownSync(server.shm, 12345, 12345);
		await locks(t, server.shm);
		const done = await server.start();

		assert.equal(done.status, 1);
		assert.equal(done.stderr, "pubsubd: shared memory " +
		    `/pubsubd.${server.name}: belongs to another user ` +
		    "(uid 12345): choose another --name\n");
		assert.equal((await server.cli("stop")).status, 3);
		assert.equal(readFileSync(server.shm, "utf8"), "x");
		rmSync(server.shm);
	});

	test("a lock file: nobody believes its locks", async (t) => {
		const server = new Server();

		t.after(() => rmSync(server.dir, { recursive: true }));
		t.after(() => rmSync(server.lockfile));
		mkdirSync(dirname(server.lockfile), { recursive: true });
		writeFileSync(server.lockfile, "");
		chownSync(server.lockfile, 12345, 12345);
		for (const command of ["status", "stop", "restart", "start"]) {
			const done = command === "start" ? await server.start() :
				await server.cli(command);

			assert.equal(done.status, 1);
			assert.match(done.stderr,
			    /^[^\n]*\.lock belongs to another user\n$/u);
		}
	});
});

describe("stop and a killed supervisor", { concurrency: true }, () => {
	test("killed while it stops: stop waits for the workers", async (t) => {
		const { server, deaf } = await sceneOf(t);
		const workers = await server.workers();
		const stopping = server.cli("stop");

		await server.logs("draining", /told to stop: draining/u);
		await server.stop("SIGKILL");
		await waitFor("stop to wait for a worker", () => workers.some(
		    (pid) => waits(server, "stop", pid)));
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
