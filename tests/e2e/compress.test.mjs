// SPDX-License-Identifier: MIT
/*
 * compress.test.mjs - --compress: what is sent and taken compressed, to whom, and
 * that it is compressed once; limits, slow readers, upgrades and deaths.
 *
 * What is a compressed message and what is none: conformance-deflate.test.mjs.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { noise } from "./conformance.mjs";
import {
	AGREED, PMD, agreedOn, assertMessage, inflate, offering, packed, prose,
} from "./deflate.mjs";
import { Client, Frame, Raw, Server, Stream, openOnEachWorker, run, waitFor } from
	"./support.mjs";
import { upgrade } from "./upgrade.mjs";
import { Books, V1 } from "./v1-client.mjs";

const { TEXT } = Frame;

/* As ws compresses everything, too. */
const deflating = { perMessageDeflate: { threshold: 0 } };

const LONG = prose(2000).toString();

const start = (t, ...args) => Server.start(t,
    ["--workers", "1", "--compress", "512", ...args]);

const open = async (server, t, path) => {
	const raw = await Raw.open(server.port, path, { t, ...offering() });

	assert.equal(agreedOn(raw), AGREED);
	return raw;
};

const say = (raw, topic, message) =>
	raw.send(Frame.message(topic, message));

async function totals(server, ...names) {
	const all = {};

	for (const name of names)
		all[name] = await server.total(name);
	return all;
}

