// SPDX-License-Identifier: MIT
/*
 * support.mjs - what every file of this suite stands on, in one import.
 *
 *	Server		a pubsubd of one's own, and its command line (server.mjs)
 *	Raw, Frame	a client that sends exactly the bytes it is told (raw.mjs)
 *	Client		the npm package ws, which no one here wrote (client.mjs)
 *	Stream		traffic that goes on meanwhile (stream.mjs)
 *	waitFor		wait for a condition, never for a time (wait.mjs)
 *
 * Every server has its own name, directory and free port, so files run side by
 * side, and every test sees to it that its server leaves nothing behind.
 */

export { Client, openOn, openOnEachWorker } from "./client.mjs";
export { Frame, Raw } from "./raw.mjs";
export {
	BRIDGE, BUILT_WITHOUT, ECHO_SERVER, LOCALHOST, PUBSUBD, ROOT, Server,
	builtWithoutSandbox, hasIPv6, publicDirectory, run,
} from "./server.mjs";
export { Stream } from "./stream.mjs";
export { bounded, waitFor } from "./wait.mjs";
