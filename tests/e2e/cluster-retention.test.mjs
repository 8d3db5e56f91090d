// SPDX-License-Identifier: MIT
/*
 * cluster-retention.test.mjs - what a host has accepted it keeps until another one
 * has it, and sends it on when its ring has to be given up before.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { publish } from "./cluster-talk.mjs";
import { Nats, agree, bridgeOf, host, skip } from "./nats.mjs";
import { Server } from "./server.mjs";
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

	test("is no more than --cluster-outbox says", async (t) => {
		const nats = await Nats.start(t, 1);
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-outbox-"));
		const file = join(dir, "conf");
		const text = "x".repeat(500);
		const say = (percent) =>
			writeFileSync(file, `cluster-outbox = ${percent}\n`);

		t.after(() => rmSync(dir, { recursive: true }));
		say(1);
		const one = await Server.start(t, ["--config", file,
			"--ring-size", "1M", "--max-message", "1K",
			"--cluster-wait", "60",
			...nats.options], { workers: ["--workers", "1"] });
		const other = await V1.open(one);
		const answers = [];
		/* Nothing more is read of a connection that waits. */
		const send = () => answers.push(fetch(`${one.url}/topics/t`,
		    { method: "POST", body: text }));
		let n = 0, now;

		one.deathsExpected = true;
		await one.logs("a log", /joined the log/u);
		const [bridge] = bridgeOf(one);

		process.kill(bridge, "SIGSTOP");
		do {
			send();
			n++;
			now = await waitFor("one more", async () => {
				const is = await cluster(one);

				return is.unconfirmed === n && is;
			});
		} while (now.outbox_bytes <= 1024 * 1024 / 100);
		assert.ok(n > 5);
		for (let i = 0; i < 20; i++)
			send();
		/* They have been read when so many others were answered. */
		for (let i = 0; i < 20; i++) {
			assert.equal((await other.subscribe(`o${i}`)).type, "ack");
			assert.equal((await cluster(one)).unconfirmed, n);
		}
		assert.equal((await one.cli("reload")).status, 0);
		say(51);
		const refused = await one.cli("reload");

		assert.equal(refused.status, 1);
		assert.match(refused.stderr,
		    /cluster-outbox 51.*must be a number from 1 to 50/u);
		assert.equal((await cluster(one)).unconfirmed, n);
		say(50);
		assert.match((await one.cli("reload")).stdout,
		    /changed: cluster-outbox$/mu);
		await waitFor("all of them in the outbox", async () =>
			(await cluster(one)).unconfirmed === n + 20);
		process.kill(bridge, "SIGCONT");
		for (const answer of await bounded("the answers",
		    Promise.all(answers), 60_000))
			assert.equal(answer.status, 200);
		await settled(one);
		other.socket.terminate();
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
