// SPDX-License-Identifier: MIT
/*
 * jose.test.mjs - the server reads the tokens that the npm package jose makes,
 * for every algorithm and every kind and form of key, and none of those that a
 * server must not take.  The other direction is token.test.mjs.
 */

import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { EncryptJWT, SignJWT, UnsecuredJWT } from "jose";

import { Server } from "./support.mjs";
import { KINDS, Keys } from "./token-keys.mjs";

const GRANTS = { publish: ["room/+"] };

/* What the server says to one who publishes with this token. */
async function publish(server, token, topic = "room/1") {
	const response = await fetch(
	    `${server.url}/topics/${encodeURIComponent(topic)}`,
	    { method: "POST", body: "hello",
		    headers: { Authorization: `Bearer ${token}` } });
	const { error } = await response.json();

	return error ? `${response.status} ${error.code}: ${error.reason}` :
	    response.status;
}

const claims = (more = {}) => new SignJWT({ pubsubd: GRANTS, ...more })
    .setSubject("42").setIssuedAt().setExpirationTime("1h");

const sign = (key, header, more) =>
	claims(more).setProtectedHeader(header).sign(key);

/* A server that verifies with a new key of a kind. */
async function scene(t, kind, form = "jwk", members = {}, args = []) {
	const keys = new Keys(t);
	const key = keys.make(kind, members);
	const server = await Server.start(t,
	    ["--jwt-key", key.files[form].verify, ...args]);

	return { keys, key, server };
}

const newKey = (kind) => {
	const { secret, privateKey } = KINDS[kind].make();

	return secret ?? privateKey;
};

describe("the server takes what jose signs", { concurrency: true }, () => {
	for (const kind of Object.keys(KINDS))
		for (const form of kind === "oct" ? ["jwk"] : ["jwk", "pem"])
			test(`with a key of kind ${kind}, which it has as ${form}`,
			    async (t) => {
				    const { key, server } = await scene(t, kind, form);

				    for (const alg of KINDS[kind].algs)
					    await takes(server, key.sign, { alg });
				    assert.match(await publish(server, await sign(
					newKey(kind), { alg: KINDS[kind].algs[0] })),
				    /^401 bad_token: .*signature is wrong/u);
			    });

	async function takes(server, key, header) {
		const token = await sign(key, header);

		assert.equal(await publish(server, token), 200);
		assert.match(await publish(server, token, "rooms"),
		    /^403 forbidden/u);
	}

	test("with the key of a set that the token names", async (t) => {
		const keys = new Keys(t);
		const made = Object.keys(KINDS).flatMap((kind) => ["a", "b"].map(
		    (name) => ({ kind, kid: `${kind}-${name}`,
			    ...keys.make(kind, { kid: `${kind}-${name}` }) })));
		const set = keys.file("set.jwk", { keys: made.map(({ verify, kid }) =>
			({ ...verify.export({ format: "jwk" }), kid, use: "sig" })) });
		const server = await Server.start(t, ["--jwt-key", set]);

		for (const { kind, kid, sign: key } of made) {
			const alg = KINDS[kind].algs[0];

			await takes(server, key, { alg, kid });
			assert.match(await publish(server, await sign(key, { alg })),
			    /^401 bad_token: .*no key fits/u);
			assert.match(await publish(server,
			    await sign(newKey(kind), { alg, kid })),
			    /^401 bad_token: .*signature is wrong/u);
		}
	});

	test("for one of its audiences, by its issuer", async (t) => {
		const { key, server } = await scene(t, "ec", "jwk", {},
		    ["--jwt-iss", "https://id.example.org", "--jwt-aud", "chat"]);
		const made = (iss, aud) => claims().setIssuer(iss)
		    .setAudience(aud).setProtectedHeader({ alg: "ES256" })
		    .sign(key.sign);

		assert.equal(await publish(server,
		    await made("https://id.example.org", ["mail", "chat"])), 200);
		assert.match(await publish(server,
		    await made("https://id.example.org", "mail")), /audience/u);
		assert.match(await publish(server,
		    await made("https://other.example.org", "chat")), /issuer/u);
	});
});

