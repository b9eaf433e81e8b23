"""Below the files: what is to be told of single ones, such as a name that is not possible here. Folded at first.

Two lists: what needs a look, and, without any alarm, what is not shared as it should be.
"""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from texswarm_desktop.ui.error_texts import text_of
from texswarm_desktop.ui.parts import ElidedLabel, button, column, empty, label, row, scrolling
from texswarm_server.protocol.errors import NotSharedError

_MOST_PX: Final = 180
_MOST_ROWS: Final = 200


class FileReports(QWidget):
    """Shows reports by path in the list where they belong."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.problems = FileReportsList(
            "⚠  1 file needs a look",
            "⚠  {} files need a look",
            "Files that are not shared or not written here, or that came back",
        )
        self.notes = FileReportsList(
            "1 file is not shared",
            "{} files are not shared",
            "Files that stay on this computer; “What is shared” in the menu names others",
        )
        self.setLayout(column(self.problems, self.notes))

    def show_reports(self, reports: Mapping[str, Exception]) -> None:
        """Show these."""
        notes = {path: error for path, error in reports.items() if isinstance(error, NotSharedError)}
        self.problems.show_reports({path: error for path, error in reports.items() if path not in notes})
        self.notes.show_reports(notes)


class FileReportsList(QWidget):
    """Shows reports by path; takes no room while there are none."""

    def __init__(self, one: str, many: str, hint: str, parent: QWidget | None = None) -> None:
        """`one`, `many`: what is said of their number."""
        super().__init__(parent)
        self._one, self._many, self._hint = one, many, hint
        self._head = button("", "Quiet")
        self._head.setCheckable(True)
        self._head.toggled.connect(self._on_head_toggled)
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(8)
        inside = QWidget()
        rows = column(margins=(14, 2, 12, 10))
        rows.addLayout(self._rows)
        rows.addStretch(1)
        inside.setLayout(rows)
        self._list = _Shrinking(inside)
        box = column(self._list, margins=(6, 0, 6, 4))
        box.insertLayout(0, row(self._head, None))
        self.setLayout(box)
        self.show_reports({})

    def show_reports(self, reports: Mapping[str, Exception]) -> None:
        """Show these."""
        empty(self._rows)
        for path, error in list(reports.items())[:_MOST_ROWS]:
            self._rows.addWidget(_report(path, error))
        if len(reports) > _MOST_ROWS:
            self._rows.addWidget(label(f"… and {len(reports) - _MOST_ROWS:,} more", "Hint"))
        self._head.setText(self._one if len(reports) == 1 else self._many.format(f"{len(reports):,}"))
        self._head.setToolTip(self._hint)
        self.setVisible(bool(reports))
        self._on_head_toggled(self._head.isChecked())

    def _on_head_toggled(self, is_open: bool) -> None:
        self._list.setVisible(is_open)


class _Shrinking(QFrame):
    """As high as what is in it, up to a limit."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self._inside = inside
        self.setLayout(column(scrolling(inside)))
        self.setMaximumHeight(_MOST_PX)

    def sizeHint(self) -> QSize:
        """Room for everything, up to the limit."""
        wanted = self._inside.sizeHint()
        return QSize(wanted.width(), min(_MOST_PX, self._inside.heightForWidth(self.width()) or wanted.height()))


def _report(path: str, error: Exception) -> QWidget:
    shown = path.encode(errors="replace").decode().replace("\0", "␀") or "?"
    made = QWidget()
    name = ElidedLabel(shown, mode=Qt.TextElideMode.ElideMiddle)
    made.setLayout(column(name, label(text_of(error).sentence, "Hint", wraps=True), gap=1))
    return made
