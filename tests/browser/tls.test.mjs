// SPDX-License-Identifier: MIT
/*
 * tls.test.mjs - the chat over https:// and wss://, straight from the server.
 *
 * The browser trusts the test's certificate by its key alone; whatever else is
 * wrong with a connection it refuses as ever.
 */

import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { chromium } from "playwright-core";

import { Authority, pairOptions } from "../e2e/tls.mjs";
import {
	Server, Visitor, chromiumOptions, scratchDirectory, skip,
} from "./support.mjs";

/* The option by which Chromium trusts the key of a certificate. */
function trust(cert) {
	const { publicKey } = new X509Certificate(readFileSync(cert));
	const hash = createHash("sha256")
	    .update(publicKey.export({ type: "spki", format: "der" }))
	    .digest("base64");

	return `--ignore-certificate-errors-spki-list=${hash}`;
}

/* A browser with a profile, without which Chromium does not take that option. */
function launch(cert) {
	return chromium.launchPersistentContext(scratchDirectory(),
	    chromiumOptions(trust(cert)));
}

describe("over TLS", { skip, timeout: 120_000 }, () => {
	test("two visitors talk, before and after a restart", async (t) => {
		const authority = new Authority(t);
		const pair = authority.issue();
		const server = await new Server("--tls-listen", "127.0.0.1:0",
		    ...pairOptions(pair)).start();
		let context;

		try {
			context = await launch(pair.cert);
			const there = { url: server.tlsUrl };
			const ada = await Visitor.in(context, "Ada");
			const ben = await Visitor.in(context, "Ben");

			await ada.join(there, "room");
			await ben.join(there, "room");
			assert.equal(await ada.page.evaluate(
			    () => globalThis.isSecureContext), true);
			assert.match(ada.page.url(), /^https:/u);
			await ada.say("over TLS");
			await ben.hears("over TLS");
			await server.restart();
			await ben.say("and again");
			await ada.hears("and again");
			assert.deepEqual([...ada.complaints, ...ben.complaints], []);
			assert.ok(await server.total("tls_handshakes") > 0);
		} finally {
			await context?.close();
			await server.stop();
		}
	});
});