describe("what is compressed", { concurrency: 4 }, () => {
	test("a message is, once for all who take it so", async (t) => {
		const server = await start(t);
		const takers = [], others = [];

		for (let i = 0; i < 10; i++) {
			takers.push(await open(server, t, "/ws?topic=x"));
			others.push(await Raw.open(server.port, "/ws?topic=x", { t }));
		}
		say(others[0], "x", LONG);
		for (const raw of takers)
			assert.equal(await assertMessage(raw, TEXT, LONG), true);
		for (const raw of others)
			assert.equal(await assertMessage(raw, TEXT, LONG), false);
		const told = await totals(server, "deflated", "deflated_from",
		    "deflated_to", "deflated_in_vain", "deflate_agreed",
		    "deflate_declined");

		assert.ok(told.deflated_to > 0 && told.deflated_to < 1000);
		assert.deepEqual(told, { deflated: 1, deflated_from: 2000,
			deflated_to: told.deflated_to, deflated_in_vain: 0,
			deflate_agreed: 10, deflate_declined: 0 });
	});

	test("short ones are not, and what does not become smaller",
	    async (t) => {
		    const server = await start(t);
		    const raw = await open(server, t, "/ws?topic=x");
		    /* Six bits in each byte: three quarters of it, but for what
		     * an alphabet of its own costs. */
		    const random = noise(390).toString("base64");

		    for (const [text, is] of [["short", false],
			[prose(511).toString(), false],
			[prose(512).toString(), true], [random, true]]) {
			    say(raw, "x", text);
			    assert.equal(await assertMessage(raw, TEXT, text), is);
		    }
		    assert.equal(await server.total("deflated_in_vain"), 0);
		    await raw.close();

		    const all = await start(t, "--compress", "0");
		    const eager = await open(all, t, "/ws?topic=x");

		    say(eager, "x", "short");
		    assert.equal(await assertMessage(eager, TEXT, "short"), false);
		    assert.equal(await all.total("deflated_in_vain"), 1);
	    });

	test("in pubsubd.v1 as well; answers, gaps and the past are not",
	    async (t) => {
		    const server = await start(t);
		    const v1 = await Raw.open(server.port, "/ws", { t, headers: {
			    ...offering().headers,
			    "Sec-WebSocket-Protocol": "pubsubd.v1" } });
		    const told = async () => {
			    const frame = await v1.frame();

			    return [frame.rsv !== 0, JSON.parse(frame.rsv === 0 ?
				frame.text : inflate(frame.payload))];
		    };
		    const ask = (request) =>
			v1.send(Frame.encode(TEXT, JSON.stringify(request)));

		    assert.equal(agreedOn(v1), AGREED);
		    assert.equal((await told())[1].type, "welcome");
		    ask({ type: "publish", topic: "x", message: LONG });
		    ask({ type: "subscribe", topic: "x", history: 1, id: 1 });
		    assert.deepEqual(await told().then(([is, { type, replayed }]) =>
			[is, type, replayed]), [false, "ack", 1]);
		    let [is, { message }] = await told();

		    assert.deepEqual([is, message], [false, LONG]);
		    ask({ type: "publish", topic: "x", message: LONG });
		    ask({ type: "publish", topic: "x", message: LONG,
			ephemeral: true });
		    for (let i = 0; i < 2; i++) {
			    [is, { message }] = await told();
			    assert.deepEqual([is, message], [true, LONG]);
		    }
		    ask({ type: "history", topic: "x", limit: 2 });
		    [is, { messages: [{ message }] }] = await told();
		    assert.deepEqual([is, message], [false, LONG]);
		    await v1.close();
	    });

	test("of patterns, and at a pace", async (t) => {
		const server = await start(t);
		const raw = await open(server, t, "/ws?pattern=room/%23");
		const paced = await V1.open(server, deflating);
		const other = await Client.open(server);

		assert.equal(paced.socket.extensions, PMD);
		await paced.subscribe("room/1", { every_ms: 100 });
		other.say("room/1", LONG);
		assert.equal(await assertMessage(raw, TEXT, LONG), true);
		assert.equal((await paced.next()).message, LONG);
		assert.equal(await server.total("deflated"), 2);
		await paced.close();
		await other.close();
	});

	test("for no window smaller than ours, but taken from there",
	    async (t) => {
		    const server = await start(t);

		    for (const bits of [8, 11, 12]) {
			    const raw = await Raw.open(server.port,
				"/ws?topic=x", { t, ...offering(
				    `${PMD}; server_max_window_bits=${bits}`) });

			    assert.equal(agreedOn(raw),
				`${AGREED}; server_max_window_bits=${bits}`);
			    raw.send(packed(TEXT, JSON.stringify(
				{ topic: "x", message: LONG })));
			    assert.equal(await assertMessage(raw, TEXT, LONG,
				bits), bits === 12);
			    await raw.close();
		    }
	    });

	test("a faulty offer is counted, and the handshake goes on",
	    async (t) => {
		    const server = await start(t);
		    const raw = await Raw.open(server.port, "/ws?topic=x",
			{ t, ...offering(`${PMD}; what, ${PMD}; server_max_` +
			    "window_bits=77") });

		    assert.equal(agreedOn(raw), undefined);
		    say(raw, "x", LONG);
		    assert.equal(await assertMessage(raw, TEXT, LONG), false);
		    assert.equal(await server.total("deflate_declined"), 2);
		    await raw.close();
	    });
});

