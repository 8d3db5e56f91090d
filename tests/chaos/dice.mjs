// SPDX-License-Identifier: MIT
/*
 * dice.mjs - chance that can be had again.
 *
 * Numbers come from SHA-256 of the seed, a name and a count, so one seed gives
 * each part of a run its own row of numbers, whatever the others draw and when.
 */

import { createHash } from "node:crypto";

const SPAN = 2 ** 32;

export class Dice {
	#seed;
	#count = 0;
	#words = [];

	constructor(seed, name) {
		this.#seed = `${seed}/${name}`;
	}

	#word() {
		if (this.#words.length === 0) {
			const digest = createHash("sha256")
			    .update(`${this.#seed}/${this.#count++}`).digest();

			for (let at = 0; at < digest.length; at += 4)
				this.#words.push(digest.readUInt32BE(at));
		}
		return this.#words.pop();
	}

	/* A whole number from least to most. */
	between(least, most) {
		return least + Math.floor(
		    this.#word() / SPAN * (most - least + 1));
	}

	pick(list) {
		return list[this.between(0, list.length - 1)];
	}

	/* The same things in another order. */
	shuffle(list) {
		const all = [...list];

		for (let i = all.length - 1; i > 0; i--) {
			const j = this.between(0, i);

			[all[i], all[j]] = [all[j], all[i]];
		}
		return all;
	}

	/* So many of them, each once. */
	some(list, count) {
		return this.shuffle(list).slice(0, count);
	}
}
