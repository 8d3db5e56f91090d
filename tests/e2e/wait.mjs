// SPDX-License-Identifier: MIT
/* wait.mjs - waiting, always for something and never for ever. */

/* Far beyond what anything takes, also under a sanitizer on a busy machine. */
export const WAIT_MS = 60 * 1000;

const LOOK_MS = 10;

/* The promise's value, or an error when it does not come in time. */
export async function bounded(what, promise, ms = WAIT_MS) {
	let timer;

	try {
		return await Promise.race([promise, new Promise((_, reject) => {
			timer = setTimeout(
			    () => reject(new Error(`never came: ${what}`)), ms);
		})]);
	} finally {
		clearTimeout(timer);
	}
}

/* Wait until look() returns something true, and return that. */
export async function waitFor(what, look, ms = WAIT_MS) {
	const end = Date.now() + ms;

	for (;;) {
		const found = await look();

		if (found)
			return found;
		if (Date.now() > end)
			throw new Error(`never happened: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
	}
}
