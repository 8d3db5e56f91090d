// SPDX-License-Identifier: MIT
/*
 * config.test.mjs - options from a file and from the environment: which outweighs
 * which, what `check' says, and that a faulty file starts nothing.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { PUBSUBD, Server, run } from "./support.mjs";

const USAGE = 2;

/* A configuration file with these lines, in a directory of its own. */
function file(t, ...lines) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-config-"));
	const path = join(dir, "main.conf");

	t.after(() => rmSync(dir, { recursive: true }));
	writeFileSync(path, `${lines.join("\n")}\n`);
	return path;
}

/* What `check' prints: option -> [value, origin] of each of its lines. */
async function check(args, env = {}) {
	const done = await run(PUBSUBD, ["check", ...args],
	    { env: { ...process.env, ...env } });
	const options = {};

	assert.equal(done.stderr, "");
	assert.equal(done.status, 0);
	for (const line of done.stdout.trimEnd().split("\n")) {
		const [name, value, ...origin] = line.split(/ +/u);

		(options[name] ??= []).push([value, origin.join(" ")]);
	}
	return options;
}

/* What `check' says of a file that is faulty. */
async function faults(path, args = []) {
	const done = await run(PUBSUBD, ["check", "--config", path, ...args]);

	assert.equal(done.status, USAGE);
	assert.equal(done.stdout, "");
	return done.stderr.trimEnd().split("\n");
}

describe("check", { concurrency: true }, () => {
	test("says every option and who says it", async (t) => {
		const path = file(t, "rate = 5", "drain = 2", "max-buffer = 9");
		const options = await check(["--config", path, "--drain", "1"],
		    { PUBSUBD_MAX_BUFFER: "8", PUBSUBD_DRAIN: "4" });

		assert.deepEqual(options.rate, [["5", `${path}:1`]]);
		assert.deepEqual(options["max-buffer"],
		    [["8", "PUBSUBD_MAX_BUFFER"]]);
		assert.deepEqual(options.drain, [["1", "--drain"]]);
		assert.deepEqual(options["conn-rate"], [["200", "default"]]);
		assert.deepEqual(options.config, [[path, "--config"]]);
		assert.equal(options.workers[0][1], "default");
	});

	test("a list replaces the list that it outweighs", async (t) => {
		const path = file(t, "allow-host = a", "allow-host = b",
		    "listen = 127.0.0.1:9");
		const args = ["--config", path];

		assert.deepEqual((await check(args))["allow-host"],
		    [["a", `${path}:1`], ["b", `${path}:2`]]);
		assert.deepEqual((await check(args,
		    { PUBSUBD_ALLOW_HOST: "c  d" }))["allow-host"],
		[["c", "PUBSUBD_ALLOW_HOST"], ["d", "PUBSUBD_ALLOW_HOST"]]);
		const flags = await check([...args, "--allow-host", "e",
			"--listen", "127.0.0.1:7"], { PUBSUBD_ALLOW_HOST: "c" });

		assert.deepEqual(flags["allow-host"], [["e", "--allow-host"]]);
		assert.deepEqual(flags.listen, [["127.0.0.1:7", "--listen"]]);
		assert.deepEqual(flags.admin, [["127.0.0.1:8", "default"]]);
	});

	test("a flag of the file has 0 or 1", async (t) => {
		const path = file(t, "no-sandbox = 1");
		const args = ["--config", path];

		assert.deepEqual((await check(args))["no-sandbox"],
		    [["1", `${path}:1`]]);
		assert.deepEqual((await check(args,
		    { PUBSUBD_NO_SANDBOX: "0" }))["no-sandbox"],
		[["0", "PUBSUBD_NO_SANDBOX"]]);
	});

	test("the environment names the file; none is none", async (t) => {
		const path = file(t, "rate = 5");

		assert.equal((await check([],
		    { PUBSUBD_CONFIG: path })).rate[0][0], "5");
		assert.equal((await check(["--config", "none"],
		    { PUBSUBD_CONFIG: path })).rate[0][0], "10000");
	});

	/* Kubernetes sets this for a service of the name pubsubd. */
	test("a variable that is no option is not ours", async () => {
		await check([], { PUBSUBD_PORT: "tcp://10.0.0.1:80" });
	});

	test("says the first fault of each line", async (t) => {
		const path = file(t, "rate = fast", "# fine", "rat = 5",
		    "workers", "drain = 1", "drain = 2", "name = two",
		    "root = public", "frob = 1", "ring-size = 1G\r",
		    "[topic \"room/#\"]", "retain = 1", "no equals sign");

		assert.deepEqual(await faults(path), [
			`${path}:1: rate fast: must be a number from 0 to 1073741824`,
			`${path}:3: rat: no such option; did you mean rate?`,
			`${path}:4: must be OPTION = VALUE`,
			`${path}:6: drain: is in line 5 already`,
			`${path}:7: name: belongs on the command line, where it ` +
				"says which server and file are meant",
			`${path}:8: root public: must be an absolute path`,
			`${path}:9: frob: no such option`,
			`${path}:10: the line ends with a carriage return: save ` +
				"the file with Unix line ends",
			`${path}:11: [topic]: there is no such section`,
			`${path}:13: must be OPTION = VALUE`,
		]);
	});

	test("says what is wrong with a value of the environment", async () => {
		const done = await run(PUBSUBD, ["check", "--config", "none"],
		    { env: { ...process.env, PUBSUBD_RATE: "x", PUBSUBD_ROOT: "y" } });

		assert.equal(done.status, USAGE);
		assert.equal(done.stderr,
		    "PUBSUBD_ROOT=y: must be an absolute path\n" +
		    "PUBSUBD_RATE=x: must be a number from 0 to 1073741824\n");
	});

	test("values that do not go together", async (t) => {
		const path = file(t, "ring-size = 4K");

		assert.match((await faults(path))[0],
		    /^pubsubd: --ring-size 4K: must be at least/u);
	});

	for (const [what, path, line] of [
		["that is not there", "/nonexistent/x.conf", /No such file/u],
		["that is a directory", "/etc", /is not a file/u],
		["that never ends", "/dev/zero", /is not a file/u],
	])
		test(`a file ${what}`, async () => {
			assert.match((await faults(path))[0], line);
		});
});

