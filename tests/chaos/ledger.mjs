// SPDX-License-Identifier: MIT
/*
 * ledger.mjs - who said what, who heard what, and whether that is as promised.
 *
 * It knows no socket and no clock: it is told, and judges.  What is held to be
 * promised, and so a fault where it is not kept:
 *
 * Numbers.  An ack, a numbered subscriber's message and an event's id each say
 * which number a text has in a topic and epoch.  All must say the same, and a
 * text has one number only.  What was refused (`draining') has none.
 *
 * A numbered subscriber (pubsubd.v1, server-sent events, public/pubsub.js) sees
 * every number of a topic from the one where it began, over all its connections,
 * in order and once: as a message or inside a gap.  A number that is neither is
 * an unexplained loss.  A gap ends where numbers have been given, not beyond.
 * A gap without numbers must be true: `epoch' where the epoch is another one, and
 * `unknown' where the topic's slot was another's meanwhile.  That takes somebody
 * who wanted more slots than there are, and that nobody was subscribed: who was,
 * from before to after, is a witness that it is not true.
 *
 * A plain subscriber (the seed's contract) gets no numbers and no gaps, and its
 * own disconnect explains what it missed before and after.  Within one of its
 * connections it must see each text at most once, those of one speaker in the
 * order said, and all in the order of their numbers, which the numbered have told.
 * What lies between the first and the last that it got of a topic and did not
 * come is a hole.  It cannot be told of it, so the operator is: each such message
 * was counted by its worker, as dropped (slow, memory) or missed (lapped).  The
 * same counters count what the numbered are told as slow or lapped.  So the holes
 * are explained if and only if, together with those numbers, they are not more
 * than all that was counted.
 *
 * A subscriber of a pattern is told by count what it missed (patterns.mjs), and who
 * watches a topic of who comes and leaves, each once (presence.mjs).
 *
 * Who follows a topic of a cluster sees it by places in the log (placed.mjs).
 *
 * Publishing.  Requests of one connection take effect in order.  So where a later
 * one of a speaker has a number, an earlier one that was not refused has one, too:
 * unless a number between is known to nobody, it was lost.  What nothing later
 * followed and no ack confirmed may be there or not.
 *
 * The end.  Everybody who is connected when the storm is over gets to a message
 * that is published then.
 */

import { Numbered, Plain } from "./observers.mjs";
import { Patterned } from "./patterns.mjs";
import { Placed } from "./placed.mjs";
import { parse } from "./words.mjs";

const EXAMPLES = 10; /* of each kind of fault that are kept */

