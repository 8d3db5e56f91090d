// SPDX-License-Identifier: MIT
/*
 * upgrade-ring.test.mjs - an upgrade to a program that cannot go on in the ring that
 * there is: its layout or the options that shape a ring are other ones.  Who is
 * connected stays so; pubsubd.v1 and streams of events are told where the new ring
 * begins, and whatever was acknowledged before has come or is told by that.
 *
 * What happens when one of the processes dies meanwhile is in
 * kill-upgrade-ring.test.mjs.
 */

import assert from "node:assert/strict";
import {
	chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, renameSync,
	rmSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import WebSocket from "ws";

import { connect } from "../../public/pubsub.js";
import { Events, post } from "./events.mjs";
import { OTHER_LAYOUT } from "./stop.mjs";
import {
	Client, Frame, PUBSUBD, Raw, Server, Stream, bounded, openOnEachWorker, run,
	waitFor,
} from "./support.mjs";
import { Authority, startTls } from "./tls.mjs";
import { closesTls, upgrade } from "./upgrade.mjs";
import { Books, Moved, V1 } from "./v1-client.mjs";

/* A server whose options are in a file, and a function that writes that anew. */
async function scene(t, lines, args = [], options = {}) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-ring-"));
	const conf = join(dir, "conf");
	const configure = (...to) => writeFileSync(conf, `${to.join("\n")}\n`);

	t.after(() => rmSync(dir, { recursive: true }));
	configure(...lines);
	const server = await Server.start(t, ["--config", conf, ...args],
	    options);

	return { server, configure };
}

/* Have it upgrade; it has another ring then. */
async function move(server) {
	const before = await server.status();
	const done = await upgrade(server);
	const after = await server.status();

	assert.notEqual(after.epoch, before.epoch);
	assert.equal(after.pid, before.pid);
	assert.equal(after.deaths, 0);
	assert.equal(existsSync(`${server.shm}~`), false);
	return { ...done, epoch: after.epoch };
}

/* Descriptors of the supervisor. */
function countFiles(server) {
	return readdirSync(`/proc/${server.child.pid}/fd`).length;
}

const one = (...args) => ["--workers", "1", ...args];

