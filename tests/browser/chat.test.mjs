// SPDX-License-Identifier: MIT
/*
 * chat.test.mjs - people talk in rooms.
 *
 * What the server is for: two pages that different workers serve are in one
 * room.  And what a visitor may take for granted: a room can be opened and
 * shared, text stays text, and several rooms do not get mixed up.
 */

import assert from "node:assert/strict";
import { on } from "node:events";
import { after, before, describe, test } from "node:test";

import { Server, Visitor, launchBrowser, skip, waitFor } from "./support.mjs";

const TRIES = 30; /* 1 of 4 workers is the wrong one: 4^-30 to fail by chance */

/* Reload until the room's two subscribers are on two workers. */
async function spread(server, visitor) {
	for (let i = 0; i < TRIES; i++) {
		const slots = await waitFor("two subscribers", async () => {
			const found = await server.subscribedSlots();

			return found.length === 2 && found;
		});

		if (slots[0] !== slots[1])
			return;
		await visitor.page.reload();
		await visitor.connected();
	}
	assert.fail(`never on another worker in ${TRIES} tries`);
}

describe("chat", { skip, timeout: 120_000 }, () => {
	let server;
	let browser;
	let ada;
	let ben;

	before(async () => {
		server = await new Server().start();
		browser = await launchBrowser();
		ada = await Visitor.arrive(browser, "Ada");
		ben = await Visitor.arrive(browser, "Ben");
	});

	after(async () => {
		await browser?.close();
		await server?.stop();
	});

	test("pages on different workers talk in one room", async () => {
		await ada.join(server, "across");
		await ben.join(server, "across");
		await spread(server, ben);

		await ada.say("hello from one worker");
		await ben.hears("hello from one worker");
		await ben.say("hello from another");
		await ada.hears("hello from another");

		const spoken = ada.heard("hello from another");

		assert.equal(await spoken.locator(".from").textContent(), "Ben");
		assert.match(await spoken.locator("time").getAttribute("datetime"),
		    /^\d{4}-\d\d-\d\dT/u);
		assert.deepEqual((await ada.texts()).slice(-2),
		    ["hello from one worker", "hello from another"]);
		assert.deepEqual((await ben.texts()).slice(-2),
		    ["hello from one worker", "hello from another"]);
	});

	test("one's own message appears once, marked as one's own", async () => {
		await ada.join(server, "own");
		await ada.say("only once");
		await ada.hears("only once");
		assert.equal(await ada.heard("only once").count(), 1);
		assert.equal(await ada.heard("only once").locator(".tag")
		    .textContent(), "you");
		assert.equal(await ada.page.locator(".outbox .message").count(), 0);
	});

	test("who says much is named again, and when, on being asked", async () => {
		await ada.join(server, "monologue");
		for (let i = 1; i <= 20; i++)
			await ada.say(`verse ${i}.`);
		await ada.hears("verse 20.");
		const verses = ada.page.locator(".log:not([hidden]) .message");

		assert.deepEqual(await verses.evaluateAll((all) => all.flatMap(
		    (verse, i) => verse.querySelector(".from") ? [i] : [])),
		[0, 8, 16]);
		const time = ada.heard("verse 10.").locator("time");

		await ada.heard("verse 10.").hover();
		assert.ok(await time.isVisible());
		assert.match(await time.getAttribute("title"), /\d:\d\d:\d\d/u);
	});

	test("markup in a message, a name and a room is text", async () => {
		const evil = "<img src=x onerror=\"document.title='owned'\">";
		const eve = await Visitor.arrive(browser, "<b>Eve</b>");

		await eve.join(server, "<i>room</i>");
		await ada.join(server, "<i>room</i>");
		await eve.say(`${evil}<script>document.title='owned'</script>`);
		await ada.hears(evil);
		assert.equal(await ada.page.locator("#logs img, #logs script, b, i")
		    .count(), 0);
		assert.equal(await ada.heard(evil).locator(".from").textContent(),
		    "<b>Eve</b>");
		assert.equal(await ada.page.textContent("#room-title"),
		    "<i>room</i>");
		assert.doesNotMatch(await ada.page.title(), /owned/u);
		await eve.leave();
	});

	test("another program's plain text is shown as it came", async () => {
		await ada.join(server, "plain");
		const script = await server.client("plain");

		for (const message of ["just words", "{\"temp\":20}", "[1,2]", ""])
			script.send(JSON.stringify({ topic: "plain", message }));
		await ada.hears("(nothing)");
		assert.deepEqual(await ada.texts(),
		    ["just words", "{\"temp\":20}", "[1,2]", "(nothing)"]);
		assert.equal(await ada.heard("just words").locator(".from")
		    .textContent(), "(no name)");
		script.terminate();
	});

	test("what nests as deep as the server allows is shown, too", async () => {
		const deep = `${"[".repeat(61)}${"]".repeat(61)}`;

		const body = await fetch(`${server.url}topics/deep`, { method: "POST",
			headers: { "Content-Type": "application/json" }, body: deep });

		assert.equal(body.status, 200);
		await ada.join(server, "deep");
		await ada.hears(deep);
	});

	test("an envelope without sense is plain text or made harmless", async () => {
		await ada.join(server, "odd");
		const script = await server.client("odd");
		const send = (value) => script.send(JSON.stringify(
		    { topic: "odd", message: JSON.stringify(value) }));

		send({ id: "", from: "A", text: "no id" });
		send({ id: "1", from: 7, text: "no name" });
		send({ id: "2", from: " \n\t ", at: 1e300, text: "no time" });
		await ada.hears("no time");
		assert.equal(await ada.heard("no id").locator(".text")
		    .textContent(), "{\"id\":\"\",\"from\":\"A\",\"text\":\"no id\"}");
		assert.match(await ada.heard("no time").textContent(),
		    /\(no name\)/u);
		script.terminate();
	});

	test("a second copy of a message is shown once", async () => {
		await ada.join(server, "twice");
		const script = await server.client("twice");

		for (const [id, text] of [["a", "first"], ["a", "first"], ["b", "last"]])
			script.send(JSON.stringify({ topic: "twice",
				message: JSON.stringify({ id, from: "S", text }) }));
		await ada.hears("last");
		assert.deepEqual(await ada.texts(), ["first", "last"]);
		script.terminate();
	});

	test("joining says nothing to those who are there", async () => {
		const script = await server.client("hush");
		const heard = [];

		script.on("message", (data) => heard.push(data.toString()));
		await ada.join(server, "hush");
		script.send(JSON.stringify({ topic: "hush", message: "barrier" }));
		await ada.hears("barrier");
		await waitFor("the barrier", () => heard.length > 0);
		assert.deepEqual(heard, ["barrier"]);
		script.terminate();
	});

	test("several rooms are open at once and count what is unread", async () => {
		const { page } = ada;
		const link = (room) => page.locator("#rooms a")
		    .filter({ hasText: room });

		await ada.join(server, "kitchen");
		await ada.join(server, "garden");
		await ben.join(server, "kitchen");
		await ben.say("soup is ready");
		await link("kitchen").locator(".badge:not([hidden])").waitFor();
		assert.match(await link("kitchen").locator(".badge").textContent(),
		    /^1\b/u);
		await page.waitForFunction(() => document.title.startsWith("(1) "));
		assert.deepEqual(await ada.texts(), []);

		await link("kitchen").click();
		await ada.hears("soup is ready");
		await link("kitchen").locator(".badge").waitFor({ state: "hidden" });
		await page.keyboard.press("Alt+ArrowDown");
		await page.locator("#room-title", { hasText: "garden" }).waitFor();
		assert.deepEqual(await ada.texts(), []);
	});

	test("a room is left when one means it, and heard no more", async () => {
		const { page } = ada;
		const brief = page.locator("#rooms a", { hasText: "brief" });

		await ada.join(server, "longer");
		await ada.join(server, "brief");
		await page.click("#leave");
		await page.keyboard.press("Escape");
		await page.locator("#leaving").waitFor({ state: "hidden" });
		await page.click("#leave");
		await page.click("#leaving button[value=stay]");
		assert.equal(await page.textContent("#room-title"), "brief");
		await page.click("#leave");
		await page.click("#leaving button[value=leave]");
		await brief.waitFor({ state: "detached" });
		await page.reload();
		await ada.connected();
		assert.equal(await brief.count(), 0);
	});

	test("two tabs share the list of rooms and the name", async () => {
		const tia = await Visitor.arrive(browser, "Tia");
		const tab = await tia.anotherTab();
		const listed = (visitor) => visitor.page.locator("#rooms a .label")
		    .allTextContents().then((names) => names.sort().join());
		const lists = async (visitor, names) => waitFor(names,
		    async () => await listed(visitor) === names);

		await tia.page.goto(server.url);
		await tab.page.goto(server.url);
		await tab.page.locator("#naming").waitFor();
		await tia.join(server, "first");
		await tab.page.locator("#naming").waitFor({ state: "hidden" });
		await lists(tab, "first");
		await tab.join(server, "second");
		await lists(tia, "first,second");
		await tia.join(server, "third");
		await lists(tab, "first,second,third");

		/* One leaves a room that the other one looks at, and two more. */
		await tab.join(server, "first");
		for (const room of ["third", "second", "first"]) {
			await tia.join(server, room);
			await tia.page.click("#leave");
			await tia.page.click("#leaving button[value=leave]");
		}
		await lists(tia, "");
		await lists(tab, "first");
		await tab.page.click(".brand");
		await tab.page.reload();
		await tab.page.locator("#create").waitFor();
		assert.equal(await listed(tab), "");

		await tia.page.goto(`${server.url}#you`);
		await tia.page.fill("#new-name", "Tea");
		await tia.page.press("#new-name", "Enter");
		await tab.page.locator("#me", { hasText: "Tea" }).waitFor();
		assert.deepEqual([...tia.complaints, ...tab.complaints], []);
		await tia.leave();
	});

	test("a reload keeps the name, the rooms and what was said", async () => {
		await ada.join(server, "lasting");
		await ada.say("still here");
		await ada.hears("still here");
		await ada.page.reload();
		await ada.connected();
		await ada.hears("still here");
		assert.match(await ada.page.textContent("#me"), /Ada/u);
		const hueOf = async (part) =>
			/hue-\d+/u.exec(await part.getAttribute("class"))[0];

		assert.equal(await hueOf(ada.heard("still here")),
		    await hueOf(ada.page.locator("#me .glyph")));
		assert.equal(await ada.page.locator("#rooms a",
		    { hasText: "kitchen" }).count(), 1);
	});

	test("who joins finds what was said last, and it is not news", async () => {
		const cy = await Visitor.arrive(browser, "Cy");
		const { page } = cy;

		await ada.join(server, "old");
		for (let i = 0; i < 60; i++)
			await ada.say(`number ${i}.`);
		await ada.hears("number 59.");
		await cy.join(server, "old");
		await cy.hears("number 59.");
		assert.deepEqual(await cy.texts(),
		    Array.from({ length: 50 }, (_, i) => `number ${i + 10}.`));
		await page.evaluate(() => sessionStorage.clear());
		await page.goto("about:blank");
		await page.goto(server.url);
		await page.locator("#rooms a:not(.away)", { hasText: "old" })
		    .waitFor();
		await ada.say("news");
		await page.locator("#rooms .badge:not([hidden])").waitFor();
		assert.match(await page.textContent("#rooms .badge"), /^1\b/u);
		await cy.leave();
	});

	test("who reads above is told how much is new below", async () => {
		const latest = ada.page.locator("#latest:not([hidden])");

		await ada.join(server, "scroll");
		await ben.join(server, "scroll");
		await ada.say(`tall${"\n.".repeat(60)}`);
		await ben.hears("tall");
		await ada.hears("tall");
		await ada.page.press("#text", "PageUp");
		await latest.waitFor();
		assert.match(await latest.textContent(), /^Latest/u);
		await ben.say("one");
		await latest.filter({ hasText: /^1 new message / }).waitFor();
		await ben.say("two");
		await latest.filter({ hasText: /^2 new messages / }).waitFor();
		await latest.click();
		await latest.waitFor({ state: "detached" });
		await ada.page.press("#text", "PageUp");
		await latest.filter({ hasText: /^Latest/u }).waitFor();
	});

	test("one sees who is here, and who is writing", async () => {
		const typing = ada.page.locator("#typing");
		const cy = await Visitor.arrive(browser, "Cy");

		await ada.join(server, "company");
		await cy.join(server, "company");
		await ada.page.locator("#here", { hasText: /Ada, Cy/u }).waitFor();
		await cy.page.locator("#text").pressSequentially("hello");
		await typing.filter({ hasText: "Cy is writing" }).waitFor();
		await cy.page.press("#text", "Enter");
		await typing.filter({ hasNotText: "writing" }).waitFor();
		assert.equal(await cy.page.textContent("#typing"), "");
		await cy.leave();
		await ada.page.locator("#here", { hasNotText: "Cy" }).waitFor();
	});

	/* Nobody tells a page how many connections there are; it has to ask. */
	test("connections are counted, soon after one came or spoke", async () => {
		const cy = await Visitor.arrive(browser, "Cy");
		const count = cy.page.locator("#people");
		const shows = (text) => count.filter({ hasText: text }).waitFor();

		await cy.page.clock.install();
		await cy.join(server, "census");
		await shows("only you");
		await ada.join(server, "census");
		await shows("2 connected");

		await cy.stopClock();
		await ben.join(server, "census");
		await ben.say("me, too");
		for (let ms = 0; await count.textContent() !== "3 connected";
			ms += 100) {
			assert.ok(ms < 5000, "it waited for the next count");
			await cy.page.clock.runFor(100);
		}
		await cy.leave();
	});

	test("a clock that is set back does not stop the count", async () => {
		const cy = await Visitor.arrive(browser, "Cy");

		await cy.join(server, "clock");
		await cy.page.locator("#people", { hasText: "only you" }).waitFor();
		await cy.page.evaluate(() => {
			const { now } = Date;

			Date.now = () => now() - 3600 * 1000;
		});
		await ada.join(server, "clock");
		await ada.say("me, too");
		await cy.page.locator("#people", { hasText: "2 connected" })
		    .waitFor();
		await cy.leave();
	});

	test("a count of before the connection was lost is not shown", async () => {
		const cy = await Visitor.arrive(browser, "Cy");
		const line = await cy.line();

		await cy.join(server, "recount");
		await cy.page.locator("#people", { hasText: "only you" }).waitFor();
		await ada.join(server, "recount");
		await line.cut();
		await cy.disconnected();
		assert.equal(await cy.page.textContent("#people"), "");
		const shown = await cy.page.evaluateHandle(() => {
			const people = document.getElementById("people");
			const texts = [];

			new MutationObserver(() => {
				if (people.textContent !== texts.at(-1))
					texts.push(people.textContent);
			}).observe(people, { childList: true });
			return texts;
		});

		line.mend();
		await cy.page.locator("#people", { hasText: "2 connected" })
		    .waitFor();
		assert.deepEqual((await shown.jsonValue()).filter(
		    (text) => text !== ""), ["connected", "2 connected"]);
		await cy.leave();
	});

	/* Publish n messages "number 0." ... of one speaker each, oldest first. */
	async function fill(room, n) {
		const script = await server.client(room);
		const speakers = ["Mira", "Jonas", "Ines"];

		for (let i = 0; i < n; i++)
			script.send(JSON.stringify({ topic: room,
				message: JSON.stringify({ id: `${room}-${i}`,
					from: speakers[Math.trunc(i / 3) % 3],
					text: `number ${i}.` }) }));
		await waitFor("the last one", async () => {
			const topic = await fetch(`${server.url}topics/${room}`);

			return topic.ok && (await topic.json()).seq === n;
		});
		script.terminate();
	}

	const numbers = (from, to) => Array.from({ length: to - from },
	    (_, i) => `number ${from + i}.`);

	test("scrolling up brings what was said before, and nothing moves",
	    async () => {
		    const cy = await Visitor.arrive(browser, "Cy");
		    const { page } = cy;
		    const log = page.locator(".log:not([hidden])");
		    const all = () => log.locator(".text").allTextContents();
		    const seen = log.locator(".message", { hasText: "number 75." });
		    const y = () => seen.evaluate(
			(node) => node.getBoundingClientRect().y);

		    await fill("depth", 120);
		    await cy.join(server, "depth");
		    await cy.hears("number 119.");
		    assert.deepEqual(await all(), numbers(70, 120));
		    assert.ok(await page.locator(".start button").isVisible());

		    await seen.evaluate((node) => node.scrollIntoView());
		    await log.locator(".message", { hasText: "number 20." })
			.waitFor({ state: "attached" });
		    const before = await y();

		    assert.ok(before > 0 && before < 200, `${before}`);
		    assert.deepEqual(await all(), numbers(20, 120));
		    await log.evaluate((node) => {
			    node.scrollTop = 0;
		    });
		    await log.getByText("This is where the room begins.").waitFor();
		    assert.deepEqual(await all(), numbers(0, 120));
		    assert.equal(await log.locator(".rule").count(), 1);

		    /* What comes now is below, and what was asked for stays. */
		    await ada.join(server, "depth");
		    await ada.say("and now?");
		    await page.locator("#latest", { hasText: "1 new message" })
			.click();
		    await cy.hears("and now?");
		    assert.equal((await all()).length, 121);
		    assert.deepEqual(cy.complaints, []);
		    await cy.leave();
	    });

	test("a page takes a button's word for earlier messages, too", async () => {
		const cy = await Visitor.arrive(browser, "Cy",
		    { viewport: { width: 1000, height: 4000 } });
		const { page } = cy;

		await fill("tall", 60);
		await cy.join(server, "tall");
		await cy.hears("number 59.");
		await page.getByRole("button", { name: "Earlier messages" }).click();
		await page.getByText("This is where the room begins.").waitFor();
		assert.deepEqual(await page.locator(".log:not([hidden]) .text")
		    .allTextContents(), numbers(0, 60));
		await cy.leave();
	});

	test("no two of a dozen have the same colour", async () => {
		const script = await server.client("colours");
		const names = ["Ada", ..."BCDEFGHIJKL"].map((name) => `${name}.`);

		await ada.join(server, "colours");
		for (const [i, from] of [...names, ...names].entries())
			script.send(JSON.stringify({ topic: "colours",
				message: JSON.stringify({ id: `c${i}`, from,
					text: `as ${from} ${i}` }) }));
		await ada.hears("as L. 23");
		const hues = await ada.page.locator(".log:not([hidden]) .message")
		    .evaluateAll((all) => all.map((node) =>
			[node.querySelector(".from").textContent,
			    /hue-\d+/u.exec(node.className)[0]].join()));

		/* Ada herself has one of them. */
		assert.equal(new Set(hues).size, 12);
		assert.ok(new Set(hues.map((hue) => hue.split(",")[1])).size >= 11);
		script.terminate();
	});

	test("before anybody was counted, \"connected\" stands there", async () => {
		const cy = await Visitor.arrive(browser, "Cy");
		const line = await cy.line();

		line.passes = ({ type }) => type !== "presence";
		await cy.join(server, "uncounted");
		assert.equal(await cy.page.textContent("#people"), "connected");
		await cy.leave();
	});

	test("a draft outlives a reload, until it is sent", async () => {
		const { page } = ada;

		await ada.join(server, "draft");
		await page.fill("#text", "half a sen");
		await ada.join(server, "draft too");
		assert.equal(await page.inputValue("#text"), "");
		await page.reload();
		await ada.join(server, "draft");
		assert.equal(await page.inputValue("#text"), "half a sen");
		await page.reload();
		await ada.connected();
		assert.equal(await page.inputValue("#text"), "half a sen");
		await ada.say("a whole sentence");
		await page.reload();
		await ada.connected();
		assert.equal(await page.inputValue("#text"), "");
	});

	test("all rooms of a page are on one connection", async () => {
		const dee = await Visitor.arrive(browser, "Dee");
		let sockets = 0;

		dee.page.on("websocket", () => sockets++);
		for (const room of ["one", "two", "three"]) {
			await dee.join(server, room);
			await dee.say(`here in ${room}`);
			await dee.hears(`here in ${room}`);
		}
		assert.equal(sockets, 1);
		await dee.leave();
	});

	test("a plain client gets something that can be read", async () => {
		await ada.join(server, "readable");
		const script = await server.client("readable");
		const messages = on(script, "message");

		await ada.say("hello, program");
		/* First that Ada is writing, which is a message like any other. */
		const heard = [await messages.next(), await messages.next()]
		    .map(({ value: [data] }) => data.toString());

		assert.equal(heard[0], '{"typing":"Ada"}');
		assert.match(heard[1],
		    /^\{"from":"Ada","text":"hello, program","at":\d+,"id":"/u);
		script.terminate();
	});

	test("nothing in all this broke the page's own policy", () => {
		assert.deepEqual([...ada.complaints, ...ben.complaints], []);
	});
});
