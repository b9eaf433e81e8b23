"""The driver of one connection on `/pair`: a guest with a join code, or with none, gets an invite link or a refusal.

Nobody is signed in here, and nobody will be: with the link the guest makes another connection.
"""

import asyncio
import logging
from collections.abc import Awaitable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from websockets.exceptions import ConnectionClosed

from texswarm_server.logs import fields
from texswarm_server.net.server_connection import PeerConnection
from texswarm_server.pairing.join_code import JoinCode, WrongCodeError
from texswarm_server.pairing.messages import (
    MAX_FRAME_BYTES,
    PAIRING_VERSION,
    AskForInvitation,
    InvitationGiven,
    PairingAnswered,
    PairingDone,
    PairingRefused,
    ProvePairing,
    StartPairing,
    guest_codec,
)
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.errors import ErrorCode, RejectedError, TexSwarmError, code_of
from texswarm_server.protocol.messages import Message
from texswarm_server.sessions.code_tries import Attempt

if TYPE_CHECKING:
    from texswarm_server.pairing.exchange import HostExchange

_logger = logging.getLogger(__name__)

_LONGEST_WAIT_S: Final = 15.0


class PairingDesk(Protocol):
    """Who decides; called on the loop."""

    @property
    def executor(self) -> Executor:
        """Where the exchange is computed: it takes some milliseconds, for which nobody else shall wait."""

    def insist_on_certificate(self, seen: str | None) -> None:
        """Raise RejectedError where a guest sees another certificate than is shown here."""

    def begin(self, nameplate: str, address: str) -> Attempt:
        """Let a guest try a code; raises RejectedError."""

    def right(self, attempt: Attempt) -> None:
        """Note that the guest had the code; raises RejectedError when it no longer holds."""

    def wrong(self, attempt: Attempt) -> None:
        """Note that the guest did not."""

    def dropped(self, attempt: Attempt) -> None:
        """Note that it never became known."""

    def exchange(self, code: JoinCode) -> "HostExchange":
        """Return this side of an exchange."""

    def invitation(self, attempt: Attempt) -> Awaitable[str]:
        """Return an invite link for the guest who had the code; raises RejectedError or StorageError."""

    def asked(self, address: str) -> Awaitable[str]:
        """Make an invite link for somebody without a code; raises RejectedError where there is no such way in."""


class PairingPeer:
    """One connection. `serve` runs it to its end."""

    def __init__(self, connection: PeerConnection, desk: PairingDesk) -> None:
        self._connection = connection
        self._desk = desk
        self._attempt: Attempt | None = None

    async def serve(self) -> None:
        """Run until the guest has a link or a refusal, or is gone, or takes too long."""
        self._connection.allow_frames_of(MAX_FRAME_BYTES)
        try:
            async with asyncio.timeout(_LONGEST_WAIT_S):
                await self._answer()
        except TimeoutError:
            self.shut(CloseCode.SILENT)
        except ConnectionClosed:
            pass
        except TexSwarmError as error:
            with suppress(ConnectionClosed):
                await self._refuse(error)
        finally:
            if self._attempt is not None:
                self._desk.dropped(self._attempt)

    def shut(self, code: CloseCode) -> None:
        """End the connection."""
        self._connection.shut(code)

    async def _answer(self) -> None:
        message = await self._next()
        if isinstance(message, AskForInvitation):
            await self._tell(InvitationGiven(link=await self._desk.asked(self._connection.address)))
        elif isinstance(message, StartPairing) and message.version == PAIRING_VERSION:
            await self._pair(message)
        else:
            raise RejectedError(ErrorCode.PROTOCOL_UNSUPPORTED, "nothing that begins a pairing of this version")
        self.shut(CloseCode.NORMAL)

    async def _pair(self, start: StartPairing) -> None:
        self._desk.insist_on_certificate(start.certificate)
        attempt = self._attempt = self._desk.begin(start.nameplate, self._connection.address)
        run = asyncio.get_running_loop().run_in_executor
        exchange = await run(self._desk.executor, self._desk.exchange, attempt.code)
        answer = await run(self._desk.executor, exchange.answer, start.opening)
        await self._tell(PairingAnswered(answer=answer))
        proof = await self._next()
        if not isinstance(proof, ProvePairing):
            raise RejectedError(ErrorCode.UNKNOWN_MESSAGE, "a proof was expected")
        try:
            exchange.check(proof.proof)
        except WrongCodeError:
            self._desk.wrong(attempt)
            _logger.info("wrong join code", extra=fields(address=self._connection.address))
            raise
        self._desk.right(attempt)
        mine, sealed = exchange.seal((await self._desk.invitation(attempt)).encode())
        await self._tell(PairingDone(proof=mine, sealed=sealed))
        _logger.info("paired", extra=fields(address=self._connection.address))

    async def _next(self) -> Message:
        return guest_codec.decode(await self._connection.recv())

    async def _tell(self, message: Message) -> None:
        await self._connection.send(encode(message))

    async def _refuse(self, error: TexSwarmError) -> None:
        code = code_of(error)
        retry_after_s = error.retry_after_s if isinstance(error, RejectedError) else None
        message = error.message if isinstance(error, RejectedError) else ""
        await self._tell(PairingRefused(code=code, message=message, retry_after_s=retry_after_s))
        self.shut(CloseCode.TRY_AGAIN_LATER if retry_after_s else CloseCode.FORBIDDEN)
