// SPDX-License-Identifier: MIT
/*
 * upgrade.test.mjs - another program under open connections: who is connected
 * stays so, whatever the connection is just doing, and misses nothing.
 *
 * What happens when one of the processes dies meanwhile is in
 * kill-upgrade.test.mjs.
 */

import assert from "node:assert/strict";
import {
	chmodSync, copyFileSync, mkdtempSync, readdirSync, renameSync, rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Events, post } from "./events.mjs";
import { STOPPABLE, Stop } from "./stop.mjs";
import {
	Client, Frame, PUBSUBD, Raw, Server, Stream, openOnEachWorker, run,
	waitFor,
} from "./support.mjs";
import { Authority, startTls } from "./tls.mjs";
import { closesTls, upgrade } from "./upgrade.mjs";
import { Books, V1 } from "./v1-client.mjs";

/* Descriptors of the supervisor. */
function countFiles(server) {
	return readdirSync(`/proc/${server.child.pid}/fd`).length;
}

const one = (...args) => ["--workers", "1", ...args];

describe("an upgrade", { concurrency: 4 }, () => {
	test("moves every kind of client, and messages are dense", async (t) => {
		const server = await Server.start(t);
		const plain = await openOnEachWorker(server,
		    () => Client.open(server, { topics: ["x"] }));
		const v1 = await openOnEachWorker(server, () => V1.open(server));
		const events = await Events.open(server, "x", { t });
		const idle = await Raw.connect(server.port, { t });
		const { epoch } = await server.status();
		const books = [];

		idle.request("GET", "/healthz");
		assert.equal((await idle.response()).status, 200);
		for (const client of v1) {
			const ack = await client.subscribe("x");

			books.push(new Books("x", ack.seq + 1));
		}
		events.readAhead();
		const stream = new Stream(plain[0], "x");

		for (let i = 0; i < 5; i++) {
			await stream.progress(50);
			assert.deepEqual(await upgrade(server),
			    { moved: 6, closed: 0 });
		}
		await stream.progress(50);
		await stream.stop();
		for (const client of plain)
			await stream.assertComplete(client);
		for (const [i, client] of v1.entries()) {
			for (const frame of await client.barrier())
				assert.ok(books[i].enter(frame));
			assert.equal(books[i].messages, stream.count);
			assert.equal(books[i].missed, 0);
		}
		for (let i = 0; i < stream.count; i++)
			assert.equal(await events.next(), `x ${i}`);
		idle.request("GET", "/healthz");
		assert.equal((await idle.response()).status, 200);
		const status = await server.status();

		assert.equal(status.epoch, epoch);
		assert.equal(status.run, 1);
		assert.equal(status.deaths, 0);
		assert.equal(await server.total("subscriptions"), 5);
		assert.equal(await server.total("connections"), 6);
		assert.equal(await server.total("event_streams"), 1);
		assert.equal(await server.total("websockets"), 4);
		for (const client of [...plain, ...v1])
			await client.close();
		events.close();
		idle.destroy();
		await waitFor("nobody", async () =>
			await server.total("connections") === 0);
		for (const counter of ["websockets", "event_streams",
			"subscriptions"])
			assert.equal(await server.total(counter), 0);
		assert.equal(await server.total("topics"), 0);
	});

	test("keeps subscriptions as they are, and they end", async (t) => {
		const server = await Server.start(t, one());
		const a = await V1.open(server), b = await V1.open(server);

		await a.subscribe("x", { echo: false });
		await a.subscribe("y");
		await b.subscribe("x");
		await upgrade(server);
		assert.equal((await a.publish("x", "mine")).type, "ack");
		assert.equal((await b.next()).message, "mine");
		await a.quiet();
		assert.equal((await b.ask({ type: "presence", topic: "x" })).count,
		    2);
		assert.equal((await a.ask({ type: "unsubscribe",
			topic: "x" })).type, "ack");
		assert.equal((await a.publish("x", "more")).type, "ack");
		assert.equal((await b.next()).message, "more");
		await a.quiet();
		assert.equal((await b.ask({ type: "presence", topic: "x" })).count,
		    1);
		await a.close();
		await b.close();
	});

	test("keeps half a request head, and half a message", async (t) => {
		const server = await Server.start(t,
		    one("--handover-time", "60"));
		const head = await Raw.connect(server.port, { t });
		const frame = await Raw.open(server.port, "/ws?topic=x", { t });
		const body = await Raw.connect(server.port, { t });
		const bytes = Frame.message("x", "in two parts");

		head.send("GET /healthz HTTP/1.1\r\nHo");
		frame.send(bytes.subarray(0, 9));
		body.request("POST", "/topics/x", { "Content-Length": 6 });
		body.send("who");
		await waitFor("half a message", async () =>
			await server.total("parsers") === 1 &&
			await server.total("requests") === 3); /* one at the start */
		const upgraded = upgrade(server);

		await server.logs("a successor", /goes on with 1 workers/u);
		/* Who is at rest waits for those that are not. */
		assert.equal((await server.status()).workers[0].starts, 1);
		frame.send(bytes.subarray(9));
		assert.equal(await frame.text(), "in two parts");
		body.send("le\n");
		assert.equal((await body.response()).status, 200);
		assert.deepEqual(await upgraded, { moved: 3, closed: 0 });
		assert.equal(await frame.text(), "whole\n");
		head.send("st: localhost\r\n\r\n");
		assert.equal((await head.response()).status, 200);
		await frame.close();
	});

	test("closes who does not finish in time, as a restart", async (t) => {
		const server = await Server.start(t,
		    one("--handover-time", "0.05"));
		const stuck = await Raw.open(server.port, "/ws",
		    { t, headers: { "Sec-WebSocket-Protocol": "pubsubd.v1" } });
		const other = await Client.open(server, { topics: ["x"] });

		await stuck.text();
		stuck.send(Frame.encode(Frame.TEXT, "{}").subarray(0, 7));
		await waitFor("half a frame", async () =>
			await server.total("parsers") === 1);
		assert.deepEqual(await upgrade(server), { moved: 2, closed: 1 });
		assert.equal((await stuck.closing()).code, 1012);
		other.say("x", "undisturbed");
		assert.equal(await other.next(), "undisturbed");
		assert.equal(await server.total("not_handed_over"), 1);
		await other.close();
	});

	test("knows whose a proxy's connections are", async (t) => {
		const server = await Server.start(t, one("--trust-proxy",
		    "127.0.0.0/8", "--max-conns-per-address", "2"));
		const headers = { "X-Forwarded-For": "192.0.2.7" };
		const open = () => Raw.open(server.port, "/ws", { t, headers });
		const connections = (n) => waitFor(`${n} connections`,
		    async () => await server.total("connections") === n);
		const refused = async () => {
			const raw = await Raw.connect(server.port, { t });

			raw.request("GET", "/healthz", headers);
			assert.equal((await raw.response()).status, 503);
			raw.destroy();
		};
		const [a, b] = [await open(), await open()];

		await upgrade(server);
		await refused();
		await a.close();
		await connections(1);
		const c = await open();

		await upgrade(server);
		await refused();
		await b.close();
		await c.close();
	});

	test("closes who speaks TLS, as a restart; the others stay", async (t) => {
		const authority = new Authority(t);
		const server = await startTls(t, authority);

		await closesTls(server, authority, async () =>
			assert.deepEqual(await upgrade(server),
			    { moved: 1, closed: 1 }));
	});

	/* The number that is asked of it: after each one everything is there, and
	 * nothing of the processes before. */
	test("fifty in a row: nobody leaves, nothing is missing", async (t) => {
		const server = await Server.start(t);
		const [talker, other] = await openOnEachWorker(server,
		    () => Client.open(server, { topics: ["x"] }));
		const v1 = await V1.open(server);
		const events = await Events.open(server, "x", { t });
		const ack = await v1.subscribe("x");
		const books = new Books("x", ack.seq + 1);
		const files = countFiles(server);

		events.readAhead();
		const stream = new Stream(talker, "x");

		for (let i = 0; i < 50; i++) {
			await stream.progress(20);
			const done = await server.cli("upgrade");

			assert.equal(done.status, 0, done.stderr);
			assert.match(done.stdout, /4 connections handed over, 0 closed/u);
		}
		await stream.progress(20);
		await stream.stop();
		await stream.assertComplete(talker);
		await stream.assertComplete(other);
		for (const frame of await v1.barrier())
			assert.ok(books.enter(frame));
		assert.equal(books.messages, stream.count);
		for (let i = 0; i < stream.count; i++)
			assert.equal(await events.next(), `x ${i}`);
		assert.equal((await server.status()).run, 1);
		assert.equal(countFiles(server), files);
		for (const client of [talker, other, v1])
			await client.close();
		events.close();
	});

	test("takes what is just closing along", async (t) => {
		const server = await Server.start(t, one());
		const leaving = await Raw.open(server.port, "/ws?topic=x", { t });

		leaving.send(Frame.close(1000, "bye"));
		assert.equal((await leaving.frame()).code, 1000);
		/* It waits for our end. */
		assert.deepEqual(await upgrade(server), { moved: 1, closed: 0 });
		await leaving.end();
		await waitFor("the end of it", async () =>
			await server.total("connections") === 0);
	});

	for (const [overflow, form] of [["drop", "v1"], ["latest", "v1"],
		["latest", "plain"], ["close", "v1"]])
		test(`keeps a full queue: ${form}, ${overflow}`, async (t) => {
			const server = await Server.start(t, one());
			const protocols = form === "v1" ?
				{ "Sec-WebSocket-Protocol": "pubsubd.v1" } : {};
			const slow = await Raw.open(server.port,
			    `/ws?topic=x&buffer=5&overflow=${overflow}`,
			    { t, headers: protocols });
			const talker = await V1.open(server);
			const large = "x".repeat(50_000);
			let from = 1;

			if (form === "v1")
				assert.equal(JSON.parse(await slow.text()).type,
				    "welcome");
			slow.socket.pause();
			/* Until it waits, and until something was dropped. */
			const counter = overflow === "close" ? "buffered_bytes" :
				"drops";

			while (await server.total(counter) === 0)
				assert.equal((await talker.publish("x",
				    `${from++} ${large}`)).type, "ack");
			for (let i = 0; i < 3; i++) {
				await upgrade(server);
				if (overflow !== "close")
					await talker.publish("x",
					    `${from++} ${large}`);
			}
			slow.socket.resume();
			if (form === "plain") {
				let last = 0;

				while (last < from - 1) {
					const n = Number.parseInt(
					    await slow.text(), 10);

					assert.ok(n > last);
					last = n;
				}
			} else {
				const books = new Books("x", 1);

				while (books.next < from)
					assert.ok(books.enter(
					    JSON.parse(await slow.text())));
				assert.equal(books.missed > 0,
				    overflow !== "close");
			}
			assert.equal(await server.total("buffered_bytes"), 0);
			slow.destroy();
			await talker.close();
		});

	test("keeps a stream of events that is behind", async (t) => {
		const server = await Server.start(t, one());
		const slow = await Raw.connect(server.port, { t });
		const talker = await V1.open(server);
		const large = "y".repeat(50_000);
		let sent = 0;

		slow.request("GET", "/topics/x/events?buffer=4&overflow=latest");
		assert.equal((await slow.head()).status, 200);
		assert.match((await slow.chunk()).toString(), /"ready"/u);
		slow.socket.pause();
		while (await server.total("drops") === 0)
			await talker.publish("x", `${++sent} ${large}`);
		await upgrade(server);
		await talker.publish("x", `${++sent} ${large}`);
		slow.socket.resume();
		let next = 1, gaps = 0;

		while (next <= sent) {
			const text = (await slow.chunk()).toString();
			const gap = /"from":(\d+),"to":(\d+)/u.exec(text);

			if (gap) {
				assert.equal(Number(gap[1]), next);
				next = Number(gap[2]) + 1;
				gaps++;
			} else {
				assert.ok(text.includes(`data: ${next} y`));
				next++;
			}
		}
		assert.ok(gaps > 0);
		await talker.close();
	});

	/* Its successor died of the answer, which is of no topic. */
	test("keeps the answers to who has no subscription", async (t) => {
		const server = await Server.start(t, one());
		const talker = await V1.open(server);
		const asker = await Raw.open(server.port, "/ws", { t,
			headers: { "Sec-WebSocket-Protocol": "pubsubd.v1" } });
		const large = "a".repeat(50_000);
		const asked = 40; /* 20 MB of answers: no socket takes them */

		for (let i = 0; i < 10; i++)
			await talker.publish("x", large);
		await asker.text();
		asker.socket.pause();
		for (let id = 1; id <= asked; id++)
			asker.send(Frame.encode(Frame.TEXT, JSON.stringify(
			    { type: "history", id, topic: "x", limit: 10 })));
		await waitFor("a queue", async () =>
			await server.total("buffered_bytes") > 0);
		assert.deepEqual(await upgrade(server), { moved: 2, closed: 0 });
		asker.socket.resume();
		for (let id = 1; id <= asked; id++) {
			const answer = JSON.parse(await asker.text());

			assert.equal(answer.id, id);
			assert.equal(answer.messages.length, 10);
		}
		asker.destroy();
		await talker.close();
	});

	test("goes on with a replay, where it was", async (t) => {
		const server = await Server.start(t, one());
		const talker = await V1.open(server);
		const late = await Raw.open(server.port, "/ws", { t,
			headers: { "Sec-WebSocket-Protocol": "pubsubd.v1" } });
		const { epoch } = talker.welcome;
		const large = "z".repeat(40_000);
		const count = 400; /* 16 MB: no socket takes it */

		for (let i = 1; i <= count; i++)
			await talker.publish("x", `${i} ${large}`);
		await late.text();
		late.socket.pause();
		late.send(Frame.encode(Frame.TEXT, JSON.stringify({
			type: "subscribe", topic: "x", since: { epoch, seq: 0 } })));
		await waitFor("a queue", async () =>
			await server.total("buffered_bytes") > 0);
		await upgrade(server);
		await talker.publish("x", "and one more");
		await upgrade(server);
		late.socket.resume();
		const books = new Books("x", 1);

		while (books.next <= count + 1) {
			const frame = JSON.parse(await late.text());

			assert.ok(books.enter(frame) || frame.type === "ack");
		}
		assert.equal(books.missed, 0);
		late.destroy();
		await talker.close();
	});

	test("tells who was lapped while all stood still", async (t) => {
		const server = await Server.start(t,
		    ["--ring-size", "2M", "--max-topics", "8"],
		    { program: STOPPABLE });
		const [a, b] = await openOnEachWorker(server,
		    () => V1.open(server));
		const large = "w".repeat(30_000);

		const first = await a.subscribe("x");
		const stop = await Stop.arm(t, server, 0, "frozen");
		const upgraded = server.cli("upgrade");
		const pid = await stop.stands();
		let sent = first.seq;

		for (let i = 0; i < 100; i++)
			sent = (await b.publish("x", `${i} ${large}`)).seq;
		process.kill(pid, "SIGCONT");
		assert.equal((await upgraded).status, 0);
		const books = new Books("x", first.seq + 1);

		while (books.next <= sent)
			assert.ok(books.enter(await a.next()));
		assert.deepEqual(books.gaps, ["lapped"]);
		server.deathsExpected = true; /* "lapped by the ring" */
		await a.close();
		await b.close();
	});

});

