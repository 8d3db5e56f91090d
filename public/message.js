// SPDX-License-Identifier: MIT
/*
 * message.js - what the chat publishes, and what it makes of what arrives.
 *
 * The server knows a message's number and time, but not who said it.  So what
 * the chat publishes is an object:
 *
 *	{"from":"Mira","text":"hello","at":1700000000123,"id":"6f1c…"}
 *
 * A plain client in the same room gets its JSON text, as above; what a person
 * looks for there comes first.  A client that can publish only strings speaks
 * with a name by publishing that text.
 *
 * Anything else that arrives, from a script or another program, is somebody's
 * plain text and is shown as that.  Nothing in an envelope is proof: a name is
 * what the sender calls itself, a time is what its clock said.
 */

import { byteLength } from "./address.js";

/* Bytes: the server's default, until it has told its own. */
const MESSAGE_MAX = 64 * 1024;

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

/* The value to publish for a message. */
export function envelopeOf({ from, text, at, id }) {
	return { from, text, at, id };
}

/* Why a message cannot be sent, as a sentence; null where it can. */
export function messageProblem(message, max = MESSAGE_MAX) {
	const over = byteLength(JSON.stringify(envelopeOf(message))) - max;

	if (over <= 0)
		return null;
	return `This is ${over.toLocaleString("en")} bytes too long for one ` +
	    "message. Could you send it in parts?";
}

/* What a string may stand for. */
function parse(text) {
	try {
		return JSON.parse(text);
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

/* The message in a published value that the server got at that time.  from is
 * null where there is no name, id where it is plain text. */
export function decode(published, time) {
	const isString = typeof published === "string";
	const value = isString ? parse(published) : published;

	if (!isEnvelope(value))
		return {
			id: null, from: null, at: time, arrived: time,
			text: isString ? published : JSON.stringify(published),
		};
	return {
		id: value.id,
		from: tidyName(value.from) || null,
		at: plausible(value.at, time) ? value.at : time,
		arrived: time,
		text: value.text,
	};
}
