// SPDX-License-Identifier: MIT
/*
 * admin.test.mjs - the operator's pages: where they are, that what they say adds
 * up with what clients did, and that they stay when workers do not.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { get as httpGet } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";

import {
	Client, PUBSUBD, ROOT, Server, bounded, openOnEachWorker, run, waitFor,
} from "./support.mjs";
import { assertMetrics, noPromtool, parseMetrics, sumOf } from "./prometheus.mjs";

const FAILED = 1, USAGE = 2;

const ADMIN = ["--admin", "127.0.0.1:0"];

/* Get a page over a connection of its own, so that any worker may answer. */
async function get(url) {
	const [response] = await bounded(`answer of ${url}`,
	    once(httpGet(url, { agent: false }), "response"));
	let body = "";

	response.setEncoding("utf8").on("data", (text) => {
		body += text;
	});
	await bounded(`end of ${url}`, once(response, "end"));
	return { status: response.statusCode, headers: response.headers, body };
}

/* A server with operator's pages; server.admin is where. */
async function startWithPages(t, args = [], options = {}) {
	const server = await Server.start(t, [...ADMIN, ...args], options);

	server.admin = (await server.status()).admin;
	return server;
}

async function metricsOf(server) {
	const { status, headers, body } = await get(`${server.admin}/metrics`);

	assert.equal(status, 200);
	assert.equal(headers["content-type"],
	    "text/plain; version=0.0.4; charset=utf-8");
	return parseMetrics(body);
}

/* Wait until a metric, summed up, is that. */
function sumIs(server, name, labels, value) {
	return waitFor(`${name} ${value}`, async () =>
		sumOf(await metricsOf(server), name, labels) === value);
}

describe("pages", { concurrency: true }, () => {
	test("what there is", async (t) => {
		const server = await startWithPages(t);

		assert.match((await get(`${server.admin}/`)).body,
		    /href="metrics"/u);
		assert.equal((await get(`${server.admin}/healthz`)).body, "ok\n");
		assert.equal((await get(`${server.admin}/readyz`)).status, 200);
		for (const path of ["/index.html", "/ws", "/topics", "/metricsx"])
			assert.equal(
			    (await get(server.admin + path)).status, 404, path);
	});

	test("OPTIONS is 204: proxies look so", async (t) => {
		const server = await startWithPages(t);
		const response = await fetch(`${server.admin}/`,
		    { method: "OPTIONS" });

		assert.equal(response.status, 204);
		assert.equal(response.headers.get("allow"), "GET, HEAD, OPTIONS");
	});

	test("they are not public", async (t) => {
		const server = await startWithPages(t);

		for (const path of ["/metrics", "/stats"])
			assert.equal(
			    (await get(server.url + path)).status, 404, path);
	});

	test("their place is in the log and in status", async (t) => {
		const server = await startWithPages(t);

		assert.match(server.admin, /^http:\/\/127\.0\.0\.1:\d+$/u);
		assert.notEqual(server.admin, server.url);
		assert.ok(server.logged.includes(
		    `operator's pages on ${server.admin}\n`));
		assert.equal(server.stdout.split("\n").length, 2, "one line");
		assert.ok((await server.cli("status")).stdout.includes(
		    `\noperator  ${server.admin}\n`));
	});

	test("IPv6", async (t) => {
		const server = await startWithPages(t, ["--admin", "[::1]:0"]);

		assert.match(server.admin, /^http:\/\/\[::1\]:\d+$/u);
		await metricsOf(server);
	});

	test("--admin none", async (t) => {
		const server = await Server.start(t, ["--admin", "none"]);

		assert.equal((await server.status()).admin, null);
		assert.doesNotMatch(server.logged, /operator/u);
		assert.match((await server.cli("status")).stdout,
		    /^operator +none$/mu);
	});

	test("without --admin: on loopback, by port 0 on any", async (t) => {
		const server = new Server();
		const whole = server.commandLine.bind(server);

		server.commandLine = (command) => whole(command).filter(
		    (word, i, all) => word !== "--admin" && all[i - 1] !== "--admin");
		t.after(() => server.end());
		await server.run();
		server.admin = (await server.status()).admin;
		assert.match(server.admin, /^http:\/\/127\.0\.0\.1:\d+$/u);
		await metricsOf(server);
	});
});

