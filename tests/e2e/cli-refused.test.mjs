// SPDX-License-Identifier: MIT
/*
 * cli-refused.test.mjs - pub, sub and topics where there is no server, or one
 * that does not want them, or that is none.
 *
 * A server of this test's own says what a real one does not say on demand.
 */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createListener } from "node:net";
import { describe, test } from "node:test";

import { WebSocketServer } from "ws";

import { Command } from "./command.mjs";
import { DEBIAN, skip, withHosts } from "./hosts.mjs";
import { PUBSUBD, Server, bounded, run } from "./support.mjs";

const WELCOME = { type: "welcome", version: 1, epoch: "e1",
	limits: { message: 65536, topics: 128, rate: 0 }, ping: 0,
	retry: { min_ms: 1, max_ms: 20 } };

/* A server for one test; onConnection(socket, number of the connection). */
async function impostor(t, onConnection, options = {}) {
	const http = createServer();
	const sockets = new WebSocketServer({ server: http,
		handleProtocols: () => "pubsubd.v1", ...options });
	let count = 0;

	sockets.on("connection", (socket) => onConnection(socket, ++count));
	await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
	t.after(() => {
		for (const socket of sockets.clients)
			socket.terminate();
		http.close();
	});
	return { http, url: `ws://127.0.0.1:${http.address().port}/ws` };
}

const say = (socket, said) => socket.send(JSON.stringify(said));

/* Welcome whoever comes, and answer each request by this function. */
function serve(socket, answer, welcome = {}) {
	say(socket, { ...WELCOME, ...welcome });
	socket.on("message", (data) => answer(JSON.parse(data)));
}

const ack = ({ id, topic }, seq, more = {}) =>
	({ type: "ack", id, topic, epoch: "e1", seq, ...more });

const message = (seq) =>
	({ type: "message", topic: "a", seq, time: 1, message: `m${seq}` });

async function ends(args, status, line) {
	const done = await run(PUBSUBD, args);

	assert.match(done.stderr, line);
	assert.equal(done.status, status);
	assert.equal(done.stdout, "");
}

describe("no server", { concurrency: true }, () => {
	const nowhere = "ws://127.0.0.1:1/ws";

	for (const args of [["pub", "a", "b"], ["pub", "a", "b", "--retry"],
		["sub", "a"], ["topics"]])
		test(args.join(" "), () => ends([...args, "--url", nowhere], 3,
		    /^pubsubd: no server answers on ws:\/\/127\.0\.0\.1:1\/ws: Connection refused\n$/u));

	test("no such host", () => ends(["topics", "-u", "ws://no.invalid/ws"],
	    3, /^pubsubd: no server answers on ws:\/\/no\.invalid\/ws: /u));

	test("all addresses of a name are tried", { skip }, async (t) => {
		const server = await Server.start(t);
		const [program, ...args] = withHosts(t, DEBIAN);

		/* ::1 is the first of them, and this server is not there. */
		assert.match((await run(program, [...args, "getent", "ahosts",
			"localhost"])).stdout, /^::1 .*^127\.0\.0\.1 /msu);
		assert.deepEqual(await run(program, [...args, PUBSUBD, "pub",
			"a", "b", "-u", `http://localhost:${server.port}`]),
		{ status: 0, signal: null, stdout: "", stderr: "" });
	});

	test("another path", async (t) => {
		const server = await Server.start(t);

		await ends(["sub", "a", "-u", `${server.url}/nothing`], 1,
		    /nothing: refused with 404 Not Found\n$/u);
	});
});

describe("no pubsubd", { concurrency: true }, () => {
	test("not even HTTP", async (t) => {
		const listener = createListener((socket) => {
			socket.on("error", () => {});
			socket.end("SSH-2.0-x\r\n");
		});

		await new Promise((resolve) =>
			listener.listen(0, "127.0.0.1", resolve));
		t.after(() => listener.close());
		const url = `http://127.0.0.1:${listener.address().port}`;

		for (const command of [["pub", "a", "b"], ["sub", "a"], ["topics"]])
			await ends([...command, "-u", url], 1,
			    /: no pubsubd: this is not HTTP\n$/u);
	});

	test("without the subprotocol", async (t) => {
		const { url } = await impostor(t, () => {},
		    { handleProtocols: () => false });

		await ends(["sub", "a", "-u", url], 1,
		    /: no pubsubd: it does not speak the subprotocol\n$/u);
	});

	for (const [what, said] of [["no JSON", "hello"],
		["no welcome", JSON.stringify(message(1))],
		["a binary frame", Buffer.from(JSON.stringify(WELCOME))]])
		test(what, async (t) => {
			const { url } = await impostor(t,
			    (socket) => socket.send(said));

			await ends(["sub", "a", "-u", url], 1,
			    /: what it says is not pubsubd\.v1\n$/u);
		});

	test("no list of topics", async (t) => {
		const { http, url } = await impostor(t, () => {});

		http.on("request", (_, response) => response.end("{}"));
		await ends(["topics", "-u", url], 1,
		    /: no pubsubd: its answer is no list of topics\n$/u);
	});

	test("an ack for something else", async (t) => {
		const { url } = await impostor(t, (socket) => serve(socket,
		    (request) => say(socket, ack({ ...request, id: 7 }, 1))));

		await ends(["pub", "a", "b", "-u", url], 1,
		    /^pubsubd: the message: its answer came out of order\n$/u);
	});
});

