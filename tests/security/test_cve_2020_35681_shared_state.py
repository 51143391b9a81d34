"""Requests that are served at the same time share no state."""

from __future__ import annotations

import asyncio
import json

import aiohttp

from tests.harness.protocol import PATH, POLLING
from tests.harness.servers import Server

SESSIONS = 500


async def test_cve_2020_35681_shared_state(server: Server) -> None:
    """500 sessions wait in a poll each, all at once, and each gets what is its own."""
    url = f"http://127.0.0.1:{server.port}{PATH}?{POLLING}"
    # As many at once as are asked for, yet not more connections than the server's backlog.
    connecting = asyncio.Semaphore(100)
    timeout = aiohttp.ClientTimeout(total=60)

    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=timeout
    ) as http:

        async def post(sid: str, *packets: str) -> None:
            async with (
                connecting,
                http.post(f"{url}&sid={sid}", data="\x1e".join(packets)) as answer,
            ):
                assert await answer.text() == "ok"

        async def poll(sid: str) -> list[str]:
            async with http.get(f"{url}&sid={sid}") as answer:
                assert answer.status == 200
                return (await answer.text()).split("\x1e")

        async def begin(number: int) -> str:
            async with connecting, http.get(f"{url}&number={number}") as answer:
                sid: str = json.loads((await answer.text())[1:])["sid"]
            await post(sid, "40")
            async with connecting:
                assert (await poll(sid))[0].startswith("40{")
            return sid

        async def ask(number: int, sid: str) -> None:
            await post(sid, f'421["echo","mine is {number}"]', '422["shaken"]')

        sids = await asyncio.gather(*map(begin, range(SESSIONS)))
        assert len(set(sids)) == SESSIONS
        polls = [asyncio.ensure_future(poll(sid)) for sid in sids]
        # Answered in another order than asked.
        await asyncio.gather(*(ask(number, sids[number]) for number in reversed(range(SESSIONS))))
        for number, waiting in enumerate(polls):
            packets = await waiting
            while len(packets) < 2:
                packets += await poll(sids[number])
            echo, shaken = packets
            assert echo == f'431["mine is {number}"]'
            assert shaken.startswith("432")
            (seen,) = json.loads(shaken[3:])
            assert seen["query"]["number"] == str(number)
        await asyncio.gather(*(post(sid, "1") for sid in sids))
