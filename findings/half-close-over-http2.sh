#!/usr/bin/env bash
# lighttpd 1.4.69 and nghttpx 1.52.0 (Debian 12): a client that ends its side of a
# WebSocket's connection over HTTP/2 gets nothing more.
#
# Expected: the end is passed on as that of the TCP connection's one direction, and what
# the server sends then still comes: RFC 8441, section 5 (END_STREAM is the orderly end)
# and RFC 9113, section 8.5 (a proxy sends the FIN, and may still send data).  HAProxy
# 2.6.12 and Apache 2.4.71 do so.
# Seen: lighttpd resets the stream, with an error, and what the server sends on
# seeing the end is lost.  nghttpx passes nothing on: the server does not learn that its
# client has ended, and the connection stays until one of the two gives up.
# Consequence for a client: it sends a Close and waits for the server's end.
. "$(dirname "$0")/lib.sh"

debian lighttpd=1.4.69-1 nghttp2-proxy=1.52.0-1+deb12u3 haproxy=2.6.12-1+deb12u4
. "$(dirname "$0")/http2.sh"

cat >"$work/half.mjs" <<'EOF'
import { open, quiet, serve, until } from "./tunnel.mjs";

const [upstream, port] = process.argv.slice(2);
const server = await serve(upstream);

server.deed = (socket, head) => {
	socket.on("end", () => socket.end("goodbye"));
	socket.write(head);
};
const visitor = await open(port);

await until(visitor, " ");
visitor.stream.write("hello");
await until(server, "hello");
visitor.stream.end();
await quiet();
console.log(`the client sees: ${visitor.seen.trim()}; the server: ${server.seen}`);
process.exit();
EOF
seen=
for name in haproxy lighttpd nghttpx; do
	upstream=$(free_port) port=$(free_port)
	front "$name" "$port" "$upstream"
	told=$(node "$work/half.mjs" "$upstream" "$port" | sed 's/reset [0-9]*/reset/')
	seen+="$name: $told"$'\n'
done
expect 'haproxy: the client sees: 200 goodbye<end>; the server: hello<end>
lighttpd: the client sees: 200 <reset>; the server: hello<end>
nghttpx: the client sees: 200; the server: hello' "${seen%$'\n'}"
