"""One row for each person: oneself first, then who is here, then who is not."""

from tests.helpers.fake_project import FakeProject, participant
from texswarm_desktop.viewmodels.participants_view import ParticipantsView, others_here, rows
from texswarm_desktop.viewmodels.people import Person

ME = Person("me", "Me", "#123456")


def names(found: list) -> list[str]:
    return [row.person.name for row in found]


def test_oneself_is_there_also_when_no_server_says_so() -> None:
    (row,) = rows([], ME)
    assert row.is_me
    assert row.state == "here"


def test_order_is_me_then_here_then_reconnecting_then_away() -> None:
    found = rows(
        [participant("Zoe"), participant("Bob", "away"), participant("Cy", "reconnecting"), participant("Al")], ME
    )
    assert names(found) == ["Me", "Al", "Zoe", "Cy", "Bob"]


def test_two_windows_are_one_person_in_the_nearest_state() -> None:
    found = rows([participant("Al", "away"), participant("Al", session="2"), participant("Al", session="3")], ME)
    (row,) = (row for row in found if not row.is_me)
    assert (row.state, row.windows) == ("here", 2)


def test_my_own_sessions_are_me_and_here() -> None:
    (row,) = rows([participant("Me", "reconnecting", role="viewer")], ME)
    assert (row.is_me, row.state, row.role, row.person) == (True, "here", "viewer", ME)


def test_others_who_are_away_do_not_count() -> None:
    assert others_here(rows([participant("Al"), participant("Bo", "away"), participant("Cy", "reconnecting")], ME)) == 2


def test_a_change_is_told_once_and_only_if_it_is_one() -> None:
    project = FakeProject()
    view = ParticipantsView(project, ME)
    told: list[list] = []
    counts: list[int] = []
    view.rows_changed.connect(told.append)
    view.others_changed.connect(counts.append)
    project.let_come(participant("Al"))
    project.let_come(participant("Al"))
    project.let_come(participant("Al", "reconnecting"))
    view.close()
    project.let_come()
    assert [names(found) for found in told] == [["Me", "Al"], ["Me", "Al"]]
    assert counts == [1]
    assert project.listeners == []


def test_who_hosts_alone_hears_that_they_decide_now() -> None:
    """The row is the same as before, and what can be done beside it is not."""
    project = FakeProject()
    view = ParticipantsView(project, ME)
    told: list[bool] = []
    view.rows_changed.connect(lambda _rows: told.append(view.am_owner))
    project.let_come(participant("Me", role="owner"))
    project.let_come(participant("Me", role="owner"))
    project.let_come()
    view.close()
    assert told == [True, False]


def test_who_is_alone_on_a_server_hears_that_there_is_one() -> None:
    project = FakeProject()
    view = ParticipantsView(project, ME)
    told: list[bool] = []
    view.rows_changed.connect(lambda _rows: told.append(view.am_in))
    project.let_come(participant("Me"))
    project.let_come(participant("Me"))
    project.let_come()
    view.close()
    assert told == [True, False]
