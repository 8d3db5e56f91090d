// SPDX-License-Identifier: MIT
/* page.mjs - README.md of this folder, printed from the outcomes that are kept. */

import { readFileSync } from "node:fs";

import { CLIENTS } from "./clients.mjs";
import { OK, differing, expected } from "./outcome.mjs";
import { PROXIES } from "./proxies.mjs";
import { ALL, OTHERS, pins } from "./release.mjs";
import { TOOLS } from "./tools.mjs";

const INTRODUCTION = `# What works with pubsubd

Clients, proxies and tools that others wrote, in the versions named. This page is printed by \`make interop\`, which installs
each of them, runs it in front of, behind or on a real server, and fails if anything is not as it stands here.
\`make interop ONLY=nginx\` runs one, or several names, and \`ONLY=tools\` all tools. \`make interop KEEP=1\` keeps what it sees
as the new state of things: look at the difference before you commit it. One whose packages cannot be had is told as skipped,
with the reason, and the last line counts those.

A client is a program of a few lines in \`clients/\`, written as its library's manual has it. A proxy's configuration is in
\`proxies/\`, and below. The outcomes are in \`expected/\`.
`;

const WEBSOCKETS = `## WebSocket clients

Each connects, sends and receives a text beyond ASCII and one of 60,000 bytes, answers the server's pings, closes, and resumes by
\`pubsubd.v1\` from the number that it had. "ok" stands for all of these. Then its server is upgraded, while messages are
published one after the other: a client that stays gets each of them, on the same connection. Then its server restarts or stops,
or the worker that serves it is killed. The table has what its library then tells the application: the close code and reason, and
before it what else was raised.
`;

const EVENTS = `## Clients of event streams

Each gets the first event at once, a text beyond ASCII and one of 60,000 bytes, and stays through the heartbeats of a silent
stream. "ok" stands for all of these. Then comes what its application sees when the server is upgraded while messages are
published, when it restarts, its worker is killed, and it is stopped and started anew.
`;

const PROXY = `## Proxies

Behind each proxy, the page and the JavaScript client load, a chat works and pages of foreign origins and hosts are refused,
the welcome of \`pubsubd.v1\` comes with the handshake, a message is published to a topic whose name has a slash, a stream
brings its first event at once and resumes by \`Last-Event-ID\`, a message of 64 KiB passes in both ways, a WebSocket and a
stream stay open while nothing is sent for longer than the proxy's time-outs (both lowered together: the server's pings keep
a connection in use), and the server learns of a reader that has left and of a WebSocket whose program answers no more. "ok"
stands for all of these. Then comes what a WebSocket is told, and what status a request gets, when the server has restarted
or stopped. While it is upgraded, a WebSocket and a stream stay open and miss nothing, and each of the requests that publish
messages meanwhile gets its 200.

"Host gone": the client's host is cut off, so that neither an end nor an acknowledgement comes from it any more. The server
learns of its WebSocket by the pings that get no answer, behind every proxy. It writes heartbeats to its event stream, too, but
those the proxy takes; so the server learns of it when the proxy does. "The proxy's kernel" is what gives up then, by default
after a quarter of an hour (\`net.ipv4.tcp_retries2\`; 8 makes it 100 seconds). "The proxy's time-out" is one that it has for
this, and that stands in its configuration below.

"Its reload": the proxy is told to read its configuration again while a WebSocket and a stream are open. "While it reloads":
what new connections see, one made after the other until it says that it is done. Where that is a matter of chance, the cell
says why. Traffic Server reloads by its manager, which is not run here.

The server is run with \`--allow-host chat.example.org --trust-proxy 127.0.0.1\`. Where the proxy tells its clients by
\`X-Forwarded-For\`, two of them have the limits of an address each to itself, also after an upgrade: one that has reached its
limit is refused, whatever it says of itself, and the other is served; \`pubsubd conns\` shows the address of each. The same
holds where it tells them by the PROXY protocol to a listener \`--listen 127.0.0.1:8000,proxy\`. Where one of these two
cells is empty, the proxy in this version does not send that.

In the configurations 127.0.0.1:8000 is pubsubd, 8080 the port of the proxy and 8443 that with TLS.
`;

const HTTP2 = `## Over HTTP/2

The same again, with the limits of an address, by a client which has all of a step on one connection of HTTP/2 to the proxy's
port with TLS; the proxy speaks HTTP/1.1 to the server. Where the proxy offers WebSockets over HTTP/2 (RFC 8441), that client
has its WebSockets there too, else on connections of HTTP/1.1 beside it. In the end Chromium talks by a WebSocket, an event
stream and \`fetch\` in a page that came by HTTP/2; its WebSocket comes by what the proxy offers.
`;

