// SPDX-License-Identifier: MIT
/*
 * death.test.mjs - workers and the supervisor are killed and stopped at bad
 * moments.  What must hold: the clients of the others lose nothing and notice
 * nothing, the slot gets a successor, and nothing ever needs a hand.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

import {
	Client, Raw, Server, Stream, bounded, openOnEachWorker, waitFor,
} from "./support.mjs";

/* A server with a client on each worker, subscribed to "room". */
async function scene(t, workers, ...args) {
	const server = await Server.start(t, ["--workers", `${workers}`, ...args]);
	const clients = await openOnEachWorker(server, () =>
		Client.open(server, { topics: ["room"], query: { buffer: 4096 } }));

	server.deathsExpected = true;
	return { server, clients };
}

/* The worker of a slot, when it is another one than before, and serves. */
function successor(server, slot, before) {
	return waitFor(`successor on slot ${slot}`, async () => {
		const worker = (await server.status()).workers[slot];

		return worker.pid !== before && worker.state === "ready" &&
			worker.pid;
	});
}

async function closeAll(clients) {
	await Promise.all(clients.map((client) => client.close()));
}

describe("death", { concurrency: true }, () => {
	describe("a worker is killed", { concurrency: true }, () => {
		test("under traffic, again and again: others lose nothing", async (t) => {
			const { server, clients } = await scene(t, 3);
			const [publisher, witness, victim] = clients;
			const stream = new Stream(publisher, "room");
			let [, , pid] = await server.workers();
			let visitor = victim;

			for (let i = 0; i < 5; i++) {
				await stream.progress();
				process.kill(pid, "SIGKILL");
				assert.equal((await bounded("the victim's end",
				    visitor.closed)).code, 1006);
				pid = await successor(server, 2, pid);
				const fresh = await openOnEachWorker(server, () =>
					Client.open(server, { topics: ["room"] }));

				visitor = fresh.pop();
				await closeAll(fresh);
			}
			await stream.progress();
			await stream.stop();
			await stream.assertComplete(publisher);
			await stream.assertComplete(witness);
			/* The last visitor came to the last successor, and from then on
			 * has all. */
			const first = Number(visitor.messages[0].split(" ")[1]);

			await visitor.received(stream.count - first);
			assert.equal(visitor.messages.at(-1), `room ${stream.count - 1}`);
			assert.equal(visitor.messages.length, stream.count - first);
			const status = await server.status();

			assert.equal(status.respawns, 5);
			assert.equal(status.workers[2].starts, 6);
			await closeAll([publisher, witness, visitor]);
		});

		test("the successor takes what waits on its socket", async (t) => {
			const { server, clients } = await scene(t, 2);
			const [pid] = await server.workers();

			/* A stopped worker accepts nothing: about half of these wait. */
			process.kill(pid, "SIGSTOP");
			const waiting = await Promise.all(Array.from({ length: 30 },
			    () => Raw.connect(server.port, { t })));

			for (const raw of waiting)
				raw.request("GET", "/healthz", { Connection: "close" });
			process.kill(pid, "SIGKILL");
			for (const raw of waiting) {
				assert.equal((await raw.response()).status, 200);
				await raw.end();
			}
			await closeAll([clients[1]]);
		});

		test("nobody who connects meanwhile is refused", async (t) => {
			const { server, clients } = await scene(t, 2);
			let killing = true, connected = 0;
			const connecting = (async () => {
				while (killing) {
					const raw = await Raw.connect(server.port);

					connected++;
					raw.destroy();
				}
			})();

			for (let i = 0; i < 5; i++)
				for (const slot of [0, 1]) {
					const pid = (await server.workers())[slot];

					process.kill(pid, "SIGKILL");
					await successor(server, slot, pid);
				}
			killing = false;
			await connecting;
			assert.ok(connected > 10, `${connected} connections`);
			for (const client of clients)
				assert.equal((await client.closed).code, 1006);
		});

		test("all at once: the ring stays, all are replaced", async (t) => {
			const { server, clients } = await scene(t, 3);
			const before = await server.status();

			for (const { pid } of before.workers)
				process.kill(pid, "SIGKILL");
			for (const client of clients)
				assert.equal((await client.closed).code, 1006);
			for (const { slot, pid } of before.workers)
				await successor(server, slot, pid);
			const after = await server.status();

			assert.equal(after.epoch, before.epoch);
			assert.equal(after.pid, before.pid);
			for (const gauge of ["connections", "subscriptions", "topics"])
				assert.equal(await server.total(gauge), 0, gauge);
			const client = await Client.open(server, { topics: ["room"] });

			client.say("room", "on we go");
			assert.equal(await client.next(), "on we go");
			await client.close();
		});

		test("the log says who and how, and when all is well", async (t) => {
			const { server } = await scene(t, 2);
			const [pid] = await server.workers();

			process.kill(pid, "SIGKILL");
			const heir = await successor(server, 0, pid);

			await server.logs("the death", new RegExp(
			    `error supervisor\\[\\d+\\]: worker 0\\[${pid}\\] ` +
			    "was killed by SIGKILL", "u"));
			await server.logs("its successor", new RegExp(
			    `info +supervisor\\[\\d+\\]: worker 0\\[${heir}\\] ` +
			    "is ready: it has taken over from the dead one", "u"));
		});

		test("status says how many died, and how the last", async (t) => {
			const { server } = await scene(t, 2);
			const [pid] = await server.workers();
			const before = (await server.cli("status")).stdout;

			process.kill(pid, "SIGKILL");
			await successor(server, 0, pid);
			const after = (await server.cli("status")).stdout;

			assert.doesNotMatch(before, /death|started/u);
			assert.match(after, new RegExp(
			    "\\n\\n1 worker death, 0 by the watchdog, 0 holding " +
			    "the ring's lock\\nworker 0, started 2 times, last " +
			    "was killed by SIGKILL\\n$", "u"));
		});
	});

	describe("a worker hangs", { concurrency: true }, () => {
		test("it alone is killed and replaced; others notice nothing",
		    async (t) => {
			    const { server, clients } = await scene(t, 3);
			    const [publisher, witness, victim] = clients;
			    const before = await server.workers();
			    const stream = new Stream(publisher, "room");

			    await stream.progress();
			    process.kill(before[2], "SIGSTOP");
			    const pid = await successor(server, 2, before[2]);

			    assert.equal((await victim.closed).code, 1006);
			    await stream.progress();
			    await stream.stop();
			    await stream.assertComplete(publisher);
			    await stream.assertComplete(witness);
			    assert.deepEqual(await server.workers(),
				[before[0], before[1], pid]);
			    await server.logs("the verdict", new RegExp(
				`worker 2\\[${before[2]}\\] has hung for 5 s: killed`,
				"u"));
			    await closeAll([publisher, witness]);
		    });

		test("with --watchdog 0 it is left alone, and goes on", async (t) => {
			const { server, clients } = await scene(t, 2, "--watchdog", "0");
			const [pid] = await server.workers();
			const hung = await scene(t, 2);
			const [hungPid] = await hung.server.workers();

			/* The other server's watchdog says when its time would be up. */
			process.kill(pid, "SIGSTOP");
			process.kill(hungPid, "SIGSTOP");
			clients[1].say("room", "while it hung");
			await successor(hung.server, 0, hungPid);
			process.kill(pid, "SIGCONT");
			assert.equal(await clients[0].next(), "while it hung");
			assert.equal((await server.workers())[0], pid);
			await closeAll([...clients, hung.clients[1]]);
		});
	});

	describe("the supervisor is killed", { concurrency: true }, () => {
		test("workers drain, and start takes ring and port over", async (t) => {
			const { server, clients } = await scene(t, 2);
			const before = await server.status();
			const stream = new Stream(clients[0], "room");

			await stream.progress();
			await stream.stop();
			assert.equal((await server.stop("SIGKILL")).signal, "SIGKILL");
			for (const client of clients) {
				assert.equal((await client.closed).code, 1001);
				await stream.assertComplete(client);
			}
			await waitFor("the workers' end",
			    () => server.processes().length === 0);
			assert.equal((await server.cli("status")).status, 3);
			assert.ok(existsSync(server.shm), "it is there to be taken over");
			assert.equal((await server.start()).status, 0);
			const after = await server.status();

			assert.equal(after.epoch, before.epoch);
			assert.deepEqual(after.listen, before.listen);
			assert.ok(after.ring.head > before.ring.head);
			assert.equal(after.topics.used, before.topics.used);
			assert.match(server.logged, new RegExp(`run ${before.run} ` +
			    `of epoch ${before.epoch} has ended: 0 messages ` +
			    "dropped, 0 missed", "u"));
			const client = await Client.open(server, { topics: ["room"] });

			client.say("room", "on we go");
			assert.equal(await client.next(), "on we go");
			await client.close();
		});

		test("start at once waits for the workers to be gone", async (t) => {
			const { server, clients } = await scene(t, 2);
			const { epoch } = await server.status();
			const old = await server.workers();

			await server.stop("SIGKILL");
			const done = await server.start();

			assert.equal(done.status, 0, done.stderr);
			for (const client of clients)
				assert.equal((await client.closed).code, 1001);
			assert.equal((await server.status()).epoch, epoch);
			for (const pid of old)
				assert.equal(server.processes().includes(pid), false);
		});

		/* A start that waits for a worker that cannot leave. */
		async function waitingStart(t) {
			const server = await Server.start(t, ["--drain", "60"]);
			const [worker] = await server.workers();

			process.kill(worker, "SIGSTOP");
			await server.stop("SIGKILL");
			const started = server.start();

			await server.logs("the wait", /waiting for the workers/u);
			return { server, worker, started,
				pid: Number(readFileSync(server.pidfile, "utf8")) };
		}

		/* Signals were only held back when all else was done: each of these
		 * killed the server that started, and the pidfile was left. */
		test("a start that waits for them is not killed by a signal",
		    async (t) => {
			    const { server, worker, started, pid } =
				await waitingStart(t);

			    process.kill(pid, "SIGHUP");
			    const restarted = server.cli("restart");

			    process.kill(worker, "SIGCONT");
			    const done = await started;

			    assert.equal(done.status, 0, done.stderr);
			    assert.equal((await restarted).status, 0);
			    await server.logs("that they were obeyed",
				/opened anew[^]*ready on[^]*would start[^]*ready on/u);
			    assert.equal((await server.status()).pid, pid);
		    });

		test("status of a start that waits for them is not the dead one's",
		    async (t) => {
			    const { server, worker, started } =
				await waitingStart(t);

			    for (const json of [[], ["--json"]])
				    assert.deepEqual(await server.cli("status",
					...json), { status: 1, signal: null,
					stdout: "", stderr: `pubsubd: ${server.name} ` +
					"is only just starting: it waits for the " +
					"workers of a killed server\n" });
			    process.kill(worker, "SIGCONT");
			    assert.equal((await started).status, 0);
			    assert.equal((await server.status()).state, "serving");
		    });

		test("a start that waits for them can be stopped", async (t) => {
			const { server, worker, started, pid } =
				await waitingStart(t);

			process.kill(pid, "SIGTERM");
			const done = await started;

			assert.equal(done.status, 1);
			assert.equal(done.stderr, "pubsubd: told to stop before " +
			    "it was ready\n");
			assert.ok(existsSync(server.lockfile), "the worker's lock");
			process.kill(worker, "SIGCONT");
			await waitFor("the worker's end",
			    () => server.processes().length === 0);
			assert.equal((await server.start()).status, 0);
		});

		test("stop clears away what is left", async (t) => {
			const { server, clients } = await scene(t, 2);

			await server.stop("SIGKILL");
			await Promise.all(clients.map(({ closed }) => closed));
			const { status } = await server.cli("stop");

			assert.ok(status === 0 || status === 3, `${status}`);
			await server.assertNothingLeft();
		});

		test("and a worker hangs: start waits for it, then kills it",
		    async (t) => {
			    const { server, clients } = await scene(t, 2, "--drain", "1");
			    const [hung] = await server.workers();
			    const { epoch } = await server.status();

			    process.kill(hung, "SIGSTOP");
			    await server.stop("SIGKILL");
			    const done = await server.start();

			    assert.equal(done.status, 0, done.stderr);
			    assert.equal((await server.status()).epoch, epoch);
			    assert.equal(server.processes().includes(hung), false);
			    await server.logs("why", /still there after 3 s: killed/u);
			    for (const { closed } of clients)
				    await bounded("close", closed);
		    });

		test("and a worker hangs: stop waits for it, then kills it",
		    async (t) => {
			    const { server, clients } = await scene(t, 2, "--drain", "1");
			    const [hung] = await server.workers();

			    process.kill(hung, "SIGSTOP");
			    await server.stop("SIGKILL");
			    const done = await server.cli("stop");

			    assert.equal(done.status, 0, done.stderr);
			    for (const { closed } of clients)
				    await bounded("close", closed);
			    await server.assertNothingLeft();
		    });

		test("and a worker hangs under --watchdog 0: no other server starts",
		    async (t) => {
			    /* The first start gave up, and took the lock file away that the
			     * hung worker had locked: the second one then took over a ring
			     * in which somebody else still lived. */
			    const { server, clients } = await scene(t, 2,
				"--drain", "1", "--watchdog", "0");
			    const [hung] = await server.workers();

			    process.kill(hung, "SIGSTOP");
			    await server.stop("SIGKILL");
			    assert.equal((await clients[1].closed).code, 1001);
			    for (let i = 0; i < 2; i++) {
				    const done = await server.start();

				    assert.equal(done.status, 1);
				    assert.match(done.stderr, /still there/u);
			    }
			    process.kill(hung, "SIGKILL");
			    assert.equal((await server.start()).status, 0);
			    clients[0].socket.terminate();
		    });
	});
});
