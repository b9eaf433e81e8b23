"""What to do about what other programs did to the folder of an open project.

Compared are what the mirror last wrote (`Mirrored`), where the disk differs from that now, and the document. As at the
opening (`reconcile`), nothing is decided by time, and of two people who do different things to one file neither loses
what was written: what one deleted and another changed stays.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from texswarm_desktop.core.reconcile import Add, Merge, Remove, Rename

#: From how much likeness on two texts are one file under another name; with the same place on the disk, and without.
_ALIKE_IN_PLACE: Final = 0.3
_ALIKE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What we know to have been on disk for a file. `inode`: its place on the disk."""

    path: str
    text: str
    digest: bytes
    inode: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What is on disk under a path now; `text` is None when it is not text."""

    digest: bytes
    inode: int
    text: str | None


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """Where the disk differs from what was mirrored.

    `mirrored` by file id; `document`: the paths of the document's files by id; `changed`: by path, what is new or
    another one; `gone`: ids of files that are no longer where they were; `edited`: those of them whose text in the
    document is another one than was mirrored; `ignored`: paths that are not brought in.
    """

    mirrored: Mapping[str, Mirrored]
    document: Mapping[str, str]
    changed: Mapping[str, Seen]
    gone: Collection[str] = ()
    edited: Collection[str] = ()
    ignored: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class RestoreFile:
    """Deleted in the document, but somebody wrote in it on disk: bring it back, with what was changed since `base`."""

    file_id: str
    path: str
    base: str


@dataclass(frozen=True, slots=True)
class RewriteFile:
    """Deleted on disk, but somebody wrote in it or renamed it here: write it again."""

    file_id: str


@dataclass(frozen=True, slots=True)
class ForgetFile:
    """Deleted on both sides, or in the document where something that is not text took its place on disk."""

    file_id: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something that is not text took the place of a file of the project: it is left alone, and reported."""

    path: str


DiskStep = Merge | Add | Rename | Remove | RestoreFile | RewriteFile | ForgetFile | Foreign


def disk_steps(facts: DiskFacts) -> list[DiskStep]:
    """Return what is to be done, in this order."""
    owners = {mirrored.path: file_id for file_id, mirrored in facts.mirrored.items()}
    unwritten = {
        path: file_id
        for file_id, path in facts.document.items()
        if file_id not in facts.mirrored or facts.mirrored[file_id].path != path
    }
    steps: list[DiskStep] = []
    fresh: list[str] = []
    for path, seen in sorted(facts.changed.items()):
        owner = owners.get(path)
        if owner is not None:
            steps.append(_changed_in_place(facts, owner, path, seen))
        elif path in unwritten:
            steps.append(Foreign(path) if seen.text is None else Merge(unwritten[path], path, ""))
        elif seen.text is not None:
            fresh.append(path)
    return steps + _gone(facts, fresh) + [Add(path) for path in fresh if path not in facts.ignored]


def _changed_in_place(facts: DiskFacts, file_id: str, path: str, seen: Seen) -> DiskStep:
    if seen.text is None:
        return Foreign(path) if file_id in facts.document else ForgetFile(file_id)
    base = facts.mirrored[file_id].text
    return Merge(file_id, path, base) if file_id in facts.document else RestoreFile(file_id, path, base)


def _gone(facts: DiskFacts, fresh: list[str]) -> list[DiskStep]:
    """Decide about files that are gone; takes out of `fresh` what is one of them under another name."""
    steps: list[DiskStep] = []
    twins = _twins(facts, fresh)
    for file_id in sorted(facts.gone):
        mirrored = facts.mirrored[file_id]
        if file_id not in facts.document:
            steps.append(ForgetFile(file_id))
        elif file_id in twins:
            path = twins[file_id]
            fresh.remove(path)
            steps.append(Rename(file_id, path))  # only the name; what was changed besides follows
            if facts.changed[path].text != mirrored.text:
                steps.append(Merge(file_id, path, mirrored.text))
        elif file_id in facts.edited or facts.document[file_id] != mirrored.path:
            steps.append(RewriteFile(file_id))
        else:
            steps.append(Remove(file_id))
    return steps


def _twins(facts: DiskFacts, fresh: Collection[str]) -> dict[str, str]:
    """Pair files that are gone with new ones, the most alike first."""
    pairs = []
    for file_id in facts.gone:
        if file_id in facts.document:
            for path in fresh:
                degree = _degree(facts.mirrored[file_id], facts.changed[path])
                if degree:
                    pairs.append((-degree, facts.mirrored[file_id].path, path, file_id))
    found: dict[str, str] = {}
    for _, _, path, file_id in sorted(pairs):
        if file_id not in found and path not in found.values():
            found[file_id] = path
    return found


def _degree(mirrored: Mirrored, seen: Seen) -> float:
    """Say how surely the two are one file, 0: they are not. An inode alone proves nothing: systems use them again."""
    is_in_place = mirrored.inode == seen.inode
    if mirrored.digest == seen.digest:
        return 3.0 if is_in_place else 2.0
    degree = likeness(mirrored.text, seen.text or "")
    if degree < (_ALIKE_IN_PLACE if is_in_place else _ALIKE):
        return 0.0
    return degree + is_in_place


def likeness(old: str, new: str) -> float:
    """Return the share of lines that two texts have in common, blank ones apart: 0 to 1."""
    lines = [Counter(line for line in text.splitlines() if line.strip()) for text in (old, new)]
    most = max(counter.total() for counter in lines)
    return (lines[0] & lines[1]).total() / most if most else 0.0
