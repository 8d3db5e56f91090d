// SPDX-License-Identifier: MIT
/*
 * cluster-questions.test.mjs - who is in a topic, and which topics there are, on
 * all hosts of a cluster: each tells its part, or is silent.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import WebSocket from "ws";

import { connect } from "../../public/pubsub.js";
import { Command } from "./command.mjs";
import { Nats, bridgeOf, host, skip } from "./nats.mjs";
import { V1 } from "./v1-client.mjs";
import { bounded, waitFor } from "./wait.mjs";

const json = async (one, path) => {
	const answer = await fetch(`${one.url}${path}`);

	return { status: answer.status, ...await answer.json() };
};

const wsOf = ({ port }) => `ws://127.0.0.1:${port}/ws`;

/* A client of this name in a topic of that host. */
async function member(t, one, topic, user) {
	const client = await V1.open(one, { query: { user } });

	t.after(() => client.socket.terminate());
	await client.subscribe(topic);
	return client;
}

/* Ask by v1. */
async function ask(client, topic, more = {}) {
	client.send({ type: "presence", id: "q", topic, ...more });
	return await bounded("an answer", client.next(), 60_000);
}

/* Ask until every host has answered in time, as one on a busy machine may not. */
const ofAll = (look) => waitFor("an answer of all hosts", async () => {
	const answer = await look();

	return answer.silent === 0 && answer;
}, 60_000);

/* All hosts know each other. */
const meet = (hosts, n = hosts.length) => waitFor("all hosts", async () => {
	const answers = await Promise.all(hosts.map((one) =>
		json(one, "/topics?prefix=nobody").catch(() => ({}))));

	return answers.every(({ hosts: known, silent }) =>
		known === n && silent === 0);
}, 60_000);

/* A bridge that was stopped, if it is still there. */
function goOn(pid) {
	try {
		process.kill(pid, "SIGCONT");
	} catch ({ code }) {
		assert.equal(code, "ESRCH");
	}
}

const byUser = ({ members }) => Object.fromEntries(members.map(
    ({ user, connections }) => [user, connections]));

