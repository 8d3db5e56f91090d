// SPDX-License-Identifier: MIT
/*
 * tls.mjs - a certificate authority of a test's own, and servers that have its
 * certificates.
 */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
	chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";

import { Server } from "./server.mjs";
import { bounded } from "./wait.mjs";

const KINDS = {
	ecdsa: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
	rsa: ["-newkey", "rsa:2048"],
	weak: ["-newkey", "rsa:1024"],
};

export class Authority {
	#count = 0;

	/* Its files go with the test. */
	constructor(t) {
		this.dir = mkdtempSync(join(tmpdir(), "pubsubd-ca-"));
		this.file = join(this.dir, "ca.pem");
		this.keyFile = join(this.dir, "ca.key");
		t.after(() => rmSync(this.dir, { recursive: true }));
		this.openssl("req", "-x509", ...KINDS.ecdsa, "-nodes", "-days",
		    "2", "-subj", "/CN=a test's authority", "-keyout",
		    this.keyFile, "-out", this.file);
		this.pem = readFileSync(this.file, "utf8");
	}

	openssl(...args) {
		return execFileSync("openssl", args,
		    { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
	}

	path(name) {
		return join(this.dir, name);
	}

	/* The options by which openssl(1) makes a certificate last so long.
	 * From 3.4 on it refuses a time that ends before it begins, which is the
	 * only way to have one of the past in older ones.  Its help goes to standard
	 * error. */
	#lasting(days) {
		if (days >= 0 || !spawnSync("openssl", ["x509", "-help"],
		    { encoding: "utf8" }).stderr.includes("-not_after"))
			return ["-days", `${days}`];
		return ["-not_before", "20200101000000Z",
			"-not_after", "20200102000000Z"];
	}

	/* A certificate for these names or addresses, days long from now
	 * (negative: it is over).  Returns the paths of both files. */
	issue(names = ["localhost"], { kind = "ecdsa", days = 2 } = {}) {
		const base = this.path(`${this.#count++}-${names[0]}`);
		const key = `${base}.key`, cert = `${base}.pem`;
		const request = `${base}.csr`, extensions = `${base}.ext`;

		writeFileSync(extensions, "subjectAltName=" +
		    [...names.map((name) => `${isIP(name) ? "IP" : "DNS"}:${
			name}`), "IP:127.0.0.1"]
		    .join(","));
		this.openssl("req", ...KINDS[kind], "-nodes", "-subj",
		    `/CN=${names[0]}`, "-keyout", key, "-out", request);
		this.openssl("x509", "-req", "-in", request, "-CA", this.file,
		    "-CAkey", this.keyFile, "-CAcreateserial",
		    ...this.#lasting(days), "-extfile", extensions, "-out", cert);
		chmodSync(key, 0o600);
		return { cert, key };
	}
}

/* The options that name these files. */
export const pairOptions = (...pairs) => pairs.flatMap(({ cert, key }) =>
	["--tls-cert", cert, "--tls-key", key]);

/* A server for one test that speaks TLS, too, with certificates of this
 * authority: pairs, or one for localhost. */
export function startTls(t, authority, args = [], pairs = [authority.issue()]) {
	return Server.start(t, ["--tls-listen", "127.0.0.1:0",
		...pairOptions(...pairs), ...args]);
}

/* Connect, and shake hands.  Returns node's socket, which the test drops. */
export async function shake(t, server, authority, options = {}) {
	const socket = connect({ port: server.tlsPort, host: "127.0.0.1",
		servername: "localhost", ca: authority.pem, ...options });

	t.after(() => socket.destroy());
	await bounded("TLS handshake", new Promise((resolve, reject) => {
		socket.once("secureConnect", resolve).once("error", reject);
	}));
	return socket;
}

/* All that a socket still has to say. */
export function rest(socket) {
	const pieces = [];

	return bounded("end of the stream", new Promise((resolve, reject) => {
		socket.on("data", (data) => pieces.push(data))
		    .on("end", () => resolve(Buffer.concat(pieces).toString()))
		    .on("error", reject);
	}));
}

/* Ask for /healthz, and see that the answer is right. */
export async function assertServes(socket) {
	socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" +
	    "Connection: close\r\n\r\n");
	const answer = await rest(socket);

	assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/u);
	assert.match(answer, /\r\n\r\nok\n$/u);
}
