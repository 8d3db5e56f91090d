// SPDX-License-Identifier: MIT
/*
 * events.test.mjs - topics as server-sent events: what a stream looks like, how
 * it resumes, what the slow are told, how it ends.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Events, post } from "./events.mjs";
import { Client, Raw, Server, bounded, waitFor } from "./support.mjs";

/* Streams until every worker has one of the topic; by slot. */
async function onEachWorker(server, topic, options) {
	const { workers } = await server.status();
	const streams = Array(workers.length).fill(null);

	for (let i = 0; streams.includes(null); i++) {
		assert.ok(i < 200, "a worker gets no connections");
		const counts = async () => (await server.status()).workers
		    .map((worker) => worker.event_streams);
		const before = await counts();
		const events = await Events.open(server, topic, options);
		const slot = (await counts()).findIndex(
		    (n, worker) => n > before[worker]);

		if (streams[slot] === null)
			streams[slot] = events;
	}
	return streams;
}

describe("events", () => {
	const server = new Server(["--workers", "2"]);

	before(() => server.run());
	after(() => server.end());

	test("the head", async (t) => {
		const events = await Events.open(server, "head", { t });
		const { headers } = events;

		assert.equal(headers["cache-control"], "no-store");
		assert.equal(headers["x-accel-buffering"], "no");
		assert.equal(headers.connection, "close");
		assert.equal(headers["content-length"], undefined);
		assert.ok(events.retry >= 1000 && events.retry <= 5000);
	});

	test("not all shall come back at once", async (t) => {
		const retries = new Set();

		for (let i = 0; i < 8; i++)
			retries.add((await Events.open(server, "retry",
			    { t })).retry);
		assert.ok(retries.size > 2, [...retries].join());
	});

	/* Varnish holds back the last bytes of a body without a length, and so did
	 * others. */
	test("in chunks, an event to each, for HTTP/1.1 alone", async (t) => {
		for (const [version, coding] of [["1.1", "chunked"],
			["1.0", undefined]]) {
			const raw = await Raw.connect(server.port, { t });

			raw.send(`GET /topics/chunks/events HTTP/${version}\r\n` +
			    "Host: localhost\r\n\r\n");
			const { headers } = await raw.head();

			assert.equal(headers.get("transfer-encoding"), coding);
			assert.equal(headers.get("content-length"), undefined);
			assert.equal(headers.get("connection"), "close");
		}
	});

	test("HEAD: the same, and no stream", async (t) => {
		const raw = await Raw.connect(server.port, { t });

		raw.request("HEAD", "/topics/head/events");
		const response = await raw.head();

		assert.equal(response.status, 200);
		assert.equal(response.headers.get("content-type"),
		    "text/event-stream");
		await raw.end();
	});

	test("messages of all kinds, line by line, on every worker",
	    async (t) => {
		    const streams = await onEachWorker(server, "kinds", { t });
		    const json = { "Content-Type": "application/json" };
		    const { epoch } = await server.status();
		    let seq = 0;

		    for (const [body, headers, data] of [
			    ["hello", {}, "hello"],
			    ["", {}, ""],
			    ["two\nlines", {}, "two\nlines"],
			    ["a\r\nb\rc\n", {}, "a\nb\nc\n"],
			    ["{\"a\":\n1}", json, "{\"a\":\n1}"],
			    ["\"caf\\u00e9\"", json, "caf\u00e9"],
			    ["null", json, "null"],
			    ["id: 7\ndata: x\n\n:", {}, "id: 7\ndata: x\n\n:"],
		    ]) {
			    await post(server, "kinds", body, headers);
			    seq++;
			    for (const events of streams) {
				    assert.equal(await events.next(), data);
				    assert.equal(events.lastId,
					`${epoch}:${seq}`);
			    }
		    }
	    });

	test("among subscribers of other kinds, in one order", async (t) => {
		const events = await Events.open(server, "mixed", { t });
		const plain = await Client.open(server, { topics: ["mixed"] });
		const v1 = await Raw.open(server.port, "/ws?topic=mixed",
		    { t, headers: { "Sec-WebSocket-Protocol": "pubsubd.v1" } });
		const count = 300;

		assert.equal(JSON.parse(await v1.text()).type, "welcome");
		await plain.barrier();
		await Promise.all([0, 1].map(async (who) => {
			for (let i = 0; i < count / 2; i++)
				if (who === 0)
					plain.say("mixed", `plain ${i}`);
				else
					await post(server, "mixed", `post ${i}`);
		}));
		const order = await plain.received(count);

		for (let i = 0; i < count; i++) {
			const message = JSON.parse(await v1.text());

			assert.equal(await events.next(), order[i]);
			assert.equal(message.message, order[i]);
			assert.equal(message.seq, events.seq);
		}
		await plain.close();
	});

	test("a stream counts as a subscription, until it is left", async () => {
		const events = await Events.open(server, "counted");

		assert.equal((await post(server, "counted", "x")).subscribers, 1);
		events.close();
		await waitFor("its end", async () =>
			(await post(server, "counted", "x")).subscribers === 0);
	});

	test("what its client sends is thrown away", async (t) => {
		const raw = await Raw.connect(server.port, { t });
		const junk = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

		raw.send("GET /topics/junk/events HTTP/1.1\r\nHost: localhost" +
		    `\r\n\r\n${junk}`);
		assert.equal((await raw.head()).status, 200);
		const { epoch } = await server.status();
		const ready = `id: ${epoch}:0\nevent: ready\ndata: ` +
			JSON.stringify({ type: "ready", topic: "junk", epoch,
				seq: 0 }) + "\n\n";

		assert.equal((await raw.chunk()).toString()
		    .replace(/^retry: \d{4}\n/u, ""), ready);
		raw.send(junk, Buffer.alloc(200_000, "x"));
		await post(server, "junk", "hello");
		assert.equal((await raw.chunk()).toString(),
		    `data: hello\nid: ${epoch}:1\n\n`);
	});

	for (const [query, code] of [["buffer=x", "bad_request"],
		["overflow=all", "bad_request"], ["topic=%zz", "bad_topic"]])
		test(`?${query}: 400, and the next request is served`,
		    async (t) => {
			    const raw = await Raw.connect(server.port, { t });

			    raw.request("GET", `/topics/a/events?${query}`);
			    const response = await raw.response();

			    assert.equal(response.status, 400);
			    assert.equal(response.json.error.code, code);
			    raw.request("GET", "/healthz");
			    assert.equal((await raw.response()).status, 200);
		    });

	describe("resuming", () => {
		/* Publish ten messages to a topic of this name. */
		async function ten(topic) {
			for (let i = 1; i <= 10; i++)
				await post(server, topic, `${topic} ${i}`);
			return (await server.status()).epoch;
		}

		/* That what follows a number comes, and then what is new. */
		async function goesOn(events, topic, from) {
			for (let i = from + 1; i <= 10; i++) {
				assert.equal(await events.next(), `${topic} ${i}`);
				assert.equal(events.seq, i);
			}
			const { seq } = await post(server, topic, "new");

			for (let i = 11; i < seq; i++)
				assert.equal(await events.next(), "new");
			assert.equal(await events.next(), "new");
			assert.equal(events.seq, seq);
		}

		test("by Last-Event-ID, on every worker", async (t) => {
			const epoch = await ten("header");
			const streams = await onEachWorker(server, "header", { t,
				headers: { "Last-Event-ID": `${epoch}:4` } });

			for (const events of streams)
				for (let i = 5; i <= 10; i++)
					assert.equal(await events.next(),
					    `header ${i}`);
			await post(server, "header", "new");
			for (const events of streams)
				assert.equal(await events.next(), "new");
		});

		test("by ?since=, from any place", async (t) => {
			const epoch = await ten("query");

			for (const from of [0, 1, 9, 10]) {
				const events = await Events.open(server, "query",
				    { t, query: { since: `${epoch}:${from}` } });

				assert.equal(events.lastId, `${epoch}:${from}`);
				await goesOn(events, "query", from);
			}
		});

		test("the header is later than the query", async (t) => {
			const epoch = await ten("both");
			const events = await Events.open(server, "both", { t,
				query: { since: `${epoch}:1` },
				headers: { "Last-Event-ID": `${epoch}:8` } });

			await goesOn(events, "both", 8);
		});

		/* Libraries that cannot set a header ask so, behind the query
		 * that they began with: it was not known, and what had come
		 * meanwhile was lost without a word. */
		test("by ?lastEventId=, which is later than ?since=",
		    async (t) => {
			    const epoch = await ten("alias");
			    const events = await Events.open(server, "alias",
				{ t, query: { lastEventId: `${epoch}:8`,
					since: `${epoch}:1` } });

			    await goesOn(events, "alias", 8);
		    });

		for (const query of ["since", "lastEventId"])
			test(`an empty ?${query}= is none`, async (t) => {
				await ten(query);
				const events = await Events.open(server, query,
				    { t, query: { [query]: "" } });

				assert.equal(events.seq, 10);
				await goesOn(events, query, 10);
			});

		test("by the first id, when no message had come", async (t) => {
			await ten("first");
			const events = await Events.open(server, "first", { t });
			const id = events.lastId;

			events.close();
			await post(server, "first", "meanwhile");
			const again = await Events.open(server, "first",
			    { t, headers: { "Last-Event-ID": id } });

			assert.equal(await again.next(), "meanwhile");
		});

		for (const [id, reason] of [["zzzz:5", "epoch"],
			["%e:11", "unknown"],
			["%e:99999999999999999999999", "unknown"],
			["%e:", "unknown"], ["%e", "unknown"], [":", "unknown"],
			["%e:-1", "unknown"], ["%e:1x", "unknown"],
			["nonsense", "unknown"], ["x".repeat(300), "unknown"]])
			for (const by of ["header", "query"])
				test(`${id.slice(0, 30)} by ${by}: a gap ` +
				    `(${reason}), then the present`,
				async (t) => {
					const topic = `gap ${id.slice(0, 99)} ${by}`;
					const epoch = await ten(topic);
					const value = id.replace("%e", epoch);
					const events = await Events.open(server,
					    topic, by === "header" ? { t, headers:
						{ "Last-Event-ID": value } } :
						{ t, query: { since: value } });

					assert.equal(events.seq, 10);
					assert.deepEqual(await events.gap(), {
						type: "gap", topic, reason });
					assert.equal(events.lastId, `${epoch}:10`);
					await goesOn(events, topic, 10);
				});

		test("while others publish at full speed: each once", async (t) => {
			const epoch = (await server.status()).epoch;
			const plain = await Client.open(server);
			const count = 5000;
			let at = `${epoch}:0`, seen = 0;

			for (let i = 1; i <= count; i++)
				plain.say("storm", `${i}`);
			while (seen < count) {
				const events = await Events.open(server, "storm",
				    { t, query: { buffer: 10_000 },
					headers: { "Last-Event-ID": at } });

				for (let i = 0; i < 400 && seen < count; i++)
					assert.equal(await events.next(),
					    `${++seen}`);
				at = events.lastId;
				events.close();
			}
			await plain.close();
		});
	});
});

