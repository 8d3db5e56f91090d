#!/usr/bin/env bash
# nginx 1.22.1 and Varnish 7.1.1 (Debian 12): a 103 before the answer is no hint.
#
# Expected: passed on or left out, and then the answer; RFC 9110, section 15.2: a
# client must be able to parse any number of 1xx responses before the final one, and
# a proxy must forward them.  HAProxy, Apache, Caddy, Squid, lighttpd and nghttpx of
# Debian 12 do so, h2o leaves them out.
# Seen: nginx takes the 103 for the answer.  It says "Connection: close" in it, and
# what comes then is its body, so the 200 is sent, but behind the end.  Varnish makes
# a 503 of it.
# Consequence for a server: no 103 and no 102 to those that may be such proxies.
. "$(dirname "$0")/lib.sh"

debian nginx=1.22.1-9+deb12u11 varnish=7.1.1-2+deb12u1
export PATH=$root/usr/sbin:$PATH
export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$root/usr/lib/x86_64-linux-gnu/varnish
upstream=$(free_port) front=$(free_port) cache=$(free_port)
answer "$upstream" $'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n' \
	$'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

cat >"$work/nginx.conf" <<EOF
pid $work/nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path $work/1;
	proxy_temp_path $work/2;
	fastcgi_temp_path $work/3;
	uwsgi_temp_path $work/4;
	scgi_temp_path $work/5;
	server {
		listen 127.0.0.1:$front;
		location / {
			proxy_pass http://127.0.0.1:$upstream;
			proxy_http_version 1.1;
		}
	}
}
EOF
run "$front" nginx -e stderr -c "$work/nginx.conf" -g 'daemon off; master_process off;'
run "$cache" varnishd -F -n "$work/varnish" -a "127.0.0.1:$cache" \
	-b "127.0.0.1:$upstream"

seen=$(for port in "$front" "$cache"; do
	ask "$port" | tr -d '\r' | grep -aE '^(HTTP|Connection|Link|hello)'
	echo --
done)
expect 'HTTP/1.1 103 Early Hints
Connection: close
Link: </a.css>; rel=preload
HTTP/1.1 200 OK
hello
--
HTTP/1.1 503 Backend fetch failed
Connection: close
--' "$seen"
