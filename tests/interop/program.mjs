// SPDX-License-Identifier: MIT
/* program.mjs - another program that runs on its own: a client, which says what
 * happens to it one line at a time, or a proxy. */

import { spawn } from "node:child_process";
import { once } from "node:events";

import { WAIT_MS, bounded, waitFor } from "../e2e/wait.mjs";

const TOLD_OF_AN_END = /^closed\b/u;
const LABEL_MAX = 40;
const LAST_WORDS_MAX = 120;

/* For the first line of one that has just been started: on a busy machine a browser
 * has needed half a minute for it. */
export const START_MS = 4 * WAIT_MS;

const isThat = (line, what) => typeof what === "string" ?
	line === what : what.test(line);

export class Program {
	stdout = "";
	stderr = "";
	ended = false;

	#taken = 0;

	/* Start it.  options are those of spawn(). */
	constructor([program, ...args], options = {}) {
		this.name = program;
		this.child = spawn(program, args, { ...options,
			env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
			stdio: ["ignore", "pipe", "pipe"] });
		for (const name of ["stdout", "stderr"])
			this.child[name].setEncoding("utf8").on("data", (text) => {
				this[name] += text;
			});
		this.child.on("error", (error) => {
			this.stderr += error.message;
			this.ended = true;
		});
		this.closed = once(this.child, "close").catch(() => {});
		this.child.on("close", () => {
			this.ended = true;
		});
	}

	/* All whole lines so far. */
	get lines() {
		return this.stdout.split("\n").slice(0, -1)
		    .map((line) => line.trimEnd());
	}

	/* The next line that is this text or matches this expression; those
	 * before it are passed over.  ms: how long it may take. */
	async says(what, ms = WAIT_MS) {
		const found = () => {
			const rest = this.lines.slice(this.#taken);
			const at = rest.findIndex((line) => isThat(line, what));

			if (at < 0)
				return this.ended ? { missing: true } : null;
			this.#taken += at + 1;
			return { line: rest[at] };
		};
		const { line, missing } = await waitFor(
		    `${what}`.slice(0, LABEL_MAX), found, ms);

		if (missing)
			throw new Error(`it ended: ${this.lastWords}`);
		return line;
	}

	/* The same with all that it says before. */
	async saysUpTo(what) {
		const from = this.#taken;

		await this.says(what);
		return this.lines.slice(from, this.#taken);
	}

	/* It is told these messages, and nothing else between them. */
	async isTold(texts) {
		const lines = await this.saysUpTo(`message ${texts.at(-1)}`);
		const other = lines.findIndex(
		    (line, i) => line !== `message ${texts[i]}`);

		if (other >= 0)
			throw new Error(`it says: ${lines[other]}`);
	}

	/* How it tells that its connection is gone: what it says up to
	 * that, but for messages, and without ports, which differ. */
	async tellsOfAnEnd() {
		return (await this.saysUpTo(TOLD_OF_AN_END))
		    .filter((line) => !/^(open|message)\b/u.test(line))
		    .map((line) => line.replaceAll(/127\.0\.0\.1:\d+/gu, "..."))
		    .join("; ");
	}

	/* The last line of what it said, of its troubles if it can. */
	get lastWords() {
		const trouble = this.stderr.trim() || this.stdout.trim();

		return trouble.split("\n").at(-1).slice(0, LAST_WORDS_MAX);
	}

	/* End it, if it has not ended. */
	async end(signal = "SIGKILL") {
		if (!this.ended)
			this.child.kill(signal);
		await bounded(`end of ${this.name}`, this.closed);
	}
}
