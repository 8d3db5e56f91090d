// SPDX-License-Identifier: MIT
/*
 * interop.test.mjs - the runner itself, with what the other tests need anyway: an
 * outcome for each, a page that is theirs, and a client that is seen to fail.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { ROOT, run } from "../e2e/support.mjs";
import { Outcome, differences, expected } from "./outcome.mjs";
import { playWebSocket } from "./websocket.mjs";

const directory = fileURLToPath(new URL("clients", import.meta.url));

/* What the npm package ws is seen to do; change: edits its program. */
async function outcomeOfWs(change = (text) => text) {
	const program = change(readFileSync(join(directory, "node-ws.mjs"), "utf8"));
	const outcome = new Outcome(expected("node-ws").version);

	await playWebSocket({ directory, command: () => ["node",
		"--input-type=module", "-e", program, "--", "node-ws.mjs"] }, outcome);
	return outcome.steps;
}

describe("make interop", () => {
	test("has an outcome for each, and its page is theirs", async () => {
		const done = await run("node",
		    [join(ROOT, "tests/interop/interop.mjs"), "--check"]);

		assert.equal(done.status, 0, done.stdout + done.stderr);
	});

	test("refuses a name that it does not know", async () => {
		const done = await run("node",
		    [join(ROOT, "tests/interop/interop.mjs"), "nginks"]);

		assert.equal(done.status, 2);
		assert.match(done.stderr, /^not among them: nginks; there are .*nginx/u);
	});

	test("says what it cannot try here, and why", async () => {
		const env = { ...process.env, PATH: "/nowhere" };
		const done = await run(process.execPath,
		    [join(ROOT, "tests/interop/interop.mjs"), "nginx"], { env });

		assert.equal(done.status, 1, done.stderr);
		assert.match(done.stdout, new RegExp("^skipped: nginx: " +
		    "nginx=\\S+ is not installed\nnothing was tried\n" +
		    "0 as expected, 0 differ, 1 skipped\n$", "u"));
	});

	test("a client does what is kept of it", async () => {
		assert.deepEqual(differences("node-ws", await outcomeOfWs()), []);
	});

	test("one that answers no pings is seen", async () => {
		const steps = await outcomeOfWs((text) => text
		    .replace("[protocol] : []", "$&, { autoPong: false }"));
		const [pings, ...others] = differences("node-ws", steps);

		assert.match(pings, /^node-ws: pings: ok -> no: /u);
		assert.deepEqual(others, []);
	});
});
