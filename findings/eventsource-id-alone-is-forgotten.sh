#!/usr/bin/env bash
# eventsource 4.1.1, eventsource-client 1.2.0 and launchdarkly-eventsource 2.2.0
# (npm): a block that has an id and no data does not move the place to go on from.
#
# Expected: as in the WHATWG's text (9.2.6, "dispatch the event"): the last event ID
# is set first, and only then is an event without data dropped, so a server can say
# "you have seen everything up to here" without an event.
# Seen: nobody sees the id of such a block.  The parser hands out events only, and
# forgets the id with the event that it does not make; the client comes back with
# the id before it.  undici 7.30.2 and eventsource 2.0.2 keep it.
# Consequence for a server: a place that has to be known needs an event of its own.
. "$(dirname "$0")/lib.sh"

packages_of_npm eventsource@4.1.1 eventsource-client@1.2.0 \
	launchdarkly-eventsource@2.2.0 two@npm:eventsource@2.0.2 undici@7.30.2
cat >"$work/client.mjs" <<'EOF'
import { once } from "node:events";
import { createServer } from "node:http";
import { EventSource as Four } from "eventsource";
import { createEventSource } from "eventsource-client";
import launchdarkly from "launchdarkly-eventsource";
import Two from "two";
import { EventSource as OfUndici } from "undici";

const clients = {
	"eventsource 4": (url) => new Four(url),
	"eventsource-client": (url) => createEventSource(url),
	"launchdarkly-eventsource": (url) =>
		new launchdarkly.EventSource(url).onerror = () => {},
	"eventsource 2": (url) => new Two(url).onerror = () => {},
	"undici": (url) => new OfUndici(url),
};

for (const [name, follow] of Object.entries(clients)) {
	const server = createServer().listen(0, "127.0.0.1");

	await once(server, "listening");
	follow(`http://127.0.0.1:${server.address().port}/`);
	const [, first] = await once(server, "request");

	first.writeHead(200, { "Content-Type": "text/event-stream" });
	first.end("retry: 10\n\nid: 1\ndata: one\n\nid: 2\n\n");
	const [again] = await once(server, "request");

	console.log(`${name}: goes on behind ${again.headers["last-event-id"]}`);
}
process.exit();
EOF
seen=$(timeout 30 node "$work/client.mjs" 2>/dev/null)
expect 'eventsource 4: goes on behind 1
eventsource-client: goes on behind 1
launchdarkly-eventsource: goes on behind 1
eventsource 2: goes on behind 2
undici: goes on behind 2' "$seen"
