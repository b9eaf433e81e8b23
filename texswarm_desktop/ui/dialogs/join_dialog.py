"""Follow a link somebody sent."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.viewmodels.start_view import is_address


class JoinDialog(Sheet):
    """Asks for a link and a name. Signal: `join_requested(str, str)` with both."""

    join_requested = Signal(str, str)

    def __init__(self, parent: QWidget | None, *, link: str = "", name: str = "") -> None:
        super().__init__("Join", "Paste the link you got. The project arrives as a folder on this computer.", parent)
        self.link = self.add_field("Link or address", "texswarm://192.168.1.20:8091/?token=…", value=link)
        self.name = self.add_field("Your name", "What others read beside your caret", value=name)
        self.add_buttons("Join")
        (self.name if link else self.link).setFocus()

    def try_accept(self) -> None:
        """Join, if the link can be one."""
        if not is_address(self.link.text()):
            self.show_problem("This is not a link or an address.", self.link)
        elif not self.name.text().strip():
            self.show_problem("Others need a name to read.", self.name)
        else:
            self.join_requested.emit(self.link.text().strip(), self.name.text().strip())
            self.accept()
