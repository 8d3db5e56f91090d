// SPDX-License-Identifier: MIT
/*
 * observers.mjs - what one subscriber has got, entered as it comes; see
 * ledger.mjs for what is held to be a fault.
 */

/* One topic of a numbered subscriber. */
class Place {
	epoch = "";
	next = null;      /* the number that must come next; null: any */
	since = null;     /* where it said that it was, {epoch, seq} */
	present = 0;      /* the topic's last number when it subscribed */
	fresh = false;    /* nothing has come since it said so */
	owed = false;     /* a gap without numbers must come before anything else */
	claim = null;     /* a gap without numbers whose end is not known yet */
	got = new Map();  /* epoch -> Set of numbers */
	stays = [];       /* {epoch, present, last}: subscribed without a break
	                   * from one number to another */

	had(epoch, seq) {
		return this.got.get(epoch)?.has(seq) ?? false;
	}

	note(epoch, seq) {
		if (!this.got.has(epoch))
			this.got.set(epoch, new Set());
		this.got.get(epoch).add(seq);
		this.moveTo(epoch, seq);
	}

	moveTo(epoch, seq) {
		if (this.stays.length > 0)
			this.stays.at(-1).last = seq;
		this.epoch = epoch;
		this.next = seq + 1;
		this.fresh = this.owed = false;
	}
}

export class Numbered {
	#ledger;
	#places = new Map();

	constructor(ledger, name) {
		this.#ledger = ledger;
		this.name = name;
	}

	/*
	 * It is subscribed, and says where it was.  seq: the topic's last number;
	 * resumed: the server goes on behind since, if only by a gap; replayed:
	 * how many numbers up to seq follow where it does not.
	 */
	begin(topic, { epoch, seq, since = null, resumed = false, replayed = 0 }) {
		const place = this.#places.get(topic) ?? new Place();

		this.#places.set(topic, place);
		place.since = since;
		place.present = seq;
		place.stays.push({ epoch, present: seq, last: seq });
		place.fresh = since !== null;
		place.owed = since !== null && !resumed;
		place.epoch = epoch;
		place.next = resumed ? since.seq + 1 : seq - replayed + 1;
	}

	/* It is or will be subscribed, and does not know where that begins. */
	beginAnywhere(topic) {
		this.#places.set(topic, new Place());
	}

	/* The last number that it has been told of, {epoch, seq}; null: none. */
	placeOf(topic) {
		const place = this.#places.get(topic);

		return !place || place.next === null ? null :
			{ epoch: place.epoch, seq: place.next - 1 };
	}

