// SPDX-License-Identifier: MIT
/*
 * v1-client.mjs - a client that speaks pubsubd.v1, and the books it can keep.
 *
 *	V1	frames in order, requests with answers, a pong as a barrier
 *	Books	each number of a topic once and in order, or in one gap
 *	Moved	the same over several rings, with a gap where each begins
 */

import assert from "node:assert/strict";

import WebSocket from "ws";

import { Connection } from "./connection.mjs";

export class V1 extends Connection {
	frames = []; /* that have not been asked for, parsed */

	#id = 0;

	take(data, isBinary) {
		assert.equal(isBinary, false);
		this.frames.push(JSON.parse(data));
	}

	/* Connect and be welcomed.  options: as for Connection.open(). */
	static async open(server, options = {}) {
		const client = await super.open(server,
		    { protocols: ["pubsubd.v1"], ...options });

		client.welcome = await client.next();
		assert.equal(client.welcome.type, "welcome");
		return client;
	}

	/* Send a request; text is sent as it stands. */
	send(request) {
		this.socket.send(typeof request === "string" ? request :
			JSON.stringify(request));
	}

	/* Wait for more than n frames; false: closed before. */
	async #hasMore(n) {
		while (this.frames.length <= n) {
			if (this.socket.readyState === WebSocket.CLOSED)
				return false;
			await this.news("frame");
		}
		return true;
	}

	/* The next frame; null: closed. */
	async next() {
		return await this.#hasMore(0) ? this.frames.shift() : null;
	}

	/* The next frame is the answer to this request. */
	async ask(request) {
		const id = `ask ${++this.#id}`;

		this.send({ id, ...request });
		const answer = await this.next();

		assert.equal(answer?.id, request.id ?? id,
		    JSON.stringify(answer));
		delete answer.id;
		return answer;
	}

	/* The next frame is an error with this code; returns its reason. */
	async refuse(request, code) {
		this.send(request);
		const answer = await this.next();

		assert.equal(answer?.type, "error", JSON.stringify(answer));
		assert.equal(answer.code, code, answer.reason);
		assert.ok(answer.reason.length > 0);
		return answer;
	}

	/* All frames that come before the answer to what is asked now: at once,
	 * for there may be very many. */
	async barrier() {
		const id = `barrier ${++this.#id}`;

		this.send({ type: "ping", id });
		for (let at = 0;; at++) {
			if (!await this.#hasMore(at))
				throw new Error("closed, and no pong");
			const { type, id: answered } = this.frames[at];

			if (type === "pong" && answered === id)
				return this.frames.splice(0, at + 1).slice(0, -1);
		}
	}

	/* Nothing has come. */
	async quiet() {
		assert.deepEqual(await this.barrier(), []);
	}

	publish(topic, message) {
		return this.ask({ type: "publish", topic, message });
	}

	subscribe(topic, options = {}) {
		return this.ask({ type: "subscribe", topic, ...options });
	}
}

export class Books {
	messages = 0;
	missed = 0;
	gaps = []; /* reasons */

	/* first: the number that must come next. */
	constructor(topic, first) {
		this.topic = topic;
		this.next = first;
	}

	/* Enter a frame; returns whether it was about this topic's numbers. */
	enter(frame) {
		if (frame.topic !== this.topic ||
		    frame.type !== "message" && frame.type !== "gap")
			return false;
		const from = frame.type === "gap" ? frame.from : frame.seq;

		assert.equal(from, this.next, JSON.stringify(frame));
		if (frame.type === "message") {
			this.next++;
			this.messages++;
			return true;
		}
		assert.ok(frame.to >= frame.from, JSON.stringify(frame));
		this.next = frame.to + 1;
		this.missed += frame.to - frame.from + 1;
		this.gaps.push(frame.reason);
		return true;
	}
}

/* Books of a client whose connection is moved to other rings. */
export class Moved extends Books {
	epochs = [];
	places = []; /* "EPOCH SEQ" of each message */

	/* place: where it begins, as in an ack. */
	constructor(topic, { epoch, seq }) {
		super(topic, seq + 1);
		this.epochs.push(epoch);
	}

	enter(frame) {
		if (frame.topic !== this.topic || frame.epoch === undefined) {
			if (frame.type === "message" && frame.topic === this.topic)
				this.places.push(`${this.epochs.at(-1)} ${frame.seq}`);
			return super.enter(frame);
		}
		assert.deepEqual({ ...frame, epoch: "", seq: 0 }, { type: "gap",
			topic: this.topic, reason: "epoch", epoch: "", seq: 0 });
		assert.ok(!this.epochs.includes(frame.epoch));
		assert.ok(frame.seq >= this.next - 1, "numbers go on");
		this.epochs.push(frame.epoch);
		this.gaps.push(frame.reason);
		this.next = frame.seq + 1;
		return true;
	}
}
