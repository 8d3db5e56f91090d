// SPDX-License-Identifier: MIT
/*
 * cluster-local.test.mjs - hosts that go on without their log, for a while or
 * always: what each of them publishes is there at once, and later everywhere.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Events } from "./events.mjs";
import { Nats, bridgeOf, host, past, skip } from "./nats.mjs";
import { V1 } from "./v1-client.mjs";
import { bounded, waitFor } from "./wait.mjs";

const bodies = (messages) => messages.map(([, message]) => message);

async function hostsOf(t, nats, n, ...args) {
	const hosts = await Promise.all(Array.from({ length: n }, () =>
		host(t, nats, ...args)));

	for (const one of hosts) {
		one.deathsExpected = true; /* of bridges, and some workers */
		await one.logs("a log", /joined the log/u);
	}
	return hosts;
}

/* Publish each when the one before is acknowledged; all are at once. */
async function publish(client, topic, who, n, from = 0) {
	for (let i = from; i < from + n; i++) {
		const ack = await client.publish(topic, `${who}${i}`);

		assert.equal(ack.type, "ack", JSON.stringify(ack));
		assert.equal(ack.pos, undefined);
	}
}

/* These and no others are on the host, once each, and each one's in order.
 * Returns which of them have a place. */
async function assertHas(server, topic, counts) {
	const n = Object.values(counts).reduce((sum, count) => sum + count);
	const all = await waitFor(`${n} messages`, async () => {
		/* A connection that is kept may be a killed worker's. */
		const now = await past(server, topic).catch(() => []);

		return now.length >= n && now;
	});

	assert.equal(all.length, n, JSON.stringify(all));
	for (const [who, count] of Object.entries(counts))
		assert.deepEqual(bodies(all).filter((text) => text[0] === who),
		    Array.from({ length: count }, (_, i) => `${who}${i}`));
	return bodies(all.filter(([pos]) => pos !== undefined));
}

/* Follow topic t as a browser does. */
async function follow(t, server, query = "") {
	const events = await Events.connect(server,
	    `/topics/t/events?${query}`, { t });

	assert.equal((await events.block()).event, "ready");
	return events;
}

async function refusedOrDone(server) {
	const answer = await fetch(`${server.url}/topics/probe`, { method: "POST",
		body: "x", signal: AbortSignal.timeout(3000) }).catch(() => null);

	assert.notEqual(answer?.status, 503);
	return answer === null ? null : answer.json();
}

describe("hosts that are always local", { skip, concurrency: false }, () => {
	test("have their own at once, and all of the others", async (t) => {
		const nats = await Nats.start(t, 1);
		const hosts = await hostsOf(t, nats, 3, "--cluster-order", "local");
		const clients = await Promise.all(hosts.map((one) =>
			V1.open(one)));

		await Promise.all(clients.map((one, i) =>
			publish(one, "t", "abc"[i], 50)));
		for (const [i, one] of hosts.entries()) {
			const placed = await assertHas(one, "t",
			    { a: 50, b: 50, c: 50 });

			assert.equal(placed.length, 100);
			assert.equal(placed.some((text) => text[0] === "abc"[i]),
			    false);
		}
		for (const one of clients)
			one.socket.terminate();
	});

	test("answer many at once, and by number and place", async (t) => {
		const nats = await Nats.start(t, 1);
		const [here, there] = await hostsOf(t, nats, 2,
		    "--cluster-order", "local");
		const many = await fetch(`${here.url}/publish`, {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify(Array.from({ length: 20 }, (_, i) =>
				({ topic: "t", message: `a${i}` }))),
		});
		const { results } = await many.json();

		assert.deepEqual(results.map(({ seq }) => seq),
		    Array.from({ length: 20 }, (_, i) => i + 1));
		assert.ok(results.every(({ pos }) => pos === undefined));
		await assertHas(there, "t", { a: 20 });
		const other = await V1.open(there);

		await publish(other, "t", "b", 1);
		await assertHas(here, "t", { a: 20, b: 1 });

		/* In the same ring: exactly. */
		const same = await V1.open(here);
		const { epoch } = same.welcome;
		const ack = await same.subscribe("t", { since: { epoch, seq: 17 } });

		assert.equal(ack.replayed, 4);
		assert.equal(ack.recovered, true);
		for (const text of ["a17", "a18", "a19", "b0"])
			assert.equal((await same.next()).message, text);

		/* An id has a place although its message has none: at another host
		 * nothing behind it is missing, and something may come twice. */
		const events = await follow(t, here, `since=${epoch}:19`);
		const last = await events.block();

		assert.equal(last.data, "a19");
		assert.match(last.id, /^\w+:20:\w+\.\d+$/u);
		const moved = await follow(t, there, `since=${last.id}`);
		const heard = [];

		while (!heard.includes("b0")) {
			const { data, event } = await moved.block();

			assert.notEqual(event, "gap");
			heard.push(data);
		}
		assert.deepEqual(heard.slice(-1), ["b0"]);
		other.socket.terminate();
		same.socket.terminate();
	});

	test("send what they have when anything of them is killed", async (t) => {
		const nats = await Nats.start(t, 1);
		const [here, there] = await hostsOf(t, nats, 2,
		    "--cluster-order", "local");
		let n = 0;

		for (const hurt of [
			async ([bridge]) => process.kill(bridge, "SIGKILL"),
			async ([bridge]) => {
				const [worker] = await here.workers();

				process.kill(worker, "SIGKILL");
				process.kill(bridge, "SIGCONT");
			},
			async ([bridge]) => {
				process.kill(bridge, "SIGKILL");
				assert.equal((await here.cli("upgrade")).status, 0);
			},
		]) {
			const pids = await waitFor("a bridge", () => {
				const all = bridgeOf(here);

				return all.length === 1 && all;
			});
			const client = await V1.open(here);

			process.kill(pids[0], "SIGSTOP");
			await publish(client, "t", "a", 20, n);
			n += 20;
			await hurt(pids);
			client.socket.terminate();
			await assertHas(there, "t", { a: n });
			await assertHas(here, "t", { a: n });
		}
	});
});

