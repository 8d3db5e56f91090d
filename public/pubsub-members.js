// SPDX-License-Identifier: MIT
/*
 * pubsub-members.js - who is in a topic, kept up to date.
 *
 *	ask, and to be told --> page, page ... --> complete
 *	        ^                  join, leave at any time
 *	        `--- told no more, or a new connection
 *
 * The server's list and what it tells of it begin at the same moment, so each
 * who comes or leaves is known once.  What is known is a set, so it does no harm
 * that somebody who comes between two pages is in the second as well.
 */

import { tell } from "./pubsub-stream.js";

/* How long to leave a server alone that cannot say who is there. */
const AGAIN_MS = 5 * 1000;

/**
 * @typedef {object} Member
 * @property {string} user
 * @property {any} [info] what the user's token tells of them
 * @property {boolean} verified false: the name is only what a client says
 *
 * @typedef {object} MembersChange
 * @property {Member[] | null} members in the order of coming; null: not known
 * @property {import("./pubsub-requests.js").PubSubError | null} error why not
 */

/**
 * @param {Member} member
 */
const keyOf = ({ user, verified = true }) => `${verified ? 1 : 0}${user}`;

/**
 * @param {Member} frame
 * @returns {Member}
 */
export function memberOf({ user, info, verified = true }) {
	return info === undefined ? { user, verified } : { user, info, verified };
}

export class Roster {
	#topic;
	#ask;
	#handler;
	/** @type {Map<string, Member>} */
	#members = new Map();
	#isComplete = false;
	#round = 0; /* answers of an earlier one are late */
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	/**
	 * @param {string} topic
	 * @param {(request: object) => Promise<any>} ask
	 * @param {((change: MembersChange) => void) | undefined} handler
	 */
	constructor(topic, ask, handler) {
		this.#topic = topic;
		this.#ask = ask;
		this.#handler = handler;
	}

	/** The topic is subscribed to, on this connection. */
	begin() {
		if (!this.#handler)
			return;
		this.end();
		this.#load(this.#round);
	}

	/** Nothing is told any more: the connection is lost, or the subscription. */
	end() {
		this.#round++;
		this.#isComplete = false;
		clearTimeout(this.#timer);
	}

	/** @param {number} round */
	async #load(round) {
		/** @type {number | undefined} */
		let after;

		this.#members.clear();
		try {
			do {
				const page = await this.#ask({ type: "presence",
					topic: this.#topic, members: true, after,
					subscribe: after === undefined ? true : undefined });

				if (round !== this.#round)
					return;
				for (const member of page.members)
					this.#add(member);
				({ after } = page);
			} while (after !== undefined);
			this.#isComplete = true;
			this.#tell(null);
		} catch (error) {
			if (round === this.#round)
				this.#failed(error);
		}
	}

	/** @param {any} error */
	#failed(error) {
		tell(this.#handler, { members: null, error });
		if (error.code === "members_full")
			this.#timer = setTimeout(() => this.begin(), AGAIN_MS);
	}

	/** @param {Member} member */
	#add(member) {
		this.#members.set(keyOf(member), memberOf(member));
	}

	/** @param {any} error */
	#tell(error) {
		if (this.#isComplete)
			tell(this.#handler,
			    { members: [...this.#members.values()], error });
	}

	/** @param {Member & { type: string }} frame a join or a leave */
	changed(frame) {
		if (frame.type === "join")
			this.#add(frame);
		else
			this.#members.delete(keyOf(frame));
		this.#tell(null);
	}

	/** @param {{ reason: string }} frame the server tells no more */
	told({ reason }) {
		this.end();
		if (reason === "members_full")
			this.#failed({ code: reason });
		else if (reason !== "forbidden")
			this.begin();
	}
}
