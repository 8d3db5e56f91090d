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
 * connect([a, b, c]) is given several hosts of a cluster.  The client has one
 * connection at a time; when a host leaves, it goes on at another
 * (pubsub-hosts.js) and has missed nothing.  Servers that share nothing can be
 * given as well: then a gap is told, for each has numbers of its own.
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
import { Roster, memberOf } from "./pubsub-members.js";
import { PatternStream } from "./pubsub-pattern.js";
import { PubSubError, Requests } from "./pubsub-requests.js";
import { Stream, tell } from "./pubsub-stream.js";

export { PubSubError };

/**
 * A place in a topic: its number `seq` in the life `epoch` of the server; in a
 * cluster also `pos`, which is the same at all hosts.
 * @typedef {{ epoch: string, seq: number, pos?: string }} Place
 *
 * @typedef {object} Message which is a place, too
 * @property {string} topic
 * @property {string} epoch
 * @property {number} seq
 * @property {string} [pos] in a cluster
 * @property {number} time when it was published: milliseconds since 1970
 * @property {any} message the JSON value that was published
 * @property {boolean} [retained] in onMessage: it is the topic's last value, which
 *     comes whatever its number is
 * @property {boolean} [live] in onMessage: false for what was published before
 *     this connection had subscribed
 */

/**
 * A message that was published as ephemeral: it has no number, and who was not
 * there when it came will not get it.
 * @typedef {object} Ephemeral
 * @property {string} topic
 * @property {number} time when it was published: milliseconds since 1970
 * @property {any} message the JSON value that was published
 */

/**
 * Messages that are not to be had any more: numbers `from` to `to`, because
 * this client did not read fast enough ("slow"), a part of the server did not
 * ("lapped"), they are older than what it keeps ("expired"), this client may not
 * have what came before ("forbidden"), newer ones took their place
 * ("conflated", with `every`), or nobody knows why ("lost", never seen).
 * @typedef {object} NumberedGap
 * @property {string} topic
 * @property {number} from
 * @property {number} to
 * @property {"slow" | "lapped" | "expired" | "forbidden" | "conflated" | "lost"} reason
 *
 * @typedef {object} BlindGap without numbers: nobody knows how many, if any,
 *     because it is another server than before, perhaps the same one started
 *     anew ("epoch"), the log of its cluster is another one ("cluster"), it has
 *     forgotten the topic meanwhile or never given that number ("unknown"), or
 *     it goes on for another host and has no more of it ("expired") or may not
 *     tell it ("forbidden")
 * @property {string} topic
 * @property {undefined} [from]
 * @property {undefined} [to]
 * @property {"unknown" | "epoch" | "cluster" | "expired" | "forbidden"} reason
 *
 * @typedef {NumberedGap | BlindGap} Gap
 */

/**
 * @typedef {object} SubscribeOptions
 * @property {Place} [since] go on behind this place; where it is of another
 *     epoch, and not of another host of the cluster, with all that this one has
 * @property {number} [history] begin with the last so many messages, where no
 *     place is known to go on from
 * @property {boolean} [last] begin with the topic's last value, if it has one
 * @property {number} [every] at most one message in so many milliseconds, 100 or
 *     more, always the newest in the end; those between are gaps ("conflated")
 * @property {boolean} [echo] false: without what this client publishes itself
 * @property {(message: Message) => void} [onMessage]
 * @property {(message: Ephemeral) => void} [onEphemeral]
 * @property {(gap: Gap) => void} [onGap]
 * @property {(change: MembersChange) => void} [onMembers] who is there, first all,
 *     then again whenever somebody comes or leaves
 * @property {(error: PubSubError) => void} [onEnd] the server has refused to go
 *     on, after a reconnect or because a renewed token does not grant it: the
 *     subscription is no more
 *
 * @typedef {object} PatternGap messages of a pattern that are missing: so many;
 *     or, without `count`, nobody knows how many, if any
 * @property {string} pattern
 * @property {number} [count]
 * @property {"slow" | "lapped" | "reconnected"} reason
 *
 * @typedef {object} PatternOptions
 * @property {boolean} [echo] false: without what this client publishes itself
 * @property {(message: Message) => void} [onMessage]
 * @property {(message: Ephemeral) => void} [onEphemeral]
 * @property {(gap: PatternGap) => void} [onGap]
 * @property {(error: PubSubError) => void} [onEnd] as of a topic
 *
 * @typedef {object} PatternSubscription
 * @property {string} pattern
 * @property {() => Promise<void>} unsubscribe
 *
 * @typedef {object} PublishOptions
 * @property {boolean} [retry] publish again what was cut off
 * @property {boolean} [ephemeral] for those who are there now, without a
 *     number, kept nowhere; with none of these:
 * @property {boolean} [retain] be the topic's last value from now on; an empty
 *     string clears it. False: not, even if the server says so of the topic
 * @property {number} [ttl] who subscribes, or comes back, later than so many
 *     seconds is not sent it
 * @property {string} [key] published again with the same key, at once or within
 *     the server's --dedup-window, it is not published twice
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
 *     changed; `url` says of which host it is.  Where there is none, one line on
 *     the console tells of a server that is not there, or that has closed this
 *     client for good
 * @property {() => string} [user] called for each connection: the name to go by
 *     without a token, 1 to 64 bytes, which others see as not verified
 * @property {GetToken} [token] called for a token before it is needed: for a
 *     connection, unless the last one is still good, and to renew it on the
 *     connection.  null: come without.  Where it fails the connection is tried
 *     again, later each time
 * @property {number} [timeout] milliseconds for a handshake, for a token and for an answer,
 *     after which the connection counts as dead (10,000)
 *
 * @typedef {{ message: number, topics: number, patterns: number, rate: number }} Limits
 * @typedef {"connecting" | "open" | "waiting" | "closed"} State
 */