describe("the server refuses", { concurrency: true }, () => {
	test("an algorithm of another kind of key, or that it does not know",
	    async (t) => {
		    for (const kind of Object.keys(KINDS)) {
			    const { server } = await scene(t, kind);

			    for (const other of Object.keys(KINDS))
				    for (const alg of other === kind ? [] :
					KINDS[other].algs)
					    assert.match(await publish(server,
						await sign(newKey(other), { alg })),
					    /^401 bad_token: .*no key fits/u);
		    }
		    const { server, key } = await scene(t, "rsa");
		    const secret = await scene(t, "oct");

		    for (const alg of ["RS384", "RS512", "PS512"])
			    assert.match(await publish(server,
				await sign(key.sign, { alg })), /^401 bad_token/u);
		    assert.match(await publish(secret.server, await sign(
			createSecretKey(Buffer.alloc(64, 7)), { alg: "HS512" })),
		    /^401 bad_token/u);
	    });

	/* RFC 8725, 2.1: everybody has the public key. */
	test("a token whose secret is the text of the public key", async (t) => {
		const { server, key } = await scene(t, "rsa", "pem");
		const secret = createSecretKey(readFileSync(key.files.pem.verify));

		assert.match(await publish(server,
		    await sign(secret, { alg: "HS256" })), /no key fits/u);
	});

	test("a token that brings its own key", async (t) => {
		const { server } = await scene(t, "ec");
		const { privateKey, publicKey } = KINDS.ec.make();
		const jwk = publicKey.export({ format: "jwk" });

		for (const members of [{ jwk }, { jku: "https://evil.example/k" },
			{ x5u: "https://evil.example/c" }, { x5c: ["MIIB"] }])
			assert.match(await publish(server,
			    await sign(privateKey, { alg: "ES256", ...members })),
			/^401 bad_token: .*signature is wrong/u);
	});

	test("what is not signed, or is encrypted", async (t) => {
		const { server, key } = await scene(t, "oct");
		const encrypted = await new EncryptJWT({ pubsubd: GRANTS })
		    .setExpirationTime("1h")
		    .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
		    .encrypt(createSecretKey(key.sign.export().subarray(0, 32)));

		assert.match(await publish(server, new UnsecuredJWT(
		    { pubsubd: GRANTS }).setExpirationTime("1h").encode()),
		/^401 bad_token/u);
		assert.match(await publish(server, encrypted), /^401 bad_token/u);
	});

	test("a header that asks for more than it says", async (t) => {
		const { server, key } = await scene(t, "oct");
		const header = (more) => claims()
		    .setProtectedHeader({ alg: "HS256", ...more });

		assert.match(await publish(server, await header({ crit: ["x"], x: 1 })
		    .sign(key.sign, { crit: { x: true } })), /header is not taken/u);
		assert.match(await publish(server, await header(
		    { typ: "logout+jwt" }).sign(key.sign)), /header is not taken/u);
		assert.equal(await publish(server, await header(
		    { typ: "at+jwt" }).sign(key.sign)), 200);
	});

	test("a token before its time, after it, or without an end", async (t) => {
		const { server, key } = await scene(t, "oct");
		const made = (token) => token
		    .setProtectedHeader({ alg: "HS256" }).sign(key.sign);
		const plain = () => new SignJWT({ pubsubd: GRANTS });

		assert.match(await publish(server, await made(
		    plain().setExpirationTime("31s ago"))), /has expired/u);
		assert.equal(await publish(server, await made(
		    plain().setExpirationTime("1s"))), 200);
		assert.match(await publish(server, await made(
		    claims().setNotBefore("90s"))), /not valid yet/u);
		assert.match(await publish(server, await made(plain())),
		    /a claim of the token is missing/u);
	});

	test("a key that is for something else", async (t) => {
		const { key, server } = await scene(t, "rsa", "jwk",
		    { alg: "PS256", use: "sig" });

		assert.equal(await publish(server,
		    await sign(key.sign, { alg: "PS256" })), 200);
		assert.match(await publish(server,
		    await sign(key.sign, { alg: "RS256" })), /no key fits/u);
	});
});
