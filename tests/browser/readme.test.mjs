// SPDX-License-Identifier: MIT
/* readme.test.mjs - the README's page runs in a browser as it stands there. */

import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { example } from "../example.mjs";
import { Server, Visitor, launchBrowser, skip } from "./support.mjs";

const PUBLIC = fileURLToPath(new URL("../../public/", import.meta.url));

test("the README's example from a browser", { skip }, async (t) => {
	const root = mkdtempSync(join(tmpdir(), "pubsubd-readme-"));

	t.after(() => rmSync(root, { recursive: true }));
	for (const name of readdirSync(PUBLIC).filter((n) => /^pubsub.*\.js$/u.test(n)))
		cpSync(join(PUBLIC, name), join(root, name));
	writeFileSync(join(root, "index.html"), example("browser"));

	const server = await new Server().start("--root", root);
	t.after(() => server.stop());
	const browser = await launchBrowser();
	t.after(() => browser.close());
	const { page } = await Visitor.arrive(browser, "Reader");

	await page.goto(server.url);
	await page.getByText("1: noon", { exact: true }).waitFor();
});
