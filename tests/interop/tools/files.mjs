// SPDX-License-Identifier: MIT
/*
 * files.mjs - what those who made their formats say of our files: Grafana's own
 * types of the dashboard, systemd of the units, ShellCheck of the scripts.
 */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { ROOT, run } from "../../e2e/server.mjs";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const DASHBOARD = join(ROOT, "scripts/contrib/grafana-dashboard.json");
const COMPLETION = process.env.COMPLETION_SCRIPT ??
	join(ROOT, "build/release/completions/pubsubd");
const TSC = join(ROOT, "tests/node_modules/typescript/bin/tsc");
const STRICT = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022",
	"--module", "nodenext"];

/* Types of JSON: what is an enum of strings there is a string here. */
const TYPES = `import type { Dashboard } from "@grafana/schema";
type AsJson<T> = T extends string ? \`\${T}\` :
	T extends (infer E)[] ? AsJson<E>[] :
	T extends object ? { [K in keyof T]: AsJson<T[K]> } : T;
type Options<T> = AsJson<Partial<T>>;
`;

/* By its path: the package does not export these by name. */
const optionsOf = (type) => `import type { Options as ${type} } from ` +
    `"../@grafana/schema/dist/types/raw/composable/${type
    }/panelcfg/x/types.gen.js";\n`;

/* What the compiler says of this dashboard, and of each panel's own options. */
async function compile(dashboard) {
	/* Beside node_modules, where the types are. */
	const dir = mkdtempSync(join(HERE, "node_modules/.dashboard-"));
	const file = join(dir, "dashboard.ts");
	const types = new Set(dashboard.panels.map(({ type }) => type));

	try {
		writeFileSync(file, [TYPES, ...[...types].map(optionsOf),
			`export const dashboard: AsJson<Dashboard> = ${
				JSON.stringify(dashboard, null, "\t")};\n`,
			...dashboard.panels.map(({ id, type, options }) =>
				`export const panel${id}: Options<${type}> = ${
					JSON.stringify(options)};\n`),
		].join(""));
		return (await run("node", [TSC, ...STRICT, file])).stdout;
	} finally {
		rmSync(dir, { recursive: true });
	}
}

/* It fits the types, and one with a faulty option or field would not. */
export async function playGrafana(outcome) {
	const dashboard = JSON.parse(readFileSync(DASHBOARD, "utf8"));
	const change = (edit) => {
		const copy = structuredClone(dashboard);

		edit(copy);
		return compile(copy);
	};

	await outcome.note("the dashboard", async () =>
		assert.equal(await compile(dashboard), ""));
	await outcome.note("a faulty one", async () => {
		assert.match(await change((its) => {
			its.panels[0].gridpos = its.panels[0].gridPos;
		}), /'"gridpos"' does not exist/u);
		assert.match(await change((its) => {
			its.panels[0].options.colorMode = "vlaue";
		}), /'"vlaue"'|"vlaue"/u);
	});
}

/* How exposed systemd finds the service, from 0 to 10, if it runs as installed.
 * (systemd.test.mjs has the units verified.) */
export async function playSystemd(outcome) {
	await outcome.note("security", async () => {
		const done = await run("systemd-analyze", ["security",
			"--offline=true", "--no-pager",
			join(ROOT, "scripts/pubsubd.service")],
		{ env: { ...process.env, LC_ALL: "C.UTF-8" } });
		const [, level] = /level for pubsubd\.service: (\d+\.\d \w+)/u
		    .exec(done.stdout) ?? assert.fail(done.stderr);

		return level;
	});
}

/* Fail, with what ShellCheck says, unless that is nothing; .shellcheckrc has what
 * it is to do. */
async function shellCheck(...args) {
	const done = await run("shellcheck", ["--format=gcc", ...args],
	    { cwd: ROOT });

	assert.deepEqual([done.stdout, done.stderr, done.status], ["", "", 0]);
}

/* All that is a script for bash or sh by its name or its first line. */
async function scripts() {
	const named = await run("git", ["ls-files", "-z", "*.sh"], { cwd: ROOT });
	const begun = await run("git", ["grep", "-lzE", "^#!.*\\b(ba)?sh$", "--",
		".ci", "scripts"], { cwd: ROOT });

	return new Set(`${named.stdout}${begun.stdout}`.split("\0").slice(0, -1));
}

export async function playShellCheck(outcome) {
	const files = await scripts();

	await outcome.note("scripts", () => shellCheck(...files));
	await outcome.note("completion",
	    () => shellCheck("--shell=bash", COMPLETION));
}
