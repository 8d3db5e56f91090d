#!/usr/bin/env bash
# HAProxy 2.6.12, lighttpd 1.4.69, h2o 2.2.5 and Caddy 2.6.2 (Debian 12): an answer in
# chunks that broke off reaches the client as a whole one.
#
# Expected: the client can tell.  Without the last chunk an answer is incomplete (RFC
# 9112, section 8), so a proxy that has begun to pass it on leaves out the last chunk,
# too, and over HTTP/2 resets the stream (RFC 9113, section 8.1: END_STREAM stands for a
# whole answer).  nginx, Apache and nghttpx of Debian 12 do so in both.
# Seen: a server sends a chunk and then its connection ends, as it does when it is
# killed.  Over HTTP/2 HAProxy, lighttpd and h2o end the stream as after a whole answer.
# Over HTTP/1.1 HAProxy and lighttpd do as expected; h2o and Caddy add the last chunk.
# Consequence for a client: a stream's end says nothing; the text has to say itself
# that it is all.
. "$(dirname "$0")/lib.sh"

debian haproxy=2.6.12-1+deb12u4 lighttpd=1.4.69-1 h2o=2.2.5+dfsg2-7 caddy=2.6.2-5 \
	apache2-bin=2.4.71-1~deb12u1
. "$(dirname "$0")/http2.sh"

cat >"$work/get.mjs" <<'EOF'
import { get } from "node:http";
import { connect } from "node:http2";
import { createServer } from "node:net";
import { once } from "node:events";

const [upstream, ...fronts] = process.argv.slice(2);
const HEAD = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/* The first chunk is there when the client has it; then the connection ends. */
let cut = null;
const server = createServer((socket) => {
	cut = () => socket.end();
	socket.on("error", () => {});
	socket.once("data", () => socket.write(`${HEAD}5\r\nhello\r\n`));
}).listen(upstream, "127.0.0.1");

const over = {
	"HTTP/1.1": (port) => new Promise((resolve) => {
		get({ port, host: "127.0.0.1", agent: false }, (answer) => {
			answer.on("data", () => cut());
			answer.on("error", () => {});
			answer.on("close", () => resolve(answer.complete));
		});
	}),
	"HTTP/2": (port) => new Promise((resolve) => {
		const session = connect(`http://127.0.0.1:${port}`);
		const stream = session.request({ ":path": "/" });

		stream.on("data", () => cut());
		stream.on("error", () => {});
		stream.on("close", () => {
			resolve(stream.rstCode === 0);
			session.destroy();
		});
	}),
};

await once(server, "listening");
for (const [version, ask] of Object.entries(over))
	for (const front of fronts) {
		const [name, port] = front.split("=");

		if (name !== "caddy" || version === "HTTP/1.1")
			console.log(`${name}, ${version}: ` +
			    `${await ask(Number(port)) ? "whole" : "broken off"}`);
	}
process.exit();
EOF

upstream=$(free_port)
fronts=()
for name in apache haproxy lighttpd h2o; do
	port=$(free_port)
	front "$name" "$port" "$upstream"
	fronts+=("$name=$port")
done
port=$(free_port)
cat >"$work/Caddyfile" <<EOF
{
	admin off
	auto_https off
}
http://:$port {
	bind 127.0.0.1
	reverse_proxy 127.0.0.1:$upstream
}
EOF
HOME=$work XDG_CONFIG_HOME=$work XDG_DATA_HOME=$work run "$port" "$root/usr/bin/caddy" \
	run --adapter caddyfile --config "$work/Caddyfile"
fronts+=("caddy=$port")
seen=$(timeout 40 node "$work/get.mjs" "$upstream" "${fronts[@]}")
expect 'apache, HTTP/1.1: broken off
haproxy, HTTP/1.1: broken off
lighttpd, HTTP/1.1: broken off
h2o, HTTP/1.1: whole
caddy, HTTP/1.1: whole
apache, HTTP/2: broken off
haproxy, HTTP/2: whole
lighttpd, HTTP/2: whole
h2o, HTTP/2: whole' "$seen"
