// SPDX-License-Identifier: MIT
/*
 * room.js - one room: a connection, what was said, and what waits to be said.
 *
 * Each room has a connection of its own.  Frames from the server do not name
 * their topic, and a connection with one subscription leaves nothing to guess,
 * not even for plain text.  `?topic=` subscribes at the handshake, so joining
 * publishes nothing.  `overflow=close` asks to be cut off rather than to lose
 * messages silently: a close is something that the page can tell its reader.
 *
 * What we say goes through the outbox.  Its head is sent and stays there until
 * the server's copy comes back, then the next one goes:
 *
 *	say() -> [ head, ... ] --send--> server --copy--> messages
 *	            ^                       |
 *	            +--- sent again after --+ a lost connection
 *
 * So order survives a reconnect, and when the server closes with "too big" it
 * is plain which message it meant.  Sending again may double a message whose
 * copy was cut off; every receiver knows it by its id and shows it once.
 */

import { compose, decode, frameOf } from "./message.js";
import { Connection } from "./connection.js";
import { randomId } from "./names.js";
import { tab } from "./storage.js";

export const MESSAGES_MAX = 500;

const KEPT_MAX = 200;            /* messages that outlive a reload ... */
const KEPT_TEXT_MAX = 64 * 1024; /* ... and characters: storage is small */
const SEEN_MAX = 2000;           /* ids by which a second copy is known */
const COPY_MS = 8 * 1000;        /* no copy by then: nobody is there */
const SAVE_MS = 500;

/* Close codes that blame what we sent: not JSON, forbidden, too big. */
const BLAMES = new Map([
	[1007, "The server could not read this message."],
	[1008, "The server refused this message."],
	[1009, "This message is too long for the server."],
]);

/* The socket's address: this page's own host, encrypted where the page is. */
export function socketUrl(room, page = location) {
	const url = new URL("/ws", page.href);

	url.protocol = page.protocol === "https:" ? "wss:" : "ws:";
	url.search = `?topic=${encodeURIComponent(room)}&overflow=close`;
	return url.href;
}

/* The newest messages, as many as are worth keeping. */
function newest(messages) {
	const kept = messages.slice(-KEPT_MAX);
	let room = KEPT_TEXT_MAX;
	let i = kept.length;

	while (i > 0 && (room -= kept[i - 1].text?.length ?? 0) >= 0)
		i--;
	return kept.slice(i);
}

/*
 * Events: "message" (detail: what was added to messages), "outbox", "state".
 *
 * messages holds {id, from, text, at, arrived, own} and, where the connection
 * was away and something may be missing, {gap: {from, to}}.
 */
export class Room extends EventTarget {
	name;
	messages = [];
	outbox = [];
	unread = 0;

	#connection;
	#seen = new Set();
	#sentId = null;
	#copyTimer = 0;
	#saveTimer = 0;
	#lostAt = 0; /* ms; 0 = nothing is missing so far */

