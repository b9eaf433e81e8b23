"""Reads when git put other files in place: from the log of where HEAD was, which says of each step what made it.

A checkout, a pull or a reset writes files. A commit takes what others wrote, and so does what goes on after somebody
settled a conflict by hand. What is not known here is taken for a commit.

Format: Documentation/gitformat-reflog (git's refs/files-backend.c): two object names, who, when, a tab, what.
"""

import re
from typing import Final

_STEP: Final = re.compile(rb"> (\d+) [+-]\d{4}\t([\w-]+)(?: [^:]*\((\w+)\))?")
_WRITES: Final = frozenset(
    {b"checkout", b"reset", b"pull", b"merge", b"rebase", b"cherry-pick", b"revert", b"am", b"clone", b"push"}
)
_BY_HAND: Final = b"continue"


def times_of_writing(log: bytes) -> list[int]:
    """Return the seconds at which git had put other files in place, as far as the log reaches, in its order."""
    steps = (_STEP.search(line) for line in log.splitlines())
    return [int(step[1]) for step in steps if step is not None and step[2] in _WRITES and step[3] != _BY_HAND]
