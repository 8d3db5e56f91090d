// SPDX-License-Identifier: MIT
/* access.mjs - servers that know a key, and clients of theirs with a token. */

import assert from "node:assert/strict";
import { join } from "node:path";

import { Client, Server } from "./support.mjs";
import { Issuer, bearer, directory, writeKeys } from "./tokens.mjs";
import { V1 } from "./v1-client.mjs";

/* A server that knows the key of an issuer. */
export async function guarded(t, args = [], issuer = new Issuer()) {
	const path = writeKeys(join(directory(t), "keys"), issuer);
	const server = await Server.start(t, ["--jwt-key", path, ...args]);

	return { server, issuer, path };
}

export const topic = (name) => `/topics/${encodeURIComponent(name)}`;

/* Ask by HTTP: status, body, and the challenge if there is one. */
export async function ask(server, path, token, options = {}) {
	const response = await fetch(`${server.url}${path}`, { ...options,
		headers: { ...options.headers, ...token && bearer(token) } });
	const text = await response.text();

	return { status: response.status,
		challenge: response.headers.get("www-authenticate"),
		body: text === "" ? null : JSON.parse(text) };
}

export const publish = (server, name, token, body = "hello") =>
	ask(server, topic(name), token, { method: "POST", body });

/* It is refused with this status and code. */
export function refused({ status, body }, wanted, code) {
	assert.equal(status, wanted, JSON.stringify(body));
	assert.equal(body.error.code, code);
	assert.ok(body.error.reason.length > 0);
}

export const open = (server, token, options = {}) => V1.open(server,
    { ...options, headers: token && bearer(token) });
export const openPlain = (server, token, options = {}) => Client.open(server,
    { ...options, headers: token && bearer(token) });
