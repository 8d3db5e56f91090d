# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # work and root are those of lib.sh
# http2.sh - what the scripts share that try WebSockets over HTTP/2 (RFC 8441).  One
# sources it after lib.sh, starts proxies with front before a port, and runs a
# program of Node's that imports $work/tunnel.mjs: the server on that port, and the
# clients that come by a proxy.  No TLS: HTTP/2 with prior knowledge.

# Start a proxy, by name, on port $2 before port $3.
front()
{
	local config=$work/$1.conf modules=$root/usr/lib/apache2/modules module

	case $1 in
	apache)
		for module in mpm_event authz_core proxy proxy_http http2; do
			echo "LoadModule ${module}_module $modules/mod_$module.so"
		done >"$config"
		cat >>"$config" <<EOF
Listen 127.0.0.1:$2
ServerName localhost
PidFile $work/apache.pid
ErrorLog $work/apache.log
DefaultRuntimeDir $work
User nobody
Group nogroup
Protocols h2c http/1.1
H2WebSockets on
ProxyPass "/" "http://127.0.0.1:$3/" upgrade=websocket
EOF
		run "$2" "$root/usr/sbin/apache2" -DFOREGROUND -d "$work" -f "$config"
		;;
	haproxy)
		cat >"$config" <<EOF
defaults
	mode http
	timeout connect 5s
	timeout client 60s
	timeout server 60s
listen front
	bind 127.0.0.1:$2
	server server 127.0.0.1:$3
EOF
		run "$2" "$root/usr/sbin/haproxy" -db -f "$config"
		;;
	lighttpd)
		cat >"$config" <<EOF
server.bind = "127.0.0.1"
server.port = $2
server.document-root = "$work"
server.modules = ( "mod_proxy" )
server.stream-response-body = 2
proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => $3 )) )
proxy.header = ( "upgrade" => "enable" )
EOF
		run "$2" "$root/usr/sbin/lighttpd" -D -m "$root/usr/lib/lighttpd" \
			-f "$config"
		;;
	h2o)
		cat >"$config" <<EOF
listen:
  host: 127.0.0.1
  port: $2
$([ "$(id -u)" != 0 ] || echo 'user: root')
hosts:
  default:
    paths:
      /:
        proxy.reverse.url: http://127.0.0.1:$3/
EOF
		run "$2" "$root/usr/bin/h2o" -m worker -c "$config"
		;;
	nghttpx)
		: >"$config"
		run "$2" "$root/usr/sbin/nghttpx" --conf="$config" --workers=1 \
			--frontend="127.0.0.1,$2;no-tls" --backend="127.0.0.1,$3"
		;;
	esac
}

cat >"$work/tunnel.mjs" <<'EOF'
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:http2";
import { createServer, connect as dial } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/* Milliseconds: what comes has so long, on a busy machine; and what does not come in
 * this time is said not to come. */
const COMES = 20000, COMES_NOT = 2000;

/* A server that does deed(socket, head) with each request, where head is the 101 to
 * answer with.  seen is what the last one sent then, with <end> or <reset>. */
export async function serve(port) {
	const server = { deed: null, seen: "", socket: null };
	const listener = createServer({ allowHalfOpen: true }, (socket) => {
		const see = (text) => {
			server.seen += server.socket === socket ? text : "";
		};
		let request = "";

		socket.setNoDelay(true);
		socket.setEncoding("latin1");
		socket.on("error", () => see("<reset>"));
		socket.on("end", () => see("<end>"));
		socket.on("data", (text) => {
			if (request.includes("\r\n\r\n"))
				return see(text);
			request += text;
			if (!request.includes("\r\n\r\n"))
				return undefined;
			const key = /^sec-websocket-key: *(\S+)/imu.exec(request);
			const accept = createHash("sha1").update(`${key?.[1]}` +
			    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");

			Object.assign(server, { seen: "", socket });
			return server.deed(socket, "HTTP/1.1 101 Switching Protocols\r\n" +
			    "Upgrade: websocket\r\nConnection: Upgrade\r\n" +
			    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
		});
	}).listen(port, "127.0.0.1");

	await once(listener, "listening");
	return server;
}

/* Ask by a proxy for a WebSocket, over HTTP/2.  seen is what comes: the status, the
 * bytes, <end> and <reset CODE>. */
export async function open(port) {
	const session = connect(`http://127.0.0.1:${port}`);
	const visitor = { seen: "", destroy: () => session.destroy() };
	const see = (text) => {
		visitor.seen += text;
	};

	session.on("error", (error) => see(`<${error.code}>`));
	await once(session, "remoteSettings");
	visitor.stream = session.request({ ":method": "CONNECT",
		":protocol": "websocket", ":scheme": "http", ":path": "/",
		":authority": "localhost", "sec-websocket-version": "13" },
	{ endStream: false });
	visitor.stream.setEncoding("latin1");
	visitor.stream.on("response", (head) => see(`${head[":status"]} `));
	visitor.stream.on("data", see);
	visitor.stream.on("end", () => see("<end>"));
	visitor.stream.on("error", () => {});
	visitor.stream.on("close", () => see(visitor.stream.rstCode
		? `<reset ${visitor.stream.rstCode}>` : ""));
	return visitor;
}

/* The same over HTTP/1.1. */
export async function openOld(port) {
	const stream = dial(port, "127.0.0.1");
	const visitor = { seen: "", stream, destroy: () => stream.destroy() };
	let all = "";

	stream.setEncoding("latin1");
	stream.on("data", (text) => {
		all += text;
		const [, status, body] =
			/^HTTP\/1.1 (\d+) .*?\r\n\r\n(.*)/su.exec(all) ?? [];

		visitor.seen = status ? `${status} ${body}` : "";
	});
	stream.on("end", () => {
		visitor.seen += "<end>";
	});
	stream.on("error", () => {
		visitor.seen += "<reset>";
	});
	await once(stream, "connect");
	stream.write("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n" +
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
	    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
	return visitor;
}

/* Wait until a server or a visitor has seen a text. */
export async function until(who, what) {
	for (const start = Date.now(); !who.seen.includes(what);) {
		if (Date.now() - start > COMES)
			throw new Error(`no ${what} in: ${who.seen}`);
		await sleep(10);
	}
}

/* Wait for what does not come. */
export const quiet = () => sleep(COMES_NOT);
EOF
