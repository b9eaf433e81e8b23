"""What to do about what other programs did to the folder of an open project.

Compared are what the mirror last wrote (`Mirrored`), where the disk differs from that now, and the document. As at the
opening (`reconcile`), nothing is decided by time, and of two people who do different things to one file neither loses
what was written: what one deleted and another changed stays.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from texswarm_desktop.core.reconcile import Add, Merge, Remove, Rename
from texswarm_desktop.core.renames import Mirrored, Seen, renamed


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
    new: list[str] = []
    for path, seen in sorted(facts.changed.items()):
        owner = owners.get(path)
        if owner is not None:
            steps.append(_changed_in_place(facts, owner, path, seen))
        elif seen.text is not None:
            new.append(path)
        elif path in unwritten:
            steps.append(Foreign(path))
    steps += _gone(facts, new)
    steps += [Merge(unwritten[path], path, "") for path in new if path in unwritten]
    return steps + [Add(path) for path in new if path not in facts.ignored and path not in unwritten]


def _changed_in_place(facts: DiskFacts, file_id: str, path: str, seen: Seen) -> DiskStep:
    if seen.text is None:
        return Foreign(path) if file_id in facts.document else ForgetFile(file_id)
    base = facts.mirrored[file_id].text
    return Merge(file_id, path, base) if file_id in facts.document else RestoreFile(file_id, path, base)


def _gone(facts: DiskFacts, fresh: list[str]) -> list[DiskStep]:
    """Decide about files that are gone; takes out of `fresh` what is one of them under another name."""
    steps: list[DiskStep] = []
    gone = {file_id: facts.mirrored[file_id] for file_id in facts.gone if file_id in facts.document}
    twins = renamed(gone, {path: facts.changed[path] for path in fresh})
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
