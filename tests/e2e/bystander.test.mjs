// SPDX-License-Identifier: MIT
/*
 * bystander.test.mjs - each limit is hit, says so, and somebody else on the same
 * worker goes on receiving meanwhile.
 *
 * Limits on connections and descriptors are in limits.test.mjs, on what a slow
 * subscriber may have waiting in slow.test.mjs.
 */

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, test } from "node:test";

import { Client, Frame, Raw, Server, Stream, waitFor } from
	"./support.mjs";

const LENGTH = 40; /* messages that go round in a "meanwhile" */

/*
 * Run attack(server, meanwhile) against a server with these options.  A
 * bystander's messages go round all the time; meanwhile() returns when more of
 * them have.  At the end none may be missing, and nobody else's was dropped.
 */
function limit(name, args, attack) {
	test(name, async (t) => {
		const server = await Server.start(t, ["--workers", "1", ...args]);
		const [bystander, listener] = await Promise.all([1, 2].map(() =>
			Client.open(server, { topics: ["elsewhere"] })));
		const stream = new Stream(bystander, "elsewhere", 1);
		const total = (counter) => server.total(counter);

		try {
			await attack({ t, server, total,
				connect: () => Raw.connect(server.port, { t }),
				open: (path, options) => Raw.open(server.port,
				    path, { t, ...options }),
				meanwhile: () => stream.progress(LENGTH) });
			await stream.progress(LENGTH);
		} finally {
			await stream.stop();
		}
		await stream.assertComplete(bystander);
		await stream.assertComplete(listener);
		for (const counter of ["drops", "drops_memory", "missed"])
			assert.equal(await total(counter), 0, counter);
		await Promise.all([bystander.close(), listener.close()]);
	});
}

/* Send a byte to each in turn, while others talk, until all are answered. */
async function trickle(raws, answers, meanwhile) {
	let answered = false;
	const all = Promise.all(answers).finally(() => {
		answered = true;
	});

	while (!answered) {
		for (const raw of raws)
			if (!raw.ended)
				raw.send("x");
		await meanwhile();
	}
	return all;
}

const health = (n) =>
	"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(n);

describe("requests", { concurrency: 4 }, () => {
	limit("a head a byte at a time: 408", ["--request-timeout", "1"],
	    async ({ connect, meanwhile, total }) => {
		    const raws = await Promise.all(
			Array.from({ length: 30 }, connect));

		    for (const raw of raws)
			    raw.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
		    for (const { status } of await trickle(raws,
			raws.map((raw) => raw.response()), meanwhile))
			    assert.equal(status, 408);
		    await Promise.all(raws.map((raw) => raw.end()));
		    assert.equal(await total("timeouts"), raws.length);
	    });

	limit("a body a byte at a time: 408",
	    ["--request-timeout", "1", "--max-message", "1K"],
	    async ({ connect, meanwhile, total }) => {
		    const counted = await connect();

		    counted.request("POST", "/topics/a",
			{ "Content-Length": 1000 });
		    for (const { status } of await trickle([counted],
			[counted.response()], meanwhile))
			    assert.equal(status, 408);
		    await counted.end();
		    const chunked = await connect();

		    chunked.request("POST", "/topics/a",
			{ "Transfer-Encoding": "chunked" });
		    chunked.send("3ff\r\n");
		    for (const { status } of await trickle([chunked],
			[chunked.response()], meanwhile))
			    assert.equal(status, 408);
		    await chunked.end();
		    assert.equal(await total("timeouts"), 2);
	    });

	limit("nothing for --idle-timeout: closed", ["--idle-timeout", "1"],
	    async ({ connect, meanwhile, total }) => {
		    const raw = await connect();

		    raw.send(health(1));
		    assert.equal((await raw.response()).status, 200);
		    await meanwhile();
		    await raw.end();
		    assert.equal(await total("timeouts"), 1);
	    });

	limit("a head over --max-head: 431", ["--max-head", "1K"],
	    async ({ connect, meanwhile, total }) => {
		    const fits = await connect(), over = await connect();

		    fits.request("GET", "/healthz", { X: "x".repeat(900) });
		    assert.equal((await fits.response()).status, 200);
		    over.request("GET", "/healthz", { X: "x".repeat(1024) });
		    await meanwhile();
		    assert.equal((await over.response()).status, 431);
		    await over.end();
		    assert.equal(await total("refused_request"), 1);
	    });

	limit("a long one if --max-head lets it", ["--max-head", "32K"],
	    async ({ connect }) => {
		    const raw = await connect();

		    raw.request("GET", "/healthz", { X: "x".repeat(20_000) });
		    assert.equal((await raw.response()).status, 200);
	    });

	limit("a body over --max-message: 413", ["--max-message", "1K"],
	    async ({ connect, meanwhile, total }) => {
		    const told = await connect(), endless = await connect();

		    told.request("POST", "/topics/a",
			{ "Content-Length": 1 << 20 });
		    assert.equal((await told.response()).status, 413);
		    await told.end();
		    endless.request("POST", "/topics/a",
			{ "Transfer-Encoding": "chunked" });
		    for (let i = 0; i < 10; i++) {
			    endless.send(`ff\r\n${"x".repeat(255)}\r\n`);
			    await meanwhile();
		    }
		    assert.equal((await endless.response()).status, 413);
		    await endless.end();
		    assert.equal(await total("refused_request"), 2);
	    });

	limit("pipelined ones take turns", ["--max-pipelined", "8"],
	    async ({ connect, meanwhile, total }) => {
		    const raw = await connect();
		    const count = 800;

		    raw.send(health(count));
		    await meanwhile();
		    for (let i = 0; i < count; i++)
			    assert.equal((await raw.response()).status, 200);
		    assert.ok(await total("pipeline_waits") > count / 8 / 4);
	    });

	/* The bystander has that rate, too, and keeps to it. */
	limit("over --rate they are slower", ["--rate", "300"],
	    async ({ connect, meanwhile, total }) => {
		    const raw = await connect();
		    const count = 900;
		    const began = Date.now();

		    raw.send(health(count));
		    await waitFor("a pause", async () =>
			    await total("rate_pauses") > 0);
		    await meanwhile();
		    for (let i = 0; i < count; i++)
			    assert.equal((await raw.response()).status, 200);
		    assert.ok(Date.now() - began >= 1500);
		    /* The connection is idle then, not late. */
		    await meanwhile();
		    raw.send(health(1));
		    assert.equal((await raw.response()).status, 200);
	    });
});

