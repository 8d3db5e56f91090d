// SPDX-License-Identifier: MIT
/*
 * top.test.mjs - `top' against the real program: what it tells, in a terminal
 * (which script(1) makes) and without one, and that the terminal is as before
 * when it has ended, however that came.
 */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { describe, test } from "node:test";

import { Command } from "./command.mjs";
import { Client, PUBSUBD, Server, run, waitFor } from "./support.mjs";

const USAGE = 2, NOT_RUNNING = 3;

const ENTER = "\x1b[?1049h", LEAVE = "\x1b[?1049l";
const CONTROL = /\x1b\[[?\d]*[A-Za-z]/gu;

/* The text of a screen, without its control sequences. */
const plain = (screen) => screen.replace(CONTROL, "").replace(/\r/gu, "");

/* A top of this server in a terminal with so many rows.  The shell around it
 * prints the terminal's name and settings before, status and settings after. */
class Top {
	constructor(t, server, { rows = 30, args = [] } = {}) {
		this.args = ["top", "--name", server.name, "--interval", "0.1",
			...args];
		this.command = new Command(t, this.args, { terminal: true,
			around: (top) => `export TERM=xterm; stty rows ${rows}; ` +
			    `echo "at $(tty)"; echo "set $(stty -g)"; ${top}; ` +
			    'echo "end $?"; echo "set $(stty -g)"' });
	}

	/* The last whole screen so far. */
	get screen() {
		return plain(this.command.stdout.split("\x1b[H").at(-2) ?? "");
	}

	/* A screen that matches, once there is one. */
	shows(pattern) {
		return waitFor(`${pattern} in ${this.screen}`,
		    () => pattern.exec(this.screen));
	}

	get pid() {
		return Number(readdirSync("/proc").find((pid) => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, "utf8")
				    .endsWith(`\0${this.args.join("\0")}\0`);
			} catch {
				return false; /* gone meanwhile */
			}
		}));
	}

	/* Its status, once it has ended and left the terminal as it was. */
	async ended() {
		assert.equal(await this.command.ended(), 0);
		const { stdout } = this.command;
		const [before, after] = [...plain(stdout).matchAll(/^set (\S+)/gmu)]
		    .map(([, settings]) => settings);

		assert.equal(after, before);
		assert.ok(stdout.lastIndexOf(LEAVE) > stdout.lastIndexOf(ENTER));
		assert.ok(stdout.lastIndexOf("\x1b[?25h") >
		    stdout.lastIndexOf("\x1b[?25l"), "the cursor");
		assert.ok(stdout.lastIndexOf("\x1b[?7h") >
		    stdout.lastIndexOf("\x1b[?7l"), "wrapping");
		return Number(/end (\d+)\nset/u.exec(plain(stdout))[1]);
	}
}

/* Publish to these topics in turn until the promise is settled. */
async function publishUntil(server, topics, promise) {
	let is_over = false;

	promise.finally(() => { is_over = true; }).catch(() => {});
	while (!is_over)
		for (const topic of topics)
			await fetch(`${server.url}/topics/${topic}`,
			    { method: "POST", body: "hello" });
	return promise;
}

