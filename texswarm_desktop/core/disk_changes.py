"""What to do about what other programs did to the folder of an open project.

Compared are what the mirror last wrote (`Mirrored`), where the disk differs from that now, and the document. As at the
opening (`reconcile`), nothing is decided by time, and of two people who do different things to one file neither loses
what was written: what one deleted and another changed stays.
"""

from collections.abc import Collection, Mapping

import msgspec
from msgspec.structs import replace

from texswarm_desktop.core.former_names import Left
from texswarm_desktop.core.reconcile import Add, Merge, Remove, Rename, RestoreFile, meant_by
from texswarm_desktop.core.renames import Mirrored, Seen, renamed


class LateSave(msgspec.Struct, frozen=True):
    """What a program wrote into a file after we had taken its place; `base`: what was in it then."""

    file_id: str
    path: str
    base: str
    seen: Seen


class DiskFacts(msgspec.Struct, frozen=True):
    """Where the disk differs from what was mirrored.

    `mirrored` by file id; `document`: the paths of the document's files by id; `changed`: by path, what is new or
    another one; `gone`: ids of files that are no longer where they were; `edited`: those of them whose text in the
    document is another one than was mirrored; `ignored`: paths that are not brought in; `left`: by path, files that
    were there before; `late`: by a name of their own, what was written into files that are no more.
    """

    mirrored: Mapping[str, Mirrored]
    document: Mapping[str, str]
    changed: Mapping[str, Seen]
    gone: Collection[str] = ()
    edited: Collection[str] = ()
    ignored: Collection[str] = ()
    left: Mapping[str, Left] = msgspec.field(default_factory=dict)
    late: Mapping[str, LateSave] = msgspec.field(default_factory=dict)


class TakeLate(msgspec.Struct, frozen=True):
    """Take what was written into a file that is no more; the file comes back if the document has it no more either."""

    file_id: str
    path: str
    base: str
    late: str


class RewriteFile(msgspec.Struct, frozen=True):
    """Deleted on disk, but somebody wrote in it or renamed it here: write it again."""

    file_id: str


class ForgetFile(msgspec.Struct, frozen=True):
    """Deleted on both sides, or in the document where something that is not text took its place on disk."""

    file_id: str


class Foreign(msgspec.Struct, frozen=True):
    """Something that is not text took the place of a file of the project: it is left alone, and reported."""

    path: str


DiskStep = Merge | Add | Rename | Remove | RestoreFile | TakeLate | RewriteFile | ForgetFile | Foreign


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
    moved = _moved_aside(facts, owners)
    for path, seen in sorted(facts.changed.items()):
        owner = owners.get(path)
        if owner is not None and owner not in moved:
            steps += _changed_in_place(facts, owner, path, seen)
        elif seen.text is not None:
            new.append(path)
        elif path in unwritten:
            steps.append(Foreign(path))
    steps += _gone(replace(facts, gone={*facts.gone, *moved}), new)
    for path in new:
        if path in unwritten:
            steps.append(Merge(unwritten[path], path, _base_of(facts, unwritten[path], path)))
        elif _is_left(facts, path):
            left = facts.left[path]
            steps.append(_brought_back(facts, left.file_id, path, _base_of(facts, left.file_id, path) or ""))
        elif path not in facts.ignored:
            steps.append(Add(path))
    return steps + [
        TakeLate(late.file_id, late.path, late.base, name)
        for name, late in sorted(facts.late.items())
        if late.seen.text  # who only emptied it has not written yet
    ]


def _moved_aside(facts: DiskFacts, owners: Mapping[str, str]) -> set[str]:
    """Return the ids of files that are as they were, under another name, while something else took their place."""
    fresh = {(seen.inode, seen.digest) for path, seen in facts.changed.items() if path not in owners}
    return {
        owner
        for path, owner in owners.items()
        if path in facts.changed
        and owner in facts.document
        and facts.changed[path].inode != facts.mirrored[owner].inode is not None
        and (facts.mirrored[owner].inode, facts.mirrored[owner].digest) in fresh
    }


