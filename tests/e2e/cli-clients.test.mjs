// SPDX-License-Identifier: MIT
/*
 * cli-clients.test.mjs - pub, sub and topics with a server that is well: each
 * option, what is printed, how it ends.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";

import WebSocket from "ws";

import { Command, subscribed } from "./command.mjs";
import { Client, PUBSUBD, Server, run, waitFor } from "./support.mjs";
import { V1 } from "./v1-client.mjs";

const STREAM_LINES = 20_000;

/* Run a client of this server to its end, with this on standard input. */
async function client(t, server, [name, ...args], input = "") {
	const command = new Command(t, [name, "--url", server.url, ...args]);

	command.child.stdin.end(input);
	const status = await command.ended();

	return { status, stdout: command.stdout, stderr: command.stderr };
}

/* The same; it must succeed, silently but for what it prints. */
async function succeeds(t, server, args, input) {
	const { status, stdout, stderr } = await client(t, server, args, input);

	assert.equal(stderr, "");
	assert.equal(status, 0);
	return stdout;
}

describe("pub", { concurrency: true }, () => {
	test("a message", async (t) => {
		const server = await Server.start(t);
		const reader = await Client.open(server, { topics: ["room"] });

		for (const message of ["hello", "", "two\nlines", "h\u00e9 \u{1f600}"]) {
			assert.equal(await succeeds(t, server,
			    ["pub", "room", message]), "");
			assert.equal(await reader.next(), message);
		}
		await succeeds(t, server, ["pub", "room", "--", "-5"]);
		assert.equal(await reader.next(), "-5");
		await succeeds(t, server, ["pub", "room", '{"a": [1]}', "--json"]);
		assert.equal(await reader.next(), '{"a": [1]}');
	});

	test("lines of standard input", async (t) => {
		const server = await Server.start(t);
		const reader = await Client.open(server, { topics: ["room"] });

		await succeeds(t, server, ["pub", "room", "-"], "a\n\nb\0c\nd");
		await reader.received(4);
		await succeeds(t, server, ["pub", "room"], "e\n");
		await succeeds(t, server, ["pub", "room", "--json"], "[1]\n\"f\"\n");
		await succeeds(t, server, ["pub", "room"], "");
		await reader.barrier();
		assert.deepEqual(reader.messages,
		    ["a", "", "b\0c", "d", "e", "[1]", "f"]);
	});

	test("all of standard input as one message", async (t) => {
		const server = await Server.start(t);
		const reader = await Client.open(server, { topics: ["room"] });

		await succeeds(t, server, ["pub", "-s", "room"], "a\nb\n");
		await succeeds(t, server, ["pub", "--whole", "room", "-"], "");
		await reader.barrier();
		assert.deepEqual(reader.messages, ["a\nb\n", ""]);
	});

	/* It waited for lines without a word. */
	test("who sits before a terminal is told what is read",
	    async (t) => {
		    const server = await Server.start(t);
		    const pub = new Command(t, ["pub", "--url", server.url, "room"],
			{ terminal: true });

		    await waitFor("the hint", () => pub.stdout.includes(
			"pubsubd: each line is a message; Ctrl-D ends"));
		    pub.child.stdin.write("\x04");
		    assert.equal(await pub.ended(), 0);
	    });

	test("a long stream arrives in order", async (t) => {
		const server = await Server.start(t);
		const lines = Array.from({ length: STREAM_LINES },
		    (_, i) => `line ${i}`);
		const sub = await subscribed(t, server, ["room"],
		    ["--count", `${STREAM_LINES}`]);

		await succeeds(t, server, ["pub", "room"], lines.join("\n"));
		assert.equal(await sub.ended(), 0);
		assert.deepEqual(sub.lines, lines);
		assert.equal(sub.stderr, "");
	});

	test("a slow writer's lines go out as they come", async (t) => {
		const server = await Server.start(t);
		const sub = await subscribed(t, server, ["room"]);
		const pub = new Command(t, ["pub", "room", "--url", server.url]);

		for (let i = 1; i <= 3; i++) {
			pub.child.stdin.write(`${i}\n`);
			assert.equal((await sub.printed(i)).at(-1), `${i}`);
		}
		pub.child.stdin.end();
		assert.equal(await pub.ended(), 0);
	});

	test("what cannot be a message is named", async (t) => {
		const server = await Server.start(t, ["--max-message", "1K"]);
		const long = "a".repeat(1023); /* 1025 bytes of JSON */
		const bytes = (text) => Buffer.from(text, "latin1");
		const cases = [
			[["room", "-s"], long, /^the message: 1025 bytes of JSON, and the server takes 1024$/u],
			[["room", "-s"], "a".repeat(2000), /^the message: longer than the 1024 bytes/u],
			[["room"], `a\n${long}\nb\n`, /^line 2: 1025 bytes.*; 1 of 1 messages are acknowledged$/u],
			[["room"], bytes("a\nb\n\xff\n"), /^line 3: not UTF-8; 2 of 2 /u],
			[["room", "-j"], "1\n{\n", /^line 2: not JSON: .*, at byte 2; 1 of 1 /u],
			[["room", "-j"], "\n", /^line 1: not JSON: .*; 0 of 0 /u],
			[["x\u0007y", "m"], "", /^the message: .*\(bad_topic\)$/u],
		];

		for (const [args, input, reason] of cases) {
			const { status, stdout, stderr } = await client(t, server,
			    ["pub", ...args], input);

			assert.equal(status, 1, stderr);
			assert.equal(stdout, "");
			assert.match(stderr, /^pubsubd: [^\n]+\n$/u);
			assert.match(stderr.slice(9, -1), reason);
		}
	});

	test("an argument that cannot be a message is wrong usage", async () => {
		const wrong = (script) => run("bash", ["-c", script, PUBSUBD]);

		for (const [script, line] of [
			['"$0" pub room $\'\\xff\'', "the message: not UTF-8"],
			['"$0" pub $\'\\xff\' a', "the topic is not UTF-8"],
			['"$0" sub $\'\\xff\'', "a topic is not UTF-8"],
			['"$0" pub -j room "[1"', "the message: not JSON: "],
		]) {
			const { status, stderr } = await wrong(script);

			assert.equal(status, 2, script);
			assert.ok(stderr.startsWith(`pubsubd: ${line}`), stderr);
		}
	});
});

