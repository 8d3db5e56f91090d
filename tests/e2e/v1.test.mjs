// SPDX-License-Identifier: MIT
/* v1.test.mjs - subprotocol pubsubd.v1: each request and its answer. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
	Client, Frame, Raw, Server, openOnEachWorker, waitFor,
} from "./support.mjs";
import { V1 } from "./v1-client.mjs";

/* An object that has so many levels of arrays in it. */
function nested(levels) {
	return "[".repeat(levels) + "]".repeat(levels);
}

async function one(t, ...args) {
	const server = await Server.start(t, ["--workers", "1", ...args]);
	const client = await V1.open(server);

	t.after(() => client.close());
	return { server, client };
}

describe("welcome", { concurrency: true }, () => {
	test("says who speaks and within which limits", async (t) => {
		const { server, client } = await one(t, "--max-message", "5000",
		    "--max-topics-per-conn", "7", "--rate", "300",
		    "--ping-interval", "20");
		const { epoch, version } = await server.status();

		assert.match(epoch, /^[0-9a-z]+$/u);
		assert.deepEqual(client.welcome, { type: "welcome", version: 1,
			server: `pubsubd/${version}`, epoch,
			limits: { message: 5000, topics: 7, patterns: 32,
				rate: 300 },
			ping: 20, retry: { min_ms: 500, max_ms: 15000 } });
		assert.equal(client.socket.protocol, "pubsubd.v1");
	});

	test("is for those who ask for it", async (t) => {
		const { server } = await one(t);
		const raw = await Raw.open(server.port, "/ws?topic=room",
		    { t, headers: { "Sec-WebSocket-Protocol": "a, pubsubd.v1" } });

		assert.equal(raw.handshake.headers.get("sec-websocket-protocol"),
		    "pubsubd.v1");
		assert.match(await raw.text(), /"type":"welcome"/u);
		const plain = await Raw.open(server.port, "/ws?topic=room",
		    { t, headers: { "Sec-WebSocket-Protocol": "other" } });

		assert.equal(plain.handshake.headers
		    .has("sec-websocket-protocol"), false);
		plain.send(Frame.message("room", "x"));
		assert.equal(await plain.text(), "x");
		assert.match(await raw.text(), /"seq":1,.*"message":"x"/u);
	});
});

