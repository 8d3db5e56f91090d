// SPDX-License-Identifier: MIT
/*
 * proxy.mjs - what a proxy is put through: a client behind which it stands uses
 * all that the server has, stays idle, vanishes, and sees the server go.
 *
 * Heartbeats and pings come once a second, and time-outs of the proxy are lowered
 * to a few of those, so what takes minutes in earnest takes seconds here.
 */

import { once } from "node:events";
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import WebSocket from "ws";

import { Events } from "../e2e/events.mjs";
import { Server, run } from "../e2e/server.mjs";
import { bounded, waitFor } from "../e2e/wait.mjs";
import { Program } from "./program.mjs";
import { LONG, restart } from "./steps.mjs";

const NAME = "chat.example.org";
const HEARTBEATS = 5; /* longer than all that is lowered */

async function freePort() {
	const server = createServer().listen(0, "127.0.0.1");

	await once(server, "listening");
	const { port } = server.address();

	server.close();
	await once(server, "close");
	return port;
}

function answers(port) {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1", () => {
			socket.destroy();
			resolve(true);
		}).on("error", () => resolve(false));
	});
}

/* A key and a certificate that it signs itself, in one file. */
async function makeCertificate(file) {
	const { status, stderr } = await run("openssl", ["req", "-x509", "-nodes",
		"-newkey", "rsa:2048", "-days", "2", "-subj", `/CN=${NAME}`,
		"-keyout", file, "-out", `${file}.cert`]);

	must(status === 0, stderr);
	appendFileSync(file, readFileSync(`${file}.cert`));
}

/* Fail with what is wrong. */
function must(condition, what) {
	if (!condition)
		throw new Error(what);
}

/* A proxy that runs in front of a server, and a client's view of it. */
class Front {
	constructor(server, proxy) {
		this.server = server;
		this.proxy = proxy;
	}

	async start() {
		const { proxy } = this;

		this.port = await freePort();
		this.dir = mkdtempSync(join(tmpdir(), "pubsubd-interop-"));
		const file = join(this.dir, proxy.config);
		let text = readFileSync(join(proxy.directory, proxy.config), "utf8");

		for (const [time, lowered] of [...proxy.lower ?? [],
			["8000", this.server.port], ["8080", this.port],
			["/run/proxy", this.dir]]) {
			must(text.includes(time) || time.startsWith("8") ||
			    time.startsWith("/"), `no "${time}" in ${file}`);
			text = text.replaceAll(time, lowered);
		}
		chmodSync(this.dir, 0o777); /* some are another user then */
		writeFileSync(file, text);
		if (proxy.secure)
			await makeCertificate(join(this.dir, "pem"));
		this.file = file;
		this.program = new Program(proxy.command(file, this.dir, this.port),
		    { env: proxy.env?.(this.dir, this.port) });
		await waitFor("the proxy's port", () => {
			must(!this.program.ended,
			    `it did not start: ${this.program.lastWords}`);
			return answers(this.port);
		});
	}

	async end() {
		await this.program?.end("SIGTERM").catch(() => this.program.end());
		rmSync(this.dir, { recursive: true, force: true });
	}

	get scheme() {
		return this.proxy.secure ? "https" : "http";
	}

	get host() {
		return `${NAME}:${this.port}`;
	}

	/* A request, and its response once the head is there. */
	async ask(path, { method = "GET", headers = {}, body } = {}) {
		const ask = this.proxy.secure ? https.request : http.request;
		const asked = ask({ host: "127.0.0.1", port: this.port, path,
			method, agent: false, rejectUnauthorized: false,
			headers: { Host: this.host, ...headers } });

		asked.on("error", () => {}); /* after the response */
		asked.end(body);
		const [response] = await bounded("response",
		    once(asked, "response"));

		response.on("error", () => {});
		response.setEncoding("utf8");
		return response;
	}

	/* The same to its end: { status, body }. */
	async get(path, options) {
		const response = await this.ask(path, options);
		let body = "";

		response.on("data", (text) => {
			body += text;
		});
		await bounded("end of the response", once(response, "end"));
		return { status: response.statusCode, body };
	}

	/* An event stream of a topic: what came so far is its text. */
	async stream(topic, headers = {}) {
		const response = await this.ask(
		    `/topics/${encodeURIComponent(topic)}/events`, { headers });
		const stream = { text: "", response,
			close: () => response.destroy() };

		must(response.statusCode === 200, `status ${response.statusCode}`);
		response.on("data", (text) => {
			stream.text += text;
		});
		stream.ended = new Promise((resolve) => {
			response.on("close", resolve);
		});
		await waitFor("first event",
		    () => stream.text.includes("event: ready"));
		return stream;
	}

	/* A WebSocket: messages are in its list; or the status that refuses it. */
	async socket(query, { host = this.host, origin = `${this.scheme}://${this.host}`,
	    ...options } = {}) {
		const socket = new WebSocket(`${this.proxy.secure ? "wss" : "ws"}` +
		    `://127.0.0.1:${this.port}/ws${query}`, { headers: { Host: host },
			origin, rejectUnauthorized: false, ...options });

		socket.messages = [];
		socket.on("message", (data) => socket.messages.push(`${data}`));
		socket.on("error", () => {});
		socket.told = new Promise((resolve) => {
			socket.on("close", (code, reason) =>
				resolve(`closed ${code} ${reason}`.trim()));
		});
		return bounded("handshake", Promise.race([
			once(socket, "open").then(() => socket),
			once(socket, "unexpected-response")
			    .then(([, response]) => response.statusCode),
		]));
	}

