// SPDX-License-Identifier: MIT
/*
 * drain.test.mjs - stopping and restarting while everybody talks: what the
 * server took is delivered to all, everybody is told, and it ends in time.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
	Client, Frame, Raw, Server, bounded, openOnEachWorker, waitFor,
} from "./support.mjs";

const WORKERS = 3;

/* Publish as fast as the sockets take it, until the connection ends.  What is
 * in flight when that happens was not accepted, and nobody can tell how much
 * that is; the subscribers must all have seen the same part of it. */
async function flood(client, topic, who) {
	for (let i = 0; client.socket.readyState === client.socket.OPEN; i++) {
		client.say(topic, `${who} ${i}`);
		if (i % 50 === 49)
			await new Promise((resolve) => setImmediate(resolve));
		while (client.socket.bufferedAmount > 65536 &&
		    client.socket.readyState === client.socket.OPEN)
			await new Promise((resolve) => setImmediate(resolve));
	}
}

/* That the numbers of each publisher are 0, 1, 2, ... without a hole. */
function assertDense(messages) {
	const next = new Map();

	for (const text of messages) {
		const [who, n] = text.split(" ");

		assert.equal(Number(n), next.get(who) ?? 0, `of ${who}`);
		next.set(who, Number(n) + 1);
	}
}

describe("under load", { concurrency: true }, () => {
	/* Publishers and subscribers on each worker of a server. */
	async function scene(t, ...args) {
		const server = await Server.start(t, ["--workers", `${WORKERS}`,
			"--max-buffer", "1000000", "--rate", "3000", ...args]);
		const publishers = await openOnEachWorker(server);
		const subscribers = await openOnEachWorker(server, () =>
			Client.open(server, { topics: ["room"],
				query: { buffer: 1_000_000 } }));

		return { server, publishers, subscribers };
	}

	/* Flood, let it run, end it, and compare what everybody saw. */
	async function endUnderLoad({ publishers, subscribers }, end, code) {
		const floods = publishers.map((client, who) =>
			flood(client, "room", who));

		await Promise.all(subscribers.map((client) =>
			client.received(1000)));
		await end();
		for (const client of [...publishers, ...subscribers]) {
			const closed = await bounded("close", client.closed);

			assert.equal(closed.code, code);
			assert.equal(client.error, undefined);
		}
		await Promise.all(floods);
		assertDense(subscribers[0].messages);
		for (const client of subscribers)
			assert.deepEqual(client.messages, subscribers[0].messages);
	}

	test("SIGTERM: all subscribers of all workers have seen the same",
	    async (t) => {
		    const all = await scene(t);
		    const began = Date.now();

		    await endUnderLoad(all, async () => {
			    assert.deepEqual(await all.server.stop(),
				{ code: 0, signal: null });
		    }, 1001);
		    assert.match(all.server.stderr,
			/6 connections closed cleanly, 0 cut/u);
		    assert.ok(Date.now() - began < 30_000);
		    await all.server.assertNothingLeft();
	    });

	test("restart: likewise, and clients come back to the same ring",
	    async (t) => {
		    const all = await scene(t);
		    const { epoch, ring } = await all.server.status();

		    await endUnderLoad(all, async () => {
			    assert.equal((await all.server.cli("restart")).status,
				0);
		    }, 1001);
		    const after = await all.server.status();

		    assert.equal(after.epoch, epoch);
		    assert.ok(after.ring.head > ring.head);
		    assert.match(all.server.stderr,
			/6 connections closed cleanly, 0 cut/u);
	    });

	test("the supervisor is killed: workers do it alone", async (t) => {
		const all = await scene(t);

		all.server.deathsExpected = true;
		await endUnderLoad(all, () => all.server.stop("SIGKILL"), 1001);
		await waitFor("the workers' end",
		    () => all.server.processes().length === 0);
	});
});

