// SPDX-License-Identifier: MIT
/*
 * cluster-retention.test.mjs - what a host has accepted it keeps until another one
 * has it, and sends it on when its ring has to be given up before.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { publish } from "./cluster-talk.mjs";
import { Nats, agree, bridgeOf, host, skip } from "./nats.mjs";
import { V1 } from "./v1-client.mjs";
import { bounded, waitFor } from "./wait.mjs";

async function hostsOf(t, nats, n, ...args) {
	const hosts = await Promise.all(Array.from({ length: n }, () =>
		host(t, nats, ...args)));

	for (const one of hosts) {
		one.deathsExpected = true; /* of bridges */
		await one.logs("a log", /joined the log/u);
	}
	await meet(hosts);
	return hosts;
}

/* Until all of them have heard of each other. */
async function meet(hosts) {
	for (const one of hosts)
		await waitFor("all hosts", async () =>
			(await cluster(one)).hosts === hosts.length);
}

async function cluster(server) {
	return (await server.status()).cluster;
}

/* Until nothing waits. */
function settled(server) {
	return waitFor("all confirmed", async () => {
		const now = await cluster(server);

		return now.unconfirmed === 0 && now.outbox_bytes === 0;
	});
}

describe("what a host has published", { skip }, () => {
	test("waits until another host says that it has it", async (t) => {
		const nats = await Nats.start(t, 1);
		const [here, there] = await hostsOf(t, nats, 2);
		let now;

		await publish(here, "t", "a", 20);
		await settled(here);

		/* One that has said nothing for three seconds is gone, and waited
		 * for no more: then once more. */
		for (let i = 0; now?.hosts !== 2; i++) {
			const [bridge] = bridgeOf(there);

			process.kill(bridge, "SIGSTOP");
			await publish(here, "t", `b${i}.`, 5);
			now = await cluster(here);
			process.kill(bridge, "SIGCONT");
			await waitFor("both hosts", async () =>
				(await cluster(here)).hosts === 2);
			if (now.hosts === 2) {
				assert.equal(now.unconfirmed, 5);
				assert.ok(now.outbox_bytes > 0);
				await agree([here, there], "t", 25 + 5 * i);
			}
			await settled(here);
		}
	});

	test("is let go when it comes back to the only one", async (t) => {
		const nats = await Nats.start(t, 1);
		const [one] = await hostsOf(t, nats, 1);

		await publish(one, "t", "a", 20);
		await settled(one);
	});

	/* More than the outbox may have, which is a quarter of the ring. */
	test("is as much as there is, in an outbox of any size", async (t) => {
		const nats = await Nats.start(t, 1);
		const hosts = await hostsOf(t, nats, 2, "--max-message", "1K",
		    "--ring-size", "1M");
		const n = 400;

		await Promise.all(hosts.map(async (one, i) => {
			const clients = await Promise.all([1, 2, 3].map(() =>
				V1.open(one)));

			for (const [c, client] of clients.entries())
				for (let k = 0; k < n; k++)
					client.send({ type: "publish", id: k, topic: "t",
						message: `${i}.${c}.${k} ${"x".repeat(500)}` });
			for (const client of clients)
				for (let k = 0; k < n; k++) {
					const ack = await bounded("an ack",
					    client.next(), 60_000);

					assert.equal(ack.type, "ack");
					assert.equal(ack.id, k);
				}
			for (const client of clients)
				client.socket.terminate();
		}));
		for (const one of hosts)
			await settled(one);
	});
});