describe("WebSocket", { concurrency: 4 }, () => {
	const fragment = (payload, opcode = Frame.CONTINUATION) =>
		Frame.encode(opcode, payload, { fin: false });

	limit("endless fragments: 1009", ["--max-message", "4K"],
	    async ({ open, meanwhile, total }) => {
		    const raw = await open("/ws");

		    raw.send(fragment("{", Frame.TEXT));
		    for (let i = 0; i < 60; i++) {
			    raw.send(fragment(" ".repeat(100)));
			    if (i % 10 === 0)
				    await meanwhile();
		    }
		    assert.equal((await raw.closing()).code, 1009);
		    assert.equal(await total("protocol_errors"), 1);
		    assert.equal(await total("input_bytes"), 0);
	    });

	limit("empty fragments cost their sender its rate", ["--rate", "300"],
	    async ({ open, meanwhile, total }) => {
		    const raw = await open("/ws?topic=a");
		    const empty = fragment("");
		    const count = 900;
		    const began = Date.now();

		    raw.send(fragment("", Frame.TEXT),
			Buffer.alloc(count * empty.length, empty),
			Frame.encode(Frame.CONTINUATION,
			    '{"topic":"a","message":"whole"}'));
		    await waitFor("a pause", async () =>
			    await total("rate_pauses") > 0);
		    await meanwhile();
		    assert.equal(await raw.text(), "whole");
		    assert.ok(Date.now() - began >= 1500);
	    });

	limit("pings over --control-rate are answered later",
	    ["--control-rate", "100", "--rate", "0"], /* of messages: the
		    bystander's may exceed it on a fast machine */
	    async ({ open, meanwhile, total }) => {
		    const raw = await open("/ws");
		    const count = 300;
		    const began = Date.now();

		    raw.send(...Array.from({ length: count },
			(_, i) => Frame.encode(Frame.PING, `${i}`)));
		    await waitFor("a pause", async () =>
			    await total("control_pauses") > 0);
		    await meanwhile();
		    for (let i = 0; i < count; i++) {
			    const pong = await raw.frame();

			    assert.equal(pong.opcode, Frame.PONG);
			    assert.equal(pong.text, `${i}`);
		    }
		    assert.ok(Date.now() - began >= 1500);
		    assert.equal(await total("rate_pauses"), 0);
		    await raw.close();
	    });

	limit("tiny control frames are read later", ["--control-rate", "100"],
	    async ({ open, meanwhile, total }) => {
		    const raw = await open("/ws?topic=a");
		    const pong = Frame.encode(Frame.PONG);
		    const began = Date.now();

		    raw.send(Buffer.alloc(300 * pong.length, pong),
			Frame.message("a", "behind them"));
		    await waitFor("a pause", async () =>
			    await total("control_pauses") > 0);
		    await meanwhile();
		    assert.equal(await raw.text(), "behind them");
		    assert.ok(Date.now() - began >= 1500);
		    await raw.close();
	    });

	limit("one topic over --max-topics-per-conn: 1008",
	    ["--max-topics-per-conn", "3"],
	    async ({ open, meanwhile, total }) => {
		    const raw = await open("/ws?topic=a&topic=b&topic=c");

		    raw.send(Frame.message("d", "one too many"));
		    await meanwhile();
		    const { code, reason } = await raw.closing();

		    assert.equal(code, 1008);
		    assert.match(reason, /too_many_topics: 3/u);
		    assert.equal(await total("protocol_errors"), 1);
	    });

	/* The search for a place is bounded by itself, not only by the rate. */
	limit("new topics while the directory is full: directory_full",
	    ["--rate", "0", "--max-topics", "4"],
	    async ({ open, meanwhile, total }) => {
		    const holder = await open("/ws?topic=a&topic=b&topic=c");
		    const raw = await open("/ws", { headers:
			{ "Sec-WebSocket-Protocol": "pubsubd.v1" } });
		    const count = 5000;

		    assert.match(await raw.text(), /"welcome"/u);
		    raw.send(...Array.from({ length: count }, (_, id) =>
			    Frame.encode(Frame.TEXT, JSON.stringify({ id,
				    type: "publish", topic: `new ${id}`,
				    message: "" }))));
		    await meanwhile();
		    for (let id = 0; id < count; id++) {
			    const answer = JSON.parse(await raw.text());

			    assert.equal(answer.id, id);
			    assert.equal(answer.code, "directory_full");
		    }
		    assert.equal(await total("directory_full"), count);
		    await holder.close();
	    });
});