describe("what comes compressed", { concurrency: 4 }, () => {
	test("ws, on every worker, in both contracts", async (t) => {
		const server = await Server.start(t, ["--compress", "0"]);
		const plain = await openOnEachWorker(server, () =>
			Client.open(server, { topics: ["x"], ...deflating }));
		const v1 = await openOnEachWorker(server, () =>
			V1.open(server, deflating));
		const books = [];

		for (const client of v1) {
			const ack = await client.subscribe("x");

			books.push(new Books("x", ack.seq + 1));
		}
		for (let i = 0; i < 100; i++) {
			plain[i % 2].say("x", `${i} ${prose(i * 30)}`);
			await plain[i % 2].received(i + 1);
		}
		for (const client of plain) {
			await client.received(100);
			client.messages.forEach((text, i) =>
				assert.equal(text, `${i} ${prose(i * 30)}`));
		}
		for (const [i, client] of v1.entries()) {
			for (const frame of await client.barrier())
				assert.ok(books[i].enter(frame));
			assert.equal(books[i].messages, 100);
		}
		/* 100 messages, and what the v1 clients asked for. */
		assert.equal(await server.total("inflated"), 100 + 2 + 2);
		assert.ok(await server.total("inflated_to") >
		    2 * await server.total("inflated_from"));
		for (const client of [...plain, ...v1])
			await client.close();
	});

	test("a message that would become too long: 1009, and nobody else knows",
	    async (t) => {
		    const server = await start(t);
		    const bystander = await Client.open(server,
			{ topics: ["elsewhere"], ...deflating });
		    const stream = new Stream(bystander, "elsewhere");
		    const bomb = packed(TEXT, Buffer.alloc(1 << 20, "0"),
			{ level: 9 });

		    assert.ok(bomb.length < 2000);
		    for (let i = 0; i < 20; i++) {
			    const raw = await open(server, t, "/ws");

			    raw.send(bomb);
			    const { code, reason } = await raw.closing();

			    assert.equal(code, 1009);
			    assert.match(reason, /over 65536 bytes/u);
			    await stream.progress(10);
		    }
		    await stream.stop();
		    await stream.assertComplete(bystander);
		    await bystander.close();
		    assert.equal(await server.total("protocol_errors"), 20);
	    });

	/* A thousand bytes of a client are the work of a thousand messages. */
	test("what grows counts for the rate", async (t) => {
		const server = await start(t, "--rate", "100");
		const raw = await open(server, t, "/ws?topic=x");
		const message = "0".repeat(60_000);
		const frame = packed(TEXT,
		    JSON.stringify({ topic: "x", message }), { level: 9 });

		raw.send(...Array(20).fill(frame));
		for (let i = 0; i < 20; i++)
			await assertMessage(raw, TEXT, message);
		assert.ok(await server.total("rate_pauses") > 0);
		await raw.close();
	});
});

/* Base64 of noise: a quarter smaller, and still more than sockets hold. */
const bulky = (i) => `${i} ${noise(45_000, i + 1).toString("base64")}`;

describe("a slow reader of compressed messages", { concurrency: 4 }, () => {
	const COUNT = 300;

	async function scene(t, query) {
		const server = await start(t);
		const slow = await open(server, t, `/ws?topic=x&${query}`);
		const publisher = await Client.open(server, { topics: ["x"] });

		slow.socket.pause();
		return { server, slow, publisher };
	}

	/* Publish up to that many, or until it is enough. */
	async function publish(publisher, isEnough = () => false) {
		let i = 0;

		for (; i < COUNT && !await isEnough(); i++) {
			publisher.say("x", bulky(i));
			await publisher.received(i + 1);
		}
		return i;
	}

	async function read(slow, n) {
		const numbers = [];

		slow.socket.resume();
		while (numbers.length < n) {
			const { rsv, payload, opcode } = await slow.message();

			assert.equal(opcode, TEXT);
			assert.notEqual(rsv, 0);
			const text = inflate(payload).toString();

			numbers.push(Number.parseInt(text, 10));
			assert.equal(text, bulky(numbers.at(-1)));
		}
		return numbers;
	}

	for (const [query, last] of [["buffer=5&overflow=drop", false],
		["buffer=5&overflow=latest", true], ["buffer=0", false]])
		test(`?${query}`, async (t) => {
			const { server, slow, publisher } = await scene(t, query);

			await publish(publisher);
			const drops = await server.total("drops");

			assert.ok(drops > 0);
			const numbers = await read(slow, COUNT - drops);

			assert.ok(numbers.every((n, i) => i === 0 ||
			    n > numbers[i - 1]));
			assert.equal(numbers.at(-1) === COUNT - 1, last);
			publisher.say("x", LONG);
			assert.equal(await assertMessage(slow, TEXT, LONG), true);
			await publisher.close();
		});

	test("?overflow=close", async (t) => {
		const { server, slow, publisher } = await scene(t,
		    "buffer=5&overflow=close");
		const sent = await publish(publisher, async () =>
			await server.total("slow_closes") > 0);

		assert.ok(sent < COUNT, "it is never too slow");
		slow.socket.resume();
		for (let n = 0;; n++) {
			const frame = await slow.frame();

			if (frame.opcode === Frame.CLOSE) {
				assert.equal(frame.code, 4200);
				break;
			}
			assert.equal(inflate(frame.payload).toString(), bulky(n));
		}
		await slow.end();
		await publisher.close();
	});
});

