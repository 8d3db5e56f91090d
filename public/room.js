// SPDX-License-Identifier: MIT
/*
 * room.js - one room: what was said, and what waits to be said.
 *
 * What was said comes from a subscription, which sees to it that everything
 * comes once and in order.  It begins with the last messages, or, after a
 * reload, behind the place up to which the tab has kept them.
 *
 * What we say goes through the outbox, where it is shown from the first moment:
 *
 *	say() -> outbox --publish--> confirmed --comes round--> messages
 *	           ^                     |
 *	           `---- cut off before -'
 *
 * It leaves the outbox when the subscription brings it, for that is where all
 * others see it too.  Where the connection was lost before the answer it is
 * published again; if that makes two of it, everybody knows the second by its
 * id.  A server that is cut off from its cluster takes nothing; then the oldest is
 * offered again and again, and when that is taken the others follow.
 */

import { Company } from "./company.js";
import { Past } from "./past.js";
import { compose, decode, envelopeOf } from "./message.js";
import { randomId } from "./names.js";
import { pass } from "./pass.js";
import { tab } from "./storage.js";

const MESSAGES_MAX = 500;
const READING_MAX = 5000;        /* while the reader looks at earlier ones */
const HISTORY = 50;              /* messages that one finds on joining, and
                                  * each time one asks for earlier ones */
const KEPT_MAX = 200;            /* messages that outlive a reload ... */
const KEPT_TEXT_MAX = 64 * 1024; /* ... and characters: storage is small */
const SEEN_MAX = 2000;           /* ids by which a second copy is known */
const SAVE_MS = 500;
const COUNT_PAUSE_MS = 1000;     /* between two counts of who is here */
const CUT_OFF_MS = 5 * 1000;     /* between two tries at a server that is cut off */
const LATELY = 50;               /* messages after which a voice is new again */

/* Refusals that another token may turn into a welcome. */
const FOR_WANT_OF_A_TOKEN = ["unauthorized", "forbidden"];

/* What a visitor is told of the server's refusals. */
const REFUSALS = {
	bad_topic: "The server does not take this room's name.",
	directory_full: "The server has no place for another room.",
	too_large: "This message is too long for the server.",
	unauthorized: "This server asks for a token here.",
	forbidden: "Your token does not allow this.",
	too_many_topics: "You are in as many rooms as the server allows.",
};

function refusal(error) {
	return REFUSALS[error.code] ?? `The server refused: ${error.message}.`;
}

/* The newest messages, as many as are worth keeping. */
function newest(messages) {
	const kept = messages.slice(-KEPT_MAX);
	let room = KEPT_TEXT_MAX;
	let i = kept.length;

	while (i > 0 && (room -= kept[i - 1].text?.length ?? 0) >= 0)
		i--;
	return kept.slice(i);
}

/*
 * Events: "message" (detail: what was added to messages), "earlier" (detail: what
 * was put in front of them; empty where only the state of that has changed),
 * "outbox", "state", "people"; of company: "change".
 *
 * messages holds {id, from, text, at, arrived, own, isNews}, with {epoch, seq}
 * where it came from the server, and, where messages were missed,
 * {gap: {count, reason}, at}.
 */
export class Room extends EventTarget {
	name;
	messages = [];
	outbox = [];
	unread = 0;
	people = 0; /* connections that are in the room; 0 = not known */
	isReadAbove = false; /* then more messages are kept */
	isCutOff = false; /* our server, from its cluster */
	company = new Company(); /* who is here, and who is writing */

	#client;
	#subscription = null;
	#place; /* where the messages of a former page end */
	#refused = null; /* why the server does not let us in */
	#isDenied = false; /* for want of a token that allows what we have tried */
	#isCatchingUp; /* what comes is of the time before we joined */
	#past;
	#saying = new Set(); /* ids */
	#seen = new Set();
	#saveTimer = 0;
	#countedAt = 0;
	#countTimer = 0;
	#cutOffTimer = 0;
	#myName = "";
	#onState = () => this.#stateChanged();

