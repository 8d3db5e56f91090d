// SPDX-License-Identifier: MIT
/*
 * systemd.test.mjs - what a service manager is told, the sockets that it passes
 * on, and the unit files.
 *
 * The manager is tests/e2e/manager.c: a NOTIFY_SOCKET of the test's own, and a
 * wrapper that passes listening sockets to the server as systemd does.
 */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { openOnEachWorker } from "./client.mjs";
import {
	PUBSUBD, ROOT, Server, builtWithoutSandbox, hasIPv6, run, waitFor,
} from "./support.mjs";
import { Authority, assertServes, pairOptions, shake } from "./tls.mjs";

const MANAGER = process.env.SERVICE_MANAGER ??
	join(ROOT, "build/testing/manager");
const UNIT = join(ROOT, "scripts/pubsubd.service");
const noSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0 ?
	false : "there is no systemd-analyze here";

const noStrace = spawnSync("strace", ["true"]).status === 0 ? false :
	"no process can be traced here";

/* A manager's socket: its path, and the messages so far. */
async function listen(t) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-notify-"));
	const path = join(dir, "socket");
	const child = spawn(MANAGER, ["listen", path],
	    { stdio: ["ignore", "pipe", "inherit"] });
	const manager = { path, text: "" };

	t.after(() => {
		child.kill("SIGKILL");
		rmSync(dir, { recursive: true });
	});
	child.stdout.setEncoding("utf8").on("data", (text) => {
		manager.text += text;
	});
	Object.defineProperty(manager, "messages", {
		get: () => manager.text.split("\n").slice(1, -1)
		    .filter((line) => line !== "WATCHDOG=1"),
	});
	manager.told = (pattern, after = 0) => waitFor(`${pattern} (${
		manager.text})`, () => manager.messages.slice(after)
	    .find((line) => pattern.test(line)));
	await waitFor("the manager", () => manager.text !== "");
	return manager;
}

const beats = (manager) => manager.text.match(/^WATCHDOG=1$/gmu)?.length ?? 0;

/* A server of this manager. */
const serve = (t, manager, args = [], options = {}) =>
	Server.start(t, args, { ...options,
		env: { NOTIFY_SOCKET: manager.path, ...options.env } });

describe("the manager is told", { concurrency: true }, () => {
	test("when the server is ready, and when it stops", async (t) => {
		const manager = await listen(t);
		const server = await serve(t, manager);
		const ready = await manager.told(/^READY=1/u);

		assert.equal(ready, `READY=1 MAINPID=${server.child.pid} ` +
		    `STATUS=ready on ${server.url} (2 workers)`);
		await server.stop();
		assert.deepEqual(manager.messages,
		    [ready, "STOPPING=1 STATUS=draining"]);
		assert.equal(beats(manager), 0);
	});

	test("of a reload, whatever came of it", async (t) => {
		const manager = await listen(t);
		const path = join(mkdtempSync(join(tmpdir(), "pubsubd-conf-")),
		    "main.conf");

		t.after(() => rmSync(join(path, ".."), { recursive: true }));
		writeFileSync(path, "rate = 5\n");
		const server = await serve(t, manager, ["--config", path]);
		const before = process.hrtime.bigint() / 1000n;

		await manager.told(/^READY=1/u);
		writeFileSync(path, "rate = 6\n");
		assert.equal((await server.cli("reload")).status, 0);
		const told = await manager.told(/^RELOADING=1/u);

		await manager.told(/^READY=1/u, 2);
		assert.ok(BigInt(/MONOTONIC_USEC=(\d+)/u.exec(told)[1]) >= before);
		writeFileSync(path, "rate = fast\n");
		assert.equal((await server.cli("reload")).status, 1);
		await manager.told(/^READY=1/u, 4);
		assert.deepEqual(manager.messages.map((line) =>
			line.replace(/=1 .*/u, "")),
		["READY", "RELOADING", "READY", "RELOADING", "READY"]);
	});

	test("of a restart, by the next program", async (t) => {
		const manager = await listen(t);
		const server = await serve(t, manager);

		assert.equal((await server.cli("restart")).status, 0);
		await manager.told(/^RELOADING=1 .*STATUS=restarting/u);
		const ready = await manager.told(/^READY=1/u, 2);

		assert.match(ready, new RegExp(`MAINPID=${server.child.pid} `, "u"));
		assert.equal(manager.messages.length, 3);
	});

	test("nothing by a start that fails", async (t) => {
		const manager = await listen(t);
		const done = await run(PUBSUBD, ["run", "--root", "/nonexistent",
			"--name", `e2e-notify-${process.pid}`],
		{ env: { ...process.env, NOTIFY_SOCKET: manager.path } });

		assert.equal(done.status, 1);
		assert.deepEqual(manager.messages, []);
	});

	test("of nothing where there is no such manager", async (t) => {
		const server = await serve(t, { path: "/nonexistent/socket" });

		await server.logs("what is wrong",
		    /cannot tell the service manager READY=1: No such file/u);
	});

	/* The worker is killed at the fifth look that finds its beat still; but
	 * for one that may have been under way, no look before said WATCHDOG. */
	test("that all is well while all workers beat, and only then", async (t) => {
		const manager = await listen(t);
		const server = await serve(t, manager, [],
		    { env: { WATCHDOG_USEC: "20000000" } });
		const [pid] = await server.workers();

		server.deathsExpected = true;
		await waitFor("two beats", () => beats(manager) > 1);
		process.kill(pid, "SIGSTOP");
		const before = beats(manager);

		await server.logs("the end of the worker", /has hung for 5 s/u);
		assert.ok(beats(manager) <= before + 2);
		const during = beats(manager);

		await waitFor("a beat of its successor too",
		    () => beats(manager) > during + 1);
	});

	test("the same without a watchdog of our own", async (t) => {
		const manager = await listen(t);

		await serve(t, manager, ["--watchdog", "0"],
		    { env: { WATCHDOG_USEC: "20000000" } });
		await waitFor("two beats", () => beats(manager) > 1);
	});

	test("not by a watchdog of another process", async (t) => {
		const manager = await listen(t);
		const server = await serve(t, manager, [], { env:
			{ WATCHDOG_USEC: "20000000", WATCHDOG_PID: "1" } });

		await server.stop();
		assert.equal(beats(manager), 0);
	});
});