describe("no upgrade", { concurrency: 4 }, () => {
	async function scene(t, ...args) {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-copy-"));
		const program = join(dir, "pubsubd");

		t.after(() => rmSync(dir, { recursive: true }));
		copyFileSync(PUBSUBD, program);
		const server = await Server.start(t, args, { program });
		const client = await Client.open(server, { topics: ["x"] });

		return { server, client, program };
	}

	function replace(program, make) {
		make(`${program}.new`);
		chmodSync(`${program}.new`, 0o755);
		renameSync(`${program}.new`, program);
	}

	async function assertRefused(server, client, why) {
		const pids = await server.workers();
		const done = await server.cli("upgrade");

		assert.equal(done.status, 1);
		assert.match(done.stderr, why);
		assert.deepEqual(await server.workers(), pids);
		client.say("x", "undisturbed");
		assert.equal(await client.next(), "undisturbed");
	}

	for (const [what, script, why] of [
		["a program that fails", "#!/bin/sh\nexit 1\n",
			/was not upgraded, and serves on: \S+ would not start/u],
		["one that is older",
			"#!/bin/sh\necho 'pubsubd: no such command' >&2; exit 2\n",
			/would not start: no such command/u],
		["one with another number of workers",
			`#!/bin/sh\nexec ${PUBSUBD} "$@" --workers 3\n`,
			/--workers 3.*--workers 2.*that takes a restart/u],
		["one that knows no terms", "#!/bin/sh\nexit 0\n",
			/that takes a restart/u],
	])
		test(`to ${what}`, async (t) => {
			const { server, client, program } = await scene(t);

			server.deathsExpected = true; /* of the trial */
			replace(program, (to) => writeFileSync(to, script));
			await assertRefused(server, client, why);
			/* and when it has been put right it works */
			replace(program, (to) => copyFileSync(PUBSUBD, to));
			assert.equal((await upgrade(server)).moved, 1);
			client.say("x", "still");
			assert.deepEqual(await client.received(2),
			    ["undisturbed", "still"]);
			await client.close();
		});

	test("where none runs", async () => {
		const done = await run(PUBSUBD, ["upgrade", "--name", "nobody-at-all"]);

		assert.equal(done.status, 3);
	});
});

