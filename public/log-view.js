// SPDX-License-Identifier: MIT
/*
 * log-view.js - what was said in one room, and under it what is on its way.
 *
 *	+-- .log ------------------------+
 *	| .heard   role=log, read aloud  |	room.messages, oldest first
 *	| .outbox                        |	room.outbox
 *	+--------------------------------+
 *
 * A message of ours stands in the outbox, confirmed or not, until it comes round
 * and takes its place among the others, where everybody else sees it too.
 *
 * Messages that arrive between two pictures, or behind another room, are drawn
 * in one go; of more than the room remembers the oldest are never drawn at all.
 * The view stays at the newest message while the reader is there, and keeps
 * still otherwise.
 */

import { byId, el } from "./dom.js";
import { messageNode, gapNode, dayNode, outboxNode } from "./message-view.js";
import { MESSAGES_MAX } from "./room.js";
import { sameDay } from "./clock.js";
import { soon } from "./turn.js";

/* Closer to the end than this is at the end. */
const NEAR_PX = 60;

/* After so long a silence a speaker is introduced again. */
const SAME_BREATH_MS = 5 * 60 * 1000;

function follows(message, before) {
	return before && !before.gap && !message.gap &&
	    message.from === before.from && message.own === before.own &&
	    message.arrived - before.arrived < SAME_BREATH_MS &&
	    sameDay(message.at, before.at);
}

/* Events: "scrolled", when the reader comes to the end or leaves it. */
export class LogView extends EventTarget {
	atEnd = true;

	#room;
	#fresh = []; /* arrived and not yet drawn */
	#last = null; /* the message drawn last */
	#top = 0; /* where the reader was when another room came in front */
	#outboxChanged = true;
	#root = el("div", { class: "log", role: "region", tabindex: 0,
	    hidden: true });
	#heard = el("div", { class: "heard", role: "log" });
	#outbox = el("div", { class: "outbox" });
	#draw = soon(() => this.#root.hidden || this.#catchUp());

	constructor(room) {
		super();
		this.#room = room;
		this.#root.setAttribute("aria-label", `Messages in ${room.name}`);
		this.#root.append(el("div", { class: "sheet" },
		    this.#heard, this.#outbox));
		this.#root.addEventListener("scroll", () => this.#scrolled(),
		    { passive: true });
		byId("logs").append(this.#root);
		this.#fresh.push(...room.messages);
		room.addEventListener("message", (e) => this.#arrived(e.detail));
		for (const type of ["outbox", "state"])
			room.addEventListener(type, () => this.#outboxMoved());
		new ResizeObserver(() => this.#follow()).observe(this.#root);
	}

	/* Drawn before it is seen, or a screen reader would read it all out. */
	show() {
		this.#catchUp();
		this.#root.hidden = false;
		if (this.atEnd)
			this.#follow();
		else
			this.#root.scrollTop = this.#top;
	}

	/* What is hidden forgets how far it was scrolled. */
	hide() {
		this.#top = this.#root.scrollTop;
		this.#root.hidden = true;
	}

	remove() {
		this.#root.remove();
	}

	toEnd() {
		this.atEnd = true;
		this.#follow();
	}

	/* Move by pages while the focus stays in the composer. */
	page(delta) {
		this.#root.scrollBy({ top: delta * this.#root.clientHeight * 0.9 });
	}

	#arrived(message) {
		this.#fresh.push(message);
		if (this.#fresh.length > MESSAGES_MAX)
			this.#fresh.shift();
		this.#draw();
	}

	#outboxMoved() {
		this.#outboxChanged = true;
		this.#draw();
	}

	#catchUp() {
		for (const message of this.#fresh.splice(0))
			this.#append(message);
		while (this.#heard.childElementCount > MESSAGES_MAX)
			this.#heard.firstElementChild.remove();
		if (this.#outboxChanged)
			this.#drawOutbox();
		this.#outboxChanged = false;
		this.#follow();
	}

	/* Drawn as it will stand among the others, so that nothing jumps then. */
	#drawOutbox() {
		const ours = this.#room.outbox.map(
		    (m) => ({ ...m, own: true, arrived: m.at }));

		this.#outbox.replaceChildren(...ours.map((message, i) => {
			const last = i > 0 ? ours[i - 1] : this.#last;

			return outboxNode(message,
			    follows(message, last) ? last : null, this.#room);
		}));
	}

	#append(message) {
		const last = this.#last;

		if (message.gap && last?.gap)
			this.#heard.lastElementChild.remove();
		else if (!last || !sameDay(message.at, last.at))
			this.#heard.append(dayNode(message.at));
		this.#heard.append(message.gap ? gapNode(message.gap) :
		    messageNode(message, follows(message, last) ? last : null));
		this.#last = message;
	}

	#follow() {
		if (this.atEnd)
			this.#root.scrollTop = this.#root.scrollHeight;
	}

	#scrolled() {
		const { scrollHeight, scrollTop, clientHeight } = this.#root;
		const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;

		if (this.#root.hidden || atEnd === this.atEnd)
			return;
		this.atEnd = atEnd;
		this.dispatchEvent(new Event("scrolled"));
	}
}
