// SPDX-License-Identifier: MIT
/*
 * kill-drain.test.mjs - a worker stands at each step of a drain, and there it
 * is continued, or killed, or left until the watchdog kills it, which acts in
 * a drain as well.
 *
 * The drain is that of a restart, so that the ring can be looked at afterwards.
 * It would take a minute to give up; nothing here waits for half of that.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Scene, VICTIM } from "./kill.mjs";
import { bounded } from "./support.mjs";

/* Servers at a time. */
const CONCURRENCY = 6;

/*
 * The places.
 *	holding	the lock is held there
 *	alone	the other worker needs nothing of this one any more
 */
const PLACES = {
	"drain-begun": {},
	"drain-stopped": { alone: true },
	"sealed": { holding: true },
	"drain-settled": { alone: true },
};

const COLUMNS = {
	"is continued": {
		end: (pid) => process.kill(pid, "SIGCONT"),
		code: 1012,
		sum: /: 3 connections closed cleanly, 0 cut/u,
	},
	"is killed": {
		end: (pid) => process.kill(pid, "SIGKILL"),
		code: 1006,
		sum: /: 2 connections closed cleanly, 1 cut/u,
	},
	"hangs": {
		end: () => {},
		code: 1006,
		sum: /: 2 connections closed cleanly, 1 cut/u,
		byWatchdog: true,
	},
};

/* What the supervisor logs when its watchdog kills a worker. */
function verdict(pid, { holding }) {
	return new RegExp(`worker ${VICTIM}\\[${pid}\\] ${holding ?
		"does not let go of the ring's lock" : "has hung for 5 s"}: ` +
		"killed", "u");
}

async function play(t, place, row, column) {
	/* However slow this machine is, a watchdog must not come before us. */
	const scene = await Scene.open(t, "--drain", "60",
	    ...column.byWatchdog ? [] : ["--watchdog", "0"]);
	const { server } = scene;
	const pid = await scene.pid(VICTIM);

	await scene.openVictim();
	await scene.victim.follow(scene.epoch);
	for (let i = 0; i < 3; i++)
		await scene.say(scene.victim);
	const stop = await scene.arm(place);
	const restarted = server.cli("restart");

	assert.equal(await stop.stands(), pid);
	if (row.alone)
		await bounded("close", scene.witness.closed);
	column.end(pid);
	for (const [client, code] of [[scene.raw, 1001], [scene.witness, 1012],
		[scene.victim, column.code]])
		assert.equal((await bounded("close", client.closed)).code, code);
	await scene.assertAllSeen();
	assert.equal((await restarted).status, 0);
	assert.match(server.logged, column.sum);
	if (column.byWatchdog)
		assert.match(server.logged, verdict(pid, row));
	assert.equal(server.logged.match(/was killed by/gu)?.length ?? 0,
	    column.code === 1012 ? 0 : 1, "nobody for another's sake");
	assert.equal((await server.status()).run, 2);
	await scene.openWitnesses();
	await scene.say();
	await scene.assertAllKept();
	await scene.raw.close();
	await scene.witness.close();
}

describe("a worker that drains and stands at", { concurrency: CONCURRENCY },
    () => {
	    for (const [place, row] of Object.entries(PLACES))
		    for (const [what, column] of Object.entries(COLUMNS))
			    test(`${place}: ${what}`,
				(t) => play(t, place, row, column));
    });
