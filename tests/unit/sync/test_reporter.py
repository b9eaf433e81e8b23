"""What the peer without a window says, to people and to programs."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from texswarm_desktop.client.states import STATES, LinkState, Live, NeedsUser, state_name
from texswarm_desktop.core.figure_travel import Progress
from texswarm_desktop.core.file_differences import Change, FileDifference
from texswarm_desktop.core.joining import Road
from texswarm_desktop.sync.options import _EPILOG
from texswarm_desktop.sync.reporter import Ending, Reporter, ending_of
from texswarm_desktop.ui.error_texts import sentence_of
from texswarm_desktop.viewmodels.figure_view import TransferFacts
from texswarm_server.protocol.errors import (
    ErrorCode,
    KindNotSharedError,
    LinkTimeoutError,
    NotWritableError,
    ProjectInUseError,
    RejectedError,
    SettingsError,
    TexSwarmError,
)


class Heard:
    """A reporter and what came out of it."""

    def __init__(self, *, as_json: bool) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.reporter = Reporter(self.out, self.err, as_json=as_json)

    @property
    def objects(self) -> list[Any]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotWritableError("disk"), 1),
        (ProjectInUseError("paper", pid=7, program="texswarm"), 1),
        (LinkTimeoutError("30 s"), 1),
        (SettingsError("no link"), 2),
        (RejectedError(ErrorCode.LINEAGE_MISMATCH), 3),
        (RejectedError(ErrorCode.INVITE_REVOKED), 4),
        (RejectedError(ErrorCode.REMOVED), 4),
    ],
)
def test_every_error_has_an_exit_status_and_one_line(error: TexSwarmError, status: int) -> None:
    ending = ending_of(error)
    assert ending.status == status
    assert len(ending.sentence.splitlines()) == 1


def test_what_ends_the_program_is_not_said_to_be_tried_again() -> None:
    error = NotWritableError("/paper: Read-only file system")
    assert ending_of(error).sentence == (
        "Cannot write to the folder: The disk is full or the folder is read-only. (/paper: Read-only file system)"
    )
    assert "tried again" in sentence_of(error)


def test_two_histories_name_the_choices() -> None:
    ending = ending_of(RejectedError(ErrorCode.LINEAGE_MISMATCH))
    assert all(choice in ending.sentence for choice in ("--take theirs", "--keep-both"))
    assert ending.choices == ("--take theirs", "--keep-both")


def test_a_project_in_use_says_by_which_process() -> None:
    assert "texswarm (process 7" in ending_of(ProjectInUseError("paper", pid=7, program="texswarm")).sentence


def test_people_read_status_lines_on_standard_error_and_the_link_on_standard_output() -> None:
    heard = Heard(as_json=False)
    heard.reporter.status(Live(1, 0.0), "Connected · all changes saved", 0)
    heard.reporter.link("texswarm://host/?document=d", "d")
    assert heard.err.getvalue() == "Connected · all changes saved\n"
    assert heard.out.getvalue() == "texswarm://host/?document=d\n"


def test_programs_read_one_object_a_line() -> None:
    heard = Heard(as_json=True)
    heard.reporter.status(NeedsUser(1, "removed"), "Removed", 2)
    heard.reporter.problem(NotWritableError("disk"))
    heard.reporter.problem(None)
    heard.reporter.aside("copy", Path("/papers/copy"))
    heard.reporter.plan(Road.ASK, [FileDifference("main.tex", Change.CHANGED, 1, 2)])
    heard.reporter.ended(Ending())
    assert [one["event"] for one in heard.objects] == [
        "status", "problem", "problem", "aside", "plan", "file", "ended",
    ]  # fmt: skip
    assert heard.objects[0] == {"event": "status", "state": "needs_user", "text": "Removed", "waiting": 2}
    assert heard.objects[2]["sentence"] is None
    assert heard.err.getvalue() == ""


def test_a_plan_counts_the_files_that_are_the_same() -> None:
    heard = Heard(as_json=False)
    heard.reporter.plan(Road.TAKE_THEIRS, [FileDifference("a.tex", Change.SAME), FileDifference("b", Change.ONLY_HERE)])
    assert heard.out.getvalue().splitlines()[1:] == ["  only here   b  (+0 −0 lines)", "1 file is the same"]


def test_files_that_stay_here_are_one_calm_line_or_an_object_each() -> None:
    notes = {f"{number}.py": KindNotSharedError("x") for number in range(10)}
    people, programs = Heard(as_json=False), Heard(as_json=True)
    for heard in (people, programs):
        heard.reporter.not_shared(notes, [])
        heard.reporter.not_shared({}, ["0.py"])
    assert people.err.getvalue().splitlines() == [
        "Not shared: 0.py, 1.py, 2.py, 3.py, 4.py, 5.py, 6.py, 7.py and 2 more", "Every file of the folder is shared"
    ]  # fmt: skip
    assert [(one["path"], one["sentence"] is None) for one in programs.objects][9:] == [("9.py", False), ("0.py", True)]
    assert all(one["is_note"] for one in programs.objects)


def test_how_far_figures_are_is_a_line_or_an_object() -> None:
    people, programs = Heard(as_json=False), Heard(as_json=True)
    for heard in (people, programs):
        heard.reporter.transfer(TransferFacts(Progress(2_400_000, 12_000_000, 1, 0.0), None))
        heard.reporter.transfer(None)
    assert people.err.getvalue() == "Sending a figure: 2.3 MB of 11 MB\n"
    assert programs.objects == [
        {"event": "transfer", "sending": {"done": 2_400_000, "total": 12_000_000, "files": 1}, "fetching": None},
        {"event": "transfer", "sending": None, "fetching": None},
    ]


@pytest.mark.parametrize(
    ("edits", "figures", "what"), [(0, 1, "1 figure"), (1, 2, "1 edit and 2 figures"), (1200, 0, "1,200 edits")]
)
def test_what_is_left_at_the_end_is_counted(edits: int, figures: int, what: str) -> None:
    heard = Heard(as_json=False)
    heard.reporter.left(edits, figures)
    assert heard.err.getvalue() == f"Not at the server yet: {what}. The next run sends them.\n"


def test_a_name_cannot_look_like_a_line_of_ours() -> None:
    """Programs get the name as it is; for people it is on the line that is about it."""
    forged = "a\nConnected · all changes saved\x1b[2K.tex"
    people, programs = Heard(as_json=False), Heard(as_json=True)
    for heard in (people, programs):
        heard.reporter.file(forged, NotWritableError(forged))
        heard.reporter.not_shared({forged: KindNotSharedError("x")}, [])
        heard.reporter.aside("copy", Path(forged))
        heard.reporter.plan(Road.FETCH, [FileDifference(forged, Change.ONLY_HERE)])
        heard.reporter.ended(ending_of(NotWritableError(forged)))
    said = people.err.getvalue() + people.out.getvalue()
    assert len(said.splitlines()) == 6
    assert all("a Connected · all changes saved" in line for line in said.splitlines() if "would" not in line)
    assert "\x1b" not in said
    assert programs.objects[0]["path"] == forged


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_documented_by_name(state: type[LinkState]) -> None:
    assert state_name(state) in _EPILOG
