// SPDX-License-Identifier: MIT
/* steps.mjs - what is said to all clients, and done to their servers. */

import { upgrade } from "../e2e/upgrade.mjs";
import { waitFor } from "../e2e/wait.mjs";

export const TEXT = "gr\u00fc\u00dfe, \u4e16\u754c, \u{1f600}";
export const LONG = "x".repeat(60_000);

/* The longest that there is: 64 KiB, its quotes among them. */
export const LONGEST = "x".repeat(64 * 1024 - 2);

/* Fail with what is wrong. */
export function must(condition, what) {
	if (!condition)
		throw new Error(what);
}

/* Take a step that has seconds to end well, for which a busy machine may be too
 * slow: what cannot end well does so in none of these tries. */
const TRIES = 3;

export async function inTime(take) {
	for (let tries = 1; ; tries++)
		try {
			return await take();
		} catch (error) {
			if (tries === TRIES)
				throw error;
		}
}

export async function restart(server) {
	const { status, stderr } = await server.cli("restart");

	must(status === 0, `restart: ${stderr}`);
}

/* Publish one text after the other before, while and after the server upgrades.
 * Returns them all: each of its clients is told so many, on the connection that it
 * has. */
export async function publishOverUpgrade(server, publish) {
	const texts = [];
	const next = () => {
		texts.push(`upgrade ${texts.length}`);
		return publish(texts.at(-1));
	};
	let isOver = false;

	await next();
	const [upgraded, published] = await Promise.allSettled([
		upgrade(server).finally(() => {
			isOver = true;
		}),
		(async () => {
			while (!isOver)
				await next();
		})(),
	]);

	for (const { reason } of [upgraded, published])
		if (reason)
			throw reason;
	must(upgraded.value.closed === 0,
	    `${upgraded.value.closed} were closed`);
	await next();
	return texts;
}

/* The outcome of a connection that is still the one it was. */
export const STAYS = "stays, nothing missed";

/* Kill the first worker; back when it has a successor. */
export async function killWorker(server) {
	const [worker] = await server.workers();

	server.deathsExpected = true;
	process.kill(worker, "SIGKILL");
	await waitFor("another worker",
	    async () => (await server.workers())[0] !== worker);
}