describe("hosts that are local without the log", { skip }, () => {
	test("go on, and have all of all when it is back", async (t) => {
		const nats = await Nats.start(t, 1);
		const hosts = await hostsOf(t, nats, 3, "--cluster-down", "local",
		    "--cluster-wait", "3");
		const clients = await Promise.all(hosts.map((one) =>
			V1.open(one)));
		const hears = await V1.open(hosts[0]);
		const first = await clients[0].publish("t", "a0");

		assert.match(first.pos, /^\w+\.\d+$/u);
		await hears.subscribe("t");
		await nats.kill(0);

		/* What waits when that begins is answered, in its order. */
		for (const request of [
			{ type: "publish", id: 1, topic: "t", message: "a1" },
			{ type: "publish", id: 2, topic: "t", message: "a2" },
			{ type: "history", id: 3, topic: "t", limit: 1 },
			{ type: "publish", id: 4, topic: "t", message: "a3" },
		])
			clients[0].send(request);
		const answers = [];

		while (answers.length < 4)
			answers.push(await bounded("an answer",
			    clients[0].next()));
		assert.deepEqual(answers.map(({ id, type, pos }) =>
			[id, type, pos]), [[1, "ack", undefined],
			[2, "ack", undefined], [3, "history", undefined],
			[4, "ack", undefined]]);
		assert.equal(answers[2].messages[0].message, "a2");
		for (const [i, who] of [..."abc"].entries()) {
			/* Its own wait is over, too. */
			await waitFor("local mode", () => refusedOrDone(hosts[i]));
			await publish(clients[i], "t", who, 20, i === 0 ? 4 : 0);
		}
		await assertHas(hosts[0], "t", { a: 24 });
		for (let i = 1; i < 24; i++) {
			const said = await hears.next();

			assert.equal(said.message, `a${i}`);
			assert.equal(said.pos, undefined);
		}

		nats.revive(0);
		for (const one of hosts)
			await assertHas(one, "t", { a: 24, b: 20, c: 20 });
		/* And then as before. */
		const again = await waitFor("a place", async () => {
			const ack = await clients[0].publish("u", "x");

			assert.equal(ack.type, "ack");
			return ack.pos !== undefined && ack;
		});

		await waitFor("it everywhere", async () =>
			(await past(hosts[2], "u")).some(([pos]) =>
				pos === again.pos));
		for (const one of [hears, ...clients])
			one.socket.terminate();
	});
});

describe("an outbox that is lapped", { skip }, () => {
	test("is told to the subscribers of the others", async (t) => {
		const nats = await Nats.start(t, 1);
		const [here, there] = await hostsOf(t, nats, 2,
		    "--cluster-order", "local", "--cluster-wait", "2",
		    "--max-message", "1K", "--ring-size", "64K");
		const own = await V1.open(here), other = await V1.open(there);
		const talks = await V1.open(here), before = await other.publish(
		    "other", "x");

		assert.equal(before.type, "ack");
		const { epoch: ownEpoch, pos: ownPos } = await own.subscribe("t");
		const { epoch, seq, pos } = await other.subscribe("t");
		const events = await follow(t, there);
		const [bridge] = bridgeOf(here);
		const text = "x".repeat(500);

		process.kill(bridge, "SIGSTOP");
		for (let i = 0; i < 300; i++)
			assert.equal((await talks.publish("t", text)).type, "ack");
		assert.equal((await talks.publish("t", "end")).type, "ack");
		process.kill(bridge, "SIGCONT");

		const gap = await other.next();

		assert.deepEqual(gap, { type: "gap", topic: "t", reason: "cluster",
			epoch, seq: 0 });
		assert.equal((await events.gap()).reason, "cluster");
		for (let next = 1, message; message !== "end"; next++) {
			const frame = await other.next();

			assert.equal(frame.seq, next);
			({ message } = frame);
		}

		/* Its own have had them all. */
		for (let next = 1, message; message !== "end"; next++) {
			const frame = await own.next();

			assert.equal(frame.seq, next);
			assert.equal(frame.pos, undefined);
			({ message } = frame);
		}

		/* Who was not there is told when it comes back: in the same ring, and
		 * by its place at another host. */
		const later = await V1.open(there);
		const back = await later.subscribe("t",
		    { since: { epoch, seq, pos } });

		assert.equal(back.recovered, false);
		assert.equal((await later.next()).reason, "cluster");
		const moved = await V1.open(there);
		const ack = await moved.subscribe("t",
		    { since: { epoch: ownEpoch, seq: 0, pos: ownPos } });

		assert.equal(ack.recovered, false);
		assert.equal((await moved.next()).reason, "expired");
		for (const one of [own, other, talks, later, moved])
			one.socket.terminate();
	});
});
