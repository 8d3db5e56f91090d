// SPDX-License-Identifier: MIT
/*
 * composer.js - where one writes.
 *
 * Each room keeps its own unfinished sentence.  The field grows with the text
 * (by itself where the browser can, else by counting lines).
 */

import { byId } from "./dom.js";
import { messageProblem } from "./message.js";

const ROWS_MAX = 8;

/* Events: "page" (detail: -1 or 1): look at earlier or later messages. */
export class Composer extends EventTarget {
	#field = byId("text");
	#room = null;
	#drafts = new Map();
	#nameOf;

	/* nameOf() is asked for the sender's name each time. */
	constructor(nameOf) {
		super();
		this.#nameOf = nameOf;
		this.#field.addEventListener("keydown", (e) => this.#key(e));
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
		if (this.#room)
			this.#drafts.set(this.#room, this.#field.value);
		this.#room = room;
		this.#field.value = this.#drafts.get(room) ?? "";
		this.#changed();
	}

	/* Drop what was begun in a room that was left. */
	forget(room) {
		this.#drafts.delete(room);
		if (room === this.#room)
			this.#room = null;
	}

	focus() {
		this.#field.focus();
	}

	/* Enter sends, unless it ends a word in an input method. */
	#key(event) {
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
			this.#grow();
			this.dispatchEvent(new Event("sent"));
		}
		this.#field.focus();
	}

	#changed() {
		byId("text-problem").textContent = "";
		this.#grow();
	}

	#grow() {
		const lines = this.#field.value.split("\n").length;

		this.#field.rows = Math.min(lines, ROWS_MAX);
	}
}
