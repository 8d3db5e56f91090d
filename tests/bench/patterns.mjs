// SPDX-License-Identifier: MIT
/*
 * patterns.mjs - what patterns of topics cost, beside other servers.
 *
 *	node tests/bench/patterns.mjs [--patterns 100000] [--topics 10000]
 *		[--messages 100000] [--rounds 5]
 *
 * All patterns are different, and held by 100 connections.  There is one for each
 * topic that matches it (room/7/#); of the others, which begin alike, none
 * does (room/7/+/k3).  One connection publishes to all topics in turn, 64 messages
 * of 100 bytes in flight, and each goes to one of the others.  Printed are the
 * server's CPU time for a message, in and out, as the median of some rounds, with
 * the least and the most; and its memory for a pattern.  pubsubd speaks
 * pubsubd.v1 over WebSocket, nats-server and mosquitto their own protocols.
 */

import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { parseArgs } from "node:util";

import { patternPeers, pubsubd, status, stopAll } from "./servers.mjs";

const CONNECTIONS = 100;
const WINDOW = 64;
const SIZE = 100;
/* Once in each message and nowhere else, lengths of frames included. */
const MARK = "@";
const PATIENCE_MS = 120_000;

const { values } = parseArgs({ options: {
	patterns: { type: "string", default: "100000" },
	topics: { type: "string", default: "10000" },
	messages: { type: "string", default: "100000" },
	rounds: { type: "string", default: "5" },
} });
const [PATTERNS, TOPICS, MESSAGES, ROUNDS] =
	["patterns", "topics", "messages", "rounds"].map((name) =>
		Number(values[name]));
const TICK_US = 10_000; /* of /proc/PID/stat */
const text = MARK.padEnd(SIZE, "x");

const topic = (i) => ["room", i % TOPICS, "chat", "x"];

/* With what each protocol has for one level and for the rest. */
function pattern(i, one, rest) {
	const room = i % TOPICS, kind = Math.floor(i / TOPICS);

	return kind === 0 ? ["room", room, rest] : ["room", room, one, `k${kind}`];
}

/* A length as MQTT has it. */
function mqttLength(length) {
	const bytes = [];

	for (let left = length; bytes.length === 0 || left > 0; left >>= 7)
		bytes.push(left > 127 ? left & 127 | 128 : left);
	return bytes;
}

function mqttPacket(type, ...parts) {
	const body = Buffer.concat(parts);

	return Buffer.concat([Buffer.from([type, ...mqttLength(body.length)]), body]);
}

function mqttString(string) {
	const bytes = Buffer.from(string);

	return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]),
		bytes]);
}

/* A text frame of a client, masked with zeros. */
function frame(object) {
	const body = Buffer.from(JSON.stringify(object));
	const head = body.length < 126 ? [0x81, 0x80 | body.length] :
		[0x81, 0x80 | 126, body.length >> 8, body.length & 255];

	return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]);
}

/* What each server is told: how one greets it, subscribes to some patterns,
 * publishes, and how its answer to the subscriptions is known. */
const PROTOCOLS = {
	"pubsubd": {
		port: (contestant) => new URL(contestant.url).port,
		hello: () => "GET /ws HTTP/1.1\r\nHost: localhost\r\n" +
			"Upgrade: websocket\r\nConnection: Upgrade\r\n" +
			"Sec-WebSocket-Version: 13\r\n" +
			"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" +
			"Sec-WebSocket-Protocol: pubsubd.v1\r\n\r\n",
		greeted: (said) => said.includes("\"welcome\""),
		subscribe: (numbers) => Buffer.concat([...numbers.map((i) =>
			frame({ type: "subscribe",
				pattern: pattern(i, "+", "#").join("/") })),
		frame({ type: "ping" })]),
		subscribed: (said) => said.includes("\"pong\""),
		publish: (i) => frame({ type: "publish", topic: topic(i).join("/"),
			message: text }),
	},
	"nats-server": {
		port: ({ port }) => port,
		hello: () => "CONNECT {\"verbose\":false}\r\nPING\r\n",
		greeted: (said) => said.includes("PONG"),
		subscribe: (numbers) => `${numbers.map((i) =>
			`SUB ${pattern(i, "*", ">").join(".")} ${i}\r\n`).join("")
		}PING\r\n`,
		subscribed: (said) => said.includes("PONG"),
		publish: (i) => Buffer.from(
		    `PUB ${topic(i).join(".")} ${SIZE}\r\n${text}\r\n`),
	},
	"mosquitto": {
		port: ({ port }) => port,
		hello: () => mqttPacket(0x10, mqttString("MQTT"),
		    Buffer.from([4, 2, 0, 0]), mqttString(`c${Math.random()}`)),
		greeted: (said) => said.length >= 4,
		subscribe: (numbers) => mqttPacket(0x82, Buffer.from([0, 1]),
		    ...numbers.flatMap((i) => [
			    mqttString(pattern(i, "+", "#").join("/")),
			    Buffer.from([0])])),
		subscribed: (said, count) => said.length >= count + 4,
		publish: (i) => mqttPacket(0x30, mqttString(topic(i).join("/")),
		    Buffer.from(text)),
	},
};

