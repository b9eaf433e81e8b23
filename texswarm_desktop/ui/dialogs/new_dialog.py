"""Begin a project: a title, and what it shall begin as."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from texswarm_desktop.core.one_line import one_line
from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.ui.dialogs.title_dialog import MAX_TITLE_CHARS
from texswarm_desktop.ui.parts import RoomyArea, label
from texswarm_desktop.ui.template_picker import TemplatePicker
from texswarm_desktop.ui.theme import Theme


class NewDialog(Sheet):
    """Asks for a title and a template. Signal: `new_requested(str, Template)` with both."""

    new_requested = Signal(str, object)

    def __init__(self, theme: Theme, parent: QWidget | None, *, folder: str = "") -> None:
        hint = f"A folder for it is made in {folder}." if folder else "A folder for it is made on this computer."
        super().__init__("New project", hint, parent, width_px=620)
        self.title = self.add_field("Title", "On the convergence of shared documents")
        self.templates = TemplatePicker(theme)
        self.templates.accepted.connect(self.try_accept)
        self.body.addSpacing(8)
        self.body.addWidget(label("Begin with"))
        area = RoomyArea(self.templates)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.templates.turned_to.connect(area.ensureWidgetVisible)
        self.body.addWidget(area)
        self.add_buttons("Create")
        self.title.setMaxLength(MAX_TITLE_CHARS)
        self.title.setFocus()

    def try_accept(self) -> None:
        """Create, if there is a title."""
        title = one_line(self.title.text(), MAX_TITLE_CHARS)
        if not title:
            self.show_problem("A project needs a title; it can be changed later.", self.title)
        else:
            self.new_requested.emit(title, self.templates.template)
            self.accept()
