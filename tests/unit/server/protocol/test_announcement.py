"""Announcements: read as they were meant; and whatever strangers send is bounded and fit to be shown."""

import unicodedata
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.protocol.announcement import Announcement, Entry, read_announcement, shown_text
from texswarm_server.protocol.errors import RemoteProtocolError

PLAIN: Final = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=30).map(lambda text: text.strip())
ANNOUNCEMENTS: Final = st.builds(
    Announcement,
    instance=st.from_regex(r"[a-z0-9_-]{8,40}", fullmatch=True),
    name=PLAIN,
    project=PLAIN,
    document_id=st.none() | st.uuids().map(str),
    fingerprint=st.none() | st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    nameplate=st.sampled_from(["", "417"]),
    more_nameplates=st.lists(st.sampled_from(["100", "418", "999"]), max_size=50).map(tuple),
    entry=st.sampled_from(Entry),
    tls=st.booleans(),
    protocol=st.integers(1, 255),
)
LEAST: Final = {b"txtvers": b"1", b"v": b"2", b"id": b"abcdefgh"}


def as_sent(announcement: Announcement) -> dict[bytes, bytes | None]:
    return {key.encode(): value for key, value in announcement.to_txt().items()}


@given(ANNOUNCEMENTS)
def test_an_announcement_is_read_as_it_was_made(announcement: Announcement) -> None:
    assert read_announcement(as_sent(announcement)) == announcement


@given(st.text(), st.text())
def test_no_entry_is_longer_than_dns_allows(name: str, project: str) -> None:
    record = Announcement(instance="abcdefgh", name=name, project=project, fingerprint="ab" * 32).to_txt()
    assert all(len(key) + 1 + len(value) <= 255 for key, value in record.items())
    assert sum(len(key) + 2 + len(value) for key, value in record.items()) <= 1300


def test_a_long_title_is_cut_between_characters() -> None:
    title = Announcement(instance="abcdefgh", name="", project="ö" * 300).to_txt()["title"]
    assert title.decode("utf-8") == "ö" * 100


@given(st.binary(max_size=400), st.integers(1, 300))
def test_whatever_bytes_come_in_they_can_be_shown_on_one_line(data: bytes, most: int) -> None:
    text = shown_text(data, most)
    assert all(unicodedata.category(char)[0] != "C" for char in text)
    assert (text.splitlines() or [""]) == [text]
    assert len(text.encode()) <= max(most, len(text))


def test_text_is_not_turned_around_by_strangers() -> None:
    assert shown_text("evil\u202egnp.exe\x00\x1b[31m".encode(), 100) == "evil gnp.exe [31m"


@given(st.dictionaries(st.sampled_from([*LEAST, b"doc", b"fp", b"code", b"in", b"name"]), st.none() | st.binary()))
def test_whatever_is_sent_it_is_an_announcement_or_a_typed_error(entries: dict[bytes, bytes | None]) -> None:
    try:
        found = read_announcement({**LEAST, **entries})
    except RemoteProtocolError:
        return
    assert len(found.name) <= 120
    assert len(found.nameplate) <= 4


@pytest.mark.parametrize(
    "wrong",
    [
        {b"txtvers": b"9"},
        {b"id": b"short"},
        {b"id": "ünïcödé!".encode()},
        {b"v": b"0"},
        {b"v": b"x"},
        {b"doc": b"nope"},
    ],
)
def test_what_no_host_of_ours_sends_is_refused(wrong: dict[bytes, bytes | None]) -> None:
    with pytest.raises(RemoteProtocolError):
        read_announcement({**LEAST, **wrong})


def test_a_fingerprint_that_is_none_is_left_out() -> None:
    assert read_announcement({**LEAST, b"fp": b"zz" * 32}).fingerprint is None


def test_nothing_secret_is_announced() -> None:
    """The fields are these; one that is added has to be thought about here."""
    fields = set(Announcement.__slots__)
    assert fields == {
        "instance", "name", "project", "document_id", "fingerprint", "nameplate", "more_nameplates", "entry",
        "tls", "protocol",
    }  # fmt: skip