let arrived = 0, onArrival = () => {};

/* A connection: what it says is kept until it has subscribed, then its marks are
 * counted. */
class Client {
	said = "";
	#wake = () => {};

	static async open(protocol, contestant) {
		const client = new Client();
		const socket = connect(protocol.port(contestant), "127.0.0.1");

		client.socket = socket;
		socket.setNoDelay(true);
		socket.on("data", (data) => client.#data(data));
		await new Promise((resolve, reject) => {
			socket.once("connect", resolve).once("error", reject);
		});
		socket.write(protocol.hello());
		await client.until(protocol.greeted);
		return client;
	}

	#data(data) {
		if (this.counts) {
			for (const byte of data)
				arrived += byte === MARK.charCodeAt(0) ? 1 : 0;
			onArrival();
			return;
		}
		this.said += data.toString("latin1");
		this.#wake();
	}

	async until(holds, ...args) {
		const end = Date.now() + PATIENCE_MS;

		while (!holds(this.said, ...args)) {
			if (Date.now() > end)
				throw new Error(`no answer: ${this.said.slice(-200)}`);
			await new Promise((resolve) => {
				this.#wake = resolve;
				setTimeout(resolve, 1000).unref();
			});
		}
		this.said = "";
	}
}

/* CPU time of a process, µs. */
function cpu(pid) {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
	    .split(") ")[1].split(" ");

	return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/* Its own memory, bytes. */
function memory(pid) {
	const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");

	return Number(/^Pss_Anon:\s+(\d+)/mu.exec(rollup)[1]) * 1024;
}

/* Publish so many, and wait until all have come. */
async function round(protocol, publisher, messages) {
	const frames = Array.from({ length: TOPICS }, (_, i) => protocol.publish(i));
	const end = Date.now() + PATIENCE_MS;
	let sent = 0;

	arrived = 0;
	await new Promise((resolve, reject) => {
		onArrival = () => {
			const some = [];

			if (arrived >= messages)
				resolve();
			if (Date.now() > end)
				reject(new Error(`${arrived} of ${sent} came`));
			while (sent < messages && sent - arrived < WINDOW)
				some.push(frames[sent++ * 7919 % TOPICS]);
			if (some.length > 0)
				publisher.socket.write(Buffer.concat(some));
		};
		onArrival();
	});
	onArrival = () => {};
	if (sent !== messages || arrived !== messages)
		throw new Error(`${arrived} of ${sent} came`);
}

async function measure(name, start) {
	const protocol = PROTOCOLS[name];
	const contestant = await start();
	const pid = name === "pubsubd" ?
		(await status(contestant)).workers[0].pid : contestant.pid;
	const clients = [], each = PATTERNS / CONNECTIONS, costs = [];

	for (let i = 0; i <= CONNECTIONS; i++)
		clients.push(await Client.open(protocol, contestant));
	const [publisher, ...others] = clients;

	publisher.counts = true; /* nothing comes */
	const before = memory(pid);

	for (const [n, client] of others.entries()) {
		client.socket.write(protocol.subscribe(Array.from({ length: each },
		    (_, i) => n + i * CONNECTIONS)));
		await client.until(protocol.subscribed, each);
		client.counts = true;
	}
	await round(protocol, publisher, TOPICS); /* all topics are known then */
	const bytes = (memory(pid) - before) / PATTERNS;

	for (let i = 0; i < ROUNDS; i++) {
		const began = cpu(pid);

		await round(protocol, publisher, MESSAGES);
		costs.push((cpu(pid) - began) / MESSAGES);
	}
	costs.sort((a, b) => a - b);
	for (const { socket } of clients)
		socket.destroy();
	await contestant.stop();
	return { name, bytes, least: costs[0], most: costs.at(-1),
		median: costs[Math.floor(costs.length / 2)] };
}

const started = { "pubsubd": () => pubsubd({ args: ["--max-patterns-per-conn",
	"65536", "--max-patterns", `${2 * PATTERNS}`] }), ...patternPeers() };

console.log(`${PATTERNS} patterns, ${TOPICS} topics`);
try {
	for (const [name, start] of Object.entries(started)) {
		const { median, least, most, bytes } = await measure(name, start);

		console.log(`${name.padEnd(12)} ${median.toFixed(2)} µs of CPU for ` +
		    `a message (${least.toFixed(2)}-${most.toFixed(2)}), ` +
		    `${bytes.toFixed(0)} bytes for a pattern`);
	}
} finally {
	await stopAll();
}
