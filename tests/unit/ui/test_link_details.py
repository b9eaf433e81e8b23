"""The pop-up of the status line says the whole of a link, in words, without a window."""

import pytest

from texswarm_desktop.client.history import Drop
from texswarm_desktop.client.states import Idle, Live, NeedsUser, Offline, Trouble, Waiting
from texswarm_desktop.client.status import Hosting, LinkFacts, StatusAction, present
from texswarm_desktop.ui.error_texts import need_words
from texswarm_desktop.ui.link_details import LinkLook, details, duration
from texswarm_server.protocol.invite_link import ServerAddress

NOW, WALL = 1000.0, 1_700_000_000.0
ADDRESS = ServerAddress("10.0.0.5", tls=True)
LIVE = Live(1, 900.0)
WAITING = Waiting(1, 3, 990.0, 995.0, 1004.0, 0.0, "test", trouble=Trouble.NO_ANSWER)


def look(state, facts=None, **changes):
    facts = facts or LinkFacts("10.0.0.5:8091")
    known = {"address": ADDRESS, "profile": "lan", "now": NOW, "wall_now": WALL} | changes
    return details(LinkLook(line=present(state, facts, NOW, need_words), facts=facts, state=state, **known))


def test_a_link_that_stands_tells_where_how_fast_and_what_is_saved():
    shown = look(LIVE, round_trip_s=0.0032)
    assert shown.heading == "Connected · all changes saved"
    assert dict(shown.rows) == {
        "Server": "10.0.0.5:8091",
        "Kind": "local network, encrypted",
        "Response time": "3 ms",
        "Unsaved edits": "none: all changes are saved",
    }
    assert shown.actions == (StatusAction.DISCONNECT, StatusAction.CHECK)


def test_a_host_that_moved_is_shown_at_both_places():
    assert ("Address", "10.0.0.77:8091") in look(LIVE, address=ServerAddress("10.0.0.77")).rows


def test_a_server_without_a_name_is_shown_by_its_address_once():
    assert [name for name, value in look(LIVE, LinkFacts()).rows if value == "10.0.0.5:8091"] == ["Server"]


def test_before_the_first_ping_there_is_no_number_and_without_a_link_none_is_promised():
    assert ("Response time", "…") in look(LIVE).rows
    assert ("Response time", "no connection now") in look(WAITING).rows


def test_where_nobody_is_to_store_it_nothing_waits():
    shown = look(None, LinkFacts(unacknowledged=127), address=None)
    assert (shown.heading, shown.rows) == ("Working locally", (("Saved", "in its folder, on this computer only"),))


def test_a_wait_says_what_is_wrong_and_offers_to_end_it():
    shown = look(WAITING, LinkFacts("h", unacknowledged=3))
    assert shown.heading == "Reconnecting in 4 s", "how many edits wait is told below"
    assert ("What is wrong", "Nothing answers at the address of the server.") in shown.rows
    assert ("Unsaved edits", "3 edits waiting") in shown.rows
    assert shown.actions == (StatusAction.RETRY, StatusAction.DISCONNECT, StatusAction.CHECK)


@pytest.mark.parametrize(
    ("people", "is_awake", "said"),
    [
        (1, True, "held off while guests are here"),
        (1, False, "cannot be held off"),
        (1, None, None),
        (0, False, None),
    ],
)
def test_a_host_reads_whether_the_computer_may_sleep_under_its_guests(people, is_awake, said):
    facts = LinkFacts(hosting=Hosting("a", people=people, is_awake=is_awake))
    assert dict(look(LIVE, facts).rows).get("Sleep") == said


@pytest.mark.parametrize(
    ("state", "facts", "actions"),
    [
        (Offline(1, 1, 990.0), None, (StatusAction.RETRY, StatusAction.DISCONNECT, StatusAction.CHECK)),
        (Idle(), None, (StatusAction.CHECK,)),
        (NeedsUser(1, "removed"), None, (StatusAction.WORK_LOCALLY, StatusAction.CHECK)),
        (
            LIVE,
            LinkFacts(refusal="lineage_mismatch"),
            (StatusAction.CHOOSE_COPY, StatusAction.DISCONNECT, StatusAction.CHECK),
        ),
        (LIVE, LinkFacts(hosting=Hosting("a")), (StatusAction.STOP_HOSTING, StatusAction.CHECK)),
    ],
)
def test_what_can_be_done_depends_on_the_state(state, facts, actions):
    assert look(state, facts).actions == actions


def test_the_last_drops_are_told_newest_first_with_cause_and_duration():
    history = tuple(Drop(NOW - 100 * number, Trouble.SILENT, NOW - 100 * number + 12) for number in range(20, 0, -1))
    shown = look(LIVE, history=(*history, Drop(NOW - 2, Trouble.NO_NETWORK)))
    assert len(shown.drops) == 6
    assert [(drop.cause, drop.how_long) for drop in shown.drops[:2]] == [
        ("No network", "2 s so far"),
        ("No sign of life", "12 s"),
    ]


def test_a_drop_of_another_day_names_the_day():
    (drop,) = look(LIVE, history=(Drop(NOW - 200_000, Trouble.ENDED, NOW),)).drops
    assert drop.when.count(" ") == 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "under 1 s"), (1.0, "1 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (7500, "2 h 5 min")],
)
def test_durations_are_read_at_a_glance(seconds, words):
    assert duration(seconds) == words
