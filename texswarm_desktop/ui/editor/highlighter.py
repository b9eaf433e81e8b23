"""Colours the lines that are looked at, and knows of all others only in which state they end.

QSyntaxHighlighter colours a whole document when it gets one, which takes seconds for a book. Here a line is coloured
when it comes into view. To colour it the state at its beginning must be known: that is found by a sweep over all
lines, in short slices between events, much cheaper than colouring. Until the sweep has come by, the state is guessed
from the last empty line above.

What is known of a line is kept in its block's `userState`: the states before and after it, and whether it shows the
colours that follow from them (with the number of the theme they are from). -1: nothing is known.
"""

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QTextBlock, QTextCharFormat, QTextDocument, QTextLayout

from texswarm_desktop.core.latex_tokens import (
    NORMAL,
    STATE_LIMIT,
    Kind,
    Token,
    Tokenizer,
    latex_state_after,
    tokenize_latex,
)
from texswarm_desktop.qtx.timers import Tick

_SLICE_S: Final = 0.004
_CHECK_CLOCK_EVERY: Final = 64
_LINES_AT_ONCE: Final = 200
_LOOK_BACK_LINES: Final = 60
_EPOCHS: Final = 1 << 12


def packed(before: int, after: int, epoch: int) -> int:
    """Return what is kept of a line. `epoch` 0: it does not show its colours."""
    return (epoch * STATE_LIMIT + before) * STATE_LIMIT + after


def unpacked(kept: int) -> tuple[int, int, int]:
    """Return the states before and after a line, and the epoch of its colours."""
    rest, after = divmod(kept, STATE_LIMIT)
    epoch, before = divmod(rest, STATE_LIMIT)
    return before, after, epoch


