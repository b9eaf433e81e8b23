"""Whole desktops in the test's own process: each with a window and a profile of its own, all on one loop inside Qt's.

Their embedded servers listen on loopback only.
"""

import asyncio
import functools
import gc
import inspect
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.helpers.qt_garbage import delete_deferred
from tests.helpers.run_async import until
from texswarm_desktop.app import Desktop
from texswarm_desktop.qtx.loop import loop_factory
from texswarm_desktop.viewmodels.opened_project import OpenedProject

LOOPBACK = "127.0.0.1"
_PROBLEM = "problem"


@dataclass(frozen=True)
class Caffeine:
    """Stands for a system that stays awake when it is asked to."""

    active: bool = True


class LiveDesktop(Desktop):
    """A desktop with what a person at it can see and do."""

    has_closed = False

    async def until_closed(self) -> None:
        """A window that was closed is not there to be closed again."""
        await super().until_closed()
        self.has_closed = True

    @property
    def opened(self) -> OpenedProject:
        """The project on the desk."""
        assert self.workspace.opened is not None, "no project is open"
        return self.workspace.opened

    @property
    def text(self) -> str:
        """What stands in the editor; empty while no file is open."""
        return self.editor.toPlainText() if self.editor else ""

    @property
    def notice(self) -> str:
        """What the window says is wrong: title and sentence; empty when all is well."""
        notices = self.window.notices
        return notices.text_of(_PROBLEM) if _PROBLEM in notices.keys else ""

    @property
    def says(self) -> str:
        """The status line."""
        return self.status.line.whole

    @property
    def is_live(self) -> bool:
        """Whether everything typed here is on the server."""
        return self.says.endswith("all changes saved")

    def type(self, words: str) -> None:
        """Press keys in the editor."""
        QTest.keyClicks(self.editor, words)

    async def until_text(self, words: str) -> None:
        """Return when the editor shows `words`."""
        await until(lambda: words in self.text, f"{words!r} in the editor")

    async def until_notice(self, words: str) -> None:
        """Return when a notice says `words`."""
        await until(lambda: words in self.notice, f"{words!r} in a notice")

    async def until_said(self, words: str) -> None:
        """Return when the status line says `words`."""
        await until(lambda: words in self.says, f"{words!r} in the status line")


class Desks:
    """Starts desktops by the name of who sits there; `close` ends all of them as a person does, by their windows.

    `is_able_to_stay_awake`: whether the systems of those that are started stay awake when they are asked to.
    """

    def __init__(self, application: QApplication, root: Path) -> None:
        self.is_able_to_stay_awake = True
        self.root = root
        self._application = application
        self._running: dict[str, LiveDesktop] = {}

    def folder(self, name: str, text: str = "", file: str = "main.tex") -> Path:
        """Make a folder with one source."""
        folder = self.root / "papers" / name
        folder.mkdir(parents=True)
        (folder / file).write_text(text, encoding="utf-8")
        return folder

    def begin(self, name: str, target: object = None, *, finds_hosts: bool = False, asks: bool = False) -> LiveDesktop:
        """Start a desktop with what the command line names, and wait for nothing."""
        desktop = LiveDesktop(
            self._application,
            self.root / "profiles" / name,
            host_address=LOOPBACK,
            keep_awake=lambda: nullcontext(Caffeine(self.is_able_to_stay_awake)),
            finds_hosts=finds_hosts,
        )
        desktop.settings.set_name(name)
        self._running[name] = desktop
        desktop.begin(None if target is None else str(target), asks=asks)
        return desktop

    async def start(self, name: str, target: object = None) -> LiveDesktop:
        """Start a desktop and return when a file is open in it."""
        desktop = self.begin(name, target)
        await until(lambda: desktop.editor is not None, f"a file is open at {name}")
        return desktop

    async def start_with(self, name: str, text: str) -> LiveDesktop:
        """Start a desktop on a new folder whose only source holds `text`."""
        return await self.start(name, self.folder(f"of {name}", text))

    async def end(self, desktop: LiveDesktop) -> None:
        """Close its window, and return when it has let go of everything."""
        async with self.lend(desktop):
            if not desktop.has_closed:
                desktop.window.close()
                await desktop.until_closed()

    def lend(self, desktop: LiveDesktop) -> LiveDesktop:
        """Leave it to the test to end a desktop."""
        self._running = {name: other for name, other in self._running.items() if other is not desktop}
        return desktop

    async def close(self) -> None:
        """End whoever is still there, the last comer first."""
        for desktop in reversed(list(self._running.values())):
            await self.end(desktop)


def runs_at_desks(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Let pytest call a coroutine function that wants `desks`, on a loop inside Qt's; all of them are closed after."""

    @functools.wraps(test)
    def run(qapp: QApplication, desks: Desks, **others: Any) -> None:
        async def main() -> None:
            try:
                await test(desks, **others)
            finally:
                await desks.close()

        try:
            with asyncio.Runner(loop_factory=loop_factory(qapp)) as runner:
                runner.run(main())
        finally:
            _clear_away()

    signature = inspect.signature(test)
    first = inspect.Parameter("qapp", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[first, *signature.parameters.values()]
    )
    return run


def _clear_away() -> None:
    """Delete what is left of the windows here and now: a later test's thread must not be the one to find it."""
    gc.collect()
    delete_deferred()
    gc.collect()
