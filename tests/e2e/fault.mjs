// SPDX-License-Identifier: MIT
/*
 * fault.mjs - the program in which one call fails (tests/fault/fault.h).
 *
 *	PUBSUBD_FAULTY   that program
 */

import { join } from "node:path";
import { constants } from "node:os";

import { ROOT } from "./server.mjs";

export const FAULTY = process.env.PUBSUBD_FAULTY ??
	join(ROOT, "build/testing/pubsubd-faulty");

/* No error, but recv, send and write do a part of what they are asked. */
export const SHORT = null;

/*
 * Options for a Server, or for run(), whose program has a fault.
 * who: "self", or "child" for whatever it forks; from the nth call on it fails
 * so many times with this error ("EMFILE", or SHORT).
 */
export function fault(who, call, error, { nth = 1, times = 1 } = {}) {
	const number = error === SHORT ? 0 : constants.errno[error];

	return { program: FAULTY, env: {
		FAULT: `${who} ${call} ${nth} ${times} ${number}` } };
}
