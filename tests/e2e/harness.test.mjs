// SPDX-License-Identifier: MIT
/* harness.test.mjs - what the other files of this suite rely on. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { run } from "./support.mjs";

/* Such a program kept its test's process, too, until that was killed after four
 * minutes, and nobody saw which of its tests had failed. */
test("a program that does not end in time is killed", async () => {
	await assert.rejects(run("sh", ["-c", "echo $$; exec sleep 1000"],
	    { ms: 500 }), ({ message }) => {
		const [what, pid] = message.split("\n");

		assert.match(what, /^never came: end of sh/u);
		assert.throws(() => process.kill(Number(pid), 0),
		    { code: "ESRCH" });
		return true;
	});
});
