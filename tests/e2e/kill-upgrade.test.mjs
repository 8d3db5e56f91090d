// SPDX-License-Identifier: MIT
/*
 * kill-upgrade.test.mjs - a process of an upgrade stands at one of its places in
 * broker/shared/stop_point.h, and there it is continued or killed.
 *
 * While it stands the other worker serves.  Until the successor may go on, its
 * death costs nothing, and the old worker's costs what any worker's does; from
 * then on it is the other way round.  Whatever dies, what was acknowledged is in
 * the ring, and who stays connected has it all.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Scene, VICTIM } from "./kill.mjs";
import { Stop } from "./stop.mjs";
import { bounded, waitFor } from "./support.mjs";

/* Servers at a time. */
const CONCURRENCY = 4;

/*
 * What the death of who stands there costs.
 *	old, heir	whose place it is
 *	lost		the connections of this slot
 *	refused		the slot's upgrade: the old worker goes on
 */
const PLACES = {
	"freezing": { who: "old", lost: true },
	"frozen": { who: "old", lost: true },
	"half-sent": { who: "old", lost: true },
	"all-sent": { who: "old" },
	"leaving": { who: "old" },
	"succeeding": { who: "heir", refused: true },
	"half-taken": { who: "heir", refused: true },
	"all-taken": { who: "heir", refused: true },
	"rebuilt": { who: "heir", lost: true },
	"granted": { who: "heir", lost: true },
	"slot-counted": { who: "heir", lost: true },
};

async function stand(t, who, place, ...args) {
	const scene = await Scene.open(t, "--drain", "60", "--watchdog", "0",
	    "--handover-time", "60", ...args);
	const old = await scene.pid(VICTIM);

	await scene.openVictim();
	await scene.victim.follow(scene.epoch);
	await scene.say(scene.victim);
	const stop = await Stop.arm(t, scene.server, who, place);
	const upgraded = scene.server.cli("upgrade");
	const pid = await stop.stands();

	return { scene, old, pid, upgraded };
}

/* Everybody who is still connected has all, and so has the ring. */
async function leave(scene, victimLives) {
	await scene.say();
	await scene.assertAllSeen();
	await scene.assertAllKept();
	assert.equal((await scene.server.status()).epoch, scene.epoch);
	if (victimLives) {
		await scene.victim.assertSeen(scene.said);
		await scene.say(scene.victim);
		await scene.victim.close();
	}
	await scene.raw.close();
	await scene.witness.close();
}

async function goOn(t, place, row) {
	const { scene, old, pid, upgraded } = await stand(t, VICTIM, place);

	assert.equal(pid === old, row.who === "old");
	await scene.say();
	process.kill(pid, "SIGCONT");
	const done = await upgraded;

	assert.equal(done.status, 0, done.stderr);
	assert.match(done.stdout, /, 3 connections handed over, 0 closed/u);
	assert.notEqual(await scene.pid(VICTIM), old);
	assert.equal((await scene.told()).deaths, 0);
	assert.equal(await scene.presence(), 3);
	await leave(scene, true);
}

async function die(t, place, row) {
	const { scene, old, pid, upgraded } = await stand(t, VICTIM, place);
	const { server } = scene;

	assert.equal(pid === old, row.who === "old");
	await scene.say();
	process.kill(pid, "SIGKILL");
	const done = await upgraded;

	assert.equal(done.status, row.refused ? 1 : 0, done.stderr);
	if (row.refused) {
		assert.equal(await scene.pid(VICTIM), old);
		assert.match(done.stderr,
		    /serves on: 1 of 2 workers go on as they were/u);
		assert.match(server.logged, /worker 0\[\d+\] goes on with the /u);
	} else {
		await scene.successor(VICTIM, old);
	}
	if (row.lost)
		assert.equal((await bounded("close",
		    scene.victim.closed)).code, 1006);
	assert.equal((await scene.told()).deaths, row.lost ? 1 : 0);
	await scene.say();
	assert.equal(await scene.presence(), row.lost ? 2 : 3);
	if (row.refused) {
		/* and now it works */
		assert.equal((await server.cli("upgrade")).status, 0);
		assert.notEqual(await scene.pid(VICTIM), old);
	}
	await leave(scene, !row.lost);
}

