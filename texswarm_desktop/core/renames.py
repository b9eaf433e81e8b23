"""Which file that is gone is which new one: the one rule for folders that were watched and for those that were not.

The same content is the same file, first of all where it also has the same place on the disk. What was changed besides
is known by its lines, the most alike first. A place on the disk alone proves nothing: systems use it again.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Final

import msgspec

#: From how much likeness on two texts are one file under another name; with the same place on the disk, and without.
_ALIKE_IN_PLACE: Final = 0.3
ALIKE: Final = 0.6
#: The same where all of the old text is in the new one: somebody went on writing in it, and moved it.
_ALIKE_HELD: Final = 0.4
#: How much its old place on the disk counts beside what it holds of the old text: between such that hold about as much.
#: Who saves by a new file frees the place, and the next program gets it for what it makes.
_IN_PLACE: Final = 0.1
#: More text than this is not compared line by line: a rename is then seen only where the content stayed.
_MAX_COMPARED_CP: Final = 8 * 1024 * 1024


class Mirrored(msgspec.Struct, frozen=True):
    """What we know to have been on disk for a file. `inode`: its place on the disk, None where nobody looked.

    `former`: what was in it before; an editor may have saved what it had loaded then.
    """

    path: str
    text: str
    digest: bytes
    inode: int | None = None
    former: tuple[str, ...] = ()


class Seen(msgspec.Struct, frozen=True):
    """What is on disk under a path now; `text` is None when it is not text."""

    digest: bytes
    inode: int | None
    text: str | None


def renamed(gone: Mapping[str, Mirrored], fresh: Mapping[str, Seen]) -> dict[str, str]:
    """Pair files that are gone, by id, with new ones, by path; the surest first."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    now = {file_id: (file.text,) for file_id, file in gone.items()}
    before = {file_id: file.former for file_id, file in gone.items()}
    # What was in it before is in whatever else was made of that, by `git checkout` perhaps: it proves less.
    for pairs in (
        _same(gone, fresh),
        _alike(gone, fresh, now, found, taken, least_held=_ALIKE_HELD),
        _alike(gone, fresh, before, found, taken, least_held=ALIKE),
    ):
        for *_, path, file_id in sorted(pairs):
            if file_id not in found and path not in taken:
                found[file_id] = path
                taken.add(path)
    return found


def likeness(old: str, new: str) -> float:
    """Return the share of lines that two texts have in common, blank ones apart: 0 to 1."""
    return _share(_lines(old), _lines(new))


#: How sure it is, by two measures, surest first; the old path, the new one, and the file.
_Pair = tuple[float, float, str, str, str]


def _same(gone: Mapping[str, Mirrored], fresh: Mapping[str, Seen]) -> Iterator[_Pair]:
    by_digest: dict[bytes, list[str]] = {}
    for path, seen in fresh.items():
        by_digest.setdefault(seen.digest, []).append(path)
    for file_id, file in gone.items():
        for path in by_digest.get(file.digest, ()):
            yield -float(_is_in_place(file, fresh[path])), 0.0, file.path, path, file_id


def _alike(
    gone: Mapping[str, Mirrored],
    fresh: Mapping[str, Seen],
    texts: Mapping[str, tuple[str, ...]],
    found: Mapping[str, str],
    taken: Collection[str],
    *,
    least_held: float,
) -> Iterator[_Pair]:
    """Compare what is left over with `texts`, by file; the lines of a text are counted once."""
    old = {file_id: some for file_id, some in texts.items() if file_id not in found and any(some)}
    new = {path: seen.text for path, seen in fresh.items() if path not in taken and seen.text}
    length = sum(len(text) for some in old.values() for text in some) + sum(map(len, new.values()))
    if not old or not new or length > _MAX_COMPARED_CP:
        return
    lines = {path: _lines(text) for path, text in new.items()}
    for file_id, some in old.items():
        file, before = gone[file_id], [_lines(text) for text in some]
        for path in new:
            is_in_place = _is_in_place(file, fresh[path])
            least = _ALIKE_IN_PLACE if is_in_place else ALIKE
            degrees = [(_held(one, lines[path]), _share(one, lines[path])) for one in before]
            alike = [one for one in degrees if one[1] >= (min(least, least_held) if one[0] == 1.0 else least)]
            if alike:
                held, degree = max(alike)
                yield -(held + _IN_PLACE * is_in_place), -degree, file.path, path, file_id


def _is_in_place(file: Mirrored, seen: Seen) -> bool:
    return file.inode is not None and file.inode == seen.inode


def _lines(text: str) -> Counter[str]:
    return Counter(line for line in text.splitlines() if line.strip())


def _held(old: Counter[str], new: Counter[str]) -> float:
    """Return how much of the old text is in the new one: who went on writing added to all of it."""
    return (old & new).total() / old.total() if old else 0.0


def _share(old: Counter[str], new: Counter[str]) -> float:
    totals = old.total(), new.total()
    if min(totals) < _ALIKE_IN_PLACE * max(totals):
        return 0.0
    return (old & new).total() / max(totals) if max(totals) else 0.0
