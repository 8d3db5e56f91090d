// SPDX-License-Identifier: MIT
/*
 * kill-worker.test.mjs - a worker stands at each of broker/shared/stop_point.h's places, and
 * there it is continued, or killed, or left until the watchdog kills it.
 *
 * The rows of the tables are places, the columns are what happens there.  In
 * each cell the witnesses on the other worker, of both contracts, get all that
 * was committed, each once and in order, and nothing else; the other worker
 * goes on as soon as the lock is free, is never killed for it, and the counters
 * and the status tell what happened.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Scene, VICTIM, WITNESS } from "./kill.mjs";
import { bounded, waitFor } from "./support.mjs";

/* Servers at a time. */
const CONCURRENCY = 10;

/* What the counters must say after one more death. */
function afterDeath(told, { by, holding = false, recovered = false }) {
	return {
		deaths: told.deaths + 1,
		respawns: told.respawns + 1,
		watchdogKills: told.watchdogKills + (by === "watchdog" ? 1 : 0),
		lockDeaths: told.lockDeaths + (holding ? 1 : 0),
		recoveries: told.recoveries + (recovered ? 1 : 0),
	};
}

/* Let a victim that stands die, in one way or the other. */
function end(pid, by) {
	if (by === "kill")
		process.kill(pid, "SIGKILL");
}

/* What status says of the last death on the victim's slot. */
async function assertObituary(scene, { by, holding = false }) {
	const { last_death: how } =
		(await scene.server.status()).workers[VICTIM];

	assert.equal(how, "was killed by SIGKILL" +
	    (by === "watchdog" ? " (watchdog)" : "") +
	    (holding ? " with the ring's lock held" : ""));
}

/* Requests: what the victim's client asks for brings the victim to the place.
 *	act	asks; returns {words, ids} of what was asked
 *	holding	the lock is held there
 *	unsigned and its holder has not said so, or not any more
 *	kept	what was asked for is in the ring, dead or not
 */

/* Three messages, in one turn. */
function sayThree(scene) {
	const words = scene.words(3);

	return { words, ids: scene.victim.publish(...words) };
}

/* Messages until one of them finds the other worker asleep. */
async function sayUntil(scene, stop) {
	const words = [], ids = [];

	while (!stop.isReached) {
		words.push(...scene.words(1));
		ids.push(...scene.victim.publish(words.at(-1)));
		await waitFor("a stop or an answer", () => stop.isReached ||
		    scene.victim.answered(ids.at(-1)));
	}
	return { words, ids };
}

/* A request that is not about the room's messages. */
const request = (make) => (scene) =>
	({ words: [], ids: scene.victim.send(make(scene)) });

const useNewTopic = request((scene) =>
	({ type: "publish", topic: scene.words(1)[0], message: 1 }));

/* Silent topics in every slot of the directory. */
async function fillDirectory(scene) {
	for (let i = 0; i < 8; i++)
		await scene.witness.ask(
		    { type: "publish", topic: `silent ${i}`, message: 1 });
}

/* One message of the room, with a key. */
function sayWithKey(scene) {
	const words = scene.words(1);

	return { words, ids: scene.victim.send({ type: "publish", topic: "room",
		message: words[0], key: words[0] }) };
}

/* Two messages of the room in one turn, each its last value. */
function sayTwoRetained(scene) {
	const words = scene.words(2);

	return { words, ids: scene.victim.send(...words.map((message) =>
		({ type: "publish", topic: "room", message, retain: true }))) };
}

const REQUESTS = {
	"locked": { act: sayThree, holding: true, unsigned: true },
	"before-reserve": { act: sayThree, holding: true },
	"reserved": { act: sayThree, holding: true },
	"half-copied": { act: sayThree, holding: true },
	"copied": { act: sayThree, holding: true },
	"committed": { act: sayThree, holding: true, kept: true },
	"half-applied": { act: sayThree, holding: true, kept: true },
	"applied": { act: sayThree, holding: true, kept: true },
	"unlocking": { act: sayThree, holding: true, unsigned: true, kept: true },
	"key-half-put": { act: sayWithKey, holding: true, kept: true },
	"key-counted": { act: sayWithKey, holding: true, kept: true },
	"value-gone": { act: sayTwoRetained, holding: true, kept: true },
	"value-freed": { act: sayTwoRetained, holding: true, kept: true },
	"before-wake": { act: sayThree, kept: true },
	"half-woken": { act: sayUntil, kept: true },
	"topic-half-made": { act: useNewTopic, holding: true },
	"topic-retired": { act: useNewTopic, holding: true,
		prepare: fillDirectory },
	"subscribe-counted": { holding: true, subscribers: +1,
		act: request(() => ({ type: "subscribe", topic: "room" })) },
	"subscribe-interested": { holding: true,
		act: request(() => ({ type: "subscribe", topic: "alone" })) },
	"unsubscribe-counted": { holding: true, subscribers: -1,
		prepare: (scene) => scene.victim.follow(scene.epoch),
		act: request(() => ({ type: "unsubscribe", topic: "room" })) },
	"unsubscribe-lost": { holding: true,
		prepare: (scene) => scene.victim.ask(
		    { type: "subscribe", topic: "alone" }),
		act: request(() => ({ type: "unsubscribe", topic: "alone" })) },
};

