"""One process at a time in a project: a lock that the system itself releases when its process ends, however it ends.

Beside the lock stands who holds it, for the message to the second.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from texswarm_desktop.services.disk_errors import not_writable
from texswarm_server.process_lock import LockHeldError, ProcessLock
from texswarm_server.protocol.errors import ProjectInUseError

_NAME: Final = "texswarm"
_TRIES: Final = 10
_PAUSE_S: Final = 0.01


def program_name(command: Sequence[str]) -> str:
    """Return how people call the program of this command line: with the word after it that says it has no window."""
    name = Path(command[0]).stem if command else ""
    if name not in {_NAME, "__main__"}:
        return name
    return f"{_NAME} sync" if command[1:2] == ["sync"] else _NAME


class FolderLock:
    """A held lock. `release` may be called twice."""

    def __init__(self, path: Path) -> None:
        """Take the lock at `path`; raises ProjectInUseError when a process has it, NotWritableError without a file."""
        who = {"pid": os.getpid(), "host": socket.gethostname(), "program": program_name(sys.argv)}
        try:
            self._lock = _taken(path, json.dumps(who).encode())
        except LockHeldError as error:
            raise _in_use(path, error.note) from error
        except OSError as error:
            raise not_writable(path, error) from error

    @property
    def is_elsewhere(self) -> bool:
        """Whether the folder was taken away, and another one with a lock of its own is in its place."""
        return self._lock.is_elsewhere

    def release(self) -> None:
        """Let the next one in."""
        self._lock.release()


def holder_of(path: Path) -> ProjectInUseError | None:
    """Return which process has the lock at `path`, at this moment; None where none has it."""
    if not path.exists():
        return None
    try:
        _taken(path, b"").release()
    except LockHeldError as error:
        return _in_use(path, error.note)
    except OSError:
        return None
    return None


def _taken(path: Path, note: bytes) -> ProcessLock:
    """Who only looks has the lock for an instant too, and names nobody; who has just taken it is about to."""
    for _ in range(_TRIES):
        try:
            return ProcessLock(path, note)
        except LockHeldError as error:
            if error.note:
                raise
            time.sleep(_PAUSE_S)
    return ProcessLock(path, note)


def _in_use(path: Path, note: bytes) -> ProjectInUseError:
    folder = str(path.parent.parent)
    try:
        who = json.loads(note)
        return ProjectInUseError(folder, pid=int(who["pid"]), host=str(who["host"]), program=str(who["program"]))
    except (ValueError, KeyError, TypeError):
        return ProjectInUseError(folder)