test("what the ring has no more is a gap", async (t) => {
	const server = await Server.start(t, ["--ring-size", "2M",
		"--max-message", "8192"]);
	const { epoch } = await post(server, "old", "first");
	const text = "x".repeat(8000);

	for (let i = 0; i < 400; i++)
		await post(server, "old", text);
	const events = await Events.open(server, "old",
	    { t, query: { since: `${epoch}:0` } });
	const gap = await events.gap();

	assert.deepEqual(gap, { type: "gap", topic: "old", from: 1, to: gap.to,
		reason: "expired" });
	/* Who comes back with the id of the gap goes on behind it: it had none,
	 * and a client that sends the last event's own began anew. */
	const behind = await Events.open(server, "old",
	    { t, query: { since: events.lastId } });

	assert.equal(await behind.next(), text);
	assert.equal(behind.seq, gap.to + 1);
	for (let i = gap.to + 1; i <= 401; i++) {
		assert.equal(await events.next(), text);
		assert.equal(events.seq, i);
	}
});

test("the slow are told what they missed, in its place", async (t) => {
	const server = await Server.start(t);
	const raw = await Raw.connect(server.port, { t });
	const text = "x".repeat(60_000);

	raw.request("GET", "/topics/slow/events?buffer=2");
	assert.equal((await raw.head()).status, 200);
	raw.socket.pause();
	for (let i = 0; await server.total("drops") < 5; i++) {
		assert.ok(i < 2000, "nothing is ever dropped");
		await post(server, "slow", text);
	}
	raw.socket.resume();
	/* Until it has taken everything there may be no room for more. */
	await waitFor("an empty buffer", async () =>
		await server.total("buffered_bytes") === 0);
	const { seq } = await post(server, "slow", "end");

	let next = 1;

	/* Each event is a chunk of its own, a gap that has grown too. */
	while (next <= seq) {
		const block = (await raw.chunk()).toString();
		const gap = /^event: gap\ndata: (.*)\nid: \w+:(\d+)\n:+\n\n$/u
			.exec(block);

		if (block.startsWith("retry: "))
			continue;
		if (gap !== null) {
			const { from, to, reason } = JSON.parse(gap[1]);

			assert.equal(from, next);
			assert.equal(reason, "slow");
			assert.equal(Number(gap[2]), to);
			next = to + 1;
		} else {
			assert.equal(Number(/\nid: \w+:(\d+)\n\n$/u.exec(block)[1]),
			    next++);
		}
	}
	assert.equal(next, seq + 1);
});

