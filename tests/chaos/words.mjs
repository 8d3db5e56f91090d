// SPDX-License-Identifier: MIT
/*
 * words.mjs - messages that say who said them, where, and as which number.
 *
 *	TOPIC SPEAKER NUMBER LENGTH FILLER
 *
 * A speaker is one connection of a publisher: between two of them nobody
 * promises an order.  Its numbers count from 1 in each topic.  The filler
 * depends on the number, so that a message cannot be cut, or have another's
 * end, without being found out.
 */

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

const filler = (n, length) => LETTERS[n % LETTERS.length].repeat(length);

export function compose(topic, speaker, n, length) {
	return `${topic} ${speaker} ${n} ${length} ${filler(n, length)}`;
}

/* Where an answer or a message says that it is, {epoch, seq}: in a cluster its place
 * in the log, which is the same at all hosts. */
export function whereIs({ epoch, seq, pos }) {
	if (pos === undefined)
		return { epoch, seq };
	const [stream, number] = pos.split(".");

	return { epoch: stream, seq: Number(number) };
}

/* What a text says, with its key: all but the filler.  null: it is none. */
export function parse(text) {
	const [topic, speaker, number, size, fill, ...more] = text.split(" ");
	const n = Number(number), length = Number(size);

	if (fill === undefined || more.length > 0 || !(length >= 0) ||
	    fill !== filler(n, length))
		return null;
	return { topic, speaker, n, key: `${topic} ${speaker} ${n}` };
}
