#!/usr/bin/env bash
# eventsource 2.0.2 and @microsoft/fetch-event-source 2.0.1 (npm): of an event that
# broke off they keep the id, and never get the event.
#
# Expected: as in the WHATWG's text ("any pending data must be discarded" at the end
# of the stream): an event whose empty line has not come did not happen, so the
# client comes back with the id of the event before it, and gets it then.
# Seen: the id counts as soon as its line has come.  After "id: 2", half a message
# and the end of the connection they ask to go on behind 2, so a server that resumes
# by Last-Event-ID leaves message 2 out: it is lost, and nobody is told.
# eventsource 4.1.1 and undici 7.30.2 come back with 1, as they should.
# Consequence for a server: write the id behind the data, not before it.
. "$(dirname "$0")/lib.sh"

packages_of_npm eventsource@2.0.2 @microsoft/fetch-event-source@2.0.1 \
	four@npm:eventsource@4.1.1 undici@7.30.2
cat >"$work/client.mjs" <<'EOF'
import { once } from "node:events";
import { createServer } from "node:http";
import two from "eventsource";
import { EventSource as Four } from "four";
import { EventSource as OfUndici } from "undici";
import { fetchEventSource } from "@microsoft/fetch-event-source";

globalThis.window = globalThis;
globalThis.document = { addEventListener() {}, removeEventListener() {} };
process.removeAllListeners("warning"); /* undici's is called experimental */
const clients = {
	"eventsource 2": (url) => new two(url).onerror = () => {},
	"fetch-event-source": (url) => fetchEventSource(url, {
		onclose() { throw new Error("come back"); }, onerror() {} }),
	"eventsource 4": (url) => new Four(url),
	"undici": (url) => new OfUndici(url),
};
const HALF = "retry: 10\n\nid: 1\ndata: one\n\nid: 2\ndata: half of t";

for (const [name, follow] of Object.entries(clients)) {
	const server = createServer().listen(0, "127.0.0.1");

	await once(server, "listening");
	follow(`http://127.0.0.1:${server.address().port}/`);
	const [, first] = await once(server, "request");

	first.writeHead(200, { "Content-Type": "text/event-stream" });
	first.end(HALF);
	const [again] = await once(server, "request");

	console.log(`${name}: goes on behind ${again.headers["last-event-id"]}`);
}
process.exit();
EOF
seen=$(timeout 30 node "$work/client.mjs" 2>/dev/null)
expect 'eventsource 2: goes on behind 2
fetch-event-source: goes on behind 2
eventsource 4: goes on behind 1
undici: goes on behind 1' "$seen"
