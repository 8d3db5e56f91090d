// SPDX-License-Identifier: MIT
/*
 * proxy.mjs - what a proxy is put through: a client before which it stands uses
 * all that the server has, and sees the server go and the proxy reload; then one
 * stays idle, or vanishes.
 *
 * In the second part heartbeats and pings come once a second, and time-outs of the
 * proxy are lowered to a few of those, so what takes minutes in earnest takes
 * seconds.  All else has the times of every day, so that a slow machine is none
 * too slow.
 */

import WebSocket from "ws";

import { Server } from "../e2e/server.mjs";
import { bounded, waitFor } from "../e2e/wait.mjs";
import { browses } from "./browser.mjs";
import { Front, NAME } from "./front.mjs";
import { heartbeats, noticesTheCutOff, noticesTheVanished } from "./gone.mjs";
import { Http2Visitor } from "./http2.mjs";
import { CONNS_PER_ADDRESS, countsApart } from "./limits.mjs";
import { OK } from "./outcome.mjs";
import { keepsOverReload, servesOverReload } from "./reload.mjs";
import { LONGEST, STAYS, inTime, must, publishOverUpgrade, restart } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

async function seesPage(visitor) {
	const page = await visitor.get("/");
	const script = await visitor.get("/pubsub.js");

	must(page.status === 200 && page.body.includes("<title"),
	    `page: ${page.status}`);
	must(script.status === 200 && script.body.includes("export"),
	    `script: ${script.status}`);
}

async function chats(visitor) {
	const socket = await visitor.socket("");

	must(socket instanceof WebSocket, `refused: ${socket}`);
	await visitor.say(socket, "room", "hello");
	socket.close();
	const foreign = await visitor.socket("",
	    { origin: "http://evil.example" });
	const rebound = await visitor.socket("",
	    { host: "evil.example", origin: "http://evil.example" });

	must(foreign === 403, `a foreign origin gets ${foreign}`);
	/* The server's refusal, or that of a proxy which knows its names. */
	must([403, 404, visitor.front.proxy.strangers].includes(rebound),
	    `a foreign host gets ${rebound}`);
}

/* The server speaks first in pubsubd.v1: its welcome is in the segment of the 101.
 * What it sends next is a ping, and no proxy may keep the welcome until then. */
async function isWelcomed(visitor) {
	const socket = await visitor.socket("", { protocol: "pubsubd.v1" });
	let isPinged = false;

	must(socket instanceof WebSocket, `refused: ${socket}`);
	socket.on("ping", () => {
		isPinged = true;
	});
	await waitFor("welcome", () => socket.messages.length > 0 || isPinged);
	must(JSON.parse(socket.messages[0]).type === "welcome",
	    `not welcomed but told ${socket.messages[0]}`);
	must(!isPinged, "the welcome comes with the first ping");
	socket.close();
}

async function publishes(visitor) {
	const { status, body } = await visitor.get("/topics/room%2F1",
	    { method: "POST", body: "hello" });

	must(status === 200, `status ${status}: ${body.split("\n")[0]}`);
	must(JSON.parse(body).topic === "room/1", `topic: ${body}`);
}

async function streams(visitor) {
	const first = await visitor.stream("news");
	const publish = (body) => visitor.get("/topics/news",
	    { method: "POST", body });

	await publish("one");
	await waitFor("event", () => /^data: one\nid: .*\n\n/mu.test(first.text));
	const id = /^data: one\nid: (\S+)$/mu.exec(first.text)[1];

	first.close();
	await publish("two");
	const second = await visitor.stream("news", { "Last-Event-ID": id });

	await waitFor("what was missed",
	    () => second.text.includes("data: two\n"));
	second.close();
}

/* By a WebSocket and by POST; to both a WebSocket and a stream. */
async function carriesMuch(visitor) {
	const socket = await visitor.socket("?topic=long");
	const stream = await visitor.stream("long");

	await visitor.say(socket, "long", LONGEST);
	const { status } = await visitor.get("/topics/long",
	    { method: "POST", body: LONGEST });

	must(status === 200, `status ${status}`);
	await waitFor("the long message",
	    () => socket.messages.filter((text) => text === LONGEST).length === 2);
	await waitFor("the long event", () => stream.text
	    .split(`data: ${LONGEST}\n`).length === 3);
	socket.close();
	stream.close();
}

/* Both a stream and a WebSocket, with no message for longer than the proxy's
 * time-outs. */
async function staysIdle(visitor) {
	const socket = await visitor.socket("?topic=idle");
	const stream = await visitor.stream("idle");

	await heartbeats(visitor.server);
	await visitor.get("/topics/idle", { method: "POST", body: "still here" });
	await waitFor("message", () => socket.messages.length === 1);
	await waitFor("event", () => stream.text.includes("data: still here\n"));
	socket.close();
	stream.close();
}

/* The server upgrades: a WebSocket and a stream go on, and each request gets its
 * answer. */
