// SPDX-License-Identifier: MIT
/*
 * conns.test.mjs - `conns' and `kick' against the real program: who is
 * connected, who is closed and who is not, with many connections, several
 * askers, and workers that hang or die meanwhile.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Command } from "./command.mjs";
import { Client, PUBSUBD, Server, run, waitFor } from "./support.mjs";
import { guarded, open, openPlain } from "./access.mjs";
import { V1 } from "./v1-client.mjs";

const OK = 0, FAILED = 1, USAGE = 2, NOT_RUNNING = 3;

async function conns(server, ...args) {
	const { status, stdout, stderr } = await server.cli("conns", "--json",
	    ...args);

	assert.equal(status, OK, stderr);
	return JSON.parse(stdout);
}

const byTopic = (list) =>
	Object.fromEntries(list.map((conn) => [conn.topics.join(), conn]));

describe("conns", { concurrency: true }, () => {
	test("tells who is there, and what they do", async (t) => {
		const server = await Server.start(t);

		assert.deepEqual(await conns(server), []);
		const plain = await Client.open(server, { topics: ["a", "ü\""] });
		const v1 = await V1.open(server);

		await v1.ask({ type: "subscribe", topic: "b" });
		const aborter = new AbortController();
		const stream = await fetch(`${server.url}/topics/c/events`,
		    { signal: aborter.signal });
		const all = byTopic(await conns(server));

		assert.equal(Object.keys(all).length, 3);
		assert.equal(all["ü\",a"].protocol, "plain");
		assert.equal(all["ü\",a"].subscriptions, 2);
		assert.equal(all.b.protocol, "pubsubd.v1");
		assert.equal(all.c.protocol, "events");
		for (const conn of Object.values(all)) {
			assert.match(conn.id, new RegExp(`^${conn.worker}\\.\\d+$`, "u"));
			assert.match(conn.address, /^127\.0\.0\.1:\d+$/u);
			assert.equal(conn.tls, false);
			assert.ok(conn.age >= 0 && conn.age < 60, conn.age);
			assert.equal(conn.buffered_bytes, 0);
			assert.equal(conn.drops, 0);
		}
		assert.deepEqual((await conns(server, "--topic", "b"))
		    .map(({ id }) => id), [all.b.id]);
		assert.deepEqual((await conns(server, "--conn", all.c.id))
		    .map(({ id }) => id), [all.c.id]);
		assert.deepEqual(await conns(server, "--topic", "nobody's"), []);
		const { stdout } = await server.cli("conns", "--topic", "b");

		assert.match(stdout, new RegExp("^id +address .*\\n" +
		    `${all.b.id} +127\\.0\\.0\\.1:\\d+ +pubsubd\\.v1 +- +\\d+ s +` +
		    "1 +0 +0  b\\n$", "u"));
		aborter.abort();
		await stream.body.cancel().catch(() => {});
		await Promise.all([plain.close(), v1.close()]);
		await waitFor("nobody", async () =>
			(await conns(server)).length === 0);
	});

	test("of many, each once, however they come and go", async (t) => {
		const server = await Server.start(t);
		const topic = "t".repeat(200);
		const clients = await Promise.all(Array.from({ length: 400 },
		    (_, i) => Client.open(server, { topics: [`${topic}${i}`] })));
		let is_over = false;
		const strangers = (async () => {
			while (!is_over)
				await (await Client.open(server)).close();
		})();

		for (let i = 0; i < 5; i++) {
			const list = await conns(server);
			const topics = list.flatMap((conn) => conn.topics);

			assert.equal(topics.length, 400);
			assert.equal(new Set(topics).size, 400);
			assert.equal(new Set(list.map(({ id }) => id)).size,
			    list.length);
		}
		is_over = true;
		await strangers;
		await Promise.all(clients.map((client) => client.close()));
	});

	test("are the same after an upgrade, new ones too", async (t) => {
		const server = await Server.start(t, ["--workers", "1"]);
		const topic = "t".repeat(200);
		const open = (from, to) => Promise.all(Array.from(
		    { length: to - from }, (_, i) =>
			Client.open(server, { topics: [`${topic}${from + i}`] })));
		const before = await open(0, 150);
		const ids = (await conns(server)).map(({ id }) => id);

		assert.equal((await server.cli("upgrade")).status, OK);
		const after = await open(150, 300);
		const list = await conns(server);

		assert.equal(new Set(list.map(({ id }) => id)).size, 300);
		assert.equal(new Set(list.flatMap(({ topics }) => topics)).size, 300);
		for (const id of ids)
			assert.ok(list.some((conn) => conn.id === id), id);
		await Promise.all([...before, ...after]
		    .map((client) => client.close()));
	});

	test("counts what waits for a slow one, and what it lost", async (t) => {
		const server = await Server.start(t);
		const slow = await Client.open(server,
		    { topics: ["a"], query: { buffer: "10" } });
		const body = "x".repeat(60_000);

		slow.socket.pause();
		const conn = await waitFor("a drop", async () => {
			await (await fetch(`${server.url}/topics/a`,
			    { method: "POST", body })).arrayBuffer();
			const [one] = await conns(server, "--topic", "a");

			return one.drops > 0 && one.buffered_bytes > 60_000 && one;
		});

		assert.equal(conn.drops, await server.total("drops"));
		assert.equal(conn.subscriptions, 1);
		slow.socket.resume();
		await slow.close();
	});

	test("several may ask at a time", async (t) => {
		const server = await Server.start(t);
		const clients = await Promise.all(Array.from({ length: 100 },
		    (_, i) => Client.open(server, { topics: [`a${i}`] })));
		const lists = await Promise.all(Array.from({ length: 10 },
		    () => conns(server)));

		for (const list of lists)
			assert.equal(list.length, 100);
		await Promise.all(clients.map((client) => client.close()));
	});

	test("says which worker hangs, and lists those of the others",
	    async (t) => {
		const server = await Server.start(t, ["--watchdog", "0"]);
		const clients = await Promise.all(Array.from({ length: 40 },
		    () => Client.open(server, { topics: ["a"] })));
		const all = await conns(server);
		const workers = await server.workers();

		process.kill(workers[0], "SIGSTOP");
		try {
			const { status, stdout, stderr } =
				await server.cli("conns", "--json");

			assert.equal(status, FAILED);
			assert.equal(stderr, `pubsubd: worker 0 (pid ` +
			    `${workers[0]}) hangs: it has not answered within ` +
			    "900 ms\n");
			assert.deepEqual(JSON.parse(stdout).map(({ id }) => id),
			    all.filter(({ worker }) => worker === 1)
			    .map(({ id }) => id));
		} finally {
			process.kill(workers[0], "SIGCONT");
		}
		/* Its answer to what nobody waits for hurts nobody. */
		assert.equal((await conns(server)).length, 40);
		await Promise.all(clients.map((client) => client.close()));
	});

	test("answers although a command died while it asked", async (t) => {
		const server = await Server.start(t, ["--watchdog", "0"]);
		const client = await Client.open(server, { topics: ["a"] });
		const workers = await server.workers();

		for (const pid of workers)
			process.kill(pid, "SIGSTOP");
		/* As many as there are slots. */
		const commands = Array.from({ length: 4 }, () => new Command(t,
		    ["conns", "--name", server.name]));

		await Promise.all(commands.map((command) =>
			command.printed(0)));
		for (const command of commands)
			command.signal("SIGKILL");
		await Promise.all(commands.map((command) => command.ended()));
		for (const pid of workers)
			process.kill(pid, "SIGCONT");
		assert.equal((await conns(server)).length, 1);
		await client.close();
	});

	test("of what does not run", async () => {
		const name = `e2e-none-${process.pid}`;

		for (const args of [["conns"], ["kick", "--topic", "a"]]) {
			const { status, stderr } = await run(PUBSUBD,
			    [...args, "--name", name]);

			assert.equal(status, NOT_RUNNING);
			assert.equal(stderr, `pubsubd: ${name} is not running\n`);
		}
	});
});

