// SPDX-License-Identifier: MIT
import { createEventSource } from "eventsource-client";

createEventSource({
	url: process.argv[2],
	onMessage: ({ event, data }) => {
		if (event === "ready")
			console.log("open");
		else if (event === "gap")
			console.log("gap");
		else
			console.log("message", data);
	},
	onDisconnect: () => console.log("closed"),
});
