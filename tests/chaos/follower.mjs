// SPDX-License-Identifier: MIT
/* follower.mjs - public/pubsub.js at the hosts of a cluster: it follows topics, and
 * goes to another host when one leaves. */

import { connect } from "../../public/pubsub.js";
import { reset, webSocketFor } from "./subscribers.mjs";
import { whereIs } from "./words.mjs";

const RETRY_MS = 100;

export class Follower {
	#socket = null;
	#paused = false;
	#stays = true;

	constructor(ledger, name, servers, topics) {
		this.name = name;
		this.topics = topics;
		this.observer = ledger.placed(name);
		this.client = connect(servers.map(({ host, port }) =>
			`ws://${host}:${port}/ws?buffer=64`), {
			WebSocket: webSocketFor((socket) => {
				this.#socket = socket;
				this.#paused = false;
			}),
		});
		for (const topic of topics)
			this.#join(topic);
	}

	async #join(topic) {
		const again = () => setTimeout(
		    () => this.#stays && this.#join(topic), RETRY_MS);

		try {
			await this.client.subscribe(topic, {
				onMessage: (message) => this.observer.message(
				    topic, whereIs(message), message.message),
				onGap: () => this.observer.gap(topic),
				onEnd: again,
			});
		} catch {
			again();
		}
	}

	pause() {
		if (this.#socket?.readyState === 1) {
			this.#paused = true;
			this.#socket.pause();
		}
	}

	resume() {
		if (this.#paused)
			this.#socket.resume();
		this.#paused = false;
	}

	/* Its connection is reset: it goes on at the next host. */
	cut() {
		reset(this.#socket?._socket);
	}

	wake() {
		this.client.wake();
	}

	reached(places) {
		return this.topics.every((topic) =>
			this.observer.reached(topic, places.get(topic)));
	}

	leave() {
		this.#stays = false;
		this.client.close();
		this.#socket?.terminate();
	}
}
