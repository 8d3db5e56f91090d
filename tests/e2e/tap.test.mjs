// SPDX-License-Identifier: MIT
/*
 * tap.test.mjs - `tap' against the real program: which messages it prints, also
 * of a server whose workers hang, and what it says when some were overwritten
 * before it had read them.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { Command } from "./command.mjs";
import { Client, PUBSUBD, Server, run, waitFor } from "./support.mjs";
import { V1 } from "./v1-client.mjs";

const OK = 0, USAGE = 2, NOT_RUNNING = 3;

async function publish(server, topic, message) {
	const response = await fetch(
	    `${server.url}/topics/${encodeURIComponent(topic)}`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify(message),
	});

	assert.equal(response.status, 200);
	await response.arrayBuffer();
}

/* A tap that is known to read, by its first line, which is taken away. */
async function tapping(t, server, patterns, args = []) {
	const tap = new Command(t,
	    ["tap", "--name", server.name, ...args, "sign", ...patterns]);

	await waitFor(`a line (${tap.stderr})`, async () => {
		await publish(server, "sign", "of life");
		return tap.lines.length > 0;
	});
	await publish(server, "sign", "last");
	await waitFor("the last sign", () => tap.stdout.includes("last"));
	tap.stdout = "";
	return tap;
}

describe("tap", { concurrency: true }, () => {
	test("prints what matches, in order, and no more", async (t) => {
		const server = await Server.start(t);
		const tap = await tapping(t, server, ["room/+/news", "alarm/#"]);

		await publish(server, "room/1/news", "one");
		await publish(server, "room/1", "not this");
		await publish(server, "room/1/2/news", "nor this");
		await publish(server, "alarm", { any: "JSON\n" });
		await publish(server, "room//news", "two\nlines");
		await publish(server, "alarm/fire/1", 7);
		await publish(server, "alarms", "nor that");
		await publish(server, "sign", "end");
		await waitFor("the end", () => tap.stdout.includes("sign end\n"));
		assert.equal(tap.stdout, "room/1/news one\n" +
		    'alarm {"any":"JSON\\n"}\nroom//news two\nlines\n' +
		    "alarm/fire/1 7\nsign end\n");
		assert.equal(await server.total("subscriptions"), 0);
		tap.signal("SIGINT");
		assert.equal(await tap.ended(), "SIGINT");
		assert.equal(tap.stderr, "");
	});

	test("prints messages, and not who comes and leaves", async (t) => {
		const server = await Server.start(t, ["--leave-delay", "0"]);
		const tap = await tapping(t, server, ["room"]);
		const watcher = await V1.open(server);

		await watcher.subscribe("room");
		await watcher.ask({ type: "presence", topic: "room",
			subscribe: true, members: true });
		const ann = await V1.open(server,
		    { topics: ["room"], query: { user: "ann" } });

		assert.equal((await watcher.next()).type, "join");
		await ann.close();
		assert.equal((await watcher.next()).type, "leave");
		await publish(server, "room", "one");
		await publish(server, "sign", "end");
		await waitFor("the end", () => tap.stdout.includes("sign end\n"));
		assert.equal(tap.stdout, "room one\nsign end\n");
		await watcher.close();
	});

	test("prints objects, and ends after as many as wanted", async (t) => {
		const server = await Server.start(t);
		const client = await Client.open(server, { topics: ["a"] });
		const tap = await tapping(t, server, ["#"],
		    ["--json", "-C", "1000"]);

		client.say("a", "x\"y");
		await tap.printed(1);
		const { time, worker, conn, ...rest } = JSON.parse(tap.lines[0]);

		assert.deepEqual(rest, { topic: "a", seq: 1, message: "x\"y" });
		assert.ok(Math.abs(time - Date.now()) < 60_000);
		assert.ok(worker === 0 || worker === 1);
		assert.ok(conn > 0);
		await client.close();

		const few = new Command(t, ["tap", "--name", server.name,
			"-C", "2", "#"]);
		let i = 0;

		while (few.child.exitCode === null)
			await publish(server, "n", i++);
		assert.equal(await few.ended(), OK);
		assert.equal(few.lines.length, 2);
	});

	test("ends after its time", async (t) => {
		const server = await Server.start(t);
		const { status, stdout } = await server.cli("tap", "-W", "0.2", "#");

		assert.equal(status, OK);
		assert.equal(stdout, "");
	});

	test("reads what hanging workers have published", async (t) => {
		const server = await Server.start(t, ["--watchdog", "0"]);
		const tap = await tapping(t, server, ["#"]);
		const workers = await server.workers();

		tap.signal("SIGSTOP");
		await publish(server, "a", "before");
		for (const pid of workers)
			process.kill(pid, "SIGSTOP");
		try {
			tap.signal("SIGCONT");
			await tap.printed(1);
			assert.equal(tap.stdout, "a before\n");
		} finally {
			for (const pid of workers)
				process.kill(pid, "SIGCONT");
		}
	});

	test("says what was overwritten before it was read", async (t) => {
		const server = await Server.start(t,
		    ["--max-message", "1K", "--ring-size", "64K"]);
		const tap = await tapping(t, server, ["a", "b"]);

		await publish(server, "a", "1");
		await tap.printed(1);
		tap.signal("SIGSTOP");
		await waitFor("the stop", () => / T /u.test(
		    readFileSync(`/proc/${tap.child.pid}/stat`, "utf8")));
		for (let i = 2; i <= 100; i++)
			await publish(server, "a", "x".repeat(1000));
		await publish(server, "b", "1");
		await publish(server, "c", "1");
		tap.signal("SIGCONT");
		await tap.said(/a: 99 messages are missing, 2 to 100 \(slow: /u);
		await tap.said(/b: 1 message is missing, 1 \(/u);
		await publish(server, "a", "101");
		await tap.printed(2);
		assert.equal(tap.stdout, "a 1\na 101\n");
		assert.doesNotMatch(tap.stderr, /: c|sign/u);
	});

	test("goes on over a restart, and ends with the server", async (t) => {
		const server = await Server.start(t);
		const tap = await tapping(t, server, ["a"]);

		assert.equal((await server.cli("restart")).status, 0);
		await publish(server, "a", "after");
		await tap.printed(1);
		assert.equal(tap.stdout, "a after\n");
		await publish(server, "a", "last words");
		await server.stop();
		assert.equal(await tap.ended(), NOT_RUNNING);
		assert.equal(tap.stdout, "a after\na last words\n");
		assert.equal(tap.stderr, `pubsubd: ${server.name} is not running\n`);
	});

	test("refuses what is no pattern, and what does not run", async () => {
		const bad = await run(PUBSUBD, ["tap", "a/#/b"]);

		assert.equal(bad.status, USAGE);
		assert.match(bad.stderr, /^pubsubd: a\/#\/b: .+\n$/u);
		const name = `e2e-none-${process.pid}`;
		const none = await run(PUBSUBD, ["tap", "--name", name, "#"]);

		assert.equal(none.status, NOT_RUNNING);
		assert.equal(none.stderr, `pubsubd: ${name} is not running\n`);
	});

	test("writes nothing, not even where it could", async (t) => {
		const server = await Server.start(t);
		const tap = await tapping(t, server, ["#"]);
		const maps = readFileSync(`/proc/${tap.child.pid}/maps`, "utf8")
		    .split("\n").filter((line) => line.includes(server.shm));

		assert.equal(maps.length, 1);
		assert.match(maps[0], /^\S+ r--s /u);
	});
});
