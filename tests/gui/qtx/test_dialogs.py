"""A dialog is awaited while everything else goes on, and is gone afterwards."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog

from texswarm_desktop.qtx.dialogs import opened

#: The platform without a screen says this about every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

RunInQt = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.mark.parametrize(("end", "answer"), [("accept", True), ("reject", False), ("close", False)])
def test_the_answer_is_awaited(run_in_qt: RunInQt, end: str, answer: bool) -> None:
    async def ask() -> bool:
        dialog = QDialog()
        QTimer.singleShot(0, dialog, getattr(dialog, end))
        return await opened(dialog)

    assert run_in_qt(ask()) is answer


def test_other_tasks_run_while_a_dialog_is_open(run_in_qt: RunInQt) -> None:
    async def ask() -> bool:
        dialog = QDialog()

        async def work() -> None:
            for _ in range(5):
                await asyncio.sleep(0)
            dialog.accept()

        async with asyncio.TaskGroup() as group:
            group.create_task(work())
            return await opened(dialog)

    assert run_in_qt(ask())


def test_a_cancelled_question_closes_its_dialog(run_in_qt: RunInQt) -> None:
    async def ask() -> bool:
        dialog = QDialog()
        ends: list[int] = []
        dialog.finished.connect(ends.append)
        task = asyncio.get_running_loop().create_task(opened(dialog))
        await asyncio.sleep(0)
        assert dialog.isVisible()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled() and ends == [QDialog.DialogCode.Rejected.value]

    assert run_in_qt(ask())
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
