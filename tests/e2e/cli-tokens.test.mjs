// SPDX-License-Identifier: MIT
/*
 * cli-tokens.test.mjs - pub, sub and topics say who they are: where the token
 * comes from, how it is shown, what a refusal looks like, and that a renewed
 * file is read.
 *
 * A server of this test's own notes what it is shown, and refuses on demand.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { renameSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";

import { WebSocketServer } from "ws";

import { guarded, open, publish } from "./access.mjs";
import { Command, subscribed } from "./command.mjs";
import { PUBSUBD, Server, run, waitFor } from "./support.mjs";
import { Keys } from "./token-keys.mjs";
import { now } from "./tokens.mjs";

const FAILED = 1, USAGE = 2;
const UNAUTHORIZED = 4001, EXPIRED = 4103;

const WELCOME = { type: "welcome", version: 1, epoch: "e1",
	limits: { message: 65536, topics: 128, rate: 0 }, ping: 0,
	retry: { min_ms: 1, max_ms: 20 } };

/*
 * A server that notes in `shown' the Authorization of every request.  It closes a
 * WebSocket with what judge(authorization) returns, [code, reason], and serves it
 * if that is nothing; HTTP gets 401 then.
 */
async function doorkeeper(t, judge = () => undefined) {
	const shown = [], sockets = [];
	const http = createServer((req, res) => {
		shown.push(req.headers.authorization);
		const refusal = judge(req.headers.authorization);

		res.writeHead(refusal ? 401 : 200);
		res.end(JSON.stringify(refusal ?
			{ error: { code: "bad_token", reason: refusal[1] } } :
			{ topics: [] }));
	});
	const ws = new WebSocketServer({ server: http,
		handleProtocols: () => "pubsubd.v1" });

	ws.on("connection", (socket, { headers: { authorization } }) => {
		const refusal = judge(authorization);

		shown.push(authorization);
		if (refusal) {
			socket.close(...refusal);
			return;
		}
		socket.send(JSON.stringify(WELCOME));
		sockets.push(socket);
		socket.on("message", (data) => {
			const { type, id, topic } = JSON.parse(data);

			socket.send(JSON.stringify(
			    { type: "ack", id, topic, epoch: "e1", seq: 1 }));
			if (type === "subscribe")
				socket.send(JSON.stringify({ type: "message",
					topic, seq: 2, time: 1, message: "m" }));
		});
	});
	http.listen(0, "127.0.0.1");
	await once(http, "listening");
	t.after(() => {
		for (const socket of ws.clients)
			socket.terminate();
		http.close();
	});
	return { shown, sockets, url: `http://127.0.0.1:${http.address().port}` };
}

const COMMANDS = [["pub", "a", "b"], ["sub", "a", "-C", "1"], ["topics"]];

describe("a token is shown", { concurrency: true }, () => {
	for (const words of COMMANDS)
		test(`by ${words[0]}`, async (t) => {
			const { shown, url } = await doorkeeper(t);
			const file = new Keys(t).file("token", "from.a.file\n");
			const to = async (args, env = {}) => {
				const done = await run(PUBSUBD,
				    [...words, "--url", url, ...args],
				    { env: { ...process.env, ...env } });

				assert.equal(done.stderr, "");
				assert.equal(done.status, 0);
			};

			await to([]);
			await to(["--token-file", file]);
			await to(["--key-file", file]);
			await to(["--token-env", "MINE"], { MINE: "from.the.environment" });
			assert.deepEqual(shown, [undefined, "Bearer from.a.file",
				"Bearer from.a.file", "Bearer from.the.environment"]);
		});
});

