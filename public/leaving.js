// SPDX-License-Identifier: MIT
/*
 * leaving.js - ask before a room is left.
 *
 * A room that was left is not in the list any more, and the name of most is
 * known to their link only; so a slip of the finger would lose it.
 */

import { byId } from "./dom.js";

/* Does the visitor mean to leave that room?  A promise. */
export function meansToLeave(room) {
	const dialog = byId("leaving");

	byId("leaving-room").textContent = room.name;
	byId("leaving-text").textContent = room.outbox.length > 0 ?
	    "What you wrote here is not sent yet and will be lost." :
	    "Its name or link leads back here.";
	dialog.returnValue = "";
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener("close",
		    () => resolve(dialog.returnValue === "leave"), { once: true });
	});
}
