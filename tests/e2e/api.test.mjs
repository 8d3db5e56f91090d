// SPDX-License-Identifier: MIT
/*
 * api.test.mjs - publishing by HTTP: bodies of every kind, errors, order.
 *
 * What can be read is in api-read.test.mjs, event streams in events.test.mjs,
 * pages of other origins in api-origin.test.mjs.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";

import { post } from "./events.mjs";
import { Client, Raw, Server, run, waitFor } from "./support.mjs";

const MAX = 4096;
const JSON_TYPE = { "Content-Type": "application/json" };
const CHUNKED = { "Transfer-Encoding": "chunked" };
const V1 = { "Sec-WebSocket-Protocol": "pubsubd.v1" };

const HAS_CURL = spawnSync("curl", ["--version"]).status === 0;

describe("POST /topics/NAME", () => {
	const server = new Server(["--max-message", `${MAX}`]);

	before(() => server.run());
	after(() => server.end());

	const connect = (t) => Raw.connect(server.port, { t });

	/* Send a POST with this body, and everything right about it. */
	function send(raw, topic, body, headers = {}) {
		raw.request("POST", `/topics/${topic}`, {
			"Content-Length": Buffer.byteLength(body), ...headers });
		raw.send(body);
	}

	async function posted(t, topic, body, headers) {
		const raw = await connect(t);

		send(raw, topic, body, headers);
		return raw.response();
	}

	/* The stored messages of a topic. */
	async function stored(topic) {
		const response = await fetch(
		    `${server.url}/topics/${encodeURIComponent(topic)}/history`);

		assert.equal(response.status, 200);
		return (await response.json()).messages;
	}

	test("curl in one line", { skip: !HAS_CURL }, async () => {
		const { status, stdout } = await run("curl",
		    ["-s", "-d", "hello", `${server.url}/topics/curl`]);

		assert.equal(status, 0);
		const answer = JSON.parse(stdout);

		assert.deepEqual({ ...answer, epoch: "" },
		    { topic: "curl", epoch: "", seq: 1, subscribers: 0 });
		assert.equal((await stored("curl"))[0].message, "hello");
	});

	test("every subscriber gets it, whatever it speaks", async (t) => {
		const plain = await Client.open(server, { topics: ["all"] });
		const v1 = await Raw.open(server.port, "/ws?topic=all",
		    { t, headers: V1 });

		assert.equal(JSON.parse(await v1.text()).type, "welcome");
		/* Who subscribes by the query asks for no answer. */
		await waitFor("subscriptions", async () =>
			await server.total("subscriptions") >= 2);
		for (const [body, headers, raw, value] of [
			["a \"text\"\n", {}, "a \"text\"\n", "a \"text\"\n"],
			["{\"a\": 1}", JSON_TYPE, "{\"a\": 1}", { a: 1 }],
			["\"s\\u00e9\"", JSON_TYPE, "s\u00e9", "s\u00e9"],
			["[1]", { "Content-Type": "text/plain" }, "[1]", "[1]"],
		]) {
			const answer = await post(server, "all", body, headers);
			const message = JSON.parse(await v1.text());

			assert.equal(answer.subscribers, 2);
			assert.equal(await plain.next(), raw);
			assert.equal(message.seq, answer.seq);
			assert.deepEqual(message.message, value);
		}
		await plain.close();
	});

	describe("what the type says", () => {
		const types = [
			[undefined, "text"],
			["text/plain", "text"],
			["application/x-www-form-urlencoded", "text"],
			["application/jsonp", "text"],
			["application/+json", "text"],
			["application/json+x", "text"],
			["image/svg+json", "text"],
			["application/ld+json", "json"],
			["Application/CloudEvents+JSON; charset=utf-8", "json"],
			["application/json", "json"],
			["Application/JSON ; charset=utf-8", "json"],
			["application/json;x", "json"],
		];

		for (const [type, kind] of types)
			test(`${type}: ${kind}`, async (t) => {
				const topic = `type${types.findIndex(
				    ([name]) => name === type)}`;
				const response = await posted(t, topic, "{\"a\":1}",
				    { "Content-Type": type ?? null });

				assert.equal(response.status, 200);
				assert.deepEqual((await stored(topic))[0].message,
				    kind === "json" ? { a: 1 } : "{\"a\":1}");
			});
	});

	test("white space around JSON is not stored", async (t) => {
		const plain = await Client.open(server, { topics: ["space"] });

		await plain.barrier();
		const response = await posted(t, "space", " \r\n\t[1, 2]\n ",
		    JSON_TYPE);

		assert.equal(response.status, 200);
		assert.equal(await plain.next(), "[1, 2]");
		await plain.close();
	});

	test("nothing is a text, too", async (t) => {
		assert.equal((await posted(t, "empty", "")).status, 200);
		assert.equal((await stored("empty"))[0].message, "");
	});

	const refused = [
		["no JSON", "{\"a\":", JSON_TYPE, 400, "bad_json", /byte 5/u],
		["nothing as JSON", "", JSON_TYPE, 400, "bad_json", /byte 0/u],
		["two values", "1 2", JSON_TYPE, 400, "bad_json", /byte 2/u],
		["JSON that is nested too deep",
			`${"[".repeat(62)}${"]".repeat(62)}`, JSON_TYPE, 400,
			"bad_json", /too deep/u],
		["JSON that is no UTF-8", Buffer.of(0x22, 0xff, 0x22), JSON_TYPE,
			400, "bad_json", /UTF-8/u],
		["text that is no UTF-8", Buffer.of(0xc3), {}, 400,
			"bad_request", /UTF-8/u],
		["a text too long", "x".repeat(MAX - 1), {}, 413, "too_large",
			/4096/u],
		["a text too long when it is JSON", "\"".repeat(MAX / 2), {}, 413,
			"too_large", /4096/u],
		["a JSON value too long", `"${"x".repeat(MAX - 1)}"`, JSON_TYPE,
			413, "too_large", /4096/u],
	];

	for (const [name, body, headers, status, code, reason] of refused)
		test(`${name}: ${status}, and the next request is served`,
		    async (t) => {
			    const raw = await connect(t);

			    send(raw, "refused", body, headers);
			    const response = await raw.response();

			    assert.equal(response.status, status);
			    assert.equal(response.json.error.code, code);
			    assert.match(response.json.error.reason, reason);
			    send(raw, "served", "after it");
			    assert.equal((await raw.response()).status, 200);
		    });

	test("Content-Encoding: identity says nothing", async (t) => {
		const response = await posted(t, "identity", "x",
		    { "Content-Encoding": "Identity" });

		assert.equal(response.status, 200);
	});

	test("as long as allowed", async (t) => {
		const bodies = [["x".repeat(MAX - 2), {}],
			[`"${"x".repeat(MAX - 2)}"`, JSON_TYPE],
			[`${" ".repeat(500)}"${"x".repeat(MAX - 2)}"`, JSON_TYPE]];

		for (const [body, headers] of bodies)
			assert.equal((await posted(t, "long", body, headers))
			    .status, 200);
		for (const { message } of await stored("long"))
			assert.equal(message.length, MAX - 2);
	});

	describe("a body that is never read", () => {
		const cases = [
			["no length", "POST", "/topics/x", {}, 411,
				"length_required"],
			["a compressed body", "POST", "/topics/x",
				{ "Content-Length": "1",
					"Content-Encoding": "gzip" }, 415,
				"unsupported_encoding"],
			["one compressed twice", "POST", "/topics/x",
				{ ...CHUNKED, "Content-Encoding":
					"identity\r\nContent-Encoding: br" }, 415,
				"unsupported_encoding"],
			["a length beyond all limits", "POST", "/topics/x",
				{ "Content-Length": "1000000" }, 413, "too_large"],
			["DELETE", "DELETE", "/topics/x", { "Content-Length": "1" },
				405, "method_not_allowed"],
			["GET", "GET", "/topics/x", { "Content-Length": "1" }, 413,
				"too_large"],
			["no topic", "POST", "/topics/", { "Content-Length": "1" },
				404, "not_found"],
			["a bad topic", "POST", "/topics/%zz", CHUNKED, 400,
				"bad_topic"],
			["nowhere", "POST", "/topics/a/b", CHUNKED, 404,
				"not_found"],
			["two lengths", "POST", "/topics/x",
				{ "Content-Length": "1\r\nContent-Length: 1" }, 400,
				"bad_request"],
			["length and chunks", "POST", "/topics/x",
				{ "Content-Length": "1", ...CHUNKED }, 400,
				"bad_request"],
			["chunks and more", "POST", "/topics/x",
				{ "Transfer-Encoding": "gzip, chunked" }, 501,
				"not_implemented"],
		];

		for (const [name, method, path, headers, status, code] of cases)
			test(`${name}: ${status}, and the end`, async (t) => {
				const raw = await connect(t);

				raw.request(method, path, headers);
				raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
				const response = await raw.response();

				assert.equal(response.status, status);
				assert.equal(response.json.error.code, code);
				assert.equal(response.headers.get("connection"),
				    "close");
				await raw.end();
			});
	});

	test("405 says what is allowed", async (t) => {
		const allowed = [["/topics", "GET, HEAD, OPTIONS"],
			["/topics/x", "GET, HEAD, POST, OPTIONS"],
			["/topics/x/history", "GET, HEAD, OPTIONS"],
			["/topics/x/events", "GET, HEAD, OPTIONS"]];
		const raw = await connect(t);

		for (const [path, allow] of allowed)
			for (const method of ["PUT", "PATCH", "get", "BREW"]) {
				raw.request(method, path);
				const response = await raw.response();

				assert.equal(response.status, 405);
				assert.equal(response.headers.get("allow"), allow);
			}
	});

	describe("chunks", () => {
		test("byte by byte, with the next request behind them",
		    async (t) => {
			    const raw = await connect(t);

			    raw.request("POST", "/topics/bytes", CHUNKED);
			    await raw.sendSlowly("3;x=y\r\nabc\r\n2\r\nde\r\n" +
				"0\r\nX: y\r\n\r\nGET /healthz HTTP/1.1\r\n" +
				"Host: localhost\r\n\r\n");
			    assert.equal((await raw.response()).status, 200);
			    assert.equal((await raw.response()).body.toString(),
				"ok\n");
			    assert.equal((await stored("bytes"))[0].message,
				"abcde");
		    });

		test("as node sends them", async () => {
			const response = await new Promise((resolve, reject) => {
				const req = request(`${server.url}/topics/stream`,
				    { method: "POST" }, resolve);

				req.on("error", reject);
				req.write("one ");
				req.write("two ");
				req.end("three");
			});

			assert.equal(response.statusCode, 200);
			response.resume();
			assert.equal((await stored("stream"))[0].message,
			    "one two three");
		});

		for (const [name, body, status] of [
			["a bad size", "5x\r\n", 400],
			["a bare LF", "5\nhello\n0\n\n", 400],
			["a space before the size", " 5\r\n", 400],
			["too much", `2000\r\n${"x".repeat(0x2000)}`, 413],
		])
			test(`${name}: ${status}, and the end`, async (t) => {
				const raw = await connect(t);

				raw.request("POST", "/topics/bad", CHUNKED);
				raw.send(body);
				const response = await raw.response();

				assert.equal(response.status, status);
				await raw.end();
			});
	});

	test("the body and the next request in one segment", async (t) => {
		const raw = await connect(t);

		raw.send("POST /topics/segment HTTP/1.1\r\nHost: localhost\r\n" +
		    "Content-Length: 5\r\n\r\nhello" +
		    "GET /topics/segment HTTP/1.1\r\nHost: localhost\r\n\r\n" +
		    "POST /topics/segment HTTP/1.1\r\nHost: localhost\r\n" +
		    "Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n" +
		    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
		assert.equal((await raw.response()).json.seq, 1);
		assert.equal((await raw.response()).json.seq, 1);
		assert.equal((await raw.response()).json.seq, 2);
		assert.equal((await raw.response()).body.toString(), "ok\n");
		assert.deepEqual((await stored("segment")).map((m) => m.message),
		    ["hello", "GET / HTTP/1.1\r\n\r\n"]);
	});

	test("pipelined requests of all kinds are answered in order",
	    async (t) => {
		    const raw = await connect(t);
		    const rounds = 100;

		    for (let i = 0; i < rounds; i++) {
			    send(raw, "pipe", `message ${i}`);
			    raw.request("GET", "/topics?prefix=pipe");
			    raw.request("GET", "/nothing-here");
			    raw.request("GET", "/topics/pipe");
			    raw.request("GET", "/topics/pipe/history?limit=1");
		    }
		    for (let i = 1; i <= rounds; i++) {
			    assert.equal((await raw.response()).json.seq, i);
			    assert.equal((await raw.response()).json.topics[0].seq,
				i);
			    assert.equal((await raw.response()).status, 404);
			    assert.equal((await raw.response()).json.seq, i);
			    assert.equal((await raw.response()).json.messages[0]
				.message, `message ${i - 1}`);
		    }
	    });

	test("an upgrade behind a POST", async (t) => {
		const raw = await connect(t);

		send(raw, "upgrade", "first");
		raw.request("GET", "/ws?topic=upgrade", { Upgrade: "websocket",
			Connection: "Upgrade", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" });
		assert.equal((await raw.response()).json.seq, 1);
		assert.equal((await raw.head()).status, 101);
		await post(server, "upgrade", "second");
		assert.equal(await raw.text(), "second");
	});

	test("who is asked to wait for 100 gets it", async (t) => {
		const raw = await connect(t);

		for (const expect of ["100-continue", "100-Continue"]) {
			raw.request("POST", "/topics/expect",
			    { Expect: expect, "Content-Length": 5 });
			assert.equal((await raw.head()).status, 100);
			raw.send("hello");
			assert.equal((await raw.response()).status, 200);
		}
		raw.request("POST", "/topics/expect",
		    { Expect: "100-continue", "Content-Length": 100_000 });
		assert.equal((await raw.response()).status, 413);
		await raw.end();
	});

	test("a client that half-closes gets its answer", async (t) => {
		const raw = await connect(t);

		send(raw, "half", "hello");
		raw.finish();
		assert.equal((await raw.response()).status, 200);
		await raw.end();
	});

	test("a client that leaves within its body publishes nothing",
	    async (t) => {
		    const raw = await connect(t);

		    raw.request("POST", "/topics/left", { "Content-Length": 5 });
		    raw.send("hell");
		    raw.finish();
		    await raw.end();
		    const response = await fetch(`${server.url}/topics/left`);

		    assert.equal(response.status, 404);
	    });

	test("HTTP/1.0", async (t) => {
		const raw = await connect(t);

		raw.request("POST", "/topics/old", { "Content-Length": 2 },
		    "HTTP/1.0");
		raw.send("hi");
		assert.equal((await raw.response()).json.seq, 1);
		await raw.end();
	});
});

test("above the rate it is not read, and nothing is lost", async (t) => {
	const server = await Server.start(t, ["--rate", "20"]);
	const raw = await Raw.connect(server.port, { t });

	for (let i = 0; i < 40; i++) {
		raw.request("POST", "/topics/rate", { "Content-Length": 1 });
		raw.send("x");
	}
	for (let i = 1; i <= 40; i++)
		assert.equal((await raw.response()).json.seq, i);
	assert.ok(await server.total("rate_pauses") > 0);
});

test("no room for another topic: 503, and later again", async (t) => {
	const server = await Server.start(t,
	    ["--max-topics", "64", "--max-topics-per-conn", "64"]);
	const client = await Client.open(server, {
		topics: Array.from({ length: 64 }, (_, i) => `topic ${i}`) });
	const raw = await Raw.connect(server.port, { t });

	await waitFor("subscriptions", async () =>
		await server.total("subscriptions") === 64);
	raw.request("POST", "/topics/more", { "Content-Length": 1 });
	raw.send("x");
	const response = await raw.response();

	assert.equal(response.status, 503);
	assert.equal(response.json.error.code, "directory_full");
	assert.match(response.headers.get("retry-after"), /^\d+$/u);
	assert.match(await (await fetch(`${server.url}/topics/more/events`))
	    .text(), /^retry: \d{4}\n$/u);
	await client.close();
	await waitFor("a free slot", async () =>
		await server.total("subscriptions") === 0);
	assert.equal((await post(server, "more", "x")).subscribers, 0);
});

describe("bodies that take their time", { concurrency: true }, () => {
	test("half of one: 408", async (t) => {
		const server = await Server.start(t);
		const raw = await Raw.connect(server.port, { t });
		const drip = setInterval(() => raw.send("x"), 500);

		t.after(() => clearInterval(drip));
		raw.request("POST", "/topics/slow", { "Content-Length": 1000 });
		const response = await raw.response();

		clearInterval(drip);
		assert.equal(response.status, 408);
		assert.equal(response.json.error.code, "timeout");
		assert.equal(response.headers.get("connection"), "close");
	});

	test("the server goes away: 503, and when to come back", async (t) => {
		const server = await Server.start(t);
		const raw = await Raw.connect(server.port, { t });

		raw.request("POST", "/topics/late",
		    { "Content-Length": 10, Expect: "100-continue" });
		assert.equal((await raw.head()).status, 100);
		raw.send("half");
		const stopped = server.stop();
		const response = await raw.response();

		assert.equal(response.status, 503);
		assert.equal(response.json.error.code, "draining");
		assert.match(response.headers.get("retry-after"), /^\d+$/u);
		await raw.end();
		assert.deepEqual(await stopped, { code: 0, signal: null });
	});
});
