// SPDX-License-Identifier: MIT
/* connection.mjs - a socket of the npm package ws, and how it ended: what
 * Client and V1 have in common. */

import { once } from "node:events";

import WebSocket from "ws";

import { bounded } from "./wait.mjs";

export class Connection {
	#wake = () => {};
	#end;

	constructor(socket) {
		this.socket = socket;
		this.#end = new Promise((resolve) => {
			socket.on("close", (code, reason) =>
				resolve({ code, reason: reason.toString() }));
		});
		socket.on("error", (error) => {
			this.error = error;
		});
		socket.on("message", (data, isBinary) => {
			this.take(data, isBinary);
			this.#wake();
		});
		socket.on("close", () => this.#wake());
	}

	/* Connect.  topics: subscribe to these at once; query: what else stands
	 * behind the question mark; protocols: the subprotocols to offer; ca:
	 * over TLS, trusting this certificate; the rest is for ws.  Node 18 does not
	 * try a second address of localhost, so it is told which to take. */
	static async open(server, { topics = [], query = {}, protocols = [],
	    ...options } = {}) {
		const base = options.ca ? `wss://localhost:${server.tlsPort}` :
			`ws://${server.host ?? "127.0.0.1"}:${server.port}`;
		const params = new URLSearchParams(query);

		for (const topic of topics)
			params.append("topic", topic);
		const connection = new this(new WebSocket(
		    `${base}/ws?${params}`, protocols,
		    { perMessageDeflate: false, family: 4, ...options }));

		await bounded("handshake", once(connection.socket, "open"));
		return connection;
	}

	/* Until take() has been given a message, or the connection is closed. */
	news(what) {
		return bounded(what, new Promise((resolve) => {
			this.#wake = resolve;
		}));
	}

	/* How it was closed, once it is.  A test that waited here for ever took
	 * its file's other tests and all names with it. */
	get closed() {
		return bounded("close", this.#end);
	}

	close() {
		this.socket.close();
		return this.closed;
	}
}
