// SPDX-License-Identifier: MIT
/* upgrade.mjs - have a server upgrade, and see that it did. */

import assert from "node:assert/strict";

import { Client } from "./client.mjs";
import { V1 } from "./v1-client.mjs";

/* Have it upgrade; returns how many connections moved and were closed. */
export async function upgrade(server) {
	const before = await server.workers();
	const done = await server.cli("upgrade");

	assert.equal(done.status, 0, done.stderr + server.logged);
	const line = new RegExp(`^pubsubd ${server.name}: upgraded; ` +
	    `${before.length} workers? in \\d+ ms, (\\d+) connections handed ` +
	    "over, (\\d+) closed\\n$", "u").exec(done.stdout);

	assert.ok(line, done.stdout);
	const after = await server.workers();

	after.forEach((pid, slot) => assert.notEqual(pid, before[slot]));
	return { moved: Number(line[1]), closed: Number(line[2]) };
}

/* That an upgrade, which `happens' does, closes who speaks TLS, as a restart, who
 * may come again at once, and nobody else. */
export async function closesTls(server, authority, happens) {
	const secret = await V1.open(server, { ca: authority.pem });
	const plain = await Client.open(server, { topics: ["x"] });

	await happens();
	assert.equal((await secret.closed).code, 1012);
	const again = await V1.open(server, { ca: authority.pem });

	await again.publish("x", "from a secret place");
	assert.equal(await plain.next(), "from a secret place");
	await again.close();
	await plain.close();
}
