// SPDX-License-Identifier: MIT
/*
 * rooms-view.js - the side of the page: where one can go, and who one is.
 *
 * Rooms are plain links, so everything that works on links works on them:
 * tabbing, opening in a new window, the back button.
 */

import { byId, el } from "./dom.js";
import { glyph } from "./glyph.js";
import { roomHash } from "./address.js";

const UNREAD_SHOWN_MAX = 99;

/* "7", "99+" */
export function unreadText(count) {
	return count > UNREAD_SHOWN_MAX ? `${UNREAD_SHOWN_MAX}+` : `${count}`;
}

function roomNode(room, current) {
	const link = el("a", {
		href: roomHash(room.name), title: room.name,
		"aria-current": room === current ? "page" : null,
		class: room.state === "open" ? null : "away",
	}, el("span", { class: "dot" }), el("bdi", { class: "label" }, room.name));

	if (room.state !== "open")
		link.append(el("span", { class: "visually-hidden" },
		    ", not connected"));
	if (room.unread > 0)
		link.append(el("span", { class: "badge" }, unreadText(room.unread),
		    el("span", { class: "visually-hidden" }, " unread")));
	return el("li", {}, link);
}

/* Draw the list of rooms.  Focus survives: the same link gets it back. */
export function drawRooms(rooms, current) {
	const list = byId("rooms");
	const focused = list.contains(document.activeElement) ?
	    document.activeElement.hash : null;

	list.replaceChildren(...rooms.all().map((r) => roomNode(r, current)));
	if (focused !== null)
		[...list.querySelectorAll("a")]
		    .find((a) => a.hash === focused)?.focus();
}

/* Draw who the visitor is. */
export function drawMe(name) {
	const me = byId("me");

	me.hidden = name === "";
	me.replaceChildren(glyph(name), el("bdi", { class: "label" }, name),
	    el("small", {}, "Change name"));
}
