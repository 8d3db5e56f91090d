// SPDX-License-Identifier: MIT
/*
 * cli-resume.test.mjs - sub and pub while the server is killed, restarted,
 * replaced, or out of patience with a slow reader.
 *
 * The envelopes that sub prints have the numbers: each must be there once, in
 * order, or lie in a gap that was told.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

import { Command, subscribed } from "./command.mjs";
import { PUBSUBD, Server, bounded, run, waitFor } from "./support.mjs";

const PHASES = 4;        /* kills or restarts */
const PHASE_LINES = 150; /* that must have come between two of them */

/* Somebody who publishes until told to stop, over any number of connections. */
class Talker {
	#going = true;

	constructor(t, server) {
		this.pub = new Command(t, ["pub", "room", "--retry", "--url",
			server.url]);
		this.done = this.#talk();
		t.after(() => this.stop());
	}

	async #talk() {
		for (this.sent = 0; this.#going; this.sent++) {
			if (!this.pub.child.stdin.write(`${this.sent}\n`))
				await Promise.race([once(this.pub.child.stdin, "drain"),
					this.pub.closed]);
			await new Promise((resolve) => setTimeout(resolve, 1));
		}
	}

	async stop() {
		this.#going = false;
		await this.done;
		this.pub.child.stdin.end();
		return this.pub.ended();
	}
}

/* That numbers and messages are all there, each number once, and that pub has
 * lost no line and kept their order but for what it had to repeat. */
function assertAll(lines, sent) {
	const envelopes = lines.map((line) => JSON.parse(line));
	const first = new Map();

	envelopes.forEach(({ seq, message }, i) => {
		assert.equal(seq, i + 1);
		if (!first.has(message))
			first.set(message, first.size);
	});
	assert.deepEqual([...first.keys()],
	    Array.from({ length: sent }, (_, i) => `${i}`));
}

/* Sub and pub over some events; then all of it must be there. */
async function survives(t, server, event) {
	const sub = await subscribed(t, server, ["room"], ["--json"]);
	const talker = new Talker(t, server);

	for (let i = 0; i < PHASES; i++) {
		await sub.printed(sub.lines.length + PHASE_LINES);
		await event(i);
	}
	await sub.printed(sub.lines.length + PHASE_LINES);
	assert.equal(await talker.stop(), 0, talker.pub.stderr);
	await waitFor("the last line",
	    () => sub.stdout.includes(`"message":"${talker.sent - 1}"`));
	sub.signal("SIGINT");
	assert.equal(await sub.ended(), 0);
	assertAll(sub.lines, talker.sent);
	assert.doesNotMatch(sub.stderr, /missing/u);
	return sub;
}

test("workers are killed: nothing is lost, nothing comes twice", async (t) => {
	const server = await Server.start(t);

	server.deathsExpected = true;
	const sub = await survives(t, server, async (i) => {
		const before = await server.workers();
		const slot = i % before.length;

		process.kill(before[slot], "SIGKILL");
		await waitFor("its successor", async () => {
			const { workers } = await server.status();

			return workers[slot].pid !== before[slot] &&
			    workers[slot].state === "ready";
		});
	});

	assert.match(sub.stderr, /: connection lost: .*; trying again\n/u);
	assert.match(sub.stderr, /: connected again\n/u);
});

test("a restart: nothing is lost, nothing comes twice", async (t) => {
	const server = await Server.start(t);
	const sub = await survives(t, server, async () => {
		const done = await server.cli("restart");

		assert.equal(done.status, 0, done.stderr);
	});

	assert.match(sub.stderr, /: closed by the server with 1012.*; trying again\n/u);
});

