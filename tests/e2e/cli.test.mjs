// SPDX-License-Identifier: MIT
/*
 * cli.test.mjs - the command line: what it prints, how it ends, and that a
 * start that comes to nothing says why in one line and leaves nothing behind.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import {
	chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync,
	statfsSync, writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Client, PUBSUBD, Raw, Server, run } from "./support.mjs";

const FAILED = 1, USAGE = 2, NOT_RUNNING = 3, ALREADY_RUNNING = 4;

/* That `run' and `start' with these options end with this status and one line
 * that matches, and that nothing stays. */
async function refuses(t, args, status, line, options = {}) {
	for (const command of ["run", "start"]) {
		const server = new Server(args, options);

		server.args.unshift("--log", join(server.dir, "log"));
		t.after(() => server.end());
		const [program, ...words] = [...options.wrap ?? [], PUBSUBD,
			...server.commandLine(command)];
		const done = await run(program, words, { env: server.env });

		assert.equal(done.status, status, done.stderr);
		assert.equal(done.stdout, "");
		assert.match(done.stderr, /^pubsubd: [^\n]+\n$/u);
		assert.match(done.stderr, line);
		await server.assertNothingLeft();
	}
}

describe("words", { concurrency: true }, () => {
	for (const word of ["version", "--version", "-V"])
		test(word, async () => {
			const done = await run(PUBSUBD, [word]);

			assert.equal(done.status, 0);
			assert.match(done.stdout, /^pubsubd \d+\.\d+\.\d+\n$/u);
		});

	for (const word of ["version", "help"])
		test(`${word} that cannot be written`, async () => {
			const { status, stderr } = await run("bash",
			    ["-c", '"$0" "$1" >/dev/full', PUBSUBD, word]);

			assert.equal(status, 1);
			assert.equal(stderr,
			    "pubsubd: standard output: cannot be written\n");
		});

	test("sub --help", async () => {
		const { status, stdout } = await run(PUBSUBD, ["sub", "--help"]);

		assert.equal(status, 0);
		assert.match(stdout, /^usage: pubsubd sub TOPIC/u);
		assert.match(stdout, /-C, --count N/u);
		assert.match(stdout, /-j, --json +print JSON\n/u);
		assert.match(stdout, /\nexamples:\n {2}pubsubd sub news\n/u);
		assert.doesNotMatch(stdout, /--workers|MESSAGE|a message is/u);
		assert.equal((await run(PUBSUBD, ["help", "serve"])).status, USAGE);
	});

	for (const word of ["help", "--help"])
		test(word, async () => {
			const { status, stdout } = await run(PUBSUBD, [word]);

			assert.equal(status, 0);
			for (const known of ["run", "start", "stop", "restart",
				"status", "top", "version", "help",
				"--once", "--interval", "--listen",
				"--workers", "--name", "--root", "--ring-size",
				"--max-topics", "--drain", "--restart-code",
				"--allow-origin",
				"--allow-host", "--trust-proxy", "--admin", "--log", "--log-level",
				"--pidfile", "--max-message", "--max-conns",
				"--max-conns-per-address",
				"--max-topics-per-conn", "--rate", "--max-buffer",
				"--conn-rate", "--control-rate", "--max-head",
				"--request-timeout", "--idle-timeout",
				"--stall-timeout", "--min-rate",
				"--max-pipelined", "--max-worker-memory", "--ping-interval",
				"--watchdog", "--user", "--no-sandbox", "Exit status"])
				assert.ok(stdout.includes(known), known);
			for (const line of stdout.split("\n"))
				assert.ok(line.length <= 100, line);
		});

	for (const [args, line] of [
		[[], /a command is missing/u],
		[["frobnicate"], /frobnicate: no such command/u],
		[["strat"], /strat: no such command; did you mean start\?/u],
		[["run", "--workres", "2"], /did you mean --workers\?/u],
		[["stop", "--workers", "2"], /--workers.*'stop'/u],
		[["status", "--nonsense"], /--nonsense: no such option/u],
		[["run", "--json"], /--json.*'run'/u],
		[["status", "extra"], /extra: 'status' takes nothing but options/u],
		[["status", "--json=yes"], /--json: takes no value/u],
	])
		test(`"${args.join(" ")}" is a mistake`, async () => {
			const done = await run(PUBSUBD, args);

			assert.equal(done.status, USAGE);
			assert.match(done.stderr, /^pubsubd: [^\n]+\n$/u);
			assert.match(done.stderr, line);
		});

	for (const command of ["stop", "restart", "status"])
		test(`${command} of what does not run`, async () => {
			const name = `e2e-none-${process.pid}`;
			const done = await run(PUBSUBD, [command, "--name", name]);

			assert.equal(done.status, NOT_RUNNING);
			assert.equal(done.stderr,
			    `pubsubd: ${name} is not running\n`);
		});
});

