"""Takes stock of what a process holds, so that a test can be asked what it left behind.

Counted are threads, asyncio tasks, file descriptors, child processes and top-level windows. Knows nothing of our
packages. Descriptors and children are read from /proc; where there is none, they are not counted.
"""

import asyncio
import gc
import multiprocessing
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.helpers.qt_garbage import delete_deferred

# What is left is given this long to end by itself: a thread that was told to stop is allowed its last line.
SETTLE_LIMIT_S: Final = 3.0
PAUSE_S: Final = 0.01

DESCRIPTORS: Final = Path("/proc/self/fd")
THREADS: Final = Path("/proc/self/task")
# Opened once for the life of the process by Python, its libraries or the kernel, and nobody's leak.
LASTING_TARGETS: Final = ("/dev/", "/proc/", "/sys/", "/memfd:")
LASTING_CHILDREN: Final = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")


@dataclass(frozen=True)
class Stock:
    """What the process held at one moment: for each thing something to tell it by, and words to name it."""

    held: Mapping[tuple[str, object], str]

    @classmethod
    def take(cls) -> "Stock":
        """Look at everything that is counted, now."""
        return cls({(kind, key): words for kind, key, words in _everything()})

    def new_since(self, before: "Stock") -> list[str]:
        """Name what is held here and was not held before."""
        return sorted(f"{kind}: {self.held[kind, key]}" for kind, key in self.held if (kind, key) not in before.held)


def left_since(before: Stock, limit_s: float = SETTLE_LIMIT_S) -> list[str]:
    """Name what a test left, after giving it time to end. Costs no time when nothing is left."""
    left = Stock.take().new_since(before)
    if not left:
        return left
    gc.collect()
    give_up_at = time.monotonic() + limit_s
    while left and time.monotonic() < give_up_at:
        delete_deferred()
        time.sleep(PAUSE_S)
        left = Stock.take().new_since(before)
    return left


def _everything() -> Iterator[tuple[str, object, str]]:
    yield from (("thread", thread, repr(thread)) for thread in _threads())
    yield from (("task", task, repr(task)) for task in _pending_tasks())
    yield from (("descriptor", entry, f"{entry[0]} -> {entry[1]}") for entry in _descriptors())
    yield from (("child process", pid, words) for pid, words in _children())
    yield from (("window", address, words) for address, words in _windows())


def _threads() -> Iterator[threading.Thread]:
    """Yield the threads started from Python; those of Qt show up as dummies that outlive them, and are not ours."""
    return (thread for thread in threading.enumerate() if not isinstance(thread, threading._DummyThread))


def _pending_tasks() -> list["asyncio.Task[Any]"]:
    """List the unfinished tasks of every loop, also of closed ones, which `asyncio.all_tasks` cannot see."""
    known: Any = getattr(asyncio.tasks, "_scheduled_tasks", None) or getattr(asyncio.tasks, "_all_tasks", ())
    return [task for task in list(known) if not task.done()]


def _descriptors() -> Iterator[tuple[int, str]]:
    """Yield number and target of what is open; a socket's target holds its inode, so a reused number is told apart."""
    for entry in DESCRIPTORS.iterdir() if DESCRIPTORS.is_dir() else ():
        try:
            target = str(entry.readlink())
        except OSError:  # the one through which the folder was read
            continue
        if not target.startswith(LASTING_TARGETS):
            yield int(entry.name), target


def _children() -> Iterator[tuple[int, str]]:
    if not THREADS.is_dir():
        yield from ((child.pid or 0, repr(child)) for child in multiprocessing.active_children())
        return
    for thread in THREADS.iterdir():
        try:
            pids = (thread / "children").read_text().split()
        except OSError:  # the thread has ended, or the kernel does not tell
            continue
        for pid in pids:
            command = _command_of(pid)
            if not any(name in command for name in LASTING_CHILDREN):
                yield int(pid), f"{pid} {command}"


def _command_of(pid: str) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ").strip()
    except OSError:
        return "(ended)"
    return words or "(ended, not waited for)"


def _windows() -> Iterator[tuple[int, str]]:
    """Yield what the user could see, and main windows and dialogs even when they cannot be seen."""
    widgets: Any = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or not isinstance(widgets.QApplication.instance(), widgets.QApplication):
        return
    address_of = sys.modules["shiboken6"].getCppPointer
    for widget in widgets.QApplication.topLevelWidgets():
        if widget.isVisible() or isinstance(widget, (widgets.QMainWindow, widgets.QDialog)):
            yield address_of(widget)[0], f"{type(widget).__name__} {widget.windowTitle()!r}"
