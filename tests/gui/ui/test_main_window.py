"""The window shows what is, tells what the user wants, and asks nothing."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.helpers.desk import Desk
from tests.helpers.fake_project import participant
from texswarm_desktop.client.states import Connecting, Live, NeedsUser, Waiting
from texswarm_desktop.client.status import Hosting, StatusAction
from texswarm_desktop.core.templates import Template
from texswarm_desktop.ui.dialogs.choose_dialog import ChooseDialog
from texswarm_desktop.ui.dialogs.connect_dialog import ConnectDialog
from texswarm_desktop.ui.dialogs.host_sheet import HostSheet, people_words
from texswarm_desktop.ui.dialogs.join_dialog import JoinDialog
from texswarm_desktop.ui.dialogs.new_dialog import NewDialog
from texswarm_desktop.ui.dialogs.title_dialog import MAX_TITLE_CHARS, TitleDialog
from texswarm_desktop.ui.main_window import MainWindow
from texswarm_desktop.ui.panels.file_reports_list import FileReports
from texswarm_desktop.ui.parts import ElidedLabel
from texswarm_desktop.viewmodels.lobby_view import Visitor
from texswarm_desktop.viewmodels.people import Person
from texswarm_desktop.viewmodels.start_view import RecentProject
from texswarm_server.protocol.errors import (
    ErrorCode,
    KindNotSharedError,
    KindNotTakenError,
    LinkRefusedError,
    NameNotHereError,
    NotWritableError,
    ObeyedFileError,
    RejectedError,
)
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress
from texswarm_server.protocol.messages import DocumentInfo

#: The platform without a screen says this about every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

NewDesk = Callable[..., Desk]
FILES = {"main.tex": "Main", "sections/a.tex": "A", "b/a.tex": "B"}


@pytest.fixture
def desk(new_desk: NewDesk) -> Desk:
    return new_desk(FILES)


def dialog_of(desk: Desk, kind: type[QDialog]) -> QDialog:
    (dialog,) = (one for one in desk.window.findChildren(kind) if one.isVisible())
    return dialog


def button_named(desk: Desk, text: str) -> QPushButton:
    *_, button = (one for one in desk.window.notices.findChildren(QPushButton) if one.text() == text)
    return button


def status_buttons(desk: Desk) -> list[QPushButton]:
    return [button for button in desk.window.status_bar.findChildren(QPushButton) if button.isVisible()]


@pytest.mark.parametrize("pressed", ["Let in", "Look", "Host…", "Share"])
def test_the_keyboard_stays_in_the_text_whatever_is_pressed_beside_it(desk: Desk, qtbot: QtBot, pressed: str) -> None:
    desk.window.meeting.lobby_bar.show_visitors([Visitor(Person("bob", "Bob", "#336699"), "editor")])
    desk.window.notices.show_notice("look", "Look", "There is something to look at.", ("Look", lambda: None))
    desk.window.activateWindow()
    desk.editor.setFocus()
    qtbot.waitUntil(desk.editor.hasFocus)
    button = next(one for one in desk.window.findChildren(QPushButton) if one.text() == pressed)
    qtbot.waitUntil(button.isVisible)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert desk.editor.hasFocus()


# ── the first page ──────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_project_there_is_the_first_page(new_desk: NewDesk, qtbot: QtBot) -> None:
    desk = new_desk()
    qtbot.waitUntil(lambda: desk.window._start_page is not None)
    assert desk.window.start_page.isVisible()
    assert desk.window.windowTitle() == "TeXSwarm"
    assert desk.window.status_bar.isHidden()


def test_a_project_that_comes_at_once_is_shown_without_the_first_page(new_desk: NewDesk) -> None:
    desk = new_desk(FILES)
    assert desk.window._start_page is None
    assert not desk.window._start_timer.is_running


def test_a_recent_project_is_opened_and_one_that_is_gone_cannot_be(new_desk: NewDesk, qtbot: QtBot) -> None:
    there, gone = RecentProject(Path("/p/a"), "A", 0.0), RecentProject(Path("/p/b"), "B", 0.0, is_missing=True)
    desk = new_desk(recent=[there, gone])
    desk.window.show_start()
    buttons = {button.accessibleName(): button for button in desk.window.start_page.findChildren(QPushButton)}
    assert not buttons["B"].isEnabled()
    with qtbot.waitSignal(desk.window.open_folder_requested) as asked:
        buttons["A"].click()
    assert asked.args == [Path("/p/a")]


def test_while_something_is_done_nothing_else_is_begun(new_desk: NewDesk) -> None:
    desk = new_desk()
    desk.window.show_start()
    buttons = {button.accessibleName(): button for button in desk.window.start_page.findChildren(QPushButton)}
    desk.start.set_busy("Opening…")
    assert not buttons["Join"].isEnabled()
    desk.start.set_busy("")
    assert buttons["Join"].isEnabled()


def test_reaching_a_server_shows_on_the_first_page(new_desk: NewDesk) -> None:
    desk = new_desk()
    desk.window.show_start()
    desk.status.attach(desk.connection)
    desk.connection.turn(Connecting(1))
    assert desk.window.status_bar.isVisible()
    with_cancel = [button.text() for button in status_buttons(desk)]
    assert with_cancel == ["Cancel"]


# ── a project ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_project_is_shown_with_its_main_file(desk: Desk) -> None:
    assert desk.window.windowTitle() == "main.tex — a-paper — TeXSwarm"
    assert desk.page.area.tab_texts == ["main.tex"]
    assert desk.editor.toPlainText() == "Main"


def test_files_of_one_name_are_told_apart(desk: Desk) -> None:
    desk.view.open_file(desk.project.file_id("sections/a.tex"))
    assert desk.page.area.tab_texts == ["main.tex", "a.tex"]
    desk.view.open_file(desk.project.file_id("b/a.tex"))
    assert desk.page.area.tab_texts == ["main.tex", "sections/a.tex", "b/a.tex"]


def test_tabs_follow_the_project(desk: Desk) -> None:
    file_id = desk.project.file_id("sections/a.tex")
    desk.view.open_file(file_id)
    desk.project.document.remove_file(file_id)
    assert desk.page.area.tab_texts == ["main.tex", "a.tex (removed)"]
    desk.page.area.close_current()
    assert desk.page.area.tab_texts == ["main.tex"]
    desk.page.area.close_current()
    assert desk.page.area.editor is None
    assert desk.window.windowTitle() == "a-paper — TeXSwarm"


def test_turning_goes_round(desk: Desk) -> None:
    desk.view.open_file(desk.project.file_id("sections/a.tex"))
    desk.page.area.turn(1)
    assert desk.view.path_of(desk.view.current or "") == "main.tex"
    desk.page.area.turn(-1)
    assert desk.view.path_of(desk.view.current or "") == "sections/a.tex"


def test_a_new_file_is_named_in_place(desk: Desk, qtbot: QtBot) -> None:
    files = desk.page.files
    files.begin_new_file()
    qtbot.keyClicks(files._name, "sections/new.tex")
    qtbot.keyClick(files._name, Qt.Key.Key_Return)
    assert desk.view.path_of(desk.view.current or "") == "sections/new.tex"
    assert files._name_row.isHidden()


def test_a_name_that_is_taken_is_said_and_can_be_mended(desk: Desk, qtbot: QtBot) -> None:
    files = desk.page.files
    files.begin_rename(desk.project.file_id("main.tex"))
    assert files._name.selectedText() == "main"
    files._name.setText("b/a.tex")
    qtbot.keyClick(files._name, Qt.Key.Key_Return)
    assert files._problem.isVisible()
    files._name.setText("paper.tex")
    qtbot.keyClick(files._name, Qt.Key.Key_Return)
    assert desk.page.area.tab_texts == ["paper.tex"]


def test_escape_gives_up_naming(desk: Desk, qtbot: QtBot) -> None:
    desk.page.files.begin_new_file()
    qtbot.keyClick(desk.page.files._name, Qt.Key.Key_Escape)
    assert desk.page.files._name_row.isHidden()


def test_deleting_asks_in_a_bar_and_not_in_a_dialog(desk: Desk) -> None:
    file_id = desk.project.file_id("sections/a.tex")
    desk.page.ask_to_delete(file_id)
    assert desk.window.notices.keys == ["delete"]
    assert desk.window.findChildren(QDialog) == []
    (delete,) = (one for one in desk.window.notices.findChildren(QPushButton) if one.text() == "Delete")
    delete.click()
    assert desk.project.document.file_at("sections/a.tex") is None
    assert desk.window.notices.keys == []


def test_who_may_only_read_is_told_when_they_type_and_no_longer_once_promoted(desk: Desk, qtbot: QtBot) -> None:
    desk.project.let_read()
    assert "reading" not in desk.window.notices.keys
    qtbot.keyClicks(desk.editor, "no")
    assert "You may read this project" in desk.window.notices.text_of("reading")
    with qtbot.waitSignal(desk.window.work_locally_requested):
        button_named(desk, "Work locally").click()
    qtbot.keyClicks(desk.editor, "no")
    desk.project.let_read(None)
    assert "reading" not in desk.window.notices.keys


def test_who_types_into_what_the_server_only_shows_is_told_why(desk: Desk, qtbot: QtBot) -> None:
    desk.project.let_read("document_damaged")
    qtbot.keyClicks(desk.editor, "no")
    assert "damaged" in desk.window.notices.text_of("reading")


def test_who_may_only_read_changes_no_files(desk: Desk) -> None:
    desk.project.let_read()
    files = desk.page.files
    menu = files.context_menu(desk.view.tree.index_of(desk.project.file_id("sections/a.tex")))
    assert not any(action.isEnabled() for action in menu.actions())
    menu.deleteLater()
    files.begin_new_file()
    assert files._name_row.isHidden()
    assert not files._add.isEnabled()
    desk.project.let_read(None)
    assert files._add.isEnabled()


def test_the_menu_of_a_file_offers_what_can_be_done(desk: Desk) -> None:
    menu = desk.page.files.context_menu(desk.view.tree.index_of(desk.project.file_id("main.tex")))
    offers = {action.text(): action.isEnabled() for action in menu.actions() if action.text()}
    assert offers == {"New file…": True, "Rename…": True, "Use as main file": False, "Delete": True}
    menu.deleteLater()


def test_people_are_listed_with_their_state(desk: Desk) -> None:
    desk.project.let_come(participant("Al"), participant("Bo", "reconnecting"), participant("Cy", "away"))
    rows = [row.accessibleName() for row in desk.page.people.findChildren(QWidget) if hasattr(row, "chosen")]
    assert [name for name in rows if name][-4:] == ["Me, you", "Al, here", "Bo, reconnecting…", "Cy, away"]


def test_going_to_a_person_opens_their_file_at_their_caret(desk: Desk) -> None:
    desk.project.let_be_at(7, "sections/a.tex", 1, name="Al")
    desk.page.go_to_person("al")
    assert desk.view.path_of(desk.view.current or "") == "sections/a.tex"
    assert desk.editor.textCursor().position() == 1


def test_somebody_without_a_place_is_only_mentioned(desk: Desk) -> None:
    desk.page.go_to_person("nobody")
    assert desk.window.notices.keys == ["person"]


# ── the status ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_status_shows_both_facts_and_one_action(desk: Desk) -> None:
    desk.status.attach(desk.connection)
    desk.status.set_unacknowledged(3, 0.0)
    desk.connection.turn(Waiting(1, 1, 0.0, 0.0, desk.status._clock() + 10, 0.0, "cut"))
    assert desk.window.status_bar.whole == "Reconnecting in 10 s · 3 edits waiting"
    (retry,) = status_buttons(desk)
    retry.click()
    assert desk.connection.retries == ["user"]


def test_working_locally_offers_to_host_and_to_connect(desk: Desk, qtbot: QtBot) -> None:
    host, connect = status_buttons(desk)
    with qtbot.waitSignal(desk.window.host_requested):
        host.click()
    connect.click()
    assert dialog_of(desk, ConnectDialog)


def test_what_needs_the_user_is_in_the_line_and_opens_no_dialog(desk: Desk) -> None:
    desk.status.attach(desk.connection)
    desk.connection.turn(NeedsUser(1, "invite_expired"))
    assert desk.window.status_bar.whole == "This invitation has expired, so ask for a new one."
    assert desk.window.findChildren(QDialog) == []


@pytest.mark.parametrize(
    ("action", "signal"),
    [
        (StatusAction.CANCEL, "cancel_requested"),
        (StatusAction.STOP_HOSTING, "stop_hosting_requested"),
        (StatusAction.WORK_LOCALLY, "work_locally_requested"),
        (StatusAction.CHOOSE_COPY, "choose_copy_requested"),
    ],
)
def test_an_action_is_told(desk: Desk, qtbot: QtBot, action: StatusAction, signal: str) -> None:
    with qtbot.waitSignal(getattr(desk.window, signal)):
        desk.window.act(action)


def test_a_problem_is_a_notice_until_it_is_gone(desk: Desk) -> None:
    desk.window.show_error(NotWritableError())
    assert desk.window.notices.text_of("problem").startswith("Cannot write to the folder")
    desk.window.show_error(None)
    assert desk.window.notices.keys == []


def test_a_problem_with_a_way_out_offers_it(desk: Desk) -> None:
    desk.window.show_error(LinkRefusedError())
    assert [one.text() for one in desk.window.notices.findChildren(QPushButton) if one.text()] == [
        "Retry now",
        "Check the connection…",
    ]


@pytest.mark.parametrize("files", [None, FILES])
def test_a_check_is_offered_of_the_road_that_failed_also_over_a_project(
    new_desk: NewDesk, files: dict[str, str] | None
) -> None:
    desk, asked, road = new_desk(files), [], InviteLink(ServerAddress("192.0.2.1"))
    desk.window.check_requested.connect(asked.append)
    for of_road in (road, None):
        desk.window.show_error(LinkRefusedError(), of_road)
        button_named(desk, "Check the connection…").click()
    assert asked == [road, None]


def test_what_was_decided_by_people_offers_no_check(desk: Desk) -> None:
    desk.window.show_error(RejectedError(ErrorCode.LAST_OWNER))
    assert [one.text() for one in desk.window.notices.findChildren(QPushButton) if one.text()] == []


def test_no_more_than_three_notices_are_shown(desk: Desk) -> None:
    for key in "abcd":
        desk.window.notices.show_notice(key, "Title", "Sentence.")
    assert desk.window.notices.keys == ["b", "c", "d"]


# ── sharing and dialogs ─────────────────────────────────────────────────────────────────────────────────────


def test_the_sheet_follows_when_hosting_has_begun_and_goes_when_it_ends(desk: Desk) -> None:
    desk.project.let_come(participant("Al"))
    desk.status.attach(desk.connection)
    desk.connection.turn(Live(1, 0.0))
    desk.window.host()
    desk.status.set_hosting(Hosting("10.0.0.7:8091", "texswarm://10.0.0.7:8091/?token=x", 1))
    sheet = dialog_of(desk, HostSheet)
    assert isinstance(sheet, HostSheet)
    sheet.copy_link()
    assert QGuiApplication.clipboard().text() == "texswarm://10.0.0.7:8091/?token=x"
    assert sheet._people_title.text() == "1 person has joined"
    desk.project.let_come(participant("Al"), participant("Bo"))
    assert sheet._people_title.text() == people_words(2)
    desk.status.set_hosting(None)
    assert not sheet.isVisible()


def test_sharing_what_is_on_a_server_asks_for_an_invitation(desk: Desk, qtbot: QtBot) -> None:
    desk.status.attach(desk.connection)
    desk.connection.turn(Live(1, 0.0))
    with qtbot.waitSignal(desk.window.invite_requested):
        desk.window.share()


def test_stopping_from_the_sheet(desk: Desk, qtbot: QtBot) -> None:
    desk.window.meeting.show_host_sheet(Hosting("a:1", "texswarm://a:1/"))
    (stop,) = (one for one in dialog_of(desk, HostSheet).findChildren(QPushButton) if one.text() == "Stop sharing")
    with qtbot.waitSignal(desk.window.stop_hosting_requested):
        stop.click()


def test_joining_needs_a_link_and_a_name(desk: Desk) -> None:
    desk.window.meeting.show_join_dialog()
    dialog = dialog_of(desk, JoinDialog)
    assert isinstance(dialog, JoinDialog)
    told: list[tuple[str, str]] = []
    desk.window.meeting.join_requested.connect(lambda *words: told.append(words))
    dialog.link.setText("not a link")
    dialog.try_accept()
    assert dialog.problem.isVisible()
    dialog.link.setText("texswarm://10.0.0.7:8091/?token=x")
    dialog.name.setText(" ")
    dialog.try_accept()
    dialog.name.setText("Ada")
    dialog.try_accept()
    assert told == [("texswarm://10.0.0.7:8091/?token=x", "Ada")]


def test_connecting_needs_an_address(desk: Desk) -> None:
    desk.window.show_connect_dialog("orchid:8091")
    dialog = dialog_of(desk, ConnectDialog)
    assert isinstance(dialog, ConnectDialog)
    told: list[tuple[str, str, str]] = []
    desk.window.connect_requested.connect(lambda *words: told.append(words))
    dialog.invitation.setText("secret")
    dialog.try_accept()
    assert told == [("orchid:8091", "secret", "Me")]


def test_a_project_can_be_called_something_else(desk: Desk) -> None:
    desk.window.show_title_dialog()
    dialog = dialog_of(desk, TitleDialog)
    assert isinstance(dialog, TitleDialog)
    assert dialog.title.text() == desk.view.title
    dialog.title.setText("  ")
    dialog.try_accept()
    assert dialog.problem.text() == "A project needs a title."
    dialog.title.setText(f"On\tswarms {'x' * 300}")
    dialog.try_accept()
    assert desk.view.title.startswith("On swarms xxx")
    assert len(desk.view.title) == MAX_TITLE_CHARS
    assert desk.window.windowTitle().endswith(f"{desk.view.title} — TeXSwarm")


def test_who_only_reads_does_not_change_the_title(desk: Desk) -> None:
    desk.project.let_read()
    desk.window.show_title_dialog()
    assert desk.window.findChild(TitleDialog) is None
    assert desk.window.notices.keys[-1:] == ["title"]


def test_a_new_project_needs_a_title(desk: Desk) -> None:
    desk.window.show_new_dialog()
    dialog = dialog_of(desk, NewDialog)
    assert isinstance(dialog, NewDialog)
    told: list[tuple[str, Template]] = []
    desk.window.new_requested.connect(lambda *words: told.append(words))
    dialog.try_accept()
    dialog.title.setText("  On  words ")
    dialog.try_accept()
    assert told == [("On words", Template.ARTICLE)]


def test_a_template_is_chosen_with_the_keys_alone(desk: Desk, qtbot: QtBot) -> None:
    desk.window.show_new_dialog()
    dialog = dialog_of(desk, NewDialog)
    assert isinstance(dialog, NewDialog)
    told: list[tuple[str, Template]] = []
    desk.window.new_requested.connect(lambda *words: told.append(words))
    qtbot.keyClicks(dialog.title, "On words")
    qtbot.keyClick(dialog.title, Qt.Key.Key_Tab)
    assert dialog.focusWidget() is dialog.templates.card(Template.ARTICLE)
    qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Right)
    qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Down)
    qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Return)
    assert told == [("On words", Template.LETTER)]


def test_on_a_small_screen_the_templates_are_scrolled_and_not_squeezed(
    desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = SimpleNamespace(availableGeometry=lambda: QRect(0, 0, 800, 500))
    monkeypatch.setattr(NewDialog, "screen", lambda _dialog: small)
    desk.window.show_new_dialog()
    dialog = dialog_of(desk, NewDialog)
    assert isinstance(dialog, NewDialog)
    qtbot.waitExposed(dialog)
    dialog.resize(dialog.width(), 500)
    card = dialog.templates.card(Template.LETTER)
    assert card.height() >= card.layout().totalHeightForWidth(card.width())
    assert not is_whole(card)
    dialog.templates.choose(Template.REPORT)
    dialog.templates.card(Template.REPORT).setFocus()
    qtbot.keyClick(dialog.templates.card(Template.REPORT), Qt.Key.Key_Down)
    assert is_whole(card)


def is_whole(card: QWidget) -> bool:
    """Say whether all of it can be seen."""
    return card.visibleRegion().boundingRect() == card.rect()


def test_a_double_click_on_a_template_creates_at_once(desk: Desk, qtbot: QtBot) -> None:
    desk.window.show_new_dialog()
    dialog = dialog_of(desk, NewDialog)
    assert isinstance(dialog, NewDialog)
    dialog.title.setText("Talk")
    with qtbot.waitSignal(desk.window.new_requested) as asked:
        qtbot.mouseDClick(dialog.templates.card(Template.BEAMER), Qt.MouseButton.LeftButton)
    assert asked.args == ["Talk", Template.BEAMER]


def test_one_of_a_servers_projects_is_chosen(desk: Desk) -> None:
    documents = [
        DocumentInfo(id=i, title=i, owner="o", updated_at=at, active_collaborators=0, role="editor", lineage="l")
        for i, at in (("old", 1.0), ("new", 2.0))
    ]
    desk.window.show_choice("orchid", documents, share_title="Mine")
    dialog = dialog_of(desk, ChooseDialog)
    assert isinstance(dialog, ChooseDialog)
    told: list[str] = []
    desk.window.document_chosen.connect(told.append)
    dialog.try_accept()
    assert told == ["new"]


# ── keys, themes, the end ───────────────────────────────────────────────────────────────────────────────────


def test_actions_that_need_a_project_are_off_without_one(new_desk: NewDesk) -> None:
    desk = new_desk()
    assert not desk.window.actions_.named("Find…").isEnabled()
    desk.open(FILES)
    assert desk.window.actions_.named("Find…").isEnabled()


def test_find_is_opened_by_its_action(desk: Desk) -> None:
    desk.window.actions_.named("Find…").trigger()
    assert desk.page.area.find_bar.isVisible()


def test_no_two_actions_have_one_shortcut(desk: Desk) -> None:
    keys = [key.toString() for action in desk.window.actions() for key in action.shortcuts()]
    assert len(keys) == len(set(keys))


def test_the_side_bar_can_be_hidden(desk: Desk) -> None:
    desk.window.actions_.named("Side bar").trigger()
    assert desk.page.side_bar.isHidden()


def test_closing_asks_nothing_and_is_told(desk: Desk, qtbot: QtBot) -> None:
    desk.window.meeting.show_join_dialog()
    with qtbot.waitSignal(desk.window.closed):
        desk.window.close()
    assert not desk.window.isVisible()


def test_another_project_takes_the_place_of_the_first(new_desk: NewDesk) -> None:
    desk = new_desk(FILES)
    first = desk._views
    assert first is not None
    desk.window.show_start()
    for view in reversed(first):
        view.close()
    desk.open({"main.tex": "second"})
    assert desk.editor.toPlainText() == "second"


def test_a_version_that_is_too_old_is_told_how_to_become_newer(desk: Desk) -> None:
    desk.window.act(StatusAction.UPDATE)
    assert "pip install --upgrade" in desk.window.notices.text_of("update")


def test_what_is_to_be_told_of_single_files_is_told_below_them(desk: Desk, qtbot: QtBot) -> None:
    reports = desk.page.files.findChild(FileReports).problems
    assert reports.isHidden()
    desk.project.let_report(
        **{"a very long name " * 9 + "?.tex": NameNotHereError("x"), "refs.bib": KindNotTakenError("y")}
    )
    head = reports.findChild(QPushButton)
    assert (reports.isHidden(), head.text()) == (False, "⚠  2 files need a look")
    assert not any(shown.isVisible() for shown in reports.findChildren(ElidedLabel))
    qtbot.mouseClick(head, Qt.MouseButton.LeftButton)
    assert {shown.whole for shown in reports.findChildren(ElidedLabel) if shown.isVisible()} >= {"refs.bib"}
    desk.project.let_report()
    assert reports.isHidden()


def test_what_is_not_shared_is_told_apart_and_without_alarm(desk: Desk) -> None:
    reports = desk.page.files.findChild(FileReports)
    desk.project.let_report(Makefile=ObeyedFileError("x"), **{"run.py": KindNotSharedError("y")})
    assert (reports.problems.isHidden(), reports.notes.isHidden()) == (True, False)
    assert reports.notes.findChild(QPushButton).text() == "2 files are not shared"
    desk.project.let_report()
    assert reports.notes.isHidden()


@pytest.mark.parametrize(
    ("screen_px", "window_px"), [((1920, 1040), (1180, 760)), ((1366, 741), (1180, 701)), ((1024, 600), (1024, 560))]
)
def test_a_window_leaves_room_for_its_title_bar(
    new_desk: NewDesk, monkeypatch: pytest.MonkeyPatch, screen_px: tuple[int, int], window_px: tuple[int, int]
) -> None:
    """What would stand below the end of a small screen is the status line."""
    monkeypatch.setattr(MainWindow, "screen", lambda _window: SimpleNamespace(availableSize=lambda: QSize(*screen_px)))
    assert new_desk(FILES).window.size() == QSize(*window_px)
