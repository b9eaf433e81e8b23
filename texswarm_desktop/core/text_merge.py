"""What changed between two texts, as few small edits; and what another program changed, carried into a document.

Positions are code points. Edits of one list neither overlap nor touch, are in order, and all count in the text before
the first of them. The cost is that of comparing lines; nothing here is quadratic in the size of a file:

    lines    common start and end are cut off; lines that are unique in both texts are anchors; difflib compares what
             lies between, as long as that is small
    words    inside a line that was changed, so that a merge never makes one word of two; a line that has little in
             common with the one in its place is another line
    letters  the common start and end of replaced words are cut off
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Final

import msgspec

#: Beyond these, a replaced stretch is taken as replaced whole.
_MAX_LINE_PAIRS: Final = 1_000_000
_MAX_BLOCK_CP: Final = 6_000
#: From how much likeness on a line is another one changed, and lines are others broken anew.
_ALIKE: Final = 0.4
_SAME_WORDS: Final = 0.9
#: Up to how many pairs of lines are compared with each other to find out which became which.
_MAX_PAIRED: Final = 2_500
#: How long a line must be to be known again as the start of another one.
_GROWN_CP: Final = 8
_GROWN_WORDS: Final = 3
#: How much is compared at once where two texts are expected to be alike.
_BLOCK_CP: Final = 8_192
_WORDS: Final = re.compile(r"\w+|\s+|[^\w\s]")

_INSIDE: Final = re.compile(r"\w\w")

_Span = tuple[int, int, int, int]


class Edit(msgspec.Struct, frozen=True):
    """Put `new` in place of the code points from `start` to `end`."""

    start: int
    end: int
    new: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with `edits` made."""
    parts: list[str] = []
    at = 0
    for edit in edits:
        parts += (text[at : edit.start], edit.new)
        at = edit.end
    return "".join((*parts, text[at:]))


def diff(old: str, new: str) -> list[Edit]:
    """Return edits that make `new` of `old`."""
    return _fine(old, changed_words(old, new))


def merge(base: str, theirs: str, ours: str) -> list[Edit]:
    """Return edits on `ours` that bring in what `theirs` changed since `base`, and undo nothing of ours.

    What either side deleted is gone, what either side wrote is there; what both wrote alike is there once, and two
    words at one place stay two. A line in which one side wrote stays whole where the other side took it away: words
    of it would end up in the next one.
    """
    if theirs in (base, ours):
        return []
    if ours == base:
        return diff(base, theirs)
    own, changes = changed_words(base, ours), changed_words(base, theirs)
    changes = _sparing(_whole(changes, base, _written_in(base, changes, own)), _written_in(base, own, changes))
    return _fine(ours, _joined(_carried(changes, _Track(base, ours, own))))


def whole_change(old: str, new: str) -> Edit:
    """Return one edit that makes `new` of `old`, found quickly; not the smallest one."""
    start, end = _common_lines(old, new)
    return Edit(start, len(old) - end, new[start : len(new) - end])