describe("a port that is not to be had", { concurrency: true }, () => {
	for (const command of ["run", "start"])
		test(command, async (t) => {
			const other = createServer().listen(0, "127.0.0.1");

			await once(other, "listening");
			const address = `127.0.0.1:${other.address().port}`;
			const server = new Server(["--admin", address]);

			server.args.push("--log", join(server.dir, "log"));
			t.after(() => server.end());
			t.after(() => other.close());
			const done = await run(PUBSUBD,
			    server.commandLine(command), { env: server.env });

			assert.equal(done.status, FAILED);
			assert.equal(done.stdout, "");
			assert.equal(done.stderr, `pubsubd: --admin: ${address} ` +
			    "is in use by another program\n");
			await server.assertNothingLeft();
		});

	test("one of the public ones", async (t) => {
		const server = new Server(["--admin", "127.0.0.1:9"],
		    { listen: ["127.0.0.1:9"] });

		t.after(() => server.end());
		const done = await run(PUBSUBD, server.commandLine("run"));

		assert.equal(done.status, USAGE);
		assert.match(done.stderr,
		    /^pubsubd: --admin 127\.0\.0\.1:9: is one of --listen/u);
	});
});

describe("/metrics", { concurrency: true }, () => {
	test("promtool has nothing to say", { skip: noPromtool }, async (t) => {
		const server = await startWithPages(t);
		const client = await Client.open(server, { topics: ["a"] });

		client.say("a", "x");
		await client.next();
		const { body } = await get(`${server.admin}/metrics`);

		assertMetrics(body);
		await client.close();
	});

	test("adds up with what clients did, on each worker", async (t) => {
		const server = await startWithPages(t, ["--workers", "3"]);
		const clients = await openOnEachWorker(server,
		    () => Client.open(server, { topics: ["all"] }));

		for (let i = 0; i < 10; i++)
			clients[i % 3].say("all", `${i}`);
		for (const client of clients)
			await client.received(10);
		await sumIs(server, "pubsubd_delivery_seconds_count", {}, 30);
		const metrics = await metricsOf(server);
		const of = (name, worker) =>
			sumOf(metrics, `pubsubd_${name}`, { worker });

		clients.forEach((client, worker) => {
			assert.equal(of("websockets", worker), 1);
			assert.equal(of("subscriptions", worker), 1);
			assert.equal(of("subscribed_topics", worker), 1);
			assert.equal(
			    of("messages_in_total", worker), worker === 0 ? 4 : 3);
			assert.equal(of("messages_out_total", worker), 10);
			assert.equal(of("delivery_seconds_count", worker), 10);
			assert.ok(of("delivery_seconds_sum", worker) > 0);
			assert.equal(of("worker_up", worker), 1);
			assert.equal(of("worker_starts_total", worker), 1);
			assert.equal(of("drops_total", worker), 0);
			assert.equal(of("ring_lag_bytes", worker), 0);
		});
		assert.equal(sumOf(metrics, "pubsubd_topics"), 1);
		assert.equal(sumOf(metrics, "pubsubd_workers"), 3);
		assert.equal(
		    sumOf(metrics, "pubsubd_state", { state: "serving" }), 1);
		const { epoch, version } = await server.status();

		assert.equal(sumOf(metrics, "pubsubd_build_info",
		    { epoch, version, instance: server.name }), 1);
		const start = sumOf(metrics, "pubsubd_start_time_seconds") * 1000;

		assert.ok(start <= Date.now() && start > Date.now() - 60_000);
		for (const client of clients)
			await client.close();
		await sumIs(server, "pubsubd_connections", {}, 0);
	});

	test("streams of events are told apart from WebSockets", async (t) => {
		const server = await startWithPages(t);
		const [stream] = await bounded("head of the stream", once(httpGet(
		    `${server.url}/topics/a/events`, { agent: false }),
		"response"));

		await sumIs(server, "pubsubd_event_streams", {}, 1);
		assert.equal(sumOf(await metricsOf(server),
		    "pubsubd_websockets"), 0);
		stream.destroy();
		await sumIs(server, "pubsubd_event_streams", {}, 0);
	});

	test("what was refused, by reason", async (t) => {
		const server = await startWithPages(t);
		const foreign = Client.open(server,
		    { origin: "http://evil.example" });

		await assert.rejects(foreign);
		await sumIs(server, "pubsubd_refused_total", { reason: "origin" }, 1);
		assert.equal(sumOf(await metricsOf(server),
		    "pubsubd_refused_total"), 1);
	});
});

