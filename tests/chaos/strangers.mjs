// SPDX-License-Identifier: MIT
/*
 * strangers.mjs - clients who come only to make trouble, and keep no books.
 *
 * What they are told is of no interest; what they leave behind in the server is:
 * all of it must be gone when they are.
 */

import { connect } from "node:net";

import WebSocket from "ws";

import { Frame } from "../e2e/raw.mjs";
import { dial, reset } from "./subscribers.mjs";
import { MAX_TOPICS } from "./world.mjs";

/* A request as ws makes it, for those who then break the rules. */
const upgrade = (topic) => `GET /ws?topic=${topic} HTTP/1.1\r\n` +
    "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

export class Strangers {
	#sockets = new Set(); /* raw, and of WebSockets */
	#count = 0;

	/* others: how many topics there are besides. */
	constructor(world, others) {
		this.world = world;
		this.others = others;
	}

	/* A topic that nobody has ever used. */
	#newTopic() {
		this.#count++;
		this.world.ledger.pressed ||=
			this.#count + this.others > MAX_TOPICS;
		return `stranger/${this.#count}`;
	}

	get #port() {
		return this.world.port;
	}

	#keep(socket) {
		this.#sockets.add(socket);
		socket.on("error", () => {});
		socket.on("close", () => this.#sockets.delete(socket));
		return socket;
	}

	#raw() {
		return this.#keep(connect({ host: "127.0.0.1", port: this.#port }));
	}

	#dial(query, protocols) {
		return this.#keep(dial(this.#port, query, protocols));
	}

	/* Come, subscribe, begin to say something, and reset the connection. */
	async vanish(topic, count) {
		const half = Frame.message(topic, "x".repeat(500)).subarray(0, 200);
		const sockets = Array.from({ length: count }, () => this.#raw());

		await Promise.all(sockets.map((socket) => new Promise((resolve) => {
			socket.on("close", resolve);
			socket.on("connect", () => socket.write(upgrade(topic)));
			socket.once("data", () => {
				socket.write(half, () => reset(socket));
			});
		})));
	}

	/* Come, subscribe, and neither read nor answer any more. */
	silence(topic, count) {
		for (let i = 0; i < count; i++) {
			const socket = this.#raw();

			socket.on("connect", () => socket.write(upgrade(topic)));
			socket.once("data", () => socket.pause());
		}
	}

	/* Come, many at a time.  Returns a way to have them go. */
	crowd(count) {
		const sockets = Array.from({ length: count }, () => this.#raw());

		return () => sockets.forEach((socket) => socket.destroy());
	}

	/*
	 * Subscribe to new topics until there is no slot left, and keep them for a
	 * time.  Returns how many that were; it ends early with its connection.
	 */
	fill(ms) {
		const socket = this.#dial({}, "pubsubd.v1");
		let slots = 0, timer;

		const subscribe = () => socket.send(JSON.stringify({
			type: "subscribe", id: 1, topic: this.#newTopic() }));

		return new Promise((resolve) => {
			socket.on("close", () => {
				clearTimeout(timer);
				resolve(slots);
			});
			socket.on("message", (data) => {
				const { type, code } = JSON.parse(data);

				if (type === "ack")
					slots++;
				if (type === "welcome" || type === "ack")
					subscribe();
				else if (code !== undefined)
					timer = setTimeout(() =>
						reset(socket._socket), ms);
			});
		});
	}

	/* Come to a topic, say something there, hear it, and leave properly. */
	async churn(count) {
		const visits = Array.from({ length: count }, () => {
			const topic = this.#newTopic();
			const socket = this.#dial({ topic });

			socket.on("open", () => socket.send(JSON.stringify({ topic,
				message: "hello" })));
			socket.on("message", () => socket.close());
			return new Promise((resolve) => {
				socket.on("close", resolve);
			});
		});

		await Promise.all(visits);
	}

	/* All go, as they are. */
	leave() {
		for (const socket of this.#sockets)
			if (socket instanceof WebSocket)
				socket.terminate();
			else
				socket.destroy();
	}
}
