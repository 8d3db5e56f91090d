// SPDX-License-Identifier: MIT
/*
 * raw.mjs - a client that does what it is told, right or wrong.
 *
 * It masks or does not, splits frames and bytes wherever asked, sends half a
 * request, shuts down one direction, stops reading.  What comes back is taken
 * apart just far enough to be looked at.
 */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { connect } from "node:net";

import { bounded } from "./wait.mjs";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export class Frame {
	static CONTINUATION = 0x0;
	static TEXT = 0x1;
	static BINARY = 0x2;
	static CLOSE = 0x8;
	static PING = 0x9;
	static PONG = 0xa;

	constructor(fields) {
		Object.assign(this, fields);
	}

	get text() {
		return this.payload.toString();
	}

	/* Of a close frame; 1005: it has none. */
	get code() {
		return this.payload.length < 2 ? 1005 :
			this.payload.readUInt16BE(0);
	}

	get reason() {
		return this.payload.subarray(2).toString();
	}

	/*
	 * The bytes of a frame.  fin, rsv and mask (four bytes; null: none) are
	 * what a client should send unless told otherwise; wide: bytes of the
	 * length field (2 or 8), where the shortest form is not wanted; claim:
	 * a length that is not the payload's.
	 */
	static encode(opcode, payload = "", options = {}) {
		const { fin = true, rsv = 0, mask = randomBytes(4), wide = 0,
			claim } = options;
		const body = Buffer.from(payload);
		const length = claim ?? body.length;
		const size = Math.max(wide,
		    length < 126 ? 0 : length < 65536 ? 2 : 8);
		const head = Buffer.alloc(2 + size);

		head[0] = (fin ? 0x80 : 0) | rsv << 4 | opcode;
		head[1] = (mask ? 0x80 : 0) |
			(size === 0 ? length : size === 2 ? 126 : 127);
		if (size === 2)
			head.writeUInt16BE(length, 2);
		else if (size === 8)
			head.writeBigUInt64BE(BigInt(length), 2);
		if (!mask)
			return Buffer.concat([head, body]);
		for (let i = 0; i < body.length; i++)
			body[i] ^= mask[i & 3];
		return Buffer.concat([head, mask, body]);
	}

	/* A plain message, as a text frame. */
	static message(topic, message, options) {
		return Frame.encode(Frame.TEXT,
		    JSON.stringify({ topic, message }), options);
	}

	static close(code, reason = "", options) {
		const payload = Buffer.alloc(2 + Buffer.byteLength(reason));

		payload.writeUInt16BE(code);
		payload.write(reason, 2);
		return Frame.encode(Frame.CLOSE, payload, options);
	}

	/* Bytes of a frame's header, by its second byte. */
	static #head(byte) {
		return (byte & 0x7f) === 126 ? 4 : (byte & 0x7f) === 127 ? 10 : 2;
	}

	/* How many bytes the frame in front of bytes has at least; exactly, once
	 * its header is there. */
	static size(bytes) {
		if (bytes.length < 2)
			return 2;
		const head = Frame.#head(bytes[1]);

		if (bytes.length < head)
			return head;
		return head + (head === 2 ? bytes[1] & 0x7f :
			head === 4 ? bytes.readUInt16BE(2) :
			Number(bytes.readBigUInt64BE(2)));
	}

	/* Take one frame off the front of bytes; null: it is not all there. */
	static decode(bytes) {
		const size = Frame.size(bytes);

		if (bytes.length < size)
			return null;
		assert.equal(bytes[1] & 0x80, 0, "a server masks nothing");
		return new Frame({ fin: bytes[0] >> 7 === 1,
			rsv: bytes[0] >> 4 & 7, opcode: bytes[0] & 0xf, size,
			payload: Buffer.from(bytes.subarray(
			    Frame.#head(bytes[1]), size)) });
	}
}

/* A response: its head, and its body once that has been read. */
class Response {
	constructor(text) {
		const [line, ...lines] = text.split("\r\n");

		[, this.version, this.status, this.phrase] =
			/^HTTP\/(1\.[01]) (\d{3}) (.*)$/u.exec(line);
		this.status = Number(this.status);
		this.headers = new Map(lines.map((header) => {
			const [, name, value] = /^([^\s:]+): (.*)$/u.exec(header);

			return [name.toLowerCase(), value];
		}));
	}

	get json() {
		return JSON.parse(this.body);
	}
}

const opened = new WeakMap(); /* a test's sockets, by its context */

/* Drop the connections that a test has left: a server would wait for them. */
export function hangUp(t) {
	for (const socket of opened.get(t) ?? [])
		socket.destroy();
}

function note(t, socket) {
	if (!opened.has(t)) {
		opened.set(t, []);
		t.after(() => hangUp(t));
	}
	opened.get(t).push(socket);
}

export class Raw {
	ended = false; /* no more will come */
	error = null;

	#bytes = Buffer.alloc(0); /* not taken yet */
	#fresh = [];              /* what came after these, */
	#freshLength = 0;         /* and how much that is */
	#wake = () => {};

	constructor(socket) {
		this.socket = socket;
		socket.setNoDelay(true);
		socket.on("data", (data) => {
			this.#fresh.push(data);
			this.#freshLength += data.length;
			this.#wake();
		});
		socket.on("end", () => {
			this.ended = true;
			this.#wake();
		});
		socket.on("error", (error) => {
			this.error = error;
			this.ended = true;
			this.#wake();
		});
	}

	/* Connect to a port, or to a socket's path; what the peer shuts down we do
	 * not, until told to.  t: the test at whose end the connection is
	 * dropped. */
	static async connect(port, { host = "127.0.0.1", from, t } = {}) {
		const to = typeof port === "string" ? { path: port } :
			{ port, host, localAddress: from };
		const socket = connect({ ...to, allowHalfOpen: true });

		if (t)
			note(t, socket);
		await bounded("connection", new Promise((resolve, reject) => {
			socket.once("connect", resolve).once("error", reject);
		}));
		return new Raw(socket);
	}

	/* Connect, and become a WebSocket. */
	static async open(port, path = "/ws", options = {}) {
		const raw = await Raw.connect(port, options);
		const key = randomBytes(16).toString("base64");

		raw.request("GET", path, { Host: typeof port === "string" ?
			"localhost" : `127.0.0.1:${port}`,
			Upgrade: "websocket", Connection: "Upgrade",
			"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key,
			...options.headers });
		raw.handshake = await raw.head();
		assert.equal(raw.handshake.status, 101);
		assert.equal(raw.handshake.headers.get("sec-websocket-accept"),
		    createHash("sha1").update(key + GUID).digest("base64"));
		return raw;
	}

	send(...pieces) {
		this.socket.write(Buffer.concat(pieces.map(Buffer.from)));
	}

	/* Send bytes; back when the kernel has them. */
	sendWhole(bytes) {
		return bounded("room in the socket", new Promise((resolve) => {
			this.socket.write(bytes, resolve);
		}));
	}

	/* Send each byte by itself, so that each is read by itself. */
	async sendSlowly(bytes) {
		for (const byte of Buffer.from(bytes))
			await this.sendWhole(Buffer.of(byte));
	}

	/* Send a request; a header that is null is left out. */
	request(method, target, headers = {}, version = "HTTP/1.1") {
		const lines = Object.entries({ Host: "localhost", ...headers })
		    .filter(([, value]) => value !== null)
		    .map(([name, value]) => `${name}: ${value}\r\n`);

		this.send(`${method} ${target} ${version}\r\n${lines.join("")}\r\n`);
	}

	/* Shut down our direction. */
	finish() {
		this.socket.end();
	}

	/* Wait until take(bytes) returns something, and return that.  There is no
	 * use in asking before there are least(bytes) of them. */
	async #until(what, take, least = () => 0) {
		for (;;) {
			const found = take(this.#bytes);

			if (found !== null)
				return found;
			if (this.#fresh.length > 0 && (this.ended ||
			    this.#bytes.length + this.#freshLength >=
			    least(this.#bytes))) {
				this.#bytes = Buffer.concat(
				    [this.#bytes, ...this.#fresh.splice(0)]);
				this.#freshLength = 0;
				continue;
			}
			if (this.ended)
				throw new Error(`${what} expected, but ` +
				    `${this.error ?? "the stream ended"}: ` +
				    this.#bytes.subarray(0, 200));
			await bounded(what, new Promise((resolve) => {
				this.#wake = resolve;
			}));
		}
	}

	#take(n) {
		const taken = this.#bytes.subarray(0, n);

		this.#bytes = this.#bytes.subarray(n);
		return taken;
	}

	read(n) {
		return this.#until(`${n} bytes`,
		    (bytes) => bytes.length < n ? null : this.#take(n));
	}

	/* The head of a response. */
	head() {
		return this.#until("response", (bytes) => {
			const end = bytes.indexOf("\r\n\r\n");

			return end === -1 ? null : new Response(
			    this.#take(end + 4).subarray(0, end).toString());
		});
	}

	/* The next chunk of a body (RFC 9112, 7.1); null: it was the last one. */
	async chunk() {
		const line = (await this.#until("chunk size", (bytes) => {
			const end = bytes.indexOf("\r\n");

			return end === -1 ? null : this.#take(end + 2);
		})).toString().slice(0, -2);

		assert.match(line, /^[\da-f]+$/u);
		const chunk = await this.read(Number.parseInt(line, 16) + 2);

		assert.equal(chunk.subarray(-2).toString(), "\r\n");
		return chunk.length > 2 ? chunk.subarray(0, -2) : null;
	}

	/* A response with its body; bare: to a HEAD, or a 304. */
	async response({ bare = false } = {}) {
		const response = await this.head();
		const length = response.headers.get("content-length") ?? 0;

		response.body = bare ? Buffer.alloc(0) :
			await this.read(Number(length));
		return response;
	}

	frame() {
		return this.#until("frame", (bytes) => {
			const frame = Frame.decode(bytes);

			if (frame !== null)
				this.#take(frame.size);
			return frame;
		}, Frame.size);
	}

	/* The next frame but for the server's pings, which come when they are due,
	 * and are answered. */
	async message() {
		for (;;) {
			const frame = await this.frame();

			if (frame.opcode !== Frame.PING)
				return frame;
			this.send(Frame.encode(Frame.PONG, frame.payload));
		}
	}

	/* The text of the next message, which is one text frame. */
	async text() {
		const frame = await this.message();

		assert.equal(frame.opcode, Frame.TEXT, `close ${frame.code}`);
		assert.equal(frame.fin, true);
		assert.equal(frame.rsv, 0);
		return frame.text;
	}

	/* The close frame, which comes next, and the end of the stream. */
	async closing() {
		const frame = await this.frame();

		assert.equal(frame.opcode, Frame.CLOSE, frame.text);
		await this.end();
		return frame;
	}

	/* The orderly end of the stream, with nothing before it.  Then we end,
	 * too. */
	async end() {
		await this.#until("end of the stream", (bytes) =>
			bytes.length > 0 || this.ended && !this.#fresh.length ?
				true : null);
		assert.equal(this.error, null);
		assert.equal(this.#bytes.toString(), "", "nothing before the end");
		this.socket.end();
	}

	destroy() {
		this.socket.destroy();
	}

	/* Leave, as a WebSocket should. */
	async close() {
		this.send(Frame.close(1000));
		await this.closing();
	}
}
