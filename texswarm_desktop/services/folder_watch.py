"""Hears from the system when something in a folder changes. Knows nothing of what is in the files.

A thread of its own waits for the system's word (inotify, FSEvents, ReadDirectoryChangesW) and passes it on to the
loop. Watched are the folders that hold text of the project and no others: a program's own store (`.git`, `.texswarm`)
changes all the time. What it says is a hint to look; a folder that the system does not watch is looked at now and then.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

_log: Final = logging.getLogger(__name__)
#: Changes closer together than this are told together, but none waits longer than the second number.
_QUIET_MS: Final = 50
_LONGEST_MS: Final = 200
#: How often to look where the system says nothing, and where it should but may not (a folder on another machine).
_POLL_S: Final = 1.0
_DISTRUST_S: Final = 15.0

OnHint = Callable[[frozenset[Path]], None]
"""Called on the loop with the files that changed; empty: anything may have."""


class FolderWatch:
    """Watches folders, not those inside them. `stop` ends it; an unwatchable folder is no error."""

    def __init__(self, on_hint: OnHint, *, poll_s: float = _POLL_S, can_watch: bool = True) -> None:
        self._on_hint = on_hint
        self._poll_s = poll_s
        self._can_watch = can_watch
        self._loop = asyncio.get_running_loop()
        self._folders: frozenset[Path] = frozenset()
        self._thread: threading.Thread | None = None
        self._end = threading.Event()
        self._has_ended = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, folders: Collection[Path]) -> None:
        """Watch these folders from now on; what happened before the system does so is hinted at afterwards."""
        if frozenset(folders) == self._folders or self._end.is_set():
            return
        self._folders = frozenset(folders)
        if self._thread is None and self._can_watch:
            self._thread = threading.Thread(target=self._run, name="folder watch", daemon=True)
            self._thread.start()
        if self._timer is None:
            self._wait()

    def stop(self) -> None:
        """Say nothing more; the thread ends by itself within a few hundredths of a second."""
        self._end.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def stopped(self) -> None:
        """Return when nothing of it runs any more, after `stop`."""
        if self._thread is not None:
            await self._has_ended.wait()

    def _wait(self) -> None:
        if not self._end.is_set():
            delay_s = _DISTRUST_S if self._can_watch else self._poll_s
            self._timer = self._loop.call_later(delay_s, self._on_timer)

    def _on_timer(self) -> None:
        self._wait()
        self._on_hint(frozenset())

    def _on_refused(self) -> None:
        self._can_watch = False
        if self._timer is not None:
            self._timer.cancel()
        self._on_timer()

    # ── in the thread ───────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                self._watch_once(self._folders)
        except (OSError, RuntimeError, ImportError) as error:
            _log.info("the system does not watch the folder: %s", error)
            self._tell(self._on_refused)
        finally:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._has_ended.set)

    def _watch_once(self, folders: frozenset[Path]) -> None:
        """Watch until the folders are others."""
        from watchfiles import watch  # noqa: PLC0415 - loaded when a folder is watched

        rounds = watch(
            *sorted(folder for folder in folders if folder.is_dir()),
            watch_filter=None,
            debounce=_LONGEST_MS,
            step=_QUIET_MS,
            stop_event=_Until(lambda: self._end.is_set() or self._folders != folders, self._on_watching),
            rust_timeout=0,
            raise_interrupt=False,
            recursive=False,
            ignore_permission_denied=True,
        )
        for changes in rounds:
            paths = _plain(path for _, path in changes)
            self._tell(self._on_hint, paths)
            if paths & folders:  # one of them is gone, and may come back as another one: watch it anew
                return

    def _on_watching(self) -> None:
        self._tell(self._on_hint, frozenset())

    def _tell(self, hear: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody waits to hear it
            self._loop.call_soon_threadsafe(self._pass_on, hear, *args)

    def _pass_on(self, hear: Callable[..., None], *args: object) -> None:
        if not self._end.is_set():
            hear(*args)


class _Until:
    """What ends one round of watching. The watcher asks for it again and again, for the first time when it watches."""

    def __init__(self, is_over: Callable[[], bool], on_watching: Callable[[], None]) -> None:
        self._is_over, self._on_watching = is_over, on_watching
        self._is_watching = False

    def is_set(self) -> bool:
        """Say whether to stop."""
        if not self._is_watching:
            self._is_watching = True
            self._on_watching()
        return self._is_over()


def _plain(paths: Iterable[str]) -> frozenset[Path]:
    return frozenset(Path(os.path.normpath(path)) for path in paths)
