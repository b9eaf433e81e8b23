"""The bar at the top of a project: menu, title, who is here, and sharing."""

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QWidget

from texswarm_desktop.ui.panels.people_panel import state_words
from texswarm_desktop.ui.parts import Disc, ElidedLabel, IconButton, empty, label, row, side_button
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.participants_view import ParticipantRow

_MOST_DISCS: Final = 5


class TopBar(QFrame):
    """Signal: `share_requested()`."""

    share_requested = Signal()

    def __init__(self, theme: Theme, menu: QMenu, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("TopBar")
        self._theme = theme
        self._title = ElidedLabel(name="ProjectTitle")
        self._folder = ElidedLabel(name="Hint")
        self._discs = QHBoxLayout()
        self._discs.setContentsMargins(0, 0, 0, 0)
        self._discs.setSpacing(-5)
        self._share = side_button("Share", tooltip="Host this project, or invite people to it")
        self._share.clicked.connect(self.share_requested)
        open_menu = IconButton(theme, "menu", "Menu")
        open_menu.clicked.connect(lambda: menu.popup(open_menu.mapToGlobal(open_menu.rect().bottomLeft())))
        box = row(open_menu, self._title, 2, self._folder, margins=(8, 5, 12, 5))
        box.setStretchFactor(self._folder, 1)
        box.addLayout(self._discs)
        box.addSpacing(4)
        box.addWidget(self._share)
        self.setLayout(box)

    def show_title(self, title: str, folder: str) -> None:
        """Show what is worked on, and where it is."""
        self._title.set_whole(title)
        self._folder.set_whole(folder)

    def show_people(self, rows: list[ParticipantRow]) -> None:
        """Show who else is in the project, the first few as discs."""
        empty(self._discs)
        others = [one for one in rows if not one.is_me and one.state != "away"]
        for one in others[:_MOST_DISCS]:
            disc = Disc(self._theme, one.person, is_here=one.state == "here")
            disc.setToolTip(f"{one.person.name}, {state_words(one)}")
            self._discs.addWidget(disc)
        if len(others) > _MOST_DISCS:
            more = label(f"+{len(others) - _MOST_DISCS}", "Hint")
            more.setContentsMargins(9, 0, 0, 0)
            self._discs.addWidget(more)
