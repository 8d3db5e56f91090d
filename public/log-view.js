// SPDX-License-Identifier: MIT
/*
 * log-view.js - what was said in one room, and under it what is on its way.
 *
 *	+-- .log ------------------------+
 *	| .start   what is before that   |	room.earlier
 *	| .earlier                       |	room.messages, oldest first:
 *	| .heard   role=log, read aloud  |	what was asked for, what came
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

import { announce, byId, el } from "./dom.js";
import { messageNode, gapNode, dayNode, outboxNode } from "./message-view.js";
import { Hues } from "./glyph.js";
import { sameDay } from "./clock.js";
import { soon } from "./turn.js";

/* Closer to the end than this is at the end. */
const NEAR_PX = 60;

/* So near to the first message the reader will soon want what was before it. */
const EARLIER_PX = 300;

/* What is said above the first message; "more" is a button. */
const STARTS = {
	unknown: "",
	loading: "Loading …",
	more: "Earlier messages",
	nothing: "This is where the room begins.",
	forgotten: "The server has kept nothing earlier.",
	far: "This is as far back as a page can show.",
};

/* A speaker is introduced again after so much, lest a screenful be nobody's. */
const RUN_MAX = 8;
const RUN_MS = 5 * 60 * 1000;

function goesOn({ first, last, length }, message) {
	return !last.gap && !message.gap && length < RUN_MAX &&
	    message.from === last.from && message.own === last.own &&
	    message.arrived - first.arrived < RUN_MS &&
	    sameDay(message.at, last.at);
}

/* The run of one speaker's messages that ends with this one; `before` is the
 * one before it there, or null.  The run is null before the first message. */
function runWith(run, message) {
	return run && goesOn(run, message) ?
	    { first: run.first, last: message, before: run.last,
		    length: run.length + 1 } :
	    { first: message, last: message, before: null, length: 1 };
}

/* Events: "scrolled", when the reader comes to the end or leaves it. */
export class LogView extends EventTarget {
	atEnd = true;
	unseen = 0; /* messages that have come below what the reader sees */

