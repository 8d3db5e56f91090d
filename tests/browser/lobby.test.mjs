// SPDX-License-Identifier: MIT
/*
 * lobby.test.mjs - the way in, by keyboard, by link and on a phone.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { Server, Visitor, launchBrowser, skip } from "./support.mjs";

const PHONE = { viewport: { width: 360, height: 640 }, isMobile: true,
	hasTouch: true };

const PUBLIC = new URL("../../public/", import.meta.url);

/* Is everything within the width of the screen? */
function fits(page) {
	return page.evaluate(() => document.documentElement.scrollWidth <=
	    window.innerWidth);
}

describe("lobby", { skip, timeout: 120_000 }, () => {
	let server;
	let browser;

	before(async () => {
		server = await new Server().start();
		browser = await launchBrowser();
	});

	after(async () => {
		await browser?.close();
		await server?.stop();
	});

	/* A page of which a script waits for release(). */
	async function early(visitor, hash = "", script = "chat.js") {
		const { page } = visitor;
		let release;
		const released = new Promise((resolve) => {
			release = resolve;
		});

		await page.route(`**/${script}`, async (route) => {
			await released;
			await route.continue();
		});
		await page.goto(server.url + hash, { waitUntil: "commit" });
		await page.locator("#leaving").waitFor({ state: "attached" });
		return release;
	}

	test("before the scripts are there nothing is promised", async () => {
		const visitor = await Visitor.arrive(browser, "Early");
		const { page } = visitor;
		const release = await early(visitor, "#room=tea");

		assert.equal(await page.locator("button:enabled").count(), 0);
		assert.equal(await page.locator("#lobby, #room")
		    .filter({ visible: true }).count(), 0);
		release();
		await page.getByText("You are invited").waitFor();
		assert.equal(await page.locator("#lobby button:disabled").count(),
		    0);
		/* The room's buttons wait for talk.js, which may come later. */
		await page.waitForFunction(
		    () => document.querySelector("button:disabled") === null);
		assert.deepEqual(visitor.complaints, []);
		await visitor.leave();
	});

	test("what was filled in before is not overwritten", async () => {
		const visitor = await Visitor.arrive(browser, "Early");
		const { page } = visitor;
		const release = await early(visitor);

		await page.evaluate(() => {
			document.getElementById("name").value = "Quick";
			document.getElementById("create-room").value = "first";
		});
		release();
		await page.click("#create button[type=submit]");
		await visitor.connected();
		assert.equal(await page.textContent("#room-title"), "first");
		assert.match(await page.textContent("#me"), /Quick/u);

		/* What was opened is not suggested again. */
		await page.click("#add");
		assert.match(await page.inputValue("#create-room"),
		    /^[a-z]+-[a-z]+-\d+$/u);
		await visitor.leave();
	});

	test("the lobby does not wait for the rest", async () => {
		const visitor = await Visitor.arrive(browser, "Early");
		const { page } = visitor;
		const release = await early(visitor, "#room=tea", "talk.js");

		await page.fill("#name", "Early");
		await page.press("#name", "Enter");
		await page.getByText("You are invited").waitFor();
		assert.equal(await page.locator("#send:enabled").count(), 0);
		release();
		await visitor.connected();
		assert.equal(await page.textContent("#room-title"), "tea");
		assert.match(await page.textContent("#me"), /Early/u);
		await visitor.leave();
	});

	test("where the rest does not come, the page says so", async () => {
		const visitor = await Visitor.arrive(browser, "Cut");
		const { page } = visitor;

		await page.route("**/rooms.js", (route) => route.abort());
		await page.goto(server.url);
		await page.getByText("did not load in full").waitFor();
		await visitor.leave();
	});

	/* A module that is not named there is asked for one round trip later. */
	test("the page names all its modules", () => {
		const read = (name) =>
			readFileSync(new URL(name, PUBLIC), "utf8");
		const modules = new Set(["chat.js"]);

		for (const name of modules)
			for (const [, other] of read(name)
			    .matchAll(/(?: from |import\()"\.\/([^"]+)"/gu))
				modules.add(other);
		const named = [...read("index.html").matchAll(
		    /<link rel="modulepreload" href="(.+)">/gu)]
		    .map(([, name]) => name);

		modules.delete("chat.js");
		assert.ok(modules.size > 10);
		assert.deepEqual(named.sort(), [...modules].sort());
	});

	test("a room is opened, its link shared and followed", async () => {
		const host = await Visitor.arrive(browser, "Host",
		    { permissions: ["clipboard-read", "clipboard-write"] });
		const guest = await Visitor.arrive(browser, "Guest");
		const { page } = host;

		await page.goto(server.url);
		const suggested = await page.inputValue("#create-room");

		assert.match(suggested, /^[a-z]+-[a-z]+-\d+$/u);
		await page.click("#shuffle");
		assert.notEqual(await page.inputValue("#create-room"), suggested);
		await page.fill("#name", "Host");
		await page.click("#create button[type=submit]");
		await host.connected();
		await page.click("#copy");
		await page.locator("#copy-label", { hasText: "Copied" }).waitFor();
		await page.click(".brand");
		await page.locator("#lobby").waitFor();
		await page.goBack();
		await page.locator("#room").waitFor();
		assert.equal(await page.textContent("#copy-label"), "Copy link");
		await page.click("#copy");
		await page.locator("#copy-label", { hasText: "Copied" }).waitFor();
		await page.locator("#copy-label", { hasText: "Copy link" }).waitFor();
		const link = await page.evaluate(
		    () => navigator.clipboard.readText());

		assert.ok(link.startsWith(`${server.url}#room=`), link);
		await guest.page.goto(link);
		assert.equal(await guest.page.textContent("#lobby-title bdi"),
		    await page.textContent("#room-title"));
		assert.equal(await guest.page.locator("[aria-current]").count(), 0);
		await guest.page.fill("#name", "Guest");
		await guest.page.press("#name", "Enter");
		await guest.connected();
		await guest.say("found it");
		await host.hears("found it");
		await host.leave();
		await guest.leave();
	});

	test("the keyboard is enough", async () => {
		const visitor = await Visitor.arrive(browser, "Keys");
		const { page } = visitor;

		await page.goto(server.url);
		await page.locator("#name:focus").waitFor();
		await page.keyboard.type("Keys");
		for (const id of ["create-room", "shuffle", null, "join-room"]) {
			await page.keyboard.press("Tab");
			if (id)
				assert.equal(await page.evaluate(
				    () => document.activeElement.id), id);
		}
		await page.keyboard.type("by hand");
		await page.keyboard.press("Enter");
		await visitor.connected();
		await page.locator("#text:focus").waitFor();
		await page.keyboard.type("one");
		await page.keyboard.press("Shift+Enter");
		await page.keyboard.type("two");
		await page.keyboard.press("Enter");
		await visitor.hears("two");
		assert.deepEqual(await visitor.texts(), ["one\ntwo"]);
		await visitor.leave();
	});

	test("back after leaving asks before one is in again", async () => {
		const visitor = await Visitor.arrive(browser, "Gone");
		const { page } = visitor;
		const leave = async () => {
			await page.click("#leave");
			await page.click("#leaving button[value=leave]");
		};
		const isAsked = async () => {
			await page.getByText("You have left the room one.")
			    .waitFor();
			assert.equal(await page.locator("#rooms a",
			    { hasText: "one" }).count(), 0);
		};

		await visitor.join(server, "one");
		await visitor.join(server, "two");
		await page.locator("#rooms a", { hasText: "one" }).click();
		await visitor.connected();
		await leave();
		await page.locator("#room-title", { hasText: "two" }).waitFor();
		await page.goBack(); /* to "two", then to "one" */
		await page.goBack();
		await isAsked();
		await page.reload();
		await isAsked();
		await page.locator("#accept:focus").waitFor();
		await page.keyboard.press("Enter");
		await visitor.connected();
		assert.equal(await page.textContent("#room-title"), "one");
		await leave();
		await page.click(".brand");
		await page.fill("#join-room", "one");
		await page.press("#join-room", "Enter");
		await visitor.connected();
		assert.equal(await page.textContent("#room-title"), "one");
		await visitor.leave();
	});

	test("a name that cannot be is explained", async () => {
		const visitor = await Visitor.arrive(browser, "Names");
		const { page } = visitor;
		const refused = async (name, why) => {
			await page.fill("#join-room", name);
			await page.press("#join-room", "Enter");
			assert.match(await page.textContent("#join-problem"), why);
			assert.equal(await page.isVisible("#lobby"), true);
		};

		await page.goto(server.url);
		await refused("  ", /needs a name/u);
		await refused("bell\u0007", /Control characters/u);
		await refused("é".repeat(128), /256 bytes, 255 fit/u);
		await refused("https://example.org/", /leads to no room/u);
		await refused("http://example.org:8000/#room=abc",
		    /belongs to example\.org:8000\.$/u);
		await refused("example.org/#room=abc", /belongs to example\.org\.$/u);
		await page.fill("#name", " ");
		await page.fill("#create-room", "fine");
		await page.press("#create-room", "Enter");
		assert.match(await page.textContent("#name-problem"), /enter a name/u);

		await page.fill("#name", "Names");
		await page.fill("#join-room", `${"é".repeat(127)}!`);
		await page.press("#join-room", "Enter");
		await visitor.connected();
		for (const link of [`${server.url}#room=of%20here`,
			`127.0.0.1:${server.port}/#room=of%20here`,
			"#room=of%20here"]) {
			await page.goto(`${server.url}#`);
			await page.fill("#join-room", link);
			await page.press("#join-room", "Enter");
			await page.locator("#room-title", { hasText: /^of here$/u })
			    .waitFor();
		}
		await visitor.leave();
	});

	test("a name is changed on the way back to the same room", async () => {
		const visitor = await Visitor.arrive(browser, "Before");
		const { page } = visitor;
		const isBack = async () => {
			await page.locator("#room-title", { hasText: "here" })
			    .waitFor();
			assert.equal(await page.locator("#rooms a").count(), 1);
		};

		await visitor.join(server, "here");
		await page.click("#me");
		assert.equal(await page.inputValue("#new-name:focus"), "Before");
		assert.equal(await page.locator("#create, #join, #naming")
		    .filter({ visible: true }).count(), 0);
		await page.fill("#new-name", " ");
		await page.keyboard.press("Enter");
		assert.notEqual(await page.textContent("#new-name-problem"), "");
		await page.click("#keep-name");
		await isBack();

		await page.click("#me");
		await page.fill("#new-name", "After");
		await page.keyboard.press("Enter");
		await isBack();
		await visitor.say("it is still me");
		await visitor.hears("it is still me");
		assert.equal(await visitor.heard("still me").locator(".from")
		    .textContent(), "After");

		await page.click(".brand");
		assert.equal(await page.isVisible("#naming"), false);
		await page.click("#create button[type=submit]");
		await visitor.connected();
		assert.match(await page.textContent("#me"), /^.After/u);
		await visitor.leave();
	});

	test("two spellings of one name are one room", async () => {
		const one = await Visitor.arrive(browser, "One");
		const two = await Visitor.arrive(browser, "Two");

		await one.join(server, "caf\u00e9 & co/100% #1?");
		await two.join(server, " cafe\u0301 & co/100% #1? ");
		await one.say("same place");
		await two.hears("same place");
		await one.leave();
		await two.leave();
	});

	test("on a phone everything fits, and back leads to the rooms", async () => {
		const visitor = await Visitor.arrive(browser, "Thumb", PHONE);
		const { page } = visitor;

		await page.goto(server.url);
		await page.locator("#create").waitFor();
		assert.ok(await fits(page), "lobby");
		assert.equal(await page.evaluate(
		    () => document.activeElement.tagName), "BODY");
		await visitor.join(server, "a-room-with-quite-a-long-name-for-a-phone");
		await visitor.say("x".repeat(300));
		await visitor.hears("xxx");
		assert.ok(await fits(page), "room");
		assert.equal(await page.isVisible("#rooms"), false);
		const back = await page.locator(".back").boundingBox();

		assert.ok(back.width >= 44 && back.height >= 44 && back.x >= 0,
		    JSON.stringify(back));
		await page.tap(".back");
		await page.locator("#rooms a").waitFor();
		assert.ok(await fits(page), "rooms");
		await visitor.leave();
	});

	test("of many rooms the current one is in sight, and so is the rest", async () => {
		const visitor = await Visitor.arrive(browser, "Many",
		    { viewport: { width: 1000, height: 600 } });
		const { page } = visitor;
		const inSight = (part) => page.locator(part).evaluate((node) => {
			const { top, bottom } = node.getBoundingClientRect();

			return top >= 0 && bottom <= innerHeight;
		});
		const names = Array.from({ length: 20 }, (_, i) => `room ${i}`);

		await page.addInitScript((rooms) => {
			localStorage.setItem("pubsubd:name", "\"Many\"");
			localStorage.setItem("pubsubd:rooms", rooms);
		}, JSON.stringify(names));
		await visitor.join(server, "room 19");
		await page.locator("#rooms [aria-current]").waitFor();
		for (const part of ["#rooms [aria-current]", "#add", "#me"])
			assert.ok(await inSight(part), part);
		await page.click("#add");
		await page.locator("#add[aria-current]").waitFor();
		assert.equal(await page.locator("#rooms [aria-current]").count(), 0);

		assert.equal(await page.evaluate(
		    () => document.documentElement.scrollHeight), 600);

		await page.setViewportSize(PHONE.viewport);
		const { y, height } = await page.locator("#create").boundingBox();
		const rooms = await page.locator("#rooms").boundingBox();
		const room = await page.locator("#rooms li").first().boundingBox();

		assert.ok(y + height < 640);
		assert.ok(rooms.height / room.height > 5);
		await visitor.leave();
	});

	/* 1280 by 800 pixels, enlarged to twice the size. */
	test("an enlarged page has its form above the fold", async () => {
		const visitor = await Visitor.arrive(browser, "Near",
		    { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 });
		const { page } = visitor;
		const ends = async () => {
			const { y, height } = await page.locator("#join .row")
			    .boundingBox();

			return y + height;
		};

		await page.goto(server.url);
		await page.locator("#naming").waitFor();
		assert.ok(await ends() <= 400, `${await ends()}`);
		await visitor.join(server, "one");
		await page.click(".back");
		await page.locator("#create").waitFor();
		assert.ok(await ends() <= 400, `${await ends()}`);
		await visitor.leave();
	});

	test("a small phone is left to the talk", async () => {
		const visitor = await Visitor.arrive(browser, "Thumb",
		    { ...PHONE, viewport: { width: 320, height: 640 } });
		const { page } = visitor;
		const height = async (part) =>
			(await page.locator(part).boundingBox()).height;

		await visitor.join(server, "room-number-3-with-quite-a-long-name");
		await page.locator("#people:not(:empty)").waitFor();
		assert.ok(await height(".room-head") < 64);
		assert.ok(await height(".composer") < 64);
		await visitor.leave();
	});

	test("the socket's address is beside the page's own", async () => {
		const visitor = await Visitor.arrive(browser, "Address");

		await visitor.page.goto(server.url);
		const urls = await visitor.page.evaluate(async () => {
			const { socketUrl } = await import("/rooms.js");

			return ["https://chat.example/x/?q#room=z",
				"https://chat.example/x/index.html",
				"http://host.lan:8000/"].map((page) =>
				socketUrl(new URL(page)));
		});

		assert.deepEqual(urls, [
			"wss://chat.example/x/ws?overflow=close",
			"wss://chat.example/x/ws?overflow=close",
			"ws://host.lan:8000/ws?overflow=close",
		]);
		await visitor.leave();
	});

	test("only web addresses become links, rooms of here stay here", async () => {
		const visitor = await Visitor.arrive(browser, "Links");

		await visitor.join(server, "links");
		await visitor.say("javascript:alert(1) data:text/html,x ftp://a/ " +
		    "(see https://example.org/a_(b)?c=d&e#f.) http://[oops " +
		    "www.example.org/x, me@www.example.org www. awww.ok.no " +
		    `${server.url}#room=next%20door`);
		await visitor.hears("oops");
		const links = await visitor.page.locator(".heard .text a")
		    .evaluateAll((all) => all.map((a) => [a.getAttribute("href"),
			a.target, a.rel]));

		assert.deepEqual(links, [
			["https://example.org/a_(b)?c=d&e#f", "_blank",
				"noopener noreferrer nofollow"],
			["https://www.example.org/x", "_blank",
				"noopener noreferrer nofollow"],
			["#room=next%20door", "", ""],
		]);
		await visitor.leave();
	});

	test("the page works where nothing can be stored", async () => {
		const visitor = await Visitor.arrive(browser, "Oblivious");

		await visitor.page.addInitScript(() => {
			for (const area of ["localStorage", "sessionStorage"])
				Object.defineProperty(window, area, { get() {
					throw new DOMException("no", "SecurityError");
				} });
		});
		await visitor.join(server, "forgetful");
		await visitor.say("for now");
		await visitor.hears("for now");
		assert.deepEqual(visitor.complaints, []);
		await visitor.leave();
	});
});
