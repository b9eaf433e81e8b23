"""A lock on a file that the system itself releases when the process ends, however it ends; used by both ends.

The holder may leave a note in the file, for the message to whoever comes second. What a dead process left there means
nothing. On a network drive that knows no locks, taking one fails as an OSError, as any trouble with the file does.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

#: Locked on Windows, where a lock on bytes keeps others from reading them: far behind every note.
_LOCKED_BYTE: Final = 1 << 30
_MAX_NOTE_BYTES: Final = 4096

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, *, waits: bool) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK if waits else msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int, *, waits: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)


class LockHeldError(OSError):
    """Another process has the lock; `note` is what it wrote beside it."""

    def __init__(self, path: Path, note: bytes) -> None:
        super().__init__(f"{path} is locked by another process")
        self.note = note


class ProcessLock:
    """A held lock. `release` may be called twice."""

    def __init__(self, path: Path, note: bytes = b"", *, waits: bool = False) -> None:
        """Take the lock at `path` and leave `note` in it; raises LockHeldError, or OSError for trouble with the file.

        `waits`: until the other one has let go; blocks.
        """
        self._path = path
        self._descriptor: int | None = None
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor, waits=waits)
        except OSError as error:
            held = LockHeldError(path, _note_in(descriptor))
            os.close(descriptor)
            raise held from error
        self._descriptor = descriptor
        _write_note(descriptor, note)

    def __enter__(self) -> ProcessLock:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.release()

    @property
    def is_elsewhere(self) -> bool:
        """Whether another file has the name of the locked one by now, which anybody may lock."""
        if self._descriptor is None:
            return False
        try:
            return not os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except OSError:
            return False

    def write_note(self, note: bytes) -> None:
        """Leave another note in the file."""
        if self._descriptor is not None:
            _write_note(self._descriptor, note)

    def release(self) -> None:
        """Let the next one in."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)


def _note_in(descriptor: int) -> bytes:
    with suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        return os.read(descriptor, _MAX_NOTE_BYTES)
    return b""


def _write_note(descriptor: int, note: bytes) -> None:
    """On a full disk nobody can be named; the lock holds all the same."""
    with suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.ftruncate(descriptor, os.write(descriptor, note))
