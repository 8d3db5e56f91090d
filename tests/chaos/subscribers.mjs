// SPDX-License-Identifier: MIT
/*
 * subscribers.mjs - clients of every kind, who come back whatever happens to
 * them until they are told to stay away, and enter what they get.
 *
 *	V1Subscriber	pubsubd.v1, resuming by `since'
 *	JsSubscriber	public/pubsub.js, which resumes by itself
 *	EventSubscriber	server-sent events, resuming by Last-Event-ID
 *	SeedSubscriber	the seed's contract, which cannot resume
 *
 * and beside them PatternSubscriber (patterns.mjs) and Watcher (presence.mjs).
 *
 * All can stop reading for a while (pause), and reset their connection (cut).
 */

import { get } from "node:http";

import WebSocket from "ws";

import { connect } from "../../public/pubsub.js";

/* What one waits before another try, milliseconds. */
const RETRY = [10, 150];

/* Reset a connection, so that the peer gets RST and no FIN; one that is not
 * there yet is given up. */
export function reset(socket) {
	if (socket?.connecting)
		socket.destroy();
	else
		socket?.resetAndDestroy();
}

/* A WebSocket as a client uses it here. */
export function dial(port, query, protocols = [], host = "127.0.0.1") {
	const params = new URLSearchParams(query);

	return new WebSocket(`ws://${host}:${port}/ws?${params}`, protocols,
	    { perMessageDeflate: false });
}

/* The class of a WebSocket for public/pubsub.js; keep() is given each of them. */
export const webSocketFor = (keep) => class extends WebSocket {
	constructor(url, protocols) {
		super(url, protocols, { perMessageDeflate: false });
		keep(this);
	}
};

/* One that connects again and again; see open() and close() of each kind. */
class Subscriber {
	paused = false;

	#stays = true;

	constructor(world, name, topics, query) {
		this.world = world;
		this.ledger = world.ledger;
		this.name = name;
		this.topics = topics;
		this.query = query;
		this.dice = world.dice(name);
	}

	wake() {} /* nobody here waits for long */

	/* The connection is gone: come back, perhaps. */
	lost() {
		this.paused = false;
		if (this.#stays)
			setTimeout(() => this.#stays && this.open(),
			    this.dice.between(...RETRY));
	}

	leave() {
		this.#stays = false;
		this.close();
	}
}

export class Socketed extends Subscriber {
	socket = null;

	/* Another connection in pubsubd.v1. */
	dial() {
		return dial(this.world.port, this.query, "pubsubd.v1");
	}

	listen(socket) {
		this.socket = socket;
		socket.on("error", () => {}); /* a close follows */
		socket.on("close", () => this.lost());
		socket.on("message", (data) => this.received(data.toString()));
		return socket;
	}

	get isOpen() {
		return this.socket?.readyState === WebSocket.OPEN;
	}

	pause() {
		if (this.isOpen) {
			this.paused = true;
			this.socket.pause();
		}
	}

	resume() {
		if (this.paused)
			this.socket.resume();
		this.paused = false;
	}

	cut() {
		if (this.socket._socket)
			reset(this.socket._socket);
		else
			this.socket.terminate();
	}

	close() {
		this.socket?.terminate();
	}
}

export class V1Subscriber extends Socketed {
	#asked = new Map(); /* topic -> since */

	constructor(...args) {
		super(...args);
		this.observer = this.ledger.numbered(this.name);
	}

	open() {
		this.#asked.clear();
		this.listen(this.dial());
	}

	#subscribe(topic) {
		const since = this.observer.placeOf(topic);

		this.#asked.set(topic, since);
		if (this.isOpen)
			this.socket.send(JSON.stringify({ type: "subscribe",
				id: topic, topic, since: since ?? undefined }));
	}

	received(data) {
		const frame = JSON.parse(data);

		switch (frame.type) {
		case "welcome":
			this.epoch = frame.epoch;
			for (const topic of this.topics)
				this.#subscribe(topic);
			break;
		case "ack":
			this.#acked(frame);
			break;
		case "message":
			this.observer.message(frame.topic, this.epoch, frame.seq,
			    frame.message);
			break;
		case "gap":
			if (frame.from === undefined)
				this.observer.blank(frame.topic, frame.reason);
			else
				this.observer.gap(frame.topic, frame);
			break;
		case "error":
			this.#refused(frame);
			break;
		}
	}

	#acked({ topic, epoch, seq }) {
		const since = this.#asked.get(topic);

		this.observer.begin(topic, { epoch, seq, since,
			resumed: since?.epoch === epoch });
	}

	#refused({ id, code, reason }) {
		const { socket } = this;

		if (code === "directory_full")
			setTimeout(() => socket === this.socket &&
			    this.#subscribe(id), this.dice.between(...RETRY));
		else if (code !== "draining")
			this.ledger.fault("damaged",
			    `${this.name}: ${code}: ${reason}`);
	}

	reached(places) {
		return this.topics.every((topic) => this.observer.reached(topic,
		    places.get(topic)));
	}
}

export class JsSubscriber extends Subscriber {
	#rooms = new Map();
	#socket = null;

	constructor(...args) {
		super(...args);
		this.observer = this.ledger.numbered(this.name);
		for (const topic of this.topics)
			this.observer.beginAnywhere(topic);
	}

	open() {
		const keep = (socket) => {
			this.#socket = socket;
			this.paused = false;
		};

		this.client = connect(`ws://127.0.0.1:${this.world.port}/ws?` +
		    new URLSearchParams(this.query), {
			WebSocket: webSocketFor(keep),
		});
		for (const topic of this.topics)
			this.#join(topic);
	}

