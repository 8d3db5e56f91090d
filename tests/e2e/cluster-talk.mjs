// SPDX-License-Identifier: MIT
/*
 * cluster-talk.mjs - what is said at the hosts of a cluster, and whether it is all
 * there: [place, message] each.
 */

import assert from "node:assert/strict";

import { V1 } from "./v1-client.mjs";
import { bounded, waitFor } from "./wait.mjs";

/* Publish so many, each when the one before is acknowledged, and meanwhile do
 * something.  Returns what was acknowledged. */
export async function publish(server, topic, who, n, meanwhile = null,
    at = n / 2) {
	const client = await V1.open(server);
	const acks = [];

	for (let i = 0; i < n; i++) {
		if (i === at && meanwhile !== null)
			await meanwhile();
		const ack = await bounded(`ack ${i}`,
		    client.publish(topic, `${who}${i}`), 60_000);

		assert.equal(ack.type, "ack", JSON.stringify(ack));
		assert.match(ack.pos, /^\w+\.\d+$/u);
		acks.push([ack.pos, `${who}${i}`]);
	}
	client.close?.();
	return acks;
}

/* Somebody at one host who publishes, each when the one before is answered, until
 * told to stop. */
export class Speaker {
	acks = [];
	refused = [];

	#going = true;
	#done;

	constructor(server, topic, who) {
		this.#done = this.#speak(server, topic, who);
		this.#done.catch(() => {}); /* stop() tells */
	}

	async #speak(server, topic, who) {
		const client = await V1.open(server);

		for (let i = 0; this.#going; i++) {
			const text = `${who}${i}`;
			const answer = await client.publish(topic, text);

			if (answer.type === "ack") {
				this.acks.push([answer.pos, text]);
				continue;
			}
			assert.equal(answer.code, "cluster_down");
			this.refused.push(text);
		}
		client.socket.terminate();
	}

	/* Wait until so many more are acknowledged. */
	async more(n) {
		const before = this.acks.length;

		await Promise.race([waitFor(`${n} more acks`,
		    () => this.acks.length >= before + n), this.#done]);
	}

	/* Returns what was acknowledged. */
	async stop() {
		this.#going = false;
		await this.#done;
		return this.acks;
	}
}

/* Each of these is there once, at its place, and each origin's in order. */
export function assertHas(all, ...lists) {
	const places = new Map(all.map(([pos, message]) => [message, pos]));

	assert.equal(places.size, all.length, "a message came twice");
	for (const acks of lists) {
		for (const [pos, message] of acks)
			assert.equal(places.get(message), pos, message);
		const order = acks.map(([, message]) =>
			all.findIndex(([, other]) => other === message));

		assert.deepEqual(order, [...order].sort((a, b) => a - b));
	}
	assert.equal(all.length,
	    lists.reduce((sum, list) => sum + list.length, 0));
}

/* Until a host refuses what is new, in words. */
export function refuses(server) {
	return waitFor("a refusal", async () => {
		const answer = await fetch(`${server.url}/topics/other`,
		    { method: "POST", body: "x",
			signal: AbortSignal.timeout(3000) }).catch(() => null);

		return answer?.status === 503 && answer.headers.has("Retry-After") &&
		    (await answer.json()).error.code === "cluster_down";
	});
}
