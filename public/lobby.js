// SPDX-License-Identifier: MIT
/*
 * lobby.js - the way in: a name, and a room to open, to join or to accept.
 *
 * Opening a room and joining one are the same thing to the server.  They are
 * two forms because they are two wishes: one starts from a suggestion, the
 * other from what somebody else said.  An invitation, which is a link to a
 * room opened by somebody without a name yet, needs neither.
 */

import { byId } from "./dom.js";
import { roomFromInput, roomProblem, tidyRoom } from "./address.js";
import { suggestName, suggestRoom } from "./names.js";
import { tidyName } from "./message.js";

const TITLE = byId("lobby-title").textContent;
const LEAD = byId("lobby-lead").textContent;

/* Show what is wrong with a field, or that nothing is. */
function setProblem(field, problem) {
	byId(field.getAttribute("aria-describedby")).textContent = problem ?? "";
	field.setAttribute("aria-invalid", problem !== null);
	if (problem !== null)
		field.focus();
	return problem === null;
}

/*
 * Events: "enter" (detail: {name, room}) once both are good; "renamed" (detail:
 * the name) when the field was changed.
 */
export class Lobby extends EventTarget {
	#invited = null;
	#name = byId("name");

	constructor(name) {
		super();
		this.#name.value = name || suggestName();
		this.#on("create", () => this.#open());
		this.#on("join", () => this.#join());
		this.#on("invite", () => this.#enter(this.#invited));
		byId("shuffle").addEventListener("click", () => {
			byId("create-room").value = suggestRoom();
		});
		this.#name.addEventListener("change", () => this.#renamed());
	}

	/* Show the lobby; `invited` is the room that a link led to, or null. */
	show(invited = null) {
		this.#invited = invited;
		byId("invite").hidden = invited === null;
		byId("create").hidden = invited !== null;
		byId("join").hidden = invited !== null;
		this.#name.setAttribute("form", invited === null ? "create" : "invite");
		byId("lobby-title").textContent =
		    invited === null ? TITLE : `You are invited to ${invited}.`;
		byId("lobby-lead").textContent =
		    invited === null ? LEAD : "What shall the others call you?";
		byId("create-room").value = suggestRoom();
		byId("join-room").value = "";
		for (const id of ["name", "create-room", "join-room"])
			setProblem(byId(id), null);
	}

	focusName() {
		this.#name.focus();
		this.#name.select();
	}

	#on(id, submit) {
		byId(id).addEventListener("submit", (event) => {
			event.preventDefault();
			submit();
		});
	}

	#open() {
		const field = byId("create-room");
		const room = tidyRoom(field.value);

		if (setProblem(field, roomProblem(room)))
			this.#enter(room);
	}

	#join() {
		const field = byId("join-room");
		const room = roomFromInput(field.value);
		const problem = room === null ? "This link leads to no room." :
		    roomProblem(room);

		if (setProblem(field, problem))
			this.#enter(room);
	}

	#checkedName() {
		const name = tidyName(this.#name.value);

		return setProblem(this.#name, name === "" ?
		    "The others need something to call you." : null) ? name : null;
	}

	/* Say nothing of an empty field yet: it may be about to be filled. */
	#renamed() {
		const name = tidyName(this.#name.value);

		if (name !== "")
			this.dispatchEvent(new CustomEvent("renamed",
			    { detail: name }));
	}

	#enter(room) {
		const name = this.#checkedName();

		if (name !== null)
			this.dispatchEvent(new CustomEvent("enter",
			    { detail: { name, room } }));
	}
}
