// SPDX-License-Identifier: MIT
/*
 * http2.mjs - a client that comes through a proxy by HTTP/2 over TLS: all that it
 * asks for is on one connection, also its WebSockets where the proxy offers that
 * (RFC 8441).
 */

import { once } from "node:events";
import http2 from "node:http2";

import WebSocket from "ws";

import { bounded } from "../e2e/wait.mjs";
import { NAME } from "./front.mjs";
import { must } from "./steps.mjs";
import { Visitor, listen } from "./visitor.mjs";

/* What ws is once it has shaken hands, on a stream where that is done. */
class Tunnel extends WebSocket {
	constructor(stream, options) {
		super(null, undefined, options);
		this._isServer = false; /* it masks */
		this.setSocket(stream, Buffer.alloc(0), {
			allowSynchronousEvents: true, maxPayload: 0,
			skipUTF8Validation: false });
	}
}

export class Http2Visitor extends Visitor {
	offersWebSockets = false;

	#session;

	/* Connect.  The proxy has said then what it offers. */
	async open() {
		const session = http2.connect(`https://127.0.0.1:${this.port}`, {
			rejectUnauthorized: false, localAddress: this.from,
			servername: NAME, ALPNProtocols: ["h2"] });

		session.on("error", () => {}); /* its end tells */
		await bounded("HTTP/2", Promise.race([
			once(session, "remoteSettings"),
			once(session, "close").then(() => {
				throw new Error("no HTTP/2");
			}),
		]));
		this.offersWebSockets =
			session.remoteSettings.enableConnectProtocol === true;
		this.#session = session;
		return this;
	}

	close() {
		this.#session.destroy();
	}

	get port() {
		return this.front.securePort;
	}

	get secure() {
		return true;
	}

	/* A stream, once the head of the response is there. */
	async #ask(head, body) {
		must(!this.#session.destroyed, "the connection is closed");
		const stream = this.#session.request(head,
		    { endStream: body === null });

		stream.on("error", () => {}); /* after the head */
		if (body)
			stream.end(body);
		const [response] = await bounded("response",
		    once(stream, "response"));

		stream.statusCode = response[":status"];
		return stream;
	}

	async ask(path, { method = "GET", headers = {}, body = null } = {}) {
		const length = body === null ? {} :
			{ "content-length": Buffer.byteLength(body) };
		const stream = await this.#ask({ ":path": path, ":method": method,
			":authority": this.host, ...length, ...headers }, body);

		return stream.setEncoding("utf8");
	}

	/* On this connection or, as browsers do then, on one of HTTP/1.1. */
	socket(query, options) {
		return this.offersWebSockets ? this.#connect(query, options) :
			super.socket(query, options);
	}

	async #connect(query, { host = this.host, origin = this.origin,
	    protocol = null, autoPong = true } = {}) {
		const stream = await this.#ask({ ":method": "CONNECT",
			":protocol": "websocket", ":scheme": "https",
			":path": `/ws${query}`, ":authority": host, origin,
			"sec-websocket-version": "13",
			...protocol && { "sec-websocket-protocol": protocol } });

		return stream.statusCode === 200 ?
			listen(new Tunnel(stream, { autoPong })) :
			stream.statusCode;
	}
}
