// SPDX-License-Identifier: MIT
/*
 * events.mjs - what a client of server-sent events is put through (clients.mjs).
 *
 * The harm comes last: a client that does not connect again by itself has ended
 * then, and another one takes its place.
 */

import { Events, post } from "../e2e/events.mjs";
import { Server } from "../e2e/server.mjs";
import { Program, START_MS } from "./program.mjs";
import { LONG, STAYS, TEXT, killWorker, publishOverUpgrade, restart } from "./steps.mjs";

const HEARTBEATS = 4;

class Reader {
	program = null;

	constructor(server, client, to) {
		this.server = server;
		this.client = client;
		this.command = client.command(to);
	}

	async open() {
		this.program = new Program([...this.command,
			`${this.server.url}/topics/to/events`],
		{ cwd: this.client.directory });
		await this.program.says(/^open$/u, START_MS);
	}

	async take(text) {
		await post(this.server, "to", text);
		await this.program.says(`message ${text}`);
	}

	/* Silent while a stream beside it gets heartbeats. */
	async outlastHeartbeats() {
		const beside = await Events.open(this.server, "beside");

		for (let i = 0; i < HEARTBEATS; i++)
			await beside.comment();
		beside.close();
		await this.take("still here");
	}

	async outlastUpgrade() {
		await this.program.isTold(await publishOverUpgrade(this.server,
		    (text) => post(this.server, "to", text)));
		return STAYS;
	}

	/* What the client says when this happens, and whether it then misses
	 * what is published before it is back.  In a new ring that is no part of
	 * what it follows: it is told a gap. */
	async toldWhen(happens, { newRing = false } = {}) {
		if (!this.program || this.program.ended)
			await this.open();
		await happens();
		const end = await this.program.tellsOfAnEnd();

		if (!this.client.returns) {
			await this.program.end();
			return end;
		}
		if (newRing)
			await this.program.says("gap");
		await this.take("while it was away");
		return `${end}; comes back, ` +
		    (newRing ? "is told a gap" : "nothing missed");
	}
}

/* With the same port and an empty ring. */
async function stopAndStart(server) {
	await server.stop();
	await server.run();
}

export async function playEvents(client, outcome, to) {
	const server = await new Server(["--workers", "1",
		"--ping-interval", "1"]).run();
	const reader = new Reader(server, client, to);
	const told = (what, happens, options) => outcome.note(what,
	    () => reader.toldWhen(() => happens(server), options));

	try {
		await outcome.note("first event", () => reader.open());
		await outcome.note("UTF-8", () => reader.take(TEXT));
		await outcome.note("60 KB", () => reader.take(LONG));
		await outcome.note("heartbeats", () => reader.outlastHeartbeats());
		await outcome.note("upgrade", () => reader.outlastUpgrade());
		await told("restart", restart);
		await told("killed worker", killWorker);
		await told("stop and start", stopAndStart, { newRing: true });
	} finally {
		await reader.program?.end();
		await server.end();
	}
}
