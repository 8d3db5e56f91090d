// SPDX-License-Identifier: MIT
/*
 * cluster.test.mjs - hosts that share a log: three pubsubd and three nats-server
 * on loopback, of which some are killed.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";

import WebSocket from "ws";

import { connect } from "../../public/pubsub.js";
import { assertHas, publish, refuses } from "./cluster-talk.mjs";
import { Command } from "./command.mjs";
import { Nats, agree, bridgeOf, host, past, skip } from "./nats.mjs";
import { parseMetrics, sumOf } from "./prometheus.mjs";
import { BRIDGE, PUBSUBD, run } from "./server.mjs";
import { V1 } from "./v1-client.mjs";
import { bounded, waitFor } from "./wait.mjs";

const urlOf = ({ port }) => `ws://127.0.0.1:${port}/ws`;

/* A client of these hosts, at the first of them. */
function client(t, servers) {
	const one = connect(servers.map(urlOf), { WebSocket });

	t.after(() => one.close());
	return one;
}

/* Somebody who publishes, each when the one before is acknowledged or nobody
 * knows, until told to stop. */
class Talker {
	acks = [];

	#going = true;
	#done;

	constructor(t, servers, topic, who) {
		this.#done = this.#talk(client(t, servers), topic, who);
		t.after(() => this.stop());
	}

	async #talk(one, topic, who) {
		for (let i = 0; this.#going; i++)
			try {
				const { pos } = await one.publish(topic, `${who}${i}`);

				this.acks.push([pos, `${who}${i}`]);
			} catch (error) {
				assert.equal(error.code, "unknown");
			}
	}

	async stop() {
		this.#going = false;
		await this.#done;
		return this.acks;
	}
}

