// SPDX-License-Identifier: MIT
/*
 * nsc.mjs - what nsc(1), the tool for the accounts of servers of NATS, does of what
 * broker/bridge/README.md asks it, and a client that has such credentials.
 *
 *	Nsc	add operator, add account, edit account, add user, generate creds,
 *		generate config; whatever else is asked is an error
 *	User	a connection by TLS that tries what it may
 *
 * Keys are Ed25519, told in base 32 with a letter for what they are of and a
 * checksum; what one may stands in a token that the key above has signed.
 */

import assert from "node:assert/strict";
import {
	createPrivateKey, generateKeyPairSync, randomUUID, sign,
} from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { connect as connectTls } from "node:tls";

import { bounded, waitFor } from "./wait.mjs";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const KINDS = { operator: 14, account: 0, user: 20 };
const SEED = 18;

/* What stands in front of a raw key in PKCS 8. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

function base32(bytes) {
	const bits = [...bytes].map((b) => b.toString(2).padStart(8, "0"))
	    .join("");

	return bits.match(/.{1,5}/gu).map((five) =>
		LETTERS[parseInt(five.padEnd(5, "0"), 2)]).join("");
}

function unbase32(text) {
	const bits = [...text].map((letter) =>
		LETTERS.indexOf(letter).toString(2).padStart(5, "0")).join("");

	return Buffer.from(bits.match(/.{8}/gu).map((b) => parseInt(b, 2)));
}

/* CRC-16 of XMODEM, the lower byte first. */
function withChecksum(bytes) {
	let crc = 0;

	for (const byte of bytes) {
		crc ^= byte << 8;
		for (let i = 0; i < 8; i++)
			crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
	}
	return Buffer.from([...bytes, crc & 0xff, crc >> 8]);
}

class Key {
	constructor(kind) {
		const { privateKey, publicKey } = generateKeyPairSync("ed25519");
		const raw = (key, part) => Buffer.from(
		    key.export({ format: "jwk" })[part], "base64url");

		this.kind = kind;
		this.private = privateKey;
		this.public = base32(withChecksum([KINDS[kind] << 3,
			...raw(publicKey, "x")]));
		this.seed = base32(withChecksum([
			SEED << 3 | KINDS[kind] >> 2,
			(KINDS[kind] << 3 & 31) << 3,
			...raw(privateKey, "d")]));
	}

