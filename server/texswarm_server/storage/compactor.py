"""Makes one update of many, and packs it as a version: large documents in a process of their own.

pycrdt holds the interpreter for a whole call, so that a thread would stop the server for as long as it takes, half a
second and more for tens of megabytes. As a program this module reads a request from standard input and writes the
answer to standard output.
"""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

import texswarm_server
from texswarm_server.document.compaction import compact_carefully
from texswarm_server.protocol.errors import CorruptSnapshotError, TexSwarmError
from texswarm_server.storage.versions import pack

LARGE_BYTES: Final = 512 * 1024
_POLITENESS: Final = 10
_CANNOT_BE_READ: Final = 3


class Request(msgspec.Struct, frozen=True, array_like=True):
    """Updates to make one of, and whether the result is wanted as a version too."""

    updates: list[bytes]
    wants_version: bool


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """One update for all, the places of those that do harm and are left out, and the version where one is wanted."""

    content: bytes
    harmful: tuple[int, ...]
    packed: bytes


def answer_to(request: Request) -> Answer:
    """Do the work here; raises DocumentError or CorruptSnapshotError."""
    compacted = compact_carefully(request.updates)
    return Answer(compacted.content, compacted.harmful, pack(compacted.content) if request.wants_version else b"")


class Compactor:
    """Used by one thread. `stop` may be called by any, and ends a process that is at work."""

    def __init__(self, *, large_bytes: int = LARGE_BYTES) -> None:
        """`large_bytes`: from which size on a process is started."""
        self._large_bytes = large_bytes
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def compact(self, request: Request) -> Answer:
        """Return the answer, wherever it is made; raises TexSwarmError when the updates cannot be read."""
        if sum(map(len, request.updates)) < self._large_bytes:
            return answer_to(request)
        process = self._start()
        if process is None:
            return answer_to(request)
        out, err = process.communicate(msgspec.msgpack.encode(request))
        self._process = None
        if process.returncode == 0:
            return msgspec.msgpack.decode(out, type=Answer)
        raise CorruptSnapshotError(err.decode(errors="replace").strip() or f"ended with {process.returncode}")

    def stop(self) -> None:
        """End what is at work; nothing is started any more."""
        with self._lock:
            self._is_stopped = True
            if self._process is not None:
                self._process.kill()

    def _start(self) -> "subprocess.Popen[bytes] | None":
        """Start the process; None where none can be started, so that the work is done here."""
        home = str(Path(texswarm_server.__file__).parents[1])
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))}
        command = [sys.executable, "-m", "texswarm_server.storage.compactor"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with self._lock:
            if self._is_stopped:
                raise CorruptSnapshotError("the server is stopping")
            with suppress(OSError):
                self._process = subprocess.Popen(command, env=environment, **pipes)  # type: ignore[call-overload] # noqa: S603
        return self._process


def main() -> int:
    """Answer one request; the exit status says whether that worked, standard error why not."""
    if hasattr(os, "nice"):
        os.nice(_POLITENESS)
    try:
        answer = answer_to(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Request))
    except TexSwarmError as error:
        sys.stderr.write(f"{error}\n")
        return _CANNOT_BE_READ
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
