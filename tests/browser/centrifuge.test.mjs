// SPDX-License-Identifier: MIT
/*
 * centrifuge.test.mjs - Centrifuge's own library in a browser, as its package
 * brings it for pages.  What it is told in full is in e2e/centrifuge.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Server, Visitor, launchBrowser, skip, waitFor } from "./support.mjs";

const LIBRARY = fileURLToPath(
    new URL("../node_modules/centrifuge/dist/centrifuge.js", import.meta.url));

describe("Centrifuge's library in a browser", { skip, timeout: 120_000 }, () => {
	let server;
	let browser;
	let page;

	/* Publish the numbers up to this one, and have the page see all so far. */
	async function publish(to) {
		const got = await page.evaluate(async (last) => {
			while (window.said < last)
				await window.room.publish({ n: ++window.said });
			return window.said;
		}, to);

		assert.equal(got, to);
		const heard = () => page.evaluate(() => window.heard);

		await waitFor("all messages", async () =>
			(await heard()).length >= to);
		assert.deepEqual(await heard(), Array.from({ length: to },
		    (_, i) => ({ n: i + 1, offset: i + 1 })));
	}

	const state = () => page.evaluate(() => (
		{ lost: window.lost, recovered: window.recovered }));

	before(async () => {
		server = await new Server("--compress", "0").start();
		browser = await launchBrowser();
		({ page } = await Visitor.arrive(browser, "Page"));
		/* The page itself takes no script that is not its own; but one that no
		 * server has sent may not connect to this host. */
		await page.goto(server.url);
		await page.evaluate(readFileSync(LIBRARY, "utf8"));
		await page.evaluate(async () => {
			const url = new URL("connection/websocket", location.href);

			url.protocol = "ws:";
			const client = new window.Centrifuge(url.href,
			    { minReconnectDelay: 1, maxReconnectDelay: 100 });

			Object.assign(window, { said: 0, heard: [], lost: 0,
				recovered: [], room: client.newSubscription("room") });
			client.on("connecting", ({ code }) => {
				window.lost += code !== 0;
			});
			window.room.on("publication", ({ data, offset }) =>
				window.heard.push({ n: data.n, offset }));
			window.room.on("subscribed", ({ wasRecovering, recovered }) =>
				wasRecovering && window.recovered.push(recovered));
			window.room.subscribe();
			client.connect();
			await window.room.ready();
		});
	});

	after(async () => {
		await browser?.close();
		await server?.stop();
	});

	test("publishes and hears", async () => {
		await publish(10);
	});

	test("stays over an upgrade", async () => {
		await server.upgrade();
		await publish(20);
		assert.deepEqual(await state(), { lost: 0, recovered: [] });
	});

	test("misses nothing when the workers are killed", async () => {
		await server.killWorkers();
		await page.waitForFunction(() => window.recovered.length === 1);
		await publish(30);
		assert.deepEqual(await state(), { lost: 1, recovered: [true] });
	});

	test("misses nothing over a restart", async () => {
		await server.restart();
		await page.waitForFunction(() => window.recovered.length === 2);
		await publish(40);
		assert.deepEqual(await state(),
		    { lost: 2, recovered: [true, true] });
	});
});
