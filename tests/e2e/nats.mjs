// SPDX-License-Identifier: MIT
/*
 * nats.mjs - the servers of a cluster's log, and hosts that share it.
 *
 *	Nats	three nats-server (or one), each with a directory; on loopback, or on
 *		hosts of netns.mjs
 *	skip	why there is none: the bridge is not built, or no server of 2.10 or
 *		later can be had
 *	hosts	pubsubd that share the log of a Nats
 */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
	existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePorts } from "./ports.mjs";
import { BRIDGE, PUBSUBD, ROOT, Server, run } from "./server.mjs";
import { waitFor } from "./wait.mjs";

function find() {
	if (!existsSync(BRIDGE))
		return { why: "no pubsubd-bridge (package libnats-dev)" };
	const { status, stdout, stderr } = spawnSync(
	    join(ROOT, "scripts/nats-server.sh"), { encoding: "utf8" });

	return status === 0 ? { program: stdout.trim() } :
		{ why: `no nats-server 2.10: ${stderr.trim()}` };
}

const { program, why } = find();

export const skip = why ?? false;

/* An address of this process alone.  Ports of 127.0.0.1 that are free now may be
 * somebody's connection when a server of ours comes back to them. */
const HOST = `127.${64 + (process.pid >> 16 & 63)}.${
	process.pid >> 8 & 255}.${process.pid & 255}`;

/* How long the servers of a log may take to find each other; and for how long
 * their leader may not know one of them, or none be the leader, before that one
 * or all begin once more. */
const MEET_MS = 90_000;
const UNKNOWN_MS = 3000;
const LEADERLESS_MS = 12_000;

/* Where a server runs that has no host of its own. */
const HERE = { words: [], address: HOST, door: HOST };

export class Nats {
	dir = mkdtempSync(join(tmpdir(), "pubsubd-nats-"));
	nodes = [];

	/* absent: those at the end that are not started yet, for revive(); then
	 * there is no log yet, either.  places: hosts of lan(), one for each.
	 * config(nats, i): the text of a server's configuration, in which its name
	 * is as here, but for where it is asked how it does; then there is no log
	 * yet. */
	static async start(t, count = 3, absent = 0,
	    { places = Array(count).fill(HERE), config = null } = {}) {
		const nats = new Nats();
		const ports = await freePorts(3 * count, HOST);

		t.after(() => nats.end());
		nats.places = places;
		nats.config = config;
		nats.ports = ports.slice(0, count);
		nats.routes = ports.slice(count, 2 * count);
		nats.monitors = ports.slice(2 * count);
		for (let i = 0; i < count - absent; i++)
			nats.nodes.push(nats.#spawn(i));
		await nats.meet();
		if (absent === 0 && config === null)
			await nats.init();
		return nats;
	}

	/* What a server says of its JetStream; {} if it does not answer. */
	async #ask(i, query = "") {
		try {
			const answer = await fetch(`http://${
				this.places[i].door}:${this.monitors[i]}/jsz${query}`,
			    { signal: AbortSignal.timeout(1000) });

			return await answer.json();
		} catch {
			return {};
		}
	}

	/* What it knows of all of them, if it knows a leader. */
	async #metaOf(i) {
		const { meta_cluster: meta } = await this.#ask(i);

