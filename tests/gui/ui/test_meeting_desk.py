"""What the sheets of one window show of people stays true while projects come and go below them."""

import pytest
from PySide6.QtWidgets import QApplication

from tests.gui.ui.conftest import NewDesk
from tests.helpers.desk import Desk
from tests.helpers.fake_project import participant
from texswarm_desktop.client.status import Hosting
from texswarm_desktop.ui.dialogs.host_sheet import HostSheet

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

HOSTING = Hosting(address="10.0.0.5:8091", link="texswarm://10.0.0.5:8091/?token=t")


@pytest.fixture
def desk(new_desk: NewDesk) -> Desk:
    return new_desk({"main.tex": "text"})


def sheet_of(desk: Desk) -> HostSheet:
    desk.window.meeting.show_host_sheet(HOSTING)
    sheet = desk.window.findChild(HostSheet)
    assert sheet is not None
    return sheet


def title(sheet: HostSheet) -> str:
    QApplication.processEvents()
    return sheet._people_title.text()


def test_who_comes_and_goes_is_in_the_sheet_at_once(desk: Desk) -> None:
    sheet = sheet_of(desk)
    desk.project.let_come(participant("Bob"))
    assert title(sheet) == "1 person has joined"
    desk.project.let_come()
    assert title(sheet) == "Nobody has joined yet"


def test_a_sheet_outlives_the_project_that_is_loaded_again_below_it(desk: Desk) -> None:
    sheet, before = sheet_of(desk), desk._views
    desk.open({"main.tex": "the same, loaded again"})
    for view in reversed(before or ()):
        view.close()
    desk.project.let_come(participant("Bob"), participant("Cy"))
    assert title(sheet) == "2 people have joined"
    sheet.accept()
    desk.project.let_come(participant("Bob"))


def test_the_sheet_is_there_once(desk: Desk) -> None:
    sheet_of(desk)
    desk.window.meeting.show_host_sheet(HOSTING)
    assert len(desk.window.findChildren(HostSheet)) == 1


def test_it_goes_with_the_sharing(desk: Desk) -> None:
    desk.status.set_hosting(HOSTING)
    sheet_of(desk)
    desk.status.set_hosting(None)
    QApplication.processEvents()
    assert desk.window.findChild(HostSheet) is None
