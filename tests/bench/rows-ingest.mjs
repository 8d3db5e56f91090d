// SPDX-License-Identifier: MIT
/*
 * rows-ingest.mjs - what a message costs that is taken in; see rows.mjs.
 *
 * 64 publishers, each with a topic of its own that one subscribes to (itself, in
 * pubsubd's plain contract) or ten do: so messages come from many sockets, and
 * taking them in is most of the work.  A figure is per published message.
 */

import { inTurn, load, ratios, summary, values } from "./measure.mjs";
import { addPeers, CPU, divide, lineOf, median, peersOf, UWEBSOCKETS,
	withAll } from "./rows.mjs";
import { floor, pubsubd } from "./servers.mjs";

const ROOMS = 64;

/* Whom to compare with: the better of uWebSockets, by its ratio to the floor,
 * and nats-server. */
function bestPeer(found, window) {
	const base = median(found, "floor", CPU);
	const nats = median(found, "nats-server", CPU);
	const theirs = base && UWEBSOCKETS.ingest[window] * base;

	return nats === null ? theirs : Math.min(theirs, nats);
}

function judge(bench, found, members, window) {
	const own = summary(values(found.get("pubsubd"), CPU));
	const ratio = summary(ratios(
	    found.get("pubsubd"), found.get("floor"), CPU));
	const best = members === 1 && own ? bestPeer(found, window) : null;
	const what = `${ROOMS} publishers, ${members} to each, window ${window}: `;

	if (best)
		bench.goal(`${what}CPU per message against the better of ` +
		    "uWebSockets and nats-server", 0.75, divide(own, best),
		    "uWebSockets by way of the floor, as it was elsewhere" +
		    (found.get("nats-server")?.length > 0 ? "" :
			    "; nats-server was not there"));
	if (members === 1 && window === 16)
		bench.goal(`${what}against the floor`, 1.8, ratio);
	if (members === 10)
		bench.goal(`${what}against the floor`, 1.5, ratio);
	if (members === 1)
		bench.goal(`${what}pubsubd.v1 against plain`, 1.05,
		    summary(ratios(found.get("pubsubd.v1"),
			found.get("pubsubd"), CPU)));
	return ratio;
}

export async function ingest(bench, clock) {
	const kinds = [[1, 16], [1, 64], [10, 64]];
	const names = ["floor", "pubsubd", "pubsubd.v1",
		...peersOf(bench).filter((name) => name === "nats-server")];
	const lines = [];

	for (const [i, [members, window]] of kinds.entries()) {
		const part = clock.part(1 / (kinds.length - i));
		const measure = (contestant) => load(contestant, "window", {
			rooms: ROOMS, members, window, warm: 0.2,
			seconds: bench.quick ? 0.3 : 0.8 });
		const found = await withAll([() => floor({ rooms: true }), pubsubd],
		    ([least, server]) => inTurn(part.part(0.75),
			bench.quick ? 3 : 11, [least, server,
				{ ...server, form: "v1", name: "pubsubd.v1" }],
			measure));

		if (names.includes("nats-server"))
			await addPeers(bench, found, part, 5, measure,
			    ["nats-server"]);
		lines.push([`${members} to each, window ${window}`,
			...lineOf(found, names, CPU, 1 / members),
			judge(bench, found, members, window)]);
	}
	bench.table(`Taking messages in: ${ROOMS} publishers, a topic each, 100 ` +
	    "bytes; server CPU µs per published message",
	    ["", ...names, "pubsubd / floor"], lines);
}
