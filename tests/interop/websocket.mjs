// SPDX-License-Identifier: MIT
/*
 * websocket.mjs - what a WebSocket client is put through.
 *
 * The client knows no step of it: it follows the topic `to', sends back what it
 * is told there, and prints what its application hears (clients.mjs).
 */

import { Client } from "../e2e/client.mjs";
import { post } from "../e2e/events.mjs";
import { Server } from "../e2e/server.mjs";
import { waitFor } from "../e2e/wait.mjs";
import { Program, START_MS } from "./program.mjs";
import { LONG, STAYS, TEXT, inTime, killWorker, publishOverUpgrade, restart } from "./steps.mjs";

const V1 = "pubsubd.v1";

class Stage {
	constructor(server, client, to) {
		this.server = server;
		this.client = client;
		this.command = client.command(to);
	}

	/* The client, connected to /ws with this behind it. */
	async connect(query, protocol = "", ...lines) {
		const url = `ws://127.0.0.1:${this.server.port}/ws${query}`;
		const program = new Program(
		    [...this.command, url, protocol, ...lines],
		    { cwd: this.client.directory });

		try {
			await program.says(`open ${protocol}`.trimEnd(), START_MS);
		} catch (error) {
			await program.end();
			throw error;
		}
		return program;
	}

	/* A message to the client, which it sends back to `from', is told again
	 * since that subscribes it, and has sent as it was. */
	async echo(program, text) {
		await post(this.server, "to",
		    `>${JSON.stringify({ topic: "from", message: text })}`);
		await program.says(`message ${text}`);
		const past = await (await fetch(
		    `${this.server.url}/topics/from/history?limit=1`)).json();

		if (past.messages[0].message !== text)
			throw new Error("it sent something else");
	}

	/* Silent for longer than one that does not answer pings may be. */
	async outlastPings() {
		const program = await this.connect("?topic=to");

		try {
			const deaf = await Client.open(this.server,
			    { autoPong: false });

			await waitFor("the end of the one that is deaf",
			    async () => await this.server.total("timeouts") > 0);
			await deaf.closed;
			await this.echo(program, "still here");
		} finally {
			await program.end();
		}
	}

	/* Under a connection, which then still carries messages both ways. */
	async outlastUpgrade() {
		const program = await this.connect("?topic=to");

		try {
			await program.isTold(await publishOverUpgrade(this.server,
			    (text) => post(this.server, "to", text)));
			await this.echo(program, TEXT);
			return STAYS;
		} finally {
			await program.end();
		}
	}

	/* What the client is told when this happens to a connection of its, and
	 * whether it comes back. */
	async toldWhen(happens, ...connection) {
		const program = await this.connect(...connection);

		try {
			await happens();
			const told = await program.tellsOfAnEnd();

			if (!this.client.returns || this.server.child.exitCode !== null)
				return told;
			await program.says(/^open/u);
			return `${told}; comes back`;
		} finally {
			await program.end();
		}
	}
}

/* Talk to one connection, which ends when the client says so. */
async function talk(stage, outcome) {
	let program;

	await outcome.note("handshake", async () => {
		program = await stage.connect("?topic=to");
	});
	if (!program)
		return;
	await outcome.note("UTF-8", () => stage.echo(program, TEXT));
	await outcome.note("60 KB", () => stage.echo(program, LONG));
	await outcome.note("its own close", async () => {
		await post(stage.server, "to", "bye");
		return program.tellsOfAnEnd();
	});
	await program.end();
}

/* With pings once a second, to be answered within two. */
async function outlastPings(client, to) {
	const server = await new Server(["--workers", "1",
		"--ping-interval", "1"]).run();

	try {
		await new Stage(server, client, to).outlastPings();
	} finally {
		await server.end();
	}
}

/* By v1 from the first of three messages on. */
async function resume(stage) {
	const { epoch, seq } = await post(stage.server, "past", "one");

	await post(stage.server, "past", "two");
	await post(stage.server, "past", "three");
	const program = await stage.connect("", V1, JSON.stringify({
		type: "subscribe", id: 1, topic: "past", since: { epoch, seq } }));

	try {
		await program.says(/"type":"ack".*"recovered":true/u);
		await program.says(/"seq":2,.*"message":"two"/u);
		await program.says(/"seq":3,.*"message":"three"/u);
	} finally {
		await program.end();
	}
}

export async function playWebSocket(client, outcome, to) {
	const server = await new Server(["--workers", "1"]).run();
	const stage = new Stage(server, client, to);
	const told = (what, happens, ...connection) => outcome.note(what,
	    () => stage.toldWhen(() => happens(server), ...connection));

	try {
		await talk(stage, outcome);
		await outcome.note("pings",
		    () => inTime(() => outlastPings(client, to)));
		await outcome.note("resume", () => resume(stage));
		await outcome.note("upgrade", () => stage.outlastUpgrade());
		await told("restart", restart, "?topic=to");
		await told("restart, v1", restart, "", V1);
		await told("killed worker", killWorker, "?topic=to");
		await told("stop", () => server.stop(), "?topic=to");
	} finally {
		await server.end();
	}
}
