// SPDX-License-Identifier: MIT
/*
 * tokens.mjs - keys, the files that a server reads of them, and tokens made with
 * them: as a website's own code would, with node's crypto alone.
 */

import {
	constants, createHmac, generateKeyPairSync, randomBytes, sign,
} from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const KINDS = {
	RS256: ["rsa", { modulusLength: 2048 }],
	PS256: ["rsa", { modulusLength: 2048 }],
	ES256: ["ec", { namedCurve: "P-256" }],
	EdDSA: ["ed25519", {}],
};

/* The algorithms that a server knows. */
export const ALGORITHMS = ["HS256", ...Object.keys(KINDS)];

const base64url = (value) => Buffer.from(
    typeof value === "string" ? value : JSON.stringify(value))
    .toString("base64url");

export const now = () => Math.floor(Date.now() / 1000);

/* Who makes tokens, with one key. */
export class Issuer {
	constructor(alg = "HS256", kid) {
		this.alg = alg;
		this.kid = kid;
		if (alg === "HS256")
			this.secret = randomBytes(32);
		else
			this.pair = generateKeyPairSync(...KINDS[alg]);
	}

	/* The key as a server has it. */
	get jwk() {
		const key = this.secret ?
			{ kty: "oct", k: this.secret.toString("base64url") } :
			this.pair.publicKey.export({ format: "jwk" });

		return this.kid === undefined ? key : { ...key, kid: this.kid };
	}

	#signature(text) {
		const key = this.pair?.privateKey;

		switch (this.alg) {
		case "HS256":
			return createHmac("sha256", this.secret).update(text)
			    .digest();
		case "PS256":
			return sign("sha256", text, { key, saltLength: 32,
				padding: constants.RSA_PKCS1_PSS_PADDING });
		case "ES256":
			return sign("sha256", text,
			    { key, dsaEncoding: "ieee-p1363" });
		default:
			return sign(this.alg === "EdDSA" ? null : "sha256",
			    text, key);
		}
	}

	/* A token with these claims, which expires in an hour unless they say
	 * otherwise; header: members to add to it. */
	token(claims = {}, header = {}) {
		const head = { alg: this.alg, ...header };

		if (this.kid !== undefined)
			head.kid = this.kid;
		const text = `${base64url(head)}.${base64url(
		    { exp: now() + 3600, ...claims })}`;

		return `${text}.${this.#signature(Buffer.from(text))
		    .toString("base64url")}`;
	}

	/* One that grants these lists by kind, to this user. */
	grant(pubsubd, sub = "42", claims = {}) {
		return this.token({ sub, pubsubd, ...claims });
	}
}

/* A directory for one test. */
export function directory(t) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-keys-"));

	t.after(() => rmSync(dir, { recursive: true }));
	return dir;
}

/* Write the keys of these into a file, which is what --jwt-key names. */
export function writeKeys(path, ...issuers) {
	writeFileSync(path, JSON.stringify(
	    { keys: issuers.map(({ jwk }) => jwk) }), { mode: 0o600 });
	return path;
}

/* What a request shows of a token. */
export const bearer = (token) => ({ Authorization: `Bearer ${token}` });
