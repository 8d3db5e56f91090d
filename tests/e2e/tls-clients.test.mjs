// SPDX-License-Identifier: MIT
/*
 * tls-clients.test.mjs - this project's own clients over TLS: pub, sub and
 * topics of the command line, and pubsub.js.
 */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";

import WebSocket from "ws";

import { connect } from "../../public/pubsub.js";
import { Command } from "./command.mjs";
import { PUBSUBD, run, waitFor } from "./support.mjs";
import { Authority, startTls } from "./tls.mjs";

async function scene(t, pairs) {
	const authority = new Authority(t);
	const server = await startTls(t, authority, [],
	    pairs?.(authority) ?? [authority.issue()]);
	const trusting = (url) => ["--url", url, "--ca-file", authority.file];

	return { authority, server, trusting,
		https: `https://localhost:${server.tlsPort}`,
		wss: `wss://127.0.0.1:${server.tlsPort}/ws` };
}

describe("the command line", { concurrency: true }, () => {
	test("publishes, subscribes and lists", async (t) => {
		const { server, https, wss, trusting } = await scene(t);
		const sub = new Command(t, ["sub", "news", ...trusting(wss)]);

		await waitFor("subscription", async () =>
			await server.total("subscriptions") === 1);
		const pub = await run(PUBSUBD,
		    ["pub", "news", "hello", ...trusting(https)]);

		assert.equal(pub.status, 0, pub.stderr);
		assert.deepEqual(await sub.printed(1), ["hello"]);
		const topics = await run(PUBSUBD, ["topics", ...trusting(https)]);

		assert.equal(topics.status, 0, topics.stderr);
		assert.match(topics.stdout, /news/u);
		sub.signal("SIGINT");
		await sub.ended();
	});

	test("many long messages, both ways", async (t) => {
		const { server, https, trusting } = await scene(t);
		const sub = new Command(t,
		    ["sub", "-C", "1000", "long", ...trusting(https)]);
		const lines = Array.from({ length: 1000 },
		    (_, i) => `${i} ${"x".repeat(i * 50)}`);

		await waitFor("subscription", async () =>
			await server.total("subscriptions") === 1);
		const pub = new Command(t, ["pub", "long", ...trusting(https)]);

		pub.child.stdin.end(`${lines.join("\n")}\n`);
		assert.equal(await pub.ended(), 0, pub.stderr);
		assert.equal(await sub.ended(), 0, sub.stderr);
		assert.deepEqual(sub.lines, lines);
	});

	test("sub goes on after a restart", async (t) => {
		const { server, https, trusting } = await scene(t);
		const sub = new Command(t,
		    ["sub", "-C", "2", "news", ...trusting(https)]);

		await waitFor("subscription", async () =>
			await server.total("subscriptions") === 1);
		await run(PUBSUBD, ["pub", "news", "1", ...trusting(https)]);
		await sub.printed(1);
		assert.equal((await server.cli("restart")).status, 0);
		const pub = await run(PUBSUBD,
		    ["pub", "news", "2", ...trusting(https)]);

		assert.equal(pub.status, 0, pub.stderr);
		assert.equal(await sub.ended(), 0, sub.stderr);
		assert.deepEqual(sub.lines, ["1", "2"]);
	});

	const commands = [["pub", "news", "x"], ["sub", "news"], ["topics"]];

	for (const words of commands) {
		test(`${words[0]}: a certificate that nobody vouches for`, async (t) => {
			const { https } = await scene(t);
			const done = await run(PUBSUBD, [...words, "--url", https]);

			assert.equal(done.status, 1);
			assert.match(done.stderr, /certificate is not trusted/u);
		});

		test(`${words[0]}: a certificate for another name`, async (t) => {
			const { trusting, https } = await scene(t,
			    (authority) => [authority.issue(["other.test"])]);
			const done = await run(PUBSUBD, [...words, ...trusting(https)]);

			assert.equal(done.status, 1);
			assert.match(done.stderr, /not trusted: hostname mismatch/iu);
		});

		test(`${words[0]}: a port without TLS`, async (t) => {
			const { server, trusting } = await scene(t);
			const done = await run(PUBSUBD, [...words,
				...trusting(`https://127.0.0.1:${server.port}`)]);

			assert.equal(done.status, 1);
			assert.match(done.stderr, /does not speak TLS$/mu);
		});

		test(`${words[0]}: a bad --ca-file`, async (t) => {
			const { authority, https } = await scene(t);

			writeFileSync(authority.path("bad"), "no certificate");
			for (const [name, why] of [["bad", /holds no certificates/u],
				["none", /No such file/u]]) {
				const done = await run(PUBSUBD, [...words, "--url",
					https, "--ca-file", authority.path(name)]);

				assert.equal(done.status, 1);
				assert.match(done.stderr, why);
			}
		});
	}
});

test("pubsub.js: connects to wss, and goes on after a restart", async (t) => {
	const { authority, server, https } = await scene(t);

	class Trusting extends WebSocket {
		constructor(url, protocols) {
			super(url, protocols,
			    { ca: authority.pem, family: 4 });
		}
	}
	const client = connect(`${https.replace("http", "ws")}/ws`,
	    { WebSocket: Trusting });
	const got = [];

	t.after(() => client.close());
	await client.subscribe("x",
	    { onMessage: ({ message }) => got.push(message) });
	await client.publish("x", 1);
	assert.equal((await server.cli("restart")).status, 0);
	await client.publish("x", 2);
	await waitFor("both", () => got.length === 2);
	assert.deepEqual(got, [1, 2]);
});
