// SPDX-License-Identifier: MIT
/* installed.mjs - what of a client, a proxy or a tool is installed here
 * (scripts/interop-deps.sh), or why it cannot be tried. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { RELEASE, pins } from "./release.mjs";

const manifest = (npm) => fileURLToPath(
    new URL(`node_modules/${npm}/package.json`, import.meta.url));

/* The version of a package of Debian; "": it is not installed. */
function versionOf(package_) {
	const { status, stdout } = spawnSync("dpkg-query", ["-W", "-f",
		"${db:Status-Status} ${Version}", package_], { encoding: "utf8" });
	const [state, version] = status === 0 ? stdout.split(" ") : [];

	return state === "installed" ? version : "";
}

/* Why these packages, PACKAGE=VERSION or PACKAGE, are not what is there; "": they
 * are. */
export function lacks(packages) {
	for (const wanted of packages) {
		const [package_, version] = wanted.split("=");
		const found = versionOf(package_);

		if (found === "")
			return `${wanted} is not installed`;
		if (version && found !== version)
			return `${package_} is ${found}, not ${version}`;
	}
	return "";
}

/* The same of one that is tried, by its name or its package of npm. */
export function whyNot({ name, npm }) {
	if (npm)
		return existsSync(manifest(npm)) ? "" :
			`${npm} of npm is not installed`;
	return lacks(pins(RELEASE).get(name));
}

/* Its version. */
export const version = ({ name, npm }) => npm ?
	JSON.parse(readFileSync(manifest(npm), "utf8")).version :
	versionOf(pins(RELEASE).get(name)[0].split("=")[0]);
