// SPDX-License-Identifier: MIT
/*
 * trust-proxy.test.mjs - --trust-proxy: the limits of an address are those of the
 * client that a proxy tells, and of nobody whom anybody else tells.
 *
 * The proxy is 127.0.0.1 here; who comes from 127.0.0.2 is not believed.
 */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Raw, Server, hasIPv6, run, PUBSUBD, waitFor } from "./support.mjs";

const ANNA = { "X-Forwarded-For": "203.0.113.1" };
const BERT = { "X-Forwarded-For": "203.0.113.2" };

const start = (t, args = [], options = {}) => Server.start(t,
    ["--workers", "1", "--trust-proxy", "127.0.0.1", "--trust-proxy", "::1",
	"--max-conns-per-address", "1", ...args], options);

/* A connection with one answered request; closed if that was refused. */
async function ask(t, server, headers, options = {}) {
	const raw = options.raw ?? await Raw.connect(server.port,
	    { t, ...options });

	raw.request("GET", "/healthz", headers);
	const { status } = await raw.response();

	if (status === 503)
		await raw.end();
	return { raw, status };
}

describe("--trust-proxy", { concurrency: true }, () => {
	test("each client that is told has limits of its own", async (t) => {
		const server = await start(t);
		const anna = await Raw.open(server.port, "/ws",
		    { t, headers: ANNA });

		assert.equal((await ask(t, server, BERT)).status, 200);
		assert.equal((await ask(t, server, ANNA)).status, 503);
		assert.equal((await ask(t, server,
		    { Forwarded: "for=\"203.0.113.1:80\"" })).status, 503);
		/* What a client puts in front of itself, and who else there
		 * is behind. */
		assert.equal((await ask(t, server, { "X-Forwarded-For":
			"203.0.113.7, 203.0.113.1, 127.0.0.1" })).status, 503);
		assert.equal(await server.total("refused_address"), 3);
		await anna.close();
		await waitFor("room", async () =>
			(await ask(t, server, ANNA)).status === 200);
	});

	test("a connection that is kept is the next client's", async (t) => {
		const server = await start(t);
		const { raw } = await ask(t, server, ANNA);

		assert.equal((await ask(t, server, BERT, { raw })).status, 200);
		assert.equal((await ask(t, server, ANNA)).status, 200);
		assert.equal((await ask(t, server, BERT)).status, 503);
	});

	test("nobody else is believed", async (t) => {
		const server = await start(t, [], { listen: ["127.0.0.1:0"] });
		const from = "127.0.0.2";

		for (let i = 0; i < 3; i++)
			assert.equal((await ask(t, server, ANNA,
			    { from })).status, 200);
		assert.equal(await server.total("refused_address"), 0);
	});

	test("a proxy that tells nobody is loopback, one that tells nonsense " +
	    "is not exempt", async (t) => {
		const server = await start(t);

		for (let i = 0; i < 3; i++)
			assert.equal((await ask(t, server, {})).status, 200);
		assert.equal(await server.total("bad_forwarded"), 0);
		const nonsense = { ...ANNA, Forwarded: "for=203.0.113.2" };

		assert.equal((await ask(t, server, nonsense)).status, 200);
		assert.equal((await ask(t, server,
		    { "X-Forwarded-For": "unknown" })).status, 503);
		assert.equal(await server.total("bad_forwarded"), 2);
		assert.equal((await ask(t, server, ANNA)).status, 200);
	});

	test("over IPv6, too; a /64 network is one client", {
		skip: hasIPv6 ? false : "this machine has no IPv6",
	}, async (t) => {
		const server = await start(t, [], { listen: ["[::1]:0"] });
		const client = (address) => ask(t, server,
		    { "X-Forwarded-For": address }, { host: "::1" });

		assert.equal((await client("2001:db8:0:1::1")).status, 200);
		assert.equal((await client("2001:db8:0:1::2")).status, 503);
		assert.equal((await client("2001:db8:0:2::1")).status, 200);
	});

	test("new ones are counted for who is told", async (t) => {
		const server = await start(t, ["--max-conns-per-address", "100",
			"--conn-rate", "1"]);
		const answers = await Promise.all(Array.from({ length: 8 },
		    () => ask(t, server, ANNA)));

		assert.ok(answers.some(({ status }) => status === 503));
		assert.ok(await server.total("refused_conn_rate") > 0);
		const waits = await server.total("conn_rate_waits");

		assert.ok(waits > 0);
		assert.equal((await ask(t, server, BERT)).status, 200);
		assert.equal(await server.total("conn_rate_waits"), waits);
	});

	test("the log names who is told", async (t) => {
		const server = await start(t);

		await ask(t, server, { ...ANNA, Host: "foreign.example" });
		await server.logs("the client", /refused to 203\.0\.113\.1: /u);
	});

	test("reload changes it, and cuts nobody", async (t) => {
		const server = new Server(["--workers", "1",
			"--max-conns-per-address", "1"]);
		const path = join(server.dir, "conf");
		const reload = async (text) => {
			writeFileSync(path, text);
			const { status, stderr } = await server.cli("reload");

			assert.equal(status, 0, stderr);
		};

		t.after(() => server.end());
		writeFileSync(path, "");
		server.args.push("--config", path);
		await server.run();
		const anna = await Raw.open(server.port, "/ws",
		    { t, headers: ANNA });

		await ask(t, server, ANNA);
		await reload("trust-proxy = 127.0.0.0/8\n");
		assert.equal((await ask(t, server, ANNA)).status, 200);
		assert.equal((await ask(t, server, ANNA)).status, 503);
		await reload("");
		assert.equal((await ask(t, server, ANNA)).status, 200);
		await anna.close();
	});
});

for (const [value, why] of [
	["10.0.0.1/8", /bits behind its prefix/u],
	["10.0.0.0/33", /from 0 to 32/u],
	["::/129", /from 0 to 128/u],
	["proxy.example", /must be an address or a network/u],
])
	test(`--trust-proxy ${value} is wrong`, async () => {
		const { status, stderr } = await run(PUBSUBD,
		    ["check", "--config", "none", "--trust-proxy", value]);

		assert.equal(status, 2);
		assert.match(stderr, why);
	});
