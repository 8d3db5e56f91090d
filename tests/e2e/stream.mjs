// SPDX-License-Identifier: MIT
/*
 * stream.mjs - traffic that does not stop while something is done to a server.
 *
 * One client publishes numbered messages and goes on whenever it has got its
 * own, so nothing piles up anywhere and whatever is missing is a loss.
 */

import assert from "node:assert/strict";

import { waitFor } from "./wait.mjs";

const BATCH = 10; /* messages under way at a time, unless told otherwise */

export class Stream {
	count = 0; /* messages published */

	#done = false;
	#loop;

	#batch;

	/* client: publishes, and is subscribed to the topic. */
	constructor(client, topic, batch = BATCH) {
		this.#batch = batch;
		this.client = client;
		this.topic = topic;
		this.#loop = this.#run();
		/* Whoever calls stop() hears of it. */
		this.#loop.catch(() => {});
	}

	async #run() {
		while (!this.#done) {
			for (let i = 0; i < this.#batch; i++)
				this.client.say(this.topic,
				    `${this.topic} ${this.count++}`);
			const { length } = await this.client.received(this.count);

			assert.equal(this.client.error, undefined);
			/* Or it would go round for ever, and the file with it. */
			assert.ok(length >= this.count, "closed while it ran");
		}
	}

	/* Wait until this many more messages have gone round. */
	async progress(n = 100) {
		const goal = this.count + n;

		await Promise.race([this.#loop,
			waitFor("progress", () => this.count >= goal)]);
	}

	/* Publish no more; all that was has come back. */
	stop() {
		this.#done = true;
		return this.#loop;
	}

	/* That a client, subscribed before it began, has got it all in order. */
	async assertComplete(client) {
		await client.received(this.count);
		assert.equal(client.messages.length, this.count);
		client.messages.forEach((text, i) =>
			assert.equal(text, `${this.topic} ${i}`));
	}
}