async function staysOverUpgrade(visitor) {
	const socket = await visitor.socket("?topic=upgrade");
	const stream = await visitor.stream("upgrade");
	const texts = await publishOverUpgrade(visitor.server, async (body) => {
		const { status } = await visitor.get("/topics/upgrade",
		    { method: "POST", body });

		must(status === 200, `status ${status}`);
	});
	const all = texts.join();
	const events = () => [...stream.text.matchAll(/^data: (upgrade.*)$/gmu)]
	    .map(([, text]) => text);

	await waitFor("all messages", () => socket.messages.join() === all);
	await waitFor("all events", () => events().join() === all);
	await visitor.say(socket, "upgrade", "and on");
	socket.close();
	stream.close();
	return STAYS;
}

/* What clients are told when this happens, and what a new request gets. */
async function tellsWhen(visitor, happens) {
	const socket = await visitor.socket("?topic=end");
	const stream = await visitor.stream("end");

	await happens();
	const told = await bounded("the end of the WebSocket", socket.told);

	await bounded("the end of the stream", stream.ended);
	const then = await visitor.get("/healthz").then(({ status }) => status,
	    () => "no answer");

	return `${told}; then ${then}`;
}

/* A server of one worker and a proxy in front of it; then that is done with.
 * quick: heartbeats and pings come once a second, and the proxy's time-outs are
 * lowered to a few of those. */
async function between(proxy, { listen = "127.0.0.1:0", quick = false }, use) {
	const server = new Server(["--workers", "1", "--allow-host", NAME,
		"--trust-proxy", "127.0.0.1",
		"--max-conns-per-address", `${CONNS_PER_ADDRESS}`,
		...quick ? ["--ping-interval", "1"] : []], { listen: [listen] });
	const front = new Front(await server.run(), proxy, { lowered: quick });

	try {
		await front.start();
		await use(front);
	} finally {
		await front.end();
		await server.end();
	}
}

/* What is the same by any protocol of the client. */
async function playAll(visitor, note) {
	const { front } = visitor;

	await note("page", () => seesPage(visitor));
	await note("chat", () => chats(visitor));
	await note("welcome", () => isWelcomed(visitor));
	await note("publish", () => publishes(visitor));
	await note("stream", () => streams(visitor));
	await note("64 KiB", () => carriesMuch(visitor));
	if (front.proxy.forwards)
		await note("X-Forwarded-For",
		    () => countsApart(front, visitor.constructor));
	await note("upgrade", () => staysOverUpgrade(visitor));
	await note("restart",
	    () => tellsWhen(visitor, () => restart(front.server)));
}

/* The same of what takes its time. */
async function playQuick(visitor, note) {
	await note("idle", () => staysIdle(visitor));
	await note("vanished", () => noticesTheVanished(visitor));
	await note("host gone", () => noticesTheCutOff(visitor));
}

/* Take steps by HTTP/2; WebSockets beside it by HTTP/1.1, as a browser has them,
 * if the proxy does not offer them.  Each step has a connection to itself: proxies
 * close one that is idle between two. */
const noteHttp2 = (visitor, outcome, how = (take) => take()) => (step, take) =>
	outcome.note(`HTTP/2 ${step}`, () => how(async () => {
		await visitor.open();
		try {
			return await take();
		} finally {
			visitor.close();
		}
	}));

async function playHttp2(front, outcome) {
	const visitor = new Http2Visitor(front);

	await playAll(visitor, noteHttp2(visitor, outcome));
	await outcome.note("WebSocket over HTTP/2",
	    () => visitor.offersWebSockets ? OK : "not offered");
	await outcome.note("Chromium's WebSocket", () => browses(front));
}

async function play(front, outcome) {
	const { proxy, server } = front;
	const visitor = new Visitor(front);

	await playAll(visitor, (step, take) => outcome.note(step, take));
	if (proxy.http2)
		await playHttp2(front, outcome);
	if (proxy.reload) {
		await outcome.note("its reload", () => keepsOverReload(visitor));
		await outcome.note("while it reloads",
		    () => servesOverReload(visitor));
	}
	await outcome.note("stop", () => tellsWhen(visitor, () => server.stop()));
}

async function playInSeconds(front, outcome) {
	const http2 = new Http2Visitor(front);

	await playQuick(new Visitor(front),
	    (step, take) => outcome.note(step, () => inTime(take)));
	if (front.proxy.http2)
		await playQuick(http2, noteHttp2(http2, outcome, inTime));
}

export async function playProxy(proxy, outcome) {
	await between(proxy, {}, (front) => play(front, outcome));
	await between(proxy, { quick: true },
	    (front) => playInSeconds(front, outcome));
	if (proxy.balancer)
		await between({ ...proxy, ...proxy.balancer },
		    { listen: "127.0.0.1:0,proxy" },
		    (front) => outcome.note("PROXY protocol",
			() => countsApart(front, Visitor)));
}
