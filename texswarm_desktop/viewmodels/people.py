"""Who a person is on the screen: a name and a colour that can be trusted, made from what strangers sent.

Pure.
"""

import re
from typing import Any, Final

import msgspec

from texswarm_desktop.core.one_line import one_line
from texswarm_desktop.core.palette import color_of

_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_MAX_NAME_CHARS: Final = 80


class Person(msgspec.Struct, frozen=True):
    """A user as shown. `color` is `#rrggbb`."""

    user_id: str
    name: str
    color: str

    @property
    def initials(self) -> str:
        """One or two letters for a small disc."""
        words = [word for word in self.name.split() if word[0].isalnum()]
        letters = words[0][0] + (words[-1][0] if len(words) > 1 else "") if words else "?"
        return letters.upper()


def person(user_id: str, name: Any, color: Any) -> Person:
    """Return the person with these details, of which none is trusted."""
    shown = clean_name(name) or "Somebody"
    is_color = isinstance(color, str) and _COLOR.fullmatch(color) is not None
    return Person(user_id, shown, color.lower() if is_color else color_of(user_id or shown))


def clean_name(name: Any) -> str:
    """Return a name on one line, without control characters, and not too long; empty when there is none."""
    return one_line(name, _MAX_NAME_CHARS) if isinstance(name, str) else ""
