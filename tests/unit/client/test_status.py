"""Each state of a link is shown in the words of the product, and short blips are not shown at all."""

import pytest
from msgspec.structs import replace

from texswarm_desktop.client.states import (
    STATES,
    Authenticating,
    Closed,
    Connecting,
    Idle,
    LinkState,
    Live,
    NeedsUser,
    Offline,
    Rung,
    Syncing,
    Trouble,
    Waiting,
)
from texswarm_desktop.client.status import (
    Hosting,
    LinkFacts,
    Need,
    StatusAction,
    StatusLine,
    Tone,
    edits_waiting,
    holds_up,
    next_look,
    present,
    refusal_to_show,
)
from texswarm_server.protocol.errors import ErrorCode

NOW = 1000.0
LONG_AGO = NOW - 60
NOTHING = LinkFacts(server_name="orchid")
THREE = replace(NOTHING, unacknowledged=3, oldest_edit_at=NOW - 1)


def waiting(retry_in: float, lost_for: float | None = 60.0) -> Waiting:
    lost_at = None if lost_for is None else NOW - lost_for
    return Waiting(1, 1, lost_at, LONG_AGO, NOW + retry_in, 0.0, "test")


def asked(code: str) -> Waiting:
    return replace(waiting(4.2), asked=code)


@pytest.mark.parametrize(
    ("state", "facts", "text", "tone", "action"),
    [
        (None, NOTHING, "Working locally", Tone.QUIET, StatusAction.HOST),
        (Idle(), THREE, "Working locally", Tone.QUIET, StatusAction.HOST),
        (Connecting(1), NOTHING, "Connecting to orchid…", Tone.BUSY, StatusAction.CANCEL),
        (Connecting(1), LinkFacts(), "Connecting…", Tone.BUSY, StatusAction.CANCEL),
        (Connecting(1), THREE, "Connecting to orchid… · 3 edits waiting", Tone.BUSY, StatusAction.CANCEL),
        (Authenticating(1, Rung.INVITE), NOTHING, "Signing in…", Tone.BUSY, None),
        (Syncing(1, 1, 4), NOTHING, "Catching up… (1 of 4)", Tone.BUSY, None),
        (Live(1, LONG_AGO), NOTHING, "Connected · all changes saved", Tone.GOOD, None),
        (Live(1, LONG_AGO), THREE, "Connected · saving…", Tone.GOOD, None),
        (
            Live(1, LONG_AGO),
            replace(NOTHING, is_reading=True),
            "Connected · reading only",
            Tone.GOOD,
            None,
        ),
        (
            asked("over_capacity"),
            THREE,
            "over_capacity · trying again in 5 s · 3 edits waiting",
            Tone.BUSY,
            StatusAction.RETRY,
        ),
        (waiting(4.2), THREE, "Reconnecting in 5 s · 3 edits waiting", Tone.BUSY, StatusAction.RETRY),
        (waiting(-1.0), NOTHING, "Reconnecting in 1 s · 0 edits waiting", Tone.BUSY, StatusAction.RETRY),
        (waiting(1.0, None), NOTHING, "Reconnecting in 1 s · 0 edits waiting", Tone.BUSY, StatusAction.RETRY),
        (Authenticating(1, Rung.REFRESH, 0, LONG_AGO), THREE, "Signing in again… · 3 edits waiting", Tone.BUSY, None),
        (Offline(1, 0, LONG_AGO), THREE, "Offline · 3 edits waiting", Tone.QUIET, None),
    ],
)
def test_a_state_is_shown_in_the_words_of_the_product(
    state: LinkState | None, facts: LinkFacts, text: str, tone: Tone, action: StatusAction | None
) -> None:
    line = present(state, facts, NOW)
    assert (line.whole, line.tone, line.action) == (text, tone, action)


@pytest.mark.parametrize(("facts", "edits"), [(NOTHING, ""), (THREE, " · 3 edits waiting")])
def test_a_link_that_stands_is_not_called_connected_while_the_document_is_refused(facts: LinkFacts, edits: str) -> None:
    need = Need("Two histories.", StatusAction.CHOOSE_COPY)
    line = present(Live(1, LONG_AGO), replace(facts, refusal="lineage_mismatch"), NOW, lambda code, message: need)
    assert (line.whole, line.tone, line.action) == (f"Two histories.{edits}", Tone.BAD, StatusAction.CHOOSE_COPY)


def test_who_has_to_be_let_in_first_reads_by_whom_and_may_give_up() -> None:
    line = present(Live(1, since=0.0), LinkFacts(waits_for="Ada", is_opening=True), 100.0)
    assert (line.text, line.action) == ("Waiting for Ada to let you in…", StatusAction.CANCEL)


