// SPDX-License-Identifier: MIT
/*
 * package.test.mjs - what the Debian package does when it is upgraded: its postinst
 * has the server that runs change to the new program.
 *
 * Here runuser(1) stays who it is, and `pubsubd' is the program under test, about
 * the server of the test.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Client, PUBSUBD, ROOT, Server, run } from "./support.mjs";

/* It has done what it should, and says nothing. */
const NOTHING = { status: 0, signal: null, stdout: "", stderr: "" };

async function scene(t, lines = [], options = {}) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-package-"));
	const path = join(dir, "main.conf");
	const write = (...text) => writeFileSync(path, `${text.join("\n")}\n`);
	const program = (name, script) => writeFileSync(join(dir, name),
	    `#!/bin/sh\n${script}\n`, { mode: 0o755 });

	t.after(() => rmSync(dir, { recursive: true }));
	write(...lines);
	const server = new Server(["--config", path], options);

	t.after(() => server.end());
	program("runuser", "shift 3; exec \"$@\""); /* -u pubsubd -- */
	program("pubsubd", `HOME=${process.env.HOME} exec ${PUBSUBD} "$@" ` +
	    `--name ${server.name} --pidfile ${server.pidfile}`);
	return { server, write, postinst: (...args) => run("sh",
	    [join(ROOT, "scripts/debian/postinst"), ...args],
	    { env: { ...process.env, PATH: `${dir}:${process.env.PATH}` } }) };
}

describe("the package's postinst", { concurrency: true }, () => {
	test("upgrades a server that runs, and nobody notices", async (t) => {
		const { server, postinst } = await scene(t);

		await server.run();
		const client = await Client.open(server, { topics: ["x"] });
		const before = await server.workers();

		assert.deepEqual(await postinst("configure", "0.0.9"), NOTHING);
		for (const [slot, pid] of (await server.workers()).entries())
			assert.notEqual(pid, before[slot]);
		client.say("x", "still here");
		assert.equal(await client.next(), "still here");
		await client.close();
	});

	test("restarts one that cannot be upgraded", async (t) => {
		const { server, write, postinst } = await scene(t,
		    ["workers = 1"], { workers: [] });

		await server.run();
		const client = await Client.open(server);

		write("workers = 2");
		const { status, stderr } = await postinst("configure", "0.0.9");

		assert.equal(status, 0);
		assert.match(stderr, /was not upgraded, .* takes a restart\n$/u);
		assert.equal((await client.closed).code, 1001);
		assert.equal((await server.status()).run, 2);
	});

	test("does nothing where none runs, or at a first install", async (t) => {
		const { server, postinst } = await scene(t);

		assert.deepEqual(await postinst("configure", "0.0.9"), NOTHING);
		await server.run();
		const before = await server.workers();

		assert.deepEqual(await postinst("configure", ""), NOTHING);
		assert.deepEqual(await postinst("abort-upgrade", "0.0.9"), NOTHING);
		assert.deepEqual(await server.workers(), before);
	});
});
