// SPDX-License-Identifier: MIT
/*
 * room-view.js - the room in front: its head, its state, its logs.
 *
 * There is one head and one foot for all rooms and a log for each, so that a
 * reader who comes back finds the log where it was left.
 */

import { announce, byId, el } from "./dom.js";
import { LogView } from "./log-view.js";
import { listText, typingText } from "./company.js";
import { pass } from "./pass.js";
import { roomHash, roomLink } from "./address.js";
import { soon } from "./turn.js";

const COPIED_MS = 2000;

const STATES = {
	connecting: "Connecting",
	open: "Connected",
	waiting: "Reconnecting",
	stopped: "Disconnected",
};

const CUT_OFF = "Cut off";

/* Each try connects; that is not worth a word of its own. */
function stateText({ state, retryAt }) {
	if (state === "open")
		return "";
	return STATES[state === "connecting" && retryAt > 0 ? "waiting" : state];
}

/* "4 connected": nobody knows how many people that are, nor, at first, how many
 * connections. */
function peopleText({ state, people }) {
	if (state !== "open")
		return "";
	if (people === 0)
		return "connected";
	return people === 1 ? "only you" :
	    `${people.toLocaleString("en")} connected`;
}

/* What is below: "3 new messages". */
function latestText(unseen) {
	if (unseen === 0)
		return "Latest messages";
	return unseen === 1 ? "1 new message" :
	    `${unseen.toLocaleString("en")} new messages`;
}

export class RoomView {
	#views = new Map();
	#room = null;
	#said = ""; /* the state a screen reader was told last */
	#copied = 0; /* timer */
	#update = soon(() => this.#drawState());

	constructor() {
		byId("copy").addEventListener("click", () => this.#copy());
		byId("retry").addEventListener("click", () => this.#room.retryNow());
		byId("pass").addEventListener("submit", (event) => {
			event.preventDefault();
			pass.use(byId("token").value.trim());
		});
		byId("latest").addEventListener("click", () => {
			this.log.toEnd();
			byId("text").focus();
		});
	}

	/* The log in front. */
	get log() {
		return this.#views.get(this.#room);
	}

	/* Make the log of a room that was joined by a visitor of that name. */
	add(room, name) {
		const view = new LogView(room, name);

		this.#views.set(room, view);
		view.addEventListener("scrolled", this.#update);
		for (const type of ["state", "outbox", "message", "people"])
			room.addEventListener(type, this.#update);
		room.company.addEventListener("change", this.#update);
	}

	/* Remove the log of a room that was left. */
	remove(room) {
		this.#views.get(room).remove();
		this.#views.delete(room);
		if (room === this.#room)
			this.#room = null;
	}

	/* Bring a room to the front; null for none. */
	show(room) {
		if (room !== this.#room) {
			this.#said = "";
			this.#labelCopy(null);
		}
		this.log?.hide();
		this.#room = room;
		if (!room)
			return;
		byId("room-title").textContent = room.name;
		byId("room-title").title = room.name;
		byId("share").href = roomHash(room.name);
		byId("share").textContent = roomLink(room.name);
		this.log.show();
		this.#drawState();
	}

	#drawState() {
		const room = this.#room;

		if (!room)
			return;
		byId("state").className = `state ${room.state}`;
		byId("state").textContent = stateText(room);
		byId("people").textContent = peopleText(room);
		byId("here").textContent = listText(room.company.names);
		byId("typing").textContent = typingText(room.company.typing);
		byId("latest").hidden = this.log.atEnd;
		byId("latest-text").textContent = latestText(this.log.unseen);
		byId("empty").hidden =
		    room.messages.length > 0 || room.outbox.length > 0;
		this.#drawNotice(room);
		this.#tell(room);
	}

	#drawNotice(room) {
		const text = byId("notice-text");

		byId("notice").hidden = (room.state === "open" &&
		    !room.wantsToken && !room.isCutOff) ||
		    (room.state === "connecting" && room.retryAt === 0);
		byId("pass").hidden = !room.wantsToken;
		byId("retry").hidden = room.wantsToken;
		if (room.state === "stopped")
			text.textContent = room.reason || "Disconnected.";
		else if (room.isCutOff)
			text.textContent = "This server is cut off from the " +
			    "others. What you write is kept and sent once it is " +
			    "back.";
		else if (room.state === "open")
			text.textContent = "With another token you may do more.";
		else
			text.textContent = "The connection is lost. What you " +
			    "write is kept and sent once it is back.";
	}

	/* Say changes aloud, once each, and not the tries in between. */
	#tell(room) {
		let state = room.isCutOff ? CUT_OFF : STATES[room.state];

		if (room.state === "connecting")
			state = this.#said;

		if (state !== this.#said && this.#said !== "")
			announce(state);
		this.#said = state;
	}

	async #copy() {
		const room = this.#room;
		const copied = await copyText(roomLink(room.name));

		announce(copied ? "Link copied" : "The link could not be copied");
		if (room !== this.#room)
			return;
		this.#labelCopy(copied ? "Copied" : "Copy failed");
		this.#copied = setTimeout(() => this.#labelCopy(null), COPIED_MS);
	}

	/* Say what became of the copy, or, with null, offer it. */
	#labelCopy(said) {
		const label = byId("copy-label");

		clearTimeout(this.#copied);
		label.textContent = said ?? "Copy link";
		label.classList.toggle("said", said !== null);
	}
}

/*
 * The clipboard proper exists only behind https and on localhost.  On a plain
 * address in the house the old way still works: select, then copy.
 */
async function copyText(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		return copySelected(text);
	}
}

function copySelected(text) {
	const field = el("textarea", { class: "visually-hidden" }, text);

	document.body.append(field);
	field.select();
	const copied = document.execCommand("copy");

	field.remove();
	byId("copy").focus();
	return copied;
}
