// SPDX-License-Identifier: MIT
/*
 * frames.test.mjs - RFC 6455 to the byte: frames whole and in pieces, control
 * frames in between, both ways to close, and everything that is forbidden.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Frame, Raw, Server } from "./support.mjs";

const { TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE } = Frame;

describe("frames", () => {
	const server = new Server();

	before(() => server.run());
	after(() => server.end());

	const open = (t, options) =>
		Raw.open(server.port, "/ws", { t, ...options });

	/* That these frames are answered by closing with that code. */
	async function refuses(t, frames, code, reason) {
		const raw = await open(t);

		raw.send(...frames);
		const closing = await raw.closing();

		assert.equal(closing.code, code, closing.reason);
		assert.match(closing.reason, reason);
	}

	describe("messages in pieces", () => {
		const whole = JSON.stringify({ topic: "p", message: "héllo 😀" });

		/* The message's bytes, cut into n fragments. */
		function fragments(n, opcode = TEXT) {
			const bytes = Buffer.from(whole);
			const step = Math.ceil(bytes.length / n);

			return Array.from({ length: n }, (_, i) => Frame.encode(
			    i === 0 ? opcode : CONTINUATION,
			    bytes.subarray(i * step, (i + 1) * step),
			    { fin: i === n - 1 }));
		}

		for (const n of [1, 2, 3, Buffer.byteLength(whole)])
			test(`${n} fragments`, async (t) => {
				const raw = await open(t);

				raw.send(...fragments(n));
				assert.equal(await raw.text(), "héllo 😀");
				raw.send(...fragments(n, BINARY));
				assert.equal(await raw.text(), "héllo 😀");
			});

		test("empty fragments", async (t) => {
			const raw = await open(t);

			raw.send(Frame.encode(TEXT, "", { fin: false }),
			    Frame.encode(CONTINUATION, whole, { fin: false }),
			    Frame.encode(CONTINUATION, "", { fin: false }),
			    Frame.encode(CONTINUATION, ""));
			assert.equal(await raw.text(), "héllo 😀");
		});

		test("pings between fragments are answered at once", async (t) => {
			const raw = await open(t);
			const pieces = fragments(4);

			for (const [i, piece] of pieces.entries()) {
				raw.send(Frame.encode(PING, `ping ${i}`));
				const pong = await raw.frame();

				assert.equal(pong.opcode, PONG);
				assert.equal(pong.text, `ping ${i}`);
				raw.send(piece, Frame.encode(PONG, "unasked for"));
			}
			assert.equal(await raw.text(), "héllo 😀");
		});

		test("byte by byte, the handshake too", async (t) => {
			const raw = await Raw.connect(server.port, { t });
			const ping = Frame.encode(PING, "x".repeat(125));

			await raw.sendSlowly("GET /ws HTTP/1.1\r\nHost: localhost\r\n" +
			    "Upgrade: websocket\r\nConnection: Upgrade\r\n" +
			    "Sec-WebSocket-Version: 13\r\n" +
			    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
			const { status, headers } = await raw.head();

			assert.equal(status, 101);
			assert.equal(headers.get("sec-websocket-accept"),
			    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
			await raw.sendSlowly(Buffer.concat([...fragments(3), ping]));
			/* If both are read in one turn of the server, the pong is
			 * written at once and the message when the turn ends. */
			const frames = [await raw.frame(), await raw.frame()]
				.sort((a, b) => a.opcode - b.opcode);

			assert.deepEqual(frames.map((frame) => frame.opcode),
			    [TEXT, PONG]);
			assert.equal(frames[0].text, "héllo 😀");
			assert.equal(frames[1].payload.length, 125);
		});

		test("many messages at once, behind the handshake", async (t) => {
			const raw = await Raw.connect(server.port, { t });
			const count = 500;

			raw.send("GET /ws HTTP/1.1\r\nHost: localhost\r\n" +
			    "Upgrade: websocket\r\nConnection: Upgrade\r\n" +
			    "Sec-WebSocket-Version: 13\r\n" +
			    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
			    ...Array.from({ length: count },
				(_, i) => Frame.message("many", `${i}`)));
			assert.equal((await raw.head()).status, 101);
			for (let i = 0; i < count; i++)
				assert.equal(await raw.text(), `${i}`);
		});

		for (const size of [0, 1, 125, 126, 127, 4095, 4096, 65534])
			test(`a text of ${size} bytes comes back`, async (t) => {
				const raw = await open(t);

				raw.send(Frame.message("size", "x".repeat(size)));
				assert.equal((await raw.text()).length, size);
			});
	});

	describe("ping", () => {
		for (const payload of ["", "x", "\0\xff binary", "x".repeat(125)])
			test(`of ${payload.length} bytes is echoed`, async (t) => {
				const raw = await open(t);

				raw.send(Frame.encode(PING, Buffer.from(payload, "latin1")));
				const pong = await raw.frame();

				assert.equal(pong.opcode, PONG);
				assert.equal(pong.payload.toString("latin1"), payload);
			});
	});

	describe("closing by the client", () => {
		for (const code of [1000, 1001, 1003, 1008, 1011, 1012, 3000, 4999])
			test(`${code} is echoed`, async (t) => {
				const raw = await open(t);

				raw.send(Frame.close(code, "so long"));
				assert.equal((await raw.closing()).code, code);
			});

		test("without a code, it is echoed without one", async (t) => {
			const raw = await open(t);

			raw.send(Frame.encode(CLOSE));
			assert.equal((await raw.closing()).payload.length, 0);
		});

		test("what was published before counts, nothing after", async (t) => {
			const witness = await open(t, {});
			const raw = await open(t);

			witness.send(Frame.message("c", "first"));
			assert.equal(await witness.text(), "first");
			raw.send(Frame.message("c", "before"), Frame.close(1000),
			    Frame.message("c", "after"), Frame.encode(PING, "?"));
			assert.equal(await witness.text(), "before");
			witness.send(Frame.message("c", "last"));
			assert.equal(await witness.text(), "last");
		});

		test("a half-closed socket: what was sent counts", async (t) => {
			const witness = await open(t);
			const raw = await open(t);

			witness.send(Frame.message("h", "first"));
			assert.equal(await witness.text(), "first");
			raw.send(Frame.message("h", "before the end"));
			raw.finish();
			assert.equal(await witness.text(), "before the end");
			await raw.end().catch(() => {}); /* it may get its own */
		});

		test("a reset: others go on", async (t) => {
			const witness = await open(t);
			const raw = await open(t);

			raw.send(Frame.message("h", "x"));
			await raw.text();
			raw.socket.resetAndDestroy();
			witness.send(Frame.message("h", "still here"));
			assert.equal(await witness.text(), "still here");
		});
	});

	describe("1002: what the protocol forbids", () => {
		const text = '{"topic":"x"}';
		const cases = {
			"a frame without mask": [
				[Frame.encode(TEXT, text, { mask: null })], /mask/u],
			"a ping without mask": [
				[Frame.encode(PING, "", { mask: null })], /mask/u],
			"a close without mask": [
				[Frame.close(1000, "", { mask: null })], /mask/u],
			"reserved bit 1": [
				[Frame.encode(TEXT, text, { rsv: 4 })], /reserved/u],
			"reserved bit 3": [
				[Frame.encode(TEXT, text, { rsv: 1 })], /reserved/u],
			"opcode 3": [[Frame.encode(3, text)], /opcode/u],
			"opcode 15": [[Frame.encode(15, text)], /opcode|length/u],
			"a continuation of nothing": [
				[Frame.encode(CONTINUATION, text)], /continuation/u],
			"a message inside another": [
				[Frame.encode(TEXT, text, { fin: false }),
					Frame.encode(TEXT, text)], /inside/u],
			"a ping in fragments": [
				[Frame.encode(PING, "x", { fin: false })], /protocol/u],
			"a ping of 126 bytes": [
				[Frame.encode(PING, "x".repeat(126))], /protocol/u],
			"a close of one byte": [
				[Frame.encode(CLOSE, "x")], /close/u],
			"a length of 64 bits, the highest one set": [
				[Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1,
					1, 2, 3, 4, 5])], /length/u],
			"a length not in its shortest form": [
				[Frame.encode(TEXT, text, { wide: 2 })], /length/u],
			"a length not in its shortest form, 64 bits": [
				[Frame.encode(TEXT, text, { wide: 8 })], /length/u],
		};

		for (const [name, [frames, reason]] of Object.entries(cases))
			test(name, (t) => refuses(t, frames, 1002, reason));
		for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000])
			test(`close code ${code}`, (t) => refuses(t,
			    [Frame.close(code)], 1002, new RegExp(code, "u")));
	});

	describe("1007: text that is no UTF-8", () => {
		const cases = {
			"a stray continuation": [0x80],
			"an overlong slash": [0xc0, 0xaf],
			"a surrogate": [0xed, 0xa0, 0x80],
			"beyond Unicode": [0xf4, 0x90, 0x80, 0x80],
			"cut off at the end": [0xe2, 0x82],
		};

		for (const [name, bytes] of Object.entries(cases))
			test(name, (t) => refuses(t,
			    [Frame.encode(TEXT, Buffer.from(bytes))], 1007, /UTF-8/u));
		test("in the first fragment, before the last has come",
		    (t) => refuses(t, [Frame.encode(TEXT, Buffer.of(0xff),
			{ fin: false })], 1007, /UTF-8/u));
		test("in a close reason", (t) => refuses(t,
		    [Frame.encode(CLOSE, Buffer.of(3, 232, 0xff))], 1007, /UTF-8/u));
		test("but not a character cut by fragments", async (t) => {
			const raw = await open(t);
			const bytes = Buffer.from('{"message":"€"}');
			const cut = bytes.indexOf(0x82);

			raw.send(Frame.encode(TEXT, bytes.subarray(0, cut),
			    { fin: false }));
			raw.send(Frame.encode(PING, "between"));
			assert.equal((await raw.frame()).text, "between");
			raw.send(Frame.encode(CONTINUATION, bytes.subarray(cut)));
			assert.equal(await raw.text(), "€");
		});
	});

	describe("1009: larger than allowed", () => {
		const part = "x".repeat(40_000);

		test("in one frame, at its header", (t) => refuses(t,
		    [Frame.encode(TEXT, "x", { claim: 70_000 })], 1009, /bytes/u));
		test("the largest length there is", (t) => refuses(t,
		    [Frame.encode(TEXT, "x", { claim: 2 ** 52 })], 1009, /bytes/u));
		test("in fragments", (t) => refuses(t,
		    [Frame.encode(TEXT, part, { fin: false }),
			    Frame.encode(CONTINUATION, part)], 1009, /bytes/u));
	});

	describe("subprotocols", () => {
		for (const offer of ["chat", "chat, superchat", "graphql-ws"])
			test(`${offer}: none is chosen`, async (t) => {
				const { handshake } = await open(t,
				    { headers: { "Sec-WebSocket-Protocol": offer } });

				assert.equal(handshake.headers
				    .has("sec-websocket-protocol"), false);
			});

		test("extensions: none is chosen", async (t) => {
			const { handshake } = await open(t, { headers: {
				"Sec-WebSocket-Extensions": "permessage-deflate" } });

			assert.equal(handshake.headers
			    .has("sec-websocket-extensions"), false);
		});
	});
});
