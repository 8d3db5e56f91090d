// SPDX-License-Identifier: MIT
/*
 * cross-site.test.mjs - one table of who asks, tried at every door: the upgrade,
 * a publish and a stream of events over HTTP, and the operator's pages.
 *
 * What keeps a form on another site from publishing: a browser that posts across
 * origins says so in Origin, "null" if it may not say which, and where it sends
 * none it says cross-site in Sec-Fetch-Site.  The type of the body plays no part.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Raw, Server, hasIPv6 } from "./support.mjs";

const ADMIN = ["--admin", "127.0.0.1:0"];

const HANDSHAKE = { Upgrade: "websocket", Connection: "Upgrade",
	"Sec-WebSocket-Version": "13",
	"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" };

/* method, target, headers of its own, status if it is let in */
const WEBSOCKET = ["GET", "/ws", HANDSHAKE, 101];
const PUBLISH = ["POST", "/topics/a", { "Content-Length": "1" }, 200];
const EVENTS = ["GET", "/topics/a/events", {}, 200];
const METRICS = ["GET", "/metrics", {}, 200];
const STATS = ["GET", "/stats", {}, 200];

const PUBLIC = [WEBSOCKET, PUBLISH, EVENTS];
const OPERATOR = [METRICS, STATS];
const ALL = [...PUBLIC, ...OPERATOR];
const NOT_WEBSOCKET = ALL.slice(1);

