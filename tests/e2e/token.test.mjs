// SPDX-License-Identifier: MIT
/*
 * token.test.mjs - the command `token': what it prints is a token to the npm
 * package jose, for every algorithm and every kind of key; and what it refuses.
 */

import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { describe, test } from "node:test";

import { decodeProtectedHeader, errors, jwtVerify } from "jose";

import { PUBSUBD, run } from "./support.mjs";
import { KINDS, Keys } from "./token-keys.mjs";

const FAILED = 1, USAGE = 2;

/* The token that these options make. */
async function make(args) {
	const { status, stdout, stderr } = await run(PUBSUBD, ["token", ...args]);

	assert.equal(status, 0, stderr);
	assert.equal(stderr, "");
	assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/u);
	return stdout.trim();
}

/* That these options make none, but one line that matches. */
async function refuses(args, status, line) {
	const done = await run(PUBSUBD, ["token", ...args]);

	assert.equal(done.stdout, "");
	assert.match(done.stderr, /^pubsubd: [^\n]+\n$/u);
	assert.match(done.stderr, line);
	assert.equal(done.status, status);
}

describe("jose verifies", { concurrency: true }, () => {
	for (const kind of Object.keys(KINDS))
		for (const form of kind === "oct" ? ["jwk"] : ["jwk", "pem"])
			for (const alg of KINDS[kind].algs)
				test(`${alg} by a key in ${form}`, async (t) => {
					const keys = new Keys(t);
					const key = keys.make(kind);
					const token = await make(["--sub", "42", "--key",
						key.files[form].sign, "--alg", alg]);

					await assertVerifies(token, key, alg);
					await assert.rejects(
					    jwtVerify(token, keys.make(kind).verify),
					    errors.JWSSignatureVerificationFailed);
				});

	async function assertVerifies(token, key, alg) {
		const { payload, protectedHeader } = await jwtVerify(
		    token, key.verify, { algorithms: [alg] });

		assert.deepEqual(protectedHeader, { alg, typ: "JWT" });
		assert.equal(payload.sub, "42");
		assert.equal(payload.exp - payload.iat, 3600);
		assert.ok(Math.abs(payload.iat - Date.now() / 1000) < 60);
	}

	test("what the options say, and only until then", async (t) => {
		const key = new Keys(t).make("ec", { kid: "k1" });
		const token = await make(["--key", key.files.jwk.sign, "--sub", "Zo\u00eb",
			"--info", '{"name": "Zo\u00eb"}', "--iss", "https://id.example.org",
			"--aud", "a", "--aud=b", "--expires", "60"]);
		const { payload } = await jwtVerify(token, key.verify,
		    { issuer: "https://id.example.org", audience: "b" });
		const { iat, ...rest } = payload;

		assert.deepEqual(rest, { exp: iat + 60, sub: "Zo\u00eb",
			info: { name: "Zo\u00eb" }, iss: "https://id.example.org",
			aud: ["a", "b"] });
		assert.deepEqual(decodeProtectedHeader(token),
		    { alg: "ES256", typ: "JWT", kid: "k1" });
		await assert.rejects(jwtVerify(token, key.verify,
		    { currentDate: new Date((iat + 60) * 1000) }),
		    errors.JWTExpired);
	});

	test("what is granted, with the name in its place", async (t) => {
		const key = new Keys(t).make("oct");
		const { payload: { pubsubd, sub } } = await jwtVerify(await make(
		    ["--key", key.files.jwk.sign, "--sub", "42",
			    "--grant", "subscribe,history:room/+",
			    "--grant=publish:user/{sub}/#", "--grant", "all:x"]),
		key.verify);

		assert.equal(sub, "42");
		assert.deepEqual(pubsubd, {
			subscribe: ["room/+", "x"], publish: ["user/42/#", "x"],
			presence: ["x"], history: ["room/+", "x"] });
	});

	test("the name of the key, and one audience", async (t) => {
		const key = new Keys(t).make("oct", { kid: "k1" });
		const token = await make(["--key", key.files.jwk.sign,
			"--kid", "other", "--aud", "a"]);
		const { payload } = await jwtVerify(token, key.verify);

		assert.equal(payload.aud, "a");
		assert.equal(decodeProtectedHeader(token).kid, "other");
	});

	test("the algorithm that a JWK is for", async (t) => {
		const key = new Keys(t).make("rsa", { alg: "PS256" });
		const token = await make(["--key", key.files.jwk.sign]);

		assert.equal(decodeProtectedHeader(token).alg, "PS256");
		await jwtVerify(token, key.verify);
	});
});