	#fault(kind, topic, text, times) {
		this.#ledger.fault(kind, `${this.name} in ${topic}: ${text}`, times);
	}

	message(topic, epoch, seq, text) {
		const place = this.#places.get(topic);

		if (!place) {
			this.#fault("damaged", topic, `${seq}, not subscribed`);
			return;
		}
		this.#ledger.heard(text, { topic, epoch, seq }, this.name);
		this.#judgeNumber(place, topic, epoch, seq);
		place.note(epoch, seq);
	}

	#judgeNumber(place, topic, epoch, seq) {
		this.#settleClaim(place, topic, epoch, seq - 1);
		if (place.had(epoch, seq))
			this.#fault("doubles", topic, `${seq} came twice`);
		else if (place.owed || place.next !== null && place.epoch !== epoch)
			this.#fault("unexplained", topic, `${seq} of ${epoch} ` +
			    "came, and no word that what was before is lost");
		else if (place.next !== null && seq < place.next)
			this.#fault("disorder", topic,
			    `${seq} came, ${place.next} was next`);
		else if (place.next !== null && seq > place.next)
			this.#fault("unexplained", topic,
			    `${place.next} to ${seq - 1} are missing`,
			    seq - place.next);
	}

	/* epoch: where it is told to be, for who began anywhere. */
	gap(topic, { from, to, reason }, epoch = null) {
		const place = this.#places.get(topic);
		const { counts } = this.#ledger;
		const size = to - from + 1;

		if (!place || !(size > 0) || place.owed) {
			this.#fault("damaged", topic,
			    `a gap from ${from} to ${to} (${reason})`);
			return;
		}
		this.#judgeGap(place, topic, from, epoch ?? place.epoch);
		counts.gaps++;
		counts.covered += size;
		if (reason === "slow" || reason === "lapped")
			counts.told += size;
		place.moveTo(epoch ?? place.epoch, to);
		if (place.epoch !== "")
			this.#ledger.gapEnds(topic, place.epoch, to);
	}

	#judgeGap(place, topic, from, epoch) {
		const { next } = place;

		this.#settleClaim(place, topic, epoch, from - 1);
		if (next !== null && from > next)
			this.#fault("unexplained", topic,
			    `${next} to ${from - 1} are missing`, from - next);
		else if (next !== null && from < next)
			this.#fault("disorder", topic,
			    `a gap from ${from}, ${next} was next`);
	}

	/* A gap without numbers. */
	blank(topic, reason) {
		const place = this.#places.get(topic);

		this.#ledger.counts.gaps++;
		this.#ledger.counts.blanks++;
		if (!place?.fresh || reason !== "epoch" && reason !== "unknown") {
			this.#fault("damaged", topic, `a gap "${reason}"`);
			return;
		}
		if ((reason === "epoch") === (place.since.epoch === place.epoch))
			this.#fault("unexplained", topic,
			    `"${reason}" after ${place.since.epoch}`);
		else if (reason === "unknown")
			this.#claim(place, topic, place.epoch, place.since,
			    place.present);
		place.moveTo(place.epoch, place.present);
	}

	/* The same, for one who was resumed without being told the number. */
	blankAnywhere(topic, reason) {
		const place = this.#places.get(topic);

		this.#ledger.counts.gaps++;
		this.#ledger.counts.blanks++;
		if (reason === "epoch" || reason === "unknown")
			place.claim = { reason, epoch: place.epoch,
				seq: place.next - 1 };
		else
			this.#fault("damaged", topic, `a gap "${reason}"`);
		place.next = null;
	}

	/* Now the number before which it ended is known. */
	#settleClaim(place, topic, epoch, to) {
		const { claim } = place;

		place.claim = null;
		if (claim?.reason === "epoch" && claim.epoch === epoch)
			this.#fault("unexplained", topic, "same epoch as before");
		else if (claim?.reason === "unknown")
			this.#claim(place, topic, epoch, claim, to);
	}

	#claim(place, topic, epoch, since, to) {
		this.#ledger.claim({ who: this.name, topic, epoch,
			from: since.seq + 1, to });
	}

	/* Whether it has got to that number of the topic, or never began. */
	reached(topic, { epoch, seq }) {
		const place = this.#places.get(topic);

		return place.epoch === epoch && place.next !== null &&
			place.next > seq;
	}

	/* Whether it was subscribed all the time for which a claim says that nobody
	 * was.  The topic may have ended with the last number, so it takes another
	 * one behind that. */
	witnessed({ topic, epoch, from, to }) {
		return this.#places.get(topic)?.stays.some((stay) =>
			stay.epoch === epoch && stay.present < from &&
			stay.last > to) ?? false;
	}

	judge() {} /* has been, as it came */
}

export class Plain {
	#ledger;
	#topics = new Set();
	#connections = []; /* topic -> keys in the order they came */
	#seen = new Set();
	#last = new Map(); /* "topic speaker" -> number */

	constructor(ledger, name) {
		this.#ledger = ledger;
		this.name = name;
	}

	/* A new connection, subscribed to these topics. */
	connect(topics) {
		this.#topics = new Set(topics);
		this.#connections.push(new Map());
		this.#seen.clear();
		this.#last.clear();
	}

	/* Its connection is subscribed to one more. */
	join(topic) {
		this.#topics.add(topic);
	}

	/* Returns what it was, or null: nothing that anyone has said. */
	message(text) {
		const word = this.#ledger.heard(text, { topic: null, seq: null },
		    this.name);

		if (word === null)
			return null;
		if (!this.#topics.has(word.topic))
			this.#ledger.fault("damaged",
			    `${this.name} got ${word.key}, not subscribed`);
		this.#judgeOrder(word);
		const topics = this.#connections.at(-1);

		if (!topics.has(word.topic))
			topics.set(word.topic, []);
		topics.get(word.topic).push(word.key);
		return word;
	}

	#judgeOrder({ key, topic, speaker, n }) {
		const voice = `${topic} ${speaker}`;
		const last = this.#last.get(voice) ?? 0;

		if (this.#seen.has(key))
			this.#ledger.fault("doubles",
			    `${this.name} got ${key} twice`);
		else if (n < last)
			this.#ledger.fault("disorder",
			    `${this.name} got ${key} after ${last}`);
		this.#seen.add(key);
		this.#last.set(voice, n);
	}

	witnessed() {
		return false; /* it does not know between which numbers it was */
	}

	judge() {
		for (const topics of this.#connections)
			for (const [topic, keys] of topics)
				this.#judgeTopic(topic, keys);
	}

	/* Their numbers, which others were told, say what is missing between. */
	#judgeTopic(topic, keys) {
		const places = [...new Set(keys)].map(
		    (key) => this.#ledger.placeOf(key)).filter((p) => p !== null);

		for (let i = 1; i < places.length; i++) {
			const { epoch, seq } = places[i - 1];
			const { epoch: now, seq: to } = places[i];

			if (epoch !== now || to < seq)
				this.#ledger.fault("disorder", `${this.name} in ` +
				    `${topic}: ${to} came after ${seq}`);
			else
				this.#ledger.counts.holes +=
				    this.#ledger.knownBetween(topic, epoch, seq, to);
		}
	}
}
