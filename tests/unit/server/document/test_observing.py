"""An object that observes a document is let go of, and the document with it."""

import gc
from typing import Any
from weakref import ref

import pycrdt

from texswarm_server.document.observing import follow, held_weakly


class Observer:
    """One that holds the document it observes."""

    def __init__(self) -> None:
        self.document: pycrdt.Doc[Any] = pycrdt.Doc()
        self.heard: list[object] = []
        self.end = follow(self.document, self.hear)

    def hear(self, *what: object) -> None:
        self.heard.append(what)

    def write(self) -> None:
        self.document.get("text", type=pycrdt.Text).insert(0, "x")


def test_it_hears_of_transactions_until_it_ends_that() -> None:
    observer = Observer()
    observer.write()
    observer.end()
    observer.write()

    assert len(observer.heard) == 1


def test_the_document_goes_with_its_observer() -> None:
    observer = Observer()
    observer.write()
    document = ref(observer.document)
    del observer
    gc.collect()

    assert document() is None


def test_a_callback_passes_on_what_it_was_given_first_and_is_silent_once_the_object_is_gone() -> None:
    observer = Observer()
    call = held_weakly(observer.hear, "first")
    call("event")
    heard = observer.heard
    del observer
    gc.collect()
    call("another event")

    assert heard == [("first", "event")]
