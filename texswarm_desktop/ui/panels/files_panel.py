"""The files of the project: open, add, rename, delete. Names are typed in place, never in a dialog."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QColor, QIcon, QKeyEvent, QPainter
from PySide6.QtWidgets import QLineEdit, QMenu, QStyledItemDelegate, QStyleOptionViewItem, QTreeView, QWidget

from texswarm_desktop.ui.error_texts import text_of
from texswarm_desktop.ui.panels.file_reports_list import FileReports
from texswarm_desktop.ui.parts import IconButton, column, label, restyle, row
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.file_tree import FILE_ID_ROLE, IS_MAIN_ROLE, PATH_ROLE
from texswarm_desktop.viewmodels.project_view import ProjectView
from texswarm_server.protocol.errors import DocumentError

_IMAGES: Final = "png pdf jpg jpeg gif svg eps ps tif tiff webp bmp"
_ICONS: Final = {"tex": "file-tex", "bib": "file-bib"} | dict.fromkeys(_IMAGES.split(), "file-image")
_ROW_PX: Final = 26


class FilesPanel(QWidget):
    """Shows a project's tree. Signal: `delete_requested(str)` with a file id; the window asks before it is done."""

    delete_requested = Signal(str)

    def __init__(self, theme: Theme, project: ProjectView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._tree = _Tree(theme)
        self._tree.setModel(project.tree)
        self._tree.setItemDelegate(_FileDelegate(theme, self._tree))
        self._name = _NameEdit()
        self._problem = label(name="Problem", wraps=True)
        self._rename_id = ""
        self._add = IconButton(theme, "plus", "New file")
        header = QWidget()
        header.setLayout(row(label("Files", "PanelTitle"), None, self._add, margins=(14, 8, 8, 4)))
        name_row = QWidget()
        name_row.setLayout(column(self._name, self._problem, margins=(10, 0, 10, 6), gap=4))
        self._name_row = name_row
        tree_row = QWidget()
        tree_row.setLayout(column(self._tree, margins=(6, 0, 6, 6)))
        self._reports = FileReports()
        box = column(header, name_row, tree_row, self._reports)
        box.setStretchFactor(tree_row, 1)
        self.setLayout(box)
        self._end_naming()
        self._add.clicked.connect(self.begin_new_file)
        self._add.setEnabled(project.can_write)
        self._connect()
        self._tree.expandToDepth(1)
        self._show_current(project.current or "")
        self._reports.show_reports(project.reports)

    def _connect(self) -> None:
        self._tree.clicked.connect(self._on_tree_clicked)
        self._tree.activated.connect(self._on_tree_clicked)
        self._tree.delete_pressed.connect(self._on_tree_delete_pressed)
        self._tree.rename_pressed.connect(self._on_tree_rename_pressed)
        self._tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._tree.customContextMenuRequested.connect(self._on_tree_context_menu)
        self._name.committed.connect(self._on_name_committed)
        self._name.cancelled.connect(self._end_naming)
        self._project.current_changed.connect(self._show_current)
        self._project.can_write_changed.connect(self._on_project_can_write_changed)
        self._project.reports_changed.connect(self._on_project_reports_changed)
        self._project.tree.rowsInserted.connect(self._on_rows_inserted)

    # ── naming ──────────────────────────────────────────────────────────────────────────────────────────

    def begin_new_file(self) -> None:
        """Let the user type the name of a new file, beside the one that is worked on."""
        folder = self._project.path_of(self._project.current or "").rpartition("/")[0]
        self._begin_naming("", f"{folder}/" if folder else "", "Name, e.g. sections/method.tex")

    def begin_rename(self, file_id: str) -> None:
        """Let the user type another name for a file."""
        self._begin_naming(file_id, self._project.path_of(file_id), "")

    def _begin_naming(self, file_id: str, text: str, hint: str) -> None:
        if not self._project.can_write:
            return
        self._rename_id = file_id
        self._problem.hide()
        self._name.begin(text, hint)
        self._name_row.show()
        self._name.setFocus()

    def _end_naming(self) -> None:
        self._name_row.hide()
        self._problem.hide()

    def _on_name_committed(self, path: str) -> None:
        if not path.strip("/ "):
            self._end_naming()
            return
        try:
            if self._rename_id:
                self._project.rename_file(self._rename_id, path.strip())
            else:
                self._project.add_file(path.strip())
        except DocumentError as error:
            self._problem.setText(text_of(error).sentence)
            self._problem.show()
            self._name.set_problem(is_one=True)
        else:
            self._end_naming()

    def _on_project_can_write_changed(self, can_write: bool) -> None:
        self._add.setEnabled(can_write)
        if not can_write:
            self._end_naming()

    def _on_project_reports_changed(self) -> None:
        self._reports.show_reports(self._project.reports)

    # ── the tree ────────────────────────────────────────────────────────────────────────────────────────

    def _on_tree_clicked(self, index: QModelIndex) -> None:
        file_id = index.data(FILE_ID_ROLE)
        if file_id:
            self._project.open_file(file_id)
        else:
            self._tree.setExpanded(index, not self._tree.isExpanded(index))

    def _on_tree_delete_pressed(self) -> None:
        self._on_current_file(self.delete_requested.emit)

    def _on_tree_rename_pressed(self) -> None:
        self._on_current_file(self.begin_rename)

    def _on_current_file(self, do: Callable[[str], None]) -> None:
        file_id = self._tree.currentIndex().data(FILE_ID_ROLE)
        if file_id and self._project.can_write:
            do(file_id)

    def _on_rows_inserted(self, parent: QModelIndex) -> None:
        if parent.isValid():
            self._tree.expand(parent)

    def _show_current(self, file_id: str) -> None:
        index = self._project.tree.index_of(file_id)
        if index.isValid():
            self._tree.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self._tree.scrollTo(index)
        else:
            self._tree.clearSelection()

    def _on_tree_context_menu(self, place: QPoint) -> None:
        self.context_menu(self._tree.indexAt(place)).popup(self._tree.viewport().mapToGlobal(place))

    def context_menu(self, index: QModelIndex) -> QMenu:
        """Return what can be done with a row, or with the whole when the row is none."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        file_id = index.data(FILE_ID_ROLE) if index.isValid() else None
        _offer(menu, "New file…", self.begin_new_file)
        if file_id:
            menu.addSeparator()
            _offer(menu, "Rename…", lambda: self.begin_rename(file_id), keys="F2")
            main = _offer(menu, "Use as main file", lambda: self._project.set_main_file(file_id))
            main.setEnabled(str(index.data(PATH_ROLE)).endswith(".tex") and not index.data(IS_MAIN_ROLE))
            menu.addSeparator()
            _offer(menu, "Delete", lambda: self.delete_requested.emit(file_id), keys="Del")
        if not self._project.can_write:
            for action in menu.actions():
                action.setEnabled(False)
        return menu


def _offer(menu: QMenu, text: str, do: Callable[[], None], *, keys: str = "") -> QAction:
    action = QAction(text, menu)
    if keys:
        action.setShortcut(keys)
    action.triggered.connect(do)
    menu.addAction(action)
    return action


class _Tree(QTreeView):
    """A tree without a header. Signals: `delete_pressed()`, `rename_pressed()`."""

    delete_pressed = Signal()
    rename_pressed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._hovered = QPersistentModelIndex()
        self.setObjectName("FilesTree")
        self.setMouseTracking(True)
        self.entered.connect(self._on_entered)
        self.viewportEntered.connect(self._on_entered)
        self.setHeaderHidden(True)
        self.setIndentation(14)
        self.setUniformRowHeights(True)
        self.setAccessibleName("Files")
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setExpandsOnDoubleClick(False)

    def _on_entered(self, index: QModelIndex | None = None) -> None:
        self._hovered = QPersistentModelIndex(index or QModelIndex())
        self.viewport().update()

    def drawRow(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one rounded ground behind a row that is chosen or pointed at, the arrow included."""
        tokens = self._theme.tokens
        is_chosen = self.selectionModel().isSelected(index)
        if is_chosen or index == self._hovered:
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.accent_soft if is_chosen else tokens.hover))
            painter.drawRoundedRect(QRectF(option.rect), 5, 5)
            painter.restore()
        super().drawRow(painter, option, index)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at any more."""
        super().leaveEvent(event)
        self._on_entered()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete and rename from the keyboard."""
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        elif event.key() == Qt.Key.Key_F2:
            self.rename_pressed.emit()
        else:
            super().keyPressEvent(event)


