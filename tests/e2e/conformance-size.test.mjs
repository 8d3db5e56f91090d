// SPDX-License-Identifier: MIT
/*
 * conformance-size.test.mjs - RFC 6455, sections 5.4 and 10.4: messages of 16
 * MiB in any pieces, limits, the order of many messages, and what they cost.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
	BINARY, CONTINUATION, MIB, PING, PONG, TEXT, assertAlive, assertFrame,
	fragments, noise, pieces, withEcho,
} from "./conformance.mjs";
import { Frame, waitFor } from "./support.mjs";

const LARGEST = 16 * MIB;

/* Four bytes a character, so that pieces of any other length cut them. */
const text = Buffer.alloc(LARGEST, "😀é汉abc");
const binary = noise(LARGEST, 16);

/* A message in fragments of `length' bytes, all with the same mask, as one
 * buffer: there may be millions of them. */
function cut(opcode, payload, length) {
	const whole = Math.floor((payload.length - 1) / length);
	const [first, rest] = [payload.subarray(0, length),
		payload.subarray(whole * length)];
	const mask = Buffer.of(0, 0, 0, 0);
	const header = Frame.encode(CONTINUATION, first, { mask, fin: false })
	    .subarray(0, -length);
	const end = Frame.encode(CONTINUATION, rest, { mask });
	const step = header.length + length;
	const out = Buffer.allocUnsafe(whole * step + end.length);

	for (let i = 0; i < whole; i++) {
		out.set(header, i * step);
		for (let k = 0; k < length; k++)
			out[i * step + header.length + k] =
			    payload[i * length + k];
	}
	out.set(end, whole * step);
	out[0] |= opcode;
	return out;
}

/* Send what takes the server a while, and see it make progress. */
async function sendLong(raw, bytes) {
	for (const piece of pieces(bytes, MIB))
		await raw.sendWhole(piece);
}

withEcho("5.2 16 MiB in one frame", (server) => {
	for (const [kind, opcode, data] of [["text", TEXT, text],
		["binary", BINARY, binary]]) {
		const frame = Frame.encode(opcode, data);

		test(`${kind}, at once`, async (t) => {
			const raw = await server.raw(t);

			raw.send(frame);
			await assertFrame(raw, opcode, data);
			await assertAlive(raw);
			await raw.close();
		});

		for (const lengths of [[997], [65536], [1, 100_000, 3, 14, 4096]])
			test(`${kind}, in pieces of ${lengths}`, async (t) => {
				const raw = await server.raw(t);

				for (const piece of pieces(frame, ...lengths))
					await raw.sendWhole(piece);
				await assertFrame(raw, opcode, data);
				await raw.close();
			});
	}

	test("in fragments of any size, each with its own mask", async (t) => {
		const raw = await server.raw(t);
		const lengths = [1, 65536, 127, 40_000, 126, 3];

		raw.send(...fragments(BINARY, binary, ...lengths));
		await assertFrame(raw, BINARY, binary);
		await raw.close();
	});
}, "--max-message", "16M");

withEcho("5.4 16 MiB in fragments", (server) => {
	for (const [kind, opcode, data, lengths] of [
		["text", TEXT, text, [1, 64, 1024, 65535]],
		["binary", BINARY, binary, [3, 126, 4096, 65536]]])
		for (const length of lengths)
			test(`${kind} of ${length} bytes each`, async (t) => {
				const raw = await server.raw(t);

				await sendLong(raw, cut(opcode, data, length));
				await assertFrame(raw, opcode, data);
				await assertAlive(raw);
				await raw.close();
			});

	test("pings among them are answered while they come", async (t) => {
		const raw = await server.raw(t);
		const parts = fragments(BINARY, binary, MIB);

		for (const [i, part] of parts.entries()) {
			await raw.sendWhole(part.subarray(0, part.length - 1));
			raw.send(part.subarray(part.length - 1),
			    Frame.encode(PING, `${i}`));
			if (i === parts.length - 1)
				await assertFrame(raw, BINARY, binary);
			await assertFrame(raw, PONG, `${i}`);
		}
		await raw.close();
	});

	test("bad text at its very end", async (t) => {
		const raw = await server.raw(t);
		const bad = Buffer.from(text);

		bad[bad.length - 1] = 0xff;
		raw.send(cut(TEXT, bad, 65536));
		assert.equal((await raw.closing()).code, 1007);
	});

	test("bad text at its beginning fails before the rest has come",
	    async (t) => {
		const raw = await server.raw(t);

		raw.send(Frame.encode(TEXT, Buffer.of(0x61, 0xff),
		    { claim: LARGEST }));
		assert.equal((await raw.closing()).code, 1007);
	    });

	test("others are served meanwhile", async (t) => {
		const big = await server.raw(t);
		const small = await server.raw(t);
		const [first, ...rest] = pieces(Frame.encode(BINARY, binary),
		    5 * MIB);

		await big.sendWhole(first);
		for (const piece of rest) {
			small.send(Frame.encode(TEXT, "me, too"));
			await assertFrame(small, TEXT, "me, too");
			await big.sendWhole(piece);
		}
		await assertFrame(big, BINARY, binary);
	});
}, "--max-message", "16M");

