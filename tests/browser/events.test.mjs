// SPDX-License-Identifier: MIT
/*
 * events.test.mjs - a browser's own EventSource comes back, whatever becomes of
 * the server meanwhile.
 *
 * It is closed for good by any status but 200, also by one that says "later".
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";

import { Raw } from "../e2e/raw.mjs";
import { Server, launchBrowser, skip, waitFor } from "./support.mjs";

describe("an EventSource", { skip, timeout: 180_000 }, () => {
	const pages = new Server();
	let browser;

	before(async () => {
		browser = await launchBrowser();
		await pages.start();
	});

	after(async () => {
		await browser?.close();
		await pages.stop();
	});

	/* A server whose streams the pages of the other may follow. */
	async function start(t, ...options) {
		const server = await new Server("--allow-origin", pages.url,
		    ...options).start();

		t.after(() => server.stop());
		await waitFor("room", async () =>
			await server.total("connections") === 0);
		return server;
	}

	/* A page that follows the topic `news'. */
	async function follow(t, server) {
		const context = await browser.newContext();
		const page = await context.newPage();

		t.after(() => context.close());
		await page.goto(`${pages.url}style.css`);
		await page.evaluate((url) => {
			window.seen = [];
			window.source = new EventSource(url);
			window.ready = 0;
			window.errors = 0;
			source.addEventListener("ready", () => ready++);
			source.onmessage = ({ data }) => seen.push(data);
			source.onerror = () => errors++;
		}, `${server.url}topics/news/events`);
		return page;
	}

	/* Wait until the page has had so many of these; it has not given up. */
	const until = (page, what, count) => waitFor(what, async () => {
		const [state, n] = await page.evaluate(
		    `[source.readyState, ${what}]`);

		assert.notEqual(state, 2, "closed for good");
		return n >= count;
	});

	async function publish(server, body) {
		const { status } = await fetch(`${server.url}topics/news`,
		    { method: "POST", body, headers: { Connection: "close" } });

		assert.equal(status, 200);
	}

	test("that met a full server follows when there is room", async (t) => {
		const server = await start(t, "--workers", "1", "--max-conns", "1");
		const holder = await Raw.open(server.port, "/ws", { t });
		const page = await follow(t, server);

		await until(page, "errors", 2);
		assert.equal(await page.evaluate("ready"), 0);
		holder.destroy();
		await until(page, "ready", 1);
		assert.equal(await server.total("event_streams"), 1);
	});

	test("goes on behind a restart that somebody asleep holds up",
	    async (t) => {
		    const server = await start(t, "--workers", "1",
			"--drain", "10");
		    const holder = await Raw.open(server.port, "/ws", { t });
		    const page = await follow(t, server);

		    await until(page, "ready", 1);
		    await publish(server, "before");
		    await until(page, "seen.length", 1);
		    const restarted = server.restart();

		    /* It is told to close, and does not. */
		    await once(holder.socket, "end");
		    await until(page, "errors", 1);
		    holder.destroy();
		    await restarted;
		    await publish(server, "behind");
		    await until(page, "seen.length", 2);
		    assert.deepEqual(await page.evaluate("seen"),
			["before", "behind"]);
	    });
});
