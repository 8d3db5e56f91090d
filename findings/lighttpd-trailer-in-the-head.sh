#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 12), mod_proxy: a field of the trailer is put into the
# head, with two carriage returns behind it.
#
# Expected: the trailer is passed on, or left out; RFC 9110, section 6.5.1: it is not
# to be merged into the head unless the field's definition says so.
# Seen: where the whole answer has come before lighttpd begins its own, it makes
# Content-Length of the chunks and a line of the head of the trailer, which ends with
# CR CR LF.  Node's HTTP client refuses the whole answer for that.
# Consequence for a server: no trailers.
. "$(dirname "$0")/lib.sh"

debian lighttpd=1.4.69-1
export PATH=$root/usr/sbin:$PATH
upstream=$(free_port) front=$(free_port)
answer "$upstream" $'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 532\r\n\r\n'

cat >"$work/lighttpd.conf" <<EOF
server.bind = "127.0.0.1"
server.port = $front
server.document-root = "$work"
server.modules = ( "mod_proxy" )
proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => $upstream )) )
EOF
run "$front" lighttpd -D -m "$root/usr/lib/lighttpd" -f "$work/lighttpd.conf"

head=$(ask "$front" | sed '/^\r$/,$d' | grep -a X-Sum | cat -v)
node=$(node -e 'require("node:http").get({ port: '"$front"' },
	(response) => console.log(response.statusCode))
	.on("error", (error) => console.log(error.code))')
expect 'X-Sum: 532^M^M
HPE_LF_EXPECTED' "$head
$node"
