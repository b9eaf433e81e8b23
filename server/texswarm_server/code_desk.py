"""The join codes that an operator makes, also beside the running server: told of, tried, and handed out.

It joins what decides about them (`sessions.issued_codes`) with the records in which they stand.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from texswarm_server.logs import fields
from texswarm_server.pairing.join_code import JoinCode
from texswarm_server.protocol.errors import StorageError
from texswarm_server.sessions.audit import AuditAction, AuditEntry
from texswarm_server.sessions.code_tries import Attempt
from texswarm_server.sessions.issued_codes import (
    CodeGiven,
    HoldingCode,
    IssuedCodes,
    count_wrong,
    holding_codes,
    spend_code,
)
from texswarm_server.storage.store import Store, log_failure

if TYPE_CHECKING:
    import asyncio

_logger = logging.getLogger(__name__)

_NEWS = frozenset({AuditAction.CODE_ISSUED, AuditAction.CODE_BURNED, AuditAction.INVITE_REVOKED})


class CodeDesk:
    """`load` once, then `apply` every change of access and `tick` now and then. `wall_clock`: when codes end.

    `link` makes the invite link for what a code leads to; `on_change` is called when other codes hold than before.
    """

    def __init__(
        self,
        store: Store,
        *,
        wall_clock: Callable[[], float],
        link: Callable[[CodeGiven], str],
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        self._store, self._wall_clock, self._link, self.on_change = store, wall_clock, link, on_change
        self._codes = IssuedCodes()
        self._look_at: float | None = None

    @property
    def nameplates(self) -> tuple[str, ...]:
        """The numbers of the codes that hold, the latest first."""
        return self._codes.nameplates

    def load(self) -> "asyncio.Future[list[HoldingCode]]":
        """Find out which codes hold; done when they do."""
        loading = self._store.run(partial(holding_codes, now=self._wall_clock()))
        loading.add_done_callback(self._take)
        return loading

    def apply(self, entry: AuditEntry) -> None:
        """Act on a change of access."""
        if entry.action in _NEWS:
            self.load()

    def tick(self) -> None:
        """Let go of codes that grew old."""
        if self._look_at is not None and self._wall_clock() >= self._look_at:
            self._look_at = None
            self.load()

    def knows(self, nameplate: str) -> bool:
        """Whether a code with this number holds, or held."""
        return self._codes.knows(nameplate)

    def owns(self, attempt: Attempt) -> bool:
        """Whether an attempt was begun here, at a code that still holds."""
        return self._codes.owns(attempt)

    def begin(self, nameplate: str, address: str, now: float) -> Attempt:
        """Let somebody at `address` try; raises RejectedError. `now`: by a steady clock, in seconds."""
        return self._codes.begin(nameplate, address, now)

    def ended(self, attempt: Attempt) -> None:
        """Note that an attempt is over and was not wrong."""
        self._codes.ended(attempt)

    def wrong(self, attempt: Attempt) -> None:
        """Note that the guest did not have the code."""
        is_burned = self._codes.wrong(attempt)
        counting = self._store.run(partial(count_wrong, code=attempt.code, now=self._wall_clock()))
        counting.add_done_callback(log_failure)
        if is_burned:
            _logger.info("a join code was burned by wrong tries", extra=fields(number=attempt.code.nameplate))
            self.on_change()

    async def invitation(self, code: JoinCode) -> str:
        """Return an invite link for one guest; raises RejectedError or StorageError."""
        given = await self._store.run(partial(spend_code, code=code, now=self._wall_clock()))
        self.load()
        return self._link(given)

    def _take(self, loading: "asyncio.Future[list[HoldingCode]]") -> None:
        if loading.cancelled():
            return
        if error := loading.exception():
            level = logging.DEBUG if isinstance(error, StorageError) else logging.ERROR
            _logger.log(level, "the join codes cannot be read: %s", error)
            return
        before, holding = self._codes.nameplates, loading.result()
        self._codes.hold(holding)
        self._look_at = min((one.expires_at for one in holding), default=None)
        if self._codes.nameplates != before:
            self.on_change()