	#room;
	#hues = new Hues();
	#fresh = []; /* arrived and not yet drawn */
	#past = []; /* earlier than what is drawn */
	#run = null; /* what the message drawn last belongs to */
	#top = 0; /* where the reader was when another room came in front */
	#outboxChanged = true;
	#root = el("div", { class: "log", role: "region", tabindex: 0,
	    hidden: true });
	#more = el("button", { class: "quiet", type: "button" }, STARTS.more);
	#startText = el("span");
	#earlier = el("div", { class: "earlier" });
	#heard = el("div", { class: "heard", role: "log" });
	#outbox = el("div", { class: "outbox" });
	#draw = soon(() => this.#root.hidden || this.#catchUp());

	/* The log of a room for a visitor of that name, who has the first hue. */
	constructor(room, name) {
		super();
		this.#room = room;
		this.#hues.classOf(name);
		this.#root.setAttribute("aria-label", `Messages in ${room.name}`);
		this.#root.append(el("div", { class: "sheet" },
		    el("p", { class: "start" }, this.#more, this.#startText),
		    this.#earlier, this.#heard, this.#outbox));
		this.#more.addEventListener("click", () => room.loadEarlier());
		this.#root.addEventListener("scroll", () => this.#scrolled(),
		    { passive: true });
		byId("logs").append(this.#root);
		this.#fresh.push(...room.messages);
		room.addEventListener("message", (e) => this.#arrived(e.detail));
		room.addEventListener("earlier", (e) => this.#foundEarlier(e.detail));
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
		this.#drawEarlier();
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
		this.#setAtEnd(true);
		this.#follow();
	}

	/* Move by pages while the focus stays in the composer. */
	page(delta) {
		this.#root.scrollBy({ top: delta * this.#root.clientHeight * 0.9 });
	}

	#arrived(message) {
		if (message.isNews && !this.atEnd)
			this.unseen++;
		this.#fresh.push(message);
		if (this.#fresh.length > this.#room.limit)
			this.#fresh.shift();
		this.#draw();
	}

	#foundEarlier(messages) {
		this.#past.unshift(...messages);
		if (!this.#root.hidden)
			this.#drawEarlier();
		if (messages.length > 0)
			announce(`${messages.length} earlier messages`);
	}

	#outboxMoved() {
		this.#outboxChanged = true;
		this.#draw();
	}

	#catchUp() {
		for (const message of this.#fresh.splice(0))
			this.#append(message);
		this.#trim();
		if (this.#outboxChanged)
			this.#drawOutbox();
		this.#outboxChanged = false;
		this.#drawStart();
		this.#follow();
	}

	/* No more than the room remembers. */
	#trim() {
		const { limit } = this.#room;

		while (this.#earlier.childElementCount +
		    this.#heard.childElementCount > limit)
			(this.#earlier.firstElementChild ??
			    this.#heard.firstElementChild).remove();
	}

	#drawStart() {
		const { earlier } = this.#room;

		this.#more.hidden = earlier !== "more";
		this.#startText.textContent =
		    earlier === "more" ? "" : STARTS[earlier];
	}

	/*
	 * What was before stands above, and what the reader sees stays where it
	 * is.  There may be still more to see than that.
	 */
	#drawEarlier() {
		const { scrollHeight, scrollTop } = this.#root;
		const nodes = this.#nodesOf(this.#past.splice(0));
		const next = this.#earlier.firstElementChild ??
		    this.#heard.firstElementChild;

		this.#drawStart();
		if (nodes.length === 0)
			return;
		if (next?.matches(".day") &&
		    next.textContent === nodes.findLast((n) => n.matches(".day"))
			?.textContent)
			next.remove();
		this.#earlier.prepend(...nodes);
		this.#root.scrollTop = scrollTop + this.#root.scrollHeight -
		    scrollHeight;
		this.#wantEarlier();
	}

	/* The nodes for messages in a row, without any gap, as they are drawn when
	 * nothing stands before them. */
	#nodesOf(messages) {
		const nodes = [];
		let run = null;

		for (const message of messages) {
			if (!run || !sameDay(message.at, run.last.at))
				nodes.push(dayNode(message.at));
			run = runWith(run, message);
			nodes.push(messageNode(message, run.before, this.#hues));
		}
		return nodes;
	}

	/* Drawn as it will stand among the others, so that nothing jumps then. */
	#drawOutbox() {
		const ours = this.#room.outbox.map(
		    (m) => ({ ...m, own: true, arrived: m.at }));

		let run = this.#run;

		this.#outbox.replaceChildren(...ours.map((message) => {
			run = runWith(run, message);
			return outboxNode(message, run.before, this.#hues,
			    this.#room);
		}));
	}

	#append(message) {
		const last = this.#run?.last;

		this.#run = runWith(this.#run, message);
		if (message.gap && last?.gap)
			this.#heard.lastElementChild.remove();
		else if (!last || !sameDay(message.at, last.at))
			this.#heard.append(dayNode(message.at));
		this.#heard.append(message.gap ? gapNode(message.gap) :
		    messageNode(message, this.#run.before, this.#hues));
	}

	#follow() {
		if (this.atEnd)
			this.#root.scrollTop = this.#root.scrollHeight;
	}

	#scrolled() {
		const { scrollHeight, scrollTop, clientHeight } = this.#root;
		const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;

		if (this.#root.hidden)
			return;
		if (atEnd !== this.atEnd)
			this.#setAtEnd(atEnd);
		this.#wantEarlier();
	}

	#wantEarlier() {
		if (!this.atEnd && this.#root.scrollTop < EARLIER_PX)
			this.#room.loadEarlier();
	}

	#setAtEnd(atEnd) {
		this.atEnd = atEnd;
		this.#room.isReadAbove = !atEnd;
		this.unseen = 0;
		this.dispatchEvent(new Event("scrolled"));
	}
}
