"""The dialogs for bringing in and giving out, as a person uses them."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QMimeDatabase, Qt
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLabel, QProgressBar, QPushButton
from pytestqt.qtbot import QtBot

from tests.helpers.desk import Desk
from texswarm_desktop.core.arxiv_bundle import Advice, Bundle, BundleFile, Missing, Remark
from texswarm_desktop.core.zip_check import Refusal, Refused
from texswarm_desktop.services.exporting import ExportReport
from texswarm_desktop.services.importing import ImportReport
from texswarm_desktop.ui.dialogs.export_sheet import ExportSheet
from texswarm_desktop.ui.dialogs.import_sheet import ImportSheet
from texswarm_desktop.ui.dialogs.report_sheet import ReportSheet
from texswarm_desktop.viewmodels.transfers import ExportWish
from texswarm_server.protocol.errors import ArchiveError, CloneError, CloneProblem, TransferCancelledError

#: The platform without a screen says this about every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

NewDesk = Callable[..., Desk]
Kind = TypeVar("Kind", bound=QDialog)


@pytest.fixture(scope="module", autouse=True)
def _kinds_of_files(qapp: QApplication) -> None:
    """Qt's table of kinds of files, which dialogs for files look into, is one for the process and stays open."""
    QMimeDatabase().mimeTypeForFile("a.zip")


@pytest.fixture
def desk(new_desk: NewDesk) -> Desk:
    return new_desk({"main.tex": "Main"})


def sheet_of(desk: Desk, kind: type[Kind]) -> Kind:
    (sheet,) = (one for one in desk.window.findChildren(kind) if one.isVisible())
    return sheet


def press(sheet: QDialog, text: str) -> None:
    (button,) = (one for one in sheet.findChildren(QPushButton) if one.text() == text)
    assert button.isEnabled()
    button.click()


def words(sheet: QDialog) -> str:
    return "\n".join(one.text() for one in sheet.findChildren(QLabel) if one.isVisibleTo(sheet))


def bar(sheet: QDialog) -> QProgressBar:
    (found,) = sheet.findChildren(QProgressBar)
    return found


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_source_suggests_a_folder_until_one_is_chosen(desk: Desk, tmp_path: Path, qtbot: QtBot) -> None:
    desk.window.actions_.named("Import…").trigger()
    sheet = sheet_of(desk, ImportSheet)
    sheet._projects_folder = tmp_path
    (tmp_path / "paper").mkdir()
    sheet.source.setText("https://git.invalid/ada/paper.git")
    assert sheet.folder.text() == str(tmp_path / "paper 2")
    sheet.folder.clear()
    qtbot.keyClicks(sheet.folder, "/mine")
    sheet.source.setText("other.zip")
    assert sheet.folder.text() == "/mine"


def test_the_first_page_leads_to_the_same(new_desk: NewDesk) -> None:
    desk = new_desk()
    desk.window.show_start()
    (choice,) = (one for one in desk.window.start_page.findChildren(QPushButton) if one.accessibleName() == "Import")
    choice.click()
    assert sheet_of(desk, ImportSheet).isVisible()


def test_what_is_asked_for_is_told_and_the_sheet_waits(desk: Desk, qtbot: QtBot) -> None:
    desk.window.transfers.ask_what_to_import("a.zip")
    sheet = sheet_of(desk, ImportSheet)
    sheet.folder.setText("/papers/new")
    with qtbot.waitSignal(desk.window.transfers.import_requested) as asked:
        press(sheet, "Import")
    assert asked.args == ["a.zip", Path("/papers/new")]
    assert not sheet.source.isEnabled()
    desk.window.transfers.show_progress(5, 10)
    assert (bar(sheet).value(), bar(sheet).maximum()) == (5, 10)
    desk.window.transfers.show_imported(ImportReport(Path("/papers/new"), 1, 1, None))
    assert not sheet.isVisible()
    assert desk.window.findChildren(ReportSheet) == []


@pytest.mark.parametrize(("source", "folder"), [("", "/x"), ("a.zip", "")])
def test_nothing_is_begun_without_a_source_and_a_folder(desk: Desk, source: str, folder: str) -> None:
    desk.window.transfers.ask_what_to_import(source)
    sheet = sheet_of(desk, ImportSheet)
    sheet.folder.setText(folder)
    press(sheet, "Import")
    assert sheet.problem.isVisible()
    assert not sheet.is_busy


def test_what_went_wrong_is_said_where_it_can_be_mended(desk: Desk) -> None:
    desk.window.transfers.ask_what_to_import("a.zip")
    sheet = sheet_of(desk, ImportSheet)
    press(sheet, "Import")
    desk.window.transfers.show_failed(ArchiveError("x"))
    assert "Not a zip archive" in sheet.problem.text()
    press(sheet, "Import")
    assert not sheet.problem.isVisible()
    desk.window.transfers.show_failed(CloneError(CloneProblem.NOT_FOUND, "fatal: it is gone"))
    assert "fatal: it is gone" in sheet.problem.text()


