// SPDX-License-Identifier: MIT
/*
 * batch.test.mjs - POST /publish: many messages in one request, each with the
 * outcome that it has alone.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Client, Raw, Server, waitFor } from "./support.mjs";

const MAX = 4096;
const MAX_ITEMS = 1000;

/* A pseudo-random number below n, the same in every run. */
function dice(seed) {
	let state = seed;

	return (n) => {
		state = Math.imul(state, 1664525) + 1013904223 >>> 0;
		return Math.floor(state / 2 ** 32 * n);
	};
}

async function publish(server, body, headers = {}) {
	const response = await fetch(`${server.url}/publish`, { method: "POST",
		headers, body });

	return { status: response.status, json: await response.json() };
}

/* The outcome of one message alone, as a batch would tell it. */
async function alone(server, { topic, text }) {
	const response = await fetch(
	    `${server.url}/topics?topic=${encodeURIComponent(topic)}`,
	    { method: "POST", body: text,
		    headers: { "Content-Type": "application/json" } });
	const { seq, subscribers, error } = await response.json();

	return error === undefined ? { seq, subscribers } : error.code;
}

async function history(server, topic) {
	const response = await fetch(`${server.url}/topics/history?topic=` +
	    encodeURIComponent(topic));
	const { messages = [] } = await response.json();

	return messages.map(({ seq, message }) => [seq, message]);
}

const body = (items) => `[${items.map(({ topic, text }) =>
	`{"message": ${text} ,"topic":${JSON.stringify(topic)}}`).join()}]`;

