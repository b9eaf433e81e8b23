"""Choose between two histories of one project: what differs, file by file, and what would become of the copy here.

A copy of the same origin, which became a project of its own, can be merged as well.
"""

from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QRadioButton, QWidget

from texswarm_desktop.core.file_differences import Change, FileDifference
from texswarm_desktop.core.joining import Choice
from texswarm_desktop.ui.dialogs.sheet import Sheet
from texswarm_desktop.ui.parts import RoomyArea, column, label
from texswarm_desktop.viewmodels.two_histories import TwoHistories

_HINT: Final = (
    "The copy here and the one on {server} do not come from one origin, so they cannot be merged. "
    "Choose what happens; nothing is lost either way."
)
_HINT_OF_ONE_ORIGIN: Final = (
    "“{folder}” is a copy of the project on {server} that went its own way. "
    "Choose what happens; nothing is lost either way."
)
_MOST_ROWS: Final = 6
#: So many rows where the screen is lower than this: the choices have to be seen as well.
_FEW_ROWS: Final = 3
_ROOMY_PX: Final = 700
_ROW_PX: Final = 26
#: A longer name of a folder is shortened in its middle; the sheet says it several times.
_MOST_NAME_CP: Final = 40


class HistoriesSheet(Sheet):
    """Shows a TwoHistories. Signal: `chosen(Choice)`; closing the sheet leaves everything as it is."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None, histories: TwoHistories) -> None:
        is_copy = histories.document is not None
        folder = _shortened(histories.folder)
        hint = (_HINT_OF_ONE_ORIGIN if is_copy else _HINT).format(server=histories.server, folder=folder)
        title = "Two projects of one origin" if is_copy else "Two different projects"
        super().__init__(title, hint, parent, width_px=560)
        rows = _MOST_ROWS if self.most_height_px >= _ROOMY_PX else _FEW_ROWS
        self.list = _listed(histories, rows)
        self.body.addWidget(label(_summary(histories), "SectionTitle"))
        self.body.addWidget(self.list)
        self.list.setVisible(bool(histories.different))
        options = QWidget()
        options.setObjectName("Plain")
        self._options = column(gap=4)
        self.keep_both = self._add_option(
            "Keep both",
            f"“{folder}” stays as it is; the server's opens in a folder of its own."
            if is_copy
            else f"What is here becomes a project of its own, in a folder beside “{folder}”; "
            "the server's takes its place.",
        )
        self.take_theirs = self._add_option(
            "Take the server's",
            f"What is in “{folder}” is kept in its hidden folder .texswarm/backups, and not shown any more.",
        )
        self.merge = self._add_option(
            "Merge",
            f"“{folder}” is the server's project from now on, and what was written in either is in both.",
            is_there=is_copy,
        )
        options.setLayout(self._options)
        self.body.addWidget(RoomyArea(options))
        self.keep_both.setChecked(True)
        self.add_buttons("Continue")

    def try_accept(self) -> None:
        """Tell what was chosen."""
        choices = {Choice.KEEP_BOTH: self.keep_both, Choice.TAKE_THEIRS: self.take_theirs, Choice.MERGE: self.merge}
        self.chosen.emit(next(choice for choice, option in choices.items() if option.isChecked()))
        self.accept()

    def _add_option(self, name: str, explanation: str, *, is_there: bool = True) -> QRadioButton:
        option = QRadioButton(name, self)
        option.setAccessibleDescription(explanation)
        option.setVisible(is_there)
        if not is_there:
            return option
        if self._options.count():
            self._options.addSpacing(10)
        self._options.addWidget(option)
        self._options.addWidget(label(explanation, "Muted", wraps=True))
        return option


def _listed(histories: TwoHistories, rows: int) -> QListWidget:
    made = QListWidget()
    made.setAccessibleName("What differs")
    made.setFixedHeight(_ROW_PX * min(len(histories.different), rows) + 8)
    made.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    for file in histories.different:
        item = QListWidgetItem(words_of(file))
        item.setToolTip(file.path)
        item.setSizeHint(QSize(0, _ROW_PX))
        made.addItem(item)
    return made


def _shortened(name: str) -> str:
    half = _MOST_NAME_CP // 2
    return name if len(name) <= _MOST_NAME_CP else f"{name[:half].rstrip()}…{name[1 - half :].lstrip()}"


def words_of(file: FileDifference) -> str:
    """Return what is said of a file that differs."""
    match file.change:
        case Change.ONLY_HERE:
            return f"{file.path}   only here"
        case Change.ONLY_THERE:
            return f"{file.path}   only on the server"
        case _ if file.is_figure:
            return f"{file.path}   another figure on the server"
        case _:
            return f"{file.path}   other text on the server (+{file.added} −{file.removed} lines)"


def _summary(histories: TwoHistories) -> str:
    different, same = len(histories.different), histories.same
    if not different:
        return "All files are the same"
    return f"{different} file{'' if different == 1 else 's'} differ{'s' if different == 1 else ''}, {same} the same"
