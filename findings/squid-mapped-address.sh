#!/usr/bin/env bash
# Squid 5.7 (Debian 12): it refuses a line of the PROXY protocol with a mapped address,
# and takes the same address in a header of version 2.
#
# Expected: taken; in "PROXY TCP6" two addresses of IPv6 stand (proxy-protocol.txt of
# HAProxy, section 2.1), and ::ffff:192.0.2.1 is one (RFC 4291, section 2.5.5.2).
# HAProxy, nginx, Apache, Varnish, lighttpd, nghttpx and h2o of Debian 12 take it.
# Seen: the connection is closed, without an answer.
# Consequence for a chain: HAProxy ("bind :::80 v4v6") and nginx's stream module ("listen
# [::]:80 ipv6only=off") name clients of IPv4 so, and before Squid lose all of them.
. "$(dirname "$0")/lib.sh"

debian squid=5.7-2+deb12u6
upstream=$(free_port) port=$(free_port)
answer "$upstream" $'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

cat >"$work/squid.conf" <<EOF
http_port 127.0.0.1:$port accel defaultsite=localhost require-proxy-header
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
run "$port" "$root/usr/sbin/squid" -N -f "$work/squid.conf"

mapped='\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x2\x1'
seen=$(for header in 'PROXY TCP4 192.0.2.1 192.0.2.1 5000 80\r\n' \
	'PROXY TCP6 2001:db8::1 2001:db8::1 5000 80\r\n' \
	'PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.1 5000 80\r\n' \
	'\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24'"$mapped$mapped"'\x13\x88\0\x50'; do
	ask "$port" "$header" | grep -ao '^HTTP.* 200' || echo nothing
done)
expect 'HTTP/1.1 200
HTTP/1.1 200
nothing
HTTP/1.1 200' "$seen"