describe("POST /publish", () => {
	const server = new Server(["--max-message", `${MAX}`]);

	before(() => server.run());
	after(() => server.end());

	test("each item has its number", async (t) => {
		const client = await Client.open(server, { topics: ["a"] });

		t.after(() => client.close());
		await client.barrier();
		const { status, json } = await publish(server, JSON.stringify([
			{ topic: "a", message: 1 }, { topic: "b", message: "x" },
			{ message: { deep: [null] }, topic: "a", more: [] },
		]));

		assert.equal(status, 200);
		assert.equal(json.epoch, (await server.status()).epoch);
		assert.deepEqual(json.results, [{ seq: 1, subscribers: 1 },
			{ seq: 1, subscribers: 0 }, { seq: 2, subscribers: 1 }]);
		assert.deepEqual(await history(server, "a"),
		    [[1, 1], [2, { deep: [null] }]]);
	});

	/* The property: two servers, one asked in batches, the other one by one,
	 * have the same outcomes and the same messages. */
	test("the outcome of each is that of a message alone", async (t) => {
		const single = await Server.start(t, ["--max-message", `${MAX}`]);
		const roll = dice(17);
		const topics = ["p/1", "p 2", "\u{1f600}", "history", "", "a\n",
			"x".repeat(255), "x".repeat(256), "\u00e9".repeat(128)];
		const texts = ["1", "\"s\"", "{\"a\":[]}", "\"\\ud800\"", " [ 1 ]",
			`"${"x".repeat(MAX - 2)}"`, `"${"x".repeat(MAX - 1)}"`,
			"[".repeat(61) + "]".repeat(61),
			"[".repeat(62) + "]".repeat(62)];

		for (let round = 0; round < 12; round++) {
			const items = Array.from({ length: roll(20) }, () => ({
				topic: topics[roll(topics.length)],
				text: texts[roll(texts.length)] }));
			const { status, json } = await publish(server, body(items));

			assert.equal(status, 200);
			const outcomes = json.results.map((result) =>
				result.error?.code ?? result);
			const expected = [];

			for (const item of items)
				expected.push(await alone(single, item));
			assert.deepEqual(outcomes, expected);
		}
		for (const topic of topics.filter((name) =>
			name !== "" && name !== "a\n" &&
			Buffer.byteLength(name) <= 255))
			assert.deepEqual(await history(server, topic),
			    await history(single, topic));
	});

	test("what is no item fails alone", async () => {
		const { json } = await publish(server, "[1,{},{\"topic\":1," +
		    "\"message\":2},{\"topic\":\"q\"},[],null," +
		    "{\"topic\":\"q\",\"message\":null},{\"t\\u006fpic\":\"q\"," +
		    "\"message\":1,\"message\":2}]");

		assert.deepEqual(json.results.map(({ error, seq }) =>
			error?.code ?? seq), [...Array(6).fill("bad_request"), 1, 2]);
		assert.deepEqual(await history(server, "q"), [[1, null], [2, 2]]);
	});

	for (const [name, text, status, code] of [
		["no array", "{}", 400, "bad_request"],
		["nothing", "", 400, "bad_json"],
		["no JSON", "[1", 400, "bad_json"],
		["no UTF-8", Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), 400,
			"bad_json"],
		["nested beyond all measure", "[".repeat(5000), 400, "bad_json"],
		["too many", body(Array(MAX_ITEMS + 1).fill({ topic: "n",
			text: "1" })), 413, "too_large"],
		["too long", `[${" ".repeat(1024 * 1024)}]`, 413, "too_large"],
	])
		test(`${name}: ${status}, and nothing is published`, async () => {
			const { status: got, json } = await publish(server, text);

			assert.equal(got, status);
			assert.equal(json.error.code, code);
			assert.deepEqual(await history(server, "n"), []);
		});

	test("none, and as many as there may be", async () => {
		assert.deepEqual((await publish(server, "[]")).json.results, []);
		const many = Array.from({ length: MAX_ITEMS }, (_, i) =>
			({ topic: "many", text: `${i}` }));
		const { json } = await publish(server, body(many));

		assert.deepEqual(json.results.map(({ seq }) => seq),
		    many.map((_, i) => i + 1));
	});

	test("requests behind it are answered behind it", async (t) => {
		const raw = await Raw.connect(server.port, { t });
		const text = body([{ topic: "line", text: "1" },
			{ topic: "line", text: "2" }]);

		for (let i = 0; i < 3; i++) {
			raw.request("POST", "/publish",
			    { "Content-Length": text.length });
			raw.send(text);
			raw.request("GET", "/topics/line");
		}
		for (let i = 0; i < 3; i++) {
			assert.deepEqual((await raw.response()).json.results
			    .map(({ seq }) => seq), [2 * i + 1, 2 * i + 2]);
			assert.ok((await raw.response()).json.seq >= 2 * i + 2);
		}
	});

	test("the methods, and a page of another site", async () => {
		const get = await fetch(`${server.url}/publish`);

		assert.equal(get.status, 405);
		assert.equal(get.headers.get("allow"), "POST, OPTIONS");
		assert.equal((await publish(server, "[]",
		    { Origin: "https://elsewhere.example" })).status, 403);
		assert.equal((await publish(server, "[]",
		    { "Content-Encoding": "gzip" })).status, 415);
	});
});

test("each message counts for --rate", async (t) => {
	const server = await Server.start(t, ["--rate", "2", "--workers", "1"]);
	const raw = await Raw.connect(server.port, { t });
	const send = (n) => {
		const text = body(Array(n).fill({ topic: "r", text: "1" }));

		raw.request("POST", "/publish", { "Content-Length": text.length });
		raw.send(text);
	};

	/* In one segment, so that no time passes between the two. */
	raw.socket.cork();
	send(2);
	send(1);
	raw.socket.uncork();
	assert.equal((await raw.response()).json.results[1].seq, 2);
	assert.equal((await raw.response()).json.results[0].seq, 3);
	assert.equal(await server.total("rate_pauses"), 1);
});

test("no room for another topic fails what needs it", async (t) => {
	const server = await Server.start(t, ["--max-topics", "1"]);
	const client = await Client.open(server, { topics: ["a"] });

	t.after(() => client.close());
	await waitFor("the subscription", async () =>
		await server.total("subscriptions") === 1);
	const { json } = await publish(server, body([{ topic: "a", text: "1" },
		{ topic: "b", text: "2" }, { topic: "a", text: "3" }]));

	assert.deepEqual(json.results.map(({ error, seq }) =>
		error?.code ?? seq), [1, "directory_full", 2]);
});