test("overflow=close ends the stream of the slow", async (t) => {
	const server = await Server.start(t);
	const raw = await Raw.connect(server.port, { t });

	raw.request("GET", "/topics/slow/events?buffer=1&overflow=close");
	assert.equal((await raw.head()).status, 200);
	raw.socket.pause();
	for (let i = 0; await server.total("slow_closes") === 0; i++) {
		assert.ok(i < 2000, "it is never closed");
		await post(server, "slow", "x".repeat(60_000));
	}
	raw.socket.resume();
	while (await raw.chunk() !== null)
		; /* to the last one, which says that nothing was cut off */
	await raw.end();
	assert.equal(await server.total("subscriptions"), 0);
});

test("a heartbeat says that the server is there", async (t) => {
	const server = await Server.start(t, ["--ping-interval", "1"]);
	const events = await Events.open(server, "beat", { t });

	await events.comment();
	await events.comment();
	await post(server, "beat", "hello");
	assert.equal(await events.next(), "hello");
});

test("who takes nothing for --stall-timeout is given up", async (t) => {
	const server = await Server.start(t, ["--ping-interval", "1",
		"--stall-timeout", "2"]);
	const raw = await Raw.connect(server.port, { t });

	raw.request("GET", "/topics/dead/events");
	assert.equal((await raw.head()).status, 200);
	raw.socket.pause();
	for (let i = 0; await server.total("buffered_bytes") === 0; i++) {
		assert.ok(i < 2000, "the socket takes everything");
		await post(server, "dead", "x".repeat(60_000));
	}
	await waitFor("its end", async () =>
		await server.total("event_streams") === 0);
	assert.equal(await server.total("timeouts"), 1);
});

