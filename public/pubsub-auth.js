// SPDX-License-Identifier: MIT
/*
 * pubsub-auth.js - how a connection shows who it is.
 *
 *	handshake --- welcome ---> auth: token ---> ack ---> requests ...
 *	  token is fetched         ... expiring ---> auth: another ---> ack
 *
 * The token is shown before anything is asked, for what is asked before that is
 * refused.  It is renewed on the connection when the server says that it
 * expires, so nothing is cut.
 */

import { Tokens } from "./pubsub-token.js";

/* Of requests that show a token; the numbers of all others are larger. */
export const AUTH_ID = 0;

/**
 * @typedef {object} AuthHandlers
 * @property {(frame: string) => void} send
 * @property {(reason: string) => void} failed there is no token to be had
 * @property {(reason: string) => void} refused the server does not take it
 *
 * @typedef {object} AuthAnswer
 * @property {string} type
 * @property {string} [code]
 * @property {string} [reason]
 * @property {string} [user]
 * @property {number} [expires] seconds since 1970
 */

export class Auth {
	user = ""; /* whom the server has recognized; "": nobody in particular */

	#tokens;
	#on;
	#token = Promise.resolve(""); /* for this connection */
	#round = 0; /* counts connections: what belongs to an earlier one is late */
	#hasShown = false; /* what there is to show, on this connection */
	/** @type {(() => void) | null} what waits for the first answer */
	#then = null;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#renewal;

	/**
	 * @param {import("./pubsub-token.js").GetToken} get
	 * @param {AuthHandlers} handlers
	 */
	constructor(get, handlers) {
		this.#tokens = new Tokens(get);
		this.#on = handlers;
	}

	/** A connection begins: have the token by the time that it is needed. */
	prepare() {
		this.#round++;
		this.#hasShown = false;
		this.#token = this.#tokens.token();
		this.#token.catch(() => {}); /* introduce() tells */
	}

	/**
	 * Requests could be sent now: first show the token, if there is one.
	 * @param {() => void} then
	 */
	async introduce(then) {
		const round = this.#round;
		let token = "", failure = "";

		try {
			token = await this.#token;
		} catch (error) {
			failure = error instanceof Error ? error.message : `${error}`;
			failure = `no token${failure && `: ${failure}`}`;
		}
		if (round !== this.#round)
			return;
		if (failure) {
			this.#on.failed(failure);
		} else if (token) {
			this.#then = then;
			this.#show(token);
		} else {
			this.#hasShown = true;
			this.user = "";
			then();
		}
	}

	/**
	 * The answer to a token.  A server that asks for none does not know the
	 * request, or has nothing to check it with: then we come as anybody.
	 * @param {AuthAnswer} answer
	 */
	answered({ type, code, reason = "", user, expires }) {
		const isRefused = code === "bad_token" || code === "unauthorized";
		const then = this.#then;

		if (code === "draining")
			return; /* which ends this connection */
		this.#then = null;
		if (type === "ack") {
			this.user = user ?? "";
			this.#tokens.accepted(expires);
		} else if (isRefused && then) {
			this.#on.refused(reason);
			return;
		} else if (isRefused) {
			this.#tokens.refused(); /* the old one is good for a while */
		}
		then?.();
	}

	/**
	 * The token of this connection ends soon.  If there is no other in time the
	 * server closes, and the next connection asks again.
	 * @param {{ in_ms: number }} frame
	 */
	expiring({ in_ms }) {
		clearTimeout(this.#renewal);
		this.#renewal = setTimeout(() => this.#renew(),
		    this.#tokens.delay(in_ms));
	}

	async #renew() {
		const round = this.#round;
		const token = await this.#tokens.renewed().catch(() => "");

		if (token && round === this.#round)
			this.#show(token);
	}

	/** The connection is over. */
	reset() {
		this.#round++;
		this.#then = null;
		clearTimeout(this.#renewal);
	}

	/** A connection was refused: may the next token be a better one? */
	mayShowAnother() {
		return !this.#hasShown || this.#tokens.refused();
	}

	/** @param {string} token */
	#show(token) {
		this.#hasShown = true;
		this.#on.send(JSON.stringify({ type: "auth", id: AUTH_ID, token }));
	}
}
