"""Networks that want a sign-in first, each with a real portal: what is said, that it is got over, what a check says."""

import hashlib
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.helpers.certificates import certificate
from tests.helpers.doctor_visit import examined, problems
from tests.helpers.go_betweens import Portal, captive_portal
from tests.helpers.golden import assert_golden
from tests.helpers.lab_desk import LabDesk
from tests.helpers.run_async import runs_async, until
from tests.helpers.tcp_proxy import TcpProxy
from texswarm_desktop.client.link import NoLinkError
from texswarm_desktop.client.states import NeedsUser, Trouble, Waiting
from texswarm_desktop.client.timing import REMOTE
from texswarm_desktop.client.transport import websocket_transport
from texswarm_desktop.core.doctor import Code, Step, main_problem
from texswarm_desktop.ui.doctor_texts import text_of_finding
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress

HASTY = msgspec.structs.replace(REMOTE, backoff_s=(0.0, 0.02, 0.05), connect_timeout_s=0.3, close_timeout_s=0.2)
OPENS = "somebody signs in there, in a web browser"
#: Shown where it takes more than a moment, on a busy machine.
BY_CHANCE = ("Signing in", "Catching up", "Reconnecting in N s · 1 edit", "saving…")
THAT_ANSWER = [each for each in Portal if each is not Portal.NOTHING]


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """The portal's own certificate, which nobody vouches for."""
    cert, key, _ = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


async def trouble_at(port: int, *, tls: bool, fingerprint: str | None = None) -> Trouble:
    address = ServerAddress("127.0.0.1", port, tls=tls)
    with pytest.raises(NoLinkError) as caught:
        async with websocket_transport(fingerprint)(address, HASTY, time.monotonic):
            pass
    return caught.value.trouble


@pytest.mark.parametrize("portal", THAT_ANSWER)
@runs_async
async def test_what_answers_in_the_servers_place_is_not_taken_for_it(portal: Portal, tls: ssl.SSLContext) -> None:
    async with captive_portal(portal) as plain, captive_portal(portal, tls=tls) as encrypted:
        assert await trouble_at(plain.port, tls=False) is Trouble.NOT_OURS
        assert await trouble_at(plain.port, tls=True) is Trouble.TLS
        assert await trouble_at(encrypted.port, tls=True) is Trouble.UNTRUSTED
        assert await trouble_at(encrypted.port, tls=True, fingerprint="00" * 32) is Trouble.NOT_OURS


# ── what the status line says, and that nobody has to do anything here ──────────────────────────────────────


@asynccontextmanager
async def desk_behind(cable: TcpProxy, title: str, server: CollabServer, **options: str) -> AsyncIterator[LabDesk]:
    transport = websocket_transport(options.get("fingerprint"))
    address = replace(server.address, port=cable.port)
    desk = LabDesk(address, HASTY, title=title, name="swarm.example.org", transport=transport)
    desk.credentials.invite = await server.create_invite("owner")
    async with desk:
        yield desk


def meets(desk: LabDesk, trouble: Trouble) -> bool:
    state = desk.connection.state
    assert not isinstance(state, NeedsUser), "a network is nothing that a person must decide"
    return isinstance(state, Waiting) and state.trouble == trouble


def assert_told(desk: LabDesk, name: str) -> None:
    """Each line once before the portal opens and once after it: how many attempts there are is chance."""
    told = desk.transcript.text(time.monotonic()).splitlines()
    lines = [line for line in told if not any(words in line for words in BY_CHANCE)]
    opens = lines.index(f"-- {OPENS}")
    after = [line for line in lines[opens:] if "Connecting to" not in line]  # or that attempt was under way
    once = [*dict.fromkeys(lines[:opens]), *dict.fromkeys(after)]
    assert_golden(f"status/portals/{name}.txt", "\n".join(once) + "\n")