describe("questions to three hosts", { skip, concurrency: false }, () => {
	const ends = [];
	let nats, hosts;

	before(async () => {
		const t = { after: (f) => ends.unshift(f) };

		nats = await Nats.start(t, 1);
		hosts = await Promise.all([1, 2, 3].map(() => host(t, nats)));
		for (const one of hosts) {
			one.deathsExpected = true; /* bridges */
			await one.logs("a log", /joined the log/u);
		}
		await meet(hosts);
	});

	after(async () => {
		for (const end of ends)
			await end();
	});

	test("members of all hosts are told, and counts add up", async (t) => {
		const [a, b, c] = hosts;
		const asker = await member(t, a, "room", "ann");

		await member(t, b, "room", "bob");
		await member(t, b, "room", "ann");
		await member(t, c, "room", "ann");
		const answer = await ofAll(() =>
			ask(asker, "room", { members: true }));

		assert.equal(answer.type, "presence");
		assert.equal(answer.count, 4);
		assert.deepEqual(byUser(answer), { ann: 3, bob: 1 });
		assert.deepEqual(answer.members.map(({ verified }) => verified),
		    [false, false]);
		assert.deepEqual([answer.hosts, answer.silent], [3, 0]);
		assert.equal("more" in answer, false);
		const plain = await ofAll(() => ask(asker, "room"));

		assert.deepEqual([plain.count, plain.hosts, plain.silent],
		    [4, 3, 0]);
		assert.equal("members" in plain, false);
	});

	test("by HTTP, too", async (t) => {
		await member(t, hosts[0], "http", "ann");
		await member(t, hosts[1], "http", "bob");
		/* On this one nobody has ever used it. */
		const there = await ofAll(() =>
			json(hosts[2], "/topics/http/presence"));

		assert.equal(there.status, 200);
		assert.deepEqual(byUser(there), { ann: 1, bob: 1 });
		assert.deepEqual([there.subscribers, there.hosts, there.silent],
		    [2, 3, 0]);
		const topic = await ofAll(() => json(hosts[2], "/topics/http"));

		assert.deepEqual([topic.status, topic.seq, topic.subscribers,
			topic.hosts, topic.silent], [200, 0, 2, 3, 0]);
		for (const path of ["/topics/never", "/topics/never/presence"])
			assert.equal((await json(hosts[2], path)).status, 404);
	});

	test("pages have each member once", async (t) => {
		for (let i = 0; i < 12; i++)
			await member(t, hosts[i % 3], "pages", `u${i}`);
		for (const one of hosts)
			await member(t, one, "pages", "all");
		for (const limit of [1, 5, 13]) {
			const seen = [];
			let page = {};

			do {
				const path = "/topics/pages/presence" +
				    `?limit=${limit}${page.after ?
					`&after=${page.after}` : ""}`;

				page = await ofAll(() => json(hosts[1], path));
				assert.ok(page.members.length <= limit);
				seen.push(...page.members);
			} while (page.more);
			assert.equal(seen.length, 13);
			assert.deepEqual(byUser({ members: seen }), {
				...Object.fromEntries(Array.from({ length: 12 },
				    (_, i) => [`u${i}`, 1])), all: 3 });
		}
	});

	test("topics of all hosts are in one list", async (t) => {
		for (const [i, one] of hosts.entries()) {
			await member(t, one, "list/all", `x${i}`);
			await member(t, one, `list/${i}`, "x");
		}
		const list = (more) => ofAll(() =>
			json(hosts[0], `/topics?prefix=list/${more}`));
		const all = await list("");

		assert.deepEqual(all.topics, [
			["list/0", 1], ["list/1", 1], ["list/2", 1],
			["list/all", 3],
		].map(([topic, subscribers]) => ({ topic, subscribers, seq: 0 })));
		assert.deepEqual([all.more, all.hosts, all.silent], [false, 3, 0]);
		const first = await list("&limit=2");

		assert.deepEqual(first.topics.map(({ topic }) => topic),
		    ["list/0", "list/1"]);
		assert.equal(first.more, true);
		const rest = await list("&limit=2&after=list/1");

		assert.deepEqual(rest.topics.map(({ topic }) => topic),
		    ["list/2", "list/all"]);
		assert.equal(rest.more, false);
	});

	test("answers are given in the order of the requests", async (t) => {
		const client = await member(t, hosts[0], "order", "ann");

		for (const request of [
			{ type: "presence", id: 1, topic: "order" },
			{ type: "publish", id: 2, topic: "other", message: "x" },
			{ type: "presence", id: 3, topic: "order", members: true },
			{ type: "ping", id: 4 },
			{ type: "unsubscribe", id: 5, topic: "order" },
			{ type: "presence", id: 6, topic: "order" },
		])
			client.send(request);
		const answers = [];

		while (answers.length < 6)
			answers.push(await bounded("an answer", client.next(),
			    60_000));
		assert.deepEqual(answers.map(({ id }) => id), [1, 2, 3, 4, 5, 6]);
		assert.deepEqual([0, 2, 5].map((i) => answers[i].count), [1, 1, 0]);
	});

	test("who is told of changes here misses none of them", async (t) => {
		const client = await member(t, hosts[0], "watch", "ann");

		await member(t, hosts[1], "watch", "far");
		const list = await ask(client, "watch",
		    { members: true, subscribe: true });

		/* Of this host, whose members come and go. */
		assert.deepEqual(byUser(list), { ann: 1 });
		assert.deepEqual([list.hosts, list.silent], [1, 0]);
		await member(t, hosts[0], "watch", "near");
		const { type, user } = await client.next();

		assert.deepEqual([type, user], ["join", "near"]);
		const again = await ask(client, "watch", { members: true });

		assert.deepEqual(byUser(again), { ann: 1, near: 1 });
		await ask(client, "watch", { subscribe: false });
		const all = await ofAll(() =>
			ask(client, "watch", { members: true }));

		assert.deepEqual(byUser(all), { ann: 1, near: 1, far: 1 });
	});

	test("many who ask at once are all answered", async (t) => {
		await member(t, hosts[1], "many", "far");
		const askers = await Promise.all(Array.from({ length: 40 },
		    (_, i) => member(t, hosts[0], `many${i % 20}`, `a${i}`)));
		const answers = await Promise.all(askers.map((one, i) =>
			ofAll(() => ask(one, i % 2 ? "many" : `many${i % 20}`))));

		for (const [i, { count, hosts: n }] of answers.entries())
			assert.deepEqual([count, n], [i % 2 ? 1 : 2, 3]);
	});

	test("the command lists them, too", async (t) => {
		await member(t, hosts[2], "command", "x");
		const said = await waitFor("a list of all hosts", async () => {
			const list = new Command(t, ["topics", "--prefix",
				"command", "-u", wsOf(hosts[0])]);

			await list.closed;
			return !/did not answer/u.test(list.stderr) && list;
		}, 60_000);

		assert.match(said.stdout, /1 +0 {2}command\n/u);
		assert.equal(said.stderr, "");
	});

	/* It is one of the hosts for some seconds, as the others last heard of
	 * it; if that was too long ago, all is done once more. */
	test("a host whose bridge is stopped is silent", async (t) => {
		const [pid] = bridgeOf(hosts[2]);

		await member(t, hosts[0], "stopped", "ann");
		await member(t, hosts[2], "stopped", "cat");
		t.after(() => goOn(pid));
		const browser = connect(wsOf(hosts[0]), { WebSocket });

		t.after(() => browser.close());
		await browser.members("stopped");
		await waitFor("a silent host", async () => {
			await meet(hosts);
			process.kill(pid, "SIGSTOP");
			const first = await json(hosts[0],
			    "/topics/stopped/presence");
			const list = await json(hosts[1],
			    "/topics?prefix=stopped");
			const page = await browser.members("stopped");
			const command = new Command(t, ["topics", "--prefix",
				"stopped", "-u", wsOf(hosts[1])]);

			await command.closed;
			goOn(pid);
			if (first.hosts !== 3 || list.hosts !== 3 ||
			    page.hosts !== 3 || command.stderr === "")
				return false;
			assert.match(command.stderr, /1 of 3 hosts did not answer/u);
			assert.equal(page.silent, 1);
			assert.equal(page.members.length, 1);
			assert.equal(first.silent, 1);
			assert.equal(list.silent, 1);
			assert.deepEqual(byUser(first), { ann: 1 });
			assert.deepEqual(list.topics.map(
			    ({ subscribers }) => subscribers), [1]);
			return true;
		}, 60_000);
		await waitFor("all of it", async () => {
			const { members } = await json(hosts[0],
			    "/topics/stopped/presence");

			return members.length === 2;
		});
	});

	test("a host that is stopped for long is none of them", async (t) => {
		const [pid] = bridgeOf(hosts[2]);

		t.after(() => goOn(pid));
		process.kill(pid, "SIGSTOP");
		await meet(hosts.slice(0, 2), 2);
		goOn(pid);
		await meet(hosts);
	});

	test("the asking host's bridge is killed", async (t) => {
		const [pid] = bridgeOf(hosts[0]);
		const asker = await member(t, hosts[0], "killed", "ann");

		await member(t, hosts[1], "killed", "bob");
		process.kill(pid, "SIGSTOP");
		const answer = ask(asker, "killed", { members: true });

		process.kill(pid, "SIGKILL");
		const { count, hosts: n, silent } = await answer;

		/* By its successor, or by this host alone. */
		assert.ok((count === 2 && n === 3 && silent === 0) ||
		    (count >= 1 && silent > 0), JSON.stringify([count, n, silent]));
		await meet(hosts);
		assert.equal((await ofAll(() => ask(asker, "killed"))).count, 2);
	});

	test("without the bridge a host tells its own part", async (t) => {
		const [pid] = bridgeOf(hosts[0]);
		const asker = await member(t, hosts[0], "alone", "ann");

		await member(t, hosts[1], "alone", "bob");
		t.after(() => goOn(pid));
		process.kill(pid, "SIGSTOP");
		const answer = await ask(asker, "alone", { members: true });

		goOn(pid);
		assert.deepEqual(byUser(answer), { ann: 1 });
		assert.deepEqual([answer.hosts, answer.silent], [3, 2]);
		await meet(hosts);
	});

	test("a worker that is killed leaves no question behind", async (t) => {
		const [pid] = bridgeOf(hosts[0]);

		process.kill(pid, "SIGSTOP");
		t.after(() => goOn(pid));
		/* More than there are places for. */
		const askers = await Promise.all(Array.from({ length: 40 },
		    (_, i) => member(t, hosts[0], `left${i}`, "x")));

		for (const [i, one] of askers.entries())
			one.send({ type: "presence", id: 1, topic: `left${i}` });
		for (const worker of await hosts[0].workers())
			process.kill(worker, "SIGKILL");
		goOn(pid);
		await meet(hosts);
	});

	test("an upgrade in the midst of questions", async (t) => {
		const [pid] = bridgeOf(hosts[0]);
		const asker = await member(t, hosts[0], "upgrade", "ann");

		process.kill(pid, "SIGSTOP");
		const answer = ask(asker, "upgrade");
		const done = hosts[0].cli("upgrade");

		assert.equal((await answer).count, 1);
		goOn(pid);
		const { status, stderr } = await done;

		assert.equal(status, 0, stderr);
		await meet(hosts);
		assert.equal((await ofAll(() => ask(asker, "upgrade"))).count, 1);
	});

	test("the servers of the log are away", async (t) => {
		const asker = await member(t, hosts[0], "away", "ann");

		await member(t, hosts[1], "away", "bob");
		await nats.kill(0);
		const answer = await ask(asker, "away", { members: true });

		assert.deepEqual(byUser(answer), { ann: 1 });
		assert.deepEqual([answer.hosts, answer.silent], [3, 2]);
		nats.revive(0);
		await meet(hosts);
		assert.deepEqual(byUser(await ofAll(() => ask(asker, "away",
		    { members: true }))), { ann: 1, bob: 1 });
	});
});

describe("questions and grants", { skip }, () => {
	test("nobody sees more than they may", async (t) => {
		const nats = await Nats.start(t, 1);
		const hosts = await Promise.all([1, 2].map(() => host(t, nats,
		    "--anonymous", "subscribe:#", "--anonymous",
		    "presence:open/#")));

		for (const one of hosts) {
			one.deathsExpected = true;
			await one.logs("a log", /joined the log/u);
		}
		await waitFor("both hosts", async () => (await json(hosts[0],
		    "/topics?prefix=open")).hosts === 2, 60_000);
		await member(t, hosts[1], "open/a", "ann");
		await member(t, hosts[1], "hidden/a", "bob");
		await member(t, hosts[1], "hidden/b", "bob");
		await member(t, hosts[1], "open/b", "ann");
		const list = await ofAll(() => json(hosts[0], "/topics?limit=2"));

		assert.deepEqual(list.topics.map(({ topic }) => topic),
		    ["open/a", "open/b"]);
		assert.deepEqual([list.more, list.hosts, list.silent],
		    [false, 2, 0]);
		for (const path of ["/topics/hidden%2Fa",
			"/topics/hidden%2Fa/presence"])
			assert.equal((await json(hosts[0], path)).status, 401);
	});
});
