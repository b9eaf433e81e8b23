"""What to do so that the binary files of a folder and of its project become the same.

Three views of every file are compared: what was last the same at both (`records`), what is on disk now, and what the
document says. Unlike text, two contents cannot be merged: of two people who change one figure at the same time neither
loses it: what on disk was not taken in yet, or what was and lost against another, is kept beside, under a name of its
own; and one that was changed by somebody while somebody else deleted it comes back. Nothing is decided by time.

The same rules hold at the opening and while the project is open. They are asked again whenever something has changed,
also in the middle of what they said before, and must not say twice what was done already: so what is on disk gives way
only when the content that comes in its place is here, and nothing is kept beside that the document names already.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import count
from pathlib import PurePosixPath

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """A binary file: its path, and the hash of its content."""

    path: str
    blob_hash: str


class LateFigure(msgspec.Struct, frozen=True):
    """What another program wrote into a file that was replaced or deleted here, and that it had open.

    It was the file `file_id` at `path`, with the content `known_hash`; `blob_hash`: what is in it now.
    """

    file_id: str
    path: str
    known_hash: str
    blob_hash: str


class FigureFacts(msgspec.Struct, frozen=True):
    """`records` and `document` by file id; `disk`: hashes by path.

    `unsettled`: paths at which another program is still at work, left alone this time; `left_out`: paths that are not
    brought in; `taken`: paths that other files of the project have; `lacking`: hashes of contents that are not
    here yet; `lost`: by file id, hashes of contents that lost against the document's and are here; `returning`: ids of
    files that were changed by somebody while deleted, and `may_return`, whether they may be brought back here; `late`:
    by names that are no paths;
    `is_whole`: False where the folder seems to have been emptied or to be away, so that nothing counts as deleted.
    """

    records: Mapping[str, Figure]
    disk: Mapping[str, str]
    document: Mapping[str, Figure]
    unsettled: Collection[str] = ()
    left_out: Collection[str] = ()
    taken: Collection[str] = ()
    lacking: Collection[str] = ()
    lost: Mapping[str, Collection[str]] = msgspec.field(default_factory=dict)
    returning: Collection[str] = ()
    may_return: bool = True
    late: Mapping[str, LateFigure] = msgspec.field(default_factory=dict)
    is_whole: bool = True


class Know(msgspec.Struct, frozen=True):
    """The file is the same at both."""

    file_id: str


class AddFigure(msgspec.Struct, frozen=True):
    """Another program made this file."""

    path: str


class TakeContent(msgspec.Struct, frozen=True):
    """Another program gave the file another content."""

    file_id: str
    path: str


class RenameFigure(msgspec.Struct, frozen=True):
    """Another program gave the file another name."""

    file_id: str
    path: str


class RenameBeside(msgspec.Struct, frozen=True):
    """Another program gave the file a name that another file has in the document: it gets one beside that."""

    file_id: str
    path: str


class RemoveFigure(msgspec.Struct, frozen=True):
    """Another program deleted the file."""

    file_id: str


class BringBack(msgspec.Struct, frozen=True):
    """Deleted in the document, but given another content or another name on disk: bring it back."""

    file_id: str
    path: str


class KeepBoth(msgspec.Struct, frozen=True):
    """The content at `path` gives way to the document's and is kept under a name of its own."""

    path: str
    copy_path: str


class KeepLost(msgspec.Struct, frozen=True):
    """A content that somebody else replaced without knowing of it becomes a file; None: it is one already."""

    file_id: str
    blob_hash: str
    copy_path: str | None


class Return(msgspec.Struct, frozen=True):
    """The file was deleted by somebody who did not know that it was given another content: it is there again."""

    file_id: str


class WriteOut(msgspec.Struct, frozen=True):
    """Write what the document says, and delete the file where it was if it is still what we know of it."""

    file_id: str


class DeleteOut(msgspec.Struct, frozen=True):
    """Delete the file from the disk: it was deleted in the document."""

    file_id: str


