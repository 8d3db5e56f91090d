// SPDX-License-Identifier: MIT
/*
 * lifecycle.test.mjs - start, status, restart, stop, and the log, when nothing
 * goes wrong.  What happens when it does is in the files named after the faults.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Client, PUBSUBD, Raw, Server, bounded, run, waitFor } from "./support.mjs";

/* Counters of a worker that status must have; kept in step with the server by
 * hand, since scripts of operators are written by hand too. */
const COUNTERS = ["connections", "websockets", "subscriptions", "topics",
	"parsers", "buffered_bytes", "accepted", "requests", "upgrades",
	"refused_limit", "refused_address", "refused_topics",
	"refused_origin", "refused_request",
	"accept_pauses", "messages_in", "messages_out", "bytes_in", "bytes_out",
	"writes", "drops", "drops_memory", "missed", "laps", "rate_pauses",
	"protocol_errors", "timeouts", "slow_closes", "directory_full",
	"lock_busy", "wakeups_sent", "turns", "closed_cleanly", "cut",
	"log_dropped"];

/* A server in the background, for one test. */
async function startDaemon(t, args = [], options = {}) {
	const server = new Server(args, options);

	t.after(() => server.end());
	const done = await server.start();

	assert.equal(done.status, 0, done.stderr);
	assert.equal(done.stderr, "");
	return server;
}

describe("in the foreground", { concurrency: true }, () => {
	for (const [listen, urls] of [
		[["127.0.0.1:0"], /^http:\/\/127\.0\.0\.1:\d+$/u],
		[["[::1]:0"], /^http:\/\/\[::1\]:\d+$/u],
		[["127.0.0.1:0", "[::1]:0"],
			/^http:\/\/127\.0\.0\.1:(\d+) and http:\/\/\[::1\]:\1$/u],
	])
		test(`ready on ${listen.join(" and ")}`, async (t) => {
			const server = await Server.start(t, [], { listen });
			const [, said] = /ready on (.*) \(2 workers\)/u.exec(
			    server.stdout);

			assert.match(said, urls);
			assert.deepEqual((await server.status()).listen,
			    said.split(" and "));
			for (const url of said.split(" and ")) {
				const response = await fetch(`${url}/healthz`);

				assert.equal(await response.text(), "ok\n");
			}
		});

	test("one worker is a worker", async (t) => {
		const server = await Server.start(t, ["--workers", "1"]);

		assert.match(server.stdout, /\(1 worker\)$/mu);
	});

	test("the pidfile holds the pid, the log goes to standard error",
	    async (t) => {
		    const server = await Server.start(t);
		    const { pid } = await server.status();

		    assert.equal(pid, server.child.pid);
		    assert.equal(readFileSync(server.pidfile, "utf8"), `${pid}\n`);
		    assert.match(server.stderr, /Z info  supervisor\[\d+\]: ready/u);
		    assert.equal(statSync(server.shm).mode & 0o777, 0o600);
	    });

	for (const signal of ["SIGTERM", "SIGINT"])
		test(`${signal} ends it with 0`, async (t) => {
			const server = await Server.start(t);
			const client = await Client.open(server);

			assert.deepEqual(await server.stop(signal),
			    { code: 0, signal: null });
			assert.equal((await client.closed).code, 1001);
			await server.assertNothingLeft();
		});

	test("a second signal means now", async (t) => {
		const server = await Server.start(t, ["--drain", "600"]);
		const deaf = await Raw.open(server.port, "/ws", { t });

		deaf.socket.pause();
		server.child.kill("SIGTERM");
		await server.logs("the drain", /draining 1 connections/u);
		/* Those that come at once are the same wish as the first. */
		await waitFor("one that counts", () => {
			server.child.kill("SIGTERM");
			return server.child.exitCode !== null;
		});
		assert.deepEqual(await server.exited, { code: 0, signal: null });
		await bounded("end of its output", server.silent);
		assert.match(server.stderr, /0 connections closed cleanly, 1 cut/u);
	});

	test("a signal to the whole group is not a second one", async (t) => {
		const server = await Server.start(t, [], { wrap: ["setsid"] });
		const client = await Client.open(server, { topics: ["x"] });

		client.say("x", "before");
		assert.equal(await client.next(), "before");
		const { pid } = await server.status();

		for (const signal of ["SIGHUP", "SIGTERM"])
			process.kill(-pid, signal);
		assert.equal((await client.closed).code, 1001);
		await server.assertNothingLeft();
	});
});