describe("an upgrade to another ring", { concurrency: 4 }, () => {
	test("moves every kind of client", async (t) => {
		const { server, configure } = await scene(t, ["ring-size = 4M"]);
		const plain = await openOnEachWorker(server,
		    () => Client.open(server, { topics: ["x"] }));
		const v1 = await openOnEachWorker(server, () => V1.open(server));
		const events = await Events.open(server, "x", { t });
		const idle = await Raw.connect(server.port, { t });
		const books = [];

		idle.request("GET", "/healthz");
		assert.equal((await idle.response()).status, 200);
		for (const client of v1) {
			const ack = await client.subscribe("x");

			books.push(new Moved("x", ack));
		}
		events.readAhead();
		const stream = new Stream(plain[0], "x");

		await stream.progress(200);
		configure("ring-size = 8M");
		const { epoch, ...done } = await move(server);

		assert.deepEqual(done, { moved: 6, closed: 0 });
		await stream.progress(200);
		await stream.stop();
		/* Nothing was missed: who publishes waits meanwhile. */
		for (const client of plain)
			await stream.assertComplete(client);
		for (const [i, client] of v1.entries()) {
			for (const frame of await client.barrier())
				books[i].enter(frame);
			assert.equal(books[i].messages, stream.count);
			assert.deepEqual(books[i].epochs.slice(1), [epoch]);
		}
		let from = null;

		for (let i = 0; i < stream.count; i++) {
			let block = await events.block();

			if (block.event === "gap") {
				const gap = JSON.parse(block.data);

				assert.deepEqual(gap, { type: "gap", topic: "x",
					reason: "epoch", epoch, seq: gap.seq });
				assert.equal(block.id, `${epoch}:${gap.seq}`);
				from = gap.seq - i;
				block = await events.block();
			}
			assert.equal(block.data, `x ${i}`);
			if (from !== null)
				assert.equal(block.id, `${epoch}:${from + i + 1}`);
		}
		assert.notEqual(from, null);
		idle.request("GET", "/healthz");
		assert.equal((await idle.response()).status, 200);
		assert.equal(await server.total("subscriptions"), 5);
		assert.equal(await server.total("connections"), 6);
		assert.equal(await server.total("websockets"), 4);
		assert.equal((await server.status()).ring.size, 8 << 20);
		for (const client of [...plain, ...v1])
			await client.close();
		events.close();
		idle.destroy();
		for (const counter of ["websockets", "event_streams",
			"subscriptions"])
			await waitFor(`no ${counter}`, async () =>
				await server.total(counter) === 0);
	});

	for (const [what, before, after] of [
		["topics", "max-topics = 1000", "max-topics = 2000"],
		["a place for values", "retain-size = 4M", "retain-size = 8M"],
		["keys", "dedup-keys = 1000", "dedup-keys = 2000"],
		["longer messages", "max-message = 32K", "max-message = 128K"],
	])
		test(`of ${what}`, async (t) => {
			const { server, configure } = await scene(t, [before]);
			const client = await V1.open(server);
			const { seq } = await client.publish("x", "one");

			await client.subscribe("x");
			configure(after);
			const { epoch, moved } = await move(server);

			assert.equal(moved, 1);
			assert.deepEqual(await client.next(), { type: "gap",
				topic: "x", reason: "epoch", epoch, seq });
			const ack = await client.publish("x", "two");

			assert.equal(ack.epoch, epoch);
			assert.equal((await client.next()).message, "two");
			await client.close();
		});

	test("of a program with another layout, by its own command or ours",
	    async (t) => {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-layout-"));
		const program = join(dir, "pubsubd");
		const replace = (by) => {
			copyFileSync(by, `${program}.new`);
			chmodSync(`${program}.new`, 0o755);
			renameSync(`${program}.new`, program);
		};
		const ask = (by, server, command, ...more) => run(by, [command,
			"--name", server.name, "--pidfile", server.pidfile, ...more]);

		t.after(() => rmSync(dir, { recursive: true }));
		replace(PUBSUBD);
		const server = await Server.start(t, [], { program });
		const client = await Client.open(server, { topics: ["x"] });
		const v1 = await V1.open(server);
		const books = new Moved("x", await v1.subscribe("x"));
		const stream = new Stream(client, "x");

		for (const [runs, by] of [[OTHER_LAYOUT, OTHER_LAYOUT],
			[PUBSUBD, OTHER_LAYOUT], [OTHER_LAYOUT, PUBSUBD],
			[PUBSUBD, PUBSUBD]]) {
			await stream.progress(50);
			replace(runs);
			const done = await ask(by, server, "upgrade");

			assert.equal(done.stderr, "");
			assert.match(done.stdout, / 2 connections handed over, 0 closed/u);
			const told = await ask(runs, server, "status", "--json");

			assert.equal(JSON.parse(told.stdout).workers.reduce(
			    (sum, { connections }) => sum + connections, 0), 2);
		}
		await stream.progress(50);
		await stream.stop();
		await stream.assertComplete(client);
		while (books.messages < stream.count)
			books.enter(await v1.next());
		assert.equal(books.epochs.length, 5);
		await client.close();
		await v1.close();
	});

	test("ten in a row, with acknowledged messages through all", async (t) => {
		const { server, configure } = await scene(t, ["ring-size = 4M"]);
		const [talker, other] = await openOnEachWorker(server,
		    () => V1.open(server));
		const plain = await Client.open(server, { topics: ["x"] });
		const books = new Moved("x", await other.subscribe("x"));
		let isDone = false, said = 0;
		/* Each number that an ack has promised, by its ring. */
		const acks = [];
		const talking = (async () => {
			while (!isDone) {
				const { type, epoch, seq } =
					await talker.publish("x", `${said++}`);

				assert.equal(type, "ack");
				acks.push(`${epoch} ${seq}`);
			}
		})();
		const files = [];

		for (let i = 0; i < 10; i++) {
			const goal = said + 20;

			await waitFor("messages", () => said >= goal);
			configure(`ring-size = ${i % 2 === 0 ? 8 : 4}M`);
			assert.deepEqual({ ...await move(server), epoch: "" },
			    { moved: 3, closed: 0, epoch: "" });
			files.push(countFiles(server));
		}
		isDone = true;
		await talking;
		while (books.messages < said)
			books.enter(await other.next());
		assert.equal(books.epochs.length, 11);
		assert.deepEqual(books.places, acks);
		assert.deepEqual(await plain.received(said),
		    Array.from({ length: said }, (_, i) => `${i}`));
		assert.equal(files.at(-1), files[0]);
		for (const client of [talker, other, plain])
			await client.close();
	});

	test("sends what waits, and tells what a replay has not brought",
	    async (t) => {
		const { server, configure } = await scene(t, ["ring-size = 32M"],
		    one());
		const talker = await V1.open(server);
		const late = await Raw.open(server.port, "/ws", { t,
			headers: { "Sec-WebSocket-Protocol": "pubsubd.v1" } });
		const { epoch } = talker.welcome;
		const large = "z".repeat(40_000);

		for (let i = 1; i <= 400; i++) /* 16 MB: no socket takes it */
			await talker.publish("x", `${i} ${large}`);
		await late.text();
		late.socket.pause();
		late.send(Frame.encode(Frame.TEXT, JSON.stringify({
			type: "subscribe", topic: "x", since: { epoch, seq: 0 } })));
		await waitFor("a queue", async () =>
			await server.total("buffered_bytes") > 0);
		configure("ring-size = 16M");
		await move(server);
		await talker.publish("x", "and one more");
		late.socket.resume();
		const books = new Moved("x", { epoch, seq: 0 });

		while (books.epochs.length < 2)
			books.enter(JSON.parse(await late.text()));
		assert.ok(books.messages > 0 && books.messages < 400);
		assert.equal(JSON.parse(await late.text()).message, "and one more");
		late.destroy();
		await talker.close();
	});

	test("a queue, which is not dropped from any more", async (t) => {
		const { server, configure } = await scene(t, ["ring-size = 4M"],
		    one());
		const slow = await Raw.open(server.port,
		    "/ws?topic=x&buffer=5&overflow=latest", { t,
			    headers: { "Sec-WebSocket-Protocol": "pubsubd.v1" } });
		const talker = await V1.open(server);
		const large = "x".repeat(50_000);
		const { epoch } = JSON.parse(await slow.text());
		let sent = 0;

		slow.socket.pause();
		while (await server.total("drops") === 0)
			sent = (await talker.publish("x", `${sent} ${large}`)).seq;
		configure("ring-size = 8M");
		await move(server);
		const more = (await talker.publish("x", `more ${large}`)).seq;

		assert.equal(more, sent + 1);
		slow.socket.resume();
		const books = new Moved("x", { epoch, seq: 0 });

		while (books.next <= more)
			books.enter(JSON.parse(await slow.text()));
		assert.deepEqual(books.gaps, ["slow", "epoch"]);
		assert.equal(books.epochs.length, 2);
		slow.destroy();
		await talker.close();
	});

	test("patterns, streams of several topics, paced subscriptions, members",
	    async (t) => {
		const { server, configure } = await scene(t, ["ring-size = 4M"],
		    one());
		const v1 = await V1.open(server, { query: { user: "anna" } });
		const feed = await Raw.connect(server.port, { t });

		await v1.ask({ type: "subscribe", pattern: "room/+" });
		await v1.ask({ type: "subscribe", topic: "slow", every_ms: 200 });
		await v1.ask({ type: "subscribe", topic: "a", echo: false });
		assert.equal((await v1.ask({ type: "presence", topic: "a",
			members: true, subscribe: true })).members[0].user, "anna");
		feed.request("GET", "/events?topic=x&pattern=y/%23");
		assert.equal((await feed.head()).status, 200);
		assert.match((await feed.chunk()).toString(), /"ready"/u);
		configure("ring-size = 8M");
		const { epoch } = await move(server);
		const told = await v1.barrier();

		assert.deepEqual(told.map((frame) => [frame.type,
			frame.topic ?? frame.pattern, frame.reason,
			frame.epoch]).sort(), [
			["gap", "a", "epoch", epoch],
			["gap", "room/+", "epoch", epoch],
			["gap", "slow", "epoch", epoch],
			["presence", "a", "lapped", undefined],
		]);
		for (const name of ["x", "y/#"]) {
			const gap = (await feed.chunk()).toString();

			assert.ok(gap.includes(`"${name}","reason":"epoch"`), gap);
			assert.ok(gap.includes(`\nid: ${epoch}\n`), gap);
		}
		await v1.publish("a", "mine"); /* no echo of that */
		await v1.publish("room/1", "of a pattern");
		assert.equal((await v1.next()).message, "of a pattern");
		await v1.publish("slow", "paced");
		assert.equal((await v1.next()).message, "paced");
		const who = await v1.ask({ type: "presence", topic: "a",
			members: true });

		assert.deepEqual(who.members.map(({ user }) => user), ["anna"]);
		await v1.publish("y/1", "of a stream");
		assert.match((await feed.chunk()).toString(), /of a stream/u);
		await v1.close();
		feed.destroy();
	});

	test("pubsub.js and `pubsubd sub' go on, and come back", async (t) => {
		const { server, configure } = await scene(t, ["ring-size = 4M"],
		    one());
		const got = [], gaps = [];
		const client = connect(`ws://127.0.0.1:${server.port}/ws`,
		    { WebSocket });
		const follow = run(PUBSUBD, ["sub", "--url",
			`ws://127.0.0.1:${server.port}/ws`, "x", "--count", "6"]);

		t.after(() => client.close());
		await client.subscribe("x", {
			onMessage: ({ message }) => got.push(message),
			onGap: ({ reason }) => gaps.push(reason),
		});
		await waitFor("both", async () =>
			await server.total("subscriptions") === 2);
		for (const word of ["a", "b"])
			await client.publish("x", word);
		configure("ring-size = 8M");
		await move(server);
		for (const word of ["c", "d"])
			await client.publish("x", word);
		await waitFor("d", () => got.includes("d"));
		/* They know in which ring they are. */
		assert.equal((await server.cli("restart")).status, 0);
		await waitFor("both again", async () =>
			await server.total("subscriptions") === 2);
		for (const word of ["e", "f"])
			await client.publish("x", word, { retry: true });
		const told = await bounded("sub", follow);

		assert.equal(told.stdout, "a\nb\nc\nd\ne\nf\n");
		assert.match(told.stderr, /x: messages may be missing \(epoch/u);
		assert.doesNotMatch(told.stderr, /lost|1 message/u);
		await waitFor("f", () => got.includes("f"));
		assert.deepEqual(got, ["a", "b", "c", "d", "e", "f"]);
		assert.deepEqual(gaps, ["epoch"]);
	});

	test("then a reload, an upgrade, a restart and a stop work as ever",
	    async (t) => {
		const { server, configure } = await scene(t,
		    ["ring-size = 4M", "rate = 1000"]);
		const client = await V1.open(server);

		await client.subscribe("x");
		configure("ring-size = 8M", "rate = 1000");
		await move(server);
		configure("ring-size = 8M", "rate = 50");
		const reload = await server.cli("reload");

		assert.match(reload.stdout, /reloaded; changed: rate/u);
		assert.equal((await V1.open(server)).welcome.limits.rate, 50);
		assert.equal((await upgrade(server)).moved, 2);
		assert.equal((await server.cli("restart")).status, 0);
		assert.equal((await client.closed).code, 1012);
		assert.equal((await server.stop()).code, 0);
	});

	test("a dead worker is replaced in the new ring", async (t) => {
		const { server, configure } = await scene(t, ["ring-size = 4M"]);

		server.deathsExpected = true;
		configure("ring-size = 8M");
		const { epoch } = await move(server);
		const [victim] = await server.workers();

		process.kill(victim, "SIGKILL");
		await waitFor("its successor", async () => {
			const { workers } = await server.status();

			return workers[0].pid !== victim &&
			    workers[0].state === "ready";
		});
		assert.equal((await post(server, "x", "hello")).epoch, epoch);
	});

	test("closes who speaks TLS, as a restart; the others stay", async (t) => {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-ring-"));
		const conf = join(dir, "conf");

		t.after(() => rmSync(dir, { recursive: true }));
		writeFileSync(conf, "ring-size = 4M\n");
		const authority = new Authority(t);
		const server = await startTls(t, authority, ["--config", conf]);

		writeFileSync(conf, "ring-size = 8M\n");
		await closesTls(server, authority, async () =>
			assert.deepEqual({ ...await move(server), epoch: "" },
			    { moved: 1, closed: 1, epoch: "" }));
	});

	test("in the background too, and its log goes on", async (t) => {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-ring-"));
		const conf = join(dir, "conf");

		t.after(() => rmSync(dir, { recursive: true }));
		writeFileSync(conf, "ring-size = 4M\n");
		const server = new Server(["--config", conf]);

		t.after(() => server.end());
		assert.equal((await server.start()).status, 0);
		const client = await Client.open(server, { topics: ["x"] });

		writeFileSync(conf, "ring-size = 8M\n");
		await move(server);
		assert.match(server.logged, / upgraded: 2 workers in /u);
		client.say("x", "here");
		assert.equal(await client.next(), "here");
		await client.close();
		assert.equal((await server.cli("stop")).status, 0);
	});
});

describe("no upgrade to another ring", { concurrency: 4 }, () => {
	test("without room for the topics that there are", async (t) => {
		const { server, configure } = await scene(t, ["max-topics = 100"],
		    one());
		const client = await V1.open(server);

		for (let i = 0; i < 20; i++)
			await client.subscribe(`x${i}`);
		configure("max-topics = 10");
		const done = await server.cli("upgrade");

		assert.equal(done.status, 1);
		assert.match(done.stderr, /serves on: the successor of worker 0 left/u);
		assert.match(server.logged, /the directory of the new ring is full/u);
		assert.equal((await client.publish("x3", "on")).epoch,
		    client.welcome.epoch);
		assert.equal((await client.next()).message, "on");
		configure("max-topics = 50");
		await move(server);
		await client.close();
		server.deathsExpected = true;
	});

	test("with another number of workers", async (t) => {
		const { server, configure } = await scene(t, ["ring-size = 4M"], [],
		    { workers: [] });
		const { length } = await server.workers();

		configure("ring-size = 8M", `workers = ${length + 1}`);
		const done = await server.cli("upgrade");

		assert.equal(done.status, 1);
		assert.match(done.stderr,
		    new RegExp(`has --workers ${length + 1} \\(here --workers ` +
			`${length}\\), --ring-size 8388608 .*takes a restart`, "u"));
	});
});
