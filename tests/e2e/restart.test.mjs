// SPDX-License-Identifier: MIT
/*
 * restart.test.mjs - the program on disk is replaced under a server that runs,
 * by a good one, a bad one, and by none; and several commands at a time.
 *
 * What a restart keeps is in lifecycle.test.mjs, what it does to clients who
 * talk meanwhile in drain.test.mjs.
 */

import assert from "node:assert/strict";
import {
	chmodSync, closeSync, copyFileSync, existsSync, mkdirSync, mkdtempSync,
	openSync, readFileSync, renameSync, rmSync, rmdirSync, writeFileSync,
	writeSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { fault } from "./fault.mjs";
import { STOPPABLE, Stop } from "./stop.mjs";
import {
	Client, Frame, PUBSUBD, Raw, Server, bounded, run, waitFor,
} from "./support.mjs";

const { SIGUSR2 } = constants.signals;

/* A server that runs from a copy of the program, and a client of it.  The last
 * argument may be options of the Server. */
async function scene(t, ...args) {
	const options = typeof args.at(-1) === "object" ? args.pop() : {};
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-copy-"));
	const program = join(dir, "pubsubd");

	t.after(() => rmSync(dir, { recursive: true }));
	copyFileSync(PUBSUBD, program);
	const server = await Server.start(t, args, { ...options, program });
	const client = await Client.open(server, { topics: ["x"] });

	return { server, client, program };
}

/* Put something else in the program's place, as an update does: by a rename. */
function replace(program, make) {
	make(`${program}.new`);
	chmodSync(`${program}.new`, 0o755);
	renameSync(`${program}.new`, program);
}

/* Whether a signal has been sent to this process, and waits. */
function isPending(pid, signal) {
	const [, mask] = /^ShdPnd:\s*(\w+)$/mu.exec(
	    readFileSync(`/proc/${pid}/status`, "utf8"));

	return (BigInt(`0x${mask}`) >> BigInt(signal - 1) & 1n) === 1n;
}

async function assertUndisturbed(client) {
	client.say("x", "not disturbed");
	assert.equal(await client.next(), "not disturbed");
	await client.close();
}

describe("the program on disk", { concurrency: true }, () => {
	test("replaced by its like: it is taken", async (t) => {
		const { server, client, program } = await scene(t);

		replace(program, (to) => copyFileSync(PUBSUBD, to));
		const done = await server.cli("restart");

		assert.equal(done.status, 0, done.stderr);
		assert.equal((await client.closed).code, 1001);
		assert.equal((await server.status()).run, 2);
	});

	for (const [name, make] of [
		["that fails", (to) => writeFileSync(to, "#!/bin/sh\nexit 1\n")],
		["that is none", (to) => writeFileSync(to, "no program\n")],
		["without its interpreter",
			(to) => writeFileSync(to, "#!/no/such/program\n")],
	])
		test(`replaced by one ${name}: no restart, no harm`, async (t) => {
			const { server, client, program } = await scene(t);

			server.deathsExpected = true; /* of the trial */
			replace(program, make);
			for (let i = 0; i < 2; i++) {
				const done = await server.cli("restart");

				assert.equal(done.status, 1);
				assert.match(done.stderr, new RegExp(
				    `^pubsubd: ${server.name} was not restarted, ` +
				    "and serves on: .*\\n$", "u"));
			}
			await server.logs("why", /no restart: \S+ would not start/u);
			assert.equal((await server.status()).run, 1);
			await assertUndisturbed(client);
			/* and when it has been put right it works */
			replace(program, (to) => copyFileSync(PUBSUBD, to));
			assert.equal((await server.cli("restart")).status, 0);
		});

	/* Of 95 that waited 33 were reset: with the sockets of workers that are
	 * not there any more. */
	test("by one with fewer workers: who waits is served", async (t) => {
		const { server, client, program } = await scene(t,
		    "--drain", "60", "--workers", "3");
		const holder = await Raw.open(server.port, "/ws", { t });

		replace(program, (to) => writeFileSync(to,
		    `#!/bin/sh\nexec ${PUBSUBD} "$@" --workers 1\n`));
		const restarted = server.cli("restart");

		assert.equal((await holder.frame()).opcode, Frame.CLOSE);
		await client.closed;
		const waiting = await Promise.all(Array.from({ length: 40 },
		    () => Raw.connect(server.port, { t })));

		for (const raw of waiting)
			raw.request("GET", "/healthz");
		holder.destroy();
		for (const raw of waiting)
			assert.equal((await raw.response()).status, 200);
		assert.equal((await restarted).status, 0);
		assert.equal((await server.workers()).length, 1);
		/* The sockets that are left over are handed on. */
		assert.equal((await server.cli("restart")).status, 0);
		await assertUndisturbed(await Client.open(server,
		    { topics: ["x"] }));
	});

	test("of another layout than what runs: with a new ring", async (t) => {
		const { server, client } = await scene(t);
		const { epoch } = await server.status();
		const file = openSync(server.shm, "r+");

		/* The layout's fingerprint, as it stands there while one that knows
		 * another layout serves. */
		writeSync(file, Buffer.from("another!"), 0, 8, 8);
		closeSync(file);
		assert.equal((await server.cli("status")).status, 1);
		const done = await server.cli("restart");

		assert.equal(done.status, 0, done.stderr);
		assert.equal((await client.closed).code, 1001);
		assert.notEqual((await server.status()).epoch, epoch);
	});

	test("removed: no restart, no harm", async (t) => {
		const { server, client, program } = await scene(t);

		rmSync(program);
		const done = await server.cli("restart");

		assert.equal(done.status, 1);
		assert.match(done.stderr, /serves on: \S+: No such file/u);
		await assertUndisturbed(client);
	});

	/* It was only asked for its version: whatever else kept it from starting
	 * showed when the old one was gone, and nobody served. */
	describe("that would not start", { concurrency: true }, () => {
		async function assertRefused(server, why) {
			const done = await server.cli("restart");

			assert.equal(done.status, 1);
			assert.equal(done.stderr, `pubsubd: ${server.name} was ` +
			    `not restarted, and serves on: ${server.program} ` +
			    `would not start: ${why}\n`);
			await server.logs("why", /no restart: .* would not start/u);
		}

		test("for want of its root: no harm", async (t) => {
			const root = mkdtempSync(join(tmpdir(), "pubsubd-root-"));
			const { server, client } = await scene(t, "--root", root);

			rmdirSync(root);
			await assertRefused(server,
			    `--root ${root}: No such file or directory`);
			await assertUndisturbed(client);
			mkdirSync(root);
			assert.equal((await server.cli("restart")).status, 0);
			rmdirSync(root);
		});

		test("for an option that it does not know: no harm", async (t) => {
			const { server, client, program } = await scene(t);

			replace(program, (to) => writeFileSync(to,
			    `#!/bin/sh\nexec ${PUBSUBD} "$@" --new-option\n`));
			await assertRefused(server,
			    "--new-option: no such option; try 'pubsubd help'");
			await assertUndisturbed(client);
		});

		test("for it knows nothing of trials: it starts nothing",
		    async (t) => {
			    const { server, client, program } = await scene(t);
			    const started = join(server.dir, "started");

			    replace(program, (to) => writeFileSync(to, "#!/bin/sh\n" +
				"case $1 in (version) exit 0;; (run | start) " +
				`touch ${started};; (*) echo "pubsubd: $1: no such ` +
				'command" >&2; exit 2;; esac\n'));
			    await assertRefused(server,
				"check-restart: no such command");
			    assert.equal(existsSync(started), false);
			    await assertUndisturbed(client);
		    });

		/* It was waited for without end, and kept all later restarts from
		 * being more than "under way". */
		test("for it hangs, with a child: no harm", async (t) => {
			const { server, client, program } = await scene(t);

			replace(program, (to) => writeFileSync(to,
			    "#!/bin/sh\nsleep 300\n"));
			await assertRefused(server, "no answer in time");
			await assertUndisturbed(client);
			replace(program, (to) => copyFileSync(PUBSUBD, to));
			assert.equal((await server.cli("restart")).status, 0);
		});

		test("the trial itself leaves nothing, and takes nothing",
		    async (t) => {
			    const { server, client } = await scene(t);
			    const none = new Server();
			    const trial = ({ env }, ...args) => run(PUBSUBD,
				["check-restart", ...args], { env });

			    t.after(() => none.end());
			    for (const one of [server, none])
				    for (const command of ["run", "start"])
					    assert.deepEqual(await trial(one,
						...one.commandLine(command)),
					    { status: 0, signal: null,
						    stdout: "", stderr: "" });
			    await none.assertNothingLeft();
			    assert.equal((await trial(server, "stop", "--name",
				server.name, "--pidfile", server.pidfile)).status,
			    2);
			    await assertUndisturbed(client);
		    });
	});
});

describe("a run that is not ready yet", { concurrency: true }, () => {
	/* It was refused, since the server "serves on": which it did not. */
	test("for its workers die: a restart leads back", async (t) => {
		const { program: faulty, env } =
			fault("child", "fcntl", "EAGAIN", { times: 1e6 });
		const { server, client, program } = await scene(t, { env });

		server.deathsExpected = true;
		replace(program, (to) => copyFileSync(faulty, to));
		const first = server.cli("restart");

		await client.closed;
		await server.logs("a death", /left with status 1/u);
		replace(program, (to) => copyFileSync(PUBSUBD, to));
		for (const done of [await server.cli("restart"), await first])
			assert.equal(done.status, 0, done.stderr);
		assert.equal((await server.status()).run, 3);
		await assertUndisturbed(await Client.open(server,
		    { topics: ["x"] }));
	});

	test("another restart does not make the first one fail", async (t) => {
		const { server, client, program } = await scene(t);

		replace(program, (to) => copyFileSync(STOPPABLE, to));
		assert.equal((await server.cli("restart")).status, 0);
		await client.closed;
		const stop = await Stop.arm(t, server, "supervisor",
		    "run-half-begun");
		const first = server.cli("restart");
		const pid = await stop.stands();
		const second = server.cli("restart");

		await waitFor("its signal", () => isPending(pid, SIGUSR2));
		process.kill(pid, "SIGCONT");
		for (const done of [await first, await second])
			assert.equal(done.status, 0, done.stderr);
		await waitFor("its run", async () =>
			/run 3 of epoch \w+ has ended/u.test(server.logged));
	});
});

describe("several commands at a time", { concurrency: true }, () => {
	test("of five starts one wins, and four say who", async (t) => {
		const server = new Server();

		t.after(() => server.end());
		const done = await Promise.all(Array.from({ length: 5 },
		    () => server.start()));

		assert.deepEqual(done.map(({ status }) => status).sort(),
		    [0, 4, 4, 4, 4]);
		const { pid } = await server.status();

		for (const { status, stderr } of done)
			if (status === 4)
				assert.match(stderr, new RegExp(`pid ${pid}`, "u"));
	});

	test("of five stops all find it stopped", async (t) => {
		const { server, client } = await scene(t);
		const done = await Promise.all(Array.from({ length: 5 },
		    () => server.cli("stop")));

		for (const { status, stderr } of done)
			assert.ok(status === 0 || status === 3, stderr);
		assert.equal((await client.closed).code, 1001);
		await server.assertNothingLeft();
	});

	/* A server whose drain is held up, so that more can be said to it. */
	async function held(t) {
		const all = await scene(t, "--drain", "60");
		const holder = await Raw.open(all.server.port, "/ws", { t });
		const restarted = all.server.cli("restart");

		assert.equal((await holder.frame()).opcode, Frame.CLOSE);
		return { ...all, holder, restarted };
	}

	test("a restart during a restart is the same one", async (t) => {
		/* The second was refused once, and the first then gave up its
		 * wait, and said that there would be no restart. */
		const { server, holder, restarted } = await held(t);
		const second = server.cli("restart");

		await server.logs("the second", /there is one under way/u);
		holder.destroy();
		for (const done of [await restarted, await second])
			assert.equal(done.status, 0, done.stderr);
		assert.equal((await server.status()).run, 2);
	});

	test("a stop during a restart is a stop", async (t) => {
		const { server, holder, restarted } = await held(t);
		const stopped = server.cli("stop");

		await server.logs("the drain", /told to stop: draining/u);
		holder.destroy();
		assert.equal((await stopped).status, 0);
		assert.equal((await restarted).status, 1);
		assert.equal((await server.exited).code, 0);
		await server.assertNothingLeft();
	});

	test("start, stop, start, stop, with nobody waiting in between",
	    async (t) => {
		    const server = new Server();

		    t.after(() => server.end());
		    for (let i = 0; i < 10; i++) {
			    assert.equal((await server.start()).status, 0);
			    assert.equal((await server.cli("stop")).status, 0);
		    }
		    await server.assertNothingLeft();
	    });
});

/* The program that was executed ends: so does the service, but the ring is not
 * removed, and the next start goes on with it. */
describe("a program that fails after the exec", { concurrency: true }, () => {
	/* A server whose restart is held up until the returned function lets it
	 * go on, which sees it fail, and the next start go on with the ring. */
	async function held(t) {
		const { server, client, program } = await scene(t,
		    "--drain", "60");
		const holder = await Raw.open(server.port, "/ws", { t });
		const { epoch, pid } = await server.status();

		server.deathsExpected = true;
		client.say("x", "kept");
		assert.equal(await client.next(), "kept");
		const restarting = server.cli("restart");

		await server.logs("the trial", /would start; draining/u);
		assert.equal((await holder.frame()).opcode, Frame.CLOSE);

		async function goOn(code) {
			holder.destroy();
			const done = await bounded("restart", restarting);

			assert.equal(done.status, 1);
			assert.match(done.stderr, /ended instead of restarting/u);
			assert.equal((await bounded("end", server.exited)).code,
			    code);
			assert.ok(existsSync(server.shm));
			copyFileSync(PUBSUBD, program);
			await server.run();
			assert.equal((await server.status()).epoch, epoch);
			assert.equal((await (await fetch(
			    `${server.url}/topics/x`)).json()).seq, 1);
		}

		return { server, pid, epoch, program, holder, restarting,
			goOn };
	}

	async function limit(pid, ...limits) {
		const { status, stderr } = await run("prlimit",
		    ["--pid", `${pid}`, ...limits]);

		assert.equal(status, 0, stderr);
	}

	test("for it has too few descriptors", async (t) => {
		const { server, pid, goOn } = await held(t);

		await limit(pid, "--nofile=13:13");
		await goOn(1);
		assert.match(server.logged,
		    /cannot open descriptors: Too many open files/u);
	});

	/* It made a new ring instead. */
	test("for it cannot map the ring", async (t) => {
		const { server, program, goOn } = await held(t);
		const { program: faulty } = fault("self", "mmap", "ENOMEM");

		replace(program, (to) => writeFileSync(to, "#!/bin/sh\n" +
		    `FAULT="self mmap 2 1 12" exec ${faulty} "$@"\n`));
		await goOn(1);
		assert.match(server.logged, /cannot be mapped: Cannot allocate/u);
	});

	test("for there is none any more: the old one serves", async (t) => {
		const { server, epoch, program, holder, restarting } =
			await held(t);

		rmSync(program);
		holder.destroy();
		const done = await bounded("restart", restarting);

		assert.equal(done.status, 1);
		assert.match(done.stderr, /serves on: cannot execute \S+: No such/u);
		await server.logs("the next run", /run 1 of epoch \w+ has ended/u);
		assert.equal((await server.status()).epoch, epoch);
		await assertUndisturbed(await Client.open(server,
		    { topics: ["x"] }));
	});

	test("before it has opened anything", async (t) => {
		const { program, goOn } = await held(t);

		replace(program, (to) => writeFileSync(to, "#!/bin/sh\nexit 7\n"));
		await goOn(7);
	});
});
