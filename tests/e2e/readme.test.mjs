// SPDX-License-Identifier: MIT
/*
 * readme.test.mjs - the README's examples run as they stand there, with this
 * server's port and this program in place of the usual ones.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { example } from "../example.mjs";
import { DEBIAN, skip as noHosts, withHosts } from "./hosts.mjs";
import { LOCALHOST, PUBSUBD, ROOT, Server, run } from "./support.mjs";

/* A node that, as Debian 12's does, takes the first address of a name and no
 * other. */
const FIRST_ADDRESS = `import { setDefaultAutoSelectFamily } from "node:net";
setDefaultAutoSelectFamily?.(false);
`;

describe("the README's examples", () => {
	const start = (t) => Server.start(t, [], { listen: LOCALHOST });
	const adapt = (server, text) => text
	    .replaceAll("localhost:8000", `localhost:${server.port}`)
	    .replaceAll(/build\/pubsubd (\w+)/gu,
		`${PUBSUBD} $1 --url http://localhost:${server.port}`);
	const shell = async (t, name) => run("bash",
	    ["-ec", adapt(await start(t), example(name))]);

	test("by curl", async (t) => {
		const { status, stdout } = await shell(t, "curl");
		const [first, second, topic, history, topics, ...events] =
		    stdout.trim().split(/\n|(?<=\})(?=\{)/u);

		assert.equal(status, 0);
		assert.equal(JSON.parse(first).seq, 1);
		assert.equal(JSON.parse(second).seq, 2);
		assert.equal(JSON.parse(topic).topic, "room/1");
		assert.deepEqual(
		    JSON.parse(history).messages.map(({ message }) => message),
		    ["hello", { any: "JSON" }]);
		assert.deepEqual(
		    JSON.parse(topics).topics.map(({ topic: name }) => name),
		    ["room/1"]);
		assert.match(events.join("\n"), /^retry: \d+/mu);
	});

	test("by a token", async (t) => {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-readme-"));
		const name = `readme-${process.pid}`;
		const env = { ...process.env, XDG_STATE_HOME: dir,
			PUBSUBD_ROOT: join(ROOT, "public") };
		const words = example("token")
		    .replaceAll("build/pubsubd", PUBSUBD)
		    .replaceAll("guarded", name)
		    .replace("8002", "127.0.0.1:0");

		t.after(async () => {
			await run(PUBSUBD, ["stop", "--name", name], { env });
			rmSync(dir, { recursive: true });
		});
		const { status, stdout, stderr } =
		    await run("bash", ["-ec", words], { cwd: dir, env });

		assert.equal(status, 0, stderr);
		assert.match(stdout, /^hello$/mu);
		assert.equal((await run(PUBSUBD,
		    ["status", "--name", name], { env })).status, 3);
	});

	/* It starts a server of its own. */
	test("who may", async (t) => {
		const server = new Server();

		t.after(() => server.end());
		const command = (name) => [PUBSUBD,
			...server.commandLine(name)].map((word) =>
			`'${word}'`).join(" ");
		const script = `start() {
			port=$(${command("start")} "$@" |
				sed -E 's|.*://[^:]*:([0-9]+).*|\\1|')
		}
		${example("who-may")
		    .replaceAll("localhost:8000", "127.0.0.1:$port")
		    .replace("build/pubsubd start", "start")
		    .replace("build/pubsubd stop", `'${PUBSUBD}' stop ` +
			`--name ${server.name} --pidfile '${server.pidfile}'`)}`;
		const { status, stdout, stderr } = await run("bash",
		    ["-ec", script], { cwd: server.dir, env: server.env });

		assert.equal(status, 0, stderr);
		const [published, history, refused] = stdout.split("\n")
		    .filter((line) => line.startsWith("{"))
		    .map((line) => JSON.parse(line));

		assert.equal(published.seq, 1);
		assert.equal(history.messages[0].message, "hello");
		assert.equal(refused.error.code, "unauthorized");
	});

	test("from the command line", async (t) => {
		const { status, stdout, stderr } = await shell(t, "shell");

		assert.equal(status, 0, stderr);
		for (const text of ["first", "2", "3"])
			assert.match(stdout, new RegExp(`^news ${text}$`, "mu"));
		assert.match(stdout, /^\s*\d+\s+3\s+news$/mu);
	});

	/* The example for Node works when it is run by this command; prefix: what
	 * goes before it. */
	async function worksInNode(t, command, prefix = "") {
		const server = await start(t);
		/* Beside the package ws, so that it is found. */
		const dir = mkdtempSync(join(ROOT, "tests/node_modules/.readme-"));
		const script = join(dir, "example.mjs");

		t.after(() => rmSync(dir, { recursive: true }));
		writeFileSync(script, prefix + adapt(server,
		    example("node")).replace("./public/", `${ROOT}/public/`));
		const [program, ...args] = [...command, script];
		const { status, stdout, stderr } = await run(program, args);

		assert.equal(status, 0, stderr);
		assert.deepEqual(stdout.trim().split("\n").sort(),
		    ["1 done", "1 listening", "acknowledged as 1"]);
	}

	test("from Node", (t) => worksInNode(t, ["node"]));

	/* Debian's /etc/hosts has ::1 for localhost, too.  This failed on Debian 12
	 * when the tests' server was on 127.0.0.1 alone, and nowhere else. */
	test("from Node, where localhost is ::1 first", { skip: noHosts },
	    (t) => worksInNode(t, [...withHosts(t, DEBIAN), "node"],
		FIRST_ADDRESS));
});
