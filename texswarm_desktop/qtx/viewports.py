"""Finds the viewport of a scrolling area in a way that costs nothing.

Asked for a widget that Qt made and Python has not met, PySide makes ready every class of widgets, with all their
enumerations, to find out which of them it is: once, a twentieth of a start. Found by its name it is met at once, and
who asks for it later gets what was met.

WORKAROUND https://bugreports.qt.io/browse/PYSIDE-2404: until this search needs only what it finds. Since that task
classes are made ready when they are needed; that this way of looking for one needs all of them is no bug known to us.
"""

from typing import Final

from PySide6.QtWidgets import QAbstractScrollArea, QWidget

_NAME: Final = "qt_scrollarea_viewport"


def viewport_of(area: QAbstractScrollArea) -> QWidget:
    """Return the viewport of `area`; asked for so for the first time, as soon as the area is made."""
    found = area.findChild(QWidget, _NAME)
    return found if isinstance(found, QWidget) else area.viewport()
