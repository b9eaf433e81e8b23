"""Leave a server for good, after hearing what that means."""

from PySide6.QtWidgets import QWidget

from texswarm_desktop.ui.dialogs.sheet import Sheet


class SignOutDialog(Sheet):
    """Asks whether to sign out. Signal: `finished_well()` when so."""

    def __init__(self, parent: QWidget | None, *, server: str, folder: str) -> None:
        super().__init__(f"Sign out of {server}?", _meaning(folder), parent)
        self.add_buttons("Sign out", cancel="Stay")

    def try_accept(self) -> None:
        """Sign out."""
        self.finished_well.emit()
        self.accept()


def _meaning(folder: str) -> str:
    return (
        f"Your copy of the project stays in {folder}, and you can go on writing in it. What others write no longer "
        "arrives here. To come back you need a new invitation."
    )
