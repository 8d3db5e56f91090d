// SPDX-License-Identifier: MIT
/* ports.mjs - ports for programs that cannot choose one themselves. */

import { once } from "node:events";
import { createServer } from "node:net";

/* So many ports, of one address, that are free now and differ. */
export async function freePorts(n, host = "127.0.0.1") {
	const servers = Array.from({ length: n }, () => createServer());
	const ports = [];

	for (const server of servers) {
		server.listen(0, host);
		await once(server, "listening");
		ports.push(server.address().port);
	}
	for (const server of servers) {
		server.close();
		await once(server, "close");
	}
	return ports;
}

export const freePort = async () => (await freePorts(1))[0];
