// SPDX-License-Identifier: MIT
/*
 * rooms-view.js - the side of the page: where one can go, and who one is.
 *
 * Rooms are plain links, so everything that works on links works on them:
 * tabbing, opening in a new window, the back button.  A link is made once and
 * then changed in place: one that was replaced between the press and the
 * release of a button would never be clicked, and a busy room changes often.
 */

import { byId, el } from "./dom.js";
import { glyph } from "./glyph.js";
import { roomHash } from "./address.js";

const UNREAD_SHOWN_MAX = 99;

/* "7", "99+" */
export function unreadText(count) {
	return count > UNREAD_SHOWN_MAX ? `${UNREAD_SHOWN_MAX}+` : `${count}`;
}

/* Put a count into a badge, which is hidden where there is none. */
export function drawBadge(badge, count) {
	badge.hidden = count === 0;
	badge.firstChild.textContent = unreadText(count);
}

/* Mark a link as leading to where one is. */
function setHere(link, isHere) {
	if (isHere)
		link.setAttribute("aria-current", "page");
	else
		link.removeAttribute("aria-current");
}

class RoomLink {
	node;

	#room;
	#away = el("span", { class: "visually-hidden" });
	#badge = el("span", { class: "badge" }, "0",
	    el("span", { class: "visually-hidden" }, " unread"));
	#link;

	constructor(room) {
		this.#room = room;
		this.#link = el("a",
		    { href: roomHash(room.name), title: room.name },
		    el("span", { class: "dot" }),
		    el("bdi", { class: "label" }, room.name),
		    this.#away, this.#badge);
		this.node = el("li", {}, this.#link);
	}

	draw(current) {
		const away = this.#room.state !== "open";

		this.#link.classList.toggle("away", away);
		this.#away.textContent = away ? ", not connected" : "";
		drawBadge(this.#badge, this.#room.unread);
		setHere(this.#link, this.#room === current);
	}
}

export class RoomsView {
	#links = new Map();
	#current = null;

	add(room) {
		const link = new RoomLink(room);

		this.#links.set(room, link);
		byId("rooms").append(link.node);
	}

	remove(room) {
		this.#links.get(room).node.remove();
		this.#links.delete(room);
	}

	/* Draw the links; a room is in front, or what else that hash leads to. */
	draw(current, hash) {
		for (const link of this.#links.values())
			link.draw(current);
		setHere(byId("add"), hash === "");
		setHere(byId("me"), hash === "#you");
		if (current !== this.#current)
			this.#links.get(current)?.node
			    .scrollIntoView({ block: "nearest" });
		this.#current = current;
	}
}

/* Draw who the visitor is. */
export function drawMe(name) {
	const me = byId("me");

	me.hidden = name === "";
	me.replaceChildren(glyph(name), el("bdi", { class: "label" }, name),
	    el("small", {}, "Change name"));
}
