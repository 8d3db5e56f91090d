// SPDX-License-Identifier: MIT
/*
 * pubsub-token.js - the token that a client shows, fetched when it is needed.
 *
 * One token serves for all connections until a while before it expires: who
 * gives the tokens is not asked by every client at once because a server has
 * restarted.  One that a server has taken before and refuses now is forgotten,
 * so that the next connection fetches another; if that is refused as well, the
 * next would be, too.
 */

/* A token is not shown to another server so shortly before its end. */
const MARGIN_MS = 60 * 1000;

/** @typedef {() => Promise<string | null> | string | null} GetToken */

export class Tokens {
	#get;
	#token = "";  /* "": none is known */
	#until = 0;   /* in Date.now()'s time: when it is not shown any more */
	#isProven = false; /* a server has taken it, on an earlier connection */
	/** @type {Promise<string> | null} one that is being fetched */
	#asked = null;
	#fetchedAt = 0; /* of performance.now() */

	/** @param {GetToken} get */
	constructor(get) {
		this.#get = get;
	}

	/**
	 * The token to show on a new connection; "": none, come as you are.
	 * @returns {Promise<string>}
	 */
	token() {
		return this.#token && Date.now() < this.#until ?
		    Promise.resolve(this.#token) : this.renewed();
	}

	/**
	 * A token that is fetched anew, or just now.
	 * @returns {Promise<string>}
	 */
	renewed() {
		this.#asked ??= this.#fetch().finally(() => {
			this.#asked = null;
		});
		return this.#asked;
	}

	/**
	 * A server has taken the token.
	 * @param {number | undefined} expires seconds since 1970; undefined: never
	 */
	accepted(expires) {
		this.#isProven = true;
		this.#until = expires === undefined ? Infinity :
		    expires * 1000 - MARGIN_MS;
	}

	/**
	 * A server has refused the token.
	 * @returns {boolean} whether another may be better
	 */
	refused() {
		const wasProven = this.#isProven;

		this.#token = "";
		return wasProven;
	}

	/**
	 * How long to wait with the renewal of a token that ends so soon: one that
	 * was fetched only just now would be fetched again and again.
	 * @param {number} left_ms
	 */
	delay(left_ms) {
		return performance.now() - this.#fetchedAt < left_ms ?
		    left_ms / 2 : 0;
	}

	async #fetch() {
		const token = await this.#get();

		this.#token = token ?? "";
		this.#until = Infinity; /* until a server tells */
		this.#isProven = false;
		this.#fetchedAt = performance.now();
		return this.#token;
	}
}
