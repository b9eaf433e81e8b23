"""One server per data folder: a lock that ends with the process, however it ends.

What the server notes in its file says who it is, and how far it has followed the audit log: commands that change
something beside it wait for that.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from texswarm_server.process_lock import LockHeldError, ProcessLock
from texswarm_server.protocol.errors import NotWritableError

if TYPE_CHECKING:
    from pathlib import Path

_LOCK_NAME: Final = "server.lock"


class FolderLock:
    """Held from construction to `release`; raises NotWritableError when another process has it."""

    def __init__(self, data: Path) -> None:
        try:
            self._lock = ProcessLock(data / _LOCK_NAME, _note(followed=None))
        except LockHeldError as error:
            holder = error.note.decode(errors="replace").partition(" ")[0].strip()
            raise NotWritableError(f"another server uses the data folder {data} (process {holder})") from error
        except OSError as error:
            raise NotWritableError(f"cannot use the data folder {data}: {error.strerror}") from error

    def followed(self, number: int) -> None:
        """Note that everything up to this entry of the audit log was acted on."""
        self._lock.write_note(_note(number))

    def release(self) -> None:
        """Let another server have the folder."""
        self._lock.write_note(_note(followed=None))
        self._lock.release()


def last_followed(data: Path) -> int | None:
    """Return up to which entry of the audit log the server on `data` has acted; None where none runs that says so."""
    with suppress(OSError, ValueError):
        process, number = (data / _LOCK_NAME).read_bytes().split()
        return int(number) if _runs(int(process)) else None
    return None


def _note(followed: int | None) -> bytes:
    return (f"{os.getpid()}\n" if followed is None else f"{os.getpid()} {followed}\n").encode()


def _runs(process: int) -> bool:
    """Whether there is such a process; the file of one that was killed says what it said last."""
    if os.name != "posix":  # there a signal ends a process, whatever its number
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
