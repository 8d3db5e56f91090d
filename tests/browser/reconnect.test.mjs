// SPDX-License-Identifier: MIT
/*
 * reconnect.test.mjs - the server goes away, and the page goes on.
 *
 * Each test has a server of its own, because each ends one.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import WebSocket from "ws";

import { connect } from "../../public/pubsub.js";
import { Server, Visitor, launchBrowser, skip, waitFor } from "./support.mjs";

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
		await waitFor("two subscribers on new workers", async () => {
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
		await waitFor("a successor and two subscribers", async () => {
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
		await ada.page.locator(".outbox .pending").nth(2).waitFor();
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

	test("a new server knows nothing: the reader is told", async (t) => {
		const { server, ada, ben } = await scene(t);

		await talk(ada, ben);
		await server.stop();
		await ada.disconnected();
		await server.start();
		await ada.connected();
		await ada.page.locator(".heard .gap").waitFor();
		assert.match(await ada.page.textContent(".heard .gap"),
		    /^The server was restarted/u);
		await talk(ben, ada);
	});

	/* Ada in a room, on a line that the test has in its hand. */
	async function onLine(t, ...options) {
		const server = await new Server(...options).start();
		const ada = await Visitor.arrive(browser, "Ada");
		const script = connect(`ws://127.0.0.1:${server.port}/ws`,
		    { WebSocket });

		t.after(async () => {
			await script.close();
			await ada.leave();
			await server.stop();
		});
		const line = await ada.line();

		await ada.join(server, "room");
		return { server, ada, script, line };
	}

	test("what was said while the line was cut is there", async (t) => {
		const { ada, script, line } = await onLine(t);

		await script.publish("room", "before");
		await ada.hears("before");
		await line.cut();
		await ada.disconnected();
		await script.publish("room", "meanwhile");
		await ada.say("written meanwhile");
		await script.publish("room", "too");
		line.mend();
		await ada.hears("written meanwhile");
		assert.deepEqual(await ada.texts(),
		    ["before", "meanwhile", "too", "written meanwhile"]);
		assert.equal(await ada.page.locator(".heard .gap").count(), 0);
	});

	test("what the server has forgotten is counted", async (t) => {
		const { ada, script, line } = await onLine(t, "--ring-size", "2M");
		let last;

		await script.publish("room", "before");
		await ada.hears("before");
		await line.cut();
		await ada.disconnected();
		for (let i = 0; i < 100; i++)
			last = script.publish("room",
			    `${i} ${".".repeat(40_000)}`);
		await last;
		line.mend();
		await ada.hears("99 ");
		const gap = await ada.page.textContent(".heard .gap");
		const texts = await ada.texts();

		assert.equal(gap, `${101 - texts.length} messages are missing here.`);
		assert.equal(texts[0], "before");
		assert.equal(Number(texts[1].split(" ")[0]), 101 - texts.length);
	});

	test("what is no more to be had is said above the first", async (t) => {
		const { server, ada, script } = await onLine(t,
		    "--ring-size", "2M");
		let last;

		for (let i = 0; i < 300; i++)
			last = script.publish("other", `${i} ${".".repeat(40_000)}`);
		await last;
		await ada.page.evaluate(() => sessionStorage.clear());
		await ada.page.goto("about:blank");
		await ada.join(server, "other");
		await ada.hears("299 ");
		await ada.page.locator(".log:not([hidden])").evaluate((log) => {
			log.scrollTop = 0;
		});
		await ada.page.getByText("The server has kept nothing earlier.")
		    .waitFor();
	});

	test("a message of one's own is there at once, then confirmed, then " +
	    "comes round", async (t) => {
		const { ada, line } = await onLine(t);
		const own = ada.page.locator(".outbox .message");

		line.passes = ({ type }) => type !== "ack" && type !== "message";
		await ada.say("unanswered");
		await ada.page.locator(".outbox .pending").waitFor();
		await line.cut();
		line.passes = (frame) => frame.type !== "message";
		line.mend();
		await ada.page.locator(".outbox .message:not(.pending)").waitFor();
		assert.equal(await own.count(), 1);
		await line.cut();
		line.passes = () => true;
		line.mend();
		await ada.hears("unanswered");
		assert.equal(await own.count(), 0);
		assert.deepEqual(await ada.texts(), ["unanswered"]);
	});

	const cutOff = ({ type, id }) => type === "publish" ?
		{ type: "error", id, code: "cluster_down", reason: "away" } : null;

	test("a server that is cut off from its cluster is one line", async (t) => {
		const { ada, line } = await onLine(t);
		const waiting = ada.page.locator(".outbox .pending .when",
		    { hasText: "waiting" });

		line.answers = cutOff;
		await ada.say("first");
		await ada.page.locator("#notice-text", { hasText:
			"This server is cut off from the others." }).waitFor();
		await ada.say("second");
		await waiting.nth(1).waitFor();
		assert.equal(await ada.page.locator(".outbox .failed").count(), 0);
		assert.equal(await ada.page.textContent("#announcer"), "Cut off");
		line.answers = () => null;
		await ada.page.click("#retry");
		await ada.hears("second");
		assert.deepEqual(await ada.texts(), ["first", "second"]);
		await ada.page.locator("#notice").waitFor({ state: "hidden" });
	});

	/* The second try is refused as well, and so is not the last. */
	test("what it would not take it is offered again", async (t) => {
		const server = await new Server().start();
		const ada = await Visitor.arrive(browser, "Ada");
		let tries = 0;

		t.after(async () => {
			await ada.leave();
			await server.stop();
		});
		await ada.page.clock.install();
		const line = await ada.line();

		await ada.join(server, "room");
		await ada.stopClock();
		line.answers = (frame) => frame.type === "publish" && ++tries < 3 ?
			cutOff(frame) : null;
		await ada.say("kept");
		await waitFor("three tries", async () => {
			await ada.page.clock.runFor(1000);
			return tries === 3;
		});
		await ada.page.clock.resume();
		await ada.hears("kept");
		await ada.page.locator("#notice").waitFor({ state: "hidden" });
	});

	test("only the message that the server refuses stays behind", async (t) => {
		const { server, ada, ben } = await scene(t);

		await server.stop();
		await ada.disconnected();
		await ada.say("x".repeat(5000));
		await ada.say("short");
		await server.start("--max-message", "2048");
		await ben.hears("short");
		const failed = ada.page.locator(".outbox .failed");

		await failed.waitFor();
		assert.match(await failed.textContent(), /too long for the server/u);
		await failed.locator("button", { hasText: "Discard" }).click();
		await failed.waitFor({ state: "detached" });
		await talk(ada, ben);
	});

	test("what the server would not take is not even tried", async (t) => {
		const { ada, ben } = await scene(t, "--max-message", "2048");

		await ada.say("x".repeat(2048));
		assert.match(await ada.page.textContent("#text-problem"),
		    /bytes too long/u);
		assert.equal((await ada.page.inputValue("#text")).length, 2048);
		await talk(ada, ben);
	});

	/* The client itself would wait up to 15 s, and longer each time. */
	test("who looks at the page never waits long for a try", async (t) => {
		const server = await new Server().start();
		const ada = await Visitor.arrive(browser, "Ada");

		t.after(async () => {
			await ada.leave();
			await server.stop();
		});
		await ada.page.addInitScript(() => {
			Math.random = () => 0.999;
		});
		await ada.page.clock.install();
		const line = await ada.line();

		await ada.join(server, "room");
		await ada.stopClock();
		await line.cut();
		/* Each step is a round trip to the page, in which what the line
		 * does reaches it: so many more than a wait of 4 s takes are
		 * enough for that, and too few for one of 15 s. */
		for (let tries = 1; tries <= 7; tries++)
			for (let ms = 0; line.connections <= tries; ms += 100) {
				assert.ok(ms < 8000, `try ${tries} is late`);
				await ada.page.clock.runFor(100);
			}
		await ada.page.clock.resume();
		await ada.page.locator("#retry").waitFor();
		line.mend();
		await ada.page.evaluate(() => dispatchEvent(new Event("focus")));
		await ada.connected();
	});

	/*
	 * A connection may die without a word: a laptop sleeps, a router forgets.
	 */
	test("a connection that answers nothing is replaced", async (t) => {
		const server = await new Server().start();
		const ada = await Visitor.arrive(browser, "Ada");

		t.after(async () => {
			await ada.leave();
			await server.stop();
		});
		await ada.page.clock.install();
		const line = await ada.line();

		await ada.join(server, "room");
		line.passes = () => false;
		await ada.say("hello?");
		await ada.page.locator(".outbox .pending").waitFor();
		line.passes = () => line.connections === 2;
		await ada.page.clock.fastForward(10_000);
		await ada.page.clock.fastForward(1_000);
		await ada.hears("hello?");
		assert.deepEqual(await ada.texts(), ["hello?"]);
		assert.equal(line.connections, 2);
	});
});
