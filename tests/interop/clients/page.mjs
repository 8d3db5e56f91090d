// SPDX-License-Identifier: MIT
/* page.mjs - a client in a page of the same server, in Chromium. */

import { launchBrowser } from "../../browser/support.mjs";

export async function inPage(client, type, args) {
	const browser = await launchBrowser();
	const page = await browser.newPage();
	const { host } = new URL(args[0]);

	page.on("console", (message) => {
		/* Not what the browser says of itself. */
		if (["log", "warning"].includes(message.type()))
			console.log(message.text());
	});
	page.setDefaultTimeout(0); /* the runner has one */
	await page.goto(`http://${host}/healthz`);
	await page.evaluate(`(${client})(${type}, ${JSON.stringify(args)})`);
}
