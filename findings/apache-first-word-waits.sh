#!/usr/bin/env bash
# Apache 2.4.71 (Debian 12), mod_http2 and mod_proxy_http: what the server sends with
# its 101 does not reach a WebSocket over HTTP/2 before the server sends more.
#
# Expected: the first message comes with the answer.  A server may send as soon as it
# has sent the 101 (RFC 6455, section 4.2.2), and so often in the same TCP segment.  The
# manual says of H2WebSockets that such requests become those of HTTP/1.1 and that
# ProxyPass needs no further changes, and over HTTP/1.1 Apache passes it on at once.
# Seen: over HTTP/2 what it has read behind the 101's head stays where it is until the
# server sends something again, however long that takes; that the client sends does
# not help.  In a segment that follows the 101's it comes at once.
# Consequence for a server: whoever is owed an answer to the handshake itself may not
# see it before the next message or ping.
. "$(dirname "$0")/lib.sh"

debian apache2-bin=2.4.71-1~deb12u1
. "$(dirname "$0")/http2.sh"
upstream=$(free_port) port=$(free_port)
front apache "$port" "$upstream"

cat >"$work/first.mjs" <<'EOF'
import { open, openOld, quiet, serve, until } from "./tunnel.mjs";

const [upstream, port] = process.argv.slice(2);
const server = await serve(upstream);

server.deed = (socket, head) => socket.write(`${head}first`);
for (const [version, visit] of [["HTTP/1.1", openOld], ["HTTP/2", open]]) {
	const visitor = await visit(port);

	await until(visitor, " ");
	visitor.stream.write("hello");
	await until(server, "hello");
	await quiet();
	console.log(`${version}: ${visitor.seen.trim()}`);
	server.socket.write(", second");
	await until(visitor, "second");
	console.log(`${version}, when more is sent: ${visitor.seen}`);
	visitor.destroy();
}
process.exit();
EOF
seen=$(node "$work/first.mjs" "$upstream" "$port")
expect 'HTTP/1.1: 101 first
HTTP/1.1, when more is sent: 101 first, second
HTTP/2: 200
HTTP/2, when more is sent: 200 first, second' "$seen"