	async say(socket, topic, message) {
		socket.send(JSON.stringify({ topic, message }));
		await waitFor("the message",
		    () => socket.messages.at(-1) === message);
	}
}

async function seesPage(front) {
	const page = await front.get("/");
	const script = await front.get("/pubsub.js");

	must(page.status === 200 && page.body.includes("<title"),
	    `page: ${page.status}`);
	must(script.status === 200 && script.body.includes("export"),
	    `script: ${script.status}`);
}

async function chats(front) {
	const socket = await front.socket("");

	must(socket instanceof WebSocket, `refused: ${socket}`);
	await front.say(socket, "room", "hello");
	socket.close();
	const foreign = await front.socket("",
	    { origin: "http://evil.example" });
	const rebound = await front.socket("",
	    { host: "evil.example", origin: "http://evil.example" });

	must(foreign === 403, `a foreign origin gets ${foreign}`);
	/* The server's refusal, or that of a proxy which knows its names. */
	must([403, 404].includes(rebound), `a foreign host gets ${rebound}`);
}

async function publishes(front) {
	const { status, body } = await front.get("/topics/room%2F1",
	    { method: "POST", body: "hello" });

	must(status === 200, `status ${status}: ${body.split("\n")[0]}`);
	must(JSON.parse(body).topic === "room/1", `topic: ${body}`);
}

async function streams(front) {
	const first = await front.stream("news");
	const publish = (body) => front.get("/topics/news",
	    { method: "POST", body });

	await publish("one");
	await waitFor("event", () => /^data: one\nid: .*\n\n/mu.test(first.text));
	const id = /^data: one\nid: (\S+)$/mu.exec(first.text)[1];

	first.close();
	await publish("two");
	const second = await front.stream("news", { "Last-Event-ID": id });

	await waitFor("what was missed",
	    () => second.text.includes("data: two\n"));
	second.close();
}

async function carriesMuch(front) {
	const socket = await front.socket("?topic=long");

	await front.say(socket, "long", LONG);
	const { status } = await front.get("/topics/long",
	    { method: "POST", body: LONG });

	must(status === 200, `status ${status}`);
	await waitFor("the long message",
	    () => socket.messages.filter((text) => text === LONG).length === 2);
	socket.close();
}

/* Both a stream and a WebSocket, with no message for longer than the proxy's
 * time-outs. */
async function staysIdle(front) {
	const socket = await front.socket("?topic=idle");
	const stream = await front.stream("idle");
	const beside = await Events.open(front.server, "beside");

	for (let i = 0; i < HEARTBEATS; i++)
		await beside.comment();
	beside.close();
	await front.get("/topics/idle", { method: "POST", body: "still here" });
	await waitFor("message", () => socket.messages.length === 1);
	await waitFor("event", () => stream.text.includes("data: still here\n"));
	socket.close();
	stream.close();
}

/* The server learns that the reader of a stream has closed it, and that a
 * WebSocket's program answers no more. */
async function noticesTheVanished(front) {
	const gone = (what) => waitFor(`end of the ${what}`,
	    async () => await front.server.total(what) === 0);

	await gone("event_streams");
	await gone("websockets");
	const stream = await front.stream("gone");
	const socket = await front.socket("?topic=gone", { autoPong: false });

	await waitFor("both", async () =>
		await front.server.total("event_streams") === 1 &&
		await front.server.total("websockets") === 1);
	stream.close();
	await gone("event_streams");
	await gone("websockets");
	socket.terminate();
}

/* What clients are told when this happens, and what a new request gets. */
async function tellsWhen(front, happens) {
	const socket = await front.socket("?topic=end");
	const stream = await front.stream("end");

	await happens();
	const told = await bounded("the end of the WebSocket", socket.told);

	await bounded("the end of the stream", stream.ended);
	const then = await front.get("/healthz").then(({ status }) => status,
	    () => "no answer");

	return `${told}; then ${then}`;
}

/* Its configuration is read again: do connections live on? */
async function reloads(front) {
	const socket = await front.socket("?topic=reload");
	const command = new Program(front.proxy.reload(front.file, front.dir),
	    { env: front.proxy.env?.(front.dir) });

	await command.closed;
	must(command.child.exitCode === 0, `it failed: ${command.lastWords}`);
	await front.get("/topics/reload", { method: "POST", body: "after" });
	const there = waitFor("message", () => socket.messages.length === 1)
	    .then(() => "connections stay");

	return bounded("either", Promise.race([there, socket.told]));
}

export async function playProxy(proxy, outcome) {
	const server = await new Server(["--workers", "1", "--allow-host", NAME,
		"--ping-interval", "1"]).run();
	const front = new Front(server, proxy);

	try {
		await front.start();
		await outcome.note("page", () => seesPage(front));
		await outcome.note("chat", () => chats(front));
		await outcome.note("publish", () => publishes(front));
		await outcome.note("stream", () => streams(front));
		await outcome.note("64 KiB", () => carriesMuch(front));
		await outcome.note("idle", () => staysIdle(front));
		await outcome.note("vanished", () => noticesTheVanished(front));
		if (proxy.reload)
			await outcome.note("its reload", () => reloads(front));
		await outcome.note("restart",
		    () => tellsWhen(front, () => restart(server)));
		await outcome.note("stop",
		    () => tellsWhen(front, () => server.stop()));
	} finally {
		await front.end();
		await server.end();
	}
}
