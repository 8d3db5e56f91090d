// SPDX-License-Identifier: MIT
/*
 * conformance-deflate.test.mjs - RFC 7692: permessage-deflate, its negotiation,
 * and messages of all sizes, in all parts and with all parameters.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { constants } from "node:zlib";

import {
	BINARY, CLOSE, CONTINUATION, MIB, PING, PONG, TEXT, assertAlive,
	assertFrame, fragments, noise, withBoth, withEcho,
} from "./conformance.mjs";
import {
	AGREED, PMD, RSV1, agreedOn, assertMessage, deflate, offering, packed, prose,
} from "./deflate.mjs";
import { Frame, Raw, Server } from "./support.mjs";

/* A compressed message in fragments. */
function packedFragments(opcode, payload, ...lengths) {
	const frames = fragments(opcode, deflate(payload), ...lengths);

	frames[0][0] |= RSV1 << 4;
	return frames;
}

const open = async (server, t, offers = PMD) => {
	const raw = await server.raw(t, offering(offers));

	assert.ok(agreedOn(raw)?.startsWith(AGREED));
	return raw;
};

const on = ["--compress", "0"];

withEcho("7.1 what is offered, and the answer", (server) => {
	for (const [offers, answer] of [
		[PMD, AGREED],
		[`${PMD}; client_max_window_bits`, AGREED],
		[`${PMD}; server_max_window_bits=15`,
			`${AGREED}; server_max_window_bits=12`],
		[`${PMD}; server_max_window_bits=9`,
			`${AGREED}; server_max_window_bits=9`],
		[`${PMD}; unknown, x-other, ${PMD}`, AGREED],
		[`${PMD}; server_max_window_bits=7`, undefined],
		[`${PMD}; server_max_window_bits`, undefined],
		[`${PMD}; client_max_window_bits; client_max_window_bits`,
			undefined],
		[`${PMD};`, undefined],
		["x-webkit-deflate-frame", undefined],
		["=;\"", undefined]])
		test(`${offers}: ${answer ? "accepted" : "declined"}`,
		    async (t) => {
			    const raw = await server.raw(t, offering(offers));

			    assert.equal(agreedOn(raw), answer);
			    raw.send(Frame.encode(TEXT, "hello"));
			    await assertFrame(raw, TEXT, "hello");
			    await raw.close();
		    });

	test("nothing is agreed on with who offers nothing", async (t) => {
		const raw = await server.raw(t);

		assert.equal(agreedOn(raw), undefined);
		raw.send(packed(TEXT, "hello"));
		assert.equal((await raw.closing()).code, 1002);
	});
}, ...on);

withEcho("without --compress", (server) => {
	test("nothing is agreed on", async (t) => {
		const raw = await server.raw(t, offering(PMD));

		assert.equal(agreedOn(raw), undefined);
		raw.send(packed(TEXT, "hello"));
		assert.equal((await raw.closing()).code, 1002);
	});
});

/* Every set of parameters that a client may send: none, a bare name or a value
 * for each window, and either context. */
function offersOfAllKinds() {
	const contexts = ["", "; server_no_context_takeover",
		"; client_no_context_takeover",
		"; server_no_context_takeover; client_no_context_takeover"];
	const servers = ["", 8, 9, 10, 11, 12, 13, 14, 15].map((bits) =>
		bits && `; server_max_window_bits=${bits}`);
	const clients = ["", "; client_max_window_bits",
		"; client_max_window_bits=9", "; client_max_window_bits=15"];

	return contexts.flatMap((context) => servers.flatMap((ours) =>
		clients.map((theirs) => `${PMD}${context}${ours}${theirs}`)));
}

const bitsOf = (side, offers) =>
	Number(new RegExp(`${side}_max_window_bits=(\\d+)`, "u")
	    .exec(offers)?.[1] ?? 15);

withEcho("7.1 all parameters, each by itself and together", (server) => {
	test("a message comes back, whatever was offered", async (t) => {
		for (const offers of offersOfAllKinds()) {
			const raw = await open(server, t, offers);
			const bits = bitsOf("server", offers);
			const windowBits = bitsOf("client", offers);
			const answer = offers.includes("server_max_window_bits") ?
				`; server_max_window_bits=${Math.min(bits, 12)}` : "";

			assert.equal(agreedOn(raw), AGREED + answer);
			for (const length of [16, 1000, 40_000]) {
				const text = prose(length);

				raw.send(packed(BINARY, text, { windowBits }));
				assert.equal(
				    await assertMessage(raw, BINARY, text, bits),
				    length > 16 && bits >= 12, offers);
			}
			await raw.close();
		}
	});
}, ...on);

