# SPDX-License-Identifier: MIT
import asyncio
import sys

from tornado.websocket import websocket_connect


async def main(url, protocol="", *lines):
    socket = await websocket_connect(
        url, subprotocols=[protocol] if protocol else None)
    print("open", socket.selected_subprotocol or "", flush=True)
    for line in lines:
        await socket.write_message(line)
    while (text := await socket.read_message()) is not None:
        print("message", text, flush=True)
        if text.startswith(">"):
            await socket.write_message(text[1:])
        if text == "bye":
            socket.close()
    print("closed", socket.close_code, socket.close_reason, flush=True)


asyncio.run(main(*sys.argv[1:]))
