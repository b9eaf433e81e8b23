"""How a running server hears of changes of access, its own and those of other processes: it follows the audit log."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from texswarm_server.protocol.callbacks import nothing
from texswarm_server.protocol.errors import StorageError
from texswarm_server.sessions.audit import LIVE_ACTIONS, AuditEntry
from texswarm_server.sessions.records import Records
from texswarm_server.storage.store import Store

_logger = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 0.25


class AuditFeed:
    """Hands every entry that a server must act on to `apply`, once and in order, from `start` to `stop`.

    Others may hear of them too: `tell`. Whenever something was acted on, `on_followed` is told up to which entry
    everything is.
    """

    def __init__(self, store: Store, apply: Callable[[AuditEntry], None]) -> None:
        self._store = store
        self._listeners = [apply]
        self.on_followed: Callable[[int], None] = nothing
        self._number = 0
        self._seen_version: int | None = None
        self._latest: asyncio.Future[tuple[int, list[AuditEntry]]] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Follow the log from its present end; raises StorageError."""
        self._number = await self._store.run(lambda records: records.last_audit_number())
        self.on_followed(self._number)
        self._look()

    def tell(self, apply: Callable[[AuditEntry], None]) -> None:
        """Hand every entry from now on to this one as well."""
        self._listeners.append(apply)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def follow(self) -> "asyncio.Future[tuple[int, list[AuditEntry]]]":
        """Return what is done once everything was acted on that is in the log by now."""
        self._latest = self._store.run(partial(_news, after=self._number))
        self._latest.add_done_callback(self._take)
        return self._latest

    def _look(self) -> None:
        """Look into the log if it has grown since: where only texts are written nobody asks for anything."""
        if self._latest is None or self._latest.done():
            version = self._store.audit_version()
            if version != self._seen_version:
                self._seen_version = version
                self.follow()
        self._timer = asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self._look)

    def _take(self, news: "asyncio.Future[tuple[int, list[AuditEntry]]]") -> None:
        """Act on what is new; several may have looked at once."""
        if news.cancelled():
            return
        if error := news.exception():
            self._seen_version = None
            level = logging.DEBUG if isinstance(error, StorageError) else logging.ERROR
            _logger.log(level, "the audit log cannot be followed: %s", error)
            return
        number, entries = news.result()
        fresh = [entry for entry in entries if entry.number > self._number]
        self._number = max(self._number, number)
        for entry in fresh:
            for apply in self._listeners:
                apply(entry)
        if fresh:
            self.on_followed(self._number)


def _news(records: Records, after: int) -> tuple[int, list[AuditEntry]]:
    number = records.last_audit_number()
    return number, records.audit(after=after, actions=LIVE_ACTIONS) if number > after else []
