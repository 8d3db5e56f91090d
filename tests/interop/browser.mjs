// SPDX-License-Identifier: MIT
/* browser.mjs - Chromium behind a proxy that does HTTP/2. */

import { chromium } from "playwright-core";

import { chromiumOptions } from "../browser/support.mjs";
import { WAIT_MS, bounded } from "../e2e/wait.mjs";
import { NAME } from "./front.mjs";
import { must } from "./steps.mjs";

/* What the response to a WebSocket's handshake says. */
const BY_STATUS = { 101: "by HTTP/1.1", 200: "by HTTP/2" };

/* In the page: follow a topic by a WebSocket and by an event stream, publish by
 * both ways, and be back when both have told both messages.  Returns by what the
 * page has come. */
async function talk() {
	const socket = new WebSocket(`wss://${location.host}/ws?topic=browser`);
	const stream = new EventSource("/topics/browser/events");
	const hears = (what, event) => new Promise((resolve, reject) => {
		what.addEventListener(event, resolve);
		what.addEventListener("error", () =>
			reject(new Error(`no ${what.constructor.name}`)));
	});
	const hearsBoth = (what) => new Promise((resolve) => {
		const texts = new Set();

		what.addEventListener("message", ({ data }) => {
			texts.add(data);
			if (texts.has("by WebSocket") && texts.has("by POST"))
				resolve();
		});
	});
	const heard = Promise.all([hearsBoth(socket), hearsBoth(stream)]);

	await Promise.all([hears(socket, "open"), hears(stream, "ready")]);
	socket.send(JSON.stringify({ topic: "browser", message: "by WebSocket" }));
	await fetch("/topics/browser", { method: "POST", body: "by POST" });
	await heard;
	socket.close();
	stream.close();
	return performance.getEntriesByType("navigation")[0].nextHopProtocol;
}

/* Says by what its WebSocket came, its page having come by HTTP/2. */
export async function browses(front) {
	const browser = await chromium.launch(chromiumOptions(
	    "--ignore-certificate-errors",
	    `--host-resolver-rules=MAP ${NAME} 127.0.0.1`));

	try {
		const page = await browser.newPage();
		const devtools = await page.context().newCDPSession(page);
		let status = 0;

		await devtools.send("Network.enable");
		devtools.on("Network.webSocketHandshakeResponseReceived",
		    ({ response }) => {
			status = response.status;
		});
		page.setDefaultTimeout(WAIT_MS);
		await page.goto(`https://${NAME}:${front.securePort}/healthz`);
		const protocol = await bounded("the page", page.evaluate(talk));

		must(protocol === "h2", `its page came by ${protocol}`);
		must(status in BY_STATUS, `a WebSocket with status ${status}`);
		return BY_STATUS[status];
	} finally {
		await browser.close();
	}
}
