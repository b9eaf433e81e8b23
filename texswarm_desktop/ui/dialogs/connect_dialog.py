"""Sign in to a server."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.viewmodels.start_view import is_address


class ConnectDialog(Sheet):
    """Asks for address, invitation and name. Signal: `connect_requested(str, str, str)` with these."""

    connect_requested = Signal(str, str, str)

    def __init__(self, parent: QWidget | None, *, address: str = "", name: str = "") -> None:
        hint = "The invitation is used once; after that you stay signed in on this computer."
        super().__init__("Connect to a server", hint, parent)
        self.address = self.add_field("Address", "texswarm.example.org, or a link", value=address)
        self.invitation = self.add_field("Invitation", "Not needed where you have signed in before")
        self.invitation.setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)
        self.name = self.add_field("Your name", "What others read beside your caret", value=name)
        self.add_buttons("Connect")
        (self.invitation if address else self.address).setFocus()

    def try_accept(self) -> None:
        """Connect, if the address can be one."""
        if not is_address(self.address.text()):
            self.show_problem("This is not an address.", self.address)
        elif not self.name.text().strip():
            self.show_problem("Others need a name to read.", self.name)
        else:
            invitation = self.invitation.text().strip()
            self.connect_requested.emit(self.address.text().strip(), invitation, self.name.text().strip())
            self.accept()
