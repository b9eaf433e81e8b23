"""One round of writing a project's files into its folder. Blocks, and decides nothing about what other programs did.

The edits become durable in the replica, together with what is about to be written or deleted; then each file is
written for itself: one that cannot be must not keep the others from it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import msgspec
from msgspec.structs import replace

from texswarm_desktop.core.former_names import Left
from texswarm_desktop.core.reconcile import meant_by
from texswarm_desktop.core.stale_saves import FormerState, former_state
from texswarm_desktop.core.text_bytes import encode_text, format_for
from texswarm_desktop.core.text_merge import whole_change
from texswarm_desktop.services.disk_state import DiskFile, ReplacedFile, digest_of
from texswarm_desktop.services.mirrored_file import MirroredFile
from texswarm_desktop.services.project_folder import ProjectFolder
from texswarm_desktop.services.replica_database import put_intent, put_removal
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document.project_document import FileId
from texswarm_server.document.text_format import TextFormat
from texswarm_server.protocol.errors import ChangedOnDiskError, FilePathError, NotWritableError, TexSwarmError


class FileWrite(msgspec.Struct, frozen=True):
    """A file to be written. `path`: on this disk; `old`: what we know of it; `there`: what is at `path`, and whose."""

    file_id: FileId
    path: str
    text: str
    format: TextFormat
    old: MirroredFile | None
    there: tuple[FileId, MirroredFile] | None


class WritingRound(msgspec.Struct, frozen=True):
    """What is to be done. `removals`: files that are to go; `taken`: all paths of the project on this disk.

    `make` and `unmake`: folders that are to be there, and those that are not; `kept`: those that stay without a file.
    While the folder `is_watched`, what another program did is left to a look, which waits until it is over.
    """

    writes: list[FileWrite]
    removals: Mapping[FileId, MirroredFile]
    taken: Collection[str]
    is_watched: bool
    make: Collection[str] = ()
    unmake: Collection[str] = ()
    kept: Collection[str] = ()


class Replaced(msgspec.Struct, frozen=True):
    """A file of which we took the place, or which we deleted, with the text that was in it."""

    file_id: FileId
    text: str
    file: ReplacedFile


class WritingOutcome(msgspec.Struct):
    """What a round found out. `files` has the new base of a file, or None when it is gone from the disk.

    `changed`: another program was there; None where it is still to be looked at. `refused`: names that no file here
    can have. `kept`: files to be deleted in which another program wrote. `former`: what was written over or deleted, in
    order; of one file that may be several texts, as it may have been at several places. `hindered`: by path, files and
    folders that could not be written or deleted now, and why. `made` and
    `unmade`: folders; `stuck`: those that something is in the way of. `avoided`: paths where
    another program was; `left`: by path, what is there no more; `replaced`: files that somebody may still have open.
    """

    files: dict[FileId, MirroredFile | None] = msgspec.field(default_factory=dict)
    changed: dict[FileId, DiskFile | None] = msgspec.field(default_factory=dict)
    failed: set[FileId] = msgspec.field(default_factory=set)
    refused: dict[FileId, FilePathError] = msgspec.field(default_factory=dict)
    kept: dict[FileId, MirroredFile] = msgspec.field(default_factory=dict)
    former: list[tuple[FileId, FormerState]] = msgspec.field(default_factory=list)
    made: set[str] = msgspec.field(default_factory=set)
    unmade: set[str] = msgspec.field(default_factory=set)
    stuck: set[str] = msgspec.field(default_factory=set)
    avoided: set[str] = msgspec.field(default_factory=set)
    left: dict[str, Left] = msgspec.field(default_factory=dict)
    replaced: list[Replaced] = msgspec.field(default_factory=list)
    hindered: dict[str, TexSwarmError] = msgspec.field(default_factory=dict)
    error: TexSwarmError | None = None

    def has_written(self, path: str) -> bool:
        """Say whether a file of ours was put at `path`."""
        return any(file is not None and file.path == path for file in self.files.values())

    @contextmanager
    def taking_errors(self, files: Mapping[FileId, str], *paths: str) -> Iterator[None]:
        """Note what goes wrong with files that are to be written, by id, and with what else is at `paths`."""
        try:
            yield
        except FilePathError as error:
            self.refused.update(dict.fromkeys(files, error))
        except TexSwarmError as error:
            self.error = error
            self.failed.update(files)
            self.hindered.update(dict.fromkeys([*files.values(), *paths], error))


class FolderWriter:
    """Writes into one folder."""

    def __init__(self, folder: ProjectFolder, store: ReplicaStore, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._store = store
        self._clock = clock

    def run(self, order: WritingRound) -> WritingOutcome:
        """Do a round."""
        outcome = WritingOutcome()
        data = {write.file_id: encode_text(write.text, write.format) for write in order.writes}
        for write in order.writes:
            change = whole_change(write.old.text if write.old is not None else "", write.text)
            self._store.enqueue(put_intent(write.file_id, write.path, digest_of(data[write.file_id]), change))
        for file_id in order.removals:
            self._store.enqueue(put_removal(file_id))
        with outcome.taking_errors({write.file_id: write.path for write in order.writes}):
            self._store.commit_now()
            self._folder.check_ours()
        if outcome.error is not None:
            return outcome
        for write in order.writes:
            with outcome.taking_errors({write.file_id: write.path}):
                self._write(outcome, order, write, data[write.file_id])
        for file_id, base in order.removals.items():
            with outcome.taking_errors({}, base.path):
                self._remove(outcome, order, file_id, base)
        self._keep_folders(outcome, order)
        return outcome

    def _keep_folders(self, outcome: WritingOutcome, order: WritingRound) -> None:
        for folder in sorted(order.make):
            with outcome.taking_errors({}, folder):
                self._folder.make_folder(folder)
                outcome.made.add(folder)
        for folder in sorted(order.unmake, reverse=True):
            with outcome.taking_errors({}, folder):
                if self._folder.remove_folder(folder, kept=order.kept):
                    outcome.unmade.add(folder)
        outcome.stuck = {*order.make, *order.unmake} - outcome.made - outcome.unmade

    def _remove(self, outcome: WritingOutcome, order: WritingRound, file_id: FileId, base: MirroredFile) -> None:
        """Another file may have the name by now; what another program wrote in the file keeps it.

        One that is gone already may be under another name, and is that file then: a look will tell.
        """
        is_known = base.path not in outcome.avoided
        if is_known and (base.path in order.taken or self._removes(outcome, order, file_id, base)):
            outcome.files[file_id] = None
        else:
            outcome.kept[file_id] = base

    def _removes(self, outcome: WritingOutcome, order: WritingRound, file_id: FileId, base: MirroredFile) -> bool:
        is_gone = self._folder.remove(base.path, expected=base.state, kept=order.kept, must_be_there=True)
        self._keep_replaced(outcome, (file_id, base))
        if is_gone:
            outcome.left[base.path] = Left(meant_by(file_id), base.text)
            self._note_former(outcome, FileId(meant_by(file_id)), base)  # it may come back
        return is_gone

    def _note_former(self, outcome: WritingOutcome, file_id: FileId, base: MirroredFile) -> None:
        outcome.former.append((file_id, former_state(base.text, self._clock())))

    def _keep_replaced(self, outcome: WritingOutcome, there: tuple[FileId, MirroredFile] | None) -> None:
        if there is not None:
            file_id, base = there
            outcome.replaced += [Replaced(FileId(meant_by(file_id)), base.text, file) for file in self._folder.replaced]
        self._folder.replaced.clear()

    def _write(self, outcome: WritingOutcome, order: WritingRound, write: FileWrite, data: bytes) -> None:
        old, there = write.old, write.there
        try:
            if old is not None and old.path != write.path and not outcome.has_written(old.path):
                self._folder.check(old.path, expected=old.state, must_be_there=order.is_watched)
                if there is None and old.path not in order.taken:
                    old = self._moved(outcome, order, write, old)
                    there = (write.file_id, old) if old.path == write.path else None
            expected = there[1].state if there is not None else None
            state = self._folder.write(write.path, data, expected=expected, must_be_there=order.is_watched)
        except ChangedOnDiskError:
            outcome.avoided.add(write.path)
            outcome.changed[write.file_id] = None if order.is_watched else self._read_changed(write.path)
            return
        finally:
            self._keep_replaced(outcome, there)
        if there is not None and there[0] != write.file_id:
            outcome.left[write.path] = Left(meant_by(there[0]), there[1].text)
        if old is not None and old.text != write.text:
            self._note_former(outcome, write.file_id, old)
        outcome.files[write.file_id] = MirroredFile(write.path, write.text, format_for(write.text, write.format), state)
        if old is not None and old.path not in {write.path, *order.taken}:
            self._leave(outcome, order, write.file_id, old)

    def _moved(self, outcome: WritingOutcome, order: WritingRound, write: FileWrite, old: MirroredFile) -> MirroredFile:
        """Give the file its new name first: so it stays the file that another program may have open."""
        if not self._folder.move(old.path, write.path, expected=old.state, kept=order.kept):
            self._folder.check(old.path, expected=old.state, must_be_there=order.is_watched)
            return old
        outcome.left[old.path] = Left(write.file_id, old.text)
        outcome.files[write.file_id] = moved = replace(old, path=write.path)
        return moved

    def _leave(self, outcome: WritingOutcome, order: WritingRound, file_id: FileId, old: MirroredFile) -> None:
        """The file is under its new name; under the old one another program may have written in it."""
        if not self._removes(outcome, order, file_id, old):
            outcome.left[old.path] = Left(file_id, old.text)

    def _read_changed(self, path: str) -> DiskFile:
        file = self._folder.read(path)
        if file is None or file.decoded is None:
            raise NotWritableError(f"{path}: another program put something there that is not text")
        return file
