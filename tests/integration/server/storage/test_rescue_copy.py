"""A file from a disk that fails is copied as far as it can be read."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.stored_documents import PAPER, add_document, append_all, opened_store, text_of, typed_updates
from texswarm_server.storage import damage
from texswarm_server.storage import rescue_copy as module
from texswarm_server.storage.damage import note_suspicion
from texswarm_server.storage.rescue_copy import rescue_copy
from texswarm_server.storage.store import database_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BLOCK = 4096


class BadSectors:
    """A disk on which blocks of one file cannot be read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.blocks: set[int] = set()
        self._copyfile: Callable[..., object] = shutil.copyfile
        self._read = module._read
        monkeypatch.setattr(shutil, "copyfile", self.copyfile)
        monkeypatch.setattr(module, "_read", self.read)

    def copyfile(self, source: Path, target: Path) -> object:
        if self.blocks:
            target.write_bytes(source.read_bytes()[:BLOCK])
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._copyfile(source, target)

    def read(self, file: Any, at: int, size: int) -> bytes:
        if any(at < (block + 1) * BLOCK and at + size > block * BLOCK for block in self.blocks):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._read(file, at, size)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> BadSectors:
    return BadSectors(monkeypatch)


@pytest.mark.expects_log
@pytest.mark.parametrize("size", [10 * BLOCK, 10 * BLOCK + 1, 2 * 1024 * 1024 + 9 * BLOCK + 17])
def test_what_can_be_read_is_where_it_was(
    disk: BadSectors, tmp_path: Path, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    content = bytes(range(1, 252)) * (size // 251 + 1)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content[:size])
    last = (size - 1) // BLOCK
    disk.blocks = {0, 3, last}
    lost = rescue_copy(source, target)
    assert lost == 2 * BLOCK + (size - last * BLOCK)
    wanted = bytearray(content[:size])
    for block in disk.blocks:
        wanted[block * BLOCK : (block + 1) * BLOCK] = bytes(len(wanted[block * BLOCK : (block + 1) * BLOCK]))
    assert target.read_bytes() == wanted
    assert "cannot be read from the disk" in caplog.text


def test_a_sound_file_is_copied_whole(disk: BadSectors, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"whole")
    assert rescue_copy(tmp_path / "source", tmp_path / "target") == 0
    assert (tmp_path / "target").read_bytes() == b"whole"
    assert not disk.blocks


def test_a_full_disk_is_no_disk_that_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def copyfile(_source: Path, _target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "source").write_bytes(b"whole")
    monkeypatch.setattr(shutil, "copyfile", copyfile)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        rescue_copy(tmp_path / "source", tmp_path / "target")


def test_a_log_that_cannot_be_read_is_told_as_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def lost_changes(_path: Path) -> str:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = database_path(tmp_path)
    path.write_bytes(b"x")
    monkeypatch.setattr(damage, "lost_changes", lost_changes)
    assert "cannot be read" in damage.find_loss(path)


@pytest.mark.expects_log
@runs_async
async def test_a_database_with_sectors_that_cannot_be_read_is_served_without_them(
    disk: BadSectors, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The server did not start at all: the copy to work on could not be made."""
    words = 3000
    async with opened_store(tmp_path) as store:
        await add_document(store)
        await append_all(store, typed_updates(words, text="word ")[1])
    path = database_path(tmp_path)
    last = path.stat().st_size // BLOCK - 1
    with path.open("rb+") as file:
        file.seek(last * BLOCK)
        file.write(b"\xee" * BLOCK)
    note_suspicion(path)
    disk.blocks = {last}
    async with opened_store(tmp_path) as store:
        assert store.damage
        loaded = await store.load(PAPER)
        assert loaded is not None
        assert words // 2 < len(text_of(loaded.updates).split()) <= words
    assert "is served read-only" in caplog.text