describe("publish and subscribe", { concurrency: true }, () => {
	test("acks with an id, none without", async (t) => {
		const { client } = await one(t);
		const { epoch } = client.welcome;

		assert.deepEqual(await client.subscribe("room"),
		    { type: "ack", topic: "room", epoch, seq: 0 });
		assert.deepEqual(await client.subscribe("other"),
		    { type: "ack", topic: "other", epoch, seq: 0 });
		client.send({ type: "unsubscribe", topic: "other" });
		client.send({ type: "subscribe", topic: "third" });
		client.send({ type: "publish", topic: "nobody's", message: 1 });
		await client.quiet();
		assert.deepEqual(await client.publish("nobody's", 2),
		    { type: "ack", topic: "nobody's", epoch, seq: 2 });
		assert.deepEqual(
		    await client.ask({ type: "unsubscribe", topic: "third" }),
		    { type: "ack", topic: "third", epoch, seq: 0 });
	});

	test("ids are echoed as they are", async (t) => {
		const { client } = await one(t);

		for (const id of ["1", "-0.5e3", "9007199254740993",
			'"\\u00e9\\n"', '"x"', `"${"x".repeat(64)}"`,
			"1".repeat(64)]) {
			client.send(`{"type":"ping","id":${id}}`);
			assert.deepEqual(await client.next(),
			    JSON.parse(`{"type":"pong","id":${id}}`));
		}
		client.send('{"type":"ping"}');
		assert.deepEqual(await client.next(), { type: "pong" });
		client.send('{"type":"ping","id":null}');
		assert.deepEqual(await client.next(), { type: "pong" });
		for (const id of ["true", "[]", "{}", `"${"x".repeat(65)}"`,
			"1".repeat(65)])
			assert.equal((await client.refuse(
			    `{"type":"ping","id":${id}}`, "bad_request")).id,
			undefined);
	});

	test("a message has topic, number, time and any JSON value", async (t) => {
		const { client } = await one(t);
		const values = ["text", 1.5, null, true, [1, [2]], { a: { b: 1 } },
			"", "é\n\u0000😀"];
		const before = Date.now();

		await client.subscribe("room");
		for (const message of values)
			client.send({ type: "publish", topic: "room", message });
		for (const [i, message] of values.entries()) {
			const { time, ...rest } = await client.next();

			assert.deepEqual(rest, { type: "message", topic: "room",
				seq: i + 1, message });
			assert.ok(time >= before - 1 && time <= Date.now() + 1);
		}
	});

	test("requests are answered in order", async (t) => {
		const { client } = await one(t);
		const requests = [];

		for (let i = 0; i < 300; i++)
			requests.push(
			    { type: "ping", id: 4 * i },
			    { type: "presence", id: 4 * i + 1, topic: "room" },
			    { type: "nonsense", id: 4 * i + 2 },
			    { type: i % 2 ? "unsubscribe" : "subscribe",
				    id: 4 * i + 3, topic: "room" });
		for (const request of requests)
			client.send(request);
		for (const [i, { id, type }] of requests.entries()) {
			const answer = await client.next();

			assert.equal(answer.id, id);
			assert.equal(answer.type, { ping: "pong",
				presence: "presence", nonsense: "error" }[type] ??
				"ack");
			if (type === "presence")
				assert.equal(answer.count, (i >> 2) % 2);
		}
	});

	test("the ack of a publish comes before any later message", async (t) => {
		const { server, client } = await one(t);
		const other = await V1.open(server, { topics: ["room"] });

		await client.subscribe("room");
		for (let i = 0; i < 200; i++) {
			other.send({ type: "publish", topic: "room", message: 0 });
			client.send({ type: "publish", id: i, topic: "room",
				message: i });
		}
		let acked = 0, seq = 0;

		while (acked < 200 || seq < 400) {
			const frame = await client.next();

			if (frame.type === "message") {
				assert.equal(frame.seq, ++seq);
				continue;
			}
			assert.equal(frame.id, acked++);
			assert.ok(seq <= frame.seq, `${seq} before its ack`);
		}
		await other.close();
	});

	test("publish does not subscribe, the plain message does", async (t) => {
		const { client } = await one(t);
		const { epoch } = client.welcome;

		await client.publish("room", 1);
		await client.quiet();
		client.send('{"Topic":"room","message":"x","message":null,"id":9}');
		assert.deepEqual(await client.next(),
		    { type: "ack", id: 9, topic: "room", epoch, seq: 2 });
		assert.equal((await client.next()).seq, 2);
		client.send("{}");
		assert.deepEqual({ ...await client.next(), time: 0 },
		    { type: "message", topic: "", seq: 1, time: 0, message: "" });
		await client.refuse('{"topic":"room","message":1}', "bad_request");
		await client.refuse('{"topic":1,"message":"x"}', "bad_topic");
	});

	test("unsubscribe's ack is the last word of a topic", async (t) => {
		const { server, client } = await one(t);
		const other = await V1.open(server);

		for (let i = 0; i < 20; i++) {
			await client.subscribe("room");
			for (let n = 0; n < 50; n++)
				other.send({ type: "publish", topic: "room",
					message: n });
			client.send({ type: "unsubscribe", id: "bye",
				topic: "room" });
			while ((await client.next()).id !== "bye")
				;
			await other.barrier();
			await client.quiet();
		}
		await client.refuse({ type: "unsubscribe", topic: "room" },
		    "not_subscribed");
		await client.refuse({ type: "unsubscribe", topic: "never" },
		    "not_subscribed");
		await other.close();
	});

	test("unsubscribe's ack counts what was sent before it", async (t) => {
		const { client } = await one(t);

		await client.subscribe("room");
		client.send({ type: "publish", id: 1, topic: "room", message: 1 });
		client.send({ type: "unsubscribe", id: 2, topic: "room" });
		assert.equal((await client.next()).seq, 1);
		let last = await client.next(), seen = 0;

		/* Whether its copy comes before depends on how the two were read. */
		if (last.type === "message") {
			seen = last.seq;
			last = await client.next();
		}
		assert.deepEqual([last.id, last.seq], [2, seen]);
		await client.subscribe("room", { since:
			{ epoch: last.epoch, seq: last.seq } });
		if (seen === 0)
			assert.equal((await client.next()).seq, 1);
		await client.quiet();
	});

	test("echo:false leaves one's own out, and only them", async (t) => {
		const { server, client } = await one(t);
		const other = await V1.open(server);

		await client.subscribe("room", { echo: false });
		await client.publish("room", "own");
		await other.publish("room", "other");
		assert.equal((await client.next()).seq, 2);
		await client.publish("room", "own");
		await client.quiet();
		await client.subscribe("room"); /* changes its options */
		assert.equal((await client.publish("room", "own")).seq, 4);
		assert.equal((await client.next()).seq, 4);
		await client.subscribe("room", { echo: false });
		await client.publish("room", "own");
		await client.quiet();
		await other.close();
	});

	test("subscribing again acks the present, brings no past", async (t) => {
		const { client } = await one(t);
		const { epoch } = client.welcome;

		await client.publish("room", 1);
		await client.subscribe("room");
		assert.deepEqual(await client.subscribe("room", { echo: false }),
		    { type: "ack", topic: "room", epoch, seq: 1 });
		for (const past of [{ history: 1 }, { since: { epoch, seq: 0 } }])
			await client.refuse({ type: "subscribe", topic: "room",
				...past, echo: true }, "bad_request");
		await client.publish("room", 2); /* its options are as before */
		await client.quiet();
	});

	test("plain and v1 subscribers of one topic", async (t) => {
		const { server, client } = await one(t);
		const plain = await Client.open(server, { topics: ["room"] });

		await client.subscribe("room");
		for (const message of ["text", 1.5, null, { a: [1, "é"] }])
			client.send({ type: "publish", topic: "room", message });
		await plain.received(4);
		plain.say("room", "from plain");
		assert.deepEqual(await plain.received(5),
		    ["text", "1.5", "null", '{"a":[1,"é"]}', "from plain"]);
		await waitFor("all five", () => client.frames.length === 5);
		assert.equal(client.frames.at(-1).message, "from plain");
		await plain.close();
	});
});

