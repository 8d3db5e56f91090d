// SPDX-License-Identifier: MIT
/*
 * presence.mjs - somebody who watches who is in a topic.
 *
 * It asks for the members and to be told of changes.  From that answer on, until
 * its connection ends or it is told that no more is told, everybody comes and
 * leaves in turn, whoever was killed meanwhile: a user who comes twice, or leaves
 * twice, was told twice.  When the storm is over those are there who are connected,
 * each once, and no others.
 */

import { Socketed } from "./subscribers.mjs";

export class Watcher extends Socketed {
	users = null; /* who is there, by what was told; null: not told now */
	told = 0;     /* events */

	constructor(world, name, topics, query) {
		super(world, name, topics, query);
		[this.topic] = topics;
	}

	open() {
		this.users = null;
		this.listen(this.dial());
	}

	lost() {
		this.users = null;
		super.lost();
	}

	#ask() {
		if (this.isOpen)
			this.socket.send(JSON.stringify({ type: "presence",
				topic: this.topic, members: true,
				subscribe: true }));
	}

	#begin() {
		this.socket.send(JSON.stringify({ type: "subscribe",
			topic: this.topic }));
		this.#ask();
	}

	received(data) {
		const frame = JSON.parse(data);

		switch (frame.type) {
		case "welcome":
			this.#begin();
			break;
		case "presence":
			this.#list(frame);
			break;
		case "join":
		case "leave":
			this.#event(frame);
			break;
		case "error":
			this.#refused(frame);
			break;
		}
	}

	#list({ members, reason }) {
		if (members === undefined) {
			this.users = null;
			if (reason === "slow" || reason === "lapped")
				this.#ask();
			else
				this.#fault("damaged", `told no more: ${reason}`);
			return;
		}
		this.users = new Set(members.map(({ user }) => user));
		if (this.users.size < members.length)
			this.#fault("doubles", "somebody is there twice");
	}

	#event({ type, user }) {
		this.told++;
		if (this.users === null)
			this.#fault("damaged", `${user}: ${type}, not asked for`);
		else if (type === "join" && this.users.has(user))
			this.#fault("doubles", `${user} came twice`);
		else if (type === "leave" && !this.users.delete(user))
			this.#fault("doubles", `${user} left twice`);
		else if (type === "join")
			this.users.add(user);
	}

	/* All slots of topics are taken now: once more. */
	#refused({ code, reason }) {
		const { socket } = this;

		if (code === "directory_full")
			setTimeout(() => socket === this.socket && this.isOpen &&
			    this.#begin(), this.dice.between(10, 150));
		else if (code !== "draining" && code !== "not_subscribed")
			this.#fault("damaged", `${code}: ${reason}`);
	}

	#fault(kind, text) {
		this.ledger.fault(kind, `${this.name} of ${this.topic}: ${text}`);
	}

	/* Whether it knows of exactly these. */
	knows(users) {
		return this.users !== null && this.users.size === users.size &&
			[...users].every((user) => this.users.has(user));
	}

	reached() {
		return this.users !== null;
	}
}
