// SPDX-License-Identifier: MIT
/*
 * gone.mjs - clients behind a proxy that are gone: the reader of a stream has
 * closed it, the program of a WebSocket answers no more, and the host of a third
 * is cut off, so that nothing comes from it any more, not even an end.
 *
 * The proxy's own kernel learns of a host that is cut off when it has sent
 * something again and again and nobody acknowledged it, by default after a quarter
 * of an hour.  How often it tries is lowered when the proxy's time-outs are over.
 */

import { writeFileSync } from "node:fs";

import WebSocket from "ws";

import { Events } from "../e2e/events.mjs";
import { run } from "../e2e/server.mjs";
import { waitFor } from "../e2e/wait.mjs";
import { must } from "./steps.mjs";

const HEARTBEATS = 5; /* longer than all that is lowered */

/* An address that scripts/interop.sh gives this host. */
const AWAY = "203.0.113.3";

const RETRIES = "/proc/sys/net/ipv4/tcp_retries2";
const RETRIES_DEFAULT = "15", RETRIES_FEW = "1";

/* A stream beside the proxy gets this many heartbeats, one a second. */
export async function heartbeats(server, n = HEARTBEATS) {
	const beside = await Events.open(server, "beside");

	for (let i = 0; i < n; i++)
		await beside.comment();
	beside.close();
}

const gone = (server, what) => waitFor(`end of the ${what}`,
    async () => await server.total(what) === 0);

/* Nobody is there from before; then a stream and a WebSocket of this visitor. */
async function both(visitor, options) {
	const { server } = visitor;

	await gone(server, "event_streams");
	await gone(server, "websockets");
	const stream = await visitor.stream("gone");
	const socket = await visitor.socket("?topic=gone", options);

	must(socket instanceof WebSocket, `refused: ${socket}`);
	return { stream, socket };
}

/* The server learns that the reader of a stream has closed it, and that a
 * WebSocket's program answers no more. */
export async function noticesTheVanished(visitor) {
	const { stream, socket } = await both(visitor, { autoPong: false });

	stream.close();
	await gone(visitor.server, "event_streams");
	await gone(visitor.server, "websockets");
	socket.terminate();
}

async function ip(...words) {
	const { status, stderr } = await run("ip", words);

	must(status === 0, `ip ${words.join(" ")}: ${stderr}`);
}

/* Take the address away from this host, and lose what is sent to it. */
async function cutOff() {
	await ip("address", "delete", `${AWAY}/32`, "dev", "lo");
	await ip("route", "add", `${AWAY}/32`, "dev", "lo");
}

async function mend() {
	await ip("route", "delete", `${AWAY}/32`, "dev", "lo");
	await ip("address", "add", `${AWAY}/32`, "dev", "lo");
}

/* By what the server learns that the reader of a stream is cut off. */
async function learnsOfReader({ server, proxy }) {
	if (proxy.givesUp) {
		await gone(server, "event_streams");
		return "the proxy's time-out";
	}
	await heartbeats(server);
	if (await server.total("event_streams") === 0)
		return "the proxy";
	writeFileSync(RETRIES, RETRIES_FEW);
	try {
		await gone(server, "event_streams");
	} finally {
		writeFileSync(RETRIES, RETRIES_DEFAULT);
	}
	return "the proxy's kernel";
}

/* How the server learns that the host of a client is cut off: that of a WebSocket
 * by its own pings through the proxy, and that of a stream by what this says. */
export async function noticesTheCutOff({ front, server, constructor: Visit }) {
	const away = await new Visit(front, { from: AWAY }).open();
	const unanswered = await server.total("timeouts");
	const { stream, socket } = await both(away);

	await cutOff();
	try {
		await gone(server, "websockets");
		must(await server.total("timeouts") > unanswered,
		    "not by its pings");
		return `WebSocket by pings, stream by ${await learnsOfReader(front)}`;
	} finally {
		await mend();
		socket.terminate();
		stream.close();
		away.close();
	}
}
