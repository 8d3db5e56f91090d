// SPDX-License-Identifier: MIT
/* cast.mjs - who publishes and who subscribes in a run, and to what. */

import { PatternSubscriber } from "./patterns.mjs";
import { Watcher } from "./presence.mjs";
import { PostPublisher, SeedPublisher, V1Publisher } from "./publishers.mjs";
import {
	EventSubscriber, JsSubscriber, SeedSubscriber, V1Subscriber,
} from "./subscribers.mjs";

const TOPICS = ["t0", "t1", "t2", "t3", "t4"];
const FLOOD = "flood";

/* A topic with one subscriber, which loses its slot when that is away while
 * others want one. */
const LONELY = "lonely";

const LARGE = { buffer: 4096 };
const LATEST = { buffer: 16, overflow: "latest" };
const DROP = { buffer: 32, overflow: "drop" };
const NONE = { buffer: 0 };
const CLOSE = { buffer: 16, overflow: "close" };

/* Each subscriber's kind, whether the flood is for it, and how it is buffered. */
const SUBSCRIBERS = [
	[V1Subscriber, false, LARGE], [V1Subscriber, false, LARGE],
	[V1Subscriber, true, LARGE], [V1Subscriber, true, LATEST],
	[V1Subscriber, true, DROP], [V1Subscriber, true, CLOSE],
	[V1Subscriber, true, NONE],
	[JsSubscriber, false, LARGE], [JsSubscriber, true, DROP],
	[EventSubscriber, false, LARGE], [EventSubscriber, true, DROP],
	[EventSubscriber, true, LATEST],
	[SeedSubscriber, false, LARGE], [SeedSubscriber, false, LARGE],
	[SeedSubscriber, true, LARGE], [SeedSubscriber, true, LATEST],
	[SeedSubscriber, true, DROP], [SeedSubscriber, true, CLOSE],
];

const PUBLISHERS = [V1Publisher, V1Publisher, V1Publisher, V1Publisher,
	PostPublisher, SeedPublisher, SeedPublisher];

/* Who follows all topics by a pattern. */
const PATTERNS = [LARGE, DROP];

/* Who watches who is in a topic; in the flood there is no room for all that. */
const WATCHERS = [[TOPICS[0], LARGE], [TOPICS[1], LARGE], [FLOOD, DROP]];

/* Users: each second subscriber is one alone, the others share these two. */
const USERS = ["ann", "bob"];
const userOf = (i) => i % 2 === 0 ? `user ${i}` : USERS[(i >> 1) % 2];

/* What a subscriber of that kind subscribes to. */
function topicsOf(kind, hasFlood, dice) {
	if (kind === EventSubscriber)
		return [hasFlood ? FLOOD : dice.pick(TOPICS)];
	return [...dice.some(TOPICS, 3), ...hasFlood ? [FLOOD] : []];
}

export class Cast {
	topics = [...TOPICS, FLOOD, LONELY];
	floodTopic = FLOOD;

	constructor(world) {
		const dice = world.dice("cast");

		this.world = world;
		this.subscribers = SUBSCRIBERS.map(([Kind, hasFlood, query], i) =>
			new Kind(world, `${Kind.name}${i}`,
			    topicsOf(Kind, hasFlood, dice),
			    { ...query, user: userOf(i) }));
		this.loner = new V1Subscriber(world, "Loner", [LONELY], LARGE);
		this.members = [...this.subscribers];
		this.watchers = WATCHERS.map(([topic, query], i) =>
			new Watcher(world, `Watcher${i}`, [topic], query));
		this.subscribers.push(this.loner, ...this.watchers,
		    ...PATTERNS.map((query, i) => new PatternSubscriber(world,
			`Pattern${i}`, [...TOPICS, FLOOD], query)));
		this.lazy = this.subscribers.filter(
		    ({ topics }) => topics.includes(FLOOD));
		this.publishers = PUBLISHERS.map((Kind, i) =>
			new Kind(world, `${Kind.name}${i}`,
			    Kind === V1Publisher ? [...TOPICS, LONELY] : TOPICS,
			    LARGE));
		this.flooders = this.publishers.filter(
		    (one) => one instanceof V1Publisher);
	}

	/* Everybody who keeps books of what it gets. */
	get hearers() {
		return [...this.subscribers, ...this.publishers.filter(
		    (one) => one instanceof SeedPublisher)];
	}

	/* Who is in a topic when all are connected. */
	usersOf(topic) {
		return new Set(this.members.filter(({ topics }) =>
			topics.includes(topic)).map(({ query }) => query.user));
	}

	enter() {
		for (const one of [...this.subscribers, ...this.publishers])
			one.open();
	}

	/* Nobody says anything more; who did not read reads again. */
	rest() {
		for (const one of this.publishers)
			one.rest();
		for (const one of this.subscribers)
			one.resume();
	}

	leave() {
		for (const one of [...this.subscribers, ...this.publishers])
			one.leave();
	}
}