test("a worker dies: its streams resume elsewhere without a hole",
    async (t) => {
	    const server = await Server.start(t);

	    server.deathsExpected = true;
	    const [first, second] = await onEachWorker(server, "death", { t });

	    await post(server, "death", "before");
	    assert.equal(await first.next(), "before");
	    const ended = first.block().catch(() => null);

	    process.kill((await server.workers())[0], "SIGKILL");
	    assert.equal(await bounded("its end", ended), null);
	    await waitFor("its successor", async () =>
		(await server.status()).workers.every(
		    ({ state }) => state === "ready"));
	    await post(server, "death", "meanwhile");
	    const again = await Events.open(server, "death",
		{ t, headers: { "Last-Event-ID": first.lastId } });

	    assert.equal(await again.next(), "meanwhile");
	    assert.equal(await second.next(), "before");
	    assert.equal(await second.next(), "meanwhile");
    });

/* It was answered 429 or 503, and no EventSource that is ever comes back. */
test("a full server puts streams off, and serves them later", async (t) => {
	const server = await Server.start(t, ["--workers", "1",
		"--max-conns", "1"]);

	/* It was asked whether it is ready. */
	await waitFor("room", async () =>
		await server.total("connections") === 0);
	const holder = await Raw.open(server.port, "/ws", { t });
	const ask = () => fetch(`${server.url}/topics/later/events`,
	    { headers: { Connection: "close" } });
	const response = await ask();

	assert.equal(response.status, 200);
	assert.equal(response.headers.get("content-type"), "text/event-stream");
	assert.match(await response.text(), /^retry: \d{4}\n$/u);
	assert.equal((await fetch(`${server.url}/`)).status, 503);
	holder.destroy();
	await waitFor("room", async () =>
		await server.total("connections") === 0);
	const events = await Events.open(server, "later", { t });

	assert.equal(events.seq, 0);
});

test("the server stops: everything accepted, then the end", async (t) => {
	const server = await Server.start(t);
	const streams = await onEachWorker(server, "stop", { t });

	for (let i = 0; i < 100; i++)
		await post(server, "stop", `${i}`);
	const stopped = server.stop();

	for (const events of streams) {
		for (let i = 0; i < 100; i++)
			assert.equal(await events.next(), `${i}`);
		assert.equal(await events.block(), null);
	}
	assert.deepEqual(await stopped, { code: 0, signal: null });
});
