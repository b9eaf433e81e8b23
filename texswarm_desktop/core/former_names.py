"""Where files were before: an editor that has one open saves it under the name it had when it was loaded."""

from collections import Counter
from typing import Final

import msgspec

from texswarm_desktop.core.renames import ALIKE, likeness
from texswarm_desktop.core.text_merge import common_lines

#: How much of a file that was under a path is in one that appears there, if it is that one, saved once more.
_WHOLE: Final = 0.9


class Left(msgspec.Struct, frozen=True):
    """What was under a path when we gave the file another name, deleted it, or put another one in its place.

    An editor may still have it open, or `former`: what was in it before.
    """

    file_id: str
    text: str
    former: tuple[str, ...] = ()

    def loaded_for(self, saved: str) -> list[str]:
        """Return what whoever saved this may have loaded: nearly all of it is there, and something new.

        A former state proves nothing where little of what was saved is in it.
        """
        new = Counter(saved.splitlines())
        old = {text: Counter(text.splitlines()) for text in (self.text, *self.former)}
        whole = [text for text, lines in old.items() if (lines & new).total() >= _WHOLE * lines.total() and new - lines]
        return [text for text in whole if text == self.text or likeness(text, saved) >= ALIKE]

    def base_of(self, saved: str) -> str:
        """Return as much of what was there as is in what was saved there since.

        We took that away, and so what is lacking was taken out by nobody: `git checkout` writes what it has.
        """
        return common_lines(self.text, saved)
