// SPDX-License-Identifier: MIT
/* example.mjs - the examples of the pages, for the tests that run them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/* Where examples that run stand. */
const PAGES = ["README.md", "worker/access/README.md",
	"broker/bridge/README.md"];
const texts = PAGES.map((page) =>
	readFileSync(new URL(`../${page}`, import.meta.url), "utf8"));

/* The block behind <!-- example: NAME -->. */
export function example(name) {
	const pattern = new RegExp(
	    `<!-- example: ${name} -->\\n\`\`\`\\w+\\n(.*?)\`\`\``, "su");
	const found = texts.map((text) => text.match(pattern)).find(Boolean);

	assert.ok(found, `a page has an example ${name}`);
	return found[1];
}
