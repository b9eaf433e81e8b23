"""Splits what a client sends into whole frames, so that the common ones need no further parsing.

Nearly everything a client sends is one kind of frame: a whole message of a moderate size. These come out as their
payload. Every other frame comes out as it is, for the parser of websockets, which judges it; from the first frame that
breaks a rule or a limit everything goes there.

    frame = FIN and opcode, MASK and length (7 bits, or 126 and 16 bits, or 127 and 64 bits), mask, masked payload
"""

from collections.abc import Iterator
from typing import Final

from websockets.frames import Opcode, apply_mask  # type: ignore[attr-defined]  # the fast one where there is one

_MESSAGES: Final = frozenset({0x80 | Opcode.TEXT, 0x80 | Opcode.BINARY})
_MASKED: Final = 0x80
_MASK_BYTES: Final = 4
_LENGTH_16: Final = 126
_SHORT_HEAD: Final = 6


class FrameSplitter:
    """Invariant: between calls it holds less than one frame, and no more than `max_bytes` of its payload."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._lacking = 0
        self._has_given_up = False

    def split(self, data: bytes, max_bytes: int) -> Iterator[tuple[bytes, bytes | None]]:
        """Yield each frame that is complete now: its bytes, and its payload if it is a whole message.

        After the first frame that is not masked or whose payload is over `max_bytes`, yields all bytes as they come.
        """
        if self._chunks:
            self._chunks.append(data)
            self._lacking -= len(data)
            if self._lacking > 0:
                return
            data = b"".join(self._chunks)
            self._chunks.clear()
        at, end = 0, len(data)
        while at < end and not self._has_given_up:
            if at + _SHORT_HEAD <= end and data[at] in _MESSAGES and _MASKED <= data[at + 1] < _MASKED + _LENGTH_16:
                start = at + _SHORT_HEAD
                stop = start + data[at + 1] - _MASKED
                if stop <= end and stop - start <= max_bytes:  # what nearly every frame is
                    yield data[at:stop], apply_mask(data[start:stop], data[start - _MASK_BYTES : start])
                    at = stop
                    continue
            extent = self._extent(data, at, max_bytes)
            if extent is None:
                self._has_given_up = True
                break
            start, stop = extent
            if stop > end:
                self._chunks, self._lacking = [data[at:]], stop - end
                return
            is_message = data[at] in _MESSAGES
            yield data[at:stop], apply_mask(data[start:stop], data[start - _MASK_BYTES : start]) if is_message else None
            at = stop
        if at < end:
            yield data[at:], None

    @staticmethod
    def _extent(data: bytes, at: int, max_bytes: int) -> tuple[int, int] | None:
        """Return where the payload of the frame at `at` begins and ends, None for one that is not for us.

        Its end is a guess, behind the data, while not all of its head is there.
        """
        lead = data[at : at + 2]
        size, head = (lead[1] & 0x7F if len(lead) > 1 else 0), 2
        if size >= _LENGTH_16:
            head = 4 if size == _LENGTH_16 else 10
            length = data[at + 2 : at + head]
            size = int.from_bytes(length, "big") if len(length) == head - 2 else 0
        if (len(lead) > 1 and lead[1] < _MASKED) or size > max_bytes:
            return None
        return at + head + _MASK_BYTES, at + head + _MASK_BYTES + size
