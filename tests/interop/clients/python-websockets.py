# SPDX-License-Identifier: MIT
import asyncio
import sys

import websockets


async def main(url, protocol="", *lines):
    offer = [protocol] if protocol else None
    async with websockets.connect(url, subprotocols=offer) as socket:
        print("open", socket.subprotocol or "", flush=True)
        for line in lines:
            await socket.send(line)
        try:
            async for text in socket:
                print("message", text, flush=True)
                if text.startswith(">"):
                    await socket.send(text[1:])
                if text == "bye":
                    await socket.close()
        except websockets.ConnectionClosed as error:
            print("raised", type(error).__name__, flush=True)
        print("closed", socket.close_code, socket.close_reason, flush=True)


asyncio.run(main(*sys.argv[1:]))
