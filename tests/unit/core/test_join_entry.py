"""One field for a link, a code, an address, or both of these."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.join_entry import JoinEntry, read_join_entry
from texswarm_server.pairing.join_code import JoinCode
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress

CODE = JoinCode("417", ("otter", "maple"))
HOST = InviteLink(ServerAddress("192.168.1.20", 8092))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("417-otter-maple", JoinEntry(code=CODE)),
        ("417 Otter Maple", JoinEntry(code=CODE)),
        ("192.168.1.20:8092", JoinEntry(HOST)),
        ("192.168.1.20:8092 417 otter maple", JoinEntry(HOST, CODE)),
        ("417-otter-maple 192.168.1.20:8092", JoinEntry(HOST, CODE)),
        ("417 otter maple, 192.168.1.20:8092", JoinEntry(HOST, CODE)),
        ("texswarm://192.168.1.20:8092/?token=abc", JoinEntry(InviteLink(HOST.address, "abc"))),
        ("example.org", JoinEntry(InviteLink(ServerAddress("example.org")))),
        ("[fd00::1]:8092", JoinEntry(InviteLink(ServerAddress("fd00::1", 8092)))),
    ],
)
def test_what_is_meant_is_understood(typed: str, meant: JoinEntry) -> None:
    assert read_join_entry(f"  {typed} ") == meant


@pytest.mark.parametrize("typed", ["", "   ", "two words", "417 otter", "://", "nonsense here 417-otter-maple"])
def test_what_is_none_of_these_is_none(typed: str) -> None:
    assert read_join_entry(typed) is None


def test_only_a_link_with_a_token_lets_in_by_itself() -> None:
    assert JoinEntry(InviteLink(HOST.address, "abc")).is_invitation
    assert not any(entry.is_invitation for entry in (JoinEntry(HOST), JoinEntry(code=CODE), JoinEntry(HOST, CODE)))


@given(st.text(max_size=80))
def test_whatever_is_typed_nothing_breaks(typed: str) -> None:
    entry = read_join_entry(typed)
    assert entry is None or entry.link is not None or entry.code is not None
