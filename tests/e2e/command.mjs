// SPDX-License-Identifier: MIT
/* command.mjs - a command that runs on its own: its lines as they come, its
 * input, its end. */

import { spawn } from "node:child_process";
import { once } from "node:events";

import { PUBSUBD } from "./server.mjs";
import { bounded, waitFor } from "./wait.mjs";

export class Command {
	stdout = "";
	stderr = "";

	/* A command of pubsubd, which the test ends if it has not ended.  With
	 * a terminal that script(1) makes, all that it prints is in stdout;
	 * `around' puts shell commands around it there. */
	constructor(t, args, { terminal = false, around } = {}) {
		const words = [PUBSUBD, ...args];
		const quoted = words.map((word) => `'${word}'`).join(" ");
		const [program, ...rest] = terminal ?
			["script", "-qefc", around?.(quoted) ?? quoted, "/dev/null"] :
			words;

		this.child = spawn(program, rest, { stdio: "pipe" });
		for (const name of ["stdout", "stderr"])
			this.child[name].setEncoding("utf8").on("data", (text) => {
				this[name] += text;
			});
		this.child.stdin.on("error", () => {}); /* it may end before */
		this.closed = once(this.child, "close");
		t.after(() => this.child.kill("SIGKILL"));
	}

	/* All whole lines so far. */
	get lines() {
		return this.stdout.split("\n").slice(0, -1);
	}

	/* The lines, once there are n. */
	async printed(n) {
		await waitFor(`line ${n} (${this.stderr})`,
		    () => this.lines.length >= n);
		return this.lines;
	}

	/* What matches on standard error, once it is there. */
	said(pattern) {
		return waitFor(`${pattern}`, () => pattern.exec(this.stderr));
	}

	signal(name) {
		this.child.kill(name);
	}

	/* Its exit status, once it has ended. */
	async ended() {
		const [code, signal] = await bounded(
		    `end of ${this.child.spawnargs.join(" ")}`, this.closed);

		return signal ?? code;
	}
}

/* A sub of this server, back when it is subscribed to all its topics; args are
 * topics first, then options. */
export async function subscribed(t, server, topics, args = []) {
	const before = await server.total("subscriptions");
	const command = new Command(t,
	    ["sub", "--url", server.url, ...topics, ...args]);

	await waitFor("subscription", async () =>
		await server.total("subscriptions") >= before + topics.length);
	return command;
}