def test_escape_gives_up_what_is_being_done(desk: Desk, qtbot: QtBot) -> None:
    desk.window.transfers.ask_what_to_import("a.zip")
    sheet = sheet_of(desk, ImportSheet)
    press(sheet, "Import")
    with qtbot.waitSignal(desk.window.transfers.cancel_requested):
        qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    desk.window.transfers.show_failed(TransferCancelledError())
    assert desk.window.notices.keys == []


def test_a_sheet_that_does_nothing_is_closed_without_a_word(desk: Desk, qtbot: QtBot) -> None:
    desk.window.transfers.ask_what_to_import()
    with qtbot.assertNotEmitted(desk.window.transfers.cancel_requested):
        press(sheet_of(desk, ImportSheet), "Cancel")


def test_files_are_chosen_in_dialogs_that_stop_nobody(desk: Desk, qtbot: QtBot) -> None:
    desk.window.transfers.ask_what_to_import()
    sheet = sheet_of(desk, ImportSheet)
    press(sheet, "Choose file…")
    (dialog,) = sheet.findChildren(QFileDialog)
    dialog.fileSelected.emit("/downloads/a.zip")
    dialog.close()
    assert sheet.source.text() == "/downloads/a.zip"
    press(sheet, "Choose…")
    dialog = sheet.findChildren(QFileDialog)[-1]
    dialog.fileSelected.emit("/papers/there")
    dialog.close()
    assert sheet.folder.text() == "/papers/there"


def test_what_was_left_out_is_listed_with_the_reason(desk: Desk) -> None:
    refused = tuple(Refused(f"{at}.tex", Refusal.OUTSIDE) for at in range(300))
    desk.window.transfers.show_imported(ImportReport(Path("/papers/new"), 2, 99, None, refused))
    sheet = sheet_of(desk, ReportSheet)
    assert "2 files (99 bytes)" in words(sheet)
    assert "0.tex" in words(sheet)
    assert "its name leads out of the folder" in words(sheet)
    assert "… and 100 more" in words(sheet)
    press(sheet, "Done")
    assert not sheet.isVisible()


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_project_goes_beside_its_folder_unless_a_place_is_chosen(desk: Desk, qtbot: QtBot) -> None:
    desk.window.actions_.named("Export…").trigger()
    sheet = sheet_of(desk, ExportSheet)
    assert sheet.file.text() == "/papers/a-paper.zip"
    assert not sheet.comments.isEnabled()
    with qtbot.waitSignal(desk.window.transfers.export_requested) as asked:
        press(sheet, "Export")
    assert asked.args == [ExportWish(Path("/papers/a-paper.zip"))]


def test_a_bundle_for_arxiv_may_keep_comments(desk: Desk, qtbot: QtBot) -> None:
    desk.window.actions_.named("Export…").trigger()
    sheet = sheet_of(desk, ExportSheet)
    qtbot.mouseClick(sheet.arxiv, Qt.MouseButton.LeftButton, pos=sheet.arxiv.rect().center())
    sheet.arxiv.setChecked(True)
    assert sheet.file.text() == "/papers/a-paper-arxiv.zip"
    sheet.comments.click()
    sheet.file.setText("/papers/out")
    with qtbot.waitSignal(desk.window.transfers.export_requested) as asked:
        press(sheet, "Export")
    assert asked.args == [ExportWish(Path("/papers/out.zip"), for_arxiv=True, keep_comments=True)]
    desk.window.transfers.show_failed(ArchiveError("x"))
    assert sheet.comments.isEnabled()


def test_an_archive_needs_a_name(desk: Desk) -> None:
    desk.window.actions_.named("Export…").trigger()
    sheet = sheet_of(desk, ExportSheet)
    sheet.file.clear()
    press(sheet, "Export")
    assert sheet.problem.isVisible()


def test_without_a_project_there_is_nothing_to_export(new_desk: NewDesk) -> None:
    desk = new_desk()
    assert not desk.window.actions_.named("Export…").isEnabled()


def test_a_report_says_first_what_needs_the_author(desk: Desk) -> None:
    bundle = Bundle(
        "main.tex",
        (BundleFile("main.tex", "main.tex", "x"), BundleFile("a_b.pdf", "a b.pdf")),
        flattened=("a.tex",),
        left_out=("notes.md",),
        missing=(Missing("gone", "a.tex", 3),),
        remarks=(Remark(Advice.BBL_MISSING, "main.bbl"),),
    )
    desk.window.transfers.show_exported(ExportReport(Path("/papers/out.zip"), 2, 1234, bundle.left_out, bundle))
    sheet = sheet_of(desk, ReportSheet)
    assert [one.title for one in sheet.sections] == [
        *("Missing", "To look at", "In the bundle", "Put into another file", "Not in it"),
    ]
    assert "main.bbl is not there" in words(sheet)
    assert "needed in a.tex, line 3" in words(sheet)
    assert "was a b.pdf" in words(sheet)


def test_a_plain_export_lists_what_is_not_in_it(desk: Desk) -> None:
    desk.window.transfers.show_exported(ExportReport(Path("/papers/out.zip"), 2, 1234, ("main.log",)))
    assert [one.title for one in sheet_of(desk, ReportSheet).sections] == ["Not in it"]
