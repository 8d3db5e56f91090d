// SPDX-License-Identifier: MIT
/* reload.mjs - a proxy reads its configuration again: what those are told whose
 * connections are open, and whether new connections are served meanwhile. */

import { waitFor } from "../e2e/wait.mjs";
import { must } from "./steps.mjs";

/* So many messages, when the reload is over: who hears all of them has stayed. */
const MESSAGES = 10;

/* What a WebSocket is told, and whether a stream ends. */
export async function keepsOverReload(visitor) {
	const socket = await visitor.socket("?topic=reload");
	const stream = await visitor.stream("reload");
	const ends = { WebSocket: null, stream: null };
	const heard = (text) => ({ WebSocket: socket.messages.includes(text),
		stream: stream.text.includes(`data: ${text}\n`) });

	socket.told.then((told) => {
		ends.WebSocket = told;
	});
	stream.ended.then(() => {
		ends.stream = "ends";
	});
	try {
		await visitor.front.reload();
		for (let i = 0; i < MESSAGES; i++) {
			await visitor.get("/topics/reload",
			    { method: "POST", body: `after ${i}` });
			await waitFor("the message or the end", () =>
				Object.entries(heard(`after ${i}`)).every(
				    ([what, isHeard]) => isHeard || ends[what]));
		}
		return Object.entries(ends).map(([what, end]) =>
			`${what} ${end ?? "stays"}`).join(", ");
	} finally {
		socket.close();
		stream.close();
	}
}

/* New connections, one after the other, until the reload is over and once more. */
export async function servesOverReload({ front, constructor: Visit }) {
	let isOver = false;
	const reload = front.reload().finally(() => {
		isOver = true;
	});
	reload.catch(() => {}); /* it is awaited when all have asked */
	const ask = async () => {
		const visitor = await new Visit(front).open();

		try {
			const { status } = await visitor.get("/healthz");

			must(status === 200, `a new connection gets ${status}`);
		} finally {
			visitor.close();
		}
	};

	do
		await ask();
	while (!isOver);
	await reload;
	await ask();
	return "served";
}
