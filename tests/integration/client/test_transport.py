"""The WebSocket transport alone: certificates, proxies, errors and the end of a link."""

import hashlib
import shutil
import ssl
import subprocess
import time
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace
from websockets.asyncio.server import serve

from tests.helpers.run_async import runs_async, until
from texswarm_desktop.client.link import LinkClosedError, WrongCertificateError
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.client.transport import websocket_transport
from texswarm_server.protocol.errors import LinkLostError, LinkRefusedError
from texswarm_server.protocol.invite_link import ServerAddress

PROFILE = replace(LAN, close_timeout_s=0.2)


@asynccontextmanager
async def listening(handler, **options):
    async with serve(handler, "127.0.0.1", 0, compression=None, close_timeout=0.2, **options) as server:
        port = server.sockets[0].getsockname()[1]
        yield ServerAddress("127.0.0.1", port, tls="ssl" in options)


async def echo(connection):
    async for frame in connection:
        await connection.send(frame)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    order = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab"]
    subprocess.run([*order, "-keyout", key, "-out", cert], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, hashlib.sha256(ssl.PEM_cert_to_DER_cert(cert.read_text())).hexdigest()


@runs_async
async def test_frames_go_out_without_waiting_and_come_in_by_kind():
    async with listening(echo) as address, websocket_transport()(address, PROFILE, time.monotonic) as link:
        link.send("text")
        link.send(b"bytes")
        assert [await link.receive(), await link.receive()] == ["text", b"bytes"]


@runs_async
async def test_a_ping_is_heard():
    async with listening(echo) as address, websocket_transport()(address, PROFILE, time.monotonic) as link:
        before = link.heard_at
        link.ping()
        await until(lambda: link.heard_at > before)


@runs_async
async def test_the_close_code_is_told():
    async def shut(connection):
        await connection.close(4410, "good night")

    async with listening(shut) as address, websocket_transport()(address, PROFILE, time.monotonic) as link:
        with pytest.raises(LinkClosedError) as caught:
            await link.receive()
        assert (caught.value.code, caught.value.reason) == (4410, "good night")


@runs_async
async def test_a_reset_is_a_loss_without_a_code():
    async def reset(connection):
        connection.transport.abort()

    async with listening(reset) as address, websocket_transport()(address, PROFILE, time.monotonic) as link:
        with pytest.raises(LinkLostError) as caught:
            await link.receive()
        assert not isinstance(caught.value, LinkClosedError)


@runs_async
async def test_a_link_that_has_ended_swallows_what_is_sent():
    async def shut(connection):
        await connection.close()

    async with listening(shut) as address, websocket_transport()(address, PROFILE, time.monotonic) as link:
        with pytest.raises(LinkLostError):
            await link.receive()
        link.send("too late")
        link.ping()


@runs_async
async def test_nobody_at_that_address():
    async with listening(echo) as address:
        pass
    with pytest.raises(LinkRefusedError):
        async with websocket_transport()(address, PROFILE, time.monotonic):
            pass


@runs_async
async def test_a_server_that_lets_nobody_more_in_is_full_and_not_absent():
    def refuse(connection, _request):
        response = connection.respond(503, "full")
        response.headers["Retry-After"] = "10"
        return response

    async with listening(echo, process_request=refuse) as address:
        with pytest.raises(LinkClosedError) as caught:
            async with websocket_transport()(address, PROFILE, time.monotonic):
                pass
    assert (caught.value.code, caught.value.reason, caught.value.retry_after_s) == (1013, "over_capacity", 10.0)


@pytest.mark.parametrize("retry_after", ["1", "soon", None])
@runs_async
async def test_a_server_that_restarts_is_not_full(retry_after):
    def refuse(connection, _request):
        response = connection.respond(503, "later")
        if retry_after is not None:
            response.headers["Retry-After"] = retry_after
        return response

    async with listening(echo, process_request=refuse) as address:
        with pytest.raises(LinkRefusedError):
            async with websocket_transport()(address, PROFILE, time.monotonic):
                pass


@runs_async
async def test_a_near_server_is_reached_past_the_systems_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "socks_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    async with listening(echo) as address, websocket_transport()(address, PROFILE, time.monotonic) as link:
        link.send("hello")
        assert await link.receive() == "hello"


@runs_async
async def test_the_certificate_of_the_invite_link_is_enough(certificate):
    context, fingerprint = certificate
    open_link = websocket_transport(fingerprint.upper())
    async with listening(echo, ssl=context) as address, open_link(address, PROFILE, time.monotonic) as link:
        link.send("hello")
        assert await link.receive() == "hello"


@runs_async
async def test_another_certificate_than_promised_is_refused(certificate):
    context, _ = certificate
    async with listening(echo, ssl=context) as address:
        with pytest.raises(WrongCertificateError):
            async with websocket_transport("00" * 32)(address, PROFILE, time.monotonic):
                pass


@runs_async
async def test_a_certificate_nobody_vouches_for_is_refused(certificate):
    context, _ = certificate
    async with listening(echo, ssl=context) as address:
        with pytest.raises(LinkRefusedError):
            async with websocket_transport()(address, PROFILE, time.monotonic):
                pass