	/* A token of this key about another one. */
	token(of, name, claims) {
		const part = (json) => Buffer.from(JSON.stringify(json))
		    .toString("base64url");
		const text = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${
			part({ jti: randomUUID(), iss: this.public, name,
				iat: Math.floor(Date.now() / 1000),
				sub: of.public,
				nats: { ...claims, type: of.kind, version: 2 } })}`;

		return `${text}.${sign(null, Buffer.from(text), this.private)
		    .toString("base64url")}`;
	}
}

const OPEN = { subs: -1, data: -1, payload: -1 };
const ACCOUNT = { ...OPEN, imports: -1, exports: -1, wildcards: true, conn: -1,
	leaf: -1 };
const TEXT = { type: "string" };
const FLAG = { type: "boolean" };
const OPTIONS = {
	"add operator": { name: TEXT, sys: FLAG },
	"add account": { name: TEXT },
	"edit account": { name: TEXT, "js-disk-storage": TEXT,
		"js-streams": TEXT, "js-consumer": TEXT },
	"add user": { name: TEXT, account: TEXT, "allow-pub": TEXT,
		"allow-sub": TEXT },
	"generate creds": { name: TEXT, account: TEXT, "output-file": TEXT },
	"generate config": { "mem-resolver": FLAG, "config-file": TEXT },
};

const bytesOf = (text) => {
	const [, n, unit] = /^(\d+)([KMG])$/u.exec(text);

	return n * 1024 ** ("KMG".indexOf(unit) + 1);
};

export class Nsc {
	#operator;
	#accounts = new Map();
	#users = new Map();

	/* Its files are made in that directory. */
	constructor(dir) {
		this.dir = dir;
	}

	/* One call of the program. */
	run([verb, noun, ...words]) {
		const options = OPTIONS[`${verb} ${noun}`];

		assert.ok(options, `nsc ${verb} ${noun}`);
		/* As nsc does, with a value that begins with a minus. */
		const args = words.map((word, i) => /^-\d/u.test(word) ?
			[] : /^-\d/u.test(words[i + 1] ?? "") ?
				`${word}=${words[i + 1]}` : word).flat();
		const { values } = parseArgs({ args, options, strict: true });

		this[`${verb}_${noun}`](values);
	}

	add_operator({ name, sys }) {
		assert.ok(sys, "JetStream takes an account of the system");
		this.#operator = { name, key: new Key("operator") };
		this.add_account({ name: "SYS" });
	}

	add_account({ name }) {
		this.#accounts.set(name, { key: new Key("account"), limits: {} });
	}

	edit_account({ name, ...js }) {
		this.#accounts.get(name).limits = { mem_storage: 0,
			disk_storage: bytesOf(js["js-disk-storage"]),
			streams: Number(js["js-streams"]),
			consumer: Number(js["js-consumer"]) };
	}

	add_user({ name, account, ...may }) {
		const key = new Key("user");
		const list = (text) => ({ allow: text.split(",") });

		this.#users.set(`${account} ${name}`, { key,
			token: this.#accounts.get(account).key.token(key, name, {
				pub: list(may["allow-pub"]),
				sub: list(may["allow-sub"]), ...OPEN }) });
	}

	generate_creds({ name, account, ...file }) {
		const { key, token } = this.#users.get(`${account} ${name}`);

		writeFileSync(join(this.dir, file["output-file"]),
		    "-----BEGIN NATS USER JWT-----\n" +
		    `${token}\n------END NATS USER JWT------\n\n` +
		    "-----BEGIN USER NKEY SEED-----\n" +
		    `${key.seed}\n------END USER NKEY SEED------\n`);
	}

	generate_config(file) {
		const { name, key } = this.#operator;
		const system = this.#accounts.get("SYS").key.public;
		const accounts = [...this.#accounts].map(
		    ([title, { key: of, limits }]) => `${of.public}: ${key.token(
			of, title, { limits: { ...ACCOUNT, ...limits },
				default_permissions: { pub: {}, sub: {} } })}`);

		writeFileSync(join(this.dir, file["config-file"]),
		    `operator: ${key.token(key, name, { system_account: system })}
			system_account: ${system}
			resolver: MEMORY
			resolver_preload: {\n${accounts.join("\n")}\n}\n`);
	}
}

/* Somebody with these credentials at a server that speaks TLS. */
export class User {
	#text = "";

	static async open(t, { host, port }, ca, creds) {
		const user = new User();
		const plain = connect({ host, port });
		const [first] = await bounded("a server's first word",
		    once(plain, "data"));
		const { nonce } = JSON.parse(/\{.*\}/u.exec(first)[0]);
		const [, jwt] = /JWT-----\n(\S+)/u.exec(creds);
		const [, seed] = /SEED-----\n(\S+)/u.exec(creds);
		const key = createPrivateKey({ format: "der", type: "pkcs8",
			key: Buffer.concat([PKCS8,
				unbase32(seed).subarray(2, 34)]) });

		user.socket = connectTls({ socket: plain, host, ca });
		t.after(() => user.socket.destroy());
		user.socket.setEncoding("latin1").on("data", (text) => {
			user.#text += text;
		}).on("error", () => {});
		await bounded("TLS", once(user.socket, "secureConnect"));
		user.socket.write(`CONNECT ${JSON.stringify({ verbose: false,
			protocol: 1, jwt, sig: sign(null, Buffer.from(nonce), key)
			    .toString("base64url") })}\r\n`);
		assert.ok(await user.#may(""), user.#text);
		return user;
	}

	/* Say that; whether it was let. */
	async #may(line) {
		this.#text = "";
		this.socket.write(`${line}PING\r\n`);
		await waitFor("an answer", () => /^PONG\r\n/mu.test(this.#text) ||
		    this.socket.destroyed);
		return !/^-ERR/mu.test(this.#text) && !this.socket.destroyed;
	}

	mayPublish(subject) {
		return this.#may(`PUB ${subject} 0\r\n\r\n`);
	}

	maySubscribe(subject) {
		return this.#may(`SUB ${subject} 7\r\n`);
	}
}

/* The credentials of a file. */
export const credsOf = (dir, name) =>
	readFileSync(join(dir, `${name}.creds`), "utf8");
