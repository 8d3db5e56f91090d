// SPDX-License-Identifier: MIT
/*
 * http.test.mjs - the HTTP that is spoken around the WebSocket: the health
 * pages, methods, keep-alive, pipelining, and heads that are no heads.
 *
 * Files under --root are in files.test.mjs, Host and Origin in origin.test.mjs.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Raw, Server } from "./support.mjs";

const HEAD_MAX = 8192;

describe("HTTP", () => {
	const server = new Server();

	before(() => server.run());
	after(() => server.end());

	const connect = (t) => Raw.connect(server.port, { t });

	async function get(t, target, headers) {
		const raw = await connect(t);

		raw.request("GET", target, headers);
		return raw.response();
	}

	describe("health", () => {
		for (const path of ["/healthz", "/readyz", "/healthz?x=y"])
			test(`GET ${path}`, async (t) => {
				const response = await get(t, path);

				assert.equal(response.status, 200);
				assert.equal(response.body.toString(), "ok\n");
				assert.match(response.headers.get("content-type"),
				    /^text\/plain/u);
				assert.equal(response.headers.get("cache-control"),
				    "no-store");
			});

		test("HEAD has the same head and no body", async (t) => {
			const raw = await connect(t);

			raw.request("HEAD", "/healthz");
			const response = await raw.response({ bare: true });

			assert.equal(response.status, 200);
			assert.equal(response.headers.get("content-length"), "3");
			raw.request("GET", "/healthz");
			assert.equal((await raw.response()).body.toString(), "ok\n");
		});
	});

	describe("/ws without a handshake", () => {
		const handshake = { Upgrade: "websocket", Connection: "Upgrade",
			"Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" };
		const cases = [
			["plain GET", {}, 426],
			["another Upgrade", { ...handshake, Upgrade: "h2c" }, 426],
			["Connection without Upgrade",
				{ ...handshake, Connection: "keep-alive" }, 426],
			["version 8",
				{ ...handshake, "Sec-WebSocket-Version": "8" }, 426],
			["no version",
				{ ...handshake, "Sec-WebSocket-Version": null }, 426],
			["no key", { ...handshake, "Sec-WebSocket-Key": null }, 400],
			["a short key",
				{ ...handshake, "Sec-WebSocket-Key": "eA==" }, 400],
			["a body", { ...handshake, "Content-Length": "1" }, 400],
		];

		for (const [name, headers, status] of cases)
			test(`${name}: ${status}`, async (t) => {
				const response = await get(t, "/ws", headers);

				assert.equal(response.status, status);
				assert.ok(response.json.error.reason);
				if (status !== 426)
					return;
				assert.equal(response.headers.get("upgrade"),
				    "websocket");
				assert.equal(response.headers
				    .get("sec-websocket-version"), "13");
			});

		test("a list and another case are fine", async (t) => {
			const raw = await connect(t);

			raw.request("GET", "/ws", { ...handshake,
				Upgrade: "h2c, WebSocket",
				Connection: "keep-alive, upgrade" });
			assert.equal((await raw.head()).status, 101);
		});

		test("POST: 405, and which method is allowed", async (t) => {
			const raw = await connect(t);

			raw.request("POST", "/ws", handshake);
			const response = await raw.response();

			assert.equal(response.status, 405);
			assert.equal(response.headers.get("allow"),
			    "GET, OPTIONS");
		});
	});

	for (const method of ["POST", "PUT", "DELETE", "BREW"])
		test(`${method} / is 405`, async (t) => {
			const raw = await connect(t);

			raw.request(method, "/");
			const response = await raw.response();

			assert.equal(response.status, 405);
			assert.equal(response.headers.get("allow"),
			    "GET, HEAD, OPTIONS");
			assert.equal(response.json.error.code,
			    "method_not_allowed");
		});

	/* Proxies look so whether the server lives; HAProxy's own check is a bare
	 * request of HTTP/1.0. */
	for (const [target, allow] of [["*", "GET, HEAD, POST, OPTIONS"],
		["/", "GET, HEAD, OPTIONS"], ["/chat.js", "GET, HEAD, OPTIONS"],
		["/ws", "GET, OPTIONS"], ["/healthz", "GET, HEAD, OPTIONS"]])
		test(`OPTIONS ${target} is 204`, async (t) => {
			const raw = await connect(t);

			raw.request("OPTIONS", target);
			const response = await raw.response();

			assert.equal(response.status, 204);
			assert.equal(response.headers.get("allow"), allow);
			raw.request("GET", "/healthz");
			assert.equal((await raw.response()).status, 200);
		});

	test("OPTIONS / of HTTP/1.0 is 204, and the end", async (t) => {
		const raw = await connect(t);

		raw.send("OPTIONS / HTTP/1.0\r\n\r\n");
		assert.equal((await raw.response()).status, 204);
		await raw.end();
	});

	/* They mean the same (RFC 3986, 6.2.2.2), and were 404. */
	for (const [path, status] of [["/%74opics", 200], ["/%77s", 426],
		["/%68ealth%7a", 200], ["/ready%7A", 200],
		["/topics/%61/%65vents?since=%zz", 200],
		["/topics/%61/histor%79?limit=x", 400], ["/pubsub%2ejs", 200],
		["/%2Ftopics", 404], ["/topics%2F%61", 404], ["/%zz", 400],
		["/topics/%zz", 400]])
		test(`GET ${path} is ${status}`, async (t) => {
			const raw = await connect(t);

			raw.request("GET", path);
			assert.equal((await raw.head()).status, status);
		});

	for (const headers of [{ "Content-Length": "3" },
		{ "Transfer-Encoding": "chunked" }])
		test(`a body (${Object.keys(headers)}) is 413, and the end`,
		    async (t) => {
			    const raw = await connect(t);

			    raw.request("GET", "/", headers);
			    raw.send("abcGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
			    const response = await raw.response();

			    assert.equal(response.status, 413);
			    assert.equal(response.headers.get("connection"), "close");
			    await raw.end();
		    });

	describe("keep-alive", () => {
		test("request after request", async (t) => {
			const raw = await connect(t);

			for (let i = 0; i < 3; i++) {
				raw.request("GET", "/healthz");
				assert.equal((await raw.response()).status, 200);
				raw.request("GET", "/nothing-here");
				assert.equal((await raw.response()).status, 404);
			}
		});

		test("not after Connection: close", async (t) => {
			const raw = await connect(t);

			raw.request("GET", "/healthz", { Connection: "close" });
			const response = await raw.response();

			assert.equal(response.headers.get("connection"), "close");
			await raw.end();
		});

		test("not with HTTP/1.0 unless asked for", async (t) => {
			const raw = await connect(t);

			raw.request("GET", "/healthz", { Connection: "keep-alive" },
			    "HTTP/1.0");
			assert.equal((await raw.response()).headers
			    .get("connection"), "keep-alive");
			raw.request("GET", "/healthz", { Host: null }, "HTTP/1.0");
			assert.equal((await raw.response()).status, 200);
			await raw.end();
		});

		test("a client that half-closes gets its answer", async (t) => {
			const raw = await connect(t);

			raw.request("GET", "/");
			raw.finish();
			const response = await raw.response();

			assert.equal(response.status, 200);
			assert.match(response.body.toString(), /<\/html>/u);
			await raw.end();
		});

		test("pipelined requests are answered in order", async (t) => {
			const raw = await connect(t);
			const paths = ["/healthz", "/", "/nothing", "/style.css"];
			const statuses = [200, 200, 404, 200];

			for (let i = 0; i < 50; i++)
				for (const path of paths)
					raw.request("GET", path);
			for (let i = 0; i < 200; i++)
				assert.equal((await raw.response()).status,
				    statuses[i % 4], `response ${i}`);
		});

		test("more than fits into sockets, not read at first", async (t) => {
			const raw = await connect(t);
			const count = 20_000;

			raw.socket.pause();
			raw.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
			    .repeat(count));
			assert.equal((await get(t, "/healthz")).status, 200);
			raw.socket.resume();
			for (let i = 0; i < count; i++)
				assert.equal((await raw.response()).status, 200);
		});
	});

	describe("heads that are refused", () => {
		const line = "GET / HTTP/1.1\r\n";
		const host = "Host: localhost\r\n";
		const cases = [
			["TLS", "\x16\x03\x01\x02\x00\x01", 400],
			["no HTTP", "\x00\x01\x02\r\n\r\n", 400],
			["a bare LF", `GET / HTTP/1.1\n${host}\r\n`, 400],
			["two spaces", `GET  / HTTP/1.1\r\n${host}\r\n`, 400],
			["no version", `GET /\r\n${host}\r\n`, 400],
			["HTTP/2", `GET / HTTP/2.0\r\n${host}\r\n`, 505],
			["HTTP/1.2", `GET / HTTP/1.2\r\n${host}\r\n`, 505],
			["no Host", `${line}\r\n`, 400],
			["two Hosts", `${line}${host}${host}\r\n`, 400],
			["a malformed Host", `${line}Host: a b\r\n\r\n`, 400],
			["no colon", `${line}${host}nonsense\r\n\r\n`, 400],
			["a space before the colon",
				`${line}${host}X : y\r\n\r\n`, 400],
			["a folded line", `${line}${host}X: y\r\n z\r\n\r\n`, 400],
			["a NUL", `${line}${host}X: y\0z\r\n\r\n`, 400],
			["a fragment", `GET /#x HTTP/1.1\r\n${host}\r\n`, 400],
			["a relative target", `GET x HTTP/1.1\r\n${host}\r\n`, 400],
			["CONNECT", `CONNECT a:1 HTTP/1.1\r\n${host}\r\n`, 501],
			["two lengths", `${line}${host}Content-Length: 1\r\n` +
				"Content-Length: 1\r\n\r\n", 400],
			["a negative length",
				`${line}${host}Content-Length: -1\r\n\r\n`, 400],
			["length and coding", `${line}${host}Content-Length: 1\r\n` +
				"Transfer-Encoding: chunked\r\n\r\n", 400],
			["an unknown coding",
				`${line}${host}Transfer-Encoding: gzip\r\n\r\n`, 400],
			["two codings", `${line}${host}` +
				"Transfer-Encoding: gzip, chunked\r\n\r\n", 501],
			["a long target", `GET /${"x".repeat(HEAD_MAX)}`, 414],
			["a long head",
				`${line}${host}X: ${"x".repeat(HEAD_MAX)}`, 431],
			["many lines", `${line}${host}${"X: y\r\n".repeat(500)}\r\n`,
				431],
		];

		for (const [name, head, status] of cases)
			test(`${name}: ${status}`, async (t) => {
				const raw = await connect(t);

				raw.send(Buffer.from(head, "latin1"));
				const response = await raw.response();

				assert.equal(response.status, status,
				    response.body.toString());
				assert.equal(response.headers.get("connection"),
				    "close");
				assert.equal(response.headers.get("content-type"),
				    "application/json");
				assert.ok(response.json.error.code);
				assert.ok(response.json.error.reason);
				await raw.end();
			});

		test("a head as long as allowed is not", async (t) => {
			const raw = await connect(t);
			const start = `GET /healthz HTTP/1.1\r\n${host}X: `;
			const pad = HEAD_MAX - start.length - 4;

			raw.send(`${start}${"x".repeat(pad)}\r\n\r\n`);
			assert.equal((await raw.response()).status, 200);
		});

		test("the absolute form is understood", async (t) => {
			const response = await get(t, "http://localhost/healthz");

			assert.equal(response.status, 200);
		});
	});
});

