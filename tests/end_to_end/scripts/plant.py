"""Sends every exchange of planted.py through the proxy of the environment, to a server of its own that answers them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from aiohttp import ClientSession, DummyCookieJar, WSMsgType, web
from yarl import URL

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tests.end_to_end.planted import PLANTS, Plant

BY_NAME = {plant.name: plant for plant in PLANTS}
PROXY = os.environ["HTTP_PROXY"]


async def answer(request: web.Request) -> web.StreamResponse:
    plant = BY_NAME[request.headers["X-Plant"]]
    if plant.frames:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            send = socket.send_str if message.type is WSMsgType.TEXT else socket.send_bytes
            await send(message.data)
        return socket
    got = await request.read()
    assert got == plant.body, plant.name
    return web.Response(body=plant.answer, headers=plant.answer_headers)


async def exchange(session: ClientSession, base: str, plant: Plant) -> None:
    headers = {"X-Plant": plant.name, **plant.headers}
    url = URL(base + plant.target, encoded=True)
    if plant.frames:
        await converse(session, url, plant, headers)
        return
    async with session.request(plant.method, url, data=plant.body, headers=headers, proxy=PROXY) as response:
        assert (response.status, await response.read()) == (200, plant.answer), plant.name


async def converse(session: ClientSession, url: URL, plant: Plant, headers: dict[str, str]) -> None:
    async with session.ws_connect(url, proxy=PROXY, headers=headers) as socket:
        for kind, data in plant.frames:
            await (socket.send_str(data.decode()) if kind == "text" else socket.send_bytes(data))
            echoed = await socket.receive(timeout=20)
            assert echoed.data == (data.decode() if kind == "text" else data), plant.name


async def main() -> None:
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False) as session:
        for plant in PLANTS:
            await exchange(session, base, plant)
    await runner.cleanup()
    print(f"sent {len(PLANTS)}")


asyncio.run(main())