describe("once", { concurrency: true }, () => {
	test("prints rates, workers and the busiest topics", async (t) => {
		const server = await Server.start(t);
		const client = await Client.open(server, { topics: ["busy"] });
		/* Long enough for all of them on a busy machine. */
		const once = server.cli("top", "--once", "--interval", "3");
		const { status, stdout, stderr } = await publishUntil(server,
		    ["busy", "busy", "busy", "calm"], once);

		assert.equal(status, 0, stderr);
		assert.match(stdout, new RegExp(
		    `^pubsubd ${server.name}: serving, up .*, 2 workers`, "u"));
		assert.match(stdout, /^messages\/s +[1-9][\d.]* in +[1-9][\d.]* out/mu);
		assert.match(stdout, /^connections .* 1 WebSockets/mu);
		assert.match(stdout, /^delivery +[<>]=? \d+ .s for 50 %/mu);
		for (const [slot, pid] of (await server.workers()).entries())
			assert.match(stdout,
			    new RegExp(`^ +${slot} +${pid} ready `, "mu"));
		assert.match(stdout, new RegExp(
		    "topic\\n +[\\d.]+k? +1 +\\d+  busy\\n" +
		    " +[\\d.]+k? +0 +\\d+  calm\\n$", "u"));
		await client.close();
	});

	test("tells of a server whose workers hang", async (t) => {
		const server = await Server.start(t, ["--watchdog", "0"]);
		const workers = await server.workers();

		for (const pid of workers)
			process.kill(pid, "SIGSTOP");
		try {
			const { status, stdout } = await server.cli("top",
			    "--once", "--interval", "0.1");

			assert.equal(status, 0);
			assert.match(stdout, /^messages\/s +0 in +0 out/mu);
		} finally {
			for (const pid of workers)
				process.kill(pid, "SIGCONT");
		}
	});

	test("is what must be said where there is no terminal", async (t) => {
		const server = await Server.start(t);
		const { status, stdout, stderr } = await server.cli("top");

		assert.equal(status, USAGE);
		assert.equal(stdout, "");
		assert.equal(stderr, "pubsubd: top: standard output is no " +
		    "terminal: use --once\n");
	});

	test("of what does not run", async () => {
		const name = `e2e-none-${process.pid}`;

		for (const args of [[], ["--once"]]) {
			const { status, stderr } = await run(PUBSUBD,
			    ["top", "--name", name, ...args]);

			assert.equal(status, NOT_RUNNING);
			assert.equal(stderr, `pubsubd: ${name} is not running\n`);
		}
	});
});

describe("in a terminal", { concurrency: true }, () => {
	test("follows what happens, until q", async (t) => {
		const server = await Server.start(t);
		const top = new Top(t, server);

		await top.shows(/^connections +0 /mu);
		const client = await Client.open(server, { topics: ["a"] });

		await top.shows(/^connections +1 +1 WebSockets/mu);
		await top.shows(/^subscriptions +1 /mu);
		await client.close();
		await top.shows(/^connections +0 /mu);
		assert.ok(top.command.stdout.includes(ENTER));
		top.command.child.stdin.write("q");
		assert.equal(await top.ended(), 0);
	});

	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
		test(`${signal} ends it as q does`, async (t) => {
			const server = await Server.start(t);
			const top = new Top(t, server);

			await top.shows(/^worker/mu);
			process.kill(top.pid, signal);
			assert.equal(await top.ended(), 0);
		});

	test("a stopped one gives the terminal back meanwhile", async (t) => {
		const server = await Server.start(t);
		const top = new Top(t, server);

		await top.shows(/^worker/mu);
		const { pid } = top;
		const state = () => /\) (\S)/u.exec(
		    readFileSync(`/proc/${pid}/stat`, "utf8"))[1];

		process.kill(pid, "SIGTSTP");
		await waitFor("the stop", () => state() === "T");
		await waitFor("what it writes before", () =>
			top.command.stdout.lastIndexOf(LEAVE) >
			top.command.stdout.lastIndexOf(ENTER));
		const { length } = top.command.stdout;

		process.kill(pid, "SIGCONT");
		await waitFor("the screen again", () =>
			top.command.stdout.slice(length).includes(ENTER));
		await top.shows(/^worker/mu);
		top.command.child.stdin.write("q");
		assert.equal(await top.ended(), 0);
	});

	test("uses the rows that there are, and no more", async (t) => {
		const server = await Server.start(t, ["--workers", "12"]);
		const top = new Top(t, server, { rows: 20 });

		await top.shows(/^ *\.\.\. and \d+ more$/mu);
		assert.ok(top.screen.split("\n").length <= 20, top.screen);
		const [, tty] = /^at (\S+)/mu.exec(top.command.stdout);

		await run("stty", ["-F", tty, "rows", "60"]);
		await top.shows(/^ +11 +\d+ ready/mu);
		assert.doesNotMatch(top.screen, /more$/mu);
		top.command.child.stdin.write("q");
		assert.equal(await top.ended(), 0);
	});

	test("goes on over a restart, and ends with the server", async (t) => {
		const server = await Server.start(t);
		const top = new Top(t, server);

		await top.shows(/^worker/mu);
		assert.equal((await server.cli("restart")).status, 0);
		for (const pid of await server.workers())
			await top.shows(new RegExp(` ${pid} ready`, "u"));
		await server.stop();
		assert.equal(await top.ended(), NOT_RUNNING);
		assert.match(top.command.stdout,
		    new RegExp(`${server.name} is not running`, "u"));
	});
});
