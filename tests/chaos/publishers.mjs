// SPDX-License-Identifier: MIT
/*
 * publishers.mjs - clients who number what they say and enter what becomes of it.
 *
 *	V1Publisher	pubsubd.v1: a window of messages that wait for their ack
 *	PostPublisher	POST /topics/..., one at a time
 *	SeedPublisher	the seed's contract: no acks, and all comes back to it
 *
 * Each connection is another speaker (words.mjs).  What is not answered when it
 * is lost stays open: it is not said again.
 */

import { Agent, request } from "node:http";

import WebSocket from "ws";

import { SeedSubscriber, dial, reset } from "./subscribers.mjs";
import { compose, whereIs } from "./words.mjs";

const TICK_MS = 25;
const RETRY_MS = 50;

/* Publishes under way, and those of a flood. */
const WINDOW = 12;
const FLOOD_WINDOW = 64;

const FLOOD_LENGTH = 15_000; /* bytes of filler in a flood's message */
const LENGTH_MAX = 1500;

/* What says that it was not done, and will not be. */
const REFUSED = ["draining", "directory_full", "cluster_down"];

/* What speaks: it counts, and tells the ledger. */
class Voice {
	#connections = 0;
	#counts = new Map();

	constructor(world, name, topics) {
		this.world = world;
		this.ledger = world.ledger;
		this.name = name;
		this.topics = topics;
		this.dice = world.dice(name);
	}

	/* Another connection. */
	anew() {
		this.speaker = `${this.name}.${++this.#connections}`;
		this.#counts.clear();
	}

	/* The next text for a topic, which will be sent now. */
	say(topic, length = this.dice.between(0, LENGTH_MAX)) {
		const n = (this.#counts.get(topic) ?? 0) + 1;
		const text = compose(topic, this.speaker, n, length);

		this.#counts.set(topic, n);
		this.ledger.said(text);
		return text;
	}
}

export class V1Publisher {
	#voice;
	#waiting = new Map(); /* id -> text */
	#lastId = 0;
	#stays = true;
	#flood = null;        /* {topic, left: bytes, done} */
	#draining = false;
	#speaks = true;
	#timer = null;

	constructor(world, name, topics) {
		this.world = world;
		this.name = name;
		this.#voice = new Voice(world, name, topics);
	}

