// SPDX-License-Identifier: MIT
/*
 * layers.test.mjs - scripts/check-layers.sh finds each kind of mistake that it
 * is there to find, and says nothing of a sound tree.
 *
 * Each test has a checkout of its own: a few C files in some of the folders that
 * the script knows, and their objects.
 */

import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { ROOT, run } from "./support.mjs";

/* Files of four folders, from the bottom up.  The connection calls the
 * handshake, which is above it, through a table that the handshake gives it;
 * a.c and b.c of the same folder know each other in one direction. */
const SOUND = {
	"common/text.h": "int text_len(const char *text);\n",
	"common/text.c": `#include "common/text.h"
int text_len(const char *text) { return text[0] != 0; }
`,
	"worker/net/conn.h": `struct handler { int (*feed)(void); };
int conn_feed(const struct handler *handler);
`,
	"worker/net/conn.c": `#include "worker/net/conn.h"
#include "common/text.h"
int conn_feed(const struct handler *h) { return text_len("x") + h->feed(); }
`,
	"worker/http/a.h": "int a(void);\n",
	"worker/http/a.c": `#include "worker/http/a.h"
#include "worker/http/b.h"
int a(void) { return b(); }
`,
	"worker/http/b.h": "int b(void);\n",
	"worker/http/b.c": `#include "worker/http/b.h"
int b(void) { return 1; }
`,
	"worker/delivery/tail.h": "int tail(void);\n",
	"worker/delivery/tail.c": `#include "worker/delivery/tail.h"
int tail(void) { return 2; }
`,
	"worker/ws/handshake.c": `#include "worker/net/conn.h"
#include "worker/http/a.h"
static int handshake_feed(void) { return a(); }
static const struct handler handler = { handshake_feed };
int handshake(void);
int handshake(void) { return conn_feed(&handler); }
`,
};

/* A git hook that runs the tests has its repository in GIT_DIR and the like. */
const env = Object.fromEntries(Object.entries(process.env)
    .filter(([name]) => !name.startsWith("GIT_")));

/* Run a program that has to succeed. */
async function must(program, args, cwd) {
	const done = await run(program, args, { cwd, env });

	assert.equal(done.status, 0, done.stderr);
}

/* What the script says of the sound tree with these files in it, or in place of
 * its own; compiled: their objects are there, too. */
async function check(t, changes, { compiled = true } = {}) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-layers-"));
	const files = { ...SOUND, ...changes };

	t.after(() => rmSync(dir, { recursive: true }));
	await must("git", ["init", "-q"], dir);
	cpSync(join(ROOT, "scripts/check-layers.sh"),
	    join(dir, "scripts/check-layers.sh"));
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(dirname(join(dir, name)), { recursive: true });
		writeFileSync(join(dir, name), text);
	}
	for (const name of Object.keys(files).filter((n) => n.endsWith(".c")))
		if (compiled) {
			const object = join("build/release",
			    name.replace(/c$/u, "o"));

			mkdirSync(join(dir, dirname(object)), { recursive: true });
			await must("cc", ["-I.", "-c", "-o", object, name], dir);
		}
	const { status, stdout, stderr } =
	    await run("scripts/check-layers.sh", [], { cwd: dir, env });

	assert.equal(stderr, "");
	return { status, lines: stdout.split("\n").filter(Boolean).sort() };
}

const refuses = (found, lines) =>
	assert.deepEqual(found, { status: 1, lines });

test("a sound tree", async (t) => {
	assert.deepEqual(await check(t, {}), { status: 0, lines: [] });
});

test("an include that points up", async (t) => {
	refuses(await check(t, {
		"common/text.h": `#include "worker/http/b.h"
int text_len(const char *text);
`,
	}), ["common/text.h:1: worker/http/b.h: points up"]);
});

test("an include that points sideways", async (t) => {
	refuses(await check(t, {
		"worker/delivery/tail.c": `#include "worker/delivery/tail.h"
#include "worker/http/b.h"
int tail(void) { return 2; }
`,
	}), ["worker/delivery/tail.c:2: worker/http/b.h: points sideways"]);
});

/* Both files compile, and neither calls the other. */
test("a circle by includes", async (t) => {
	refuses(await check(t, {
		"worker/http/b.c": `#include "worker/http/b.h"
#include "worker/http/a.h"
int b(void) { return 1; }
`,
	}), ["worker/http/a: in a circle by includes",
		"worker/http/b: in a circle by includes"]);
});

test("a longer circle by includes, through a header", async (t) => {
	refuses(await check(t, {
		"worker/http/b.h": `#include "worker/http/c.h"
int b(void);
`,
		"worker/http/c.h": "#include \"worker/http/d.h\"\n",
		"worker/http/d.h": "struct d;\n",
		"worker/http/d.c": "#include \"worker/http/a.h\"\n",
	}), ["a", "b", "c", "d"].map((name) =>
		`worker/http/${name}: in a circle by includes`));
});

/* No include says so: b.c declares a() itself. */
test("a circle by calls", async (t) => {
	refuses(await check(t, {
		"worker/http/b.c": `#include "worker/http/b.h"
extern int a(void);
int b(void) { return a(); }
`,
	}), ["worker/http/a: in a circle by calls",
		"worker/http/b: in a circle by calls"]);
});

test("calls that point up and sideways without an include", async (t) => {
	refuses(await check(t, {
		"common/text.c": `extern int tail(void);
int text_len(const char *text) { return text[0] + tail(); }
`,
		"worker/http/b.c": `extern int tail(void);
int b(void) { return tail(); }
`,
	}), ["common/text.c calls worker/delivery/tail.c: points up",
		"worker/http/b.c calls worker/delivery/tail.c: points sideways"]);
});

test("without objects it says that it has not seen the calls", async (t) => {
	assert.deepEqual(await check(t, {}, { compiled: false }), { status: 0,
		lines: ["check-layers.sh: build/release is not there, so " +
		    "calls were not looked at"] });
});
