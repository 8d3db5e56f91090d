// SPDX-License-Identifier: MIT
/* upgrade.mjs - have a server upgrade, and see that it did. */

import assert from "node:assert/strict";

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