describe("three hosts", { skip, concurrency: false }, () => {
	let ends = []; /* the servers first, then the log */
	const t = { after: (f) => ends.unshift(f) };
	let nats, hosts;

	before(async () => {
		nats = await Nats.start(t);
		hosts = await Promise.all([1, 2, 3].map(() => host(t, nats)));
		for (const one of hosts) {
			one.deathsExpected = true; /* some, and bridges */
			await one.logs("a log", /joined the log/u);
		}
	});

	after(async () => {
		const outcomes = await Promise.allSettled(
		    ends.map((end) => end()));

		ends = [];
		for (const { reason } of outcomes)
			assert.ifError(reason);
	});

	test("have the same messages in one order", async () => {
		const acks = await Promise.all(hosts.map((one, i) =>
			publish(one, "same", "abc"[i], 50)));

		assertHas(await agree(hosts, "same", 150), ...acks);
	});

	test("answer a publish by HTTP, and many at once", async () => {
		const one = await fetch(`${hosts[0].url}/topics/http`,
		    { method: "POST", body: "x" });
		const first = await one.json();

		assert.equal(one.status, 200);
		assert.equal(first.seq, 1);
		const many = await fetch(`${hosts[1].url}/publish`, {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify(Array.from({ length: 300 }, (_, i) =>
				({ topic: "http", message: i }))),
		});
		const { results } = await many.json();

		assert.deepEqual(results.map(({ seq }) => seq),
		    Array.from({ length: 300 }, (_, i) => i + 2));
		await agree(hosts, "http", 301);
	});

	test("say what they do", async () => {
		const { admin, cluster } = await hosts[1].status();
		const metrics = parseMetrics(
		    await (await fetch(`${admin}/metrics`)).text());
		const of = (name, labels) =>
			sumOf(metrics, `pubsubd_cluster_${name}`, labels);

		assert.equal(cluster.connected, true);
		assert.ok(cluster.pos > 0);
		assert.equal(of("connected"), 1);
		assert.equal(of("hosts"), 3);
		assert.ok(of("batches_total", { result: "sent" }) > 1);
		assert.ok(of("batches_total", { result: "accepted" }) >
		    of("batches_total", { result: "sent" }));
		/* 50 of the first test, 300 of the second */
		assert.equal(of("accept_to_ring_seconds_count"), 350);
		assert.match((await hosts[1].cli("status")).stdout,
		    /^cluster +connected, 3 hosts, at message \d+, \d+ behind, /mu);
	});

	test("requests are answered in their order", async () => {
		const client = await V1.open(hosts[0]);

		for (const request of [
			{ type: "publish", id: 1, topic: "order", message: "x" },
			{ type: "history", id: 2, topic: "order" },
			{ type: "publish", id: 3, topic: "order", message: "y" },
			{ type: "ping", id: 4 },
			{ type: "subscribe", id: 5, topic: "order", history: 9 },
		])
			client.send(request);
		const answers = [];

		while (answers.length < 5)
			answers.push(await client.next());
		assert.deepEqual(answers.map(({ id }) => id), [1, 2, 3, 4, 5]);
		assert.equal(answers[1].messages.length, 1);
		assert.equal(answers[4].replayed, 2);
		client.socket.terminate();
	});

	test("a client goes on at another host by its place", async () => {
		const [here, there] = hosts;
		const acks = await publish(here, "move", "m", 10);

		await agree(hosts, "move", 10);
		const client = await V1.open(there);
		const answer = await client.subscribe("move",
		    { since: { epoch: "elsewhere", seq: 4, pos: acks[3][0] } });

		assert.equal(answer.recovered, true);
		assert.equal(answer.replayed, 6);
		for (const [pos, message] of acks.slice(4)) {
			const frame = await client.next();

			assert.equal(frame.message, message);
			assert.equal(frame.pos, pos);
		}
		client.socket.terminate();
	});

	/* There was a replay and a pace, and the worker died of that. */
	test("and so does one that wants less", async () => {
		const acks = await publish(hosts[0], "pace", "p", 10);

		await agree(hosts, "pace", 10);
		for (const [i, gaps] of [[3, 1], [8, 0], [9, 0]]) {
			const client = await V1.open(hosts[1]);
			const answer = await client.subscribe("pace", {
				since: { epoch: "elsewhere", seq: 4, pos: acks[i][0] },
				every_ms: 100 });

			assert.equal(answer.replayed, 9 - i);
			assert.equal(answer.recovered, gaps === 0);
			for (let n = 0; n < gaps; n++) {
				const { type, from, to, reason } =
				    await client.next();

				assert.deepEqual([type, from, to, reason],
				    ["gap", i + 2, 9, "conflated"]);
			}
			if (i < 9)
				assert.equal((await client.next()).message, "p9");
			await client.quiet();
			client.socket.terminate();
		}
	});

	test("of another log it is told that nobody knows", async () => {
		const client = await V1.open(hosts[0]);
		const answer = await client.subscribe("move",
		    { since: { epoch: "elsewhere", seq: 4, pos: "other.77" } });

		assert.equal(answer.recovered, false);
		const gap = await client.next();

		assert.equal(gap.type, "gap");
		assert.equal(gap.reason, "cluster");
		client.socket.terminate();
	});

	test("an event's id has the place, from which another goes on",
	    async () => {
		const first = await fetch(
		    `${hosts[0].url}/topics/move/events?lastEventId=` +
		    `${(await (await fetch(`${hosts[0].url}/topics/move`))
			.json()).epoch}:8`);
		const reader = first.body.getReader();
		let text = "";

		/* By whole lines: an epoch may have "m8" in it, or "gap". */
		while (!/^data: m9\n[^]*\n\n/mu.test(text))
			text += Buffer.from((await reader.read()).value);
		await reader.cancel();
		const id = /^data: m8\nid: (\S+)$/mu.exec(text)[1];

		assert.match(id, /^\w+:9:\w+\.\d+$/u);
		const other = await fetch(
		    `${hosts[1].url}/topics/move/events?lastEventId=${id}`);
		const from = other.body.getReader();

		text = "";
		while (!/^data: m9\n[^]*\n\n/mu.test(text))
			text += Buffer.from((await from.read()).value);
		await from.cancel();
		assert.doesNotMatch(text, /^event: gap$/mu);
		assert.doesNotMatch(text, /^data: m8$/mu);
	});

	test("a killed bridge costs nothing", async () => {
		const [a, b] = await Promise.all([
			publish(hosts[0], "bridge", "a", 200, () => {
				const [pid] = bridgeOf(hosts[0]);

				process.kill(pid, "SIGKILL");
			}),
			publish(hosts[1], "bridge", "b", 200),
		]);

		assertHas(await agree(hosts, "bridge", 400), a, b);
	});

	test("a killed worker costs its own clients alone", async () => {
		const [a] = await Promise.all([
			publish(hosts[0], "worker", "a", 200, async () => {
				const [pid] = await hosts[1].workers();

				process.kill(pid, "SIGKILL");
			}),
		]);

		assertHas(await agree(hosts, "worker", 200), a);
	});

	test("a killed server of the log costs time", async () => {
		const [a, b, c] = await Promise.all([
			publish(hosts[0], "node", "a", 200),
			publish(hosts[1], "node", "b", 200, () => nats.kill(0)),
			publish(hosts[2], "node", "c", 200),
		]);

		nats.revive(0);
		await nats.meet(true);
		assertHas(await agree(hosts, "node", 600), a, b, c);
	});

	test("the command says how they are", async () => {
		/* Who was connected to the killed one is silent for some time. */
		const status = await waitFor("three hosts", async () => {
			const said = await nats.cluster("status");

			assert.equal(said.status, 0, said.stderr);
			return /, 3 hosts/u.test(said.stdout) && said;
		}, 60_000);

		assert.match(status.stdout, /replicas 3, 3 hosts/u);
		assert.equal(status.stdout.match(/behind \d+ {2}hash/gu).length, 3);
		assert.equal((await nats.cluster("check")).status, 0);
	});

	test("one that joins has the past", async () => {
		const late = await host(t, nats);

		await late.logs("a log", /joined the log/u);
		await agree([...hosts, late], "node", 600);
		const acks = await publish(late, "late", "l", 5);

		assertHas(await agree([...hosts, late], "late", 5), acks);
	});

	test("a restart goes on with the log", async () => {
		const acks = await publish(hosts[2], "again", "x", 5);

		await hosts[2].cli("restart");
		const more = await publish(hosts[2], "again", "y", 5);

		assertHas(await agree(hosts, "again", 10), acks, more);
	});

	test("clients hop from host to host and miss nothing", async (t) => {
		const heard = [], gaps = [];
		const reader = client(t, hosts);

		await reader.subscribe("hop", {
			onMessage: ({ pos, message }) => heard.push([pos, message]),
			onGap: (gap) => gaps.push(gap),
		});
		const sub = new Command(t, ["sub", "hop", "--json",
			...hosts.flatMap((one) => ["-u", urlOf(one)])]);

		await waitFor("two subscribers", async () =>
			await reader.presence("hop") === 2);
		const talkers = hosts.map((_, i) => new Talker(t,
		    [...hosts.slice(i), ...hosts.slice(0, i)], "hop", "abc"[i]));

		for (let hop = 0; hop < 6; hop++) {
			const from = hosts.find((one) => urlOf(one) === reader.url);
			const before = heard.length;

			await waitFor("talk", () => heard.length > before + 20);
			if (hop % 2 === 0)
				await from.cli("restart");
			else
				for (const pid of await from.workers())
					process.kill(pid, "SIGKILL");
			await waitFor("another host", () =>
				reader.state === "open" &&
				reader.url !== urlOf(from));
		}
		const acks = [];

		for (const talker of talkers)
			acks.push(...await talker.stop());
		await reader.publish("hop", "end");
		const isEnd = ([, message]) => message === "end";

		await waitFor("the end", () => heard.some(isEnd) &&
		    /"message":"end"/u.test(sub.stdout));
		const all = await agree(hosts, "hop", heard.length);

		assert.deepEqual(heard, all);
		assert.deepEqual(gaps, []);
		assert.deepEqual(sub.lines.map((line) => JSON.parse(line))
		    .map(({ pos, message }) => [pos, message]), all);
		assert.doesNotMatch(sub.stderr, /missing/u);
		const places = new Map(all);

		assert.equal(places.size, all.length);
		for (const [pos, message] of acks)
			assert.equal(places.get(pos), message);
	});

	test("an upgrade goes on with the log", async () => {
		const client = await V1.open(hosts[2]);
		const { status, stderr } = await hosts[2].cli("upgrade");

		assert.equal(status, 0, stderr);
		const ack = await client.publish("upgraded", "x");

		assert.equal(ack.type, "ack");
		await agree(hosts, "upgraded", 1);
		client.socket.terminate();
	});
});