describe("sub", { concurrency: true }, () => {
	/* It waited in silence for messages of the topic "news/*". */
	test("what looks like a pattern is a name, and that is said",
	    async (t) => {
		    const server = await Server.start(t);
		    const sub = await subscribed(t, server, ["news/*", "news"]);

		    assert.equal(sub.stderr, "pubsubd: news/*: this is the " +
			"topic of just this name; wildcards are + and #\n");
		    await succeeds(t, server, ["pub", "news/*", "star"]);
		    assert.deepEqual(await sub.printed(1), ["star"]);
	    });

	test("a pattern is all topics that match, beside topics", async (t) => {
		const server = await Server.start(t);
		const sub = new Command(t, ["sub", "--url", server.url,
			"room/+/chat", "news", "-v"]);

		await waitFor("the pattern", async () =>
			await server.total("pattern_subscriptions") === 1 &&
			await server.total("subscriptions") === 1);
		for (const topic of ["room/1/chat", "room/1", "news",
			"room/2/chat"])
			await succeeds(t, server, ["pub", topic, `in ${topic}`]);
		assert.deepEqual(await sub.printed(3), [
			"room/1/chat in room/1/chat", "news in news",
			"room/2/chat in room/2/chat"]);
	});

	test("who is there, who comes and who leaves, among the messages",
	    async (t) => {
		const server = await Server.start(t,
		    ["--workers", "2", "--leave-delay", "0"]);
		const who = async (user) => {
			const one = await V1.open(server, { query: { user } });

			t.after(() => one.close());
			return one;
		};
		const sub = (...args) => new Command(t, ["sub", "--url",
			`ws://127.0.0.1:${server.port}/ws`, "--presence", ...args]);
		const ann = await who("ann");

		await ann.subscribe("room");
		const text = sub("-v", "room", "other"), json = sub("--json", "room");

		assert.deepEqual(await text.printed(1),
		    ["room here ann (unverified)"]);
		await json.printed(1);
		const bob = await who("bob b");

		await bob.subscribe("room", { echo: false });
		await bob.publish("room", "hello");
		await bob.ask({ type: "unsubscribe", topic: "room" });
		assert.deepEqual((await text.printed(4)).slice(1), [
			"room join bob b (unverified)", "room hello",
			"room leave bob b (unverified)"]);
		const said = (await json.printed(4)).map((line) =>
			JSON.parse(line));

		assert.deepEqual(said.map(({ type }) => type),
		    ["presence", "join", "message", "leave"]);
		assert.deepEqual(said[0].members, [
			{ user: "ann", verified: false, connections: 1 }]);
		assert.deepEqual([said[1].user, said[3].user],
		    ["bob b", "bob b"]);
		for (const one of [text, json]) {
			one.signal("SIGTERM");
			assert.equal(await one.ended(), 0, one.stderr);
		}
	});

	test("more than a page of members, and again after a reconnect",
	    async (t) => {
		const count = 1005;
		const server = await Server.start(t,
		    ["--workers", "1", "--conn-rate", "0"]);
		const users = await Promise.all(Array.from({ length: count },
		    (_, i) => V1.open(server, { query: { user: `u${i}` } })));

		await Promise.all(users.map((user) => user.subscribe("room")));
		const sub = new Command(t, ["sub", "--presence", "--url",
			`ws://127.0.0.1:${server.port}/ws`, "room", "its own"]);
		const here = users.map((_, i) => `here u${i} (unverified)`).sort();

		assert.deepEqual([...await sub.printed(count)].sort(), here);
		await server.cli("kick", "--topic", "its own", "--code", "4100");
		assert.deepEqual((await sub.printed(2 * count)).slice(count)
		    .sort(), here);
		sub.signal("SIGINT");
		assert.equal(await sub.ended(), 0, sub.stderr);
	});

	test("patterns have no members", async (t) => {
		const command = new Command(t, ["sub", "--presence", "a/#"]);

		assert.equal(await command.ended(), 2);
		assert.match(command.stderr,
		    /--presence is of topics, not of patterns/u);
	});

	test("a pattern has no past", async (t) => {
		const server = await Server.start(t);
		const { status, stderr } = await client(t, server,
		    ["sub", "--history", "3", "a/#"]);

		assert.equal(status, 2);
		assert.match(stderr, /not of patterns/u);
	});

	test("each message on a line, in the form asked for", async (t) => {
		const server = await Server.start(t);
		const text = await subscribed(t, server, ["a", "b/\u00e9"]);
		const verbose = await subscribed(t, server, ["b/\u00e9"], ["-v"]);
		const json = await subscribed(t, server, ["a"], ["--json"]);

		for (const [topic, message] of [["a", '"x\\ty"'], ["b/\u00e9", "null"],
			["a", '{"n":\n[1]}']])
			await succeeds(t, server, ["pub", "-s", "-j", topic],
			    message);
		assert.deepEqual(await text.printed(3),
		    ["x\ty", "null", '{"n": [1]}']);
		assert.deepEqual(await verbose.printed(1), ["b/\u00e9 null"]);
		const envelopes = (await json.printed(2)).map(JSON.parse);

		assert.deepEqual(envelopes.map(({ time, ...rest }) => {
			assert.ok(time > 1e12);
			return rest;
		}), [{ type: "message", topic: "a", seq: 1, message: "x\ty" },
			{ type: "message", topic: "a", seq: 2, message: { n: [1] } }]);
	});

	/* One that was nested 64 deep ended every `sub' of its topic, which could
	 * not read what it was told in; and again, with the topic's history. */
	test("a message as deep as one may be", async (t) => {
		const server = await Server.start(t);
		const deep = `${'{"a":['.repeat(30)}[1]${"]}".repeat(30)}`;
		const publish = () => fetch(`${server.url}/topics/deep`, { body: deep,
			method: "POST",
			headers: { "Content-Type": "application/json" } });

		assert.equal((await publish()).status, 200);
		const command = await subscribed(t, server, ["deep"],
		    ["--history", "1", "-C", "2"]);

		await publish();
		assert.equal(await command.ended(), 0);
		assert.equal(command.stdout, `${deep}\n${deep}\n`);
		assert.equal(command.stderr, "");
	});

	test("history, since and a topic given twice", async (t) => {
		const server = await Server.start(t);
		const { epoch } = await server.status();

		await succeeds(t, server, ["pub", "a"], "1\n2\n3\n4\n");
		await succeeds(t, server, ["pub", "b"], "5\n");
		const past = (...args) => succeeds(t, server,
		    ["sub", ...args, "-W", "10"]);

		assert.equal(await past("a", "--history", "2", "-C", "2"), "3\n4\n");
		assert.equal(await past("a", "--history", "9", "-C", "3"),
		    "1\n2\n3\n");
		/* Topics have no order among each other. */
		assert.match(await past("a", "a", "b", "--history", "1",
		    "-C", "2"), /^(4\n5|5\n4)\n$/u);
		assert.equal(await past("a", "--since", `${epoch}:1`, "-C", "3"),
		    "2\n3\n4\n");
	});

	test("a place of long ago is told as a gap", async (t) => {
		const server = await Server.start(t);
		const { epoch } = await server.status();

		await succeeds(t, server, ["pub", "a"], "1\n2\n");
		for (const [since, reason] of [["other:1", "epoch"],
			[`${epoch}:9`, "unknown"]]) {
			const sub = await subscribed(t, server, ["a"],
			    ["--since", since, "-C", "1"]);

			await sub.said(new RegExp(
			    `^pubsubd: a: messages may be missing \\(${reason}: `, "u"));
			await succeeds(t, server, ["pub", "a", "now"]);
			assert.equal(await sub.ended(), 0);
			assert.equal(sub.stdout, "now\n");
		}
	});

	test("an end after so long", async (t) => {
		const server = await Server.start(t);

		assert.equal(await succeeds(t, server, ["sub", "a", "-W", "0.05"]),
		    "");
		const few = await client(t, server,
		    ["sub", "a", "-W", "0.05", "-C", "2"]);

		assert.equal(few.status, 1);
		assert.equal(few.stderr,
		    "pubsubd: 0 of 2 messages came within 0.05 s\n");
	});

	for (const signal of ["SIGINT", "SIGTERM"])
		test(`${signal} ends it cleanly`, async (t) => {
			const server = await Server.start(t);
			const sub = await subscribed(t, server, ["a"]);

			await succeeds(t, server, ["pub", "a", "1"]);
			await sub.printed(1);
			sub.signal(signal);
			assert.equal(await sub.ended(), 0);
			assert.equal(sub.stdout, "1\n");
			assert.equal(sub.stderr, "");
		});

	test("who reads it may stop", async (t) => {
		const server = await Server.start(t);
		const done = run("bash", ["-c",
			`"$0" sub a -u ${server.url} | head -n 1; echo "\${PIPESTATUS[0]}"`,
			PUBSUBD]);

		while ((await server.total("subscriptions")) < 1)
			continue;
		await succeeds(t, server, ["pub", "a", "1"]);
		/* No second message is needed to see that nobody reads. */
		assert.deepEqual(await done,
		    { status: 0, signal: null, stdout: "1\n0\n", stderr: "" });
	});

	test("a full disk is told, also when all has come", async (t) => {
		const server = await Server.start(t);

		await succeeds(t, server, ["pub", "a", "1"]);
		for (const count of ["", "-C 1"]) {
			const { status, stderr } = await run("bash", ["-c",
				`"$0" sub a --history 1 ${count} ` +
				`-u ${server.url} >/dev/full`, PUBSUBD]);

			assert.equal(status, 1, count);
			assert.equal(stderr, "pubsubd: standard output: " +
			    "No space left on device\n");
		}
	});

	test("a refused topic ends it", async (t) => {
		const server = await Server.start(t, ["--max-topics-per-conn", "1"]);
		const { status, stderr } = await client(t, server,
		    ["sub", "a", "b"]);

		assert.equal(status, 1);
		assert.equal(stderr,
		    "pubsubd: b: 1 topics per connection (too_many_topics)\n");
	});
});

