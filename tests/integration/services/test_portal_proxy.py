"""The proxy of a Linux desktop's settings, as its portal tells it; here on a bus of the test's own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.message_bus import ProxyPortal, message_bus
from texswarm_desktop.services.portal_proxy import proxy_by_portal

URL = "https://swarm.example.org:8091/ws"


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    pytest.importorskip("jeepney")
    with message_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


@pytest.mark.parametrize(
    ("named", "url"),
    [
        (["http://proxy.example:3128", "direct://"], "http://proxy.example:3128"),
        (["socks://proxy.example:1080"], "socks://proxy.example:1080"),
        (["direct://", "http://proxy.example:3128"], None),
        ([], None),
    ],
)
def test_what_the_portal_names_is_read(bus: str, named: list[str], url: str | None) -> None:
    with ProxyPortal(bus, *named) as portal:
        assert proxy_by_portal(URL) == url
    assert portal.asked == [("Lookup", (URL,))]


def test_without_a_portal_there_is_no_proxy(bus: str) -> None:
    assert proxy_by_portal(URL) is None


@pytest.mark.parametrize("address", ["", "unix:path=/nowhere/bus", "nonsense"])
def test_without_a_bus_there_is_no_proxy(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    assert proxy_by_portal(URL) is None


def test_without_the_library_there_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jeepney", None)
    assert proxy_by_portal(URL) is None
