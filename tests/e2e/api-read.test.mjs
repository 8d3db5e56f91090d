// SPDX-License-Identifier: MIT
/*
 * api-read.test.mjs - what can be read of topics by HTTP: the list of them, how
 * one stands, its past.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Events, post } from "./events.mjs";
import { Client, Raw, Server, waitFor } from "./support.mjs";

/* As many as need three holdings of the ring's lock to be looked through. */
const TOPICS = 5000;

const name = (i) => `list/${String(i * 7919 % TOPICS).padStart(4, "0")}`;

async function get(server, path) {
	const response = await fetch(server.url + path);

	return { status: response.status, headers: response.headers,
		json: await response.json() };
}

describe("GET /topics", () => {
	const server = new Server();

	/* In an order that is none. */
	before(async () => {
		await server.run();
		const raw = await Raw.connect(server.port);

		for (let i = 0; i < TOPICS; i++) {
			raw.request("POST", `/topics/${encodeURIComponent(name(i))}`,
			    { "Content-Length": 1 });
			raw.send("x");
		}
		for (let i = 0; i < TOPICS; i++)
			assert.equal((await raw.response()).status, 200);
		raw.destroy();
		for (const topic of ["a", "caf\u00e9 \"1\"", "zz", "zz/1"])
			await post(server, topic, "x");
	});
	after(() => server.end());

	const names = async (query) => {
		const { status, json } = await get(server, `/topics?${query}`);

		assert.equal(status, 200);
		return [json.topics.map(({ topic }) => topic), json.more];
	};

	test("a hundred in order, unless told otherwise", async () => {
		const [topics, more] = await names("");

		assert.equal(topics.length, 100);
		assert.equal(more, true);
		assert.deepEqual(topics.slice(0, 3),
		    ["a", "caf\u00e9 \"1\"", "list/0000"]);
		assert.deepEqual(topics, [...topics].sort());
	});

	test("all, page by page, each once", async () => {
		const all = [];
		let more = true;

		while (more) {
			let page;
			[page, more] = await names(new URLSearchParams({
				limit: 1000, after: all.at(-1) ?? "",
				prefix: "list/" }));
			assert.equal(page.length, 1000);
			all.push(...page);
		}
		assert.deepEqual(all, Array.from({ length: TOPICS },
		    (_, i) => name(i)).sort());
	});

	const queries = [
		["limit=2", ["a", "caf\u00e9 \"1\""], true],
		["prefix=zz", ["zz", "zz/1"], false],
		["prefix=zz&limit=2", ["zz", "zz/1"], false],
		["prefix=zz&limit=1", ["zz"], true],
		["prefix=caf%C3%A9+%22", ["caf\u00e9 \"1\""], false],
		["after=zz", ["zz/1"], false],
		["after=zz%2F", ["zz/1"], false],
		["after=zz/1", [], false],
		["after=list/4998", ["list/4999", "zz", "zz/1"], false],
		["prefix=list/1&after=list/1998", ["list/1999"], false],
		["prefix=none", [], false],
		["after=&limit=1", ["a"], true],
		["unknown=1&limit=1", ["a"], true],
	];

	for (const [query, topics, more] of queries)
		test(query, async () => {
			assert.deepEqual(await names(query), [topics, more]);
		});

	test("a limit above a thousand is a thousand", async () => {
		for (const limit of ["1001", "99999999999999999999999"])
			assert.equal((await names(`limit=${limit}`))[0].length,
			    1000);
	});

	test("with subscribers on any worker, and the last number", async (t) => {
		const clients = await Promise.all(Array.from({ length: 6 },
		    () => Client.open(server, { topics: ["zz/1"] })));

		await waitFor("subscriptions", async () =>
			await server.total("subscriptions") === 6);
		await post(server, "zz/1", "y");
		const { json } = await get(server, "/topics?after=zz");

		assert.deepEqual(json, { topics: [
			{ topic: "zz/1", subscribers: 6, seq: 2 }], more: false });
		await Promise.all(clients.map((client) => client.close()));
	});

	for (const query of ["limit=0", "limit=", "limit=-1", "limit=1x",
		"prefix=%zz", "prefix=%ff", "after=%0a",
		`after=${"x".repeat(256)}`])
		test(`${query.slice(0, 20)}: 400`, async () => {
			const { status, json } = await get(server,
			    `/topics?${query}`);

			assert.equal(status, 400);
			assert.equal(json.error.code, "bad_request");
			assert.ok(json.error.reason);
		});

	test("many at once, each answered", async () => {
		const answers = await Promise.all(Array.from({ length: 50 },
		    (_, i) => names(`prefix=list/&limit=1&after=list/${
			    String(i).padStart(4, "0")}`)));

		answers.forEach(([topics], i) => assert.deepEqual(topics,
		    [`list/${String(i + 1).padStart(4, "0")}`]));
	});

	test("who leaves is left out of the line", async (t) => {
		const raws = await Promise.all(Array.from({ length: 20 },
		    () => Raw.connect(server.port, { t })));

		for (const raw of raws)
			raw.request("GET", "/topics?limit=1000");
		for (const raw of raws.slice(0, 19))
			raw.destroy();
		assert.equal((await raws[19].response()).json.topics.length, 1000);
	});

	test("HEAD has the same head and no body", async (t) => {
		const raw = await Raw.connect(server.port, { t });

		for (const path of ["/topics?prefix=zz", "/topics/zz",
			"/topics/zz/history"]) {
			raw.request("HEAD", path);
			const head = await raw.response({ bare: true });

			raw.request("GET", path);
			const response = await raw.response();

			assert.equal(head.status, 200);
			assert.equal(head.headers.get("content-length"),
			    response.headers.get("content-length"));
			assert.equal(response.headers.get("cache-control"),
			    "no-store");
		}
	});
});

