"""One server per data folder: a lock that ends with the process, however it ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from texswarm_server.protocol.errors import NotWritableError

if TYPE_CHECKING:
    from pathlib import Path

_LOCK_NAME: Final = "server.lock"


class FolderLock:
    """Held from construction to `release`; raises NotWritableError when another process has it."""

    def __init__(self, data: Path) -> None:
        path = data / _LOCK_NAME
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise NotWritableError(f"cannot use the data folder {data}: {error.strerror}") from error
        try:
            _lock(self._file)
        except OSError as error:
            holder = os.read(self._file, 32).decode(errors="replace").strip()
            os.close(self._file)
            raise NotWritableError(f"another server uses the data folder {data} (process {holder})") from error
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let another server have the folder."""
        with suppress(OSError):
            os.close(self._file)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, 1024, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
