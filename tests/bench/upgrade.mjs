// SPDX-License-Identifier: MIT
/*
 * upgrade.mjs - what an upgrade costs the clients of a worker.
 *
 *	node tests/bench/upgrade.mjs [--conns 10000] [--rounds 5] [--workers 1] [--ring]
 *
 * So many connections are subscribed to quiet rooms of ten.  Beside them one
 * client publishes 100 messages a second, with their numbers, and one on each
 * worker, which is one of a few tries, gets them.  Then the server is upgraded to
 * the very same program, a few times, and once more at first to see the memory: the
 * kernel has to forget what was looked at of a process before that can be reaped,
 * which the silence would show.  Printed are the disconnects, the numbers
 * that did not come or came twice, the longest silence of a subscriber, beside
 * that of a time without upgrades, the time that a worker takes, and the memory of
 * all workers before, and at most while two processes had one slot.
 *
 * With --ring each upgrade is to a ring of another size, 32M and 16M in turn, so all
 * workers move at once.
 */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";

import { PUBSUBD, ROOT } from "./servers.mjs";

const RATE_MS = 10;
const LISTENERS = 8; /* until each worker has one, most likely */
const AT_ONCE = 100; /* connections that are being opened */
const QUIET_MS = 3000;

const run = promisify(execFile);
const { values: options } = parseArgs({ options: {
	conns: { type: "string", default: "10000" },
	rounds: { type: "string", default: "5" },
	workers: { type: "string", default: "1" },
	ring: { type: "boolean", default: false },
} });
const dir = mkdtempSync(join(tmpdir(), "pubsubd-bench-"));
const instance = ["--name", `bench-upgrade-${process.pid}`,
	"--pidfile", join(dir, "pid")];
const command = (name, ...more) => run(PUBSUBD, [name, ...instance, ...more]);

let disconnects = 0, ring = 32;

function configure() {
	writeFileSync(join(dir, "conf"), `ring-size = ${ring}M\n`);
}

/* Upgrade; with --ring, to one of another size. */
function upgrade() {
	if (options.ring) {
		ring = 48 - ring;
		configure();
	}
	return command("upgrade");
}

/* A WebSocket of the plain contract; text(payload) is called for each frame,
 * none of which is longer than 125 bytes. */
function open(port, topic, text = () => {}) {
	return new Promise((resolve, reject) => {
		const socket = connect(port, "127.0.0.1");
		let bytes = Buffer.alloc(0), isOpen = false;

		const take = () => {
			while (bytes.length >= 2 &&
			    bytes.length >= 2 + (bytes[1] & 0x7f)) {
				const length = bytes[1] & 0x7f;

				if ((bytes[0] & 0xf) === 1)
					text(bytes.subarray(2, 2 + length)
					    .toString());
				bytes = bytes.subarray(2 + length);
			}
		};

		socket.setNoDelay(true);
		socket.once("error", reject);
		socket.once("close", () => {
			disconnects++;
		});
		socket.on("data", (data) => {
			bytes = bytes.length > 0 ?
				Buffer.concat([bytes, data]) : data;
			if (!isOpen) {
				const end = bytes.indexOf("\r\n\r\n");

				if (end === -1)
					return;
				isOpen = true;
				bytes = bytes.subarray(end + 4);
				socket.on("error", () => {});
				resolve(socket);
			}
			take();
		});
		socket.write(`GET /ws?topic=${topic} HTTP/1.1\r\n` +
		    `Host: localhost:${port}\r\nUpgrade: websocket\r\n` +
		    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	});
}

/* A masked frame, by a mask of zeros. */
function frame(text) {
	const body = Buffer.from(text);

	return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]),
		body]);
}

class Listener {
	next = null;  /* the number that must come */
	faults = 0;
	longest = 0;  /* ms without a message */

	#last = null;

	take(text) {
		const now = performance.now(), number = Number(text);

		if (this.next !== null && number !== this.next)
			this.faults++;
		if (this.#last !== null)
			this.longest = Math.max(this.longest, now - this.#last);
		this.next = number + 1;
		this.#last = now;
	}

	/* The longest silence since the last call. */
	silence() {
		const { longest } = this;

		this.longest = 0;
		return longest;
	}
}

/* Memory of the processes that this one has forked, KiB. */
function memory(pid) {
	let sum = 0;

	for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`,
	    "utf8").split(" ").filter(Boolean))
		try {
			sum += Number(/^RssAnon:\s+(\d+)/mu.exec(readFileSync(
			    `/proc/${child}/status`, "utf8"))[1]);
		} catch {
			/* it has ended */
		}
	return sum;
}

/* The most of it until something is done. */
async function mostMemory(pid, action) {
	let most = 0, isDone = false;
	const done = action.finally(() => {
		isDone = true;
	});

	while (!isDone) {
		most = Math.max(most, memory(pid));
		await pause(1);
	}
	await done;
	return most;
}

async function main() {
	const conns = Number(options.conns);

	configure();
	await command("start", "--config", join(dir, "conf"), "--workers", options.workers, "--listen",
	    "127.0.0.1:0", "--admin", "none", "--root", join(ROOT, "public"),
	    "--log", join(dir, "log"), "--ping-interval", "0");
	const status = JSON.parse((await command("status", "--json")).stdout);
	const port = Number(new URL(status.listen[0]).port);
	const sockets = [];

	for (let i = 0; i < conns; i += AT_ONCE)
		sockets.push(...await Promise.all(Array.from(
		    { length: Math.min(AT_ONCE, conns - i) },
		    (_, j) => open(port, `room-${Math.floor((i + j) / 10)}`))));
	const listeners = Array.from({ length: LISTENERS },
	    () => new Listener());

	for (const listener of listeners)
		sockets.push(await open(port, "busy",
		    (text) => listener.take(text)));
	const publisher = await open(port, "quiet");
	let number = 0;
	const timer = setInterval(() => publisher.write(frame(
	    JSON.stringify({ topic: "busy", message: `${number++}` }))), RATE_MS);

	sockets.push(publisher);
	await pause(500);
	listeners.forEach((one) => one.silence());
	await pause(QUIET_MS);
	const quiet = Math.max(...listeners.map((one) => one.silence()));
	const before = memory(status.pid);
	const most = await mostMemory(status.pid, upgrade());
	const rounds = [];

	await pause(500);
	listeners.forEach((one) => one.silence());
	for (let i = 0; i < Number(options.rounds); i++) {
		const { stdout: said } = await upgrade();

		await pause(500);
		const [, ms, moved, closed] = / in (\d+) ms, (\d+) .* (\d+) closed/u
		    .exec(said);

		rounds.push({ ms: Number(ms) / Number(options.workers),
			moved: Number(moved), closed: Number(closed),
			silence: Math.max(...listeners.map(
			    (one) => one.silence())) });
	}
	clearInterval(timer);
	await pause(500);
	console.log(`${conns} idle connections, ${options.workers} workers, ` +
	    `${rounds.length} upgrades`);
	for (const { ms, moved, closed, silence } of rounds)
		console.log(`  ${ms.toFixed(0)} ms per worker, ${moved} moved, ` +
		    `${closed} closed, longest silence ${silence.toFixed(0)} ms`);
	console.log(`memory of workers: ${before} KiB before, ${most} at most`);
	console.log(`longest silence without an upgrade: ${quiet.toFixed(0)} ms`);
	console.log(`disconnects: ${disconnects}; numbers missing or twice: ${
	    listeners.reduce((sum, { faults }) => sum + faults, 0)}`);
	for (const socket of sockets)
		socket.destroy();
}

try {
	await main();
} finally {
	await command("stop").catch(() => {});
	rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