describe("after an upgrade", { concurrency: 4 }, () => {
	test("a reload, a restart and a stop work as ever", async (t) => {
		const server = await Server.start(t);
		const client = await V1.open(server);

		await client.subscribe("x");
		await upgrade(server);
		assert.equal((await server.cli("reload")).status, 0);
		assert.equal((await server.cli("restart")).status, 0);
		assert.equal((await client.closed).code, 1012);
		assert.equal((await server.status()).run, 2);
		await upgrade(server);
		assert.equal((await server.stop()).code, 0);
	});

	test("in the background too, and its log goes on", async (t) => {
		const server = new Server();

		t.after(() => server.end());
		assert.equal((await server.start()).status, 0);
		const client = await Client.open(server, { topics: ["x"] });

		for (let i = 0; i < 3; i++)
			await upgrade(server);
		assert.equal(server.logged.match(/ upgraded: /gu).length, 3);
		client.say("x", "here");
		assert.equal(await client.next(), "here");
		await client.close();
		assert.equal((await server.cli("stop")).status, 0);
	});

	test("a dead worker is replaced", async (t) => {
		const server = await Server.start(t);

		server.deathsExpected = true;
		await upgrade(server);
		const [victim] = await server.workers();

		process.kill(victim, "SIGKILL");
		await waitFor("its successor", async () => {
			const { workers } = await server.status();

			return workers[0].pid !== victim &&
			    workers[0].state === "ready";
		});
		await upgrade(server);
		assert.equal((await post(server, "x", "hello")).seq, 1);
	});
});
