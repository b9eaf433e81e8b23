"""Lets what a test left of Qt die in the thread that runs the tests, and in no other; the program does the same.

See `texswarm_desktop.qtx.garbage` for why. In tests it has to reach further than any fixture: pytest keeps the values
of all fixtures until the last of them is torn down, so that windows become garbage only after that, and the next test
that works with threads would end them there.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, QEvent


@contextmanager
def dying_here() -> Iterator[None]:
    """Look for no garbage meanwhile, and for all of it at the end. What was there before is not searched: it is old."""
    was_on = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        delete_deferred()
        gc.collect()
        delete_deferred()
        gc.unfreeze()
        if was_on:
            gc.enable()


def delete_deferred() -> None:
    """Delete what asked for it by `deleteLater`: outside Qt's loop nothing else does."""
    if QCoreApplication.instance() is not None:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
