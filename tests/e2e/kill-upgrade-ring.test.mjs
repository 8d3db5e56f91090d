// SPDX-License-Identifier: MIT
/*
 * kill-upgrade-ring.test.mjs - a process of an upgrade to another ring stands at one
 * of its places in broker/shared/stop_point.h, and there it is continued or killed.
 *
 * Until it is decided for all workers that they move, a death costs nothing but, if
 * it is a worker's, that worker's connections: all go on in the old ring.  From then
 * on all are in the new one.  Whatever dies, what was acknowledged has come, or is
 * told by a gap.
 */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { STOPPABLE, Stop } from "./stop.mjs";
import {
	Client, Server, bounded, openOnEachWorker, waitFor,
} from "./support.mjs";
import { Moved, V1 } from "./v1-client.mjs";

const CONCURRENCY = 4;
const VICTIM = 0, WITNESS = 1; /* slots */

/*
 * Who stands there, and what its death costs.
 *	moves	all have moved all the same
 *	lost	the connections of this slot
 */
const PLACES = {
	"freezing": { who: VICTIM, lost: true },
	"frozen": { who: VICTIM, lost: true },
	"half-sent": { who: VICTIM, lost: true },
	"nursing": { who: "supervisor" },
	"succeeding": { who: VICTIM },
	"half-taken": { who: VICTIM },
	"all-taken": { who: VICTIM },
	"rebuilt": { who: VICTIM, moves: true, lost: true },
	"nursed": { who: "supervisor" },
	"granted": { who: VICTIM, moves: true, lost: true },
};

/* Two workers, a client of each contract on each, and an upgrade that stands. */
class Scene {
	said = 0;

	static async open(t, who, place, ...args) {
		const scene = new Scene();
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-ring-"));
		const conf = join(dir, "conf");

		t.after(() => rmSync(dir, { recursive: true }));
		scene.configure = (size) =>
			writeFileSync(conf, `ring-size = ${size}\n`);
		scene.configure("2M");
		scene.server = await Server.start(t, ["--config", conf,
			"--max-topics", "8", "--drain", "60", "--watchdog", "0",
			"--handover-time", "60", ...args],
		{ program: STOPPABLE });
		scene.server.deathsExpected = true;
		scene.plain = await openOnEachWorker(scene.server,
		    () => Client.open(scene.server, { topics: ["x"] }));
		scene.v1 = await openOnEachWorker(scene.server,
		    () => V1.open(scene.server));
		scene.books = [];
		for (const client of scene.v1)
			scene.books.push(new Moved("x",
			    await client.subscribe("x")));
		await scene.say();
		scene.before = await scene.server.status();
		scene.configure("4M");
		scene.stop = await Stop.arm(t, scene.server, who, place);
		scene.upgraded = scene.server.cli("upgrade");
		scene.pid = await scene.stop.stands();
		return scene;
	}

	/* On the worker where nothing is the matter. */
	async say() {
		this.plain[WITNESS].say("x", `${this.said++}`);
		await this.plain[WITNESS].received(this.said);
	}

	/* All who are still there have everything, and so do the workers serve. */
	async leave({ moves = false, lost = false }) {
		const { server } = this;
		const slots = lost ? [WITNESS] : [VICTIM, WITNESS];

		if (lost)
			for (const client of [this.plain[VICTIM], this.v1[VICTIM]])
				assert.equal((await bounded("close",
				    client.closed)).code, 1006);
		await waitFor("all workers", async () => {
			const { workers } = await server.status();

			return workers.every(({ state }) => state === "ready");
		});
		await this.say();
		for (const slot of slots) {
			assert.deepEqual(await this.plain[slot].received(this.said),
			    Array.from({ length: this.said }, (_, i) => `${i}`));
			for (const frame of await this.v1[slot].barrier())
				this.books[slot].enter(frame);
			assert.equal(this.books[slot].messages, this.said);
			assert.equal(this.books[slot].epochs.length,
			    moves ? 2 : 1);
		}
		const { epoch, pid } = await server.status();

		assert.equal(epoch !== this.before.epoch, moves);
		assert.equal(pid, this.before.pid);
		assert.equal(existsSync(`${server.shm}~`), false);
		for (const slot of slots) {
			await this.plain[slot].close();
			await this.v1[slot].close();
		}
	}
}

async function goOn(t, place, row) {
	const scene = await Scene.open(t, row.who, place);

	process.kill(scene.pid, "SIGCONT");
	const done = await scene.upgraded;

	assert.equal(done.status, 0, done.stderr);
	assert.match(done.stdout, /, 4 connections handed over, 0 closed/u);
	await scene.leave({ moves: true });
}

