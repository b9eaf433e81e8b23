"""Binds one QTextDocument to one FileText: key presses become CRDT edits, others' edits become document edits.

The QTextDocument is what is painted, the FileText is what is true. Both have the same length in UTF-16 units at
every moment; characters that Qt would turn into something else (carriage return, paragraph separator, …) are shown
by a stand-in of the same length. One's own key press goes one way only and is never reported back.

The document has no real layout until a view asks for it: shaping lines costs several times the edit itself, and
documents that nobody looks at should not pay for it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QTextCursor, QTextDocument

from texswarm_desktop.viewmodels.unviewed_layout import UnviewedLayout
from texswarm_desktop.viewmodels.viewed_layout import ViewedLayout
from texswarm_server.document.file_text import FileText, TextChange
from texswarm_server.document.text_index import len_u16
from texswarm_server.protocol.errors import PositionError

_PARAGRAPH: Final = "\u2029"
_LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_SHOWN_AS: Final = str.maketrans({"\r": "␍", "\0": "␀", "\u2029": "¶", "\ufdd0": "�", "\ufdd1": "�"})
_KEEP_ANCHOR: Final = QTextCursor.MoveMode.KeepAnchor


class TextBinding(QObject):
    """Keeps a document on the screen and a text in the project the same.

    Signals: `about_to_apply_remote()` and `remote_applied(list[TextChange])` around changes that were not typed
    here; `caret_moved(int)` with the UTF-16 position where undo or redo worked; `edited()` after one's own edit.
    """

    about_to_apply_remote = Signal()
    remote_applied = Signal(list)
    caret_moved = Signal(int)
    edited = Signal()

    def __init__(self, file_text: FileText, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._text = file_text
        self._index = file_text.index
        self._is_applying = False
        file_text.track_undo()
        self._document = QTextDocument(self)
        self._document.setDocumentLayout(UnviewedLayout(self._document))
        self._document.setUndoRedoEnabled(False)
        self._document.setPlainText(shown(str(self._index)))
        self._has_view = False
        self._unsubscribe = file_text.subscribe(self._apply)
        self._document.contentsChange.connect(self._on_document_contents_change)

    @property
    def document(self) -> QTextDocument:
        """The document, ready for a plain-text view."""
        if not self._has_view:
            self._has_view = True
            with self._not_typing():  # a new layout reports the whole text as added
                self._document.setDocumentLayout(ViewedLayout(self._document))
        return self._document

    def cursor(self) -> QTextCursor:
        """Return a cursor to edit with where no view is needed; what it does counts as typed here."""
        return QTextCursor(self._document)

    @property
    def file_text(self) -> FileText:
        """The text this document shows."""
        return self._text

    def close(self) -> None:
        """End the binding; the document stays as it is."""
        self._unsubscribe()
        self._document.contentsChange.disconnect(self._on_document_contents_change)

    def undo(self) -> None:
        """Take back one's own last group of edits."""
        self._step(self._text.undo)

    def redo(self) -> None:
        """Make the last undone group again."""
        self._step(self._text.redo)

    # ── from the keyboard to the text ───────────────────────────────────────────────────────────────────

    def _on_document_contents_change(self, position: int, removed: int, added: int) -> None:
        if self._is_applying:
            return
        try:
            self._take_over(position, removed, added)
        except PositionError:
            self._take_over_everything()
        if self._index.total_u16 != self._document.characterCount() - 1:
            self._take_over_everything()
        if self._index.total_u16 != self._document.characterCount() - 1:
            self._show_everything()
        self.edited.emit()

    def _take_over(self, position: int, removed: int, added: int) -> None:
        """Pass on one change; Qt counts the document's last separator in when everything is replaced."""
        if added == 1 and not removed:
            typed = self._document.characterAt(position)
            self._text.replace_u16(position, position, "\n" if typed == _PARAGRAPH else storable(typed))
            return
        removed = min(removed, self._index.total_u16 - position)
        new = self._typed(position, min(added, self._document.characterCount() - 1 - position))
        if not new:
            self._text.replace_u16(position, position + removed, "")
            return
        old = self._index.slice_u16(position, position + removed)
        if shown(old) != new:
            head, tail = _common_ends(shown(old), new)
            self._replace(old, position, head, tail, new[head : len(new) - tail])

    def _replace(self, old: str, position: int, head: int, tail: int, new: str) -> None:
        start = position + len_u16(old[:head])
        end = position + len_u16(old[: len(old) - tail])
        self._text.replace_u16(start, end, new)

    def _take_over_everything(self) -> None:
        """Compare the whole document: the last resort, so that nothing on the screen is missing in the text."""
        new = self._typed(0, self._document.characterCount() - 1)
        old = str(self._index)
        if shown(old) != new:
            head, tail = _common_ends(shown(old), new)
            self._replace(old, 0, head, tail, new[head : len(new) - tail])

    def _show_everything(self) -> None:
        """Show the text anew. An edit inside a surrogate pair leaves halves that no text can hold."""
        with self._not_typing():
            self._document.setPlainText(shown(str(self._index)))

    def _typed(self, position: int, length: int) -> str:
        if length <= 0:
            return ""
        cursor = QTextCursor(self._document)
        cursor.setPosition(position)
        cursor.setPosition(position + length, _KEEP_ANCHOR)
        return storable(cursor.selectedText().replace(_PARAGRAPH, "\n"))

    # ── from others, and from undo, to the screen ───────────────────────────────────────────────────────

    def _apply(self, changes: list[TextChange]) -> None:
        self.about_to_apply_remote.emit()
        with self._not_typing():
            self._write(changes)
        self.remote_applied.emit(changes)

    @contextmanager
    def _not_typing(self) -> Iterator[None]:
        self._is_applying = True
        try:
            yield
        finally:
            self._is_applying = False

    def _write(self, changes: list[TextChange]) -> None:
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        for change in changes:
            cursor.setPosition(change.at_u16)
            if change.deleted_u16:
                cursor.setPosition(change.at_u16 + change.deleted_u16, _KEEP_ANCHOR)
                cursor.removeSelectedText()
            if change.inserted:
                cursor.insertText(shown(change.inserted))
        cursor.endEditBlock()

    def _step(self, step: Callable[[], bool]) -> None:
        seen: list[TextChange] = []
        unsubscribe = self._text.subscribe(seen.extend)
        try:
            step()
        finally:
            unsubscribe()
        if seen:
            last = seen[-1]
            self.caret_moved.emit(last.at_u16 + len_u16(last.inserted))


def shown(text: str) -> str:
    """Return `text` as a QTextDocument can hold it without changing its length."""
    return text.translate(_SHOWN_AS) if _has_special(text) else text


def storable(text: str) -> str:
    """Return `text` without lone surrogates, which no UTF-8 text can hold."""
    return text if text.isascii() else _LONE_SURROGATES.sub("\ufffd", text)


def _has_special(text: str) -> bool:
    return "\r" in text or "\0" in text or (not text.isascii() and any(c in text for c in "\u2029\ufdd0\ufdd1"))


def _common_ends(old: str, new: str) -> tuple[int, int]:
    """Return how many characters `old` and `new` share at the start and, beside those, at the end."""
    limit = min(len(old), len(new))
    head = next((i for i in range(limit) if old[i] != new[i]), limit)
    limit -= head
    tail = next((i for i in range(limit) if old[-1 - i] != new[-1 - i]), limit)
    return head, tail
