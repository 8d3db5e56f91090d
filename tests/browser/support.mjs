// SPDX-License-Identifier: MIT
/*
 * support.mjs - a server and a browser of one's own for each test file.
 *
 * Every server has its own name and a free port, every page its own empty
 * profile, so files may run side by side and leave nothing behind.  Nothing
 * here sleeps to let something happen: it waits for a line, a number or an
 * element, and fails when that does not come within seconds.
 *
 *	PUBSUBD   the program under test, default build/pubsubd
 *	CHROMIUM  the browser, default /usr/bin/chromium
 */

import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { once } from "node:events";
import { promisify } from "node:util";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";
import WebSocket from "ws";

import { WAIT_MS, waitFor } from "../e2e/wait.mjs";

export { waitFor } from "../e2e/wait.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PUBSUBD = process.env.PUBSUBD ?? `${ROOT}/build/pubsubd`;
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

const run = promisify(execFile);
let servers = 0;

/* Why there can be no browser test here, or false. */
export const skip = existsSync(CHROMIUM) ? false :
	`no browser at ${CHROMIUM}; set CHROMIUM to use another`;

/* A pubsubd in the foreground.  url and port stay the same across start(). */
export class Server {
	url = null;
	port = 0;
	tlsUrl = null; /* with --tls-listen */

	#name = `browser-${process.pid}-${servers++}`;
	#options;
	#child = null;
	#log = "";

	constructor(...options) {
		this.#options = options;
	}

