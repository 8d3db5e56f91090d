// SPDX-License-Identifier: MIT
/*
 * rows-tls.mjs - what TLS costs, beside the same without it, and beside nginx
 * with TLS and nchan; see rows.mjs.
 *
 * One server has both listeners, so plain and TLS are measured in turn on the
 * same process.  All contestants have one certificate of the same kind (ECDSA,
 * P-256) and speak TLS 1.3.
 */

import { inTurn, load, ratios, summary, values } from "./measure.mjs";
import { addPeers, CPU, divide, lineOf, median, withAll } from "./rows.mjs";
import { nchanOverTls, pubsubd } from "./servers.mjs";

const PEER = "nginx+nchan (TLS)";
const peers = (bench) => "nginx+nchan" in bench.peers ?
	{ peers: { [PEER]: nchanOverTls }, note: (text) => bench.note(text) } :
	{ peers: {}, note: () => {} };

/* The two listeners of a server, as contestants. */
const both = (server) => ["plain", "TLS"].map((name) => ({ ...server, name,
	url: name === "TLS" ? server.tlsUrl : server.url }));

const start = () => pubsubd({ tls: true });

/* Measure both listeners in turn, and then the peer. */
async function compare(bench, clock, rounds, measure) {
	const found = await withAll([start], ([server]) =>
		inTurn(clock.part(0.7), rounds, both(server), measure));

	await addPeers(peers(bench), found, clock, bench.quick ? 1 : 3, measure);
	return found;
}

async function fanOut(bench, clock) {
	const names = ["plain", "TLS", PEER];
	const windows = [1, 16, 64];
	const lines = [];

	for (const [i, window] of windows.entries()) {
		const found = await compare(bench,
		    clock.part(1 / (windows.length - i)), bench.quick ? 3 : 9,
		    (one) => load(one, "window", { window, warm: 0.2,
			    seconds: bench.quick ? 0.3 : 0.6 }));
		const ratio = summary(ratios(
		    found.get("TLS"), found.get("plain"), CPU));
		const own = summary(values(found.get("TLS"), CPU));
		const theirs = median(found, PEER, CPU);

		bench.goal(`fan-out to 1000 over TLS, window ${window}: CPU per ` +
		    "delivery against plain", 1.7, ratio);
		bench.goal(`the same against nginx (TLS) + nchan`, 0.8,
		    theirs && own ? divide(own, theirs) : null,
		    theirs ? "" : "nginx with nchan is not installed or failed");
		lines.push([`window ${window}`, ...lineOf(found, names, CPU),
			ratio]);
	}
	bench.table("Fan-out over TLS: one topic, 1000 subscribers, 100 bytes; " +
	    "server CPU µs per delivery", ["", ...names, "TLS / plain"], lines);
}

/* A server for each, since memory that was freed stays with a process. */
async function memory(bench) {
	const names = ["plain", "TLS", PEER];
	const key = "pss_bytes_per_connection";
	const options = { clients: bench.quick ? 3000 : 6000,
		base: bench.quick ? 1000 : 1500, seconds: 1 };
	const found = new Map();

	for (const i of [0, 1])
		await withAll([start], async ([server]) => found.set(names[i],
		    [await load(both(server)[i], "idle", options)]));
	await addPeers(peers(bench), found, null, 1,
	    (one) => load(one, "idle", options));
	const [plain, tls] = ["plain", "TLS"].map((name) =>
		found.get(name)[0][key]);

	bench.goal("memory of an idle TLS connection over that of a plain one, " +
	    "bytes of PSS", 15_500, summary([tls - plain]));
	bench.table("Idle over TLS: user space, bytes per connection (PSS)",
	    ["", ...names], [["", ...lineOf(found, names, key)]]);
}

async function connect(bench, clock) {
	const names = ["plain", "TLS", PEER];
	const key = "cpu_us_per_connection";
	const found = await compare(bench, clock, bench.quick ? 1 : 5,
	    (one) => load(one, "connect",
		{ clients: bench.quick ? 500 : 2000 }));

	bench.table("A storm of newcomers over TLS, each with a whole handshake; " +
	    "server CPU µs per connect, handshake and subscribe",
	    ["", ...names], [["", ...lineOf(found, names, key)]]);
}

export async function tls(bench, clock) {
	await fanOut(bench, clock.part(0.6));
	await memory(bench);
	await connect(bench, clock);
}
