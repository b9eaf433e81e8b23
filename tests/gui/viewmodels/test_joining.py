"""The way in: which host is asked for what, who is trusted, and what is remembered; against a real server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.certificates import certificate
from tests.helpers.fake_join import AtOnce
from texswarm_desktop.client.link import WrongCertificateError
from texswarm_desktop.client.transport import door_transport
from texswarm_desktop.core.join_entry import CodeMisspeltError, CodeNeededError, CodeUnknownError, read_join_entry
from texswarm_desktop.core.nearby import NearbyHost, Sighting, nearby_hosts
from texswarm_desktop.core.trust import Trust, UntrustedHostError
from texswarm_desktop.services.known_hosts import KnownHosts
from texswarm_desktop.viewmodels.joining import JoinView, JoinWish
from texswarm_desktop.viewmodels.nearby_view import NearbyView
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.pairing.join_code import JoinCode, read_join_code
from texswarm_server.protocol.announcement import Announcement, Entry
from texswarm_server.protocol.certificates import key_fingerprint
from texswarm_server.protocol.errors import LinkError, RejectedError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

NOBODY = ServerAddress("127.0.0.1", 9, tls=True)


class Guest:
    """Somebody who looks for the way in to a server that is there, or to what they were told of it."""

    def __init__(self, server: CollabServer, fingerprint: str, folder: Path) -> None:
        self.server, self.fingerprint = server, fingerprint
        self.known = KnownHosts(folder / "known-hosts.json")
        self.nearby = NearbyView()
        self.join = JoinView(nearby=self.nearby, known=self.known, new_door=door_transport, executor=AtOnce())
        self.code = ""

    @property
    def host(self) -> NearbyHost:
        """The server as it is found on the network."""
        announcement = Announcement(
            instance="id-of-the-host",
            name="Ada",
            fingerprint=self.fingerprint,
            nameplate=self.code.partition("-")[0],
            entry=Entry.OPEN,
            tls=True,
        )
        (found,) = nearby_hosts([Sighting(announcement, ("127.0.0.1",), self.server.address.port)])
        return found

    def finds(self, *hosts: NearbyHost) -> None:
        self.nearby._show(hosts)

    async def types(self, text: str, trusted: str | None = None) -> InviteLink:
        return await self.join.way_in(JoinWish(entry=read_join_entry(text), trusted=trusted))

    async def picks(self, host: NearbyHost, trusted: str | None = None) -> InviteLink:
        return await self.join.way_in(JoinWish(host=host, trusted=trusted))


@asynccontextmanager
async def guest_in(folder: Path, *, is_open: bool = True) -> AsyncIterator[Guest]:
    cert_file, key_file, der = certificate(folder)
    config = ServerConfig(data=folder / "data", port=0, tls_cert=cert_file, tls_key=key_file)
    async with CollabServer(config) as server:
        guest = Guest(server, key_fingerprint(der), folder)

        async def invitation() -> str:
            return str(InviteLink(ServerAddress("192.0.2.1", 1, tls=True), "txi_secret", None, guest.fingerprint))

        nearby = invitation if is_open else None
        server.open_door(invitation, nearby=nearby, on_code=lambda code: setattr(guest, "code", code))
        yield guest


@pytest.fixture
def at_the_door(run_in_qt: Any, tmp_path: Path) -> Callable[..., None]:
    """Run what a guest does, to its end."""

    def run(does: Callable[[Guest], Awaitable[None]], **host: bool) -> None:
        async def meet() -> None:
            async with guest_in(tmp_path, **host) as guest:
                await does(guest)

        run_in_qt(meet())

    return run


def test_ones_own_server_asks_nobody_to_compare(at_the_door) -> None:
    """A second window of whoever hosts in the first."""

    async def does(guest: Guest) -> None:
        own = guest.fingerprint
        guest.join = JoinView(
            nearby=guest.nearby,
            known=guest.known,
            new_door=door_transport,
            executor=AtOnce(),
            own_fingerprint=lambda: own,
        )
        assert guest.join.trust_in(guest.host) is Trust.KNOWN
        assert (await guest.picks(guest.host)).token
        assert (await guest.types(f"127.0.0.1:{guest.server.address.port}")).token

    at_the_door(does)


def test_who_is_picked_for_the_first_time_has_to_be_trusted_and_then_is(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        with pytest.raises(UntrustedHostError) as asked:
            await guest.picks(guest.host)
        assert (asked.value.fingerprint, asked.value.trust) == (guest.fingerprint, Trust.NEW)
        link = await guest.picks(guest.host, guest.fingerprint)
        assert (link.address, link.token, link.fingerprint) == (guest.server.address, "txi_secret", guest.fingerprint)
        assert guest.join.trust_in(guest.host) is Trust.KNOWN
        assert (await guest.picks(guest.host)).token

    at_the_door(does)


def test_it_is_told_where_the_way_in_was_looked_for(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        nobody = replace(guest.host, addresses=(NOBODY, replace(NOBODY, host="::1")))
        known, code = InviteLink(NOBODY, fingerprint=guest.fingerprint), f"{nobody.announcement.nameplate or 7}"
        roads: list[InviteLink] = []
        with pytest.raises(LinkError):
            await guest.join.way_in(JoinWish(host=nobody, trusted=guest.fingerprint), roads.append)
        guest.finds(replace(nobody, announcement=replace(nobody.announcement, nameplate=code)))
        with pytest.raises(LinkError):
            await guest.join.way_in(JoinWish(entry=read_join_entry(f"{code} otter maple")), roads.append)
        with pytest.raises(LinkError):
            await guest.join.way_in(JoinWish(entry=read_join_entry(f"127.0.0.1:9 {code} otter maple")), roads.append)
        assert roads == [known, known, InviteLink(replace(NOBODY, tls=False))]

    at_the_door(does)


def test_another_certificate_is_asked_about_and_a_yes_to_one_is_none_to_another(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        guest.known.remember("id-of-the-host", "00" * 32)
        for trusted in (None, "00" * 32, "11" * 32):
            with pytest.raises(UntrustedHostError) as asked:
                await guest.picks(guest.host, trusted)
            assert asked.value.trust is Trust.CHANGED
        assert (await guest.picks(guest.host, guest.fingerprint)).token

    at_the_door(does)


def test_a_host_that_shows_another_certificate_than_it_announced_is_left(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        said = replace(guest.host.announcement, fingerprint="ab" * 32)
        with pytest.raises(WrongCertificateError):
            await guest.picks(replace(guest.host, announcement=said), "ab" * 32)
        assert dict(guest.known.fingerprints) == {}

    at_the_door(does)


def test_a_known_host_that_comes_without_encryption_is_left(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        guest.known.remember("id-of-the-host", guest.fingerprint)
        said = replace(guest.host.announcement, fingerprint=None, tls=False)
        with pytest.raises(WrongCertificateError):
            await guest.picks(replace(guest.host, announcement=said))

    at_the_door(does)


def test_an_address_at_which_nobody_answers_is_passed_over(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        host = replace(guest.host, addresses=(NOBODY, *guest.host.addresses))
        assert (await guest.picks(host, guest.fingerprint)).address == guest.server.address
        with pytest.raises(LinkError):
            await guest.picks(replace(guest.host, addresses=(NOBODY,)), guest.fingerprint)

    at_the_door(does)


def test_a_host_that_has_just_closed_the_list_is_one_that_wants_a_code(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        assert guest.host.is_open
        with pytest.raises(CodeNeededError):
            await guest.picks(guest.host, guest.fingerprint)
        assert dict(guest.known.fingerprints) == {}

    at_the_door(does, is_open=False)


def test_a_host_that_says_it_wants_a_code_is_asked_for_nothing_without_one(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        said = replace(guest.host.announcement, entry=Entry.CODE)
        with pytest.raises(CodeNeededError):
            await guest.picks(NearbyHost(said, (NOBODY,)), guest.fingerprint)

    at_the_door(does)


def test_a_code_leads_to_the_host_that_has_its_number_and_makes_it_known(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        other = replace(guest.host.announcement, instance="somebody-else", nameplate="", fingerprint="ab" * 32)
        guest.finds(replace(guest.host, announcement=other), guest.host)
        assert (await guest.types(guest.code)).token
        assert dict(guest.known.fingerprints) == {"id-of-the-host": guest.fingerprint}

    at_the_door(does, is_open=False)


def test_a_host_that_is_heard_a_moment_later_is_waited_for(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        asyncio.get_running_loop().call_later(0.05, guest.finds, guest.host)
        assert (await guest.types(guest.code)).token

    at_the_door(does)


def test_who_pretends_to_have_the_code_is_passed_over(at_the_door) -> None:
    """Somebody announces the same number; they get one try, and the guest goes on to the true host."""

    async def does(guest: Guest) -> None:
        liar = replace(guest.host.announcement, instance="liar-12345")
        guest.finds(NearbyHost(liar, (NOBODY,)), guest.host)
        assert (await guest.types(guest.code)).token

    at_the_door(does)


def test_a_code_and_an_address_need_no_list(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        assert (await guest.types(f"{guest.server.address} {guest.code}")).token
        assert dict(guest.known.fingerprints) == {str(guest.server.address): guest.fingerprint}

    at_the_door(does, is_open=False)


def test_a_code_that_no_host_has_and_one_that_cannot_be(at_the_door, monkeypatch) -> None:
    monkeypatch.setattr("texswarm_desktop.viewmodels.joining._LISTENED_FOR_S", 0.01)

    async def does(guest: Guest) -> None:
        with pytest.raises(CodeUnknownError):
            await guest.types("999-otter-maple" if not guest.code.startswith("999") else "998-otter-maple")
        with pytest.raises(CodeMisspeltError) as misspelt:
            await guest.types("999-oter-maple")
        assert (misspelt.value.word, misspelt.value.meant) == ("oter", "otter")
        code = read_join_code(guest.code)
        assert code is not None
        guest.finds(guest.host)
        with pytest.raises(RejectedError):
            await guest.types(str(JoinCode(code.nameplate, (code.words[1], "zoo"))))

    at_the_door(does)


def test_an_address_is_looked_at_and_its_certificate_has_to_be_trusted(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        with pytest.raises(UntrustedHostError) as asked:
            await guest.types(str(guest.server.address))
        assert asked.value.fingerprint == guest.fingerprint
        link = await guest.types(str(guest.server.address), guest.fingerprint)
        assert (link.token, link.address.tls, link.fingerprint) == ("txi_secret", True, guest.fingerprint)

    at_the_door(does)


def test_where_nobody_is_let_in_the_address_itself_is_the_way(at_the_door) -> None:
    async def does(guest: Guest) -> None:
        link = await guest.types(str(guest.server.address), guest.fingerprint)
        assert (link.token, link.fingerprint) == (None, guest.fingerprint)
        assert (await guest.types("127.0.0.1:9")).address.port == 9
        assert (await guest.types("example.org")).address.host == "example.org"

    at_the_door(does, is_open=False)