	/* Start, and return once it says that it is ready.  Options given here
	 * take the place of the former ones. */
	async start(...options) {
		if (options.length > 0)
			this.#options = options;
		this.#child = spawn(PUBSUBD, ["run", "--name", this.#name,
		    "--listen", `127.0.0.1:${this.port}`, "--admin", "none",
		    "--workers", "4", ...this.#options],
		{ stdio: ["ignore", "pipe", "pipe"] });
		this.#child.stderr.on("data", (text) => {
			this.#log += text;
		});
		const [line] = await Promise.race([
			once(createInterface(this.#child.stdout), "line"),
			once(this.#child, "exit"),
		]);
		const ready = /ready on (http:\/\/127\.0\.0\.1:(\d+))/u.exec(line);

		if (!ready)
			throw new Error(`no ready line: ${line}\n${this.#log}`);
		this.url = `${ready[1]}/`;
		this.port = Number(ready[2]);
		if (line.includes(" https://"))
			this.tlsUrl = `https://localhost:${
				/https:\S+:(\d+)/u.exec(line)[1]}/`;
		return this;
	}

	/* End it; SIGKILL takes the supervisor alone, its workers follow. */
	async stop(signal = "SIGTERM") {
		const child = this.#child;

		this.#child = null;
		if (!child || child.exitCode !== null)
			return;
		child.kill(signal);
		await once(child, "exit");
	}

	/* Restart in place: the same process, the same port. */
	async reload() {
		await run(PUBSUBD, ["reload", "--name", this.#name]);
	}

	async restart() {
		await run(PUBSUBD, ["restart", "--name", this.#name]);
	}

	async upgrade() {
		await run(PUBSUBD, ["upgrade", "--name", this.#name]);
	}

	/* Kill all workers, and return once there are others. */
	async killWorkers() {
		const pids = (await this.status()).workers.map(({ pid }) => pid);

		/* Stopped first: or who was on one comes back to another, which is
		 * killed in its turn. */
		for (const signal of ["SIGSTOP", "SIGKILL"])
			for (const pid of pids)
				process.kill(pid, signal);
		await waitFor("other workers", async () =>
			(await this.status()).workers.every(({ pid, state }) =>
				state === "ready" && !pids.includes(pid)));
	}

	/* Close whoever subscribes to a topic, as an operator does. */
	async kick(topic, reason) {
		await run(PUBSUBD, ["kick", "--name", this.#name, "--topic", topic,
			"--reason", reason]);
	}

	async status() {
		const { stdout } = await run(PUBSUBD,
		    ["status", "--json", "--name", this.#name]);

		return JSON.parse(stdout);
	}

	/* The slots of the workers that have subscribers, one entry for each. */
	async subscribedSlots() {
		const { workers } = await this.status();

		return workers.flatMap((w) => Array(w.subscriptions).fill(w.slot));
	}

	/* One counter of all workers, summed up. */
	async total(counter) {
		const { workers } = await this.status();

		return workers.reduce((sum, worker) => sum + worker[counter], 0);
	}

	/* A client that is no browser, subscribed to a topic. */
	async client(topic, user) {
		const query = new URLSearchParams(
		    user === undefined ? { topic } : { topic, user });
		const socket = new WebSocket(
		    `ws://127.0.0.1:${this.port}/ws?${query}`);

		await once(socket, "open");
		return socket;
	}
}

/* On a busy machine it has needed half a minute to start. */
const START_MS = 4 * WAIT_MS;

const CHROMIUM_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic",
	"--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync"];

/* A directory that is removed when this process ends. */
export function scratchDirectory() {
	const path = mkdtempSync(join(tmpdir(), "pubsubd-browser-"));

	process.once("exit", () => rmSync(path, { recursive: true, force: true }));
	return path;
}

/*
 * Debian's chromium, without a window and without anything of its own to do, as
 * playwright's options say it.  On a busy machine it ends without removing all
 * that it has put into TMPDIR, so it has one to itself.
 */
export function chromiumOptions(...args) {
	return {
		executablePath: CHROMIUM,
		headless: true,
		timeout: START_MS,
		args: [...CHROMIUM_ARGS, ...args],
		env: { ...process.env, TMPDIR: scratchDirectory() },
	};
}

export function launchBrowser() {
	return chromium.launch(chromiumOptions());
}

/* The line between a page and the server, which can be cut and made to drop, or to
 * answer in the server's place. */
class Line {
	connections = 0;
	passes = () => true; /* does this frame of the server reach the page? */
	answers = () => null; /* to a frame of the page; null: the server does */

	#sockets = new Set();
	#isCut = false;

	take(socket) {
		this.connections++;
		if (this.#isCut) {
			socket.close({ code: 1011 });
			return;
		}
		const server = socket.connectToServer();

		this.#sockets.add(socket);
		server.onMessage((text) => {
			if (this.passes(JSON.parse(text)))
				socket.send(text);
		});
		socket.onMessage((text) => {
			const answer = this.answers(JSON.parse(text));

			if (answer)
				socket.send(JSON.stringify(answer));
			else
				server.send(text);
		});
	}

	/* Cut what there is, and what comes, until mend(). */
	async cut() {
		this.#isCut = true;
		for (const socket of this.#sockets)
			await socket.close({ code: 1011 });
		this.#sockets.clear();
	}

	mend() {
		this.#isCut = false;
	}
}

/* One visitor: a profile of their own, and what one does with the chat. */
export class Visitor {
	page;
	name;
	complaints = []; /* what the browser found wrong with the page */

	static async arrive(browser, name, options = {}) {
		return Visitor.#open(await browser.newContext(options), name);
	}

	/* A visitor in a context that is there; who leaves closes it. */
	static in(context, name) {
		return Visitor.#open(context, name);
	}

	/* The same visitor in another tab; the first one to leave closes both. */
	anotherTab() {
		return Visitor.#open(this.page.context(), this.name);
	}

	static async #open(context, name) {
		const visitor = new Visitor();

		visitor.name = name;
		visitor.page = await context.newPage();
		visitor.page.setDefaultTimeout(WAIT_MS);
		visitor.page.on("pageerror",
		    (error) => visitor.complaints.push(error.message));
		visitor.page.on("console", (message) => {
			if (/Content.Security|Trusted/u.test(message.text()))
				visitor.complaints.push(message.text());
		});
		return visitor;
	}

	/* Stop the page's clock, which runs since it was installed: from here on
	 * clock.runFor() alone moves it, however long this machine takes. */
	async stopClock() {
		const stop = async () => this.page.clock.pauseAt(
		    await this.page.evaluate(() => Date.now()) + 1000);

		try {
			await stop();
		} catch (error) {
			/* That second had passed; but now the clock stands. */
			if (!/to the past/u.test(error.message))
				throw error;
			await stop();
		}
	}

	/* Follow a link to a room, giving a name where asked for one. */
	async join(server, room) {
		await this.page.goto(
		    `${server.url}#room=${encodeURIComponent(room)}`);
		await this.page.locator("#invite button, #state.open")
		    .filter({ visible: true }).first().waitFor();
		if (await this.page.locator("#invite").isVisible()) {
			await this.page.fill("#name", this.name);
			await this.page.click("#invite button");
		}
		await this.connected();
	}

	async connected() {
		await this.page.locator("#state.open").waitFor();
	}

	async disconnected() {
		await this.page.locator("#state:not(.open)").waitFor();
	}

	async say(text) {
		await this.page.fill("#text", text);
		await this.page.press("#text", "Enter");
	}

	/* The messages in front that hold that text and came from the server. */
	heard(text) {
		return this.page.locator(".log:not([hidden]) .heard .message")
		    .filter({ hasText: text });
	}

	async hears(text) {
		await this.heard(text).first().waitFor();
	}

	/* All that was heard in the room in front, in order. */
	texts() {
		return this.page.locator(".log:not([hidden]) .heard .text")
		    .allTextContents();
	}

	/* Get a hand on the connections that the page will make. */
	async line() {
		const line = new Line();

		await this.page.routeWebSocket(/\/ws/u, (socket) => line.take(socket));
		return line;
	}

	leave() {
		return this.page.context().close();
	}
}
