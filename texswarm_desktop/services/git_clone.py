"""Clones a repository with the git of the system into a new folder. Every function blocks.

No shell; the address comes after `--` and was looked at by `core.git_address`; only https and ssh are allowed to git
itself, whatever a server redirects to; submodules, which name further addresses, stay away. Git has no terminal, so
that it fails where it would ask.
"""

import os
import queue
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO, Final

from texswarm_desktop.core.git_address import git_address
from texswarm_desktop.services.unzip import Progress, move_into_place, new_place
from texswarm_server.protocol.errors import CloneError, CloneProblem, ToolMissingError

#: The transports git may use. A test adds its own.
SECURE: Final = ("https", "ssh")

_LOOK_EVERY_S: Final = 0.1
_GRACE_S: Final = 3.0
_KEPT_LINES: Final = 40
_KILL: Final = getattr(signal, "SIGKILL", signal.SIGTERM)
_PERCENT: Final = re.compile(rb"(Receiving objects|Resolving deltas|Updating files):\s+(\d+)%")
#: From and to which part of the whole each phase leads.
_PHASES: Final = {b"Receiving objects": (0, 80), b"Resolving deltas": (80, 95), b"Updating files": (95, 100)}
_PROBLEMS: Final = (
    (CloneProblem.HOST_UNKNOWN, re.compile(r"host key verification failed", re.IGNORECASE)),
    (CloneProblem.NOT_TRUSTED, re.compile(r"certificate", re.IGNORECASE)),
    (
        CloneProblem.NOT_ALLOWED,
        re.compile(r"authentication failed|could not read (user|pass)|permission denied|\b40[13]\b", re.IGNORECASE),
    ),
    (
        CloneProblem.NOT_FOUND,
        re.compile(
            r"not found|does not exist|does not appear to be a git|is this a git repository|\b404\b", re.IGNORECASE
        ),
    ),
    (
        CloneProblem.UNREACHABLE,
        re.compile(r"could not resolve|couldn't connect|failed to connect|connection|timed out|network", re.IGNORECASE),
    ),
)


def clone(address: str, target: Path, *, progress: Progress, transports: Sequence[str] = SECURE) -> None:
    """Clone into `target`, which is empty or not there yet. `progress` is asked several times a second.

    Raises GitAddressError, ToolMissingError, CloneError, NotWritableError, and what `progress` raises; nothing is at
    `target` then.
    """
    address = git_address(address)
    git = shutil.which("git")
    if git is None:
        raise ToolMissingError("git")
    place = new_place(target)
    try:
        _run(_command(git, address, place, transports), progress)
        move_into_place(place, target)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _command(git: str, address: str, place: Path, transports: Sequence[str]) -> list[str]:
    settings = {f"protocol.{name}.allow": "always" for name in transports}
    settings |= {"protocol.ext.allow": "never", "submodule.recurse": "false", "core.fsmonitor": "false"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    words = ("clone", "--progress", "--no-recurse-submodules", "--", address, str(place))
    return [git, "-c", "protocol.allow=never", *options, *words]


def _environment() -> dict[str, str]:
    """What would change whom git obeys is taken away; its words are English, to be told apart."""
    kept = {name: value for name, value in os.environ.items() if name != "GIT_ALLOW_PROTOCOL"}
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        kept.pop(name, None)
    return kept | {"LC_ALL": "C", "LANGUAGE": "", "GIT_TERMINAL_PROMPT": "0"}


def _run(command: Sequence[str], progress: Progress) -> None:
    said: list[str] = []
    with _running(command) as (process, lines):
        for line in lines:
            match = _PERCENT.search(line)
            if match is not None:
                first, last = _PHASES[match[1]]
                progress(first + (last - first) * int(match[2]) // 100, 100)
                continue
            progress(0, 0)
            if line:
                said = [*said, line.decode(errors="replace").strip()][-_KEPT_LINES:]
        status = process.wait()
    if status != 0:
        raise _error(said)


@contextmanager
def _running(command: Sequence[str]) -> Iterator[tuple["subprocess.Popen[bytes]", Iterator[bytes]]]:
    """A process in a group of its own, and what it says; it is gone with all its children when the block ends."""
    process = subprocess.Popen(  # noqa: S603 - no shell, and an address that was looked at
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=_environment(),
    )
    assert process.stderr is not None
    waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    reader = Thread(target=_read, args=(process.stderr, waiting), name="git")
    try:
        reader.start()
        yield process, _awaited(waiting)
    finally:
        _end(process)
        reader.join(_GRACE_S)
        if reader.is_alive():  # a child that outlived its parent holds the other end
            _signal(process, _KILL)
            reader.join()
        process.stderr.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            _signal(process, _KILL)
            process.wait()


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.terminate()


def _awaited(waiting: "queue.SimpleQueue[bytes | None]") -> Iterator[bytes]:
    """Yield lines as they come, and an empty one now and then, so that nobody waits for a silent program."""
    while True:
        try:
            line = waiting.get(timeout=_LOOK_EVERY_S)
        except queue.Empty:
            yield b""
            continue
        if line is None:
            return
        yield line


def _read(stream: IO[bytes], waiting: "queue.SimpleQueue[bytes | None]") -> None:
    rest = b""
    while piece := os.read(stream.fileno(), 4096):
        *lines, rest = re.split(rb"[\r\n]", rest + piece)
        for line in filter(None, lines):
            waiting.put(line)
    if rest:
        waiting.put(rest)
    waiting.put(None)


def _error(said: Sequence[str]) -> CloneError:
    """Say what went wrong in the words that git ends with."""
    fatal = [line for line in said if line.startswith(("fatal:", "error:", "remote:", "ssh:"))] or list(said)
    together = "\n".join(said)
    problem = next((one for one, pattern in _PROBLEMS if pattern.search(together)), CloneProblem.OTHER)
    return CloneError(problem, fatal[-1] if fatal else "")
