// SPDX-License-Identifier: MIT
/*
 * pubsub-connection.js - a WebSocket to a pubsubd that comes back by itself, or
 * goes to another host.
 *
 *	connecting --- welcome ---> open --- lost ---> waiting --- time is up --.
 *	     ^  `------- refused, or no answer ----------^                      |
 *	     `------------------------------------------------------------------'
 *	closed: from anywhere, by close() or because the server said never again
 *
 * How long it waits is the server's to say: by the code of the close, by what
 * it told before it went away, and otherwise at random up to a ceiling that
 * doubles and falls back only after a connection has lasted a while, for one
 * that is accepted and cut at once is not yet a server that works.  Of several
 * hosts, pubsub-hosts.js says which is next; a close code from 4000 on is about
 * this client, so it would not fare better with another.
 *
 * A browser shows no pings to a script, so a connection that died silently
 * looks open.  Whatever is asked must therefore be answered in time, and when
 * all was quiet for long, something is asked.
 */

import { AUTH_ID, Auth } from "./pubsub-auth.js";
import { Hosts } from "./pubsub-hosts.js";

export { backoff } from "./pubsub-hosts.js";

const PROTOCOL = "pubsubd.v1";

/* A connection that lasted so long was one to a server that works. */
const LASTING_MS = 5 * 1000;

const ANSWER_MS = 10 * 1000;

const GOING_AWAY = 1001;
const RESTART = 1012;
const UNAUTHORIZED = 4001;
const OF_THE_CLIENT = 4000; /* from this code on */

/**
 * @typedef {import("./pubsub.js").ConnectOptions} ConnectOptions
 * @typedef {import("./pubsub.js").Socket} Socket
 * @typedef {import("./pubsub.js").State} State
 *
 * @typedef {import("./pubsub-hosts.js").Retry} Retry
 *
 * @typedef {object} Welcome the server's first frame
 * @property {string} epoch
 * @property {import("./pubsub.js").Limits} limits
 * @property {number} ping seconds of silence after which the server asks; 0: it
 *     does not, or after less than one
 * @property {Retry} retry
 *
 * @typedef {object} Handlers
 * @property {(welcome: Welcome) => void} welcome requests can be sent
 * @property {(frame: any) => void} frame something else came
 * @property {() => void} idle ask something, to see whether anyone is there
 * @property {(inDoubt: boolean) => void} lost what was asked will not be
 *     answered; inDoubt: and may be done
 * @property {() => void} change of state
 */

export class Connection {
	/** @type {State} */
	state = "connecting";
	reason = "";
	retryAt = 0;

	#hosts;
	#named;
	#WebSocket;
	#timeout;
	#on;
	/** @type {Auth | null} null: we do not say who we are */
	#auth = null;
	/** @type {Socket | null} */
	#socket = null;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;
	/* Times are of performance.now(), a clock that nobody sets. */
	#isUp = false;   /* the handshake is done */
	#failure = "";   /* what the socket's last error said */
	#asked = 0;      /* sent and not yet answered */
	#quietSince = 0; /* ms: the last word, or the first question after it */
	#idle = 0;       /* ms of silence before we ask; 0: never */
	#openedAt = 0;   /* ms; 0 = not yet */
	/** @type {Retry | null} the server goes away: when to come back */
	#drain = null;
	#unfit = "";     /* why another host shall be asked; "": not so */
	/** @type {Promise<void>} of the end, once there is one */
	#closing = Promise.resolve();