describe("through a change", { concurrency: 4 }, () => {
	/* A server whose file has these lines. */
	async function withFile(t, ...lines) {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-e2e-"));
		const path = join(dir, "conf");
		const write = (...next) =>
			writeFileSync(path, `${next.join("\n")}\n`);

		t.after(() => rmSync(dir, { recursive: true }));
		write(...lines);
		const server = await Server.start(t,
		    ["--workers", "1", "--config", path]);

		return { server, write };
	}

	test("an upgrade amid it: nothing is lost, all go on as they were",
	    async (t) => {
		    const server = await Server.start(t, ["--compress", "0"]);
		    const clients = await openOnEachWorker(server, () =>
			Client.open(server, { topics: ["x"], ...deflating }));
		    const stream = new Stream(clients[0], "x");

		    for (let i = 0; i < 5; i++) {
			    await stream.progress(50);
			    assert.deepEqual(await upgrade(server),
				{ moved: 2, closed: 0 });
		    }
		    await stream.progress(50);
		    await stream.stop();
		    for (const client of clients)
			    await stream.assertComplete(client);
		    const before = await server.total("deflated");
		    const inflated = await server.total("inflated");

		    clients[0].say("x", LONG);
		    await clients[0].received(stream.count + 1);
		    await clients[1].received(stream.count + 1);
		    assert.equal(clients[1].messages.at(-1), LONG);
		    assert.equal(await server.total("deflated"), before + 2);
		    assert.equal(await server.total("inflated"), inflated + 1);
		    for (const client of clients)
			    await client.close();
	    });

	test("an upgrade inside a compressed message waits for its end",
	    async (t) => {
		    const server = await start(t);
		    const raw = await open(server, t, "/ws?topic=x");
		    const frame = packed(TEXT,
			JSON.stringify({ topic: "x", message: LONG }));

		    await raw.sendWhole(frame.subarray(0, 40));
		    await waitFor("half a message", async () =>
			    await server.total("parsers") === 1);
		    const upgraded = upgrade(server);

		    await raw.sendWhole(frame.subarray(40));
		    assert.equal(await assertMessage(raw, TEXT, LONG), true);
		    assert.deepEqual(await upgraded, { moved: 1, closed: 0 });
		    say(raw, "x", LONG);
		    assert.equal(await assertMessage(raw, TEXT, LONG), true);
		    await raw.close();
	    });

	test("a queue of compressed messages moves", async (t) => {
		const server = await start(t);
		const slow = await open(server, t, "/ws?topic=x&buffer=5");
		const publisher = await Client.open(server, { topics: ["x"] });

		slow.socket.pause();
		let count = 0;

		for (; await server.total("drops") === 0; count++) {
			publisher.say("x", bulky(count));
			await publisher.received(count + 1);
		}
		assert.deepEqual(await upgrade(server), { moved: 2, closed: 0 });
		slow.socket.resume();
		for (let i = 0; i < count - 1; i++)
			assert.equal(
			    await assertMessage(slow, TEXT, bulky(i)), true);
		await publisher.close();
		await slow.close();
	});

	test("reload and a successor without it: who has it keeps what was agreed",
	    async (t) => {
		    const { server, write } = await withFile(t, "compress = 0");
		    const raw = await open(server, t, "/ws?topic=x");
		    const message = JSON.stringify({ topic: "x", message: LONG });

		    for (const change of [() => server.cli("reload"),
			() => upgrade(server)]) {
			    write("compress = off");
			    await change();
			    raw.send(packed(TEXT, message));
			    assert.equal(await assertMessage(raw, TEXT, LONG),
				false);
			    const fresh = await Raw.open(server.port, "/ws",
				{ t, ...offering() });

			    assert.equal(agreedOn(fresh), undefined);
			    await fresh.close();
		    }
		    write("compress = 10");
		    const { stdout } = await server.cli("reload");

		    assert.match(stdout, /changed: compress\n/u);
		    raw.send(packed(TEXT, message));
		    assert.equal(await assertMessage(raw, TEXT, LONG), true);
		    await raw.close();
	    });

	test("kill -9 of a worker: who resumes misses nothing", async (t) => {
		const server = await Server.start(t, ["--compress", "0"]);

		server.deathsExpected = true;
		const [keeper] = await openOnEachWorker(server, () =>
			V1.open(server, deflating));
		const victim = await openOnEachWorker(server, () =>
			V1.open(server, deflating));
		const { epoch, seq } = await victim[1].subscribe("x");
		const books = new Books("x", seq + 1);

		for (let i = 0; i < 20; i++)
			await keeper.publish("x", `${i} ${LONG}`);
		for (const frame of await victim[1].barrier())
			books.enter(frame);
		process.kill((await server.workers())[1], "SIGKILL");
		await victim[1].closed;
		for (let i = 20; i < 40; i++)
			await keeper.publish("x", `${i} ${LONG}`);
		const back = await V1.open(server, deflating);

		assert.equal(back.socket.extensions, PMD);
		await back.subscribe("x",
		    { since: { epoch, seq: books.next - 1 } });
		for (let i = 40; i < 60; i++)
			await keeper.publish("x", `${i} ${LONG}`);
		await waitFor("all of them", async () => {
			for (const frame of await back.barrier())
				books.enter(frame);
			return books.messages === 60;
		});
		assert.equal(books.missed, 0);
		for (const client of [keeper, victim[0], back])
			await client.close();
	});
});

