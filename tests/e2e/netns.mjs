// SPDX-License-Identifier: MIT
/*
 * netns.mjs - a host of a test's own: a network namespace with nothing but
 * loopback in it, whose sockets have small windows and whose cable can be cut.
 *
 * On the machine's own loopback nothing can be taken away, and a client's kernel
 * takes megabytes before it says that its program reads none of them.
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

import { run } from "./server.mjs";

/* Who is not root is it in a user namespace. */
const ROOT = process.getuid() === 0;
const UNSHARE = ["unshare", ...ROOT ? [] : ["--map-root-user"], "--net"];
const SMALL_WINDOWS = "echo 4096 32768 32768 >/proc/sys/net/ipv4/tcp_rmem";
const UP = `ip link set lo up && ${SMALL_WINDOWS}`;

/* Why no test can have a host, or false. */
export const skip = spawnSync(UNSHARE[0],
    [...UNSHARE.slice(1), "sh", "-c", UP]).status === 0 ? false :
	"this user may not make a network namespace, or ip(8) is missing";

/*
 * A host, until the end of the test t: words to put in front of a command that
 * shall run there, and what cuts its cable.
 */
export async function host(t) {
	const [program, ...args] = [...UNSHARE, "sh", "-c",
		`${UP} && echo $$ && read end`];
	const child = spawn(program, args,
	    { stdio: ["pipe", "pipe", "inherit"] });
	const [pid] = await once(child.stdout, "data");
	const words = ["nsenter", "-t", `${Number(pid)}`, "-n",
		...ROOT ? [] : ["-U", "--preserve-credentials"]];

	t.after(async () => {
		const exit = once(child, "exit");

		child.stdin.end("\n");
		await exit;
	});
	return { words, async cut() {
		const { status, stderr } = await run(words[0],
		    [...words.slice(1), "ip", "link", "set", "lo", "down"]);

		if (status !== 0)
			throw new Error(`lo stays up: ${stderr}`);
	} };
}
