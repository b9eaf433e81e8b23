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
from collections.abc import Sequence
from hashlib import blake2b
from math import inf, nextafter
from typing import Final

import msgspec
from msgspec.structs import replace

from texswarm_desktop.core.loaded_text import loaded_text
from texswarm_desktop.core.text_merge import (
    Edit,
    apply_edits,
    changed_words,
    diff,
    merge,
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
_LARGE_BYTES: Final = 64 * 1024
_LEVEL: Final = 1
_DIGEST_BYTES: Final = 16
_WORD: Final = re.compile(r"\w+|[^\w\s]")


class FormerState(msgspec.Struct, frozen=True):
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


class FormerStates(msgspec.Struct, frozen=True):
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

        Takes a while for a large text; where all would take too long, some states in between are forgotten.
        """
        most = max(1, _MAX_CARRIED_CP // (len(saved) + 1))
        return FormerStates(
            tuple(
                replace(state, packed=_packed(apply_edits(state.text, merge(base, saved, state.text))))
                for state in _some_of(self.states, most)
            )
        )

    def base_of(self, saved: str, last: str, now: float) -> str:
        """Return the text that `saved` was made from: `last`, which was in the file, or a former one, as far as known.

        Takes a while for a large text, of which not all former states are compared.
        """
        if not self.states or saved == last:
            return last
        states = _some_of(self.states, max(1, _MAX_COMPARED_CP // (len(saved) + 1)))
        texts = [state.text for state in states]
        if saved in texts or self._held(saved):
            seen = self._newest_seen(now)
            return last if seen is None else loaded_text(seen, last, saved)
        unseen = now - _UNSEEN_S
        best, earlier, least = None, 0, _cost(last, saved)
        for at in range(len(texts) - 1, -1, -1):
            cost = _cost(texts[at], saved)
            if cost < least and _is_missing(texts[at], last, saved, is_unseen=states[at].until > unseen):
                best, earlier, least = at, at - 1, cost
            elif cost == least and earlier == at:  # what is as near may have come later as well
                earlier = at - 1
        if best is None:
            return last
        return loaded_text(loaded_text(texts[max(earlier, 0)], texts[best], saved), last, saved)

    def _held(self, saved: str) -> bool:
        """Say whether exactly this was in the file."""
        digest = _digest(saved)
        return any(state.digest == digest for state in self.states)

    def _newest_seen(self, now: float) -> str | None:
        """Return what was in the file some time ago; None when nothing came since."""
        return next((state.text for state in self.states if state.until > now - _UNSEEN_S), None)


def _some_of(states: Sequence[FormerState], most: int) -> Sequence[FormerState]:
    """Return `most` states, the oldest and the newest among them, and the others as far apart as can be."""
    if len(states) <= most or most < 2:
        return states[-most:]
    return [states[round(at * (len(states) - 1) / (most - 1))] for at in range(most)]


def _small(states: Sequence[FormerState]) -> tuple[str, ...]:
    return tuple(state.text for state in states if len(state.packed) < _LARGE_BYTES)


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode(), _LEVEL)


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()


def _is_missing(former: str, last: str, saved: str, *, is_unseen: bool) -> bool:
    """Say whether next to nothing is in `saved` of what came between `former` and `last`.

    Words count where they stand: somebody else may have put the same ones in at another place. Those that a line had
    before, and has after it was written anew, did not come. `is_unseen`: all of it came just now; then a word that was
    written to its end did not go.
    """
    arrived, own = changed_words(former, last), changed_words(former, saved)
    whole = there = 0
    for edit in arrived:
        came, went = _came_and_went(former, [edit], is_unseen=is_unseen)
        own_came, own_went = _came_and_went(
            former, [one for one in own if one.start <= edit.end and one.end >= edit.start], is_unseen=is_unseen
        )
        whole += _length(came) + _length(went)
        there += _length(came & own_came) + _length(went & own_went)
    return whole > 0 and whole - there >= _MISSING * whole


def _came_and_went(text: str, edits: Sequence[Edit], *, is_unseen: bool) -> tuple[Counter[str], Counter[str]]:
    came, went = Counter[str](), Counter[str]()
    for one in edits:
        old, new = _WORD.findall(text, one.start, one.end), _WORD.findall(one.new)
        if not (is_unseen and len(old) == 1 and new and new[0].startswith(old[0])):
            went.update(old)
        came.update(new)
    return (came - went, went - came) if came != went else (came, went)


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