class Forget(msgspec.Struct, frozen=True):
    """The file is gone at both."""

    file_id: str


class TakeLate(msgspec.Struct, frozen=True):
    """Let the file have what was written late: nobody gave it another content meanwhile."""

    name: str
    file_id: str


class KeepLate(msgspec.Struct, frozen=True):
    """What was written late becomes a file of its own."""

    name: str
    copy_path: str


class ReturnLate(msgspec.Struct, frozen=True):
    """Deleted in the document, but written to late: bring it back."""

    name: str
    file_id: str
    path: str


DiskStep = (
    Know
    | AddFigure
    | TakeContent
    | RenameFigure
    | RenameBeside
    | RemoveFigure
    | BringBack
    | KeepBoth
    | KeepLost
    | Return
    | WriteOut
    | DeleteOut
    | Forget
)
LateStep = TakeLate | KeepLate | ReturnLate
FigureStep = DiskStep | LateStep


def figure_steps(facts: FigureFacts) -> list[FigureStep]:
    """Return what is to be done, in this order."""
    known = {record.path for record in facts.records.values()}
    named = {figure.path for figure in facts.document.values()}
    fresh = sorted(facts.disk.keys() - known - named - set(facts.unsettled))
    taken = {*facts.taken, *facts.disk, *known, *named}
    steps: list[FigureStep] = [Return(file_id) for file_id in sorted(facts.returning) if facts.may_return]
    steps += _lost(facts, taken)
    for file_id, figure in sorted(facts.document.items()):
        record = facts.records.get(file_id)
        if figure.path in facts.unsettled or (record is not None and record.path in facts.unsettled):
            continue
        if record is None:
            steps += _never_seen(facts, file_id, figure, taken)
        else:
            steps += _seen(facts, file_id, figure, fresh, taken)
    steps += _deleted(facts, fresh)
    steps += _late(facts, taken)
    return steps + [AddFigure(path) for path in fresh if path not in facts.left_out]


def _lost(facts: FigureFacts, taken: set[str]) -> list[FigureStep]:
    """What lost is kept once, by whoever has it."""
    steps: list[FigureStep] = []
    for file_id, hashes in sorted(facts.lost.items()):
        for blob_hash in sorted(hashes):
            is_there = _is_named(facts, blob_hash)
            copy_path = None if is_there else _free_name(facts.document[file_id].path, taken)
            steps.append(KeepLost(file_id, blob_hash, copy_path))
    return steps


def _late(facts: FigureFacts, taken: set[str]) -> list[FigureStep]:
    """What was written too late to be seen on the disk counts as if it had been."""
    steps: list[FigureStep] = []
    for name, late in facts.late.items():
        figure = facts.document.get(late.file_id)
        if figure is not None and figure.blob_hash == late.known_hash != late.blob_hash:
            steps.append(TakeLate(name, late.file_id))
        elif _is_named(facts, late.blob_hash):
            continue
        elif figure is None and late.file_id not in facts.returning:
            steps.append(ReturnLate(name, late.file_id, late.path))
        else:
            steps.append(KeepLate(name, _free_name(late.path, taken)))
    return steps


def _never_seen(facts: FigureFacts, file_id: str, figure: Figure, taken: set[str]) -> list[FigureStep]:
    """A file of the document that was not on this disk yet."""
    if facts.disk.get(figure.path) == figure.blob_hash:
        return [Know(file_id)]
    return _write_out(facts, file_id, figure, taken)


def _seen(facts: FigureFacts, file_id: str, figure: Figure, fresh: list[str], taken: set[str]) -> list[FigureStep]:
    record = facts.records[file_id]
    there = facts.disk.get(record.path)
    if there is None:
        return _gone(facts, file_id, figure, fresh, taken)
    if there == record.blob_hash:
        return [] if figure == record else _write_out(facts, file_id, figure, taken)
    if figure.blob_hash == there:
        return [Know(file_id)] if figure.path == record.path else _write_out(facts, file_id, figure, taken)
    if figure.blob_hash == record.blob_hash:
        return [TakeContent(file_id, record.path)]
    return _write_out(facts, file_id, figure, taken)  # renamed as well, the one on disk keeps the name it has


