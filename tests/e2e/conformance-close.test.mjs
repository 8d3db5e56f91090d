// SPDX-License-Identifier: MIT
/*
 * conformance-close.test.mjs - RFC 6455, sections 5.5.1 and 7: the closing
 * handshake, its codes and its reasons.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
	BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, table, withBoth, withEcho,
} from "./conformance.mjs";
import { Frame } from "./support.mjs";

/* A close frame with these bytes behind its code. */
const close = (code, ...reason) => Frame.encode(CLOSE,
    Buffer.from([code >> 8, code & 0xff, ...reason]));

/* Section 7.4: what may stand in a close frame, and what may not.  1012 to 1014
 * are in IANA's registry, 3000 and up are for libraries and applications. */
const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013,
	1014, 3000, 3001, 3999, 4000, 4001, 4999];
const INVALID = [0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000,
	2999, 5000, 9999, 65535];

withBoth("7.4 close codes", (server) => {
	for (const code of VALID)
		table(server, {
			[`${code} is answered by itself`]: {
				send: [Frame.close(code)], close: code },
			[`${code} with a reason, too`]: {
				send: [Frame.close(code, "so long")], close: code },
		}, ["at once", "byte by byte"]);
	for (const code of INVALID)
		table(server, {
			[`${code} is refused`]: {
				send: [Frame.close(code)], close: 1002 },
			[`${code} is refused with a reason, too`]: {
				send: [Frame.close(code, "so long")], close: 1002 },
		}, ["at once", "byte by byte"]);

	test("every code from 1000 to 1100 is one or the other", async (t) => {
		for (let code = 1000; code <= 1100; code++) {
			const raw = await server.raw(t);

			raw.send(Frame.close(code));
			assert.equal((await raw.closing()).code,
			    VALID.includes(code) ? code : 1002);
		}
	});
});

withBoth("5.5.1 the close frame's payload", (server) => {
	table(server, {
		"none: none comes back": {
			send: [Frame.encode(CLOSE)], close: 1005 },
		"one byte": { send: [Frame.encode(CLOSE, "x")], close: 1002 },
		"one byte that could begin a code": {
			send: [Frame.encode(CLOSE, Buffer.of(3))], close: 1002 },
		"the longest reason": {
			send: [Frame.close(1000, "x".repeat(123))], close: 1000 },
		"a reason too long": {
			send: [Frame.close(1000, "x".repeat(124))], close: 1002 },
		"a reason in other letters": {
			send: [Frame.close(1000, "κόσμε 😀")], close: 1000 },
		"a reason that is no UTF-8": {
			send: [close(1000, 0xff)], close: 1007 },
		"a reason cut off inside a character": {
			send: [close(1000, 0x61, 0xe2, 0x82)], close: 1007 },
		"a reason with an overlong form": {
			send: [close(1000, 0xc0, 0xaf)], close: 1007 },
		"a reason with a surrogate": {
			send: [close(1000, 0xed, 0xa0, 0x80)], close: 1007 },
		"a reason beyond Unicode": {
			send: [close(1000, 0xf4, 0x90, 0x80, 0x80)], close: 1007 },
		"a bad code and a bad reason: the code is judged": {
			send: [close(1006, 0xff)], close: 1002 },
	});
});

withBoth("7.1 the closing handshake", (server) => {
	const bye = Frame.close(1001);

	table(server, {
		"of two close frames the first counts": {
			send: [bye, Frame.close(1000)], close: 1001 },
		"what follows it is no longer looked at": {
			send: [bye, Frame.encode(TEXT, "x"), Frame.encode(PING, "x"),
				Frame.encode(3, "x"), Buffer.of(0xff, 0xff)],
			close: 1001 },
		"in the middle of a message": {
			send: [Frame.encode(TEXT, "x", { fin: false }), bye],
			close: 1001 },
		"behind bad frames it comes too late": {
			send: [Frame.encode(CONTINUATION, "x"), bye], close: 1002 },
	});

	test("a frame that is cut off by the end of the stream", async (t) => {
		const raw = await server.raw(t);

		raw.send(Frame.encode(TEXT, "half a message").subarray(0, 9));
		raw.finish();
		await raw.end();
	});

	test("the end of the stream without a close frame", async (t) => {
		const raw = await server.raw(t);

		raw.finish();
		await raw.end();
	});

	test("the server ends the stream, and does not wait for us",
	    async (t) => {
		const raw = await server.raw(t);

		raw.send(bye);
		assert.equal((await raw.frame()).code, 1001);
		await raw.end();
		assert.equal(raw.error, null);
	    });

	test("what we still send meanwhile is no reset", async (t) => {
		const raw = await server.raw(t);

		raw.send(Frame.encode(TEXT, "x", { rsv: 1 }),
		    Buffer.alloc(1 << 20));
		assert.equal((await raw.closing()).code, 1002);
	});
});

withEcho("7.1 what came before the close frame is answered", (server) => {
	const text = "x".repeat(300_000);

	table(server, {
		"a message": {
			send: [Frame.encode(TEXT, "last"), Frame.close(1000)],
			expect: [[TEXT, "last"]], close: 1000 },
		"a hundred": {
			send: [...Array(100).fill(Frame.encode(BINARY, "x")),
				Frame.close(3000)],
			expect: Array(100).fill([BINARY, "x"]), close: 3000 },
	});
	table(server, {
		"a big one, and a ping": {
			send: [Frame.encode(TEXT, text), Frame.encode(PING, "p"),
				Frame.close(1000)],
			expect: [[TEXT, text], [PONG, "p"]], close: 1000 },
	}, ["at once", "frame by frame"]);
});

withEcho("7.2 the server goes away", (server) => {
	test("with 1001, between two messages", async (t) => {
		const raw = await server.raw(t);

		raw.send(Frame.encode(TEXT, "x"));
		assert.equal(await raw.text(), "x");
		server.child.kill("SIGTERM");
		assert.equal((await raw.closing()).code, 1001);
		assert.equal((await server.exited).code, 0);
	});
});
