// SPDX-License-Identifier: MIT
/*
 * client-support.mjs - the JavaScript client in a test, and servers for it that
 * do what no real one can be made to do.
 */

import { once } from "node:events";

import Ws, { WebSocketServer } from "ws";

import { connect } from "../../public/pubsub.js";
import { waitFor } from "./support.mjs";

/* Node's own, where it has one: from 22 on. */
const WebSocket = globalThis.WebSocket ?? Ws;

/* A client of public/pubsub.js that the test closes in the end. */
export function open(t, port, { query = "", ...options } = {}) {
	const client = connect(`ws://127.0.0.1:${port}/ws${query}`,
	    { WebSocket, ...options });

	t.after(() => client.close());
	return client;
}

/* Wait until a client is in that state. */
export function reaches(client, state) {
	return waitFor(`state ${state}, not ${client.state}`,
	    () => client.state === state);
}

/* Run a server anew that was stopped, on the same port. */
export function runAgain(server) {
	server.stdout = "";
	return server.run();
}

/* What comes in a subscription, in the order in which it came. */
export class Ear {
	heard = [];

	options = {
		onMessage: ({ message }) => this.heard.push(message),
		onGap: ({ from, to, reason }) =>
			this.heard.push({ from, to, reason }),
	};

	async hears(n) {
		await waitFor(`${n} things, not ${this.heard.length}`,
		    () => this.heard.length >= n);
		return this.heard;
	}
}

const WELCOME = {
	type: "welcome", version: 1, server: "script/1", epoch: "E",
	limits: { message: 65536, topics: 128, rate: 10000 }, ping: 54,
	retry: { min_ms: 1, max_ms: 2 },
};

/*
 * A server that follows a script: each connection gets the next of the
 * functions (the last one again and again), which is called with the connection
 * and gives what answers each request.  say() sends a frame.
 */
export async function scripted(t, ...scripts) {
	const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
	let connections = 0;

	await once(server, "listening");
	t.after(() => {
		for (const socket of server.clients)
			socket.terminate();
		server.close();
	});
	server.on("connection", (socket) => {
		const say = (frame) => socket.send(JSON.stringify(frame));
		const script = scripts[Math.min(connections++, scripts.length - 1)];
		const answer = script({ socket, say, welcome: (more = {}) =>
			say({ ...WELCOME, ...more }) });

		socket.on("message", (text) => answer?.(JSON.parse(text)));
	});
	return { port: server.address().port, get connections() {
		return connections;
	} };
}
