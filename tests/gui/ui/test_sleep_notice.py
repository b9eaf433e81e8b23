"""A host whose computer cannot be kept awake reads so in the window, once, whatever else comes and goes."""

import pytest
from msgspec.structs import replace

from tests.gui.ui.conftest import NewDesk
from tests.helpers.desk import Desk
from texswarm_desktop.client.status import Hosting
from texswarm_desktop.ui.sleep_notice import KEY

ALONE = Hosting("10.0.0.5:8091")
ASLEEP = replace(ALONE, people=1, is_awake=False)


@pytest.fixture
def desk(new_desk: NewDesk) -> Desk:
    return new_desk({"main.tex": "text"})


def is_said(desk: Desk) -> bool:
    return KEY in desk.window.notices.keys


def test_it_is_said_when_guests_come_and_gone_when_they_go(desk: Desk) -> None:
    desk.status.set_hosting(ALONE)
    desk.status.set_hosting(replace(ALONE, people=1))
    assert not is_said(desk), "the system has not answered yet"
    desk.status.set_hosting(ASLEEP)
    assert "cannot be kept awake" in desk.window.notices.text_of(KEY)
    desk.status.set_hosting(replace(ASLEEP, people=0))
    assert not is_said(desk)


def test_it_is_said_once_for_each_time_that_something_is_shared(desk: Desk) -> None:
    desk.status.set_hosting(ASLEEP)
    desk.window.notices.dismiss(KEY)
    desk.status.set_hosting(replace(ASLEEP, people=2))
    desk.status.set_hosting(ALONE)
    desk.status.set_hosting(ASLEEP)
    assert not is_said(desk)
    desk.status.set_hosting(None)
    desk.status.set_hosting(ASLEEP)
    assert is_said(desk)


def test_nothing_is_said_of_a_computer_that_stays_awake(desk: Desk) -> None:
    desk.status.set_hosting(replace(ASLEEP, is_awake=True))
    assert not is_said(desk)
