// SPDX-License-Identifier: MIT
/* schedule.test.mjs - that a seed is all there is to a storm. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Dice } from "./dice.mjs";
import { WORKERS, kinds, schedule } from "./schedule.mjs";

const SEEDS = Array.from({ length: 50 }, (_, i) => i);

test("the same seed, the same storm; another, another", () => {
	assert.deepEqual(schedule(7, 60), schedule(7, 60));
	assert.notDeepEqual(schedule(7, 60), schedule(8, 60));
});

test("a shorter storm is the beginning of a longer one", () => {
	const short = schedule(7, 20).slice(0, -WORKERS);

	assert.deepEqual(schedule(7, 60).slice(0, short.length), short);
});

test("it ends with the death of each worker", () => {
	assert.deepEqual(schedule(7, 20).slice(-WORKERS).map(
	    ({ kind, slot }) => [kind, slot]),
	[["kill", 0], ["kill", 1], ["kill", 2], ["kill", 3]]);
});

test("20 seconds have every kind of action, whatever the seed", () => {
	for (const seed of SEEDS)
		assert.deepEqual([...new Set(schedule(seed, 20)
		    .map(({ kind }) => kind))].sort(), [...kinds].sort());
});

test("actions come in order, in time, and hit what there is", () => {
	for (const seed of SEEDS) {
		let before = 0;

		for (const { at, slot = 0 } of schedule(seed, 20)) {
			assert.ok(at >= before && at < 20_000);
			assert.ok(slot >= 0 && slot < WORKERS);
			before = at;
		}
	}
});

test("dice are fair enough, and each row is its own", () => {
	const dice = new Dice(1, "a"), other = new Dice(1, "b");
	const rolls = Array.from({ length: 6000 }, () => dice.between(1, 6));
	const others = Array.from({ length: 6000 }, () => other.between(1, 6));

	for (const face of [1, 2, 3, 4, 5, 6]) {
		const times = rolls.filter((roll) => roll === face).length;

		assert.ok(times > 800 && times < 1200, `${face}: ${times}`);
	}
	assert.notDeepEqual(rolls, others);
	assert.deepEqual([...dice.shuffle([1, 2, 3, 4, 5])].sort(),
	    [1, 2, 3, 4, 5]);
	assert.equal(new Set(dice.some([1, 2, 3, 4, 5], 3)).size, 3);
});
