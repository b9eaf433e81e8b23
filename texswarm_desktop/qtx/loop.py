"""The asyncio loop that runs inside Qt's. Only this module and `app.py` know qasync."""

import asyncio
from collections.abc import Callable

import qasync
from PySide6.QtWidgets import QApplication


def loop_factory(application: QApplication) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what `asyncio.Runner(loop_factory=…)` wants.

    The application no longer ends with its last window: that would end the loop while the main coroutine still waits,
    and nothing after its `await` would run. `main()` returns instead.
    """
    application.setQuitOnLastWindowClosed(False)

    def new_loop() -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = qasync.QEventLoop(application)
        return loop

    return new_loop
