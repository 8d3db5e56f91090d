// SPDX-License-Identifier: MIT
/* mouth.mjs - what a server of a cluster's log says, changed on the way. */

import { once } from "node:events";
import { connect, createServer } from "node:net";

/* In front of a server, and changes numbers in what it says while it is told to:
 * key -> the number that stands there instead; and is silent behind what it is told
 * to pass on last, until it is told to speak. */
export class Mouth {
	says = {};

	last = null;

	#hasSaid = false;
	#isSilent = false;
	#sockets = [];

	static async open(t, to) {
		const mouth = new Mouth();
		const server = createServer((client) => mouth.#pass(client,
		    connect(to)));

		t.after(() => {
			server.close();
			mouth.#sockets.forEach((socket) => socket.destroy());
		});
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		mouth.url = `nats://127.0.0.1:${server.address().port}`;
		return mouth;
	}

	#pass(client, server) {
		this.#sockets.push(client, server);
		for (const [one, other] of [[client, server], [server, client]])
			one.on("error", () => {}).on("close",
			    () => other.destroy());
		client.pipe(server);
		let tail = "";

		server.setEncoding("latin1").on("data", (text) => {
			if (this.#isSilent)
				return;
			client.write(this.#change(text), "latin1");
			tail = (tail + text).slice(-8192);
			this.#hasSaid ||= this.last?.test(tail) ?? false;
			/* All of it. */
			this.#isSilent = this.#hasSaid && text.endsWith("\r\n");
		});
	}

	/* To all that come from now on. */
	speak() {
		this.last = null;
		this.#hasSaid = this.#isSilent = false;
		this.#sockets.forEach((socket) => socket.destroy());
	}

	/* As long as it was: its length was said before. */
	#change(text) {
		return Object.entries(this.says).reduce((all, [key, number]) =>
			all.replace(new RegExp(`(?<="${key}": ?)\\d+`, "gu"),
			    (digits) => `${number}`.padStart(digits.length)),
		text);
	}
}