/* What to know of the outcomes that differ, by release. */
const WHY = {
	13: `The server does the same for all of them. It is the libraries that have changed: both now take the close code 1012,
and websocket-client also calls its application back when that has closed the connection itself.`,
};

const OTHER = (release) => `## With Debian ${release}

\`scripts/versions.sh interop\` tries these in the versions of that release. The last column has each outcome that is not
the one in the tables above.

${WHY[release]}
`;

/* The steps that should be ok behind a proxy. */
const BEHIND = ["page", "chat", "welcome", "publish", "stream", "64 KiB", "idle",
	"vanished"];

const TOOL = `## Tools

"ok" stands for all that the tool was asked; what has another answer follows.
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
		const outcome = expected(name, ALL);

		return row([title, outcome.version, verdict(outcome, checks),
			...others.map((step) => outcome[step] ?? "")]);
	});

	return [row([what, "version", "works", ...others]),
		row(["---", "---", "---", ...others.map(() => "---")]),
		...lines].join("\n");
}

function block(config) {
	const text = readFileSync(
	    new URL(`proxies/${config}`, import.meta.url), "utf8");

	return `\`\`\`\n${text}\`\`\`\n`;
}

function configuration({ title, config, note, balancer }) {
	const parts = [`### ${title}\n`, note && `${note}\n`, block(config)];

	if (balancer)
		parts.push("With the PROXY protocol:" +
		    `${balancer.note ? ` ${balancer.note}` : ""}\n`);
	if (balancer && balancer.config !== config)
		parts.push(block(balancer.config));
	return parts.filter(Boolean).join("\n");
}

/* A line for each tool: what it does here, and what it says. */
function toolTable() {
	const lines = TOOLS.map(({ name, title, what }) => {
		const { version, ...outcome } = expected(name, ALL);

		return row([title, version, what,
			verdict(outcome, Object.keys(outcome))]);
	});

	return [row(["tool", "version", "what it does here", "outcome"]),
		row(Array(4).fill("---")), ...lines].join("\n");
}

/* A line for each that was tried in another release, too: its version there, and
 * the steps that end otherwise. */
function otherTable(release) {
	const pinned = pins(release);
	const lines = [...CLIENTS, ...PROXIES].filter(({ name }) => pinned.has(name))
	    .map(({ name, title, titles }) => {
		const here = expected(name, release);
		const others = differing(expected(name, ALL), here)
		    .filter((step) => step !== "version")
		    .map((step) => `${step}: ${here[step] ?? "not tried"}`);

		return row([titles?.[release] ?? title, here.version,
			others.join("; ") || "none"]);
	});

	return [row(["client or proxy", "version", "other outcomes"]),
		row(Array(3).fill("---")), ...lines].join("\n");
}

export function page() {
	const of = (kind) => CLIENTS.filter((client) => client.kind === kind);

	return [INTRODUCTION,
		WEBSOCKETS, `${table(of("websocket"), "client",
		    ["handshake", "UTF-8", "60 KB", "pings", "resume"],
		    ["its own close", "upgrade", "restart", "restart, v1", "killed worker",
			    "stop"])}\n`,
		EVENTS, `${table(of("events"), "client",
		    ["first event", "UTF-8", "60 KB", "heartbeats"],
		    ["upgrade", "restart", "killed worker", "stop and start"])}\n`,
		PROXY, `${table(PROXIES, "proxy",
		    BEHIND,
		    ["X-Forwarded-For", "PROXY protocol", "host gone", "its reload",
			    "while it reloads", "upgrade", "restart", "stop"])}\n`,
		HTTP2, `${table(PROXIES.filter(({ http2 }) => http2), "proxy",
		    [...BEHIND, "X-Forwarded-For"].map((step) => `HTTP/2 ${step}`),
		    ["HTTP/2 host gone", "HTTP/2 upgrade", "HTTP/2 restart",
			    "WebSocket over HTTP/2", "Chromium's WebSocket"])}\n`,
		...OTHERS.flatMap((release) =>
			[OTHER(release), `${otherTable(release)}\n`]),
		"## Configurations\n",
		...PROXIES.map(configuration), TOOL,
		`${toolTable()}\n`].join("\n");
}
