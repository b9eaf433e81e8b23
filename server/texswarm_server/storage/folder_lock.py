"""One server per data folder: a lock that ends with the process, however it ends."""

from __future__ import annotations

import os
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
            self._lock = ProcessLock(data / _LOCK_NAME, f"{os.getpid()}\n".encode())
        except LockHeldError as error:
            holder = error.note.decode(errors="replace").strip()
            raise NotWritableError(f"another server uses the data folder {data} (process {holder})") from error
        except OSError as error:
            raise NotWritableError(f"cannot use the data folder {data}: {error.strerror}") from error

    def release(self) -> None:
        """Let another server have the folder."""
        self._lock.release()
