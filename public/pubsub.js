// SPDX-License-Identifier: MIT
/*
 * pubsub.js - a client of pubsubd for browsers and Node.
 *
 *	import { connect } from "./pubsub.js";
 *
 *	const client = connect("ws://localhost:8000/ws");
 *
 *	await client.subscribe("room/1", {
 *		history: 20,
 *		onMessage: ({ seq, time, message }) => console.log(message),
 *		onGap: (gap) => console.warn("missed", gap),
 *	});
 *	await client.publish("room/1", { any: "JSON value" });
 *
 * Node before 22 has no WebSocket: connect(url, { WebSocket }) takes the class
 * of the package ws.
 *
 * A connection that is lost comes back by itself (pubsub-connection.js), and
 * every subscription goes on behind the last number seen (pubsub-stream.js).
 * So onMessage gets each message once and in order, and where some are not to
 * be had any more, onGap is called in their place.  What is asked while there
 * is no connection is kept and asked on the next one (pubsub-requests.js).
 *
 * Where the server asks who one is, connect(url, { token: () => promise }) tells
 * where a token is to be had (pubsub-auth.js).  What it does not grant fails
 * with the code "forbidden", and all else goes on.
 */

import { Connection } from "./pubsub-connection.js";
import { PubSubError, Requests } from "./pubsub-requests.js";
import { Stream, tell } from "./pubsub-stream.js";

export { PubSubError };

/**
 * A place in a topic: its number `seq` in the life `epoch` of the server.
 * @typedef {{ epoch: string, seq: number }} Place
 *
 * @typedef {object} Message which is a place, too
 * @property {string} topic
 * @property {string} epoch
 * @property {number} seq
 * @property {number} time when it was published: milliseconds since 1970
 * @property {any} message the JSON value that was published
 * @property {boolean} [live] in onMessage: false for what was published before
 *     this connection had subscribed
 */

/**
 * Messages that are not to be had any more: numbers `from` to `to`, because
 * this client did not read fast enough ("slow"), a part of the server did not
 * ("lapped"), they are older than what it keeps ("expired"), this client may not
 * have what came before ("forbidden"), or nobody knows why ("lost", never seen).
 * @typedef {object} NumberedGap
 * @property {string} topic
 * @property {number} from
 * @property {number} to
 * @property {"slow" | "lapped" | "expired" | "forbidden" | "lost"} reason
 *
 * @typedef {object} BlindGap without numbers: nobody knows how many, if any,
 *     because it is another server than before, perhaps the same one started
 *     anew ("epoch"), or it has forgotten the topic meanwhile or never given
 *     that number ("unknown")
 * @property {string} topic
 * @property {undefined} [from]
 * @property {undefined} [to]
 * @property {"unknown" | "epoch"} reason
 *
 * @typedef {NumberedGap | BlindGap} Gap
 */

/**
 * @typedef {object} SubscribeOptions
 * @property {Place} [since] go on behind this place; where it is of another
 *     epoch, with all that this one has
 * @property {number} [history] begin with the last so many messages, where no
 *     place is known to go on from
 * @property {boolean} [echo] false: without what this client publishes itself
 * @property {(message: Message) => void} [onMessage]
 * @property {(gap: Gap) => void} [onGap]
 * @property {(error: PubSubError) => void} [onEnd] the server has refused to go
 *     on, after a reconnect or because a renewed token does not grant it: the
 *     subscription is no more
 *
 * @typedef {object} Subscription
 * @property {string} topic
 * @property {Place} place the last number seen: `since` for another day
 * @property {() => Promise<void>} unsubscribe
 *
 * @typedef {object} Socket what is used of a WebSocket
 * @property {(data: string) => void} send
 * @property {(code?: number, reason?: string) => void} close
 * @property {(() => void)} [terminate]
 * @property {((event: any) => any) | null} onopen
 * @property {((event: any) => any) | null} onmessage
 * @property {((event: any) => any) | null} onclose
 * @property {((event: any) => any) | null} onerror
 *
 * @typedef {import("./pubsub-token.js").GetToken} GetToken
 *
 * @typedef {object} ConnectOptions
 * @property {new (url: string, protocols: string[]) => Socket} [WebSocket]
 * @property {(client: Client) => void} [onState] called whenever its `state` has
 *     changed; where there is none, one line on the console tells of a server
 *     that is not there
 * @property {GetToken} [token] called for a token before it is needed: for a
 *     connection, unless the last one is still good, and to renew it on the
 *     connection.  null: come without.  Where it fails the connection is tried
 *     again, later each time
 * @property {number} [timeout] milliseconds for a handshake, for a token and for an answer,
 *     after which the connection counts as dead (10,000)
 *
 * @typedef {{ message: number, topics: number, rate: number }} Limits
 * @typedef {"connecting" | "open" | "waiting" | "closed"} State
 */

/** @typedef {import("./pubsub-requests.js").Callbacks} Callbacks */

