"""Rows are read from the pages of a database as SQLite wrote them, and of broken pages nothing wrong is made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from texswarm_server.storage.leaf_pages import (
    MalformedPageError,
    is_blob,
    is_integer,
    is_number,
    is_text,
    leaf_rows,
    read_columns,
    read_types,
    read_varint,
)

NUMBERS = (0, 1, -1, 127, -128, 32_767, 2**23 - 1, -(2**23), 2**31, 2**40, -(2**47), 2**62, -(2**63))


def everything(_types: tuple[int, ...]) -> bool:
    return True


def database_of(rows: list[tuple[object, ...]], page_bytes: int = 512) -> bytes:
    """Return a database with one table of three columns, the first of which is the row number."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute(f"PRAGMA page_size = {page_bytes}")
        database.execute("CREATE TABLE t (number INTEGER PRIMARY KEY, a, b)")
        database.execute("BEGIN")
        database.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        database.execute("COMMIT")
        return database.serialize()


def rows_in(content: bytes) -> list[tuple[object, ...]]:
    return [(number, *row[1:]) for number, row in leaf_rows(BytesIO(content), everything)]


@pytest.mark.parametrize("page_bytes", [512, 1024, 4096, 65536])
def test_rows_of_every_length_are_read_as_they_were_written(page_bytes: int) -> None:
    lengths = [*range(page_bytes - 60, page_bytes + 30, 7), 2 * page_bytes, 9 * page_bytes + 1, 0, 1]
    rows = [(number + 1, bytes([number]) * length, "é" * number) for number, length in enumerate(lengths)]
    assert sorted(rows_in(database_of(rows, page_bytes))) == rows


def test_every_kind_of_value_is_read_as_it_was_written() -> None:
    rows = [(number * 1_000_003 + 1, value, None) for number, value in enumerate((*NUMBERS, 0.5, -1e300, "", b"", "ü"))]
    assert sorted(rows_in(database_of(rows))) == rows


def test_row_numbers_may_be_as_large_and_small_as_numbers_are() -> None:
    rows = [(number, "a", "b") for number in sorted(set(NUMBERS))]
    assert sorted(rows_in(database_of(rows))) == rows


def test_rows_are_found_where_the_pages_that_lead_to_them_are_gone() -> None:
    rows = [(number, "word" * 20, number) for number in range(1, 200)]
    content = bytearray(database_of(rows))
    content[512:1024] = b"\xee" * 512  # the root, second of the pages
    assert sorted(rows_in(bytes(content))) == rows


def test_a_row_whose_rest_lies_in_a_circle_comes_to_an_end() -> None:
    """Its length is right and its content is not: that is for its checksum to tell."""
    long = bytes(range(250)) * 200
    content = bytearray(database_of([(1, long, 1), (2, "sound", 2)]))
    for page in range(2, len(content) // 512):
        if content[page * 512] != 0x0D:
            content[page * 512 : page * 512 + 4] = (page + 1).to_bytes(4, "big")
    found = {row[0]: row[1] for row in rows_in(bytes(content))}
    assert found[2] == "sound"
    assert isinstance(found[1], bytes)
    assert len(found[1]) == len(long)
    assert found[1] != long


def test_rows_that_claim_each_others_rest_are_not_read_for_ever() -> None:
    """Every pointer of a page names the same long row: of the file no more is read than it has, a few times over."""
    content = bytearray(database_of([(number, b"z" * 30_000, 1) for number in range(1, 4)]))
    leaf = next(at for at in range(512, len(content), 512) if content[at] == 0x0D)
    row = content[leaf + 8 : leaf + 10]
    content[leaf + 3 : leaf + 5] = (50).to_bytes(2, "big")
    for pointer in range(50):
        content[leaf + 8 + 2 * pointer : leaf + 10 + 2 * pointer] = row
    assert 1 <= len(rows_in(bytes(content))) <= 13


@pytest.mark.parametrize(
    "head", [b"", b"SQLite format 3\x00", b"\x00" * 100, b"SQLite format 3\x00\x01\x07" + bytes(90)]
)
def test_what_does_not_begin_as_a_database_does_is_refused(head: bytes) -> None:
    with pytest.raises(MalformedPageError):
        list(leaf_rows(BytesIO(head), everything))


@pytest.mark.parametrize("data", [b"", b"\x81", b"\xff" * 8])
def test_a_number_that_does_not_end_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPageError):
        read_varint(data, 0)


def test_types_tell_what_a_column_is() -> None:
    assert [each for each in range(16) if is_integer(each)] == [1, 2, 3, 4, 5, 6, 8, 9]
    assert [each for each in range(16) if is_number(each)] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [each for each in range(16) if is_text(each)] == [15]
    assert [each for each in range(16) if is_blob(each)] == [12, 14]


@settings(max_examples=300)
@given(st.binary(max_size=64))
def test_of_any_bytes_a_record_is_made_or_an_error_of_ours(data: bytes) -> None:
    try:
        types, begin = read_types(data)
        values = read_columns(types, data[begin:])
    except MalformedPageError:
        return
    assert len(values) == len(types)


SOUND = database_of([(number, b"y" * (number * 90 % 1_400), "text") for number in range(1, 60)])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(100, len(SOUND) - 1), st.binary(min_size=1, max_size=40)), max_size=20))
def test_a_file_with_any_bytes_in_it_gives_rows_within_bounds_and_no_error(harm: list[tuple[int, bytes]]) -> None:
    content = bytearray(SOUND)
    for at, noise in harm:
        content[at : at + len(noise)] = noise
    content = content[: len(SOUND)]
    for _number, row in leaf_rows(BytesIO(bytes(content)), everything):
        assert all(len(value) <= len(SOUND) for value in row if isinstance(value, (str, bytes)))


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=0, max_size=6_000))
def test_any_bytes_behind_a_head_give_rows_or_none(noise: bytes) -> None:
    for page in range(0, len(noise) - 1, 512):
        noise = noise[:page] + b"\x0d" + noise[page + 1 :]
    list(leaf_rows(BytesIO(SOUND[:512] + noise), everything))
