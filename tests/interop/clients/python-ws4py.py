# SPDX-License-Identifier: MIT
import sys

from ws4py.client.threadedclient import WebSocketClient

url, protocol, *lines = sys.argv[1:]


class Client(WebSocketClient):
    def opened(self):
        chosen = self.protocols[0] if self.protocols else b""
        print("open", chosen if isinstance(chosen, str) else chosen.decode(),
              flush=True)
        for line in lines:
            self.send(line)

    def received_message(self, message):
        text = message.data.decode()
        print("message", text, flush=True)
        if text.startswith(">"):
            self.send(text[1:])
        if text == "bye":
            self.close(1000)

    def unhandled_error(self, error):
        print("raised", error, flush=True)

    def closed(self, code, reason=None):
        if isinstance(reason, bytes):
            reason = reason.decode()
        print("closed", code, reason, flush=True)


client = Client(url, protocols=[protocol] if protocol else None)
client.connect()
client.run_forever()
