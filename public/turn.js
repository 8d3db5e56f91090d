// SPDX-License-Identifier: MIT
/*
 * turn.js - do something once, soon, however often it is asked for.
 *
 * A busy room brings thousands of messages a second; the page is drawn sixty
 * times.  A hidden page is not drawn at all, but its title still counts, so a
 * slow timer stands in for the frame that may never come.
 */

const LATEST_MS = 250;

/* A function that has work() run once, before the next picture. */
export function soon(work) {
	let frame = 0;
	let timer = 0;
	const run = () => {
		cancelAnimationFrame(frame);
		clearTimeout(timer);
		timer = 0;
		work();
	};

	return () => {
		if (timer)
			return;
		frame = requestAnimationFrame(run);
		timer = setTimeout(run, LATEST_MS);
	};
}
