// SPDX-License-Identifier: MIT
/*
 * placed.mjs - what one subscriber of a cluster has got, by places in the log.
 *
 * These are the same at all hosts, so it may go from one to another.  They grow and
 * none comes twice; what lies between two of them and did not come is lost, unless a
 * gap was told there.  What lies there is known in the end, by the pasts of the
 * hosts.
 */

export class Placed {
	#ledger;
	#topics = new Map(); /* topic -> [{epoch, seq, gap: one was told before}] */
	#owed = new Set();   /* topics of which a gap was told, and no more since */

	constructor(ledger, name) {
		this.#ledger = ledger;
		this.name = name;
	}

	/* It will get all that is in the topic, from the first. */
	begin(topic, epoch) {
		this.#topics.set(topic, [{ epoch, seq: -1, gap: false }]);
	}

	message(topic, { epoch, seq }, text) {
		const all = this.#topics.get(topic) ?? [];
		const last = all.at(-1);

		this.#topics.set(topic, all);
		this.#ledger.heard(text, { topic, epoch, seq }, this.name);
		if (last?.epoch === epoch && seq <= last.seq) {
			const kind = all.some((one) => one.seq === seq) ?
				"doubles" : "disorder";

			this.#ledger.fault(kind, `${this.name} in ${topic}: ` +
			    `${seq} came after ${last.seq}`);
			return;
		}
		all.push({ epoch, seq, gap: this.#owed.delete(topic) });
	}

	gap(topic) {
		this.#ledger.counts.gaps++;
		this.#owed.add(topic);
	}

	/* Whether it has got to that place. */
	reached(topic, { epoch, seq }) {
		const last = this.#topics.get(topic)?.at(-1);

		return last?.epoch === epoch && last.seq >= seq;
	}

	witnessed() {
		return false; /* nobody is told of a topic forgotten */
	}

	judge() {
		for (const [topic, all] of this.#topics)
			for (let i = 1; i < all.length; i++)
				this.#judgePair(topic, all[i - 1], all[i]);
	}

	#judgePair(topic, before, after) {
		const lost = after.gap ? 0 : before.epoch === after.epoch ?
			this.#ledger.knownBetween(topic, before.epoch,
			    before.seq, after.seq) : 1;

		if (lost > 0)
			this.#ledger.fault("unexplained", `${this.name} in ` +
			    `${topic}: ${lost} between ${before.seq} and ` +
			    `${after.seq} did not come`, lost);
	}
}
