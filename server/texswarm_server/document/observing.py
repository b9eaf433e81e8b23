"""Callbacks that pycrdt keeps without keeping their object alive, and documents that are freed although observed."""

from collections.abc import Callable
from typing import Any
from weakref import WeakMethod, finalize

import pycrdt


def held_weakly(method: Callable[..., None], *first: object) -> Callable[[Any], None]:
    """Return a callback of one argument, put behind `first`, that does not keep the method's object alive.

    pycrdt keeps callbacks where the garbage collector does not look: an object that observes a document it holds would
    stay in memory for ever, and the document with it.
    """
    weak = WeakMethod(method)

    def call(event: Any) -> None:
        if living := weak():
            living(*first, event)

    return call


def follow(document: "pycrdt.Doc[Any]", method: Callable[[pycrdt.TransactionEvent], None]) -> Callable[[], object]:
    """Have `method` called after every transaction while its object lives; returns the way to end it sooner.

    WORKAROUND https://github.com/y-crdt/pycrdt/issues/421: until a document that is observed is freed when nobody has
    it any more (0.14 never does); one whose observer was taken off is.
    """
    ending = finalize(method.__self__, document.unobserve, document.observe(held_weakly(method)))  # type: ignore[attr-defined]
    ending.atexit = False
    return ending
