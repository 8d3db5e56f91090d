// SPDX-License-Identifier: MIT
/*
 * address.js - what a room may be called, and the link that leads to it.
 *
 * A room is a topic of the server and nothing more, so its name obeys the
 * server's rule for topics: at most 255 bytes of UTF-8, no control characters.
 * The one topic that the chat cannot offer is "", which no link could name.
 *
 * The link keeps the room behind the #, where browsers never send it to a
 * server, a proxy or an access log: who reads those does not learn the names.
 */

const TOPIC_MAX = 255; /* bytes */

const PREFIX = "#room=";

/* The length of text on the wire, in bytes. */
export function byteLength(text) {
	return new TextEncoder().encode(text).length;
}

/* One spelling per name: "é" typed in two ways must be one room. */
export function tidyRoom(name) {
	return name.trim().normalize("NFC");
}

/* Why the server would refuse a name, as a sentence; null where it would not. */
export function roomProblem(name) {
	if (name === "")
		return "A room needs a name.";
	if (/\p{Cc}/u.test(name))
		return "Control characters and line breaks cannot be part of a name.";
	if (/\p{Cs}/u.test(name))
		return "This name has half a character in it.";
	if (byteLength(name) > TOPIC_MAX)
		return `This name is too long: ${byteLength(name)} bytes, ${TOPIC_MAX} fit.`;
	return null;
}

/* The part of a link after the #, with it. */
export function roomHash(name) {
	return PREFIX + encodeURIComponent(name);
}

/* A link to share: this very page, wherever it was loaded from. */
export function roomLink(name) {
	const url = new URL(location.href);

	url.search = "";
	url.hash = roomHash(name);
	return url.href;
}

/* The room that a hash names, or null. */
export function roomFromHash(hash) {
	if (!hash.startsWith(PREFIX))
		return null;
	try {
		return tidyRoom(decodeURIComponent(hash.slice(PREFIX.length)));
	} catch {
		return null; /* a broken % escape */
	}
}

/* The room that somebody typed or pasted: a link's room, else the words. */
export function roomFromInput(text) {
	const words = text.trim();
	const mark = words.indexOf(PREFIX);

	if (mark === -1)
		return /^https?:\/\//iu.test(words) ? null : tidyRoom(words);
	return roomFromHash(words.slice(mark));
}

/* The server that a link to a room belongs to, if that is not this one. */
export function foreignHost(text) {
	const [, scheme, address] =
	    /^(https?:\/\/)?([^#]+)#room=/iu.exec(text.trim()) ?? [];
	const link = (scheme ?? `${location.protocol}//`) + address;

	if (!address || !URL.canParse(link))
		return null;
	const { host } = new URL(link);

	return host === location.host ? null : host;
}
