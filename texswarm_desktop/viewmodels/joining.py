"""The way in: from a host in the list, a join code or an address to an invite link that can be followed.

What is tried is decided by what the user gave; whether the other end is who it was, by `core.trust`. Every refusal is
an error that carries data; the Join dialog shows it and stays open.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from PySide6.QtCore import QObject, Signal

from texswarm_desktop.client.link import WrongCertificateError
from texswarm_desktop.client.timing import is_near
from texswarm_desktop.core.join_entry import CodeMisspeltError, CodeNeededError, CodeUnknownError, JoinEntry
from texswarm_desktop.core.trust import Trust, UntrustedHostError, judge
from texswarm_desktop.services.known_hosts import KnownHosts
from texswarm_desktop.viewmodels.nearby_view import NearbyView
from texswarm_server.pairing.join_code import JoinCode, unknown_words
from texswarm_server.protocol.certificates import key_fingerprint
from texswarm_server.protocol.errors import ErrorCode, LinkError, LinkTimeoutError, RejectedError, TexSwarmError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress

if TYPE_CHECKING:
    from texswarm_desktop.client.pairing import OpenCertified
    from texswarm_desktop.core.nearby import NearbyHost

#: A host whose code was read out a moment ago may not have been heard yet.
_LISTENED_FOR_S: Final = 3.0
_ONE_ADDRESS_S: Final = 4.0

T = TypeVar("T")

NewDoor = Callable[[str | None], "OpenCertified"]
"""Makes what opens links to a server's door, given the fingerprint to insist on."""

TellRoad = Callable[[InviteLink], None]
"""Hears where the way in is looked for, before anybody is asked there."""


class JoinWish(msgspec.Struct, frozen=True):
    """What the user wants: a host of the list, or what was typed. `trusted`: a fingerprint they have said yes to."""

    host: "NearbyHost | None" = None
    entry: JoinEntry | None = None
    trusted: str | None = None


def _nobody(_road: InviteLink) -> None:
    pass


