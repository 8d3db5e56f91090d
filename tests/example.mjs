// SPDX-License-Identifier: MIT
/* example.mjs - the examples of the README, for the tests that run them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/* The block behind <!-- example: NAME -->. */
export function example(name) {
	const found = README.match(new RegExp(
	    `<!-- example: ${name} -->\\n\`\`\`\\w+\\n(.*?)\`\`\``, "su"));

	assert.ok(found, `the README has an example ${name}`);
	return found[1];
}