/**
 * @typedef {import("./pubsub-requests.js").Callbacks} Callbacks
 * @typedef {import("./pubsub-members.js").Member} Member
 * @typedef {import("./pubsub-members.js").MembersChange} MembersChange
 */

/**
 * A topic as the server tells it: there half a surrogate pair becomes U+FFFD.
 * What is not a string is for the server to refuse.
 * @param {string} topic
 */
function wellFormed(topic) {
	return typeof topic === "string" ?
	    topic.replace(/\p{Surrogate}/gu, "\ufffd") : topic;
}

/** Made by connect().  Event "state": look at `state`, `url`, `reason`, `retryAt`. */
export class Client extends EventTarget {
	/** @type {Limits | null} the server's, once it has told them */
	limits = null;

	#onState;
	#connection;
	/** @type {State} before the last change */
	#before = "connecting";
	#hasWarned = false;
	#isLeaving = false; /* by close() */
	#epoch = "";
	/** @type {Map<string, any>} Stream and PatternStream, by their keys */
	#streams = new Map();
	/** @type {Map<Stream | PatternStream, Omit<Callbacks, "cut">>} not yet
	 * confirmed */
	#joining = new Map();
	#requests;

	/**
	 * @param {import("./pubsub-hosts.js").Urls} urls
	 * @param {ConnectOptions} options
	 */
	constructor(urls, options) {
		super();
		this.#onState = options.onState;
		this.#connection = new Connection(urls,
		    (url) => named(url, options.user), options, {
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

	/** The host that it is connected to, or tries, or that it has lost. */
	get url() {
		return this.#connection.url;
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

		stream.roster = new Roster(topic,
		    (request) => this.#requests.ask(request, (answer) => answer,
			false), options.onMembers);
		const subscription = {
			topic,
			get place() {
				return stream.place;
			},
			unsubscribe: () => this.#end(stream),
		};

		return this.#begin(stream, subscription);
	}

	/**
	 * Subscribe to all topics that match a pattern: `+` is any one level of a
	 * name, `#` as the last one all the rest.  A topic that there is a
	 * subscription to brings its messages there alone.
	 * @param {string} pattern
	 * @param {PatternOptions} [options]
	 * @returns {Promise<PatternSubscription>} when the server has confirmed it
	 */
	follow(pattern, options = {}) {
		pattern = wellFormed(pattern);
		const stream = new PatternStream(pattern, { ...options });

		if (this.state === "closed")
			return Promise.reject(this.#requests.closedError());
		if (this.#streams.has(stream.key))
			return Promise.reject(new PubSubError("already_subscribed",
			    `there is a subscription to ${pattern}`));
		return this.#begin(stream, { pattern,
			unsubscribe: () => this.#end(stream) });
	}

	/**
	 * @template T
	 * @param {Stream | PatternStream} stream
	 * @param {T} subscription what the user gets
	 * @returns {Promise<T>}
	 */
	#begin(stream, subscription) {
		this.#streams.set(stream.key, stream);
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
	 * and so perhaps twice, unless it has a `key`.  A host that is cut off
	 * from its cluster refuses it: then it is published at another, and
	 * fails with "cluster_down" if each host that was given has refused.
	 * @param {string} topic
	 * @param {any} message
	 * @param {PublishOptions} [options]
	 * @returns {Promise<Place & { topic: string, duplicate?: boolean }>} where
	 *     it is; without a number its `seq` is undefined; duplicate: it was
	 *     there already
	 */
	publish(topic, message, { retry = false, ephemeral, retain, ttl, key } = {}) {
		topic = wellFormed(topic);
		return this.#requests.ask(
		    { type: "publish", topic, message, ephemeral, retain, ttl, key },
		    ({ epoch, seq, pos, duplicate }) => {
			    if (seq !== undefined)
				    this.#streams.get(topic)?.published(
					{ epoch, seq, pos });
			    return { topic, epoch, seq, ...pos && { pos },
				    ...duplicate && { duplicate } };
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
	 * Who is in a topic: a page of users, in the order of coming.  `after`, if
	 * there are more: to be given for the next page.
	 * @param {string} topic
	 * @param {{ limit?: number, after?: number }} [options]
	 * @returns {Promise<{ members: (Member & { connections: number })[],
	 *     count: number, after?: number, hosts?: number, silent?: number }>}
	 *     count: all connections, also those without a name; in a cluster, how
	 *     many hosts were asked, and how many did not answer in time: who is
	 *     there is missing
	 */
	members(topic, { limit, after } = {}) {
		return this.#requests.ask(
		    { type: "presence", topic, members: true, limit, after },
		    ({ members, count, after: next, hosts, silent }) => ({
			    members: members.map((/** @type {any} */ member) => ({
				    ...memberOf(member),
				    connections: member.connections })),
			    count,
			    after: next,
			    ...hosts !== undefined && { hosts, silent },
		    }));
	}

	/**
	 * Messages of the past, oldest first: the last `limit` ones with numbers
	 * below `before`, which is of the host that it is asked at (`epoch`).
	 * `more`: there were older ones still.  One whose `ttl` is over is there as
	 * its number and `expired: true`.
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

	/** Come anew, with another name perhaps; every subscription goes on. */
	reconnect() {
		this.#connection.reconnect();
	}

	/**
	 * Close for good.  What is not answered fails, so await first what matters.
	 * @returns {Promise<void>} when the connection is closed, or the server has
	 *     not answered that in time
	 */
	close() {
		this.#isLeaving = true;
		return this.#connection.close("closed");
	}

	/**
	 * Subscribe on this connection, if there is one.
	 * @param {Stream | PatternStream} stream
	 */
	#renew(stream) {
		if (!this.#connection.ready)
			return;
		this.#requests.add(stream.request(this.#epoch), {
			done: (ack) => {
				if (this.#streams.get(stream.key) !== stream)
					return;
				stream.acked(ack, this.#epoch);
				this.#joining.get(stream)?.done(ack);
				this.#joining.delete(stream);
				stream.roster?.begin();
			},
			fail: (error) => error.code === "cluster_down" ?
				this.#connection.forsake(error.message) :
				this.#refused(stream, error),
			cut: () => false, /* the next connection renews it */
		});
	}

	/**
	 * @param {Stream | PatternStream} stream
	 * @param {PubSubError} error
	 */
	#refused(stream, error) {
		if (this.#streams.get(stream.key) !== stream)
			return;
		this.#streams.delete(stream.key);
		stream.roster?.end();
		if (this.#joining.has(stream))
			this.#joining.get(stream)?.fail(error);
		else
			tell(stream.options.onEnd, error);
		this.#joining.delete(stream);
	}

	/**
	 * @param {Stream | PatternStream} stream
	 * @returns {Promise<void>}
	 */
	#end(stream) {
		if (this.#streams.get(stream.key) !== stream)
			return Promise.resolve();
		this.#streams.delete(stream.key);
		stream.live = false;
		stream.roster?.end();
		this.#joining.get(stream)?.fail(new PubSubError("unsubscribed",
		    "before the server had confirmed the subscription"));
		this.#joining.delete(stream);
		if (!this.#connection.ready)
			return Promise.resolve();
		return new Promise((resolve) => this.#requests.add(
		    stream.farewell(), {
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
			if (!this.#streams.get(frame.topic)?.message(frame))
				this.#tellPatterns("message", frame);
			break;
		case "ephemeral":
			if (this.#streams.has(frame.topic))
				this.#streams.get(frame.topic).ephemeral(frame);
			else
				this.#tellPatterns("ephemeral", frame);
			break;
		case "gap":
			this.#epoch = frame.epoch ?? this.#epoch;
			this.#missed(this.#streamOf(frame), frame);
			break;
		case "join":
		case "leave":
			this.#streams.get(frame.topic)?.roster?.changed(frame);
			break;
		case "unsubscribed":
			this.#expelled(frame);
			break;
		case "presence":
			if (frame.subscribe === false)
				this.#streams.get(frame.topic)?.roster?.told(frame);
			else
				this.#requests.answered(frame);
			break;
		default:
			this.#requests.answered(frame);
		}
	}

	/**
	 * The subscription that a frame is about.
	 * @param {{ topic?: string, pattern?: string }} frame
	 */
	#streamOf({ topic, pattern }) {
		return this.#streams.get(pattern === undefined ? topic ?? "" :
			`\n${pattern}`);
	}

	/**
	 * @param {Stream | PatternStream | undefined} stream
	 * @param {any} gap
	 */
	#missed(stream, gap) {
		if (!stream?.gap(gap))
			return;
		this.#requests.add(stream.farewell(),
		    { done() {}, fail() {}, cut: () => false });
		this.#renew(stream);
	}

	/**
	 * @param {"message" | "ephemeral"} what
	 * @param {any} frame
	 */
	#tellPatterns(what, frame) {
		for (const stream of [...this.#streams.values()])
			if (stream instanceof PatternStream)
				stream[what](frame);
	}

	/**
	 * The server has ended a subscription by itself.
	 * @param {{ topic?: string, pattern?: string, code: string,
	 *     reason?: string }} frame
	 */
	#expelled(frame) {
		const { code, reason = "there is no grant for this any more" } = frame;
		const stream = this.#streamOf(frame);

		if (stream)
			this.#refused(stream, new PubSubError(code, reason));
	}

	/** @param {boolean} inDoubt what is not answered may be done */
	#lost(inDoubt) {
		for (const stream of this.#streams.values()) {
			stream.live = false;
			stream.roster?.end();
		}
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
			if (!this.#isLeaving)
				this.#warn("closed by", "it does not come back");
		}
		if (this.state === "waiting" && this.#before === "connecting" &&
		    !this.#hasWarned) {
			this.#hasWarned = true;
			this.#warn("no connection to", "it goes on trying");
		}
		this.#before = this.state;
		tell(this.#onState, this);
		this.dispatchEvent(new Event("state"));
	}

	/**
	 * Who awaits a subscription, or messages, would wait for ever and not know
	 * for what.
	 * @param {string} what
	 * @param {string} and what happens now
	 */
	#warn(what, and) {
		if (!this.#onState)
			console.warn(`pubsub.js: ${what} ${this.url}` +
			    `${this.reason && ` (${this.reason})`}; ${and}`);
	}
}

/**
 * The address with a name to go by.
 * @param {string} url
 * @param {(() => string) | undefined} user
 */
function named(url, user) {
	const address = new URL(url);
	const name = user?.() ?? "";

	if (name)
		address.searchParams.set("user", name);
	return address.href;
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
 * One of several addresses.  A bad one would be found out only when all before
 * it have failed.
 * @param {string | URL} url
 */
function listedUrl(url) {
	const page = globalThis.location?.protocol;
	let address;

	try {
		address = socketUrl(url);
	} catch (cause) {
		throw new TypeError(`connect: ${url} is no address of a server`,
		    { cause });
	}
	if (!/^wss?:/u.test(address))
		throw new TypeError(
		    `connect: ${url} must be ws:, wss:, http: or https:`);
	if (page === "https:" && address.startsWith("ws:") &&
	    !LOOPBACK.test(new URL(address).hostname))
		throw new TypeError(`connect: ${
			url} is not for a page of https:, which may use wss: alone`);
	return address;
}

/* Where a page of https: may go without TLS. */
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u;

/**
 * Connect to a server's /ws; in a page connect("ws") is that of the server, or
 * the folder of it, that the page came from.  `?buffer=N&overflow=drop|latest|close` in the URL
 * says how many messages may wait for this client there, and what happens then.
 * Of several the first is tried first.
 * @param {string | URL | readonly (string | URL)[]} url one or several
 * @param {ConnectOptions} [options]
 */
export function connect(url, options = {}) {
	if (!Array.isArray(url))
		return new Client([socketUrl(/** @type {string | URL} */ (url))],
		    options);
	const [first, ...others] = url.map(listedUrl);

	if (first === undefined)
		throw new TypeError("connect: the list of servers is empty");
	return new Client([first, ...others], options);
}
