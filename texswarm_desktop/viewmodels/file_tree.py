"""The files of a project as a Qt tree: folders first, then names without regard to case.

The model is changed where the project changed and nowhere else, so that a view keeps what is unfolded and selected.
"""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QModelIndex, QObject, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel

from texswarm_server.document import FileId

FILE_ID_ROLE: Final = Qt.ItemDataRole.UserRole + 1
PATH_ROLE: Final = Qt.ItemDataRole.UserRole + 2
IS_MAIN_ROLE: Final = Qt.ItemDataRole.UserRole + 3


class FileTreeModel(QStandardItemModel):
    """Files and the folders they are in. Invariant: no folder is empty, and siblings are in order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown: dict[FileId, str] = {}
        self._items: dict[str, QStandardItem] = {}

    def show_files(self, paths: Mapping[FileId, str], main: FileId | None) -> None:
        """Make the tree show exactly these files."""
        for file_id, path in tuple(self._shown.items()):
            if paths.get(file_id) != path:
                self._remove(path)
                del self._shown[file_id]
        for file_id, path in paths.items():
            if file_id not in self._shown:
                self._insert(path, file_id)
                self._shown[file_id] = path
            item = self._items[path]
            if item.data(IS_MAIN_ROLE) != (file_id == main):
                item.setData(file_id == main, IS_MAIN_ROLE)

    def index_of(self, file_id: str) -> QModelIndex:
        """Return where a file is shown; an invalid index when it is not."""
        path = self._shown.get(FileId(file_id))
        return self.indexFromItem(self._items[path]) if path is not None else QModelIndex()

    def _insert(self, path: str, file_id: FileId) -> None:
        item = _item(path)
        item.setData(file_id, FILE_ID_ROLE)
        item.setData(False, IS_MAIN_ROLE)
        self._place(item, path)

    def _place(self, item: QStandardItem, key: str) -> None:
        parent = self._folder(key.rstrip("/").rpartition("/")[0])
        order = _order(item)
        row = 0
        while row < parent.rowCount() and _order(parent.child(row)) < order:
            row += 1
        parent.insertRow(row, item)
        self._items[key] = item

    def _folder(self, path: str) -> QStandardItem:
        """Folders are kept under a path with `/` at its end: a file and a folder may have one name."""
        if not path:
            return self.invisibleRootItem()
        if path + "/" not in self._items:
            self._place(_item(path), path + "/")
        return self._items[path + "/"]

    def _remove(self, path: str) -> None:
        item = self._items.pop(path)
        parent: QStandardItem | None = item.parent()
        self._above(parent).removeRow(item.row())
        folder = path.rpartition("/")[0]
        while parent is not None and parent.rowCount() == 0:
            above: QStandardItem | None = parent.parent()
            del self._items[folder + "/"]
            self._above(above).removeRow(parent.row())
            parent, folder = above, folder.rpartition("/")[0]

    def _above(self, parent: QStandardItem | None) -> QStandardItem:
        return self.invisibleRootItem() if parent is None else parent


def _item(path: str) -> QStandardItem:
    item = QStandardItem(path.rpartition("/")[2])
    item.setEditable(False)
    item.setData(path, PATH_ROLE)
    item.setToolTip(path)
    return item


def _order(item: QStandardItem) -> tuple[bool, str, str]:
    name = item.text()
    return (item.data(FILE_ID_ROLE) is not None, name.casefold(), name)