def test_working_locally_offers_to_connect_as_well() -> None:
    assert present(None, NOTHING, NOW).second is StatusAction.CONNECT


@pytest.mark.parametrize(("age_s", "tone"), [(8.0, Tone.GOOD), (8.1, Tone.BUSY)])
def test_saving_turns_amber_when_the_oldest_edit_is_over_eight_seconds_old(age_s: float, tone: Tone) -> None:
    facts = replace(THREE, oldest_edit_at=NOW - age_s)
    assert present(Live(1, LONG_AGO), facts, NOW).tone is tone


@pytest.mark.parametrize(
    "gone",
    [
        waiting(3.0, 0.5),
        Connecting(2, 1, NOW - 0.5),
        Authenticating(2, Rung.ACCESS, 1, NOW - 0.5),
        Syncing(2, 0, 1, 1, NOW - 0.5),
        Offline(2, 1, NOW - 0.5),
    ],
)
def test_a_blip_is_not_shown(gone: LinkState) -> None:
    assert present(gone, NOTHING, NOW) == present(Live(1, LONG_AGO), NOTHING, NOW)
    assert present(gone, NOTHING, NOW + 0.5) != present(Live(1, LONG_AGO), NOTHING, NOW + 0.5)


def test_nothing_is_called_saved_while_a_figure_is_still_to_be_stored() -> None:
    alone = present(Live(1, LONG_AGO), replace(NOTHING, unsent_files=1), NOW)
    assert (alone.text, alone.tone, alone.tooltip) == ("Connected · saving…", Tone.GOOD, "")
    hosting = replace(NOTHING, hosting=Hosting("10.0.0.7:8091", "link", 1), unsent_files=1)
    assert present(Live(1, LONG_AGO), hosting, NOW).edits == "saving…"


@pytest.mark.parametrize(
    ("people", "text"),
    [
        (0, "Hosting for 0 people · 10.0.0.7:8091"),
        (1, "Hosting for 1 person · 10.0.0.7:8091"),
        (4, "Hosting for 4 people · 10.0.0.7:8091"),
    ],
)
def test_hosting_names_the_people_and_the_address(people: int, text: str) -> None:
    line = present(Live(1, LONG_AGO), replace(NOTHING, hosting=Hosting("10.0.0.7:8091", "link", people)), NOW)
    assert (line.text, line.tone, line.edits) == (text, Tone.GOOD, "all changes saved")
    assert (line.action, line.second) == (StatusAction.INVITE, StatusAction.STOP_HOSTING)


def test_a_host_whose_own_link_is_gone_sees_that() -> None:
    facts = replace(NOTHING, hosting=Hosting("10.0.0.7:8091"))
    assert present(waiting(2.0), facts, NOW).text.startswith("Reconnecting")


def test_what_needs_the_user_is_a_sentence_and_one_action() -> None:
    def words(code: str, message: str) -> Need:
        return Need(f"The host removed you ({code}).", StatusAction.WORK_LOCALLY)

    line = present(NeedsUser(1, "removed"), THREE, NOW, words)
    expected = StatusLine("The host removed you (removed).", Tone.BAD, StatusAction.WORK_LOCALLY, "", "3 edits waiting")
    assert line == expected


def test_one_edit_is_singular_and_thousands_are_grouped() -> None:
    assert [edits_waiting(count) for count in (0, 1, 2, 12345)] == [
        "0 edits waiting",
        "1 edit waiting",
        "2 edits waiting",
        "12,345 edits waiting",
    ]


EXAMPLES: list[LinkState] = [
    Idle(),
    Connecting(1),
    Authenticating(1, Rung.ACCESS),
    Syncing(1, 0, 1),
    Live(1, NOW),
    waiting(3.0),
    Offline(1, 0, None),
    NeedsUser(1, "removed"),
    Closed(1),
]


def test_every_state_has_words_and_unsaved_edits_are_always_visible() -> None:
    assert {type(state) for state in EXAMPLES} == set(STATES)
    for state in EXAMPLES:
        line = present(state, THREE, NOW)
        assert line.text
        is_local = isinstance(state, (Idle, Closed))
        assert is_local or "3 edits waiting" in line.whole or "saving…" in line.whole


