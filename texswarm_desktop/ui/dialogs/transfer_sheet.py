"""What the dialogs for bringing in and giving out have in common: fields for files, and a bar while it is done."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QProgressBar, QPushButton, QWidget

from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.ui.parts import button, label, row

_WIDTH_PX: Final = 560


class TransferSheet(Sheet):
    """Stays open until it is done, or given up. Signal: `cancel_requested()` while something is being done."""

    cancel_requested = Signal()

    def __init__(self, title: str, hint: str, parent: QWidget | None) -> None:
        super().__init__(title, hint, parent, width_px=_WIDTH_PX)
        self.is_busy = False
        self._inputs: list[QWidget] = []
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress")
        self._doing = label("", "Muted")
        for part in (self._bar, self._doing):
            part.hide()

    def add_bar(self, accept: str) -> QPushButton:
        """Add the progress bar and the buttons below everything else."""
        self.body.addSpacing(6)
        self.body.addWidget(self._bar)
        self.body.addWidget(self._doing)
        yes = self.add_buttons(accept)
        self._inputs.append(yes)
        return yes

    def add_file_field(self, text: str, hint: str, browse: str, do: Callable[[], None]) -> QLineEdit:
        """Add a field with a button beside it that helps to fill it."""
        field = self.add_field(text, hint)
        self.body.removeWidget(field)
        helper = button(browse)
        helper.clicked.connect(do)
        self.body.addLayout(row(field, helper))
        self._inputs += [field, helper]
        return field

    def add_inputs(self, *inputs: QWidget) -> None:
        """Take in further widgets that cannot be used while something is being done."""
        self._inputs += inputs

    def begin(self, doing: str) -> None:
        """Show that it is being done."""
        self.is_busy = True
        self.clear_problem()
        for one in self._inputs:
            one.setEnabled(False)
        self._doing.setText(doing)
        self.show_progress(0, 0)
        for part in (self._bar, self._doing):
            part.show()

    def show_progress(self, done: int, of: int) -> None:
        """Show how far it is; of nothing: nobody knows."""
        self._bar.setRange(0, of)
        self._bar.setValue(done)

    def fail(self, words: str) -> None:
        """Show what went wrong, and let it be tried again."""
        self.is_busy = False
        for one in self._inputs:
            one.setEnabled(True)
        for part in (self._bar, self._doing):
            part.hide()
        self.show_problem(words)

    def ask_for_file(self, title: str, then: Callable[[str], None], *, pattern: str) -> None:
        """Let the user choose a file that is there."""
        dialog = QFileDialog(self, title, "", pattern)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        _open(dialog, then)

    def ask_for_new_file(self, title: str, start: str, then: Callable[[str], None], *, pattern: str) -> None:
        """Let the user choose a file to write."""
        dialog = QFileDialog(self, title, start, pattern)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("zip")
        _open(dialog, then)

    def ask_for_folder(self, title: str, start: str, then: Callable[[str], None]) -> None:
        """Let the user choose a folder."""
        dialog = QFileDialog(self, title, start)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        _open(dialog, then)

    def reject(self) -> None:
        """Give up what is being done, and close."""
        if self.is_busy:
            self.cancel_requested.emit()
        super().reject()


def nearest_folder(path: str) -> str:
    """Return the folder on the way to `path` that is there."""
    folder = Path(path)
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return str(folder)


def _open(dialog: QFileDialog, then: Callable[[str], None]) -> None:
    dialog.fileSelected.connect(then)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
