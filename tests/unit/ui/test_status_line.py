"""What can be done about a status has a word."""

from texswarm_desktop.client.status import StatusAction
from texswarm_desktop.ui.status_line import ACTION_WORDS


def test_every_action_has_a_word() -> None:
    assert set(ACTION_WORDS) == set(StatusAction)
