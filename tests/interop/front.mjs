// SPDX-License-Identifier: MIT
/* front.mjs - a proxy that runs in front of a server, with ports and a folder of
 * its own (proxies.mjs). */

import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePort } from "../e2e/ports.mjs";
import { run } from "../e2e/server.mjs";
import { waitFor } from "../e2e/wait.mjs";
import { Program } from "./program.mjs";
import { must } from "./steps.mjs";

/* The site that it serves. */
export const NAME = "chat.example.org";

function answers(port) {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1", () => {
			socket.destroy();
			resolve(true);
		}).on("error", () => resolve(false));
	});
}

/* A key and a certificate that it signs itself, in one file. */
async function makeCertificate(file) {
	const { status, stderr } = await run("openssl", ["req", "-x509", "-nodes",
		"-newkey", "rsa:2048", "-days", "2", "-subj", `/CN=${NAME}`,
		"-addext", `subjectAltName=DNS:${NAME}`,
		"-keyout", file, "-out", `${file}.cert`]);

	must(status === 0, stderr);
	appendFileSync(file, readFileSync(`${file}.cert`));
	chmodSync(file, 0o644); /* for whoever the proxy is then */
}

export class Front {
	port = 0;
	securePort = 0; /* of TLS; 0: none */

	/* lowered: its time-outs are a few seconds. */
	constructor(server, proxy, { lowered = false } = {}) {
		this.server = server;
		this.proxy = proxy;
		this.lowered = lowered;
	}

	async start() {
		this.dir = mkdtempSync(join(tmpdir(), "pubsubd-interop-"));
		chmodSync(this.dir, 0o777); /* some are another user then */
		this.file = join(this.dir, this.proxy.config);
		writeFileSync(this.file, await this.#configuration());
		for (const [name, text] of Object.entries(this.proxy.beside ?? {}))
			writeFileSync(join(this.dir, name), text);
		if (this.securePort || this.proxy.secure)
			await makeCertificate(join(this.dir, "pem"));
		this.program = new Program(this.proxy.command(this.file, this.dir,
		    this.port, this.lowered), { env: this.#env() });
		await waitFor("the proxy's port", () => {
			must(!this.program.ended,
			    `it did not start: ${this.program.lastWords}`);
			return answers(this.securePort || this.port);
		});
	}

	/* Its file with ports and a folder that are free, and times that are
	 * lowered. */
	async #configuration() {
		const { config, directory, lower = [] } = this.proxy;
		let text = readFileSync(join(directory, config), "utf8");

		this.port = await freePort();
		this.securePort = text.includes("8443") ? await freePort() : 0;
		for (const [time, lowered] of lower) {
			must(text.includes(time), `no "${time}" in ${config}`);
			if (this.lowered)
				text = text.replaceAll(time, lowered);
		}
		return text.replace(/\b(?:8000|8080|8443)\b|\/run\/proxy/gu,
		    (word) => ({ 8000: this.server.port, 8080: this.port,
			    8443: this.securePort, "/run/proxy": this.dir })[word]);
	}

	#env() {
		return this.proxy.env?.(this.dir, this.port, this.securePort,
		    this.lowered);
	}

	/* How often it has said each line that it says when a reload is over. */
	#reloads() {
		const { done = [], log } = this.proxy.reload;
		const said = log ? readFileSync(join(this.dir, log), "utf8") :
			this.program.stdout + this.program.stderr;

		return done.map((line) => said.split(line).length);
	}

	/* Have it read its configuration again; back when it says that it has. */
	async reload() {
		const { command, signal } = this.proxy.reload;
		const before = this.#reloads();

		if (signal)
			this.program.child.kill(signal);
		else
			await this.#run(command(this.file, this.dir));
		await waitFor("the end of its reload", () => {
			must(!this.program.ended,
			    `it ended: ${this.program.lastWords}`);
			return this.#reloads().every((n, i) => n > before[i]);
		});
	}

	/* Run a command of its to the end. */
	async #run(words) {
		const command = new Program(words, { env: this.#env() });

		await command.closed;
		must(command.child.exitCode === 0,
		    `it failed: ${command.lastWords}`);
	}

	async end() {
		await this.program?.end("SIGTERM").catch(() => this.program.end());
		rmSync(this.dir, { recursive: true, force: true });
	}
}
