// SPDX-License-Identifier: MIT
/*
 * deflate.mjs - permessage-deflate (RFC 7692) as a client does it that a test
 * looks over the shoulder of.
 */

import assert from "node:assert/strict";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";

import { Frame } from "./raw.mjs";

export const RSV1 = 4;
export const PMD = "permessage-deflate";
export const AGREED = `${PMD}; server_no_context_takeover; ` +
    "client_no_context_takeover";

const TAIL = Buffer.of(0x00, 0x00, 0xff, 0xff);

/* Compress as a sender has to: section 7.2.1. */
export function deflate(payload, options = {}) {
	const bytes = deflateRawSync(Buffer.from(payload),
	    { finishFlush: constants.Z_SYNC_FLUSH, ...options });

	assert.ok(bytes.subarray(-4).equals(TAIL));
	return bytes.subarray(0, -4);
}

/* And back, as a client does that has no more than this window. */
export function inflate(payload, windowBits = 15) {
	return inflateRawSync(Buffer.concat([payload, TAIL]),
	    { finishFlush: constants.Z_SYNC_FLUSH, windowBits });
}

/* A compressed message in one frame.  options are zlib's. */
export function packed(opcode, payload, options) {
	return Frame.encode(opcode, deflate(payload, options), { rsv: RSV1 });
}

/* Options for Raw.open(): the handshake offers this. */
export const offering = (offers = PMD) =>
	({ headers: { "Sec-WebSocket-Extensions": offers } });

/* What was agreed on. */
export const agreedOn = (raw) =>
	raw.handshake.headers.get("sec-websocket-extensions");

/* The next message, which is this one in one frame, compressed or not.  Returns
 * whether it was. */
export async function assertMessage(raw, opcode, payload, windowBits) {
	const frame = await raw.message();
	const wanted = Buffer.from(payload);

	assert.equal(frame.opcode, opcode, frame.opcode === Frame.CLOSE ?
		`${frame.code} ${frame.reason}` : "");
	assert.equal(frame.fin, true);
	if (frame.rsv === 0) {
		assert.ok(frame.payload.equals(wanted));
		return false;
	}
	assert.equal(frame.rsv, RSV1);
	assert.ok(frame.payload.length < wanted.length, "it is smaller");
	assert.ok(inflate(frame.payload, windowBits).equals(wanted));
	return true;
}

/* Text in the manner of JSON, which becomes much smaller. */
export function prose(length) {
	let text = "";

	for (let i = 0; text.length < length; i++)
		text += `{"n":${i},"topic":"room/${i % 7}","text":"Grüße"},`;
	return Buffer.from(text).subarray(0, length);
}
