"""How far each client's edits have come in a document, and which updates can be told to be shown before they are.

An update is causally ready when everything it stands on is there. Of the plainest ones, and nearly all are, that can be
seen in their bytes: text put behind or before what is there, and deletions of what is there. Such an update changes a
document by just what it says, so it may be passed on first and taken in later, together with others; what one costs
alone pays for twenty then.

    update    = varuint clients, {varuint structs, varuint client, varuint clock, struct ...}, deletions
    struct    = info (1 byte), [id of its left neighbour], [id of its right neighbour], varbytes UTF-8
    deletions = varuint clients, {varuint client, varuint ranges, {varuint clock, varuint length}}
"""

from typing import Final

from texswarm_server.document.updates import read_state_vector

#: Text with a left neighbour, with a right one, with both; the parent of all of these is that of the neighbour.
_TEXTS: Final = frozenset({0x84, 0x44, 0xC4})
_HAS_LEFT: Final = 0x80
_HAS_RIGHT: Final = 0x40
_LAST_OF_ONE_UNIT: Final = "\uffff"
_CLIENTS_END: Final = 1 << 53
_MAX_SHIFT: Final = 56


class Frontier:
    """Invariant: every client's next clock is what a document will have, that took in all that `advance` agreed to."""

    def __init__(self, state_vector: bytes) -> None:
        self._clocks = read_state_vector(state_vector)

    def advance(self, update: bytes) -> bool:
        """Say whether `update` is plain and causally ready, and count with it from then on if it is.

        What says nothing is not plain.
        """
        moved: dict[int, int] = {}
        try:
            end = self._pass_deletions(update, self._pass_structs(update, moved), moved)
        except (_NotPlainError, IndexError, UnicodeDecodeError):
            return False
        if end != len(update):
            return False
        self._clocks.update(moved)
        return True

    def _pass_structs(self, update: bytes, moved: dict[int, int]) -> int:
        """Return where the structs end; `moved` is given the next clocks of those who wrote them."""
        clients, at = _varuint(update, 0)
        for _ in range(clients):
            structs, at = _varuint(update, at)
            client, at = _varuint(update, at)
            clock, at = _varuint(update, at)
            if not structs or client >= _CLIENTS_END or clock != self._next_clock(client, moved):
                raise _NotPlainError
            for _ in range(structs):
                units, at = self._pass_text(update, at, moved)
                clock += units
                moved[client] = clock
        return at

    def _pass_text(self, update: bytes, at: int, moved: dict[int, int]) -> tuple[int, int]:
        """Return how many units the text that begins at `at` has, and where it ends."""
        info = update[at]
        at += 1
        if info not in _TEXTS:
            raise _NotPlainError
        for neighbour in (_HAS_LEFT, _HAS_RIGHT):
            if info & neighbour:
                client, at = _varuint(update, at)
                clock, at = _varuint(update, at)
                if clock >= self._next_clock(client, moved):
                    raise _NotPlainError
        size, at = _varuint(update, at)
        end = at + size
        if not size or end > len(update):
            raise _NotPlainError
        return _utf16_units(update[at:end]), end

    def _pass_deletions(self, update: bytes, at: int, moved: dict[int, int]) -> int:
        clients, at = _varuint(update, at)
        if not (clients or moved):
            raise _NotPlainError
        for _ in range(clients):
            client, at = _varuint(update, at)
            ranges, at = _varuint(update, at)
            if not ranges:
                raise _NotPlainError
            there = self._next_clock(client, moved)
            for _ in range(ranges):
                clock, at = _varuint(update, at)
                length, at = _varuint(update, at)
                if not length or clock + length > there:
                    raise _NotPlainError
        return at

    def _next_clock(self, client: int, moved: dict[int, int]) -> int:
        return moved.get(client) or self._clocks.get(client, 0)


class _NotPlainError(Exception):
    pass


def _varuint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at` and where it ends; raises IndexError at the end of `data`."""
    byte = data[at]
    at += 1
    if byte < 0x80:
        return byte, at
    value, shift = byte & 0x7F, 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > _MAX_SHIFT:
            raise _NotPlainError


def _utf16_units(text: bytes) -> int:
    """Return the length by which Yjs counts; raises UnicodeDecodeError."""
    if text.isascii():
        return len(text)
    decoded = text.decode()
    return len(decoded) + sum(char > _LAST_OF_ONE_UNIT for char in decoded)
