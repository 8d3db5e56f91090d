// SPDX-License-Identifier: MIT
/*
 * limits.mjs - two clients behind one proxy, which tells the server their
 * addresses: each has the limits of an address to itself.
 *
 * Loopback is exempt from these limits, so the clients have addresses that
 * scripts/interop.sh gives this host.
 */

import { upgrade } from "../e2e/upgrade.mjs";
import { waitFor } from "../e2e/wait.mjs";
import { must } from "./steps.mjs";

const ANNA = "203.0.113.1", BERT = "203.0.113.2", NOBODY = "203.0.113.9";

export const CONNS_PER_ADDRESS = 2;

/* Whom the server has a WebSocket or a stream of, by its own account. */
async function whoIsThere(server) {
	const { status, stdout, stderr } = await server.cli("conns", "--json");

	must(status === 0, stderr);
	return JSON.parse(stdout).filter(({ protocol }) => protocol !== "http")
	    .map(({ address }) => address.replace(/:\d+$/u, "")).sort().join(" ");
}

/* Wait until nobody is left from before: a proxy may notice that a reader has left
 * when it has something for it. */
async function empty(visitor) {
	await waitFor("the end of all from before", async () => {
		if (await whoIsThere(visitor.server) === "")
			return true;
		await visitor.get("/topics/limits",
		    { method: "POST", body: "anybody there?" });
		return false;
	});
	visitor.close();
}

/* visit: the class of both clients (visitor.mjs). */
export async function countsApart(front, Visit) {
	await empty(await new Visit(front).open());
	const anna = await new Visit(front, { from: ANNA }).open();
	const bert = await new Visit(front, { from: BERT }).open();
	const gets = async (status, visitor, headers = {}) => {
		const seen = await visitor.get("/healthz", { headers });

		must(seen.status === status, `${visitor.from} gets ` +
		    `${seen.status}, not ${status}`);
	};
	const socket = await anna.socket("?topic=limits");
	const stream = await anna.stream("limits");
	const there = await whoIsThere(front.server);

	must(there === `${ANNA} ${ANNA}`, `the server sees ${there}`);
	await gets(503, anna);
	/* What she says of herself. */
	await gets(503, anna, { "X-Forwarded-For": NOBODY });
	await gets(200, bert);
	/* Not by the connection that the proxy has kept from him. */
	await gets(503, anna);
	const other = await bert.socket("?topic=limits");

	await bert.say(other, "limits", "hello");
	await upgrade(front.server);
	await gets(503, anna);
	await bert.say(other, "limits", "and on");
	socket.close();
	await socket.told;
	await waitFor("room", async () =>
		(await anna.get("/healthz")).status === 200);
	stream.close();
	other.close();
	anna.close();
	bert.close();
}