	constructor(client, name) {
		super();
		this.#client = client;
		this.name = name;
		this.#past = new Past(client, name);
		this.#restore();
		client.addEventListener("state", this.#onState);
	}

	/* "connecting", "open", "waiting" or "stopped". */
	get state() {
		const { state } = this.#client;

		if (this.#refused !== null || state === "closed")
			return "stopped";
		return state === "open" && !this.#subscription ? "connecting" :
		    state;
	}

	get reason() {
		return this.#refused ?? this.#client.reason;
	}

	get retryAt() {
		return this.#client.retryAt;
	}

	/* Would another token help?  The server ends a client for a bad one.  Who
	 * was in without any has been sent away for another reason. */
	get wantsToken() {
		return this.#isDenied || (this.#client.state === "closed" &&
		    (!this.#subscription || pass.get() !== null));
	}

	/* Bytes that a message may have, once the server has told. */
	get messageMax() {
		return this.#client.limits?.message;
	}

	/* How many messages are kept, at most. */
	get limit() {
		return this.isReadAbove ? READING_MAX : MESSAGES_MAX;
	}

	/* What is before the first message: see past.js. */
	get earlier() {
		return this.#past.state(this.messages,
		    this.#subscription?.place.epoch,
		    this.messages.length + HISTORY > READING_MAX);
	}

	/* Ask for what is before the first message. */
	async loadEarlier() {
		if (this.earlier !== "more")
			return;
		const asked = this.#past.load(this.messages, HISTORY);

		this.#emit("earlier", []);
		this.#prepend(await asked);
	}

	async enter() {
		this.#refused = null;
		this.#isCatchingUp = !this.#place;
		try {
			this.#subscription = await this.#client.subscribe(this.name, {
				since: this.#place,
				history: HISTORY,
				onMessage: (message) => this.#received(message),
				onGap: (gap) => this.#missed(gap),
				onMembers: (change) => this.company.changed(change),
				onEphemeral: (word) => this.company.heard(word, this.#myName),
				onEnd: (error) => this.#refuse(error),
			});
		} catch (error) {
			if (error.code !== "unsubscribed")
				this.#refuse(error);
			return;
		}
		this.#stateChanged();
	}

	leave() {
		clearTimeout(this.#saveTimer);
		clearTimeout(this.#countTimer);
		clearTimeout(this.#cutOffTimer);
		this.company.clear();
		this.#client.removeEventListener("state", this.#onState);
		this.#client.unsubscribe(this.name).catch(() => {}); /* never was */
		tab.remove(this.#key("outbox"));
		tab.remove(this.#key("heard"));
	}

	/* Connect now, even where we had been told to stay away; or offer again
	 * what was not taken. */
	retryNow() {
		if (this.#client.state === "closed")
			location.reload(); /* nothing is lost by that */
		else if (this.#refused !== null)
			this.enter();
		else if (this.isCutOff)
			this.#pump();
		else
			this.#client.wake();
	}

	/* The message that say() would send, to look at before. */
	draft(from, text) {
		return compose(randomId(), from, text);
	}

	/* The visitor of that name is writing: let others know. */
	writes(name) {
		this.#myName = name;
		if (this.state === "open" && this.company.maySay())
			this.#client.publish(this.name, { typing: name },
			    { ephemeral: true }).catch(() => {}); /* no matter */
	}

	/* Send a draft, or keep it until there is a connection. */
	say(message) {
		this.outbox.push(message);
		this.company.sent();
		this.#emit("outbox");
		this.#pump();
	}

	/* Try a message again that the server had refused. */
	retry(id) {
		const message = this.outbox.find((m) => m.id === id);

		if (message)
			delete message.problem;
		this.#emit("outbox");
		this.#pump();
	}

	/* Take a message out of the outbox, unsent. */
	discard(id) {
		this.outbox = this.outbox.filter((m) => m.id !== id);
		this.#emit("outbox");
	}

	/*
	 * Ask how many are here; so soon after the last time, or after we came,
	 * in a moment: others may be coming with us.
	 */
	countPeople() {
		const pause = this.#countedAt + COUNT_PAUSE_MS -
		    performance.now();

		this.#countTimer ||= setTimeout(() => this.#count(),
		    Math.max(0, pause));
	}

	/* Has nobody of this new message's name spoken lately? */
	isNewVoice({ from, isNews }) {
		return isNews && this.messages.slice(-1 - LATELY, -1)
		    .every((before) => before.from !== from);
	}

	/* Write down what a reload must not lose. */
	save() {
		clearTimeout(this.#saveTimer);
		this.#saveTimer = 0;
		tab.set(this.#key("outbox"), this.outbox);
		tab.set(this.#key("heard"), {
			messages: newest(this.messages),
			place: this.#subscription?.place ?? this.#place,
		});
	}

	#key(what) {
		return `${what}:${this.name}`;
	}

	#restore() {
		const heard = tab.get(this.#key("heard"), { messages: [] });

		this.outbox = tab.get(this.#key("outbox"), []);
		this.messages = heard.messages;
		this.#place = heard.place;
		for (const { id } of this.messages)
			this.#remember(id);
	}

	#emit(type, detail) {
		if (type === "message" || type === "outbox")
			this.#saveTimer ||= setTimeout(() => this.save(), SAVE_MS);
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}

	#stateChanged() {
		if (this.#subscription && this.state !== "open")
			this.#isCatchingUp = false;
		this.people = 0;
		this.isCutOff = false; /* it may be another server, and we shall see */
		if (this.state !== "open")
			this.company.clear();
		this.#countedAt = performance.now();
		this.#emit("state");
		this.#pump();
	}

	async #count() {
		const askedAt = performance.now();

		this.#countTimer = 0;
		if (this.state !== "open")
			return;
		this.#countedAt = askedAt;
		try {
			const people = await this.#client.presence(this.name);

			if (this.#countedAt !== askedAt)
				return; /* of another connection */
			this.people = people;
			this.#emit("people");
		} catch {
			/* the connection's end, which is told elsewhere */
		}
	}

	/* The server does not let us in, or not in again. */
	#refuse(error) {
		this.#place = this.#subscription?.place ?? this.#place;
		this.#subscription = null;
		this.#refused = refusal(error);
		this.#isDenied = FOR_WANT_OF_A_TOKEN.includes(error.code);
		this.#emit("state");
	}

	/*
	 * Nobody knows how many are missing where two gaps meet and one is open;
	 * a restart explains most.
	 */
	#missed({ from, to, reason }) {
		const last = this.messages.at(-1);
		let count = to === undefined ? null : to - from + 1;

		if (last?.gap) {
			this.messages.pop();
			count = count === null || last.gap.count === null ? null :
			    last.gap.count + count;
			if (last.gap.reason === "epoch")
				reason = "epoch";
		}
		this.#add({ gap: { count, reason }, at: Date.now() });
		for (const message of this.outbox.filter((m) => m.confirmed))
			this.#heard({ ...message, arrived: message.at });
	}

	#received({ message, time, epoch, seq, live }) {
		if (live)
			this.#isCatchingUp = false;
		this.#heard({ ...decode(message, time), epoch, seq });
	}

	#prepend(found) {
		const earlier = found.map(({ message, time, epoch, seq }) =>
			({ ...decode(message, time), epoch, seq, own: false,
				isNews: false }))
		    .filter(({ id }) => id === null || !this.#seen.has(id));

		for (const { id } of earlier)
			this.#remember(id);
		this.messages.unshift(...earlier);
		this.#emit("earlier", earlier);
	}

	#heard(message) {
		if (message.id !== null && this.#seen.has(message.id))
			return;
		this.#remember(message.id);
		this.company.spoke(message.from);
		const mine = this.outbox.findIndex((m) => m.id === message.id);

		message.own = mine !== -1;
		message.isNews = !message.own && !this.#isCatchingUp;
		if (message.own) {
			this.outbox.splice(mine, 1);
			this.#emit("outbox");
		}
		this.#add(message);
	}

	#remember(id) {
		if (!id)
			return;
		this.#seen.add(id);
		if (this.#seen.size > SEEN_MAX)
			this.#seen.delete(this.#seen.values().next().value);
	}

	#add(message) {
		this.messages.push(message);
		if (this.messages.length > this.limit) {
			this.messages.splice(0, this.messages.length - this.limit);
			this.#past.reset();
		}
		this.#emit("message", message);
	}

	/* Publish what is neither under way nor known to be hopeless. */
	#pump() {
		if (this.state !== "open")
			return;
		const due = this.outbox.filter(({ problem, confirmed }) =>
			!problem && !confirmed);

		for (const message of this.isCutOff ? due.slice(0, 1) : due)
			if (!this.#saying.has(message.id))
				this.#publish(message);
	}

	/* The server has taken something, or would not, for it is cut off. */
	#setCutOff(isCutOff) {
		clearTimeout(this.#cutOffTimer);
		if (isCutOff)
			this.#cutOffTimer = setTimeout(() => this.#pump(),
			    CUT_OFF_MS);
		if (isCutOff === this.isCutOff)
			return;
		this.isCutOff = isCutOff;
		this.#emit("state");
	}

	async #publish(message) {
		this.#saying.add(message.id);
		try {
			await this.#client.publish(this.name, envelopeOf(message));
			message.confirmed = true;
			this.#setCutOff(false);
		} catch (error) {
			if (error.code === "cluster_down")
				this.#setCutOff(true);
			else if (error.code !== "unknown" && error.code !== "closed")
				message.problem = refusal(error);
			this.#isDenied ||=
			    FOR_WANT_OF_A_TOKEN.includes(error.code);
		}
		this.#saying.delete(message.id);
		this.#emit("outbox");
		if (message.confirmed)
			this.#pump(); /* the others, if this was a try */
	}
}
