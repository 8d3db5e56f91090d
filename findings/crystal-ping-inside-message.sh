#!/usr/bin/env bash
# Crystal 1.6.0 (Debian 12), HTTP::WebSocket of its standard library: a ping that
# comes between two fragments of a message takes the first fragment away.
#
# Expected: the message arrives whole and the pong carries the ping's payload; RFC
# 6455, section 5.4: control frames may come in the middle of a fragmented message.
# Seen: fragments and control frames are gathered in the same buffer.  The pong
# answers with the message's first half in front of the ping's payload, and the
# application gets the second half as the whole message; nothing is raised.
# Consequence for a server: do not fragment what it sends.
. "$(dirname "$0")/lib.sh"

debian crystal=1.6.0+dfsg-3 libssl-dev zlib1g-dev
cat >"$work/client.cr" <<'EOF'
require "http/web_socket"
socket = HTTP::WebSocket.new(URI.parse(ARGV[0]))
socket.on_message do |message|
  puts "message #{message}"
  exit if message == "end"
end
socket.run
EOF
export CRYSTAL_PATH=$root/usr/lib/crystal/lib CRYSTAL_CACHE_DIR=$work/cache
export CRYSTAL_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu
export PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_PATH=$root/usr/lib/x86_64-linux-gnu/pkgconfig
crystal build --no-color -o "$work/client" "$work/client.cr"

# "first " without FIN, a ping "now?", "second" with FIN, "end"
serve 0106666972737420 89046e6f773f 80067365636f6e64 8103656e64
seen=$(timeout 20 "$work/client" "$url")
expect 'message second
message end
10 10 "first now?"' "$seen
$(cat "$work/heard")"
