// SPDX-License-Identifier: MIT
/*
 * cli-hosts.test.mjs - pub, sub and topics with several servers: to which they
 * go, where they go on there, and what they do when one is cut off from its
 * cluster.
 *
 * What hosts of a cluster say is in scripts; real ones are in cluster.test.mjs.
 * The real servers here share nothing, so each has numbers of its own.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { scripted } from "./client-support.mjs";
import { Command } from "./command.mjs";
import { freePort } from "./ports.mjs";
import { PUBSUBD, Server, run, waitFor } from "./support.mjs";

const urlOf = (port) => `ws://127.0.0.1:${port}/ws`;
const urls = (ports) => ports.flatMap((port) => ["-u", urlOf(port)]);

const ack = ({ id, topic }, epoch, seq, more = {}) =>
	({ type: "ack", id, topic, epoch, seq, ...more });

const message = (seq, pos, text) =>
	({ type: "message", topic: "t", seq, pos, time: 1, message: text });

const refusal = ({ id }) => ({ type: "error", id, code: "cluster_down",
	reason: "the log is away" });

/* A host of a cluster, whose answers are frames, or a function that ends the
 * connection. */
function host(epoch, asked, answers) {
	return ({ socket, say, welcome }) => {
		welcome({ epoch });
		return (request) => {
			asked.push(request);
			for (const frame of answers(request))
				if (typeof frame === "function")
					frame(socket);
				else
					say(frame);
		};
	};
}

const restarts = (socket) => socket.close(1012, "restart");

/* A command with servers on these ports. */
function command(t, args, ports) {
	return new Command(t, [...args, ...urls(ports)]);
}

async function ends(child, status, stderr = /^$/u) {
	assert.equal(await child.ended(), status, child.stderr);
	assert.match(child.stderr, stderr);
}

describe("several servers, none of them there", { concurrency: true }, () => {
	for (const args of [["pub", "a", "b"], ["pub", "a", "b", "--retry"],
		["sub", "a"], ["topics"]])
		test(`${args.join(" ")} tries each once`, async () => {
			const done = await run(PUBSUBD, [...args, "-u",
				"ws://127.0.0.1:1/a/ws", "--url",
				"ws://127.0.0.1:1/b/ws"]);

			assert.equal(done.status, 3);
			assert.equal(done.stderr, "pubsubd: ws://127.0.0.1:1/a/ws: " +
			    "Connection refused; trying ws://127.0.0.1:1/b/ws\n" +
			    "pubsubd: no server answers on ws://127.0.0.1:1/b/ws: " +
			    "Connection refused\n");
		});

	test("what is no address is refused before", async () => {
		const done = await run(PUBSUBD, ["sub", "a", "-u",
			"ws://127.0.0.1:1/ws", "-u", "127.0.0.1:2"]);

		assert.equal(done.status, 2);
		assert.match(done.stderr, /^pubsubd: --url 127\.0\.0\.1:2: must be ws:/u);
	});

	test("there is an end to the list", async () => {
		const done = await run(PUBSUBD, ["topics",
			...urls(Array.from({ length: 17 }, (_, i) => i + 1))]);

		assert.equal(done.status, 2);
		assert.match(done.stderr, /is one too many: 16 are allowed/u);
	});
});

describe("the first is not there", () => {
	test("sub says so and is at the other", async (t) => {
		const port = await freePort();
		const server = await Server.start(t);
		const sub = command(t, ["sub", "t", "-C", "1"], [port, server.port]);

		await sub.said(/connected\n/u);
		await run(PUBSUBD, ["pub", "t", "x", "-u", server.url]);
		await ends(sub, 0, new RegExp(`^pubsubd: ${urlOf(port)}: ` +
		    `Connection refused; trying ${urlOf(server.port)}\n` +
		    `pubsubd: ${urlOf(server.port)}: connected\n$`, "u"));
		assert.equal(sub.stdout, "x\n");
	});

	test("pub and topics do as well", async (t) => {
		const port = await freePort();
		const server = await Server.start(t);
		const trying = new RegExp(`^pubsubd: ${urlOf(port)}: Connection ` +
		    `refused; trying ${urlOf(server.port)}\n$`, "u");

		await ends(command(t, ["pub", "t", "x"], [port, server.port]), 0,
		    trying);
		const topics = command(t, ["topics", "-j"], [port, server.port]);

		await ends(topics, 0, trying);
		assert.deepEqual(JSON.parse(topics.stdout)
		    .map(({ topic, seq }) => [topic, seq]), [["t", 1]]);
	});

	/* Another token, or another program, is what is wanted there. */
	test("but one that is none is the end", async (t) => {
		const alien = await scripted(t, ({ socket }) => socket.send("?"));
		const port = await freePort();

		await ends(command(t, ["sub", "t"], [alien.port, port]), 1,
		    /what it says is not pubsubd\.v1\n$/u);
	});
});

