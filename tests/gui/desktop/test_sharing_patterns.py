"""What is shared can be looked at and chosen in the window, and what patterns match is seen as they are typed."""

import pytest

from tests.helpers.live_desktops import Desks, LiveDesktop, runs_at_desks
from tests.helpers.live_folder import fill
from tests.helpers.run_async import until
from texswarm_desktop.ui.dialogs.sharing_sheet import SharingSheet

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

FILES = {
    ".gitignore": "out/\n",
    "main.tex": "Hello",
    "out/plot.tex": "plot",
    "out/other.tex": "other",
    "drafts/a.tex": "a",
}


async def sheet_of(ada: LiveDesktop) -> SharingSheet:
    ada.window.actions_.named("What is shared…").trigger()
    await until(lambda: ada.window.findChild(SharingSheet) is not None)
    sheet = ada.window.findChild(SharingSheet)
    assert sheet is not None
    return sheet


def lines(sheet: SharingSheet) -> list[str]:
    """What the tree shows, files indented."""
    told = []
    for at in range(sheet.tree.topLevelItemCount()):
        top = sheet.tree.topLevelItem(at)
        told += [top.text(0), *(f"  {top.child(child).text(0)}" for child in range(top.childCount()))]
    return told


@runs_at_desks
async def test_patterns_show_what_they_match_and_hold_when_they_are_saved(desks: Desks) -> None:
    folder = desks.root / "paper"
    fill(folder, FILES)
    ada = await desks.start("ada", folder)
    sheet = await sheet_of(ada)
    others = "Left out by .gitignore, made by LaTeX, or of another kind"
    await until(
        lambda: lines(sheet) == [f"{others}   2 files", "  out/other.tex   left out", "  out/plot.tex   left out"]
    )
    sheet.share.setPlainText("out/plot.tex")
    sheet.leave_out.setPlainText("drafts/\n*.none")
    await until(lambda: "+ out/plot.tex   1 file" in lines(sheet))
    assert lines(sheet) == [
        "+ out/plot.tex   1 file", "  out/plot.tex   shared",
        "− drafts/   1 file", "  drafts/a.tex   in the project already, stays",
        "− *.none   no file",
        f"{others}   1 file", "  out/other.tex   left out",
    ]  # fmt: skip
    sheet.try_accept()
    paths = lambda: {entry.path for entry in ada.opened.project.document.files.values()}  # noqa: E731
    await until(lambda: paths() == {"main.tex", "drafts/a.tex", "out/plot.tex"})
    await until(lambda: ada.window.findChild(SharingSheet) is None)
    (folder / "drafts/b.tex").write_text("b")
    (folder / "last.tex").write_text("last")
    await until(lambda: "last.tex" in paths())
    assert "drafts/b.tex" not in paths()


@runs_at_desks
async def test_a_disk_that_takes_no_settings_is_told_in_the_sheet(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    sheet = await sheet_of(ada)
    settings = ada.opened.project.folder / ".texswarm" / "settings.json"
    settings.mkdir()
    sheet.leave_out.setPlainText("x")
    sheet.try_accept()
    await until(lambda: not sheet.problem.isHidden())
    assert sheet.leave_out.toPlainText() == "x"
    sheet.reject()
