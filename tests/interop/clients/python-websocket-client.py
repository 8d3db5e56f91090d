# SPDX-License-Identifier: MIT
import sys

import websocket

url, protocol, *lines = sys.argv[1:]


def on_open(socket):
    print("open", socket.sock.subprotocol or "", flush=True)
    for line in lines:
        socket.send(line)


def on_message(socket, text):
    print("message", text, flush=True)
    if text.startswith(">"):
        socket.send(text[1:])
    if text == "bye":
        socket.close()


def on_error(_, error):
    print("raised", type(error).__name__, error, flush=True)


def on_close(_, code, reason):
    print("closed", code, reason, flush=True)


websocket.WebSocketApp(
    url, subprotocols=[protocol] if protocol else None, on_open=on_open,
    on_message=on_message, on_error=on_error, on_close=on_close).run_forever()
print("closed: run_forever() has returned", flush=True)