	constructor(name) {
		super();
		this.name = name;
		this.#connection = new Connection(socketUrl(name), {
			open: () => this.#opened(),
			message: (data) => this.#received(decode(data)),
			lost: (event) => this.#lost(event),
			change: () => this.#emit("state"),
		});
		this.#restore();
	}

	/* "connecting", "open", "waiting" or "stopped". */
	get state() {
		return this.#connection.state;
	}

	get reason() {
		return this.#connection.reason;
	}

	get retryAt() {
		return this.#connection.retryAt;
	}

	enter() {
		this.#connection.start();
	}

	leave() {
		clearTimeout(this.#copyTimer);
		clearTimeout(this.#saveTimer);
		this.#connection.stop();
		tab.remove(this.#key("outbox"));
		tab.remove(this.#key("heard"));
	}

	/* Cut a wait short: something outside says that it is worth a try. */
	wake() {
		this.#connection.retryNow();
	}

	/* Connect now, even where we had been told to stay away. */
	retryNow() {
		if (this.state === "stopped")
			this.#connection.start();
		else
			this.#connection.retryNow();
	}

	/* The message that say() would send, to look at before. */
	draft(from, text) {
		return compose(randomId(), from, text);
	}

	/* Send a draft, or keep it until there is a connection. */
	say(message) {
		this.outbox.push(message);
		this.#emit("outbox");
		this.#pump();
	}

	/* Try a message again that the server had refused. */
	retry(id) {
		const message = this.outbox.find((m) => m.id === id);

		if (message)
			delete message.problem;
		this.#emit("outbox");
		this.#pump();
	}

	/* Take a message out of the outbox, unsent. */
	discard(id) {
		this.outbox = this.outbox.filter((m) => m.id !== id);
		this.#emit("outbox");
	}

	/* Write down what a reload must not lose. */
	save() {
		clearTimeout(this.#saveTimer);
		this.#saveTimer = 0;
		tab.set(this.#key("outbox"), this.outbox);
		tab.set(this.#key("heard"), {
			messages: newest(this.messages),
			lostAt: this.#lostAt || Date.now(),
		});
	}

	#key(what) {
		return `${what}:${this.name}`;
	}

	#restore() {
		const heard = tab.get(this.#key("heard"), { messages: [] });

		this.outbox = tab.get(this.#key("outbox"), []);
		this.messages = heard.messages;
		if (this.messages.length > 0)
			this.#lostAt = heard.lostAt;
		for (const { id } of this.messages)
			this.#remember(id);
	}

	#emit(type, detail) {
		if (type !== "state")
			this.#saveTimer ||= setTimeout(() => this.save(), SAVE_MS);
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}

	#opened() {
		if (this.#lostAt)
			this.#addGap({ from: this.#lostAt, to: Date.now() });
		this.#lostAt = 0;
		this.#pump();
	}

	/* Absences with nothing said between them are one absence. */
	#addGap(gap) {
		const last = this.messages.at(-1);

		if (last?.gap)
			gap.from = this.messages.pop().gap.from;
		this.#add({ gap });
	}

	#lost({ code, reason, opened }) {
		const head = this.outbox.find((m) => m.id === this.#sentId);
		const blame = BLAMES.get(code);

		this.#settle();
		if (opened)
			this.#lostAt ||= Date.now();
		if (!blame)
			return;
		if (!head) { /* then it is the room itself that is refused */
			this.#connection.stop(reason || "The server refused this room.");
			return;
		}
		head.problem = blame;
		this.#emit("outbox");
	}

	#received(message) {
		if (message.id !== null && this.#seen.has(message.id))
			return;
		this.#remember(message.id);
		const mine = this.outbox.findIndex((m) => m.id === message.id);

		message.own = mine !== -1;
		if (message.own) {
			this.outbox.splice(mine, 1);
			this.#emit("outbox");
		}
		this.#add(message);
		if (message.id === this.#sentId)
			this.#settle();
		this.#pump();
	}

	#remember(id) {
		if (!id)
			return;
		this.#seen.add(id);
		if (this.#seen.size > SEEN_MAX)
			this.#seen.delete(this.#seen.values().next().value);
	}

	#add(message) {
		this.messages.push(message);
		if (this.messages.length > MESSAGES_MAX)
			this.messages.shift();
		this.#emit("message", message);
	}

	/* Nothing is under way any more. */
	#settle() {
		clearTimeout(this.#copyTimer);
		this.#sentId = null;
	}

	/* Send the first message that is not known to be hopeless. */
	#pump() {
		if (this.state !== "open" || this.#sentId !== null)
			return;
		const next = this.outbox.find((m) => !m.problem);

		if (!next)
			return;
		this.#sentId = next.id;
		this.#copyTimer =
		    setTimeout(() => this.#connection.restart(), COPY_MS);
		this.#connection.send(frameOf(this.name, next));
	}
}
