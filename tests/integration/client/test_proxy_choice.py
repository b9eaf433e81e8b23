"""Which proxy is taken: the environment's, the desktop's, or none for whoever is in the same network."""

import asyncio
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.go_betweens import http_proxy
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.proxy_choice import ProxyChoice
from texswarm_desktop.client.states import Live
from texswarm_desktop.client.timing import REMOTE
from texswarm_desktop.client.transport import websocket_transport
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import ServerAddress

FAR = ServerAddress("swarm.example.org")
CAMPUS = {"141.20.1.7": 24, "fe80::1%eth0": 64, "127.0.0.1": 8}


@pytest.fixture(autouse=True)
def _no_proxies_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "socks_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What can be looked up; everything else cannot."""
    known: dict[str, list[str]] = {}

    def look_up(host: str, *_rest: object, **_more: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        if host not in known:
            raise socket.gaierror("no such name")
        return [(0, 0, 0, "", (address, 0)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


class Desktop:
    def __init__(self, named: str | None) -> None:
        self.named, self.asked, self.threads = named, [], []

    def __call__(self, url: str) -> str | None:
        self.asked.append(url)
        self.threads.append(threading.current_thread())
        return self.named


def chosen(address: ServerAddress, desktop: Desktop | None) -> str | None:
    return asyncio.run(ProxyChoice(lambda: CAMPUS, desktop)(address))


@pytest.mark.parametrize("tls", [False, True])
def test_the_desktop_is_asked_in_a_thread_as_for_the_web(names, tls: bool) -> None:
    desktop = Desktop("proxy.example:3128")
    assert chosen(ServerAddress(FAR.host, tls=tls), desktop) == "http://proxy.example:3128"
    assert desktop.asked == [f"https://{FAR.host}:8091/ws"]
    assert desktop.threads != [threading.main_thread()]


def test_the_environment_wins_over_the_desktop(names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://one:1")
    desktop = Desktop("http://two:2")
    assert chosen(FAR, desktop) == "http://one:1"
    monkeypatch.setenv("no_proxy", FAR.host)
    assert chosen(FAR, desktop) is None
    assert desktop.asked == []
    monkeypatch.delenv("https_proxy")
    assert chosen(FAR, desktop) == "http://two:2", "who only exempts something names no proxy"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "169.254.1.1", "fe80::5", "192.168.0.7", "lab-pc"])
def test_what_is_near_is_not_even_asked_about(names, host: str) -> None:
    desktop = Desktop("http://proxy.example:3128")
    assert chosen(ServerAddress(host), desktop) is None
    assert desktop.asked == []


@pytest.mark.parametrize(
    ("addresses", "proxy"),
    [
        (["141.20.1.20"], None),
        (["192.168.1.2", "141.20.1.20"], None),
        (["93.184.216.34"], "http://proxy.example:3128"),
        (["141.20.1.20", "93.184.216.34"], "http://proxy.example:3128"),
    ],
)
@pytest.mark.parametrize("where", ["desktop", "environment"])
def test_a_name_of_a_machine_in_the_same_network_goes_without(
    names, addresses: list[str], proxy: str | None, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public address does not make a machine a far one: a university has nothing else."""
    names[FAR.host] = addresses
    named = "http://proxy.example:3128"
    if where == "environment":
        monkeypatch.setenv("ALL_PROXY", named)
    assert chosen(FAR, Desktop(named) if where == "desktop" else None) == proxy


@pytest.mark.expects_log
def test_a_desktop_that_fails_or_hangs_holds_nobody_up(names, caplog: pytest.LogCaptureFixture) -> None:
    def fails(_url: str) -> str:
        raise OSError("no settings")

    assert asyncio.run(ProxyChoice(dict, fails)(FAR)) is None
    assert "looking for a proxy" in caplog.text
    go_on, asked = threading.Event(), []

    def hangs(url: str) -> None:
        asked.append(url)
        go_on.wait()

    choice = ProxyChoice(dict, hangs, limit_s=0.05)

    async def twice() -> list[str | None]:
        return [await choice(FAR), await choice(FAR)]

    assert asyncio.run(twice()) == [None, None]
    assert len(asked) == 1, "one question at a time, and one thread"
    go_on.set()
    thread = choice._thread
    assert thread is not None
    thread.join()


@runs_async
async def test_a_far_server_is_reached_through_the_desktops_proxy(tmp_path: Path) -> None:
    async with (
        CollabServer(ServerConfig(data=tmp_path, port=0, open=True)) as server,
        http_proxy(server.address.port) as proxy,
    ):
        transport = websocket_transport(None, ProxyChoice(dict, Desktop(proxy.url)))
        connection = Connection(
            address=FAR, credentials=FakeCredentials(invite=None), profile=REMOTE, transport=transport
        )
        async with connection:
            connection.connect()
            await until(lambda: isinstance(connection.state, Live))
    assert proxy.asked == [f"{FAR.host}:8091"]


@runs_async
async def test_who_is_in_the_same_network_is_reached_although_the_proxy_is_down(tmp_path: Path, monkeypatch) -> None:
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: look_up({FAR.host: "127.0.0.1"}.get(host, host), *rest, **more),
    )
    async with CollabServer(ServerConfig(data=tmp_path, port=0, open=True)) as server:
        choice = ProxyChoice(lambda: CAMPUS, Desktop("http://127.0.0.1:9"))
        address = ServerAddress(FAR.host, server.address.port)
        async with websocket_transport(None, choice)(address, REMOTE, time.monotonic) as link:
            assert link.heard_at