describe("resume", { concurrency: true }, () => {
	async function five(t, ...args) {
		const { server, client } = await one(t, ...args);

		for (let i = 1; i <= 5; i++)
			await client.publish("room", i);
		return { server, client, epoch: client.welcome.epoch };
	}

	async function seqs(client) {
		return (await client.barrier()).map((frame) =>
			frame.type === "message" ? frame.seq : frame.reason);
	}

	test("since replays what came after", async (t) => {
		const { client, epoch } = await five(t);

		assert.deepEqual(await client.subscribe("room",
		    { since: { epoch, seq: 2 } }), { type: "ack", topic: "room",
			epoch, seq: 5, replayed: 3, recovered: true });
		for (const seq of [3, 4, 5])
			assert.equal((await client.next()).seq, seq);
		await client.publish("room", 6);
		assert.equal((await client.next()).seq, 6);
		await client.quiet();
	});

	test("history brings the last ones", async (t) => {
		const { client } = await five(t);

		for (const [history, replayed] of [[2, 2], [0, 0], [5, 5], [99, 5],
			[Number.MAX_SAFE_INTEGER, 5]]) {
			const ack = await client.subscribe("room", { history });

			assert.deepEqual([ack.seq, ack.replayed, ack.recovered],
			    [5, replayed, true]);
			for (let seq = 6 - replayed; seq <= 5; seq++)
				assert.equal((await client.next()).seq, seq);
			await client.quiet();
			await client.ask({ type: "unsubscribe", topic: "room" });
		}
	});

	test("at the present nothing is replayed", async (t) => {
		const { client, epoch } = await five(t);

		assert.deepEqual(await client.subscribe("room",
		    { since: { epoch, seq: 5 } }), { type: "ack", topic: "room",
			epoch, seq: 5, replayed: 0, recovered: true });
		await client.quiet();
	});

	test("another epoch, an unknown number: a gap without numbers",
	    async (t) => {
		const { client, epoch } = await five(t);

		for (const [since, reason] of [
			[{ epoch: "other", seq: 2 }, "epoch"],
			[{ epoch: `${epoch}x`, seq: 2 }, "epoch"],
			[{ epoch, seq: 6 }, "unknown"],
			[{ epoch, seq: Number.MAX_SAFE_INTEGER }, "unknown"]]) {
			assert.deepEqual(await client.subscribe("room", { since }),
			    { type: "ack", topic: "room", epoch, seq: 5,
				    replayed: 0, recovered: false });
			assert.deepEqual(await client.next(),
			    { type: "gap", topic: "room", reason });
			await client.ask({ type: "unsubscribe", topic: "room" });
		}
		await client.subscribe("room", { since: { epoch, seq: 77 } });
		await client.next();
		await client.publish("room", 6);
		assert.equal((await client.next()).seq, 6);
	});

	test("what has expired is one gap, and counted", async (t) => {
		const { server, client, epoch } = await five(t, "--ring-size",
		    "1M", "--max-message", "20000");
		const text = "x".repeat(19000);

		for (let i = 0; i < 100; i++)
			await client.publish("room", text);
		const ack = await client.subscribe("room",
		    { since: { epoch, seq: 2 } });

		assert.equal(ack.seq, 105);
		assert.equal(ack.recovered, false);
		assert.ok(ack.replayed > 30 && ack.replayed < 60);
		assert.deepEqual(await client.next(), { type: "gap", topic: "room",
			from: 3, to: 105 - ack.replayed, reason: "expired" });
		for (let seq = 106 - ack.replayed; seq <= 105; seq++)
			assert.equal((await client.next()).seq, seq);
		const late = await V1.open(server);
		const history = await late.subscribe("room", { history: 100 });

		assert.deepEqual([history.replayed, history.recovered],
		    [ack.replayed, false]);
		assert.equal((await late.next()).seq, 106 - ack.replayed);
		await late.close();
	});

	test("a recycled topic: its earlier life is unknown", async (t) => {
		const { client, epoch } = await five(t, "--max-topics", "2");

		for (let i = 0; i < 6; i++)
			await client.publish(`other ${i}`, 1);
		const { seq } = await client.publish("room", "again");

		assert.ok(seq > 5);
		await client.subscribe("room", { since: { epoch, seq: 3 } });
		assert.equal((await client.next()).reason, "unknown");
		await client.ask({ type: "unsubscribe", topic: "room" });
		const ack = await client.subscribe("room",
		    { since: { epoch, seq: seq - 1 } });

		assert.deepEqual([ack.seq, ack.replayed, ack.recovered],
		    [seq, 1, true]);
		assert.deepEqual(await seqs(client).then((s) => s.length <= 1),
		    true);
	});

	test("several topics in one go", async (t) => {
		const { server, client, epoch } = await five(t);

		for (let i = 0; i < 300; i++)
			client.send({ type: "publish", topic: `t${i % 3}`,
				message: i });
		await client.barrier();
		const late = await V1.open(server);

		for (let i = 0; i < 3; i++)
			late.send({ type: "subscribe", topic: `t${i}`,
				since: { epoch, seq: 0 } });
		const next = { t0: 1, t1: 1, t2: 1 };

		for (let i = 0; i < 300; i++) {
			const { topic, seq } = await late.next();

			assert.equal(seq, next[topic]++);
		}
		assert.deepEqual(next, { t0: 101, t1: 101, t2: 101 });
		await late.quiet();
		await late.close();
	});
});

