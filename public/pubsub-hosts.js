// SPDX-License-Identifier: MIT
/*
 * pubsub-hosts.js - to which of several servers a client goes, and when.
 *
 *	a --- lost ---> b --- lost ---> c --- lost ---> a ...
 *
 * The one that was named first is the first.  Each client has an order of its
 * own of the others, so those who lose a host together do not all come to the
 * same one.
 *
 * A host that was lost is left alone for a while, which grows each time (of
 * each host by itself), and passed over until then.  Where that holds for all
 * of them, the one whose time comes first is next.  A host that has not failed
 * lately is tried soon, but at random, for it has the others' clients to take
 * as well; and at once by who has just found another one not to be there.
 *
 * With one host this is when to come back to it.
 */

/* What holds until a server has said what it would like. */
const RETRY = { min_ms: 500, max_ms: 15 * 1000 };

/**
 * @typedef {[string, ...string[]]} Urls
 * @typedef {{ min_ms: number, max_ms: number }} Retry
 *
 * @typedef {object} Host
 * @property {string} url
 * @property {number} attempt tries in a row that came to nothing
 * @property {number} again until when it is left alone, in performance.now()'s
 *     time
 * @property {Retry} retry
 *
 * @typedef {object} Loss how a connection ended
 * @property {boolean} wasOpen the server had welcomed us
 * @property {boolean} [stays] it is not for the host that it did
 * @property {number} [wait] ms to leave the host alone, where the server has
 *     said so
 */

/**
 * How long to wait before the attempt-th try in a row (0, 1, 2 ...): at random
 * below a ceiling that doubles, so that those who were cut off together do not
 * come back together.
 * @param {number} attempt
 * @param {Retry} retry
 */
export function backoff(attempt, { min_ms, max_ms }, random = Math.random()) {
	return Math.min(max_ms, min_ms * 2 ** attempt) * (0.1 + 0.9 * random);
}

/**
 * Another order of a list.
 * @template T
 * @param {T[]} list
 * @returns {T[]}
 */
function shuffled(list) {
	const left = [...list];
	const drawn = [];

	while (left.length > 0)
		drawn.push(...left.splice(
		    Math.floor(Math.random() * left.length), 1));
	return drawn;
}

/**
 * @param {string} url
 * @returns {Host}
 */
function fresh(url) {
	return { url, attempt: 0, again: 0, retry: RETRY };
}

export class Hosts {
	/** @type {Host[]} in the order of this client, one at least */
	#all;
	/** @type {Host} where the client is, or was last */
	#here;
	/** @type {Host} where it goes from there */
	#next;

	/** @param {Urls} urls one that is there twice counts once */
	constructor([first, ...others]) {
		const rest = [...new Set(others)].filter((url) => url !== first);

		this.#here = this.#next = fresh(first);
		this.#all = [this.#here, ...shuffled(rest).map(fresh)];
	}

	/** Where the client is, or was last. */
	get url() {
		return this.#here.url;
	}

	get count() {
		return this.#all.length;
	}

	/** A try begins. */
	go() {
		this.#here = this.#next;
	}

	/**
	 * The server has welcomed us.
	 * @param {Retry} retry when it would like to be tried again
	 */
	welcomed(retry) {
		this.#here.retry = retry;
	}

	/** It was a connection to a server that works. */
	lasted() {
		this.#here.attempt = 0;
	}

	/**
	 * The connection, or the try, has ended; go() will begin the next one.
	 * @param {Loss} loss
	 * @returns {number} ms until then
	 */
	lost({ wasOpen, stays = false, wait }) {
		const now = performance.now();
		const here = this.#here;
		const alone = wait ?? backoff(here.attempt++, here.retry);

		here.again = now + alone;
		this.#next = stays ? here : this.#choose(now);
		if (this.#next === here)
			return alone;
		if (this.#next.again > now)
			return this.#next.again - now;
		if (!wasOpen)
			return 0;
		return wait ?? backoff(0, this.#next.retry);
	}

	/**
	 * The next in the order that is not to be left alone, or whose time comes
	 * first.
	 * @param {number} now
	 */
	#choose(now) {
		const at = this.#all.indexOf(this.#here) + 1;
		const turn = [...this.#all.slice(at), ...this.#all.slice(0, at)];

		return turn.find(({ again }) => again <= now) ??
		    turn.reduce((first, host) =>
			host.again < first.again ? host : first);
	}
}
