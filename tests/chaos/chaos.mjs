// SPDX-License-Identifier: MIT
/*
 * chaos.mjs - a storm over a real server, and what its clients say of it.
 *
 *	node tests/chaos/chaos.mjs --seconds 60 [--seed N]
 *
 * Publishers number what they say, subscribers of every kind enter what they get
 * (cast.mjs), and meanwhile workers and supervisor are killed, stopped, starved
 * and flooded by a schedule that the seed alone makes (schedule.mjs).  Then the
 * storm ends, all get to the end, and the ledger judges (ledger.mjs says by
 * what).  Exit status 0: nothing lost without a word, nothing twice, nothing out
 * of order, nothing left behind.  Otherwise the server's log is kept, and the
 * last line is the command that runs the same again.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

import { ROOT } from "../e2e/server.mjs";
import { act } from "./actions.mjs";
import { Cast } from "./cast.mjs";
import { assertNoLeak, knowWhoIsThere, reachTheEnd } from "./ending.mjs";
import { Ledger } from "./ledger.mjs";
import { schedule } from "./schedule.mjs";
import { Strangers } from "./strangers.mjs";
import { World } from "./world.mjs";

const SECONDS_MAX = 24 * 3600;

/* A whole number from least to most, or an error that names the option. */
function number(name, text, least, most) {
	const value = Number(text);

	if (!/^\d+$/u.test(text) || value < least || value > most)
		throw new Error(`--${name}: ${least} to ${most}, not ${text}`);
	return value;
}

function options() {
	const { values } = parseArgs({ options: {
		seconds: { type: "string", default: "60" },
		seed: { type: "string",
			default: `${Math.floor(Math.random() * 1e9)}` },
	} });

	return { seconds: number("seconds", values.seconds, 3, SECONDS_MAX),
		seed: number("seed", values.seed, 0, Number.MAX_SAFE_INTEGER) };
}

function say(started, text) {
	const time = ((Date.now() - started) / 1000).toFixed(3);

	console.log(`${time.padStart(8)}  ${text}`);
}

/* Do what the schedule says, each action at its time or as soon as the one
 * before it lets it. */
async function storm(scene, actions) {
	const started = Date.now();
	const under = new Set();

	scene.beside = (task) => {
		const kept = task.catch((error) => scene.ledger.fault("damaged",
		    error.message)).finally(() => under.delete(kept));

		under.add(kept);
	};
	for (const action of actions) {
		await pause(Math.max(0, started + action.at - Date.now()));
		say(started, `${action.kind}: ${await act(scene, action)}`);
	}
	say(started, "the storm is over");
	return under;
}

function table(ledger) {
	const { counts } = ledger;
	const rows = [
		["published", counts.published], ["acked", counts.acked],
		["refused", counts.refused], ["delivered", counts.delivered],
		["gaps told", counts.gaps],
		["  without numbers", counts.blanks],
		["numbers covered by gaps", counts.covered],
		["  slow or lapped", counts.told],
		["holes of plain clients", counts.holes],
		["drops and misses counted", counts.dropped],
		["doubles", counts.doubles], ["out of order", counts.disorder],
		["unexplained", counts.unexplained],
		["damaged or untrue", counts.damaged],
	];

	for (const [name, value] of rows)
		console.log(`${name.padEnd(26)}${String(value).padStart(10)}`);
	for (const { kind, text } of ledger.faults)
		console.log(`${kind}: ${text}`);
}

function judge({ world, ledger }) {
	const extra = ledger.epochs.size - 1 - world.newRings;

	for (const line of [...world.strangeDeaths, ...world.ringsRefused])
		ledger.fault("damaged", line);
	if (extra > 0)
		ledger.fault("damaged", `${extra} new epochs, and no word of why`);
	return ledger.judge(world.counted);
}

/* Returns whether all was as promised. */
async function run({ world, ledger }, { seed, seconds }) {
	await world.start();
	const cast = new Cast(world);
	const strangers = new Strangers(world, cast.topics.length);
	const scene = { world, ledger, cast, strangers };

	cast.enter();
	const under = await storm(scene, schedule(seed, seconds));

	cast.rest();
	strangers.leave();
	await Promise.all(under);
	await world.calm();
	await reachTheEnd(scene);
	await knowWhoIsThere(scene);
	await world.endLooking();
	cast.leave();
	const now = await assertNoLeak(world);
	const good = judge(scene);

	table(ledger);
	console.log(`comings and goings told: ${cast.watchers.map(
	    ({ told }) => told).join(" ")}`);
	console.log(`epochs: ${ledger.epochs.size}`);
	console.log(`descriptors of workers, first and last: ${
	    [world.base, now].map(({ workers }) => workers.map(({ fds }) => fds)
		.join(" ")).join("; ")}`);
	console.log(`memory of workers, KiB: ${
	    [world.base, now].map(({ workers }) => workers.map(({ kib }) => kib)
		.join(" ")).join("; ")}`);
	return good;
}

function keepLog(world, seed) {
	const dir = join(ROOT, "build/chaos");
	const file = join(dir, `${seed}.log`);

	mkdirSync(dir, { recursive: true });
	writeFileSync(file, world.server.logged);
	console.log(`the server's log: ${file}`);
}

async function main() {
	const chosen = options();
	const ledger = new Ledger();
	const world = new World(chosen.seed, ledger);
	let good = false;

	console.log(`seed ${chosen.seed}, ${chosen.seconds} seconds`);
	try {
		good = await run({ world, ledger }, chosen);
	} catch (error) {
		console.log(error.stack);
		table(ledger);
	}
	try {
		await world.end();
	} catch (error) {
		good = false;
		console.log(error.stack);
	}
	if (!good) {
		keepLog(world, chosen.seed);
		console.log(`FAILED; again: make chaos SECONDS=${chosen.seconds
		} SEED=${chosen.seed}`);
	}
	process.exit(good ? 0 : 1);
}

await main();
