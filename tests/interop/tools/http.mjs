// SPDX-License-Identifier: MIT
/*
 * http.mjs - load generators for HTTP: with many connections, each keeping alive,
 * every request is answered, by 200 and whole.
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

import { Server, run } from "../../e2e/server.mjs";

const AUTOCANNON = fileURLToPath(
    new URL("../node_modules/autocannon/autocannon.js", import.meta.url));
const REQUESTS = 5000;
const CONNECTIONS = 50;

/* Within which a response must be there, s: a slow machine's, too. */
const TIMEOUT = 60;

/* What is asked for: a file, an answer, and a message that is published. */
const ASKED = [["page", "/"], ["health", "/healthz"],
	["publish", "/topics/load", "hello"]];

async function withServer(play) {
	const server = await new Server().run();

	try {
		await play(server);
	} finally {
		await server.end();
	}
}

/* Fail unless this is how often the topic was published to. */
async function assertPublished(server, n) {
	const topic = await (await fetch(`${server.url}/topics/load`)).json();

	assert.equal(topic.seq, n);
}

async function autocannon(server, path, body) {
	const done = await run("node", [AUTOCANNON, "--json", "--no-progress",
		"--amount", REQUESTS, "--connections", CONNECTIONS,
		"--timeout", TIMEOUT,
		...body ? ["--method", "POST", "--body", body] : [],
		`${server.url}${path}`].map(String));
	const result = JSON.parse(done.stdout);

	assert.deepEqual([result["2xx"], result.non2xx, result.errors,
		result.timeouts], [REQUESTS, 0, 0, 0]);
	if (body)
		await assertPublished(server, REQUESTS);
}

export const playAutocannon = (outcome) => withServer(async (server) => {
	for (const [step, path, body] of ASKED)
		await outcome.note(step, () => autocannon(server, path, body));
});

/* It counts by time, and says of errors only that there were some. */
async function wrk(server, path) {
	const done = await run("wrk", ["--threads", "1", "--connections",
		`${CONNECTIONS}`, "--duration", "2s", "--timeout", `${TIMEOUT}s`,
		`${server.url}${path}`]);

	assert.equal(done.status, 0, done.stderr);
	assert.match(done.stdout, /^ +[1-9]\d* requests in /mu);
	assert.doesNotMatch(done.stdout, /errors|Non-2xx/u);
}

export const playWrk = (outcome) => withServer(async (server) => {
	for (const [step, path] of ASKED.slice(0, 2))
		await outcome.note(step, () => wrk(server, path));
});
