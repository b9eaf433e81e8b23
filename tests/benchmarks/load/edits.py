"""Edits made beforehand: real Yjs updates whose text carries marks, and the history of a real paper."""

from __future__ import annotations

from typing import Any

import pycrdt

from tests.benchmarks.traces import sequential_trace

TEXT_NAME = "text"


class Writer:
    """Types marks, one behind the other, as one person would; `mark` is what a receiver looks for."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._count = 0
        self._doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=1000 + number)
        self._text = self._doc.get(TEXT_NAME, type=pycrdt.Text)
        self._updates: list[bytes] = []
        self._subscription = self._doc.observe(lambda event: self._updates.append(event.update))

    def type(self) -> tuple[bytes, bytes]:
        """Return the next mark and the update that types it."""
        mark = b"<~>%04d.%06d" % (self._number, self._count)
        self._count += 1
        self._text += mark.decode()
        return mark, self._updates.pop()


class Paper:
    """A paper of 260,000 single edits: its whole history as one update, and its state vector."""

    def __init__(self, name: str = "automerge-paper") -> None:
        document: pycrdt.Doc[Any] = pycrdt.Doc(client_id=7)
        text = document.get(TEXT_NAME, type=pycrdt.Text)
        trace = sequential_trace(name)
        for start in range(0, len(trace.patches), 100):
            with document.transaction():
                for position, deleted, inserted in trace.patches[start : start + 100]:
                    if deleted:
                        del text[position : position + deleted]
                    if inserted:
                        text.insert(position, inserted)
        assert str(text) == trace.end
        self.update = document.get_update()
        self.state_vector = document.get_state()
