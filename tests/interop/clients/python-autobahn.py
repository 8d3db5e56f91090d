# SPDX-License-Identifier: MIT
import asyncio
import sys
from urllib.parse import urlsplit

from autobahn.asyncio.websocket import (WebSocketClientFactory,
                                        WebSocketClientProtocol)

url, protocol, *lines = sys.argv[1:]
ended = asyncio.Event()


class Client(WebSocketClientProtocol):
    def onConnect(self, response):
        self.chosen = response.protocol

    def onOpen(self):
        print("open", self.chosen or "", flush=True)
        for line in lines:
            self.sendMessage(line.encode())

    def onMessage(self, payload, isBinary):
        text = payload.decode()
        print("message", text, flush=True)
        if text.startswith(">"):
            self.sendMessage(text[1:].encode())
        if text == "bye":
            self.sendClose(1000)

    def onClose(self, wasClean, code, reason):
        print("closed", code, reason, flush=True)
        ended.set()


async def main():
    factory = WebSocketClientFactory(
        url, protocols=[protocol] if protocol else None)
    factory.protocol = Client
    to = urlsplit(url)
    await asyncio.get_running_loop().create_connection(
        factory, to.hostname, to.port)
    await ended.wait()


asyncio.run(main())
