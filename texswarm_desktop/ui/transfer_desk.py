"""The dialogs of one window for bringing projects in and giving them out, and what they say at the end.

They are loaded when they are first wanted.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from texswarm_desktop.ui.error_texts import text_of
from texswarm_desktop.ui.theme import Theme
from texswarm_server.protocol.errors import CloneError, TexSwarmError, TransferCancelledError

if TYPE_CHECKING:
    from texswarm_desktop.services.exporting import ExportReport
    from texswarm_desktop.services.importing import ImportReport
    from texswarm_desktop.ui.dialogs.report_sheet import Section
    from texswarm_desktop.ui.dialogs.transfer_sheet import TransferSheet

_DETAIL_CHARS: Final = 200


class TransferDesk(QObject):
    """At most one of its dialogs is open.

    Signals: `import_requested(str, Path)`; `export_requested(ExportWish)`; `cancel_requested()`.
    """

    import_requested = Signal(str, object)
    export_requested = Signal(object)
    cancel_requested = Signal()

    def __init__(self, theme: Theme, window: QWidget, *, projects_folder: str) -> None:
        super().__init__(window)
        self._theme, self._window = theme, window
        self._projects_folder = projects_folder
        self._sheet: TransferSheet | None = None

    def ask_what_to_import(self, source: str = "") -> None:
        """Ask for a source and a folder."""
        from texswarm_desktop.ui.dialogs.import_sheet import ImportSheet  # noqa: PLC0415

        sheet = ImportSheet(self._window, projects_folder=self._projects_folder, source=source)
        sheet.import_requested.connect(self.import_requested)
        self._open(sheet)

    def ask_what_to_export(self, title: str, folder: Path, *, for_arxiv: bool = False) -> None:
        """Ask what to give out of the open project, and where to."""
        from texswarm_desktop.ui.dialogs.export_sheet import ExportSheet  # noqa: PLC0415

        sheet = ExportSheet(self._window, title=title, folder=folder, for_arxiv=for_arxiv)
        sheet.export_requested.connect(self.export_requested)
        self._open(sheet)

    def show_progress(self, done: int, of: int) -> None:
        """Show how far it is."""
        if self._sheet is not None:
            self._sheet.show_progress(done, of)

    def show_failed(self, error: TexSwarmError) -> None:
        """Say what went wrong where it was asked for; who gave up knows."""
        if self._sheet is None or isinstance(error, TransferCancelledError):
            return
        text = text_of(error)
        detail = f"\n{error.detail[:_DETAIL_CHARS]}" if isinstance(error, CloneError) and error.detail else ""
        self._sheet.fail(f"{text.title}. {text.sentence}{detail}")

    def show_imported(self, report: "ImportReport") -> None:
        """Say what was left out, if anything was."""
        from texswarm_desktop.ui.transfer_reports import import_sections, import_summary  # noqa: PLC0415

        self._end()
        if report.refused:
            self._report("Imported", import_summary(report), import_sections(report), report.folder)

    def show_exported(self, report: "ExportReport") -> None:
        """Say what went out, what did not, and what to look at."""
        from texswarm_desktop.ui.transfer_reports import export_sections, export_summary  # noqa: PLC0415

        self._end()
        self._report("Exported", export_summary(report), export_sections(report), report.archive)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _open(self, sheet: "TransferSheet") -> None:
        if self._sheet is not None:
            self._sheet.reject()
        self._sheet = sheet
        sheet.cancel_requested.connect(self.cancel_requested)
        sheet.finished.connect(lambda: self._on_sheet_finished(sheet))
        sheet.open()

    def _on_sheet_finished(self, sheet: "TransferSheet") -> None:
        if self._sheet is sheet:
            self._sheet = None

    def _end(self) -> None:
        if self._sheet is not None:
            self._sheet.accept()

    def _report(self, title: str, summary: str, sections: "list[Section]", place: Path) -> None:
        from texswarm_desktop.ui.dialogs.report_sheet import ReportSheet  # noqa: PLC0415

        ReportSheet(self._theme, self._window, title=title, summary=summary, sections=sections, place=place).open()
