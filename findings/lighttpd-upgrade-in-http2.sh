#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 12), mod_proxy: a WebSocket over HTTP/2 that the server
# refuses with 426 gets an answer without a status.
#
# Expected: the 426.  A server must name the protocol in an Upgrade field there (RFC
# 9110, section 15.5.22), and a gateway takes such fields out before it passes the
# message on in HTTP/2 (RFC 9113, section 8.2.2).  HAProxy, Apache and nghttpx of Debian
# 12 do so, and lighttpd does it with the answer to a GET.
# Seen: in the answer to an extended CONNECT the field is left in.  That makes the head
# malformed, so that Node's client drops it with its status and has an end only.
# With a 403 that has no Upgrade it sees the 403.
# Consequence for a server: no Upgrade in what refuses a WebSocket, other than a 426.
. "$(dirname "$0")/lib.sh"

debian lighttpd=1.4.69-1
. "$(dirname "$0")/http2.sh"
upstream=$(free_port) port=$(free_port)
front lighttpd "$port" "$upstream"

cat >"$work/refuse.mjs" <<'EOF'
import { open, openOld, serve, until } from "./tunnel.mjs";

const [upstream, port] = process.argv.slice(2);
const server = await serve(upstream);
const refusals = ["403 Forbidden\r\nConnection: close",
	"426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade, close"];

for (const refusal of refusals) {
	server.deed = (socket) => socket.end(
	    `HTTP/1.1 ${refusal}\r\nContent-Length: 2\r\n\r\nno`);
	for (const [version, visit] of [["HTTP/1.1", openOld], ["HTTP/2", open]]) {
		const visitor = await visit(port);

		await until(visitor, visit === open ? "<end>" : "no");
		console.log(`${refusal.slice(0, 3)} over ${version}: ${visitor.seen}`);
		visitor.destroy();
	}
}
process.exit();
EOF
seen=$(node "$work/refuse.mjs" "$upstream" "$port")
expect '403 over HTTP/1.1: 403 no
403 over HTTP/2: 403 no<end>
426 over HTTP/1.1: 426 no
426 over HTTP/2: <end>' "$seen"
