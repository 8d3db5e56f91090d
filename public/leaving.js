// SPDX-License-Identifier: MIT
/*
 * leaving.js - ask before a room is left, and remember that it was.
 *
 * A room that was left is not in the list any more, and few people know its
 * name by heart; so a slip of the finger would lose it.  The browser's back
 * button leads to its address all the same, where nobody wants to be in the
 * room again without a word.
 */

import { byId } from "./dom.js";
import { tab } from "./storage.js";

const LEFT_MAX = 50;

export class Leaving {
	#left = tab.get("left", []); /* names, the latest last */

	/* Does the visitor mean to leave that room?  A promise. */
	isMeant(room) {
		const dialog = byId("leaving");

		byId("leaving-room").textContent = room.name;
		byId("leaving-text").textContent = room.outbox.length > 0 ?
		    "What you wrote here is not sent yet and will be lost." :
		    "Its name or link leads back here.";
		dialog.returnValue = "";
		dialog.showModal();
		return new Promise((resolve) => {
			dialog.addEventListener("close",
			    () => resolve(dialog.returnValue === "leave"),
			    { once: true });
		});
	}

	left(name) {
		this.#keep([...this.#left, name]);
	}

	isBack(name) {
		this.#keep(this.#left.filter((left) => left !== name));
	}

	hasLeft(name) {
		return this.#left.includes(name);
	}

	#keep(names) {
		this.#left = names.slice(-LEFT_MAX);
		tab.set("left", this.#left);
	}
}