describe("topics", { concurrency: true }, () => {
	test("a table, or JSON", async (t) => {
		const server = await Server.start(t);

		await succeeds(t, server, ["pub", "b&c/\u00e9", "1"]);
		await subscribed(t, server, ["a", "b&c/\u00e9"]);
		assert.equal(await succeeds(t, server, ["topics"]),
		    "subscribers              seq  topic\n" +
		    "          1                0  a\n" +
		    "          1                1  b&c/\u00e9\n");
		assert.deepEqual(JSON.parse(await succeeds(t, server,
		    ["topics", "--json", "--prefix", "b&"])),
		    [{ topic: "b&c/\u00e9", subscribers: 1, seq: 1 }]);
		assert.equal(await succeeds(t, server,
		    ["topics", "--json", "--prefix", "x"]), "[]\n");
	});

	test("more than fit on a page", async (t) => {
		const server = await Server.start(t);
		const writer = new Client(new WebSocket(
		    `ws://127.0.0.1:${server.port}/ws`, "pubsubd.v1"));
		const names = Array.from({ length: 2100 },
		    (_, i) => `t/${String(i).padStart(4, "0")}`);

		await once(writer.socket, "open");
		for (const topic of names)
			writer.send(JSON.stringify(
			    { type: "publish", topic, message: 1 }));
		writer.send('{"type":"ping"}');
		await writer.received(2);
		const table = await succeeds(t, server, ["topics"]);

		assert.deepEqual(table.split("\n").slice(1, -1)
		    .map((line) => line.slice(30)), names);
		assert.deepEqual(JSON.parse(await succeeds(t, server,
		    ["topics", "-j"])).map(({ topic }) => topic), names);
	});
});