describe("closed", { concurrency: true }, () => {
	for (const [code, reason] of [[4000, "go away"], [1008, "no \u001b[2J"]])
		test(`${code} is final`, async (t) => {
			const { url } = await impostor(t, (socket) =>
				serve(socket, () => socket.close(code, reason)));

			await ends(["sub", "a", "-u", url], 1, new RegExp(
			    `: closed by the server with ${code}: ` +
			    `${reason.replace("\u001b[2J", "\\?\\[2J")}\\n$`, "u"));
		});

	test("1000 is what sub says when it is interrupted", async (t) => {
		let closed;
		const code = new Promise((resolve) => {
			closed = resolve;
		});
		const { url } = await impostor(t, (socket) => {
			serve(socket, (request) => {
				say(socket, ack(request, 0));
				say(socket, message(1));
			});
			socket.on("close", closed);
		});
		const sub = new Command(t, ["sub", "a", "-u", url]);

		await sub.printed(1);
		sub.signal("SIGINT");
		assert.equal(await sub.ended(), 0);
		assert.equal(await bounded("close", code), 1000);
	});

	test("sub comes back behind the last number", async (t) => {
		const asked = [];
		const { url } = await impostor(t, (socket, n) =>
			serve(socket, (request) => {
				asked.push(request);
				say(socket, ack(request, 2 * n, { replayed: n > 1 ? 2 : 0,
					recovered: true }));
				if (n > 1)
					say(socket, message(2 * n - 1));
				if (n > 1)
					say(socket, message(2 * n));
				say(socket, message(2 * n)); /* must not be seen twice */
				/* Resume at once, with back-off, as it drained, cut. */
				if (n === 1)
					socket.close(4200, "slow");
				else if (n === 2)
					socket.close(4100, "later");
				else if (n === 3)
					say(socket, { type: "drain", in_ms: 0,
						retry: { min_ms: 0, max_ms: 1 } });
				if (n === 3)
					socket.close(1012, "restart");
				else if (n === 4)
					socket.terminate();
			}));
		const sub = new Command(t, ["sub", "a", "-u", url, "-C", "8"]);

		assert.equal(await sub.ended(), 0, sub.stderr);
		assert.deepEqual(sub.lines,
		    ["m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10"]);
		assert.deepEqual(asked.map(({ since }) => since), [undefined,
			{ epoch: "e1", seq: 2 }, { epoch: "e1", seq: 4 },
			{ epoch: "e1", seq: 6 }, { epoch: "e1", seq: 8 }]);
		/* Being slow is nothing to be told of. */
		assert.doesNotMatch(sub.stderr, /4200/u);
		assert.match(sub.stderr, /4100: later; trying again\n.*connected again\n/u);
	});

	test("silence for two pings is an end, too", async (t) => {
		const { url } = await impostor(t, (socket, n) =>
			serve(socket, (request) => {
				say(socket, ack(request, n - 1, { recovered: n > 1 }));
				say(socket, message(n));
			}, { ping: 1 }));
		const sub = new Command(t, ["sub", "a", "-u", url, "-C", "2"]);

		assert.equal(await sub.ended(), 0);
		assert.match(sub.stderr, /connection lost: nothing heard for 2 s; trying again/u);
	});

	test("pub repeats what has no ack, and only with --retry", async (t) => {
		const got = [];
		const { url } = await impostor(t, (socket, n) =>
			serve(socket, (request) => {
				got.push([n, request.message]);
				if (n % 2 === 0 || request.id === 1)
					say(socket, ack(request, request.id));
				else if (request.id === 2)
					say(socket, { type: "error", id: 2,
						code: "draining", reason: "later" });
				else if (request.id === 3)
					socket.close(1001, "bye");
			}));
		const pub = (...args) => {
			const command = new Command(t,
			    ["pub", "a", "-u", url, ...args]);

			command.child.stdin.end("x\ny\nz\n");
			return command;
		};
		const stubborn = pub("--retry");

		assert.equal(await stubborn.ended(), 0);
		assert.equal(stubborn.stderr, "");
		assert.deepEqual(got, [[1, "x"], [1, "y"], [1, "z"],
			[2, "y"], [2, "z"]]);
		const meek = pub();

		assert.equal(await meek.ended(), 1);
		assert.match(meek.stderr, /^pubsubd: [^\n]*; 1 of 3 messages are acknowledged\n$/u);
	});

	test("pub gives up after --timeout", async (t) => {
		const { url } = await impostor(t,
		    (socket) => serve(socket, () => {}));

		await ends(["pub", "a", "b", "-W", "0.1", "-u", url], 1,
		    /: after 0\.1 s the message is not acknowledged\n$/u);
	});

	test("pub is done when all is acknowledged, goodbye or not", async (t) => {
		const { url } = await impostor(t,
		    (socket) => serve(socket, (request) => {
			    say(socket, ack(request, 1));
			    socket.pause();
		    }));

		await ends(["pub", "a", "b", "-W", "3", "-u", url], 0, /^$/u);
	});

	test("a refusal is final, or passes, once welcomed", async (t) => {
		const statuses = [null, 503, 429, null, 403];
		let tries = 0;
		const { url } = await impostor(t, (socket, n) =>
			serve(socket, (request) => {
				say(socket, ack(request, n - 1,
				    { recovered: n > 1 }));
				say(socket, message(n));
				socket.terminate();
			}), { verifyClient: (_, done) => {
			const status = statuses[tries++];

			done(status === null, status);
		} });
		const sub = new Command(t, ["sub", "a", "-u", url]);

		assert.equal(await sub.ended(), 1);
		assert.deepEqual(sub.lines, ["m1", "m2"]);
		assert.equal(tries, statuses.length);
		assert.match(sub.stderr, /: refused with 403 Forbidden\n$/u);
	});
});