@pytest.mark.parametrize(
    ("state", "facts", "delay_s"),
    [
        (waiting(4.25), NOTHING, 0.25),
        (waiting(3.0), NOTHING, 1.0),
        (waiting(0.5), NOTHING, None),
        (waiting(4.25, 0.75), NOTHING, 0.25),
        (Connecting(1, 1, NOW - 0.25), NOTHING, 0.75),
        (Connecting(1), NOTHING, None),
        (Live(1, NOW), THREE, 7.0),
        (Live(1, NOW), NOTHING, None),
        (Live(1, NOW), replace(THREE, oldest_edit_at=NOW - 20), None),
        (None, THREE, None),
    ],
)
def test_it_is_known_when_the_line_changes_by_itself(
    state: LinkState | None, facts: LinkFacts, delay_s: float | None
) -> None:
    assert next_look(state, facts, NOW) == (None if delay_s is None else pytest.approx(delay_s, abs=0.002))


def test_looking_again_at_that_time_shows_something_else() -> None:
    for state in (waiting(4.25), waiting(3.5, 0.2), Connecting(1, 1, NOW - 0.3)):
        delay_s = next_look(state, NOTHING, NOW)
        assert delay_s is not None
        assert present(state, NOTHING, NOW + delay_s + 0.001) != present(state, NOTHING, NOW)


@pytest.mark.parametrize(
    ("refusal", "is_viewer", "is_read_only", "waiting", "shown"),
    [
        (None, False, False, 3, None),
        (ErrorCode.REMOVED, False, False, 0, ErrorCode.REMOVED),
        (None, True, True, 0, None),
        (ErrorCode.FORBIDDEN, True, True, 0, None),
        (ErrorCode.FORBIDDEN, True, True, 2, ErrorCode.FORBIDDEN),
        (ErrorCode.REMOVED, True, True, 0, ErrorCode.REMOVED),
        (None, False, True, 0, ErrorCode.DOCUMENT_READ_ONLY),
        (ErrorCode.REMOVED, False, True, 0, ErrorCode.REMOVED),
    ],
)
def test_a_link_that_stands_does_not_mean_that_the_document_is_taken(
    refusal: str | None, is_viewer: bool, is_read_only: bool, waiting: int, shown: str | None
) -> None:
    told = refusal_to_show(refusal, is_viewer=is_viewer, is_read_only=is_read_only, unacknowledged=waiting)
    assert told == shown


@pytest.mark.parametrize("trouble", [Trouble.RESET_AT_HELLO, Trouble.MUTE_AT_HELLO])
def test_a_link_that_breaks_off_at_its_hello_is_reconnecting_where_it_stood_before(trouble: Trouble) -> None:
    """In this run, or in an earlier one, of which edits are left."""
    broken = replace(waiting(4.2), trouble=trouble)
    never_stood = replace(broken, lost_at=None)
    assert present(broken, THREE, NOW).text == "Reconnecting in 5 s · 3 edits waiting"
    assert present(never_stood, THREE, NOW).text == "Reconnecting in 5 s · 3 edits waiting"
    assert present(never_stood, replace(THREE, unacknowledged=0), NOW).text.startswith(f"{trouble} · trying again in 5")


@pytest.mark.parametrize("trouble", Trouble)
def test_what_stands_in_the_way_is_told_where_waiting_alone_may_not_help(trouble: Trouble) -> None:
    line = present(replace(waiting(4.2), trouble=trouble), THREE, NOW)
    proxy = {Trouble.PROXY, Trouble.PROXY_SIGN_IN}
    is_told = trouble in {Trouble.NOT_OURS, Trouble.TLS, Trouble.UNTRUSTED, Trouble.NAME_UNKNOWN, *proxy}
    start = f"{trouble} · trying again" if is_told else "Reconnecting"
    assert line.text == f"{start} in 5 s · 3 edits waiting"
    assert line.action is StatusAction.RETRY


@pytest.mark.parametrize(
    ("state", "facts", "code"),
    [
        (None, NOTHING, ""),
        (Live(1, LONG_AGO), THREE, ""),
        (waiting(4), THREE, ""),
        (NeedsUser(1, ErrorCode.REMOVED), NOTHING, ErrorCode.REMOVED),
        (
            Live(1, LONG_AGO),
            replace(NOTHING, refusal=ErrorCode.LINEAGE_MISMATCH),
            ErrorCode.LINEAGE_MISMATCH,
        ),
        (Live(1, LONG_AGO), replace(NOTHING, refusal=ErrorCode.DOCUMENT_READ_ONLY), ""),
        (Live(1, LONG_AGO), replace(THREE, refusal=ErrorCode.FORBIDDEN), ErrorCode.FORBIDDEN),
    ],
)
def test_what_waits_for_the_user_is_told_by_its_code(state: LinkState | None, facts: LinkFacts, code: str) -> None:
    assert holds_up(state, facts) == code
