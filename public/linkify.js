// SPDX-License-Identifier: MIT
/*
 * linkify.js - text with its web addresses made into links.
 *
 * Only http and https, and only what the URL parser agrees to: no other scheme
 * can come out of here.  What begins with www. is meant as an address, too.  A link to a room of this very server opens in this
 * page; every other opens elsewhere and is told nothing about where from.
 */

import { el } from "./dom.js";
import { roomFromHash, roomHash } from "./address.js";

/* An address ends before the punctuation of the sentence around it. */
const ADDRESS =
    /(?<![\w.@/-])(?:https?:\/\/|www\.(?=[^\s.]+\.))[^\s<>"]+[^\s<>"'.,;:!?)\]}]/giu;

function anchor(text) {
	const address = /^www\./iu.test(text) ? `https://${text}` : text;

	if (!URL.canParse(address))
		return text;
	const url = new URL(address);
	const room = url.origin === location.origin && roomFromHash(url.hash);

	if (room)
		return el("a", { href: roomHash(room) }, text);
	return el("a", {
		href: url.href, target: "_blank",
		rel: "noopener noreferrer nofollow",
	}, text);
}

/* The nodes and strings to append for a text. */
export function linkify(text) {
	const parts = [];
	let end = 0;

	for (const match of text.matchAll(ADDRESS)) {
		parts.push(text.slice(end, match.index), anchor(match[0]));
		end = match.index + match[0].length;
	}
	parts.push(text.slice(end));
	return parts;
}
