"""What tests with widgets need: no screen, one set of looks, and a loop that runs inside Qt's."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from texswarm_desktop.qtx.loop import loop_factory
from texswarm_desktop.ui.theme import Theme, ThemeMode

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def _in_an_application(qapp: QApplication) -> None:
    """Every test here has Qt running, whether it names it or not."""


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """The light theme, whatever the system wears."""
    theme = Theme(qapp, ThemeMode.LIGHT)
    yield theme
    theme.setParent(None)
    theme.deleteLater()


@pytest.fixture
def run_in_qt(qapp: QApplication) -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Run a coroutine to its end on a loop inside Qt's."""
    with asyncio.Runner(loop_factory=loop_factory(qapp)) as runner:
        yield runner.run
