// SPDX-License-Identifier: MIT
/*
 * crowd.test.mjs - 10,000 connections on two workers: idle, then one broadcast.
 *
 * Both ends of every connection are on this machine, and this process holds one
 * of them, so it takes that many descriptors here and half as many in each
 * worker.  A source address has some 28,000 ports; several are used, so that
 * other files of the suite find some, too.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";

import { Client, Server, bounded } from "./support.mjs";

const CROWD = 10_000;
const AT_ONCE = 200; /* handshakes under way */
const SOURCES = 8;

/* What this process and each worker may open. */
function descriptorLimits() {
	const [, soft, hard] = /^Max open files +(\w+) +(\w+)/mu.exec(
	    readFileSync("/proc/self/limits", "utf8"))
	    .map((n) => n === "unlimited" ? Infinity : Number(n));

	return { soft, hard };
}

const { soft, hard } = descriptorLimits();
const skip = soft >= CROWD + 500 && hard >= CROWD ? false :
	`needs a limit of ${CROWD + 500} descriptors (ulimit -n)`;

/*
 * Connect, shake hands, then wait for one frame; nothing else is kept of a
 * connection, so that this process stays small, too.
 */
function join(port, i) {
	const socket = connect({ port, host: "127.0.0.1",
		localAddress: `127.0.${1 + i % SOURCES}.1` });
	let handshake = "";
	const member = { socket };

	member.joined = new Promise((resolve, reject) => {
		socket.once("error", reject);
		member.heard = new Promise((tell) => {
			socket.on("data", function listen(data) {
				handshake += data.toString("latin1");
				const end = handshake.indexOf("\r\n\r\n");

				if (end === -1)
					return;
				socket.off("data", listen);
				resolve(handshake.startsWith("HTTP/1.1 101 "));
				socket.on("data", (frame) =>
					tell(frame.subarray(2).toString()));
			});
		});
	});
	socket.write("GET /ws?topic=all HTTP/1.1\r\nHost: localhost\r\n" +
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n" +
	    "Sec-WebSocket-Version: 13\r\n" +
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	return member;
}

/* All of them, so many at a time. */
async function gather(port) {
	const crowd = [];
	const some = async () => {
		while (crowd.length < CROWD) {
			const member = join(port, crowd.length);

			crowd.push(member);
			assert.equal(await bounded("handshake", member.joined), true);
		}
	};

	await Promise.all(Array.from({ length: AT_ONCE }, some));
	return crowd;
}

/* Bytes of memory that all processes of a server have for themselves. */
function memoryOf(server) {
	return server.processes().reduce((sum, pid) => {
		const [, resident, shared] = readFileSync(`/proc/${pid}/statm`,
		    "utf8").split(" ").map(Number);

		return sum + (resident - shared) * 4096;
	}, 0);
}

test(`${CROWD} connections, idle, then one broadcast: all get it`, { skip },
    async (t) => {
	    const server = await Server.start(t, ["--ping-interval", "0"]);
	    const before = memoryOf(server);
	    const crowd = await gather(server.port);

	    t.after(() => crowd.forEach(({ socket }) => socket.destroy()));
	    const { workers } = await server.status();

	    assert.equal(workers[0].subscriptions + workers[1].subscriptions,
		CROWD);
	    for (const worker of workers) {
		    assert.ok(worker.connections > CROWD / 3, "they are spread");
		    assert.equal(worker.parsers, 0, "an idle one needs none");
	    }
	    t.diagnostic(`${Math.round((memoryOf(server) - before) / CROWD)} ` +
		"bytes of memory for each");
	    const caller = await Client.open(server);
	    const began = Date.now();

	    caller.say("all", "fire");
	    for (const { heard } of crowd)
		    assert.equal(await bounded("the broadcast", heard), "fire");
	    t.diagnostic(`heard by all after ${Date.now() - began} ms`);
	    assert.equal(await server.total("messages_out"), CROWD + 1);
	    assert.equal(await server.total("drops"), 0);
	    await caller.close();
	    crowd.forEach(({ socket }) => socket.destroy());
    });
