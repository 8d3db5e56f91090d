// SPDX-License-Identifier: MIT
/*
 * world.mjs - the server under the storm, and what is known of it from outside.
 *
 * Its counters begin anew with each run of the supervisor (a restart, a start
 * after its death).  What they were at last is in the log where the next run goes
 * on with the ring; for where it does not they are looked at again and again.  What
 * counts is the sum over all runs.
 */

import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

import { Server } from "../e2e/server.mjs";
import { waitFor } from "../e2e/wait.mjs";
import { Dice } from "./dice.mjs";
import { WORKERS } from "./schedule.mjs";

export const MAX_TOPICS = 48;
const RING_BYTES = 2 ** 20;

const LOOK_MS = 300;
const ENDED = /run (\d+) of epoch (\w+) has ended: (\d+) messages dropped, (\d+) missed/gu;

const ARGS = ["--workers", `${WORKERS}`, "--ring-size", `${RING_BYTES}`,
	"--max-message", "16384", "--max-topics", `${MAX_TOPICS}`,
	"--max-worker-memory", "8M", "--drain", "2", "--ping-interval", "9",
	"--handover-time", "0.3", "--leave-delay", "0.05"];

/* Let a process have so many descriptors; it may be gone. */
function limitDescriptors(pid, limit) {
	return new Promise((resolve) => {
		execFile("prlimit", ["--pid", `${pid}`, `--nofile=${limit}:`],
		    () => resolve());
	});
}

export function countDescriptors(pid) {
	return readdirSync(`/proc/${pid}/fd`).length;
}

/* Memory of a process's own, in KiB; the segment is not. */
function ownMemory(pid) {
	const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");

	return Number(/^Pss_Anon:\s+(\d+)/mu.exec(text)[1]);
}

/* Whether a process runs under a sanitizer, whose shadow takes terabytes. */
export function isSanitized(pid) {
	const text = readFileSync(`/proc/${pid}/status`, "utf8");

	return Number(/^VmSize:\s+(\d+)/mu.exec(text)[1]) > 2 ** 30;
}

function signal(pid, name) {
	try {
		process.kill(pid, name);
		return true;
	} catch {
		return false; /* it is gone */
	}
}

export class World {
	server = new Server(ARGS);
	killed = new Set();  /* pids that we killed, or had the watchdog kill */

	#stopped = new Map(); /* pid -> how many want it stopped */
	#limited = new Map(); /* pid -> {limit: what it had, count: who want less} */
	#counted = new Map(); /* "epoch run" -> dropped and missed */
	#looking = null;
	#ended = false;

	constructor(seed, ledger) {
		this.seed = seed;
		this.ledger = ledger;
		this.server.deathsExpected = true;
	}

	dice(name) {
		return new Dice(this.seed, name);
	}

	get port() {
		return this.server.port;
	}

	async start() {
		await this.server.run();
		this.base = await this.measure();
		this.#looking = this.#lookOn();
	}

	/* Descriptors and memory of all processes; workers in order. */
	async measure() {
		const { pid, workers } = await this.server.status();
		const look = (one) => ({ pid: one, fds: countDescriptors(one),
			kib: ownMemory(one) });

		return { supervisor: look(pid),
			workers: workers.map((worker) => look(worker.pid)) };
	}

