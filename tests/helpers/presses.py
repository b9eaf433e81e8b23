"""Presses buttons and entries of menus as a person does: with the mouse, and only what can be reached with it.

What is to be written in a field is written with keys.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QMenu, QScrollArea, QWidget

from tests.helpers.run_async import until

_LEFT = Qt.MouseButton.LeftButton


def buttons(inside: QWidget, words: str) -> list[QAbstractButton]:
    """Return the buttons with these words that are to be seen inside a widget."""
    return [one for one in inside.findChildren(QAbstractButton) if one.text() == words and one.isVisible()]


async def press_named(inside: QWidget, words: str) -> None:
    """Press the button with these words once it is there."""
    await until(lambda: buttons(inside, words), f"a button {words!r}")
    await press(buttons(inside, words)[0])


async def press_icon(inside: QWidget, name: str) -> None:
    """Press the button without words that is called so, once it is there."""

    def found() -> list[QAbstractButton]:
        return [
            one
            for one in inside.findChildren(QAbstractButton)
            if name in {one.accessibleName(), one.toolTip()} and one.isVisible()
        ]

    await until(found, f"a button called {name!r}")
    await press(found()[0])


async def press(button: QAbstractButton) -> None:
    """Press it once it can be pressed, where its words stand: of a long tick box only they can be pressed."""
    await until(lambda: not _what_hinders(button), lambda: f"a press on {button.text()!r}: {_what_hinders(button)}")
    QTest.mouseClick(button, _LEFT, pos=_where_its_words_stand(button))


def _what_hinders(button: QAbstractButton) -> str:
    """Return why it cannot be pressed now, or nothing."""
    if not button.isVisible():
        return "it is not to be seen"
    if not button.isEnabled():
        return "it is disabled"
    if _lies_behind_a_dialog(button):
        return "a dialog is before it"
    _scroll_to(button)
    return "" if button.visibleRegion().contains(_where_its_words_stand(button)) else "something lies over it"


def _where_its_words_stand(button: QAbstractButton) -> QPoint:
    return QPoint(min(12, button.width() // 2), button.height() // 2)


async def choose_by(inside: QWidget, words: str, entry: str) -> None:
    """Choose from the menu of the button with these words once it is there."""
    await until(lambda: buttons(inside, words), f"a button {words!r}")
    await choose(buttons(inside, words)[0], entry)


async def choose_from_menu(window: QWidget, words: str) -> None:
    """Choose an entry of a window's menu, by the button at its top."""

    def found() -> list[QAbstractButton]:
        return [one for one in window.findChildren(QAbstractButton) if one.toolTip() == "Menu" and one.isVisible()]

    await until(found, "the button of the menu")
    await choose(found()[0], words)


async def write_in(field: QLineEdit, words: str) -> None:
    """Go to a field with the mouse, and write these words in place of what stands there."""
    await until(field.isVisible, "the field")
    assert not _lies_behind_a_dialog(field), "a dialog keeps the field from being written in"
    QTest.mouseClick(field, _LEFT)
    QTest.keySequence(field, QKeySequence(QKeySequence.StandardKey.SelectAll))
    QTest.keyClicks(field, words)
    assert field.text() == words


async def choose(button: QAbstractButton, words: str) -> None:
    """Press a button that opens a menu, and in it the entry with these words."""
    await press(button)
    await until(lambda: isinstance(QApplication.activePopupWidget(), QMenu), "a menu")
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    entry = next(action for action in menu.actions() if action.text() == words)
    assert entry.isEnabled()
    QTest.mouseClick(menu, _LEFT, pos=menu.actionGeometry(entry).center())
    await until(lambda: QApplication.activePopupWidget() is None, "the menu is gone")


def _scroll_to(button: QWidget) -> None:
    above = button.parentWidget()
    while above is not None and not isinstance(above, QScrollArea):
        above = above.parentWidget()
    if above is not None:
        above.ensureWidgetVisible(button)


def _lies_behind_a_dialog(button: QWidget) -> bool:
    """The topmost dialog of a window keeps everything of that window from being pressed, but for what lies above it."""
    dialog = QApplication.activeModalWidget()
    if dialog is None:
        return False
    family = _windows_above(button)
    return dialog.window() not in family and family[-1] is _windows_above(dialog)[-1]


def _windows_above(widget: QWidget) -> list[QWidget]:
    """Return the window of a widget, and those it belongs to, the main window last."""
    found = [widget.window()]
    while (parent := found[-1].parentWidget()) is not None:
        found.append(parent.window())
    return found
