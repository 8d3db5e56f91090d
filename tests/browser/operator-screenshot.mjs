// SPDX-License-Identifier: MIT
/*
 * operator-screenshot.mjs - take the picture of the operator's page for the
 * README: tests/browser/operator.png.
 *
 * Run by hand after the page has changed its looks:
 *
 *	node tests/browser/operator-screenshot.mjs [FILE]
 *
 * What it shows is a server that clients talk to for half a minute.
 */

import { fileURLToPath } from "node:url";

import { Server, Visitor, launchBrowser } from "./support.mjs";

const FILE = process.argv[2] ??
    fileURLToPath(new URL("operator.png", import.meta.url));
const SECONDS = 40;
const ROOMS = ["chat/lobby", "chat/help", "sensors/roof", "sensors/cellar",
	"orders/new", "prices"];

const server = await new Server("--admin", "127.0.0.1:0", "--workers", "4")
    .start();
const browser = await launchBrowser();
const clients = [];

/* Talk in the rooms, in some more than in others, in waves. */
function talk(second) {
	const wave = 1 + Math.sin(second / 3);

	clients.forEach((client, i) => {
		const room = ROOMS[i % ROOMS.length];
		const count = Math.round(wave * (ROOMS.length - i % ROOMS.length));

		for (let n = 0; n < count; n++)
			client.send(JSON.stringify({ topic: room, message: "hello" }));
	});
}

try {
	const visitor = await Visitor.arrive(browser, "operator", {
		viewport: { width: 1000, height: 960 }, colorScheme: "light",
		locale: "en-GB",
	});
	const { admin } = await server.status();

	/* The name that an instance has by default. */
	await visitor.page.route(`${admin}/stats`, async (route) => {
		const response = await route.fetch();

		await route.fulfill({ response,
			json: { ...await response.json(), instance: "main" } });
	});
	await visitor.page.goto(admin);
	for (let second = 0; second < SECONDS; second++) {
		for (let i = 0; i < 5; i++)
			clients.push(
			    await server.client(ROOMS[clients.length % ROOMS.length]));
		for (let part = 0; part < 4; part++) {
			talk(second);
			await new Promise((resolve) => setTimeout(resolve, 240));
		}
	}
	await visitor.page.screenshot({ path: FILE });
	for (const client of clients)
		client.terminate();
} finally {
	await browser.close();
	await server.stop();
}
