"""Who synchronises is told what the document has and what is lacking; the same question is not worked out again."""

import pytest

from texswarm_server.document import ProjectDocument
from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.document.updates import EMPTY_STATE
from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.frames import FrameBody, SyncStep1, SyncStep2, decode_frame
from texswarm_server.protocol.ids import Handle
from texswarm_server.rooms.sync_answers import SyncAnswers


class Counted(SharedDocument):
    """Counts how often it was looked through."""

    looks = 0

    def update_since(self, state_vector: bytes = EMPTY_STATE) -> bytes:
        self.looks += 1
        return super().update_since(state_vector)


def said(payload: bytes) -> FrameBody:
    handle, body = decode_frame(payload)
    assert handle == 7
    return body


def written(words: str) -> bytes:
    project = ProjectDocument()
    project.add_file("main.tex", words)
    return project.update_since()


def test_the_document_is_looked_through_once_for_all_who_have_the_same() -> None:
    document = Counted([written("x")])
    answers = SyncAnswers(Handle(7), document)
    first = answers.step_2(EMPTY_STATE)
    assert answers.step_2(EMPTY_STATE) is first
    assert document.looks == 1
    assert said(first) == SyncStep2(document.update_since())


def test_what_was_said_of_a_document_that_has_changed_is_not_said_again() -> None:
    document = SharedDocument([written("x")])
    answers = SyncAnswers(Handle(7), document)
    answers.step_1(), answers.step_2(EMPTY_STATE)
    answers.forget()
    document.apply(written("y"))
    assert said(answers.step_1()) == SyncStep1(document.state_vector)
    assert said(answers.step_2(EMPTY_STATE)) == SyncStep2(document.update_since())


def test_what_is_no_state_vector_is_refused() -> None:
    with pytest.raises(RejectedError, match="update_invalid"):
        SyncAnswers(Handle(7), SharedDocument()).step_2(b"\xff")
