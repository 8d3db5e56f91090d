// SPDX-License-Identifier: MIT
/*
 * origin.test.mjs - pages of other sites are kept out, one's own get in.
 *
 * The tables of what equals what are in the unit tests; here is what a browser,
 * a script and a proxy see.
 */

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, before, describe, test } from "node:test";

import { Raw, Server } from "./support.mjs";

const HANDSHAKE = { Upgrade: "websocket", Connection: "Upgrade",
	"Sec-WebSocket-Version": "13",
	"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" };

/* Status of a request with these headers. */
async function status(t, server, target, headers, host = "127.0.0.1") {
	const raw = await Raw.connect(server.port, { t, host });

	raw.request("GET", target,
	    target === "/ws" ? { ...HANDSHAKE, ...headers } : headers);
	return (await raw.head()).status;
}

/* Try each case: [headers, status]; %p is the port. */
function table(server, target, cases) {
	for (const [headers, expected] of cases)
		test(`${target} ${JSON.stringify(headers)} is ${expected}`,
		    async (t) => {
			    const real = Object.fromEntries(
				Object.entries(headers).map(([name, value]) =>
				    [name, value.replace("%p", server.port)]));

			    assert.equal(await status(t, server, target, real),
				expected);
		    });
}

describe("on loopback", () => {
	const server = new Server();

	before(() => server.run());
	after(() => server.end());

	const hosts = [
		[{ Host: "localhost:%p" }, 200],
		[{ Host: "127.0.0.1:%p" }, 200],
		[{ Host: "[::1]:%p" }, 200],
		[{ Host: "LOCALHOST" }, 200],
		[{ Host: "chat.localhost:%p" }, 200],
		[{ Host: "evil.example:%p" }, 403],
		[{ Host: "127.0.0.1.evil.example" }, 403],
		[{ Host: "localhost.evil.example" }, 403],
		[{ Host: "192.168.1.7:%p" }, 403],
		[{ Host: "" }, 403],
	];

	table(server, "/", hosts);
	table(server, "/healthz", hosts);

	table(server, "/ws", [
		[{ Host: "localhost:%p" }, 101],
		[{ Host: "localhost:%p", Origin: "http://localhost:%p" }, 101],
		[{ Host: "localhost:%p", Origin: "http://127.0.0.1:%p" }, 101],
		[{ Host: "localhost:%p", Origin: "https://localhost:%p" }, 101],
		[{ Host: "localhost", Origin: "http://localhost" }, 101],
		[{ Host: "localhost:%p", Origin: "http://localhost:1" }, 403],
		[{ Host: "localhost:%p", Origin: "http://localhost" }, 403],
		[{ Host: "localhost:%p", Origin: "https://evil.example" }, 403],
		[{ Host: "localhost:%p", Origin: "null" }, 403],
		[{ Host: "localhost:%p", Origin: "localhost:%p" }, 403],
		[{ Host: "localhost:%p", Origin: "" }, 403],
		/* DNS rebinding: both agree, and still */
		[{ Host: "evil.example:%p", Origin: "http://evil.example:%p" }, 403],
	]);

	test("refusals are counted, and say what would help", async (t) => {
		const raw = await Raw.connect(server.port, { t });
		const before = await server.total("refused_origin");

		raw.request("GET", "/ws", { ...HANDSHAKE,
			Origin: "https://evil.example" });
		const response = await raw.response();

		assert.equal(response.status, 403);
		assert.match(response.json.error.reason,
		    /--allow-origin https:\/\/evil\.example/u);
		assert.equal(await server.total("refused_origin"), before + 1);
		await raw.end();
	});
});

/* A browser shows a page nothing of it: the operator has to find it. */
test("what was refused, and what would allow it, is in the log", async (t) => {
	const server = await Server.start(t, ["--workers", "1"]);

	for (const origin of ["https://chat.example:3001", "a b"])
		await status(t, server, "/ws", { Origin: origin });
	await status(t, server, "/topics/a/events",
	    { Origin: "https://b.example" });
	await status(t, server, "/", { Host: "push.example" });
	await server.logs("all of it", new RegExp(["refused to 127\\.0\\.0\\.1: pages of " +
		"https://chat\\.example:3001 .*",
	"refused to 127\\.0\\.0\\.1: malformed Origin: a\\?b", "refused to 127\\.0\\.0\\.1: pages of " +
		"https://b\\.example .*--allow-origin https://b\\.example\\)",
	"refused to 127\\.0\\.0\\.1: this server .*--allow-host push\\.example\\)"]
	    .join("\\n.*"), "u"));
});

describe("behind a proxy", () => {
	const server = new Server(["--allow-origin", "https://chat.example",
		"--allow-host", "inner.example"]);

	before(() => server.run());
	after(() => server.end());

	table(server, "/ws", [
		[{ Host: "chat.example", Origin: "https://chat.example" }, 101],
		[{ Host: "localhost:%p", Origin: "https://chat.example" }, 101],
		[{ Host: "inner.example", Origin: "https://chat.example" }, 101],
		[{ Host: "inner.example", Origin: "https://inner.example" }, 101],
		[{ Host: "inner.example" }, 101],
		[{ Host: "chat.example", Origin: "https://other.example" }, 403],
		[{ Host: "chat.example", Origin: "https://chat.example:8443" }, 403],
		[{ Host: "other.example", Origin: "https://chat.example" }, 403],
	]);
});

describe("everybody", () => {
	const server = new Server(["--allow-origin", "*", "--allow-host", "*"]);

	before(() => server.run());
	after(() => server.end());

	table(server, "/ws", [
		[{ Host: "any.example", Origin: "https://other.example" }, 101],
		[{ Host: "any.example", Origin: "null" }, 101],
		[{ Host: "any.example", Origin: "nonsense" }, 403],
	]);
});

/* As the refusal of such a page recommends. */
describe("pages without an origin", () => {
	const server = new Server(["--allow-origin", "null"]);

	before(() => server.run());
	after(() => server.end());

	table(server, "/ws", [
		[{ Host: "localhost", Origin: "null" }, 101],
		[{ Host: "localhost", Origin: "https://other.example" }, 403],
	]);
});

const outside = Object.values(networkInterfaces()).flat()
    .find(({ internal, family }) => !internal && family === "IPv4");

describe("on another address", { skip: outside ? false :
	"this machine has no address but loopback" }, () => {
	const server = new Server([], { listen: [`${outside?.address}:0`] });

	before(() => server.run());
	after(() => server.end());

	for (const [headers, expected] of [
		[{ Host: "any.example" }, 101],
		[{ Host: "any.example", Origin: "http://any.example" }, 101],
		[{ Host: "any.example", Origin: "http://other.example" }, 403],
	])
		test(`${JSON.stringify(headers)} is ${expected}`, async (t) => {
			assert.equal(await status(t, server, "/ws", headers,
			    outside.address), expected);
		});
});
