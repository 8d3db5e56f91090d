// SPDX-License-Identifier: MIT
/*
 * conformance-utf8.test.mjs - RFC 6455, section 8.1: text is UTF-8 (RFC 3629),
 * and fails at the first byte that makes it impossible.
 *
 * Each bad sequence is given with the index of that byte.  Up to there it can
 * still become a character, so a server that is right goes on, and one that is
 * wrong in either direction is found.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
	CONTINUATION, PING, PONG, TEXT, assertFrame, table, withBoth, withEcho,
} from "./conformance.mjs";
import { Frame } from "./support.mjs";

const VALID = {
	"ASCII": "hello",
	"every control character": String.fromCharCode(
	    ...Array.from({ length: 32 }, (_, i) => i)),
	"accents": "Hellö-µ@ßöäüàá-UTF-8!!",
	"Greek": "κόσμε",
	"Chinese": "汉字",
	"emoji": "😀👩‍👩‍👧‍👦",
	"the first of two bytes": "\u{80}",
	"the last of two bytes": "\u{7ff}",
	"the first of three bytes": "\u{800}",
	"in front of the surrogates": "\u{d7ff}",
	"behind the surrogates": "\u{e000}",
	"the last of three bytes": "\u{ffff}",
	"the first of four bytes": "\u{10000}",
	"the last of all": "\u{10ffff}",
	"non-characters": "\u{fffe}\u{fdd0}\u{1fffe}\u{10fffe}",
	"a byte order mark": "\u{feff}x",
};

const INVALID = {
	"a lone continuation": [[0x80], 0],
	"the last continuation": [[0xbf], 0],
	"continuations behind a character": [[0xc2, 0x80, 0x80], 2],
	"an overlong slash, two bytes": [[0xc0, 0xaf], 0],
	"an overlong slash, three bytes": [[0xe0, 0x80, 0xaf], 1],
	"an overlong slash, four bytes": [[0xf0, 0x80, 0x80, 0xaf], 1],
	"an overlong slash, five bytes": [[0xf8, 0x80, 0x80, 0x80, 0xaf], 0],
	"an overlong slash, six bytes": [[0xfc, 0x80, 0x80, 0x80, 0x80, 0xaf], 0],
	"an overlong NUL": [[0xc0, 0x80], 0],
	"the highest overlong, two bytes": [[0xc1, 0xbf], 0],
	"the highest overlong, three bytes": [[0xe0, 0x9f, 0xbf], 1],
	"the highest overlong, four bytes": [[0xf0, 0x8f, 0xbf, 0xbf], 1],
	"the first high surrogate": [[0xed, 0xa0, 0x80], 1],
	"the last high surrogate": [[0xed, 0xaf, 0xbf], 1],
	"the first low surrogate": [[0xed, 0xb0, 0x80], 1],
	"the last low surrogate": [[0xed, 0xbf, 0xbf], 1],
	"a pair of surrogates": [[0xed, 0xa0, 0x81, 0xed, 0xb0, 0x80], 1],
	"the first beyond Unicode": [[0xf4, 0x90, 0x80, 0x80], 1],
	"far beyond Unicode": [[0xf5, 0x80, 0x80, 0x80], 0],
	"the last of four bytes": [[0xf7, 0xbf, 0xbf, 0xbf], 0],
	"the byte fe": [[0xfe], 0],
	"the byte ff": [[0xff], 0],
	"two bytes cut short by ASCII": [[0xc3, 0x28], 1],
	"three bytes cut short by ASCII": [[0xe2, 0x28, 0xa1], 1],
	"three bytes cut short at their third": [[0xe2, 0x82, 0x28], 2],
	"four bytes cut short by ASCII": [[0xf0, 0x28, 0x8c, 0xbc], 1],
	"four bytes cut short at their third": [[0xf0, 0x90, 0x28, 0xbc], 2],
	"four bytes cut short at their fourth": [[0xf0, 0x9f, 0x98, 0x28], 3],
	"a first byte behind another": [[0xc3, 0xc3], 1],
	"Greek with a surrogate": [[...Buffer.from("κόσμε"), 0xed, 0xa0, 0x80,
		...Buffer.from("edited")], Buffer.byteLength("κόσμε") + 1],
};

/* Characters that the end of the message cuts. */
const CUT = {
	"two bytes after one": [0xc3],
	"three bytes after one": [0xe2],
	"three bytes after two": [0xe2, 0x82],
	"four bytes after one": [0xf0],
	"four bytes after two": [0xf0, 0x9f],
	"four bytes after three": [0xf0, 0x9f, 0x98],
};