class JoinView(QObject):
    """Finds the way in. Signal: `words_changed(str, str)`: a fingerprint and its four words, once they are known."""

    words_changed = Signal(str, str)

    def __init__(
        self,
        *,
        nearby: NearbyView,
        known: KnownHosts,
        new_door: NewDoor,
        executor: Executor,
        own_fingerprint: Callable[[], str | None] = lambda: None,
        random: Callable[[int], bytes] = os.urandom,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.nearby = nearby
        self._known, self._new_door, self._executor, self._random = known, new_door, executor, random
        self._own_fingerprint = own_fingerprint
        self._words: dict[str, str] = {}

    def trust_in(self, host: "NearbyHost") -> Trust:
        """Return what is known of a host's certificate, as it announces it."""
        return self._judge(host.announcement.instance, host.announcement.fingerprint)

    def _judge(self, key: str, fingerprint: str | None) -> Trust:
        return judge(self._known.fingerprints, key, fingerprint, own=self._own_fingerprint())

    async def words_for(self, fingerprint: str) -> str:
        """Return the four words of a fingerprint; they take a moment the first time."""
        from texswarm_server.pairing.fingerprint_words import words_of  # noqa: PLC0415 - when somebody wants in

        if fingerprint not in self._words:
            found = await asyncio.get_running_loop().run_in_executor(self._executor, words_of, fingerprint)
            self._words[fingerprint] = found
        self.words_changed.emit(fingerprint, self._words[fingerprint])
        return self._words[fingerprint]

    async def way_in(self, wish: JoinWish, tell: TellRoad = _nobody) -> InviteLink:
        """Return a link to follow. Raises UntrustedHostError, CodeNeededError, CodeUnknownError, CodeMisspeltError,
        RejectedError, LinkError; of the road it failed on, `tell` heard last.
        """
        if wish.host is not None:
            return await self._way_to_host(wish.host, wish.trusted, tell)
        assert wish.entry is not None, "the dialog asks for nothing that could not be read"
        code, link = wish.entry.code, wish.entry.link
        if code is not None:
            return await self._way_by_code(code, link, tell)
        assert link is not None
        tell(link)
        if wish.entry.is_invitation or not is_near(link.address):
            return link
        return await self._way_to_address(link, wish.trusted)

    async def _way_to_host(self, host: "NearbyHost", trusted: str | None, tell: TellRoad) -> InviteLink:
        tell(_road_to(host))
        if not host.is_open:
            raise CodeNeededError(host.name)
        said, trust = host.announcement, self.trust_in(host)
        if said.fingerprint is not None and trust in {Trust.NEW, Trust.CHANGED} and trusted != said.fingerprint:
            raise UntrustedHostError(said.fingerprint, trust)
        if said.fingerprint is None and trust is Trust.CHANGED:
            raise WrongCertificateError("the host showed a certificate before, and announces none now")
        from texswarm_desktop.client.pairing import ask_for_invitation  # noqa: PLC0415 - as above

        door = self._new_door(said.fingerprint)
        try:
            link = await self._first(host.addresses, lambda address: ask_for_invitation(address, door))
        except RejectedError as error:
            if error.code != ErrorCode.TOKEN_MISSING:
                raise
            raise CodeNeededError(host.name) from error  # the host has just changed who may join
        return self._taken(link, said.instance, said.fingerprint)

    async def _way_by_code(self, code: JoinCode, there: InviteLink | None, tell: TellRoad) -> InviteLink:
        for word, meant in unknown_words(code).items():
            raise CodeMisspeltError(word, meant)
        if there is not None:
            tell(there)
            link = await self._first(_with_and_without_tls(there.address), lambda one: self._paired(one, code))
            return self._taken(link, str(there.address), link.fingerprint)
        refusal: TexSwarmError = CodeUnknownError(str(code))
        for host in await self._hosts_with(code.nameplate):
            tell(_road_to(host))
            try:
                link = await self._first(host.addresses, lambda one: self._paired(one, code))
            except TexSwarmError as error:
                refusal = error
            else:
                return self._taken(link, host.announcement.instance, link.fingerprint)
        raise refusal

    async def _way_to_address(self, link: InviteLink, trusted: str | None) -> InviteLink:
        """Ask a server of which only the address is known for the way in; where it has no door, there is the link."""
        from texswarm_desktop.client.pairing import ask_for_invitation, look  # noqa: PLC0415

        try:
            found = await self._first(_with_and_without_tls(link.address), lambda one: look(one, self._new_door(None)))
        except LinkError:
            return link
        fingerprint = None if found.certificate is None else key_fingerprint(found.certificate)
        trust = self._judge(str(link.address), fingerprint)
        if fingerprint is not None and trust in {Trust.NEW, Trust.CHANGED} and trusted != fingerprint:
            raise UntrustedHostError(fingerprint, trust)
        if fingerprint is None and trust is Trust.CHANGED:
            raise WrongCertificateError("a server that had a certificate has none now")
        here = replace(link, address=found.address, fingerprint=fingerprint)
        try:
            given = await ask_for_invitation(found.address, self._new_door(fingerprint))
        except RejectedError:  # nobody gets in here without an invitation; a sign-in from an earlier time may do
            given = here
        return self._taken(replace(given, fingerprint=fingerprint), str(link.address), fingerprint)

    async def _hosts_with(self, nameplate: str) -> "Sequence[NearbyHost]":
        from texswarm_desktop.core.nearby import with_nameplate  # noqa: PLC0415 - as above

        news = asyncio.Event()
        listening = self.nearby.hosts_changed.connect(lambda _hosts: news.set())
        try:
            async with asyncio.timeout(_LISTENED_FOR_S):
                while not (found := with_nameplate(self.nearby.hosts, nameplate)):
                    await news.wait()
                    news.clear()
        except TimeoutError:
            return ()
        finally:
            self.nearby.hosts_changed.disconnect(listening)
        return found

    async def _paired(self, address: ServerAddress, code: JoinCode) -> InviteLink:
        from texswarm_desktop.client.pairing import pair  # noqa: PLC0415

        return await pair(address, code, self._new_door(None), self._random)

    async def _first(self, addresses: Sequence[ServerAddress], attempt: Callable[[ServerAddress], Awaitable[T]]) -> T:
        """Return what the first address gives at which somebody answers; what they say no to is not asked elsewhere."""
        trouble: LinkError = LinkTimeoutError("no address")
        for address in addresses:
            try:
                async with asyncio.timeout(_ONE_ADDRESS_S):
                    return await attempt(address)
            except TimeoutError:
                trouble = LinkTimeoutError(str(address))
            except LinkError as error:
                trouble = error
        raise trouble

    def _taken(self, link: InviteLink, key: str, fingerprint: str | None) -> InviteLink:
        """Remember whom we came to, and insist on the same from now on."""
        if fingerprint is not None:
            self._known.remember(key, fingerprint)
        return replace(link, fingerprint=fingerprint or link.fingerprint)


def _road_to(host: "NearbyHost") -> InviteLink:
    """Return the best road to a host of the list, by which it is recognised too."""
    return InviteLink(host.addresses[0], fingerprint=host.announcement.fingerprint)


def _with_and_without_tls(address: ServerAddress) -> tuple[ServerAddress, ...]:
    """Return how a server may be spoken to of which nobody said whether it speaks TLS."""
    return (replace(address, tls=True),) if address.tls else (replace(address, tls=True), address)