describe("in a terminal", { concurrency: true }, () => {
	test("a second SIGTERM at once is the same wish", async (t) => {
		const server = await Server.start(t);
		const client = await Client.open(server, { topics: ["x"] });

		/* As from timeout(1), which passes it on to a group that has it. */
		server.child.kill("SIGTERM");
		server.child.kill("SIGTERM");
		server.child.kill("SIGINT");
		assert.equal((await client.closed).code, 1001);
		assert.deepEqual(await bounded("end", server.exited),
		    { code: 0, signal: null });
		assert.match(server.stderr, /1 connections closed cleanly, 0 cut/u);
		assert.doesNotMatch(server.stderr, /told to stop again/u);
	});

	test("that is closed: it drains and ends", async (t) => {
		const server = await Server.start(t);
		const client = await Client.open(server, { topics: ["x"] });

		server.child.kill("SIGHUP");
		assert.equal((await client.closed).code, 1001);
		assert.deepEqual(await bounded("end", server.exited),
		    { code: 0, signal: null });
	});

	test("that is closed, under nohup: it serves on", async (t) => {
		const server = await Server.start(t, [], { wrap: ["nohup"] });

		server.child.kill("SIGHUP");
		assert.equal((await server.cli("restart")).status, 0);
		server.child.kill("SIGHUP");
		assert.equal((await server.status()).state, "serving");
	});
});

describe("in the background", { concurrency: true }, () => {
	test("start, status, stop, and each once more", async (t) => {
		const server = await startDaemon(t);
		const client = await Client.open(server);

		client.say("x", "served");
		assert.equal(await client.next(), "served");
		assert.equal((await server.start()).status, 4);
		assert.equal((await server.status()).state, "serving");
		const stopped = await server.cli("stop");

		assert.equal(stopped.status, 0);
		assert.equal(stopped.stdout, `pubsubd ${server.name}: stopped; ` +
		    "1 connections closed cleanly, 0 cut\n");
		assert.equal((await client.closed).code, 1001);
		await server.assertNothingLeft();
		for (const command of ["stop", "status", "restart"]) {
			const done = await server.cli(command);

			assert.equal(done.status, 3);
			assert.match(done.stderr, /is not running\n$/u);
		}
	});

	test("start comes back when the port answers", async (t) => {
		const server = await startDaemon(t);

		/* A single request, not repeated. */
		assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
	});

	test("it keeps none of the caller's descriptors", async (t) => {
		/* Else this would wait for the server's end, not for start's. */
		const server = await startDaemon(t);

		for (const pid of server.processes())
			assert.notEqual(pid, process.pid);
		assert.ok(server.processes().length === 3);
	});

	test("start again at once after stop, on the same port", async (t) => {
		const server = await startDaemon(t);

		for (let i = 0; i < 3; i++) {
			const client = await Client.open(server);

			assert.equal((await server.cli("stop")).status, 0);
			assert.equal((await client.closed).code, 1001);
			assert.equal((await server.start()).status, 0);
		}
	});
});

describe("status", { concurrency: true }, () => {
	test("as JSON", async (t) => {
		const server = await Server.start(t, ["--workers", "3",
			"--max-topics", "100"]);
		const client = await Client.open(server, { topics: ["a", "b"] });

		client.say("a", "x".repeat(100));
		await client.next();
		const status = await server.status();

		assert.equal(status.instance, server.name);
		assert.equal(status.pid, server.child.pid);
		assert.equal(status.state, "serving");
		assert.ok(status.uptime_ms >= 0 && status.uptime_ms < 600_000);
		assert.match(status.version, /^\d+\.\d+\.\d+$/u);
		assert.match(status.epoch, /^[a-z0-9]{12}$/u);
		assert.deepEqual(status.listen, [server.url]);
		assert.equal(status.ring.size, 32 * 1024 * 1024);
		assert.ok(status.ring.head > status.ring.size + 100);
		assert.equal(status.ring.applied, status.ring.head);
		assert.deepEqual(status.topics, { used: 2, max: 100 });
		assert.deepEqual(status.workers.map(({ slot }) => slot), [0, 1, 2]);
		for (const worker of status.workers) {
			assert.equal(worker.state, "ready");
			assert.ok(server.processes().includes(worker.pid));
			for (const name of ["lag", "starts", ...COUNTERS])
				assert.ok(worker[name] >= 0, name);
		}
		for (const [name, value] of [["connections", 1],
			["websockets", 1], ["subscriptions", 2], ["topics", 2],
			["messages_in", 1], ["messages_out", 1], ["upgrades", 1],
			["parsers", 0], ["buffered_bytes", 0]])
			assert.equal(await server.total(name), value, name);
		await client.close();
	});

	for (const json of [[], ["--json"]])
		test(`that cannot be written ${json}`, async (t) => {
			const server = await Server.start(t);
			const { status, stderr } = await run("bash", ["-c",
				'"$0" "$@" >/dev/full', PUBSUBD, "status",
				"--name", server.name,
				"--pidfile", server.pidfile, ...json]);

			assert.equal(status, 1);
			assert.equal(stderr,
			    "pubsubd: standard output: cannot be written\n");
		});

	test("for people", async (t) => {
		const server = await Server.start(t);
		const client = await Client.open(server, { topics: ["a"] });
		const { status, stdout } = await server.cli("status");

		assert.equal(status, 0);
		assert.match(stdout, new RegExp(`^instance +${server.name}$`, "mu"));
		assert.match(stdout, new RegExp(`^pid +${server.child.pid}$`, "mu"));
		assert.match(stdout, /^uptime +\d+ s$/mu);
		assert.match(stdout, new RegExp(`^address +${server.url}$`, "mu"));
		assert.match(stdout, /^ring +32M, epoch \w{12}$/mu);
		assert.match(stdout, /^topics +1 of 32768$/mu);
		const rows = stdout.split("\n\n")[1].trim().split("\n")
		    .map((row) => row.trim().split(/\s+/u));

		assert.deepEqual(rows[0], ["worker", "pid", "state",
			"connections", "subscriptions", "messages_in",
			"messages_out", "drops", "lag"]);
		assert.deepEqual(rows.slice(1).map(([slot, pid, state]) =>
			[slot, pid, state]), (await server.workers()).map(
		    (pid, slot) => [`${slot}`, `${pid}`, "ready"]));
		await client.close();
	});
});