describe("no token, no connection", { concurrency: true }, () => {
	async function refuses(t, args, status, line, env = {}) {
		const { shown, url } = await doorkeeper(t);

		for (const words of COMMANDS) {
			const done = await run(PUBSUBD,
			    [...words, "--url", url, ...args],
			    { env: { ...process.env, ...env } });

			assert.equal(done.stdout, "");
			assert.match(done.stderr, line);
			assert.match(done.stderr, /^pubsubd: [^\n]+\n$/u);
			assert.equal(done.status, status);
		}
		assert.deepEqual(shown, []);
	}

	for (const [what, content, line] of [
		["an empty file", " \n", /--token-file \S+token: is empty/u],
		["two words", "one two\n", /: holds more than one word of ASCII/u],
		["a line too many", "one\r\nX-Evil: 1\r\n", /: holds more than one/u],
		["a long one", "x".repeat(8193), /: is longer than 8 KiB/u],
		["a longer one", "x".repeat(10_000), /: has more than 9 KiB/u],
	])
		test(what, (t) => refuses(t, ["--token-file",
			new Keys(t).file("token", content)], FAILED, line));

	test("a file that others may read", (t) => refuses(t, ["--key-file",
		new Keys(t).file("key", "secret", 0o644)], FAILED,
	/--key-file \S+key: others than its owner may read it .*chmod 600/u));
	test("a file that is not there", (t) => refuses(t,
	    ["--token-file", "/nowhere/token"], FAILED,
	    /^pubsubd: --token-file \/nowhere\/token: No such file/u));
	test("a variable that is not there", (t) => refuses(t,
	    ["--token-env", "NO_SUCH"], FAILED, /--token-env NO_SUCH: there is no/u));
	test("a variable of another kind", (t) => refuses(t,
	    ["--token-env", "MINE"], FAILED, /--token-env MINE: holds more/u,
	    { MINE: "one two" }));
	test("two of them", (t) => refuses(t,
	    ["--token-env", "MINE", "--key-file", "/k"], USAGE, /only one of them/u));
});

