"""The directory of an archive is read as the standard library reads it, and any bytes at all end well."""

import io
import struct
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.zip_directory import (
    TAIL_BYTES,
    ZipEntry,
    data_offset,
    find_directory,
    read_directory,
)
from texswarm_server.protocol.errors import ArchiveError


def packed(files: dict[str, bytes], *, comment: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def entries_of(archive: bytes) -> list[ZipEntry]:
    directory = find_directory(archive[-TAIL_BYTES:], len(archive))
    return list(read_directory(archive[directory.offset :][: directory.size], directory))


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(
    st.dictionaries(NAMES, st.binary(max_size=300), max_size=6),
    st.binary(max_size=40).filter(lambda comment: b"PK" not in comment),
)
def test_it_reads_what_the_standard_library_wrote(files: dict[str, bytes], comment: bytes) -> None:
    archive = packed(files, comment=comment)
    with zipfile.ZipFile(io.BytesIO(archive)) as read:
        wanted = [(one.filename, one.file_size, one.compress_size, one.CRC, one.header_offset) for one in read.filelist]
    found = entries_of(archive)
    assert [(one.name, one.size, one.packed_size, one.crc, one.offset) for one in found] == wanted
    assert all(data_offset(one, archive[one.offset :]) is not None for one in found)


def test_what_stands_before_an_archive_shifts_its_entries() -> None:
    archive = b"#!/bin/sh\nexit\n" + packed({"a.tex": b"A"})
    (entry,) = entries_of(archive)
    assert archive[entry.offset :].startswith(b"PK\x03\x04")


def test_sizes_beyond_32_bits_are_read() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, archive.open("a.tex", "w", force_zip64=True) as entry:
        entry.write(b"A" * 10)
    (found,) = entries_of(made.getvalue())
    assert (found.name, found.size) == ("a.tex", 10)


def test_the_form_for_very_large_archives_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    assert [one.name for one in entries_of(packed({"a": b"1", "b": b"2"}))] == ["a", "b"]


def with_name(raw: bytes, *, flags: int) -> ZipEntry:
    """Return the entry of an archive whose only name is `raw`."""
    archive = bytearray(packed({"x" * len(raw): b"text"}))
    directory = archive.rfind(b"PK\x01\x02")
    archive[directory + 46 : directory + 46 + len(raw)] = raw
    archive[directory + 8 : directory + 10] = struct.pack("<H", flags)
    (entry,) = entries_of(bytes(archive))
    return entry


def test_a_name_that_is_not_the_utf8_it_says_has_no_name() -> None:
    entry = with_name(b"caf\xe9.tex", flags=1 << 11)
    assert (entry.name, entry.shown_name) == (None, r"caf\xe9.tex")


def test_utf8_that_does_not_say_so_is_read() -> None:
    assert with_name("café.tex".encode(), flags=0).name == "café.tex"


def test_an_old_code_page_is_not_guessed() -> None:
    assert with_name(b"caf\x82.tex", flags=0).name is None


def test_an_encrypted_entry_says_so() -> None:
    assert with_name(b"a.tex", flags=1).is_encrypted


@given(st.binary(max_size=200))
def test_any_bytes_are_an_archive_or_a_typed_error(data: bytes) -> None:
    with suppress(ArchiveError):
        entries_of(data)


@given(st.data())
def test_an_archive_with_other_bytes_in_it_is_read_or_a_typed_error(data: st.DataObject) -> None:
    archive = bytearray(packed({"a.tex": b"A" * 50, "b/c.tex": b"C"}))
    for _ in range(data.draw(st.integers(1, 4))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    del archive[data.draw(st.integers(len(archive) // 2, len(archive))) :]
    with suppress(ArchiveError):
        entries_of(bytes(archive))
