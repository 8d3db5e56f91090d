// SPDX-License-Identifier: MIT
/*
 * outcome.mjs - what was seen of one client or proxy: one word or sentence for
 * each step, in the order of the steps.
 *
 * The outcomes that are known are kept in expected/NAME.json, and of releases of
 * Debian other than the first in a folder each.  One that differs fails the run,
 * better or worse, until it is looked at and kept.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { ALL, RELEASE } from "./release.mjs";

const file = (name, release) => fileURLToPath(new URL("expected/" +
    `${release === ALL ? "" : `${release}/`}${name}.json`, import.meta.url));

/* What is written down when a step comes to its end without saying anything. */
export const OK = "ok";

/* And of a step that ends now so, now so, with the reason. */
const varies = (why) => `varies: ${why}`;

export class Outcome {
	steps = {};

	#varies;

	/* varies: of each step whose outcome is a matter of chance, why. */
	constructor(version, varies = {}) {
		this.steps.version = version;
		this.#varies = varies;
	}

	/* Take a step and note what it returns, or why it failed. */
	async note(step, take) {
		if (step in this.#varies) {
			this.steps[step] = varies(this.#varies[step]);
			return;
		}
		try {
			this.steps[step] = await take() ?? OK;
		} catch (error) {
			this.steps[step] = `no: ${error.message.split("\n")[0]}`;
		}
	}
}

/* The outcome that is kept, or null. */
export function expected(name, release = RELEASE) {
	return existsSync(file(name, release)) ?
		JSON.parse(readFileSync(file(name, release), "utf8")) : null;
}

export function keep(name, steps) {
	mkdirSync(dirname(file(name, RELEASE)), { recursive: true });
	writeFileSync(file(name, RELEASE),
	    `${JSON.stringify(steps, null, "\t")}\n`);
}

/* The steps whose outcomes are not the same. */
export function differing(before, steps) {
	const all = new Set([...Object.keys(before), ...Object.keys(steps)]);

	return [...all].filter((step) => before[step] !== steps[step]);
}

/* One line for each step whose outcome is not the one that is kept. */
export function differences(name, steps) {
	const before = expected(name) ?? {};

	return differing(before, steps).map((step) => `${name}: ${step}: ` +
	    `${before[step] ?? "unknown"} -> ${steps[step] ?? "not tried"}`);
}