describe("one topic", () => {
	const server = new Server();

	before(() => server.run());
	after(() => server.end());

	test("how it stands", async () => {
		const client = await Client.open(server, { topics: ["one"] });

		await client.barrier();
		const { epoch } = await post(server, "one", "x");
		const { status, json } = await get(server, "/topics/one");

		assert.equal(status, 200);
		assert.deepEqual(json, { topic: "one", epoch, seq: 1,
			subscribers: 1 });
		assert.equal(epoch, (await server.status()).epoch);
		await client.close();
	});

	/* Some proxies decode %2F, and a topic with a slash was out of reach. */
	test("?topic= names it as well", async (t) => {
		for (const topic of ["q/1", "q b", "history", "events"]) {
			const named = new URLSearchParams({ topic });
			const published = await (await fetch(
			    `${server.url}/topics?${named}`,
			    { method: "POST", body: "x" })).json();

			assert.deepEqual([published.topic, published.seq], [topic, 1]);
			assert.equal((await get(server, `/topics?${named}`)).json.seq, 1);
			const { json } = await get(server,
			    `/topics/history?limit=1&${named}`);

			assert.deepEqual([json.topic, json.messages.length], [topic, 1]);
			/* Both, if they agree. */
			const path = `/topics/${encodeURIComponent(topic)}/history`;

			assert.equal((await get(server, `${path}?${named}`)).json.topic,
			    topic);
			const events = await Events.at(server,
			    `/topics/events?${named}`, topic, { t });

			assert.equal(events.lastId.split(":")[1], "1");
		}
	});

	test("the methods are those of the topic", async () => {
		for (const [path, allow] of [
			["/topics?topic=a", "GET, HEAD, POST, OPTIONS"],
			["/topics/history?topic=a", "GET, HEAD, OPTIONS"],
			["/topics/events?topic=a", "GET, HEAD, OPTIONS"],
			["/topics/history", "GET, HEAD, POST, OPTIONS"],
		]) {
			const response = await fetch(`${server.url}${path}`,
			    { method: "OPTIONS" });

			assert.equal(response.status, 204);
			assert.equal(response.headers.get("allow"), allow);
		}
	});

	test("names are percent-encoded", async () => {
		for (const topic of ["a/b", "a b", "a+b", "100%", "?#&=",
			"caf\u00e9", "\u{1f600}", "history", "x".repeat(255)]) {
			await post(server, topic, "x");
			const { json } = await get(server,
			    `/topics/${encodeURIComponent(topic)}`);

			assert.equal(json.topic, topic);
		}
		assert.equal((await get(server, "/topics/a+b")).json.topic, "a+b");
	});

	for (const [path, status, code] of [
		["/topics/never", 404, "not_found"],
		["/topics/never/history", 404, "not_found"],
		["/topics/", 404, "not_found"],
		["/topics//history", 404, "not_found"],
		["/topics/a/b", 404, "not_found"],
		["/topics/a/", 404, "not_found"],
		["/topics/a/history/", 404, "not_found"],
		["/topics/a%", 400, "bad_topic"],
		["/topics/a%2", 400, "bad_topic"],
		["/topics/a%00", 400, "bad_topic"],
		["/topics/a%0a", 400, "bad_topic"],
		["/topics/%c3", 400, "bad_topic"],
		[`/topics/${"x".repeat(256)}`, 400, "bad_topic"],
		[`/topics/${"x".repeat(4000)}`, 400, "bad_topic"],
		["/topicsx", 404, "not_found"],
		["/topics?topic=never", 404, "not_found"],
		["/topics?topic=", 400, "bad_topic"],
		["/topics?topic=%", 400, "bad_topic"],
		["/topics/events?topic=a%00", 400, "bad_topic"],
		["/topics?topic=a&topic=b", 400, "bad_topic"],
		["/topics/a?topic=b", 400, "bad_topic"],
		["/topics/a/history?topic=b", 400, "bad_topic"],
		["/topics/a/events?topic=b", 400, "bad_topic"],
		["/topics/history/history?topic=b", 400, "bad_topic"],
	])
		test(`${path.slice(0, 30)}: ${status}`, async () => {
			const response = await get(server, path);

			assert.equal(response.status, status);
			assert.equal(response.json.error.code, code);
		});

	test("its history", async () => {
		const before = Date.now();

		for (let i = 1; i <= 5; i++)
			await post(server, "past", `${i}`,
			    { "Content-Type": "application/json" });
		const history = async (query) => {
			const { json } = await get(server,
			    `/topics/past/history?${query}`);

			return [json.messages.map(({ seq, message }) => {
				assert.equal(seq, message);
				return seq;
			}), json.more];
		};
		const { json } = await get(server, "/topics/past/history");

		assert.deepEqual(Object.keys(json), ["topic", "epoch",
			"messages"]);
		assert.equal(json.topic, "past");
		assert.ok(json.messages[0].time >= before);
		assert.ok(json.messages[4].time <= Date.now());
		assert.deepEqual(await history(""), [[1, 2, 3, 4, 5], undefined]);
		assert.deepEqual(await history("limit=2"), [[4, 5], true]);
		assert.deepEqual(await history("limit=2&before=4"),
		    [[2, 3], true]);
		assert.deepEqual(await history("limit=2&before=3"),
		    [[1, 2], undefined]);
		assert.deepEqual(await history("before=1"), [[], undefined]);
		assert.deepEqual(await history("before=0"), [[], undefined]);
		assert.deepEqual(await history("before=99999999999999999999999"),
		    [[1, 2, 3, 4, 5], undefined]);
	});

	for (const query of ["limit=0", "limit=x", "before=", "before=-1"])
		test(`history?${query}: 400`, async () => {
			const { status, json } = await get(server,
			    `/topics/past/history?${query}`);

			assert.equal(status, 400);
			assert.equal(json.error.code, "bad_request");
		});

	test("more history than one answer takes", async () => {
		const text = "x".repeat(60_000);

		for (let i = 0; i < 20; i++)
			await post(server, "large", text);
		const { json } = await get(server, "/topics/large/history");

		assert.equal(json.more, true);
		assert.equal(json.messages.at(-1).seq, 20);
		assert.ok(json.messages.length >= 10);
		const older = await get(server,
		    `/topics/large/history?before=${json.messages[0].seq}`);

		assert.equal(older.json.messages.length + json.messages.length, 20);
		assert.equal(older.json.more, undefined);
	});
});
