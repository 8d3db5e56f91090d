// SPDX-License-Identifier: MIT
/*
 * listen.test.mjs - the ways to write where a server listens, and who reaches it
 * then.
 */

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, test } from "node:test";

import { Raw, Server, hasIPv6 } from "./support.mjs";

const outside = Object.values(networkInterfaces()).flat()
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;
const V4 = ["127.0.0.1"], V6 = ["::1"], OUT = outside ? [outside] : [];

async function isServed(t, host, port) {
	try {
		const raw = await Raw.connect(port, { t, host });

		raw.request("GET", "/healthz", { Connection: "close" });
		assert.equal((await raw.response()).status, 200);
		await raw.end();
		return true;
	} catch (error) {
		assert.equal(error.code, "ECONNREFUSED", error.message);
		return false;
	}
}

describe("--listen", {
	concurrency: true,
	skip: hasIPv6 ? false : "this machine has no IPv6",
}, () => {
	for (const [listen, served] of [
		[["0"], [...V4, ...V6]],
		[[":0"], [...V4, ...V6]],
		[["localhost:0"], [...V4, ...V6]],
		[["LocalHost:0"], [...V4, ...V6]],
		[["127.0.0.1:0"], V4],
		[["[::1]:0"], V6],
		[["0.0.0.0:0"], [...V4, ...OUT]],
		[["[::]:0"], [...V4, ...V6, ...OUT]],
		[["*:0"], [...V4, ...V6, ...OUT]],
		/* IPv4 is told for itself. */
		[["[::]:0", "127.0.0.1:0"], [...V4, ...V6]],
		[["0.0.0.0:0", "[::]:0"], [...V4, ...V6, ...OUT]],
	])
		test(listen.join(" and "), async (t) => {
			const server = await Server.start(t, ["--workers", "2"],
			    { listen });

			for (const host of [...V4, ...V6, ...OUT])
				assert.equal(await isServed(t, host, server.port),
				    served.includes(host), host);
		});

	test("[::] is for IPv4 after a restart, too", async (t) => {
		const server = new Server([], { listen: ["[::]:0"] });

		t.after(() => server.end());
		assert.equal((await server.start()).status, 0);
		assert.equal((await server.cli("restart")).status, 0);
		for (let i = 0; i < 20; i++)
			assert.equal(await isServed(t, "127.0.0.1", server.port),
			    true);
		assert.equal((await server.cli("stop")).status, 0);
	});
});