describe("values that are none", { concurrency: 4 }, () => {
	const cases = [
		["--workers", "0"], ["--workers", "65"], ["--workers", "two"],
		["--workers", "-1"], ["--workers", ""], ["--workers", "2x"],
		["--name", "a/b"], ["--name", ""], ["--name", "x".repeat(33)],
		["--ring-size", "64K"], ["--ring-size", "x"],
		["--ring-size", "99999999999999999999G"],
		["--max-topics", "0"], ["--restart-code", "1006"],
		["--drain", "-1"], ["--drain", "soon"],
		["--listen", "eight"], ["--listen", "127.0.0.1"],
		["--listen", "127.0.0.1:65536"], ["--listen", "nowhere:80"],
		["--listen", "[::1:80"], ["--admin", "here"],
		["--log-level", "loud"], ["--max-message", "1T"],
		["--max-conns", "0"], ["--max-conns", "16000000"],
		["--rate", "fast"], ["--watchdog", "2"],
		["--allow-origin", "chat.example"], ["--allow-host", "a:80"],
		["--base-path", "app"], ["--base-path", "/app/"],
		["--user", "no-such-user"], ["--ping-interval", "x"],
	];

	for (const [option, value] of cases)
		test(`${option} ${value.slice(0, 20)}`, (t) => refuses(t,
		    [option, value], USAGE, new RegExp(`: ${option} `, "u")));

	test("an option without its value",
	    (t) => refuses(t, ["--drain=1", "--rate"], USAGE, /./u));
	test("an option that there is not", (t) => refuses(t,
	    ["--fast"], USAGE, /--fast: no such option/u));
	test("one address twice", (t) => refuses(t,
	    ["--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"], USAGE,
	    /--listen 127\.0\.0\.1:0/u));
});