async function die(t, place, row) {
	const scene = await Scene.open(t, row.who, place);

	/* Or the other worker may not be there yet, and nothing is decided. */
	if (row.moves)
		await waitFor("the commit", async () => (await scene.server
		    .status()).epoch !== scene.before.epoch);
	process.kill(scene.pid, "SIGKILL");
	const done = await scene.upgraded;

	assert.equal(done.status, row.moves ? 0 : 1, done.stderr);
	if (!row.moves) {
		assert.match(done.stderr, /was not upgraded, and serves on: /u);
		/* and it can be asked for again */
		await waitFor("all workers", async () => (await scene.server
		    .status()).workers.every(({ state }) => state === "ready"));
	}
	await scene.leave(row);
	if (!row.moves) {
		/* Nobody stands at the place that is still armed in the ring. */
		await Stop.arm(t, scene.server, "5", "ordered");
		assert.equal((await scene.server.cli("upgrade")).status, 0);
	}
	assert.notEqual((await scene.server.status()).epoch,
	    scene.before.epoch);
}

describe("in an upgrade to another ring somebody stands at",
    { concurrency: CONCURRENCY }, () => {
	    for (const [place, row] of Object.entries(PLACES)) {
		    test(`${place}: is continued`, (t) => goOn(t, place, row));
		    test(`${place}: is killed`, (t) => die(t, place, row));
	    }
    });

describe("its supervisor stands at", { concurrency: CONCURRENCY }, () => {
	for (const place of ["move-committed", "move-named"])
		test(`${place}: is continued`, async (t) => {
			const scene = await Scene.open(t, "supervisor", place);

			assert.equal(scene.pid, scene.server.child.pid);
			process.kill(scene.pid, "SIGCONT");
			assert.equal((await scene.upgraded).status, 0);
			await scene.leave({ moves: true });
		});

	/* Nobody has served in the new ring yet.  Without a name it is forgotten,
	 * and the next start goes on with the old one. */
	for (const [place, size] of [["move-committed", "2M"],
		["move-named", "4M"]])
		test(`${place}: is killed`, async (t) => {
			const scene = await Scene.open(t, "supervisor", place);
			const { server } = scene;

			scene.configure(size);

			await server.stop("SIGKILL");
			for (const client of [...scene.plain, ...scene.v1])
				assert.equal((await bounded("close",
				    client.closed)).code, 1001);
			assert.equal((await scene.upgraded).status, 1);
			await server.run();
			await server.logs("a ring that was there",
			    /going on with the ring of epoch/u);
			assert.equal((await server.status()).epoch ===
			    scene.before.epoch, place === "move-committed");
			assert.equal(existsSync(`${server.shm}~`), false);
			const client = await V1.open(server);

			assert.equal((await client.publish("x", 1)).type, "ack");
			await client.close();
		});
});

describe("an upgrade to another ring", { concurrency: CONCURRENCY }, () => {
	test("whose successor hangs is called off", async (t) => {
		const scene = await Scene.open(t, VICTIM, "half-taken",
		    "--handover-time", "0");
		const done = await scene.upgraded;

		assert.equal(done.status, 1);
		assert.match(done.stderr, /the successors take too long: killed/u);
		await scene.leave({});
	});

	test("whose worker stood too long is called off", async (t) => {
		const scene = await Scene.open(t, VICTIM, "half-sent",
		    "--handover-time", "0");

		assert.equal((await scene.upgraded).status, 1);
		process.kill(scene.pid, "SIGCONT");
		await scene.server.logs("that it goes on",
		    /successor is gone: going on with 2 connections/u);
		await scene.leave({});
	});

	test("is ended by a stop", async (t) => {
		const scene = await Scene.open(t, VICTIM, "half-taken");

		scene.server.child.kill("SIGTERM");
		assert.equal((await bounded("the end",
		    scene.server.exited)).code, 0);
		assert.match(scene.server.logged,
		    /no upgrade: another change came in between/u);
		for (const client of [...scene.plain, ...scene.v1])
			assert.equal((await bounded("close",
			    client.closed)).code, 1001);
	});

	test("keeps a restart and a reload waiting", async (t) => {
		const scene = await Scene.open(t, VICTIM, "half-taken");

		for (const command of ["restart", "reload"]) {
			const done = await scene.server.cli(command);

			assert.equal(done.status, 1);
			assert.match(done.stderr, /another change is under way/u);
		}
		process.kill(scene.pid, "SIGCONT");
		assert.equal((await scene.upgraded).status, 0);
		await scene.leave({ moves: true });
	});
});
