// SPDX-License-Identifier: MIT
/*
 * client-types.js - the client as a careful user writes it, for tsc to check.
 *
 * Never run.  What must not pass is marked @ts-expect-error, so a type that
 * lets everything through is found out, too.
 */

import { PubSubError, connect } from "../../public/pubsub.js";

/** @typedef {import("../../public/pubsub.js").Place} Place */

export async function use() {
	const client = connect(new URL("ws://localhost:8000/ws"), {
		timeout: 5000,
		token: async () => "a.b.c",
		onState: ({ state, reason, retryAt }) =>
			state === "waiting" && reason.length + retryAt,
	});
	connect("ws", { token: () => null });
	connect(["ws://a/ws", new URL("ws://b/ws")], {
		onState: ({ state, url }) => state.length + url.length,
	});
	/* @ts-expect-error: the servers are a list, or one */
	connect({ url: "ws://a/ws" });
	/* @ts-expect-error: a token is fetched, not given */
	connect("ws", { token: "a.b.c" });
	/** @type {Place | undefined} */
	let since;
	const room = await client.subscribe("room", {
		since,
		history: 20,
		echo: false,
		onMessage: ({ seq, time, message }) => [seq + time, message.text],
		/* @ts-expect-error: a gap may have no numbers */
		onGap: ({ from, to, reason }) => [to - from, reason.length],
		onEnd: ({ code }) => code.length,
	});

	await client.subscribe("numbers", { onGap: (gap) =>
		gap.reason === "slow" ? gap.to - gap.from : gap.topic.length });
	await client.subscribe("no numbers", { onGap: ({ from, to }) =>
		from === undefined ? 0 : to - from });
	const { epoch, seq } = await client.publish("room", { text: "hi" },
	    { retry: true });

	since = room.place;
	since = { epoch, seq };
	since = { epoch, seq, pos: room.place.pos ?? "log.7" };
	/* @ts-expect-error: a place has a number */
	since = { epoch };
	/* @ts-expect-error: there is no such option */
	client.subscribe("room", { onmessage() {} });
	/** @type {number} */
	const count = await client.presence("room");
	const { messages, more } = await client.history("room", { limit: 5 });

	client.addEventListener("state", () => {
		/** @type {"connecting" | "open" | "waiting" | "closed"} */
		const state = client.state;

		return state;
	});
	/* @ts-expect-error: limits are not known before the first welcome */
	void client.limits.message;
	await room.unsubscribe();
	client.user.startsWith("of");
	await client.ping();
	await client.close();
	return [count, more, messages.map((m) => m.seq + m.topic.length)];
}

/** @param {unknown} error */
export function outcome(error) {
	return error instanceof PubSubError ? error.code : "";
}
