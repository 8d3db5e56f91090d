// SPDX-License-Identifier: MIT
/*
 * cluster-actions.mjs - what is done to the hosts of a cluster, to the servers of
 * its log and to the network between them.
 *
 * An action is over when what it hurt goes on: servers of which two are away can
 * take nothing, which is no news.  Each says what it did, for the run's log.
 */

import { setTimeout as pause } from "node:timers/promises";

import { bridgeOf, hostAt } from "../e2e/nats.mjs";

export const HOSTS = 3;

const FLOOD_MS = 5000;

const host = (dice) => dice.between(0, HOSTS - 1);
const hostFor = (least, most) => (dice) =>
	({ host: host(dice), ms: dice.between(least, most) });

/* Kind: how often it is in a bag, and its parameters (schedule.mjs). */
export const KINDS = {
	/* kill -9 */
	bridgeKill: [2, hostFor(0, 0)],
	workerKill: [2, (dice) => ({ host: host(dice), slot: host(dice) })],
	supervisorKill: [1, hostFor(0, 0)],
	serverKill: [1, hostFor(0, 0)],
	leaderKill: [1, () => ({})],
	/* SIGSTOP, and SIGCONT */
	bridgeStop: [1, hostFor(100, 2500)],
	workerStop: [1, hostFor(100, 2500)],
	serverStop: [1, hostFor(1000, 6000)],
	restart: [1, hostFor(0, 0)],
	/* two servers do not hear each other; a host hears nobody */
	routeCut: [1, hostFor(1000, 6000)],
	hostCut: [1, hostFor(1000, 12_000)],
	/* a host comes, and goes the next time */
	join: [1, hostFor(0, 0)],
	/* a client does not read while much is published */
	slow: [2, (dice) => ({ who: dice.between(0, 99),
		kib: dice.between(1000, 4000), ms: dice.between(100, 2000) })],
	/* clients of several hosts go to another */
	hop: [2, () => ({})],
};

function signal(pids, name) {
	for (const pid of pids)
		try {
			process.kill(pid, name);
		} catch {
			/* it is gone */
		}
}

async function stopFor(pids, ms) {
	signal(pids, "SIGSTOP");
	await pause(ms);
	signal(pids, "SIGCONT");
}

async function serverKill({ nats }, i) {
	await nats.kill(i);
	nats.revive(i);
	await nats.meet(true);
	return `server ${i}`;
}

const workersOf = (server) => server.workers().catch(() => []);

const actions = {
	async bridgeKill({ hosts }, { host: i }) {
		signal(bridgeOf(hosts[i]), "SIGKILL");
		return `of host ${i}`;
	},

	async workerKill({ hosts }, { host: i, slot }) {
		const pids = await workersOf(hosts[i]);

		signal(pids.slice(slot % 2, slot % 2 + 1), "SIGKILL");
		return `${slot % 2} of host ${i}`;
	},

	async supervisorKill({ hosts }, { host: i }) {
		await hosts[i].stop("SIGKILL");
		await hosts[i].run();
		return `of host ${i}, started anew`;
	},

	serverKill: (scene, { host: i }) => serverKill(scene, i),
	leaderKill: async (scene) =>
		serverKill(scene, await scene.nats.leader()),

	async bridgeStop({ hosts }, { host: i, ms }) {
		await stopFor(bridgeOf(hosts[i]), ms);
		return `of host ${i} for ${ms} ms`;
	},

	async workerStop({ hosts }, { host: i, ms }) {
		await stopFor((await workersOf(hosts[i])).slice(0, 1), ms);
		return `of host ${i} for ${ms} ms`;
	},

	async serverStop({ nats }, { host: i, ms }) {
		await stopFor([nats.nodes[i].pid], ms);
		return `server ${i} for ${ms} ms`;
	},

	async restart({ hosts }, { host: i }) {
		const { status, stderr } = await hosts[i].cli("restart");

		return `host ${i}: ${status === 0 ? "done" : stderr.trim()}`;
	},

	async routeCut({ places }, { host: i, ms }) {
		if (places === null)
			return "left out";
		await places[i].cutFrom(places[(i + 1) % HOSTS]);
		await pause(ms);
		await places[i].healTo(places[(i + 1) % HOSTS]);
		return `${i} and ${(i + 1) % HOSTS} for ${ms} ms`;
	},

	async hostCut({ places }, { host: i, ms }) {
		if (places === null)
			return "left out";
		await places[i].cut();
		await pause(ms);
		await places[i].heal();
		return `host ${i} for ${ms} ms`;
	},

	async join(scene, { host: i }) {
		const { late, nats, places } = scene;

		if (late !== null) {
			scene.late = null;
			await late.server.end();
			return "it goes";
		}
		const ends = { after() {} }; /* the scene ends it */
		const server = await hostAt(ends, nats, places?.[i] ?? null,
		    "--ring-size", "128M");

		server.deathsExpected = true;
		scene.late = { server };
		await server.logs("a log", /joined the log/u);
		return `beside host ${i}`;
	},

	async slow({ followers, publishers, flood }, { who, kib, ms }) {
		const lazy = followers[who % followers.length];
		const speaker = publishers[who % publishers.length];

		lazy.pause();
		await Promise.all([pause(ms), Promise.race([pause(FLOOD_MS),
			speaker.flood(flood, kib * 1024)])]);
		lazy.resume();
		return `${lazy.name}, ${kib} KiB, ${ms} ms`;
	},

	async hop({ followers }) {
		for (const one of followers)
			one.cut();
		return followers.map(({ name }) => name).join();
	},
};

/* Do one.  scene: cluster.mjs. */
export function act(scene, { kind, ...parameters }) {
	return actions[kind](scene, parameters);
}
