// SPDX-License-Identifier: MIT
/*
 * access-places.test.mjs - where a token may stand: in a subprotocol, a cookie,
 * or the query; and what must not be taken for one.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ask, guarded, refused, topic } from "./access.mjs";
import { Events } from "./events.mjs";
import { Client, Raw, waitFor } from "./support.mjs";
import { Issuer, bearer } from "./tokens.mjs";
import { V1 } from "./v1-client.mjs";

const GRANTS = { subscribe: ["a"], publish: ["a"] };

/* Ask for a topic, which is forbidden to who is known here, so that the status
 * tells: 403 known, 401 not known, or its code. */
async function who(server, { headers = {}, query = "" } = {}) {
	const { status, body } = await ask(server, `/topics/a${query}`, null,
	    { headers });

	return status === 403 ? "known" : body.error.code;
}

describe("the subprotocol", { concurrency: true }, () => {
	test("says who a client is, and is not answered", async (t) => {
		const { server, issuer } = await guarded(t);
		const token = issuer.grant(GRANTS);

		for (const protocols of [["pubsubd.v1", `bearer.${token}`],
			[`bearer.${token}`, "pubsubd.v1"]]) {
			const client = await V1.open(server, { protocols });

			assert.equal(client.socket.protocol, "pubsubd.v1");
			await client.publish("a", 1);
			await client.close();
		}
		const raw = await Raw.connect(server.port, { t });

		raw.request("GET", "/ws?topic=a", { Host: "localhost",
			Upgrade: "websocket", Connection: "Upgrade",
			"Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
			"Sec-WebSocket-Protocol": `bearer.${token}` });
		const { status, headers } = await raw.head();

		assert.equal(status, 101);
		assert.equal(headers.get("sec-websocket-protocol"), undefined);
		await waitFor("subscription", async () =>
			await server.total("subscriptions") === 1);
	});

	test("that is bad or doubled closes", async (t) => {
		const { server, issuer } = await guarded(t);
		const token = issuer.grant(GRANTS);

		for (const protocols of [["pubsubd.v1", "bearer.x"],
			["pubsubd.v1", `bearer.${token}`,
				`bearer.${issuer.grant({})}`]]) {
			const client = await Client.open(server, { protocols });

			assert.equal((await client.closed).code, 4001);
		}
	});

	test("means nothing to HTTP", async (t) => {
		const { server, issuer } = await guarded(t);

		assert.equal(await who(server, { headers: {
			"Sec-WebSocket-Protocol":
			    `bearer.${issuer.grant(GRANTS)}` } }),
		"unauthorized");
	});
});

describe("the cookie", { concurrency: true }, () => {
	const cookie = (token) => ({ Cookie: `x=1; session=${token}; y` });

	test("of that name says who a client is", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--jwt-cookie", "session"]);
		const token = issuer.grant(GRANTS);
		const client = await V1.open(server, { headers: cookie(token) });

		await client.publish("a", "hello");
		await client.close();
		assert.equal(await who(server, { headers: cookie(token) }),
		    "known");
		for (const text of [`Session=${token}`, `sessio=${token}`,
			`sessions=${token}`, `x=session=${token}`, "session",
			`"session=${token}"`])
			assert.notEqual(await who(server,
			    { headers: { Cookie: text } }), "known", text);
		const events = await Events.open(server, "a",
		    { t, headers: cookie(token) });

		assert.ok(events);
	});

	test("is nothing unless it is named", async (t) => {
		const { server, issuer } = await guarded(t);

		assert.equal(await who(server, {
			headers: cookie(issuer.grant(GRANTS)) }), "unauthorized");
	});

	test("twice is none", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--jwt-cookie", "session"]);
		const token = issuer.grant(GRANTS);

		for (const text of [`session=${token}; session=${token}`,
			`session=; session=${token}`, "session="])
			assert.equal(await who(server,
			    { headers: { Cookie: text } }), "bad_token", text);
	});

	/* A browser sends it whoever's page asks: only a page that is known by
	 * name may use it. */
	test("counts for pages that are named alone", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--jwt-cookie", "session", "--allow-origin",
			"https://app.example", "--allow-origin", "*",
			"--allow-origin", "null"]);
		const token = issuer.grant(GRANTS);
		const own = `http://127.0.0.1:${server.port}`;

		for (const [headers, wanted] of [
			[{ Origin: own }, "known"],
			[{ Origin: "https://app.example" }, "known"],
			[{ "Sec-Fetch-Site": "same-origin" }, "known"],
			[{ "Sec-Fetch-Site": "none" }, "known"],
			[{}, "known"],
			[{ Origin: "https://evil.example" }, "unauthorized"],
			[{ Origin: "null" }, "unauthorized"],
			[{ Origin: "http://app.example" }, "unauthorized"],
			[{ "Sec-Fetch-Site": "cross-site" }, "unauthorized"],
			[{ "Sec-Fetch-Site": "same-site" }, "unauthorized"],
		]) {
			assert.equal(await who(server, { headers: {
				...cookie(token), ...headers } }), wanted,
			JSON.stringify(headers));
			/* A token that the page itself shows is its own. */
			assert.equal(await who(server, { headers: {
				...bearer(token), ...headers } }), "known");
		}
		const foreign = await V1.open(server, { headers: cookie(token),
			origin: "https://evil.example" });

		await foreign.refuse({ type: "subscribe", topic: "a" },
		    "unauthorized");
		await foreign.close();
	});
});

