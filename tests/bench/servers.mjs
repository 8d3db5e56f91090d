// SPDX-License-Identifier: MIT
/*
 * servers.mjs - the contestants, each started on a free port of loopback.
 *
 * A contestant is what `pubsub-load' needs to know of it: url, form, pid.  All
 * run on the first processor where there are two, so that a server never has
 * more than one and the generator has the other.  What was started is ended by
 * stop(), and by stopAll() whatever happens.
 */

import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { freePort } from "../e2e/ports.mjs";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BUILD = process.env.BUILD ?? join(ROOT, "build");
export const PINNED = cpus().length > 1;
export const PUBSUBD = join(BUILD, "pubsubd");

const NCHAN = "/usr/lib/nginx/modules/ngx_nchan_module.so";
const READY_MS = 30_000;
const END_MS = 15_000;

const run = promisify(execFile);
const running = new Set();
let count = 0;

/* A command that stays on the first processor. */
function pinned(command, pin = PINNED) {
	return pin ? ["taskset", "-c", "0", ...command] : command;
}

function pause(ms) {
	return new Promise((resolve) => {
		setTimeout(resolve, ms);
	});
}

class Contestant {
	dir = mkdtempSync(join(tmpdir(), "pubsubd-bench-"));
	said = "";

	constructor(name, form) {
		this.name = name;
		this.form = form;
	}

	/* Start a command; ready() looks at what it said, or asks it. */
	async start(command, ready) {
		const until = Date.now() + READY_MS;

		this.child = spawn(command[0], command.slice(1),
		    { stdio: ["ignore", "pipe", "pipe"] });
		running.add(this);
		this.ended = new Promise((resolve) => {
			this.child.once("close", resolve);
			this.child.once("error", resolve);
		});
		this.pid = this.child.pid;
		for (const stream of [this.child.stdout, this.child.stderr])
			stream.setEncoding("utf8").on("data", (text) => {
				this.said = (this.said + text).slice(-8192);
			});
		while (!await ready(this)) {
			if (this.child.exitCode !== null || Date.now() > until)
				throw new Error(
				    `${this.name} does not start: ${this.said}`);
			await pause(10);
		}
		return this;
	}

	async stop() {
		const timer = setTimeout(() => this.child.kill("SIGKILL"), END_MS);

		this.child.kill("SIGTERM");
		await this.ended;
		clearTimeout(timer);
		running.delete(this);
		rmSync(this.dir, { recursive: true, force: true });
	}
}

/* Has it said where it listens?  Then that is its URL. */
function saidUrl(contestant) {
	const found = /ready on http:\/\/([^\s,]+)/u.exec(contestant.said);
	const tls = /https:\/\/([^\s,]+)/u.exec(contestant.said);

	if (found !== null)
		contestant.url = `ws://${found[1]}/ws`;
	if (tls !== null)
		contestant.tlsUrl = `wss://${tls[1]}/ws`;
	return found !== null;
}

/* A certificate and its key, for a day, in the contestant's directory. */
function certify({ dir }) {
	const key = join(dir, "key.pem"), cert = join(dir, "cert.pem");

	execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
		"/CN=localhost", "-keyout", key, "-out", cert],
	{ stdio: ["ignore", "ignore", "pipe"] });
	return { key, cert };
}

async function answers(contestant) {
	if (contestant.url.startsWith("wss:"))
		return accepts(new URL(contestant.url).port);
	try {
		await fetch(contestant.url.replace("ws:", "http:"));
		return true;
	} catch {
		return false;
	}
}

/* Whether somebody listens on a port. */
function accepts(port) {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1");

		socket.once("connect", () => {
			socket.destroy();
			resolve(true);
		});
		socket.once("error", () => resolve(false));
	});
}

/* rooms: takes messages in, instead of only counting them.  ping: how often its
 * clients are pinged, seconds; 0: never.  processes: with several, each message
 * goes to all clients. */
export function floor({ size = 100, rooms = false, ping = 0, processes = 1,
    pin = PINNED } = {}) {
	return new Contestant("floor", "plain").start(pinned(
	    [join(BUILD, "floor"), "--listen", "0", "--size", String(size),
		    "--ping", String(ping), "--processes", String(processes),
		    ...rooms ? ["--rooms"] : []], pin), saidUrl);
}

/* under: a command that runs it, and needs in the workers what their sandbox
 * forbids.  tls: it has a listener with TLS, too, at tlsUrl. */
export function pubsubd({ workers = 1, args = [], pin = PINNED, under = [],
	tls = false } = {}) {
	const contestant = new Contestant("pubsubd", "plain");
	const files = tls ? certify(contestant) : null;

	contestant.instance = `bench-${process.pid}-${count++}`;
	contestant.pidfile = join(contestant.dir, "pid");
	return contestant.start(pinned([...under, PUBSUBD, "run", "--name",
		contestant.instance, "--pidfile", contestant.pidfile,
		"--root", join(ROOT, "public"), "--listen", "127.0.0.1:0",
		"--admin", "none", "--workers", String(workers), "--rate", "0",
		"--max-topics", "131072",
		...tls ? ["--tls-listen", "127.0.0.1:0", "--tls-cert", files.cert,
			"--tls-key", files.key] : [],
		...under.length > 0 ? ["--no-sandbox"] : [], ...args], pin), saidUrl);
}