describe("a server", { concurrency: true }, () => {
	test("serves with what its file says", async (t) => {
		const path = file(t, "max-message = 100", "workers = 1");
		const server = await Server.start(t, ["--config", path]);
		const { status } = await fetch(`${server.url}/topics/a`,
		    { method: "POST", body: "x".repeat(101) });

		assert.equal(status, 413);
	});

	test("reads its file again at a restart", async (t) => {
		const path = file(t, "max-message = 100");
		const server = await Server.start(t, ["--config", path]);
		const port = server.port;

		writeFileSync(path, "max-message = 200\n" +
		    "admin = 127.0.0.1:0\n");
		assert.equal((await server.cli("restart")).status, 0);
		const { status } = await fetch(`${server.url}/topics/a`,
		    { method: "POST", body: "x".repeat(150) });

		assert.equal(status, 200);
		writeFileSync(path, "max-message = 2x0\n");
		const refused = await server.cli("restart");

		assert.equal(refused.status, 1);
		assert.match(refused.stderr, /main\.conf:1: max-message 2x0/u);
		assert.equal(server.port, port);
	});

	test("says that a restart does not change its addresses", async (t) => {
		const path = file(t, "rate = 1");
		const server = new Server(["--config", path], { listen: [] });

		t.after(() => server.end());
		server.args.push("--admin", "none");
		writeFileSync(path, "listen = 127.0.0.1:0\n");
		await server.run();
		writeFileSync(path, "listen = [::1]:0\n");
		assert.equal((await server.cli("restart")).status, 0);
		await server.logs("the change", /--listen has changed/u);
	});

	test("does not start with a faulty file", async (t) => {
		const path = file(t, "rate = fast", "frob = 1");

		for (const command of ["run", "start"]) {
			const done = await run(PUBSUBD,
			    [command, "--config", path]);

			assert.equal(done.status, USAGE);
			assert.equal(done.stderr, `pubsubd: ${path}:1: rate fast: ` +
			    "must be a number from 0 to 1073741824 " +
			    "(and 1 more: see 'pubsubd check')\n");
		}
	});
});
