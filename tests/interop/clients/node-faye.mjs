// SPDX-License-Identifier: MIT
import faye from "faye-websocket";

const [url, protocol, ...lines] = process.argv.slice(2);
const socket = new faye.Client(url, protocol ? [protocol] : []);

socket.on("open", () => {
	console.log("open", socket.protocol);
	lines.forEach((line) => socket.send(line));
});
socket.on("message", ({ data }) => {
	console.log("message", data);
	if (data.startsWith(">"))
		socket.send(data.slice(1));
	if (data === "bye")
		socket.close(1000);
});
socket.on("error", (event) => console.log("raised", event.message));
socket.on("close", ({ code, reason }) => console.log("closed", code, reason));