withEcho("12, messages of all sizes", (server) => {
	const sizes = [0, 1, 16, 64, 125, 126, 127, 256, 1024, 4095, 4096, 4097,
		8192, 16_384, 32_768, 65_535, 65_536, 131_072, MIB, 16 * MIB];

	for (const length of sizes)
		test(`${length} bytes`, async (t) => {
			const raw = await open(server, t);
			const many = length > 131_072 ? 1 : 20;

			for (let i = 0; i < many; i++) {
				const text = prose(length);

				raw.send(packed(BINARY, text));
				const was = await assertMessage(raw, BINARY, text);

				assert.equal(was, length >= 64);
			}
			await raw.close();
		});

	for (const length of sizes)
		test(`${length} bytes in fragments`, async (t) => {
			const raw = await open(server, t);
			const text = prose(length);

			raw.send(...packedFragments(BINARY, text, 1, 100, 5000));
			await assertMessage(raw, BINARY, text);
			await raw.close();
		});

	test("a thousand, compressed and not, in turn", async (t) => {
		const raw = await open(server, t);

		for (let i = 0; i < 1000; i++)
			raw.send(i % 2 ? Frame.encode(TEXT, `${i} ${"x".repeat(i)}`) :
				packed(TEXT, `${i} ${"x".repeat(i)}`));
		for (let i = 0; i < 1000; i++)
			await assertMessage(raw, TEXT, `${i} ${"x".repeat(i)}`);
		await raw.close();
	});

	test("what becomes larger is sent as it is, and taken so", async (t) => {
		const raw = await open(server, t);

		for (const length of [10, 1000, 100_000, 4 * MIB]) {
			const data = noise(length, length);

			assert.ok(deflate(data).length >= length);
			raw.send(packed(BINARY, data));
			assert.equal(await assertMessage(raw, BINARY, data), false);
		}
		await raw.close();
	});

	test("at each level and by each strategy", async (t) => {
		const raw = await open(server, t);
		const text = prose(30_000);

		for (let level = 0; level <= 9; level++)
			for (const strategy of [constants.Z_DEFAULT_STRATEGY,
				constants.Z_HUFFMAN_ONLY, constants.Z_RLE,
				constants.Z_FIXED]) {
				raw.send(packed(BINARY, text,
				    { level, strategy, memLevel: 1 + level % 9 }));
				await assertMessage(raw, BINARY, text);
			}
		await raw.close();
	});
}, ...on);

const HELLO = Buffer.of(0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00);
const compressed = (bytes, options) =>
	Frame.encode(TEXT, Buffer.from(bytes), { rsv: RSV1, ...options });

withEcho("7.2.3 examples, and what else is DEFLATE", (server) => {
	for (const [name, ...frames] of [
		["one frame", compressed(HELLO)],
		["two frames", compressed(HELLO.subarray(0, 3), { fin: false }),
			Frame.encode(CONTINUATION, HELLO.subarray(3))],
		["three, one of them empty",
			compressed("", { fin: false }),
			Frame.encode(CONTINUATION, HELLO, { fin: false }),
			Frame.encode(CONTINUATION, "")],
		["a block that is not compressed", compressed([0x00, 0x05, 0x00,
			0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00])],
		["a block with BFINAL", compressed([0xf3, 0x48, 0xcd, 0xc9, 0xc9,
			0x07, 0x00, 0x00])],
		["two blocks", compressed([0xf2, 0x48, 0x05, 0x00, 0x00, 0x00,
			0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00])],
	])
		test(name, async (t) => {
			const raw = await open(server, t);

			raw.send(...frames);
			await assertMessage(raw, TEXT, "Hello");
			await assertAlive(raw);
			await raw.close();
		});

	test("empty messages", async (t) => {
		const raw = await open(server, t);

		raw.send(compressed([0x00]), compressed([]),
		    Frame.encode(TEXT, ""));
		for (let i = 0; i < 3; i++)
			assert.equal(await assertMessage(raw, TEXT, ""), false);
		await raw.close();
	});

	test("a ping among the fragments is answered first", async (t) => {
		const raw = await open(server, t);

		raw.send(compressed(HELLO.subarray(0, 3), { fin: false }),
		    Frame.encode(PING, "p"),
		    Frame.encode(CONTINUATION, HELLO.subarray(3)));
		await assertFrame(raw, PONG, "p");
		await assertMessage(raw, TEXT, "Hello");
		await raw.close();
	});

	test("UTF-8 is that of the text", async (t) => {
		const raw = await open(server, t);
		const text = Buffer.from("κόσμε ".repeat(100));

		raw.send(...packedFragments(TEXT, text, 1));
		assert.equal(await assertMessage(raw, TEXT, text), true);
		raw.send(packed(TEXT, text.subarray(1)));
		assert.equal((await raw.closing()).code, 1007);
	});
}, ...on);

