"""What may stand between a desktop and its server: the system's proxies, and a reverse proxy with a prefix."""

import hashlib
import socket
import ssl
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from urllib.parse import quote

import msgspec
import pytest

from tests.helpers.certificates import certificate
from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.go_betweens import http_proxy, reverse_proxy, socks5_proxy
from tests.helpers.golden import assert_golden
from tests.helpers.lab_desk import LabDesk
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.link import NoLinkError
from texswarm_desktop.client.states import Live, Trouble, Waiting
from texswarm_desktop.client.status import LinkFacts, StatusAction, present
from texswarm_desktop.client.timing import LAN, REMOTE
from texswarm_desktop.client.transport import system_proxy, websocket_transport
from texswarm_desktop.ui.error_texts import need_words
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, parse_invite_link

FAR = "swarm.example.org"
#: Shown where coming back takes more than a moment, on a busy machine.
BY_CHANCE = ("Signing in", "Catching up", "saving…")
HASTY = msgspec.structs.replace(REMOTE, backoff_s=(0.0, 0.02, 0.05), close_timeout_s=0.2)


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


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("kind", "user"),
    [(http_proxy, ""), (http_proxy, "ada:"), *((kind, "ada:se cret") for kind in (http_proxy, socks5_proxy))],
)
@runs_async
async def test_a_proxy_is_read_as_other_programs_read_it(tmp_path, monkeypatch, kind, variable, user):
    """Without a scheme, with a scheme that only some know, and with a name and a password."""
    async with server_in(tmp_path) as server, kind(server.address.port, user=user) as proxy:
        scheme = "" if kind is http_proxy else "socks://"
        at = f"{quote(user.rstrip(':'), safe=':')}@" if user else ""
        monkeypatch.setenv(variable, f"{scheme}{at}127.0.0.1:{proxy.port}/")
        async with connecting(InviteLink(ServerAddress(FAR))) as connection:
            await until(lambda: is_live(connection))
        assert proxy.asked == [f"{FAR}:8091"]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({"https_proxy": "http://one:1", "all_proxy": "socks5://two:2"}, "http://one:1"),
        ({"all_proxy": "socks5://two"}, "socks5://two:1080"),
        ({"all_proxy": "socks5://[fd00::2]"}, "socks5://[fd00::2]:1080"),
        ({"all_proxy": "socks5://[fd00::2]:9"}, "socks5://[fd00::2]:9"),
        ({"all_proxy": "SOCKS://two:2"}, "socks5h://two:2"),
        ({"https_proxy": "one:1"}, "http://one:1"),
        ({"https_proxy": "ada@one:1"}, "http://ada:@one:1"),
        ({"https_proxy": "http://[one:1"}, "http://[one:1"),
        ({"https_proxy": ""}, None),
        ({"all_proxy": "one:1", "no_proxy": ".example.org"}, None),
        ({"all_proxy": "one:1", "no_proxy": f"{FAR}:8091"}, None),
        ({"all_proxy": "one:1", "no_proxy": f"{FAR}:443"}, "http://one:1"),
        ({"all_proxy": "one:1", "no_proxy": "*"}, None),
    ],
)
def test_which_proxy_the_environment_names(monkeypatch, environment, proxy, tls):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert system_proxy(ServerAddress(FAR, tls=tls)) == proxy


@runs_async
async def test_what_is_exempt_is_reached_without_the_proxy_that_is_gone(tmp_path, monkeypatch):
    there = {FAR: "127.0.0.1"}
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: look_up(there.get(host, host), *rest, **more)
    )
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with server_in(tmp_path) as server:
        async with connecting(InviteLink(ServerAddress(FAR, server.address.port))) as connection:
            await until(lambda: waits_for(connection, Trouble.PROXY))
        monkeypatch.setenv("NO_PROXY", "localhost,example.org")
        async with connecting(InviteLink(ServerAddress(FAR, server.address.port))) as connection:
            await until(lambda: is_live(connection))


