"""The join doctor's window: steps appear one by one, a report is copied, it can be done again and left at any time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication

from tests.gui.ui.conftest import NewDesk
from tests.helpers.run_async import until
from texswarm_desktop.core.doctor import Code, Finding, Level, Step, finding
from texswarm_desktop.qtx.task_scope import TaskScope
from texswarm_desktop.ui.dialogs.doctor_dialog import DoctorDialog
from texswarm_desktop.viewmodels.doctor_view import DoctorView

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

LINK = finding(Step.LINK, Level.FINE, Code.LINK_FINE, address="10.0.0.5:8091")
PORT = finding(Step.PORT, Level.PROBLEM, Code.PORT_REFUSED, host="10.0.0.5", port=8091)
Run = Callable[[Coroutine[Any, Any, Any]], Any]


class SlowRoad:
    """Findings that come when the test lets them."""

    def __init__(self) -> None:
        self.findings: asyncio.Queue[Finding | None] = asyncio.Queue()
        self.begun = 0

    async def examine(self) -> AsyncIterator[Finding]:
        self.begun += 1
        while (one := await self.findings.get()) is not None:
            yield one


def test_steps_appear_one_by_one_and_the_verdict_at_the_end(new_desk: NewDesk, run_in_qt: Run) -> None:
    desk = new_desk({"main.tex": ""})

    async def play() -> None:
        road = SlowRoad()
        async with TaskScope("test") as scope:
            desk.window.show_doctor(view := DoctorView(scope, road.examine), server="10.0.0.5:8091")
            dialog = desk.window.findChild(DoctorDialog)
            assert (dialog.verdict, dialog.lines, dialog.isModal()) == ("Looking…", [], False)
            assert not dialog.copy.isEnabled()
            road.findings.put_nowait(LINK)
            await until(lambda: len(dialog.lines) == 1)
            assert dialog.lines[0].startswith("Link, fine: The link leads to 10.0.0.5:8091")
            for each in (PORT, None):
                road.findings.put_nowait(each)
            await until(dialog.copy.isEnabled)
            assert dialog.verdict == "The machine answers, and nobody listens on port 8091."
            dialog.copy.click()
            assert "FAIL  Port" in QGuiApplication.clipboard().text()
            dialog.again.click()
            await until(lambda: road.begun == 2)
            assert dialog.lines == []
            road.findings.put_nowait(LINK)
            await until(lambda: view.findings)
            dialog.accept()
            road.findings.put_nowait(PORT)
            road.findings.put_nowait(None)
            await asyncio.sleep(0.01)
            assert view.findings == [LINK]

    run_in_qt(play())


def test_what_is_found_fits_a_small_window(new_desk: NewDesk, run_in_qt: Run) -> None:
    desk = new_desk({"main.tex": ""})

    async def play() -> None:
        async def many() -> AsyncIterator[Finding]:
            for _ in range(30):
                yield PORT

        async with TaskScope("test") as scope:
            desk.window.show_doctor(DoctorView(scope, many), server="x" * 200)
            dialog = desk.window.findChild(DoctorDialog)
            await until(dialog.copy.isEnabled)
            assert dialog.height() <= desk.window.screen().availableGeometry().height()
            dialog.accept()

    run_in_qt(play())
