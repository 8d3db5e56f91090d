// SPDX-License-Identifier: MIT
/*
 * stop.mjs - stop a process of a server at a named place (broker/shared/stop_point.h).
 *
 *	PUBSUBD_STOPPABLE   the program with those places in it
 *	PUBSUBD_OTHER_LAYOUT  the same, with another layout
 *	STOP_AT             the tool that arms them
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";

import { PUBSUBD, ROOT } from "./server.mjs";
import { waitFor } from "./wait.mjs";

export const STOPPABLE = process.env.PUBSUBD_STOPPABLE ??
	join(ROOT, "build/testing/pubsubd");
const STOP_AT = process.env.STOP_AT ??
	join(ROOT, "build/testing/stop-at");

/* And the same with another layout of the shared memory. */
export const OTHER_LAYOUT = process.env.PUBSUBD_OTHER_LAYOUT ??
	join(ROOT, "build/testing/pubsubd-other-layout");

/* Whether the program under test is meant to be without stop points. */
export const IS_RELEASE = PUBSUBD !== STOPPABLE;

export class Stop {
	#said = "";
	#complaint = "";
	#taken = 0; /* of the pids said */
	#child;

	/* Arm a place for the worker of a slot, "supervisor" or "anybody"; back
	 * when it is armed.  More places are armed each as soon as somebody
	 * stands at the one before. */
	static async arm(t, server, who, ...places) {
		const stop = new Stop();

		stop.#child = spawn(STOP_AT, [server.name,
			...places.flatMap((place) => [place, `${who}`])],
		{ stdio: ["ignore", "pipe", "pipe"] });
		stop.#child.stdout.setEncoding("utf8").on("data", (text) => {
			stop.#said += text;
		});
		stop.#child.stderr.setEncoding("utf8").on("data", (text) => {
			stop.#complaint += text;
		});
		t.after(() => stop.#child.kill("SIGKILL"));
		await waitFor(`${places} armed`, () => {
			assert.equal(stop.#complaint, "");
			return stop.#said.startsWith("armed\n");
		});
		return stop;
	}

	/* The pids of those who have come to stand. */
	get #pids() {
		return this.#said.split("\n").slice(1, -1).map(Number);
	}

	get isReached() {
		return this.#pids.length > this.#taken;
	}

	/* The pid of who stands there, when it does; then of the next. */
	async stands() {
		await waitFor("the stop", () => this.isReached);
		return this.#pids[this.#taken++];
	}
}