describe("/stats", () => {
	test("is what status prints", async (t) => {
		const server = await startWithPages(t);
		const client = await Client.open(server, { topics: ["a"] });
		const moving = ["uptime_ms", "turns", "writes", "bytes_in",
			"bytes_out", "admin_requests", "wakeups_sent"];
		const still = (key, value) =>
			moving.includes(key) ? typeof value : value;

		/* The start itself asked whether it answers. */
		await waitFor("the end of all others", async () =>
			await server.total("connections") === 1);
		const { headers, body } = await get(`${server.admin}/stats`);

		assert.equal(headers["content-type"], "application/json");
		assert.deepEqual(JSON.parse(body, still), JSON.parse(
		    JSON.stringify(await server.status()), still));
		await client.close();
	});
});

describe("the page", () => {
	test("is all in the program, and executes nothing else", async (t) => {
		const server = await startWithPages(t,
		    ["--root", join(ROOT, "scripts")]);

		for (const [path, type] of [["/", "text/html"],
			["/operator.js", "text/javascript"],
			["/operator.css", "text/css"]]) {
			const { status, headers, body } =
				await get(server.admin + path);

			assert.equal(status, 200);
			assert.equal(headers["content-type"],
			    `${type}; charset=utf-8`);
			assert.match(headers["content-security-policy"],
			    /^default-src 'none'; script-src 'self';/u);
			assert.ok(body.length > 1000);
			assert.doesNotMatch(body, /https?:\/\/(?!www\.w3\.org)/u);
		}
	});

	test("/busiest tells what was published between two looks", async (t) => {
		const server = await startWithPages(t, ["--workers", "1"]);
		const client = await Client.open(server, { topics: ["a"] });
		const busiest = async () =>
			JSON.parse((await get(`${server.admin}/busiest`)).body);

		assert.deepEqual(await busiest(), { seconds: 0, topics: [] });
		const { seconds, topics } = await waitFor("a topic", async () => {
			client.say("a", "x");
			const told = await busiest();

			return told.topics.length > 0 && told;
		});

		assert.ok(seconds >= 0.5);
		assert.equal(topics.length, 1);
		assert.equal(topics[0].topic, "a");
		assert.equal(topics[0].subscribers, 1);
		assert.ok(topics[0].rate > 0 && topics[0].seq > 0);
		await client.close();
	});
});

