// SPDX-License-Identifier: MIT
/*
 * unix.test.mjs - a server that listens on a unix socket: its file, who may
 * connect, how workers share it, and what clients can say.
 */

import assert from "node:assert/strict";
import {
	existsSync, lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Command } from "./command.mjs";
import { Frame, PUBSUBD, Raw, Server, run, waitFor } from "./support.mjs";

/* The path of a socket, in a directory that goes with the test. */
function place(t) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-unix-"));

	t.after(() => rmSync(dir, { recursive: true }));
	return join(dir, "socket");
}

const start = async (t, path, args = [], { flags = "", listen = [] } = {}) =>
	Server.start(t, args, { listen: [`unix:${path}${flags}`, ...listen] });

async function status(t, path, headers = {}, target = "/healthz") {
	const raw = await Raw.connect(path, { t });

	raw.request("GET", target, headers);
	return (await raw.response()).status;
}

/* A server in the background, which the test may stop by itself. */
async function background(t, path, args = []) {
	const server = new Server(args, { listen: [`unix:${path}`] });

	t.after(() => server.end());
	assert.equal((await server.start()).status, 0);
	return server;
}

describe("unix:PATH", { concurrency: true }, () => {
	test("HTTP and WebSockets, as over TCP", async (t) => {
		const path = place(t);

		await start(t, path);
		assert.equal(await status(t, path), 200);
		const raw = await Raw.open(path, "/ws?topic=a", { t });

		raw.send(Frame.message("a", "hello"));
		assert.equal(await raw.text(), "hello");
		await raw.close();
	});

	test("the file has its mode, and goes at the end", async (t) => {
		for (const [flags, mode] of [["", 0o660], [",mode=0600", 0o600],
			[",mode=777", 0o777]]) {
			const path = place(t);
			const server = await start(t, path, [], { flags });

			assert.equal(lstatSync(path).mode & 0o7777, mode);
			assert.ok(lstatSync(path).isSocket());
			await server.stop();
			assert.equal(existsSync(path), false);
		}
	});

	test("the file has its owner", {
		skip: process.getuid() === 0 ? false : "only root can give it away",
	}, async (t) => {
		const path = place(t);

		await start(t, path, [], { flags: ",owner=nobody,group=nogroup" });
		const { stdout } = await run("stat", ["-c", "%U %G", path]);

		assert.equal(stdout, "nobody nogroup\n");
	});

	test("a restart keeps it", async (t) => {
		const path = place(t);
		const server = await background(t, path);
		const { ino } = lstatSync(path);

		assert.equal((await server.cli("restart")).status, 0);
		assert.equal(lstatSync(path).ino, ino);
		assert.equal(await status(t, path), 200);
		assert.equal((await server.cli("stop")).status, 0);
		assert.equal(existsSync(path), false);
	});

	test("the file of a dead server is replaced", async (t) => {
		const path = place(t);
		const dead = createServer().listen(path);

		await once(dead, "listening");
		/* What kill -9 leaves behind: node would remove it. */
		const { stdout } = await run("sh", ["-c", 'ln "$1" "$1.left"',
			"sh", path]);

		assert.equal(stdout, "");
		dead.close();
		await once(dead, "close");
		await run("mv", [`${path}.left`, path]);
		assert.ok(lstatSync(path).isSocket());
		await start(t, path);
		assert.equal(await status(t, path), 200);
	});

	test("one that is killed leaves a file that is no hindrance", async (t) => {
		const path = place(t);
		const server = await background(t, path);

		server.deathsExpected = true;
		server.killAll();
		await waitFor("their end", () => server.processes().length === 0);
		assert.ok(existsSync(path));
		assert.equal((await server.start()).status, 0);
		assert.equal(await status(t, path), 200);
		assert.equal((await server.cli("stop")).status, 0);
	});

	test("one that is answered is not touched", async (t) => {
		const path = place(t);

		await start(t, path);
		const { ino } = lstatSync(path);
		const second = new Server([], { listen: [`unix:${path}`] });

		t.after(() => second.end());
		await assert.rejects(second.run());
		await second.logs("why", /is in use by another program/u);
		assert.equal(lstatSync(path).ino, ino);
		assert.equal(await status(t, path), 200);
	});

	test("what is no socket is not removed", async (t) => {
		const path = place(t), link = `${path}.link`;

		writeFileSync(path, "precious");
		symlinkSync(path, link);
		for (const at of [path, link]) {
			const server = new Server([], { listen: [`unix:${at}`] });

			t.after(() => server.end());
			await assert.rejects(server.run());
			await server.logs("why", /is there, and is no socket/u);
			assert.ok(existsSync(at));
		}
	});

	test("a file that another has put there stays at the end", async (t) => {
		const path = place(t);
		const server = await start(t, path);

		rmSync(path);
		writeFileSync(path, "another's");
		await server.stop();
		assert.ok(existsSync(path));
	});

	test("where there is no such directory it says so", async (t) => {
		const server = new Server([],
		    { listen: ["unix:/nonexistent/socket"] });

		t.after(() => server.end());
		await assert.rejects(server.run());
		await server.logs("why",
		    /cannot listen on unix:\/nonexistent\/socket: No such/u);
	});

	test("Host is checked as on loopback", async (t) => {
		const path = place(t);

		await start(t, path, ["--allow-host", "chat.example"]);
		assert.equal(await status(t, path, { Host: "localhost" }), 200);
		assert.equal(await status(t, path, { Host: "chat.example" }), 200);
		assert.equal(await status(t, path, { Host: "evil.example" }), 403);
	});

	test("has no share of its own, unless its peers tell one", async (t) => {
		const path = place(t);
		const server = await start(t, path, ["--workers", "1",
			"--max-conns-per-address", "1"]);

		for (let i = 0; i < 3; i++)
			await Raw.open(path, "/ws", { t });
		assert.equal(await server.total("refused_address"), 0);
	});

	test("a proxy there may tell its clients", async (t) => {
		const path = place(t);
		const server = await start(t, path, ["--workers", "1",
			"--max-conns-per-address", "1", "--trust-proxy", "unix"],
		{ listen: ["127.0.0.1:0"] });
		const anna = { "X-Forwarded-For": "203.0.113.1" };

		assert.equal(await status(t, path, anna), 200);
		assert.equal(await status(t, path, anna), 503);
		assert.equal(await status(t, path), 200);
		assert.equal(await status(t, path), 200);
		/* Nobody but those who come by it. */
		const raw = await Raw.connect(server.port, { t });

		raw.request("GET", "/healthz", anna);
		assert.equal((await raw.response()).status, 200);
	});

	test("and by a PROXY header", async (t) => {
		const path = place(t);

		await start(t, path, ["--workers", "1", "--max-conns-per-address",
			"1"], { flags: ",proxy" });
		const answers = [];

		for (let i = 0; i < 2; i++) {
			const raw = await Raw.connect(path, { t });

			raw.send("PROXY TCP4 203.0.113.1 192.0.2.1 1 2\r\n");
			raw.request("GET", "/healthz");
			answers.push((await raw.response()).status);
		}
		assert.deepEqual(answers, [200, 503]);
	});

	/* They come one after the other, or all at once. */
	for (const many of [1, 20])
		test(`workers share it, ${many} at a time`, async (t) => {
			const path = place(t), all = 80;
			const server = await start(t, path,
			    ["--workers", "4", "--ping-interval", "0"]);

			for (let n = 0; n < all; n += many)
				await Promise.all(Array.from({ length: many },
				    () => Raw.open(path, "/ws", { t })));
			const { workers } = await server.status();
			const counts = workers.map(({ connections }) => connections);

			assert.equal(counts.reduce((a, b) => a + b), all);
			assert.ok(Math.max(...counts) <= all / 2, `${counts}`);
			assert.ok(Math.min(...counts) >= all / 16, `${counts}`);
		});

	test("a worker that stands still holds nobody up", async (t) => {
		const path = place(t);
		const server = await start(t, path,
		    ["--watchdog", "0", "--ping-interval", "0"]);
		const [first, second] = await server.workers();

		/* The one that runs has many more connections. */
		process.kill(second, "SIGSTOP");
		try {
			for (let i = 0; i < 40; i++)
				await Raw.open(path, "/ws", { t });
			const { workers } = await server.status();

			assert.equal(workers.find(({ pid }) => pid === first)
			    .connections, 40);
		} finally {
			process.kill(second, "SIGCONT");
		}
	});

	test("the command line finds it, by name and by path", async (t) => {
		const path = place(t);
		const server = await start(t, path);
		const url = ["--url", `unix:${path}`];
		const sub = new Command(t, ["sub", "news", ...url]);

		await waitFor("subscription", async () =>
			await server.total("subscriptions") === 1);
		for (const where of [url, ["--name", server.name]]) {
			const pub = await run(PUBSUBD,
			    ["pub", "news", "hello", ...where]);

			assert.equal(pub.status, 0, pub.stderr);
			const topics = await run(PUBSUBD, ["topics", ...where]);

			assert.match(topics.stdout, /news/u);
		}
		assert.deepEqual(await sub.printed(2), ["hello", "hello"]);
		sub.signal("SIGINT");
		await sub.ended();
		assert.equal((await server.status()).state, "serving");
		const gone = await run(PUBSUBD,
		    ["pub", "news", "hello", "--url", `unix:${path}.not`]);

		assert.equal(gone.status, 3);
		assert.match(gone.stderr, /no server answers on unix:/u);
	});
});

for (const [value, why] of [
	["unix:", /absolute path/u],
	["unix:run/socket", /absolute path/u],
	[`unix:/${"x".repeat(107)}`, /too long/u],
	["unix:/run/a b", /has a character/u],
	["unix:/run/a,mode=9", /a mode that is not/u],
	["unix:/run/a,mode=10777", /a mode that is not/u],
	["unix:/run/a,owner=no-such-user", /an owner whom/u],
	["unix:/run/a,group=no-such-group", /a group that/u],
	["unix:/run/a,tls", /and nothing else/u],
	["127.0.0.1:0,mode=0600", /and nothing else/u],
])
	test(`--listen ${value.slice(0, 40)} is wrong`, async () => {
		const { status: code, stderr } = await run(PUBSUBD,
		    ["check", "--config", "none", "--listen", value]);

		assert.equal(code, 2);
		assert.match(stderr, why);
	});