	async #lookOn() {
		while (!this.#ended) {
			await this.look();
			await new Promise((resolve) => {
				setTimeout(resolve, LOOK_MS);
			});
		}
	}

	/* Note the counters.  Returns the status, or null: nobody serves. */
	async look() {
		const { status, stdout } = await this.server.cli("status", "--json");

		if (status !== 0)
			return null;
		const found = JSON.parse(stdout);

		this.#count(`${found.epoch} ${found.run}`, found.workers.reduce(
		    (total, worker) => total + worker.drops +
			worker.drops_memory + worker.missed, 0));
		return found;
	}

	#count(run, sum) {
		this.#counted.set(run,
		    Math.max(sum, this.#counted.get(run) ?? 0));
	}

	/* All that was counted as dropped or missed. */
	get counted() {
		for (const [, run, epoch, dropped, missed] of
			this.server.logged.matchAll(ENDED))
			this.#count(`${epoch} ${run}`,
			    Number(dropped) + Number(missed));
		return [...this.#counted.values()].reduce((a, b) => a + b, 0);
	}

	/* The worker of a slot; null: there is none just now. */
	async worker(slot) {
		const status = await this.look();
		const pid = status?.workers[slot].pid ?? 0;

		return pid > 0 ? pid : null;
	}

	async kill(slot) {
		const pid = await this.worker(slot);

		if (pid !== null) {
			this.killed.add(pid);
			signal(pid, "SIGKILL");
		}
		return pid;
	}

	/* Stop a worker.  If it holds the lock, the watchdog will kill it. */
	async stop(slot) {
		const pid = await this.worker(slot);

		if (pid !== null && signal(pid, "SIGSTOP")) {
			this.killed.add(pid);
			this.#stopped.set(pid, (this.#stopped.get(pid) ?? 0) + 1);
		}
		return pid;
	}

	/* It goes on when nobody else has stopped it, too. */
	goOn(pid) {
		const count = this.#stopped.get(pid) ?? 0;

		if (count > 1) {
			this.#stopped.set(pid, count - 1);
			return;
		}
		if (this.#stopped.delete(pid))
			signal(pid, "SIGCONT");
	}

	/* Wait until a stopped worker has been killed. */
	async gone(pid) {
		await waitFor(`the end of ${pid}`, () => {
			try {
				return /^State:\s+Z/mu.test(readFileSync(
				    `/proc/${pid}/status`, "utf8"));
			} catch {
				return true;
			}
		});
		this.#stopped.delete(pid);
	}

	/* Leave a worker so many descriptors more than it has. */
	async exhaust(slot, spare) {
		const pid = await this.worker(slot);

		if (pid === null)
			return null;
		try {
			const [, limit] = /^Max open files\s+(\d+)/mu.exec(
			    readFileSync(`/proc/${pid}/limits`, "utf8"));
			const own = this.#limited.get(pid) ?? { limit, count: 0 };

			own.count++;
			this.#limited.set(pid, own);
			await limitDescriptors(pid, countDescriptors(pid) + spare);
		} catch {
			return null; /* it is gone */
		}
		return pid;
	}

	/* It has them back when nobody else wants it to have less. */
	async relieve(pid) {
		const own = this.#limited.get(pid);

		if (own === undefined || --own.count > 0)
			return;
		this.#limited.delete(pid);
		await limitDescriptors(pid, own.limit);
	}

	/* Restart, looking at the counters as long as they are there. */
	async restart() {
		const done = this.server.cli("restart");
		let isDone = false;

		done.then(() => {
			isDone = true;
		});
		while (!isDone)
			await this.look();
		const { status, stderr } = await done;

		if (status !== 0)
			this.ledger.fault("damaged", `restart: ${stderr.trim()}`);
	}

	/* Upgrade.  A worker that is stopped, or dies, may keep it from being whole. */
	async upgrade() {
		const { status, stdout, stderr } =
			await this.server.cli("upgrade");

		if (status !== 0 && !/workers go on as they were/u.test(stderr))
			this.ledger.fault("damaged", `upgrade: ${stderr.trim()}`);
		return (status === 0 ? stdout : stderr).trim()
		    .replace(/^\S+ \S+ /u, "");
	}

	/* Kill the supervisor and start anew; its workers leave by themselves, or
	 * are killed by the start. */
	async behead() {
		const last = await this.look();

		for (const { pid } of last?.workers ?? [])
			this.killed.add(pid);
		this.killed.add(this.server.child.pid);
		await this.server.stop("SIGKILL");
		await this.server.run();
	}

	/* Undo what lasts: everybody has the descriptors it needs, and who is stopped
	 * goes on by itself or dies by the watchdog. */
	async calm() {
		for (const [pid, { limit }] of this.#limited)
			await limitDescriptors(pid, limit);
		this.#limited.clear();
		await waitFor("all workers to serve", async () => {
			const status = await this.look();

			return status?.state === "serving" && status.workers.every(
			    (worker) => worker.state === "ready");
		});
	}

	/* Look for the last time. */
	async endLooking() {
		this.#ended = true;
		await this.#looking;
		await this.look();
	}

	/* What the log says of deaths that nobody here is to blame for. */
	get strangeDeaths() {
		return [...this.server.logged.matchAll(
		    /worker \d+\[(\d+)\] (was killed by|left with|has hung).*/gu)]
		    .filter(([, pid]) => !this.killed.has(Number(pid)))
		    .map(([line]) => line);
	}

	/* How often too many workers had died with the lock, so that a new ring was
	 * made. */
	get newRings() {
		return [...this.server.logged.matchAll(/start with a new ring/gu)]
		    .length;
	}

	/* Where a start or restart did not believe the ring that it found, which by
	 * the design is never left in such a state. */
	get ringsRefused() {
		return [...this.server.logged.matchAll(
		    /a new ring instead of the one found: .*/gu)]
		    .map(([line]) => line);
	}

	/* Whatever happens: nobody stays stopped, and the server ends. */
	async end() {
		this.#ended = true;
		for (const pid of this.#stopped.keys())
			signal(pid, "SIGCONT");
		await this.#looking;
		await this.server.end();
	}
}