withEcho("10.4 the largest message", (server) => {
	const most = 1000;

	for (const opcode of [TEXT, BINARY])
		test(`${opcode}: ${most} bytes, and one more`, async (t) => {
			const raw = await server.raw(t);
			const data = Buffer.alloc(most, "x");

			raw.send(Frame.encode(opcode, data));
			await assertFrame(raw, opcode, data);
			raw.send(...fragments(opcode, data, 1));
			await assertFrame(raw, opcode, data);
			raw.send(Frame.encode(opcode, Buffer.alloc(most + 1, "x")));
			assert.equal((await raw.closing()).code, 1009);
		});

	const refused = {
		"one byte too many, at its header": [
			Frame.encode(BINARY, "x", { claim: most + 1 })],
		"the largest length there is": [Buffer.from([0x82, 0xff, 0x7f,
			...Array(7).fill(0xff), 1, 2, 3, 4, 5])],
		"in the last fragment": [
			Frame.encode(TEXT, Buffer.alloc(most, "x"), { fin: false }),
			Frame.encode(CONTINUATION, "x")],
		"in fragments without end": Array(most + 2).fill(0).map((_, i) =>
			Frame.encode(i === 0 ? TEXT : CONTINUATION, "x",
			    { fin: false })),
	};

	for (const [name, frames] of Object.entries(refused))
		test(`${name}: 1009`, async (t) => {
			const raw = await server.raw(t);

			raw.send(...frames);
			assert.equal((await raw.closing()).code, 1009);
		});

	test("a ping counts for nothing, nor do empty fragments", async (t) => {
		const raw = await server.raw(t);
		const data = Buffer.alloc(most, "x");

		raw.send(Frame.encode(BINARY, data, { fin: false }),
		    Frame.encode(PING, "p"),
		    ...Array(2000).fill(
			Frame.encode(CONTINUATION, "", { fin: false })),
		    Frame.encode(CONTINUATION));
		await assertFrame(raw, PONG, "p");
		await assertFrame(raw, BINARY, data);
		await raw.close();
	});
}, "--max-message", "1000");

withEcho("5.4 many messages", (server) => {
	for (const size of [0, 16, 1000, 65536])
		test(`1000 of ${size} bytes come back in order`, async (t) => {
			const raw = await server.raw(t);
			const message = (i) => Buffer.concat([
				Buffer.from(`${i}:`), Buffer.alloc(size, "m")]);

			for (let i = 0; i < 1000; i++)
				raw.send(Frame.encode(BINARY, message(i)));
			for (let i = 0; i < 1000; i++)
				await assertFrame(raw, BINARY, message(i));
			await raw.close();
		});
});

withEcho("what a large message costs", (server) => {
	/* Bytes of the worker's memory that are in use. */
	async function resident() {
		const [pid] = await server.workers();
		const [, kib] = /^VmRSS:\s+(\d+) kB$/mu.exec(
		    readFileSync(`/proc/${pid}/status`, "utf8"));

		return Number(kib) * 1024;
	}

	/* A sanitizer keeps what was freed, to notice who still uses it. */
	const sanitized = readFileSync(server.program).includes("__asan_init");

	test("is given back to the system", { skip: sanitized }, async (t) => {
		const raw = await server.raw(t);
		const whole = Frame.encode(BINARY, binary);
		const parts = cut(BINARY, binary, 65536);
		const before = await resident();

		for (let i = 0; i < 3; i++) {
			raw.send(whole);
			await assertFrame(raw, BINARY, binary);
			raw.send(parts);
			await assertFrame(raw, BINARY, binary);
			await assertAlive(raw);
			assert.equal(await server.total("buffered_bytes"), 0);
			assert.equal(await server.total("parsers"), 0);
		}
		const after = await resident();

		assert.ok(after < before + 4 * MIB, `${before} became ${after}`);
		await raw.close();
	});

	test("stays within the bound while nobody reads the answer",
	    async (t) => {
		const raw = await server.raw(t);

		raw.socket.pause();
		raw.send(...Array(4).fill(Frame.encode(BINARY, binary)));
		await waitFor("the first answer", async () =>
			await server.total("buffered_bytes") > MIB);
		const waiting = await server.total("buffered_bytes");

		assert.ok(waiting <= LARGEST + 10, `${waiting} bytes wait`);
		raw.socket.resume();
		for (let i = 0; i < 4; i++)
			await assertFrame(raw, BINARY, binary);
		await assertAlive(raw);
		assert.equal(await server.total("buffered_bytes"), 0);
		await raw.close();
	    });
}, "--max-message", "16M");