/* A server to which sockets are passed: pairs of how many, or admin, and an
 * address.  Back with its port. */
async function activated(t, pairs, args = [], options = {}) {
	const server = await Server.start(t, args, { ...options,
		listen: options.listen ?? ["127.0.0.1:1"], // would be refused
		wrap: [MANAGER, "pass", ...pairs, "--"] });
	const [, passed] = await waitFor("the passed sockets",
	    () => /^passed (.*)$/mu.exec(server.stderr));

	return { server, passed: passed.split(" ") };
}

/* Ask by a connection of its own; what was wrong, or "".  One that a draining
 * worker had accepted and that asks late is closed ("socket hang up"): that is
 * not the queue's fault, whose connections are reset or refused. */
const ask = (url) => new Promise((resolve) => {
	get(url, { agent: false }, (response) => {
		response.resume().on("end", () => resolve(
		    response.statusCode === 200 ? "" : response.statusMessage))
		    .on("error", (error) => resolve(`${error}`));
	}).on("error", ({ message }) =>
		resolve(message === "socket hang up" ? "" : message));
});

describe("sockets that were passed", { concurrency: true }, () => {
	test("are served in place of --listen, by all workers", async (t) => {
		const { server, passed } = await activated(t,
		    ["1", "127.0.0.1:0"]);

		assert.equal(server.url, `http://${passed[0]}`);
		assert.match(server.logged, /has passed 1 listening socket\n/u);
		await openOnEachWorker(server);
	});

	test("are one each where there are as many", async (t) => {
		const { server } = await activated(t, ["2", "127.0.0.1:0"]);

		await openOnEachWorker(server);
	});

	test("have the operator's pages by their name", async (t) => {
		const { server, passed } = await activated(t,
		    ["1", "127.0.0.1:0", "admin", "127.0.0.1:0"],
		    ["--admin", "127.0.0.1:2"]);
		const { status } = await fetch(`http://${passed[1]}/metrics`);

		assert.equal(status, 200);
		assert.equal((await fetch(`${server.url}/metrics`)).status, 404);
	});

	test("of all addresses are for IPv4 and IPv6", { skip: !hasIPv6 &&
		"there is no IPv6 here" }, async (t) => {
		const { server } = await activated(t, ["1", "[::]:0"]);

		assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
		assert.equal((await fetch(
		    `http://[::1]:${server.port}/healthz`)).status, 200);
	});

	/* Addresses with port 0 are told apart by their order. */
	test("speak TLS where --tls-listen names the address, also over a restart",
	    async (t) => {
		const authority = new Authority(t);
		const { server } = await activated(t,
		    ["1", "127.0.0.1:0", "1", "127.0.0.1:0"],
		    ["--tls-listen", "127.0.0.1:0",
			    ...pairOptions(authority.issue())],
		    { listen: ["127.0.0.1:0"] });

		await assertServes(await shake(t, server, authority));
		assert.equal((await server.cli("restart")).status, 0);
		await assertServes(await shake(t, server, authority));
		assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
	});

	/* The queue of a socket that is closed is reset: a client that connects
	 * while the server restarts, and with another number of workers, waits
	 * and is served. */
	for (const [sockets, workers] of [["1", "2"], ["3", "1"], ["2", "3"]])
		test(`${sockets} of them stay over a restart, with ${workers
			} worker(s) then`, async (t) => {
			const path = join(mkdtempSync(join(tmpdir(),
			    "pubsubd-conf-")), "main.conf");

			t.after(() => rmSync(join(path, ".."),
			    { recursive: true }));
			writeFileSync(path, "rate = 5\n");
			const { server } = await activated(t,
			    [sockets, "127.0.0.1:0"], ["--config", path],
			    { workers: [] });
			const url = `${server.url}/healthz`;
			let failed = "";
			let going = true;
			const asking = (async () => {
				while (going)
					failed += await ask(url);
			})();

			writeFileSync(path, `workers = ${workers}\n`);
			const done = await server.cli("restart");

			going = false;
			await asking;
			assert.equal(done.status, 0, done.stderr);
			assert.equal(failed, "");
			assert.equal((await server.status()).workers.length,
			    Number(workers));
			await openOnEachWorker(server);
			assert.doesNotMatch(server.logged, /has changed/u);
		});

	test("that cannot be served are refused in one line", async (t) => {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-passed-"));

		t.after(() => rmSync(dir, { recursive: true }));
		const done = await run("sh", ["-c", `exec 3<"$1"; shift
			LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"`, "sh", UNIT,
		PUBSUBD, "run", "--name", `e2e-passed-${process.pid}`,
		"--root", join(ROOT, "public"), "--admin", "none",
		"--pidfile", join(dir, "pid")]);

		assert.equal(done.status, 1);
		assert.match(done.stderr,
		    /^pubsubd: descriptor 3 .* is not a listening TCP or unix socket$/mu);
	});
});

