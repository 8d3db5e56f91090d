// SPDX-License-Identifier: MIT
import websocket from "websocket";

const [url, protocol, ...lines] = process.argv.slice(2);
const client = new websocket.client();

client.on("connectFailed", (error) => console.log("raised", error.message));
client.on("connect", (connection) => {
	console.log("open", connection.protocol ?? "");
	lines.forEach((line) => connection.sendUTF(line));
	connection.on("message", ({ utf8Data: text }) => {
		console.log("message", text);
		if (text.startsWith(">"))
			connection.sendUTF(text.slice(1));
		if (text === "bye")
			connection.close(1000);
	});
	connection.on("error", (error) => console.log("raised", error.message));
	connection.on("close", (code, reason) =>
		console.log("closed", code, reason));
});
client.connect(url, protocol || null);