	/**
	 * @param {import("./pubsub-hosts.js").Urls} urls
	 * @param {(url: string) => string} named the address with what a
	 *     connection adds to it
	 * @param {ConnectOptions} options
	 * @param {Handlers} handlers
	 */
	constructor(urls, named, options, handlers) {
		this.#hosts = new Hosts(urls);
		this.#named = named;
		this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
		this.#timeout = options.timeout ?? ANSWER_MS;
		this.#on = handlers;
		if (options.token)
			this.#auth = new Auth(options.token, {
				send: (frame) => this.send(frame),
				failed: (reason) => this.#lose(0, reason, true),
				refused: (reason) => this.#lose(UNAUTHORIZED, reason),
			});
		if (!this.#WebSocket)
			throw new TypeError("no WebSocket here: pass one in options");
	}

	/** Whom the server has recognized; "": nobody in particular. */
	get user() {
		return this.#auth?.user ?? "";
	}

	/** The host that it is connected to, or tries, or has tried last. */
	get url() {
		return this.#hosts.url;
	}

	get hostCount() {
		return this.#hosts.count;
	}

	/** Whether send() may be called; a server that drains would refuse. */
	get ready() {
		return this.#openedAt !== 0 && this.#drain === null &&
		    this.#unfit === "";
	}

	/**
	 * Send a request.  answered() is to be called when its answer has come.
	 * @param {string} frame
	 */
	send(frame) {
		if (this.#asked++ === 0) {
			this.#quietSince = performance.now();
			this.#watch();
		}
		this.#socket?.send(frame);
	}

	answered() {
		if (--this.#asked > 0)
			return;
		this.#watch();
		this.#leaveUnfit();
	}

	/**
	 * This host cannot do what was asked: send no more, and ask another, or
	 * this one later, as soon as all that was sent is answered.
	 * @param {string} reason
	 */
	forsake(reason) {
		this.#unfit = reason || "this host is of no use now";
		this.#leaveUnfit();
	}

	/* When the answer that has just come has been told. */
	#leaveUnfit() {
		queueMicrotask(() => {
			if (this.#unfit && this.#asked === 0)
				this.#lose(GOING_AWAY, this.#unfit);
		});
	}

	/** Wait no longer; or, where one is connected, see whether that is true. */
	wake() {
		if (this.state === "waiting")
			this.#connectAgain();
		else if (this.ready && this.#asked === 0)
			this.#on.idle();
	}

	/** Begin anew, unless it is closed for good. */
	reconnect() {
		if (this.state === "closed")
			return;
		this.#drop(false, true);
		this.#connectAgain();
	}

	/**
	 * Close for good.
	 * @param {string} reason
	 * @returns {Promise<void>} when it is closed, or the server takes too long
	 */
	close(reason) {
		if (this.state !== "closed") {
			this.#closing = this.#end(this.#socket);
			this.#drop(false, true);
			this.#become("closed", reason);
		}
		return this.#closing;
	}

	/**
	 * @param {Socket | null} socket about to be closed
	 * @returns {Promise<void>}
	 */
	#end(socket) {
		return new Promise((resolve) => {
			if (!socket)
				return resolve();
			const timer = setTimeout(() => {
				socket.terminate?.();
				resolve();
			}, this.#timeout);
			const ended = () => {
				clearTimeout(timer);
				resolve();
			};

			socket.onclose = ended;
			if (!this.#isUp) /* see connect() */
				socket.onerror = ended;
		});
	}

	/**
	 * Begin, or begin anew.  Throws what the WebSocket's constructor does.
	 *
	 * An error of a socket that was never open is its end: the standard has a
	 * close follow, but undici 6, Node 20's and 22's own WebSocket, does not.
	 */
	connect() {
		clearTimeout(this.#timer);
		const socket = new this.#WebSocket(this.#named(this.url), [PROTOCOL]);
		/** @param {(event: any) => void} handle */
		const mine = (handle) => (/** @type {any} */ event) => {
			if (socket === this.#socket)
				handle(event);
		};

		this.#socket = socket;
		this.#isUp = false;
		this.#failure = "";
		socket.onopen = mine(() => {
			this.#isUp = true;
		});
		socket.onmessage = mine(({ data }) => this.#read(data));
		socket.onclose = mine(({ code, reason }) => this.#lose(code, reason));
		socket.onerror = mine((event) => this.#failed(event));
		this.#timer = setTimeout(() => this.#dead("no answer"), this.#timeout);
		this.#auth?.prepare();
		this.#become("connecting", this.reason);
	}

	/** Try again; a constructor that throws is one more try that failed. */
	#connectAgain() {
		this.#hosts.go();
		try {
			this.connect();
		} catch (error) {
			this.#dead(String(error));
		}
	}

	/** @param {{ message?: string, error?: Error & { code?: string } }} event */
	#failed({ message, error }) {
		/* Node has an AggregateError without a message: of each address. */
		this.#failure = message || error?.message || error?.code || "";
		if (!this.#isUp)
			this.#dead(this.#failure);
	}

	/**
	 * @param {State} state
	 * @param {string} reason
	 */
	#become(state, reason) {
		this.state = state;
		this.reason = reason;
		this.#on.change();
	}

	/** @param {any} data what is no JSON comes from another kind of server */
	#read(data) {
		let frame;

		try {
			frame = JSON.parse(data);
		} catch {
			this.#dead("this server does not speak pubsubd.v1");
			return;
		}
		this.#received(frame);
	}

	/** @param {any} frame */
	#received(frame) {
		this.#quietSince = performance.now();
		if (frame.type === "welcome")
			this.#welcomed(frame);
		else if (frame.type === "drain")
			this.#drained(frame);
		else if (frame.type === "expiring")
			this.#auth?.expiring(frame);
		else if (frame.id === AUTH_ID)
			this.#judged(frame);
		else
			this.#on.frame(frame);
	}

	/** @param {Welcome} welcome */
	#welcomed(welcome) {
		this.#hosts.welcomed(welcome.retry);
		this.#idle = welcome.ping * 1000;
		if (!this.#auth) {
			this.#opened(welcome);
			return;
		}
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#lose(0, "no token", true),
		    this.#timeout);
		this.#auth.introduce(() => this.#opened(welcome));
	}

	/** @param {import("./pubsub-auth.js").AuthAnswer} answer */
	#judged(answer) {
		this.answered();
		this.#auth?.answered(answer);
	}

	/** @param {Welcome} welcome */
	#opened(welcome) {
		this.#openedAt = performance.now();
		this.#watch();
		this.#on.welcome(welcome);
		this.#become("open", "");
	}

	/** @param {{ in_ms: number, retry: Retry }} frame */
	#drained({ in_ms, retry }) {
		this.#drain = retry;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#dead("no answer"),
		    in_ms + this.#timeout);
	}

	/** See to it that the server says something in time. */
	#watch() {
		if (this.#drain)
			return; /* another timer sees to that: #drained() */
		clearTimeout(this.#timer);
		if (this.#asked === 0 && this.#idle === 0)
			return;
		const limit = this.#asked > 0 ? this.#timeout : this.#idle;
		const left = this.#quietSince + limit - performance.now();

		if (left > 0)
			this.#timer = setTimeout(() => this.#watch(), left);
		else if (this.#asked > 0)
			this.#dead("no answer");
		else
			this.#on.idle();
	}

	/** @param {string} reason */
	#dead(reason) {
		this.#lose(0, reason);
	}

	/**
	 * @param {number} code of the close; 0: there was none
	 * @param {string} reason
	 * @param {boolean} [stays] another host would do no better
	 */
	#lose(code, reason, stays = code >= OF_THE_CLIENT) {
		if (this.#openedAt &&
		    performance.now() - this.#openedAt >= LASTING_MS)
			this.#hosts.lasted();
		const wasOpen = this.#openedAt !== 0;
		const wait = this.#wait(code);
		const inDoubt = !this.#isEndOfDrain(code);
		const isFinal = code === UNAUTHORIZED ?
		    !this.#auth?.mayShowAnother() : code >= 4000 && code < 4100;

		this.#drop(code === 0, inDoubt);
		if (isFinal) {
			this.#become("closed",
			    reason || "the server does not want this client");
			return;
		}
		const delay = this.#hosts.lost({ wasOpen, stays, wait });

		this.retryAt = Date.now() + delay;
		this.#timer = setTimeout(() => this.#connectAgain(), delay);
		this.#become("waiting", reason || this.#failure);
	}

	/**
	 * A server that drains first answers all that it has done and then closes.
	 * So what it has not answered by then it has not done.
	 * @param {number} code
	 */
	#isEndOfDrain(code) {
		return this.#drain !== null &&
		    (code === GOING_AWAY || code === RESTART);
	}

	/**
	 * How long the server wants us to wait, where it has a wish.
	 * @param {number} code
	 */
	#wait(code) {
		if (this.#drain && this.#isEndOfDrain(code)) {
			const { min_ms, max_ms } = this.#drain;

			return min_ms + Math.random() * (max_ms - min_ms);
		}
		return code >= 4200 && code < 4300 ? 0 : undefined;
	}

	/**
	 * Let go of the socket; whatever it still reports is not listened to.
	 * @param {boolean} dead
	 * @param {boolean} inDoubt
	 */
	#drop(dead, inDoubt) {
		const socket = this.#socket;

		clearTimeout(this.#timer);
		this.#auth?.reset();
		this.#socket = null;
		this.#openedAt = 0;
		this.#asked = 0;
		this.#drain = null;
		this.#unfit = "";
		/* Where one can, spare a dead one the wait for its answer. */
		if (dead && socket?.terminate)
			socket.terminate();
		else
			socket?.close();
		this.#on.lost(inDoubt);
	}
}