const outside = Object.values(networkInterfaces()).flat()
    .find(({ internal, family }) => !internal && family === "IPv4");
const skip = outside ? false : "this machine has no address but loopback";

describe("topics of one address", () => {
	/* It took all that there are, and nobody else had a topic any more. */
	test("some are left to others", { skip }, async (t) => {
		const server = await Server.start(t, ["--workers", "2",
			"--max-topics", "256", "--allow-host", outside.address],
		{ listen: ["0.0.0.0:0"] });
		const connect = () => Raw.open(server.port, "/ws",
		    { t, host: outside.address, headers: {
			    "Host": outside.address,
			    "Sec-WebSocket-Protocol": "pubsubd.v1" } });
		let refused = 0;

		for (let i = 0; i < 5; i++) {
			const raw = await connect();

			assert.match(await raw.text(), /"welcome"/u);
			raw.send(...Array.from({ length: 100 }, (_, id) =>
				Frame.encode(Frame.TEXT, JSON.stringify({ id,
					type: "subscribe",
					topic: `hog ${i} ${id}` }))));
			for (let id = 0; id < 100; id++) {
				const answer = JSON.parse(await raw.text());

				assert.equal(answer.id, id);
				if (answer.type === "ack")
					continue;
				assert.equal(answer.code, "too_many_topics");
				refused++;
			}
		}
		/* 181 on one worker, then 40 on the other, at most. */
		assert.ok(refused >= 500 - 181 - 40, `${refused}`);
		assert.equal(await server.total("refused_topics"), refused);
		assert.equal(await server.total("directory_full"), 0);
		const other = await Client.open(server, { topics: ["mine"] });
		const third = await Client.open(server);

		third.say("mine", "a topic for everybody else");
		assert.equal(await other.next(), "a topic for everybody else");
		await other.close();
		await third.close();
	});
});