describe("from host to host of a cluster", () => {
	/* At host a it has 1 and 2; b knows them by other numbers. */
	async function moved(t, answersOfB, args) {
		const asked = [];
		const a = await scripted(t, host("A", [], (request) => [
			ack(request, "A", 0, { pos: "log.1" }),
			message(1, "log.10", "one"), message(2, "log.20", "two"),
			restarts]));
		const b = await scripted(t, host("B", asked, answersOfB));

		return { asked, ports: [a.port, b.port],
			sub: command(t, ["sub", "t", ...args], [a.port, b.port]) };
	}

	test("sub goes on behind its place, and says where it is", async (t) => {
		const { sub, asked, ports } = await moved(t, (request) => [
			ack(request, "B", 9, { pos: "log.60", replayed: 1,
				recovered: true }),
			message(9, "log.50", "three"),
			message(10, "log.70", "four")], ["-C", "4"]);
		const [a, b] = ports.map(urlOf);

		await ends(sub, 0, new RegExp(`^pubsubd: ${a}: closed by the ` +
		    `server with 1012: restart; trying ${b}\n` +
		    `pubsubd: ${b}: connected again\n$`, "u"));
		assert.deepEqual(sub.lines, ["one", "two", "three", "four"]);
		assert.deepEqual(asked[0].since,
		    { epoch: "A", seq: 2, pos: "log.20" });
	});

	test("what that host has no more it says", async (t) => {
		const { sub } = await moved(t, (request) => [
			ack(request, "B", 9, { pos: "log.60", replayed: 1,
				recovered: false }),
			{ type: "gap", topic: "t", reason: "expired" },
			message(9, "log.50", "four")], ["-C", "3"]);

		await ends(sub, 0,
		    /\npubsubd: t: messages may be missing \(expired[^\n]*\)\n$/u);
		assert.deepEqual(sub.lines, ["one", "two", "four"]);
	});

	test("of another log all is new", async (t) => {
		const { sub, asked } = await moved(t, (request) => {
			if (request.type === "unsubscribe")
				return [];
			if (request.since)
				return [ack(request, "B", 2, { pos: "new.9",
					recovered: false }),
				{ type: "gap", topic: "t", reason: "cluster" },
				message(3, "new.10", "too early")];
			return [ack(request, "B", 3, { pos: "new.10", replayed: 2,
				recovered: true }),
			message(2, "new.2", "y"), message(3, "new.10", "z")];
		}, ["-C", "4"]);

		await ends(sub, 0,
		    /again\npubsubd: t: messages may be missing \(cluster[^\n]*\)\n$/u);
		assert.deepEqual(sub.lines, ["one", "two", "y", "z"]);
		assert.deepEqual(asked.map(({ type }) => type),
		    ["subscribe", "unsubscribe", "subscribe"]);
	});

	test("--since has such a place, too", async (t) => {
		const asked = [];
		const a = await scripted(t, host("A", asked, (request) => [
			ack(request, "A", 5, { pos: "log.9", replayed: 1,
				recovered: true }), message(5, "log.8", "next")]));
		const sub = command(t, ["sub", "t", "-C", "1", "--since",
			"B:7:log.7"], [a.port]);

		await ends(sub, 0);
		assert.deepEqual(asked[0].since,
		    { epoch: "B", seq: 7, pos: "log.7" });
		assert.equal(sub.stdout, "next\n");
	});
});

