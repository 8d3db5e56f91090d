// SPDX-License-Identifier: MIT
/*
 * pubsub-requests.js - what a client has asked, until it is answered.
 *
 * A request keeps its number and its place in the order over all connections:
 * it is sent once there is one, and where the answer was cut off its callback
 * says whether to send it again.
 */

/* The server takes frames this much longer than the longest message. */
const FRAME_EXTRA = 1024; /* bytes */

/**
 * @typedef {object} Callbacks what becomes of a request; one of the first two is
 *     called, before the next frame is looked at, which a promise would not be
 * @property {(answer: any) => void} done
 * @property {(error: PubSubError) => void} fail
 * @property {(inDoubt: boolean) => boolean} cut the connection was lost, and it
 *     may be done: whether to ask on the next one
 *
 * @typedef {Callbacks & { frame: string, sent: boolean, refusals: number }} Request
 *     refusals: hosts that were cut off from their cluster
 */

/**
 * Why something was not done.  `code` is the server's ("too_many_topics";
 * "forbidden": the token does not grant it; "unauthorized": a token is needed;
 * "cluster_down": this host, and each other that the client has been given, is cut
 * off from the cluster, and it is not done), or
 * "unknown": the connection was lost before the answer, so it may be done;
 * "closed": the client is; "unsubscribed": before it was confirmed;
 * "already_subscribed": to this topic, with this client.
 */
export class PubSubError extends Error {
	/**
	 * @param {string} code
	 * @param {string} reason
	 */
	constructor(code, reason) {
		super(reason);
		this.name = "PubSubError";
		this.code = code;
	}
}

export class Requests {
	messageMax = 0; /* bytes; 0: the server has not told yet */

	#connection;
	/** @type {Map<number, Request>} in the order they were made */
	#pending = new Map();
	#lastId = 0;

	/** @param {import("./pubsub-connection.js").Connection} connection */
	constructor(connection) {
		this.#connection = connection;
	}

	closedError() {
		return new PubSubError("closed", this.#connection.reason);
	}

	/**
	 * Ask for something; read() makes of the answer what the user gets.
	 * @template T
	 * @param {object} body
	 * @param {(answer: any) => T} read
	 * @param {boolean} [again] ask again where the answer was cut off
	 * @returns {Promise<T>}
	 */
	ask(body, read, again = true) {
		return new Promise((resolve, reject) => this.add(body, {
			done: (answer) => resolve(read(answer)),
			fail: reject,
			cut: (inDoubt) => {
				if (inDoubt && !again)
					reject(new PubSubError("unknown",
					    "cut off before the server's answer"));
				return again || !inDoubt;
			},
		}));
	}

	/**
	 * @param {object} body
	 * @param {Callbacks} callbacks
	 */
	add(body, callbacks) {
		const id = ++this.#lastId;
		let frame;

		if (this.#connection.state === "closed") {
			callbacks.fail(this.closedError());
			return;
		}
		try {
			frame = JSON.stringify({ ...body, id });
		} catch (error) { /* a BigInt, or an object inside itself */
			callbacks.fail(new PubSubError("bad_request", String(error)));
			return;
		}
		const request = { frame, sent: false, refusals: 0, ...callbacks };

		this.#pending.set(id, request);
		this.#send(id, request);
	}

	/** Send, in order, what waits for a connection. */
	resend() {
		for (const [id, request] of [...this.#pending])
			if (!request.sent)
				this.#send(id, request);
	}

	/**
	 * Take an answer; one to nobody is left alone.
	 * @param {{ id: number, type: string, code: string, reason: string }} frame
	 */
	answered(frame) {
		const id = frame.code === "bad_json" ? this.#oldest() : frame.id;
		const request = this.#pending.get(id);

		if (!request)
			return;
		this.#connection.answered();
		if (frame.code === "draining") { /* not done: the next server will */
			request.sent = false;
			return;
		}
		/* Likewise, and another host may do it. */
		if (frame.code === "cluster_down" &&
		    ++request.refusals < this.#connection.hostCount) {
			request.sent = false;
			this.#connection.forsake(frame.reason);
			return;
		}
		this.#pending.delete(id);
		if (frame.type === "error")
			request.fail(new PubSubError(frame.code, frame.reason));
		else
			request.done(frame);
	}

	/**
	 * The connection is lost.
	 * @param {boolean} inDoubt what was sent and is not answered may be done
	 */
	lost(inDoubt) {
		for (const [id, request] of this.#pending) {
			if (!request.cut(request.sent && inDoubt))
				this.#pending.delete(id);
			request.sent = false;
		}
	}

	/** The client is closed for good. */
	end() {
		for (const { fail } of this.#pending.values())
			fail(this.closedError());
		this.#pending.clear();
	}

	/**
	 * @param {number} id
	 * @param {Request} request
	 */
	#send(id, request) {
		const { frame } = request;

		if (!this.#connection.ready)
			return;
		/* It would have the server close, and again each time it comes. */
		if (new TextEncoder().encode(frame).length >
		    this.messageMax + FRAME_EXTRA) {
			this.#pending.delete(id);
			request.fail(new PubSubError("too_large",
			    "longer than the server's limit"));
			return;
		}
		request.sent = true;
		this.#connection.send(frame);
	}

	/**
	 * What the server could not read, for it nests too deep, is answered in its
	 * turn, but without its id.
	 */
	#oldest() {
		for (const [id, { sent }] of this.#pending)
			if (sent)
				return id;
		return 0;
	}
}