describe("kick", { concurrency: true }, () => {
	test("closes the one that is meant", async (t) => {
		const server = await Server.start(t);
		const other = await Client.open(server, { topics: ["a"] });
		const [{ id: otherId }] = await conns(server);
		const one = await Client.open(server, { topics: ["a"] });
		const { id } = (await conns(server))
		    .find((conn) => conn.id !== otherId);
		const { status, stdout } = await server.cli("kick", "--conn", id);

		assert.equal(status, OK);
		assert.equal(stdout,
		    `pubsubd ${server.name}: 1 connection closed\n`);
		assert.deepEqual(await one.closed,
		    { code: 4001, reason: "closed by the operator" });
		await other.barrier();
		const again = await server.cli("kick", "--conn", id);

		assert.equal(again.status, FAILED);
		assert.equal(again.stderr,
		    `pubsubd: ${server.name} has no such connection\n`);
		await other.close();
	});

	test("closes all of a topic, however many", async (t) => {
		const server = await Server.start(t);
		const bystander = await Client.open(server, { topics: ["b"] });
		const clients = await Promise.all(Array.from({ length: 700 },
		    () => Client.open(server, { topics: ["b2", "a"] })));
		const aborter = new AbortController();
		const stream = await fetch(`${server.url}/topics/a/events`,
		    { signal: aborter.signal });
		const { stdout } = await server.cli("kick", "--topic", "a",
		    "--code", "4321", "--reason", "über");

		assert.match(stdout, /: 701 connections closed\n$/u);
		for (const client of clients)
			assert.deepEqual(await client.closed,
			    { code: 4321, reason: "über" });
		assert.match(await stream.text(), /event: ready/u);
		await bystander.barrier();
		await bystander.close();
	});

	test("closes all of a user, and those of nobody else", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--admin", "127.0.0.1:0"]);
		const { admin } = await server.status();
		const grants = { subscribe: ["#"] };
		const anna = issuer.grant(grants, "anna");
		const again = issuer.grant(grants, "anna", { iat: 1 });
		const one = await open(server, anna), two = await open(server, again);
		const plain = await openPlain(server, anna, { topics: ["a"] });
		const other = await open(server, issuer.grant(grants, "ann"));
		const nameless = await open(server,
		    issuer.token({ pubsubd: grants }));
		const nobody = await open(server);

		await one.subscribe("a");
		assert.deepEqual((await conns(server)).map(({ user }) => user)
		    .sort(), ["ann", "anna", "anna", "anna", null, null]);
		assert.equal((await conns(server, "--user", "anna")).length, 3);
		assert.equal((await conns(server, "--user", "anna", "--topic",
		    "a")).length, 2);
		assert.deepEqual(await conns(server, "--user", "bert"), []);
		const { stdout } = await server.cli("conns", "--user", "ann");

		assert.match(stdout, / pubsubd\.v1 ann +\d+ s /u);
		assert.match((await server.cli("kick", "--user", "anna", "--topic",
		    "a")).stdout, /: 2 connections closed\n$/u);
		for (const client of [one, plain])
			assert.equal((await client.closed).code, 4001);
		const kicked = await fetch(`${admin}/kick?user=anna`,
		    { method: "POST" });

		assert.equal((await kicked.json()).closed, 1);
		assert.equal((await two.closed).code, 4001);
		for (const client of [other, nameless, nobody])
			await client.close();
	});

	for (const [args, line] of [
		[[], /kick: needs --conn, --topic or --user/u],
		[["--user", ""], /must be the name in a token/u],
		[["--user", "x".repeat(65)], /64 bytes/u],
		[["--conn", "5"], /--conn 5: is no id/u],
		[["--conn", "64.1"], /is no id/u],
		[["--conn", "1.0"], /is no id/u],
		[["--topic", "a", "--code", "1001"], /--code 1001: /u],
		[["--topic", "a", "--reason", "x".repeat(124)], /123 bytes/u],
		[["--topic", "x".repeat(256)], /255 bytes/u],
	])
		test(`"${args.join(" ").slice(0, 40)}" is a mistake`,
		    async () => {
			const { status, stderr } = await run(PUBSUBD,
			    ["kick", ...args]);

			assert.equal(status, USAGE);
			assert.match(stderr, line);
		});
});
