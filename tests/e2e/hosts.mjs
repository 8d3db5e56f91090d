// SPDX-License-Identifier: MIT
/*
 * hosts.mjs - programs that see another /etc/hosts than this machine's.
 *
 * What localhost is differs from one machine to the next: some say 127.0.0.1
 * alone, Debian says ::1 too, which then comes first.  A test that depends on it
 * says which, in a mount namespace of the program's own.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { hasIPv6 } from "./server.mjs";

const UNSHARE = ["unshare", "--map-root-user", "--mount"];

/* Why no test can choose what localhost is, or false. */
export const skip = !hasIPv6 ? "this machine has no IPv6" :
	spawnSync(UNSHARE[0], [...UNSHARE.slice(1), "true"]).status === 0 ?
		false : "this user may not make a mount namespace";

/* What netbase writes on Debian. */
export const DEBIAN = "127.0.0.1\tlocalhost\n" +
	"::1\t\tlocalhost ip6-localhost ip6-loopback\n";

/* The words to put in front of a command, so that it finds this in /etc/hosts;
 * they are good until the end of the test t. */
export function withHosts(t, text) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-hosts-"));
	const file = join(dir, "hosts");

	t.after(() => rmSync(dir, { recursive: true }));
	writeFileSync(file, text);
	return [...UNSHARE, "sh", "-ec",
		'mount --bind "$0" /etc/hosts; exec "$@"', file];
}
