# SPDX-License-Identifier: MIT
import asyncio
import sys

import aiohttp


async def main(url, protocol="", *lines):
    offer = [protocol] if protocol else []
    async with aiohttp.ClientSession() as session, \
            session.ws_connect(url, protocols=offer) as socket:
        print("open", socket.protocol or "", flush=True)
        for line in lines:
            await socket.send_str(line)
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                print("raised", message.type.name, message.data, flush=True)
                continue
            print("message", message.data, flush=True)
            if message.data.startswith(">"):
                await socket.send_str(message.data[1:])
            if message.data == "bye":
                await socket.close()
        print("closed", socket.close_code, flush=True)


asyncio.run(main(*sys.argv[1:]))
