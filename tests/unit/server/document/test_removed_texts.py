"""Texts that were removed here are watched until others type in them or their files are back.

How they come back is in test_project_document_deletes.py.
"""

from typing import Any

import pycrdt

from texswarm_server.document import FileId
from texswarm_server.document.observing import follow
from texswarm_server.document.removed_texts import RemovedText, RemovedTexts

A, B = FileId("a"), FileId("b")


class Desk:
    """A document with removed texts, and who else types in it."""

    def __init__(self, *removed: FileId) -> None:
        self.document: pycrdt.Doc[Any] = pycrdt.Doc()
        self.texts = RemovedTexts()
        self.is_local = False
        follow(self.document, self._note)
        for file_id in removed:
            self.texts.watch(file_id, RemovedText(f"{file_id}.tex"), self.root(file_id))

    def root(self, file_id: FileId) -> pycrdt.Text:
        return self.document.get(f"text:{file_id}", type=pycrdt.Text)

    def _note(self, event: pycrdt.TransactionEvent) -> None:
        self.texts.note(event, is_local=self.is_local)

    def typed_in(self) -> list[tuple[FileId, str, frozenset[int]]]:
        return [(file_id, text.path, writers) for file_id, text, writers in self.texts.take_typed_in()]


def test_what_somebody_types_in_is_returned_once_with_its_writer() -> None:
    desk = Desk(A, B)
    desk.root(A).insert(0, "x")
    assert desk.typed_in() == [(A, "a.tex", frozenset({desk.document.client_id}))]
    assert desk.typed_in() == []
    assert list(desk.texts.paths) == [B]


def test_what_is_typed_here_or_taken_out_brings_nothing_back() -> None:
    desk = Desk(A)
    desk.is_local = True
    desk.root(A).insert(0, "xy")
    desk.is_local = False
    del desk.root(A)[0:1]
    assert desk.typed_in() == []


def test_a_file_that_is_there_again_is_watched_no_more() -> None:
    desk = Desk(A, B)
    desk.texts.forget({A})
    assert list(desk.texts.paths) == [B]
    desk.root(A).insert(0, "x")
    assert desk.typed_in() == []
