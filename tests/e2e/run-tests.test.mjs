// SPDX-License-Identifier: MIT
/*
 * run-tests.test.mjs - what scripts/run-tests.sh makes of files of tests: what it
 * does not count, nobody misses.
 */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT, run } from "./support.mjs";

/* Run files of tests, given by name and text; returns the status and what is
 * said from the first sum on. */
async function verdict(t, files) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-run-tests-"));
	const env = { ...process.env };

	t.after(() => rmSync(dir, { recursive: true }));
	/* Or a node below this one takes itself for a part of it. */
	delete env.NODE_TEST_CONTEXT;
	mkdirSync(join(dir, "tests/some"), { recursive: true });
	const paths = Object.entries(files).map(([name, text]) => {
		const path = join(dir, `tests/some/${name}.test.mjs`);

		writeFileSync(path, 'import { describe, test } from ' +
		    `"node:test";\n${text}`);
		return path;
	});
	const { status, stdout } = await run(
	    join(ROOT, "scripts/run-tests.sh"), paths, { env });

	return { status, said: stdout.slice(stdout.indexOf("\nsome: ") + 1)
	    .replaceAll(`${dir}/tests/some/`, "").trimEnd().split("\n") };
}

const GOOD = 'test("one", () => {});\n';

/* A file in which all suites were skipped was a failure, "tests are missing", and
 * in other files they were named and not counted. */
test("a suite that is skipped counts as one", async (t) => {
	assert.deepEqual(await verdict(t, {
		a: 'describe("x", { skip: "no x here" }, () => {\n' +
			'test("y", () => {}); test("z", () => {}); });\n',
		b: `${GOOD}test("v \\# SKIP", () => {});
			describe("w", () => {
			test("in it", { skip: "not now" }, () => {}); });\n`,
	}), { status: 0, said: [
		"some: 2 passed, 0 failed, 2 skipped",
		"skipped:",
		"  a.test.mjs: x: no x here",
		"  b.test.mjs: w > in it: not now",
		"2 passed, 0 failed, 2 skipped",
	] });
});

/* It counted as one that passed: node makes a test of the file itself. */
test("a file without a test has failed", async (t) => {
	assert.deepEqual(await verdict(t, { a: "", b: GOOD }), {
		status: 1, said: [
			"some: 1 passed, 1 failed, 0 skipped",
			"failed:",
			"  a.test.mjs: (tests are missing)",
			"1 passed, 1 failed",
		],
	});
});

test("what fails, crashes or leaves something is named", async (t) => {
	assert.deepEqual(await verdict(t, {
		a: `${GOOD}describe("x", () => {
			test("y", () => { throw new Error("no"); }); });\n`,
		b: `${GOOD}process.on("exit", () => process.abort());\n`,
		c: `${GOOD}import { writeFileSync } from "node:fs";
			writeFileSync(process.env.TMPDIR + "/mine", "");\n`,
	}), { status: 1, said: [
		"some: 3 passed, 3 failed, 0 skipped",
		"failed:",
		"  a.test.mjs: x > y",
		"  b.test.mjs: b.test.mjs",
		"  c.test.mjs: (left behind: mine)",
		"3 passed, 3 failed",
	] });
});

/* A file that is no program of this machine: it says what such a program would. */
test("what RUN names runs the programs", async (t) => {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-run-tests-"));
	const path = join(dir, "tests/some/program");

	t.after(() => rmSync(dir, { recursive: true }));
	mkdirSync(join(dir, "tests/some"), { recursive: true });
	writeFileSync(path, "1..1\nok 1 - one\n");
	const status = async (more) => (await run(join(ROOT, "scripts/run-tests.sh"),
	    [path], { env: { ...process.env, ...more } })).status;

	assert.equal(await status({ RUN: "cat -u" }), 0);
	assert.equal(await status({}), 1);
});
