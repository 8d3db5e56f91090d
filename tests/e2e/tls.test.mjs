// SPDX-License-Identifier: MIT
/*
 * tls.test.mjs - the server speaks TLS itself: with clients of several makers,
 * what it agrees to, what it refuses, and what stays the same as without.
 *
 * Certificates, their reload and tickets are in tls-certs.test.mjs, limits in
 * tls-limits.test.mjs.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { describe, test } from "node:test";

import { Client, Raw, bounded, run, waitFor } from "./support.mjs";
import { Authority, assertServes, rest, shake, startTls } from "./tls.mjs";
import { Books, V1 } from "./v1-client.mjs";

const hasGnutls = (await run("sh", ["-c", "command -v gnutls-cli"])).status === 0;

/* The start of a server, and of the authority that its clients trust. */
async function scene(t, ...args) {
	const authority = new Authority(t);

	return { authority, server: await startTls(t, authority, args) };
}

describe("clients", { concurrency: true }, () => {
	for (const version of ["1.2", "1.3"])
		test(`curl, TLS ${version}`, async (t) => {
			const { authority, server } = await scene(t);
			const url = `https://localhost:${server.tlsPort}`;
			const curl = async (...args) => {
				const done = await run("curl", ["-sS", "-v",
					"--cacert", authority.file,
					`--tlsv${version}`, "--tls-max", version,
					...args]);

				assert.equal(done.status, 0, done.stderr);
				assert.match(done.stderr,
				    new RegExp(`SSL connection using TLSv${
					version.replace(".", "\\.")}`, "u"));
				assert.match(done.stderr,
				    /ALPN: server accepted http\/1\.1/u);
				return done.stdout;
			};

			assert.equal(JSON.parse(await curl("-d", "hello",
			    `${url}/topics/x`)).seq, 1);
			assert.equal(JSON.parse(await curl(
			    `${url}/topics/x/history`)).messages[0].message,
			"hello");
		});

	test("openssl s_client", async (t) => {
		const { authority, server } = await scene(t);
		const child = spawn("openssl", ["s_client", "-quiet",
			"-verify_return_error", "-CAfile", authority.file,
			"-servername", "localhost", "-connect",
			`127.0.0.1:${server.tlsPort}`]);
		let said = "";

		t.after(() => child.kill("SIGKILL"));
		child.stdout.on("data", (data) => {
			said += data;
		});
		child.stdin.write("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
		await waitFor("answer", () => /^HTTP\/1\.1 200.*ok\n$/su.test(said));
	});

	test("gnutls-cli", { skip: hasGnutls ? false : "no gnutls-cli here" },
	    async (t) => {
		const { authority, server } = await scene(t);
		const child = spawn("gnutls-cli", ["--x509cafile",
			authority.file, "--port", `${server.tlsPort}`,
			"localhost"]);
		let said = "";

		t.after(() => child.kill("SIGKILL"));
		child.stdout.on("data", (data) => {
			said += data;
		});
		child.stdin.write("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
		await waitFor(`answer (${said})`,
		    () => /Status: The certificate is trusted.*200 OK.*\nok\n/su
			.test(said));
	    });

	test("a WebSocket of each contract, and one without TLS", async (t) => {
		const { authority, server } = await scene(t);
		const v1 = await V1.open(server, { ca: authority.pem });
		const plain = await Client.open(server,
		    { topics: ["x"], ca: authority.pem });
		const clear = await Client.open(server, { topics: ["x"] });

		await v1.ask({ type: "subscribe", topic: "x" });
		clear.say("x", "one");
		plain.say("x", "two");
		for (const client of [plain, clear])
			assert.deepEqual(
			    [await client.next(), await client.next()].sort(),
			    ["one", "two"]);
		assert.deepEqual([(await v1.next()).seq, (await v1.next()).seq],
		    [1, 2]);
		for (const client of [v1, plain, clear])
			assert.notEqual((await client.close()).code, 1006);
	});

	test("an event stream", async (t) => {
		const { authority, server } = await scene(t);
		const socket = await shake(t, server, authority);
		let text = "";

		socket.on("data", (data) => {
			text += data;
		});
		socket.write("GET /topics/x/events HTTP/1.1\r\n" +
		    "Host: localhost\r\n\r\n");
		await waitFor("ready", () => text.includes("event: ready"));
		await fetch(`${server.url}/topics/x`,
		    { method: "POST", body: "over TLS" });
		await waitFor("event", () => text.includes("data: over TLS"));
	});

	test("a file larger than all buffers", async (t) => {
		const authority = new Authority(t);
		const file = Buffer.alloc(3_000_000);

		for (let i = 0; i < file.length; i++)
			file[i] = i * i >> 8;
		writeFileSync(authority.path("large.bin"), file);
		const server = await startTls(t, authority,
		    ["--root", authority.dir]);
		const { status, stderr } = await run("sh", ["-c",
			`curl -sS --cacert ${authority.file} https://localhost:${
				server.tlsPort}/large.bin | cmp - ${
				authority.path("large.bin")}`]);

		assert.equal(status, 0, stderr);
	});
});

describe("a page's origin", { concurrency: true }, () => {
	const open = (server, authority, origin) => V1.open(server,
	    { ca: authority.pem, headers: { Origin: origin } });

	test("of the TLS listener is welcome", async (t) => {
		const { authority, server } = await scene(t);
		const client = await open(server, authority,
		    `https://localhost:${server.tlsPort}`);

		await client.close();
	});

	test("of the port without TLS is foreign", async (t) => {
		const { authority, server } = await scene(t);

		await assert.rejects(open(server, authority,
		    `http://localhost:${server.port}`), /403/u);
	});
});

/* What a client may offer, and whether that comes to a connection. */
describe("what is agreed to", { concurrency: true }, () => {
	const LOW = "ALL:@SECLEVEL=0";
	const rows = [
		["TLS 1.3", { minVersion: "TLSv1.3" }, "TLSv1.3"],
		["TLS 1.2", { maxVersion: "TLSv1.2" }, "TLSv1.2"],
		["TLS 1.1", { minVersion: "TLSv1.1", maxVersion: "TLSv1.1",
			ciphers: LOW }, null],
		["TLS 1.0", { minVersion: "TLSv1", maxVersion: "TLSv1",
			ciphers: LOW }, null],
		...["ECDHE-ECDSA-AES128-GCM-SHA256",
			"ECDHE-ECDSA-AES256-GCM-SHA384",
			"ECDHE-ECDSA-CHACHA20-POLY1305",
			"ECDHE-RSA-AES128-GCM-SHA256",
			"ECDHE-RSA-AES256-GCM-SHA384",
			"ECDHE-RSA-CHACHA20-POLY1305"].map((ciphers) =>
			[ciphers, { maxVersion: "TLSv1.2", ciphers }, "TLSv1.2"]),
		/* no forward secrecy; no AEAD; neither; no encryption */
		...["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256",
			"ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA",
			"DHE-RSA-AES128-GCM-SHA256", "AES256-SHA",
			"ECDHE-RSA-NULL-SHA", "AECDH-AES128-SHA"]
		    .map((ciphers) => [ciphers, { maxVersion: "TLSv1.2",
			    ciphers: `${ciphers}:@SECLEVEL=0` }, null]),
		["ALPN http/1.1", { ALPNProtocols: ["h2", "http/1.1"] },
			"TLSv1.3", "http/1.1"],
		["no ALPN", {}, "TLSv1.3", false],
		["ALPN h2 alone", { ALPNProtocols: ["h2"] }, null],
		["a name that no certificate has",
			{ servername: "foreign.test",
				checkServerIdentity: () => undefined },
			"TLSv1.3"],
	];

	for (const [name, options, agreed, alpn] of rows)
		test(`${name}: ${agreed ?? "no"}`, async (t) => {
			const authority = new Authority(t);
			const server = await startTls(t, authority, [],
			    [authority.issue(),
				    authority.issue(["localhost"], { kind: "rsa" })]);

			if (agreed === null) {
				await assert.rejects(
				    shake(t, server, authority, options),
				    /alert|no protocols|no cipher/iu);
				return;
			}
			const socket = await shake(t, server, authority, options);

			assert.equal(socket.getProtocol(), agreed);
			if (options.ciphers)
				assert.equal(socket.getCipher().name,
				    options.ciphers);
			if (alpn !== undefined)
				assert.equal(socket.alpnProtocol, alpn);
			await assertServes(socket);
		});

	test("--tls-min 1.3: not TLS 1.2", async (t) => {
		const { authority, server } = await scene(t, "--tls-min", "1.3");

		await assert.rejects(shake(t, server, authority,
		    { maxVersion: "TLSv1.2" }), /alert/iu);
		await assertServes(await shake(t, server, authority));
	});

	test("nothing is compressed, and no client renegotiates", async (t) => {
		const { authority, server } = await scene(t);
		const child = spawn("openssl", ["s_client", "-tls1_2", "-CAfile",
			authority.file, "-servername", "localhost", "-connect",
			`127.0.0.1:${server.tlsPort}`]);
		let said = "";

		t.after(() => child.kill("SIGKILL"));
		for (const stream of [child.stdout, child.stderr])
			stream.on("data", (data) => {
				said += data;
			});
		await waitFor("handshake", () => said.includes("---\nread R BLOCK") ||
			said.includes("Extended master secret"));
		assert.match(said, /Compression: NONE/u);
		child.stdin.write("R\n");
		await waitFor("refusal", () => /no renegotiation/iu.test(said));
	});
});

describe("plain text on the TLS port", { concurrency: true }, () => {
	for (const request of ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "G"])
		test(`is told so: ${request.split("\r")[0]}`, async (t) => {
			const { server } = await scene(t);
			const socket = connectPlain(
			    { port: server.tlsPort, host: "127.0.0.1" });

			t.after(() => socket.destroy());
			socket.write(request);
			const answer = await rest(socket);

			assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/u);
			const [head, body] = answer.split("\r\n\r\n");

			assert.match(body, /https:\/\/ or wss:\/\//u);
			assert.match(head, new RegExp(
			    `Content-Length: ${body.length}`, "u"));
			assert.equal(await server.total("tls_failed"), 1);
		});

	test("is no TLS either: cut off, and counted", async (t) => {
		const { server } = await scene(t);
		const raw = await Raw.connect(server.tlsPort, { t });

		raw.send(Buffer.alloc(64, 0xff));
		await waitFor("end", () => raw.ended);
		assert.equal(await server.total("tls_failed"), 1);
	});
});

describe("slow readers over TLS", { concurrency: true }, () => {
	/* The kernel takes parts of records, and messages are dropped between
	 * them: what arrives must be whole frames all the same. */
	for (const overflow of ["drop", "latest"])
		test(`overflow=${overflow}: every number once`, async (t) => {
			const { authority, server } = await scene(t);
			const client = await V1.open(server, { ca: authority.pem,
				query: { buffer: 64, overflow } });
			const publisher = await V1.open(server,
			    { ca: authority.pem });
			const text = "0123456789".repeat(800);
			let acked = 0;

			await client.ask({ type: "subscribe", topic: "x" });
			client.socket._socket.pause();
			publisher.socket.on("message", () => acked++);
			for (let i = 0; i < 2000; i++) {
				publisher.send({ type: "publish", id: i,
					topic: "x", message: `${i} ${text}` });
				if (i % 100 === 99)
					await waitFor("acks", () => acked > i);
			}
			assert.ok(await server.total("drops") > 0);
			client.socket._socket.resume();
			const books = new Books("x", 1);

			while (books.next <= 2000)
				books.enter(await client.next());
			assert.equal(books.messages + books.missed, 2000);
			assert.ok(books.gaps.length > 0);
			await client.close();
			await publisher.close();
		});
});

describe("the server leaves", { concurrency: true }, () => {
	test("stop: all clients are closed cleanly", async (t) => {
		const { authority, server } = await scene(t);
		const clients = await Promise.all([1, 2, 3, 4].map(() =>
			V1.open(server, { ca: authority.pem })));

		await server.stop();
		for (const client of clients)
			assert.equal((await client.closed).code, 1001);
		assert.match(server.logged, /4 connections closed cleanly, 0 cut/u);
	});

	test("a close_notify comes before the end", async (t) => {
		const { authority, server } = await scene(t);
		const done = await run("sh", ["-c", "(printf 'GET /healthz " +
			"HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n'; sleep 5) | " +
			`openssl s_client -msg -CAfile ${authority.file} ` +
			`-servername localhost -connect 127.0.0.1:${
				server.tlsPort}`]);

		assert.match(done.stdout, /<<<.*Alert.*close_notify/u);
	});

	test("restart: the port stays, and speaks TLS", async (t) => {
		const { authority, server } = await scene(t);
		const client = await V1.open(server, { ca: authority.pem });

		await client.ask({ type: "publish", topic: "x", message: 1 });
		assert.equal((await server.cli("restart")).status, 0);
		assert.equal((await bounded("close", client.closed)).code, 1012);
		const again = await V1.open(server, { ca: authority.pem });

		assert.equal((await again.ask({ type: "publish", topic: "x",
			message: 2 })).seq, 2);
		await again.close();
	});
});
