"""Texts that this replica took out of the tree, watched: who types into one did not know, and its file comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from texswarm_server.document.observing import held_weakly
from texswarm_server.document.updates import read_state_vector

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    import pycrdt

    from texswarm_server.document.project_document import FileId
    from texswarm_server.document.text_format import TextFormat

_MOST_REMEMBERED: Final = 500


@dataclass(frozen=True, slots=True)
class RemovedText:
    """The path that a text had when it was taken out of the tree, and its `FileEntry.spelling`."""

    path: str
    spelling: TextFormat | None = None


@dataclass(slots=True)
class _Removed:
    """`watch` keeps it watched. `writers`: clients that may have typed in it since."""

    text: RemovedText
    watch: object
    is_typed_in: bool = False
    writers: frozenset[int] = frozenset()


class RemovedTexts:
    """Invariant: the latest ones are known, each until its file is there again."""

    def __init__(self) -> None:
        self._removed: dict[FileId, _Removed] = {}
        self._just_typed_in: list[_Removed] = []

    def __len__(self) -> int:
        return len(self._removed)

    @property
    def paths(self) -> Mapping[FileId, RemovedText]:
        """What each was, by id."""
        return {file_id: removed.text for file_id, removed in self._removed.items()}

    def watch(self, file_id: FileId, text: RemovedText, root: pycrdt.Text) -> None:
        """Know that a text was removed; `root` is where others may go on typing in it."""
        watch = root.observe(held_weakly(self._on_text, file_id))
        self._removed.pop(file_id, None)
        self._removed[file_id] = _Removed(text, watch)
        while len(self._removed) > _MOST_REMEMBERED:
            del self._removed[next(iter(self._removed))]

    def note(self, event: pycrdt.TransactionEvent, *, is_local: bool) -> None:
        """Take in whose transaction it was that has just typed in some of them; own ones bring nothing back."""
        for removed in self._just_typed_in if not is_local else ():
            removed.is_typed_in = True
            removed.writers |= _writers(event)
        self._just_typed_in.clear()

    def forget(self, present: Container[FileId]) -> None:
        """Watch those no more whose files are there again."""
        for file_id in [file_id for file_id in self._removed if file_id in present]:
            del self._removed[file_id]

    def take_typed_in(self) -> Iterator[tuple[FileId, RemovedText, frozenset[int]]]:
        """Return those that others typed in, with the clients that may have; what was returned is watched no more."""
        for file_id in [file_id for file_id, removed in self._removed.items() if removed.is_typed_in]:
            removed = self._removed.pop(file_id)
            yield file_id, removed.text, removed.writers

    def _on_text(self, file_id: FileId, event: pycrdt.TextEvent) -> None:
        delta = event.delta  # type: ignore[attr-defined]  # set from its slots
        if file_id in self._removed and any("insert" in part for part in delta):
            self._just_typed_in.append(self._removed[file_id])


def _writers(event: pycrdt.TransactionEvent) -> frozenset[int]:
    """Return the clients of which a transaction brought something new."""
    states: Any = event  # they are set from its slots
    before, after = read_state_vector(states.before_state), read_state_vector(states.after_state)
    return frozenset(client for client, clock in after.items() if clock > before.get(client, 0))
