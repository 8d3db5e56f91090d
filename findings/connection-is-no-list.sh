#!/usr/bin/env bash
# Qt 5.15.8, faye-websocket 0.11.0 (Ruby) and websocket.el 1.13 (Debian 12): they
# refuse a handshake that is answered with "Connection: keep-alive, Upgrade".
#
# Expected: they connect; RFC 6455, section 4.1, asks for a Connection field that
# "contains a token" upgrade, and the field is a list (RFC 9110, section 7.6.1).
# Browsers have always sent such lists themselves.
# Seen: each compares the whole field with "upgrade", or looks for a line that is
# it.  Qt says that the status line is invalid, and shows one that is not.
# Consequence for a server or a proxy: nothing but "Upgrade" in the Connection of a
# 101.
. "$(dirname "$0")/lib.sh"

debian python3-pyqt5.qtwebsockets=5.15.9+dfsg-1 libqt5websockets5=5.15.8-2 \
	ruby-faye-websocket=0.11.0-1 \
	elpa-websocket=1.13-3 emacs-nox=1:28.2+1-15+deb12u4
ruby=$root/usr/lib/ruby machine=$root/usr/lib/x86_64-linux-gnu/ruby
gems=$root/usr/share/rubygems-integration/all/gems
export RUBYLIB=$gems/websocket-extensions-0.1.5/lib:$ruby/vendor_ruby
export RUBYLIB=$RUBYLIB:$ruby/3.1.0:$machine/3.1.0:$machine/vendor_ruby/3.1.0

cat >"$work/client.py" <<'EOF'
import sys
from PyQt5.QtCore import QCoreApplication, QUrl
from PyQt5.QtWebSockets import QWebSocket

app = QCoreApplication([])
socket = QWebSocket()


def say(what):
    print("Qt:", what)
    app.quit()


socket.connected.connect(lambda: say("open"))
socket.error.connect(lambda _: say(socket.errorString()))
socket.open(QUrl(sys.argv[1]))
app.exec()
EOF
cat >"$work/client.rb" <<'EOF'
require 'eventmachine'
require 'faye/websocket'

EM.run do
  socket = Faye::WebSocket::Client.new(ARGV[0])
  say = lambda { |what| puts "faye: #{what}"; EM.stop }
  socket.on(:open) { say.call('open') }
  socket.on(:error) { |event| say.call(event.message) }
end
EOF
cat >"$work/client.el" <<'EOF'
(require 'websocket)
(let ((socket (websocket-open (pop command-line-args-left)
                              :on-open (lambda (_) (message "emacs: open")))))
  (accept-process-output nil 2))
EOF

# What each of the three says of a handshake.
clients()
{
	PYTHONPATH=$root/usr/lib/python3/dist-packages \
		timeout 20 python3 "$work/client.py" "$url"
	timeout 20 ruby --disable-gems "$work/client.rb" "$url"
	EMACSLOADPATH=$(printf '%s:' "$root"/usr/share/emacs/28.2/lisp{,/*/}) \
	EMACSDATA=$root/usr/share/emacs/28.2/etc \
	timeout 20 emacs -Q --batch \
		-L "$root/usr/share/emacs/site-lisp/elpa-src/websocket-1.13" \
		-l "$work/client.el" "$url" 2>&1 | grep -aoE \
		'^emacs: open|.Upgrade. not found|Invalid HTTP.*' | head -n 1 || true
}

serve ''
one=$(clients)
handshake=${handshake/: Upgrade/: keep-alive, Upgrade}
serve ''
list=$(clients)
expect "Qt: open
faye: open
emacs: open
with a list:
Qt: QWebSocketPrivate::processHandshake: Invalid statusline in response: \
HTTP/1.1 101 Switching Protocols.
faye: Error during WebSocket handshake: 'Connection' header value is not 'Upgrade'
Invalid HTTP header sent: \"No 'Connection: upgrade' header found\"" "$one
with a list:
$list"
