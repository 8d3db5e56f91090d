// SPDX-License-Identifier: MIT
/*
 * cluster-retention.test.mjs - what a host has accepted it keeps until another one
 * has it, and sends it on when its ring has to be given up before.
 */

import assert from "node:assert/strict";
import {
	closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, readFileSync,
	readdirSync, rmSync, writeFileSync, writeSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { publish } from "./cluster-talk.mjs";
import { Mouth } from "./mouth.mjs";
import { Nats, agree, bridgeOf, host, past, skip } from "./nats.mjs";
import { BRIDGE, PUBSUBD, Server, publicDirectory } from "./server.mjs";
import { V1 } from "./v1-client.mjs";
import { bounded, waitFor } from "./wait.mjs";

const ROOT_ONLY = process.getuid() === 0 ? false :
	"only root can start programs as another user";

async function hostsOf(t, nats, n, ...args) {
	const hosts = await Promise.all(Array.from({ length: n }, () =>
		host(t, nats, ...args)));

	for (const one of hosts) {
		one.deathsExpected = true; /* of bridges */
		await one.logs("a log", /joined the log/u);
	}
	await meet(hosts);
	return hosts;
}

/* Until all of them have heard of each other. */
async function meet(hosts) {
	for (const one of hosts)
		await waitFor("all hosts", async () =>
			(await cluster(one)).hosts === hosts.length);
}

async function cluster(server) {
	return (await server.status()).cluster;
}

/* Until nothing waits. */
function settled(server) {
	return waitFor("all confirmed", async () => {
		const now = await cluster(server);

		return now.unconfirmed === 0 && now.outbox_bytes === 0;
	});
}

describe("what a host has published", { skip }, () => {
	test("waits until another host says that it has it", async (t) => {
		const nats = await Nats.start(t, 1);
		const [here, there] = await hostsOf(t, nats, 2);
		let now;

		await publish(here, "t", "a", 20);
		await settled(here);

		/* One that has said nothing for three seconds is gone, and waited
		 * for no more: then once more. */
		for (let i = 0; now?.hosts !== 2; i++) {
			const [bridge] = bridgeOf(there);

			process.kill(bridge, "SIGSTOP");
			await publish(here, "t", `b${i}.`, 5);
			now = await cluster(here);
			process.kill(bridge, "SIGCONT");
			await waitFor("both hosts", async () =>
				(await cluster(here)).hosts === 2);
			if (now.hosts === 2) {
				assert.equal(now.unconfirmed, 5);
				assert.ok(now.outbox_bytes > 0);
				await agree([here, there], "t", 25 + 5 * i);
			}
			await settled(here);
		}
	});

	test("is let go when it comes back to the only one", async (t) => {
		const nats = await Nats.start(t, 1);
		const [one] = await hostsOf(t, nats, 1);

		await publish(one, "t", "a", 20);
		await settled(one);
	});

	test("is no more than --cluster-outbox says", async (t) => {
		const nats = await Nats.start(t, 1);
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-outbox-"));
		const file = join(dir, "conf");
		const text = "x".repeat(500);
		const say = (percent) =>
			writeFileSync(file, `cluster-outbox = ${percent}\n`);

		t.after(() => rmSync(dir, { recursive: true }));
		say(1);
		const one = await Server.start(t, ["--config", file,
			"--ring-size", "1M", "--max-message", "1K",
			"--cluster-wait", "60",
			...nats.options], { workers: ["--workers", "1"] });
		const other = await V1.open(one);
		const answers = [];
		/* Nothing more is read of a connection that waits. */
		const send = () => answers.push(fetch(`${one.url}/topics/t`,
		    { method: "POST", body: text }));
		let n = 0, now;

		one.deathsExpected = true;
		await one.logs("a log", /joined the log/u);
		const [bridge] = bridgeOf(one);

		process.kill(bridge, "SIGSTOP");
		do {
			send();
			n++;
			now = await waitFor("one more", async () => {
				const is = await cluster(one);

				return is.unconfirmed === n && is;
			});
		} while (now.outbox_bytes <= 1024 * 1024 / 100);
		assert.ok(n > 5);
		for (let i = 0; i < 20; i++)
			send();
		/* They have been read when so many others were answered. */
		for (let i = 0; i < 20; i++) {
			assert.equal((await other.subscribe(`o${i}`)).type, "ack");
			assert.equal((await cluster(one)).unconfirmed, n);
		}
		assert.equal((await one.cli("reload")).status, 0);
		say(51);
		const refused = await one.cli("reload");

		assert.equal(refused.status, 1);
		assert.match(refused.stderr,
		    /cluster-outbox 51.*must be a number from 1 to 50/u);
		assert.equal((await cluster(one)).unconfirmed, n);
		say(50);
		assert.match((await one.cli("reload")).stdout,
		    /changed: cluster-outbox$/mu);
		await waitFor("all of them in the outbox", async () =>
			(await cluster(one)).unconfirmed === n + 20);
		process.kill(bridge, "SIGCONT");
		for (const answer of await bounded("the answers",
		    Promise.all(answers), 60_000))
			assert.equal(answer.status, 200);
		await settled(one);
		other.socket.terminate();
	});

	/* More than the outbox may have, which is a quarter of the ring. */
	test("is as much as there is, in an outbox of any size", async (t) => {
		const nats = await Nats.start(t, 1);
		const hosts = await hostsOf(t, nats, 2, "--max-message", "1K",
		    "--ring-size", "1M");
		const n = 400;

		await Promise.all(hosts.map(async (one, i) => {
			const clients = await Promise.all([1, 2, 3].map(() =>
				V1.open(one)));

			for (const [c, client] of clients.entries())
				for (let k = 0; k < n; k++)
					client.send({ type: "publish", id: k, topic: "t",
						message: `${i}.${c}.${k} ${"x".repeat(500)}` });
			for (const client of clients)
				for (let k = 0; k < n; k++) {
					const ack = await bounded("an ack",
					    client.next(), 60_000);

					assert.equal(ack.type, "ack");
					assert.equal(ack.id, k);
				}
			for (const client of clients)
				client.socket.terminate();
		}));
		for (const one of hosts)
			await settled(one);
	});
});

/* Rings of a host that were set aside, and are still there. */
function asides(server) {
	return readdirSync("/dev/shm").filter((file) =>
		file.startsWith(`pubsubd.${server.name}~`));
}

function needsNoAside(server) {
	return waitFor("the end of all that was set aside",
	    () => asides(server).length === 0);
}

/* The log is lost, and made anew. */
async function loseLog(nats) {
	nats.forget(0);
	nats.revive(0);
	await nats.init();
}

/* A checkpoint of a host that had another log, which ended with a checkpoint. */
async function contradict(nats, number) {
	const bytes = Buffer.alloc(80);
	const socket = connect(nats.address);
	let text = "";

	bytes.write("psd1\x02");
	bytes.writeBigUInt64LE(77n, 8);
	bytes.writeBigUInt64LE(BigInt(number) << 8n | 255n, 32);
	bytes.writeBigUInt64LE(1n, 40);
	bytes.write("liar", 48);
	socket.setEncoding("latin1").on("data", (more) => {
		text += more;
	});
	socket.write('CONNECT {"verbose":false}\r\nSUB stored 1\r\n');
	socket.write(`PUB pubsubd.main.log stored ${bytes.length}\r\n`);
	socket.write(bytes);
	socket.write("\r\n");
	await waitFor("it in the log", () => text.includes('"seq":'));
	socket.destroy();
}

/* What a server says of the log, when there is one. */
const STREAM = /stream_info_response"[^\r]*"created":/u;

const LOCAL = ["--cluster-order", "local"];

/* Two hosts in local mode; `here' has a mouth between itself and the log, and these
 * arguments and options of a Server. */
async function hostBehindMouth(t, nats, args = [], options = {}) {
	const mouth = await Mouth.open(t, nats.address);
	const there = await host(t, nats, ...LOCAL);
	const here = await Server.start(t, ["--config", "none",
		"--ring-size", "8M", "--cluster", mouth.url,
		"--cluster-wait", "60", ...LOCAL, ...args], options);

	here.deathsExpected = there.deathsExpected = true;
	for (const one of [here, there])
		await one.logs("a log", /joined the log/u);
	await meet([here, there]);
	return { mouth, here, there };
}

/* The bridge that a host has, and which is not this one. */
function aBridge(server, former = 0) {
	return waitFor("a bridge", () => {
		const pids = bridgeOf(server);

		return pids.length === 1 && pids[0] !== former && pids;
	});
}

/* Publish so many in local mode, each when the one before is answered. */
async function publishLocally(server, n, from = 0) {
	const client = await V1.open(server);

	for (let i = from; i < from + n; i++)
		assert.equal((await client.publish("t", `a${i}`)).type, "ack");
	client.socket.terminate();
}

/* A host comes to have these of a topic, once each and in order, and no others. */
async function assertHas(server, n, from = 0) {
	const all = await waitFor(`${n} messages`, async () => {
		const now = await past(server, "t").catch(() => []);

		return now.length >= n && now;
	});

	assert.deepEqual(all.map(([, message]) => message),
	    Array.from({ length: n }, (_, i) => `a${from + i}`));
}

describe("a ring that is given up", { skip }, () => {
	/* It was acknowledged, and in no ring but the one that was given up. */
	test("leaves what no other host had to the next log", async (t) => {
		const nats = await Nats.start(t, 1);
		const [here, there] = await hostsOf(t, nats, 2);
		let now, message;

		await publish(here, "t", "early", 3);
		await settled(here);
		/* As above: one that was silent for too long is gone. */
		for (let i = 0; now?.hosts !== 2; i++) {
			const [bridge] = bridgeOf(there);

			process.kill(bridge, "SIGSTOP");
			message = `only here ${i}.0`;
			await publish(here, "t", `only here ${i}.`, 1);
			await nats.kill(0);
			now = await cluster(here);
			if (now.hosts === 2) {
				assert.equal(now.unconfirmed, 1);
				await loseLog(nats);
				process.kill(bridge, "SIGCONT");
				break;
			}
			nats.revive(0);
			process.kill(bridge, "SIGCONT");
			await meet([here, there]);
			await settled(here);
		}
		for (const one of [here, there])
			await one.logs("a new ring", /a new ring, epoch/u);
		await here.logs("that it is kept", /is kept until the other hosts/u);
		const all = await agree([here, there], "t", 1);

		assert.equal(all[0][1], message);
		await needsNoAside(here);
		await needsNoAside(there);
		await publish(here, "t", "late", 2);
		await agree([here, there], "t", 3);
		assert.doesNotMatch(here.logged + there.logged, /is lost/u);
	});

	test("leaves what was local, whoever is killed meanwhile", async (t) => {
		const nats = await Nats.start(t, 1);
		const { mouth, here, there } = await hostBehindMouth(t, nats);
		const rings = () =>
			here.logged.match(/a new ring, epoch/gu)?.length ?? 0;

		await publishLocally(here, 5);
		await settled(here);
		await nats.kill(0);
		await publishLocally(here, 20, 5);
		/* The next bridge finds no server that answers. */
		mouth.last = STREAM;
		await loseLog(nats);
		await waitFor("a new ring", () => rings() === 1);
		assert.equal((await here.status()).cluster.pos, 0);
		assert.equal(asides(here).length, 1);
		const [killed] = await aBridge(here);

		process.kill(killed, "SIGKILL");
		await aBridge(here, killed);
		await here.stop("SIGKILL");
		await here.run();
		assert.equal(asides(here).length, 1);
		mouth.speak();
		/* The first five were confirmed: the other host had them, and
		 * gave up its own ring. */
		await assertHas(there, 20, 5);
		await assertHas(here, 20, 5);
		await needsNoAside(here);

		/* And once more, with a restart, while the second ring has some that
		 * it has not sent. */
		await nats.kill(0);
		await publishLocally(here, 10, 25);
		mouth.last = STREAM;
		await loseLog(nats);
		await waitFor("a third ring", () => rings() === 2);
		await publishLocally(here, 10, 35);
		assert.equal((await here.cli("restart")).status, 0);
		assert.equal(asides(here).length, 1);
		assert.equal((await here.status()).cluster.pos, 0);
		mouth.speak();
		/* Each ring's are in order, and this host's second had its own at
		 * once. */
		for (const [one, other] of [[there, here], [here, there]]) {
			const texts = await waitFor("all of them", async () => {
				const all = await past(one, "t").catch(() => []);

				return all.length >= 20 &&
				    all.map(([, text]) => text);
			});

			assert.equal(texts.length, 20, `${texts} ${other.logged}`);
			for (const from of [25, 35])
				assert.deepEqual(texts.filter((text) =>
					Math.floor((text.slice(1) - 5) / 10) ===
					    (from - 5) / 10),
				Array.from({ length: 10 }, (_, i) =>
					`a${from + i}`));
		}
		await needsNoAside(here);
		await settled(here);
	});

	/* The bridge is nobody, and the rings are root's. */
	test("is sent on by a bridge of --user", { skip: ROOT_ONLY }, async (t) => {
		const nats = await Nats.start(t, 1);
		const dir = publicDirectory(t, PUBSUBD, BRIDGE);
		const { mouth, here, there } = await hostBehindMouth(t, nats,
		    ["--user", "nobody", "--root", join(dir, "public")],
		    { program: join(dir, "pubsubd") });

		for (const pid of [...await here.workers(), ...bridgeOf(here)])
			assert.doesNotMatch(
			    readFileSync(`/proc/${pid}/status`, "utf8"),
			    /^Uid:.*\t0\t/mu);
		await nats.kill(0);
		await publishLocally(here, 20);
		mouth.last = STREAM;
		await loseLog(nats);
		await here.logs("a new ring", /a new ring, epoch/u);
		await publishLocally(here, 20, 20);
		assert.equal(asides(here).length, 1);
		mouth.speak();
		for (const one of [here, there])
			await waitFor("all of them", async () =>
				(await past(one, "t").catch(() => []))
				    .length === 40);
		await needsNoAside(here);
		await settled(here);
	});

	/* The log is the same, and knows the ring. */
	test("goes on in its log where that has it", async (t) => {
		const nats = await Nats.start(t, 1);
		const { mouth, here, there } = await hostBehindMouth(t, nats);

		await publishLocally(here, 20);
		await assertHas(there, 20);
		const [bridge] = bridgeOf(here);

		process.kill(bridge, "SIGSTOP");
		await publishLocally(here, 20, 20);
		mouth.says = { last_seq: 1, seq: 2 };
		process.kill(bridge, "SIGKILL");
		await here.logs("the loss", /the log has lost what this host has/u);
		mouth.says = {};
		await here.logs("a new ring", /a new ring, epoch/u);
		await assertHas(there, 40);
		await needsNoAside(here);
		assert.doesNotMatch(there.logged, /a new ring/u);
	});

	/* They read what had made them do it once more, and gave up ring after ring. */
	test("is given up once when hosts had other logs", async (t) => {
		const nats = await Nats.start(t, 1);
		const hosts = await hostsOf(t, nats, 2, ...LOCAL);
		const [here, there] = hosts;

		await publishLocally(here, 20);
		await assertHas(there, 20);
		await settled(here);
		const { pos } = await cluster(here);

		/* What comes now is checkpoints. */
		await waitFor("a checkpoint", async () =>
			(await cluster(here)).pos > pos);
		const [bridge] = bridgeOf(here);

		process.kill(bridge, "SIGSTOP");
		await publishLocally(here, 10, 20);
		await contradict(nats, pos + 1);
		process.kill(bridge, "SIGCONT");
		for (const one of hosts) {
			await one.logs("that it is given up",
			    /host liar had another log than we/u);
			await one.logs("a new ring", /a new ring, epoch/u);
		}
		for (const one of hosts)
			await assertHas(one, 30);
		await meet(hosts);
		for (const one of hosts) {
			await needsNoAside(one);
			await settled(one);
			assert.equal(one.logged.match(/a new ring, epoch/gu).length, 1);
		}
	});

	/* By whom ever.  The bridge that reads it lives, and what comes next is sent. */
	for (const [part, damage, words] of [
		["header", (fd) => writeSync(fd, "x".repeat(64), 0),
		    /is lost: shared memory \/pubsubd\.[^:]*~0: is of another/u],
		["size", (fd) => ftruncateSync(fd, 1 << 20),
		    /is lost: shared memory \/pubsubd\.[^:]*~0: is of another/u],
		["first record", (fd) => writeSync(fd, Buffer.alloc(64, 255),
		    0, 64, fstatSync(fd).size - (8 << 20)),
		    /is damaged: what it had not sent is lost/u],
		["records", (fd) => writeSync(fd, Buffer.alloc(1 << 20, 255),
		    0, 1 << 20, fstatSync(fd).size - (8 << 20)),
		    /is damaged: what it had not sent is lost/u],
	])
		test(`is dropped if its ${part} is damaged`, async (t) => {
			const nats = await Nats.start(t, 1);
			const { mouth, here, there } = await hostBehindMouth(t, nats);

			await nats.kill(0);
			await publishLocally(here, 3);
			mouth.last = STREAM;
			await loseLog(nats);
			await here.logs("a new ring", /a new ring, epoch/u);
			const [aside] = asides(here);
			const fd = openSync(join("/dev/shm", aside), "r+");

			damage(fd);
			closeSync(fd);
			mouth.speak();
			await here.logs("that it is lost", words);
			await needsNoAside(here);
			const bridge = bridgeOf(here);

			await publishLocally(here, 2, 3);
			await assertHas(there, 2, 3);
			await settled(here);
			assert.deepEqual(bridgeOf(here), bridge);
		});

	test("is removed by a stop", async (t) => {
		const nats = await Nats.start(t, 1);
		const { mouth, here } = await hostBehindMouth(t, nats);

		await nats.kill(0);
		await publishLocally(here, 3);
		mouth.last = STREAM;
		await loseLog(nats);
		await here.logs("a new ring", /a new ring, epoch/u);
		assert.equal(asides(here).length, 1);
		await here.stop();
		assert.match(here.logged, /had not sent to the other hosts is lost/u);
		assert.equal(asides(here).length, 0);
	});
});
