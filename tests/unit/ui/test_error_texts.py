"""Nothing can go wrong without words for it."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import texswarm_desktop.client
from texswarm_desktop.client.states import StopCode, Trouble
from texswarm_desktop.client.status import NOTHING_WRITABLE, OPEN_ELSEWHERE, LinkFacts, StatusAction, present
from texswarm_desktop.core.join_entry import CodeMisspeltError
from texswarm_desktop.ui.error_texts import (
    every_sentence,
    has_code_words,
    has_words,
    is_worth_a_check,
    need_words,
    obstacle_text,
    sentence_of,
    text_of,
    text_of_code,
)
from texswarm_server.protocol import errors
from texswarm_server.protocol.errors import (
    CloneError,
    CloneProblem,
    DocumentError,
    ErrorCode,
    FileCameBackError,
    LinkTimeoutError,
    NotWritableError,
    ProtocolError,
    RejectedError,
    RemoteProtocolError,
    StorageError,
    TexSwarmError,
    ToolMissingError,
)


def every_error(kind: type[TexSwarmError] = TexSwarmError) -> Iterator[type[TexSwarmError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from every_error(child)


ROOTS = (TexSwarmError, StorageError, ProtocolError, DocumentError)


def test_every_error_class_has_words() -> None:
    shared = [kind for kind in every_error() if kind.__module__ == errors.__name__]
    assert [kind.__name__ for kind in shared if not has_words(kind)] == []


WITH_NAMES = (
    text_of(errors.ProjectInUseError("/papers/a", pid=7, host="desk", program="texswarm")).sentence,
    text_of(CodeMisspeltError("oter", "otter")).sentence,
    text_of(FileCameBackError("a.tex", by="Bob")).sentence,
    need_words(OPEN_ELSEWHERE, "texswarm sync").sentence,
    need_words(NOTHING_WRITABLE, "").sentence,
)


@pytest.mark.parametrize("sentence", [*every_sentence(), *WITH_NAMES])
def test_what_is_wrong_is_said_in_one_sentence(sentence: str) -> None:
    """Of a connection, of the disk, of a file: beside it stands the one thing to do, if there is one."""
    assert sentence.endswith(".")
    assert re.search(r"[.!?] ", sentence) is None


def test_every_error_class_of_the_desktop_has_words_or_a_parent_that_says_it() -> None:
    for module in pkgutil.walk_packages(texswarm_desktop.client.__path__, "texswarm_desktop.client."):
        importlib.import_module(module.name)
    for kind in every_error():
        nearest = next(parent for parent in kind.__mro__ if has_words(parent))
        assert kind is nearest or nearest not in ROOTS, kind


def test_every_code_has_words() -> None:
    assert [code for code in (*ErrorCode, *StopCode, *Trouble) if not has_code_words(code)] == []


@pytest.mark.parametrize("code", [*ErrorCode, *StopCode, *Trouble])
def test_words_are_a_short_title_and_whole_sentences(code: str) -> None:
    text = text_of_code(code)
    assert 0 < len(text.title) <= 32
    assert text.sentence.endswith(".")
    assert "_" not in text.sentence


def test_a_code_from_the_future_is_told_in_the_servers_words() -> None:
    assert text_of(RejectedError("moon_phase", "Wait for the moon.")).sentence == "Wait for the moon."
    assert text_of(RejectedError("moon_phase")).sentence.endswith(".")
    assert text_of(RemoteProtocolError("moon_phase")).title == "Not understood"


def test_a_refusal_is_told_by_its_code() -> None:
    assert text_of(RejectedError(ErrorCode.INVITE_EXPIRED)).title == "Invitation expired"


def test_a_subclass_nobody_knows_is_told_as_its_parent() -> None:
    class SlowDiskError(NotWritableError):
        pass

    error = SlowDiskError()
    del SlowDiskError
    assert text_of(error).title == "Cannot write to the folder"
    assert text_of(LinkTimeoutError()).action is StatusAction.RETRY
    assert text_of(ZeroDivisionError()).title == "Something went wrong"


@pytest.mark.parametrize("code", [*ErrorCode, *StopCode])
def test_what_needs_the_user_fits_into_the_status_line(code: str) -> None:
    """There it stands, with the one thing to do beside it."""
    text = text_of_code(code)
    assert text.action is None or len(text.sentence) <= 110


@pytest.mark.parametrize(
    ("code", "action"),
    [
        (ErrorCode.INVITE_EXPIRED, StatusAction.SIGN_IN),
        (ErrorCode.INVITE_REVOKED, StatusAction.SIGN_IN),
        (ErrorCode.TOKEN_EXPIRED, StatusAction.SIGN_IN),
        (ErrorCode.TOKEN_REVOKED, StatusAction.SIGN_IN),
        (StopCode.WRONG_CERTIFICATE, StatusAction.SIGN_IN),
        (StopCode.SERVER_TOO_OLD, StatusAction.WORK_LOCALLY),
        (ErrorCode.REMOVED, StatusAction.WORK_LOCALLY),
        (ErrorCode.PROTOCOL_UNSUPPORTED, StatusAction.UPDATE),
        (ErrorCode.LINEAGE_MISMATCH, StatusAction.CHOOSE_COPY),
        (StopCode.SESSION_ENDED, StatusAction.WORK_LOCALLY),
    ],
)
def test_what_needs_the_user_offers_one_action(code: str, action: StatusAction) -> None:
    assert need_words(code, "").action is action


@pytest.mark.parametrize("problem", CloneProblem)
def test_what_keeps_git_from_cloning_is_said_in_words(problem: CloneProblem) -> None:
    text = text_of(CloneError(problem, "fatal: something"))
    assert 0 < len(text.title) <= 32
    assert text.sentence.endswith(".")


def test_a_missing_program_is_named_where_it_is_known() -> None:
    assert "Git" in text_of(ToolMissingError("git")).sentence
    assert text_of(ToolMissingError("xyz")).title == "Program not found"


def test_a_project_in_use_says_by_which_process() -> None:
    text = text_of(errors.ProjectInUseError("/papers/a", pid=7, host="desk", program="texswarm"))
    assert text.sentence.startswith("texswarm (process 7 on desk) has this project open, so close it there")


@pytest.mark.parametrize(
    ("code", "holder", "title"),
    [
        (OPEN_ELSEWHERE, "texswarm sync (process 7)", "open in texswarm sync (process 7)"),
        (OPEN_ELSEWHERE, "", "open in another program"),
        (NOTHING_WRITABLE, "", "folder not writable"),
    ],
)
def test_a_folder_that_is_only_looked_at_says_why(code: str, holder: str, title: str) -> None:
    line = present(None, LinkFacts(obstacle=code, holder=holder), 0.0, need_words)
    assert (line.text, line.action) == (f"Reading only · {title}", StatusAction.REOPEN)


def test_who_writes_where_nothing_can_be_written_is_told_that() -> None:
    assert "Nothing can be written" in obstacle_text(errors.NotWritableError("/papers/a")).sentence
    assert "process 7" in obstacle_text(errors.ProjectInUseError("/papers/a", pid=7, program="texswarm")).sentence


@pytest.mark.parametrize(
    ("error", "is_worth"),
    [
        (LinkTimeoutError("nobody"), True),
        (RejectedError(ErrorCode.TOKEN_INVALID), True),
        (RejectedError(ErrorCode.INVITE_EXPIRED), False),
        (RejectedError(ErrorCode.TOKEN_REVOKED), False),
        (RejectedError(ErrorCode.APPROVAL_DECLINED), False),
        (RejectedError(ErrorCode.REMOVED), False),
        (RejectedError(ErrorCode.CODE_WRONG), False),
        (RejectedError(ErrorCode.DOCUMENT_NOT_FOUND), False),
        (RejectedError(ErrorCode.PROTOCOL_UNSUPPORTED), False),
        (RejectedError(StopCode.SERVER_TOO_OLD), False),
        (RejectedError(ErrorCode.INTERNAL_ERROR), True),
        (NotWritableError("full"), False),
    ],
)
def test_the_way_is_looked_at_where_it_may_be_the_way(error: Exception, is_worth: bool) -> None:
    assert is_worth_a_check(error) is is_worth


def test_a_file_that_came_back_is_told_with_who_wrote_in_it_where_that_is_known() -> None:
    assert text_of(FileCameBackError("a.tex", by="Bob")).sentence.startswith("Bob wrote in it while it was deleted")
    assert text_of(FileCameBackError("a.tex")).sentence.startswith("Somebody wrote in it while it was deleted")
    assert sentence_of(FileCameBackError("a.tex")).count("ame back") == 1