describe("what holds a drain up, and for how long", { concurrency: true }, () => {
	test("who does not read is cut at the deadline, the others are not",
	    async (t) => {
		    const server = await Server.start(t, ["--drain", "1"]);
		    const deaf = await Raw.open(server.port,
			"/ws?topic=x&buffer=4096", { t });
		    const client = await Client.open(server, { topics: ["x"] });

		    deaf.socket.pause();
		    for (let i = 0; i < 150; i++) {
			    client.say("x", `${i} ${"x".repeat(60_000)}`);
			    await client.received(i + 1);
		    }
		    assert.deepEqual(await server.stop(),
			{ code: 0, signal: null });
		    assert.equal((await client.closed).code, 1001);
		    assert.match(server.stderr,
			/drained in [01]\.\d+ s: 1 connections closed cleanly, 1 cut/u);
	    });

	test("who reads late still gets everything, then the close frame",
	    async (t) => {
		    const server = await Server.start(t, ["--drain", "60"]);
		    const late = await Raw.open(server.port,
			"/ws?topic=x&buffer=4096", { t });
		    const client = await Client.open(server, { topics: ["x"] });
		    const count = 15; /* times 64 KiB stays below 1 MiB */

		    late.socket.pause();
		    for (let i = 0; i < count; i++) {
			    client.say("x", `${i} ${"x".repeat(60_000)}`);
			    await client.received(i + 1);
		    }
		    const stopped = server.stop();

		    assert.equal((await client.closed).code, 1001);
		    late.socket.resume();
		    for (let i = 0; i < count; i++)
			    assert.match(await late.text(),
				new RegExp(`^${i} x+$`, "u"));
		    assert.equal((await late.closing()).code, 1001);
		    assert.equal((await stopped).code, 0);
	    });

	test("half a message is not waited for", async (t) => {
		const server = await Server.start(t, ["--drain", "60"]);
		const raw = await Raw.open(server.port, "/ws", { t });

		raw.send(Frame.message("x", "whole"),
		    Frame.encode(Frame.TEXT, '{"topic":', { fin: false }));
		assert.equal(await raw.text(), "whole");
		const stopped = server.stop();

		assert.equal((await raw.closing()).code, 1001);
		assert.equal((await stopped).code, 0);
	});

	test("input that nobody reads does not reset the connection",
	    async (t) => {
		    /* Closing a socket with unread input would: and the reset
		     * would overtake the last messages and the close frame. */
		    const server = await Server.start(t, ["--drain", "60"]);
		    const raw = await Raw.open(server.port, "/ws?topic=x", { t });
		    const publisher = await Client.open(server);
		    const noise = Frame.message("y", "z".repeat(10_000));

		    publisher.say("x", "last");
		    await publisher.next();
		    const stopped = server.stop();

		    for (let i = 0; i < 50; i++)
			    raw.send(noise);
		    assert.equal(await raw.text(), "last");
		    let frame = await raw.frame();

		    while (frame.opcode === Frame.TEXT)
			    frame = await raw.frame();
		    assert.equal(frame.code, 1001);
		    await raw.end();
		    assert.equal((await stopped).code, 0);
	    });

	test("an idle HTTP connection is closed", async (t) => {
		const server = await Server.start(t, ["--drain", "60"]);
		const raw = await Raw.connect(server.port, { t });

		raw.request("GET", "/healthz");
		await raw.response();
		const stopped = server.stop();

		await raw.end();
		assert.equal((await stopped).code, 0);
	});

	test("--drain 0 leaves at once", async (t) => {
		const server = await Server.start(t, ["--drain", "0"]);
		const deaf = await Raw.open(server.port, "/ws", { t });

		deaf.socket.pause();
		assert.deepEqual(await server.stop(), { code: 0, signal: null });
	});
});

describe("meanwhile", { concurrency: true }, () => {
	/* One worker is held up by a client that does not close. */
	async function held(t, ...args) {
		const server = await Server.start(t, ["--drain", "60", ...args]);
		const holder = await Raw.open(server.port, "/ws", { t });

		return { server, holder };
	}

	test("stop: newcomers are refused, the operator is told", async (t) => {
		const { server, holder } = await held(t, "--admin", "127.0.0.1:0");
		const { admin } = await server.status();
		const stopped = server.stop();

		assert.equal((await holder.frame()).opcode, Frame.CLOSE);
		await waitFor("the port is closed",
		    () => Raw.connect(server.port).then((raw) => raw.destroy(),
			({ code }) => code === "ECONNREFUSED"));
		assert.equal((await fetch(`${admin}/readyz`)).status, 503);
		assert.equal((await fetch(`${admin}/healthz`)).status, 200);
		holder.destroy();
		assert.equal((await stopped).code, 0);
	});

	/* Once they were told 503 until the last old connection was gone: an
	 * EventSource that is told so never comes back. */
	test("restart: newcomers wait for the successor", async (t) => {
		const { server, holder } = await held(t);
		const done = server.cli("restart");

		assert.equal((await holder.frame()).opcode, Frame.CLOSE);
		const raws = await Promise.all(Array.from({ length: 20 },
		    () => Raw.connect(server.port, { t })));

		for (const raw of raws)
			raw.request("GET", "/readyz");
		holder.destroy();
		for (const raw of raws) {
			assert.equal((await raw.response()).status, 200);
			raw.destroy();
		}
		assert.equal((await done).status, 0);
	});

	test("restart: who comes and says nothing holds nobody up", async (t) => {
		const { server, holder } = await held(t);
		const done = server.cli("restart");

		assert.equal((await holder.frame()).opcode, Frame.CLOSE);
		const silent = await Raw.connect(server.port, { t });
		const ended = silent.end();

		holder.destroy();
		assert.equal((await done).status, 0);
		await ended;
	});

	/* It was told 503 now and then: which is an error to whoever looks at a
	 * page, and to a load balancer that asks for /readyz. */
	test("restart: who asks in a loop is told nothing but 200", async (t) => {
		const server = await Server.start(t);
		const clients = await Promise.all(Array.from({ length: 20 },
		    () => Client.open(server, { topics: ["x"] })));
		const paths = ["/readyz", "/", "/topics", "/topics/x/history"];
		let asking = true, served = 0;
		const loop = (async () => {
			for (let i = 0; asking; i++) {
				const raw = await Raw.connect(server.port, { t });

				raw.request("GET", paths[i % paths.length],
				    { Connection: "close" });
				assert.equal((await raw.response()).status, 200);
				await raw.end();
				served++;
			}
		})();
		const servedAgain = async () => {
			const before = served;

			await Promise.race([loop, waitFor("another answer",
			    () => served > before)]);
		};

		loop.catch(() => {});
		for (let i = 0; i < 3; i++) {
			await servedAgain();
			assert.equal((await server.cli("restart")).status, 0);
		}
		await servedAgain();
		asking = false;
		await loop;
		for (const client of clients)
			assert.equal((await client.closed).code, 1001);
	});
});
