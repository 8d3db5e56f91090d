// SPDX-License-Identifier: MIT
/*
 * pubsub-stream.js - one topic's numbers in order, over all connections.
 *
 * The numbers of a topic are dense, so a client can see by itself that it has
 * them all.  Each is dealt with once: as a message, in a gap, or, where echo is
 * off, as one of the client's own, whose number the ack of its publish told.
 * Which was the last is all that the next connection needs to know.
 */

/* More messages than any server has; it takes no larger number. */
const ALL = 2 ** 32 - 1;

/** @typedef {import("./pubsub.js").Gap["reason"]} Reason */

/**
 * Call what the user gave.  What it throws is the user's, and must not keep the
 * client from its work.
 * @template T
 * @param {((argument: T) => void) | undefined} handler
 * @param {T} argument
 */
export function tell(handler, argument) {
	try {
		handler?.(argument);
	} catch (error) {
		queueMicrotask(() => {
			throw error;
		});
	}
}

/** One topic's numbers in order: each is seen once, or lies in a gap. */
export class Stream {
	epoch = ""; /* "": no number is known yet */
	seq = 0;    /* the last number dealt with */
	live = false; /* subscribed on the present connection */
	/** @type {import("./pubsub-members.js").Roster | null} */
	roster = null;

	#ackSeq = 0; /* the topic's last number when that began */
	/** @type {Set<number>} numbers to come that this client has published */
	#own = new Set();

	/**
	 * @param {string} topic
	 * @param {import("./pubsub.js").SubscribeOptions} options
	 */
	constructor(topic, options) {
		this.topic = topic;
		this.options = options;
		({ epoch: this.epoch, seq: this.seq } = options.since ?? this);
	}

	get key() {
		return this.topic;
	}

	/* The request that ends it. */
	farewell() {
		return { type: "unsubscribe", topic: this.topic };
	}

	/**
	 * The request that subscribes at a server of that epoch.
	 * @param {string} epoch
	 */
	request(epoch) {
		const { echo, last, every } = this.options;

		return { type: "subscribe", topic: this.topic, echo, last,
			every_ms: every,
			...this.#start(epoch) };
	}

	/**
	 * Where to begin.  In another epoch than before, all that there is is new.
	 * @param {string} epoch
	 */
	#start(epoch) {
		if (this.epoch === "")
			return { history: this.options.history };
		return this.epoch === epoch ?
		    { since: { epoch, seq: this.seq } } : { history: ALL };
	}

	/** @param {{ epoch: string, seq: number, replayed?: number }} ack */
	acked({ epoch, seq, replayed = 0 }) {
		const before = this.epoch;

		this.live = true;
		this.#ackSeq = seq;
		if (before === epoch)
			return;
		this.epoch = epoch;
		this.seq = seq - replayed;
		this.#own.clear();
		if (before !== "")
			tell(this.options.onGap,
			    { topic: this.topic, reason: "epoch" });
	}

	/**
	 * A number of this client's own, which the server does not send.  It may
	 * be known before numbers below it have come.
	 * @param {import("./pubsub.js").Place} place
	 */
	published({ epoch, seq }) {
		if (!this.live || this.options.echo !== false ||
		    epoch !== this.epoch || seq <= this.seq)
			return;
		this.#own.add(seq);
		this.#passOwn();
	}

	#passOwn() {
		while (this.#own.delete(this.seq + 1))
			this.seq++;
	}

	/**
	 * @param {Omit<import("./pubsub.js").Message, "epoch">} frame
	 * @returns {boolean} false: it is none of this subscription, which began
	 *     behind it
	 */
	message({ seq, time, message, retained }) {
		const { topic, epoch } = this;

		if (!this.live || (seq <= this.seq && !retained))
			return false;
		if (retained && seq !== this.seq + 1) { /* not one of the row */
			tell(this.options.onMessage, { topic, epoch, seq, time,
				message, retained, live: false });
			return true;
		}
		/* Never seen of a server.  If it ever is, it is told, not hidden. */
		if (seq > this.seq + 1)
			this.gap({ to: seq - 1, reason: "lost" });
		if (!this.live)
			return true; /* which made the user unsubscribe */
		this.seq = seq;
		if (!this.#own.delete(seq)) /* a replay brings one's own, too */
			tell(this.options.onMessage,
			    { topic, epoch, seq, time, message,
				    ...retained && { retained },
				    live: seq > this.#ackSeq });
		this.#passOwn();
		return true;
	}

	/**
	 * A message without a number: nothing of the order depends on it.
	 * @param {{ time: number, message: any }} frame
	 */
	ephemeral({ time, message }) {
		if (this.live)
			tell(this.options.onEphemeral,
			    { topic: this.topic, time, message });
	}

	/**
	 * The server has moved the connection to another ring.
	 * @param {{ epoch: string, seq: number, reason: Reason }} gap
	 */
	#moved({ epoch, seq, reason }) {
		const { topic } = this;

		this.epoch = epoch;
		this.seq = this.#ackSeq = seq;
		this.#own.clear();
		tell(this.options.onGap, /** @type {import("./pubsub.js").Gap} */ (
		    { topic, reason }));
	}

	/** @param {{ to?: number, reason: Reason, epoch?: string,
	 *     seq?: number }} gap */
	gap({ to, reason, epoch, seq }) {
		const { topic } = this;
		const from = this.seq + 1;

		if (this.live && epoch !== undefined && seq !== undefined) {
			this.#moved({ epoch, seq, reason });
			return;
		}
		if (!this.live || (to !== undefined && to < from))
			return;
		this.seq = to ?? this.#ackSeq;
		for (const seq of this.#own)
			if (seq <= this.seq)
				this.#own.delete(seq);
		this.#passOwn();
		tell(this.options.onGap, /** @type {import("./pubsub.js").Gap} */ (
		    to === undefined ? { topic, reason } :
		    { topic, from, to, reason }));
	}
}
