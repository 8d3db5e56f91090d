// SPDX-License-Identifier: MIT
/*
 * ending.mjs - after the storm: everybody gets to the end, and when all have
 * left nothing of them is left.
 */

import assert from "node:assert/strict";

import WebSocket from "ws";

import { waitFor } from "../e2e/wait.mjs";
import { V1Publisher } from "./publishers.mjs";
import { dial } from "./subscribers.mjs";
import { parse } from "./words.mjs";
import { MAX_TOPICS, isSanitized } from "./world.mjs";

const END_MS = 60_000;

/* How long whoever does not come back after a restart counts as a member, and
 * more. */
const MEMBERS_MS = 20_000;

/* How long one last message may take before another is sent.  To a slow plain
 * client it may have been dropped. */
const ROUND_MS = 3000;

/* What a worker may keep of a storm, and the supervisor, KiB: above all what
 * malloc() does not give back. */
const WORKER_KIB = 16 * 1024;
const SUPERVISOR_KIB = 1024;

/* A publisher for the last messages, each time as another speaker. */
class Herald extends V1Publisher {
	#places = new Map();
	#topics;

	constructor(world, round, topics) {
		super(world, `end${round}`, topics);
		this.#topics = topics;
	}

	acked(text, place) {
		const { topic, speaker } = parse(text);

		this.#places.set(topic, { ...place, speaker });
	}

	/* Say it in all topics.  Returns topic -> place. */
	async proclaim() {
		this.rest();
		this.open();
		await waitFor("a connection",
		    () => this.socket.readyState === WebSocket.OPEN);
		for (const topic of this.#topics)
			this.publish(topic, 0);
		await waitFor("the last acks",
		    () => this.#places.size === this.#topics.length);
		this.leave();
		return this.#places;
	}
}

/* Wait until every hearer has got to something that is said now. */
export async function reachTheEnd({ world, cast, ledger }) {
	const end = Date.now() + END_MS;
	let behind = cast.hearers;

	await waitFor("what was said to be answered",
	    () => cast.publishers.every((one) => one.isQuiet), END_MS);
	for (let round = 0; behind.length > 0 && Date.now() < end; round++) {
		const places = await new Herald(world, round, cast.topics)
		    .proclaim();
		const look = () => {
			behind = cast.hearers.filter((one) => !one.reached(places));
			behind.forEach((one) => one.wake());
			return behind.length === 0;
		};

		await waitFor("the end", look, ROUND_MS).catch(() => {});
	}
	for (const { name } of behind)
		ledger.fault("unexplained", `${name} never got to the end`);
}

/* Whoever watches knows who is there: all that are connected, and no others. */
export async function knowWhoIsThere({ cast, ledger }) {
	for (const watcher of cast.watchers) {
		const users = cast.usersOf(watcher.topic);

		await waitFor("those who are there", () => watcher.knows(users),
		    MEMBERS_MS).catch(() => ledger.fault("unexplained",
		    `${watcher.name} of ${watcher.topic} knows of ` +
		    `${[...watcher.users ?? []]}, there are ${[...users]}`));
	}
}

/* Every slot of the topic directory can be had, and not one more. */
async function countSlots(world) {
	const socket = dial(world.port, {}, "pubsubd.v1");
	let slots = 0, full = false;

	socket.on("message", (data) => {
		const { type, code } = JSON.parse(data);

		slots += type === "ack" ? 1 : 0;
		full ||= code === "directory_full";
		if (type === "welcome" || type === "ack")
			socket.send(JSON.stringify({ type: "subscribe", id: 1,
				topic: `slot ${slots}` }));
	});
	await waitFor("a full directory", () => full);
	socket.terminate();
	return slots;
}

const GAUGES = ["connections", "websockets", "event_streams", "subscriptions",
	"topics", "parsers", "buffered_bytes"];

async function gaugesAreNull(world) {
	const { workers, members } = await world.server.status();

	return members.present === 0 && workers.every((worker) => GAUGES.every((name) =>
		worker[name] === 0));
}

/* More descriptors than at the start, in any process. */
function descriptorsTooMany(now, base) {
	const most = Math.max(...base.workers.map(({ fds }) => fds));

	return [...now.workers.filter(({ fds }) => fds > most),
		...now.supervisor.fds > base.supervisor.fds ?
			[now.supervisor] : []];
}

/* When all have left: that nothing is left of them.  Returns what there is. */
export async function assertNoLeak(world) {
	await waitFor("all gauges to be 0", () => gaugesAreNull(world));
	assert.equal(await countSlots(world), MAX_TOPICS, "slots of topics");
	await waitFor("all gauges to be 0 again", () => gaugesAreNull(world));
	let now;

	await waitFor("descriptors to be closed", async () => {
		now = await world.measure();
		return descriptorsTooMany(now, world.base).length === 0;
	}).catch(() => assert.fail(`descriptors: ${JSON.stringify(
	    [world.base, now])}`));
	if (!isSanitized(now.supervisor.pid)) {
		const most = Math.max(...world.base.workers.map(({ kib }) => kib));

		for (const { pid, kib } of now.workers)
			assert.ok(kib < most + WORKER_KIB, `${pid}: ${kib} KiB`);
		assert.ok(now.supervisor.kib <
		    world.base.supervisor.kib + SUPERVISOR_KIB, "supervisor");
	}
	return now;
}
