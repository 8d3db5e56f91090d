// SPDX-License-Identifier: MIT
/*
 * release.mjs - the releases of Debian whose clients and proxies are tried: which
 * versions each pins, and which one a run is of, INTEROP_RELEASE or else the
 * first, which is the one that has all.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [ALL, ...OTHERS] = ["12", "13"];
const PACKAGES = { [ALL]: "packages.txt", 13: "packages-13.txt" };

export { ALL, OTHERS };
export const RELEASE = process.env.INTEROP_RELEASE ?? ALL;

/* Its pins: of each name the packages, as PACKAGE=VERSION or PACKAGE; the version
 * of the first is the one that counts. */
export function pins(release) {
	const file = fileURLToPath(new URL(PACKAGES[release], import.meta.url));

	return new Map(readFileSync(file, "utf8").split("\n")
	    .filter((line) => line && !line.startsWith("#"))
	    .map((line) => line.split(/\s+/u))
	    .map(([name, ...packages]) => [name, packages]));
}
