// SPDX-License-Identifier: MIT
import WebSocket from "ws";

const [url, protocol, ...lines] = process.argv.slice(2);
const socket = new WebSocket(url, protocol ? [protocol] : []);

socket.on("open", () => {
	console.log("open", socket.protocol);
	for (const line of lines)
		socket.send(line);
});
socket.on("message", (data) => {
	const text = data.toString();

	console.log("message", text);
	if (text.startsWith(">"))
		socket.send(text.slice(1));
	if (text === "bye")
		socket.close(1000);
});
socket.on("error", (error) => console.log("raised", error.message));
socket.on("close", (code, reason) => console.log("closed", code, `${reason}`));
