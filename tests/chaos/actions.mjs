// SPDX-License-Identifier: MIT
/*
 * actions.mjs - how each kind of action of the schedule is done.
 *
 * An action that takes its time goes on beside those that follow it; only one
 * that makes the server another one (restart, upgrade, behead) is waited for.  Each
 * says what it did, in a word or two for the run's log.
 */

import { setTimeout as pause } from "node:timers/promises";

/* Between a stop that should lap a worker and going on, at least. */
const LAP_MS = 200;

/* Those of a list from that index on, around its end. */
function round(list, who, count) {
	return Array.from({ length: Math.min(count, list.length) },
	    (_, i) => list[(who + i) % list.length]);
}

/* Have all publishers flood a topic with so much in sum. */
async function flood({ cast }, kib) {
	const share = kib * 1024 / cast.flooders.length;

	await Promise.race([pause(5000), Promise.all(cast.flooders.map(
	    (publisher) => publisher.flood(cast.floodTopic, share)))]);
}

const actions = {
	async kill({ world }, { slot }) {
		const pid = await world.kill(slot);

		return `worker ${slot}[${pid}]`;
	},

	async stop({ world, beside }, { slot, ms }) {
		const pid = await world.stop(slot);

		beside(pause(ms).then(() => world.goOn(pid)));
		return `worker ${slot}[${pid}] for ${ms} ms`;
	},

	async hang({ world, beside }, { slot }) {
		const pid = await world.stop(slot);

		if (pid !== null)
			beside(world.gone(pid));
		return `worker ${slot}[${pid}]`;
	},

	async lap(scene, { slot, kib }) {
		const { world, beside } = scene;
		const pid = await world.stop(slot);

		beside(Promise.all([pause(LAP_MS), flood(scene, kib)])
		    .then(() => world.goOn(pid)));
		return `worker ${slot}[${pid}] by ${kib} KiB`;
	},

	async restart({ world }) {
		await world.restart();
		return "done";
	},

	async upgrade({ world }) {
		return world.upgrade();
	},

	async behead({ world }) {
		await world.behead();
		return "started anew";
	},

	async slow(scene, { who, count, kib, ms }) {
		const lazy = round(scene.cast.lazy, who, count);

		for (const subscriber of lazy)
			subscriber.pause();
		scene.beside(Promise.all([pause(ms), flood(scene, kib)])
		    .then(() => lazy.forEach((one) => one.resume())));
		return `${lazy.map(({ name }) => name)}, ${kib} KiB, ${ms} ms`;
	},

	async reset({ cast }, { who, count }) {
		const cut = round([...cast.subscribers, ...cast.publishers],
		    who, count);

		for (const one of cut)
			one.cut();
		return cut.map(({ name }) => name).join();
	},

	async vanish({ strangers, cast, beside }, { topic, count }) {
		beside(strangers.vanish(cast.topics[topic % cast.topics.length],
		    count));
		return `${count}`;
	},

	async silence({ strangers, cast }, { topic, count }) {
		strangers.silence(cast.topics[topic % cast.topics.length], count);
		return `${count}`;
	},

	async exhaust({ world, strangers, beside }, { slot, spare, crowd, ms }) {
		const pid = await world.exhaust(slot, spare);
		const leave = strangers.crowd(crowd);

		beside(pause(ms).then(() => {
			leave();
			return pid !== null && world.relieve(pid);
		}));
		return `worker ${slot}[${pid}] has ${spare} left for ${crowd}, ` +
		    `${ms} ms`;
	},

	async fill({ strangers, cast, beside }, { ms }) {
		cast.loner.cut();
		beside(strangers.fill(ms));
		return `for ${ms} ms`;
	},

	async churn({ strangers, beside }, { count }) {
		beside(strangers.churn(count));
		return `${count}`;
	},
};

/* Do one.  scene: {world, cast, strangers, beside}. */
export function act(scene, { kind, ...parameters }) {
	return actions[kind](scene, parameters);
}
