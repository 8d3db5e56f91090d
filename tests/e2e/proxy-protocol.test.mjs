// SPDX-License-Identifier: MIT
/*
 * proxy-protocol.test.mjs - listeners with ",proxy": each connection begins with
 * a header that tells its client, and none is served without.
 */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connect as connectTls } from "node:tls";

import { freePort } from "./ports.mjs";
import { PUBSUBD, Raw, Server, bounded, hasIPv6, run, waitFor } from
	"./support.mjs";
import { Authority, pairOptions } from "./tls.mjs";

const from = (address) => `PROXY TCP4 ${address} 192.0.2.1 56324 443\r\n`;
const ANNA = from("203.0.113.1"), BERT = from("203.0.113.2");

/* A header of version 2 that tells this client. */
function binary(address, { command = 1, more = "" } = {}) {
	const bytes = address.split(".").map(Number);
	const rest = Buffer.from(more, "latin1");

	return Buffer.concat([Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1"),
		Buffer.of(0x20 | command, 0x11, 0, 12 + rest.length, ...bytes,
		    192, 0, 2, 1, 0xdc, 4, 1, 0xbb), rest]);
}

const start = (t, args = [], options = {}) => Server.start(t,
    ["--workers", "1", "--max-conns-per-address", "1", ...args],
    { listen: ["127.0.0.1:0,proxy"], ...options });

