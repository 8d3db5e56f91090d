// SPDX-License-Identifier: MIT
/*
 * v1-seam.test.mjs - where a replay ends and life begins.
 *
 * Publishers at full speed on all workers.  Subscribers join, leave, stop
 * reading and resume as dice have it, while workers are killed and the server
 * is restarted.  Each keeps the books of each of its subscriptions: every number
 * once and in order, as a message or in one gap.
 *
 *	SEED=123	other dice
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import WebSocket from "ws";

import { Server, bounded, waitFor } from "./support.mjs";
import { Books, V1 } from "./v1-client.mjs";

const SEED = Number(process.env.SEED ?? 20240229);
const TOPICS = ["a", "b", "c"];

/* Random numbers below n, the same in every run (mulberry32). */
function diceOf(seed) {
	let state = seed;

	return (n) => {
		state = state + 0x6d2b79f5 | 0;
		let x = Math.imul(state ^ state >>> 15, 1 | state);

		x = x + Math.imul(x ^ x >>> 7, 61 | x) ^ x;
		return ((x ^ x >>> 14) >>> 0) % n;
	};
}

/* A connection that is made again until `over' is set. */
class Reconnecting {
	over = false;
	client = null;

	constructor(server, query) {
		this.server = server;
		this.query = query;
		this.done = this.#run();
		this.done.catch(() => {}); /* whoever awaits it hears of it */
	}

	async #run() {
		while (!this.over) {
			try {
				this.client = await V1.open(this.server,
				    { query: this.query() });
			} catch {
				continue; /* a kill, a restart: try again */
			}
			try {
				await this.serve(this.client);
			} finally {
				this.client.socket.terminate();
			}
			await this.client.closed;
		}
	}
}

class Talker extends Reconnecting {
	/* size: of the longest message. */
	constructor(server, dice, size) {
		super(server, () => ({}));
		this.dice = dice;
		this.size = size;
		this.count = 0;
	}

	async serve(client) {
		while (!this.over) {
			for (let i = 0; i < 100; i++)
				client.send({ type: "publish",
					topic: TOPICS[this.dice(TOPICS.length)],
					message: "x".repeat(this.dice(this.size)) });
			client.send({ type: "ping" });
			if ((await client.next())?.type !== "pong")
				return;
			this.count += 100;
		}
	}
}

class Listener extends Reconnecting {
	actions = 0;
	calm = false; /* it does nothing more of its own accord */
	totals = { messages: 0, missed: 0, resumed: 0, replayed: 0 };
	reasons = new Set();
	places = new Map(); /* topic -> last number seen in a life that ended */
	asked = new Map(); /* topic -> since, or null: ack awaited */
	books = new Map(); /* topic -> Books */
	leaving = new Set();

	constructor(server, dice) {
		super(server, () => ({ buffer: dice(300),
			overflow: ["drop", "latest", "close"][dice(3)] }));
		this.dice = dice;
	}

	async serve(client) {
		let left = 0;

		for (const topic of TOPICS)
			this.#join(client, topic);
		for (let frame; (frame = await client.next()) !== null;) {
			this.#enter(frame);
			if (!this.calm && left-- === 0) {
				left = this.dice(600);
				if (this.#act(client))
					break;
			}
		}
		for (const topic of [...this.asked.keys(), ...this.books.keys()])
			this.#end(topic);
	}

	#join(client, topic) {
		const request = { type: "subscribe", id: `join ${topic}`, topic };
		const place = this.places.get(topic);
		let since = null;

		if (place !== undefined && this.dice(4) > 0) {
			since = place;
			request.since = { epoch: client.welcome.epoch, seq: place };
			this.totals.resumed++;
		} else if (this.dice(2) > 0) {
			request.history = this.dice(2000);
		}
		this.asked.set(topic, since);
		client.send(request);
	}

	/* A life of a subscription is over; its place is kept. */
	#end(topic) {
		const books = this.books.get(topic);

