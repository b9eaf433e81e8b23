"""What to do when a project is opened: other programs may have changed its folder while nobody looked.

Three views of every file are compared: what we last wrote (`Record`), what is on disk now (`Found`), and what the
document says. A write that a crash cut short shows by its intent: the digest of what was about to be written. So does
a deletion of ours (`NOTHING`), and what another program has put there since lacks nothing that somebody took out.

Nothing is decided by time. A file is taken out of the project only if it was written by us, is gone from a folder
that still has other text, and nobody edited it since.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from texswarm_desktop.core.former_names import Left
from texswarm_desktop.core.renames import ALIKE, Mirrored, Seen, likeness, renamed
from texswarm_desktop.core.text_bytes import DecodedText
from texswarm_desktop.core.text_merge import common_lines
from texswarm_server.document.text_format import PLAIN, TextFormat

#: The intent to delete a file; no file has this digest.
NOTHING: Final = b""
_STRAY: Final = " was "


class Record(msgspec.Struct, frozen=True):
    """What we last wrote for a file. `text` and `digest` are None before the first time.

    `intent` and `intent_text`: what was about to be written, see above; the text is None where that is nothing.
    """

    path: str
    text: str | None = None
    format: TextFormat = PLAIN
    digest: bytes | None = None
    intent: bytes | None = None
    intent_text: str | None = None

    @property
    def digests(self) -> set[bytes]:
        """What the file is known by, if nobody else wrote in it."""
        return {digest for digest in (self.digest, self.intent) if digest is not None}

    @property
    def last_text(self) -> str | None:
        """What was in the file, as far as is known, before another program wrote in it."""
        return self.text if self.intent_text is None else self.intent_text

    @property
    def base(self) -> str | None:
        """What another program changed, if it changed what we wrote: what was never noted as written may not be."""
        return None if self.digest is None else self.last_text

    def text_before(self, digest: bytes) -> str:
        """Return what a file that now has this digest was made from: of a write that was cut short, what it shows."""
        was_written = self.text is None or digest != self.digest
        return (self.last_text if was_written else self.text) or ""


class Found(msgspec.Struct, frozen=True):
    """A file on disk; `decoded` is None when it is not text."""

    digest: bytes
    decoded: DecodedText | None


class Known(msgspec.Struct, frozen=True):
    """The file at `path` is as we left it (or as the document says)."""

    file_id: str
    path: str


class Merge(msgspec.Struct, frozen=True):
    """Another program changed the file at `path`: carry the difference to `base` into the document.

    `base` is None where nothing is known of how the two came about: what they have in common is there once.
    """

    file_id: str
    path: str
    base: str | None


class Add(msgspec.Struct, frozen=True):
    """Another program made this file."""

    path: str


class Rename(msgspec.Struct, frozen=True):
    """Another program gave the file another name; what it changed besides follows as a merge.

    Another file of the document may be on its way to that name: then this one has a number behind its own.
    """

    file_id: str
    path: str


class SavedBefore(msgspec.Struct, frozen=True):
    """An editor saved the file once more under the name it had before: carry what is new in it into the document.

    The file itself is where it is; the one at `path` goes. `base`: what was there when the file was given another name.
    """

    file_id: str
    path: str
    base: str


class Remove(msgspec.Struct, frozen=True):
    """Another program deleted the file."""

    file_id: str


class Discard(msgspec.Struct, frozen=True):
    """A file we wrote, untouched since, that the document does not have there any more: delete it from the disk."""

    path: str


class RestoreFile(msgspec.Struct, frozen=True):
    """Deleted in the document, but somebody wrote in it on disk, or renamed it: bring it back, with what was changed.

    `base`: what was in it before.
    """

    file_id: str
    path: str
    base: str


Step = Known | Merge | Add | Rename | SavedBefore | RestoreFile | Remove | Discard


def stray(file_id: str, path: str) -> str:
    """Return an id for a file of the project that is also under a `path` where it is to go."""
    return f"{file_id}{_STRAY}{path}"


def meant_by(file_id: str) -> str:
    """Return the id of the file that an id, of a stray one perhaps, means."""
    return file_id.partition(_STRAY)[0]


def reconcile(
    records: Mapping[str, Record],
    found: Mapping[str, Found],
    document: Mapping[str, tuple[str, str]],
    former: Callable[[str], tuple[str, ...]] = lambda _: (),
    left: Mapping[str, Left] = MappingProxyType({}),
) -> list[Step]:
    """Return what is to be done. `records` and `document` (path, text) are by file id, `found` is by path.

    `former` returns by file id what was in a file before; `left`: by path, files that were there before.

    Files of the document that no step names are written out as usual.
    """
    steps: list[Step] = []
    gone: list[str] = []
    others = _others(records, found, document)
    known = {path for path, _ in document.values()} - others
    ours = _as_written(records, found, document)
    for file_id, (path, text) in document.items():
        record = records.get(file_id)
        if path in found and path not in others:
            steps += _compared(file_id, path, text, record, found[path])
        is_anothers = path in others and record is not None and record.path == path
        if record is not None and not is_anothers and _was_changed_elsewhere(record, found, known):
            # Its new name is for the next round.
            is_gone_there = path in found and record.intent is not None
            base = _shown(record.base, found[record.path]) if is_gone_there else record.base
            steps.append(Merge(file_id, record.path, base))
            known.add(record.path)
        elif (
            path not in found
            and record is not None
            and record.digests
            and (_is_not_at_its_place(record, found, ours) or _was_taken_along(record, found, known))
        ):
            gone.append(file_id)
    for file_id in sorted(records.keys() - document.keys()):
        record = records[file_id]
        if _was_changed_elsewhere(record, found, known):
            kind = Merge if meant_by(file_id) in document else RestoreFile
            steps.append(kind(meant_by(file_id), record.path, _base_of_deleted(record, found[record.path])))
            known.add(record.path)
        elif record.digests and record.path not in found:
            gone.append(file_id)
    left_over = sorted(path for path in found.keys() - known if _is_left_over(records.values(), path, found[path]))
    steps += [Discard(path) for path in left_over]
    fresh = [path for path in sorted(found.keys() - known - set(left_over)) if found[path].decoded is not None]
    lost = {one: _mirrored(records[one], former(one) if fresh else ()) for one in gone}
    steps += _moved(lost, fresh, records, found, document)
    return steps + [_fresh(path, _text_in(found[path]) or "", left.get(path), document) for path in fresh]


def _fresh(path: str, text: str, left: Left | None, document: Mapping[str, object]) -> Step:
    """What is new may be what an editor saved under a former name. An empty file does not tell one from another."""
    if left is None or not left.text.strip() or not left.loaded_for(text):
        return Add(path)
    kind = SavedBefore if left.file_id in document else RestoreFile
    return kind(left.file_id, path, left.base_of(text))


def _others(
    records: Mapping[str, Record], found: Mapping[str, Found], document: Mapping[str, tuple[str, str]]
) -> set[str]:
    """Return paths of the document at which another file of the project is yet: what was written there is its text.

    A file that was about to be written there, and was not as far as is known, is not there.
    """
    belong = {path: file_id for file_id, (path, _) in document.items()}
    were = {one.path for file_id, one in records.items() if one.digests and belong.get(one.path) != file_id}
    stay = {
        path
        for file_id, (path, _) in document.items()
        if path in found and (record := records.get(file_id)) is not None and record.path == path
        if record.digest is not None or found[path].digest == record.intent
    }
    shown = {path for path, text in document.values() if path in found and _text_in(found[path]) == text}
    return {path for path, _ in document.values() if path in found} & were - stay - shown


def _as_written(
    records: Mapping[str, Record], found: Mapping[str, Found], document: Mapping[str, tuple[str, str]]
) -> set[str]:
    """Return paths of the document at which the file is that belongs there, as we wrote it."""
    here = {path: records[file_id] for file_id, (path, _) in document.items() if file_id in records and path in found}
    return {path for path, record in here.items() if found[path].digest in record.digests}


def _is_not_at_its_place(record: Record, found: Mapping[str, Found], ours: Collection[str]) -> bool:
    """Nothing is there any more, or another file of ours, for which this one made room."""
    there = found.get(record.path)
    return there is None or (record.path in ours and there.digest not in record.digests)


def _text_in(found: Found) -> str | None:
    return found.decoded.text if found.decoded is not None else None


def _compared(file_id: str, path: str, text: str, record: Record | None, found: Found) -> list[Step]:
    if record is not None and found.digest in record.digests:
        return [Known(file_id, path)]
    if found.decoded is None:
        return []
    if found.decoded.text == text:
        return [Known(file_id, path)]
    return [Merge(file_id, path, record.base if record and record.path == path else None)]


def _was_changed_elsewhere(record: Record, found: Mapping[str, Found], known: Collection[str]) -> bool:
    """The document has another name for it, which is not on the disk yet, and another program wrote under the old."""
    there = found.get(record.path)
    if there is None or there.decoded is None or record.path in known or not record.digests:
        return False
    return there.digest not in record.digests


def _base_of_deleted(record: Record, found: Found) -> str:
    """Say what another program changed of a file that the document has no more, and that we may have deleted."""
    base = record.text_before(found.digest)
    return (_shown(base, found) if record.intent == NOTHING else base) or ""


def _shown(base: str | None, found: Found) -> str | None:
    """Return as much of a base as is in a file that came after we took away the one that had it.

    What is not in it was taken out by nobody: `git checkout` writes what it has.
    """
    text = _text_in(found)
    return base if base is None or text is None else common_lines(base, text)


def _was_taken_along(record: Record, found: Mapping[str, Found], known: Collection[str]) -> bool:
    """A crash came after the file was written under its new name, and another program moved it on from there.

    What is under the old name is what was there before: we had not come to delete it, or `git checkout` wrote it.
    """
    if record.text is None or record.intent_text is None or record.path in known:
        return False
    fresh = [one.decoded.text for path, one in found.items() if path not in {*known, record.path} and one.decoded]
    return any(likeness(record.text, one) < likeness(record.intent_text, one) >= ALIKE for one in fresh)


def _is_left_over(records: Iterable[Record], path: str, found: Found) -> bool:
    """A crash came between the change of the tree and the deletion."""
    return any(record.path == path and found.digest in record.digests for record in records)


def _moved(
    gone: Mapping[str, Mirrored],
    fresh: list[str],
    records: Mapping[str, Record],
    found: Mapping[str, Found],
    document: Mapping[str, tuple[str, str]],
) -> list[Step]:
    """A file that is gone and a new one may be one file under another name: it is taken out of `fresh`."""
    steps: list[Step] = []
    twins = renamed(gone, {path: _seen(found[path]) for path in fresh})
    for file_id in gone:
        path, record = twins.get(file_id), records[file_id]
        if path is not None:
            fresh.remove(path)
        if file_id not in document:
            steps += [] if path is None else [RestoreFile(file_id, path, _base_of_deleted(record, found[path]))]
        elif path is not None:
            steps.append(Rename(file_id, path))
            if found[path].digest not in record.digests:
                steps.append(Merge(file_id, path, record.last_text or ""))
        elif found and document[file_id] == (record.path, record.text):
            steps.append(Remove(file_id))
    return steps


def _mirrored(record: Record, former: tuple[str, ...]) -> Mirrored:
    digest = record.intent or record.digest or b""
    before = [record.text] if record.intent_text is not None and record.text else []  # perhaps it was not written over
    return Mirrored(record.path, record.last_text or "", digest, former=(*before, *former))


def _seen(found: Found) -> Seen:
    return Seen(found.digest, None, found.decoded.text if found.decoded else None)