/* Ask at a door; %p in a header is its port.  Returns the response. */
async function ask(t, server, door, headers, host) {
	const [method, target, own] = door;
	const port = OPERATOR.includes(door) ?
		Number(new URL(server.admin).port) : server.port;
	const raw = await Raw.connect(port, { t, host });
	const lines = Object.entries({ Host: "localhost:%p", ...own, ...headers })
	    .flatMap(([name, values]) => [values].flat().map((value) =>
		    `${name}: ${value.replaceAll("%p", port)}\r\n`));

	raw.send(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`,
	    method === "POST" ? "x" : "");
	return raw.head();
}

/* Try each case, [what, headers, allowed], at each of these doors. */
function table(server, doors, cases, host) {
	for (const door of doors)
		for (const [what, headers, allowed] of cases)
			test(`${door[0]} ${door[1]}: ${what} is ` +
			    `${allowed ? "let in" : "refused"}`, async (t) => {
				const response = await ask(t, server, door,
				    headers, host);

				assert.equal(response.status,
				    allowed ? door[3] : 403);
				/* Nor could it read the refusal. */
				if (!allowed)
					assert.equal(response.headers.get(
					    "access-control-allow-origin"),
					undefined);
			});
}

/* A server for a describe(). */
function serve(args, options) {
	const server = new Server([...ADMIN, ...args], options);

	before(async () => {
		await server.run();
		server.admin = (await server.status()).admin;
	});
	after(() => server.end());
	return server;
}

describe("on loopback", { concurrency: 4 }, () => {
	const server = serve([]);

	table(server, ALL, [
		["a program", {}, true],
		["our page", { Origin: "http://localhost:%p" }, true],
		["our page by another loopback name",
			{ Origin: "http://127.0.0.1:%p" }, true],
		["our page by IPv6", { Host: "[::1]:%p",
			Origin: "http://[::1]:%p" }, true],
		["our page by IPv6 and by name",
			{ Origin: "http://[::1]:%p" }, true],
		["our page in capitals", { Host: "LOCALHOST:%p",
			Origin: "HTTP://LocalHost:%p" }, true],
		["our page by a proxy that ends TLS",
			{ Origin: "https://localhost:%p" }, true],
		["our page by such a proxy on its default port",
			{ Host: "localhost", Origin: "https://localhost" }, true],
		["a page on another port",
			{ Origin: "http://localhost:1" }, false],
		["a page on the default port",
			{ Origin: "http://localhost" }, false],
		["a page on the other default port", { Host: "localhost:80",
			Origin: "https://localhost" }, false],
		["another scheme", { Origin: "ftp://localhost:%p" }, false],
		["a foreign page", { Origin: "https://evil.example" }, false],
		["a foreign page on our port",
			{ Origin: "http://evil.example:%p" }, false],
		["a name that begins like ours",
			{ Origin: "http://localhost.evil.example:%p" }, false],
		["a user that is called like us",
			{ Origin: "http://localhost:%p@evil.example" }, false],
		["another IPv6 address", { Origin: "http://[::2]:%p" }, false],
		["an opaque page", { Origin: "null" }, false],
		["an empty Origin", { Origin: "" }, false],
		["two Origins", { Origin: ["http://localhost:%p",
			"http://localhost:%p"] }, false],
		/* DNS rebinding: Host and Origin agree, or there is no Origin. */
		["a name that was made to point here",
			{ Host: "evil.example:%p" }, false],
		["the page of that name", { Host: "evil.example:%p",
			Origin: "http://evil.example:%p" }, false],
		["that page, which the browser thinks its own",
			{ Host: "evil.example:%p",
				"Sec-Fetch-Site": "same-origin" }, false],
		["an address of the network", { Host: "192.168.1.7:%p" }, false],
		["all addresses", { Host: "0.0.0.0:%p" }, false],
		["an empty Host", { Host: "" }, false],
	]);

	/* Browsers send Origin with every upgrade. */
	table(server, NOT_WEBSOCKET, [
		["no Origin, from another site",
			{ "Sec-Fetch-Site": "cross-site" }, false],
		["no Origin, from another host of the site",
			{ "Sec-Fetch-Site": "same-site" }, false],
		["no Origin, from our page",
			{ "Sec-Fetch-Site": "same-origin" }, true],
		["no Origin, typed by the user",
			{ "Sec-Fetch-Site": "none" }, true],
		["an image on another site", { "Sec-Fetch-Site": "cross-site",
			"Sec-Fetch-Mode": "no-cors" }, false],
	]);

	/* All that a browser posts without asking first, and what curl does. */
	for (const type of ["application/x-www-form-urlencoded",
		"multipart/form-data; boundary=x", "text/plain"])
		table(server, [PUBLISH], [
			[`${type} of another site`, { "Content-Type": type,
				Origin: "https://evil.example",
				"Sec-Fetch-Site": "cross-site",
				"Sec-Fetch-Mode": "navigate" }, false],
			[`${type} of an opaque page`, { "Content-Type": type,
				Origin: "null" }, false],
			[`${type} of our page`, { "Content-Type": type,
				Origin: "http://localhost:%p" }, true],
			[`${type} of a program`, { "Content-Type": type }, true],
		]);

	/* To read the numbers one has to go there. */
	table(server, OPERATOR, [
		["a link on another site", { "Sec-Fetch-Site": "cross-site",
			"Sec-Fetch-Mode": "navigate" }, true],
		["a script on another site", { Origin: "https://evil.example",
			"Sec-Fetch-Site": "cross-site",
			"Sec-Fetch-Mode": "cors" }, false],
	]);

	test("nothing can be posted to the operator", async (t) => {
		const door = ["POST", "/stats", { "Content-Length": "1" }];
		const raw = await Raw.connect(
		    Number(new URL(server.admin).port), { t });

		raw.request(...door);
		assert.equal((await raw.head()).status, 405);
	});

	test("no page is told that it may read the numbers", async (t) => {
		for (const door of OPERATOR) {
			const response = await ask(t, server, door,
			    { Origin: "http://localhost:%p" });

			assert.equal(response.status, 200);
			assert.equal(response.headers.get(
			    "access-control-allow-origin"), undefined);
			assert.equal(response.headers.get(
			    "x-content-type-options"), "nosniff");
		}
	});

	test("each refusal is counted", async (t) => {
		for (const door of ALL) {
			const was = await server.total("refused_origin");

			await ask(t, server, door,
			    { Origin: "https://evil.example" });
			assert.ok(await server.total("refused_origin") > was);
		}
	});
});

describe("behind a proxy with https", { concurrency: 4 }, () => {
	const server = serve(["--allow-host", "chat.example",
		"--allow-origin", "https://app.example"]);

	table(server, ALL, [
		["the public page", { Host: "chat.example",
			Origin: "https://chat.example" }, true],
		["its port spelled out", { Host: "chat.example:443",
			Origin: "https://chat.example" }, true],
		["the public page on a port of its own", {
			Host: "chat.example:8443",
			Origin: "https://chat.example:8443" }, true],
		["a program through the proxy", { Host: "chat.example" }, true],
		["an allowed page", { Host: "chat.example",
			Origin: "https://app.example" }, true],
		["an allowed page past the proxy",
			{ Origin: "https://app.example" }, true],
		["an allowed page on another port", { Host: "chat.example",
			Origin: "https://app.example:444" }, false],
		["an allowed page without TLS", { Host: "chat.example",
			Origin: "http://app.example" }, false],
		["the public page on another port", { Host: "chat.example",
			Origin: "https://chat.example:444" }, false],
		["the public page past the proxy",
			{ Origin: "https://chat.example" }, false],
		["a host of that name's domain", { Host: "sub.chat.example" },
			false],
		["another page", { Host: "chat.example",
			Origin: "https://evil.example" }, false],
		["a name that was made to point here", { Host: "evil.example",
			Origin: "https://app.example" }, false],
		["an opaque page", { Host: "chat.example", Origin: "null" },
			false],
	]);
});

describe("on IPv6", { concurrency: 4, skip: hasIPv6 ? false :
	"this machine has no IPv6" }, () => {
	const server = serve([], { listen: ["[::1]:0"] });

	table(server, PUBLIC, [
		["our page", { Host: "[::1]:%p", Origin: "http://[::1]:%p" },
			true],
		["our page by name", { Origin: "http://localhost:%p" }, true],
		["a page on another port", { Host: "[::1]:%p",
			Origin: "http://[::1]:1" }, false],
		["a name that was made to point here",
			{ Host: "evil.example:%p",
				Origin: "http://evil.example:%p" }, false],
		["another address", { Host: "[fe80::1]:%p",
			Origin: "http://[fe80::1]:%p" }, false],
	], "::1");
});

/* As --allow-origin null and * say. */
describe("everybody", { concurrency: 4 }, () => {
	const server = serve(["--allow-origin", "*"]);

	table(server, ALL, [
		["a foreign page", { Origin: "https://other.example" }, true],
		["an opaque page", { Origin: "null" }, true],
		["nonsense", { Origin: "nonsense" }, false],
		["a name that was made to point here",
			{ Host: "evil.example:%p" }, false],
	]);
});