async function askAndStop(scene, place, row, ...next) {
	await scene.openVictim();
	await row.prepare?.(scene);
	const deed = { pid: await scene.pid(VICTIM),
		presence: await scene.presence(), told: await scene.told() };
	const stop = await scene.arm(place, ...next);

	Object.assign(deed, { stop }, await row.act(scene, stop));
	assert.equal(await stop.stands(), deed.pid);
	await scene.assertAwake();
	return deed;
}

async function requestGoesOn(scene, place, row) {
	const deed = await askAndStop(scene, place, row);

	if (row.kept)
		scene.said.push(...deed.words);
	if (!row.holding)
		await scene.say(); /* while it stands */
	process.kill(deed.pid, "SIGCONT");
	for (const id of deed.ids)
		assert.equal((await scene.victim.answer(id)).type, "ack");
	if (!row.kept)
		scene.said.push(...deed.words);
	await scene.say(scene.victim);
	assert.equal(await scene.presence(),
	    deed.presence + (row.subscribers ?? 0));
	assert.deepEqual(await scene.told(), deed.told);
	assert.equal(await scene.pid(VICTIM), deed.pid);
	await scene.victim.close();
}

async function requestDies(scene, place, row, by) {
	const deed = await askAndStop(scene, place, row);
	const [word] = scene.words(1);
	const [id] = scene.witness.publish(word);
	const death = { by, holding: row.holding && !row.unsigned,
		recovered: row.holding };

	if (row.kept)
		scene.said.push(...deed.words);
	if (!row.holding)
		scene.assertNext(await scene.witness.answer(id), word);
	end(deed.pid, by);
	if (row.holding)
		scene.assertNext(await scene.witness.answer(id), word);
	assert.equal((await bounded("its end", scene.victim.closed)).code, 1006);
	assert.equal(scene.victim.answered(deed.ids.at(-1)), undefined);
	await scene.successor(VICTIM, deed.pid);
	assert.deepEqual(await scene.told(), afterDeath(deed.told, death));
	await assertObituary(scene, death);
	assert.equal(await scene.presence(), 2);
}

/* Repairs: the successor of one that died with the lock held stands in the
 * midst of putting right what that one left. */
const REPAIRS = {
	"half-replayed": { after: "committed", act: sayThree },
	"index-empty": { after: "topic-half-made", act: useNewTopic },
	"repaired": { after: "half-applied", act: sayThree },
};

async function dieAndRepair(scene, place, row, by) {
	const first = await askAndStop(scene, row.after, row, place);

	end(first.pid, by);
	const pid = await first.stop.stands();

	assert.notEqual(pid, first.pid);
	scene.said.push(...first.words);
	await scene.assertAwake();
	return { pid, told: afterDeath(first.told, { by, holding: true }) };
}

async function repairGoesOn(scene, place, row) {
	const { pid, told } = await dieAndRepair(scene, place, row, "kill");

	process.kill(pid, "SIGCONT");
	await scene.say();
	await waitFor("ready", async () =>
		(await scene.server.status()).workers[VICTIM].state === "ready");
	assert.deepEqual(await scene.told(),
	    { ...told, recoveries: told.recoveries + 1 });
}

async function repairDies(scene, place, row, by) {
	const { pid, told } = await dieAndRepair(scene, place, row, by);
	const death = { by, holding: true, recovered: true };

	end(pid, by);
	await scene.say();
	await scene.successor(VICTIM, pid);
	assert.deepEqual(await scene.told(), afterDeath(told, death));
	await assertObituary(scene, death);
}

/* Deliveries: the victim falls asleep, is woken, or has read what it is going
 * to deliver to a subscriber of its own.  Nobody waits for it. */
const DELIVERIES = ["asleep", "silenced", "tailed"];

async function deliverAndStop(scene, place) {
	await scene.openVictim();
	await scene.victim.follow(scene.epoch, scene.said.length || undefined);
	const from = scene.said.length;
	const deed = { pid: await scene.pid(VICTIM), from,
		told: await scene.told() };
	const stop = await scene.arm(place);

	await scene.say();
	assert.equal(await stop.stands(), deed.pid);
	await scene.say();
	return deed;
}

