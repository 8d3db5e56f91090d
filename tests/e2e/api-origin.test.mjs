// SPDX-License-Identifier: MIT
/*
 * api-origin.test.mjs - which pages may publish and follow events by HTTP, and
 * what their browsers must be told for them to read the answers.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Raw, Server } from "./support.mjs";

const ALLOWED = "https://app.example";
const FOREIGN = { Origin: "https://evil.example" };
const PREFLIGHT = { "Access-Control-Request-Method": "POST",
	"Access-Control-Request-Headers": "content-type" };

describe("pages of other origins", () => {
	const server = new Server(["--allow-origin", ALLOWED]);

	before(() => server.run());
	after(() => server.end());

	const own = () => ({ Origin: `http://localhost:${server.port}`,
		Host: `127.0.0.1:${server.port}` });

	/* A request with a body of one byte if it is a POST. */
	async function ask(t, method, path, headers) {
		const raw = await Raw.connect(server.port, { t });
		const isPost = method === "POST";

		raw.request(method, path,
		    { "Content-Length": isPost ? 1 : null, ...headers });
		raw.send(isPost ? "x" : "");
		return raw.head();
	}

	const cors = (response) =>
		response.headers.get("access-control-allow-origin");

	const cases = [
		["POST", "/topics/a", FOREIGN, 403],
		["POST", "/topics/a", { Origin: "null" }, 403],
		["POST", "/topics/a", { "Sec-Fetch-Site": "cross-site" }, 403],
		["POST", "/topics/a", { "Sec-Fetch-Site": "same-origin" }, 200],
		["POST", "/topics/a", {}, 200],
		["GET", "/topics/a/events", FOREIGN, 403],
		["GET", "/topics/a/events", { "Sec-Fetch-Site": "cross-site" },
			403],
		["GET", "/topics/a/events", { "Sec-Fetch-Site": "same-site" },
			403],
		["GET", "/topics/a/events", { "Sec-Fetch-Site": "none" }, 200],
		["OPTIONS", "/topics/a", { ...FOREIGN, ...PREFLIGHT }, 403],
		["GET", "/topics/a", FOREIGN, 200],
		["GET", "/topics", FOREIGN, 200],
		["GET", "/topics/a/history", FOREIGN, 200],
	];

	for (const [method, path, headers, status] of cases)
		test(`${method} ${path} ${JSON.stringify(headers)}: ${status}, ` +
		    "and it cannot read it", async (t) => {
			await ask(t, "POST", "/topics/a", {});
			const response = await ask(t, method, path, headers);

			assert.equal(response.status, status);
			assert.equal(cors(response), undefined);
		});

	for (const [who, headers] of [["allowed", () => ({ Origin: ALLOWED })],
		["one's own", own]])
		test(`an origin that is ${who} may, and can read all`,
		    async (t) => {
			    const origin = headers().Origin;
			    const all = [["POST", "/topics/b", 200],
				    ["GET", "/topics/b", 200],
				    ["GET", "/topics", 200],
				    ["GET", "/topics/b/history", 200],
				    ["GET", "/topics/b/events", 200],
				    ["GET", "/topics/never", 404],
				    ["GET", "/topics?limit=x", 400],
				    ["PUT", "/topics/b", 405]];

			    for (const [method, path, status] of all) {
				    const response = await ask(t, method, path,
					headers());

				    assert.equal(response.status, status);
				    assert.equal(cors(response), origin);
				    assert.equal(response.headers.get("vary"),
					"Origin");
				    assert.equal(response.headers.get(
					"access-control-allow-credentials"),
				    "true");
			    }
		    });

	test("its browser is told what it may do", async (t) => {
		const response = await ask(t, "OPTIONS", "/topics/b",
		    { Origin: ALLOWED, ...PREFLIGHT });
		const value = (name) =>
			response.headers.get(`access-control-${name}`);

		assert.equal(response.status, 204);
		assert.equal(value("allow-origin"), ALLOWED);
		assert.match(value("allow-methods"), /\bPOST\b/u);
		assert.match(value("allow-headers"), /\bContent-Type\b/u);
		assert.match(value("allow-headers"), /\bLast-Event-ID\b/u);
		assert.match(value("max-age"), /^\d+$/u);
		assert.equal(value("allow-credentials"), "true");
	});

	/* A fixed list of two was allowed: libraries for tracing, polyfills and
	 * whoever sends a token could not use the interface. */
	for (const asked of ["cache-control", "last-event-id,cache-control",
		"baggage,sentry-trace,traceparent", "authorization , X-Own"])
		test(`and that it may send ${asked}`, async (t) => {
			const response = await ask(t, "OPTIONS",
			    "/topics/b/events", { Origin: ALLOWED, ...PREFLIGHT,
				    "Access-Control-Request-Headers": asked });
			const allowed = response.headers.get(
			    "access-control-allow-headers").split(",")
			    .map((name) => name.trim());

			assert.equal(response.status, 204);
			for (const name of asked.split(","))
				assert.ok(allowed.includes(name.trim()), name);
		});

	for (const asked of ["a b", "a,\"b\"", "a;b", "x".repeat(1025)])
		test(`no list of names is repeated: ${asked.slice(0, 9)}`,
		    async (t) => {
			    const response = await ask(t, "OPTIONS", "/topics/b",
				{ Origin: ALLOWED, ...PREFLIGHT,
				    "Access-Control-Request-Headers": asked });

			    assert.equal(response.status, 204);
			    assert.equal(response.headers.get(
				"access-control-allow-headers"),
			    "Content-Type, Last-Event-ID");
		    });

	/* A module of another origin is read with CORS or not at all. */
	test("a listed origin may read files, others may not", async (t) => {
		const read = await ask(t, "GET", "/pubsub.js",
		    { Origin: ALLOWED });
		const foreign = await ask(t, "GET", "/pubsub.js", FOREIGN);
		const none = await ask(t, "GET", "/pubsub.js", {});

		assert.equal(cors(read), ALLOWED);
		assert.equal(cors(foreign), undefined);
		for (const response of [read, foreign, none]) {
			assert.equal(response.status, 200);
			assert.match(response.headers.get("vary"), /Origin/u);
		}
	});

	test("OPTIONS by anybody else says what there is", async (t) => {
		const raw = await Raw.connect(server.port, { t });

		for (const [path, allow] of [["/topics", "GET, HEAD, OPTIONS"],
			["/topics/b", "GET, HEAD, POST, OPTIONS"]]) {
			raw.request("OPTIONS", path);
			const response = await raw.response();

			assert.equal(response.status, 204);
			assert.equal(response.headers.get("allow"), allow);
			assert.equal(cors(response), undefined);
		}
	});

	test("what was refused is counted", async (t) => {
		const before = await server.total("refused_origin");

		await ask(t, "POST", "/topics/a", FOREIGN);
		assert.equal(await server.total("refused_origin"), before + 1);
	});
});

/* Nobody has said that he trusts such pages with what a proxy in front makes of
 * cookies. */
for (const [list, origin] of [["*", "https://any.example"], ["null", "null"]])
	test(`--allow-origin ${list}: to be read, without cookies`, async (t) => {
		const server = await Server.start(t, ["--allow-origin", list]);
		const raw = await Raw.connect(server.port, { t });

		raw.request("GET", "/topics", { Origin: origin });
		const { headers } = await raw.response();

		assert.equal(headers.get("access-control-allow-origin"), origin);
		assert.equal(headers.get("access-control-allow-credentials"),
		    undefined);
	});
