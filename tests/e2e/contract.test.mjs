// SPDX-License-Identifier: MIT
/*
 * contract.test.mjs - the plain contract, line by line of its table.
 *
 * Every input comes from a client of its own; in the same room sits a witness,
 * who must get what was published and must not notice anything else.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Client, Frame, Raw, Server } from "./support.mjs";

const REASON_MAX = 123;
const MESSAGE_MAX = 65536; /* bytes of JSON text, quotes included */

describe("the plain contract", () => {
	const server = new Server();

	before(() => server.run());
	after(() => server.end());

	/* One client, one frame, and what comes back for it. */
	async function answerTo(t, payload, opcode = Frame.TEXT) {
		const raw = await Raw.open(server.port, "/ws", { t });

		raw.send(Frame.encode(opcode, payload));
		return raw;
	}

	/* That the frame is answered by closing with that code, that the reason
	 * is one for humans, and that nobody else notices. */
	async function refuses(t, payload, code, reason, opcode = Frame.TEXT) {
		const witness = await Client.open(server, { topics: ["", "r"] });
		const raw = await answerTo(t, payload, opcode);
		const closing = await raw.closing();

		assert.equal(closing.code, code);
		assert.match(closing.reason, reason);
		assert.ok(closing.payload.length - 2 <= REASON_MAX);
		assert.match(closing.reason, /^[ -~…]+$/u);
		witness.say("r", "still here");
		assert.equal(await witness.next(), "still here");
		await witness.close();
	}

	/* That the sender, once subscribed to `topic', gets these texts. */
	async function delivers(t, payload, topic, text, opcode = Frame.TEXT) {
		const witness = await Client.open(server, { topics: [topic] });
		const raw = await answerTo(t, payload, opcode);

		assert.equal(await raw.text(), text);
		assert.equal(await witness.next(), text);
		await witness.close();
	}

	describe("missing and empty members count as empty", () => {
		const cases = [
			['{"topic":"r"}', "r", ""],
			['{"topic":"r","message":""}', "r", ""],
			['{"message":"hello"}', "", "hello"],
			['{"topic":"","message":"hello"}', "", "hello"],
			["{}", "", ""],
			["null", "", ""],
			[" \t\r\n{ } \n", "", ""],
			["\nnull ", "", ""],
		];

		for (const [payload, topic, text] of cases)
			test(JSON.stringify(payload),
			    (t) => delivers(t, payload, topic, text));
	});

	describe("which member counts", () => {
		const cases = [
			/* null leaves what stood before */
			['{"topic":null,"message":"a"}', "", "a"],
			['{"topic":"r","message":"a","message":null}', "r", "a"],
			['{"topic":"r","topic":null,"message":"a"}', "r", "a"],
			/* others are ignored, whatever is in them */
			['{"x":[1,{"topic":"q"}],"topic":"r","message":"a","y":{}}',
				"r", "a"],
			['{"topics":"q","topic":"r","message":"a","mess":"b"}',
				"r", "a"],
			/* the last of a name counts */
			['{"topic":"q","message":"a","topic":"r","message":"b"}',
				"r", "b"],
			/* in any case */
			['{"Topic":"r","MESSAGE":"a"}', "r", "a"],
			['{"TOPIC":"r","Message":"a"}', "r", "a"],
			['{"topic":"q","TOPIC":"r","message":"a"}', "r", "a"],
			/* also when written with escapes */
			['{"\\u0074opic":"r","mess\\u0061ge":"a"}', "r", "a"],
		];

		for (const [payload, topic, text] of cases)
			test(payload, (t) => delivers(t, payload, topic, text));
	});

	test("a binary frame is treated like a text frame", (t) => delivers(t,
	    '{"topic":"r","message":"héllo"}', "r", "héllo", Frame.BINARY));

	describe("1008, and where and why", () => {
		const cases = [
			['{"topic":"r","message":1}', /byte 23/u],
			['{"topic":"r","message":{"a":1}}', /message is not a string/u],
			['{"topic":"r","message":true}', /message is not a string/u],
			['{"topic":["r"],"message":"a"}', /byte 9/u],
			['{"topic":7}', /topic is not a string/u],
			["[]", /object/u],
			['["topic","r"]', /object/u],
			['"hello"', /object/u],
			["1", /object/u],
			["true", /object/u],
			["", /JSON/u],
			["   ", /JSON/u],
			["hello", /JSON at byte 0/u],
			["{", /JSON at byte 1/u],
			['{"topic":"r"', /JSON at byte 12/u],
			['{"topic":"r",}', /JSON at byte 13/u],
			['{"topic" "r"}', /JSON at byte 9/u],
			["{'topic':'r'}", /JSON at byte 1/u],
			['{"topic":"r","message":01}', /JSON at byte 24/u],
			['{"topic":"r\\x"}', /JSON at byte/u],
			['{"topic":"r\\u12g4"}', /JSON at byte/u],
			['{"topic":"r"}x', /JSON at byte 13/u],
			['{"topic":"r"}{"topic":"r"}', /JSON at byte 13/u],
			['{"topic":"r"}\0', /JSON at byte 13/u],
			['{"topic":"r","message":"a\nb"}', /control character/u],
			['{"topic":"r","message":"a\0b"}', /control character/u],
			["\ufeff{}", /JSON at byte 0/u],
			[`{"x":${"[".repeat(64)}${"]".repeat(64)}}`, /deep/u],
			["[".repeat(60_000), /deep/u],
			[`{"topic":"${"x".repeat(256)}"}`, /topic: .*255/u],
			[`{"topic":"${"é".repeat(128)}"}`, /topic: .*255/u],
			[`{"topic":"${"x".repeat(50_000)}"}`, /topic: .*255/u],
			['{"topic":"a\\u0000b"}', /topic: .*control/u],
			['{"topic":"a\\nb"}', /topic: .*control/u],
			['{"topic":"a\\u007fb"}', /topic: .*control/u],
			['{"topic":"a\\u0085b"}', /topic: .*control/u],
		];

		for (const [payload, reason] of cases)
			test(JSON.stringify(payload).slice(0, 60),
			    (t) => refuses(t, payload, 1008, reason));
	});

	test("nesting of 64 is not too deep", (t) => delivers(t,
	    `{"x":${"[".repeat(63)}${"]".repeat(63)},"topic":"r"}`, "r", ""));

	test("a topic of 255 bytes is not too long", (t) => {
		const topic = `${"é".repeat(127)}x`;

		return delivers(t, JSON.stringify({ topic, message: "a" }),
		    topic, "a");
	});

	describe("invalid UTF-8", () => {
		const bad = Buffer.concat([Buffer.from('{"topic":"r","message":"'),
			Buffer.of(0xff), Buffer.from('"}')]);

		test("1007 in a text frame",
		    (t) => refuses(t, bad, 1007, /UTF-8/u));
		test("1008 in a binary one",
		    (t) => refuses(t, bad, 1008, /UTF-8/u, Frame.BINARY));
	});

	describe("the limit on a message", () => {
		const ofSize = (bytes) => JSON.stringify(
		    { topic: "r", message: "x".repeat(bytes - 2) });

		test("at the limit it is delivered", (t) => delivers(t,
		    ofSize(MESSAGE_MAX), "r", "x".repeat(MESSAGE_MAX - 2)));
		test("one byte over it is 1009", (t) => refuses(t,
		    ofSize(MESSAGE_MAX + 1), 1009, /65536 bytes/u));
		test("a frame far over it is 1009", (t) => refuses(t,
		    ofSize(2 * MESSAGE_MAX), 1009, /65536 bytes/u));
	});

	describe("escapes are decoded", () => {
		const cases = [
			["\\n\\r\\t\\b\\f", "\n\r\t\b\f"],
			['\\"\\\\\\/', '"\\/'],
			["\\u00e9\\u00E9é", "ééé"],
			["\\ud83d\\ude00😀", "😀😀"],
			["\\u0000", "\0"],
			["\\ud83d", "\ufffd"],
			["\\ude00", "\ufffd"],
			["\\ud83dx\\ude00", "\ufffdx\ufffd"],
			["\\ud83d\\ud83d\\ude00", "\ufffd😀"],
			["\u2028\u007f", "\u2028\u007f"],
		];

		for (const [escaped, text] of cases)
			test(escaped, (t) => delivers(t,
			    `{"topic":"r","message":"${escaped}"}`, "r", text));
	});

	test("topics are compared decoded", (t) => delivers(t,
	    '{"topic":"caf\\u00e9","message":"a"}', "café", "a"));
});

describe("topics per connection", () => {
	const server = new Server(["--max-topics-per-conn", "3"]);

	before(() => server.run());
	after(() => server.end());

	test("one more is 1008; the last message before it counts", async () => {
		const witness = await Client.open(server,
		    { topics: ["c", "d"] });
		const client = await Client.open(server);

		for (const topic of ["a", "b", "c", "a", "d"])
			client.say(topic, `to ${topic}`);
		assert.deepEqual(await client.closed, { code: 1008,
			reason: "too_many_topics: 3 topics per connection" });
		assert.equal(await witness.next(), "to c");
		witness.say("d", "own");
		assert.equal(await witness.next(), "own", "nothing went to d");
		await witness.close();
	});

	test("the same topics again are no more", async () => {
		const client = await Client.open(server,
		    { topics: ["a", "b", "c"] });

		for (let i = 0; i < 3; i++)
			for (const topic of ["a", "b", "c"]) {
				client.say(topic, topic + i);
				assert.equal(await client.next(), topic + i);
			}
		await client.close();
	});
});