describe("history", { concurrency: true }, () => {
	test("pages from the newest back", async (t) => {
		const { client } = await one(t, "--rate", "0");
		const pages = [];
		let before;

		for (let i = 1; i <= 25; i++)
			client.send({ type: "publish", topic: "room", message: i });
		await client.barrier();
		for (let more = true; more;) {
			const { messages, ...rest } = await client.ask(
			    { type: "history", topic: "room", limit: 10, before });

			more = rest.more;
			assert.deepEqual(rest, { type: "history", topic: "room",
				...more && { more: true } });
			pages.push(messages.map(({ seq, time, message }) => {
				assert.equal(seq, message);
				assert.ok(time > 1.6e12);
				return seq;
			}));
			before = messages[0].seq;
		}
		assert.deepEqual(pages.map((page) => [page[0], page.at(-1)]),
		    [[16, 25], [6, 15], [1, 5]]);
	});

	test("ends", async (t) => {
		const { client } = await one(t);
		const ask = (options) => client.ask({ type: "history",
			topic: "room", ...options });

		assert.deepEqual(await ask({}),
		    { type: "history", topic: "room", messages: [] });
		await client.publish("room", "one");
		await client.publish("room", "two");
		for (const [options, seqs] of [[{}, [1, 2]], [{ before: 0 }, []],
			[{ before: 1 }, []], [{ before: 2 }, [1]],
			[{ before: 3 }, [1, 2]],
			[{ before: Number.MAX_SAFE_INTEGER, limit: 2 }, [1, 2]],
			[{ limit: 9999999 }, [1, 2]]]) {
			const answer = await ask(options);

			assert.deepEqual(answer.messages.map(({ seq }) => seq), seqs);
			assert.equal("more" in answer, false);
		}
		assert.equal((await ask({ limit: 1 })).more, true);
		assert.equal((await ask({ before: 2, limit: 1 })).more, undefined);
	});

	test("at most 1,000 messages", async (t) => {
		const { client } = await one(t);

		for (let i = 1; i <= 1100; i++)
			client.send({ type: "publish", topic: "room", message: i });
		await client.barrier();
		const { messages, more } = await client.ask({ type: "history",
			topic: "room", limit: 5000 });

		assert.equal(messages.length, 1000);
		assert.deepEqual([messages[0].seq, messages.at(-1).seq, more],
		    [101, 1100, true]);
	});

	test("at most 1 MiB", async (t) => {
		const { client } = await one(t);
		const text = "x".repeat(60000);

		for (let i = 1; i <= 30; i++)
			client.send({ type: "publish", topic: "room",
				message: text });
		await client.barrier();
		const { messages, more } = await client.ask({ type: "history",
			topic: "room" });

		assert.equal(messages.length, 17);
		assert.deepEqual([messages.at(-1).seq, more], [30, true]);
		const rest = await client.ask({ type: "history", topic: "room",
			before: messages[0].seq });

		assert.deepEqual([rest.messages.length, rest.more],
		    [13, undefined]);
	});

	test("a pipeline of them fills no memory", async (t) => {
		const { server, client } = await one(t);
		const text = "x".repeat(60000);

		for (let i = 1; i <= 17; i++)
			client.send({ type: "publish", topic: "room",
				message: text });
		await client.barrier();
		client.socket.pause();
		for (let i = 0; i < 1000; i++)
			client.send({ type: "history", topic: "room" });
		/* The server reads no more requests from a client that has more
		 * than 32 KiB of answers waiting and whose socket is full.  How
		 * much that is, up to a whole answer, depends on where the
		 * kernel's buffers were full. */
		await waitFor("answers that wait", async () =>
			await server.total("buffered_bytes") > 32768);
		/* And nobody else is held up.  Each of these takes a turn of the
		 * worker, in which it could have answered a request of the first. */
		const other = await V1.open(server);

		await other.publish("room", 1);
		for (let i = 0; i < 50; i++)
			await other.barrier();
		const waiting = await server.total("buffered_bytes");

		assert.ok(waiting < 4e6, `${waiting} bytes wait`);
		await other.close();
		client.socket.terminate();
	});
});

