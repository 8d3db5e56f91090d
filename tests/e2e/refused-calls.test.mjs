// SPDX-License-Identifier: MIT
/*
 * refused-calls.test.mjs - one system call at a time is refused: by a kernel that
 * does not know it (ENOSYS), or by the filter of a container or of a service
 * manager (EPERM).  A server does without it, or does not start, says in one line
 * why, and leaves nothing behind.
 *
 *	REFUSE	the tool that does it, tests/e2e/refuse.c
 */

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import {
	BUILT_WITHOUT, Client, PUBSUBD, Server, builtWithoutSandbox, run, waitFor,
} from "./support.mjs";

const REFUSE = process.env.REFUSE ?? "build/testing/refuse";

/* Those beyond what any server does that can be done without. */
const SPARED = ["close_range", "pidfd_open", "pidfd_send_signal",
	"landlock_create_ruleset", "seccomp", "sched_getaffinity",
	"dup3", "getdents64", "setpgid", "setsid", "linkat", "readlinkat",
	"sigaltstack", "getrandom", "openat2", "prlimit64"];

/* Those without which there is no server, and what it then says. */
const NEEDED = [
	["flock", /shared memory \S+: cannot be locked: /u],
	["fallocate", /shared memory \S+: \d+ MiB cannot be allocated: /u],
	["eventfd2", /cannot open descriptors: /u],
	["signalfd4", /cannot open descriptors: /u],
	["landlock_restrict_self",
		/^pubsubd: worker \d left with status 1 before it was ready: cannot confine this worker, Landlock: .*; --no-sandbox does without$/mu],
];

/* What a build with sanitizers cannot show: they need sigaltstack and prlimit64
 * themselves, and its workers do not confine themselves. */
const NOT_INSTRUMENTED = ["sigaltstack", "prlimit64",
	"landlock_restrict_self"];

let instrumented = false;

before(async () => {
	instrumented = await builtWithoutSandbox();
});

/* Whether a test of this call is skipped, which is then said. */
function isSkipped(t, call) {
	const skipped = instrumented && NOT_INSTRUMENTED.includes(call);

	if (skipped)
		t.skip(BUILT_WITHOUT);
	return skipped;
}

function serverWithout(t, call, errno) {
	const server = new Server([], { wrap: [REFUSE, call, errno] });

	t.after(() => server.end());
	return server;
}

describe("a call is refused", { concurrency: 4 }, () => {
	for (const errno of ["EPERM", "ENOSYS"])
		for (const call of SPARED)
			test(`${call}, ${errno}: it serves`, async (t) => {
				if (isSkipped(t, call))
					return;
				const server = serverWithout(t, call, errno);

				await server.run();
				/* With prlimit64 refused there was room for
				 * one on each worker. */
				const clients = [];

				for (let i = 0; i < 5; i++)
					clients.push(await Client.open(server,
					    { topics: ["x"] }));
				clients[0].say("x", "here");
				for (const client of clients) {
					assert.equal(await client.next(),
					    "here");
					await client.close();
				}
				const page = await fetch(
				    `${server.url}/chat.js`);

				assert.equal(page.status, 200);
				assert.match(await page.text(), /SPDX/u);
				assert.deepEqual(await server.stop(),
				    { code: 0, signal: null });
			});

	for (const errno of ["EPERM", "ENOSYS"])
		for (const [call, line] of NEEDED)
			test(`${call}, ${errno}: it says so`, async (t) => {
				if (isSkipped(t, call))
					return;
				const server = serverWithout(t, call, errno);

				server.deathsExpected = true; /* of a worker */
				await assert.rejects(server.run());
				assert.equal((await server.exited).code, 1);
				await server.silent;
				assert.match(server.stderr, line);
			});

	/* It never returned: the server kept the pipe that start(1) read. */
	for (const errno of ["EPERM", "ENOSYS"])
		test(`close_range, ${errno}: start returns, and no worker outlives it`,
		    async (t) => {
			    const server = serverWithout(t, "close_range", errno);
			    const done = await run(REFUSE, ["close_range", errno,
				    PUBSUBD, ...server.commandLine("start"),
				    "--log", `${server.dir}/log`],
			    { env: server.env });

			    assert.equal(done.status, 0, done.stderr);
			    const { pid } = await server.status();

			    server.deathsExpected = true;
			    process.kill(pid, "SIGKILL");
			    await waitFor("the end of the workers",
				() => server.processes().length === 0);
			    assert.equal((await server.cli("stop")).status, 3);
		    });
});
