"""Begin a project."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from texswarm_desktop.ui.dialogs.sheet import Sheet


class NewDialog(Sheet):
    """Asks for a title. Signal: `new_requested(str)` with it."""

    new_requested = Signal(str)

    def __init__(self, parent: QWidget | None, *, folder: str = "") -> None:
        hint = f"A folder for it is made in {folder}." if folder else "A folder for it is made on this computer."
        super().__init__("New project", hint, parent)
        self.title = self.add_field("Title", "On the convergence of shared documents")
        self.add_buttons("Create")
        self.title.setFocus()

    def try_accept(self) -> None:
        """Create, if there is a title."""
        title = " ".join(self.title.text().split())
        if not title:
            self.show_problem("A project needs a title; it can be changed later.", self.title)
        else:
            self.new_requested.emit(title)
            self.accept()
