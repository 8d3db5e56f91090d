// SPDX-License-Identifier: MIT
/*
 * interop.mjs - clients, proxies and tools that others wrote, run for real before,
 * behind and on this server; `make interop'.
 *
 *	interop.mjs [--keep] [--check] [--names] [NAME...]
 *
 * Runs those that are named, or all, one after another; "tools" names all tools.
 * --names only prints what they are called.  An outcome that is not
 * the one in expected/ fails the run; --keep writes it there.  One whose packages
 * are not here is skipped, which is told and counted.  At the end the
 * page, README.md, is printed from the outcomes that are kept.  With
 * INTEROP_RELEASE=13 it is those of that Debian (release.mjs).  --check runs
 * nothing: it fails unless there is an outcome for each, and the page is theirs.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { ROOT } from "../e2e/server.mjs";
import { CLIENTS } from "./clients.mjs";
import { playEvents } from "./events.mjs";
import { version, whyNot } from "./installed.mjs";
import { Outcome, differences, expected, keep } from "./outcome.mjs";
import { page } from "./page.mjs";
import { PROXIES } from "./proxies.mjs";
import { playProxy } from "./proxy.mjs";
import { ALL, OTHERS, RELEASE, pins } from "./release.mjs";
import { TOOLS } from "./tools.mjs";
import { playWebSocket } from "./websocket.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PAGE = join(HERE, "README.md");
const BUILT = join(ROOT, "build/interop");
const PLAY = { websocket: playWebSocket, events: playEvents, proxy: playProxy,
	tool: (tool, outcome) => tool.play(outcome) };

const every = [...CLIENTS, ...PROXIES.map((proxy) => ({ ...proxy, kind: "proxy",
	directory: join(HERE, "proxies") })),
...TOOLS.map((tool) => ({ ...tool, kind: "tool" }))];

/* Those that are tried in a release. */
const of = (release) => every.filter(({ name }) =>
	release === ALL || pins(release).has(name));
const all = of(RELEASE);

/* Try one.  Returns what differs from what is kept. */
async function play(one, keepIt) {
	const outcome = new Outcome(version(one), one.varies);

	const to = join(BUILT, one.name);

	if (one.build) {
		const [compiler, ...args] = one.build(to);

		execFileSync(compiler, args, { cwd: one.directory });
	}
	await PLAY[one.kind](one, outcome, to);
	if (keepIt)
		keep(one.name, outcome.steps);
	return differences(one.name, outcome.steps);
}

/* What is wrong with what is kept, without running anything. */
function check() {
	const missing = [ALL, ...OTHERS].flatMap((release) => of(release)
	    .filter(({ name }) => !expected(name, release))
	    .map(({ name }) => `${name}, Debian ${release}: no outcome is kept`));

	if (missing.length === 0 && readFileSync(PAGE, "utf8") !== page())
		missing.push("README.md is not that of the outcomes: `make interop'");
	missing.forEach((line) => console.log(line));
	return missing;
}

/* Print the page anew, once there is an outcome for each. */
function printPage() {
	if ([ALL, ...OTHERS].every((release) => of(release)
	    .every(({ name }) => expected(name, release))) &&
	    readFileSync(PAGE, "utf8") !== page())
		writeFileSync(PAGE, page());
}

/* Try these one after another.  Returns what is wrong: what differs, or that there
 * was nothing to try. */
async function playAll(ones, keepIt) {
	const wrong = [];
	const n = { ok: 0, DIFFERS: 0, skipped: 0 };
	const tell = (how, what) => {
		n[how]++;
		console.log(`${how}: ${what}`);
	};

	mkdirSync(BUILT, { recursive: true });
	for (const one of ones) {
		const why = whyNot(one);

		if (why !== "") {
			tell("skipped", `${one.name}: ${why}`);
			continue;
		}
		const differs = await play(one, keepIt).catch((error) =>
			[`${one.name}: ${error.message}`]);

		tell(differs.length === 0 ? "ok" : "DIFFERS", one.title);
		wrong.push(...differs);
	}
	printPage();
	wrong.push(...n.skipped === ones.length ? ["nothing was tried"] : []);
	wrong.forEach((line) => console.log(line));
	console.log(`${n.ok} as expected, ${n.DIFFERS} differ, ` +
	    `${n.skipped} skipped`);
	return wrong;
}

const { values, positionals } = parseArgs({ allowPositionals: true,
	options: { keep: { type: "boolean" }, check: { type: "boolean" },
		names: { type: "boolean" } } });
const names = all.map(({ name }) => name);
const asked = positionals.flatMap((name) =>
	name === "tools" ? TOOLS.map((tool) => tool.name) : [name]);
const unknown = asked.filter((name) => !names.includes(name));

if (unknown.length > 0) {
	console.error(`not among them: ${unknown.join(" ")}; there are ` +
	    names.join(" "));
	process.exit(2);
}
const chosen = all.filter(({ name }) =>
	asked.length === 0 || asked.includes(name));

if (values.names) {
	console.log(chosen.map(({ name }) => name).join(" "));
	process.exit(0);
}
const wrong = values.check ? check() : await playAll(chosen, values.keep);

process.exit(wrong.length === 0 ? 0 : 1);
