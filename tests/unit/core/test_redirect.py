"""Where a server sends its guests on to, and when they may go."""

import pytest

from texswarm_desktop.core.redirect import is_permanent, may_follow, sent_on_to
from texswarm_server.protocol.invite_link import ServerAddress

HOST = "swarm.example.org"
OLD = ServerAddress(HOST, 80)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (f"https://{HOST}/ws", ServerAddress(HOST, 443, tls=True)),
        (f"https://{HOST}:8443/tex/ws", ServerAddress(HOST, 8443, tls=True, path="/tex/ws")),
        (f"wss://{HOST}/ws", ServerAddress(HOST, 443, tls=True)),
        ("/tex/ws", ServerAddress(HOST, 80, path="/tex/ws")),
        (f"//{HOST}/ws", OLD),
        ("https://other.example.org/ws?x=1", ServerAddress("other.example.org", 443, tls=True)),
    ],
)
def test_a_redirect_to_a_door_is_read(location: str, target: ServerAddress) -> None:
    assert sent_on_to(OLD, "/ws", 301, location) == target


@pytest.mark.parametrize(
    "location",
    ["", "/terms", "https://portal.example/login?from=/ws", "ftp://swarm.example.org/ws", "http://[x/ws"],
)
def test_a_redirect_to_a_page_leads_nowhere(location: str) -> None:
    assert sent_on_to(OLD, "/ws", 302, location) is None
    assert sent_on_to(OLD, "/ws", 302, f"https://{HOST}/{'x' * 500}/ws") is None
    assert sent_on_to(OLD, "/ws", 200, f"https://{HOST}/ws") is None


def test_what_is_asked_of_the_server_tells_its_door_as_well() -> None:
    old = ServerAddress(HOST, 80, path="/tex/ws")
    assert sent_on_to(old, "/tex/api/ping", 308, f"https://{HOST}/new/api/ping") == ServerAddress(
        HOST, 443, tls=True, path="/new/ws"
    )


@pytest.mark.parametrize(
    ("new", "may"),
    [
        (ServerAddress(HOST, 443, tls=True), True),
        (ServerAddress(f"{HOST.upper()}.", 443, tls=True), True),
        (ServerAddress(HOST, 80, path="/tex/ws"), True),
        (ServerAddress("portal.example", 443, tls=True), False),
        (OLD, False),
    ],
)
def test_only_the_same_machine_is_followed_unasked(new: ServerAddress, may: bool) -> None:
    assert may_follow(OLD, new) is may


def test_nobody_is_led_out_of_encryption() -> None:
    assert not may_follow(ServerAddress(HOST, 443, tls=True), ServerAddress(HOST, 80))
    assert may_follow(ServerAddress(HOST, 443, tls=True), ServerAddress(HOST, 8443, tls=True))


def test_a_move_for_good_is_told_from_a_detour() -> None:
    assert [status for status in (301, 302, 303, 307, 308) if is_permanent(status)] == [301, 308]
