"""Where somebody reads in a text, and where that is after edits of others. Pure; offsets are UTF-16."""

import msgspec

from texswarm_server.document.file_text import TextChange, shifted_u16


class ReadingPlace(msgspec.Struct, frozen=True):
    """A selection from `anchor` to the caret at `position`; where the first line in view begins, and its row."""

    anchor: int
    position: int
    top: int
    row: int

    def moved(self, changes: list[TextChange]) -> "ReadingPlace":
        """Return where that is now. What is put in at an edge of the selection does not become selected."""
        start, end = sorted((self.anchor, self.position))
        is_range = start != end
        new_start = shifted_u16(start, changes, stay_before_insert=not is_range)
        new_end = max(new_start, shifted_u16(end, changes))
        anchor, position = (new_start, new_end) if self.anchor <= self.position else (new_end, new_start)
        return ReadingPlace(anchor, position, shifted_u16(self.top, changes), self.row)