/* These take as long as the server's patience: side by side, in a file that
 * runs beside others. */
describe("slow requests", { concurrency: true }, () => {
	const server = new Server();

	before(() => server.run());
	after(() => server.end());

	test("half a head is 408, and others are served meanwhile", async (t) => {
		const slow = await Raw.connect(server.port, { t });

		slow.send("GET / HTTP/1.1\r\nHost: local");
		const other = await Raw.connect(server.port, { t });

		other.request("GET", "/healthz");
		assert.equal((await other.response()).status, 200);
		const response = await slow.response();

		assert.equal(response.status, 408);
		await slow.end();
	});

	test("a byte now and then does not help", async (t) => {
		const slow = await Raw.connect(server.port, { t });
		const drip = setInterval(() => slow.send("x"), 500);

		t.after(() => clearInterval(drip));
		slow.send("GET / HTTP/1.1\r\nX: ");
		assert.equal((await slow.response()).status, 408);
	});

	test("nothing at all is just closed", async (t) => {
		const slow = await Raw.connect(server.port, { t });

		await slow.end();
	});

	test("half a second head, too", async (t) => {
		const slow = await Raw.connect(server.port, { t });

		slow.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET");
		assert.equal((await slow.response()).status, 200);
		assert.equal((await slow.response()).status, 408);
	});
});
