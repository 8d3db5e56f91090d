// SPDX-License-Identifier: MIT
/*
 * connection.js - one WebSocket that comes back by itself.
 *
 *	           +--------------------- the time is up ----+
 *	           v                                         |
 *	start -> connecting --- accepted ---> open --lost--> waiting
 *	           |                                         ^
 *	           +----- refused, or 10 s without answer ---+
 *
 *	stopped: from anywhere, by stop() or because the server said not to return
 *
 * The wait is random up to a ceiling that doubles from 0.5 s to 15 s, so that
 * ten thousand pages whose server restarted do not come back as one herd.  The
 * ceiling falls back only after a connection has lasted a while: one that is
 * accepted and cut at once is not yet a server that works.
 *
 * A browser shows no pings to a script, so a connection that died silently
 * looks open here.  Whoever expects an answer calls restart() when none comes.
 */

const WAIT_MIN_MS = 500;
const WAIT_MAX_MS = 15 * 1000;
const WAIT_FLOOR_MS = 50;
const ANSWER_MS = 10 * 1000;
const LASTING_MS = 5 * 1000;

/* How long to wait before the attempt-th try in a row (0, 1, 2 ...). */
export function backoffMs(attempt, random = Math.random()) {
	const ceiling = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** attempt);

	return WAIT_FLOOR_MS + random * (ceiling - WAIT_FLOOR_MS);
}

/* The server's own word for "do not come back": 4000 to 4099. */
function isFinal(code) {
	return code >= 4000 && code <= 4099;
}

export class Connection {
	state = "stopped";
	reason = "";
	retryAt = 0; /* ms, Date.now(), while waiting */

	#url;
	#on;
	#socket = null;
	#timer = 0;
	#attempt = 0;
	#openedAt = 0;

	/*
	 * Handlers: message(data); open(); lost({code, reason, opened}), in which
	 * stop() may be called to stay away (opened: it had been accepted);
	 * change() after every change of state.
	 */
	constructor(url, handlers) {
		this.#url = url;
		this.#on = handlers;
	}

	start() {
		this.#connect();
	}

	/* Close for good, until start(). */
	stop(reason = "") {
		this.#drop();
		this.reason = reason;
		this.#become("stopped");
	}

	/* Give up a connection that no longer answers and make a new one. */
	restart() {
		this.#lose({ code: 1006, reason: "no answer" });
	}

	/* Do not wait any longer. */
	retryNow() {
		if (this.state === "waiting")
			this.#connect();
	}

	/* Send a frame.  Call only while state is "open". */
	send(frame) {
		this.#socket.send(frame);
	}

	#become(state) {
		this.state = state;
		this.#on.change();
	}

	/* Forget the socket; whatever it still reports is not listened to. */
	#drop() {
		clearTimeout(this.#timer);
		this.#socket?.close();
		this.#socket = null;
	}

	#connect() {
		this.#drop();
		this.#openedAt = 0;
		const socket = new WebSocket(this.#url);
		const mine = (handle) => (event) => {
			if (socket === this.#socket)
				handle(event);
		};

		this.#socket = socket;
		socket.onopen = mine(() => this.#opened());
		socket.onmessage = mine((event) => this.#on.message(event.data));
		socket.onclose = mine((event) => this.#lose(event));
		this.#timer = setTimeout(() => this.restart(), ANSWER_MS);
		this.#become("connecting");
	}

	#opened() {
		clearTimeout(this.#timer);
		this.#openedAt = performance.now();
		this.#become("open");
		this.#on.open();
	}

	#lose({ code, reason }) {
		const opened = this.#openedAt !== 0;

		this.#drop();
		if (opened && performance.now() - this.#openedAt >= LASTING_MS)
			this.#attempt = 0;
		this.#wait();
		this.#on.lost({ code, reason, opened });
		if (isFinal(code))
			this.stop(reason);
	}

	#wait() {
		const delay = backoffMs(this.#attempt++);

		this.retryAt = Date.now() + delay;
		this.#timer = setTimeout(() => this.#connect(), delay);
		this.#become("waiting");
	}
}
