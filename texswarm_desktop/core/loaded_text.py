"""What an editor had loaded that saves a text: something between a former state of the file and what is in it now.

States of a file are remembered now and then only, and an editor may have loaded it in between, in the middle of a line
that somebody was typing. Of what came since the former state as much was known to it as is in what it saves, and what
is not there may have come after the loading. So each line is looked for in the saved text, and of what became of it
since that much is taken which is found.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from texswarm_desktop.core.text_merge import (
    changed_lines,
    changed_runs,
    changed_within,
    letters,
    paired_lines,
    words_and_gaps,
    words_of,
)

#: How much of a line, or of the one in its place where that is the shorter one, must be in the other for the one to
#: have become the other.
_SAME: Final = 0.4
#: Fewer letters than these are in a line by chance.
_FEW: Final = 8


def loaded_text(former: str, last: str, saved: str) -> str:
    """Return what was loaded between `former` and `last` by who made `saved` of it."""
    old, new = former.splitlines(keepends=True), last.splitlines(keepends=True)
    of_old, of_new = _Counterparts(old, saved), _Counterparts(new, saved)
    parts: list[str] = []
    at = 0
    for a, b, c, d in changed_lines(former, last):
        parts += old[at:a]
        for i, k in _aligned(old[a:b], new[c:d]):
            was = "" if i is None else old[a + i]
            there = None if i is None else of_old.of(a + i)
            if k is None:
                parts.append(was if there == was else "")
            elif there is not None:
                parts.append(_between(was, new[c + k], there))
            else:
                parts.append(_between(was, new[c + k], of_new.of(c + k) or ""))
        at = b
    return "".join([*parts, *old[at:]])


def _between(was: str, now: str, saved: str) -> str:
    """Return a line as it was when it was loaded, after it was `was`, and before it was `now`."""
    if saved in (was, now):
        return saved
    old, new, there = (words_and_gaps(line.rstrip("\n")) for line in (was, now, saved))
    old_there, new_there = _found(old, there, was), _found(new, there, was)
    if _count("".join(new_there)) < _SAME * min(_count(now), _count(saved)):
        return was
    parts: list[str] = []
    at = 0
    for a, b, c, d in changed_runs(old, new):
        went, came = "".join(old_there[a:b]), "".join(new_there[c:d])
        parts += old[at:a]
        parts += [max(came, went, key=_count)] if came or went else old[a:b]
        at = b
    loaded = "".join([*parts, *old[at:]])
    loaded += "\n" if loaded and now.endswith("\n") else ""
    return min((was, loaded), key=lambda way: _cost(way, saved))


def _found(words: Sequence[str], others: Sequence[str], was: str) -> list[str]:
    """Return of each word what of it is among others, in order: all, or the start, of which one was to be the other.

    A few letters that are not at the start, and that the line did not have when it `was`, are there by chance.
    """
    found = [""] * len(words)
    at = 0
    for a, b, c, d in [*changed_runs(words, others), (len(words), len(words), len(others), len(others))]:
        is_half = a < b and c < d and (words[a].startswith(others[c]) or others[c].startswith(words[a]))
        half = [min(words[a], others[c], key=len)] if is_half else []
        run = "".join([*words[at:a], *half])
        if at == 0 or _count(run) >= _FEW or (run.strip() and run in was):
            found[at:a] = words[at:a]
            found[a : a + len(half)] = half
        at = b
    return found


def _cost(line: str, other: str) -> int:
    return sum(edit.end - edit.start + len(edit.new) for edit in changed_within(line, other))


def _count(line: str) -> int:
    return letters(words_of(line))


class _Counterparts:
    """For each line of a text the one of another text that it became."""

    def __init__(self, lines: Sequence[str], other: str) -> None:
        self._lines = lines
        self._changed: dict[int, str | None] = {}
        others = other.splitlines(keepends=True)
        for a, b, c, d in changed_lines("".join(lines), other):
            for i, k in _aligned(lines[a:b], others[c:d]):
                if i is not None:
                    self._changed[a + i] = None if k is None else others[c + k]

    def of(self, at: int) -> str | None:
        """Return it; None where there is none."""
        return self._changed.get(at, self._lines[at])


def _aligned(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
    """Yield which line became which, all of both in order; None for none. As many as are left became each other."""
    i = k = 0
    for one, other in [*paired_lines(old, new, _likeness), (len(old), len(new))]:
        if one - i == other - k:
            yield from zip(range(i, one), range(k, other), strict=True)
        else:
            yield from ((at, None) for at in range(i, one))
            yield from ((None, at) for at in range(k, other))
        if one < len(old):
            yield one, other
        i, k = one + 1, other + 1


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    """Return how much of the shorter line is in the longer one; of the longer one where that is little."""
    common, (least, most) = letters(one & other), sorted((letters(one), letters(other)))
    return common / (least if common >= _FEW else most) if most else 1.0
