"""What of a project's folder is shared and what is not: its own patterns, and the files they match, as one types."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QTreeWidget, QTreeWidgetItem, QWidget

from texswarm_desktop.core.sharing_preview import Match, SharingPreview
from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.ui.error_texts import text_of
from texswarm_desktop.ui.parts import column, label
from texswarm_desktop.viewmodels.sharing_view import SharingView
from texswarm_server.protocol.errors import TexSwarmError

_HINT: Final = (
    "Patterns as in .gitignore, one a line; they hold on this computer. What is in the project already stays in it."
)
_SHARE: Final = "Share, although ignored or of another kind"
_LEAVE_OUT: Final = "Leave out"
_OTHERS: Final = "Left out by .gitignore, made by LaTeX, or of another kind"
_MOST_FILES: Final = 500
_MARGIN_PX: Final = 7


class SharingSheet(Sheet):
    """Shows a SharingView, which belongs to it."""

    def __init__(self, parent: QWidget | None, view: SharingView) -> None:
        super().__init__("What is shared", _HINT, parent, width_px=640)
        self._view = view
        view.setParent(self)
        self.share = self._patterns(_SHARE, view.sharing.share, "figures/*.pdf")
        self.leave_out = self._patterns(_LEAVE_OUT, view.sharing.leave_out, "drafts/")
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.tree.setAccessibleName("Matched files")
        self._lay_out()
        self.add_buttons("Save")
        view.preview_changed.connect(self.show_preview)
        view.saved.connect(self.accept)
        view.failed.connect(self._on_view_failed)
        for field in (self.share, self.leave_out):
            field.textChanged.connect(self._on_text_changed)
        view.begin()
        self.share.setFocus()

    def _lay_out(self) -> None:
        typed = column(label(_SHARE), self.share, 6, label(_LEAVE_OUT), self.leave_out, gap=4)
        seen = column(label("What they match now"), self.tree, gap=4)
        halves = QHBoxLayout()
        halves.setSpacing(14)
        halves.addLayout(typed, 2)
        halves.addLayout(seen, 3)
        self.body.addLayout(halves)
        self.resize(760, 460)

    def _patterns(self, name: str, patterns: Sequence[str], example: str) -> QPlainTextEdit:
        field = QPlainTextEdit("\n".join(patterns))
        field.setAccessibleName(name)
        field.setPlaceholderText(example)
        field.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        field.setTabChangesFocus(True)
        field.document().setDocumentMargin(_MARGIN_PX)
        field.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        return field

    def show_preview(self, preview: SharingPreview) -> None:
        """Show which files each pattern matches; what is unfolded stays so."""
        closed = {item.data(0, Qt.ItemDataRole.UserRole) for item in self._tops() if not item.isExpanded()}
        is_first = not self.tree.topLevelItemCount()
        self.tree.clear()
        for group, found in (("+", preview.share), ("−", preview.leave_out)):
            for one in found:
                self._add(f"{group} {one.pattern}", one.files, is_open=f"{group} {one.pattern}" not in closed)
        if preview.others:
            self._add(_OTHERS, preview.others, is_open=not is_first and _OTHERS not in closed)
        if not self.tree.topLevelItemCount():
            self.tree.addTopLevelItem(QTreeWidgetItem(["Everything is shared that can be."]))

    def try_accept(self) -> None:
        """Save; the sheet closes when that was done."""
        self._view.change(self.share.toPlainText(), self.leave_out.toPlainText())
        self._view.save()

    def _tops(self) -> list[QTreeWidgetItem]:
        found = (self.tree.topLevelItem(at) for at in range(self.tree.topLevelItemCount()))
        return [item for item in found if item is not None]

    def _add(self, name: str, files: Sequence[Match], *, is_open: bool) -> None:
        top = QTreeWidgetItem([f"{name}   {count_words(len(files))}"])
        top.setData(0, Qt.ItemDataRole.UserRole, name)
        for file in files[:_MOST_FILES]:
            item = QTreeWidgetItem([f"{file.path}   {state_words(file)}"])
            item.setToolTip(0, file.path)
            top.addChild(item)
        if len(files) > _MOST_FILES:
            top.addChild(QTreeWidgetItem([f"… and {len(files) - _MOST_FILES:,} more"]))
        self.tree.addTopLevelItem(top)
        top.setExpanded(is_open)

    def _on_text_changed(self) -> None:
        self.clear_problem()
        self._view.change(self.share.toPlainText(), self.leave_out.toPlainText())

    def _on_view_failed(self, error: TexSwarmError) -> None:
        self.show_problem(text_of(error).sentence)


def count_words(count: int) -> str:
    """Return how many files a pattern matches."""
    return "no file" if not count else f"{count:,} file{'' if count == 1 else 's'}"


def state_words(file: Match) -> str:
    """Return what becomes of a matched file."""
    if file.is_shared:
        return "shared"
    return "in the project already, stays" if file.is_in_project else "left out"