@pytest.mark.parametrize(
    ("portal", "trouble"), [*((each, Trouble.NOT_OURS) for each in THAT_ANSWER), (Portal.NOTHING, Trouble.NO_ANSWER)]
)
@runs_async
async def test_who_joins_from_a_hotel_is_in_when_its_portal_opens(
    tmp_path: Path, portal: Portal, trouble: Trouble
) -> None:
    async with (
        CollabServer(ServerConfig(data=tmp_path, port=0)) as server,
        captive_portal(portal) as hotel,
        TcpProxy(hotel.port) as cable,
        desk_behind(cable, "Somebody joins from a hotel", server) as desk,
    ):
        await desk.begin()
        await until(lambda: meets(desk, trouble))
        desk.look()
        desk.transcript.happens(OPENS)
        cable.target_port = server.address.port
        await until(lambda: desk.is_live)
        desk.look()
    assert_told(desk, "silent" if portal is Portal.NOTHING else "answering")


@pytest.mark.parametrize("is_pinned", [True, False])
@runs_async
async def test_a_hotel_that_ends_a_session_in_its_middle(tmp_path: Path, is_pinned: bool, tls: ssl.SSLContext) -> None:
    """Its lease is over: what stood is cut, and its page with its own certificate answers in the server's place."""
    (tmp_path / "own").mkdir()
    cert, key, der = certificate(tmp_path / "own")
    options = {"fingerprint": hashlib.sha256(der).hexdigest()}
    async with (
        CollabServer(ServerConfig(data=tmp_path / "data", port=0, tls_cert=cert, tls_key=key)) as server,
        captive_portal(tls=tls if is_pinned else None) as hotel,
        TcpProxy(server.address.port) as cable,
        desk_behind(cable, "The hotel's network wants a sign-in again", server, **options) as desk,
    ):
        await desk.create()
        desk.transcript.happens("its lease ends, and its page answers in the server's place")
        cable.target_port = hotel.port
        cable.cut()
        desk.type("on")
        await until(lambda: meets(desk, Trouble.NOT_OURS if is_pinned else Trouble.TLS))
        await until(lambda: any("trying again" in line for line in desk.said))
        desk.transcript.happens(OPENS)
        cable.target_port = server.address.port
        await until(lambda: desk.is_saved)
        desk.look()
    assert_told(desk, "encrypted" if is_pinned else "in-the-clear")


# ── what a check says ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fingerprint", [None, "00" * 32])
@pytest.mark.parametrize("portal", THAT_ANSWER)
@runs_async
async def test_a_check_knows_a_portal_however_it_answers(
    portal: Portal, fingerprint: str | None, tls: ssl.SSLContext
) -> None:
    """And does not call it a bad certificate, or a server without encryption: that is another thing to do."""
    async with captive_portal(portal) as plain, captive_portal(portal, tls=tls) as encrypted:
        for hotel, wants_tls in ((plain, False), (plain, True), (encrypted, True)):
            address = ServerAddress("127.0.0.1", hotel.port, tls=wants_tls)
            found = await examined(str(InviteLink(address, "t", fingerprint=fingerprint)))
            assert problems(found) == {Code.SERVER_PORTAL}
            assert "open a web browser" in text_of_finding(found[Step.SERVER]).remedy
            assert Step.SIGN_IN not in found


@runs_async
async def test_a_portal_that_does_not_hang_up_is_known_all_the_same() -> None:
    async with captive_portal(hangs_up=False) as hotel:
        assert problems(await examined(f"127.0.0.1:{hotel.port}", patience_s=0.2)) == {Code.SERVER_PORTAL}


@pytest.mark.parametrize("wants_tls", [False, True])
@runs_async
async def test_who_takes_the_connection_and_says_nothing_is_not_called_another_program(wants_tls: bool) -> None:
    async with captive_portal(Portal.NOTHING) as hotel:
        address = ServerAddress("127.0.0.1", hotel.port, tls=wants_tls)
        found = await examined(str(InviteLink(address, "t", fingerprint="00" * 32)), patience_s=0.2)
    assert problems(found) == {Code.SERVER_MUTE}
    problem = main_problem(list(found.values()))
    assert problem is not None
    assert "open a web browser" in text_of_finding(problem).remedy
