// SPDX-License-Identifier: MIT
/*
 * client-storm.test.mjs - public/pubsub.js keeps its one promise while the
 * server is hurt: each message once and in order, or a gap that covers it.
 *
 * Publishers number what they say and say it as fast as it is acknowledged.
 * Every ack tells the number that the server gave it, so in the end the test
 * knows what stands where, and can judge each subscriber number by number:
 * nothing twice, nothing out of order, nothing missing that no gap covers, and
 * no gap where nobody was to blame for one.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import WebSocket from "ws";

import { Server, waitFor } from "./support.mjs";
import { open, reaches, runAgain } from "./client-support.mjs";

const TOPIC = "storm";
const WINDOW = 64; /* publishes under way, per publisher */

/* A publisher of "NAME 0", "NAME 1" ... that notes what became of each. */
class Publisher {
	count = 0;
	acked = new Map(); /* "EPOCH:SEQ" -> text */
	unknown = new Set();

	#done = false;
	#lanes;

	constructor(client, name, pad) {
		this.client = client;
		this.name = name;
		this.pad = "x".repeat(pad);
		this.#lanes = Array.from({ length: WINDOW }, () => this.#lane());
	}

	async #lane() {
		while (!this.#done) {
			const text = `${this.name} ${this.count++} ${this.pad}`;

			try {
				const { epoch, seq } = await this.client.publish(
				    TOPIC, text);

				this.acked.set(`${epoch}:${seq}`, text);
			} catch (error) {
				assert.equal(error.code, "unknown");
				this.unknown.add(text);
			}
		}
	}

	/* Wait until that many more have been acknowledged. */
	progress(n = 500) {
		const goal = this.acked.size + n;

		return waitFor("progress", () => this.acked.size >= goal);
	}

	stop() {
		this.#done = true;
		return Promise.all(this.#lanes);
	}
}

/* A subscriber that writes down what it gets, and whose socket can be cut. */
class Subscriber {
	log = []; /* {epoch, seq, text} or {gap} */
	unreachable = false; /* it finds no way to the server */

	static async join(t, server, options = {}) {
		const self = new Subscriber();

		self.client = open(t, server.port, {
			query: "?buffer=100000",
			WebSocket: class extends WebSocket {
				constructor(url, protocols) {
					super(self.unreachable ?
					    "ws://127.0.0.1:1/" : url, protocols);
					self.socket = this;
				}
			},
		});
		self.room = await self.client.subscribe(TOPIC, {
			onMessage: ({ epoch, seq, message }) =>
				self.log.push({ epoch, seq, text: message }),
			onGap: (gap) => self.log.push({ gap }),
			...options,
		});
		return self;
	}

	get gaps() {
		return this.log.filter(({ gap }) => gap).map(({ gap }) => gap);
	}

	cut() {
		this.socket.terminate();
	}

	caughtUp({ epoch, seq }) {
		return waitFor("the last message", () =>
			this.room.place.epoch === epoch &&
			this.room.place.seq >= seq);
	}
}

/*
 * Judge what a subscriber has got against what the publishers know, from the
 * first number that it heard.  A number that no ack told of is one of those
 * whose outcome is unknown, and stands in no more than one place.
 */
function judge(subscriber, publishers) {
	const acked = new Map(publishers.flatMap((p) => [...p.acked]));
	const unknown = new Set(publishers.flatMap((p) => [...p.unknown]));
	let before = null;

	for (const { gap, epoch, seq, text } of subscriber.log) {
		if (gap) {
			assert.notEqual(gap.reason, "lost");
			if (gap.to === undefined)
				before = null;
			else if (before !== null)
				assert.equal(gap.from, before.seq + 1);
			if (before !== null)
				before.seq = gap.to;
			continue;
		}
		if (before !== null) {
			assert.equal(epoch, before.epoch);
			assert.equal(seq, before.seq + 1);
		}
		before = { epoch, seq };
		const told = acked.get(`${epoch}:${seq}`);

		if (told === undefined)
			assert.ok(unknown.delete(text), `${seq} is ${text}`);
		else
			assert.equal(text, told);
	}
}

