"""The guest's side of `/pair`: from a join code, or from nothing but a host that is open, to an invite link.

It makes one connection, says a few sentences, and ends it; the link is followed over another one.
"""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Protocol, TypeVar

import msgspec

from texswarm_desktop.client.link import Link
from texswarm_desktop.client.timing import LAN, LinkProfile
from texswarm_server.pairing.channel import channel_of, seen_as
from texswarm_server.pairing.join_code import JoinCode, RandomBytes
from texswarm_server.pairing.messages import (
    AskForInvitation,
    InvitationGiven,
    PairingAnswered,
    PairingDone,
    PairingRefused,
    ProvePairing,
    StartPairing,
    host_codec,
)
from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.errors import ErrorCode, RejectedError, RemoteProtocolError, SettingsError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, parse_invite_link
from texswarm_server.protocol.messages import Message
from texswarm_server.protocol.version import PAIRING_PATH

M = TypeVar("M", bound=Message)


class CertifiedLink(Link, Protocol):
    """A link that knows which certificate the other end showed."""

    @property
    def certificate(self) -> bytes | None:
        """The certificate in DER form; None without TLS."""


OpenCertified = Callable[[ServerAddress, LinkProfile, Callable[[], float]], AbstractAsyncContextManager[CertifiedLink]]
"""Opens a link whatever certificate is shown, or where it insists on one, with that only."""


class Looked(msgspec.Struct, frozen=True):
    """What was found at an address: a server that shows this certificate, in DER form; None for one without TLS."""

    address: ServerAddress
    certificate: bytes | None


async def pair(address: ServerAddress, code: JoinCode, open_link: OpenCertified, random: RandomBytes) -> InviteLink:
    """Return the invite link that the host at `address` gives to who knows `code`.

    Raises RejectedError (`code_wrong`, `certificate_other`, `throttled` …), LinkError, or RemoteProtocolError.
    """
    from texswarm_server.pairing.exchange import GuestExchange  # noqa: PLC0415 - a tenth of a second, for who has a code

    async with open_link(_door(address), LAN, time.monotonic) as link:
        exchange = GuestExchange(code, channel_of(link.certificate), random)
        seen = seen_as(link.certificate)
        link.send(encode(StartPairing(nameplate=code.nameplate, opening=exchange.opening, certificate=seen)))
        answered = await _next(link, PairingAnswered)
        link.send(encode(ProvePairing(proof=exchange.prove(answered.answer))))
        done = await _next(link, PairingDone)
        invitation = exchange.open(done.proof, done.sealed)
    return _link(invitation.decode("utf-8", "replace"), address)


async def ask_for_invitation(address: ServerAddress, open_link: OpenCertified) -> InviteLink:
    """Return the invite link that a host gives to everybody nearby; raises RejectedError where there is none."""
    async with open_link(_door(address), LAN, time.monotonic) as link:
        link.send(encode(AskForInvitation()))
        given = await _next(link, InvitationGiven)
    return _link(given.link, address)


async def look(address: ServerAddress, open_link: OpenCertified) -> Looked:
    """Return which certificate a server shows; raises LinkError where there is none."""
    async with open_link(_door(address), LAN, time.monotonic) as link:
        return Looked(address, link.certificate)


def _door(address: ServerAddress) -> ServerAddress:
    """Return where the door is: beside the way in of those who have an invitation, also behind a prefix."""
    return replace(address, path=f"{address.path.rpartition('/')[0]}{PAIRING_PATH}")


async def _next(link: Link, kind: type[M]) -> M:
    message = host_codec.decode(await link.receive())
    if isinstance(message, PairingRefused):
        raise RejectedError(message.code, message.message, retry_after_s=message.retry_after_s)
    if not isinstance(message, kind):
        raise RemoteProtocolError(ErrorCode.UNKNOWN_MESSAGE, f"{type(message).__name__} instead of {kind.__name__}")
    return message


def _link(text: str, address: ServerAddress) -> InviteLink:
    """Return the link that was given, with the address under which the host really is reached from here."""
    try:
        given = parse_invite_link(text)
    except SettingsError as error:
        raise RemoteProtocolError(ErrorCode.INVALID_PAYLOAD, "no invite link") from error
    return replace(given, address=address)
