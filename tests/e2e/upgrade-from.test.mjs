// SPDX-License-Identifier: MIT
/*
 * upgrade-from.test.mjs - an upgrade to the program under test from an earlier one,
 * PUBSUBD_BEFORE, which scripts/upgrade-from.sh builds: that of the commit before
 * the last change of what a connection's record has
 * (worker/handover/conn_record_tags.h).
 *
 * Every connection that the earlier program gives away goes on: in the same ring, if
 * the shared memory of both has one layout, else in another one, if the earlier
 * program can move to that.  If it cannot, the upgrade is refused in so many words,
 * the earlier program serves on, and a restart changes to the new one.
 */

import assert from "node:assert/strict";
import {
	chmodSync, copyFileSync, mkdtempSync, renameSync, rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Events } from "./events.mjs";
import { Client, Frame, PUBSUBD, Raw, Server, Stream, run } from "./support.mjs";
import { Books, V1 } from "./v1-client.mjs";

const BEFORE = process.env.PUBSUBD_BEFORE;

/* A server that runs the earlier program, and a function that puts the present
 * one in its place. */
async function scene(t) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-before-"));
	const program = join(dir, "pubsubd");

	t.after(() => rmSync(dir, { recursive: true }));
	copyFileSync(BEFORE, program);
	const server = await Server.start(t, ["--workers", "1"], { program });

	return { server, replace() {
		copyFileSync(PUBSUBD, `${program}.new`);
		chmodSync(`${program}.new`, 0o755);
		renameSync(`${program}.new`, program);
	} };
}

/* One client of each kind. */
async function clients(t, server) {
	const plain = await Client.open(server, { topics: ["x"] });
	const v1 = await V1.open(server), quiet = await V1.open(server);
	const events = await Events.open(server, "x", { t });
	const talker = await V1.open(server);
	const idle = await Raw.connect(server.port, { t });
	const slow = await Raw.open(server.port, "/ws?topic=slow&buffer=5", { t,
		headers: { "Sec-WebSocket-Protocol": "pubsubd.v1" } });

	await v1.subscribe("x");
	await quiet.subscribe("x", { echo: false });
	idle.request("GET", "/healthz");
	assert.equal((await idle.response()).status, 200);
	await slow.text();
	slow.socket.pause();
	return { plain, v1, quiet, talker, events, idle, slow };
}

/* Messages that were dropped, as the earlier program tells of itself. */
async function drops(server) {
	const { stdout, stderr } = await run(BEFORE, ["status", "--json", "--name",
		server.name, "--pidfile", server.pidfile]);

	assert.equal(stderr, "");
	return JSON.parse(stdout).workers[0].drops;
}

async function fillSlow(server, talker) {
	let sent = 0;

	while (await drops(server) === 0)
		sent = (await talker.publish("slow", "s".repeat(50_000))).seq;
	return sent;
}

const skip = !BEFORE &&
	"PUBSUBD_BEFORE names no program: scripts/upgrade-from.sh builds one";

describe("from the program before", () => {
	test("all connections go on, or the upgrade is refused", { skip },
	    async (t) => {
		const { server, replace } = await scene(t);
		const { plain, v1, quiet, talker, events, idle, slow } =
			await clients(t, server);

		events.readAhead();
		const stream = new Stream(plain, "x");

		await stream.progress(20);
		const sent = await fillSlow(server, talker);

		replace();
		const done = await server.cli("upgrade");

		if (done.status === 0)
			assert.match(done.stdout,
			    /7 connections handed over, 0 closed/u);
		else
			assert.match(done.stderr,
			    /is of another version, .*: restart it\n$/u);
		t.diagnostic(done.status === 0 ? "upgraded" : "refused");
		await stream.progress(20);
		await stream.stop();
		await stream.assertComplete(plain);
		for (const client of [v1, quiet])
			assert.equal((await client.barrier())
			    .filter(({ type }) => type === "message").length,
			stream.count);
		for (let i = 0; i < stream.count; i++) {
			let block = await events.block();

			if (block.event === "gap") /* another ring begins here */
				block = await events.block();
			assert.equal(block.data, `x ${i}`);
		}
		idle.request("GET", "/healthz");
		assert.equal((await idle.response()).status, 200);
		slow.socket.resume();
		const books = new Books("slow", 1);

		while (books.next <= sent)
			assert.ok(books.enter(JSON.parse(await slow.text())));
		assert.ok(books.missed > 0);
		slow.send(Frame.close(1000, ""));
		if (done.status !== 0)
			assert.equal((await server.cli("restart")).status, 0);
		await Promise.all([plain, v1, quiet, talker].map(
		    (client) => client.close()));
		events.close();
	});
});
