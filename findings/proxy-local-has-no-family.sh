#!/usr/bin/env bash
# nghttpx 1.52.0 and Squid 5.7 (Debian 12): they refuse a PROXY header of version 2 that
# says LOCAL, has no addresses and names the family that the connection is of.
#
# Expected: taken; the protocol's text (proxy-protocol.txt of HAProxy, section 2.2) says
# that a receiver must accept LOCAL and discard what follows, "including the family
# which is ignored", and that a sender of LOCAL should put no addresses there.  HAProxy,
# nginx, Apache, Varnish and lighttpd of Debian 12 take it.
# Seen: with the family UNSPEC they take it; with that of TCP over IPv4 they close the
# connection, unless addresses follow that nobody needs.
# Consequence for a load balancer: its checks say UNSPEC, even where it knows better.
. "$(dirname "$0")/lib.sh"

debian nghttp2-proxy=1.52.0-1+deb12u3 squid=5.7-2+deb12u6
upstream=$(free_port) nghttpx=$(free_port) squid=$(free_port)
answer "$upstream" $'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

: >"$work/nghttpx.conf"
run "$nghttpx" "$root/usr/sbin/nghttpx" --conf="$work/nghttpx.conf" --workers=1 \
	--frontend="127.0.0.1,$nghttpx;no-tls;proxyproto" \
	--backend="127.0.0.1,$upstream"
cat >"$work/squid.conf" <<EOF
http_port 127.0.0.1:$squid accel defaultsite=localhost require-proxy-header
proxy_protocol_access allow all
http_access allow all
cache_peer 127.0.0.1 parent $upstream 0 no-query originserver
cache deny all
access_log none
cache_log /dev/null
pid_filename none
coredump_dir none
shutdown_lifetime 0 seconds
mime_table $root/usr/share/squid/mime.conf
icon_directory $root/usr/share/squid/icons
error_directory $root/usr/share/squid/errors/en
EOF
run "$squid" "$root/usr/sbin/squid" -N -f "$work/squid.conf"

seen=$(for port in "$nghttpx" "$squid"; do
	for family in '\0' '\x11'; do
		ask "$port" '\r\n\r\n\0\r\nQUIT\n\x20'"$family"'\0\0' \
			2>"$work/reset" | grep -ao '^HTTP.* 200' || echo nothing
	done
	echo --
done)
expect 'HTTP/1.1 200
nothing
--
HTTP/1.1 200
nothing
--' "$seen"
