// SPDX-License-Identifier: MIT
/*
 * conformance-fragments.test.mjs - RFC 6455, sections 5.4 and 5.5: messages in
 * fragments, control frames among them, pings and pongs.
 */

import { test } from "node:test";

import {
	BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, assertAlive, assertFrame,
	fragments, noise, table, withBoth, withEcho,
} from "./conformance.mjs";
import { Frame } from "./support.mjs";

const first = (payload, opcode = TEXT) =>
	Frame.encode(opcode, payload, { fin: false });
const more = (payload = "") =>
	Frame.encode(CONTINUATION, payload, { fin: false });
const last = (payload = "") => Frame.encode(CONTINUATION, payload);
const ping = (payload = "") => Frame.encode(PING, payload);
const pong = (payload = "") => Frame.encode(PONG, payload);

withEcho("5.4 fragments", (server) => {
	table(server, {
		"two": { send: [first("frag"), last("ment")],
			expect: [[TEXT, "fragment"]] },
		"five": { send: [first("a"), more("b"), more("c"), more("d"),
			last("e")], expect: [[TEXT, "abcde"]] },
		"of a binary message": {
			send: [first(Buffer.of(0xff), BINARY), last(Buffer.of(0xfe))],
			expect: [[BINARY, Buffer.of(0xff, 0xfe)]] },
		"all empty": { send: [first(""), more(), last()],
			expect: [[TEXT, ""]] },
		"all empty but one": {
			send: [first(""), more("x"), more(), last()],
			expect: [[TEXT, "x"]] },
		"an empty last one": { send: [first("x"), last()],
			expect: [[TEXT, "x"]] },
		"one message after another": {
			send: [first("a"), last("b"), first("c", BINARY), last("d"),
				Frame.encode(TEXT, "e")],
			expect: [[TEXT, "ab"], [BINARY, "cd"], [TEXT, "e"]] },
		"with other sizes of length": {
			send: [first("a".repeat(126)), more("b".repeat(65536)),
				last("c".repeat(125))],
			expect: [[TEXT, "a".repeat(126) + "b".repeat(65536) +
			    "c".repeat(125)]] },
	}, ["at once", "frame by frame"]);

	for (const length of [1, 2, 3, 125, 126, 127, 1000])
		test(`of ${length} bytes each`, async (t) => {
			const raw = await server.raw(t);
			const data = noise(5000, length);

			raw.send(...fragments(BINARY, data, length));
			await assertFrame(raw, BINARY, data);
			await assertAlive(raw);
			await raw.close();
		});
});

withEcho("5.4 control frames among the fragments", (server) => {
	table(server, {
		"a ping is answered first": {
			send: [first("a"), ping("p"), last("b")],
			expect: [[PONG, "p"], [TEXT, "ab"]] },
		"pings in every place": {
			send: [ping("1"), first("a"), ping("2"), more("b"), ping("3"),
				ping("4"), last("c"), ping("5")],
			expect: [[PONG, "1"], [PONG, "2"], [PONG, "3"], [PONG, "4"],
				[TEXT, "abc"], [PONG, "5"]] },
		"pongs that nobody asked for": {
			send: [pong("x"), first("a"), pong(), last("b"), pong("y")],
			expect: [[TEXT, "ab"]] },
		"two messages with pings": {
			send: [first("a"), ping("1"), last("b"), first("c"), ping("2"),
				last("d")],
			expect: [[PONG, "1"], [TEXT, "ab"], [PONG, "2"],
				[TEXT, "cd"]] },
		"a close ends the message with everything": {
			send: [first("a"), Frame.close(1000), last("b"), ping("x")],
			close: 1000 },
	});
});

withBoth("5.4 wrong continuations", (server) => {
	table(server, {
		"of nothing": { send: [last("x")], close: 1002 },
		"of nothing, not final": { send: [more("x")], close: 1002 },
		"of nothing, empty": { send: [last()], close: 1002 },
		"of nothing, after a ping": {
			send: [ping("p"), last("x")], expect: [[PONG, "p"]],
			close: 1002 },
		"a text inside a text": {
			send: [first("a"), Frame.encode(TEXT, "b")], close: 1002 },
		"a text inside a text, not final": {
			send: [first("a"), first("b")], close: 1002 },
		"a binary inside a text": {
			send: [first("a"), Frame.encode(BINARY, "b")], close: 1002 },
		"a text inside a binary": {
			send: [first("a", BINARY), Frame.encode(TEXT, "b")],
			close: 1002 },
		"an empty text inside an empty text": {
			send: [first(""), Frame.encode(TEXT, "")], close: 1002 },
		"a text inside, after a ping": {
			send: [first("a"), ping("p"), Frame.encode(TEXT, "b")],
			expect: [[PONG, "p"]], close: 1002 },
	});
});