describe("a refusal", { concurrency: true }, () => {
	for (const words of COMMANDS)
		test(`is told by ${words[0]}`, async (t) => {
			const { shown, url } = await doorkeeper(t, () =>
				[UNAUTHORIZED, "bad token: it has expired"]);
			const file = new Keys(t).file("token", "old");
			const done = await run(PUBSUBD, [...words, "--url", url, "--token-file", file]);

			assert.match(done.stderr, words[0] === "topics" ?
				/refused with 401 Unauthorized: bad token: it has expired\n$/u :
				/closed by the server with 4001: bad token: it has expired(;.*)?\n$/u);
			assert.equal(done.status, FAILED);
			assert.deepEqual(shown, ["Bearer old"]);
		});

	test("without a reason, or with a strange one", async (t) => {
		let body = "";
		const http = createServer((_, res) => {
			res.writeHead(403);
			res.end(body);
		}).listen(0, "127.0.0.1");

		t.after(() => http.close());
		await once(http, "listening");
		for (const [text, line] of [
			["", /refused with 403 Forbidden\n$/u],
			["<html>", /refused with 403 Forbidden\n$/u],
			['{"error":1}', /refused with 403 Forbidden\n$/u],
			['{"error":{"reason":["a"]}}', /403 Forbidden\n$/u],
			['{"error":{"reason":"no\\u001b[1m"}}', /403 Forbidden: no\?\[1m\n$/u],
		]) {
			body = text;
			const done = await run(PUBSUBD, ["topics", "--url",
				`http://127.0.0.1:${http.address().port}`]);

			assert.match(done.stderr, line);
			assert.equal(done.status, FAILED);
		}
	});
});

describe("with a server that asks", { concurrency: true }, () => {
	/* A server, and who runs the clients with a token that grants this. */
	async function scene(t, ...grants) {
		const { files } = new Keys(t).make("ed25519");
		const server = await Server.start(t, ["--jwt-key", files.pem.verify]);
		const { stdout } = await run(PUBSUBD, ["token", "--key",
			files.pem.sign, "--sub", "42",
			...grants.flatMap((grant) => ["--grant", grant])]);
		const env = { ...process.env, MINE: stdout };
		const client = (words, args = ["--token-env", "MINE"]) => run(PUBSUBD,
		    [...words, "--url", server.url, ...args], { env });

		return { server, client };
	}

	test("pub, sub and topics do what is granted", async (t) => {
		const { client } = await scene(t, "all:room/+");

		assert.equal((await client(["pub", "room/1", "hello"])).status, 0);
		const { stdout } = await client(
		    ["sub", "room/1", "--history", "1", "-C", "1"]);

		assert.equal(stdout, "hello\n");
		assert.match((await client(["topics"])).stdout, / room\/1\n$/u);
	});

	test("and are told of what is not", async (t) => {
		const { client } = await scene(t, "subscribe:room/+");
		const told = async (words, line, args) => {
			const { status, stderr } = await client(words, args);

			assert.match(stderr, line);
			assert.equal(status, FAILED);
		};

		await told(["pub", "room/1", "x"],
		    /^pubsubd: the message: .* \(forbidden\)\n$/u);
		await told(["sub", "rooms"], /^pubsubd: rooms: .* \(forbidden\)\n$/u);
		await told(["topics"], /refused with 403 Forbidden: there is no grant/u);
		await told(["pub", "room/1", "x"], / \(unauthorized\)\n$/u, []);
		await told(["sub", "room/1"], / \(unauthorized\)\n$/u, []);
		await told(["topics"],
		    /refused with 401 Unauthorized: this needs a token/u, []);
	});

	test("and of a subscription that ends", async (t) => {
		const keys = new Keys(t);
		const write = (line) => keys.file("conf",
		    `anonymous = publish:room/+\n${line}`);
		const server = await Server.start(t,
		    ["--config", write("anonymous = subscribe:room/+\n")]);
		const sub = await subscribed(t, server, ["room/1"]);

		write("");
		assert.equal((await server.cli("reload")).status, 0);
		await sub.said(
		    /room\/1: the server has ended the subscription \(forbidden\)/u);
		assert.equal(await sub.ended(), FAILED);
	});

	test("and of a token that is not taken", async (t) => {
		const { client } = await scene(t);
		const file = new Keys(t).file("token", "a.b.c");

		for (const words of COMMANDS) {
			const { status, stderr } = await client(
			    words, ["--token-file", file]);

			assert.match(stderr, /: bad token: the token is malformed/u);
			assert.equal(status, FAILED);
		}
	});
});

/* The tokens of these tests end by themselves: at `exp', with no leeway, and so
 * the server says at once that they expire. */
describe("a token is renewed on the connection", { concurrency: true }, () => {
	const GRANTS = { subscribe: ["a"], publish: ["a"] };
	const FILE = "token";

	async function scene(t, seconds) {
		const { server, issuer } = await guarded(t,
		    ["--jwt-leeway", "0", "--workers", "1"]);
		const keys = new Keys(t);
		const token = (exp, more = {}) =>
			issuer.grant(GRANTS, "42", { exp, ...more });
		const write = (text) => renameSync(keys.file("new", text),
		    join(keys.dir, FILE));
		const end = now() + seconds;

		write(token(end));
		/* Behind its end, for somebody who has never shown another one. */
		const over = async () => {
			const other = await open(server, token(end, { iss: "x" }));

			assert.equal((await other.closed).code, EXPIRED);
		};

		return { server, token, write, over,
			issuer, args: ["--token-file", join(keys.dir, FILE)] };
	}

	test("by sub, when the file has another", async (t) => {
		const { server, token, write, over, args } = await scene(t, 10);
		const sub = await subscribed(t, server, ["a"], args);

		write(token(now() + 3600));
		await waitFor("the renewal", async () =>
			await server.total("tokens_renewed") === 1);
		await over();
		assert.equal((await publish(server, "a", token(now() + 60)))
		    .status, 200);
		assert.deepEqual(await sub.printed(1), ["hello"]);
		sub.signal("SIGINT");
		assert.equal(await sub.ended(), 0);
		assert.equal(sub.stderr, "");
	});

	test("by pub, between two lines", async (t) => {
		const { server, token, write, over, args } = await scene(t, 10);
		const pub = new Command(t,
		    ["pub", "a", "--url", server.url, ...args]);

		pub.child.stdin.write("one\n");
		await waitFor("the first", async () =>
			await server.total("messages_in") === 1);
		write(token(now() + 3600));
		await waitFor("the renewal", async () =>
			await server.total("tokens_renewed") === 1);
		await over();
		pub.child.stdin.end("two\n");
		assert.equal(await pub.ended(), 0);
		assert.equal(await server.total("messages_in"), 2);
	});

	test("not by a bad one; the next may be good", async (t) => {
		const { server, token, write, args } = await scene(t, 10);
		const sub = await subscribed(t, server, ["a"], args);

		write("a.b.c");
		await sub.said(/the renewed token is refused: .*bad_token/u);
		write(token(now() + 3600));
		await waitFor("the renewal", async () =>
			await server.total("tokens_renewed") === 1);
		sub.signal("SIGINT");
		assert.equal(await sub.ended(), 0);
	});

	test("what it grants no more ends the subscription", async (t) => {
		const { server, issuer, write, args } = await scene(t, 10);
		const sub = await subscribed(t, server, ["a"], args);

		write(issuer.grant({ subscribe: ["b"] }, "42"));
		await sub.said(
		    /a: the server has ended the subscription \(forbidden\)/u);
		assert.equal(await sub.ended(), FAILED);
	});
});

describe("a token is renewed", { concurrency: true }, () => {
	/* A sub that has shown the token "one". */
	async function scene(t, judge) {
		const door = await doorkeeper(t, judge);
		const keys = new Keys(t);
		const file = keys.file("token", "one");
		const sub = new Command(t, ["sub", "a", "--url", door.url,
			"--token-file", file]);
		const renew = (text) =>
			renameSync(keys.file("new", text), file);

		await waitFor("connection", () => door.sockets.length === 1);
		return { ...door, file, sub, renew };
	}

	const left = async (sub) => {
		sub.signal("SIGINT");
		assert.equal(await sub.ended(), 0);
	};

	test("and read for the next connection", async (t) => {
		const { shown, sockets, sub, renew } = await scene(t);

		renew("two");
		sockets[0].close(EXPIRED, "the token has expired");
		await waitFor("connection", () => sockets.length === 2);
		assert.deepEqual(shown, ["Bearer one", "Bearer two"]);
		await sub.said(/4103: the token has expired; trying again/u);
		await left(sub);
	});

	test("later than the server would have it", async (t) => {
		let good = "Bearer one";
		const { shown, sockets, sub, renew } = await scene(t, (it) =>
			it === good ? undefined : [UNAUTHORIZED, "bad token"]);

		good = "Bearer two";
		sockets[0].close(EXPIRED, "the token has expired");
		await waitFor("some refusals", () => shown.length >= 4);
		renew("two");
		await waitFor("connection", () => sockets.length === 2);
		assert.equal(shown.at(-1), "Bearer two");
		await left(sub);
	});

	test("while its file is not there", async (t) => {
		const { shown, sockets, file, sub, renew } = await scene(t);

		rmSync(file);
		sockets[0].terminate();
		await sub.said(/trying again/u);
		renew("two");
		await waitFor("connection", () => sockets.length === 2);
		assert.deepEqual(shown, ["Bearer one", "Bearer two"]);
		await left(sub);
	});

	test("never, where it is in the environment", async (t) => {
		let good = true;
		const { shown, sockets, url } = await doorkeeper(t, () =>
			good ? undefined : [UNAUTHORIZED, "bad token"]);
		const done = run(PUBSUBD, ["sub", "a", "--url", url,
			"--token-env", "MINE"], { env: { ...process.env, MINE: "one" } });

		await waitFor("connection", () => sockets.length === 1);
		good = false;
		sockets[0].close(EXPIRED, "the token has expired");
		assert.equal((await done).status, FAILED);
		assert.match((await done).stderr, /4001: bad token\n$/u);
		assert.equal(shown.length, 2);
	});
});
