// SPDX-License-Identifier: MIT
/*
 * lifecycle.mjs - how long start, restart, drain and a worker's death take.
 *
 * As whoever types the command sees it, and for the start also as a client does
 * who tries until it is answered.  From kill -9 on a request waits at the
 * dead worker's socket; its answer is the successor's first accept.
 */

import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { freePort } from "../e2e/ports.mjs";
import { hold, letGo, PUBSUBD, ROOT } from "./servers.mjs";
import { summary } from "./measure.mjs";

const CLIENTS = 200;
const run = promisify(execFile);

/* Milliseconds that something takes. */
async function time(action) {
	const began = process.hrtime.bigint();

	await action();
	return Number(process.hrtime.bigint() - began) / 1e6;
}

/* A WebSocket connection, or with path /healthz a request; resolved by the
 * first bytes of the answer. */
function ask(port, path) {
	return new Promise((resolve, reject) => {
		const socket = connect(port, "127.0.0.1");
		const upgrade = path === "/ws" ? "Upgrade: websocket\r\n" +
		    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" : "";

		socket.setTimeout(10_000, () => reject(new Error("no answer")));
		socket.once("error", reject);
		socket.once("close", () => reject(new Error("closed")));
		socket.once("data", () => {
			socket.on("error", () => {});
			resolve(socket);
		});
		socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n` +
		    `${upgrade}\r\n`);
	});
}

/* A client that closes when it is told to, as a browser does. */
async function client(port) {
	const socket = await ask(port, "/ws");

	socket.on("data", (data) => {
		if (data[0] === 0x88) {
			socket.end(Buffer.concat([Buffer.from([0x88, 0x82, 0, 0, 0, 0]),
				data.subarray(2, 4)]));
		}
	});
	return socket;
}

class Instance {
	dir = mkdtempSync(join(tmpdir(), "pubsubd-bench-"));
	name = `bench-life-${process.pid}`;
	options = ["--name", this.name, "--pidfile", join(this.dir, "pid")];

	command(name, more = []) {
		return run(PUBSUBD, [name, ...this.options, ...more],
		    { timeout: 20_000 });
	}

	async start() {
		await this.command("start", ["--workers", "1",
			"--listen", `127.0.0.1:${this.port}`, "--admin", "none",
			"--root", join(ROOT, "public"),
			"--log", join(this.dir, "log")]);
	}

	/* Until it gives an answer, or the start has failed. */
	async answers(start) {
		let failure;

		start.catch((error) => {
			failure = error;
		});
		for (;;) {
			try {
				return (await ask(this.port, "/healthz")).destroy();
			} catch (error) {
				if (failure || error.code !== "ECONNREFUSED")
					throw failure ?? error;
			}
		}
	}

	async worker() {
		const { stdout } = await this.command("status", ["--json"]);

		return JSON.parse(stdout).workers[0].pid;
	}

	/* What the start had to allocate, by another program. */
	allocate() {
		const { size } = statSync(`/dev/shm/pubsubd.${this.name}`);
		const file = `/dev/shm/${this.name}-alone`;

		return run("fallocate", ["--length", String(size), file])
		    .finally(() => rmSync(file, { force: true }));
	}

	stop() {
		spawnSync(PUBSUBD, ["stop", ...this.options], { timeout: 20_000 });
		rmSync(this.dir, { recursive: true, force: true });
		letGo(this);
	}
}

async function once(found) {
	const instance = new Instance();

	hold(instance);
	try {
		instance.port = await freePort();
		const start = time(() => instance.start());

		found.answer.push(await time(() => instance.answers(start)));
		found.start.push(await start);
		found.allocate.push(await time(() => instance.allocate()));
		process.kill(await instance.worker(), "SIGKILL");
		found.kill.push(await time(async () => {
			(await ask(instance.port, "/healthz")).destroy();
		}));
		await Promise.all(Array.from({ length: CLIENTS },
		    () => client(instance.port)));
		found.restart.push(await time(() => instance.command("restart")));
		await Promise.all(Array.from({ length: CLIENTS },
		    () => client(instance.port)));
		found.drain.push(await time(() => instance.command("stop")));
	} finally {
		instance.stop();
	}
}

export async function lifecycle(bench, clock) {
	const found = { answer: [], start: [], allocate: [], kill: [],
		restart: [], drain: [] };

	for (let i = 0; i < (bench.quick ? 3 : 9); i++) {
		if (i > 0 && clock.isUp())
			break;
		await once(found);
	}
	bench.goal("start, until the port answers, ms", 8, summary(found.answer));
	bench.table("A server's life, ms", ["", "pubsubd, 1 worker"], [
		["start, until the port answers", summary(found.answer)],
		["start, until the command returns: nearly all of it is the " +
		    "next line", summary(found.start)],
		["fallocate(1) of the same shared memory, whole",
			summary(found.allocate)],
		["kill -9 of the worker, until its successor answers",
			summary(found.kill)],
		[`restart with ${CLIENTS} connections, until the command returns`,
			summary(found.restart)],
		[`drain of ${CLIENTS} connections and stop`,
			summary(found.drain)],
	]);
}
