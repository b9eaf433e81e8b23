"""What the menu of a window offers, in groups, and the keys for it. The window and its page do what is chosen."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence

from texswarm_desktop.ui.window_actions import Deed

if TYPE_CHECKING:
    from texswarm_desktop.ui.main_window import MainWindow
    from texswarm_desktop.ui.project_page import ProjectPage

_Keys = QKeySequence.StandardKey


def menu_of(window: "MainWindow") -> Sequence[Sequence[Deed]]:
    """Return what can be done in a window."""
    return (
        _project_deeds(window),
        _people_deeds(window),
        _text_deeds(window),
        _file_deeds(window),
        _look_deeds(window),
        (Deed("Quit", window.close, ["Ctrl+Q"]),),
    )


def _project_deeds(window: "MainWindow") -> Sequence[Deed]:
    return (
        Deed("New project…", window.show_new_dialog, [_Keys.New]),
        Deed("Open folder…", window.choose_folder, [_Keys.Open]),
        Deed("Import…", window.transfers.ask_what_to_import),
        Deed("Export…", window.export, ["Ctrl+Shift+E"], needs_project=True),
        Deed("Project title…", window.show_title_dialog, needs_project=True),
        Deed("What is shared…", window.sharing_requested.emit, needs_project=True),
        Deed("Back to the start page", window.leave_requested.emit, needs_project=True),
    )


def _people_deeds(window: "MainWindow") -> Sequence[Deed]:
    return (
        Deed("Share…", window.share, needs_project=True),
        Deed("People and invitations…", window.meeting.members_requested.emit, needs_project=True),
        Deed("Join…", window.meeting.show_join_dialog),
        Deed("Connect to a server…", window.show_connect_dialog),
        Deed("Connection details…", window.show_link_details, ["Ctrl+Alt+L"], needs_project=True),
        Deed("Check the connection…", window.check),
        Deed("Sign out of the server…", window.show_sign_out_dialog, needs_project=True),
        Deed("Your name…", window.meeting.show_name_dialog),
    )


def _text_deeds(window: "MainWindow") -> Sequence[Deed]:
    return (
        _page_deed(window, "New file…", lambda page: page.files.begin_new_file(), "Ctrl+Alt+N"),
        _page_deed(window, "Find…", lambda page: page.area.find_bar.open_bar(), _Keys.Find),
        _page_deed(
            window, "Replace…", lambda page: page.area.find_bar.open_bar(with_replace=True), "Ctrl+H", "Ctrl+Alt+F"
        ),
        _page_deed(window, "Find next", lambda page: page.area.find_bar.find_next(), "F3", "Ctrl+G"),
        _page_deed(
            window, "Find previous", lambda page: page.area.find_bar.find_previous(), "Shift+F3", "Ctrl+Shift+G"
        ),
    )


def _file_deeds(window: "MainWindow") -> Sequence[Deed]:
    return (
        _page_deed(window, "Next file", lambda page: page.area.turn(1), "Ctrl+PgDown", "Ctrl+Tab"),
        _page_deed(window, "Previous file", lambda page: page.area.turn(-1), "Ctrl+PgUp", "Ctrl+Shift+Tab"),
        _page_deed(window, "Close file", lambda page: page.area.close_current(), "Ctrl+W"),
    )


def _look_deeds(window: "MainWindow") -> Sequence[Deed]:
    return (
        _page_deed(window, "Larger text", lambda page: page.area.set_zoom(page.area.zoom + 1), _Keys.ZoomIn, "Ctrl+="),
        _page_deed(window, "Smaller text", lambda page: page.area.set_zoom(page.area.zoom - 1), _Keys.ZoomOut),
        _page_deed(window, "Usual size", lambda page: page.area.set_zoom(0), "Ctrl+0"),
        _page_deed(window, "Side bar", lambda page: page.toggle_side_bar(), "Ctrl+\\"),
    )


def _page_deed(
    window: "MainWindow", text: str, do: "Callable[[ProjectPage], object]", *keys: str | QKeySequence.StandardKey
) -> Deed:
    """Return an entry that does something to the page that is shown when it is chosen."""

    def run() -> None:
        if window.page is not None:
            do(window.page)

    return Deed(text, run, keys, needs_project=True)
