// SPDX-License-Identifier: MIT
/*
 * cgroup.test.mjs - a server in a control group of its own, as in a container:
 * less processor time than the machine has cores, less memory than the ring
 * needs.  Skipped where no group can be made, which wants root and a cgroup file
 * system that can be written.
 */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Server, waitFor } from "./support.mjs";

/* What is written where, by the version of the file system. */
const CPU = {
	v1: ["/sys/fs/cgroup/cpu", ["cpu.cfs_period_us", "100000"],
		["cpu.cfs_quota_us", "50000"]],
	v2: ["/sys/fs/cgroup", ["cpu.max", "50000 100000"]],
};
const memory = (bytes) => ({
	v1: ["/sys/fs/cgroup/memory", ["memory.limit_in_bytes", `${bytes}`]],
	v2: ["/sys/fs/cgroup", ["memory.max", `${bytes}`]],
});

/* A group with these limits; null: there is none to be had. */
function makeGroup(limits, name) {
	for (const [top, ...files] of [limits.v1, limits.v2]) {
		const group = join(top, name);

		try {
			mkdirSync(group);
		} catch {
			continue;
		}
		if (files.every(([file]) => existsSync(join(group, file)))) {
			for (const [file, text] of files)
				writeFileSync(join(group, file), text);
			return group;
		}
		rmdirSync(group);
	}
	return null;
}

/* A server that is started inside such a group. */
function serverIn(t, limits, args) {
	const server = new Server(args);
	const group = makeGroup(limits, server.name);

	t.after(() => server.end());
	if (group === null) {
		t.skip("no control group can be made here");
		return null;
	}
	t.after(() => waitFor("the group to be empty", () => {
		try {
			rmdirSync(group);
			return true;
		} catch {
			return false;
		}
	}));
	server.options.wrap = ["sh", "-c",
		`echo $$ >${group}/cgroup.procs && exec "$@"`, "sh"];
	return server;
}

describe("in a control group", { concurrency: true }, () => {
	test("of half a processor there is one worker", {
		skip: cpus().length < 2 && "there is one processor",
	}, async (t) => {
		const server = serverIn(t, CPU, []);

		if (server === null)
			return;
		const whole = server.commandLine.bind(server);

		server.commandLine = (command) => {
			const words = whole(command);

			words.splice(words.indexOf("--workers"), 2);
			return words;
		};
		await server.run();
		assert.equal((await server.workers()).length, 1);
	});

	test("with less memory than the ring needs it says so", async (t) => {
		const server = serverIn(t, memory(20_000_000), []);

		if (server === null)
			return;
		await assert.rejects(server.run());
		assert.deepEqual(await server.exited, { code: 1, signal: null });
		assert.match(server.stderr, /^pubsubd: \d+ MiB of shared memory are more than the control group \(cgroup\) allows, 19 MiB/mu);
	});

	test("with enough memory it serves", async (t) => {
		/* Less than the default ring's; a sanitizer wants some, too. */
		const server = serverIn(t, memory(60_000_000),
		    ["--ring-size", "2M", "--max-topics", "1024"]);

		if (server === null)
			return;
		await server.run();
		assert.equal((await server.status()).state, "serving");
	});
});