describe("/conns and /kick", () => {
	async function conns(server, query = "") {
		const { status, headers, body } =
			await get(`${server.admin}/conns${query}`);

		assert.equal(status, 200);
		assert.equal(headers["content-type"], "application/json");
		return JSON.parse(body);
	}

	const kick = async (server, query) => {
		const response = await fetch(`${server.admin}/kick${query}`,
		    { method: "POST" });

		return { status: response.status, ...await response.json() };
	};

	test("are of all workers, whichever answers", async (t) => {
		const server = await startWithPages(t, ["--workers", "3"]);
		const clients = await openOnEachWorker(server,
		    () => Client.open(server, { topics: ["a b"] }));
		const other = await Client.open(server, { topics: ["b"] });

		for (let i = 0; i < 10; i++) {
			const { connections, more, hung } =
				await conns(server, "?topic=a%20b");

			assert.equal(connections.length, 3);
			assert.deepEqual(connections.map(({ worker }) => worker)
			    .sort((x, y) => x - y), [0, 1, 2]);
			assert.equal(more, false);
			assert.deepEqual(hung, []);
		}
		const [{ id }] = (await conns(server, "?topic=b")).connections;

		assert.deepEqual((await conns(server, `?conn=${id}`)).connections
		    .map(({ topics }) => topics), [["b"]]);
		assert.deepEqual(
		    await kick(server, "?topic=a+b&code=4010&reason=out"),
		    { status: 200, closed: 3, hung: [] });
		for (const client of clients)
			assert.deepEqual(await client.closed,
			    { code: 4010, reason: "out" });
		await other.barrier();
		assert.deepEqual(await kick(server, `?conn=${id}`),
		    { status: 200, closed: 1, hung: [] });
		assert.equal((await other.closed).code, 4001);
	});

	test("several at a time, and with a worker that hangs", async (t) => {
		const server = await startWithPages(t, ["--watchdog", "0"]);
		const clients = await Promise.all(Array.from({ length: 300 },
		    (_, i) => Client.open(server,
			{ topics: [`${"t".repeat(200)}${i}`] })));
		const lists = await Promise.all(Array.from({ length: 5 },
		    () => conns(server)));

		for (const { connections } of lists)
			assert.equal(new Set(connections.map(({ id }) => id)).size, 300);
		const workers = await server.workers();
		const asked = Array.from({ length: 6 }, () =>
			conns(server).catch((error) => error));

		await Promise.all(asked);
		process.kill(workers[1], "SIGSTOP");
		try {
			/* The one that hangs may have taken the connection. */
			const answer = await waitFor("an answer", () =>
				Promise.race([conns(server), new Promise((resolve) =>
					setTimeout(resolve, 3000, null))]));

			assert.deepEqual(answer.hung, [1]);
			for (const { worker } of answer.connections)
				assert.equal(worker, 0);
		} finally {
			process.kill(workers[1], "SIGCONT");
		}
		await Promise.all(clients.map((client) => client.close()));
	});

	for (const [query, reason] of [
		["", "topic, user or conn is missing"],
		["?user=", "user is UTF-8 of 1 to 64 bytes"],
		["?conn=5", "conn is the id of a connection, WORKER.NUMBER"],
		["?conn=1.0", "conn is the id of a connection, WORKER.NUMBER"],
		["?topic=a&code=1000", "code is a number from 3000 to 4999"],
		[`?topic=a&reason=${"x".repeat(124)}`,
			"reason is UTF-8 of at most 123 bytes"],
		["?topic=%ff", "topic is UTF-8 of at most 255 bytes"],
	])
		test(`a kick of "${query.slice(0, 30)}" is refused`, async (t) => {
			const server = await startWithPages(t);
			const { status, error } = await kick(server, query);

			assert.equal(status, 400);
			assert.equal(error.reason, reason);
		});

	test("a page of another site cannot kick, nor GET", async (t) => {
		const server = await startWithPages(t);
		const foreign = await fetch(`${server.admin}/kick?topic=a`,
		    { method: "POST", headers: { Origin: "http://evil.example" } });

		assert.equal(foreign.status, 403);
		assert.equal((await get(`${server.admin}/kick?topic=a`)).status, 405);
	});
});

describe("when workers do not", { concurrency: true }, () => {
	test("killed: the others answer, and the count goes on", async (t) => {
		const server = await startWithPages(t);
		const clients = await openOnEachWorker(server,
		    () => Client.open(server, { topics: ["a"] }));

		server.deathsExpected = true;
		clients[0].say("a", "x");
		for (const client of clients)
			await client.received(1);
		process.kill((await server.workers())[0], "SIGKILL");
		await metricsOf(server);
		await sumIs(server, "pubsubd_respawns_total", {}, 1);
		await sumIs(server, "pubsubd_worker_up", {}, 2);
		const metrics = await metricsOf(server);

		assert.equal(sumOf(metrics, "pubsubd_worker_starts_total",
		    { worker: 0 }), 2);
		assert.equal(sumOf(metrics, "pubsubd_messages_in_total"), 1);
		assert.equal(
		    sumOf(metrics, "pubsubd_websockets", { worker: 0 }), 0);
		await clients[1].close();
	});

	test("stopped: the others answer", async (t) => {
		const server = await startWithPages(t, ["--watchdog", "0"]);
		const [stopped] = await server.workers();

		process.kill(stopped, "SIGSTOP");
		try {
			for (let i = 0; i < 10; i++)
				await metricsOf(server);
		} finally {
			process.kill(stopped, "SIGCONT");
		}
	});

	test("none left: who asks waits for a successor", async (t) => {
		const server = await startWithPages(t);

		server.deathsExpected = true;
		for (const pid of await server.workers())
			process.kill(pid, "SIGKILL");
		await metricsOf(server);
		await sumIs(server, "pubsubd_respawns_total", {}, 2);
	});

	test("restart: the same port", async (t) => {
		const server = await startWithPages(t);
		const { run: first } = await server.status();

		assert.equal((await server.cli("restart")).status, 0);
		const { run: second, admin } = await server.status();

		assert.equal(second, first + 1);
		assert.equal(admin, server.admin);
		await sumIs(server, "pubsubd_state", { state: "serving" }, 1);
	});
});