		return meta?.leader ? meta : null;
	}

	/* Which of them leads the log, once one says so itself. */
	leader() {
		return waitFor("a leader of the log", async () => {
			const answers = await Promise.all(this.nodes.map(
			    (_, i) => this.#ask(i, "?streams=1")));
			const i = answers.findIndex(({ account_details: a }, n) =>
				a?.[0]?.stream_detail?.[0]?.cluster?.leader ===
				    this.nameOf(n));

			return i >= 0 && { i };
		}).then(({ i }) => i);
	}

	/* Whether these servers have one leader, and which of them it does not
	 * hear. */
	async #look() {
		const metas = await Promise.all(this.nodes.map(
		    (_, i) => this.#metaOf(i)));
		const of = metas.find((meta, i) => meta?.leader === this.nameOf(i));

		if (of === undefined)
			return { leader: false };
		const heard = new Set([of.leader, ...(of.replicas ?? [])
		    .filter(({ current, offline }) => current && !offline)
		    .map(({ name }) => name)]);

		return {
			leader: true,
			agreed: metas.every((meta) => meta?.leader === of.leader),
			unknown: [...this.nodes.keys()]
			    .filter((i) => !heard.has(this.nameOf(i))),
		};
	}

	async #again(i, keep) {
		await this.kill(i);
		if (!keep)
			this.forget(i);
		this.revive(i);
	}

	/*
	 * Those that run come to have a leader that hears them all.  Not all
	 * do by themselves: about one start in ten on a busy machine leaves a
	 * server that hears the leader, and whose answers never leave it
	 * (2.10.27); then the leader has no place for three copies, for good.
	 * That server begins once more, and so do all that have no leader.
	 * keep: they have a log, and go on with it.
	 */
	async meet(keep = false) {
		let since = Date.now();

		if (this.ports.length === 1)
			return;
		await this.#bounded("a leader that hears all", async () => {
			const now = await this.#look();
			const waited = Date.now() - since;

			if (now.leader && now.agreed && now.unknown.length === 0)
				return true;
			if (waited < (now.leader ? UNKNOWN_MS : LEADERLESS_MS))
				return false;
			for (const i of now.leader ? now.unknown :
				this.nodes.keys())
				await this.#again(i, keep);
			since = Date.now();
			return false;
		}, MEET_MS);
	}

	/* Of the first server. */
	get address() {
		return { host: this.places[0].address, port: this.ports[0] };
	}

	get options() {
		return this.ports.flatMap((port, i) =>
			["--cluster", `nats://${this.places[i].address}:${port}`]);
	}

	nameOf(i) {
		return `n${i}`;
	}

	#config(i) {
		const { address, door } = this.places[i];
		const routes = this.routes.map((port, n) =>
			`nats://${this.places[n].address}:${port}`).join(", ");
		const cluster = this.ports.length < 2 ? "" :
			`cluster { name: c, listen: "${address}:${this.routes[i]}"
			  routes: [ ${routes} ] }`;

		return `${this.config?.(this, i) ?? `server_name: ${this.nameOf(i)}
			listen: "${address}:${this.ports[i]}"
			jetstream { store_dir: "${this.dir}/js${i}"
			  max_file_store: 2G }
			${cluster}`}
			http: "${door}:${this.monitors[i]}"\n`;
	}

	#spawn(i) {
		const file = join(this.dir, `${i}.conf`);
		const [first, ...rest] = [...this.places[i].words, program,
			"-c", file, "-l", `${this.dir}/${i}.log`];

		writeFileSync(file, this.#config(i));
		return spawn(first, rest, { stdio: "ignore" });
	}

	cluster(word) {
		const [first, ...rest] = [...this.places[0].words, PUBSUBD,
			"cluster", word, "--config", "none", ...this.options];

		return run(first, rest);
	}

	/* Make the log; or have this said instead of it. */
	async init(refusal = null) {
		let said;

		await this.#bounded("a log, or no", async () => {
			said = await this.cluster("init");
			if (refusal === null)
				return said.stdout.includes(
				    `replicas ${this.ports.length}`);
			assert.equal(said.status, 1, said.stdout);
			return refusal.test(said.stderr);
		}, 60_000, () => `${said?.stdout}${said?.stderr}`);
	}

	/* As waitFor(); an error has what the servers have logged. */
	async #bounded(what, look, ms, more = () => "") {
		try {
			await waitFor(what, look, ms);
		} catch (error) {
			error.message += `\n${more()}\n${this.logged}`;
			throw error;
		}
	}

	/* What the servers have logged, one behind the other. */
	get logged() {
		return this.nodes.map((_, i) => `${this.dir}/${i}.log`)
		    .filter((file) => existsSync(file))
		    .map((file) => readFileSync(file, "utf8")).join("\n");
	}

	signal(i, signal) {
		this.nodes[i].kill(signal);
	}

	/* It may have ended by itself, by an error in its configuration. */
	async kill(i) {
		const node = this.nodes[i];
		const gone = once(node, "exit");

		if (node.exitCode !== null || node.signalCode !== null)
			return;
		node.kill("SIGKILL");
		await gone;
	}

	revive(i) {
		this.nodes[i] = this.#spawn(i);
	}

	/* The server begins with nothing, when it is revived. */
	forget(i) {
		rmSync(`${this.dir}/js${i}`, { recursive: true, force: true });
	}

	async end() {
		for (const i of this.nodes.keys())
			await this.kill(i);
		rmSync(this.dir, { recursive: true });
	}
}

/* A host of the cluster.  It waits for the log for longer than servers on a busy
 * machine take to elect a leader, unless told. */
export function host(t, nats, ...args) {
	return hostAt(t, nats, null, ...args);
}

/* The same beside one of the servers, where that is. */
export function hostAt(t, nats, place, ...args) {
	const wait = args.includes("--cluster-wait") ? [] :
		["--cluster-wait", "60"];
	const size = args.includes("--ring-size") ? [] : ["--ring-size", "8M"];

	return Server.start(t, ["--config", "none", "--admin", "127.0.0.1:0",
		...size, ...nats.options, ...wait, ...args],
	    { workers: ["--workers", "2"], wrap: place?.words,
		host: place?.door });
}

/* Pids of the bridges of a host, or of its supervisor's other children. */
export function bridgeOf(server) {
	const { stdout } = spawnSync("pgrep",
	    ["-P", String(server.child.pid), "-f", "pubsubd-bridge"],
	    { encoding: "utf8" });

	return stdout.trim().split("\n").filter(Boolean).map(Number);
}

/* The past of a topic on a host: [place, message] each. */
export async function past(server, topic) {
	const all = [];
	let before = "";

	for (;;) {
		const answer = await fetch(`${server.url}/topics/${topic}` +
		    `/history?limit=1000${before}`);

		if (answer.status === 404)
			return all;
		const { messages, more } = await answer.json();

		all.unshift(...messages.map(({ pos, message }) =>
			[pos, message]));
		if (!more)
			return all;
		before = `&before=${messages[0].seq}`;
	}
}

/* All hosts come to have the same past of a topic, of n messages. */
export async function agree(servers, topic, n) {
	let pasts;

	await waitFor(`${n} messages on all hosts`, async () => {
		pasts = await Promise.all(servers.map((s) => past(s, topic)));
		return pasts.every((one) => one.length >= n);
	}, 60_000);
	for (const one of pasts)
		assert.deepEqual(one, pasts[0]);
	assert.equal(pasts[0].length, n);
	return pasts[0];
}