/* A server with publishers, subscribers and what happens to them. */
async function storm(t, args, happen, { gaps = false, pad = 0 } = {}) {
	const server = await Server.start(t, ["--rate", "0", ...args]);
	const publishers = ["a", "b", "c"].map((name) =>
		new Publisher(open(t, server.port), name, pad));
	const subscribers = await Promise.all(Array.from({ length: 4 },
	    () => Subscriber.join(t, server)));
	const late = [];

	server.deathsExpected = true;
	await happen({ server, publishers, subscribers, late,
		progress: () => Promise.all(publishers.map((p) => p.progress())) });
	await Promise.all(publishers.map((p) => p.stop()));
	const end = await publishers[0].client.publish(TOPIC, "end");

	publishers[0].acked.set(`${end.epoch}:${end.seq}`, "end");
	for (const subscriber of [...subscribers, ...late]) {
		await subscriber.caughtUp(end);
		judge(subscriber, publishers);
		if (!gaps)
			assert.deepEqual(subscriber.gaps, []);
	}
	return { publishers, subscribers, late };
}

/* The worker of a slot has been replaced, and serves. */
function replaced(server, slot, pid) {
	return waitFor("a successor", async () => {
		const worker = (await server.status()).workers[slot];

		return worker.pid !== pid && worker.state === "ready";
	});
}

describe("JavaScript client, storm", () => {
	test("connections are cut", async (t) => {
		await storm(t, [], async ({ subscribers, progress }) => {
			for (let i = 0; i < 20; i++) {
				await progress();
				subscribers[i % 4].cut();
			}
		});
	});

	test("those who come later have all from where they begin", async (t) => {
		const { late } = await storm(t, [], async (scene) => {
			const { server, subscribers, progress } = scene;

			for (let i = 0; i < 10; i++) {
				await progress();
				const { place } = subscribers[i % 4].room;

				scene.late.push(await Subscriber.join(t, server,
				    i % 2 ? { since: place } : { history: 100 }));
			}
		});

		for (const [i, { log }] of late.entries())
			assert.ok(log.length > (i % 2 ? 0 : 100));
	});

	test("workers are killed", async (t) => {
		await storm(t, ["--workers", "4"], async ({ server, progress }) => {
			for (let i = 0; i < 8; i++) {
				await progress();
				const pid = (await server.workers())[i % 4];

				process.kill(pid, "SIGKILL");
				await replaced(server, i % 4, pid);
			}
		});
	});

	test("the server is restarted", async (t) => {
		const { publishers } = await storm(t, [],
		    async ({ server, progress }) => {
			    for (let i = 0; i < 3; i++) {
				    await progress();
				    const done = await server.cli("restart");

				    assert.equal(done.status, 0, done.stderr);
			    }
			    await progress();
		    });

		/* A drain answers what it has done: nothing is left in doubt. */
		for (const { unknown } of publishers)
			assert.deepEqual([...unknown], []);
	});

	test("the server is stopped and another started: one gap", async (t) => {
		const { subscribers } = await storm(t, [], async (scene) => {
			const { server, subscribers: all, publishers } = scene;

			await scene.progress();
			await server.stop();
			for (const { client } of all)
				await reaches(client, "waiting");
			await runAgain(server);
			for (const { client } of [...all, ...publishers])
				client.wake();
			await scene.progress();
			await waitFor("all to be back", () => all.every(
			    ({ gaps }) => gaps.length > 0));
		}, { gaps: true });

		for (const { gaps } of subscribers)
			assert.deepEqual(gaps, [{ topic: TOPIC, reason: "epoch" }]);
	});

	test("a small ring forgets: the gaps say what", async (t) => {
		const { subscribers: [{ gaps }] } = await storm(t,
		    ["--ring-size", "2M"], async (scene) => {
			    const [away] = scene.subscribers;
			    const head = async () =>
				(await scene.server.status()).ring.head;

			    for (let i = 0; i < 3; i++) {
				    const start = await head();

				    away.cut();
				    away.unreachable = true;
				    await waitFor("a lap", async () =>
					await head() > start + 2 * 2 ** 20);
				    away.unreachable = false;
				    away.client.wake();
				    await scene.progress();
			    }
		    }, { gaps: true, pad: 2000 });

		/* So small a ring may also lap a worker, or pass a client by that
		 * reads too slowly, on a busy machine. */
		const others = gaps.filter(({ reason }) => reason !== "expired");

		assert.ok(gaps.length - others.length >= 3);
		for (const { reason } of others)
			assert.ok(["lapped", "slow"].includes(reason), reason);
	});
});
