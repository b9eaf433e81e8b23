"""Invite links: what is printed is read again, and whatever is pasted, it is an address or a SettingsError."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.protocol.errors import SettingsError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, parse_invite_link, recognised_by

HOSTS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}(\.[a-z0-9]{1,10}){0,3}", fullmatch=True) | st.sampled_from(
    ["127.0.0.1", "::1", "fe80::1"]
)
PATHS = st.just("/ws") | st.from_regex(r"(/[a-z]{1,8}){1,3}/ws", fullmatch=True) | st.just("/elsewhere")
ADDRESSES = st.builds(ServerAddress, HOSTS, st.integers(0, 65535), st.booleans(), PATHS)
WORDS = st.none() | st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable())


@given(ADDRESSES, WORDS, WORDS)
def test_a_link_is_read_as_it_was_printed(address: ServerAddress, token: str | None, document_id: str | None) -> None:
    link = InviteLink(address, token, document_id, "ab12" if address.tls else None)

    assert parse_invite_link(str(link)) == link


def test_a_link_that_names_certificate_and_key_goes_by_the_key_and_is_passed_on_with_both() -> None:
    text = f"texswarm://h:1/?token=t&tls=1&fp={'a' * 64}&key_fp={'b' * 64}"
    link = parse_invite_link(text)

    assert (link.fingerprint, link.certificate) == ("b" * 64, "a" * 64)
    assert str(link) == text


def test_a_server_whose_key_is_of_an_unknown_kind_is_recognised_by_its_certificate() -> None:
    link = InviteLink(ServerAddress("h", 1, tls=True), "t")

    assert str(recognised_by(link, "a" * 64, None)) == f"texswarm://h:1/?token=t&tls=1&fp={'a' * 64}"


def test_a_prefix_is_part_of_the_link_and_of_what_a_server_is_known_by() -> None:
    address = ServerAddress("lab.example", 443, tls=True, path="/tex/ws")

    assert str(InviteLink(address, "t")) == "texswarm://lab.example:443/tex/?token=t&tls=1"
    assert str(address) == "lab.example:443/tex"
    assert parse_invite_link(str(address)).address.path == "/tex/ws"


@given(ADDRESSES.filter(lambda address: address.path.endswith("/ws")))
def test_the_address_of_a_server_is_read_as_it_was_printed(address: ServerAddress) -> None:
    assert parse_invite_link(address.url).address == address


@given(st.text(max_size=120) | st.text(max_size=60).map("texswarm://".__add__))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        link = parse_invite_link(text)
    except SettingsError:
        return
    assert link.address.host
    assert 0 <= link.address.port <= 65535


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("lab.example", "ws://lab.example:8091/ws"),
        (" lab.example:9000 ", "ws://lab.example:9000/ws"),
        ("https://lab.example/tex/ws", "wss://lab.example:8091/tex/ws"),
        ("https://lab.example/tex/", "wss://lab.example:8091/tex/ws"),
        ("lab.example:9000/tex", "ws://lab.example:9000/tex/ws"),
        ("texswarm://h:1/tex/swarm/?token=t&tls=1", "wss://h:1/tex/swarm/ws"),
        ("texswarm://h:1/?path=/tex/ws", "ws://h:1/tex/ws"),
        ("texswarm://h:1/?token=t&tls=1&later=x", "wss://h:1/ws"),
        ("[::1]:7", "ws://[::1]:7/ws"),
    ],
)
def test_people_may_paste_what_they_have(text: str, url: str) -> None:
    assert parse_invite_link(text).address.url == url


@pytest.mark.parametrize("text", ["", "ftp://h", "http://", "h:99999", "a b", "texswarm://?token=t", "[::1"])
def test_what_has_no_host_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_invite_link(text)
