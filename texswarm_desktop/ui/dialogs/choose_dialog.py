"""Choose which of a server's projects to open, or put the open one there."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.ui.parts import button, label
from texswarm_server.protocol.messages import DocumentInfo

_ROLE_WORDS: Final = {"owner": "yours", "editor": "you may write", "viewer": "you may read"}
_ROW_PX: Final = 30
_ID: Final = Qt.ItemDataRole.UserRole


class ChooseDialog(Sheet):
    """Lists documents. Signals: `document_chosen(str)` with an id; `share_requested()`: put the open project there."""

    document_chosen = Signal(str)
    share_requested = Signal()

    def __init__(
        self, parent: QWidget | None, *, server: str, documents: Sequence[DocumentInfo], share_title: str = ""
    ) -> None:
        super().__init__(f"Projects on {server}", "Choose the one to work on; it arrives as a folder here.", parent)
        self.list = QListWidget()
        self.list.setAccessibleName("Projects")
        self.list.setMinimumHeight(180)
        for document in sorted(documents, key=lambda one: -one.updated_at):
            people = document.active_collaborators
            here = f" · {people} here" if people else ""
            item = QListWidgetItem(f"{document.title or 'Untitled'}   {_ROLE_WORDS[document.role]}{here}")
            item.setData(_ID, document.id)
            item.setSizeHint(QSize(0, _ROW_PX))
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.list.itemActivated.connect(self.try_accept)
        self.body.addWidget(self.list)
        if not documents:
            self.list.hide()
            self.body.addWidget(label("There is no project for you yet.", "Muted"))
        if share_title:
            share = button(f"Share “{share_title}” here")
            share.clicked.connect(self._on_share_clicked)
            self.buttons.insertWidget(0, share)
        self.add_buttons("Open").setEnabled(bool(documents))

    def try_accept(self) -> None:
        """Open what is chosen."""
        item = self.list.currentItem()
        if item is not None:
            self.document_chosen.emit(item.data(_ID))
            self.accept()

    def _on_share_clicked(self) -> None:
        self.share_requested.emit()
        self.accept()
