// SPDX-License-Identifier: MIT
/*
 * operator.test.mjs - the page on the operator's listener: it shows what happens
 * in a running server, also when that restarts, asks nobody else for anything,
 * and fits on a phone.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { Server, Visitor, launchBrowser, skip, waitFor } from "./support.mjs";

const PHONE = { viewport: { width: 360, height: 740 } };

describe("the operator's page", { skip }, () => {
	let browser, server;

	before(async () => {
		server = await new Server("--admin", "127.0.0.1:0",
		    "--workers", "2").start();
		browser = await launchBrowser();
	});
	after(async () => {
		await browser?.close();
		await server?.stop();
	});

	/* The page, in a profile of its own, with all that it has asked for. */
	async function open(t, options) {
		const visitor = await Visitor.arrive(browser, "operator", options);
		const { admin } = await server.status();

		t.after(() => visitor.page.context().close());
		visitor.asked = [];
		visitor.page.on("request", (request) =>
			visitor.asked.push(request.url()));
		await visitor.page.goto(admin);
		await visitor.page.locator("#workers tbody tr").nth(1).waitFor();
		return visitor;
	}

	const shows = (page, selector, pattern) =>
		page.locator(selector, { hasText: pattern }).waitFor();

	test("follows what happens", async (t) => {
		const { page, complaints, asked } = await open(t);
		const client = await server.client("room/<b>1");
		let isOver = false;
		const publishing = (async () => {
			while (!isOver)
				await (await fetch(
				    `${server.url}topics/room%2F%3Cb%3E1`,
				    { method: "POST", body: "hello" })).arrayBuffer();
		})();

		await shows(page, "#connections .first", /^[1-9]/u);
		await shows(page, "#connections .scale", /the last 120 s$/u);
		await shows(page, "#messages .first", /^[1-9][\d.k]* in$/u);
		await shows(page, "#messages .second", /^[1-9][\d.k]* out$/u);
		await shows(page, "#delivery .numbers", /half within \d/u);
		await shows(page, "#topics td", /^room\/<b>1$/u);
		await shows(page, "#state", /^serving, up .* version \d/u);
		await waitFor("bars", () =>
			page.locator("#delivery rect").count());
		isOver = true;
		await publishing;
		await shows(page, "#messages .first", /^0 in$/u);
		await shows(page, "#silence", /^Nothing is published just now/u);
		client.terminate();
		assert.deepEqual(complaints, []);
		const { admin } = await server.status();

		for (const url of asked)
			assert.ok(url.startsWith(`${admin}/`) ||
			    url.startsWith("data:"), url);
	});

	test("says when nobody answers, and goes on after that", async (t) => {
		const { page } = await open(t);
		const { admin } = await server.status();

		await page.route(`${admin}/stats`, (route) => route.abort());
		await shows(page, "#state", /^no answer, trying again/u);
		await page.unroute(`${admin}/stats`);
		await shows(page, "#state", /^serving/u);
		assert.equal(await page.locator("body.lost").count(), 0);
	});

	test("goes on over a restart", async (t) => {
		const { page } = await open(t);

		await server.restart();
		for (const { pid } of (await server.status()).workers)
			await shows(page, "#workers td", new RegExp(`^${pid}$`, "u"));
	});

	test("asks for the operator's key where one is needed", async (t) => {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-operator-"));
		const key = "the operator's own key";

		t.after(() => rmSync(dir, { recursive: true }));
		writeFileSync(join(dir, "key"), `${key}\n`, { mode: 0o600 });
		const guarded = await new Server("--admin", "*:0", "--admin-key",
		    join(dir, "key"), "--workers", "1").start();

		t.after(() => guarded.stop());
		const { page, complaints } = await Visitor.arrive(browser,
		    "operator");
		const { port } = new URL((await guarded.status()).admin);
		const enter = async (text) => {
			await page.locator("#door input").fill(text);
			await page.locator("#door button").click();
		};

		t.after(() => page.context().close());
		await page.goto(`http://127.0.0.1:${port}/`);
		await page.locator("#door input").waitFor();
		assert.equal(await page.locator("main").isVisible(), false);
		assert.equal(await page.locator("#links").isVisible(), false);
		for (const wrong of ["no key at all, this one", "nö ключ"]) {
			await enter(wrong);
			await shows(page, "#door p", /^That is not the key\.$/u);
		}
		await enter(key);
		await shows(page, "#state", /^serving, up/u);
		await page.locator("#workers tbody tr").waitFor();
		assert.equal(await page.locator("#door").isVisible(), false);
		/* It is kept for this tab, and for no other. */
		await page.reload();
		await shows(page, "#state", /^serving, up/u);
		const other = await page.context().newPage();

		await other.goto(`http://127.0.0.1:${port}/`);
		await other.locator("#door input").waitFor();
		assert.deepEqual(await page.evaluate(() => [
			Object.values(localStorage), document.cookie,
			location.search + location.hash]), [[], "", ""]);
		/* Another key, from a reload on. */
		writeFileSync(join(dir, "key"), "quite another key\n");
		await guarded.reload();
		await page.locator("#door input").waitFor();
		await enter("quite another key");
		await shows(page, "#state", /^serving, up/u);
		assert.deepEqual(complaints, []);
	});

	test("fits on a phone", async (t) => {
		const { page } = await open(t, PHONE);
		const wide = await page.evaluate(() =>
			document.documentElement.scrollWidth);

		assert.ok(wide <= PHONE.viewport.width, `${wide} pixels`);
	});
});
