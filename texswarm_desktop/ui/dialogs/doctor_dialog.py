"""Check the connection: each step of the road to a server appears as it was looked at, with what to do about it."""

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from texswarm_desktop.client.status import Tone
from texswarm_desktop.core.doctor import Finding, Level
from texswarm_desktop.qtx.timers import SingleShot
from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.ui.doctor_texts import STEP_WORDS, report_of, text_of_finding, verdict_of
from texswarm_desktop.ui.parts import Dot, button, column, empty, label, scrolling
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.doctor_view import DoctorView

_TONES: Final = {Level.FINE: Tone.GOOD, Level.NOTE: Tone.QUIET, Level.WARNING: Tone.BUSY, Level.PROBLEM: Tone.BAD}
_LEVEL_WORDS: Final = {Level.FINE: "fine", Level.NOTE: "note", Level.WARNING: "warning", Level.PROBLEM: "problem"}
_COPIED_FOR_S: Final = 2.0
_LEAST_PX: Final = 260
_SIZE: Final = QSize(600, 620)
_NAME_PX: Final = 104


class DoctorDialog(Sheet):
    """Shows a DoctorView. Invariant: a report that is copied holds exactly the findings that are shown."""

    def __init__(self, theme: Theme, parent: QWidget | None, doctor: DoctorView, *, title: str, hint: str) -> None:
        super().__init__(title, hint, parent, width_px=560)
        self._theme, self._doctor = theme, doctor
        self._rows = QVBoxLayout()
        self._rows.setSpacing(8)
        self._verdict = label(name="SectionTitle", wraps=True)
        self.copy = button("Copy report")
        self.again = button("Check again")
        self.close_button = button("Close", "Primary")
        self._copied = SingleShot(lambda: self.copy.setText("Copy report"), self)
        self._lay_out()
        self.resize(_SIZE.boundedTo(self.screen().availableSize()))
        doctor.begun.connect(self._on_doctor_begun)
        doctor.found.connect(self._on_doctor_found)
        doctor.finished.connect(self._on_doctor_finished)
        self.finished.connect(doctor.stop)

    def _lay_out(self) -> None:
        inside = QWidget()
        inside.setObjectName("Plain")
        box = column(margins=(0, 0, 8, 0))
        box.addLayout(self._rows)
        box.addStretch(1)
        inside.setLayout(box)
        self._scroll = scrolling(inside)
        self._scroll.setMinimumHeight(_LEAST_PX)
        self.body.addWidget(self._verdict)
        self.body.addSpacing(8)
        self.body.addWidget(self._scroll)
        self.copy.clicked.connect(self.copy_report)
        self.again.clicked.connect(self._doctor.examine)
        self.close_button.clicked.connect(self.accept)
        self.close_button.setDefault(True)
        for at, each in enumerate((self.copy, self.again)):
            self.buttons.insertWidget(at, each)
        self.buttons.addWidget(self.close_button)

    @property
    def verdict(self) -> str:
        """What stands at the top."""
        return self._verdict.text()

    @property
    def lines(self) -> list[str]:
        """What is said of each step, for tests and screen readers."""
        rows = [self._rows.itemAt(at) for at in range(self._rows.count())]
        return [widget.accessibleName() for item in rows if item is not None and (widget := item.widget()) is not None]

    def copy_report(self) -> None:
        """Put everything that is shown into the clipboard, as text."""
        QGuiApplication.clipboard().setText(report_of(self._doctor.findings))
        self.copy.setText("Copied")
        self._copied.start(_COPIED_FOR_S)

    def _on_doctor_begun(self) -> None:
        empty(self._rows)
        self._verdict.setText("Looking…")
        self.copy.setEnabled(False)
        self.again.setEnabled(False)

    def _on_doctor_found(self, finding: Finding) -> None:
        self._rows.addWidget(_row(self._theme, finding))
        bar = self._scroll.verticalScrollBar()
        bar.rangeChanged.connect(lambda _least, most: bar.setValue(most), Qt.ConnectionType.SingleShotConnection)

    def _on_doctor_finished(self) -> None:
        self._verdict.setText(verdict_of(self._doctor.findings))
        self.copy.setEnabled(True)
        self.again.setEnabled(True)


def _row(theme: Theme, finding: Finding) -> QFrame:
    text = text_of_finding(finding)
    made = QFrame()
    made.setAccessibleName(
        f"{STEP_WORDS[finding.step]}, {_LEVEL_WORDS[finding.level]}: {text.sentence} {text.remedy}".strip()
    )
    dot = Dot(theme)
    dot.set_tone(_TONES[finding.level])
    name = label(STEP_WORDS[finding.step])
    name.setFixedWidth(_NAME_PX)
    words = [label(text.sentence, wraps=True)]
    if text.remedy:
        words.append(label(text.remedy, "Muted", wraps=True))
    for each in words:
        each.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    box = QHBoxLayout()
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(8)
    box.addWidget(dot, 0, Qt.AlignmentFlag.AlignTop)
    box.addWidget(name, 0, Qt.AlignmentFlag.AlignTop)
    box.addLayout(column(*words, gap=2), 1)
    made.setLayout(box)
    return made
