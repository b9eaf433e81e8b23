"""The people beside the editor, and what is said where there is nobody else."""

import pytest
from PySide6.QtWidgets import QLabel

from tests.helpers.fake_project import FakeProject, participant
from texswarm_desktop.ui.panels.people_panel import PeoplePanel
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.viewmodels.participants_view import ParticipantsView
from texswarm_desktop.viewmodels.people import Person

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def test_who_is_alone_reads_what_can_be_done_about_it(theme: Theme) -> None:
    project = FakeProject()
    view = ParticipantsView(project, Person("me", "Me", "#123456"))
    panel = PeoplePanel(theme, view)
    panel.show()

    def said() -> str:
        return next(
            (one.text() for one in panel.findChildren(QLabel, "Hint") if one.wordWrap() and one.isVisible()), ""
        )

    assert "Host the project or connect to a server" in said()
    project.let_come(participant("Me", role="editor"))
    assert said() == "Nobody else is here now."
    project.let_come(participant("Me", role="owner"))
    assert "Invite people" in said()
    project.let_come(participant("Me", role="owner"), participant("Al"))
    assert said() == ""
    view.close()
    panel.close()
    panel.deleteLater()