describe("the unit files", { skip: noSystemd }, () => {
	/* They, with the program under test in place of the installed one. */
	function units(t) {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-units-"));

		t.after(() => rmSync(dir, { recursive: true }));
		for (const name of ["pubsubd.service", "pubsubd.socket"])
			writeFileSync(join(dir, name), readFileSync(
			    join(ROOT, "scripts", name), "utf8")
			    .replaceAll("/usr/local/bin/pubsubd", PUBSUBD)
			    .replace(/^Documentation=.*\n/mu, ""));
		return dir;
	}

	test("have nothing that systemd does not know", async (t) => {
		const dir = units(t);

		for (const name of ["pubsubd.service", "pubsubd.socket"]) {
			const done = await run("systemd-analyze", ["verify",
				join(dir, name)]);

			assert.equal(done.stderr, "");
			assert.equal(done.status, 0);
		}
	});

	/* What systemd allows by the names of calls and of sets. */
	function allowed(names) {
		const { stdout } = spawnSync("systemd-analyze",
		    ["syscall-filter", "--no-pager"], { encoding: "utf8" });
		const sets = new Map(stdout.split("\n\n").map((text) => [
			text.trim().split("\n")[0],
			[...text.matchAll(/^ {4}(@?[a-z]\S*)$/gmu)]
			    .map(([, member]) => member)]));
		const expand = (name) => name.startsWith("@") ?
			sets.get(name).flatMap(expand) : [name];

		return names.flatMap(expand);
	}

	test("allow the calls of start, reload, restart and stop", { skip:
		noStrace }, async (t) => {
		const calls = new Set();

		for (const [, not, names] of readFileSync(UNIT, "utf8")
		    .matchAll(/^SystemCallFilter=(~?)(.*)$/gmu))
			for (const name of allowed(names.split(" ")))
				not ? calls.delete(name) : calls.add(name);
		const traces = mkdtempSync(join(tmpdir(), "pubsubd-trace-"));
		const strace = (name) => ["strace", "-f", "-qq", "-o",
			join(traces, name)];

		t.after(() => rmSync(traces, { recursive: true }));
		if (await builtWithoutSandbox())
			return t.skip("sanitizers have calls of their own");
		const server = await Server.start(t, [], { wrap: strace("server") });

		assert.equal((await fetch(server.url)).status, 200);
		for (const command of ["reload", "restart", "stop"]) {
			const [program, ...args] = [...strace(command), PUBSUBD,
				command, "--name", server.name];

			assert.equal((await run(program, args)).status, 0);
		}
		for (const name of ["server", "reload", "restart", "stop"])
			for (const [, call] of readFileSync(join(traces, name),
			    "utf8").matchAll(/^\d+ +([a-z]\w*)\(/gmu))
				assert.ok(calls.has(call), `${name}: ${call}`);
		return undefined;
	});

	test("confine the service: exposure of at most 1.5", async (t) => {
		const { stdout } = await run("systemd-analyze", ["security",
			"--offline=true", "--no-pager",
			join(units(t), "pubsubd.service")]);
		const [, level] = /Overall exposure level.*: ([\d.]+) /u.exec(stdout);

		assert.ok(Number(level) <= 1.5, level);
	});
});