test("another server in its place: all of its ring is new", async (t) => {
	const server = await Server.start(t);
	const sub = await subscribed(t, server, ["room"]);
	const publish = (message) => run(PUBSUBD,
	    ["pub", "room", message, "--url", server.url]);

	await publish("old");
	await sub.printed(1);
	await server.stop();
	await sub.said(/trying again/u);
	server.stdout = "";
	await server.run();
	await publish("new 1");
	await sub.said(/room: messages may be missing \(epoch: /u);
	await publish("new 2");
	assert.deepEqual(await sub.printed(3), ["old", "new 1", "new 2"]);
	sub.signal("SIGTERM");
	assert.equal(await sub.ended(), 0);
});

test("a slow reader is cut off, resumes, and loses nothing", async (t) => {
	const server = await Server.start(t);
	const sub = await subscribed(t, server, ["room"]);
	/* Far more than all sockets on the way hold, less than the ring. */
	const text = Array.from({ length: 400 },
	    (_, i) => `${i} ${"x".repeat(60_000)}\n`).join("");

	sub.child.stdout.pause();
	const pub = new Command(t, ["pub", "room", "--url", server.url]);

	pub.child.stdin.end(text);
	assert.equal(await pub.ended(), 0, pub.stderr);
	await waitFor("cut off",
	    async () => await server.total("slow_closes") > 0);
	sub.child.stdout.resume();
	await waitFor("all of it", () => sub.stdout.length >= text.length);
	assert.ok(sub.stdout === text, "in order, each once");
	assert.equal(sub.stderr, "");
	sub.signal("SIGINT");
	assert.equal(await sub.ended(), 0);
});

test("what the ring has no more is told in numbers", async (t) => {
	const server = await Server.start(t,
	    ["--ring-size", "256K", "--max-message", "8K"]);

	server.deathsExpected = true; /* so may a worker be lapped */
	const sub = await subscribed(t, server, ["room"], ["--json"]);
	const count = 2000;

	sub.signal("SIGSTOP");
	const pub = new Command(t, ["pub", "room", "--url", server.url]);

	pub.child.stdin.end(`${"x".repeat(4000)}\n`.repeat(count));
	assert.equal(await pub.ended(), 0, pub.stderr);
	sub.signal("SIGCONT");
	await waitFor("the last message",
	    () => sub.stdout.includes(`"seq":${count},`));
	sub.signal("SIGINT");
	assert.equal(await sub.ended(), 0);
	const came = new Set(sub.lines.map((line) => JSON.parse(line).seq));
	const gaps = [...sub.stderr.matchAll(
	    /^pubsubd: room: (\d+) messages? (?:is|are) missing, (\d+)(?: to (\d+))? \((?:expired|lapped|slow): /gmu)];

	assert.equal(came.size, sub.lines.length);
	assert.ok(gaps.length > 0, sub.stderr);
	for (const [, missing, from, to = from] of gaps) {
		assert.equal(Number(missing), to - from + 1);
		for (let seq = Number(from); seq <= Number(to); seq++) {
			assert.ok(!came.has(seq), `${seq} came and is missing`);
			came.add(seq);
		}
	}
	assert.equal(came.size, count);
});

test("pub without --retry says how many are acknowledged", async (t) => {
	const server = await Server.start(t, ["--workers", "1"]);
	const pub = new Command(t, ["pub", "room", "--url", server.url]);

	server.deathsExpected = true;
	pub.child.stdin.write("1\n2\n3\n");
	await waitFor("three messages",
	    async () => await server.total("messages_in") === 3);
	await waitFor("three acks", async () => {
		const { stdout } = await run(PUBSUBD,
		    ["sub", "room", "--history", "3", "-C", "3", "-W", "5",
			    "--url", server.url]);

		return stdout === "1\n2\n3\n";
	});
	process.kill((await server.workers())[0], "SIGKILL");
	assert.equal(await pub.ended(), 1);
	assert.match(pub.stderr,
	    /^pubsubd: http:\S+: connection lost: .*; 3 of 3 messages are acknowledged, and what follows them was not sent\n$/u);
});

test("a worker that hangs while sub leaves does not keep it", async (t) => {
	const server = await Server.start(t,
	    ["--workers", "1", "--watchdog", "0"]);
	const sub = await subscribed(t, server, ["room"]);
	const [worker] = await server.workers();

	process.kill(worker, "SIGSTOP");
	try {
		sub.signal("SIGINT");
		assert.equal(await sub.ended(), 0);
	} finally {
		process.kill(worker, "SIGCONT");
	}
});

test("a reader that does not read does not keep it", async (t) => {
	const server = await Server.start(t);
	const pub = new Command(t, ["pub", "room", "--url", server.url]);

	pub.child.stdin.end(`${"x".repeat(60_000)}\n`.repeat(20));
	assert.equal(await pub.ended(), 0, pub.stderr);
	const sub = spawn(PUBSUBD, ["sub", "room", "--url", server.url,
		"--history", "20"], { stdio: ["ignore", "pipe", "pipe"] });

	t.after(() => sub.kill("SIGKILL"));
	await waitFor("subscription",
	    async () => await server.total("subscriptions") === 1);
	sub.kill("SIGINT");
	assert.deepEqual(await bounded("its end", once(sub, "exit")), [0, null]);
});