def same_lines(old: str, new: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Return the lines of `old`, and the stretches of them (from, to) that are not in `new` as they are."""
    lines = old.splitlines(keepends=True)
    return lines, [(a, b) for a, b, _, _ in _changed_lines(lines, new.splitlines(keepends=True)) if a < b]


def common_lines(one: str, other: str) -> str:
    """Return the lines that two texts have in common, in order: the base of a merge where none is known."""
    lines, others = same_lines(one, other)
    for start, end in reversed(others):
        del lines[start:end]
    return "".join(lines)


def common_start(old: str, new: str, most: int | None = None) -> int:
    """Return how much two texts have in common at the start, `most` at the most; a block at a time, for speed."""
    most = min(len(old), len(new)) if most is None else most
    at = 0
    while at < most and old[at : at + _BLOCK_CP] == new[at : at + _BLOCK_CP]:
        at += _BLOCK_CP
    old, new = old[at : at + _BLOCK_CP], new[at : at + _BLOCK_CP]
    rest = next((count for count, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return min(at + rest, most)


def changed_lines(old: str, new: str) -> list[tuple[int, int, int, int]]:
    """Return stretches of lines, `old[a:b]`, that became `new[c:d]`."""
    return list(_changed_lines(old.splitlines(keepends=True), new.splitlines(keepends=True)))


def changed_within(old: str, new: str) -> list[Edit]:
    """Return edits that make one line of another, by their words, however little they have in common."""
    return [
        fine for edit in _in_block(old, new, 0) for fine in _in_word(old[edit.start : edit.end], edit.new, edit.start)
    ]


def changed_runs(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Return stretches of words, `old[a:b]`, that became `new[c:d]`."""
    whole = (0, len(old), 0, len(new))
    is_small = sum(map(len, old)) + sum(map(len, new)) <= _MAX_BLOCK_CP
    return list(_compared(old, new, whole) if is_small else [_trimmed(old, new, whole)])


def words_and_gaps(text: str) -> list[str]:
    """Return the words of a text, its signs, and what is between them, in order."""
    return _WORDS.findall(text)


def paired_lines(
    old_lines: Sequence[str],
    new_lines: Sequence[str],
    likeness: "Callable[[Counter[str], Counter[str]], float] | None" = None,
) -> list[tuple[int, int]]:
    """Return which old line became which new one, in order, so that they are most alike in all.

    `likeness` of two lines by their words, from 0 to 1; the share of the longer one that both have unless given.
    """
    likeness = likeness or _likeness
    if len(old_lines) * len(new_lines) > _MAX_PAIRED:
        return []
    old, new = [words_of(line) for line in old_lines], [words_of(line) for line in new_lines]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for a in range(len(old) - 1, -1, -1):
        for b in range(len(new) - 1, -1, -1):
            alike = 1.0 if _has_grown(old_lines[a], new_lines[b]) else likeness(old[a], new[b])
            both = best[a + 1][b + 1] + alike if alike >= _ALIKE else -1.0
            best[a][b] = max(both, best[a + 1][b], best[a][b + 1])
    pairs, a, b = [], 0, 0
    while a < len(old) and b < len(new):
        if best[a][b] == best[a + 1][b]:
            a += 1
        elif best[a][b] == best[a][b + 1]:
            b += 1
        else:
            pairs.append((a, b))
            a, b = a + 1, b + 1
    return pairs


def words_of(text: str) -> Counter[str]:
    """Return the words and signs of a text."""
    return Counter(word for word in _WORDS.findall(text) if not word.isspace())


def letters(words: Counter[str]) -> int:
    """Say how many letters some words have."""
    return sum(len(word) * count for word, count in words.items())


# ── lines ───────────────────────────────────────────────────────────────────────────────────────────────


def _changed_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[_Span]:
    """Yield stretches `old[a:b]` that became `new[c:d]`, in order; at least one of the two is not empty."""
    for between in _between_anchors(old, new):
        a, b, c, d = span = _trimmed(old, new, between)
        if a == b and c == d:
            continue
        if a == b or c == d or (b - a) * (d - c) > _MAX_LINE_PAIRS:
            yield span
        else:
            yield from _compared(old, new, span)


def _trimmed(old: Sequence[str], new: Sequence[str], span: _Span) -> _Span:
    """Cut off what both have in common at the start and at the end."""
    a, b, c, d = span
    while a < b and c < d and old[a] == new[c]:
        a, c = a + 1, c + 1
    while a < b and c < d and old[b - 1] == new[d - 1]:
        b, d = b - 1, d - 1
    return a, b, c, d


def _compared(old: Sequence[str], new: Sequence[str], span: _Span) -> Iterator[_Span]:
    a, b, c, d = span
    for tag, i, j, k, m in SequenceMatcher(None, old[a:b], new[c:d]).get_opcodes():
        if tag != "equal":
            yield a + i, a + j, c + k, c + m


def _between_anchors(old: Sequence[str], new: Sequence[str]) -> Iterator[_Span]:
    """Yield the stretches between lines that are unique in both texts and stand in the same order."""
    a, b, c, d = _trimmed(old, new, (0, len(old), 0, len(new)))
    from_old, from_new = a, c
    for i, k in _anchors(old[a:b], new[c:d]):
        yield from_old, a + i, from_new, c + k
        from_old, from_new = a + i + 1, c + k + 1
    yield from_old, b, from_new, d


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the longest run of pairs (place in old, place in new) of unique lines with both places rising."""
    old_counts, new_counts = Counter(old), Counter(new)
    place = {line: at for at, line in enumerate(new) if new_counts[line] == 1}
    return _longest_rising(
        [(at, place[line]) for at, line in enumerate(old) if old_counts[line] == 1 and line in place]
    )


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Patience sorting by the second number; the first is rising already."""
    lowest: list[int] = []
    tops: list[int] = []
    before: list[int] = []
    for at, (_, place) in enumerate(pairs):
        pile = bisect_left(lowest, place)
        before.append(tops[pile - 1] if pile else -1)
        lowest[pile : pile + 1] = [place]
        tops[pile : pile + 1] = [at]
    rising, at = [], tops[-1] if tops else -1
    while at >= 0:
        rising.append(pairs[at])
        at = before[at]
    return rising[::-1]


def _common_lines(old: str, new: str) -> tuple[int, int]:
    """Return how long the whole lines are with which both begin, and those with which both end, in code points."""
    start = old.rfind("\n", 0, common_start(old, new)) + 1
    most = min(len(old), len(new)) - start
    end = common_start(old[::-1], new[::-1], most)
    newline = old.find("\n", len(old) - end) if end else -1
    return start, 0 if newline < 0 else len(old) - newline - 1


# ── words and letters ───────────────────────────────────────────────────────────────────────────────────


def changed_words(old: str, new: str) -> list[Edit]:
    """Return edits of whole words that make `new` of `old`."""
    if old == new:
        return []
    start, end = _common_lines(old, new)
    old_lines = old[start : len(old) - end].splitlines(keepends=True)
    new_lines = new[start : len(new) - end].splitlines(keepends=True)
    starts = list(accumulate(map(len, old_lines), initial=start))
    return _joined(
        edit
        for a, b, c, d in _changed_lines(old_lines, new_lines)
        for edit in _inside(old_lines[a:b], new_lines[c:d], starts[a])
    )


def _inside(old_lines: Sequence[str], new_lines: Sequence[str], start: int) -> Iterator[Edit]:
    """Yield the edits in a stretch of lines that begins at `start`.

    Words are compared where a line became another one, and where lines were only broken anew. Of two lines that have
    little in common one is gone and the other is new: what few words they share must not keep them together.
    """
    if len(old_lines) != len(new_lines) and _is_broken_anew(old_lines, new_lines):
        yield from _in_block("".join(old_lines), "".join(new_lines), start)
        return
    starts = list(accumulate(map(len, old_lines), initial=start))
    at = new_at = 0
    for pair in (*paired_lines(old_lines, new_lines), (len(old_lines), len(new_lines))):
        if at < pair[0] or new_at < pair[1]:
            yield Edit(starts[at], starts[pair[0]], "".join(new_lines[new_at : pair[1]]))
        at, new_at = pair
        if at < len(old_lines):
            yield from _in_block(old_lines[at], new_lines[new_at], starts[at])
            at, new_at = at + 1, new_at + 1


def _is_broken_anew(old_lines: Sequence[str], new_lines: Sequence[str]) -> bool:
    return _likeness(words_of("".join(old_lines)), words_of("".join(new_lines))) >= _SAME_WORDS


def _has_grown(old: str, new: str) -> bool:
    """Say whether one line is the other with more at its end: somebody is writing it."""
    short, long = sorted((old.rstrip(), new.rstrip()), key=len)
    return len(short) >= _GROWN_CP and len(short.split()) >= _GROWN_WORDS and long.startswith(short)


def _likeness(old: Counter[str], new: Counter[str]) -> float:
    """Return the share of the longer text that both have in common, by the letters of its words."""
    most = max(letters(old), letters(new))
    return letters(old & new) / most if most else 1.0


def _in_block(old: str, new: str, start: int) -> Iterator[Edit]:
    old_words, new_words = words_and_gaps(old), words_and_gaps(new)
    starts = list(accumulate(map(len, old_words), initial=start))
    for a, b, c, d in changed_runs(old_words, new_words):
        if a < b or c < d:
            yield Edit(starts[a], starts[b], "".join(new_words[c:d]))


def _fine(text: str, edits: Iterable[Edit]) -> list[Edit]:
    """Cut off the letters that an edit only writes again."""
    fine: list[Edit] = []
    for edit in edits:
        old = text[edit.start : edit.end]
        fine += [edit] if _is_other_line(old, edit.new) else _in_word(old, edit.new, edit.start)
    return fine


def _is_other_line(old: str, new: str) -> bool:
    """Say whether lines came in place of quite different ones: no letter of those must stay, not even their end.

    Somebody else may be deleting them, and would take along what is written with their letters.
    """
    if not old.endswith("\n") or not new.endswith("\n") or old in new or new in old:
        return False
    return _likeness(words_of(old), words_of(new)) < _ALIKE and not _is_alike(old, new)


def _in_word(old: str, new: str, start: int = 0) -> list[Edit]:
    a, b, c, d = _trimmed(old, new, (0, len(old), 0, len(new)))
    return [Edit(start + a, start + b, new[c:d])] if a < b or c < d else []


def _joined(edits: Iterable[Edit]) -> list[Edit]:
    """Make one edit of those that touch."""
    joined: list[Edit] = []
    for edit in edits:
        if joined and joined[-1].end == edit.start:
            last = joined.pop()
            joined.append(Edit(last.start, edit.end, last.new + edit.new))
        else:
            joined.append(edit)
    return joined


# ── three ways ──────────────────────────────────────────────────────────────────────────────────────────


def _written_in(base: str, edits: Iterable[Edit], others: Sequence[Edit]) -> list[tuple[int, int]]:
    """Return the lines of `base` in which `edits` write something, and which `others` take away as a whole."""
    starts = [edit.start for edit in others]
    lines: list[tuple[int, int]] = []
    for edit in edits:
        start, end = base.rfind("\n", 0, edit.start) + 1, base.find("\n", edit.end) + 1
        at = bisect_right(starts, start) - 1
        is_gone = at >= 0 and start < end <= others[at].end
        if is_gone and _is_inside(edit, base, start) and (start, end) not in lines[-1:]:
            lines.append((start, end))
    return lines


def _is_inside(edit: Edit, base: str, start: int) -> bool:
    """Say whether something is written into the one line that begins at `start`, and not a line before it."""
    if not edit.new or "\n" in base[edit.start : edit.end]:
        return False
    return not (edit.end == start and edit.new.endswith("\n"))


def _whole(edits: Sequence[Edit], base: str, lines: Iterable[tuple[int, int]]) -> list[Edit]:
    """Make one edit of all those in a line, which writes the line anew."""
    rest = list(edits)
    for start, end in lines:
        here = [at for at, edit in enumerate(rest) if edit.start < end and start <= edit.end]
        here = [at for at in here if rest[at].end > start or rest[at].start == start]
        if all(start <= rest[at].start and rest[at].end <= end for at in here):
            inside = [Edit(rest[at].start - start, rest[at].end - start, rest[at].new) for at in here]
            rest[here[0] : here[-1] + 1] = [Edit(start, end, apply_edits(base[start:end], inside))]
    return rest


def _sparing(edits: Iterable[Edit], lines: Sequence[tuple[int, int]]) -> list[Edit]:
    """Leave `lines` out of the edits that take them away."""
    spared: list[Edit] = []
    for edit in edits:
        at, new = edit.start, edit.new
        for start, end in lines:
            if edit.start <= start and end <= edit.end:
                spared += [Edit(at, start, new)] if at < start or new else []
                at, new = end, ""
        spared += [Edit(at, edit.end, new)] if at < edit.end or new else []
    return spared


def _carried(theirs: Sequence[Edit], track: "_Track") -> Iterator[Edit]:
    """Yield edits on our text, in order, that do what `theirs` does to the base."""
    for edit in theirs:
        twin = track.at_same_place(edit)
        if twin is None:
            at = track.place(edit.start, is_after=edit.end > edit.start)
            if edit.new:
                yield Edit(at, at, track.apart(edit, at))
            yield from track.remains(edit.start, edit.end)
        else:
            old, ours, at = twin
            yield Edit(at, at + len(ours), _agreed(old, edit.new, ours))


def _agreed(base: str, theirs: str, ours: str) -> str:
    """Both replaced the same stretch. One may just have gone further, or both changed other letters; else keep both."""
    if not _takes_away(ours, theirs):
        return theirs
    if not _takes_away(theirs, ours):
        return ours
    if _is_alike(base, theirs) and _is_alike(base, ours):
        (their_edit,), (our_edit,) = _in_word(base, theirs), _in_word(base, ours)
        if their_edit.end < our_edit.start:
            return apply_edits(base, (their_edit, our_edit))
        if our_edit.end < their_edit.start:
            return apply_edits(base, (our_edit, their_edit))
    return f"{ours} {theirs}" if _is_one_word(ours, theirs) else ours + theirs


def _is_one_word(before: str, after: str) -> bool:
    return _INSIDE.fullmatch(before[-1:] + after[:1]) is not None


def _takes_away(old: str, new: str) -> bool:
    return any(edit.end > edit.start for edit in diff(old, new))


def _is_alike(old: str, new: str) -> bool:
    return 2 * sum(edit.end - edit.start for edit in _in_word(old, new)) <= len(old)


class _Track:
    """Where the places of `base` are after `edits` have been made in it, which is `text` then."""

    def __init__(self, base: str, text: str, edits: Sequence[Edit]) -> None:
        self._base, self._text = base, text
        self._edits = edits
        self._starts = [edit.start for edit in edits]
        growth = (len(edit.new) - (edit.end - edit.start) for edit in edits)
        self._shift = [0, *accumulate(growth)]

    def at_same_place(self, edit: Edit) -> tuple[str, str, int] | None:
        """Return the old and our text of a stretch that we replaced too, and where ours begins now."""
        at = bisect_left(self._starts, edit.start)
        if at < len(self._edits) and self._edits[at].start == edit.start and self._edits[at].end == edit.end:
            return self._base[edit.start : edit.end], self._edits[at].new, edit.start + self._shift[at]
        return None

    def place(self, position: int, *, is_after: bool) -> int:
        """Return where `position` is now; at a text of ours that begins there, after it or before it."""
        at = (bisect_right if is_after else bisect_left)(self._starts, position)
        if not at:
            return position
        before = self._edits[at - 1]
        return max(position, before.end) + self._shift[at]

    def apart(self, edit: Edit, at: int) -> str:
        """Return what an edit writes at our place `at`; words that begin or end there are none with ours beside it."""
        end = self.place(edit.end, is_after=False) if edit.end > edit.start else at
        was = self._base[max(edit.start - 1, 0) : edit.start], self._base[edit.end : edit.end + 1]
        now = self._text[max(at - 1, 0) : at], self._text[end : end + 1]
        is_begun = _is_one_word(now[0], edit.new) and not _is_one_word(was[0], edit.new)
        is_ended = _is_one_word(edit.new, now[1]) and not _is_one_word(edit.new, was[1])
        return f"{' ' * is_begun}{edit.new}{' ' * is_ended}"

    def remains(self, start: int, end: int) -> Iterator[Edit]:
        """Yield deletions of what is left of the base's stretch; what we put in between stays."""
        at = bisect_right(self._starts, start)
        if at:
            start = max(start, self._edits[at - 1].end)
        while start < end:
            is_last = at == len(self._edits)
            stop = end if is_last else min(end, self._starts[at])
            if start < stop:
                yield Edit(start + self._shift[at], stop + self._shift[at], "")
            start = end if is_last else max(stop, self._edits[at].end)
            at += 1
