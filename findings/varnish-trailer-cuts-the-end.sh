#!/usr/bin/env bash
# Varnish 7.1.1 (Debian 12): an answer that has a trailer loses its end.
#
# Expected: the trailer is passed on or left out, and the answer is whole; RFC 9112,
# section 7.1.2: a recipient may keep the fields of a trailer or discard them.
# HAProxy and nghttpx of Debian 12 pass them on, nginx, Apache and Squid leave them out.
# Seen: the chunks come, but not the last one, and the connection ends: for the client
# the answer, of which it has every byte, has broken off.
# Consequence for a server: no trailers, even where a client has asked for them.
. "$(dirname "$0")/lib.sh"

debian varnish=7.1.1-2+deb12u1
export PATH=$root/usr/sbin:$PATH
export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$root/usr/lib/x86_64-linux-gnu/varnish
head=$'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

fronts=()
for trailer in '' $'X-Sum: 532\r\n'; do
	upstream=$(free_port) port=$(free_port)
	answer "$upstream" "$head"$'5\r\nhello\r\n' $'0\r\n'"$trailer"$'\r\n'
	run "$port" varnishd -F -n "$work/$port" -a "127.0.0.1:$port" \
		-b "127.0.0.1:$upstream"
	fronts+=("$port")
done
seen=$(for port in "${fronts[@]}"; do
	ask "$port" | tr -d '\r' | grep -aE '^(HTTP|hello|0+$|X-Sum)'
	echo --
done)
expect 'HTTP/1.1 200 OK
hello
0
--
HTTP/1.1 200 OK
hello
--' "$seen"