describe("presence", { concurrency: true }, () => {
	test("counts over all workers, also after a kill", async (t) => {
		const server = await Server.start(t, ["--workers", "3"]);
		const clients = await openOnEachWorker(server,
		    () => V1.open(server, { topics: ["room"] }));
		const count = async () => (await clients[0].ask(
		    { type: "presence", topic: "room" })).count;

		server.deathsExpected = true;
		assert.deepEqual(await clients[0].ask({ type: "presence",
			topic: "nobody's" }), { type: "presence",
			topic: "nobody's", count: 0 });
		assert.equal(await count(), 3);
		await clients[0].ask({ type: "unsubscribe", topic: "room" });
		assert.equal(await count(), 2);
		await clients[0].subscribe("room");
		assert.equal(await count(), 3);
		process.kill((await server.workers())[2], "SIGKILL");
		await clients[2].closed;
		await waitFor("two", async () => await count() === 2);
		await clients[1].close();
		await waitFor("one", async () => await count() === 1);
		await clients[0].close();
	});
});

describe("what is wrong with a request", { concurrency: true }, () => {
	test("each has its code, and the connection stays", async (t) => {
		const { client } = await one(t);
		const { epoch } = client.welcome;
		const long = "x".repeat(256);
		const cases = [
			["", "bad_json"],
			["{", "bad_json"],
			['{"type":"ping"} x', "bad_json"],
			['{"type":"ping",}', "bad_json"],
			["[]", "bad_request"],
			['"ping"', "bad_request"],
			["null", "bad_request"],
			[{ type: "pong" }, "unknown_type"],
			[{ type: 1 }, "unknown_type"],
			[{ type: "" }, "unknown_type"],
			[{ type: "Ping" }, "unknown_type"],
			[{ type: "publish", topic: "a" }, "bad_request"],
			[{ type: "publish", message: 1 }, "bad_topic"],
			[{ type: "publish", topic: "", message: 1 }, "bad_topic"],
			[{ type: "publish", topic: 1, message: 1 }, "bad_topic"],
			[{ type: "subscribe", topic: long }, "bad_topic"],
			[{ type: "subscribe", topic: "a\nb" }, "bad_topic"],
			[{ type: "subscribe", topic: null }, "bad_topic"],
			[{ type: "unsubscribe" }, "bad_topic"],
			[{ type: "presence" }, "bad_topic"],
			[{ type: "history" }, "bad_topic"],
			[{ type: "subscribe", topic: "a", echo: 0 }, "bad_request"],
			...[2 ** 53, 2 ** 53 + 2, -1, 1.5, "1", true, [],
				{}].flatMap((n) => [
				[{ type: "subscribe", topic: "a",
					since: { epoch, seq: n } }, "bad_request"],
				[{ type: "history", topic: "a", before: n },
					"bad_request"],
				[{ type: "history", topic: "a", limit: n },
					"bad_request"],
				[{ type: "subscribe", topic: "a", history: n },
					"bad_request"]]),
			[{ type: "history", topic: "a", limit: 0 }, "bad_request"],
			[{ type: "subscribe", topic: "a", since: {} },
				"bad_request"],
			[{ type: "subscribe", topic: "a", since: { epoch } },
				"bad_request"],
			[{ type: "subscribe", topic: "a", since: { seq: 1 } },
				"bad_request"],
			[{ type: "subscribe", topic: "a", since: 5 },
				"bad_request"],
			[{ type: "subscribe", topic: "a",
				since: { epoch: 5, seq: 1 } }, "bad_request"],
			[{ type: "subscribe", topic: "a", history: 1,
				since: { epoch, seq: 0 } }, "bad_request"],
		];

		for (const [i, [request, code]] of cases.entries()) {
			const withId = typeof request === "string" ? request :
				{ id: i, ...request };
			const answer = await client.refuse(withId, code);

			assert.equal(answer.id,
			    typeof request === "string" ? undefined : i);
		}
		assert.equal((await client.ask(
		    { type: "presence", topic: "a" })).count, 0);
		assert.deepEqual(await client.ask({ type: "ping", more: [1],
			topic: 5 }), { type: "pong" });
	});

	test("too many topics", async (t) => {
		const { client } = await one(t, "--max-topics-per-conn", "2");

		await client.subscribe("a");
		await client.subscribe("b");
		await client.subscribe("a");
		await client.refuse({ type: "subscribe", topic: "c" },
		    "too_many_topics");
		await client.refuse({ topic: "c", message: "x" },
		    "too_many_topics");
		await client.publish("c", 1);
		await client.ask({ type: "unsubscribe", topic: "b" });
		await client.subscribe("c");
	});

	test("no room in the directory", async (t) => {
		const { server, client } = await one(t, "--max-topics", "2");
		const other = await V1.open(server, { topics: ["a", "b"] });

		await client.refuse({ type: "subscribe", topic: "c" },
		    "directory_full");
		await client.refuse({ type: "publish", topic: "c", message: 1 },
		    "directory_full");
		await other.close();
		await client.subscribe("c");
	});

	test("too_large, and 1009", async (t) => {
		const { server, client } = await one(t, "--max-message", "2000");
		const text = (n) => "x".repeat(n - 2);

		await client.publish("room", text(2000));
		await client.refuse({ type: "publish", topic: "room",
			message: text(2001) }, "too_large");
		client.send({ type: "publish", topic: "room",
			message: text(4000) });
		assert.equal((await client.closed).code, 1009);
		const other = await V1.open(server);

		assert.equal((await other.ask({ type: "history",
			topic: "room" })).messages.length, 1);
		await other.close();
	});

	test("nesting", async (t) => {
		const { client } = await one(t);
		const request = (levels) =>
			`{"type":"publish","id":1,"topic":"room","message":${
				nested(levels)}}`;

		/* An answer with a topic's past has three levels of its own. */
		client.send(request(61));
		assert.equal((await client.next()).type, "ack");
		for (const levels of [62, 63, 64])
			await client.refuse(request(levels), "bad_json");
	});

	test("binary frames are read as text", async (t) => {
		const { server } = await one(t);
		const raw = await Raw.open(server.port, "/ws", { t,
			headers: { "Sec-WebSocket-Protocol": "pubsubd.v1" } });

		await raw.text();
		raw.send(Frame.encode(Frame.BINARY, '{"type":"ping","id":1}'));
		assert.equal(await raw.text(), '{"type":"pong","id":1}');
		raw.send(Frame.encode(Frame.BINARY, Buffer.from([0x7b, 0xff])));
		assert.match(await raw.text(), /"code":"bad_json"/u);
		raw.send(Frame.encode(Frame.TEXT, Buffer.from([0x7b, 0xff])));
		assert.equal((await raw.closing()).code, 1007);
	});
});
