// SPDX-License-Identifier: MIT
/*
 * server.mjs - a pubsubd of one's own, and what must be gone after it.
 *
 *	PUBSUBD       the program under test, default build/pubsubd
 *	ECHO_SERVER   the same with an echo, default build/echo-server
 *	BRIDGE        what lies beside PUBSUBD where libnats is
 *
 * All processes of a server, however deep in the background, are found by a
 * word in their environment; that is what "nothing is left" is judged by.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
	chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, readdirSync,
	rmSync,
} from "node:fs";
import { homedir, networkInterfaces, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { hangUp } from "./raw.mjs";
import { bounded, waitFor } from "./wait.mjs";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const PUBSUBD = process.env.PUBSUBD ?? join(ROOT, "build/pubsubd");
export const ECHO_SERVER = process.env.ECHO_SERVER ??
	join(ROOT, "build/echo-server");
export const BRIDGE = join(dirname(PUBSUBD), "pubsubd-bridge");

const MARK = "PUBSUBD_E2E";

/* What no server may ever say, whatever is done to it. */
const ALARM = /Sanitizer|runtime error|last words|abort|SIGSEGV|SIGABRT|SIGBUS/u;

/* What one that nobody harms may not say either.  A bridge leaves with status 1
 * when it hears nothing of the log for seconds, as of servers that wait for a busy
 * disk, and its successor tries another one. */
const DEATH = new RegExp("was killed|(?<!bridge to the cluster )left with status|" +
    "bridge to the cluster left with status [^1]|lapped by the ring|too late", "u");

/* Whether this machine has an IPv6 loopback address. */
export const hasIPv6 = Object.values(networkInterfaces()).flat()
    .some(({ address }) => address === "::1");

/* Where the program listens by default, but for the port: whatever localhost is
 * to a client, a server is there. */
export const LOCALHOST = hasIPv6 ? ["127.0.0.1:0", "[::1]:0"] :
	["127.0.0.1:0"];

let count = 0;

/* Kill a program and be done with its output, whoever else holds that. */
async function kill(child) {
	const exit = once(child, "exit");

	if (child.exitCode === null && child.signalCode === null) {
		child.kill("SIGKILL");
		await exit;
	}
	child.stdout.destroy();
	child.stderr.destroy();
}

/* Run a program to its end, at most for so many ms.  The status is part of the
 * answer: only a program that does not end is an error, and is killed. */
export async function run(program, args, { ms = 60_000, ...options } = {}) {
	const child = spawn(program, args,
	    { stdio: ["ignore", "pipe", "pipe"], ...options });
	const out = { status: null, signal: null, stdout: "", stderr: "" };

	for (const name of ["stdout", "stderr"])
		child[name].setEncoding("utf8").on("data", (text) => {
			out[name] += text;
		});
	try {
		[out.status, out.signal] = await bounded(
		    `end of ${program} ${args.join(" ")}`,
		    once(child, "close"), ms);
	} catch (error) {
		await kill(child);
		error.message += `\n${out.stdout}${out.stderr}`;
		throw error;
	}
	return out;
}

/* Pids of all living processes that have this word in their environment. */
function processesMarked(word) {
	return readdirSync("/proc").filter((pid) => {
		try {
			return /^\d+$/u.test(pid) &&
			    readFileSync(`/proc/${pid}/environ`, "latin1")
			    .split("\0").includes(word);
		} catch {
			return false; /* gone meanwhile, or somebody else's */
		}
	}).map(Number);
}

export class Server {
	name = `e2e-${process.pid}-${count++}`;
	dir = mkdtempSync(join(tmpdir(), "pubsubd-e2e-"));
	pidfile = join(this.dir, "pid");
	log = join(this.dir, "log"); /* of `start'; `run' writes to stderr */
	port = 0;
	tlsPort = 0; /* of the first --tls-listen */
	child = null;  /* of `run' */
	stdout = "";
	stderr = "";
	deathsExpected = false; /* this test kills, or makes a mess */

