"""One text seen in three units: UTF-8 bytes (`_u8`, pycrdt), UTF-16 units (`_u16`, Qt), code points (`_cp`).

The only place where positions are converted. The text lies in pieces of about a thousand characters with their
lengths beside them, and a cursor remembers the piece used last, so that a conversion costs the walk from there and
a look into one piece, never a pass over the document. Pieces that are ASCII, nearly all of them in LaTeX, need no look.
"""

from collections.abc import Callable
from typing import Final

from texswarm_server.protocol.errors import PositionError

_PIECE_CP: Final = 1024
_MAX_PIECE_CP: Final = 2 * _PIECE_CP
_MIN_PIECE_CP: Final = _PIECE_CP // 4


def len_u8(text: str) -> int:
    """Return the length of `text` in UTF-8 bytes."""
    return len(text) if text.isascii() else len(text.encode())


def len_u16(text: str) -> int:
    """Return the length of `text` in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


class TextIndex:
    """A text that answers where a position lies in another unit, and takes edits in any of them.

    Positions inside a character, or outside the text, raise PositionError and change nothing.
    """

    def __init__(self, text: str = "") -> None:
        self._pieces = _cut(text)
        self._n8 = [len_u8(piece) for piece in self._pieces]
        self._n16 = [len_u16(piece) for piece in self._pieces]
        self.total_u8 = sum(self._n8)
        self.total_u16 = sum(self._n16)
        self.total_cp = len(text)
        self._home()

    def __str__(self) -> str:
        return "".join(self._pieces)

    # ── positions ───────────────────────────────────────────────────────────────────────────────────────

    def u8_from_u16(self, position: int) -> int:
        """Return the UTF-8 offset of a UTF-16 position."""
        if self.total_u8 == self.total_u16 and 0 <= position <= self.total_u8:
            return position  # all ASCII
        self._seek_u16(position)
        return self._at8 + self._u8_before(self._cp_in_u16(position - self._at16))

    def u16_from_u8(self, position: int) -> int:
        """Return the UTF-16 offset of a UTF-8 position."""
        self._seek_u8(position)
        return self._at16 + self._u16_before(self._cp_in_u8(position - self._at8))

    def u8_from_cp(self, position: int) -> int:
        """Return the UTF-8 offset of a code-point position."""
        self._seek_cp(position)
        return self._at8 + self._u8_before(position - self._atcp)

    def cp_from_u16(self, position: int) -> int:
        """Return the code-point offset of a UTF-16 position."""
        self._seek_u16(position)
        return self._atcp + self._cp_in_u16(position - self._at16)

    # ── text ────────────────────────────────────────────────────────────────────────────────────────────

    def slice_u16(self, start: int, end: int) -> str:
        """Return the text between two UTF-16 positions."""
        if start == end:
            return ""
        self._seek_u16(end)
        last, last_cp = self._i, self._cp_in_u16(end - self._at16)
        self._seek_u16(start)
        first, first_cp = self._i, self._cp_in_u16(start - self._at16)
        if first == last:
            return self._pieces[first][first_cp:last_cp]
        between = self._pieces[first + 1 : last]
        return "".join((self._pieces[first][first_cp:], *between, self._pieces[last][:last_cp]))

    def replace_u8(self, start: int, end: int, new: str) -> None:
        """Put `new` in place of the UTF-8 range from `start` to `end`."""
        self._replace(self._seek_u8, self._cp_at_u8, start, end, new)

    def replace_u16(self, start: int, end: int, new: str) -> None:
        """Put `new` in place of the UTF-16 range from `start` to `end`."""
        self._replace(self._seek_u16, self._cp_at_u16, start, end, new)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _home(self) -> None:
        self._i = self._at8 = self._at16 = self._atcp = 0

    def _cp_at_u8(self, position: int) -> int:
        return self._cp_in_u8(position - self._at8)

    def _cp_at_u16(self, position: int) -> int:
        return self._cp_in_u16(position - self._at16)

    def _replace(
        self, seek: Callable[[int], None], cp_at: Callable[[int], int], start: int, end: int, new: str
    ) -> None:
        if end < start:
            raise PositionError(f"range {start}..{end} ends before it starts")
        seek(end)
        last, last_cp = self._i, cp_at(end)
        first, first_cp = last, last_cp
        if start != end:
            seek(start)
            first, first_cp = self._i, cp_at(start)
        if first == last:
            piece = self._pieces[first]
            self._put(first, last, piece[:first_cp] + new + piece[last_cp:])
        else:
            self._put(first, last, self._pieces[first][:first_cp] + new + self._pieces[last][last_cp:])

    def _put(self, first: int, last: int, text: str) -> None:
        if len(text) < _MIN_PIECE_CP and len(self._pieces) > last - first + 1:
            first, last, text = self._with_neighbour(first, last, text)
        if first == last and len(text) <= _MAX_PIECE_CP:
            self._put_one(first, text)
            return
        pieces = _cut(text)
        n8, n16 = [len_u8(piece) for piece in pieces], [len_u16(piece) for piece in pieces]
        self.total_u8 += sum(n8) - sum(self._n8[first : last + 1])
        self.total_u16 += sum(n16) - sum(self._n16[first : last + 1])
        self.total_cp += len(text) - sum(len(piece) for piece in self._pieces[first : last + 1])
        self._pieces[first : last + 1] = pieces
        self._n8[first : last + 1] = n8
        self._n16[first : last + 1] = n16

    def _put_one(self, at: int, text: str) -> None:
        n8, n16 = len_u8(text), len_u16(text)
        self.total_u8 += n8 - self._n8[at]
        self.total_u16 += n16 - self._n16[at]
        self.total_cp += len(text) - len(self._pieces[at])
        self._pieces[at], self._n8[at], self._n16[at] = text, n8, n16

    def _with_neighbour(self, first: int, last: int, text: str) -> tuple[int, int, str]:
        if last + 1 < len(self._pieces):
            return first, last + 1, text + self._pieces[last + 1]
        before = first - 1
        self._at8 -= self._n8[before]
        self._at16 -= self._n16[before]
        self._atcp -= len(self._pieces[before])
        self._i = before
        return before, last, self._pieces[before] + text

    def _seek_u8(self, position: int) -> None:
        if not 0 <= position <= self.total_u8:
            raise PositionError(f"{position} is outside 0..{self.total_u8} UTF-8 bytes")
        while position < self._at8:
            self._back()
        while position > self._at8 + self._n8[self._i]:
            self._forward()

    def _seek_u16(self, position: int) -> None:
        if not 0 <= position <= self.total_u16:
            raise PositionError(f"{position} is outside 0..{self.total_u16} UTF-16 units")
        while position < self._at16:
            self._back()
        while position > self._at16 + self._n16[self._i]:
            self._forward()

    def _seek_cp(self, position: int) -> None:
        if not 0 <= position <= self.total_cp:
            raise PositionError(f"{position} is outside 0..{self.total_cp} code points")
        while position < self._atcp:
            self._back()
        while position > self._atcp + len(self._pieces[self._i]):
            self._forward()

    def _back(self) -> None:
        self._i -= 1
        self._at8 -= self._n8[self._i]
        self._at16 -= self._n16[self._i]
        self._atcp -= len(self._pieces[self._i])

    def _forward(self) -> None:
        self._at8 += self._n8[self._i]
        self._at16 += self._n16[self._i]
        self._atcp += len(self._pieces[self._i])
        self._i += 1

    def _cp_in_u16(self, offset: int) -> int:
        piece = self._pieces[self._i]
        if self._n16[self._i] == len(piece):
            return offset
        try:
            return len(piece.encode("utf-16-le")[: 2 * offset].decode("utf-16-le"))
        except UnicodeDecodeError as error:
            raise PositionError(f"UTF-16 unit {self._at16 + offset} is inside a character") from error

    def _cp_in_u8(self, offset: int) -> int:
        piece = self._pieces[self._i]
        if self._n8[self._i] == len(piece):
            return offset
        try:
            return len(piece.encode()[:offset].decode())
        except UnicodeDecodeError as error:
            raise PositionError(f"byte {self._at8 + offset} is inside a character") from error

    def _u8_before(self, cp: int) -> int:
        piece = self._pieces[self._i]
        return cp if self._n8[self._i] == len(piece) else len(piece[:cp].encode())

    def _u16_before(self, cp: int) -> int:
        piece = self._pieces[self._i]
        return cp if self._n16[self._i] == len(piece) else len_u16(piece[:cp])


def _cut(text: str) -> list[str]:
    return [text[at : at + _PIECE_CP] for at in range(0, len(text), _PIECE_CP)] or [""]
