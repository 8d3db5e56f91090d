// SPDX-License-Identifier: MIT
/*
 * config.test.mjs - options from a file and from the environment: which outweighs
 * which, what `check' says, and that a faulty file starts nothing.
 */

import assert from "node:assert/strict";
import {
	existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync,
	symlinkSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Client, PUBSUBD, Server, run, waitFor } from "./support.mjs";

const USAGE = 2;

/* A configuration file with these lines, in a directory of its own. */
function file(t, ...lines) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-config-"));
	const path = join(dir, "main.conf");

	t.after(() => rmSync(dir, { recursive: true }));
	writeFileSync(path, `${lines.join("\n")}\n`);
	return path;
}

/* The lines that `check' prints below the names of the columns, as words. */
async function checkLines(args, env = {}) {
	const done = await run(PUBSUBD, ["check", ...args],
	    { env: { ...process.env, PUBSUBD_ROOT: "/", ...env } });
	assert.equal(done.stderr, "");
	assert.equal(done.status, 0);
	const [head, ...lines] = done.stdout.trimEnd().split("\n");

	assert.match(head, /^OPTION +CHANGED BY +VALUE +SAID BY$/u);
	return lines.map((line) => line.split(/ +/u));
}

/* The same by option: [value, origin] of each of its lines. */
async function check(args, env = {}) {
	const options = {};

	for (const [name, , value, ...origin] of await checkLines(args, env))
		(options[name] ??= []).push([value, origin.join(" ")]);
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

	test("says what changes an option", async () => {
		const change = Object.fromEntries(await checkLines([]));

		assert.equal(change.rate, "reload");
		assert.equal(change["ring-size"], "upgrade");
		assert.equal(change.workers, "restart");
		assert.equal(change.listen, "stop+start");
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
		    "[topic \"room/#\"]", "rate = 1", "no equals sign");

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
			`${path}:13: must be OPTION = VALUE`,
		]);
	});

	test("says what sections say of topics, and where", async (t) => {
		const path = file(t, "rate = 5", "", "[topic \"room/#\"]",
		    "history = 1", "rate = 25", "", "[topic \"a b\"]",
		    "history = 0", "overflow = latest", "rate = 9");
		const { stdout } = await run(PUBSUBD,
		    ["check", "--config", path]);

		const lines = [...stdout.matchAll(
		    /^\[topic "(.*)"\] (\w+) +reload +(\S+) +(\S+)$/gmu)];

		assert.deepEqual(lines.map((line) => line.slice(1)), [
			["room/#", "history", "1", `${path}:4`],
			["room/#", "rate", "25", `${path}:5`],
			["a b", "history", "0", `${path}:8`],
			["a b", "overflow", "latest", `${path}:9`],
			["a b", "rate", "9", `${path}:10`],
		]);
	});

	test("says the first fault of each line of a section", async (t) => {
		const path = file(t, "[topic]", "rate = 1", "[room \"a\"]",
		    "frob = 1", "[topic \"a/#\"]", "frob = 1", "rate = 1",
		    "rate = 2", "history = many", "overflow = lots", "history = -1",
		    "[topic \"a/#\"]", "[topic \"#/a\"]", "[topic \"b\"",
		    "drain = 1", "rate = -1");

		assert.deepEqual(await faults(path), [
			`${path}:1: [topic]: must be [topic "PATTERN"]`,
			`${path}:3: [room "a"]: there is no such section; there ` +
				"is [topic \"PATTERN\"]",
			`${path}:6: frob: is nothing that can be said of topics: ` +
				"there are history, overflow, rate, retain, ttl",
			`${path}:8: rate: is in line 7 already`,
			`${path}:9: history many: must be a number from 0 to ` +
				"1000000000",
			`${path}:10: overflow lots: must be client, drop, latest ` +
				"or close",
			`${path}:11: history -1: must be a number from 0 to ` +
				"1000000000",
			`${path}:12: [topic "a/#"]: is in line 5 already`,
			`${path}:13: [topic "#/a"]: in a pattern, # is the last level`,
			`${path}:14: must be [KIND "ARGUMENT"] or [KIND]`,
		]);
	});

	test("takes 64 sections, and no more", async (t) => {
		const path = file(t, ...Array.from({ length: 65 },
		    (_, i) => `[topic "room/${i}"]`));

		assert.deepEqual(await faults(path), [`${path}:65: ` +
			"[topic \"room/64\"]: there are 64 sections already"]);
	});

	test("says what is wrong with a value of the environment", async () => {
		const done = await run(PUBSUBD, ["check", "--config", "none"],
		    { env: { ...process.env, PUBSUBD_RATE: "x", PUBSUBD_ROOT: "y" } });

		assert.equal(done.status, USAGE);
		assert.equal(done.stderr,
		    "PUBSUBD_ROOT=y: must be an absolute path\n" +
		    "PUBSUBD_RATE=x: must be a number from 0 to 1073741824\n");
	});

	for (const [what, args, why] of [
		["a directory", ["--root", "/nonexistent"],
		    "--root /nonexistent: No such file or directory"],
		["a certificate", ["--tls-listen", "0", "--tls-cert",
		    "/nonexistent", "--tls-key", "/nonexistent"],
		"--tls-cert /nonexistent: No such file or directory"],
		["a key", ["--jwt-key", "/nonexistent"],
		    "--jwt-key /nonexistent: No such file or directory"],
	])
		test(`${what} that is not there, as a start does`, async () => {
			for (const command of ["check", "start"]) {
				const done = await run(PUBSUBD, [command,
					"--config", "none", "--listen", "0",
					"--admin", "none", "--name",
					`config-${process.pid}`, ...args]);

				assert.equal(done.status, 1);
				assert.equal(done.stderr, `pubsubd: ${why}\n`);
			}
		});

	test("warns of a variable that is nearly an option's", async () => {
		const done = await run(PUBSUBD, ["check", "--config", "none",
			"--root", "/"], { env: { ...process.env,
			PUBSUBD_MAX_CONN: "5", PUBSUBD_JWTKEY: "x",
			PUBSUBD_PORT: "tcp://10.0.0.1:80", PUBSUBD_X: "1",
			PUBSUBD_SERVICE_HOST: "10.0.0.1", PUBSUBD_: "" } });

		assert.equal(done.status, 0);
		assert.deepEqual(done.stderr.trimEnd().split("\n").sort(), [
			"pubsubd: PUBSUBD_JWTKEY: no such option; did you mean " +
			    "PUBSUBD_JWT_KEY?",
			"pubsubd: PUBSUBD_MAX_CONN: no such option; did you mean " +
			    "PUBSUBD_MAX_CONNS?",
		]);
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

/* A client that is subscribed to so many topics. */
async function subscribing(server, topics) {
	const client = await Client.open(server);

	for (let n = 0; n < topics; n++)
		client.say(`topic ${n}`, "x");
	for (let n = 0; n < topics; n++)
		await client.next();
	return client;
}

describe("reload", { concurrency: true }, () => {
	/* A server with one worker, whose file has these lines to begin with,
	 * and a function that changes them and reloads. */
	async function scene(t, lines, args = []) {
		const path = file(t, ...lines);
		const server = await Server.start(t,
		    ["--config", path, "--workers", "1", ...args]);
		const reload = (...next) => {
			writeFileSync(path, `${next.join("\n")}\n`);
			return server.cli("reload");
		};

		return { server, path, reload };
	}

	test("changes what it can, and cuts nobody", async (t) => {
		const { server, reload } = await scene(t, ["rate = 7"]);
		const client = await subscribing(server, 2);
		const [pid] = await server.workers();
		const done = await reload("max-topics-per-conn = 3",
		    "max-head = 512", "allow-origin = https://a.example");

		assert.deepEqual([done.status, done.stdout, done.stderr], [0,
			`pubsubd ${server.name}: reloaded; changed: allow-origin, ` +
			"max-topics-per-conn, rate, max-head\n", ""]);
		/* One that was there before, and what it does now. */
		client.say("topic 2", "still here");
		assert.equal(await client.next(), "still here");
		client.say("topic 3", "one too many");
		assert.equal((await client.closed).code, 1008);
		const headers = { Origin: "https://a.example" };
		const answer = await fetch(`${server.url}/topics/a`, { headers });

		assert.equal(answer.headers.get("access-control-allow-origin"),
		    headers.Origin);
		const long = await fetch(`${server.url}/topics/a`,
		    { headers: { "X-Long": "x".repeat(600) } });

		assert.equal(long.status, 431);
		assert.deepEqual(await server.workers(), [pid]);
	});

	test("says so where no option has changed", async (t) => {
		const { server, reload } = await scene(t, ["rate = 7"]);

		assert.equal((await reload("rate = 7", "drain = 5.0")).stdout,
		    `pubsubd ${server.name}: reloaded; no option has changed\n`);
	});

	/* It said that nothing had changed. */
	test("tells of a --root that was replaced, which it cannot serve",
	    async (t) => {
		const root = mkdtempSync(join(tmpdir(), "pubsubd-root-"));

		t.after(() => rmSync(root, { recursive: true }));
		for (const release of ["one", "two"]) {
			mkdirSync(join(root, release));
			writeFileSync(join(root, release, "index.html"), release);
		}
		symlinkSync("one", join(root, "current"));
		const { server, reload } = await scene(t, ["rate = 7"],
		    ["--root", join(root, "current")]);
		const page = async () => (await fetch(`${server.url}/`)).text();
		const note = "root (another directory, which a restart serves)";

		symlinkSync("two", join(root, "next"));
		renameSync(join(root, "next"), join(root, "current"));
		for (const [line, changed] of [["rate = 7", note],
			["rate = 8", `rate, ${note}`]])
			assert.equal((await reload(line)).stdout, "pubsubd " +
			    `${server.name}: reloaded; changed: ${changed}\n`);
		assert.equal(await page(), "one");
		assert.equal((await server.cli("restart")).status, 0);
		assert.equal(await page(), "two");
		assert.match((await reload("rate = 8")).stdout, /no option has/u);
	});

	for (const [what, line, why] of [
		["is wrong", "rate = fast", /main\.conf:2: rate fast/u],
		["needs an upgrade", "ring-size = 64M",
			/--ring-size changed, which takes an upgrade; nothing is/u],
		["needs a restart", "cluster-name = other",
			/--cluster-name changed, which takes a restart; nothing/u],
		["cannot be opened", "log = /nonexistent/log", /--log: from/u],
	])
		test(`applies nothing if something ${what}`, async (t) => {
			const { server, reload } = await scene(t, [], []);
			const client = await subscribing(server, 1);
			const done = await reload("max-topics-per-conn = 1", line);

			assert.equal(done.status, 1);
			assert.match(done.stderr, why);
			assert.equal(done.stdout, "");
			client.say("topic 1", "as before");
			assert.equal(await client.next(), "as before");
		});

	test("a worker that starts later has the new options, too", async (t) => {
		const { server, reload } = await scene(t, []);

		server.deathsExpected = true;
		assert.equal((await reload("max-head = 512")).status, 0);
		const [pid] = await server.workers();

		process.kill(pid, "SIGKILL");
		await waitFor("its successor", async () => {
			const [worker] = (await server.status()).workers;

			return worker.pid !== pid && worker.state === "ready";
		});
		const long = await fetch(`${server.url}/topics/a`,
		    { headers: { "X-Long": "x".repeat(600) } });

		assert.equal(long.status, 431);
		/* And the next reload reaches it. */
		assert.equal((await reload("max-head = 4K")).status, 0);
		const fine = await fetch(`${server.url}/topics/a`,
		    { headers: { "X-Long": "x".repeat(600) } });

		assert.equal(fine.status, 404); /* no such topic */
	});

	test("many reloads under way change all or nothing", async (t) => {
		const { server, reload } = await scene(t, []);
		const client = await subscribing(server, 1);

		for (let n = 0; n < 20; n++) {
			const done = await reload(`rate = ${5000 + n}`,
			    ...Array.from({ length: 60 },
				(_, i) => `allow-host = h${n}-${i}.example`));

			assert.equal(done.status, 0, done.stderr);
			client.say("topic 0", `${n}`);
			assert.equal(await client.next(), `${n}`);
		}
	});

	test("SIGHUP reloads, and moves the log", async (t) => {
		const path = file(t);
		const server = new Server(["--config", path]);
		const logs = ["first", "second"].map((name) =>
			join(server.dir, name));

		t.after(() => server.end());
		writeFileSync(path, `log = ${logs[0]}\n`);
		await server.run();
		writeFileSync(path, `log = ${logs[1]}\nlog-level = debug\n`);
		server.child.kill("SIGHUP");
		await waitFor("the other log", () => existsSync(logs[1]) &&
			/reload: changed log, log-level/u.test(
			    readFileSync(logs[1], "utf8")));
		writeFileSync(path, "log = /nonexistent/log\n");
		const refused = await server.cli("reload");

		assert.equal(refused.status, 1);
		assert.match(refused.stderr, /log file \/nonexistent\/log: No such/u);
		await waitFor("the reason",
		    () => /no reload/u.test(readFileSync(logs[1], "utf8")));
	});

	test("of what does not run", async () => {
		const name = `e2e-none-${process.pid}`;
		const done = await run(PUBSUBD, ["reload", "--name", name]);

		assert.equal(done.status, 3);
		assert.equal(done.stderr, `pubsubd: ${name} is not running\n`);
	});
});
