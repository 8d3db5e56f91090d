#!/usr/bin/env bash
# partysocket 1.3.0 and reconnecting-websocket 4.4.0 (npm): what was sent while there
# was no connection goes out before the `open' event.
#
# Expected: first the application hears that it is connected again and says who it
# is, or subscribes, as it does on every connection; then what had to wait follows.
# Seen: the queue is emptied first, so on each connection but the first one messages
# reach the server before the application's first word.  A server that wants that
# word first refuses them, and the library does not send them again.
# Consequence for a server: with such clients, ask for credentials in the handshake.
. "$(dirname "$0")/lib.sh"

packages_of_npm partysocket@1.3.0 reconnecting-websocket@4.4.0 ws@8.23.0
cat >"$work/client.mjs" <<'EOF'
import { once } from "node:events";
import { WebSocket as OfPartysocket } from "partysocket";
import Reconnecting from "reconnecting-websocket";
import { WebSocket, WebSocketServer } from "ws";

const clients = { "partysocket": OfPartysocket,
	"reconnecting-websocket": Reconnecting.default ?? Reconnecting };

for (const [name, Client] of Object.entries(clients)) {
	const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });

	await once(server, "listening");
	const client = new Client(`ws://127.0.0.1:${server.address().port}`, [],
	    { WebSocket, minReconnectionDelay: 10, maxReconnectionDelay: 10 });

	client.addEventListener("open", () => client.send("it is me"));
	client.addEventListener("close", () => client.send("a message"));
	const [first] = await once(server, "connection");

	await once(first, "message");
	first.close(1001);
	const [second] = await once(server, "connection");
	const heard = [];

	second.on("message", (text) => heard.push(`${text}`));
	while (heard.length < 2)
		await once(second, "message");
	console.log(`${name}: ${heard.join(", ")}`);
}
process.exit();
EOF
seen=$(timeout 30 node "$work/client.mjs" 2>/dev/null)
expect 'partysocket: a message, it is me
reconnecting-websocket: a message, it is me' "$seen"
