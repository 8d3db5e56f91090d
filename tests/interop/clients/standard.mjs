// SPDX-License-Identifier: MIT
/* standard.mjs - a client by any class that is made like the browsers' own. */

export function talk(WebSocket, [url, protocol, ...lines], options = undefined) {
	const socket = new WebSocket(url, protocol ? [protocol] : [], options);

	socket.addEventListener("open", () => {
		console.log("open", socket.protocol ?? "");
		lines.forEach((line) => socket.send(line));
	});
	socket.addEventListener("message", ({ data }) => {
		console.log("message", data);
		if (data.startsWith(">"))
			socket.send(data.slice(1));
		if (data === "bye")
			socket.close(1000);
	});
	socket.addEventListener("error", (event) =>
		console.log("raised", event.message ?? event.type));
	socket.addEventListener("close", ({ code, reason, wasClean }) =>
		console.log("closed", code, reason ?? "",
		    wasClean === false ? "(not clean)" : ""));
}
