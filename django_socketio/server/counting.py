"""How many sockets an operator addresses, and of which users."""

from __future__ import annotations

from ..addressing.headcount import Headcount
from ..addressing.rooms import NOBODY
from .addressees import Addressees
from .hubs import block, must_not_block, on_each_hub


class Counting(Addressees):
    """Counts without fetching: processes answer with numbers and ids, not with descriptions.

    A process that does not answer within five seconds is logged, and its sockets are missing from
    the result; where that matters, ``fetch_sockets`` says how many processes are missing.
    """

    __slots__ = ()

    def count(self) -> int:
        """Return how many sockets are addressed now, over all processes.

        Raises TypeError after ``on_commit``, SynchronousOnlyOperation on an event loop's thread. As
        ``(await io.fetchSockets()).length`` in
        https://socket.io/docs/v4/server-instance/#fetchsockets
        """
        must_not_block("acount")
        return block(self.acount)

    async def acount(self) -> int:
        """As :meth:`count`, awaited."""
        return (await self._count("acount", users=False)).sockets

    def users(self) -> set[str]:
        """Return the ids of the users that have any of these sockets, as text.

        Anonymous users have none. Raises what :meth:`count` does.
        """
        must_not_block("ausers")
        return block(self.ausers)

    async def ausers(self) -> set[str]:
        """As :meth:`users`, awaited."""
        return set((await self._count("ausers", users=True)).users)

    async def _count(self, name: str, users: bool) -> Headcount:
        self._refuse_on_commit(name)
        total = Headcount()
        if self._rooms is not NOBODY:
            target = self._target
            for found in await on_each_hub(lambda hub: hub.count(target, users)):
                total = total.and_also(found)
        return total