describe("where the server is", { concurrency: true }, () => {
	test("by the name of an instance", async (t) => {
		const server = await Server.start(t);
		const named = await server.cli("pub", "room", "hello");

		assert.deepEqual(named, { status: 0, signal: null, stdout: "",
			stderr: "" });
		assert.match((await server.cli("topics")).stdout, /1 {2}room\n$/u);
		await server.stop();
		const gone = await server.cli("sub", "room");

		assert.equal(gone.status, 3);
		assert.equal(gone.stderr,
		    `pubsubd: ${server.name} is not running\n`);
	});

	test("by the URL of the endpoint, with options of its own", async (t) => {
		const server = await Server.start(t);
		const url = `ws://127.0.0.1:${server.port}/ws?buffer=7`;

		for (const args of [["pub", "a", "1"], ["topics"],
			["sub", "a", "--history", "1", "-C", "1"]]) {
			const done = await run(PUBSUBD, [...args, "--url", url]);

			assert.equal(done.status, 0, done.stderr);
		}
	});

	test("help has all of them", async () => {
		const { stdout } = await run(PUBSUBD, ["help"]);

		for (const known of ["pub TOPIC [MESSAGE|-]", "sub TOPIC...",
			"topics", "-u, --url URL", "-j, --json", "-s, --whole",
			"--retry", "--ephemeral", "-v, --verbose", "-C, --count N",
			"-W, --timeout SECONDS", "--history N",
			"--since EPOCH:SEQ", "--prefix TEXT"])
			assert.ok(stdout.includes(`  ${known} `), known);
	});
});
