// SPDX-License-Identifier: MIT
/* trend.test.mjs - that what grows is found, and noise is not. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Dice } from "../chaos/dice.mjs";
import { median, trend } from "./trend.mjs";

const BOUND = { share: 0.1, amount: 5 };

/* 30 looks at something. */
const looks = (at) => Array.from({ length: 30 }, (_, i) => at(i));

test("the median is in the middle", () => {
	assert.equal(median([3, 1, 2]), 2);
	assert.equal(median([4, 1, 2, 3]), 2.5);
	assert.equal(median([7]), 7);
});

for (const [what, at, flat] of [
	["nothing changes", () => 100, true],
	["it shrinks", (i) => 100 - i, true],
	["it grows, but within the bounds", (i) => 100 + i / 2, true],
	["it grows all the time", (i) => 100 + 2 * i, false],
	["it doubles at the end", (i) => i < 21 ? 100 : 200, false],
	["it grows while warming up", (i) => Math.min(100, 20 * i), true],
	["one look is far off", (i) => i === 25 ? 10_000 : 100, true],
	["a few looks are far off", (i) => i % 5 === 4 ? 10_000 : 100, true],
	["from nothing to little", (i) => i < 15 ? 0 : 5, true],
	["from nothing to more", (i) => i < 15 ? 0 : 6, false],
])
	test(what, () => {
		assert.equal(trend(looks(at), BOUND).flat, flat);
	});

test("noise is no growth, growth beneath it is", () => {
	for (let seed = 0; seed < 50; seed++) {
		const dice = new Dice(seed, "noise");
		const noise = () => dice.between(0, 20);

		assert.equal(trend(looks(() => 100 + noise()), BOUND).flat, true);
		assert.equal(trend(looks((i) => 100 + 3 * i + noise()),
		    BOUND).flat, false);
	}
});

test("the medians are told", () => {
	assert.deepEqual(trend(looks((i) => i), { share: 1, amount: 2 }),
	    { first: 9.5, last: 25.5, most: 21, flat: false });
});

test("too few looks say nothing", () => {
	assert.throws(() => trend([1, 2, 3, 4, 5, 6], BOUND), RangeError);
});
