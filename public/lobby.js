// SPDX-License-Identifier: MIT
/*
 * lobby.js - the way in: a name, and a room to open, to join or to accept.
 *
 * Opening a room and joining one are the same thing to the server.  They are
 * two forms because they are two wishes: one starts from a suggestion, the
 * other from what somebody else said.  An invitation, which is a link to a
 * room opened by somebody without a name yet, needs neither.
 *
 * Only who has no name yet is asked for one on the way in.  Who has one changes
 * it in a form of its own, from where Enter leads back and not on.
 */

import { byId, el, hasPointer } from "./dom.js";
import {
	foreignHost, roomFromHash, roomFromInput, roomProblem, tidyRoom,
} from "./address.js";
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

/* Fill a field, unless somebody has been quicker. */
function suggest(field, suggestion) {
	if (field.value === "")
		field.value = suggestion();
}

/*
 * Events: "enter" (detail: {name, room}) once both are good; "renamed" (detail:
 * the name).
 */
export class Lobby extends EventTarget {
	#invited = null;
	#name = byId("name");

	constructor() {
		super();
		suggest(this.#name, suggestName);
		this.#on("create", () => this.#open());
		this.#on("join", () => this.#join());
		this.#on("invite", () => this.#enter(this.#invited));
		this.#on("rename", () => this.#rename());
		byId("shuffle").addEventListener("click", () => {
			byId("create-room").value = suggestRoom();
		});
	}

	/* Who comes in is called that. */
	setName(name) {
		this.#name.value = name;
	}

	/*
	 * Show what that address leads a visitor of that name, or of none (""), to.
	 * Returns whether it is the lobby at all.
	 */
	showFor(hash, name) {
		const room = roomFromHash(hash);
		const leadsToRoom = room !== null && roomProblem(room) === null;

		if (name !== "" && (leadsToRoom || hash === "#you"))
			return false;
		if (leadsToRoom)
			this.#invite(room);
		else
			this.#show(name);
		return true;
	}

	/* Show the way into any room. */
	#show(name) {
		this.#ask(...(name === "" ? ["naming"] : []), "create", "join");
		this.#say(TITLE, LEAD);
		this.#name.setAttribute("form", "create");
		suggest(byId("create-room"), suggestRoom);
	}

	/* Show the way into the room that a link led to. */
	#invite(room) {
		this.#ask("naming", "invite");
		this.#offer(room, "You are invited to the room ",
		    "What shall the others call you?", "Join the room");
		this.#name.setAttribute("form", "invite");
	}

	/* Show the way back into a room that was left. */
	offerAgain(room) {
		this.#ask("invite");
		this.#offer(room, "You have left the room ",
		    "What is said there does not reach you any more.",
		    "Join it again");
	}

	/* Show the form for another name. */
	showRename(name) {
		const field = byId("new-name");

		this.#ask("rename");
		this.#say("Change your name",
		    "What you have said so far keeps the name you have now.");
		field.value = name;
		field.focus();
		field.select();
	}

	/* Go to the first question, unless the visitor has begun with one. */
	focus() {
		const first = [this.#name, byId("create-room"), byId("accept")]
		    .find((field) => field.checkVisibility());

		if (!hasPointer() || document.activeElement?.closest("#lobby"))
			return;
		first.focus({ preventScroll: true });
		first.select?.();
	}

	#offer(room, title, lead, action) {
		this.#invited = room;
		this.#say(title, lead);
		byId("lobby-title").append(el("bdi", {}, room), ".");
		byId("accept").textContent = action;
	}

	#say(title, lead) {
		byId("lobby-title").textContent = title;
		byId("lobby-lead").textContent = lead;
	}

	/* Show these questions and no others, as if nothing had been wrong. */
	#ask(...ids) {
		for (const id of ["naming", "create", "join", "invite", "rename"])
			byId(id).hidden = !ids.includes(id);
		for (const id of ["name", "create-room", "join-room", "new-name"])
			setProblem(byId(id), null);
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
		const host = foreignHost(field.value);
		let problem = room === null ? "This link leads to no room." :
		    roomProblem(room);

		if (host !== null)
			problem = `This link belongs to ${host}.`;
		if (setProblem(field, problem))
			this.#enter(room);
	}

	/* The name in a field; null, and said why, where it is none. */
	#checkedName(field) {
		const name = tidyName(field.value);

		return setProblem(field,
		    name === "" ? "Please enter a name." : null) ? name : null;
	}

	#rename() {
		const name = this.#checkedName(byId("new-name"));

		if (name !== null)
			this.dispatchEvent(new CustomEvent("renamed",
			    { detail: name }));
	}

	/* What was used up is not there when the visitor comes back. */
	#enter(room) {
		const name = this.#checkedName(this.#name);

		if (name === null)
			return;
		byId("create-room").value = "";
		byId("join-room").value = "";
		this.dispatchEvent(new CustomEvent("enter",
		    { detail: { name, room } }));
	}
}
