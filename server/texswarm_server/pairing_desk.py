"""Who gets an invite link at the door: guests with the join code, and, where the host wishes so, whoever asks.

It joins what decides about codes (`sessions.join_codes`) with the clock, the records in which invites are kept, and
whoever shows the code to people. The door is closed until it is opened, but for codes that an operator made
(`code_desk`).
"""

import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from texswarm_server.code_desk import CodeDesk
from texswarm_server.pairing.channel import channel_of, seen_as
from texswarm_server.pairing.join_code import JoinCode
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.network_place import is_local
from texswarm_server.sessions.code_tries import Attempt
from texswarm_server.sessions.credentials import RandomBytes
from texswarm_server.sessions.join_codes import JoinCodes

if TYPE_CHECKING:
    from texswarm_server.pairing.exchange import HostExchange

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What is behind the door and for whom.

    `invitation` makes a link for one guest with the code. `nearby` makes one for whoever is on the local network and
    has no code; None: they are not let in. What it gave before must be revoked by whoever takes it away.
    `on_code` is told the code, and None while there is none, on the server's loop.
    """

    invitation: Callable[[], Awaitable[str]]
    nearby: Callable[[], Awaitable[str]] | None = None
    on_code: Callable[[JoinCode | None], object] = lambda _code: None


class PairingDesk:
    """Implements `net.pairing_peer.PairingDesk`; `certificate` returns what this server shows now, in DER form."""

    def __init__(
        self,
        *,
        issued: CodeDesk,
        random: RandomBytes,
        certificate: Callable[[], bytes | None],
        clock: Callable[[], float],
    ) -> None:
        self._issued, self._random, self._certificate, self._clock = issued, random, certificate, clock
        self._door: Door | None = None
        self._codes: JoinCodes | None = None
        self._told: JoinCode | None = None
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="pairing")

    @property
    def code(self) -> JoinCode | None:
        """The code that holds now."""
        return self._codes.current(self._clock()) if self._codes is not None else None

    def open(self, door: Door) -> None:
        """Open the door, with a fresh code unless it was open before."""
        self._door = door
        if self._codes is None:
            self._codes = JoinCodes(self._random, self._clock())
        self._told = self.code
        door.on_code(self._told)

    def close(self) -> None:
        """Let nobody in any more."""
        self._door = self._codes = None
        self.executor.shutdown(wait=False, cancel_futures=True)

    def tick(self) -> None:
        """Tell whoever shows the code when another one holds; called now and then."""
        self._issued.tick()
        code = self.code
        if self._door is not None and code is not self._told:
            self._told = code
            self._door.on_code(code)

    def insist_on_certificate(self, seen: str | None) -> None:
        """Raise RejectedError where a guest sees another certificate than is shown here: no proof of theirs would fit.

        It is no try of a code. Who is in between may hide it, and then fails at the proof.
        """
        if seen is not None and seen != seen_as(self._certificate()):
            raise RejectedError(ErrorCode.CERTIFICATE_OTHER, "something in between ends the encryption")

    def begin(self, nameplate: str, address: str) -> Attempt:
        """Let a guest try a code; raises RejectedError."""
        if self._issued.knows(nameplate):
            return self._issued.begin(nameplate, address, self._clock())
        if self._codes is None:
            raise RejectedError(ErrorCode.NOT_FOUND, "there is no code here")
        return self._codes.begin(nameplate, address, self._clock())

    def right(self, attempt: Attempt) -> None:
        """Note that the guest had the code; raises RejectedError when it no longer holds."""
        if self._issued.owns(attempt):
            self._issued.ended(attempt)
            return
        if self._codes is None:
            raise RejectedError(ErrorCode.CODE_EXPIRED, "the door was closed meanwhile")
        self._codes.right(attempt, self._clock())
        self.tick()

    def wrong(self, attempt: Attempt) -> None:
        """Note that the guest did not have the code."""
        if self._issued.owns(attempt):
            self._issued.wrong(attempt)
        elif self._codes is not None and self._codes.wrong(attempt, self._clock()):
            _logger.info("a join code was burned by wrong tries")
        self.tick()

    def dropped(self, attempt: Attempt) -> None:
        """Note that nothing was tried."""
        self._issued.ended(attempt)
        if self._codes is not None:
            self._codes.dropped(attempt)

    def exchange(self, code: JoinCode) -> "HostExchange":
        """Return this side of an exchange over a connection on which this server's certificate was shown.

        Takes some milliseconds, and the first time more.
        """
        from texswarm_server.pairing.exchange import HostExchange  # noqa: PLC0415 - not everybody is asked for it

        return HostExchange(code, channel_of(self._certificate()), self._random)

    async def invitation(self, attempt: Attempt) -> str:
        """Return an invite link for the guest who had the code; raises RejectedError or StorageError."""
        if self._issued.owns(attempt):
            return await self._issued.invitation(attempt.code)
        if self._door is None:
            raise RejectedError(ErrorCode.NOT_FOUND, "the door was closed meanwhile")
        return await self._door.invitation()

    async def asked(self, address: str) -> str:
        """Make an invite link for somebody without a code; raises RejectedError where there is no such way in."""
        if self._door is None or self._door.nearby is None or not is_local(address):
            raise RejectedError(ErrorCode.TOKEN_MISSING, "one gets in with the code or a link only")
        return await self._door.nearby()