describe("without a log", { skip }, () => {
	test("publishes wait, then new ones are refused", async (t) => {
		const nats = await Nats.start(t, 1);
		const one = await host(t, nats, "--cluster-wait", "3");

		one.deathsExpected = true;
		await one.logs("a log", /joined the log/u);
		const waits = await V1.open(one), later = await V1.open(one);

		assert.equal((await waits.publish("down", "before")).type, "ack");
		await nats.kill(0);
		waits.send({ type: "publish", id: "w", topic: "down",
			message: "under way" });
		await refuses(one);
		await later.refuse({ type: "publish", topic: "down",
			message: "refused" }, "cluster_down");
		const { admin } = await one.status();
		const metrics = parseMetrics(
		    await (await fetch(`${admin}/metrics`)).text());

		assert.ok(sumOf(metrics, "pubsubd_cluster_refused_total") >= 2);
		assert.equal(sumOf(metrics, "pubsubd_cluster_connected"), 0);
		assert.ok(sumOf(metrics, "pubsubd_cluster_unconfirmed") >= 1);
		nats.revive(0);
		const ack = await bounded("the answer", waits.next(), 60_000);

		assert.equal(ack.id, "w");
		assert.equal(ack.type, "ack");
		await waitFor("publishes again", async () =>
			(await later.publish("down", "again")).type === "ack");
		const messages = (await past(one, "down"))
		    .map(([, message]) => message);

		assert.deepEqual(messages, ["before", "under way", "again"]);
		waits.socket.terminate();
		later.socket.terminate();
	});

	/* Its bridge hears nothing any more; that of the other does. */
	test("a client leaves a host that is cut off", async (t) => {
		const nats = await Nats.start(t, 1);
		const [one, two] = await Promise.all([1, 2].map(() =>
			host(t, nats, "--cluster-wait", "3")));

		for (const each of [one, two]) {
			each.deathsExpected = true;
			await each.logs("a log", /joined the log/u);
		}
		const heard = [];
		const here = client(t, [one, two]);

		await here.subscribe("t", { onMessage: ({ message }) =>
			heard.push(message), onGap: (gap) => heard.push(gap) });
		const first = await here.publish("t", "before");
		const [bridge] = bridgeOf(one);

		process.kill(bridge, "SIGSTOP");
		await refuses(one);
		assert.equal(here.url, urlOf(one));
		const { epoch } = await here.publish("t", "elsewhere");

		assert.equal(here.url, urlOf(two));
		assert.notEqual(epoch, first.epoch);
		await waitFor("both", () => heard.length === 2);
		assert.deepEqual(heard, ["before", "elsewhere"]);
		process.kill(bridge, "SIGCONT");
	});

	test("a lost log costs the ring, and is told", async (t) => {
		const nats = await Nats.start(t, 1);
		const one = await host(t, nats);

		one.deathsExpected = true;
		await one.logs("a log", /joined the log/u);
		const [[pos]] = await publish(one, "lost", "x", 1);

		await nats.kill(0);
		nats.forget(0);
		nats.revive(0);
		await nats.init();
		await one.logs("another log", /the log is another one/u);
		await one.logs("a new ring", /a new ring, epoch/u);
		const client = await waitFor("a client", () =>
			V1.open(one).catch(() => null));
		const answer = await client.subscribe("lost",
		    { since: { epoch: "before", seq: 1, pos } });

		assert.equal(answer.recovered, false);
		assert.equal((await client.next()).reason, "cluster");
		client.socket.terminate();
	});
});

