// SPDX-License-Identifier: MIT
/* follow.mjs - a client by any class that is made like the browsers' EventSource. */

export function follow(EventSource, [url], options = undefined) {
	const source = new EventSource(url, options);

	source.addEventListener("ready", () => console.log("open"));
	source.addEventListener("gap", () => console.log("gap"));
	source.addEventListener("message", ({ data }) =>
		console.log("message", data));
	source.addEventListener("error", (event) => console.log("closed",
	    event.code ?? event.status ?? "", event.message ?? ""));
}
