// SPDX-License-Identifier: MIT
/*
 * conformance-handshake.test.mjs - RFC 6455, sections 4.2 and 9: the upgrade,
 * subprotocols and extensions.
 *
 * No extension is spoken, so each offer is ignored, compression (RFC 7692)
 * included, and its bit stays reserved.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
	PING, PONG, TEXT, assertAlive, assertFrame, withBoth, withEcho,
} from "./conformance.mjs";
import { Frame, Raw } from "./support.mjs";

const KEY = "dGhlIHNhbXBsZSBub25jZQ=="; /* of section 1.3, likewise: */
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const UPGRADE = { Host: "localhost", Upgrade: "websocket",
	Connection: "Upgrade", "Sec-WebSocket-Version": "13",
	"Sec-WebSocket-Key": KEY };

withBoth("4.2 the upgrade", (server) => {
	const accepted = {
		"as in section 1.3": {},
		"a list in Connection": { Connection: "keep-alive, Upgrade" },
		"other letter case": { Upgrade: "WebSocket",
			Connection: "UPGRADE" },
		"a list in Upgrade": { Upgrade: "h2c, websocket" },
		"headers that nobody knows": { "X-Any": "thing" },
	};

	for (const [name, headers] of Object.entries(accepted))
		test(`${name}: 101`, async (t) => {
			const raw = await Raw.connect(server.port, { t });

			raw.request("GET", "/ws", { ...UPGRADE, ...headers });
			const { status, headers: got } = await raw.head();

			assert.equal(status, 101);
			assert.equal(got.get("sec-websocket-accept"), ACCEPT);
			assert.equal(got.get("upgrade").toLowerCase(), "websocket");
			assert.equal(got.get("connection").toLowerCase(), "upgrade");
			await assertAlive(raw);
			await raw.close();
		});

	const refused = {
		"no Upgrade": [{ Upgrade: null }, 426],
		"another Upgrade": [{ Upgrade: "h2c" }, 426],
		"no Connection": [{ Connection: null }, 426],
		"Connection: keep-alive": [{ Connection: "keep-alive" }, 426],
		"no key": [{ "Sec-WebSocket-Key": null }, 400],
		"an empty key": [{ "Sec-WebSocket-Key": "" }, 400],
		"a key of 15 bytes": [{
			"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA" }, 400],
		"a key of 17 bytes": [{
			"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAA=" }, 400],
		"a key that is no base64": [{
			"Sec-WebSocket-Key": "*GhlIHNhbXBsZSBub25jZQ==" }, 400],
		"version 8": [{ "Sec-WebSocket-Version": "8" }, 426],
		"version 14": [{ "Sec-WebSocket-Version": "14" }, 426],
		"no version": [{ "Sec-WebSocket-Version": null }, 426],
		"no Host": [{ Host: null }, 400],
		"a body": [{ "Content-Length": "5" }, 400],
	};

	for (const [name, [headers, wanted]] of Object.entries(refused))
		test(`${name}: ${wanted}`, async (t) => {
			const raw = await Raw.connect(server.port, { t });

			raw.request("GET", "/ws", { ...UPGRADE, ...headers });
			const { status, headers: got } = await raw.response();

			assert.equal(status, wanted);
			if (status === 426) {
				assert.equal(got.get("sec-websocket-version"), "13");
				assert.equal(got.get("upgrade"), "websocket");
				assert.equal(got.get("connection"),
				    "close, Upgrade");
			}
			await raw.end();
		});

	for (const [method, version, wanted] of [["POST", "HTTP/1.1", 405],
		["HEAD", "HTTP/1.1", 405], ["GET", "HTTP/1.0", 426]])
		test(`${method} with ${version}: ${wanted}`, async (t) => {
			const raw = await Raw.connect(server.port, { t });

			raw.request(method, "/ws", UPGRADE, version);
			assert.equal((await raw.head()).status, wanted);
		});
});

withEcho("4.2 subprotocols", (server) => {
	for (const offer of ["chat", "chat, superchat", "pubsubd.v1", "mqtt"])
		test(`${offer}: none is spoken, none is chosen`, async (t) => {
			const raw = await server.raw(t,
			    { headers: { "Sec-WebSocket-Protocol": offer } });

			assert.equal(raw.handshake.headers
			    .has("sec-websocket-protocol"), false);
			raw.send(Frame.encode(TEXT, offer));
			await assertFrame(raw, TEXT, offer);
			await raw.close();
		});
});

withBoth("9.1 extensions are ignored", (server) => {
	const offers = ["permessage-deflate",
		"permessage-deflate; client_max_window_bits",
		"permessage-deflate; server_max_window_bits=8; " +
		    "client_no_context_takeover; server_no_context_takeover",
		"permessage-deflate; client_max_window_bits=99",
		"permessage-deflate, permessage-bzip2, x-webkit-deflate-frame",
		"no-such-thing; a=1; b=\"quoted, and more\""];

	for (const offer of offers)
		test(offer, async (t) => {
			const raw = await server.raw(t,
			    { headers: { "Sec-WebSocket-Extensions": offer } });

			assert.equal(raw.handshake.headers
			    .has("sec-websocket-extensions"), false);
			await assertAlive(raw);
			/* Its bit was not agreed on. */
			raw.send(Frame.encode(PING, "plain"),
			    Frame.encode(TEXT, Buffer.of(0xca, 0x48, 0, 0),
				{ rsv: 4 }));
			await assertFrame(raw, PONG, "plain");
			assert.equal((await raw.closing()).code, 1002);
		});
});
