"""One process at a time: a lock that the system itself releases when its process ends, however it ends.

Beside the lock stands who holds it, for the message to the second. What a dead process left there means nothing.
"""

import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from texswarm_server.protocol.errors import NotWritableError, ProjectInUseError

_LOCKED_BYTE: Final = 1 << 30

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """A held lock. `release` may be called twice."""

    def __init__(self, path: Path) -> None:
        """Take the lock at `path`; raises ProjectInUseError when a process has it, NotWritableError without a file."""
        self._descriptor: int | None = None
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise NotWritableError(f"{path}: {error.strerror}") from error
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise _in_use(path) from error
        self._descriptor = descriptor
        _say_who(descriptor)

    def release(self) -> None:
        """Let the next one in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _say_who(descriptor: int) -> None:
    """On a full disk nobody can be named; the lock holds all the same."""
    who = {"pid": os.getpid(), "host": socket.gethostname(), "program": Path(sys.argv[0]).name}
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, json.dumps(who).encode())


def _in_use(path: Path) -> ProjectInUseError:
    folder = str(path.parent.parent)
    try:
        who = json.loads(path.read_bytes())
        return ProjectInUseError(folder, pid=int(who["pid"]), host=str(who["host"]), program=str(who["program"]))
    except (OSError, ValueError, KeyError, TypeError):
        return ProjectInUseError(folder)
