// SPDX-License-Identifier: MIT
/* steps.mjs - what is said to all clients, and done to their servers. */

import { waitFor } from "../e2e/wait.mjs";

export const TEXT = "gr\u00fc\u00dfe, \u4e16\u754c, \u{1f600}";
export const LONG = "x".repeat(60_000);

export async function restart(server) {
	const { status, stderr } = await server.cli("restart");

	if (status !== 0)
		throw new Error(`restart: ${stderr}`);
}

/* Kill the first worker; back when it has a successor. */
export async function killWorker(server) {
	const [worker] = await server.workers();

	server.deathsExpected = true;
	process.kill(worker, "SIGKILL");
	await waitFor("another worker",
	    async () => (await server.workers())[0] !== worker);
}
