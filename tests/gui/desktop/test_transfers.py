"""A whole desktop brings a project in and gives it out, by its buttons."""

import shutil
import zipfile
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtWidgets import QDialog

from tests.helpers.coming_in import dialog_at
from tests.helpers.live_desktops import Desks, LiveDesktop, runs_at_desks
from tests.helpers.live_folder import git
from tests.helpers.presses import choose_from_menu, press_named, write_in
from tests.helpers.run_async import until
from texswarm_desktop.ui.dialogs.export_sheet import ExportSheet
from texswarm_desktop.ui.dialogs.import_sheet import ImportSheet
from texswarm_desktop.ui.dialogs.report_sheet import ReportSheet

#: The platform without a screen says this about every dialog.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

Kind = TypeVar("Kind", bound=QDialog)
WHOLE = "\\documentclass{article}\n\\begin{document}\n\\input{a}\n\\end{document}\n"


def archive(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return path


def sheet_at(ada: LiveDesktop, kind: type[Kind]) -> Kind:
    (sheet,) = (one for one in ada.window.findChildren(kind) if one.isVisible())
    return sheet


@runs_at_desks
async def test_an_archive_becomes_the_project_on_the_desk(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    source = archive(desks.root / "Paper.zip", {"p/ms.tex": WHOLE, "p/a.tex": "A", "p/z.tex": "Z", "../x.tex": "x"})
    ada.window.actions_.named("Import…").trigger()
    sheet = sheet_at(ada, ImportSheet)
    sheet.source.setText(str(source))
    await press_named(sheet, "Import")
    await ada.until_text(r"\documentclass")
    assert ada.opened.project.folder == desks.root / "profiles" / "ada" / "projects" / "Paper"
    assert ada.opened.view.main_path == "ms.tex"
    assert not any(one.isVisible() for one in ada.window.findChildren(ImportSheet))
    report = sheet_at(ada, ReportSheet)
    assert [name for section in report.sections for name, _ in section.rows] == ["../x.tex"]
    await press_named(report, "Done")


@runs_at_desks
async def test_what_is_no_archive_is_said_and_the_project_stays(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    ada.window.actions_.named("Import…").trigger()
    sheet = sheet_at(ada, ImportSheet)
    sheet.source.setText(str(desks.root / "nowhere.zip"))
    await press_named(sheet, "Import")
    await until(sheet.problem.isVisible)
    assert "Cannot be read" in sheet.problem.text()
    assert ada.text == "one"
    await press_named(sheet, "Cancel")


@runs_at_desks
async def test_what_was_typed_a_moment_ago_goes_out(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    ada.type("typed ")
    out = desks.root / "out.zip"
    ada.window.actions_.named("Export…").trigger()
    sheet = sheet_at(ada, ExportSheet)
    sheet.file.setText(str(out))
    await press_named(sheet, "Export")
    await until(lambda: any(one.isVisible() for one in ada.window.findChildren(ReportSheet)))
    with zipfile.ZipFile(out) as made:
        assert made.read("main.tex") == b"typed one"
    await press_named(sheet_at(ada, ReportSheet), "Done")


@runs_at_desks
async def test_a_project_goes_to_arxiv(desks: Desks) -> None:
    folder = desks.folder("paper", WHOLE)
    (folder / "a.tex").write_text("A % secret\nB\n")
    ada = await desks.start("ada", folder)
    ada.window.actions_.named("Export…").trigger()
    sheet = sheet_at(ada, ExportSheet)
    sheet.arxiv.setChecked(True)
    await press_named(sheet, "Export")
    await until(lambda: any(one.isVisible() for one in ada.window.findChildren(ReportSheet)))
    with zipfile.ZipFile(folder.parent / "paper-arxiv.zip") as made:
        assert made.read("main.tex").decode() == WHOLE.replace("\\input{a}", "A %\nB")
    await press_named(sheet_at(ada, ReportSheet), "Done")


@runs_at_desks
async def test_a_window_that_is_closed_meanwhile_leaves_nothing_half_done(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    source = archive(desks.root / "Paper.zip", {f"{at}.tex": "x" * 1000 for at in range(500)})
    target = desks.root / "in" / "paper"
    await choose_from_menu(ada.window, "Import…")
    sheet = await dialog_at(ada, ImportSheet)
    await write_in(sheet.source, str(source))
    await write_in(sheet.folder, str(target))
    await press_named(sheet, "Import")
    await until(target.parent.exists)
    await desks.end(ada)
    assert [path.name for path in target.parent.iterdir()] in ([], ["paper"])
    assert not target.exists() or len(list(target.iterdir())) >= 500


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@runs_at_desks
async def test_a_clone_that_is_there_opens_as_it_is(desks: Desks) -> None:
    folder = desks.folder("clone", "one")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "begin")
    inside = {path: path.read_bytes() for path in (folder / ".git").rglob("*") if path.is_file()}
    ada = await desks.start("ada", folder)
    await ada.opened.project.flush()
    assert {path: path.read_bytes() for path in (folder / ".git").rglob("*") if path.is_file()} == inside
    assert git(folder, "status", "--porcelain") == ""
    await desks.end(ada)
