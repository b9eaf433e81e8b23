"""A server that sends its guests on: to HTTPS, to another path, to another name; and what is no such thing."""

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.helpers.certificates import certificate
from tests.helpers.doctor_visit import codes, examined, problems
from tests.helpers.go_betweens import GoBetween, reverse_proxy, sends_on
from tests.helpers.run_async import runs_async
from texswarm_desktop.client.link import NoLinkError, WrongCertificateError
from texswarm_desktop.client.states import Trouble
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.client.transport import websocket_transport
from texswarm_desktop.core.doctor import Code, Step
from texswarm_desktop.ui.doctor_texts import text_of_finding
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.certificates import certificate_fingerprint
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ssl.SSLContext, str]:
    """What the web server encrypts with, vouched for on this system; and its fingerprint."""
    cert, key, der = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, certificate_fingerprint(der)


@asynccontextmanager
async def behind_https(tmp_path: Path, tls: ssl.SSLContext) -> AsyncIterator[GoBetween]:
    async with AsyncExitStack() as running:
        server = await running.enter_async_context(
            CollabServer(ServerConfig(data=tmp_path / "data", port=0, open=True))
        )
        yield await running.enter_async_context(reverse_proxy(server.address.port, "", tls))


async def reached(address: ServerAddress, fingerprint: str | None = None) -> bool:
    async with websocket_transport(fingerprint)(address, LAN, time.monotonic) as link:
        return link.heard_at > 0


@runs_async
async def test_a_server_that_wants_https_is_followed_there(tmp_path: Path, shown) -> None:
    tls, fingerprint = shown
    async with behind_https(tmp_path, tls) as web, sends_on(f"https://127.0.0.1:{web.port}") as plain:
        old = ServerAddress("127.0.0.1", plain.port)
        assert await reached(old)
        assert await reached(old, fingerprint)
        with pytest.raises(WrongCertificateError):
            await reached(old, "00" * 32)
        assert set(web.asked) == {"/ws"}


@runs_async
async def test_a_check_says_where_the_server_sends_on_to_and_goes_on_there(tmp_path: Path, shown) -> None:
    tls, _ = shown
    async with behind_https(tmp_path, tls) as web, sends_on(f"https://127.0.0.1:{web.port}", "302 Found") as plain:
        found = await examined(f"127.0.0.1:{plain.port}")
    assert problems(found) == set()
    assert {Code.SERVER_SENDS_ON, Code.SERVER_OURS, Code.TLS_TRUSTED} <= codes(found)
    assert f"texswarm://127.0.0.1:{web.port}/?tls=1" in text_of_finding(found[Step.REDIRECT]).sentence


@runs_async
async def test_a_server_that_moved_to_another_name_is_told_and_not_followed(tmp_path: Path, shown) -> None:
    """It answers there as a server of ours, which no portal does."""
    tls, _ = shown
    async with behind_https(tmp_path, tls) as web, sends_on(f"https://localhost:{web.port}") as plain:
        with pytest.raises(NoLinkError) as caught:
            await reached(ServerAddress("127.0.0.1", plain.port))
        found = await examined(str(InviteLink(ServerAddress("127.0.0.1", plain.port), "secret")))
    assert caught.value.trouble is Trouble.NOT_OURS
    assert problems(found) == {Code.SERVER_MOVED}
    assert f"texswarm://localhost:{web.port}/?tls=1" in text_of_finding(found[Step.REDIRECT]).sentence
    assert "/ws" not in web.asked, "no secret went there"


@runs_async
async def test_a_redirect_that_is_not_for_good_to_another_name_is_a_portal(tmp_path: Path, shown) -> None:
    tls, _ = shown
    async with behind_https(tmp_path, tls) as web, sends_on(f"https://localhost:{web.port}", "302 Found") as plain:
        assert problems(await examined(f"127.0.0.1:{plain.port}")) == {Code.SERVER_PORTAL}


@runs_async
async def test_who_is_sent_in_a_circle_gets_out_of_it() -> None:
    async with sends_on("/on") as circle:
        with pytest.raises(NoLinkError) as caught:
            await reached(ServerAddress("127.0.0.1", circle.port))
    assert caught.value.trouble is Trouble.NOT_OURS
    assert len(circle.asked) == 4