describe("a worker of an upgrade stands at", { concurrency: CONCURRENCY },
    () => {
	    for (const [place, row] of Object.entries(PLACES)) {
		    test(`${place}: is continued`, (t) => goOn(t, place, row));
		    test(`${place}: is killed`, (t) => die(t, place, row));
	    }
    });

describe("too late:", { concurrency: CONCURRENCY }, () => {
	test("a successor that hangs is killed, the old goes on", async (t) => {
		const { scene, old, upgraded } = await stand(t, VICTIM,
		    "half-taken", "--handover-time", "0");
		const done = await upgraded;

		assert.equal(done.status, 1);
		assert.match(scene.server.logged,
		    /successor of worker 0 takes too long: killed/u);
		assert.equal(await scene.pid(VICTIM), old);
		await leave(scene, true);
	});

	test("an old worker that stood too long goes on", async (t) => {
		const { scene, old, pid, upgraded } = await stand(t, VICTIM,
		    "half-sent", "--handover-time", "0");

		assert.equal((await upgraded).status, 1);
		assert.equal(pid, old);
		process.kill(pid, "SIGCONT");
		await scene.server.logs("that it goes on",
		    /successor is gone: going on with 1 connections/u);
		await leave(scene, true);
	});
});

describe("a supervisor of an upgrade stands at", { concurrency: CONCURRENCY },
    () => {
	    for (const place of ["upgrading", "upgraded",
		    "succession-committed"]) {
		    test(`${place}: is continued`, async (t) => {
			    const { scene, pid, upgraded } = await stand(t,
				"supervisor", place);

			    assert.equal(pid, scene.server.child.pid);
			    await scene.say();
			    process.kill(pid, "SIGCONT");
			    const done = await upgraded;

			    assert.equal(done.status, 0, done.stderr);
			    await leave(scene, true);
		    });
		    test(`${place}: is killed`, async (t) => {
			    const { scene, upgraded } = await stand(t,
				"supervisor", place);
			    const { server } = scene;

			    await scene.say();
			    await server.stop("SIGKILL");
			    for (const { closed } of [scene.raw, scene.witness,
				    scene.victim])
				    assert.equal((await bounded("close",
					closed)).code, 1001);
			    await scene.assertAllSeen();
			    await scene.victim.assertSeen(scene.said);
			    assert.equal((await upgraded).status, 1);
			    await server.run();
			    await server.logs("the old ring",
				/going on with the ring of epoch/u);
			    await scene.openWitnesses();
			    await scene.say();
			    await scene.assertAllKept();
			    await scene.raw.close();
			    await scene.witness.close();
		    });
	    }
    });

describe("an upgrade that comes at the wrong time", () => {
	test("a stop meanwhile ends it", async (t) => {
		const { scene, pid } = await stand(t, VICTIM, "half-taken");

		scene.server.child.kill("SIGTERM");
		await scene.server.logs("the end of it",
		    /no upgrade: another change came in between/u);
		assert.equal((await bounded("the end",
		    scene.server.exited)).code, 0);
		await waitFor("the end of the successor", () => {
			try {
				return process.kill(pid, 0) && false;
			} catch {
				return true;
			}
		});
		for (const { closed } of [scene.raw, scene.witness, scene.victim])
			assert.equal((await bounded("close", closed)).code, 1001);
		await scene.victim.assertSeen(scene.said);
	});

	test("a restart and a reload meanwhile are refused", async (t) => {
		const { scene, pid, upgraded } = await stand(t, VICTIM,
		    "half-taken");

		for (const command of ["restart", "reload"]) {
			const done = await scene.server.cli(command);

			assert.equal(done.status, 1);
			assert.match(done.stderr, /another change is under way/u);
		}
		process.kill(pid, "SIGCONT");
		assert.equal((await upgraded).status, 0);
		await leave(scene, true);
	});
});
