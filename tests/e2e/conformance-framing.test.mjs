// SPDX-License-Identifier: MIT
/*
 * conformance-framing.test.mjs - RFC 6455, sections 5.2, 5.3 and 5.6: lengths,
 * reserved bits, opcodes, masks.
 *
 * A length that is not written in its shortest form is refused: section 5.2
 * says that the minimal number of bytes MUST be used.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
	BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, assertAlive, assertFrame,
	fragments, noise, pieces, table, withBoth, withEcho,
} from "./conformance.mjs";
import { Frame, Raw } from "./support.mjs";

const KINDS = { text: TEXT, binary: BINARY };

/* Those on either side of every change of the length's form, and of the sizes
 * that the server reads by. */
const LENGTHS = [0, 1, 2, 124, 125, 126, 127, 128, 4095, 4096, 4097, 65534,
	65535, 65536, 65537, 131072];

const payload = (opcode, length) => opcode === TEXT ?
	Buffer.alloc(length, "*") : noise(length, length + 1);

withEcho("5.2 payload length", (server) => {
	for (const [kind, opcode] of Object.entries(KINDS))
		for (const length of LENGTHS)
			test(`${kind} of ${length} bytes`, async (t) => {
				const raw = await server.raw(t);
				const data = payload(opcode, length);

				raw.send(Frame.encode(opcode, data));
				await assertFrame(raw, opcode, data);
				await assertAlive(raw);
				await raw.close();
			});

	for (const chop of [[997], [1, 2000], [4096], [65535, 1]])
		for (const [kind, opcode] of Object.entries(KINDS))
			test(`${kind} of 65536 bytes in pieces of ${chop}`,
			    async (t) => {
				const raw = await server.raw(t);
				const data = payload(opcode, 65536);

				for (const piece of pieces(
				    Frame.encode(opcode, data), ...chop))
					await raw.sendWhole(piece);
				await assertFrame(raw, opcode, data);
				await raw.close();
			    });

	test("the answer's length is written in its shortest form", async (t) => {
		const raw = await server.raw(t);

		for (const [length, head] of [[125, 2], [126, 4], [65535, 4],
			[65536, 10]]) {
			raw.send(Frame.encode(BINARY, Buffer.alloc(length)));
			assert.equal((await raw.frame()).size, head + length);
		}
	});

	test("as many frames in one write as fit", async (t) => {
		const raw = await server.raw(t);
		const texts = Array.from({ length: 2000 }, (_, i) => `${i}`);

		raw.send(...texts.map((text) => Frame.encode(TEXT, text)));
		for (const text of texts)
			await assertFrame(raw, TEXT, text);
		await raw.close();
	});
});

withBoth("5.2 lengths that no frame may have", (server) => {
	const claimed = (...bytes) => [Buffer.from([0x82, ...bytes,
		1, 2, 3, 4, 5])];

	table(server, {
		"0 in 16 bits": {
			send: [Frame.encode(BINARY, "", { wide: 2 })], close: 1002 },
		"125 in 16 bits": {
			send: [Frame.encode(BINARY, Buffer.alloc(125),
			    { wide: 2 })], close: 1002 },
		"0 in 64 bits": {
			send: [Frame.encode(BINARY, "", { wide: 8 })], close: 1002 },
		"126 in 64 bits": {
			send: [Frame.encode(BINARY, Buffer.alloc(126),
			    { wide: 8 })], close: 1002 },
		"65535 in 64 bits": {
			send: claimed(0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff),
			close: 1002 },
		"the highest bit set": {
			send: claimed(0xff, 0x80, 0, 0, 0, 0, 0, 0, 1),
			close: 1002 },
		"all bits set": {
			send: claimed(0xff, ...Array(8).fill(0xff)), close: 1002 },
	});
});

withBoth("5.2 reserved bits", (server) => {
	for (const rsv of [1, 2, 3, 4, 5, 6, 7])
		table(server, {
			[`${rsv} on a text`]: {
				send: [Frame.encode(TEXT, "x", { rsv })],
				close: 1002 },
			[`${rsv} on an empty text`]: {
				send: [Frame.encode(TEXT, "", { rsv })],
				close: 1002 },
			[`${rsv} on a binary`]: {
				send: [Frame.encode(BINARY, "x", { rsv })],
				close: 1002 },
			[`${rsv} on a ping`]: {
				send: [Frame.encode(PING, "x", { rsv })],
				close: 1002 },
			[`${rsv} on a pong`]: {
				send: [Frame.encode(PONG, "", { rsv })],
				close: 1002 },
			[`${rsv} on a close`]: {
				send: [Frame.close(1000, "", { rsv })], close: 1002 },
			[`${rsv} on a continuation`]: {
				send: [Frame.encode(TEXT, "x", { fin: false }),
					Frame.encode(CONTINUATION, "y", { rsv })],
				close: 1002 },
		}, ["at once", "byte by byte"]);
});

