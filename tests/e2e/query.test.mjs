// SPDX-License-Identifier: MIT
/*
 * query.test.mjs - what may stand behind /ws?, and what it does at once.
 *
 * What buffer and overflow do to a slow subscriber is in slow.test.mjs.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Client, Raw, Server, waitFor } from "./support.mjs";

describe("the query of a handshake", () => {
	const server = new Server(["--max-topics-per-conn", "3",
	    "--max-patterns-per-conn", "2"]);

	before(() => server.run());
	after(() => server.end());

	/* That who connects like this is subscribed to exactly these topics
	 * from the moment that the handshake is answered. */
	async function subscribes(t, query, topics) {
		await waitFor("the end of who was here before", async () =>
			await server.total("subscriptions") === 0);
		const raw = await Raw.open(server.port, `/ws?${query}`, { t });
		const publisher = await Client.open(server);

		assert.equal(await server.total("subscriptions"), topics.length);
		for (const topic of topics) {
			publisher.say(topic, `to ${topic}`);
			assert.equal(await raw.text(), `to ${topic}`);
			assert.equal(await publisher.next(), `to ${topic}`);
		}
		raw.destroy();
		await publisher.close();
	}

	const accepted = [
		["", []],
		["topic=a", ["a"]],
		["topic=a&topic=b&topic=c", ["a", "b", "c"]],
		["topic=a&topic=a&topic=a", ["a"]],
		["topic=", [""]],
		["topic", [""]],
		["topic=caf%C3%A9+au%20lait%26", ["café au lait&"]],
		["t%6fpic=a", ["a"]],
		[`topic=${"x".repeat(255)}`, ["x".repeat(255)]],
		["topics=b&x=y&&=&topic=a", ["a"]],
		["buffer=0&overflow=drop&topic=a", ["a"]],
		["buffer=99999999999999999999&overflow=latest&topic=a", ["a"]],
		["overflow=close&topic=a&buffer=1", ["a"]],
	];

	/* One after another: subscriptions are counted. */
	for (const [query, topics] of accepted)
		test(`${query.slice(0, 60)} is fine`,
		    (t) => subscribes(t, query, topics));

	const refused = [
		["pattern=", /a pattern is empty/u],
		["pattern=%23/a", /# is the last level/u],
		["pattern=%2", /percent/u],
		["pattern=a&pattern=b&pattern=a", /more patterns/u],
		["buffer=", /buffer/u],
		["buffer=x", /buffer/u],
		["buffer=-1", /buffer/u],
		["buffer=1e3", /buffer/u],
		["overflow=", /overflow/u],
		["overflow=newest", /overflow/u],
		["overflow=DROP", /overflow/u],
		["topic=%zz", /percent/u],
		["topic=%c3", /UTF-8/u],
		["topic=a%0ab", /control/u],
		[`topic=${"x".repeat(256)}`, /255/u],
		[`topic=${"x".repeat(4000)}`, /255/u],
		["topic=a&topic=b&topic=c&topic=d", /more topics/u],
	];

	for (const [query, reason] of refused)
		test(`${query.slice(0, 60)} is 400`, async (t) => {
			const raw = await Raw.connect(server.port, { t });

			raw.request("GET", `/ws?${query}`, { Upgrade: "websocket",
				Connection: "Upgrade",
				"Sec-WebSocket-Version": "13",
				"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" });
			const response = await raw.response();

			assert.equal(response.status, 400);
			assert.equal(response.json.error.code, "bad_request");
			assert.match(response.json.error.reason, reason);
			await raw.end();
		});
});
