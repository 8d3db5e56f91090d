// SPDX-License-Identifier: MIT
/*
 * readme.test.mjs - the README's examples run as they stand there, with this
 * server's port and this program in place of the usual ones.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { example } from "../example.mjs";
import { PUBSUBD, ROOT, Server, run } from "./support.mjs";

describe("the README's examples", () => {
	const server = new Server();

	before(() => server.run());
	after(() => server.end());

	const adapt = (text) => text
	    .replaceAll("localhost:8000", `localhost:${server.port}`)
	    .replaceAll(/build\/pubsubd (\w+)/gu,
		`${PUBSUBD} $1 --url http://127.0.0.1:${server.port}`);
	const shell = (name) => run("bash", ["-ec", adapt(example(name))]);

	test("by curl", async () => {
		const { status, stdout } = await shell("curl");
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

	test("from the command line", async () => {
		const { status, stdout, stderr } = await shell("shell");

		assert.equal(status, 0, stderr);
		for (const text of ["first", "2", "3"])
			assert.match(stdout, new RegExp(`^news ${text}$`, "mu"));
		assert.match(stdout, /^\s*\d+\s+3\s+news$/mu);
	});

	test("from Node", async (t) => {
		/* Beside the package ws, so that it is found. */
		const dir = mkdtempSync(join(ROOT, "tests/node_modules/.readme-"));
		const script = join(dir, "example.mjs");

		t.after(() => rmSync(dir, { recursive: true }));
		writeFileSync(script, adapt(example("node"))
		    .replace("./public/", `${ROOT}/public/`));
		const { status, stdout, stderr } = await run("node", [script]);

		assert.equal(status, 0, stderr);
		assert.deepEqual(stdout.trim().split("\n").sort(),
		    ["1 done", "1 listening", "acknowledged as 1"]);
	});
});
