// SPDX-License-Identifier: MIT
/*
 * completion.test.mjs - what the bash completion offers, asked of bash itself:
 * the script is read, COMP_LINE is set as readline sets it, and COMPREPLY is
 * printed.
 */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Client, PUBSUBD, ROOT, Server, run } from "./support.mjs";

const SCRIPT = process.env.COMPLETION_SCRIPT ??
	join(ROOT, "build/release/completions/pubsubd");

/* What is offered behind this text of the command line; `pubsubd' in it is the
 * program under test. */
async function offers(line, options = {}) {
	const text = line.replace(/^pubsubd/u, PUBSUBD);
	const done = await run("bash", ["--norc", "-c", `
		set -u
		. "$1"
		complete -p pubsubd >/dev/null
		COMP_LINE=$2 COMP_POINT=\${#2}
		_pubsubd
		[ \${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`,
	"bash", SCRIPT, text], options);

	assert.equal(done.stderr, "");
	assert.equal(done.status, 0);
	return done.stdout.split("\n").slice(0, -1);
}

describe("completion", { concurrency: true }, () => {
	test("of commands", async () => {
		const { stdout } = await run(PUBSUBD, ["help"]);
		const commands = stdout.split("\n\n")[1]
		    .match(/^ {2}([a-z]+)/gmu).map((word) => word.trim());

		assert.ok(commands.length > 8);
		assert.deepEqual(await offers("pubsubd "), commands);
		assert.deepEqual(await offers("pubsubd st"),
		    ["start", "stop", "status"]);
		assert.deepEqual(await offers("pubsubd frob"), []);
		assert.deepEqual(await offers("pubsubd help re"),
		    ["restart", "reload"]);
	});

	test("of the options of each command", async () => {
		const { stdout } = await run(PUBSUBD, ["sub", "--help"]);
		const options = [...stdout.matchAll(
		    /^ {2}(?:-\w, )?(--[a-z-]+)/gmu)].map(([, word]) => word);

		assert.ok(options.includes("--since"));
		assert.deepEqual(await offers("pubsubd sub news --"),
		    ["--help", ...options]);
		assert.deepEqual(await offers("pubsubd run --max-conns"),
		    ["--max-conns", "--max-conns-per-address"]);
		assert.deepEqual(await offers("pubsubd stop --max"), []);
		assert.deepEqual(await offers("pubsubd stop "),
		    ["--help", "--name", "--pidfile"]);
	});

	test("of values", async () => {
		assert.deepEqual(await offers("pubsubd run --log-level "),
		    ["error", "warn", "info", "debug"]);
		assert.deepEqual(await offers("pubsubd run --log-level=de"),
		    ["debug"]);
		assert.deepEqual(await offers("pubsubd run --tls-min "),
		    ["1.2", "1.3"]);
		assert.deepEqual(await offers("pubsubd run --admin n"), ["none"]);
		assert.deepEqual(await offers("pubsubd run --workers "), []);
		assert.deepEqual(await offers("pubsubd run --user roo"), ["root"]);
	});

	test("of files and directories", async (t) => {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-completion-"));

		t.after(() => rmSync(dir, { recursive: true }));
		mkdirSync(join(dir, "one"));
		writeFileSync(join(dir, "one.pem"), "");
		assert.deepEqual((await offers(
		    `pubsubd run --tls-cert ${dir}/o`)).sort(),
		[`${dir}/one`, `${dir}/one.pem`]);
		assert.deepEqual(await offers(`pubsubd run --root=${dir}/o`),
		    [`${dir}/one`]);
		assert.deepEqual(await offers("pubsubd run --config n",
		    { cwd: dir }), ["none"]);
	});

	test("of topics and instances from servers that run", async (t) => {
		const server = await Server.start(t);
		const line = (command, rest) =>
			`pubsubd ${command} --url ${server.url} ${rest}`;

		for (const topic of ["room/1", "room/2", "a:b:c", "it's here",
			"other"])
			await run(PUBSUBD, ["pub", "--url", server.url, topic, "x"]);
		const rooms = ["room/#", "room/1", "room/2"];

		assert.deepEqual(await offers(line("sub", "room/")), rooms);
		assert.deepEqual(await offers(line("sub", "other ro")), rooms);
		/* readline has broken the word behind each colon. */
		assert.deepEqual(await offers(line("sub", "a:b:")), ["c"]);
		assert.deepEqual(await offers(line("sub", "it")),
		    [String.raw`it\'s\ here`]);
		assert.deepEqual(await offers(line("sub",
		    String.raw`it\'s\ h`)), [String.raw`it\'s\ here`]);
		/* Of pub the first word is one, the message is not. */
		assert.deepEqual(await offers(line("pub", "oth")), ["other"]);
		assert.deepEqual(await offers(line("pub", "news oth")), []);
		assert.deepEqual(await offers(
		    `pubsubd pub oth --url=${server.url}`), []);
		assert.deepEqual(await offers(
		    `pubsubd stop --name ${server.name.slice(0, -1)}`)
		    .then((names) => names.includes(server.name)), true);
	});

	test("of patterns, as the topics that there are suggest", async (t) => {
		const server = await Server.start(t);
		const offered = (rest) =>
			offers(`pubsubd tap --name ${server.name} ${rest}`);
		const client = await Client.open(server);

		for (const topic of ["room/1/chat", "room/2/chat", "room/2/log",
			"lamp/1", "news"]) {
			client.say(topic, "x");
			await client.next();
		}
		assert.deepEqual(await offered("r"), ["room/#", "room/1/chat",
			"room/2/#", "room/2/chat", "room/2/log"]);
		assert.deepEqual(await offered("room/+/"),
		    ["room/+/#", "room/+/chat", "room/+/log"]);
		assert.deepEqual(await offered("+/1/"), ["+/1/chat"]);
		/* One topic alone makes no pattern. */
		assert.deepEqual(await offered("la"), ["lamp/1"]);
		await client.close();
	});

	test("of what conns, kick and tap mean", async (t) => {
		const server = await Server.start(t);
		const client = await Client.open(server);
		const line = (command, rest) =>
			`pubsubd ${command} --name ${server.name} ${rest}`;

		client.say("room/1", "hello");
		await client.received(1);
		const { stdout } = await server.cli("conns", "--json");
		const [{ id }] = JSON.parse(stdout);

		assert.deepEqual(await offers(line("kick", "--topic ro")),
		    ["room/1"]);
		assert.deepEqual(await offers(line("tap", "ro")), ["room/1"]);
		assert.deepEqual(await offers(line("kick", "--conn ")), [id]);
		assert.deepEqual(await offers(line("conns", "--conn=")), [id]);
	});

	test("of topics without a server", async () => {
		assert.deepEqual(await offers(
		    "pubsubd sub --url http://127.0.0.1:1 "), []);
	});
});
