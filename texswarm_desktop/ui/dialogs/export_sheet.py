"""Give the open project out: as an archive of it, or as a bundle for arXiv."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QRadioButton, QWidget

from texswarm_desktop.ui.dialogs.transfer_sheet import TransferSheet, nearest_folder
from texswarm_desktop.ui.parts import label, row
from texswarm_desktop.viewmodels.transfers import ExportWish

_WHOLE = "Everything in the folder, without build products and what is ignored."
_ARXIV = "Only what the document needs, in as few files as possible, with the bibliography that LaTeX made."


class ExportSheet(TransferSheet):
    """Asks what to give out and where to. Signal: `export_requested(ExportWish)`."""

    export_requested = Signal(object)

    def __init__(self, parent: QWidget | None, *, title: str, folder: Path, for_arxiv: bool = False) -> None:
        super().__init__("Export the project", f"“{title}” is packed into one zip archive.", parent)
        self._folder = folder
        self._is_file_chosen = False
        self.whole = QRadioButton("The project as it is")
        self.arxiv = QRadioButton("A bundle for arXiv")
        self.comments = QCheckBox("Leave out comments: arXiv shows the sources to everybody")
        self.comments.setChecked(True)
        for choice, words in ((self.whole, _WHOLE), (self.arxiv, _ARXIV)):
            self.body.addWidget(choice)
            hint = label(words, "Hint", wraps=True)
            hint.setContentsMargins(24, 0, 0, 4)
            self.body.addWidget(hint)
        self.body.addLayout(row(22, self.comments, None, gap=0))
        self.file = self.add_file_field("Archive", "", "Choose…", self._choose_file)
        self.file.textEdited.connect(self._on_file_edited)
        self.add_inputs(self.whole, self.arxiv, self.comments)
        self.add_bar("Export")
        self.arxiv.toggled.connect(self._on_arxiv_toggled)
        (self.arxiv if for_arxiv else self.whole).setChecked(True)
        self._on_arxiv_toggled(self.arxiv.isChecked())
        (self.arxiv if for_arxiv else self.whole).setFocus()

    def try_accept(self) -> None:
        """Export, if there is a place for it."""
        text = self.file.text().strip()
        if not text:
            self.show_problem("The archive needs a name.", self.file)
            return
        archive = Path(text).expanduser()
        archive = archive if archive.suffix else archive.with_suffix(".zip")
        for_arxiv = self.arxiv.isChecked()
        self.begin("Exporting…")
        self.export_requested.emit(
            ExportWish(archive, for_arxiv=for_arxiv, keep_comments=for_arxiv and not self.comments.isChecked())
        )

    def _on_arxiv_toggled(self, is_checked: bool) -> None:
        self.comments.setEnabled(is_checked)
        if not self._is_file_chosen:
            ending = "-arxiv.zip" if is_checked else ".zip"
            self.file.setText(str(self._folder.parent / f"{self._folder.name}{ending}"))

    def fail(self, words: str) -> None:
        """Comments are asked about for arXiv only."""
        super().fail(words)
        self.comments.setEnabled(self.arxiv.isChecked())

    def _on_file_edited(self, text: str) -> None:
        self._is_file_chosen = bool(text.strip())

    def _choose_file(self) -> None:
        start = self.file.text() if Path(self.file.text()).parent.is_dir() else nearest_folder(self.file.text())
        self.ask_for_new_file("Export to", start, self._on_file_chosen, pattern="Zip archives (*.zip)")

    def _on_file_chosen(self, path: str) -> None:
        self.clear_problem()
        self._is_file_chosen = True
        self.file.setText(path)
