"""Makes one update of a document's log, and packs it as a version: in a process of its own, unless there is next to
nothing to do.

pycrdt holds the interpreter for a whole call, so that a thread would stop the server for as long as it takes: tens of
milliseconds for some thousand edits, half a second and more for tens of megabytes. To read a log row by row stops it as
well, for milliseconds: whoever writes to fifty sockets lets go of the interpreter fifty times. So the process reads the
database itself. As a program this module answers requests from standard input on standard output, one after the other,
and ends when none came for a while. It works when nobody else has something to do.

    request, answer = size (8 bytes, big-endian), message
"""

import os
import select
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Final

import msgspec

import texswarm_server
from texswarm_server.document.compaction import compact_carefully
from texswarm_server.protocol.errors import CorruptSnapshotError, TexSwarmError
from texswarm_server.protocol.ids import DocumentId
from texswarm_server.storage.document_log import read_log
from texswarm_server.storage.packing import pack
from texswarm_server.storage.read_only import tolerant_text
from texswarm_server.storage.schema import open_for_reading

LARGE_BYTES: Final = 4 * 1024
_POLITENESS: Final = 19
_SIZE_BYTES: Final = 8
_IDLE_S: Final = 60.0


class Request(msgspec.Struct, frozen=True, array_like=True):
    """Whose log, in the database at which path, and whether the result is wanted as a version too."""

    path: str
    document_id: DocumentId
    wants_version: bool


class Answer(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """One update for all up to the row numbered `through`, and the version where one is wanted.

    `harmful`: numbers and contents of the updates that break the document and are left out.
    """

    content: bytes
    through: int
    harmful: tuple[tuple[int, bytes], ...]
    packed: bytes


class Refusal(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The log cannot be read, and why."""

    reason: str


def answer_to(request: Request) -> Answer:
    """Do the work here; raises DocumentError, CorruptSnapshotError or sqlite3.Error."""
    with closing(open_for_reading(Path(request.path))) as database:
        database.text_factory = tolerant_text
        database.execute("BEGIN")
        log = read_log(database, request.document_id)
    if log.damage:
        raise CorruptSnapshotError("; ".join(log.damage))
    compacted = compact_carefully(log.content)
    stands_on = len(log.content) - len(log.updates)
    return Answer(
        compacted.content,
        log.through,
        tuple(log.updates[place - stands_on] for place in compacted.harmful),
        pack(compacted.content) if request.wants_version else b"",
    )


class Compactor:
    """Used by one thread. `stop` may be called by any, and ends the process, at work or not."""

    def __init__(self, *, large_bytes: int = LARGE_BYTES) -> None:
        """`large_bytes`: from which size on the process does the work."""
        self._large_bytes = large_bytes
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def compact(self, request: Request, size_bytes: int) -> Answer:
        """Return the answer for a log of about `size_bytes`, wherever it is made.

        Raises TexSwarmError or sqlite3.Error when the log cannot be read.
        """
        if size_bytes < self._large_bytes:
            return answer_to(request)
        answer = self._ask(request)
        if isinstance(answer, Refusal):
            raise CorruptSnapshotError(answer.reason)
        return answer

    def stop(self) -> None:
        """End the process; none is started any more."""
        with self._lock:
            self._is_stopped = True
            if self._process is not None:
                self._process.kill()
        self._let_go()

    def _ask(self, request: Request) -> Answer | Refusal:
        """Have the process answer; one that was there already may have gone to rest, and another one is asked."""
        message = msgspec.msgpack.encode(request)
        for is_fresh in (False, True):
            process = self._running(is_fresh=is_fresh)
            if process is None:
                return answer_to(request)
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(OSError):
                _write(process.stdin, message)
                if answer := _read(process.stdout):
                    return msgspec.msgpack.decode(answer, type=Answer | Refusal)
        raise CorruptSnapshotError("the compacting process ended")

    def _running(self, *, is_fresh: bool) -> "subprocess.Popen[bytes] | None":
        """Return the process, started if need be; None where none can be started, so that the work is done here."""
        with self._lock:
            if self._is_stopped:
                raise CorruptSnapshotError("the server is stopping")
            if self._process is not None and not is_fresh and self._process.poll() is None:
                return self._process
        self._let_go()
        with self._lock, suppress(OSError):
            if not self._is_stopped:
                self._process = _start()
        return self._process

    def _let_go(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()


def _start() -> "subprocess.Popen[bytes]":
    home = str(Path(texswarm_server.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))}
    command = [sys.executable, "-m", "texswarm_server.storage.compactor"]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    _give_way(process.pid)  # now: to start takes as long as to compact
    return process


def _write(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(len(message).to_bytes(_SIZE_BYTES, "big"))
    pipe.write(message)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes:
    """Return the next message; empty when there is none any more."""
    size = int.from_bytes(pipe.read(_SIZE_BYTES), "big")
    message = pipe.read(size)
    return message if len(message) == size else b""


def _give_way(process: int) -> None:
    """Let a process work only when nobody else has something to do, where the system knows such a thing."""
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, process, _POLITENESS)
        os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0))


def _has_request() -> bool:
    """Wait for a request as long as it pays to wait; where that cannot be waited for, until the pipe is closed."""
    if sys.platform == "win32":
        return True
    return bool(select.select([sys.stdin.buffer], [], [], _IDLE_S)[0])


def main() -> None:
    """Answer requests until the pipe is closed, or none came for a while."""
    while _has_request() and (message := _read(sys.stdin.buffer)):
        answer: Answer | Refusal
        try:
            answer = answer_to(msgspec.msgpack.decode(message, type=Request))
        except (TexSwarmError, sqlite3.Error) as error:
            answer = Refusal(str(error))
        _write(sys.stdout.buffer, msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    main()
