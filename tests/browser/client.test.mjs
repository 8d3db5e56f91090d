// SPDX-License-Identifier: MIT
/*
 * client.test.mjs - public/pubsub.js in a browser, with its own WebSocket.
 *
 * What the client promises in general is tested in tests/e2e; here, that a page
 * can import it from the server, and that it keeps its promise there as well.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Server, Visitor, launchBrowser, skip, waitFor } from "./support.mjs";

describe("client in a browser", { skip, timeout: 120_000 }, () => {
	let server;
	let browser;
	let visitor;

	before(async () => {
		server = await new Server().start();
		browser = await launchBrowser();
		visitor = await Visitor.arrive(browser, "Page");
		await visitor.page.goto(server.url);
	});

	after(async () => {
		await browser?.close();
		await server?.stop();
	});

	test("everything that one can ask", async () => {
		const got = await visitor.page.evaluate(async () => {
			const { connect } = await import("/pubsub.js");
			const client = connect("ws#not-sent");
			const heard = [];
			const first = await client.publish("page", { n: 1 });
			const room = await client.subscribe("page", { history: 1,
				onMessage: ({ message }) => heard.push(message) });
			const second = await client.publish("page", "two");
			const count = await client.presence("page");
			const { messages } = await client.history("page");
			const refused = await client.publish("\n", 1)
			    .catch(({ code }) => code);

			while (heard.length < 2) /* the test's own limit ends it */
				await client.ping();
			await room.unsubscribe();
			await client.close();
			return { heard, count, refused, state: client.state,
				dense: second.seq - first.seq,
				past: messages.map((m) => m.message) };
		});

		assert.deepEqual(got, {
			heard: [{ n: 1 }, "two"], count: 1, refused: "bad_topic",
			state: "closed", dense: 1, past: [{ n: 1 }, "two"],
		});
	});

	test("each message once and in order, while workers are killed", async () => {
		const { page } = visitor;
		const heard = () => page.evaluate(() => window.heard.length);

		await page.evaluate(async () => {
			const { connect } = await import("/pubsub.js");
			const url = new URL("ws?buffer=10000", location.href);
			const [ear, mouth] = [connect(url), connect(url)];

			Object.assign(window, { heard: [], gaps: [], said: 0 });
			await ear.subscribe("numbers", {
				onMessage: ({ message }) => window.heard.push(message),
				onGap: (gap) => window.gaps.push(gap),
			});
			window.stop = async () => {
				window.stopped = true;
				await window.saying;
				await Promise.all([ear.close(), mouth.close()]);
			};
			window.saying = (async () => {
				while (!window.stopped)
					await mouth.publish("numbers",
					    ++window.said, { retry: true });
			})();
		});
		for (let i = 0; i < 4; i++) {
			const goal = await heard() + 100;

			await waitFor("progress",
			    async () => await heard() > goal);
			const { pid } = (await server.status()).workers[i];

			process.kill(pid, "SIGKILL");
			await waitFor("a successor", async () => {
				const worker = (await server.status()).workers[i];

				return worker.pid !== pid &&
				    worker.state === "ready";
			});
		}
		const goal = await heard() + 100;

		await waitFor("progress", async () => await heard() > goal);
		await page.evaluate(() => window.stop());
		const { numbers, gaps } = await page.evaluate(
		    () => ({ numbers: window.heard, gaps: window.gaps }));

		/* One whose ack was cut off is said again, so may be there twice. */
		const once = numbers.filter((n, i) => n !== numbers[i - 1]);

		assert.deepEqual(once, once.map((_, i) => i + 1));
		assert.ok(numbers.length - once.length <= 4);
		assert.deepEqual(gaps, []);
		assert.deepEqual(visitor.complaints, []);
	});
});
