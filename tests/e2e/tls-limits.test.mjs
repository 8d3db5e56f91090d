// SPDX-License-Identifier: MIT
/*
 * tls-limits.test.mjs - what clients that shake hands slowly, in parts, or never
 * can do to a server, and what they cannot.
 */

import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { connect as connectTls } from "node:tls";

import { Raw, bounded, waitFor } from "./support.mjs";
import { Authority, assertServes, shake, startTls } from "./tls.mjs";
import { V1 } from "./v1-client.mjs";

/* A ClientHello as a client sends it. */
async function clientHello() {
	let hello = Buffer.alloc(0);
	const wire = new Duplex({
		read() {},
		write(chunk, encoding, done) {
			hello = Buffer.concat([hello, chunk]);
			done();
		},
	});
	const socket = connectTls({ socket: wire, servername: "localhost" });

	socket.on("error", () => {});
	await waitFor("ClientHello", () => hello.length > 0);
	socket.destroy();
	return hello;
}

async function scene(t, ...args) {
	const authority = new Authority(t);

	return { authority, server: await startTls(t, authority,
	    ["--workers", "1", ...args]) };
}

/* A connection that has shaken hands, and on which anything can be written
 * behind the back of TLS. */
async function shakenWire(t, server, authority) {
	const wire = await Raw.connect(server.tlsPort, { t });
	const socket = connectTls({ socket: wire.socket,
		servername: "localhost", ca: authority.pem });

	socket.on("error", () => {});
	await bounded("handshake", new Promise((resolve) => {
		socket.once("secureConnect", resolve);
	}));
	await waitFor("handshake", async () =>
		await server.total("tls_handshakes") === 1);
	return wire;
}

/* So many connections that have sent these bytes, which the server has read. */
async function crowd(t, server, count, bytes) {
	const raws = [];

	for (let i = 0; i < count; i++) {
		const raw = await Raw.connect(server.tlsPort, { t });

		if (bytes.length > 0)
			await raw.sendWhole(bytes);
		raws.push(raw);
	}
	return raws;
}

/* One after another: to make a certificate keeps this process from noticing, in
 * time, that it has a connection. */
describe("a handshake", () => {
	const rows = [["never begun", () => Buffer.alloc(0)],
		["begun with a byte", (hello) => hello.subarray(0, 1)],
		["half said", (hello) => hello.subarray(0, hello.length / 2)],
		["not gone on with", (hello) => hello]];

	for (const [name, part] of rows)
		test(`${name} ends in time`, async (t) => {
			const { authority, server } = await scene(t,
			    "--request-timeout", "0.5");
			const raws = await crowd(t, server, 3,
			    part(await clientHello()));

			for (const raw of raws)
				await waitFor("end", () => raw.ended);
			assert.equal(await server.total("timeouts"), 3);
			assert.equal(await server.total("input_bytes"), 0);
			await assertServes(await shake(t, server, authority));
		});

	test("byte by byte comes to its end", async (t) => {
		const { server } = await scene(t);
		const raw = await Raw.connect(server.tlsPort, { t });

		await raw.sendSlowly(await clientHello());
		/* A ServerHello, and the rest of the server's flight. */
		const head = await raw.read(5);

		assert.equal(head[0], 22);
	});

	test("counts as a connection, and one too many is cut", async (t) => {
		const { authority, server } = await scene(t, "--max-conns", "3");

		/* It was asked whether it is ready. */
		await waitFor("room", async () =>
			await server.total("connections") === 0);
		const raws = await crowd(t, server, 3, Buffer.alloc(0));

		await waitFor("connections", async () =>
			await server.total("connections") === 3);
		await assert.rejects(shake(t, server, authority));
		assert.equal(await server.total("refused_limit"), 1);
		raws[0].destroy();
		await waitFor("room", async () =>
			await server.total("connections") === 2);
		await assertServes(await shake(t, server, authority));
	});

	test("by the hundred: the oldest make room", async (t) => {
		const { authority, server } = await scene(t,
		    "--max-worker-memory", "1M");
		const client = await V1.open(server, { ca: authority.pem });
		const raws = await crowd(t, server, 200, await clientHello());
		const room = 256 * 1024;
		const fit = Math.floor(room / (40 * 1024)); /* half done */

		/* Until then, who comes is one of the crowd. */
		await waitFor("room for the last", async () =>
			await server.total("refused_memory") >=
				raws.length - fit);
		assert.ok(await server.total("input_bytes") <= room);
		await waitFor("the first is gone", () => raws[0].ended);
		/* Neither who is there nor who comes has noticed. */
		assert.equal((await client.publish("x", 1)).seq, 1);
		await assertServes(await shake(t, server, authority));
		await client.close();
	});

	test("by the hundred at once: others are served meanwhile", async (t) => {
		const { authority, server } = await scene(t);
		const client = await V1.open(server, { ca: authority.pem });
		const shaken = Promise.all(Array.from({ length: 200 },
		    () => shake(t, server, authority)));

		for (let i = 1; i <= 20; i++)
			assert.equal((await client.publish("x", i)).seq, i);
		assert.equal((await shaken).length, 200);
		assert.equal(await server.total("tls_handshakes"), 201);
		await client.close();
	});
});

describe("a connection over TLS", { concurrency: true }, () => {
	test("damaged bytes end it, with an alert", async (t) => {
		const { authority, server } = await scene(t);
		const wire = await shakenWire(t, server, authority);

		wire.socket.write(Buffer.concat([Buffer.from([23, 3, 3, 0, 64]),
			Buffer.alloc(64, 7)]));
		await waitFor("gone", async () =>
			await server.total("connections") === 0);
	});

	test("a record that is too long ends it", async (t) => {
		const { authority, server } = await scene(t);
		const wire = await shakenWire(t, server, authority);

		wire.socket.write(Buffer.from([23, 3, 3, 0xff, 0xff, 1]));
		await waitFor("gone", async () =>
			await server.total("connections") === 0);
	});

	test("a part of a record counts as input, and is freed", async (t) => {
		const { authority, server } = await scene(t);
		const wire = await shakenWire(t, server, authority);

		wire.socket.write(Buffer.from([23, 3, 3, 0x40, 0, 1, 2, 3]));
		await waitFor("counted", async () =>
			await server.total("input_bytes") === 17 * 1024);
		wire.destroy();
		await waitFor("freed", async () =>
			await server.total("input_bytes") === 0);
	});
});
