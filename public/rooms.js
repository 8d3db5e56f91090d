// SPDX-License-Identifier: MIT
/*
 * rooms.js - the rooms of this page, in the order they were joined, and the one
 * connection that serves them all.
 *
 * The names are kept across visits; on the next one the page joins them again.
 * All tabs share that list, so each follows when another joins or leaves a room.
 * A page that is in no room yet has no connection either.
 */

import { Room } from "./room.js";
import { userOf } from "./company.js";
import { connect } from "./pubsub.js";
import { pass } from "./pass.js";
import { kept } from "./storage.js";

/* A network that is back needs a moment; nobody needs all pages at once. */
const WAKE_MAX_MS = 1000;

/*
 * The longest that somebody who looks at the page waits for the next try.  The
 * client waits longer in the end, for the sake of the server; but it cannot
 * know how few of its pages are being looked at.
 */
const PATIENCE_MS = 4000;

/*
 * The socket's address: beside this page, which a proxy may serve below a
 * prefix, and encrypted where the page is.  Who reads too slowly is cut off
 * rather than told of a gap: what it has not got it gets on the next connection,
 * as long as the server has it.
 */
export function socketUrl(page = location) {
	const url = new URL("ws?overflow=close", page.href);

	url.protocol = page.protocol === "https:" ? "wss:" : "ws:";
	return url.href;
}

/* Events: "joined" and "left" (detail: the room). */
export class Rooms extends EventTarget {
	#rooms = new Map();
	#client = null;
	#patience = 0; /* timer */
	#isInFront;

	/* isInFront(room): does the visitor look at it? */
	constructor(isInFront) {
		super();
		this.#isInFront = isInFront;
	}

	/* Join what was kept from the last visit, and what will be. */
	restore() {
		this.#joinKept();
		kept.watch("rooms", () => {
			this.#joinKept();
			this.#leaveUnkept();
		});
	}

	get(name) {
		return this.#rooms.get(name);
	}

	all() {
		return [...this.#rooms.values()];
	}

	get unread() {
		return this.all().reduce((sum, room) => sum + room.unread, 0);
	}

	/* The room of that name, joined if it was not. */
	join(name) {
		const known = this.get(name);

		if (known)
			return known;
		this.#client ??= this.#connect();
		const room = new Room(this.#client, name);
		const names = kept.get("rooms", []);

		if (!names.includes(name))
			kept.set("rooms", [...names, name]);
		this.#rooms.set(name, room);
		this.#emit("joined", room);
		room.enter();
		return room;
	}

	/* Leave a room for good. */
	leave(room) {
		kept.set("rooms", kept.get("rooms", [])
		    .filter((name) => name !== room.name));
		this.#drop(room);
	}

	/* The room after (1) or before (-1) that one, round the corner. */
	neighbour(room, delta) {
		const all = this.all();
		const start = room ? all.indexOf(room) : Math.min(0, -delta);

		return all.at((start + delta) % all.length);
	}

	/* The visitor goes by another name. */
	renamed() {
		this.#client?.reconnect();
	}

	/* Something outside says that it is worth to look at the connection. */
	wake() {
		setTimeout(() => this.#client?.wake(), Math.random() * WAKE_MAX_MS);
	}

	save() {
		for (const room of this.all())
			room.save();
	}

	#connect() {
		const onState = (client) => {
			clearTimeout(this.#patience);
			if (client.state === "waiting" && !document.hidden)
				this.#patience = setTimeout(() => client.wake(),
				    PATIENCE_MS * (0.5 + Math.random() / 2));
		};

		return connect(socketUrl(), { onState, token: () => pass.get(),
			user: () => userOf(kept.get("name", "")) });
	}

	#joinKept() {
		for (const name of kept.get("rooms", []))
			this.join(name);
	}

	/* What was left in another tab goes here as well, but not from under the
	 * visitor's eyes, nor with what they wrote. */
	#leaveUnkept() {
		const names = kept.get("rooms", []);

		for (const room of this.all())
			if (!names.includes(room.name) &&
			    !this.#isInFront(room) && room.outbox.length === 0)
				this.#drop(room);
	}

	#drop(room) {
		room.leave();
		this.#rooms.delete(room.name);
		this.#emit("left", room);
	}

	#emit(type, detail) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}
}