withEcho("8.1 text that is UTF-8", (server) => {
	for (const [name, text] of Object.entries(VALID)) {
		const bytes = Buffer.from(text);

		table(server, {
			[name]: { send: [Frame.encode(TEXT, bytes)],
				expect: [[TEXT, bytes]] },
		});
		test(`${name}, cut at every byte by a fragment and a ping`,
		    async (t) => {
			const raw = await server.raw(t);

			for (let at = 0; at <= bytes.length; at++) {
				raw.send(Frame.encode(TEXT, bytes.subarray(0, at),
				    { fin: false }), Frame.encode(PING, `${at}`));
				await assertFrame(raw, PONG, `${at}`);
				raw.send(Frame.encode(CONTINUATION,
				    bytes.subarray(at)));
				await assertFrame(raw, TEXT, bytes);
			}
			await raw.close();
		    });
	}

	test("every code point there is", async (t) => {
		const raw = await server.raw(t);
		const points = [];

		for (let point = 0; point <= 0x10ffff; point++)
			if (point < 0xd800 || point > 0xdfff)
				points.push(point);
		for (let at = 0; at < points.length; at += 10_000) {
			const text = String.fromCodePoint(
			    ...points.slice(at, at + 10_000));

			raw.send(Frame.encode(TEXT, text));
			await assertFrame(raw, TEXT, text);
		}
		await raw.close();
	});
});

withBoth("8.1 text that is not, fails at its first bad byte", (server) => {
	for (const [name, [bytes, bad]] of Object.entries(INVALID)) {
		const upTo = Buffer.from(bytes.slice(0, bad + 1));

		table(server, {
			[`${name}, whole`]: {
				send: [Frame.encode(TEXT, Buffer.from(bytes))],
				close: 1007 },
			[`${name}, as the last fragment`]: {
				send: [Frame.encode(TEXT, "é", { fin: false }),
					Frame.encode(CONTINUATION, Buffer.from(bytes))],
				close: 1007 },
			[`${name}, a fragment for each byte`]: {
				send: [Frame.encode(TEXT, "", { fin: false }),
					...[...upTo].map((byte) => Frame.encode(
					    CONTINUATION, Buffer.of(byte),
					    { fin: false }))],
				close: 1007 },
			[`${name}, with the frame's end still to come`]: {
				send: [Frame.encode(TEXT, upTo, { claim: 5000 })],
				close: 1007 },
			[`${name}, the same in a continuation`]: {
				send: [Frame.encode(TEXT, "é", { fin: false }),
					Frame.encode(CONTINUATION, upTo,
					    { claim: 65000, fin: false })],
				close: 1007 },
		}, ["at once", "byte by byte"]);

		test(`${name}: not before`, async (t) => {
			const raw = await server.raw(t);

			raw.send(Frame.encode(TEXT, Buffer.from(bytes.slice(0, bad)),
			    { fin: false }), Frame.encode(PING, "so far"));
			await assertFrame(raw, PONG, "so far");
			raw.send(Frame.encode(CONTINUATION, Buffer.of(bytes[bad]),
			    { fin: false }));
			assert.equal((await raw.closing()).code, 1007);
		});
	}
});

withBoth("8.1 text that ends inside a character", (server) => {
	for (const [name, bytes] of Object.entries(CUT))
		table(server, {
			[`${name}`]: {
				send: [Frame.encode(TEXT, Buffer.from(bytes))],
				close: 1007 },
			[`${name}, with an empty last fragment`]: {
				send: [Frame.encode(TEXT, Buffer.from(bytes),
				    { fin: false }), Frame.encode(CONTINUATION)],
				close: 1007 },
		});
});

withEcho("8.1 a new message begins with a new character", (server) => {
	table(server, {
		"a continuation does not complete the one before": {
			send: [Frame.encode(TEXT, "ok"),
				Frame.encode(TEXT, Buffer.of(0x82, 0xac))],
			expect: [[TEXT, "ok"]], close: 1007 },
		"a ping's bytes are no part of it": {
			send: [Frame.encode(TEXT, Buffer.of(0xe2), { fin: false }),
				Frame.encode(PING, Buffer.of(0xff)),
				Frame.encode(CONTINUATION, Buffer.of(0x82, 0xac))],
			expect: [[PONG, Buffer.of(0xff)], [TEXT, "€"]] },
	});
});
