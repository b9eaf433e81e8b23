"""What came of bringing in or giving out: lists of files, each with what is to be said about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from texswarm_desktop.client.status import Tone
from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.ui.parts import Dot, ElidedLabel, button, column, label, row, scrolling
from texswarm_desktop.ui.theme import Theme

_WIDTH_PX: Final = 640
_MOST_ROWS: Final = 200
_ROW_PX: Final = 22
_LEAST_PX: Final = 120
_MOST_PX: Final = 380


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a title. A row is a name, and what is said about it (or nothing)."""

    title: str
    rows: Sequence[tuple[str, str]]
    tone: Tone = Tone.QUIET


class ReportSheet(Sheet):
    """Shows sections; the place can be looked at."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None,
        *,
        title: str,
        summary: str,
        sections: Sequence[Section],
        place: Path,
    ) -> None:
        super().__init__(title, summary, parent, width_px=_WIDTH_PX)
        self.sections = tuple(section for section in sections if section.rows)
        self._theme = theme
        self._place = place
        inside = QWidget()
        inside.setObjectName("Plain")
        box = column(gap=2, margins=(0, 0, 8, 0))
        for number, section in enumerate(self.sections):
            if number:
                box.addSpacing(12)
            self._add(box, section)
        box.addStretch(1)
        inside.setLayout(box)
        scroll = scrolling(inside)
        scroll.setAccessibleName("Report")
        lines = sum(min(len(section.rows), _MOST_ROWS) + 2 for section in self.sections)
        scroll.setMinimumHeight(max(_LEAST_PX, min(lines * _ROW_PX, _MOST_PX)))
        self.body.addWidget(scroll)
        look = button("Show in folder")
        look.clicked.connect(self._on_look_clicked)
        done = button("Done", "Primary")
        done.setDefault(True)
        done.clicked.connect(self.accept)
        self.buttons.insertWidget(0, look)
        self.buttons.addWidget(done)

    def _add(self, box: QVBoxLayout, section: Section) -> None:
        dot = Dot(self._theme)
        dot.set_tone(section.tone)
        box.addLayout(row(dot, label(section.title, "SectionTitle"), None))
        for name, words in section.rows[:_MOST_ROWS]:
            box.addWidget(_Row(name, words))
        if len(section.rows) > _MOST_ROWS:
            more = label(f"… and {len(section.rows) - _MOST_ROWS} more", "Hint")
            more.setContentsMargins(22, 0, 0, 0)
            box.addWidget(more)

    def _on_look_clicked(self) -> None:
        folder = self._place if self._place.is_dir() else self._place.parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


class _Row(QWidget):
    def __init__(self, name: str, words: str) -> None:
        super().__init__()
        self.setAccessibleName(f"{name}: {words}" if words else name)
        if not name:
            box = row(label(words, wraps=True), margins=(22, 1, 0, 1))
        else:
            shown = ElidedLabel(name, mode=Qt.TextElideMode.ElideMiddle)
            hint = ElidedLabel(words, "Hint")
            box = row(shown, hint, margins=(22, 1, 0, 1), gap=12)
            box.setStretch(0, 4)
            box.setStretch(1, 5 if words else 0)
        self.setLayout(box)
