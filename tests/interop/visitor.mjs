// SPDX-License-Identifier: MIT
/* visitor.mjs - a client that comes through a proxy by HTTP/1.1. */

import { once } from "node:events";
import http from "node:http";
import https from "node:https";

import WebSocket from "ws";

import { bounded, waitFor } from "../e2e/wait.mjs";
import { NAME } from "./front.mjs";
import { must } from "./steps.mjs";

/* Keep what a WebSocket is told: its messages, and in the end why it ended. */
export function listen(socket) {
	socket.messages = [];
	socket.on("message", (data) => socket.messages.push(`${data}`));
	socket.on("error", () => {});
	socket.told = new Promise((resolve) => {
		socket.on("close", (code, reason) =>
			resolve(`closed ${code} ${reason}`.trim()));
	});
	return socket;
}

export class Visitor {
	/* front: a proxy that runs (front.mjs); from: the address that this
	 * client has, of those of this host. */
	constructor(front, { from } = {}) {
		this.front = front;
		this.server = front.server;
		this.from = from;
	}

	/* Connect, where there is one connection for all that it asks for. */
	async open() {
		return this;
	}

	close() {}

	get port() {
		return this.front.port;
	}

	get secure() {
		return Boolean(this.front.proxy.secure);
	}

	get host() {
		return `${NAME}:${this.port}`;
	}

	get origin() {
		return `http${this.secure ? "s" : ""}://${this.host}`;
	}

	/* A request, and its response once the head is there. */
	async ask(path, { method = "GET", headers = {}, body } = {}) {
		const ask = this.secure ? https.request : http.request;
		const asked = ask({ host: "127.0.0.1", port: this.port, path,
			method, agent: false, rejectUnauthorized: false,
			servername: NAME,
			localAddress: this.from,
			headers: { Host: this.host, ...headers } });

		asked.on("error", () => {}); /* after the response */
		asked.end(body);
		const [response] = await bounded("response",
		    once(asked, "response"));

		response.on("error", () => {});
		response.setEncoding("utf8");
		return response;
	}

	/* The same to its end: { status, body }. */
	async get(path, options) {
		const response = await this.ask(path, options);
		let body = "";

		response.on("data", (text) => {
			body += text;
		});
		await bounded("end of the response", once(response, "end"));
		return { status: response.statusCode, body };
	}

	/* An event stream of a topic: what came so far is its text. */
	async stream(topic, headers = {}) {
		const response = await this.ask(
		    `/topics/${encodeURIComponent(topic)}/events`, { headers });
		const stream = { text: "", response,
			close: () => response.destroy() };

		must(response.statusCode === 200, `status ${response.statusCode}`);
		response.on("data", (text) => {
			stream.text += text;
		});
		stream.ended = new Promise((resolve) => {
			response.on("close", resolve);
		});
		await waitFor("first event",
		    () => stream.text.includes("event: ready"));
		return stream;
	}

	/* A WebSocket: messages are in its list; or the status that refuses it. */
	async socket(query, { host = this.host, origin = this.origin,
	    protocol = null, ...options } = {}) {
		const socket = listen(new WebSocket(
		    `ws${this.secure ? "s" : ""}://127.0.0.1:${this.port}/ws${query}`,
		    protocol ? [protocol] : [], { headers: { Host: host }, origin, rejectUnauthorized: false,
			    servername: NAME, localAddress: this.from, ...options }));

		return bounded("handshake", Promise.race([
			once(socket, "open").then(() => socket),
			once(socket, "unexpected-response")
			    .then(([, response]) => response.statusCode),
		]));
	}

	async say(socket, topic, message) {
		socket.send(JSON.stringify({ topic, message }));
		await waitFor("the message",
		    () => socket.messages.at(-1) === message);
	}
}