/**
 * A topic as the server tells it: there half a surrogate pair becomes U+FFFD.
 * What is not a string is for the server to refuse.
 * @param {string} topic
 */
function wellFormed(topic) {
	return typeof topic === "string" ?
	    topic.replace(/\p{Surrogate}/gu, "\ufffd") : topic;
}

/** Made by connect().  Event "state": look at `state`, `reason`, `retryAt`. */
export class Client extends EventTarget {
	/** @type {Limits | null} the server's, once it has told them */
	limits = null;

	#url;
	#onState;
	#connection;
	/** @type {State} before the last change */
	#before = "connecting";
	#hasWarned = false;
	#epoch = "";
	/** @type {Map<string, Stream>} */
	#streams = new Map();
	/** @type {Map<Stream, Omit<Callbacks, "cut">>} not yet confirmed */
	#joining = new Map();
	#requests;

	/**
	 * @param {string} url
	 * @param {ConnectOptions} options
	 */
	constructor(url, options) {
		super();
		this.#url = url;
		this.#onState = options.onState;
		this.#connection = new Connection(url, options, {
			welcome: (welcome) => this.#welcomed(welcome),
			frame: (frame) => this.#received(frame),
			idle: () => this.ping().catch(() => {}),
			lost: (inDoubt) => this.#lost(inDoubt),
			change: () => this.#changed(),
		});
		this.#requests = new Requests(this.#connection);
		this.#connection.connect();
	}

	/** @returns {State} */
	get state() {
		return this.#connection.state;
	}

	/** Whom the server has recognized by the token; "": nobody in particular. */
	get user() {
		return this.#connection.user;
	}

	/** Why it is closed, or why it was last lost. */
	get reason() {
		return this.#connection.reason;
	}

	/** When the next try will be, in Date.now()'s time, while waiting. */
	get retryAt() {
		return this.#connection.retryAt;
	}

	/**
	 * Subscribe, now or once there is a connection.  A client has at most one
	 * subscription to a topic.
	 * @param {string} topic
	 * @param {SubscribeOptions} [options]
	 * @returns {Promise<Subscription>} when the server has confirmed it
	 */
	subscribe(topic, options = {}) {
		topic = wellFormed(topic);
		if (this.state === "closed")
			return Promise.reject(this.#requests.closedError());
		if (this.#streams.has(topic))
			return Promise.reject(new PubSubError("already_subscribed",
			    `there is a subscription to ${topic}`));
		const stream = new Stream(topic, { ...options });
		const subscription = {
			topic,
			get place() {
				return { epoch: stream.epoch, seq: stream.seq };
			},
			unsubscribe: () => this.#end(stream),
		};

		this.#streams.set(topic, stream);
		return new Promise((resolve, reject) => {
			this.#joining.set(stream,
			    { done: () => resolve(subscription), fail: reject });
			this.#renew(stream);
		});
	}

	/**
	 * End a subscription.  Its handlers are not called any more from now on.
	 * @param {string} topic
	 * @returns {Promise<void>}
	 */
	unsubscribe(topic) {
		const stream = this.#streams.get(wellFormed(topic));

		return stream ? this.#end(stream) : Promise.reject(
		    new PubSubError("not_subscribed", `not to ${topic}`));
	}

	/**
	 * Publish a JSON value.  Fails with "unknown" if the connection is lost
	 * before the server's answer; with `retry` it is then published again,
	 * and so perhaps twice.
	 * @param {string} topic
	 * @param {any} message
	 * @param {{ retry?: boolean }} [options]
	 * @returns {Promise<Place & { topic: string }>} where it is
	 */
	publish(topic, message, { retry = false } = {}) {
		topic = wellFormed(topic);
		return this.#requests.ask({ type: "publish", topic, message },
		    ({ epoch, seq }) => {
			    this.#streams.get(topic)?.published({ epoch, seq });
			    return { topic, epoch, seq };
		    }, retry);
	}

	/**
	 * How many connections are subscribed to a topic.
	 * @param {string} topic
	 * @returns {Promise<number>}
	 */
	presence(topic) {
		return this.#requests.ask({ type: "presence", topic },
		    ({ count }) => count);
	}

	/**
	 * Messages of the past, oldest first: the last `limit` ones with numbers
	 * below `before`.  `more`: there were older ones still.
	 * @param {string} topic
	 * @param {{ before?: number, limit?: number }} [options]
	 * @returns {Promise<{ messages: Message[], more: boolean }>}
	 */
	history(topic, { before, limit } = {}) {
		topic = wellFormed(topic);
		return this.#requests.ask({ type: "history", topic, before, limit },
		    ({ messages, more = false }) => ({
			    messages: messages.map((/** @type {Message} */ m) =>
				({ ...m, topic, epoch: this.#epoch })),
			    more,
		    }));
	}

	/**
	 * Resolves when the server has done all that was asked before.
	 * @returns {Promise<void>}
	 */
	ping() {
		return this.#requests.ask({ type: "ping" }, () => undefined);
	}

	/**
	 * Something outside has changed: a network is back, a laptop was opened.
	 * Connect now, or see whether the connection still lives.
	 */
	wake() {
		this.#connection.wake();
	}

	/**
	 * Close for good.  What is not answered fails, so await first what matters.
	 * @returns {Promise<void>} when the connection is closed, or the server has
	 *     not answered that in time
	 */
	close() {
		return this.#connection.close("closed");
	}

	/**
	 * Subscribe on this connection, if there is one.
	 * @param {Stream} stream
	 */
	#renew(stream) {
		if (!this.#connection.ready)
			return;
		this.#requests.add(stream.request(this.#epoch), {
			done: (ack) => {
				if (this.#streams.get(stream.topic) !== stream)
					return;
				stream.acked(ack);
				this.#joining.get(stream)?.done(ack);
				this.#joining.delete(stream);
			},
			fail: (error) => this.#refused(stream, error),
			cut: () => false, /* the next connection renews it */
		});
	}

	/**
	 * @param {Stream} stream
	 * @param {PubSubError} error
	 */
	#refused(stream, error) {
		if (this.#streams.get(stream.topic) !== stream)
			return;
		this.#streams.delete(stream.topic);
		if (this.#joining.has(stream))
			this.#joining.get(stream)?.fail(error);
		else
			tell(stream.options.onEnd, error);
		this.#joining.delete(stream);
	}

	/**
	 * @param {Stream} stream
	 * @returns {Promise<void>}
	 */
	#end(stream) {
		const { topic } = stream;

		if (this.#streams.get(topic) !== stream)
			return Promise.resolve();
		this.#streams.delete(topic);
		stream.live = false;
		this.#joining.get(stream)?.fail(new PubSubError("unsubscribed",
		    "before the server had confirmed the subscription"));
		this.#joining.delete(stream);
		if (!this.#connection.ready)
			return Promise.resolve();
		return new Promise((resolve) => this.#requests.add(
		    { type: "unsubscribe", topic }, {
			    done: () => resolve(),
			    fail: () => resolve(), /* it never was */
			    cut: () => {
				    resolve();
				    return false;
			    },
		    }));
	}

	/** @param {import("./pubsub-connection.js").Welcome} welcome */
	#welcomed({ epoch, limits }) {
		this.#epoch = epoch;
		this.limits = limits;
		this.#requests.messageMax = limits.message;
		for (const stream of this.#streams.values())
			this.#renew(stream);
		this.#requests.resend();
	}

	/** @param {any} frame */
	#received(frame) {
		switch (frame.type) {
		case "message":
			this.#streams.get(frame.topic)?.message(frame);
			break;
		case "gap":
			this.#streams.get(frame.topic)?.gap(frame);
			break;
		case "unsubscribed":
			this.#expelled(frame);
			break;
		default:
			this.#requests.answered(frame);
		}
	}

	/**
	 * The server has ended a subscription by itself.
	 * @param {{ topic: string, code: string, reason?: string }} frame
	 */
	#expelled({ topic, code, reason = "there is no grant for this any more" }) {
		const stream = this.#streams.get(topic);

		if (stream)
			this.#refused(stream, new PubSubError(code, reason));
	}

	/** @param {boolean} inDoubt what is not answered may be done */
	#lost(inDoubt) {
		for (const stream of this.#streams.values())
			stream.live = false;
		this.#requests.lost(inDoubt);
	}

	#changed() {
		if (this.state === "closed") {
			const error = this.#requests.closedError();

			this.#requests.end();
			for (const { fail } of this.#joining.values())
				fail(error);
			this.#joining.clear();
			this.#streams.clear();
		}
		if (this.state === "waiting" && this.#before === "connecting")
			this.#warn();
		this.#before = this.state;
		tell(this.#onState, this);
		this.dispatchEvent(new Event("state"));
	}

	/* Who awaits a subscription would wait for ever and not know for what. */
	#warn() {
		if (this.#hasWarned || this.#onState)
			return;
		this.#hasWarned = true;
		console.warn(`pubsub.js: no connection to ${this.#url}` +
		    `${this.reason && ` (${this.reason})`}; it goes on trying`);
	}
}

/**
 * The WebSocket's address: a page's own may be relative to it, and http.
 * @param {string | URL} url
 */
function socketUrl(url) {
	const address = new URL(url, globalThis.location?.href);

	address.protocol = address.protocol.replace(/^http/u, "ws");
	address.hash = ""; /* no WebSocket takes one */
	return address.href;
}

/**
 * Connect to a server's /ws; in a page connect("ws") is that of the server, or
 * the folder of it, that the page came from.  `?buffer=N&overflow=drop|latest|close` in the URL
 * says how many messages may wait for this client there, and what happens then.
 * @param {string | URL} url
 * @param {ConnectOptions} [options]
 */
export function connect(url, options = {}) {
	return new Client(socketUrl(url), options);
}