	/* Subscribe; where that is refused, once more until it is not. */
	async #join(topic) {
		const again = () => setTimeout(() => this.#join(topic),
		    this.dice.between(...RETRY));
		const since = this.observer.placeOf(topic) ?? undefined;

		try {
			this.#rooms.set(topic, await this.client.subscribe(topic, {
				since,
				onMessage: ({ epoch, seq, message }) =>
					this.observer.message(topic, epoch, seq,
					    message),
				onGap: (gap) => this.#gap(topic, gap),
				onEnd: again,
			}));
		} catch (error) {
			if (error.code === "directory_full")
				again();
			else if (error.code !== "closed")
				this.ledger.fault("damaged",
				    `${this.name}: ${error.code}`);
		}
	}

	#gap(topic, gap) {
		if (gap.from === undefined)
			this.observer.blankAnywhere(topic, gap.reason);
		else if (gap.reason === "lost")
			this.ledger.fault("unexplained", `${this.name} in ${topic}` +
			    `: ${gap.from} to ${gap.to} are missing`,
			    gap.to - gap.from + 1);
		else
			this.observer.gap(topic, gap,
			    this.#rooms.get(topic)?.place.epoch);
	}

	pause() {
		if (this.#socket?.readyState === WebSocket.OPEN) {
			this.paused = true;
			this.#socket.pause();
		}
	}

	resume() {
		if (this.paused)
			this.#socket.resume();
		this.paused = false;
	}

	cut() {
		reset(this.#socket._socket);
	}

	close() {
		this.client.close();
		this.#socket.terminate();
	}

	/* Do not wait for long before the next try. */
	wake() {
		this.client.wake();
	}

	reached(places) {
		return this.topics.every((topic) => this.observer.reached(topic,
		    places.get(topic)));
	}
}

/* Of one topic. */
export class EventSubscriber extends Subscriber {
	#request = null;
	#response = null;
	#text = "";
	#lastId = null;
	#isFirst = true;

	constructor(...args) {
		super(...args);
		this.observer = this.ledger.numbered(this.name);
	}

	open() {
		const headers = this.#lastId ? { "Last-Event-ID": this.#lastId } : {};
		let closed = false;
		const lost = () => {
			if (!closed)
				this.lost();
			closed = true;
		};

		this.#text = "";
		this.#isFirst = true;
		this.#response = null;
		this.#request = get({ host: "127.0.0.1", port: this.world.port,
			path: `/topics/${this.topics[0]}/events?` +
			    new URLSearchParams(this.query), headers, agent: false });
		this.#request.on("error", lost).on("close", lost);
		this.#request.on("response", (response) => {
			response.on("error", lost).on("close", lost);
			if (response.statusCode === 200)
				this.#follow(response);
			else
				response.resume();
		});
	}

	#follow(response) {
		this.#response = response;
		response.setEncoding("utf8").on("data", (text) => {
			const blocks = (this.#text + text).split("\n\n");

			this.#text = blocks.pop();
			for (const block of blocks)
				this.#block(block);
		});
	}

	#block(block) {
		const fields = Object.fromEntries(block.split("\n")
		    .filter((line) => !line.startsWith(":"))
		    .map((line) => /^([a-z]+): (.*)$/u.exec(line).slice(1)));
		const [topic] = this.topics;

		if (this.#isFirst) {
			this.#begin(fields.id);
		} else if (fields.event === "gap") {
			const gap = JSON.parse(fields.data);

			if (gap.from === undefined)
				this.observer.blank(topic, gap.reason);
			else
				this.observer.gap(topic, gap);
		} else if (fields.id !== undefined) {
			const { epoch, seq } = placeOf(fields.id);

			this.observer.message(topic, epoch, seq, fields.data);
		}
		this.#lastId = fields.id ?? this.#lastId;
	}

	/* The first block's id is the place from which the server goes on. */
	#begin(id) {
		this.#isFirst = false;
		this.observer.begin(this.topics[0], { ...placeOf(id),
			since: this.#lastId && placeOf(this.#lastId),
			resumed: id === this.#lastId });
	}

	pause() {
		this.paused = this.#response !== null;
		this.#response?.pause();
	}

	resume() {
		if (this.paused)
			this.#response.resume();
		this.paused = false;
	}

	cut() {
		reset(this.#request.socket);
	}

	close() {
		this.#request?.destroy();
	}

	reached(places) {
		return this.observer.reached(this.topics[0],
		    places.get(this.topics[0]));
	}
}

/* The place of an event's id. */
function placeOf(id) {
	const [epoch, seq] = id.split(":");

	return { epoch, seq: Number(seq) };
}

export class SeedSubscriber extends Socketed {
	#final = new Map(); /* topic -> the last message that came */

	constructor(...args) {
		super(...args);
		this.observer = this.ledger.plain(this.name);
	}

	open() {
		this.#final.clear();
		const socket = this.listen(dial(this.world.port,
		    [...Object.entries(this.query),
			...this.topics.map((topic) => ["topic", topic])]));

		socket.on("open", () => this.observer.connect(this.topics));
	}

	received(text) {
		const word = this.observer.message(text);

		if (word)
			this.#final.set(word.topic, word.speaker);
	}

	/* Whether it has got, in each topic, what was said at the end. */
	reached(places) {
		return this.topics.every((topic) =>
			this.#final.get(topic) === places.get(topic).speaker);
	}
}