describe("restart", { concurrency: true }, () => {
	test("same process, port, ring and epoch, new workers", async (t) => {
		const server = await startDaemon(t);
		const client = await Client.open(server, { topics: ["x"] });

		client.say("x", "before");
		await client.next();
		const before = await server.status();
		const done = await server.cli("restart");

		assert.equal(done.status, 0, done.stderr);
		assert.equal(done.stdout, `pubsubd ${server.name}: restarted\n`);
		assert.deepEqual(await client.closed,
		    { code: 1001, reason: "the server restarts" });
		const after = await server.status();

		assert.equal(after.pid, before.pid);
		assert.equal(after.epoch, before.epoch);
		assert.equal(after.run, before.run + 1);
		assert.equal(after.ring.head, before.ring.head);
		assert.equal(after.topics.used, before.topics.used);
		assert.deepEqual(after.listen, before.listen);
		for (const [i, { pid }] of after.workers.entries())
			assert.notEqual(pid, before.workers[i].pid);
		const again = await Client.open(server, { topics: ["x"] });

		again.say("x", "after");
		assert.equal(await again.next(), "after");
		assert.deepEqual(again.messages, ["after"]);
		await again.close();
	});

	test("in the foreground, several times", async (t) => {
		const server = await Server.start(t);

		for (let i = 0; i < 3; i++) {
			const client = await Client.open(server);

			assert.equal((await server.cli("restart")).status, 0);
			assert.equal((await client.closed).code, 1001);
		}
		assert.equal((await server.status()).run, 4);
		assert.equal(server.child.exitCode, null);
		assert.equal(server.stdout.split("\n").length, 2,
		    "one ready line, not one for each run");
		assert.deepEqual(await server.stop(), { code: 0, signal: null });
	});
});

describe("the log", { concurrency: true }, () => {
	test("SIGHUP opens it anew", async (t) => {
		const server = await startDaemon(t);
		const { pid } = await server.status();
		const old = `${server.log}.1`;

		assert.match(server.logged, /ready on/u);
		renameSync(server.log, old);
		process.kill(pid, "SIGHUP");
		await waitFor("the new file", () => existsSync(server.log));
		await server.logs("a line", /log file opened anew/u);
		assert.equal((await server.cli("stop")).status, 0);
		assert.match(server.logged, /drained in/u);
		assert.doesNotMatch(readFileSync(old, "utf8"), /drained in/u);
		assert.doesNotMatch(server.logged, /ready on/u);
	});

	test("over a restart it is the same file", async (t) => {
		const server = await startDaemon(t);

		assert.equal((await server.cli("restart")).status, 0);
		await server.logs("both", /ready on[^]*drained in[^]*ready on/u);
	});

	test("its level", async (t) => {
		const server = await startDaemon(t, ["--log-level", "warn"]);

		assert.equal((await server.cli("stop")).status, 0);
		assert.equal(server.logged, "");
	});

	test("in the foreground, standard error is silent then", async (t) => {
		const server = new Server();

		server.args.push("--log", server.log);
		t.after(() => server.end());
		await server.run();
		assert.equal((await server.stop()).code, 0);
		assert.equal(server.stderr, "");
		assert.match(server.logged, /ready on[^]*drained in/u);
	});

	test("every line says when, how bad, and who", async (t) => {
		const server = await Server.start(t, ["--log-level", "debug"]);

		await server.stop();
		for (const line of server.stderr.trimEnd().split("\n"))
			assert.match(line, new RegExp("^\\d{4}-\\d\\d-\\d\\dT" +
			    "\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z " +
			    "(error|warn |info |debug) " +
			    "(supervisor|worker \\d)\\[\\d+\\]: .", "u"));
	});
});