describe("the query", { concurrency: true }, () => {
	test("says who a client is where that is allowed", async (t) => {
		const { server, issuer } = await guarded(t, ["--jwt-query"]);
		const access_token = issuer.grant(GRANTS);
		const client = await V1.open(server, { query: { access_token } });

		await client.publish("a", "hello");
		await client.close();
		const plain = await Client.open(server,
		    { topics: ["a"], query: { access_token } });

		plain.say("a", "x");
		assert.equal(await plain.next(), "x");
		await plain.close();
		const query = `?access_token=${access_token}`;

		assert.equal(await who(server, { query }), "known");
		await Events.open(server, "a", { t, query: { access_token } });
		for (const bad of [`${query}&access_token=${access_token}`,
			`${query}&access_token=`, "?access_token=",
			`?access_token=${encodeURIComponent("a b")}`])
			assert.equal(await who(server, { query: bad }),
			    "bad_token", bad);
		assert.equal(await who(server,
		    { query: `?Access_token=${access_token}` }), "unauthorized");
	});

	test("is nothing unless it is said", async (t) => {
		const { server, issuer } = await guarded(t);

		assert.equal(await who(server, { query:
			`?access_token=${issuer.grant(GRANTS)}` }),
		"unauthorized");
	});

	test("is in no log", async (t) => {
		const { server, issuer } = await guarded(t,
		    ["--jwt-query", "--log-level", "debug"]);
		const good = issuer.grant(GRANTS);

		for (const access_token of [good, new Issuer().grant(GRANTS)]) {
			await who(server, { query: `?access_token=${access_token}` });
			const client = await Client.open(server, {
				query: { access_token, topic: "a" },
				origin: `http://127.0.0.1:${server.port}` });

			client.socket.terminate();
			await client.closed;
			refused(await ask(server,
			    `${topic("a")}?access_token=${access_token}`, null,
			    { method: "POST", body: "x",
				headers: { Origin: "https://evil.example" } }),
			403, "forbidden");
		}
		await server.stop();
		assert.match(server.logged, /evil\.example/u);
		assert.doesNotMatch(server.logged, /eyJ|access_token/u);
	});
});

test("the first place that has one counts", async (t) => {
	const { server, issuer } = await guarded(t,
	    ["--jwt-cookie", "session", "--jwt-query"]);
	const good = issuer.grant(GRANTS), bad = "x";
	const places = ["Authorization", "Cookie", "query"];

	for (let first = 0; first < places.length; first++) {
		for (const [one, others, wanted] of [[good, bad, "known"],
			[bad, good, "bad_token"]]) {
			const token = (i) => i === first ? one :
				i > first ? others : null;
			const headers = {};

			if (token(0))
				headers.Authorization = `Bearer ${token(0)}`;
			if (token(1))
				headers.Cookie = `session=${token(1)}`;
			assert.equal(await who(server, { headers,
				query: `?access_token=${token(2)}` }), wanted,
			`${places[first]} ${one === good}`);
		}
	}
});

/* However much of it there is, a head has its limit. */
test("a cookie of a megabyte is a head over its limit", async (t) => {
	const { server } = await guarded(t, ["--jwt-cookie", "session"]);

	for (const text of [`session=${"x".repeat(1 << 20)}`,
		"session=x; ".repeat(1 << 17)]) {
		const raw = await Raw.connect(server.port, { t });

		raw.request("GET", "/topics/a", { Cookie: text });
		assert.equal((await raw.response()).status, 431);
	}
	assert.equal(await who(server, { headers: {
		Cookie: `session=${"x".repeat(7000)}` } }), "bad_token");
});
