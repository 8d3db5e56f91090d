#!/usr/bin/env bash
# Qt 5.15.8 (Debian 12), QWebSocket: a connection that breaks off has closed normally.
#
# Expected: closeCode() is 1006; RFC 6455, section 7.1.5: without a Close frame the
# code of the connection's end is 1006.
# Seen: it is 1000, CloseCodeNormal, as after a goodbye with that code, and the
# signals are the same but for an error that says the remote host closed the
# connection.  A client that comes back only after abnormal ends stays away.
. "$(dirname "$0")/lib.sh"

debian python3-pyqt5.qtwebsockets=5.15.9+dfsg-1 libqt5websockets5=5.15.8-2
cat >"$work/client.py" <<'EOF'
import sys
from PyQt5.QtCore import QCoreApplication, QUrl
from PyQt5.QtWebSockets import QWebSocket

app = QCoreApplication([])
socket = QWebSocket()


def closed():
    print("closed", socket.closeCode(), repr(socket.closeReason()))
    app.quit()


socket.textMessageReceived.connect(lambda text: print("message", text))
socket.disconnected.connect(closed)
socket.open(QUrl(sys.argv[1]))
app.exec()
EOF
export PYTHONPATH=$root/usr/lib/python3/dist-packages

serve 8102686f 880203e8 # "ho", Close 1000
goodbye=$(timeout 20 python3 "$work/client.py" "$url")
serve 8102686f
(sleep 1; kill "$server") &
broken=$(timeout 20 python3 "$work/client.py" "$url")
server=
expect "message ho
closed 1000 ''
broken off:
message ho
closed 1000 ''" "$goodbye
broken off:
$broken"
