// SPDX-License-Identifier: MIT
/*
 * conformance.mjs - what the files of the conformance suite stand on.
 *
 * A case is what a client sends and what must come back:
 *
 *	send	frames, in order
 *	expect	frames that come back: [opcode, payload], ...
 *	close	the code of the close frame behind them; left out: none comes,
 *		the connection goes on and can be closed by us
 *
 * Nothing else may come back, and how the bytes are cut on their way must make
 * no difference, so every case is run once per cut.
 *
 *	conformance-handshake	sections 4, 9: the upgrade, no extensions
 *	conformance-framing	5.2, 5.3, 5.6: lengths, bits, opcodes, masks
 *	conformance-fragments	5.4, 5.5: fragments, pings and pongs among them
 *	conformance-close	5.5.1, 7: the closing handshake, its codes
 *	conformance-utf8	8.1: text that is none fails at its first bad byte
 *	conformance-deflate	RFC 7692: compressed messages
 *	conformance-size	5.4, 10.4: 16 MiB, limits, order, memory
 *	echo-server		the program that they run against
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ECHO_SERVER, Frame, Raw, Server } from "./support.mjs";

export const { TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE } = Frame;

export const MIB = 1024 * 1024;

/* A pseudo-random byte sequence, the same for the same seed. */
export function noise(length, seed = 1) {
	const bytes = Buffer.allocUnsafe(length);
	let x = seed >>> 0 || 1;

	for (let i = 0; i < length; i++) {
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		bytes[i] = x & 0xff;
	}
	return bytes;
}

/* Cut bytes into pieces of these many bytes each, cyclically. */
export function pieces(bytes, ...lengths) {
	const out = [];

	for (let at = 0, i = 0; at < bytes.length; i++) {
		const length = lengths[i % lengths.length];

		out.push(bytes.subarray(at, at + length));
		at += length;
	}
	return out;
}

/* A message in fragments of these many bytes each, cyclically. */
export function fragments(opcode, payload, ...lengths) {
	const parts = pieces(Buffer.from(payload), ...lengths);

	return parts.map((part, i) => Frame.encode(
	    i === 0 ? opcode : CONTINUATION, part,
	    { fin: i === parts.length - 1 }));
}

/* The ways that the bytes of a case take. */
const CUTS = {
	"at once": (raw, send) => raw.send(...send),
	"frame by frame": async (raw, send) => {
		for (const frame of send)
			await raw.sendWhole(frame);
	},
	"byte by byte": (raw, send) => raw.sendSlowly(Buffer.concat(send)),
};

/* That nothing has come that was not asked for, and the connection works. */
export async function assertAlive(raw) {
	raw.send(Frame.encode(PING, "alive?"));
	const pong = await raw.frame();

	assert.deepEqual([pong.opcode, pong.text], [PONG, "alive?"]);
}

/* The next frame must be this one, whole and without reserved bits. */
export async function assertFrame(raw, opcode, payload) {
	const frame = await raw.frame();
	const wanted = Buffer.from(payload);

	assert.equal(frame.opcode, opcode,
	    frame.opcode === CLOSE ? `${frame.code} ${frame.reason}` : "");
	assert.equal(frame.payload.length, wanted.length);
	assert.ok(frame.payload.equals(wanted), "the payload is another");
	assert.deepEqual([frame.fin, frame.rsv], [true, 0]);
}

/* Run a case on an open connection. */
async function play(raw, { expect = [], close }) {
	for (const [opcode, payload] of expect)
		await assertFrame(raw, opcode, payload);
	if (close !== undefined) {
		const closing = await raw.closing();

		assert.equal(closing.code, close, closing.reason);
	} else {
		await assertAlive(raw);
		await raw.close();
	}
}

/* Declare a table of cases as tests: each one with each cut. */
export function table(server, cases, cuts = Object.keys(CUTS)) {
	for (const [name, value] of Object.entries(cases))
		for (const cut of cuts)
			test(`${name}, ${cut}`, async (t) => {
				const raw = await server.raw(t);

				await CUTS[cut](raw, value.send);
				await play(raw, value);
			});
}

class Peer extends Server {
	/* A WebSocket that lasts as long as the test. */
	raw(t, options) {
		return Raw.open(this.port, "/ws", { t, ...options });
	}
}

/* A server for a group of tests. */
function serve(name, program, args, declare) {
	describe(name, () => {
		const server = new Peer(["--workers", "1",
			"--control-rate", "0", ...args], { program });

		before(() => server.run());
		after(() => server.end());
		declare(server);
	});
}

/* Declare tests against the echo server. */
export function withEcho(name, declare, ...args) {
	serve(`echo-server: ${name}`, ECHO_SERVER, ["--rate", "0", ...args],
	    declare);
}

/* Declare tests against both the echo server and pubsubd: of what is refused
 * before it could be a message. */
export function withBoth(name, declare, ...args) {
	withEcho(name, declare, ...args);
	serve(`pubsubd: ${name}`, undefined, args, declare);
}
