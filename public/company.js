// SPDX-License-Identifier: MIT
/*
 * company.js - who is in a room, and who is writing there.
 *
 * Who is there the server tells, by the names that visitors go by.  That
 * somebody is writing is said by their page now and then, in a message that is
 * kept nowhere; it is over when nothing of that has come for a while, or when
 * what was written has.
 */

import { tidyName } from "./message.js";

const TYPING_MS = 5 * 1000;    /* how long a word of it counts */
const TYPING_SAY_MS = 3 * 1000; /* how often one says so oneself */
const NAMES_MAX = 3;

/* Bytes of a name that the server takes. */
const USER_MAX = 64;

/* A visitor's name as the server takes it. */
export function userOf(name) {
	let user = "";

	for (const character of name.replace(/\p{Cc}/gu, " ")) {
		if (new TextEncoder().encode(user + character).length > USER_MAX)
			break;
		user += character;
	}
	return user;
}

/* "Ann, Bob and 2 others". */
export function listText(names) {
	const rest = names.length - NAMES_MAX;

	if (rest <= 0)
		return names.join(", ");
	return `${names.slice(0, NAMES_MAX).join(", ")} and ` +
	    (rest === 1 ? "one other" : `${rest.toLocaleString("en")} others`);
}

/* "Ann is writing", "Ann and Bob are writing"; "" where nobody is. */
export function typingText(names) {
	if (names.length === 0)
		return "";
	if (names.length === 1)
		return `${names[0]} is writing`;
	return names.length === 2 ? `${names.join(" and ")} are writing` :
	    "Several people are writing";
}

/* Event: "change". */
export class Company extends EventTarget {
	names = []; /* of those who are here; empty where that is not known */

	#typing = new Map(); /* timers by name */
	#saidAt = -Infinity;

	get typing() {
		return [...this.#typing.keys()];
	}

	/* For onMembers. */
	changed({ members }) {
		this.names = (members ?? []).map(({ user, info }) =>
			tidyName(`${info?.name ?? user}`));
		this.#emit();
	}

	/* For onEphemeral.  myName: nobody watches themselves write. */
	heard({ message }, myName) {
		const name = typeof message?.typing === "string" ?
		    tidyName(message.typing) : "";

		if (name === "" || name === myName)
			return;
		clearTimeout(this.#typing.get(name));
		this.#typing.set(name,
		    setTimeout(() => this.spoke(name), TYPING_MS));
		this.#emit();
	}

	/* Somebody has said something, or nothing for a while. */
	spoke(name) {
		clearTimeout(this.#typing.get(name));
		if (this.#typing.delete(name))
			this.#emit();
	}

	/* One writes oneself: is it time to say so? */
	maySay() {
		const now = performance.now();

		if (now - this.#saidAt < TYPING_SAY_MS)
			return false;
		this.#saidAt = now;
		return true;
	}

	/* What one wrote is sent: the next letter is worth a word again. */
	sent() {
		this.#saidAt = -Infinity;
	}

	/* The room is left, or the connection to it lost. */
	clear() {
		for (const timer of this.#typing.values())
			clearTimeout(timer);
		this.#typing.clear();
		this.names = [];
		this.#emit();
	}

	#emit() {
		this.dispatchEvent(new Event("change"));
	}
}
