"""A note is made and read, and one is asked for that is not there; prints all that it is told."""

import asyncio
import sys

import aiohttp

SERVICE = sys.argv[1]


async def main() -> None:
    async with aiohttp.ClientSession(trust_env=True) as client:
        async with client.post(f"{SERVICE}/notes", json={"text": "milk"}) as answer:
            print(await answer.text())
        for path in ("/notes/1", "/notes/9", "/notes/1"):
            async with client.get(f"{SERVICE}{path}") as answer:
                print(answer.status, await answer.text())


asyncio.run(main())