	open() {
		this.#draining = false;
		this.#waiting.clear();
		this.#voice.anew();
		this.socket = dial(this.world.port, {}, "pubsubd.v1",
		    this.world.host);
		this.socket.on("error", () => {});
		this.socket.on("message", (data) =>
			this.#received(JSON.parse(data)));
		this.socket.on("close", () => this.#lost());
		if (this.#speaks)
			this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
	}

	#lost() {
		this.#endFlood();
		if (this.#stays)
			setTimeout(() => this.#stays && this.open(), RETRY_MS);
	}

	get #ready() {
		return this.socket.readyState === WebSocket.OPEN &&
			!this.#draining;
	}

	#tick() {
		const { dice, topics } = this.#voice;

		for (let i = dice.between(1, 4); i > 0 && this.#ready &&
		    this.#waiting.size < WINDOW; i--)
			this.publish(dice.pick(topics));
	}

	/* Publish now.  Returns the text. */
	publish(topic, length) {
		const text = this.#voice.say(topic, length);
		const id = ++this.#lastId;

		this.#waiting.set(id, text);
		this.socket.send(JSON.stringify({ type: "publish", id, topic,
			message: text }));
		return text;
	}

	/* Publish so many bytes, as fast as they are taken, or until the
	 * connection is lost. */
	flood(topic, bytes) {
		return new Promise((done) => {
			this.#endFlood();
			this.#flood = { topic, left: bytes, done };
			this.#pour();
		});
	}

	#pour() {
		while (this.#flood?.left > 0 && this.#ready &&
		    this.#waiting.size < FLOOD_WINDOW) {
			this.publish(this.#flood.topic, FLOOD_LENGTH);
			this.#flood.left -= FLOOD_LENGTH;
		}
		if (!(this.#flood?.left > 0) || !this.#ready)
			this.#endFlood();
	}

	#endFlood() {
		this.#flood?.done();
		this.#flood = null;
	}

	#received({ type, id, code, ...place }) {
		const text = this.#waiting.get(id);

		if (text === undefined)
			return;
		this.#waiting.delete(id);
		if (type === "ack") {
			this.world.ledger.acked(text, whereIs(place));
			this.acked(text, whereIs(place));
		} else if (REFUSED.includes(code)) {
			this.#draining ||= code === "draining";
			this.world.ledger.refused(text);
		} else {
			this.world.ledger.fault("damaged",
			    `${this.name}: ${type} ${code}`);
		}
		this.#pour();
	}

	acked() {} /* for who wants to know */

	cut() {
		reset(this.socket._socket);
	}

	/* Say no more of its own accord. */
	rest() {
		this.#speaks = false;
		clearInterval(this.#timer);
	}

	get isQuiet() {
		return this.#waiting.size === 0;
	}

	leave() {
		this.#stays = false;
		this.rest();
		this.socket.terminate();
	}
}

export class PostPublisher {
	#voice;
	#agent = new Agent({ keepAlive: true, maxSockets: 1 });
	#request = null;
	#stays = true;
	#speaks = true;

	constructor(world, name, topics) {
		this.#voice = new Voice(world, name, topics);
		this.ledger = world.ledger;
		this.world = world;
		this.name = name;
	}

	open() {
		this.#voice.anew();
		this.#next();
	}

	#next() {
		const { dice, topics } = this.#voice;

		setTimeout(() => this.#speaks && this.#post(dice.pick(topics)),
		    TICK_MS);
	}

	#post(topic) {
		const text = this.#voice.say(topic);

		this.#request = request({ method: "POST", host: "127.0.0.1",
			port: this.world.port, path: `/topics/${topic}`,
			agent: this.#agent });
		this.#request.on("error", () => this.#lost());
		this.#request.on("response", async (response) => {
			try {
				const parts = await response.setEncoding("utf8")
				    .toArray();

				this.#answered(response, text, parts.join(""));
			} catch {
				this.#lost();
			}
		});
		this.#request.end(text);
	}

	#answered({ statusCode, headers }, text, body) {
		const answer = JSON.parse(body);

		this.#request = null;
		if (statusCode === 200)
			this.ledger.acked(text, answer);
		else if (statusCode === 503)
			this.ledger.refused(text);
		else
			this.ledger.fault("damaged", `${this.name}: ${body}`);
		if (headers.connection === "close")
			this.#voice.anew();
		this.#next();
	}

	#lost() {
		this.#request = null;
		this.#voice.anew();
		if (this.#stays)
			this.#next();
	}

	cut() {
		reset(this.#request?.socket);
	}

	rest() {
		this.#speaks = false;
	}

	get isQuiet() {
		return this.#request === null;
	}

	leave() {
		this.#stays = false;
		this.rest();
		this.#agent.destroy();
		this.#request?.destroy();
	}
}

/* Subscribed, by the contract, to what it publishes to. */
export class SeedPublisher extends SeedSubscriber {
	#voice;
	#speaks = true;
	#timer = null;

	constructor(world, name, topics, query) {
		super(world, name, topics, query);
		this.#voice = new Voice(world, name, topics);
	}

	open() {
		super.open();
		this.#voice.anew();
		if (this.#speaks)
			this.#timer ??= setInterval(() => this.#tick(),
			    2 * TICK_MS);
	}

	#tick() {
		const topic = this.#voice.dice.pick(this.topics);

		if (this.isOpen)
			this.socket.send(JSON.stringify({ topic,
				message: this.#voice.say(topic) }));
	}

	rest() {
		this.#speaks = false;
		clearInterval(this.#timer);
	}

	get isQuiet() {
		return true; /* the end's message comes behind what it said */
	}

	leave() {
		this.rest();
		super.leave();
	}
}