describe("refused", { concurrency: true }, () => {
	test("algorithms of other kinds of keys", async (t) => {
		const keys = new Keys(t);

		for (const kind of Object.keys(KINDS)) {
			const { files } = keys.make(kind);

			for (const other of Object.keys(KINDS))
				if (other !== kind)
					await refuses(["--key", files.jwk.sign, "--alg",
						KINDS[other].algs[0]], FAILED,
					/the key is not for this algorithm/u);
		}
	});

	test("key files", async (t) => {
		const keys = new Keys(t);
		const { files } = keys.make("ed25519");
		const read = (file, line) =>
			refuses(["--key", file], FAILED, line);

		await read(files.pem.verify, /: no private key in PEM, nor a JWK/u);
		await read(files.jwk.verify, /: a public key: signing needs the/u);
		await read(keys.file("empty", ""), /: no private key in PEM/u);
		await read(keys.file("short", { kty: "oct", k: "c2hvcnQ" }),
		    /: the secret is shorter than 32 bytes/u);
		await read(`${keys.dir}/none`, /none: No such file/u);
		await read(keys.dir, /: is not a file/u);
		chmodSync(files.pem.sign, 0o644);
		await read(files.pem.sign, /others than its owner may read it .*600/u);
		chmodSync(files.pem.sign, 0o640);
		await make(["--key", files.pem.sign]);
	});

	test("values", async (t) => {
		const { files } = new Keys(t).make("oct");
		const value = (args, line) => refuses(
		    ["--key", files.jwk.sign, ...args], USAGE, line);

		await value(["--sub", "x".repeat(65)], /--sub x+: is longer than 64/u);
		await value(["--sub", "a\x7fb"], /has a control character in it/u);
		await value(["--info", "{"], /--info \{: is not JSON: .*at byte 2/u);
		await value(["--info", `"${"x".repeat(511)}"`], /longer than 512/u);
		await value(["--info", "[".repeat(33) + "]".repeat(33)],
		    /nested deeper than 32/u);
		await value(["--grant", "read:a"], /--grant read:a: a grant is KIND/u);
		await value(["--grant", "all:#/a"], /--grant all:#\/a: /u);
		await value(["--grant", "all:{sub}"],
		    /--grant: \{sub\} stands for --sub, a name of one level/u);
		await value(["--grant", "all:{sub}", "--sub", "a/b"],
		    /--grant: \{sub\} stands for/u);
		await value(["--grant", "all:{sub}", "--sub", "+"],
		    /--grant: \{sub\} stands for/u);
		await value(["--alg", "none"], /--alg none: must be HS256, /u);
		await value(["--expires", "0"], /--expires 0: /u);
		await value(Array(9).fill("--aud=a"), /--aud a: is one too many/u);
		await value(["word"], /word: 'token' takes nothing but options/u);
		await refuses([], USAGE, /token: needs --key FILE/u);
	});

	test("what cannot be written", async (t) => {
		const { files } = new Keys(t).make("oct");
		const { status, stderr } = await run("bash", ["-c",
			'"$0" token --key "$1" >/dev/full', PUBSUBD, files.jwk.sign]);

		assert.equal(status, FAILED);
		assert.equal(stderr,
		    "pubsubd: standard output: cannot be written\n");
	});
});
