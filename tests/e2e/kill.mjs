// SPDX-License-Identifier: MIT
/*
 * kill.mjs - a server of two workers, one of which is going to be stopped and
 * killed, with witnesses of both contracts on the other.
 *
 *	Speaker	a v1 client that keeps messages, by number, and answers apart
 *	Scene	the server, the witnesses, and what everybody must have seen
 */

import assert from "node:assert/strict";

import {
	Client, Server, bounded, openOn, waitFor,
} from "./support.mjs";
import { STOPPABLE, Stop } from "./stop.mjs";
import { Books, V1 } from "./v1-client.mjs";

export const VICTIM = 0, WITNESS = 1; /* slots */
const ROOM = "room";

class Speaker {
	seen = []; /* messages in the room */

	#answers = new Map();
	#asked = new Map(); /* what was sent, by id */
	#books = null;
	#id = 0;

	constructor(v1) {
		this.v1 = v1;
	}

	get closed() {
		return this.v1.closed;
	}

	static async on(server, slot) {
		return new Speaker(await openOn(server, slot,
		    () => V1.open(server)));
	}

	/* Sort what has come. */
	#sort() {
		for (const frame of this.v1.frames.splice(0))
			if (frame.type === "message" || frame.type === "gap") {
				assert.equal(frame.type, "message",
				    JSON.stringify(frame));
				assert.ok(this.#books.enter(frame));
				this.seen.push(frame.message);
			} else if (frame.id !== undefined) {
				assert.ok(!this.#answers.has(frame.id));
				this.#answers.set(frame.id, frame);
				this.#note(this.#asked.get(frame.id), frame);
			}
	}

	/* From a subscription's answer on, the room's numbers are booked. */
	#note(request, answer) {
		if (request.type === "subscribe" && request.topic === ROOM)
			this.#books ??= new Books(ROOM,
			    (request.since?.seq ?? answer.seq) + 1);
	}

	/* Send requests in one piece, so that they are read in one turn.
	 * Returns their ids. */
	send(...requests) {
		const tcp = this.v1.socket._socket;

		tcp.cork();
		const ids = requests.map((request) => {
			const id = ++this.#id;

			this.#asked.set(id, request);
			this.v1.send({ id, ...request });
			return id;
		});

		tcp.uncork();
		return ids;
	}

	publish(...messages) {
		return this.send(...messages.map((message) =>
			({ type: "publish", topic: ROOM, message })));
	}

	/* The answer to a request, if it has come. */
	answered(id) {
		this.#sort();
		return this.#answers.get(id);
	}

	answer(id) {
		return waitFor(`answer ${id}`, () => this.answered(id));
	}

	async ask(request) {
		return this.answer(this.send(request)[0]);
	}

	/* Subscribe to the room, after number seq of the epoch or from now on. */
	async follow(epoch, seq) {
		const ack = await this.ask({ type: "subscribe", topic: ROOM,
			...seq !== undefined && { since: { epoch, seq } } });

		assert.equal(ack.type, "ack", JSON.stringify(ack));
		assert.equal(ack.epoch, epoch);
		return ack;
	}

	/* Everything of the room up to here; no more than this, and no less. */
	async assertSeen(messages) {
		await waitFor(`message ${messages.length}`, () => {
			this.#sort();
			return this.seen.length >= messages.length;
		});
		assert.deepEqual(this.seen, messages);
	}

	close() {
		return this.v1.close();
	}
}

export class Scene {
	said = []; /* in the room, and committed, in order */

	#count = 0;

	static async open(t, ...args) {
		const scene = new Scene();

		/* Small, for there are many. */
		scene.t = t;
		scene.server = await Server.start(t,
		    ["--ring-size", "2M", "--max-topics", "8", ...args],
		    { program: STOPPABLE });
		scene.server.deathsExpected = true;
		({ epoch: scene.epoch } = await scene.server.status());
		await scene.openWitnesses();
		return scene;
	}

	async openWitnesses() {
		const { server } = this;

		this.raw = await openOn(server, WITNESS, () => Client.open(server,
		    { topics: [ROOM], query: { buffer: 4096 } }));
		this.rawFrom = this.said.length;
		this.witness = await Speaker.on(server, WITNESS);
		await this.witness.follow(this.epoch, this.said.length || undefined);
	}

	/* A client on the worker that is going to be the victim. */
	async openVictim() {
		this.victim = await Speaker.on(this.server, VICTIM);
		return this.victim;
	}

	/* Messages that nobody has sent before. */
	words(n) {
		return Array.from({ length: n }, () => `word ${this.#count++}`);
	}

	/* Say something on a worker where nothing is the matter, and have it
	 * acknowledged with the number that must come next. */
	async say(speaker = this.witness) {
		const [word] = this.words(1);
		const [id] = speaker.publish(word);

		return this.assertNext(await speaker.answer(id), word);
	}

	/* A word is acknowledged, with the next number. */
	assertNext(ack, word) {
		this.said.push(word);
		assert.equal(ack.type, "ack", JSON.stringify(ack));
		assert.equal(ack.seq, this.said.length);
		return ack;
	}

	/* Arm places for the victim. */
	arm(...places) {
		return Stop.arm(this.t, this.server, VICTIM, ...places);
	}

	/* The worker that is stopped or dead does not keep the other from
	 * answering: a ping of the frame layer asks for nobody's lock. */
	async assertAwake() {
		const { socket } = this.witness.v1;
		const pong = new Promise((resolve) => {
			socket.once("pong", resolve);
		});

		socket.ping();
		await bounded("pong", pong);
	}

	/* All that was said, each once and in order, came to everybody, and is
	 * in the ring for who comes later. */
	async assertAllSeen() {
		await this.raw.received(this.said.length - this.rawFrom);
		assert.deepEqual(this.raw.messages, this.said.slice(this.rawFrom));
		await this.witness.assertSeen(this.said.slice(this.rawFrom));
	}

	async assertAllKept() {
		const late = new Speaker(await V1.open(this.server));
		const ack = await late.follow(this.epoch, 0);

		assert.equal(ack.seq, this.said.length);
		if (this.said.length > 0)
			assert.equal(ack.recovered, true);
		await late.assertSeen(this.said);
		await late.close();
	}

	async pid(slot) {
		return (await this.server.workers())[slot];
	}

	/* The pid of the slot's worker when it is another than this one, and
	 * ready. */
	successor(slot, before) {
		return waitFor(`successor on slot ${slot}`, async () => {
			const { pid, state } =
				(await this.server.status()).workers[slot];

			return pid !== before && state === "ready" && pid;
		});
	}

	presence() {
		return this.witness.ask({ type: "presence", topic: ROOM })
		    .then(({ count }) => count);
	}

	/* What an operator is told of the run so far. */
	async told() {
		const status = await this.server.status();

		return {
			deaths: status.deaths,
			lockDeaths: status.lock_deaths,
			watchdogKills: status.watchdog_kills,
			respawns: status.respawns,
			recoveries: status.workers.reduce(
			    (sum, worker) => sum + worker.lock_recovered, 0),
		};
	}
}