/* One whose clients have to show a token; all of them show the same one. */
export async function guarded() {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-bench-"));
	const key = join(dir, "key.jwk");

	try {
		writeFileSync(key, JSON.stringify({ kty: "oct",
			k: randomBytes(32).toString("base64url") }), { mode: 0o600 });
		const token = execFileSync(PUBSUBD, ["token", "--key", key, "--sub",
			"bench", "--grant", "all:#"], { encoding: "utf8" }).trim();
		const contestant = await pubsubd({
			args: ["--jwt-key", key, "--jwt-query"] });

		contestant.name = "with a token";
		contestant.url += `?access_token=${token}`;
		return contestant;
	} finally {
		rmSync(dir, { recursive: true });
	}
}

/* What `pubsubd status --json' says of it. */
export async function status(contestant) {
	const { stdout } = await run(PUBSUBD, ["status", "--json", "--name",
		contestant.instance, "--pidfile", contestant.pidfile]);

	return JSON.parse(stdout);
}

/* lines: in front of its blocks, of http, and of the server. */
async function startNginx(contestant, { main = "", http = "", listen = "",
	server }) {
	const config = join(contestant.dir, "nginx.conf");
	const port = await freePort();
	const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
	    .map((name) => `${name}_temp_path ${contestant.dir}/${name};`).join("\n");

	writeFileSync(config, `
daemon off;
${process.getuid() === 0 ? "user root;" : ""}
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${contestant.dir}/nginx.pid;
error_log ${contestant.dir}/error.log crit;
${main}
events { worker_connections 19000; }
http {
access_log off;
${temporary}
${http}
server {
listen 127.0.0.1:${port} ${listen} backlog=4096;
${server}
}
}
`);
	contestant.url = `${listen === "ssl" ? "wss" : "ws"}://127.0.0.1:${port}/ws`;
	return contestant.start(pinned(["nginx", "-e",
		join(contestant.dir, "error.log"), "-c", config]), answers);
}

const startNchan = (contestant, options = { server: "" }) =>
	startNginx(contestant, { ...options, main: `load_module ${NCHAN};`,
		http: "nchan_shared_memory_size 256M;",
		server: `${options.server}
location = /ws { nchan_subscriber websocket; nchan_channel_id $arg_topic;
	nchan_subscriber_first_message newest; }
location = /pub { nchan_publisher websocket; nchan_channel_id $arg_topic;
	nchan_message_buffer_length 1000; nchan_message_timeout 5s; }` });

const nchan = () => startNchan(new Contestant("nginx+nchan", "nchan"));

export function nchanOverTls() {
	const contestant = new Contestant("nginx+nchan (TLS)", "nchan");
	const { cert, key } = certify(contestant);

	return startNchan(contestant, { listen: "ssl",
		server: `ssl_certificate ${cert};
ssl_certificate_key ${key};
ssl_protocols TLSv1.3;` });
}

/* With the same files as pubsubd, and what its own manual says of serving such. */
export const nginxWithFiles = () =>
	startNginx(new Contestant("nginx", null), { http: `
types { text/html html; text/javascript js; }
sendfile on;
tcp_nopush on;
tcp_nodelay on;
open_file_cache max=1000 inactive=1h;
open_file_cache_valid 1h;
gzip_static on;
gzip_vary on;
keepalive_requests 1000000000;`, server: `root ${join(ROOT, "public")};` });

async function nats() {
	const contestant = new Contestant("nats-server", "nats");
	const config = join(contestant.dir, "nats.conf");
	const port = await freePort();

	contestant.port = await freePort(); /* of its own protocol */
	writeFileSync(config, `host: 127.0.0.1
port: ${contestant.port}
max_connections: 100000
websocket { host: 127.0.0.1, port: ${port}, no_tls: true }
`);
	contestant.url = `ws://127.0.0.1:${port}/`;
	return contestant.start(
	    pinned(["nats-server", "-c", config]), answers);
}

/* In MQTT alone. */
async function mosquitto() {
	const contestant = new Contestant("mosquitto", "mqtt");
	const config = join(contestant.dir, "mosquitto.conf");

	contestant.port = await freePort();
	writeFileSync(config, `listener ${contestant.port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
set_tcp_nodelay true
log_dest none
`);
	return contestant.start(pinned(["mosquitto", "-c", config]),
	    () => accepts(contestant.port));
}

const has = (program) => spawnSync("which", [program],
    { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } })
    .status === 0;

/* Those that know patterns of topics, likewise. */
export function patternPeers() {
	return {
		...has("nats-server") ? { "nats-server": nats } : {},
		...has("mosquitto") ? { "mosquitto": mosquitto } : {},
	};
}

/* Whether nginx is here. */
export const hasNginx = () => has("nginx");

/* The peers that are installed here, each a function that starts it. */
export function peers() {
	return {
		...has("nginx") && existsSync(NCHAN) ? { "nginx+nchan": nchan } : {},
		...has("nats-server") ? { "nats-server": nats } : {},
	};
}

/* Have something ended by stopAll(), too, until it is let go. */
export function hold(one) {
	running.add(one);
}

export function letGo(one) {
	running.delete(one);
}

export async function stopAll() {
	await Promise.all([...running].map((contestant) => contestant.stop()));
}
