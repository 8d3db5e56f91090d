// SPDX-License-Identifier: MIT
/*
 * kill-supervisor.test.mjs - the supervisor stands at each of its places in
 * broker/shared/stop_point.h, and there it is continued or killed.
 *
 * While it stands the workers serve.  When it is dead they drain, which takes
 * no longer than their clients need although a drain may take a minute here,
 * and the next server goes on with the ring: nothing that was acknowledged is
 * lost.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Scene, VICTIM } from "./kill.mjs";
import { IS_RELEASE, STOPPABLE, Stop } from "./stop.mjs";
import { Client, PUBSUBD, Server, bounded, run, waitFor } from "./support.mjs";

/* Servers at a time. */
const CONCURRENCY = 6;

/* Bring it to a place while it replaces a worker: then that one is dead and
 * the other goes on. */
const RESPAWN = {
	async act(scene) {
		process.kill(await scene.pid(VICTIM), "SIGKILL");
		return null;
	},
	async meanwhile(scene) {
		await scene.say();
	},
	async after(scene, pid) {
		await scene.successor(VICTIM, pid);
		assert.deepEqual(await scene.told(), { deaths: 1, lockDeaths: 0,
			watchdogKills: 0, respawns: 1, recoveries: 0 });
		assert.equal((await scene.server.status()).workers[VICTIM].starts,
		    2);
	},
	codes: [1001],
};

/* The same while it restarts. */
const RESTART = {
	async act(scene) {
		return scene.server.cli("restart");
	},
	async meanwhile() {},
	async after(scene) {
		await waitFor("the next run", async () =>
			(await scene.server.status()).run === 2);
		await scene.openWitnesses();
	},
	codes: [1001, 1012], /* as each of the clients speaks */
};

const PLACES = {
	"reaped": RESPAWN,
	"burying": RESPAWN,
	"forking": RESPAWN,
	"forked": RESPAWN,
	"ordered": RESTART,
	"handing-over": RESTART,
	"adopted": RESTART,
	"run-half-begun": RESTART,
};

async function stopThere(t, place, row) {
	const scene = await Scene.open(t, "--drain", "60");
	const pid = await scene.pid(VICTIM);

	await scene.say();
	const stop = await Stop.arm(t, scene.server, "supervisor", place);
	const acted = row.act(scene);

	assert.equal(await stop.stands(), scene.server.child.pid);
	await row.meanwhile(scene);
	return { scene, pid, acted };
}

async function leave(scene) {
	await scene.say();
	await scene.assertAllSeen();
	await scene.assertAllKept();
	assert.equal((await scene.server.status()).epoch, scene.epoch);
	await scene.raw.close();
	await scene.witness.close();
}

async function goOn(t, place, row) {
	const { scene, pid, acted } = await stopThere(t, place, row);

	process.kill(scene.server.child.pid, "SIGCONT");
	assert.equal((await acted)?.status ?? 0, 0);
	await row.after(scene, pid);
	await leave(scene);
}

async function die(t, place, row) {
	const { scene, acted } = await stopThere(t, place, row);
	const { server } = scene;

	await server.stop("SIGKILL");
	for (const { closed } of [scene.raw, scene.witness]) {
		const { code } = await bounded("close", closed);

		assert.ok(row.codes.includes(code), `${code}`);
	}
	await scene.assertAllSeen();
	await acted;
	await server.run();
	await server.logs("the old ring", /going on with the ring of epoch/u);
	await scene.openWitnesses();
	await leave(scene);
}

describe("a supervisor that stands at", { concurrency: CONCURRENCY }, () => {
	for (const [place, row] of Object.entries(PLACES)) {
		test(`${place}: is continued`, (t) => goOn(t, place, row));
		test(`${place}: is killed`, (t) => die(t, place, row));
	}

	test("adopted: a start that is killed there leaves all to the next",
	    async (t) => {
		    const scene = await Scene.open(t, "--drain", "60");
		    const { server } = scene;

		    await scene.say();
		    await server.stop("SIGKILL");
		    await scene.assertAllSeen();
		    await waitFor("the workers' end",
			() => server.processes().length === 0);
		    const stop = await Stop.arm(t, server, "supervisor", "adopted");
		    const started = server.start();

		    process.kill(await stop.stands(), "SIGKILL");
		    assert.equal((await started).status, 1);
		    assert.equal((await server.start()).status, 0);
		    await scene.openWitnesses();
		    await leave(scene);
	    });
});

/* What a test build can be made to do, the program that people run cannot. */
describe("the program that is installed", { skip: IS_RELEASE ? false :
	"the program under test has stop points" }, () => {
	const symbols = async (program) => {
		const { status, stdout } = await run("nm", [program]);

		assert.equal(status, 0);
		return stdout.match(/ [tTbBdD] stop_\w+/gu) ?? [];
	};

	test("has no stop points", async () => {
		assert.deepEqual(await symbols(PUBSUBD), []);
		assert.notDeepEqual(await symbols(STOPPABLE), []);
	});

	test("passes a place that is armed", async (t) => {
		const server = await Server.start(t);
		const client = await Client.open(server, { topics: ["room"] });
		const stop = await Stop.arm(t, server, "anybody", "committed");

		client.say("room", "hello");
		assert.equal(await client.next(), "hello");
		assert.equal(stop.isReached, false);
		await client.close();
	});
});
