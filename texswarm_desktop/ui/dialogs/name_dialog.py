"""Be called something else."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.viewmodels.people import clean_name


class NameDialog(Sheet):
    """Asks for a name. Signal: `name_chosen(str)` with it."""

    name_chosen = Signal(str)

    def __init__(self, parent: QWidget | None, *, name: str) -> None:
        super().__init__("Your name", "Others read it beside your caret, from now on.", parent)
        self.name = self.add_field("Name", value=name)
        self.name.setMaxLength(80)
        self.name.selectAll()
        self.add_buttons("Change")
        self.name.setFocus()

    def try_accept(self) -> None:
        """Change it, if there is one."""
        name = clean_name(self.name.text())
        if not name:
            self.show_problem("Others need a name to read.", self.name)
        else:
            self.name_chosen.emit(name)
            self.accept()
