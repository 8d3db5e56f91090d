// SPDX-License-Identifier: MIT
/* client-types.test.mjs - tsc agrees with the types of public/pubsub.js. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT, run } from "./support.mjs";

test("tsc --checkJs --strict finds nothing", async () => {
	const done = await run(process.execPath,
	    ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"],
	    { cwd: join(ROOT, "tests"),
		    /* From Node 22 on tsc would leave one in TMPDIR. */
		    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" } });

	assert.equal(done.stdout + done.stderr, "");
	assert.equal(done.status, 0);
});
