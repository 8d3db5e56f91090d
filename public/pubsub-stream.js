// SPDX-License-Identifier: MIT
/*
 * pubsub-stream.js - one topic's numbers in order, over all connections.
 *
 * The numbers of a topic are dense, so a client can see by itself that it has
 * them all.  Each is dealt with once: as a message, in a gap, or, where echo is
 * off, as one of the client's own, whose number the ack of its publish told.
 * Which was the last is all that the next connection needs to know.
 *
 * Numbers are of one ring, whose name is the epoch.  At a server with another:
 *
 *	the place (pos) is known	go on behind it, which all hosts of a cluster
 *			can; a host that cannot tells a gap
 *	we were there before	go on behind what was seen there; a gap is told,
 *			for whatever came to the ring in between
 *	otherwise		all that it has is new; a gap is told
 */

/* More messages than any server has; it takes no larger number. */
const ALL = 2 ** 32 - 1;

/* Rings that are remembered; there are as many as hosts, and some that ended. */
const RINGS_MAX = 16;

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
	/** @type {string | undefined} the same in the log of a cluster, so far as it
	 * is known: all that is not behind it is dealt with */
	pos;
	live = false; /* subscribed on the present connection */
	/** @type {import("./pubsub-members.js").Roster | null} */
	roster = null;

	#ackSeq = 0; /* the topic's last number when that began */
	/** @type {string | undefined} the log's end then */
	#ackPos;
	#ackFrom = 0; /* the number before those of the past that follow */
	/** @type {"history" | "number" | "place"} where that was asked to begin */
	#asked = "history";
	#ahead = ""; /* the ring to be entered, when a gap has come; "": none */
	#foreign = ""; /* a ring that knows nothing of our place */
	/** @type {Reason} why all that it has is new */
	#reason = "epoch";
	#isNew = true; /* no number has been dealt with */
	/** @type {Map<string, number>} the last number in rings of before */
	#rings = new Map();
	/** @type {Map<number, string | undefined>} numbers to come that this client
	 * has published, and their places */
	#own = new Map();
	/** @type {Set<string>} the places alone, where the numbers are another ring's */
	#ownPlaces = new Set();

	/**
	 * @param {string} topic
	 * @param {import("./pubsub.js").SubscribeOptions} options
	 */
	constructor(topic, options) {
		this.topic = topic;
		this.options = options;
		({ epoch: this.epoch, seq: this.seq, pos: this.pos } =
		    options.since ?? this);
	}

	/** Where it goes on from here: `since' for another day. */
	get place() {
		const { epoch, seq, pos } = this;

		return pos === undefined ? { epoch, seq } : { epoch, seq, pos };
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
	 * Where to begin: see above.
	 * @param {string} epoch
	 */
	#start(epoch) {
		const known = this.epoch === epoch ? this.seq :
			this.#rings.get(epoch);

		this.#asked = "history";
		if (this.pos !== undefined && this.epoch !== epoch &&
		    this.#foreign !== epoch) {
			this.#asked = "place";
			return { since: this.place };
		}
		if (known !== undefined && this.epoch !== "") {
			this.#asked = "number";
			return { since: { epoch, seq: known } };
		}
		return { history: this.epoch === "" || this.#isUntouched() ?
			this.options.history : ALL };
	}

	/* It has begun in a cluster with messages of the past, and none has come:
	 * begin again. */
	#isUntouched() {
		return this.#isNew && this.#ackPos !== undefined &&
		    this.options.since === undefined;
	}

	/** @param {{ epoch: string, seq: number, replayed?: number,
	 *     recovered?: boolean, pos?: string }} ack */
	acked({ epoch, seq, replayed = 0, recovered, pos }) {
		this.live = true;
		this.#ahead = "";
		this.#ackSeq = seq;
		this.#ackFrom = seq - replayed;
		if (this.epoch === epoch) {
			this.#ackPos = pos;
			this.#pass();
			return;
		}
		const before = this.epoch;
		const isUntouched = this.#isUntouched();

		this.#ackPos = pos;
		if (this.#asked === "place" && !recovered) {
			this.#ahead = epoch; /* a gap follows, and tells why */
			return;
		}
		this.#enter(epoch);
		if (before !== "" && this.#asked !== "place" && !isUntouched)
			this.#tellBlind(this.#reason);
	}

	/**
	 * Stand before what this ring sends.
	 * @param {string} epoch
	 */
	#enter(epoch) {
		if (this.epoch !== "")
			this.#rings.set(this.epoch, this.seq);
		if (this.#rings.size > RINGS_MAX)
			this.#rings.delete(this.#rings.keys().next().value ?? "");
		this.seq = this.#asked === "number" ?
			this.#rings.get(epoch) ?? this.#ackFrom : this.#ackFrom;
		if (this.#asked !== "place")
			this.pos = undefined;
		this.epoch = epoch;
		this.#foreign = "";
		for (const pos of this.#own.values())
			if (pos !== undefined)
				this.#ownPlaces.add(pos);
		this.#own.clear();
		this.#pass();
	}

	/* Pass what needs not to come.  Who has all that there was when the
	 * subscription began has come to where the log ended then. */
	#pass() {
		let pos;

		while (this.#own.has(this.seq + 1)) {
			pos = this.#own.get(++this.seq);
			this.#own.delete(this.seq);
			this.pos = pos ?? this.pos;
		}
		if (this.seq === this.#ackSeq && this.#ackPos !== undefined)
			this.pos = this.#ackPos;
	}

	/** @param {Reason} reason */
	#tellBlind(reason) {
		this.#reason = "epoch";
		tell(this.options.onGap, /** @type {import("./pubsub.js").Gap} */ (
		    { topic: this.topic, reason }));
	}

	/**
	 * A number of this client's own, which the server does not send.  It may
	 * be known before numbers below it have come.
	 * @param {import("./pubsub.js").Place} place
	 */
	published({ epoch, seq, pos }) {
		if (!this.live || this.options.echo !== false ||
		    epoch !== this.epoch || seq <= this.seq)
			return;
		this.#own.set(seq, pos);
		this.#pass();
	}

	/**
	 * @param {Omit<import("./pubsub.js").Message, "epoch">} frame
	 * @returns {boolean} false: it is none of this subscription, which began
	 *     behind it
	 */
	message({ seq, pos, time, message, retained }) {
		const { topic, epoch } = this;
		const told = { topic, epoch, seq, ...pos && { pos }, time, message };

		if (!this.live || this.#ahead || (seq <= this.seq && !retained))
			return false;
		if (retained && seq !== this.seq + 1) { /* not one of the row */
			tell(this.options.onMessage,
			    { ...told, retained, live: false });
			return true;
		}
		/* Never seen of a server.  If it ever is, it is told, not hidden. */
		if (seq > this.seq + 1)
			this.gap({ to: seq - 1, reason: "lost" });
		if (!this.live)
			return true; /* which made the user unsubscribe */
		this.seq = seq;
		/* One without a place leaves us behind the last that had one. */
		this.pos = pos ?? this.pos;
		this.#isNew = false;
		if (!this.#isOwn(seq, pos)) /* a replay brings one's own, too */
			tell(this.options.onMessage,
			    { ...told, ...retained && { retained },
				    live: seq > this.#ackSeq });
		this.#pass();
		return true;
	}

	/**
	 * @param {number} seq
	 * @param {string | undefined} pos
	 */
	#isOwn(seq, pos) {
		return this.#own.delete(seq) ||
		    (pos !== undefined && this.#ownPlaces.delete(pos));
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
		this.#ackPos = undefined;
		this.#own.clear();
		tell(this.options.onGap, /** @type {import("./pubsub.js").Gap} */ (
		    { topic, reason }));
	}

	/**
	 * The gap behind the answer to a place that this host cannot go on from.
	 * @param {Reason} reason
	 * @returns {boolean} as of gap()
	 */
	#turnedAway(reason) {
		const epoch = this.#ahead;

		if (reason === "epoch" || reason === "cluster") {
			this.live = false;
			this.#foreign = epoch;
			this.#reason = reason;
			return true;
		}
		this.#arrive();
		this.#tellBlind(reason);
		return false;
	}

	/* Enter the ring that this host has. */
	#arrive() {
		const epoch = this.#ahead;

		this.#ahead = "";
		this.#enter(epoch);
	}

	/**
	 * @param {{ to?: number, reason: Reason, epoch?: string,
	 *     seq?: number }} gap
	 * @returns {boolean} whether to subscribe anew, for this ring is another
	 *     one, and all that it has is new
	 */
	gap({ to, reason, epoch, seq }) {
		const { topic } = this;

		if (this.live && epoch === this.epoch && reason === "cluster") {
			/* Some of another host will never come: we stay. */
			tell(this.options.onGap,
			    /** @type {import("./pubsub.js").Gap} */ (
			    { topic, reason }));
			return false;
		}
		if (this.live && epoch !== undefined && seq !== undefined) {
			this.#moved({ epoch, seq, reason });
			return false;
		}
		if (this.live && this.#ahead && to === undefined)
			return this.#turnedAway(reason);
		if (this.live && this.#ahead)
			this.#arrive(); /* conflated, so it has gone on there */
		const from = this.seq + 1;

		if (!this.live || (to !== undefined && to < from))
			return false;
		this.seq = to ?? this.#ackFrom;
		this.#isNew = false;
		for (const own of this.#own.keys())
			if (own <= this.seq)
				this.#own.delete(own);
		this.#pass();
		tell(this.options.onGap, /** @type {import("./pubsub.js").Gap} */ (
		    to === undefined ? { topic, reason } :
		    { topic, from, to, reason }));
		return false;
	}
}