class LazyHighlighter(QObject):
    """Colours one document. Invariant: of the first `_known` lines the kept states are true.

    Signal: `stale()` when lines that were coloured by a guess may have to be painted again.
    """

    stale = Signal()

    def __init__(self, document: QTextDocument, tokenizer: Tokenizer, colors: dict[Kind, str]) -> None:
        super().__init__(document)
        self._document = document
        self._tokenizer = tokenizer
        self._state_after = _state_after(tokenizer)
        self._formats = _formats(colors)
        self._epoch = 1
        self._known = 0
        self._count = document.blockCount()
        self._tick = Tick(self._sweep, parent=self)
        document.contentsChange.connect(self._on_document_contents_change)
        self._tick.request()

    @property
    def is_settled(self) -> bool:
        """Whether the states of all lines are known."""
        return self._known >= self._document.blockCount()

    def set_colors(self, colors: dict[Kind, str]) -> None:
        """Take in another theme."""
        self._formats = _formats(colors)
        self._begin_epoch()

    def set_tokenizer(self, tokenizer: Tokenizer) -> None:
        """Take in that the file is of another kind."""
        if tokenizer is not self._tokenizer:
            self._tokenizer, self._state_after = tokenizer, _state_after(tokenizer)
            self._known = 0
            self._begin_epoch()
            self._tick.request()

    def close(self) -> None:
        """Colour no more."""
        self._tick.cancel()
        self._document.contentsChange.disconnect(self._on_document_contents_change)

    def color(self, first: QTextBlock, last_number: int) -> None:
        """Make sure that the lines from `first` to the one with `last_number` show their colours."""
        block, number = first, first.blockNumber()
        state = self._state_before(block, number)
        while block.isValid() and number <= last_number:
            kept = block.userState()
            if kept >= 0 and unpacked(kept)[0::2] == (state, self._epoch):
                state = kept % STATE_LIMIT
            else:
                state = self._colored(block, state)
            block, number = block.next(), number + 1

    def _begin_epoch(self) -> None:
        """From now on no line shows what it should; those in view are coloured when they are painted."""
        self._epoch = self._epoch % (_EPOCHS - 1) + 1
        self.stale.emit()

    # ── one line ────────────────────────────────────────────────────────────────────────────────────────

    def _colored(self, block: QTextBlock, before: int) -> int:
        text = block.text()
        tokens, after = self._tokenizer(text, before)
        layout = block.layout()
        if tokens or layout.formats():
            layout.setFormats(self._ranges(text, tokens))
            self._document.markContentsDirty(block.position(), max(1, block.length() - 1))
        block.setUserState(packed(before, after, self._epoch))
        return after

    def _ranges(self, text: str, tokens: list[Token]) -> list[QTextLayout.FormatRange]:
        formats = self._formats
        if not text.isascii() and max(text) > "\uffff":
            tokens = [_in_u16(text, token) for token in tokens]
        return [_range(start, length, formats[kind]) for start, length, kind in tokens]

    def _state_before(self, block: QTextBlock, number: int) -> int:
        if number == 0:
            return NORMAL
        if number <= self._known:
            kept = block.previous().userState()
            return kept % STATE_LIMIT if kept >= 0 else NORMAL
        return self._guess(block)

    def _guess(self, block: QTextBlock) -> int:
        lines: list[str] = []
        above = block.previous()
        while above.isValid() and len(lines) < _LOOK_BACK_LINES and above.text().strip():
            lines.append(above.text())
            above = above.previous()
        state = NORMAL
        for line in reversed(lines):
            state = self._state_after(line, state)
        return state

    # ── what changes ────────────────────────────────────────────────────────────────────────────────────

    def _on_document_contents_change(self, position: int, _removed: int, added: int) -> None:
        document = self._document
        count = document.blockCount()
        known = self._known + count - self._count
        self._count = count
        block = document.findBlock(position)
        last = document.findBlock(min(position + added, document.characterCount() - 1)) if added else block
        if block.blockNumber() > self._known:
            block.setUserState(-1)
            last.setUserState(-1)
            return
        number, is_all = self._follow(block, last.blockNumber())
        self._known = min(max(known, number) if is_all else number, count)
        if self._known < count:
            self._tick.request()

    def _follow(self, block: QTextBlock, last: int) -> tuple[int, bool]:
        """Colour the changed lines, then go on while what follows begins in another state than before.

        Returns the line that was reached, and whether everything from there on is as it was.
        """
        first = number = block.blockNumber()
        state, is_stale = self._state_before(block, number), False
        while block.isValid() and number < first + _LINES_AT_ONCE:
            kept = block.userState()
            if number <= last:
                state = self._colored(block, state)
            elif kept >= 0 and unpacked(kept)[0] == state:
                break
            else:
                state, is_stale = self._passed(block, state), True
            block, number = block.next(), number + 1
        if is_stale:
            self.stale.emit()
        return number, number < first + _LINES_AT_ONCE

    def _passed(self, block: QTextBlock, before: int) -> int:
        after = self._state_after(block.text(), before)
        block.setUserState(packed(before, after, 0))
        return after

    # ── the sweep ───────────────────────────────────────────────────────────────────────────────────────

    def _sweep(self) -> None:
        block = self._document.findBlockByNumber(self._known)
        state = self._state_before(block, self._known)
        give_way_at = time.perf_counter() + _SLICE_S
        is_stale, count = False, 0
        while block.isValid():
            kept = block.userState()
            if kept < 0 or unpacked(kept)[0] != state:
                is_stale = is_stale or kept >= STATE_LIMIT * STATE_LIMIT
                state = self._passed(block, state)
            else:
                state = kept % STATE_LIMIT
            block, count = block.next(), count + 1
            if count % _CHECK_CLOCK_EVERY == 0 and time.perf_counter() > give_way_at:
                break
        self._known += count
        if is_stale:
            self.stale.emit()
        if block.isValid():
            self._tick.request()


def _state_after(tokenizer: Tokenizer) -> Callable[[str, int], int]:
    return latex_state_after if tokenizer is tokenize_latex else lambda line, state: tokenizer(line, state)[1]


def _range(start: int, length: int, char_format: QTextCharFormat) -> QTextLayout.FormatRange:
    made = QTextLayout.FormatRange()
    made.start, made.length, made.format = start, length, char_format
    return made


def _in_u16(text: str, token: Token) -> Token:
    start, length, kind = token
    return _len_u16(text[:start]), _len_u16(text[start : start + length]), kind


def _len_u16(text: str) -> int:
    return len(text) + sum(c > "\uffff" for c in text)


def _formats(colors: dict[Kind, str]) -> list[QTextCharFormat]:
    return [_format(kind, colors[kind]) for kind in Kind]


def _format(kind: Kind, color: str) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setForeground(QColor(color))
    if kind is Kind.COMMENT:
        made.setFontItalic(True)
    if kind is Kind.HEADING:
        made.setFontWeight(QFont.Weight.Bold)
    return made