/* How many of these sorted numbers are below that one. */
function below(sorted, number) {
	let low = 0, high = sorted.length;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (sorted[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

export class Ledger {
	counts = { published: 0, acked: 0, refused: 0, delivered: 0, gaps: 0,
		covered: 0, blanks: 0, doubles: 0, disorder: 0, unexplained: 0,
		damaged: 0, holes: 0, told: 0, dropped: 0 };
	faults = [];
	pressed = false; /* somebody wanted more topics than there are slots */

	#said = new Map();   /* key -> {speaker, topic, n, place, refused} */
	#given = new Map();  /* "topic epoch" -> Map(number -> key) */
	#order = new Map();  /* the same, sorted, at the end */
	#gapEnds = new Map(); /* "topic epoch" -> highest end of a gap */
	#claims = [];        /* of a topic forgotten */
	#observers = [];
	#isDense;

	/* dense: each number is a message's.  In a cluster they are places in the
	 * log, of which most are something else's; but then all that has one is
	 * known, by the past of each host. */
	constructor({ dense = true } = {}) {
		this.#isDense = dense;
	}

	/* A fault of a kind in `counts', as often as it says. */
	fault(kind, text, times = 1) {
		this.counts[kind] += times;
		if (this.faults.filter((f) => f.kind === kind).length < EXAMPLES)
			this.faults.push({ kind, text });
	}

	numbered(name) {
		const observer = new Numbered(this, name);

		this.#observers.push(observer);
		return observer;
	}

	plain(name) {
		const observer = new Plain(this, name);

		this.#observers.push(observer);
		return observer;
	}

	patterned(name) {
		const observer = new Patterned(this, name);

		this.#observers.push(observer);
		return observer;
	}

	placed(name) {
		const observer = new Placed(this, name);

		this.#observers.push(observer);
		return observer;
	}

	/* Somebody is about to publish that. */
	said(text) {
		const { key, ...word } = parse(text);

		this.counts.published++;
		this.#said.set(key, { ...word, place: null, refused: false });
	}

	acked(text, place) {
		this.counts.acked++;
		this.#place(parse(text).key, place, "an ack");
	}

	/* The server says that it has not done it, and will not. */
	refused(text) {
		const word = this.#said.get(parse(text).key);

		this.counts.refused++;
		word.refused = true;
		if (word.place)
			this.fault("damaged", `refused, and there: ${text.slice(0, 60)}`);
	}

	/*
	 * Somebody got that.  place: {topic, epoch, seq}, seq being null for who is
	 * not told a number.  Returns what it is, or null: nobody said so there.
	 */
	heard(text, place, who) {
		const word = parse(text);
		const known = word && this.#said.get(word.key);

		this.counts.delivered++;
		if (!known || place.topic !== null && place.topic !== word.topic) {
			this.fault("damaged", `${who} got in ${place.topic} what ` +
			    `nobody said there: ${text.slice(0, 60)}`);
			return null;
		}
		if (known.refused)
			this.fault("damaged", `${who} got what was refused: ` +
			    word.key);
		if (place.seq !== null)
			this.#place(word.key, place, who);
		return word;
	}

	#place(key, { epoch, seq }, who) {
		const word = this.#said.get(key);
		const where = `${word.topic} ${epoch}`;
		const numbers = this.#given.get(where) ?? new Map();

		this.#given.set(where, numbers);
		if (word.place && (word.place.epoch !== epoch ||
		    word.place.seq !== seq)) {
			this.fault("doubles", `${key} is ${word.place.seq} and, ` +
			    `says ${who}, ${seq} (${where})`);
			return;
		}
		if (numbers.has(seq) && numbers.get(seq) !== key) {
			this.fault("damaged", `${seq} of ${where} is ` +
			    `${numbers.get(seq)} and, says ${who}, ${key}`);
			return;
		}
		word.place = { epoch, seq };
		numbers.set(seq, key);
	}

	placeOf(key) {
		return this.#said.get(key).place;
	}

	/* A gap has been told, for numbers up to that one. */
	gapEnds(topic, epoch, to) {
		const where = `${topic} ${epoch}`;

		this.#gapEnds.set(where,
		    Math.max(to, this.#gapEnds.get(where) ?? 0));
	}

	/* Somebody was told that the topic is not the one of the numbers from..to. */
	claim(claim) {
		this.#claims.push(claim);
	}

	/* How many numbers between these two, both excluded, are known as given. */
	knownBetween(topic, epoch, from, to) {
		const sorted = this.#order.get(`${topic} ${epoch}`) ?? [];

		return Math.max(0, below(sorted, to) - below(sorted, from + 1));
	}

	get epochs() {
		return new Set([...this.#given.keys()].map(
		    (where) => where.split(" ").at(-1)));
	}

	/*
	 * Judge.  counted: what the workers have counted as dropped or missed.
	 * Returns whether all is as promised; see counts and faults.
	 */
	judge(counted) {
		for (const [where, numbers] of this.#given)
			this.#order.set(where,
			    [...numbers.keys()].sort((a, b) => a - b));
		this.#judgeGapEnds();
		this.#judgeClaims();
		this.#judgePublishing();
		for (const observer of this.#observers)
			observer.judge();
		this.#judgeHoles(counted);
		const { doubles, disorder, unexplained, damaged } = this.counts;

		return doubles + disorder + unexplained + damaged === 0;
	}

	#judgeGapEnds() {
		for (const [where, to] of this.#gapEnds) {
			const last = this.#order.get(where)?.at(-1) ?? 0;

			if (to > last)
				this.fault("damaged", `a gap of ${where} ends at ` +
				    `${to}, the last number given is ${last}`);
		}
	}

	#judgeClaims() {
		for (const claim of this.#claims) {
			const { who, topic, from, to } = claim;
			const why = !this.pressed ? "there was room for all" :
				to < from ? "it had all" :
				this.#observers.find((one) => one.witnessed(claim))
				?.name;

			if (why !== undefined)
				this.fault("unexplained", `${who} was told that ` +
				    `${topic} was forgotten between ${from} and ` +
				    `${to}, but ${why}`, Math.max(1, to - from + 1));
		}
	}

	#judgePublishing() {
		for (const words of byVoice(this.#said.values()))
			this.#judgeSpeaker(words.filter((w) => !w.refused));
	}

	/* What one connection said in one topic, in the order said. */
	#judgeSpeaker(words) {
		let before = null, pending = [];

		for (const word of words) {
			if (word.place === null) {
				pending.push(word);
				continue;
			}
			if (before !== null)
				this.#judgePair(before, word, pending);
			before = word;
			pending = [];
		}
	}

	/* Two that have numbers, and what was said between and has none. */
	#judgePair(before, after, pending) {
		const { topic, speaker, n } = after;
		const { epoch, seq: from } = before.place;
		const to = after.place.seq;

		if (epoch !== after.place.epoch || to <= from) {
			this.fault("disorder", `${speaker} said ${before.n} before ` +
			    `${n} in ${topic}, and they are ${from} and ${to}`);
			return;
		}
		const unknown = this.#isDense ? to - from - 1 -
			this.knownBetween(topic, epoch, from, to) : 0;

		if (unknown < pending.length)
			this.fault("unexplained", `${speaker}'s ` +
			    `${pending[0].n} to ${pending.at(-1).n} in ${topic} ` +
			    "were never published, a later one was",
			    pending.length - unknown);
	}

	#judgeHoles(counted) {
		const { holes, told } = this.counts;

		this.counts.dropped = counted;
		if (holes + told > counted && holes > 0)
			this.fault("unexplained", `${holes} holes without a number ` +
			    `and ${told} numbers told as slow or lapped, but only ` +
			    `${counted} were counted`,
			    Math.min(holes, holes + told - counted));
	}
}

/* What was said, by speaker and topic. */
function byVoice(words) {
	const voices = new Map();

	for (const word of words) {
		const voice = `${word.topic} ${word.speaker}`;

		if (!voices.has(voice))
			voices.set(voice, []);
		voices.get(voice).push(word);
	}
	return voices.values();
}