def _gone(facts: FigureFacts, file_id: str, figure: Figure, fresh: list[str], taken: set[str]) -> list[FigureStep]:
    """The file is no longer where it was; takes out of `fresh` the one that it has become."""
    record = facts.records[file_id]
    if figure != record and facts.disk.get(figure.path) == figure.blob_hash:
        return [Know(file_id)]
    ours = {record.blob_hash, figure.blob_hash}  # the latter was written here, and a crash came before the note
    twin = next((path for path in fresh if facts.disk[path] in ours), None)
    if twin is not None:  # also where somebody else renamed it too, or changed it, which is written there next
        fresh.remove(twin)
        return [RenameFigure(file_id, twin)]
    if (path := _twin_in_the_way(facts, ours)) is not None:
        return [RenameBeside(file_id, _free_name(path, taken))]
    if figure != record:
        return _write_out(facts, file_id, figure, taken)
    return [RemoveFigure(file_id)] if facts.is_whole else []


def _twin_in_the_way(facts: FigureFacts, ours: Collection[str]) -> str | None:
    """Return where one of these contents was put under a name at which another content is to be written."""
    known = {record.path for record in facts.records.values()}
    for figure in facts.document.values():
        there = facts.disk.get(figure.path)
        if there in ours and there != figure.blob_hash and figure.path not in {*known, *facts.unsettled}:
            return figure.path
    return None


def _write_out(facts: FigureFacts, file_id: str, figure: Figure, taken: set[str]) -> list[FigureStep]:
    """Write a file out once its content is here; what lies at its path and is nobody's is kept under another name."""
    if figure.blob_hash in facts.lacking:
        return []
    there = facts.disk.get(figure.path)
    is_known = Figure(figure.path, there or "") in facts.records.values()
    if there is None or there == figure.blob_hash or is_known or _is_named(facts, there):
        return [WriteOut(file_id)]
    return [KeepBoth(figure.path, _free_name(figure.path, taken)), WriteOut(file_id)]


def _is_named(facts: FigureFacts, blob_hash: str) -> bool:
    return any(figure.blob_hash == blob_hash for figure in facts.document.values())


def _deleted(facts: FigureFacts, fresh: list[str]) -> list[FigureStep]:
    """Files that are in the document no more; takes out of `fresh` those that have another name now.

    Such a one is the same file again, so that two people who gave it a name do not make two of it.
    """
    steps: list[FigureStep] = []
    named = {figure.path for figure in facts.document.values()}
    for file_id, record in sorted(facts.records.items()):
        if file_id in facts.document or file_id in facts.returning or record.path in facts.unsettled:
            continue
        there = facts.disk.get(record.path)
        moved = (path for path in fresh if facts.disk[path] == record.blob_hash and path not in facts.left_out)
        if there is None and (twin := next(moved, None)) is not None:
            fresh.remove(twin)
            steps.append(BringBack(file_id, twin))
        elif there is None or record.path in named:
            steps.append(Forget(file_id))
        elif there == record.blob_hash:
            steps.append(DeleteOut(file_id))
        else:
            steps.append(BringBack(file_id, record.path))
    return steps


def _free_name(path: str, taken: set[str]) -> str:
    """Return a name beside `path` that nobody has, and take it."""
    name = next(name for name in names_beside(path) if name not in taken)
    taken.add(name)
    return name


def names_beside(path: str) -> Iterator[str]:
    """Yield names for what is to be kept beside a file."""
    pure = PurePosixPath(path)
    return (str(pure.with_name(f"{pure.stem} ({number}){pure.suffix}")) for number in count(2))
