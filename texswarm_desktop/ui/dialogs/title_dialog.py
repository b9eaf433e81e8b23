"""Call a project something else."""

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from texswarm_desktop.core.one_line import one_line
from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_server.protocol.version import Limits

MAX_TITLE_CHARS: Final = Limits().max_title_chars


class TitleDialog(Sheet):
    """Asks for a title. Signal: `title_chosen(str)` with it."""

    title_chosen = Signal(str)

    def __init__(self, parent: QWidget | None, *, title: str) -> None:
        super().__init__("Project title", "Everybody sees it, also in their lists. The folder keeps its name.", parent)
        self.title = self.add_field("Title", value=title)
        self.title.setMaxLength(MAX_TITLE_CHARS)
        self.title.selectAll()
        self.add_buttons("Change")
        self.title.setFocus()

    def try_accept(self) -> None:
        """Change it, if there is one."""
        title = one_line(self.title.text(), MAX_TITLE_CHARS)
        if not title:
            self.show_problem("A project needs a title.", self.title)
        else:
            self.title_chosen.emit(title)
            self.accept()