/* The same against pubsubd, where none of it may become a message. */
withBoth("6, 7.2 what is none", (server) => {
	const refused = (name, code, ...send) =>
		test(name, async (t) => {
			const raw = await open(server, t);

			raw.send(...send);
			const closing = await raw.closing();

			assert.equal(closing.code, code, closing.reason);
		});

	refused("a compressed ping", 1002,
	    Frame.encode(PING, HELLO, { rsv: RSV1 }));
	refused("a compressed pong", 1002,
	    Frame.encode(PONG, HELLO, { rsv: RSV1 }));
	refused("a compressed close", 1002,
	    Frame.encode(CLOSE, "", { rsv: RSV1 }));
	refused("the bit on a continuation", 1002,
	    compressed(HELLO.subarray(0, 3), { fin: false }),
	    Frame.encode(CONTINUATION, HELLO.subarray(3), { rsv: RSV1 }));
	refused("the bit on a continuation only", 1002,
	    Frame.encode(TEXT, "", { fin: false }),
	    Frame.encode(CONTINUATION, HELLO, { rsv: RSV1 }));
	for (const rsv of [1, 2, 3, 5, 6, 7])
		refused(`reserved bits ${rsv.toString(2)}`, 1002,
		    compressed(HELLO, { rsv }));
	refused("no DEFLATE data", 1007, compressed("Hello"));
	refused("a reserved type of block", 1007, compressed([0x06]));
	refused("a message cut off", 1007, compressed(HELLO.subarray(0, 5)));
	refused("a distance before its beginning", 1007,
	    compressed([0x03, 0x02, 0x00]));
	refused("text that is no UTF-8", 1007,
	    packed(TEXT, Buffer.alloc(100, 0xc3)));
}, ...on);

withEcho("--max-message", (server) => {
	const LIMIT = 4096;

	for (const [name, length, code] of [["fits", LIMIT, 0],
		["one byte too long", LIMIT + 1, 1009], ["1 MiB", MIB, 1009],
		["64 MiB", 64 * MIB, 1009]])
		test(`a text that ${code ? "is too long" : "fits"}: ${name}`,
		    async (t) => {
			    const raw = await open(server, t);
			    const zeros = Buffer.alloc(length);

			    raw.send(packed(BINARY, zeros, { level: 9 }));
			    if (code === 0) {
				    await assertMessage(raw, BINARY, zeros);
				    await raw.close();
				    return;
			    }
			    const closing = await raw.closing();

			    assert.equal(closing.code, code);
			    assert.match(closing.reason, /over 4096 bytes/u);
		    });

	test("what cannot become that short is refused by its header",
	    async (t) => {
		    const raw = await open(server, t);

		    raw.send(Frame.encode(BINARY, "x",
			{ rsv: RSV1, claim: LIMIT + LIMIT / 16 + 65 }));
		    assert.equal((await raw.closing()).code, 1009);
	    });
}, ...on, "--max-message", "4096");

describe("only from --compress BYTES on", () => {
	test("what is shorter is sent as it is", async (t) => {
		const server = await Server.start(t,
		    ["--workers", "1", "--compress", "512"]);
		const raw = await Raw.open(server.port, "/ws?topic=x",
		    { t, ...offering(PMD) });

		for (const length of [100, 511, 512, 600]) {
			const text = "x".repeat(length);

			raw.send(Frame.message("x", text));
			assert.equal(await assertMessage(raw, TEXT, text),
			    length >= 512);
		}
		await raw.close();
	});
});
