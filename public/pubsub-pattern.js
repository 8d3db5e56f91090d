// SPDX-License-Identifier: MIT
/*
 * pubsub-pattern.js - a subscription to all topics that match a pattern.
 *
 *	+	stands for any one level of a topic's name, between slashes
 *	#	as the last level, for all the rest, the level above included
 *
 * A pattern has no place to go on from: where the connection was lost, or the
 * server says so, something of it may be missing.
 */

import { tell } from "./pubsub-stream.js";

/**
 * Whether a topic is one of those that a pattern stands for, as the server has it.
 * @param {string} pattern
 * @param {string} topic
 */
export function matches(pattern, topic) {
	const levels = topic.split("/"), wanted = pattern.split("/");

	for (const [i, level] of wanted.entries()) {
		if (level === "#")
			return true;
		if (i >= levels.length || level !== "+" && level !== levels[i])
			return false;
	}
	return wanted.length === levels.length;
}

/** What Client needs to know of a subscription; Stream is that of a topic. */
export class PatternStream {
	live = false; /* subscribed on the present connection */
	roster = undefined; /* there is one of a topic alone */

	#epoch = "";
	#hasBeen = false;

	/**
	 * @param {string} pattern
	 * @param {import("./pubsub.js").PatternOptions} options
	 */
	constructor(pattern, options) {
		this.pattern = pattern;
		this.options = options;
	}

	/* No topic has a line feed. */
	get key() {
		return `\n${this.pattern}`;
	}

	request() {
		return { type: "subscribe", pattern: this.pattern,
			echo: this.options.echo };
	}

	farewell() {
		return { type: "unsubscribe", pattern: this.pattern };
	}

	/** The server has confirmed it, on this connection of that epoch.
	 * @param {any} _ack
	 * @param {string} epoch
	 */
	acked(_ack, epoch) {
		this.live = true;
		this.#epoch = epoch;
		if (this.#hasBeen)
			this.gap({ reason: "reconnected" });
		this.#hasBeen = true;
	}

	/** @param {any} frame */
	message({ topic, seq, pos, time, message }) {
		if (this.live && matches(this.pattern, topic))
			tell(this.options.onMessage, { topic, epoch: this.#epoch,
				seq, ...pos && { pos }, time, message, live: true });
	}

	/** @param {any} frame */
	ephemeral({ topic, time, message }) {
		if (this.live && matches(this.pattern, topic))
			tell(this.options.onEphemeral, { topic, time, message });
	}

	/** @param {{ count?: number, reason: any, epoch?: string }} gap
	 * @returns {boolean} false: as Stream has it
	 */
	gap({ count, reason, epoch = this.#epoch }) {
		const { pattern } = this;

		this.#epoch = epoch; /* another, if the server has moved us */
		if (this.live)
			tell(this.options.onGap, count === undefined ?
				{ pattern, reason } : { pattern, count, reason });
		return false;
	}
}
