// SPDX-License-Identifier: MIT
/*
 * pages.test.mjs - the links of all pages lead somewhere, what they name exists,
 * and whoever moves a page, a heading or a file is told so.
 */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";

import { ROOT, run } from "./support.mjs";

const check = (...args) => run(join(ROOT, "scripts/check-pages.sh"), args);

/* What is said of a tree with these files, by their names. */
async function said(t, files) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-pages-"));

	t.after(() => rmSync(dir, { recursive: true }));
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(dirname(join(dir, name)), { recursive: true });
		writeFileSync(join(dir, name), text);
	}
	return check(dir);
}

/* A small tree in which all is well. */
const GOOD = {
	"README.md": "# Top\n[one](a/README.md#what-it-is-) " +
	    "[more](a/README.md#twice-1) [here](#top) " +
	    "[out](https://example.org/none)\n\n    [code](none)\n",
	"a/README.md": "# Deep\n\n## What it `is` …\n## Twice\n## Twice\n" +
	    "[up](../README.md#top) [code](../worker/x.c) [dir](../worker)\n" +
	    "worker/x.c, `x_do()`, shown by | e2e/x, mp/test_x |\n" +
	    "```\n# No heading\n[none](none)\n```\n",
	"worker/x.c": "static void\nx_do(void)\n",
	"broker/x.h": "void x_done(void);\n",
	"common/x.h": "",
	"tests/e2e/x.test.mjs": "",
	"tests/mp/test_x.c": "",
};

describe("the pages", () => {
	test("are linked, and name what exists", async () => {
		const done = await check();

		assert.deepEqual([done.status, done.stdout, done.stderr],
		    [0, "", ""]);
	});

	test("a small tree is good", async (t) => {
		const done = await said(t, GOOD);

		assert.deepEqual([done.status, done.stdout], [0, ""]);
	});

	for (const [what, page, text, line] of [
		["a file that is not there", "README.md", "[x](b.md)",
		    "README.md:6: no such file: b.md"],
		["a heading that is not there", "a/README.md",
		    "[x](../README.md#bottom)",
		    "a/README.md:13: no such heading: ../README.md#bottom"],
		["a heading within code", "a/README.md", "[x](#no-heading)",
		    "a/README.md:13: no such heading: #no-heading"],
		["a source that is not there", "README.md", "See worker/y.c.",
		    "README.md:6: no such file: worker/y.c"],
		["a test that is not there", "README.md", "| mp/test_y |",
		    "README.md:6: no such test: mp/test_y"],
		["a function that is not there", "README.md", "By `x_don()`.",
		    "README.md:6: no such function: x_don()"],
		["a page that nothing leads to", "b/README.md",
		    "[top](../README.md)",
		    "b/README.md: no page that README.md leads to has a link to it"],
	])
		test(`${what}: told`, async (t) => {
			const { status, stdout } = await said(t, { ...GOOD,
				[page]: `${GOOD[page] ?? ""}\n${text}\n` });

			assert.equal(status, 1);
			assert.equal(stdout, `${line}\n`);
		});
});
