// SPDX-License-Identifier: MIT
/*
 * base-path.test.mjs - the chat and the client below --base-path, in a browser:
 * whatever a page loads or connects to has the prefix.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Server, Visitor, launchBrowser, skip } from "./support.mjs";

describe("below a prefix", { skip, timeout: 120_000 }, () => {
	const server = new Server("--base-path", "/a/app");
	let there, browser;

	before(async () => {
		await server.start();
		there = { url: `${server.url}a/app/` };
		browser = await launchBrowser();
	});

	after(async () => {
		await browser?.close();
		await server.stop();
	});

	/* The paths of all that a page asks this server for. */
	function watch(page) {
		const paths = [];
		const note = (url) => {
			if (new URL(url).port === String(server.port))
				paths.push(new URL(url).pathname);
		};

		page.on("request", (request) => note(request.url()));
		page.on("websocket", (socket) => note(socket.url()));
		return paths;
	}

	test("two visitors talk, before and after a restart", async () => {
		const ada = await Visitor.arrive(browser, "Ada");
		const ben = await Visitor.arrive(browser, "Ben");
		const paths = watch(ada.page);

		try {
			await ada.join(there, "room");
			await ben.join(there, "room");
			await ada.say("below it");
			await ben.hears("below it");
			await server.restart();
			await ben.say("and again");
			await ada.hears("and again");
			assert.ok(paths.includes("/a/app/ws"));
			assert.deepEqual(
			    paths.filter((path) => !path.startsWith("/a/app/")), []);
			assert.deepEqual([...ada.complaints, ...ben.complaints], []);
		} finally {
			await ada.leave();
			await ben.leave();
		}
	});

	test("who leaves the slash out gets there", async () => {
		const ada = await Visitor.arrive(browser, "Ada");

		try {
			await ada.page.goto(there.url.slice(0, -1));
			assert.equal(ada.page.url(), there.url);
			await ada.join(there, "other");
		} finally {
			await ada.leave();
		}
	});

	test("an EventSource of a page has its messages", async () => {
		const ada = await Visitor.arrive(browser, "Ada");

		try {
			await ada.page.goto(there.url);
			assert.equal(await ada.page.evaluate(async () => {
				const events = new EventSource("topics/stream/events");

				await new Promise((resolve) => {
					events.addEventListener("ready", resolve);
				});
				const message = new Promise((resolve) => {
					events.onmessage = ({ data }) => resolve(data);
				});

				await fetch("topics/stream",
				    { method: "POST", body: "streamed" });
				return message.finally(() => events.close());
			}), "streamed");
		} finally {
			await ada.leave();
		}
	});
});
