// SPDX-License-Identifier: MIT
/*
 * centrifuge.mjs - a server's clients that are Centrifuge's own library, as it
 * comes from npm, in node.
 *
 *	Sdk      a client and all that it says of itself
 *	Channel  a subscription of one, with what has come
 */

import assert from "node:assert/strict";

import { Centrifuge } from "centrifuge";
import WebSocket from "ws";

import { bounded, waitFor } from "./support.mjs";

export const PATH = "/connection/websocket";

export class Channel {
	subscribed = []; /* the contexts of each time */
	subscribing = []; /* and the codes of each loss */
	unsubscribed = [];
	publications = [];
	members = []; /* ["join" or "leave", user] */

	constructor(client, name, options = {}) {
		this.sub = client.newSubscription(name,
		    { minResubscribeDelay: 1, ...options });
		this.sub.on("subscribed", (ctx) => this.subscribed.push(ctx));
		this.sub.on("subscribing",
		    ({ code }) => this.subscribing.push(code));
		this.sub.on("unsubscribed", ({ code }) =>
			this.unsubscribed.push(code));
		this.sub.on("publication", (ctx) => this.publications.push(ctx));
		for (const event of ["join", "leave"])
			this.sub.on(event, ({ info }) =>
				this.members.push([event, info.user]));
		this.sub.subscribe();
	}

	get offsets() {
		return this.publications.map(({ offset }) => offset);
	}

	get data() {
		return this.publications.map(({ data }) => data);
	}

	ready() {
		return bounded(`subscription to ${this.sub.channel}`,
		    this.sub.ready());
	}

	/* Until it was subscribed so often. */
	async times(n) {
		await waitFor(`subscribed ${n} times`,
		    () => this.subscribed.length >= n);
		return this.subscribed[n - 1];
	}

	received(n) {
		return waitFor(`${n} publications`,
		    () => this.publications.length >= n);
	}

	/* Every number from the first one on has come, each once and in order. */
	assertDense(first, last) {
		assert.deepEqual(this.offsets, Array.from(
		    { length: last - first + 1 }, (_, i) => first + i));
	}
}

export class Sdk {
	connected = [];
	connecting = [];
	disconnected = [];
	errors = [];
	socket = null; /* of the present connection */

	/* options: those of the library, and path, query, headers. */
	constructor(t, server, { path = PATH, query = "", headers = {},
		...options } = {}) {
		const self = this;

		this.client = new Centrifuge(
		    `ws://127.0.0.1:${server.port}${path}${query}`, {
			websocket: class extends WebSocket {
				constructor(url) {
					super(url, { headers });
					self.socket = this;
				}
			},
			minReconnectDelay: 1, maxReconnectDelay: 100,
			...options,
		});
		for (const event of ["connected", "connecting", "disconnected"])
			this.client.on(event, (ctx) => this[event].push(ctx));
		this.client.on("error", (ctx) => this.errors.push(ctx));
		t.after(() => this.client.disconnect());
		this.client.connect();
	}

	static async open(t, server, options) {
		const sdk = new Sdk(t, server, options);

		await sdk.ready();
		return sdk;
	}

	ready() {
		return bounded("connection", this.client.ready());
	}

	/* The code with which it gave up. */
	async end() {
		await waitFor("end of the client",
		    () => this.disconnected.length > 0);
		return this.disconnected[0].code;
	}

	async subscribe(name, options) {
		const channel = new Channel(this.client, name, options);

		await channel.ready();
		return channel;
	}

	publish(name, data) {
		return bounded("answer to a publish",
		    this.client.publish(name, data));
	}
}
