// SPDX-License-Identifier: MIT
/*
 * screenshot.mjs - take the picture for the README: tests/browser/screenshot.png.
 *
 * Run by hand after the chat has changed its looks, with any fonts installed
 * that the picture shall show (style.css names them in order of preference):
 *
 *	node tests/browser/screenshot.mjs [FILE]
 *
 * The clock stands still and the talk is written down here, so that two
 * pictures differ only where the chat does.
 */

import { fileURLToPath } from "node:url";

import { Server, Visitor, launchBrowser } from "./support.mjs";

const FILE = process.argv[2] ??
    fileURLToPath(new URL("screenshot.png", import.meta.url));

const ROOM = "quiet-harbor-417";
const NOW = Date.parse("2026-03-04T10:47:00Z");
const MINUTE_MS = 60 * 1000;

/* Minutes ago, who, what. */
const TALK = [
	[9, "Mira Okafor", "Morning! I killed worker 2 while all of you were typing."],
	[8, "Jonas", "And?"],
	[7, "Mira Okafor", "Nothing. The other three went on as if it had never been there,"],
	[7, "Mira Okafor", "and whoever was just connecting waited for its successor."],
	[5, "Ines", "So that was the blink in my window: away for one second, then " +
	    "everything was back, with what you had said in between."],
	[3, "Yusuf", "One question for those who read ring.c: what if it dies between " +
	    "copying a message and committing it?"],
	[1, "Ada", "Whoever takes the lock next finds it and goes on from there.\n" +
	    "Nothing half-said is ever heard."],
];

/* Who is in the room besides Ada: a program without a name, and those above. */
const OTHERS = [undefined, "Mira Okafor", "Jonas", "Ines", "Yusuf"];

const UNREAD = [["release-planning", 3], ["lunch", 1]];

const envelope = (from, at, text, id) => ({ id, from, at, text });

function remembered() {
	return TALK.map(([ago, from, text], i) => {
		const at = NOW - ago * MINUTE_MS;

		return { ...envelope(from, at, text, `talk-${i}`), arrived: at,
			own: from === "Ada" };
	});
}

async function prepare(visitor) {
	await visitor.page.clock.setFixedTime(NOW);
	await visitor.page.addInitScript(([room, messages]) => {
		const put = (area, key, value) =>
			area.setItem(`pubsubd:${key}`, JSON.stringify(value));

		put(localStorage, "name", "Ada");
		put(localStorage, "rooms", [room, "release-planning",
			"ring-reading-group", "lunch"]);
		put(sessionStorage, `heard:${room}`, { messages });
	}, [ROOM, remembered()]);
	/* The server's clock stands still, too. */
	await visitor.page.routeWebSocket(/\/ws/u, (socket) =>
		socket.connectToServer().onMessage((text) => socket.send(
		    text.replace(/"time":\d+/gu, `"time":${NOW}`))));
}

async function fillOtherRooms(server, page) {
	for (const [room, count] of UNREAD) {
		const client = await server.client(room);

		for (let i = 0; i < count; i++)
			client.send(JSON.stringify({ topic: room, message: `${i}` }));
		await page.locator("#rooms a", { hasText: room })
		    .locator(".badge:not([hidden])", { hasText: `${count}` })
		    .waitFor();
		client.terminate();
	}
}

const server = await new Server().start();
const browser = await launchBrowser();

try {
	const ada = await Visitor.arrive(browser, "Ada", {
		viewport: { width: 1200, height: 800 }, deviceScaleFactor: 2,
		colorScheme: "light", locale: "en-GB", timezoneId: "UTC",
	});
	const deploy = "deploy: 4 workers ready, 0 messages lost";

	const others = [];

	/* In this order. */
	for (const name of OTHERS)
		others.push(await server.client(ROOM, name));
	await prepare(ada);
	await ada.join(server, ROOM);
	await ada.page.locator("#people",
	    { hasText: `${OTHERS.length + 1} connected` }).waitFor();
	others[0].send(JSON.stringify({ topic: ROOM, message: deploy }));
	await ada.hears(deploy);
	await fillOtherRooms(server, ada.page);
	await ada.page.screenshot({ path: FILE });
	for (const other of others)
		other.terminate();
} finally {
	await browser.close();
	await server.stop();
}
