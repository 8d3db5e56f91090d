#!/usr/bin/env bash
# Varnish 7.1.1 (Debian 12): an answer with a chunk extension is a 503.
#
# Expected: the extension is ignored, and the answer passed on; RFC 9112, section
# 7.1.1: a recipient must ignore the extensions that it does not know.  nginx, HAProxy,
# Squid, Caddy, lighttpd, nghttpx and h2o of Debian 12 do so.
# Seen: "503 Service Unavailable" in place of the answer if the first chunk has one.
# In a later chunk, it is worse: the answer has begun with 200 and ends in its middle.
# Consequence for a server: no chunk extensions, and no padding or signatures in them.
. "$(dirname "$0")/lib.sh"

debian varnish=7.1.1-2+deb12u1
export PATH=$root/usr/sbin:$PATH
export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$root/usr/lib/x86_64-linux-gnu/varnish
head=$'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

fronts=()

# Start a Varnish before a server that answers with these chunks, the head being in
# one segment with the first.
serve_chunks()
{
	local upstream front

	upstream=$(free_port) front=$(free_port)
	answer "$upstream" "$head$1" "${@:2}"
	run "$front" varnishd -F -n "$work/$front" -a "127.0.0.1:$front" \
		-b "127.0.0.1:$upstream"
	fronts+=("$front")
}

serve_chunks $'5\r\nfirst\r\n' $'6\r\nsecond\r\n' $'0\r\n\r\n'
serve_chunks $'5;a=b\r\nfirst\r\n' $'6\r\nsecond\r\n' $'0\r\n\r\n'
serve_chunks $'5\r\nfirst\r\n' $'6;a=b\r\nsecond\r\n' $'0\r\n\r\n'
seen=$(for port in "${fronts[@]}"; do
	ask "$port" | tr -d '\r' | grep -aE '^(HTTP|first|second|0$)'
	echo --
done)
expect 'HTTP/1.1 200 OK
first
second
0
--
HTTP/1.1 503 Service Unavailable
--
HTTP/1.1 200 OK
first
--' "$seen"
