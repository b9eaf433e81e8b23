"""What may stand between a desktop and its server: proxies, a reverse proxy with a prefix, the page of a hotel."""

import hashlib
import ssl
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.helpers.certificates import certificate
from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.go_betweens import captive_portal, http_proxy, reverse_proxy, socks5_proxy
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.link import NoLinkError
from texswarm_desktop.client.states import Live, Trouble, Waiting
from texswarm_desktop.client.status import LinkFacts, present
from texswarm_desktop.client.timing import LAN, REMOTE
from texswarm_desktop.client.transport import system_proxy, websocket_transport
from texswarm_desktop.ui.error_texts import need_words
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, parse_invite_link

FAR = "swarm.example.org"
HASTY = replace(REMOTE, backoff_s=(0.0, 0.02, 0.05), close_timeout_s=0.2)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "socks_proxy", "ws_proxy", "wss_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def server_in(folder, *, port=0):
    async with CollabServer(ServerConfig(data=folder, port=port, open=True)) as server:
        yield server


@asynccontextmanager
async def connecting(link, profile=HASTY):
    transport = websocket_transport(link.fingerprint)
    connection = Connection(
        address=link.address, credentials=FakeCredentials(invite=link.token), profile=profile, transport=transport
    )
    async with connection:
        connection.connect()
        yield connection


def is_live(connection):
    return isinstance(connection.state, Live)


def waits_for(connection, trouble):
    return isinstance(connection.state, Waiting) and connection.state.trouble == trouble


@runs_async
async def test_an_old_link_without_encryption_to_a_host_that_encrypts_now_is_told(tmp_path):
    cert, key, _der = certificate(tmp_path)
    async with CollabServer(ServerConfig(data=tmp_path / "data", port=0, tls_cert=cert, tls_key=key)) as server:
        old = InviteLink(replace(server.address, tls=False))
        async with connecting(old) as connection:
            await until(lambda: waits_for(connection, Trouble.MUTE_AT_HELLO))
            told = present(connection.state, LinkFacts("Ada", 0, None), time.monotonic(), need_words)
    assert told.text.startswith("It may be encrypted now · trying again in")


# ── the system's proxy ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("kind", "variable"), [(http_proxy, "https_proxy"), (socks5_proxy, "socks_proxy")])
@runs_async
async def test_a_far_server_is_reached_through_the_systems_proxy(tmp_path, monkeypatch, kind, variable):
    async with server_in(tmp_path) as server, kind(server.address.port) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        async with connecting(InviteLink(ServerAddress(FAR))) as connection:
            await until(lambda: is_live(connection))
        assert proxy.asked == [f"{FAR}:8091"]


@runs_async
async def test_a_proxy_that_is_down_is_told_and_tried_again_until_it_is_up(tmp_path, monkeypatch):
    async with server_in(tmp_path) as server:
        async with http_proxy(server.address.port) as proxy:
            pass
        monkeypatch.setenv("https_proxy", proxy.url)
        async with connecting(InviteLink(ServerAddress(FAR))) as connection:
            await until(lambda: waits_for(connection, Trouble.PROXY))
            async with http_proxy(server.address.port) as proxy:
                monkeypatch.setenv("https_proxy", proxy.url)
                await until(lambda: is_live(connection))


@pytest.mark.parametrize("answer", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
@runs_async
async def test_a_proxy_that_does_not_pass_on_is_told(monkeypatch, answer):
    async with http_proxy(9, answer=answer) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with pytest.raises(NoLinkError) as caught:
            async with websocket_transport()(ServerAddress(FAR), HASTY, time.monotonic):
                pass
    assert caught.value.trouble is Trouble.PROXY


@pytest.mark.parametrize("host", ["10.1.2.3", "192.168.0.7", "fd00::1", "127.0.0.1", "lab-pc.local", "lab-pc"])
def test_what_is_near_is_never_asked_of_a_proxy(monkeypatch, host):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    assert system_proxy(ServerAddress(host)) is None
    assert system_proxy(ServerAddress(FAR)) == "http://proxy.example:3128"


def test_what_the_system_exempts_goes_without(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "example.org")
    assert system_proxy(ServerAddress(FAR)) is None


# ── a reverse proxy ─────────────────────────────────────────────────────────────────────────────────────────


@runs_async
async def test_a_server_behind_a_reverse_proxy_with_tls_and_a_prefix(tmp_path):
    cert, key, der = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    async with server_in(tmp_path / "data") as server, reverse_proxy(server.address.port, "/tex", context) as proxy:
        token = await server.create_invite("owner")
        fingerprint = hashlib.sha256(der).hexdigest()
        text = f"texswarm://127.0.0.1:{proxy.port}/tex/?token={token}&tls=1&fp={fingerprint}&colour=blue"
        async with connecting(parse_invite_link(text), LAN) as connection:
            await until(lambda: is_live(connection))
        assert proxy.asked == ["/tex/ws"]


@runs_async
async def test_a_server_that_restarts_behind_its_reverse_proxy_is_only_away(tmp_path):
    async with server_in(tmp_path) as server, reverse_proxy(server.address.port, "/tex") as proxy:
        link = parse_invite_link(f"texswarm://127.0.0.1:{proxy.port}/tex/")
        proxy.target, target = 1, proxy.target
        async with connecting(link) as connection:
            await until(lambda: waits_for(connection, Trouble.NOBODY))
            proxy.target = target
            await until(lambda: is_live(connection))


# ── a captive portal ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("redirects", [False, True])
@runs_async
async def test_the_sign_in_page_of_a_network_is_told_and_got_over(tmp_path, redirects):
    profile = replace(HASTY, backoff_s=(0.02,))
    async with captive_portal(redirects=redirects) as portal:
        address = ServerAddress("127.0.0.1", portal.port)
        connection = Connection(address=address, credentials=FakeCredentials(invite=None), profile=profile)
        await connection.__aenter__()
        connection.connect()
        await until(lambda: waits_for(connection, Trouble.NOT_OURS))
        tried = len(portal.asked)
        await until(lambda: len(portal.asked) > tried)
    async with connection, server_in(tmp_path, port=portal.port):
        await until(lambda: is_live(connection))


@runs_async
async def test_a_server_without_tls_where_tls_was_promised(tmp_path):
    async with server_in(tmp_path) as server:
        with pytest.raises(NoLinkError) as caught:
            async with websocket_transport("00" * 32)(replace(server.address, tls=True), HASTY, time.monotonic):
                pass
    assert caught.value.trouble is Trouble.RESET_AT_HELLO
