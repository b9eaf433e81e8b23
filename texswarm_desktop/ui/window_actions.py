"""Everything that can be done from the menu or by a shortcut, and the menu itself."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from texswarm_desktop.ui.theme import ThemeMode

_THEME_WORDS: Final = {ThemeMode.SYSTEM: "As the system", ThemeMode.LIGHT: "Light", ThemeMode.DARK: "Dark"}


class Deed(msgspec.Struct, frozen=True):
    """One entry. `keys`: shortcuts, the first is shown. `needs_project`: only while a project is open."""

    text: str
    do: Callable[[], object]
    keys: Sequence[str | QKeySequence.StandardKey] = ()
    needs_project: bool = False


class WindowActions:
    """The actions of one window, in groups, and which of them need a project."""

    def __init__(self, window: QWidget, groups: Sequence[Sequence[Deed]]) -> None:
        self.menu = QMenu(window)
        self._needing: list[QAction] = []
        for number, group in enumerate(groups):
            if number:
                self.menu.addSeparator()
            for deed in group:
                action = _action(window, deed)
                self.menu.addAction(action)
                window.addAction(action)
                if deed.needs_project:
                    self._needing.append(action)

    def add_themes(self, mode: ThemeMode, choose: Callable[[ThemeMode], None]) -> None:
        """Let the user choose a theme."""
        menu = QMenu("Theme", self.menu)
        group = QActionGroup(menu)
        for choice, words in _THEME_WORDS.items():
            action = QAction(words, group)
            action.setCheckable(True)
            action.setChecked(choice is mode)
            action.setData(choice)
            menu.addAction(action)
        group.triggered.connect(lambda action: choose(ThemeMode(action.data())))
        before = self.menu.actions()[-2] if len(self.menu.actions()) > 1 else None
        self.menu.insertMenu(before, menu) if before else self.menu.addMenu(menu)

    def set_has_project(self, *, has_project: bool) -> None:
        """Take in whether a project is open."""
        for action in self._needing:
            action.setEnabled(has_project)

    def named(self, text: str) -> QAction:
        """Return an action by its words; raises StopIteration when there is none."""
        return next(action for action in self.menu.actions() if action.text() == text)


def _action(window: QWidget, deed: Deed) -> QAction:
    action = QAction(deed.text, window)
    sequences: list[QKeySequence] = []
    for keys in deed.keys:
        sequences += [QKeySequence(keys)] if isinstance(keys, str) else QKeySequence.keyBindings(keys)
    action.setShortcuts(sequences)
    action.triggered.connect(lambda _is_checked=False: deed.do())
    return action
