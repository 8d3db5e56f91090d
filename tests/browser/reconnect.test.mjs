// SPDX-License-Identifier: MIT
/*
 * reconnect.test.mjs - the server goes away, and the page goes on.
 *
 * Each test has a server of its own, because each ends one.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Server, Visitor, eventually, launchBrowser, skip } from "./support.mjs";

describe("reconnect", { skip, timeout: 180_000 }, () => {
	let browser;

	before(async () => {
		browser = await launchBrowser();
	});

	after(async () => {
		await browser?.close();
	});

	/* Two visitors in a room of a server of their own. */
	async function scene(t, ...options) {
		const server = await new Server(...options).start();
		const ada = await Visitor.arrive(browser, "Ada");
		const ben = await Visitor.arrive(browser, "Ben");

		t.after(async () => {
			await ada.leave();
			await ben.leave();
			await server.stop();
		});
		await ada.join(server, "room");
		await ben.join(server, "room");
		return { server, ada, ben };
	}

	async function talk(ada, ben) {
		await ada.say("are you there?");
		await ben.hears("are you there?");
		await ben.say("I am");
		await ada.hears("I am");
	}

	for (const signal of ["SIGTERM", "SIGKILL"]) {
		test(`after ${signal} and a new start both chat on`, async (t) => {
			const { server, ada, ben } = await scene(t);

			await server.stop(signal);
			await ada.disconnected();
			await ben.disconnected();
			await server.start();
			await ada.connected();
			await ben.connected();
			await talk(ada, ben);
		});
	}

	test("after a restart in place both chat on", async (t) => {
		const { server, ada, ben } = await scene(t);
		const [first] = (await server.status()).workers;

		await server.restart();
		await eventually("two subscribers on new workers", async () => {
			const { workers } = await server.status();

			return workers[0].pid !== first.pid &&
			    (await server.subscribedSlots()).length === 2;
		});
		await ada.connected();
		await ben.connected();
		await talk(ada, ben);
	});

	test("after the death of a worker both chat on", async (t) => {
		const { server, ada, ben } = await scene(t);
		const { workers } = await server.status();
		const victim = workers.find((w) => w.subscriptions > 0);

		process.kill(victim.pid, "SIGKILL");
		await eventually("a successor and two subscribers", async () => {
			const now = await server.status();
			const worker = now.workers.find((w) => w.slot === victim.slot);

			return worker.pid !== victim.pid &&
			    (await server.subscribedSlots()).length === 2;
		});
		await ada.connected();
		await ben.connected();
		await talk(ada, ben);
	});

	test("what was written meanwhile is said, in order", async (t) => {
		const { server, ada } = await scene(t);

		await server.stop();
		await ada.disconnected();
		for (const text of ["first", "second", "third"])
			await ada.say(text);
		assert.equal(await ada.page.locator(".outbox .pending").count(), 3);
		await ada.page.locator("#notice").waitFor();
		assert.deepEqual(await ada.texts(), []);
		await server.start();
		await ada.hears("third");
		assert.deepEqual(await ada.texts(), ["first", "second", "third"]);
		assert.equal(await ada.page.locator(".outbox .message").count(), 0);
	});

	/* Ada is elsewhere until Ben is back, so that he is there to hear it. */
	test("what was written outlives the page and is heard once", async (t) => {
		const { server, ada, ben } = await scene(t);

		await server.stop();
		await ada.disconnected();
		await ben.disconnected();
		await ada.say("first");
		await ada.say("second");
		await ada.page.goto("about:blank");
		await server.start();
		await ben.connected();
		await ada.join(server, "room");
		await ben.hears("second");
		assert.deepEqual(await ben.texts(), ["first", "second"]);
		await ada.hears("second");
		assert.deepEqual(await ada.texts(), ["first", "second"]);
	});

	test("the reader is told that something may be missing", async (t) => {
		const { server, ada, ben } = await scene(t);

		await talk(ada, ben);
		await server.stop();
		await ada.disconnected();
		await server.start();
		await ada.connected();
		await ada.page.locator(".heard .gap").waitFor();
		assert.match(await ada.page.textContent(".heard .gap"), /^Away for/u);
	});

	test("only the message that the server refuses stays behind", async (t) => {
		const { ada, ben } = await scene(t, "--max-message", "2048");

		await ada.say("x".repeat(3000));
		await ada.say("short");
		await ben.hears("short");
		const failed = ada.page.locator(".outbox .failed");

		await failed.waitFor();
		assert.match(await failed.textContent(), /too long for the server/u);
		await failed.locator("button", { hasText: "Discard" }).click();
		await failed.waitFor({ state: "detached" });
		await talk(ada, ben);
	});

	test("what no server would take is not even tried", async (t) => {
		const { ada, ben } = await scene(t);

		await ada.say("x".repeat(64 * 1024));
		assert.match(await ada.page.textContent("#text-problem"),
		    /bytes too long/u);
		assert.equal((await ada.page.inputValue("#text")).length, 64 * 1024);
		await talk(ada, ben);
	});

	/*
	 * A connection may die without a word: a laptop sleeps, a router forgets.
	 * The first connection here takes what it is given and answers nothing.
	 */
	test("a connection that answers nothing is replaced", async (t) => {
		const server = await new Server().start();
		const ada = await Visitor.arrive(browser, "Ada");
		let connections = 0;

		t.after(async () => {
			await ada.leave();
			await server.stop();
		});
		await ada.page.clock.install();
		await ada.page.routeWebSocket(/\/ws/u, (socket) => {
			if (connections++ > 0)
				socket.connectToServer();
		});
		await ada.join(server, "room");
		await ada.say("hello?");
		await ada.page.locator(".outbox .pending").waitFor();
		await ada.page.clock.fastForward(8_000);
		await ada.page.clock.fastForward(2_000);
		await ada.hears("hello?");
		assert.deepEqual(await ada.texts(), ["hello?"]);
		assert.equal(connections, 2);
	});

	test("waits grow, have a ceiling and differ", async (t) => {
		const { ada } = await scene(t);
		const waits = await ada.page.evaluate(async () => {
			const { backoffMs } = await import("/connection.js");
			const tries = [0, 1, 2, 3, 4, 5, 6, 7, 1000];

			return tries.map((n) => [0, 0.5, 1].map((r) => backoffMs(n, r)));
		});

		for (const [least, middle, most] of waits)
			assert.ok(least > 0 && least < middle && middle < most);
		assert.deepEqual(waits.map((wait) => wait[2]), [500, 1000, 2000,
			4000, 8000, 15000, 15000, 15000, 15000]);
	});
});