class _FileDelegate(QStyledItemDelegate):
    """Puts an icon before each name and makes the main file's name bold."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Give each row the same, comfortable height."""
        return QSize(super().sizeHint(option, index).width(), _ROW_PX)

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Choose icon and weight."""
        super().initStyleOption(option, index)
        option.icon = self._icon(index)
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
        if index.data(IS_MAIN_ROLE):
            option.font.setBold(True)

    def _icon(self, index: QModelIndex | QPersistentModelIndex) -> QIcon:
        if index.data(FILE_ID_ROLE) is None:
            return self._theme.icons.icon("folder")
        return self._theme.icons.icon(_ICONS.get(str(index.data()).rpartition(".")[2].lower(), "file"))


class _NameEdit(QLineEdit):
    """A name typed in place. Signals: `committed(str)` on Enter, `cancelled()` on Esc or when the focus goes."""

    committed = Signal(str)
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Name of the file")
        self.returnPressed.connect(lambda: self.committed.emit(self.text()))
        self.textEdited.connect(lambda: self.set_problem(is_one=False))

    def begin(self, text: str, hint: str) -> None:
        """Begin with a text, of which the name is selected and the folder and the ending are not."""
        self.setText(text)
        self.setPlaceholderText(hint)
        self.set_problem(is_one=False)
        start = text.rfind("/") + 1
        end = text.rfind(".") if text.rfind(".") > start else len(text)
        self.setSelection(start, end - start)

    def set_problem(self, *, is_one: bool) -> None:
        """Mark the name as impossible, or as possible again."""
        self.setProperty("problem", is_one)
        restyle(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc gives up."""
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)
