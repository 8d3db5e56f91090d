// SPDX-License-Identifier: MIT
/*
 * access-storm.test.mjs - tokens in masses: bad ones cost their address, and
 * nobody else; good ones that come back cost little.
 *
 * Loopback is not counted, so the clients come through a proxy that is trusted to
 * tell them apart.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ask, guarded, refused, topic } from "./access.mjs";
import { Client } from "./support.mjs";
import { Issuer, bearer } from "./tokens.mjs";
import { V1 } from "./v1-client.mjs";

/* As many bad tokens as an address may show in a second. */
const TRIES = 20;

const from = (address) => ({ "X-Forwarded-For": address });

describe("a storm of bad tokens", { concurrency: true }, () => {
	async function scene(t) {
		const { server, issuer } = await guarded(t,
		    ["--workers", "1", "--trust-proxy", "127.0.0.1"],
		    new Issuer("ES256"));

		return { server, issuer, look: async (token, address) =>
			ask(server, topic("a"), token,
			    { headers: from(address) }) };
	}

	test("is not looked into for long", async (t) => {
		const { server, issuer, look } = await scene(t);
		const stranger = new Issuer("ES256");
		const known = issuer.grant({}), other = issuer.grant({ a: 1 });

		assert.equal((await look(known, "203.0.113.1")).status, 403);
		const answers = [];

		/* More than may come however long this takes: each second allows
		 * so many more, and these are sent side by side. */
		for (let i = 0; i < 20; i++)
			answers.push(...await Promise.all(Array.from(
			    { length: TRIES }, (_, n) => look(stranger.grant(
				{}, `${i} ${n}`), "203.0.113.1"))));
		const bad = answers.filter(({ status }) => status === 401);
		const later = answers.filter(({ status }) => status === 503);

		assert.equal(bad.length + later.length, 20 * TRIES);
		assert.ok(bad.length >= TRIES);
		assert.ok(later.length > 0);
		refused(later[0], 503, "try_later");
		assert.equal(await server.total("tokens_key") +
		    await server.total("tokens_signature"), bad.length);
		assert.equal(await server.total("tokens_put_off"),
		    later.length);
		/* Others, and a token that is known, are not kept out. */
		assert.equal((await look(known, "203.0.113.1")).status, 403);
		assert.equal((await look(other, "203.0.113.2")).status, 403);
	});

	test("by messages and handshakes is held back, too", async (t) => {
		const { server, issuer } = await scene(t);
		const headers = from("203.0.113.1"), codes = new Set();
		let refusal = null;

		/* A handshake that takes a busy machine long comes when some tries
		 * are free again, and succeeds: then once more. */
		for (let i = 0; i < 100 && refusal === null; i++) {
			const client = await V1.open(server, { headers });

			for (let n = 0; n < 2 * TRIES; n++)
				client.send({ type: "auth", id: n,
					token: `a.b.${i} ${n}` });
			for (let n = 0; n < 2 * TRIES; n++)
				codes.add((await client.next()).code);
			const late = await Client.open(server, {
				protocols: ["pubsubd.v1"], headers: { ...headers,
					...bearer(issuer.grant({ i })) } });

			if ((await late.received(1)).length === 0)
				refusal = await late.closed;
			await Promise.all([client.close(), late.close()]);
		}
		assert.deepEqual([...codes], ["bad_token", "try_later"]);
		assert.deepEqual(refusal, { code: 1013,
			reason: "too many bad tokens from your address" });
	});
});

test("a token is verified once, however often it comes", async (t) => {
	const { server, issuer } = await guarded(t, ["--workers", "1"],
	    new Issuer("ES256"));
	const token = issuer.grant({ subscribe: ["a"] });

	for (let i = 0; i < 50; i++) {
		const client = await V1.open(server, { headers: bearer(token) });

		assert.equal((await client.subscribe("a")).type, "ack");
		client.socket.terminate();
		await client.closed;
	}
	assert.equal(await server.total("tokens_accepted"), 50);
	assert.equal(await server.total("tokens_verified"), 1);
});