describe("what cannot be had", { concurrency: 4 }, () => {
	test("a root that is missing", (t) => refuses(t,
	    ["--root", "/no/such/directory"], FAILED,
	    /--root \/no\/such\/directory: No such file/u));

	test("a root that is a file", (t) => refuses(t,
	    ["--root", "/etc/passwd"], FAILED,
	    /--root \/etc\/passwd: Not a directory/u));

	test("a segment larger than /dev/shm", (t) => {
		const { blocks, bsize } = statfsSync("/dev/shm");
		const size = Math.ceil(blocks * bsize / 2 ** 30) + 1;

		return refuses(t, ["--ring-size", `${size}G`], FAILED,
		    /no room for \d+ MiB in \/dev\/shm \(see --ring-size/u);
	});

	/* The signal of that limit killed it, with pidfile and segment left. */
	test("a segment larger than a file may be", (t) => refuses(t, [], FAILED,
	    /no room for \d+ MiB in \/dev\/shm .*: File too large/u,
	    { wrap: ["prlimit", "--fsize=1048576"] }));
	test("a pidfile in no directory", (t) => refuses(t,
	    ["--pidfile", "/no/such/pid"], FAILED, /\/no\/such\/pid/u));

	test("a log in no directory", (t) => refuses(t,
	    ["--log", "/no/such/log"], FAILED,
	    /log file \/no\/such\/log: No such file/u));

	test("an address of another host", (t) => refuses(t, [], FAILED,
	    /192\.0\.2\.1:8000 is not an address of this host/u,
	    { listen: ["192.0.2.1:8000"] }));

	test("a port that another program has", async (t) => {
		const foreign = createServer().listen(0, "127.0.0.1");

		t.after(() => foreign.close());
		await once(foreign, "listening");
		const { port } = foreign.address();

		for (const listen of [[`127.0.0.1:${port}`],
			["127.0.0.1:0", `127.0.0.1:${port}`]])
			await refuses(t, [], FAILED, new RegExp(
			    `127.0.0.1:${port} is in use by another program`,
			    "u"), { listen });
	});

	test("a port that another pubsubd shares among its workers",
	    async (t) => {
		    const other = await Server.start(t);
		    const client = await Client.open(other);

		    await refuses(t, [], FAILED, new RegExp(
			`127.0.0.1:${other.port} is in use`, "u"),
		    { listen: [`127.0.0.1:${other.port}`] });
		    client.say("x", "not disturbed");
		    assert.equal(await client.next(), "not disturbed");
		    await client.close();
	    });

	test("workers that cannot start", { skip: process.getuid() !== 0 &&
		"only root can start workers as another user" }, async (t) => {
		const server = new Server();

		t.after(() => server.end());
		server.deathsExpected = true;
		server.args.push("--root", join(server.dir, "pages"),
		    "--user", "nobody");
		mkdirSync(join(server.dir, "pages"), { mode: 0o700 });
		const done = await server.start();

		assert.equal(done.status, FAILED);
		assert.match(done.stderr,
		    /^pubsubd: worker \d left with status 1 before it was ready: --root \S+: Permission denied; see \S+\n$/u);
		await server.assertNothingLeft();
	});
});

describe("other instances", { concurrency: true }, () => {
	test("status --all lists each", async (t) => {
		const servers = await Promise.all([Server.start(t),
			Server.start(t)]);
		const text = await run(PUBSUBD, ["status", "--all"]);
		const json = await run(PUBSUBD, ["status", "-a", "--json"]);
		const all = JSON.parse(json.stdout);

		assert.equal(text.status, 0, text.stderr);
		for (const server of servers) {
			assert.match(text.stdout, new RegExp(`^${server.name} +\\S+ +` +
			    `${server.child.pid} serving +2  ${server.url}$`, "mu"));
			const { user, ...found } = all.find(({ instance }) =>
				instance === server.name);

			assert.match(user, /^\S+$/u);
			assert.deepEqual(found, { instance: server.name,
				pid: server.child.pid, state: "serving", workers: 2,
				listen: [server.url] });
		}
	});

	/* It said "in use by another program". */
	test("one that has the port is named", async (t) => {
		const other = await Server.start(t);

		await refuses(t, [], FAILED, new RegExp(
		    `127.0.0.1:${other.port} is in use by the instance ` +
		    `${other.name}; each needs a port`, "u"),
		{ listen: [`127.0.0.1:${other.port}`] });
	});

	/* It said "in use by another program" to the second user of the default
	 * name, who had no way to know of the first. */
	test("one of that name, of another user, is suspected",
	    { skip: process.getuid() !== 0 && "only root can be another user" },
	    async (t) => {
		    const server = await Server.start(t);
		    const home = mkdtempSync(join(tmpdir(), "pubsubd-home-"));

		    t.after(() => rmSync(home, { recursive: true }));
		    chownSync(home, 65534, 65534);
		    mkdirSync(join(home, "pages"));
		    const done = await run("setpriv", ["--reuid=65534",
			    "--regid=65534", "--clear-groups", PUBSUBD, "run",
			    "--name", server.name, "--listen",
			    `127.0.0.1:${server.port}`, "--admin", "none",
			    "--root", join(home, "pages")],
		    { env: { PATH: process.env.PATH, HOME: home } });

		    assert.equal(done.status, FAILED);
		    assert.equal(done.stderr, `pubsubd: 127.0.0.1:${server.port} ` +
			`is in use, maybe by the instance ${server.name} of ` +
			"user root: choose another --name, and a port of its " +
			"own by --listen\n");
	    });

	/* Whoever asks with another HOME looks at another lock file.  Root's is
	 * in one place. */
	test("one of that name with another lock is told of",
	    { skip: process.getuid() === 0 && "root has no such place" },
	    async (t) => {
		    const server = await Server.start(t);
		    const done = await run(PUBSUBD,
			["status", "--name", server.name],
			{ env: { ...server.env, XDG_STATE_HOME: server.dir } });

		    assert.equal(done.status, NOT_RUNNING);
		    assert.match(done.stderr, /; one of that name was started with another HOME/u);
	    });

	/* It was process -1. */
	test("one in another pid namespace is seen, and named by its own number",
	    { skip: process.getuid() !== 0 && "only root can make a namespace" },
	    async (t) => {
		    const server = await Server.start(t);
		    const { pid } = await server.status();
		    const away = (command, ...args) => run("unshare", ["--pid",
			    "--fork", "--mount-proc", PUBSUBD, command, ...args],
		    { env: server.env });
		    const named = ["--name", server.name];
		    const status = await away("status", "--json", ...named);
		    const all = await away("status", "--all");

		    assert.equal(JSON.parse(status.stdout).pid, pid);
		    assert.match(all.stdout, new RegExp(
			`^${server.name} .* ${pid} serving `, "mu"));
		    assert.equal((await away("pub", "x", "1", "--url",
			server.url)).status, 0);
		    assert.match((await away("topics", ...named)).stdout,
			/ x$/mu);
		    for (const command of ["stop", "restart"]) {
			    const done = await away(command, ...named);

			    assert.equal(done.status, FAILED);
			    assert.equal(done.stderr, `pubsubd: ${server.name} ` +
				"is out of reach: it lives in another pid " +
				"namespace\n");
		    }
		    for (const command of ["start", "run"]) {
			    const done = await away(command, ...named,
				"--root", "public", "--listen", "127.0.0.1:0",
				"--log", server.log);

			    assert.equal(done.status, ALREADY_RUNNING,
				done.stderr);
			    assert.match(done.stderr, / is running already, in another pid namespace\n$/u);
		    }
	    });

	/* It spoke of a directory //.local. */
	test("without HOME a user's files are in the home of the password file, or in /tmp",
	    { skip: process.getuid() !== 0 && "only root can be another user" },
	    async (t) => {
		    const user = 64_000 + process.pid % 1000; /* unknown */
		    const dir = `/tmp/pubsubd-${user}`;
		    const server = new Server();
		    const as = (...args) => run("setpriv", [`--reuid=${user}`,
			    `--regid=${user}`, "--clear-groups", PUBSUBD,
			    ...args, "--name", server.name],
		    { env: { PATH: process.env.PATH } });

		    t.after(async () => {
			    await as("stop");
			    rmSync(dir, { recursive: true, force: true });
			    rmSync(server.dir, { recursive: true });
		    });
		    const started = await as("start", "--listen", "127.0.0.1:0",
			"--admin", "none", "--root", "/usr/share");

		    assert.equal(started.status, 0, started.stderr);
		    assert.ok(existsSync(join(dir, `${server.name}.lock`)));
		    assert.ok(existsSync(join(dir, `${server.name}.log`)));
		    assert.equal((await as("status")).status, 0);
		    assert.equal((await as("stop")).status, 0);
	    });

	/* Root was told that a user's server was not running. */
	test("one of another user is told of", { skip: process.getuid() !== 0 &&
		"only root can be another user" }, async (t) => {
		const server = await Server.start(t);

		for (const command of [["stop"], ["restart"], ["status"],
			["topics"], ["sub", "x"]]) {
			const done = await run("setpriv", ["--reuid=65534",
				"--clear-groups", PUBSUBD, ...command, "--name",
				server.name]);

			assert.equal(done.status, NOT_RUNNING);
			assert.match(done.stderr, /^pubsubd: \S+ is not running; user root has one of that name: ask as root\n$/u);
		}
	});
});

describe("two of one name", () => {
	test("the second is refused, and the first serves on", async (t) => {
		const server = await Server.start(t);

		for (const command of ["run", "start"]) {
			const done = await run(PUBSUBD,
			    [...server.commandLine(command), "--log",
				    join(server.dir, "log")],
			    { env: server.env });

			assert.equal(done.status, ALREADY_RUNNING);
			assert.equal(done.stderr, `pubsubd: ${server.name} is ` +
			    `running already (pid ${server.child.pid})\n`);
		}
		const raw = await Raw.connect(server.port, { t });

		raw.request("GET", "/readyz");
		assert.equal((await raw.response()).status, 200);
		raw.destroy();
	});

	test("what a dead one left is no hindrance", async (t) => {
		const server = new Server();

		t.after(() => server.end());
		writeFileSync(server.pidfile, `${process.pid}\n`);
		writeFileSync(server.shm, "x".repeat(100_000));
		await server.run();
		assert.match(server.stderr, /a new ring instead of the one found/u);
		assert.equal((await server.status()).pid, server.child.pid);
	});
});

test("a port without an address is on loopback", async (t) => {
	const server = await Server.start(t, [], { listen: ["localhost:0"] });
	const urls = server.stdout.match(/http:\/\/[^ ]+/gu);
	const hosts = urls.map((url) => new URL(url).hostname);

	assert.equal(hosts[0], "127.0.0.1");
	assert.ok(hosts.length === 1 || hosts[1] === "[::1]", `${hosts}`);
	for (const url of urls)
		assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test("two instances side by side have nothing in common", async (t) => {
	const servers = await Promise.all([Server.start(t), Server.start(t)]);
	const clients = await Promise.all(servers.map((server) =>
		Client.open(server, { topics: ["room"] })));

	clients.forEach((client, i) => client.say("room", `from ${i}`));
	for (const [i, client] of clients.entries())
		assert.equal(await client.next(), `from ${i}`);
	assert.deepEqual(await servers[0].stop(), { code: 0, signal: null });
	clients[1].say("room", "alone");
	assert.equal(await clients[1].next(), "alone");
	assert.deepEqual(clients[1].messages, ["from 1", "alone"]);
	await clients[1].close();
});

test("an installed program finds its pages, wherever it was put", async (t) => {
	const server = new Server();
	const pages = join(server.dir, "share/pubsubd/public");
	const whole = server.commandLine.bind(server);

	t.after(() => server.end());
	mkdirSync(join(server.dir, "bin"));
	mkdirSync(pages, { recursive: true });
	writeFileSync(join(pages, "index.html"), "here");
	server.options.program = join(server.dir, "bin/pubsubd");
	copyFileSync(PUBSUBD, server.program);
	server.commandLine = (command) => {
		const words = whole(command);

		words.splice(words.indexOf("--root"), 2);
		return words;
	};
	await server.run();
	const response = await fetch(server.url);

	assert.equal(await response.text(), "here");
});
