// SPDX-License-Identifier: MIT
/* token-keys.mjs - key files of every kind that signs tokens: PEM and JWK, made
 * anew by Node, which is OpenSSL's but another reader of these formats. */

import { createSecretKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/* Every kind of key with the algorithms that it is for. */
export const KINDS = {
	oct: { algs: ["HS256"],
		make: () => ({ secret: createSecretKey(randomBytes(48)) }) },
	rsa: { algs: ["RS256", "PS256"],
		make: () => generateKeyPairSync("rsa", { modulusLength: 2048 }) },
	ec: { algs: ["ES256"],
		make: () => generateKeyPairSync("ec", { namedCurve: "P-256" }) },
	ed25519: { algs: ["EdDSA", "Ed25519"],
		make: () => generateKeyPairSync("ed25519") },
};

/* A directory with the files of new keys, removed after the test. */
export class Keys {
	constructor(t) {
		this.dir = mkdtempSync(join(tmpdir(), "pubsubd-keys-"));
		t.after(() => rmSync(this.dir, { recursive: true }));
	}

	/* Write a file that only its owner may read.  Returns its path. */
	file(name, content, mode = 0o600) {
		const path = join(this.dir, name);

		writeFileSync(path, typeof content === "string" ?
			content : JSON.stringify(content), { mode });
		return path;
	}

	/* A new key of a kind: sign and verify are Node's objects, files the paths
	 * of what signs and what verifies, by form.  members: of the JWKs. */
	make(kind, members = {}) {
		const { secret, privateKey, publicKey } = KINDS[kind].make();
		const sign = secret ?? privateKey, verify = secret ?? publicKey;
		const jwk = (key) => ({ ...key.export({ format: "jwk" }), ...members });
		const files = { jwk: {
			sign: this.file(`${kind}-private.jwk`, jwk(sign)),
			verify: this.file(`${kind}.jwk`, jwk(verify)),
		} };

		if (!secret)
			files.pem = {
				sign: this.file(`${kind}-private.pem`, sign.export(
				    { type: "pkcs8", format: "pem" })),
				verify: this.file(`${kind}.pem`, verify.export(
				    { type: "spki", format: "pem" })),
			};
		return { sign, verify, files };
	}
}