def _base_of(facts: DiskFacts, file_id: str, path: str) -> str | None:
    """Say what was at `path` the last time, if that was this file."""
    left = facts.left.get(path)
    if left is None or left.file_id != file_id:
        return None
    return left.base_of(facts.changed[path].text or "")


def _is_left(facts: DiskFacts, path: str) -> bool:
    """Somebody saved a file under the name that it had when it was loaded."""
    left, text = facts.left.get(path), facts.changed[path].text
    return left is not None and text is not None and bool(left.loaded_for(text))


def _changed_in_place(facts: DiskFacts, owner: str, path: str, seen: Seen) -> list[DiskStep]:
    base, file_id = facts.mirrored[owner].text, meant_by(owner)
    if seen.text is None:
        return [Foreign(path) if file_id in facts.document else ForgetFile(owner)]
    left = facts.left.get(path)
    if left is None or left.file_id == file_id:
        return [_brought_back(facts, file_id, path, base)]
    if not any(_is_rather(text, base, seen.text) for text in left.loaded_for(seen.text)):
        return [_brought_back(facts, file_id, path, base)]
    # Whoever loaded the file that was there before ours saved it: ours is written again, and that one is changed.
    rest = [RewriteFile(owner)] if file_id in facts.document else [ForgetFile(owner)]
    return [*rest, _brought_back(facts, left.file_id, path, _base_of(facts, left.file_id, path) or "")]


def _is_rather(one: str, other: str, saved: str) -> bool:
    """Say whether `saved` shows most of what only `one` has, and more than of what only `other` has."""
    first, second, lines = set(one.splitlines()), set(other.splitlines()), set(saved.splitlines())
    shown = len(lines & (first - second))
    return 2 * shown > len(first - second) and shown > len(lines & (second - first))


def _brought_back(facts: DiskFacts, file_id: str, path: str, base: str) -> DiskStep:
    """The file that `file_id` means is at `path`, whether the document has it or not."""
    kind = Merge if meant_by(file_id) in facts.document else RestoreFile
    return kind(meant_by(file_id), path, base)


def _gone(facts: DiskFacts, fresh: list[str]) -> list[DiskStep]:
    """Decide about files that are gone; takes out of `fresh` what is one of them under another name."""
    steps: list[DiskStep] = []
    twins = _twins(facts, fresh)
    for file_id in sorted(facts.gone):
        mirrored = facts.mirrored[file_id]
        path = twins.get(file_id)
        if path is not None:
            fresh.remove(path)
        if file_id not in facts.document:
            if path is None or meant_by(file_id) != file_id:
                steps.append(ForgetFile(file_id))
            if path is not None:
                steps.append(_brought_back(facts, file_id, path, mirrored.text))
        elif path is not None:
            steps.append(Rename(file_id, path))  # only the name; what was changed besides follows
            if facts.changed[path].text != mirrored.text:
                steps.append(Merge(file_id, path, mirrored.text))
        elif file_id in facts.edited or facts.document[file_id] != mirrored.path:
            steps.append(RewriteFile(file_id))
        else:
            steps.append(Remove(file_id))
    return steps


def _twins(facts: DiskFacts, fresh: list[str]) -> dict[str, str]:
    """Pair files that are gone, by id, with those of `fresh` that they are now; the project's own before stray ones."""
    gone = {file_id: facts.mirrored[file_id] for file_id in facts.gone}
    own = {file_id: file for file_id, file in gone.items() if meant_by(file_id) == file_id}
    twins = renamed(own, {path: facts.changed[path] for path in fresh})
    rest = {path: facts.changed[path] for path in fresh if path not in twins.values()}
    return twins | renamed({file_id: file for file_id, file in gone.items() if file_id not in own}, rest)
