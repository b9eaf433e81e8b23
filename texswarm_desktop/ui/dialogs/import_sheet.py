"""Bring a project in: from a zip archive, or from a git repository."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from texswarm_desktop.ui.dialogs.transfer_sheet import TransferSheet, nearest_folder
from texswarm_desktop.viewmodels.transfers import suggested_folder

_HINT = "A download from Overleaf works as it is. The project is copied into a new folder, and opened."


class ImportSheet(TransferSheet):
    """Asks for a source and a folder. Signal: `import_requested(str, Path)` with both."""

    import_requested = Signal(str, object)

    def __init__(self, parent: QWidget | None, *, projects_folder: str, source: str = "") -> None:
        super().__init__("Import a project", _HINT, parent)
        self._projects_folder = Path(projects_folder).expanduser()
        self._is_folder_chosen = False
        self.source = self.add_file_field(
            "Zip archive, or address of a git repository",
            "paper.zip, https://…/paper.git or git@HOST:paper.git",
            "Choose file…",
            self._choose_source,
        )
        self.folder = self.add_file_field("New folder", "", "Choose…", self._choose_folder)
        self.add_bar("Import")
        self.source.textChanged.connect(self._on_source_changed)
        self.folder.textEdited.connect(self._on_folder_edited)
        self.source.setText(source)
        self.source.setFocus()

    def try_accept(self) -> None:
        """Import, if there is a source and a folder."""
        source, folder = self.source.text().strip(), self.folder.text().strip()
        if not source:
            self.show_problem("Choose an archive, or paste an address.", self.source)
        elif not folder:
            self.show_problem("The project needs a folder to go to.", self.folder)
        else:
            self.begin("Importing…")
            self.import_requested.emit(source, Path(folder).expanduser())

    def _on_source_changed(self, source: str) -> None:
        if not self._is_folder_chosen:
            source = source.strip()
            self.folder.setText(str(suggested_folder(self._projects_folder, source)) if source else "")

    def _on_folder_edited(self, folder: str) -> None:
        self._is_folder_chosen = bool(folder.strip())

    def _choose_source(self) -> None:
        self.ask_for_file("Choose an archive", self._on_source_chosen, pattern="Zip archives (*.zip);;All files (*)")

    def _on_source_chosen(self, path: str) -> None:
        self.clear_problem()
        self.source.setText(path)

    def _choose_folder(self) -> None:
        self.ask_for_folder("Choose an empty folder", nearest_folder(self.folder.text()), self._on_folder_chosen)

    def _on_folder_chosen(self, path: str) -> None:
        self.clear_problem()
        self._is_folder_chosen = True
        self.folder.setText(path)
