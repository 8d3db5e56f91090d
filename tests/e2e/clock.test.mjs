// SPDX-License-Identifier: MIT
/*
 * clock.test.mjs - the wall clock is set, an hour forth and back: nobody is cut
 * off, no deadline comes sooner or later, and numbers stay as they are.  Only
 * what is told as a time of day differs.
 */

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { ROOT, Raw, Server, bounded } from "./support.mjs";
import { Authority, assertServes, pairOptions, shake } from "./tls.mjs";
import { V1 } from "./v1-client.mjs";

const WALL_CLOCK = process.env.WALL_CLOCK_SO ??
	join(ROOT, "build/testing/wall_clock.so");
const HOUR = 3600;

/* A server whose clock can be set, and a client of it that answers pings. */
async function scene(t, ...args) {
	const server = new Server(["--workers", "2", "--ping-interval", "0.3",
		...args]);
	const file = join(server.dir, "offset");
	const set = (seconds) => {
		const bytes = Buffer.alloc(8);

		bytes.writeBigInt64LE(BigInt(seconds));
		writeFileSync(file, bytes, { flag: "r+" });
	};

	t.after(() => server.end());
	writeFileSync(file, Buffer.alloc(8));
	server.options.env = { LD_PRELOAD: WALL_CLOCK, WALL_CLOCK: file };
	await server.run();
	return { server, set };
}

/* So many pings have come, so many deadlines have been kept. */
async function pings(client, n) {
	await bounded(`${n} pings`, new Promise((resolve) => {
		let left = n;

		client.socket.on("ping", () => {
			if (--left === 0)
				resolve();
		});
	}));
}

async function say(client, text) {
	const { seq } = await client.ask({ type: "publish", topic: "room",
		message: text });

	return seq;
}

describe("the wall clock is set", { concurrency: true }, () => {
	for (const [what, steps] of [["forth", [HOUR]], ["back", [-HOUR]],
		["forth and back, by years", [10 * 365 * 24 * HOUR, -HOUR, 0]]])
		test(`${what}: clients stay, numbers go on`, async (t) => {
			const { server, set } = await scene(t);
			const reader = await V1.open(server);
			const writer = await V1.open(server);

			await reader.ask({ type: "subscribe", topic: "room" });
			assert.equal(await say(writer, "0"), 1);
			assert.equal((await reader.next()).seq, 1);
			for (const [i, seconds] of steps.entries()) {
				set(seconds);
				await pings(reader, 2);
				assert.equal(await say(writer, `${i}`), i + 2);
				const { seq, time } = await reader.next();

				assert.equal(seq, i + 2);
				/* It was seen: messages have the time of day. */
				assert.ok(Math.abs(time - Date.now() -
				    seconds * 1000) < HOUR * 500, `${time}`);
			}
			assert.equal(await server.total("timeouts"), 0);
			const status = await server.status();

			assert.ok(status.workers.every(({ state }) =>
				state === "ready"));
			assert.equal(status.deaths, 0);
			await reader.close();
			await writer.close();
		});

	test("a client that is silent is missed no sooner and no later",
	    async (t) => {
		    const { server, set } = await scene(t, "--idle-timeout",
			"0.5");
		    const raw = await Raw.connect(server.port, { t });

		    set(-HOUR);
		    raw.request("GET", "/healthz");
		    assert.equal((await raw.response()).status, 200);
		    /* It has half a second, not an hour more. */
		    await raw.end();
	    });

	test("a restart, and a stop and start, go on with the ring", async (t) => {
		const { server, set } = await scene(t, "--keep-ring");
		const { epoch } = await server.status();

		for (const seconds of [HOUR, -HOUR]) {
			set(seconds);
			assert.equal((await server.cli("restart")).status, 0);
			assert.equal((await server.status()).epoch, epoch);
		}
		set(HOUR);
		await server.stop();
		await server.run();
		assert.equal((await server.status()).epoch, epoch);
		await server.stop();
		rmSync(server.shm);
	});

	test("connections over TLS stay", async (t) => {
		const authority = new Authority(t);
		const { server, set } = await scene(t, "--tls-listen",
		    "127.0.0.1:0", ...pairOptions(authority.issue()));
		const socket = await shake(t, server, authority);

		set(-HOUR / 2);
		await assertServes(socket);
		await assertServes(await shake(t, server, authority));
	});
});