async function deliveryGoesOn(scene, place) {
	const deed = await deliverAndStop(scene, place);

	process.kill(deed.pid, "SIGCONT");
	await scene.say();
	await scene.victim.assertSeen(scene.said.slice(deed.from));
	assert.deepEqual(await scene.told(), deed.told);
	await scene.victim.close();
}

async function deliveryDies(scene, place, row, by) {
	const deed = await deliverAndStop(scene, place);

	end(deed.pid, by);
	assert.equal((await bounded("its end", scene.victim.closed)).code, 1006);
	await scene.say();
	await scene.successor(VICTIM, deed.pid);
	assert.deepEqual(await scene.told(), afterDeath(deed.told, { by }));
	await assertObituary(scene, { by });
	/* Its client comes back, and misses nothing. */
	const seen = scene.victim.seen.length;

	await scene.openVictim();
	await scene.victim.follow(scene.epoch, deed.from + seen);
	await scene.victim.assertSeen(scene.said.slice(deed.from + seen));
	await scene.victim.close();
}

/* Successors: who takes the slot of a dead one, which had a subscriber. */
const SUCCESSORS = ["slot-half-cleared", "slot-taken"];

async function succeedAndStop(scene, place, by) {
	const first = await scene.pid(VICTIM);

	await scene.openVictim();
	await scene.victim.follow(scene.epoch, scene.said.length || undefined);
	const told = await scene.told();
	const stop = await scene.arm(place);

	process.kill(first, "SIGKILL");
	const pid = await stop.stands();

	await scene.say();
	if (by !== "watchdog") { /* or it may have come by then */
		assert.equal((await scene.server.status())
		    .workers[VICTIM].state, "starting");
		assert.equal(await scene.presence(), 2,
		    "the dead are not counted");
	}
	return { pid, told: afterDeath(told, {}) };
}

async function successorGoesOn(scene, place) {
	const { pid, told } = await succeedAndStop(scene, place);

	process.kill(pid, "SIGCONT");
	await (await scene.openVictim()).close();
	assert.deepEqual(await scene.told(), told);
	assert.equal(await scene.pid(VICTIM), pid);
	assert.equal(await scene.presence(), 2);
}

async function successorDies(scene, place, row, by) {
	const { pid, told } = await succeedAndStop(scene, place, by);

	end(pid, by);
	await scene.successor(VICTIM, pid);
	assert.deepEqual(await scene.told(), afterDeath(told, { by }));
	await assertObituary(scene, { by });
	assert.equal(await scene.presence(), 2);
}

/* However slow this machine is, a watchdog must not come before what we do: it
 * is off where we act.  That it lets somebody be who goes on in time is seen
 * without a clock, in tests/mp/test_kill_points.c. */
const UNWATCHED = ["--watchdog", "0"];

/* A scene, what happens in it, and what must be true of it afterwards. */
async function play(t, args, happen) {
	const scene = await Scene.open(t, ...args);
	const other = await scene.pid(WITNESS);

	await scene.say();
	await happen(scene);
	await scene.say();
	await scene.assertAllSeen();
	await scene.assertAllKept();
	assert.equal(await scene.pid(WITNESS), other, "killed for another");
	await scene.raw.close();
	await scene.witness.close();
}

/* apart: each place with a server of its own even if nobody need die, or there
 * would be too many deaths with the lock held for one ring. */
function rows(places, goesOn, dies, { apart = false } = {}) {
	const groups = apart ? places.map((place) => [place]) : [places];

	for (const group of groups)
		test(`${group.map(([place]) => place).join(", ")}: is continued`,
		    (t) => play(t, UNWATCHED, async (scene) => {
			    for (const [place, row] of group)
				    await t.test(place,
					() => goesOn(scene, place, row));
		    }));
	for (const [place, row] of places) {
		test(`${place}: is killed`, (t) => play(t, UNWATCHED,
		    (scene) => dies(scene, place, row, "kill")));
		test(`${place}: hangs`, (t) => play(t, [],
		    (scene) => dies(scene, place, row, "watchdog")));
	}
}

describe("a worker that stands at", { concurrency: CONCURRENCY }, () => {
	rows(Object.entries(REQUESTS), requestGoesOn, requestDies);
	rows(Object.entries(REPAIRS), repairGoesOn, repairDies, { apart: true });
	rows(DELIVERIES.map((place) => [place]), deliveryGoesOn, deliveryDies);
	rows(SUCCESSORS.map((place) => [place]), successorGoesOn, successorDies);
});
