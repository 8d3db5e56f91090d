// SPDX-License-Identifier: MIT
/*
 * cluster-join.test.mjs - how a host begins with a log that others have, and goes
 * on with it.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";

import { Mouth } from "./mouth.mjs";
import { Nats, agree, bridgeOf, host, skip } from "./nats.mjs";
import { Server } from "./server.mjs";
import { V1 } from "./v1-client.mjs";
import { bounded, waitFor } from "./wait.mjs";

const JUNK = Buffer.alloc(900 * 1024, "x");

/* Put so many long messages into the log that are of no host. */
async function fill(nats, n) {
	const socket = connect(nats.address);
	let text = "";

	await bounded("a server", once(socket, "connect"));
	socket.setEncoding("latin1").on("data", (data) => {
		text += data;
	});
	socket.write('CONNECT {"verbose":false}\r\nSUB stored 1\r\n');
	for (let i = 0; i < n; i++) {
		socket.write(
		    `PUB pubsubd.main.log stored ${JUNK.length}\r\n`);
		socket.write(JUNK);
		socket.write("\r\n");
	}
	await waitFor("all in the log", () =>
		(text.match(/"seq":/gu) ?? []).length === n);
	socket.destroy();
}

async function publish(server, topic, message) {
	const client = await V1.open(server);

	assert.equal((await client.publish(topic, message)).type, "ack");
	client.socket.terminate();
}

/* Publish to seven topics in turn until told to stop. */
async function speak(server, state) {
	const client = await V1.open(server);

	for (; !state.over; state.said++)
		assert.equal((await client.publish(`t${state.said % 7}`,
		    `m${state.said}`)).type, "ack");
	client.socket.terminate();
}

describe("a log that others have", { skip }, () => {
	/* It looked as far back as its ring has place, took the log for one that
	 * nobody has begun, and began it; all others gave up their rings. */
	test("is looked through as far back as somebody has said anything", async (t) => {
		const nats = await Nats.start(t, 1);
		const there = await host(t, nats);

		there.deathsExpected = true;
		await there.logs("a log", /joined the log/u);
		await publish(there, "old", "x");
		const [pid] = bridgeOf(there);

		process.kill(pid, "SIGSTOP");
		await fill(nats, 12);
		const late = await host(t, nats);

		await late.logs("a log", /joined the log/u);
		process.kill(pid, "SIGCONT");
		await publish(late, "new", "y");
		await publish(there, "new", "z");
		await agree([there, late], "new", 2);
		assert.doesNotMatch(there.logged, /begun anew|a new ring/u);
	});

	/* One that had been cut off from the others, and did not know of what they
	 * had taken since, cost a host its ring. */
	test("does not end where a server says that is cut off", async (t) => {
		const nats = await Nats.start(t, 1);
		const mouth = await Mouth.open(t, nats.address);
		const one = await Server.start(t, ["--config", "none",
			"--ring-size", "8M", "--cluster", mouth.url,
			"--cluster-wait", "60"]);
		const again = async (what, pattern) => {
			const before = one.logged.length;

			for (const pid of bridgeOf(one))
				process.kill(pid, "SIGKILL");
			await waitFor(what, () =>
				pattern.test(one.logged.slice(before)));
		};

		one.deathsExpected = true;
		await one.logs("a log", /joined the log/u);
		for (let i = 0; i < 20; i++)
			await publish(one, "end", `${i}`);
		mouth.says = { last_seq: 1 };
		await again("another bridge", /was killed/u);
		await publish(one, "end", "it goes on");
		mouth.says = { last_seq: 1, seq: "x" };
		await again("another server", /trying another server/u);
		mouth.says = {};
		await publish(one, "end", "and on");
		assert.doesNotMatch(one.logged, /has lost|a new ring/u);

		mouth.says = { last_seq: 1, seq: 2 };
		await again("the loss", /the log has lost what this host has/u);
		await one.logs("a new ring", /a new ring, epoch/u);
	});

	/* What came when the ring was sealed was thrown away, and the next was taken
	 * for a loss; or, if half of it was in the ring, the host had another past
	 * than the others, for good. */
	test("is whole in a host that restarts", async (t) => {
		const nats = await Nats.start(t, 1);
		const [there, one] = [await host(t, nats), await host(t, nats)];
		const state = { said: 0, over: false };

		for (const each of [there, one])
			await each.logs("a log", /joined the log/u);
		const end = speak(there, state);

		for (let i = 0; i < 5; i++) {
			const { said } = state;

			await waitFor("messages", () => state.said > said + 20);
			assert.equal((await one.cli("restart")).status, 0);
		}
		state.over = true;
		await end;
		for (let i = 0; i < 7; i++)
			await agree([there, one], `t${i}`,
			    Math.ceil((state.said - i) / 7));
		assert.doesNotMatch(one.logged, /lost messages|a new ring/u);
	});
});
