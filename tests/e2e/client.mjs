// SPDX-License-Identifier: MIT
/* client.mjs - the npm package ws as a client that expects a server to be right;
 * and clients on chosen workers. */

import WebSocket from "ws";

import { Connection } from "./connection.mjs";
import { waitFor } from "./wait.mjs";

/* Connections opened, at most, until every worker has one. */
const SPREAD_TRIES = 200;

export class Client extends Connection {
	messages = []; /* all texts that came in, in order */

	#taken = 0;

	take(data, isBinary) {
		this.messages.push(isBinary ? data : data.toString());
	}

	send(text) {
		this.socket.send(text);
	}

	say(topic, message) {
		this.send(JSON.stringify({ topic, message }));
	}

	/* All messages, once there are at least n; fewer if it is closed. */
	async received(n) {
		while (this.messages.length < n &&
		    this.socket.readyState <= WebSocket.OPEN)
			await this.news(
			    `message ${n} (${this.messages.length} came)`);
		return this.messages;
	}

	/* The next message that has not been asked for. */
	async next() {
		const at = this.#taken++;
		const messages = await this.received(at + 1);

		if (at >= messages.length)
			throw new Error("closed, and no message");
		return messages[at];
	}

	/* Wait until the server has dealt with all that was sent before, by a
	 * message of one's own in a topic of one's own. */
	async barrier() {
		const word = `barrier ${barriers++}`;

		this.say(`${word} ${process.pid}`, word);
		await waitFor(word, () => this.messages.at(-1) === word);
		this.messages.pop();
	}
}

let barriers = 0;

/* The slot of the worker that has the connection which open() makes.  Nobody
 * else may connect meanwhile. */
async function slotOf(server, open) {
	const before = (await server.status()).workers;
	const client = await open();
	const after = (await server.status()).workers;

	return [client, after.findIndex(
	    (worker, i) => worker.upgrades > before[i].upgrades)];
}

/* A client on the worker of this slot; what came to another is closed. */
export async function openOn(server, slot, open) {
	let before = (await server.status()).workers[slot].upgrades;

	for (let i = 0; i < SPREAD_TRIES; i++) {
		const client = await open();
		const after = (await server.status()).workers[slot].upgrades;

		if (after > before)
			return client;
		await client.close();
		before = after;
	}
	throw new Error(`worker ${slot} gets no connections`);
}

/*
 * One client on each worker, by slot.  The kernel chooses the worker by the
 * connection's ports, so open(), by default of a Client without topics, is
 * called until each has one; what is superfluous is closed.
 */
export async function openOnEachWorker(server,
    open = () => Client.open(server)) {
	const { workers } = await server.status();
	const clients = Array(workers.length).fill(null);

	for (let i = 0; clients.includes(null); i++) {
		if (i === SPREAD_TRIES)
			throw new Error("a worker gets no connections");
		const [client, slot] = await slotOf(server, open);

		if (clients[slot] === null)
			clients[slot] = client;
		else
			await client.close();
	}
	return clients;
}
