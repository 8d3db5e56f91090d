// SPDX-License-Identifier: MIT
/*
 * patterns.mjs - a subscriber of a pattern of topics, which cannot resume and is
 * told by count what it missed; and what is held to be a fault of what it gets.
 *
 * Of each topic it sees every number at most once, and in order.  Within one of
 * its connections, what lies between the first and the last that it got of a topic
 * and did not come has been told by then, in gaps that count; unless one said that
 * nobody knows how many there were (lapped).  Only numbers count that somebody has
 * seen given: those of a topic that was forgotten and found again jump.
 */

import { Socketed } from "./subscribers.mjs";

/* One connection. */
class Stretch {
	epoch = "";
	last = new Map(); /* topic -> the last number that came */
	holes = [];       /* {topic, from, to, told}: both ends came; what had been
	                   * told by then */
	told = 0;
	lapped = false;
}

export class Patterned {
	#ledger;
	#got = new Map();    /* "topic epoch" -> the highest number that came */
	#stretches = [];

	constructor(ledger, name) {
		this.#ledger = ledger;
		this.name = name;
	}

	begin(epoch) {
		const stretch = new Stretch();

		stretch.epoch = epoch;
		this.#stretches.push(stretch);
	}

	#fault(kind, topic, text) {
		this.#ledger.fault(kind, `${this.name} in ${topic}: ${text}`);
	}

	message(topic, seq, text) {
		const stretch = this.#stretches.at(-1);
		const { epoch, last } = stretch;
		const where = `${topic} ${epoch}`;
		const before = this.#got.get(where) ?? 0;

		this.#ledger.heard(text, { topic, epoch, seq }, this.name);
		if (seq === before)
			this.#fault("doubles", topic, `${seq} came twice`);
		else if (seq < before)
			this.#fault("disorder", topic,
			    `${seq} came after ${before}`);
		this.#got.set(where, Math.max(before, seq));
		if (last.has(topic) && seq > last.get(topic) + 1)
			stretch.holes.push({ topic, from: last.get(topic), to: seq,
				told: stretch.told, lapped: stretch.lapped });
		last.set(topic, seq);
	}

	/* count: undefined if nobody knows. */
	gap(count, reason) {
		const stretch = this.#stretches.at(-1);

		this.#ledger.counts.gaps++;
		if (count === undefined) {
			stretch.lapped = true;
			if (reason !== "lapped")
				this.#fault("damaged", "", `a gap (${reason})`);
			return;
		}
		stretch.told += count;
		this.#ledger.counts.covered += count;
		this.#ledger.counts.told += count;
	}

	/* The last number of a topic in that epoch, over all connections. */
	lastOf(topic, epoch) {
		return this.#got.get(`${topic} ${epoch}`) ?? 0;
	}

	witnessed() {
		return false; /* a pattern keeps no topic from being forgotten */
	}

	judge() {
		for (const { epoch, holes } of this.#stretches) {
			let missing = 0;

			for (const { topic, from, to, told, lapped } of holes) {
				missing += this.#ledger.knownBetween(topic, epoch,
				    from, to);
				if (lapped || missing <= told)
					continue;
				this.#ledger.fault("unexplained", `${this.name}: ` +
				    `${missing} had not come by ${to} of ${topic}, ` +
				    `and ${told} had been told of`,
				    missing - told);
				break;
			}
		}
	}
}

/* All topics, by a pattern; those that it also names it follows by name, too. */
export class PatternSubscriber extends Socketed {
	constructor(world, name, topics, query) {
		super(world, name, topics, query);
		this.observer = this.ledger.patterned(this.name);
	}

	open() {
		this.listen(this.dial());
	}

	received(data) {
		const frame = JSON.parse(data);

		switch (frame.type) {
		case "welcome":
			this.epoch = frame.epoch;
			this.observer.begin(frame.epoch);
			this.socket.send(JSON.stringify({ type: "subscribe",
				pattern: "+" }));
			break;
		case "message":
			if (this.topics.includes(frame.topic))
				this.observer.message(frame.topic, frame.seq,
				    frame.message);
			break;
		case "gap":
			this.observer.gap(frame.count, frame.reason);
			break;
		case "error":
			if (frame.code !== "draining")
				this.ledger.fault("damaged",
				    `${this.name}: ${frame.code}`);
			break;
		}
	}

	reached(places) {
		return this.topics.every((topic) => {
			const { epoch, seq } = places.get(topic);

			return this.observer.lastOf(topic, epoch) >= seq;
		});
	}
}
