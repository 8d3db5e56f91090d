// SPDX-License-Identifier: MIT
/*
 * composer.js - where one writes.
 *
 * Each room keeps its own unfinished sentence, over a reload as well.  The field
 * grows with the text (by itself where the browser can, else by counting lines).
 */

import { byId } from "./dom.js";
import { messageProblem } from "./message.js";
import { tab } from "./storage.js";

const ROWS_MAX = 8;

/* Events: "page" (detail: -1 or 1): look at earlier or later messages. */
export class Composer extends EventTarget {
	#field = byId("text");
	#room = null;
	#drafts = new Map(); /* by room, where the tab cannot keep them */
	#nameOf;

	/* nameOf() is asked for the sender's name each time. */
	constructor(nameOf) {
		super();
		this.#nameOf = nameOf;
		this.#field.addEventListener("keydown", (e) => this.#pressed(e));
		this.#field.addEventListener("input", () => this.#changed());
		byId("composer").addEventListener("submit", (event) => {
			event.preventDefault();
			this.#send();
		});
	}

	/* Write in that room from now on; null for none. */
	show(room) {
		if (room === this.#room)
			return;
		this.#room = room;
		this.#field.value = this.#drafts.get(room) ??
		    (room ? tab.get(this.#key(room), "") : "");
		this.#draw();
	}

	/* Drop what was begun in a room that was left. */
	forget(room) {
		this.#drafts.delete(room);
		tab.remove(this.#key(room));
		if (room === this.#room)
			this.#room = null;
	}

	focus() {
		this.#field.focus();
	}

	/* Enter sends, unless it ends a word in an input method. */
	#pressed(event) {
		if (event.isComposing)
			return;
		if (event.key === "Enter" && !event.shiftKey) {
			event.preventDefault();
			this.#send();
		} else if (event.key === "PageUp" || event.key === "PageDown") {
			event.preventDefault();
			this.dispatchEvent(new CustomEvent("page",
			    { detail: event.key === "PageUp" ? -1 : 1 }));
		}
	}

	#send() {
		const text = this.#field.value.trim();

		if (text === "")
			return;
		const message = this.#room.draft(this.#nameOf(), text);
		const problem = messageProblem(message, this.#room.messageMax);

		byId("text-problem").textContent = problem ?? "";
		if (problem === null) {
			this.#room.say(message);
			this.#field.value = "";
			this.#changed();
			this.dispatchEvent(new Event("sent"));
		}
		this.#field.focus();
	}

	#key(room) {
		return `draft:${room.name}`;
	}

	#changed() {
		const { value } = this.#field;

		if (value.trim() !== "")
			this.#room?.writes(this.#nameOf());
		this.#drafts.set(this.#room, value);
		if (value === "")
			tab.remove(this.#key(this.#room));
		else
			tab.set(this.#key(this.#room), value);
		this.#draw();
	}

	#draw() {
		const lines = this.#field.value.split("\n").length;

		byId("text-problem").textContent = "";
		this.#field.rows = Math.min(lines, ROWS_MAX);
	}
}
