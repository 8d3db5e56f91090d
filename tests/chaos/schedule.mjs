// SPDX-License-Identifier: MIT
/*
 * schedule.mjs - what is done to the server and when, from the seed alone.
 *
 * Nothing that happens in a run changes what is to come, so a seed can be run
 * again.  Actions are drawn from a bag that holds each kind as often as stands
 * here, and is filled again when it is empty: chance has the order, but none of
 * them is left out for long.  What an action hits is named by number; the run
 * takes it modulo of what is there.
 */

import { Dice } from "./dice.mjs";

export const WORKERS = 4;

/* Milliseconds between two actions. */
const REST = [150, 900];

/* From the last action of chance to the end of the storm. */
const CALM_MS = 1000;

const slot = (dice) => dice.between(0, WORKERS - 1);

/* Kind: how often it is in a bag, and its parameters. */
const KINDS = {
	/* kill -9 of a worker */
	kill: [3, (dice) => ({ slot: slot(dice) })],
	/* SIGSTOP, and SIGCONT before the watchdog acts on a silent worker */
	stop: [3, (dice) => ({ slot: slot(dice), ms: dice.between(50, 2500) })],
	/* SIGSTOP, until the watchdog has acted */
	hang: [1, (dice) => ({ slot: slot(dice) })],
	/* SIGSTOP, publish more than the ring holds, SIGCONT */
	lap: [2, (dice) => ({ slot: slot(dice), kib: dice.between(1500, 4000) })],
	restart: [1, () => ({})],
	/* another program under the connections */
	upgrade: [3, () => ({})],
	/* kill -9 of the supervisor, then start */
	behead: [1, () => ({})],
	/* readers that do not read while much is published */
	slow: [3, (dice) => ({ who: dice.between(0, 99),
		count: dice.between(1, 4), kib: dice.between(1000, 6000),
		ms: dice.between(100, 2000) })],
	/* known clients reset their connections, and come back */
	reset: [3, (dice) => ({ who: dice.between(0, 99),
		count: dice.between(1, 6) })],
	/* strangers leave by a reset, half a frame behind them */
	vanish: [2, (dice) => ({ topic: dice.between(0, 99),
		count: dice.between(2, 12) })],
	/* strangers stop reading and answering for the rest of the storm */
	silence: [1, (dice) => ({ topic: dice.between(0, 99),
		count: dice.between(1, 4) })],
	/* a worker runs out of descriptors while many connect */
	exhaust: [2, (dice) => ({ slot: slot(dice), spare: dice.between(0, 6),
		crowd: dice.between(20, 60), ms: dice.between(200, 1500) })],
	/* strangers take every slot of the topic directory */
	fill: [2, (dice) => ({ ms: dice.between(50, 1500) })],
	/* strangers come to topics of their own, talk, and go as one should */
	churn: [2, (dice) => ({ count: dice.between(3, 12) })],
};

function bag(dice, kinds) {
	return dice.shuffle(Object.entries(kinds).flatMap(
	    ([kind, [times]]) => Array(times).fill(kind)));
}

/* In the end each worker dies once.  A restart makes counts and interest anew,
 * and so would hide what deaths leave behind. */
function coda(at) {
	return Array.from({ length: WORKERS },
	    (_, number) => ({ at, kind: "kill", slot: number }));
}

/* The actions of so many seconds: {at, kind, ...parameters}, at being in ms.
 * Others than those of one server: kinds, as KINDS; rest, between two of them; and
 * ending(at), what is done in the end. */
export function schedule(seed, seconds,
    { kinds: all = KINDS, rest = REST, ending = coda } = {}) {
	const dice = new Dice(seed, "schedule");
	const end = seconds * 1000 - CALM_MS;
	const actions = [];
	let left = [];

	for (let at = dice.between(...rest); at < end;
	    at += dice.between(...rest)) {
		left = left.length > 0 ? left : bag(dice, all);
		const kind = left.pop();

		actions.push({ at, kind, ...all[kind][1](dice) });
	}
	return [...actions, ...ending(end)];
}

export const kinds = Object.keys(KINDS);