withBoth("5.2 reserved opcodes", (server) => {
	for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
		table(server, {
			[`${opcode}`]: {
				send: [Frame.encode(opcode, "x")], close: 1002 },
			[`${opcode} without payload`]: {
				send: [Frame.encode(opcode)], close: 1002 },
			[`${opcode} inside a message`]: {
				send: [Frame.encode(TEXT, "x", { fin: false }),
					Frame.encode(opcode, "y")], close: 1002 },
		}, ["at once", "byte by byte"]);
});

withEcho("5.2 what came before a bad frame is answered", (server) => {
	const good = [Frame.encode(TEXT, "first"), Frame.encode(PING, "second")];
	const expect = [[TEXT, "first"], [PONG, "second"]];
	const after = [Frame.encode(TEXT, "never"), Frame.encode(PING, "never")];

	table(server, {
		"reserved bits": {
			send: [...good, Frame.encode(TEXT, "x", { rsv: 5 }), ...after],
			expect, close: 1002 },
		"a reserved opcode": {
			send: [...good, Frame.encode(5, "x"), ...after],
			expect, close: 1002 },
		"a reserved control opcode": {
			send: [...good, Frame.encode(12), ...after],
			expect, close: 1002 },
		"no mask": {
			send: [...good, Frame.encode(TEXT, "x", { mask: null }),
				...after],
			expect, close: 1002 },
	}, ["at once", "byte by byte"]);
});

withBoth("5.1 frames without a mask", (server) => {
	const mask = null;

	table(server, {
		"text": { send: [Frame.encode(TEXT, "x", { mask })], close: 1002 },
		"an empty text": {
			send: [Frame.encode(TEXT, "", { mask })], close: 1002 },
		"binary": { send: [Frame.encode(BINARY, "x", { mask })], close: 1002 },
		"a continuation": {
			send: [Frame.encode(TEXT, "x", { fin: false }),
				Frame.encode(CONTINUATION, "y", { mask })],
			close: 1002 },
		"ping": { send: [Frame.encode(PING, "", { mask })], close: 1002 },
		"pong": { send: [Frame.encode(PONG, "x", { mask })], close: 1002 },
		"close": { send: [Frame.encode(CLOSE, "", { mask })], close: 1002 },
	});
});

withEcho("5.3 masks", (server) => {
	const masks = { "zeros": [0, 0, 0, 0], "ones": [255, 255, 255, 255],
		"one bit": [0, 0, 0, 1], "any": [0x37, 0xfa, 0x21, 0x3d] };

	for (const [name, mask] of Object.entries(masks))
		test(`of ${name}, with every length up to 40`, async (t) => {
			const raw = await server.raw(t);

			for (let length = 0; length <= 40; length++) {
				const data = noise(length, 7);

				raw.send(Frame.encode(BINARY, data,
				    { mask: Buffer.from(mask) }));
				await assertFrame(raw, BINARY, data);
			}
			await raw.close();
		});

	test("each fragment has its own, and begins with its first byte",
	    async (t) => {
		const raw = await server.raw(t);
		const data = noise(1000, 3);

		for (const length of [1, 2, 3, 5, 7])
			for (const frame of fragments(BINARY, data, length))
				raw.send(frame);
		for (let i = 0; i < 5; i++)
			await assertFrame(raw, BINARY, data);
		await raw.close();
	    });
});

withEcho("5.6 what is text stays text", (server) => {
	table(server, {
		"text": { send: [Frame.encode(TEXT, "{\"a\":1}")],
			expect: [[TEXT, "{\"a\":1}"]] },
		"binary": { send: [Frame.encode(BINARY, "{\"a\":1}")],
			expect: [[BINARY, "{\"a\":1}"]] },
		"binary that is no UTF-8": {
			send: [Frame.encode(BINARY, Buffer.of(0xff, 0xc0, 0))],
			expect: [[BINARY, Buffer.of(0xff, 0xc0, 0)]] },
		"NUL bytes in a text": {
			send: [Frame.encode(TEXT, "a\0b\0")],
			expect: [[TEXT, "a\0b\0"]] },
	});

	test("behind the handshake, in the same write", async (t) => {
		const raw = await Raw.connect(server.port, { t });

		raw.send("GET /ws HTTP/1.1\r\nHost: localhost\r\n" +
		    "Upgrade: websocket\r\nConnection: Upgrade\r\n" +
		    "Sec-WebSocket-Version: 13\r\n" +
		    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		    Frame.encode(TEXT, "early"), Frame.encode(PING, "too"));
		assert.equal((await raw.head()).status, 101);
		await assertFrame(raw, TEXT, "early");
		await assertFrame(raw, PONG, "too");
	});
});