describe("a host is cut off from its cluster", () => {
	const both = async (t, asked, answersOfB) => [
		await scripted(t, host("A", asked[0],
		    (request) => [refusal(request)])),
		await scripted(t, host("B", asked[1], answersOfB)),
	].map(({ port }) => port);

	test("pub --retry publishes at another, in the same order", async (t) => {
		const asked = [[], []];
		let seq = 0;
		const ports = await both(t, asked,
		    (request) => [ack(request, "B", ++seq)]);
		const pub = command(t, ["pub", "t", "--retry"], ports);

		pub.child.stdin.end("1\n2\n3\n");
		await ends(pub, 0);
		assert.equal(asked[0][0].message, "1");
		assert.deepEqual(asked[1].map((one) => one.message), ["1", "2", "3"]);
	});

	test("and fails when each has refused", async (t) => {
		const asked = [[], []];
		const ports = await both(t, asked, (request) => [refusal(request)]);

		await ends(command(t, ["pub", "t", "x", "--retry"], ports), 1,
		    /^pubsubd: the message: the log is away \(cluster_down\)\n$/u);
		assert.deepEqual(asked.map((all) => all.length), [1, 1]);
	});

	test("pub without it says so", async (t) => {
		const asked = [[], []];
		const ports = await both(t, asked, (request) => [refusal(request)]);

		await ends(command(t, ["pub", "t", "x"], ports), 1,
		    /^pubsubd: the message: the log is away \(cluster_down\)\n$/u);
		assert.deepEqual(asked.map((all) => all.length), [1, 0]);
	});

	/* It has not come to the place, and will not. */
	test("sub goes on at another", async (t) => {
		const asked = [[], []];
		const ports = await both(t, asked, (request) => [
			ack(request, "B", 1, { pos: "log.9", replayed: 1,
				recovered: true }), message(1, "log.8", "there")]);
		const sub = command(t, ["sub", "t", "-C", "1", "--since",
			"C:4:log.7"], ports);

		await ends(sub, 0, /: the host is cut off from its cluster; trying /u);
		assert.equal(sub.stdout, "there\n");
		assert.deepEqual(asked[1][0].since, asked[0][0].since);
	});
});

describe("servers that share nothing", () => {
	const gap = /t: messages may be missing \(epoch/gu;

	async function said(server, ...texts) {
		for (const body of texts)
			assert.equal((await fetch(`${server.url}/topics/t`,
			    { method: "POST", body })).status, 200);
	}

	const isAt = (server) => waitFor(`at ${server.port}`, async () =>
		await server.total("subscriptions") === 1);

	test("sub tells a gap where each begins, and nothing twice",
	    async (t) => {
		    const [a, b] = [await Server.start(t), await Server.start(t)];
		    const sub = command(t, ["sub", "t"], [a.port, b.port]);

		    await said(b, "b0");
		    await isAt(a);
		    await said(a, "a1", "a2");
		    await sub.printed(2);

		    await a.cli("restart");
		    await isAt(b);
		    await sub.printed(3);
		    assert.equal(sub.stderr.match(gap).length, 1);
		    await said(b, "b1");
		    await said(a, "a3", "a4");
		    await sub.printed(4);

		    await b.cli("restart");
		    await isAt(a);
		    await said(a, "a5");
		    assert.deepEqual(await sub.printed(7),
			["a1", "a2", "b0", "b1", "a3", "a4", "a5"]);
		    await waitFor("a gap",
			() => sub.stderr.match(gap).length === 2);
	    });

	test("pub --retry goes on at the other", async (t) => {
		const [a, b] = [await Server.start(t), await Server.start(t)];
		const pub = command(t, ["pub", "t", "--retry"], [a.port, b.port]);

		pub.child.stdin.write("1\n");
		await waitFor("1", async () =>
			await a.total("messages_in") === 1);
		await a.stop();
		pub.child.stdin.end("2\n");
		await ends(pub, 0);
		assert.equal(await b.total("messages_in"), 1);
	});
});