withEcho("5.4 wrong continuations after a message", (server) => {
	table(server, {
		"one fragment too many": {
			send: [first("a"), last("b"), last("c")],
			expect: [[TEXT, "ab"]], close: 1002 },
		"one fragment too many, not final": {
			send: [first("a"), last("b"), more("c"), last("d")],
			expect: [[TEXT, "ab"]], close: 1002 },
		"of a whole message": {
			send: [Frame.encode(TEXT, "a"), last("b")],
			expect: [[TEXT, "a"]], close: 1002 },
	});
});

withBoth("5.5 control frames that may not be", (server) => {
	const long = Buffer.alloc(126, "x");

	for (const [name, opcode] of [["ping", PING], ["pong", PONG],
		["close", CLOSE]])
		table(server, {
			[`a ${name} in fragments`]: {
				send: [Frame.encode(opcode, "", { fin: false })],
				close: 1002 },
			[`a ${name} with payload in fragments`]: {
				send: [Frame.encode(opcode, "xx", { fin: false }),
					last("yy")], close: 1002 },
			[`a ${name} of 126 bytes`]: {
				send: [Frame.encode(opcode, long)], close: 1002 },
			[`a ${name} of 64 KiB`]: {
				send: [Frame.encode(opcode, Buffer.alloc(65536))],
				close: 1002 },
			[`a ${name} in fragments inside a message`]: {
				send: [first("a"),
					Frame.encode(opcode, "x", { fin: false })],
				close: 1002 },
		}, ["at once", "frame by frame"]);
});

withBoth("5.5.2 ping", (server) => {
	table(server, {
		"empty": { send: [ping()], expect: [[PONG, ""]] },
		"text": { send: [ping("hello")], expect: [[PONG, "hello"]] },
		"of any bytes": {
			send: [ping(Buffer.of(0, 0xff, 0xfe, 0xc0, 0x80, 0))],
			expect: [[PONG, Buffer.of(0, 0xff, 0xfe, 0xc0, 0x80, 0)]] },
		"of 125 bytes": {
			send: [ping(Buffer.alloc(125, 0xfe))],
			expect: [[PONG, Buffer.alloc(125, 0xfe)]] },
		"ten, answered in order": {
			send: Array.from({ length: 10 }, (_, i) => ping(`ping ${i}`)),
			expect: Array.from({ length: 10 },
			    (_, i) => [PONG, `ping ${i}`]) },
		"one in front of a close": {
			send: [ping("before"), Frame.close(1000)],
			expect: [[PONG, "before"]], close: 1000 },
		"one behind a close": {
			send: [Frame.close(1000), ping("after")], close: 1000 },
	});

	test("a thousand, while nothing is read", async (t) => {
		const raw = await server.raw(t);
		const payload = Buffer.alloc(125, "p");

		raw.send(...Array(1000).fill(ping(payload)));
		for (let i = 0; i < 1000; i++)
			await assertFrame(raw, PONG, payload);
		await raw.close();
	});
});

withBoth("5.5.3 pong", (server) => {
	table(server, {
		"that nobody asked for": { send: [pong()] },
		"with payload": { send: [pong("unsolicited")] },
		"and then a ping": { send: [pong("unsolicited"), ping("p")],
			expect: [[PONG, "p"]] },
		"twenty": { send: Array(20).fill(pong("x")) },
	});
});

withEcho("5.5.2 order among messages", (server) => {
	const count = 50;

	table(server, {
		"pings between messages": {
			send: Array.from({ length: count }, (_, i) =>
				[Frame.encode(TEXT, `m${i}`), ping(`p${i}`)]).flat(),
			expect: Array.from({ length: count }, (_, i) =>
				[[TEXT, `m${i}`], [PONG, `p${i}`]]).flat() },
	});
});