describe("memory", { concurrency: 4 }, () => {
	/* A quarter of it is for input. */
	const MEMORY = ["--max-worker-memory", "1M"];
	const QUARTER = 1 << 18;
	const HOGS = 20;
	const PIECE = Buffer.alloc(40_000, "x");

	limit("messages that do not end: 1013 for those with most", MEMORY,
	    async ({ open, meanwhile, total }) => {
		    const raws = [];

		    for (let i = 0; i < HOGS; i++) {
			    raws.push(await open("/ws"));
			    raws[i].send(Frame.encode(Frame.TEXT, PIECE,
				{ fin: false }));
		    }
		    await waitFor("all to be looked at", async () =>
			    await total("refused_memory") >=
				HOGS - QUARTER / PIECE.length);
		    await meanwhile();
		    const held = await total("input_bytes");

		    assert.ok(held <= QUARTER, `${held} bytes`);
		    assert.ok(held >= PIECE.length);
		    assert.equal((await raws.at(-1).closing()).code, 1013);
		    for (const raw of raws)
			    raw.destroy();
		    await waitFor("nothing to be held", async () =>
			    await total("input_bytes") === 0);
	    });

	/* Nor do they end by the clock, however long this process takes. */
	limit("bodies that do not end: 503", [...MEMORY,
		"--request-timeout", "120"],
	    async ({ connect, meanwhile, total }) => {
		    const raws = [];

		    for (let i = 0; i < HOGS; i++) {
			    raws.push(await connect());
			    raws[i].request("POST", "/topics/a",
				{ "Content-Length": PIECE.length + 1 });
			    raws[i].send(PIECE);
			    /* The first is the one that was in time. */
			    await waitFor("the first to be held", async () =>
				    await total("input_bytes") >= PIECE.length);
		    }
		    await waitFor("all to be looked at", async () =>
			    await total("refused_memory") >=
				HOGS - QUARTER / PIECE.length);
		    await meanwhile();
		    assert.ok(await total("input_bytes") <= QUARTER);
		    const response = await raws.at(-1).response();

		    assert.equal(response.status, 503);
		    assert.ok(Number(response.headers.get("retry-after")) > 0);
		    /* Who was in time is served. */
		    raws[0].send("x");
		    assert.equal((await raws[0].response()).status, 200);
	    });
});

describe("new connections per second", { concurrency: 4 }, () => {
	limit("loopback has no rate", ["--conn-rate", "1"],
	    async ({ connect, meanwhile, total }) => {
		    for (let i = 0; i < 50; i++) {
			    const raw = await connect();

			    raw.send(health(1));
			    assert.equal((await raw.response()).status, 200);
		    }
		    await meanwhile();
		    assert.equal(await total("refused_conn_rate"), 0);
	    });

	const begin = (t, rate) => Server.start(t,
	    ["--workers", "1", "--conn-rate", `${rate}`],
	    { listen: [`${outside.address}:0`] });
	const connect = (t, server) => Raw.connect(server.port,
	    { t, host: outside.address });

	test("other addresses have: who comes too early waits, nobody is lost",
	    { skip }, async (t) => {
		    const server = await begin(t, 8);
		    const raws = await Promise.all(Array.from({ length: 24 },
			() => connect(t, server)));

		    for (const raw of raws)
			    raw.send(health(1));
		    for (const raw of raws)
			    assert.equal((await raw.response()).status, 200);
		    assert.equal(await server.total("refused_conn_rate"), 0);
		    assert.ok(await server.total("conn_rate_waits") > 0);
	    });

	test("beyond what can be waited for it is 503, until a moment later",
	    { skip }, async (t) => {
		    const server = await begin(t, 2);
		    const first = await connect(t, server);
		    const raws = await Promise.all(Array.from({ length: 24 },
			() => connect(t, server)));
		    let refused = 0;

		    for (const raw of raws)
			    raw.send(health(1));
		    for (const raw of raws) {
			    const response = await raw.response();

			    if (response.status === 200)
				    continue;
			    refused++;
			    assert.equal(response.status, 503);
			    assert.match(response.json.error.reason,
				/new connections/u);
			    assert.ok(Number(response.headers.get(
				"retry-after")) > 0);
		    }
		    assert.ok(refused > 0 && refused < 24, `${refused}`);
		    assert.equal(await server.total("refused_conn_rate"),
			refused);
		    /* Who is in stays in, and the rate comes back. */
		    first.send(health(1));
		    assert.equal((await first.response()).status, 200);
		    const later = await connect(t, server);

		    later.send(health(1));
		    assert.equal((await later.response()).status, 200);
	    });

	test("after a restart those who were there are not new",
	    { skip }, async (t) => {
		    const server = await begin(t, 8);
		    const all = () => Promise.all(Array.from({ length: 30 },
			() => Raw.open(server.port, "/ws",
			    { t, host: outside.address })));
		    const before = await all();

		    assert.ok(await server.total("conn_rate_waits") > 0);
		    const restarted = server.cli("restart");

		    for (const raw of before) {
			    assert.equal((await raw.frame()).code, 1001);
			    raw.destroy();
		    }
		    assert.equal((await restarted).status, 0);
		    await all();
		    assert.equal(await server.total("conn_rate_waits"), 0);
		    assert.equal(await server.total("refused_conn_rate"), 0);
	    });
});