/* A connection with a header and one answered request. */
async function ask(t, server, header, options = {}) {
	const raw = await Raw.connect(server.port, { t, ...options });

	raw.send(header, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	const { status } = await raw.response();

	if (status === 503)
		await raw.end();
	return { raw, status };
}

/* Send something that is no header, and see the connection closed. */
async function refused(t, server, bytes) {
	const raw = await Raw.connect(server.port, { t });

	raw.send(bytes);
	await waitFor("end", () => raw.ended);
	raw.destroy();
}

describe(",proxy", { concurrency: true }, () => {
	test("the client that is told has the limits", async (t) => {
		const server = await start(t);

		assert.equal((await ask(t, server, ANNA)).status, 200);
		assert.equal((await ask(t, server, BERT)).status, 200);
		assert.equal((await ask(t, server, ANNA)).status, 503);
		assert.equal((await ask(t, server,
		    binary("203.0.113.2"))).status, 503);
		assert.equal((await ask(t, server,
		    binary("203.0.113.3"))).status, 200);
		assert.equal(await server.total("refused_address"), 2);
		/* Those that nobody is told of are the proxy's own. */
		for (const header of ["PROXY UNKNOWN\r\n",
			binary("203.0.113.3", { command: 0 })])
			assert.equal((await ask(t, server, header)).status, 200);
	});

	test("a WebSocket behind it", async (t) => {
		const server = await start(t);
		const raw = await Raw.connect(server.port, { t });

		raw.send(ANNA);
		raw.request("GET", "/ws?topic=a", { Upgrade: "websocket",
			Connection: "Upgrade", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" });
		assert.equal((await raw.head()).status, 101);
		assert.equal((await ask(t, server, ANNA)).status, 503);
		await raw.close();
	});

	test("the header may come byte by byte", async (t) => {
		const server = await start(t);
		const raw = await Raw.connect(server.port, { t });

		await raw.sendSlowly(binary("203.0.113.1", { more: "\x04\0\0" }));
		raw.request("GET", "/healthz");
		assert.equal((await raw.response()).status, 200);
		assert.equal((await ask(t, server, ANNA)).status, 503);
	});

	test("without it nobody is served, and the log says why", async (t) => {
		const server = await start(t);
		const bad = binary("203.0.113.1");
		const before = await server.total("requests"); /* its own look */

		bad[13] = 0x12; /* UDP */
		await refused(t, server, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
		await refused(t, server, "PROXY TCP4 203.0.113.1\r\n");
		await refused(t, server, bad);
		await refused(t, server, binary("203.0.113.1",
		    { more: "\x03\0\x04\x01\x02\x03\x04" })); /* its checksum */
		assert.equal(await server.total("bad_proxy_header"), 4);
		assert.equal(await server.total("requests"), before);
		await server.logs("the first of them", new RegExp("closed to " +
		    "127\\.0\\.0\\.1: no PROXY header, but something else", "u"));
	});

	test("one server has listeners with and without", async (t) => {
		const server = await start(t, [],
		    { listen: ["127.0.0.1:0,proxy", "127.0.0.1:0"] });
		const [, plain] = /and http:\/\/127\.0\.0\.1:(\d+) /u
		    .exec(server.stdout);

		assert.notEqual(Number(plain), server.port);
		assert.equal((await ask(t, server, ANNA)).status, 200);
		assert.equal((await ask(t, { port: Number(plain) }, "")).status,
		    200);
		/* Who is told no URL takes the one that it can use. */
		const pub = await server.cli("pub", "news", "hello");

		assert.equal(pub.status, 0, pub.stderr);
		assert.equal(await server.total("bad_proxy_header"), 0);
	});

	test("a client that has no other address says so", async (t) => {
		const server = await start(t);
		const { status, stderr } = await run(PUBSUBD,
		    ["pub", "--name", server.name, "news", "hello"]);

		assert.equal(status, 1);
		assert.match(stderr, /no address for clients without a PROXY/u);
	});

	test("start sees that it answers, a restart keeps it", async (t) => {
		const server = new Server(["--workers", "1",
			"--max-conns-per-address", "1"],
		{ listen: ["127.0.0.1:0,proxy"] });

		t.after(() => server.end());
		assert.equal((await server.start()).status, 0);
		assert.equal((await server.cli("restart")).status, 0);
		assert.equal((await ask(t, server, ANNA)).status, 200);
		assert.equal((await ask(t, server, ANNA)).status, 503);
		await refused(t, server, "GET / HTTP/1.1\r\n");
		assert.equal((await server.cli("stop")).status, 0);
	});

	test("over IPv6", {
		skip: hasIPv6 ? false : "this machine has no IPv6",
	}, async (t) => {
		const server = await start(t, [], { listen: ["[::1]:0,proxy"] });
		const client = (address) => ask(t, server,
		    `PROXY TCP6 ${address} ::1 1 2\r\n`, { host: "::1" });

		assert.equal((await client("2001:db8:0:1::1")).status, 200);
		assert.equal((await client("2001:db8:0:1::2")).status, 503);
		assert.equal((await client("2001:db8:0:2::1")).status, 200);
	});

	test("with TLS it stands in front of the handshake", async (t) => {
		const authority = new Authority(t);
		const server = await Server.start(t, ["--workers", "1",
			"--max-conns-per-address", "1", "--tls-listen",
			"127.0.0.1:0,proxy", ...pairOptions(authority.issue())]);

		/* The header and the first bytes of TLS, as one piece or two. */
		const open = async (header) => {
			const socket = connectSocket(server.tlsPort, "127.0.0.1");

			socket.write(header);
			const tls = connectTls({ socket, ca: authority.pem,
				servername: "localhost" });

			t.after(() => tls.destroy());
			tls.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
			const [data] = await bounded("answer",
			    once(tls, "data"));

			return `${data}`;
		};

		assert.match(await open(ANNA), /^HTTP\/1\.1 200/u);
		assert.match(await open(binary("203.0.113.2")),
		    /^HTTP\/1\.1 200/u);
		await assert.rejects(open(ANNA)); /* full: without a handshake */
		assert.equal(await server.total("refused_address"), 1);
		await assert.rejects(open(""));
		assert.equal(await server.total("bad_proxy_header"), 1);
		/* Its other port is as it was. */
		assert.equal((await ask(t, server, "")).status, 200);
	});

	for (const value of ["127.0.0.1:0,", "127.0.0.1:0,PROXY",
		"127.0.0.1:0,proxy,", "127.0.0.1:0,proxy,proxy", ",proxy",
		"127.0.0.1,proxy:0"])
		test(`--listen ${value} is wrong`, async () => {
			const { status, stderr } = await run(PUBSUBD,
			    ["check", "--config", "none", "--listen", value]);

			assert.equal(status, 2);
			assert.match(stderr, /--listen/u);
		});
});

const hasHAProxy = spawnSync("haproxy", ["-v"]).status === 0;

describe("behind HAProxy", {
	skip: hasHAProxy ? false : "there is no haproxy(8)",
}, () => {
	for (const option of ["send-proxy", "send-proxy-v2",
		"send-proxy-v2 proxy-v2-options crc32c,ssl,unique-id"])
		test(option, async (t) => {
			const server = await start(t, ["--trust-proxy", "::1"]);
			const file = join(server.dir, "haproxy.cfg");
			const port = await freePort();

			writeFileSync(file, `defaults
	mode tcp
	timeout connect 5s
	timeout client 60s
	timeout server 60s
listen all
	bind 127.0.0.1:${port}
	server one 127.0.0.1:${server.port} ${option}
`);
			const haproxy = spawn("haproxy", ["-db", "-f", file],
			    { stdio: "ignore" });

			t.after(() => haproxy.kill("SIGKILL"));
			const raw = await waitFor("HAProxy", () =>
				Raw.connect(port, { t, from: "127.0.0.3" })
				    .catch(() => null));

			raw.request("GET", "/nothing", { Host: "foreign.example" });
			assert.equal((await raw.response()).status, 403);
			await server.logs("its client",
			    /refused to 127\.0\.0\.3: /u);
			assert.equal(await server.total("bad_proxy_header"), 0);
		});
});