@pytest.mark.parametrize("kind", [http_proxy, socks5_proxy])
@runs_async
async def test_a_proxy_that_dies_in_mid_session_is_told_and_got_over(tmp_path, monkeypatch, kind):
    async with server_in(tmp_path) as server, AsyncExitStack() as running:
        proxy = await running.enter_async_context(kind(server.address.port))
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        async with connecting(InviteLink(ServerAddress(FAR))) as connection:
            await until(lambda: is_live(connection))
            await running.aclose()
            await until(lambda: waits_for(connection, Trouble.PROXY))
            told = present(connection.state, LinkFacts(FAR, 2, None), time.monotonic() + 2, need_words)
            async with kind(server.address.port, port=proxy.port):
                await until(lambda: is_live(connection))
    assert (told.text.partition(" · ")[0], told.action) == ("The proxy fails", StatusAction.RETRY)


@pytest.mark.parametrize("kind", [http_proxy, socks5_proxy])
@pytest.mark.parametrize("at", ["", "ada:wrong@"])
@runs_async
async def test_a_proxy_that_wants_a_sign_in_says_so(monkeypatch, kind, at):
    async with kind(9, user="ada:secret") as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url.replace("//", f"//{at}"))
        async with connecting(InviteLink(ServerAddress(FAR))) as connection:
            await until(lambda: waits_for(connection, Trouble.PROXY_SIGN_IN))
            told = present(connection.state, LinkFacts(FAR, 0, None), time.monotonic(), need_words)
    assert told.text.startswith("The proxy wants a sign-in · trying again in")
    assert told.action is StatusAction.RETRY


@pytest.mark.parametrize(
    "text", ["http://proxy:port", "http://[proxy", "gopher://proxy:70", "http://", "http://h/path"]
)
@runs_async
async def test_a_proxy_that_cannot_be_read_is_told(monkeypatch, text):
    monkeypatch.setenv("https_proxy", text)
    async with connecting(InviteLink(ServerAddress(FAR))) as connection:
        await until(lambda: waits_for(connection, Trouble.PROXY))


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


@pytest.mark.parametrize("answer", ["403 Forbidden", "502 Bad Gateway", "nonsense"])
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


@runs_async
async def test_what_is_said_while_the_server_behind_a_prefix_restarts(tmp_path):
    async with server_in(tmp_path) as server, reverse_proxy(server.address.port, "/tex") as proxy:
        address = parse_invite_link(f"texswarm://127.0.0.1:{proxy.port}/tex/").address
        title = "A server behind a reverse proxy with the prefix /tex is away for a while"
        async with LabDesk(address, HASTY, title=title, name="swarm.example.org/tex") as desk:
            await desk.create()
            target, proxy.target = proxy.target, 1
            proxy.cut()
            desk.transcript.happens("the reverse proxy says that the server behind it is away")
            desk.type("on")
            await until(lambda: waits_for(desk.connection, Trouble.NOBODY))
            await until(lambda: any("Reconnecting" in line for line in desk.said))
            desk.transcript.happens("the server is there again")
            proxy.target = target
            await until(lambda: desk.is_saved)
            desk.look()
        assert set(proxy.asked) == {"/tex/ws"}
    told = desk.transcript.text(time.monotonic()).splitlines()
    lines = [line for line in told if not any(words in line for words in BY_CHANCE)]
    assert_golden("status/reverse-proxy-restarts.txt", "\n".join(lines) + "\n")


@runs_async
async def test_a_server_without_tls_where_tls_was_promised(tmp_path):
    async with server_in(tmp_path) as server:
        with pytest.raises(NoLinkError) as caught:
            async with websocket_transport("00" * 32)(replace(server.address, tls=True), HASTY, time.monotonic):
                pass
    assert caught.value.trouble is Trouble.RESET_AT_HELLO
