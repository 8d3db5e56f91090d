#!/usr/bin/env bash
# Apache 2.4.71 (mod_remoteip), HAProxy 2.6.12 and Varnish 7.1.1 (Debian 12): they refuse
# lines of the PROXY protocol that begin with "PROXY UNKNOWN".
#
# Expected: the connection is taken, and its own address holds.  The protocol's text
# (proxy-protocol.txt of HAProxy, section 2.1) has the line as "PROXY UNKNOWN" or with
# something behind it, which "the receiver must ignore", and says that it should accept
# both.  nginx, Squid, lighttpd, nghttpx and h2o of Debian 12 do.
# Seen: Apache closes the connection on the short form and takes the long one.  HAProxy
# takes the short form and resets on the long one, the very line that its text gives
# as the worst case.  Varnish closes on both.
# Consequence for a chain: HAProxy and nginx's stream module send the short form for
# clients that come by a Unix socket; in front of Apache or Varnish those get nothing.
. "$(dirname "$0")/lib.sh"

debian apache2-bin=2.4.71-1~deb12u1 haproxy=2.6.12-1+deb12u4 \
	varnish=7.1.1-2+deb12u1
export PATH=$root/usr/sbin:$PATH
export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$root/usr/lib/x86_64-linux-gnu/varnish
upstream=$(free_port)
answer "$upstream" $'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

apache=$(free_port)
for module in mpm_event authz_core proxy proxy_http remoteip; do
	echo "LoadModule ${module}_module $root/usr/lib/apache2/modules/mod_$module.so"
done >"$work/apache.conf"
cat >>"$work/apache.conf" <<EOF
Listen 127.0.0.1:$apache
ServerName localhost
PidFile $work/apache.pid
ErrorLog $work/apache.log
DefaultRuntimeDir $work
User nobody
Group nogroup
RemoteIPProxyProtocol On
ProxyPass "/" "http://127.0.0.1:$upstream/"
EOF
run "$apache" apache2 -DFOREGROUND -d "$work" -f "$work/apache.conf"

haproxy=$(free_port)
cat >"$work/haproxy.cfg" <<EOF
defaults
	mode http
	timeout connect 5s
	timeout client 60s
	timeout server 60s
listen front
	bind 127.0.0.1:$haproxy accept-proxy
	server server 127.0.0.1:$upstream
EOF
run "$haproxy" haproxy -db -f "$work/haproxy.cfg"

varnish=$(free_port)
run "$varnish" varnishd -F -n "$work/varnish" -a "127.0.0.1:$varnish,PROXY" \
	-b "127.0.0.1:$upstream"

address=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
seen=$(for port in "$apache" "$haproxy" "$varnish"; do
	for line in 'TCP4 192.0.2.1 192.0.2.2 5000 80' UNKNOWN \
		"UNKNOWN $address $address 65535 65535"; do
		ask "$port" "PROXY $line\r\n" 2>"$work/reset" |
			grep -ao '^HTTP.* 200' || echo nothing
	done
	echo --
done)
expect 'HTTP/1.1 200
nothing
HTTP/1.1 200
--
HTTP/1.1 200
HTTP/1.1 200
nothing
--
HTTP/1.1 200
nothing
nothing
--' "$seen"
