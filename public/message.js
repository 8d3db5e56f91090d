// SPDX-License-Identifier: MIT
/*
 * message.js - what travels inside the message string, and what comes out.
 *
 * The server's frames are {"topic","message"} on the way in and the bare
 * message on the way out: no sender, no time, no name of the room.  So the
 * chat puts a second JSON object into the string:
 *
 *	{"id":"6f1c…","from":"Mira","at":1700000000123,"text":"hello"}
 *
 * Anything else that arrives, from a script or another program, is somebody's
 * plain text and is shown as that.  Nothing in an envelope is proof: a name is
 * what the sender calls itself, a time is what its clock said.
 */

import { byteLength } from "./address.js";

const FRAME_MAX = 64 * 1024; /* bytes; what the server takes by default */

const ID_MAX = 64;
const NAME_MAX = 40;

/* A clock may be a little ahead of ours; more than that is a wrong clock. */
const AHEAD_MAX_MS = 60 * 1000;

/* Half a surrogate pair has no UTF-8; the server would replace it anyway. */
function wellFormed(text) {
	return text.replace(/\p{Cs}/gu, "\ufffd");
}

/* A name as it may be shown: one line, not endless, "" where nothing shows. */
export function tidyName(name) {
	const line = wellFormed(name).replace(/[\p{Cc}\s]+/gu, " ").trim();
	const short = Array.from(line).slice(0, NAME_MAX).join("").trim();

	return /[\p{L}\p{N}\p{P}\p{S}]/u.test(short) ? short : "";
}

/* A new message of ours. */
export function compose(id, from, text) {
	return {
		id,
		from: tidyName(from),
		at: Date.now(),
		text: wellFormed(text),
	};
}

/* The frame that publishes a message in a room. */
export function frameOf(room, { id, from, at, text }) {
	return JSON.stringify({
		topic: room,
		message: JSON.stringify({ id, from, at, text }),
	});
}

/* Why a message cannot be sent, as a sentence; null where it can. */
export function messageProblem(room, message) {
	const over = byteLength(frameOf(room, message)) - FRAME_MAX;

	if (over <= 0)
		return null;
	return `This is ${over.toLocaleString("en")} bytes too long for one ` +
	    "message. Could you send it in parts?";
}

function parse(data) {
	try {
		return JSON.parse(data);
	} catch {
		return null;
	}
}

function isEnvelope(value) {
	return value !== null && typeof value === "object" &&
	    typeof value.id === "string" && value.id !== "" &&
	    value.id.length <= ID_MAX && typeof value.from === "string" &&
	    typeof value.text === "string";
}

function plausible(at, now) {
	return Number.isFinite(at) && at > 0 && at <= now + AHEAD_MAX_MS;
}

/* The message in a frame from the server; id is null for plain text. */
export function decode(data, now = Date.now()) {
	const value = parse(data);

	if (!isEnvelope(value))
		return { id: null, from: null, at: now, arrived: now, text: data };
	return {
		id: value.id,
		from: tidyName(value.from) || "Somebody",
		at: plausible(value.at, now) ? value.at : now,
		arrived: now,
		text: value.text,
	};
}