	/*
	 * args: options of the program, in front of which stand a name, a
	 * pidfile, a root, two workers and a free port on 127.0.0.1.
	 * options: listen (a list of addresses), host (where clients find it, in
	 * place of 127.0.0.1), workers (other words in place of --workers 2),
	 * env, wrap (a command in front), program (another one than PUBSUBD).
	 */
	constructor(args = [], options = {}) {
		this.args = args;
		this.options = options;
	}

	/* A server for one test, which ends it and looks what is left. */
	static async start(t, args = [], options = {}) {
		const server = new Server(args, options);

		t.after(() => {
			hangUp(t);
			return server.end();
		});
		return server.run();
	}

	get program() {
		return this.options.program ?? PUBSUBD;
	}

	get shm() {
		return `/dev/shm/pubsubd.${this.name}`;
	}

	/* Its own, one to come, and those that were set aside. */
	get #shms() {
		return ["", "~", "~0", "~1", "~2", "~3"]
		    .map((end) => this.shm + end);
	}

	/* Where its lock is, by its name alone. */
	get lockfile() {
		const state = process.getuid() === 0 ? "/var/log" :
			this.env.XDG_STATE_HOME ??
			join(this.env.HOME, ".local/state");

		return join(state, "pubsubd", `${this.name}.lock`);
	}

	get host() {
		return this.options.host ?? "127.0.0.1";
	}

	get url() {
		return `http://${this.host}:${this.port}`;
	}

	get env() {
		return { ...process.env, [MARK]: this.name, ...this.options.env };
	}

	/* The whole command line of `run' or `start'. */
	commandLine(command) {
		const listen = this.options.listen ?? [`${this.host}:${this.port}`];
		const log = command === "start" && !this.args.includes("--log") ?
			["--log", this.log] : [];

		return [command, "--name", this.name, "--pidfile", this.pidfile,
			"--root", join(ROOT, "public"), "--admin", "none",
			...this.options.workers ?? ["--workers", "2"],
			...listen.flatMap((address) => ["--listen", address]),
			...log, ...this.args];
	}

	/* Serve in the foreground; back when it says that it is ready. */
	async run() {
		this.stdout = "";
		const [program, ...args] = [...this.options.wrap ?? [],
			this.program, ...this.commandLine("run")];

		this.child = spawn(program, args,
		    { stdio: ["ignore", "pipe", "pipe"], env: this.env });
		this.exited = once(this.child, "exit")
		    .then(([code, signal]) => ({ code, signal }));
		this.silent = once(this.child, "close");
		this.silent.catch(() => {}); /* exited tells */
		this.child.stdout.setEncoding("utf8");
		this.child.stderr.setEncoding("utf8").on("data", (text) => {
			this.stderr += text;
		});
		await bounded("ready line", this.#readyLine());
		return this;
	}

	/* Wait for the ready line, or the end of the process. */
	async #readyLine() {
		const ready = new Promise((resolve) => {
			this.child.stdout.on("data", (text) => {
				this.stdout += text;
				if (this.stdout.includes("\n"))
					resolve(true);
			});
		});

		if (!await Promise.race([ready, this.exited.then(() => false)]))
			throw new Error(`not ready: ${this.stderr}`);
		this.noteReady(this.stdout);
	}

	/* Take the port out of a ready line, which is checked to be one. */
	noteReady(text) {
		const url = "(https?://\\S+:\\d+(,proxy)?|unix:/\\S+)";
		const line = new RegExp(`^pubsubd ${this.name}: ready on ` +
		    `${url}( and ${url})* ` +
		    "\\((1 worker|\\d+ workers)\\)\\n$", "u").exec(text);

		assert.ok(line, `not a ready line: ${text}`);
		this.port = Number(/http:\S+:(\d+)/u.exec(text)?.[1] ?? 0);
		this.tlsPort = Number(/https:\S+:(\d+)/u.exec(text)?.[1] ?? 0);
	}

	/* Serve in the background. */
	async start() {
		const done = await run(this.program, this.commandLine("start"),
		    { env: this.env });

		if (done.status === 0)
			this.noteReady(done.stdout);
		return done;
	}

	/* Another command to this instance: stop, restart or status. */
	cli(command, ...args) {
		return run(PUBSUBD, [command, "--name", this.name,
			"--pidfile", this.pidfile, ...args], { env: this.env });
	}

	async status() {
		const { status, stdout, stderr } = await this.cli("status",
		    "--json");

		assert.equal(status, 0, stderr);
		return JSON.parse(stdout);
	}

	/* One counter of all workers, summed up. */
	async total(counter) {
		const { workers } = await this.status();

		return workers.reduce((sum, worker) => {
			assert.equal(typeof worker[counter], "number", counter);
			return sum + worker[counter];
		}, 0);
	}

	/* Pids of the living workers, by slot. */
	async workers() {
		return (await this.status()).workers.map(({ pid }) => pid);
	}

	/* What was logged, wherever that went. */
	get logged() {
		const file = existsSync(this.log) ?
			readFileSync(this.log, "utf8") : "";

		return file + this.stderr;
	}

	/* Wait for that in the log; an error has what is there instead. */
	async logs(what, pattern) {
		try {
			return await waitFor(`${what} in the log`,
			    () => pattern.exec(this.logged));
		} catch (error) {
			error.message += `\n${this.logged}`;
			throw error;
		}
	}

	processes() {
		return processesMarked(`${MARK}=${this.name}`)
		    .filter((pid) => pid !== process.pid);
	}

	/* kill -9 all of it.  Some may be gone by their turn: workers leave by
	 * themselves when the supervisor has ended. */
	killAll() {
		for (const pid of this.processes())
			try {
				process.kill(pid, "SIGKILL");
			} catch (error) {
				assert.equal(error.code, "ESRCH");
			}
	}

	/* Signal the supervisor of `run' and wait for its end, and, unless it is
	 * killed and leaves workers, for the end of what it says. */
	async stop(signal = "SIGTERM") {
		this.child.kill(signal);
		const end = await bounded("end of the server", this.exited);

		if (signal !== "SIGKILL")
			await bounded("end of its output", this.silent);
		return end;
	}

	/* No process, no shared memory, no pidfile, no lock, and no log where
	 * `start' has one unless told. */
	async assertNothingLeft() {
		await waitFor("the end of all processes",
		    () => this.processes().length === 0);
		for (const shm of this.#shms)
			assert.equal(existsSync(shm), false, shm);
		assert.equal(existsSync(this.pidfile), false, "pidfile");
		const log = join(process.getuid() === 0 ? "/var/log" :
			join(homedir(), ".local/state"),
		    `pubsubd/${this.name}.log`);

		assert.equal(existsSync(log), false, log);
		assert.equal(existsSync(this.lockfile), false, "lock file");
	}

	/* Stop whatever still runs, see that nothing is left, and that the
	 * server said nothing that it should not have to say. */
	async end() {
		const running = this.child?.exitCode === null &&
			this.child.signalCode === null;

		try {
			if (running)
				await this.stop();
			else if (existsSync(this.lockfile))
				await this.cli("stop");
			await this.assertNothingLeft();
			assert.doesNotMatch(this.logged, ALARM);
			if (!this.deathsExpected)
				assert.doesNotMatch(this.logged, DEATH);
		} finally {
			this.killAll();
			for (const shm of this.#shms)
				rmSync(shm, { force: true });
			rmSync(this.lockfile, { force: true });
			rmSync(this.dir, { recursive: true });
		}
	}
}

/* A directory that everybody may read until the end of the test t, with the pages and
 * these programs. */
export function publicDirectory(t, ...programs) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-user-"));

	t.after(() => rmSync(dir, { recursive: true }));
	chmodSync(dir, 0o755);
	for (const program of programs)
		cpSync(program, join(dir, basename(program)));
	cpSync(join(ROOT, "public"), join(dir, "public"), { recursive: true });
	return dir;
}

/* What status says of workers that are not confined because of their build. */
export const BUILT_WITHOUT = "built with sanitizers";

/* Whether the program under test was built so. */
export async function builtWithoutSandbox() {
	const server = await new Server().run();

	try {
		return (await server.status()).sandbox.off === BUILT_WITHOUT;
	} finally {
		await server.end();
	}
}
