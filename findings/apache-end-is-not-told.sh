#!/usr/bin/env bash
# Apache 2.4.71 (Debian 12), mod_http2 and mod_proxy_http: a WebSocket over HTTP/2 does
# not learn that its server's connection has ended.
#
# Expected: a DATA frame with END_STREAM at once, as RFC 8441, section 5, says of an
# orderly end of the TCP connection, and RFC 9113, section 8.5, of tunnels; over
# HTTP/1.1 Apache passes the end on.
# Seen: over HTTP/2 nothing comes when the server has closed its connection, as the
# kernel does for one that was killed: the client holds a connection to nobody until
# it has written to it, twice.  If the server resets its connection, or the client is
# on HTTP/1.1, the end comes at once.
# Consequence for a client: it needs pings of its own, even where the server sends some.
. "$(dirname "$0")/lib.sh"

debian apache2-bin=2.4.71-1~deb12u1
. "$(dirname "$0")/http2.sh"
upstream=$(free_port) port=$(free_port)
front apache "$port" "$upstream"

cat >"$work/end.mjs" <<'EOF'
import { open, openOld, quiet, serve, until } from "./tunnel.mjs";

const [upstream, port] = process.argv.slice(2);
const server = await serve(upstream);
const ends = { closed: (socket) => socket.destroy(),
	reset: (socket) => socket.resetAndDestroy() };

server.deed = (socket, head) => socket.write(head);
for (const [version, visit] of [["HTTP/1.1", openOld], ["HTTP/2", open]])
	for (const [name, end] of Object.entries(ends)) {
		const visitor = await visit(port);

		await until(visitor, " ");
		server.socket.write("hello");
		await until(visitor, "hello");
		end(server.socket);
		await quiet();
		console.log(`${version}, ${name}: ${visitor.seen}`);
		if (!visitor.seen.includes("<end>")) {
			visitor.stream.write("a");
			await quiet();
			visitor.stream.write("b");
			await until(visitor, "<end>");
			console.log(`${version}, ${name}, then: ${visitor.seen}`);
		}
		visitor.destroy();
	}
process.exit();
EOF
seen=$(node "$work/end.mjs" "$upstream" "$port")
expect 'HTTP/1.1, closed: 101 hello<end>
HTTP/1.1, reset: 101 hello<end>
HTTP/2, closed: 200 hello
HTTP/2, closed, then: 200 hello<end>
HTTP/2, reset: 200 hello<end>' "$seen"