		if (books !== undefined) {
			this.totals.messages += books.messages;
			this.totals.missed += books.missed;
			for (const reason of books.gaps)
				this.reasons.add(reason);
			if (books.next > 0)
				this.places.set(topic, books.next - 1);
		}
		this.books.delete(topic);
		this.asked.delete(topic);
		this.leaving.delete(topic);
	}

	#acked(frame) {
		const [word, topic] = frame.id.split(" ");

		if (word === "leave") {
			this.#end(topic);
			return;
		}
		const since = this.asked.get(topic);

		this.asked.delete(topic);
		this.totals.replayed += frame.replayed ?? 0;
		this.books.set(topic, new Books(topic, since !== null ? since + 1 :
			frame.seq - (frame.replayed ?? 0) + 1));
	}

	#enter(frame) {
		switch (frame.type) {
		case "ack":
			this.#acked(frame);
			break;
		case "message":
		case "gap":
			assert.ok(this.books.get(frame.topic)?.enter(frame),
			    `without a subscription: ${JSON.stringify(frame)}`);
			break;
		default:
			assert.equal(frame.type, "drain", JSON.stringify(frame));
		}
	}

	/* Do something.  Returns whether that is to hang up. */
	#act(client) {
		const topic = TOPICS[this.dice(TOPICS.length)];

		this.actions++;
		switch (this.dice(8)) {
		case 0:
			return true;
		case 1:
			client.socket.pause();
			setTimeout(() => client.socket.resume(), this.dice(100));
			break;
		default:
			/* Who has left all hears nothing more that has it act. */
			if (this.books.has(topic) && !this.leaving.has(topic) &&
			    this.books.size - this.leaving.size > 1) {
				this.leaving.add(topic);
				client.send({ type: "unsubscribe",
					id: `leave ${topic}`, topic });
			}
		}
		for (const other of TOPICS)
			if (!this.books.has(other) && !this.asked.has(other))
				this.#join(client, other);
		return false;
	}

	/* Join what it has left, now that it is calm. */
	rejoin() {
		if (this.client.socket.readyState !== WebSocket.OPEN)
			return; /* the next connection joins all */
		for (const topic of TOPICS)
			if (!this.books.has(topic) && !this.asked.has(topic))
				this.#join(this.client, topic);
	}

	/* See it to the end: until all that there is has come.  It is over only
	 * then, for it may be without a connection now, or be closed for being
	 * slow. */
	async finish(last) {
		this.calm = true;
		await waitFor("the last number", () => {
			this.rejoin();
			return TOPICS.every((topic) =>
				this.books.get(topic)?.next > last.get(topic));
		});
		this.over = true;
		this.client.socket.terminate();
	}
}

async function killOne(server, slot) {
	const pid = (await server.workers())[slot];

	process.kill(pid, "SIGKILL");
	await waitFor("successor", async () => {
		const worker = (await server.status()).workers[slot];

		return worker.pid !== pid && worker.state === "ready";
	});
}

async function lastNumbers(server) {
	const client = await V1.open(server);
	const last = new Map();

	for (const topic of TOPICS)
		last.set(topic, (await client.publish(topic, "last")).seq);
	await client.close();
	return last;
}

async function play(t, { args, kills, actions, size }) {
	const server = await Server.start(t, ["--workers", "3", "--rate", "0",
		"--drain", "2", ...args]);
	const dice = diceOf(SEED);
	const talkers = Array.from({ length: 3 },
	    () => new Talker(server, dice, size));
	const listeners = Array.from({ length: 8 },
	    () => new Listener(server, dice));
	const all = [...talkers, ...listeners];
	const failed = Promise.all(all.map(({ done }) => done));

	/* Also when something is wrong nobody goes on. */
	t.after(() => {
		for (const player of all) {
			player.over = true;
			player.client?.socket.terminate();
		}
	});
	const sum = () => listeners.reduce((n, { actions: a }) => n + a, 0);

	failed.catch(() => {});
	t.diagnostic(`SEED=${SEED}`);
	server.deathsExpected = true;
	for (let i = 0; i < kills; i++) {
		const goal = sum() + actions;

		await Promise.race([failed, waitFor("actions",
		    () => sum() >= goal)]);
		if (i === kills >> 1)
			assert.equal((await server.cli("restart")).status, 0);
		else
			await killOne(server, dice(3));
	}
	for (const talker of talkers)
		talker.over = true;
	await bounded("the talkers' end",
	    Promise.all(talkers.map(({ done }) => done)));
	const last = await lastNumbers(server);

	await Promise.race([failed, Promise.all(listeners.map(
	    (listener) => listener.finish(last)))]);
	await bounded("the end", failed);
	return listeners.reduce((total, { totals, reasons }) => {
		for (const [name, n] of Object.entries(totals))
			total[name] = (total[name] ?? 0) + n;
		reasons.forEach((reason) => total.reasons.add(reason));
		return total;
	}, { reasons: new Set(), published: talkers.reduce((n, { count }) =>
		n + count, 0) });
}

describe("the seam", () => {
	test("over kills and a restart", async (t) => {
		const total = await play(t, { args: ["--ring-size", "64M"],
			kills: 4, actions: 30, size: 200 });

		t.diagnostic(JSON.stringify({ ...total,
			reasons: [...total.reasons] }));
		assert.ok(total.messages > 10_000);
		assert.ok(total.resumed > 50 && total.replayed > 1000);
		assert.equal(total.reasons.has("unknown"), false);
	});

	test("in a ring that is too small", async (t) => {
		const total = await play(t, { args: ["--ring-size", "1M",
			"--max-message", "4096"], kills: 2, actions: 30,
			size: 4000 });

		t.diagnostic(JSON.stringify({ ...total,
			reasons: [...total.reasons] }));
		assert.ok(total.missed > 0);
		assert.ok(total.reasons.has("expired") ||
		    total.reasons.has("lapped"));
	});
});
