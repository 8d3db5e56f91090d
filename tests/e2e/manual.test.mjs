// SPDX-License-Identifier: MIT
/*
 * manual.test.mjs - the page of options and the man pages say what the program
 * does, and whoever changes an option and not the page is told so.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, test } from "node:test";

import { PUBSUBD, ROOT, run } from "./support.mjs";

const MANUAL = process.env.MANUAL_PROGRAM ??
	join(ROOT, "build/release/pubsubd-manual");
const PAGES = (process.env.MANUAL_PAGES ??
	`${ROOT}/build/release/man/pubsubd.1 ` +
	`${ROOT}/build/release/man/pubsubd.conf.5`).split(" ");
const OPTIONS_PAGE = join(ROOT, "broker/cli/README.md");
const noMan = spawnSync("man", ["--version"]).status === 0 ? false :
	"there is no man here";

const script = (...args) => run(join(ROOT, "scripts/manual.sh"),
    [MANUAL, ...args]);

/* What a test makes of the page of options, in a file of its own. */
function changed(t, change) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-manual-"));
	const path = join(dir, "options.md");

	t.after(() => rmSync(dir, { recursive: true }));
	writeFileSync(path, change(readFileSync(OPTIONS_PAGE, "utf8")));
	return path;
}

/* What `check' says of each option: what changes it. */
async function changes() {
	const { stdout } = await run(PUBSUBD, ["check", "--config", "none"]);

	return Object.fromEntries(stdout.trimEnd().split("\n").slice(1)
	    .map((line) => line.split(/ +/u)));
}

describe("the table of options", () => {
	test("is what the options are", async () => {
		const done = await script("check", OPTIONS_PAGE);

		assert.equal(done.status, 0, done.stdout + done.stderr);
	});

	test("has a row for each option, with what changes it", async () => {
		const text = readFileSync(OPTIONS_PAGE, "utf8");

		for (const [name, change] of Object.entries(await changes()))
			assert.match(text, new RegExp(`^\\| \`--${name}[ \`].*` +
			    `\\| ${change.replace("+", "\\+")} \\| [^|]+`, "mu"));
	});

	test("that is out of date is told", async (t) => {
		const path = changed(t, (text) =>
			text.replace(/^(\| `--drain SECONDS` \| )5 /mu, "$16 "));
		const done = await script("check", path);

		assert.equal(done.status, 1);
		assert.match(done.stdout, /^-\| `--drain SECONDS` \| 6 /mu);
		assert.match(done.stdout, /^\+\| `--drain SECONDS` \| 5 /mu);
		assert.match(done.stderr, /make docs/u);
	});

	test("that has lost its end is told, and nothing is cut", async (t) => {
		const path = changed(t, (text) =>
			text.replace(/^<!-- end of options-table.*\n/mu, ""));
		const done = await script("fill", path);

		assert.equal(done.status, 1);
		assert.match(done.stderr, /a block has no end/u);
	});

	test("of a name that there is not is told", async (t) => {
		const path = changed(t, (text) => text.replace(
		    "<!-- begin of options-table", "<!-- begin of frob"));
		const done = await script("fill", path);

		assert.equal(done.status, 1);
		assert.match(done.stderr, /no block frob/u);
	});
});

describe("the man pages", { skip: noMan }, () => {
	/* A page as text, with the hyphens that one types and without lines. */
	async function page(path) {
		const done = await run("man", ["--warnings", "-E", "UTF-8", "-l",
			path], { env: { ...process.env, MANWIDTH: "120",
			MAN_KEEP_FORMATTING: "", LC_ALL: "C.UTF-8" } });

		assert.deepEqual([done.status, done.stderr], [0, ""]);
		return done.stdout.replaceAll(/\u001b\[[\d;]*m|.\u0008/gu, "")
		    .replaceAll(/\u2010\n\s*/gu, "").replaceAll(/\s+/gu, " ");
	}

	for (const path of PAGES)
		test(`${basename(path)} is clean`, async () => {
			const text = await page(path);

			assert.match(text, / NAME \S+ - /u);
			assert.doesNotMatch(text, /@[a-z-]+@/u);
		});

	test("pubsubd(1) has each command and each option", async () => {
		const text = await page(PAGES.find((path) => /\.1$/u.test(path)));
		const { stdout } = await run(PUBSUBD, ["help"]);
		const words = stdout.match(/^ {2}[a-z]+(?= )/gmu).concat(
		    stdout.match(/--[a-z][a-z0-9-]+(?= )/gu));

		assert.ok(words.includes("--json"));
		for (const word of words)
			assert.ok(text.includes(` ${word.trim()} `), word);
	});

	test("pubsubd.conf(5) says what changes each option", async () => {
		const text = await page(PAGES.find((path) => /\.5$/u.test(path)));

		for (const [name, change] of Object.entries(await changes())) {
			if (["name", "config"].includes(name)) {
				assert.ok(!text.includes(` ${name} = `), name);
				continue;
			}
			const [, rest] = text.split(` ${name} = `);

			assert.equal(/Changed by: (\S+)\./u.exec(rest)?.[1],
			    change, name);
		}
	});
});
