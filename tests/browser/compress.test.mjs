// SPDX-License-Identifier: MIT
/*
 * compress.test.mjs - permessage-deflate with a browser, which offers it by
 * itself: what it sends and what it is sent, compressed and not.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Server, Visitor, launchBrowser, skip } from "./support.mjs";

describe("a browser and --compress", { skip, timeout: 120_000 }, () => {
	let server;
	let browser;
	let visitor;

	before(async () => {
		server = await new Server("--compress", "0").start();
		browser = await launchBrowser();
		visitor = await Visitor.arrive(browser, "Page");
		await visitor.page.goto(server.url);
	});

	after(async () => {
		await browser?.close();
		await server?.stop();
	});

	test("each message comes back as it was", async () => {
		const got = await visitor.page.evaluate(async () => {
			const url = new URL("ws?topic=room", location.href);
			const socket = new WebSocket(url);
			const heard = [];
			const said = ["", "x", "Grüße ".repeat(20),
				"κόσμε, and so on. ".repeat(2000)];

			for (let length = 1; length < 40_000; length *= 3)
				said.push("abc".repeat(length / 3));
			await new Promise((resolve) => {
				socket.onopen = resolve;
			});
			for (const message of said)
				socket.send(JSON.stringify({ topic: "room", message }));
			await new Promise((resolve) => {
				socket.onclose = resolve;
				socket.onmessage = ({ data }) => {
					heard.push(data);
					if (heard.length === said.length)
						socket.close(1000);
				};
			});
			return { heard, said, extensions: socket.extensions };
		});

		assert.match(got.extensions, /^permessage-deflate/u);
		assert.deepEqual(got.heard, got.said);
		assert.equal(await server.total("inflated"), got.said.length);
		assert.ok(await server.total("deflated") > 5);
	});

	test("pubsub.js as well, in pubsubd.v1", async () => {
		const before = await server.total("deflated");
		const got = await visitor.page.evaluate(async () => {
			const { connect } = await import("/pubsub.js");
			const client = connect("ws");
			const heard = [];

			await client.subscribe("page", {
				onMessage: ({ message }) => heard.push(message) });
			for (let n = 0; n < 20; n++)
				await client.publish("page",
				    { n, text: "again and ".repeat(n * 10) });
			while (heard.length < 20) /* the test's own limit ends it */
				await client.ping();
			await client.close();
			return heard.map(({ n, text }) => [n, text.length]);
		});

		assert.deepEqual(got, Array.from({ length: 20 },
		    (_, n) => [n, n * 100]));
		assert.ok(await server.total("deflated") > before);
	});
});
