// SPDX-License-Identifier: MIT
import { fetchEventSource } from "@microsoft/fetch-event-source";

/* It is made for browsers, and takes these from there. */
globalThis.window = globalThis;
globalThis.document = { addEventListener() {}, removeEventListener() {} };

await fetchEventSource(process.argv[2], {
	onmessage: ({ event, data }) => {
		if (event === "ready")
			console.log("open");
		else if (event === "gap")
			console.log("gap");
		else if (data)
			console.log("message", data);
	},
	onclose: () => {
		console.log("closed");
		throw new Error("so that it comes back");
	},
	onerror: (error) => console.log("closed", error.message),
});
