"""What a host needs while sharing: the link to pass on, the address, who is in, and the way to stop."""

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from texswarm_desktop.client.status import Hosting
from texswarm_desktop.qtx.timers import SingleShot
from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.ui.panels.people_panel import PersonRow
from texswarm_desktop.ui.parts import button, empty, label, row
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.participants_view import ParticipantRow

_COPIED_FOR_S: Final = 2.0
_MOST_ROWS: Final = 12


class HostSheet(Sheet):
    """Shows what is shared. Signal: `stop_requested()`."""

    stop_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None, hosting: Hosting) -> None:
        super().__init__("Sharing this project", "Everybody who has the link can write with you.", parent, width_px=520)
        self._theme = theme
        self.link = _shown_field("Link")
        self.address = _shown_field("Address")
        self.copy = button("Copy link", "Primary")
        self.copy.clicked.connect(self.copy_link)
        self._copied = SingleShot(self._on_copied_over, self)
        self._people_title = label("", "SectionTitle")
        self._people = QVBoxLayout()
        self._people.setSpacing(1)
        self._lay_out()
        self.show_hosting(hosting)
        self.show_people([])

    def _lay_out(self) -> None:
        self.body.addWidget(label("Link"))
        link_row = row(self.link, self.copy)
        link_row.setStretchFactor(self.link, 1)
        self.body.addLayout(link_row)
        self.body.addSpacing(8)
        self.body.addWidget(label("Address on this network"))
        self.body.addWidget(self.address)
        self.body.addSpacing(12)
        self.body.addWidget(self._people_title)
        self.body.addLayout(self._people)
        stop = button("Stop sharing", "Danger", tooltip="Guests keep their copies")
        stop.clicked.connect(self._on_stop_clicked)
        done = button("Done")
        done.setDefault(True)
        done.clicked.connect(self.accept)
        self.buttons.insertWidget(0, stop)
        self.buttons.addWidget(done)

    def show_hosting(self, hosting: Hosting) -> None:
        """Show another link or address."""
        self.link.setText(hosting.link)
        self.link.setCursorPosition(0)
        self.address.setText(hosting.address)

    def show_people(self, rows: list[ParticipantRow]) -> None:
        """Show who is in."""
        empty(self._people)
        others = [one for one in rows if not one.is_me]
        self._people_title.setText(people_words(len(others)))
        for one in others[:_MOST_ROWS]:
            self._people.addWidget(PersonRow(self._theme, one))

    def copy_link(self) -> None:
        """Put the link on the clipboard."""
        QGuiApplication.clipboard().setText(self.link.text())
        self.copy.setText("Copied")
        self._copied.start(_COPIED_FOR_S)

    def _on_copied_over(self) -> None:
        self.copy.setText("Copy link")

    def _on_stop_clicked(self) -> None:
        self.stop_requested.emit()
        self.accept()


def people_words(count: int) -> str:
    """Return the title over the people who are in."""
    return {0: "Nobody has joined yet", 1: "1 person has joined"}.get(count, f"{count} people have joined")


def _shown_field(name: str) -> QLineEdit:
    field = QLineEdit()
    field.setReadOnly(True)
    field.setAccessibleName(name)
    return field
