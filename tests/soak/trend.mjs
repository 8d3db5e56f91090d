// SPDX-License-Identifier: MIT
/*
 * trend.mjs - whether a figure that is looked at again and again has grown.
 *
 * What comes first is warming up and does not count.  Of the rest the first third
 * is compared with the last, by their medians, so that single bad looks on a busy
 * machine say nothing.  What may be added between them is a share of the first
 * and a fixed amount.
 */

/* The first looks, of all, that do not count. */
const WARM = 0.2;

/* Fewer than these after the warm-up say nothing. */
const LEAST = 6;

export function median(list) {
	const sorted = [...list].sort((a, b) => a - b);
	const { length } = sorted;

	return (sorted[(length - 1) >> 1] + sorted[length >> 1]) / 2;
}

/*
 * values: in the order of time.  bound: {share, amount}.  Returns {first, last,
 * most, flat}: the two medians, what the last may be, and whether it is no more.
 */
export function trend(values, { share, amount }) {
	const counted = values.slice(Math.ceil(values.length * WARM));
	const third = Math.floor(counted.length / 3);

	if (counted.length < LEAST)
		throw new RangeError(`${values.length} looks are too few`);
	const first = median(counted.slice(0, third));
	const last = median(counted.slice(-third));
	const most = first * (1 + share) + amount;

	return { first, last, most, flat: last <= most };
}
