// SPDX-License-Identifier: MIT
/*
 * install.test.mjs - make install and make uninstall, into a directory of the
 * test.  The make that is called has the variables of the one that runs the
 * tests (MAKEFLAGS), so that it finds everything built.
 */

import assert from "node:assert/strict";
import {
	existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync,
	statSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { BRIDGE, PUBSUBD, ROOT, run } from "./support.mjs";

/* A directory to install into, and a make for it. */
function place(t) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-install-"));
	const make = async (target, ...words) => {
		const done = await run("make", ["--no-print-directory", target,
			`DESTDIR=${dir}`, ...words], { cwd: ROOT });

		assert.equal(done.status, 0, done.stderr);
		return done.stdout;
	};

	t.after(() => rmSync(dir, { recursive: true }));
	return { dir, make };
}

/* Everything below a directory, by its path from there. */
const tree = (dir) => readdirSync(dir, { recursive: true }).sort();

/* The same without the directories. */
const files = (dir) => tree(dir)
    .filter((path) => !statSync(join(dir, path)).isDirectory());

/* It compiled every file again, and left build/pubsubd with the directory of
 * that installation. */
test("install for another PREFIX compiles one file", async (t) => {
	const { dir, make } = place(t);

	await make("install", "PREFIX=/first");
	const before = readFileSync(PUBSUBD);
	const said = await make("install", "PREFIX=/other/place");
	const installed = readFileSync(join(dir, "other/place/bin/pubsubd"));

	assert.deepEqual(said.match(/^ {2}CC .*$/gmu)?.map((line) =>
		line.replace(/.*\//u, "")), ["datadir.o"]);
	assert.ok(installed.includes("/other/place/share/pubsubd\0"));
	assert.ok(!installed.includes("/first/share"));
	assert.ok(readFileSync(PUBSUBD).equals(before));
	assert.ok(!before.includes("/other/place"));
});

test("what is installed beside the program and its page", async (t) => {
	const { dir, make } = place(t);

	await make("install", "PREFIX=/usr");
	assert.deepEqual(files(dir).filter((path) =>
		!path.startsWith("usr/share/pubsubd/public/")), [
		"usr/bin/pubsubd",
		/* It is built where libnats is. */
		...existsSync(BRIDGE) ? ["usr/bin/pubsubd-bridge"] : [],
		"usr/lib/systemd/system/pubsubd.service",
		"usr/lib/systemd/system/pubsubd.socket",
		"usr/lib/sysusers.d/pubsubd.conf",
		"usr/share/bash-completion/completions/pubsubd",
		"usr/share/man/man1/pubsubd.1",
		"usr/share/man/man5/pubsubd.conf.5",
		"usr/share/pubsubd/contrib/grafana-dashboard.json",
		"usr/share/pubsubd/contrib/prometheus-rules.yml",
	]);
	assert.match(readFileSync(join(dir,
	    "usr/lib/systemd/system/pubsubd.service"), "utf8"),
	/^ExecStart=\/usr\/bin\/pubsubd run$/mu);
	for (const path of files(dir))
		assert.equal(statSync(join(dir, path)).mode & 0o777,
		    path.startsWith("usr/bin/") ? 0o755 : 0o644, path);
});

test("what is installed is the program and its page", async (t) => {
	const { dir, make } = place(t);
	const program = join(dir, "usr/bin/pubsubd");

	await make("install", "PREFIX=/usr");
	assert.deepEqual(tree(join(dir, "usr/share/pubsubd/public")),
	    tree(join(ROOT, "public")));
	assert.equal((await run(program, ["version"])).stdout,
	    (await run(PUBSUBD, ["version"])).stdout);

	/* Once more over it: no public/public. */
	await make("install", "PREFIX=/usr");
	assert.deepEqual(tree(join(dir, "usr/share/pubsubd/public")),
	    tree(join(ROOT, "public")));
});

test("uninstall removes what was installed, and nothing else", async (t) => {
	const { dir, make } = place(t);
	const page = join(dir, "usr/share/pubsubd/public");

	await make("install", "PREFIX=/usr");
	writeFileSync(join(page, "mine.html"), "mine");
	await make("uninstall", "PREFIX=/usr");
	assert.ok(!existsSync(join(dir, "usr/bin/pubsubd")));
	assert.deepEqual(tree(page), ["mine.html"]);

	rmSync(join(page, "mine.html"));
	await make("install", "PREFIX=/usr");
	await make("uninstall", "PREFIX=/usr");
	assert.deepEqual(files(dir), []);
	assert.deepEqual(tree(join(dir, "usr/share")).filter((path) =>
		path.startsWith("pubsubd")), []);
	await make("uninstall", "PREFIX=/usr"); /* nothing there: no failure */
});

/* The header was looked for by a line that every compiler took: a machine without
 * libnats failed in the middle of the build. */
test("the bridge is built where libnats is", async (t) => {
	const { dir, make } = place(t);
	const header = join(dir, "nats/nats.h");
	const plan = () => make("all", "-n", `BUILD=${join(dir, "build")}`,
	    `CPPFLAGS=-I${dir}`);

	mkdirSync(join(dir, "nats"));
	writeFileSync(header, "");
	const there = await plan();

	assert.match(there, / -o \S+\/pubsubd-bridge .* -lnats /u);
	assert.doesNotMatch(there, /No libnats/u);

	writeFileSync(header, "#error not here");
	const missing = await plan();

	assert.doesNotMatch(missing, /bridge\/|-lnats/u);
	assert.match(missing, /No libnats .* without --cluster/u);
});