describe("of three servers", { skip }, () => {
	/* It made a log with one copy on one of them, for good. */
	test("two make no log, and a look at them waits", async (t) => {
		const nats = await Nats.start(t, 3, 1);

		await nats.init(/no suitable peers.*three servers/u);
		nats.revive(2);
		await nats.meet();
		await nats.init();

		/* They answer nobody, for longer than one request waits. */
		for (const node of [0, 1])
			nats.signal(node, "SIGSTOP");
		setTimeout(() => {
			for (const node of [0, 1])
				nats.signal(node, "SIGCONT");
		}, 3000);
		const { status, stdout, stderr } = await nats.cluster("status");

		assert.equal(status, 0, stderr);
		assert.match(stdout, /replicas 3, 0 hosts/u);
	});
});

describe("a server that cannot be had", { skip }, () => {
	test("too old a nats-server is refused in words", async (t) => {
		const old = createServer((socket) => {
			socket.on("error", () => {});
			socket.write('INFO {"server_id":"x","version":"2.9.10",' +
			    '"max_payload":1048576,"proto":1,"headers":true}\r\n');
			socket.on("data", (data) => {
				if (/PING/u.test(data))
					socket.write("PONG\r\n");
			});
		});

		t.after(() => old.close());
		old.listen(0, "127.0.0.1");
		await once(old, "listening");
		const { status, stderr } = await run(PUBSUBD, ["cluster", "check",
			"--config", "none", "--cluster",
			`nats://127.0.0.1:${old.address().port}`]);

		assert.equal(status, 1);
		assert.match(stderr, /nats-server 2\.9: a cluster needs 2\.10/u);
	});

	test("a password in the address is refused", async () => {
		const { status, stderr } = await run(PUBSUBD, ["check",
			"--config", "none", "--cluster", "nats://a:b@h:4222"]);

		assert.notEqual(status, 0);
		assert.match(stderr, /--cluster-creds/u);
		assert.doesNotMatch(readFileSync("/proc/self/cmdline", "latin1"),
		    /a:b@h/u);
	});

	test("the bridge says who calls it", async () => {
		assert.equal((await run(BRIDGE, [])).status, 2);
	});
});
