"""The text of one file in the project document: edited in the caller's unit, told of what others did.

One's own edits are not observed (that would cost five times the edit); the caller knows them. Changes that come
from elsewhere, by a remote update or by undo, are reported after the transaction, with positions in both units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pycrdt

from texswarm_server.document.text_index import TextIndex, len_u8, len_u16
from texswarm_server.protocol.errors import PositionError

if TYPE_CHECKING:
    from texswarm_server.document.project_document import FileId, ProjectDocument

LOCAL_ORIGIN: Final = "local"
#: The author of what other programs wrote into the folder.
DISK_ORIGIN: Final = "disk"
TEXT_ROOT: Final = "text:"
_UNDO_GROUP_MS: Final = 500


@dataclass(frozen=True, slots=True)
class TextChange:
    """One replacement. Positions count in the text as the changes before this one in the same list left it."""

    at_u8: int
    deleted_u8: int
    at_u16: int
    deleted_u16: int
    inserted: str


ChangesListener = Callable[[list[TextChange]], None]


class FileText:
    """A file's text. Invariant: while it is followed, `index` equals the CRDT's text after every call."""

    def __init__(self, project: ProjectDocument, file_id: FileId, text: pycrdt.Text) -> None:
        self._project = project
        self._text = text
        self._listeners: list[ChangesListener] = []
        self._index: TextIndex | None = None
        self._undo: pycrdt.UndoManager | None = None
        self._deltas: list[list[dict[str, Any]]] = []
        self.file_id = file_id

    def __str__(self) -> str:
        return str(self._text)

    @property
    def index(self) -> TextIndex:
        """The text with its positions; built at the first use (1 ms per megabyte) and kept from then on."""
        if self._index is None:
            self._index = TextIndex(str(self._text))
        return self._index

    @property
    def is_followed(self) -> bool:
        """Whether remote changes must be reported in detail: somebody holds the index."""
        return self._index is not None

    def subscribe(self, listener: ChangesListener) -> Callable[[], None]:
        """Call `listener` with each batch of changes that did not come from `replace_*`; returns the way out."""
        _ = self.index
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # ── editing ─────────────────────────────────────────────────────────────────────────────────────────

    def replace_u16(self, start: int, end: int, new: str) -> None:
        """Put `new` in place of a UTF-16 range; raises PositionError and changes nothing if it is not one."""
        index = self.index
        start_u8 = index.u8_from_u16(start)
        end_u8 = start_u8 if end == start else index.u8_from_u16(end)
        self._replace(start_u8, end_u8, new)

    def replace_cp(self, start: int, end: int, new: str) -> None:
        """Put `new` in place of a code-point range; raises PositionError and changes nothing if it is not one."""
        index = self.index
        start_u8 = index.u8_from_cp(start)
        end_u8 = start_u8 if end == start else index.u8_from_cp(end)
        self._replace(start_u8, end_u8, new)

    def _replace(self, start: int, end: int, new: str) -> None:
        if end < start:
            raise PositionError("a range ends before it starts")
        self._project.edit_text(self.file_id, self._text, start, end, new)
        self.index.replace_u8(start, end, new)

    def merge_cp(self, edits: Sequence[tuple[int, int, str]]) -> None:
        """Make edits by the author "disk" (start, end, new; code points of the text as it is; in order, disjoint).

        They are this replica's to store and send, are reported to listeners like a remote change, and are not undone.
        Raises PositionError and changes nothing if one is not a range.
        """
        index = self.index
        ranges = [(index.u8_from_cp(start), index.u8_from_cp(end), new) for start, end, new in edits]
        if any(end < start for start, end, _ in ranges):
            raise PositionError("a range ends before it starts")
        with self._project.capturing(is_local=True), self._text.doc.transaction(origin=DISK_ORIGIN):
            for start, end, new in reversed(ranges):
                if end > start:
                    del self._text[start:end]
                if new:
                    self._text.insert(start, new)

    # ── undo ────────────────────────────────────────────────────────────────────────────────────────────

    def track_undo(self) -> None:
        """Begin to remember one's own edits, so that they, and only they, can be taken back."""
        if self._undo is None:
            self._undo = pycrdt.UndoManager(scopes=[self._text], capture_timeout_millis=_UNDO_GROUP_MS)
            self._undo.include_origin(LOCAL_ORIGIN)

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit of one's own to take back."""
        return self._undo is not None and self._undo.can_undo()

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone edit of one's own to make again."""
        return self._undo is not None and self._undo.can_redo()

    def undo(self) -> bool:
        """Take back one's own last group of edits; reported to listeners like a remote change."""
        return self._step(pycrdt.UndoManager.undo)

    def redo(self) -> bool:
        """Make the last undone group again; reported to listeners like a remote change."""
        return self._step(pycrdt.UndoManager.redo)

    def _step(self, step: Callable[[pycrdt.UndoManager], bool]) -> bool:
        if self._undo is None:
            return False
        with self._project.capturing(is_local=True):
            return step(self._undo)

    # ── what others did ─────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def observing(self) -> Iterator[None]:
        """Collect the deltas of one transaction; `publish` reports them after it."""
        subscription = self._text.observe(self._on_delta)
        try:
            yield
        finally:
            self._text.unobserve(subscription)

    def _on_delta(self, event: pycrdt.TextEvent) -> None:
        self._deltas.append(event.delta)  # type: ignore[attr-defined]  # set from its slots

    def publish(self) -> bool:
        """Bring the index up to date and tell the listeners; says whether the text changed."""
        if not self._deltas:
            return False
        deltas, self._deltas = self._deltas, []
        changes = [change for delta in deltas for change in self._changes(delta)]
        for listener in tuple(self._listeners):
            listener(changes)
        return True

    def _changes(self, delta: list[dict[str, Any]]) -> Iterator[TextChange]:
        index, at = self.index, 0
        for part in delta:
            if "retain" in part:
                at += part["retain"]
                continue
            inserted = part.get("insert", "")
            inserted = inserted if isinstance(inserted, str) else ""
            deleted = part.get("delete", 0)
            at_u16 = index.u16_from_u8(at)
            deleted_u16 = index.u16_from_u8(at + deleted) - at_u16 if deleted else 0
            index.replace_u8(at, at + deleted, inserted)
            yield TextChange(at, deleted, at_u16, deleted_u16, inserted)
            at += len_u8(inserted)


def shifted_u16(position: int, changes: list[TextChange], *, stay_before_insert: bool = True) -> int:
    """Return where a UTF-16 position lies after `changes`; text put in at the very position pushes it on demand."""
    for change in changes:
        end = change.at_u16 + change.deleted_u16
        if position > end or (position == end and (change.deleted_u16 or not stay_before_insert)):
            position += len_u16(change.inserted) - change.deleted_u16
        elif position > change.at_u16:
            position = change.at_u16
    return position
