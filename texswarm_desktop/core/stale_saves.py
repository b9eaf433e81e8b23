"""From which state of a file another program set out when it saved it.

An editor holds the text it loaded. What we wrote into the file since is not in it, and saving it would undo that. So
the last states of a file are remembered, and a save counts as made from the one it fits: when next to nothing of what
came after that state is in it, and it has something new of its own.

What is exactly a former state was restored on purpose (`git checkout`, an editor's undo); what came a moment ago stays
even then. Only states that we wrote over count: what another program saved is known to whoever edits on the disk. So
that is carried into the states before it, and no later save puts back what it took out, except one that restores what
was there, byte for byte. States lie further apart the older they are, so that a few of them reach back for hours.

A whole other text that a program puts in place of what arrived a moment ago goes beside that, and does not replace it.
It cannot be told from a stale save: an editor whose whole text was replaced, or that loaded the file when it was empty,
saves the same bytes in the same way, and neither inode nor times differ, as editors save in place and by a new file,
and so do scripts. Of the two mistakes this is the one that loses nothing, and that whoever is there sees at once.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import inf, nextafter
from typing import Final

from texswarm_desktop.core.text_merge import (
    Edit,
    apply_edits,
    changed_lines,
    changed_words,
    common_start,
    diff,
    merge,
    same_lines,
)

#: How much of what came after a state must be missing in a save for it to count as made from that state.
_MISSING: Final = 0.6
_MAX_STATES: Final = 30
#: No state is less than this many times as old as the next one: most of what came since the older one must have come
#: since the next one too, or a save made from that would not be known.
_SPREAD: Final = 1.4
#: What came within this time before a save is not known to whoever made it.
_UNSEEN_S: Final = 10.0
#: How much text is compared for one save.
_MAX_COMPARED_CP: Final = 8_000_000
#: How much text is merged to carry one save into former states.
_MAX_CARRIED_CP: Final = 4_000_000
#: How often it is tried how far a line was written.
_MOST_TRIED: Final = 2_000
_LARGE_BYTES: Final = 64 * 1024
_LEVEL: Final = 1
_DIGEST_BYTES: Final = 16
_WORD: Final = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class FormerState:
    """A text that was in a file until `until` (wall clock, seconds); packed.

    `digest`: of what was in the file, while the text has what other programs did since; empty where it is not known.
    """

    packed: bytes
    until: float
    digest: bytes = b""

    @property
    def text(self) -> str:
        """The text."""
        return zlib.decompress(self.packed).decode()


def former_state(text: str, until: float) -> FormerState:
    """Pack a text; takes a while for a large one."""
    return FormerState(_packed(text), until, _digest(text))


@dataclass(frozen=True, slots=True)
class FormerStates:
    """What was in a file before what is in it now, oldest first."""

    states: tuple[FormerState, ...] = ()

    @property
    def some(self) -> tuple[str, ...]:
        """A few of the texts, the oldest among them; none where they are large."""
        return _small([*self.states[:1], *self.states[len(self.states) // 2 :][:1]])

    @property
    def small(self) -> tuple[str, ...]:
        """The texts that are not large."""
        return _small(self.states)

    def after(self, state: FormerState) -> "FormerStates":
        """Return these with a `state` that is being written over; no two of them go by one time."""
        if self.states and state.until <= self.states[-1].until:
            state = replace(state, until=nextafter(self.states[-1].until, inf))
        return FormerStates(tuple(_thinned((*self.states, state), state.until)))

    def carried(self, base: str, saved: str) -> "FormerStates":
        """Return these with what another program did, who made `saved` of `base`, done to each.

        Takes a while for a large text; states that would take too long are forgotten.
        """
        most = max(1, _MAX_CARRIED_CP // (len(saved) + 1))
        return FormerStates(
            tuple(
                replace(state, packed=_packed(apply_edits(state.text, merge(base, saved, state.text))))
                for state in self.states[-most:]
            )
        )

    def base_of(self, saved: str, last: str, now: float) -> str:
        """Return the text that `saved` was made from: `last`, which was in the file, or a former one, as far as known.

        Takes a while for a large text.
        """
        if not self.states or saved == last:
            return last
        texts = list(self._comparable(len(saved)))[::-1]
        if saved in texts or self._held(saved):
            seen = self._newest_seen(now)
            return last if seen is None else _known(seen, last, saved)
        best, earlier, least = None, 0, _cost(last, saved)
        for at in range(len(texts) - 1, -1, -1):
            cost = _cost(texts[at], saved)
            if cost < least and _is_missing(texts[at], last, saved):
                best, earlier, least = at, at - 1, cost
            elif cost == least and earlier == at:  # what is as near may have come later as well
                earlier = at - 1
        if best is None:
            return last
        return _known(texts[best], last, saved, texts[max(earlier, 0)])

    def _held(self, saved: str) -> bool:
        """Say whether exactly this was in the file."""
        digest = _digest(saved)
        return any(state.digest == digest for state in self.states)

    def _newest_seen(self, now: float) -> str | None:
        """Return what was in the file some time ago; None when nothing came since."""
        return next((state.text for state in self.states if state.until > now - _UNSEEN_S), None)

    def _comparable(self, length: int) -> Iterator[str]:
        """Yield texts, the newest first, as long as comparing them is no work to be noticed."""
        for state in self.states[: -1 - max(1, _MAX_COMPARED_CP // (length + 1)) : -1]:
            yield state.text


def _small(states: Sequence[FormerState]) -> tuple[str, ...]:
    return tuple(state.text for state in states if len(state.packed) < _LARGE_BYTES)


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode(), _LEVEL)


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()


def _is_missing(former: str, last: str, saved: str) -> bool:
    """Say whether next to nothing is in `saved` of what came between `former` and `last`.

    Words count where they stand: somebody else may have put the same ones in at another place. Those that a line had
    before, and has after it was written anew, did not come.
    """
    arrived, own = changed_words(former, last), changed_words(former, saved)
    whole = there = 0
    for edit in arrived:
        came, went = _came_and_went(former, [edit])
        own_came, own_went = _came_and_went(
            former, [one for one in own if one.start <= edit.end and one.end >= edit.start]
        )
        whole += _length(came) + _length(went)
        there += _length(came & own_came) + _length(went & own_went)
    return whole > 0 and whole - there >= _MISSING * whole


def _came_and_went(text: str, edits: Sequence[Edit]) -> tuple[Counter[str], Counter[str]]:
    came = Counter(word for one in edits for word in _WORD.findall(one.new))
    went = Counter(word for one in edits for word in _WORD.findall(text, one.start, one.end))
    return (came - went, went - came) if came != went else (came, went)


def _known(former: str, last: str, saved: str, earlier: str | None = None) -> str:
    """Return what who made `saved` had loaded: a state between `former`, which is near it, and `last`.

    What came between the two and is in `saved` was known, and so was what went and is there still. What was taken out,
    with nothing in its place, is not missing in `saved`: it may stand where the file is under another name. What is not
    in `saved` and was not there `earlier` may have come after the loading, and does not count as known.
    """
    lines = _Lines(former, saved, former if earlier is None else earlier)
    new, is_new_there = _lines_in(last, saved)
    parts: list[str] = []
    at = 0
    for a, b, c, d in changed_lines(former, last):
        parts += [lines.loaded(line, lines.old[line]) for line in range(at, a)]
        if b - a == d - c:
            parts += [lines.loaded(a + number, new[c + number]) for number in range(b - a)]
        else:
            there = [line for line, is_there in zip(lines.old[a:b], lines.is_there[a:b], strict=True) if is_there]
            there += [line for line, is_there in zip(new[c:d], is_new_there[c:d], strict=True) if is_there]
            parts += there or (map(lines.kept, range(a, b)) if c < d else [])
        at = b
    return "".join([*parts, *(lines.loaded(line, lines.old[line]) for line in range(at, len(lines.old)))])


class _Lines:
    """The lines of a state, what became of each where it was `saved`, and what it was `earlier`."""

    def __init__(self, state: str, saved: str, earlier: str) -> None:
        self.old = state.splitlines(keepends=True)
        self._saved, self._earlier = _Counterparts(self.old, saved), _Counterparts(self.old, earlier)
        self.is_there = [not self._saved.is_changed(at) for at in range(len(self.old))]
        self._tried = 0

    def kept(self, at: int) -> str:
        """Return a line if it was there earlier."""
        return self.old[at] if self._earlier.of(at) == self.old[at] else ""

    def loaded(self, at: int, now: str) -> str:
        """Return a line, which is `now` that, as it was when the text was loaded that was saved; empty for none.

        Where the line was changed by who saved it as well, it may have been half written when it was loaded. A line is
        written from its start: of all that it was meanwhile, it was what comes nearest to the one that was saved.
        """
        if self.is_there[at]:
            return self.old[at]
        saved, was = self._saved.of(at), self._earlier.of(at)
        if saved == now:
            return now
        if saved is None or was is None or was == now:
            return self.kept(at)
        ways = _ways(was, now)
        self._tried += len(ways)
        return self.kept(at) if self._tried > _MOST_TRIED else min(ways, key=lambda way: sum(_cost(way, saved)))


class _Counterparts:
    """For each line of a text the one of another text that is in its place."""

    def __init__(self, text: Sequence[str], other: str) -> None:
        self._changed: dict[int, str | None] = {}
        self._text = text
        lines = other.splitlines(keepends=True)
        for a, b, c, d in changed_lines("".join(text), other):
            found = lines[c:d] if b - a == d - c else [None] * (b - a)
            self._changed.update(zip(range(a, b), found, strict=True))

    def is_changed(self, at: int) -> bool:
        """Say whether the line is not in the other text as it is."""
        return at in self._changed

    def of(self, at: int) -> str | None:
        """Return it; None where no line is in its place, or more or fewer lines than there were."""
        return self._changed.get(at, self._text[at])


def _ways(was: str, now: str) -> list[str]:
    """Return what a line was while it became what it is `now`, written from its start."""
    start = common_start(was, now)
    end = common_start(was[::-1], now[::-1], min(len(was), len(now)) - start)
    return [was, *(now[:written] + now[len(now) - end :] for written in range(start, len(now) - end + 1))]


def _lines_in(text: str, saved: str) -> tuple[list[str], list[bool]]:
    """Return the lines of a text, and of each whether it is in `saved`."""
    lines, others = same_lines(text, saved)
    is_there = [True] * len(lines)
    for start, end in others:
        is_there[start:end] = [False] * (end - start)
    return lines, is_there


def _length(words: Counter[str]) -> int:
    return sum(map(len, words.elements()))


def _cost(old: str, new: str) -> tuple[int, int]:
    """Return how many code points of `old` are not in `new`, and how many have to come besides."""
    edits = diff(old, new)
    return sum(edit.end - edit.start for edit in edits), sum(len(edit.new) for edit in edits)


def _thinned(states: Sequence[FormerState], now: float) -> list[FormerState]:
    """Of states that are about as old, keep the older one: it was there for longer to be loaded."""
    kept: list[FormerState] = []
    for state in states[:-1]:
        if not kept or now - kept[-1].until >= _SPREAD * (now - state.until):
            kept.append(state)
    return [*kept, *states[-1:]][-_MAX_STATES:]
