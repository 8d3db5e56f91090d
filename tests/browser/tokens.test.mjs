// SPDX-License-Identifier: MIT
/*
 * tokens.test.mjs - the chat where the server asks who one is: it says so, takes
 * a token, and goes on; and where the server does not ask, nobody sees any of it.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { Issuer, directory, writeKeys } from "../e2e/tokens.mjs";
import { Server, Visitor, launchBrowser, skip } from "./support.mjs";

const ALL = { subscribe: ["#"], publish: ["#"], presence: ["#"],
	history: ["#"] };

describe("the chat", { skip, timeout: 120_000 }, () => {
	const issuer = new Issuer();
	let browser;

	before(async () => {
		browser = await launchBrowser();
	});

	after(() => browser?.close());

	/* A visitor, and a server with these options besides. */
	async function scene(t, ...options) {
		const path = writeKeys(join(directory(t), "keys"), issuer);
		const server = await new Server("--jwt-key", path, ...options).start();
		const visitor = await Visitor.arrive(browser, "Ada");

		t.after(async () => {
			assert.deepEqual(visitor.complaints, []);
			await visitor.leave();
			await server.stop();
		});
		return { server, visitor, page: visitor.page };
	}

	/* Go to a room, in which one may not arrive. */
	async function knock({ server, page }) {
		await page.goto(`${server.url}#room=quiet`);
		await page.fill("#name", "Ada");
		await page.click("#invite button");
	}

	async function show(page, token) {
		await page.fill("#token", token);
		await page.press("#token", "Enter");
	}

	const told = (page, text) => page.locator("#notice")
	    .filter({ hasText: text, visible: true }).waitFor();

	test("asks for a token, and goes on with it", async (t) => {
		const it = await scene(t);
		const { page, visitor } = it;

		await knock(it);
		await told(page, "This server asks for a token here.");
		await show(page, "a.b.c");
		await told(page, "the token is malformed");
		await show(page, issuer.grant(ALL));
		await visitor.connected();
		assert.equal(await page.locator("#pass").isVisible(), false);
		await visitor.say("let in");
		await visitor.hears("let in");
		/* The tab keeps it, and nothing else does. */
		await page.reload();
		await visitor.connected();
		assert.equal(await page.evaluate(() => localStorage
		    .getItem("pubsubd:token") ?? location.search), "");
		assert.doesNotMatch(page.url(), /token/u);
	});

	test("keeps what was written until a token allows it", async (t) => {
		const it = await scene(t, "--anonymous",
		    "subscribe,history,presence:quiet");
		const { page, visitor } = it;

		await knock(it);
		await visitor.connected();
		assert.equal(await page.locator("#pass").isVisible(), false);
		await visitor.say("may I");
		await page.locator(".fate", { hasText: "asks for a token" }).waitFor();
		await show(page, issuer.grant(ALL));
		await visitor.connected();
		await page.locator(".fate button", { hasText: "Try again" }).click();
		await visitor.hears("may I");
	});

	test("does not ask where the server does not", async (t) => {
		const server = await new Server().start();
		const visitor = await Visitor.arrive(browser, "Ben");

		t.after(async () => {
			await visitor.leave();
			await server.stop();
		});
		const { page } = visitor;

		await visitor.join(server, "open");
		await visitor.say("hello");
		await visitor.hears("hello");
		assert.equal(await page.locator("#pass").isVisible(), false);
		/* Not even of whom the operator sends away, with the code that a
		 * bad token has. */
		await server.kick("open", "closed for today");
		await told(page, "closed for today");
		assert.equal(await page.locator("#pass").isVisible(), false);
		await page.click("#retry");
		await visitor.connected();
	});
});
