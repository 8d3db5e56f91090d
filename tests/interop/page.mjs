// SPDX-License-Identifier: MIT
/* page.mjs - README.md of this folder, printed from the outcomes that are kept. */

import { readFileSync } from "node:fs";

import { CLIENTS } from "./clients.mjs";
import { OK, expected } from "./outcome.mjs";
import { PROXIES } from "./proxies.mjs";

const INTRODUCTION = `# What works with pubsubd

Clients and proxies that others wrote, in the versions named. This page is printed by \`make interop\`, which installs each of
them, runs it in front of or behind a real server, and fails if anything is not as it stands here. \`make interop ONLY=nginx\`
runs one, or several names. \`make interop KEEP=1\` keeps what it sees as the new state of things: look at the difference before
you commit it.

A client is a program of a few lines in \`clients/\`, written as its library's manual has it. A proxy's configuration is in
\`proxies/\`, and below. The outcomes are in \`expected/\`.
`;

const WEBSOCKETS = `## WebSocket clients

Each connects, sends and receives a text beyond ASCII and one of 60,000 bytes, answers the server's pings, closes, and resumes by
\`pubsubd.v1\` from the number that it had. "ok" stands for all of these. Then its server restarts or stops, or the worker that
serves it is killed. The table has what its library then tells the application: the close code and reason, and before it what
else was raised.
`;

const EVENTS = `## Clients of event streams

Each gets the first event at once, a text beyond ASCII and one of 60,000 bytes, and stays through the heartbeats of a silent
stream. "ok" stands for all of these. Then comes what its application sees when the server restarts, its worker is killed, and
the server is stopped and started anew.
`;

const PROXY = `## Proxies

Behind each proxy, the page and the JavaScript client load, a chat works and pages of foreign origins and hosts are refused, a
message is published to a topic whose name has a slash, a stream brings its first event at once and resumes by
\`Last-Event-ID\`, a message of 60,000 bytes passes in both ways, a WebSocket and a stream stay open while nothing is sent for
longer than the proxy's time-outs (both lowered together: the server's pings keep a connection in use), and the server learns of
a reader that has left and of a WebSocket whose program answers no more. "ok" stands for all of these. Then comes what a
WebSocket is told, and what status a request gets, when the server has restarted or stopped.

In the configurations 127.0.0.1:8000 is pubsubd and 8080 the port of the proxy.
`;

/* What of these steps is not as it should be; "ok" if all is. */
function verdict(outcome, steps) {
	const wrong = steps.filter((step) => outcome[step] !== OK)
	    .map((step) => `${step}: ${outcome[step]}`);

	return wrong.length === 0 ? OK : wrong.join("; ");
}

const row = (cells) => `| ${cells.map(
    (cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

/* A line for each: the steps that should be ok in one cell, each other step in
 * one of its own. */
function table(all, what, checks, others) {
	const lines = all.map(({ name, title }) => {
		const outcome = expected(name);

		return row([title, outcome.version, verdict(outcome, checks),
			...others.map((step) => outcome[step] ?? "")]);
	});

	return [row([what, "version", "works", ...others]),
		row(["---", "---", "---", ...others.map(() => "---")]),
		...lines].join("\n");
}

function configuration({ title, config, note }) {
	const text = readFileSync(
	    new URL(`proxies/${config}`, import.meta.url), "utf8");

	return `### ${title}\n\n${note ? `${note}\n\n` : ""}` +
	    `\`\`\`\n${text}\`\`\`\n`;
}

export function page() {
	const of = (kind) => CLIENTS.filter((client) => client.kind === kind);

	return [INTRODUCTION,
		WEBSOCKETS, `${table(of("websocket"), "client",
		    ["handshake", "UTF-8", "60 KB", "pings", "resume"],
		    ["its own close", "restart", "restart, v1", "killed worker",
			    "stop"])}\n`,
		EVENTS, `${table(of("events"), "client",
		    ["first event", "UTF-8", "60 KB", "heartbeats"],
		    ["restart", "killed worker", "stop and start"])}\n`,
		PROXY, `${table(PROXIES, "proxy",
		    ["page", "chat", "publish", "stream", "64 KiB", "idle",
			    "vanished"],
		    ["its reload", "restart", "stop"])}\n`,
		...PROXIES.map(configuration)].join("\n");
}
