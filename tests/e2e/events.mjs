// SPDX-License-Identifier: MIT
/*
 * events.mjs - a client of server-sent events, on node's http: who aborts a fetch
 * of Node 18 sometimes leaves its connection open.
 *
 * The stream is taken apart as the format says, so far as it is used: blocks of
 * lines with an empty line behind them, and comments by themselves.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";

import { bounded } from "./wait.mjs";

export class Events {
	comments = 0;
	retry = null;  /* as the server has asked, ms */
	lastId = null; /* of the last block that had one */

	#text = "";
	#decoder = new TextDecoder();
	#ahead = []; /* what readAhead() has asked for, promises */

	#asked;
	#chunks;

	/* What a request and its response, of node:http, bring. */
	constructor(asked, response) {
		this.#asked = asked;
		this.#chunks = response[Symbol.asyncIterator]();
		this.headers = response.headers;
	}

	/* Ask for a stream, on a connection of its own. */
	static async connect(server, path, { t, headers = {} } = {}) {
		const asked = request(`${server.url}${path}`, { agent: false,
			headers: { Connection: "keep-alive", ...headers } });

		t?.after(() => asked.destroy());
		asked.end();
		const [response] = await bounded("response",
		    once(asked, "response"));

		asked.on("error", () => {}); /* the reader gets it */
		assert.equal(response.statusCode, 200);
		assert.equal(response.headers["content-type"],
		    "text/event-stream");
		return new Events(asked, response);
	}

	/* Follow a topic, which need not be encoded; query: an object; the rest
	 * is for connect().  The first block, which says "ready", has been read. */
	static open(server, topic, { query = {}, ...options } = {}) {
		return Events.at(server,
		    `/topics/${encodeURIComponent(topic)}/events?` +
		    new URLSearchParams(query), topic, options);
	}

	/* The same by any path, which should lead to that topic. */
	static async at(server, path, topic, options) {
		const events = await Events.connect(server, path, options);
		const first = await events.block();

		assert.deepEqual(Object.keys(first),
		    ["retry", "id", "event", "data"]);
		assert.match(first.retry, /^\d+$/u);
		assert.equal(first.event, "ready");
		const { epoch, seq, ...ready } = JSON.parse(first.data);

		assert.deepEqual(ready, { type: "ready", topic });
		assert.equal(first.id, `${epoch}:${seq}`);
		events.retry = Number(first.retry);
		return events;
	}

	/* Read from now on, whether or not anybody asks for what comes: who does
	 * not read is told a gap, or closed. */
	readAhead() {
		const chunk = this.#chunks.next();

		this.#ahead.push(chunk);
		chunk.then(({ done }) => done || this.readAhead(), () => {});
	}

	/* Read on.  Returns false at the end of the stream. */
	async #more() {
		const { value, done } = await bounded("event",
		    this.#ahead.shift() ?? this.#chunks.next());

		if (!done)
			this.#text += this.#decoder.decode(value, { stream: true });
		return !done;
	}

	/* Count and take away the comments that come next. */
	#skipComments() {
		for (;;) {
			const comment = /^:[^\n]*\n/u.exec(this.#text);

			if (comment === null)
				return;
			this.comments++;
			this.#text = this.#text.slice(comment[0].length);
		}
	}

	/* The next block, its fields by name; null: the stream has ended. */
	async block() {
		for (;;) {
			this.#skipComments();
			const end = this.#text.indexOf("\n\n");

			if (end !== -1)
				return this.#takeBlock(end);
			if (!await this.#more()) {
				assert.equal(this.#text, "", "half a block");
				return null;
			}
		}
	}

	#takeBlock(end) {
		const block = {};

		for (const line of this.#text.slice(0, end).split("\n")
		    .filter((each) => !each.startsWith(":"))) {
			const [, name, value] = /^([a-z]+): (.*)$/u.exec(line);

			block[name] = name in block ?
				`${block[name]}\n${value}` : value;
		}
		this.#text = this.#text.slice(end + 2);
		this.lastId = block.id ?? this.lastId;
		return block;
	}

	/* The text of the next message. */
	async next() {
		const block = await this.block();

		assert.deepEqual(Object.keys(block), ["data", "id"]);
		return block.data;
	}

	/* The object of the next gap. */
	async gap() {
		const block = await this.block();

		assert.equal(block?.event, "gap");
		const gap = JSON.parse(block.data);

		/* Its id is the place behind it. */
		if (gap.to !== undefined)
			assert.equal(block.id.split(":")[1], `${gap.to}`);
		return gap;
	}

	/* Wait for a comment. */
	async comment() {
		const before = this.comments;

		while (this.comments === before) {
			assert.ok(await this.#more(), "the stream has ended");
			this.#skipComments();
		}
	}

	get seq() {
		return Number(this.lastId.split(":")[1]);
	}

	close() {
		this.#asked.destroy();
	}
}

/* Publish a text by POST.  Returns what the server says of it. */
export async function post(server, topic, body, headers = {}) {
	const response = await fetch(
	    `${server.url}/topics/${encodeURIComponent(topic)}`,
	    { method: "POST", body, headers });

	assert.equal(response.status, 200);
	return response.json();
}