test("off by default, and said wrongly it is no option", async (t) => {
	const server = await Server.start(t, ["--workers", "1"]);
	const client = await Client.open(server, deflating);

	assert.equal(client.socket.extensions, "");
	await client.close();
	for (const value of ["on", "-1", "17M", ""]) {
		const { status, stderr } = await server.cli("check",
		    "--compress", value);

		assert.equal(status, 2);
		assert.match(stderr, /--compress/u);
	}
});

/* Debian's python3 and its websockets, which offers compression by itself. */
const PYTHON = "/usr/bin/python3";
const hasWebsockets = spawnSync(PYTHON, ["-c", "import websockets"]).status === 0;

const ECHOED = `
import asyncio, json, sys, websockets

async def main():
    async with websockets.connect(sys.argv[1]) as ws:
        for text in ["", "x", "Grüße, κόσμε. " * 100, "long " * 10000]:
            await ws.send(json.dumps({"topic": "room", "message": text}))
            assert await ws.recv() == text
        agreed = getattr(ws, "extensions", None) or ws.protocol.extensions
        print(agreed[0].name)

asyncio.run(main())
`;

describe("clients of others", () => {
	test("python3-websockets", { skip: hasWebsockets ? false :
		"python3-websockets is not installed" }, async (t) => {
		const server = await start(t, "--compress", "0");
		const { status, stdout, stderr } = await run(PYTHON, ["-c", ECHOED,
			`ws://127.0.0.1:${server.port}/ws?topic=room`]);

		assert.deepEqual([status, stdout, stderr],
		    [0, "permessage-deflate\n", ""]);
		assert.deepEqual(await totals(server, "inflated", "deflate_agreed"),
		    { inflated: 4, deflate_agreed: 1 });
		assert.equal(await server.total("deflated"), 2);
	});
});
