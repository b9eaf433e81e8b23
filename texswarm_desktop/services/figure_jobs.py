"""What is done with the figures of a folder in jobs, as it blocks: copying them in, and writing them out.

Knows neither the document nor what is to be done: it is given orders, and says what came of each.
"""

from collections.abc import Collection, Mapping

import msgspec

from texswarm_desktop.services.figure_folder import FigureFolder
from texswarm_desktop.services.figure_record import FigureRecord
from texswarm_desktop.services.replaced_figures import ReplacedFigure
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.document.project_document import FileId
from texswarm_server.protocol.errors import (
    BlobContentError,
    ChangedOnDiskError,
    NotReadableError,
    RejectedError,
    TexSwarmError,
)
from texswarm_server.protocol.ids import BlobHash


class FigureOrder(msgspec.Struct, frozen=True):
    """A file to be written (`blob`) or deleted.

    `expected`: what we know to be at `path`, None for nothing; `whose`: which file of the project that is.
    """

    file_id: FileId
    path: str
    blob: BlobRef | None
    expected: FigureRecord | None
    old: FigureRecord | None = None
    whose: FileId | None = None


class FiguresDone(msgspec.Struct):
    """What came of orders: the new record of a file, None when it is gone from the disk."""

    records: dict[FileId, FigureRecord | None] = msgspec.field(default_factory=dict)
    errors: dict[str, TexSwarmError] = msgspec.field(default_factory=dict)
    replaced: list[tuple[FileId, ReplacedFigure]] = msgspec.field(default_factory=list)
    damaged: set[BlobHash] = msgspec.field(default_factory=set)
    is_changed: bool = False


class FiguresTaken(msgspec.Struct):
    """What came of copying: files by path, those that were replaced by name, and why others were not copied.

    `beside`: those of the latter that are too large to be shared, and lie in the folder again.
    """

    files: dict[str, FigureRecord] = msgspec.field(default_factory=dict)
    late: dict[str, FigureRecord] = msgspec.field(default_factory=dict)
    beside: dict[str, FigureRecord] = msgspec.field(default_factory=dict)
    errors: dict[str, TexSwarmError] = msgspec.field(default_factory=dict)


class FigureJobs:
    """Works in one folder; one job at a time."""

    def __init__(self, folder: FigureFolder) -> None:
        self._folder = folder

    def take_in(
        self, paths: list[str], late: Mapping[str, ReplacedFigure], most_bytes: int, claimed: Collection[str]
    ) -> FiguresTaken:
        """Copy the files at `paths` among the contents, and `late` ones that were replaced, by name.

        `claimed`: paths of the project, where nothing that is too large is put beside.
        """
        taken = FiguresTaken()
        for name, figure in late.items():
            try:
                self._take_in_late(taken, name, figure, most_bytes, claimed)
            except TexSwarmError as error:
                taken.errors[name] = error
        for path in paths:
            try:
                taken.files[path] = self._folder.take_in(path, most_bytes)
            except TexSwarmError as error:
                taken.errors[path] = error
        return taken

    def _take_in_late(
        self, taken: FiguresTaken, name: str, figure: ReplacedFigure, most_bytes: int, claimed: Collection[str]
    ) -> None:
        try:
            taken.late[name] = self._folder.take_in_replaced(figure, most_bytes)
        except RejectedError:
            taken.beside[name] = self._folder.put_replaced_beside(figure, claimed)

    def carry_out(self, orders: list[FigureOrder], claimed: Collection[str]) -> FiguresDone:
        """Write and delete; one file that cannot be written must not keep the others from it."""
        done = FiguresDone()
        for order in orders:
            try:
                self._carry_out_one(order, claimed, done)
            except ChangedOnDiskError:
                done.is_changed = True
            except TexSwarmError as error:
                done.errors[order.path] = error
                if order.blob is not None and isinstance(error, BlobContentError | NotReadableError):
                    done.damaged.add(order.blob.blob_hash)
        return done

    def _carry_out_one(self, order: FigureOrder, claimed: Collection[str], done: FiguresDone) -> None:
        if order.blob is None:
            self._folder.remove(order.path, expected=order.expected)
            done.records[order.file_id] = None
        else:
            self._write_out(order, order.blob, order.old, claimed, done)
        self._keep_replaced(order.whose or order.file_id, done)

    def _write_out(
        self, order: FigureOrder, blob: BlobRef, old: FigureRecord | None, claimed: Collection[str], done: FiguresDone
    ) -> None:
        """What is to go under the old name may have another one by now, and is that file then: a look will tell."""
        if old is None or old.path in {order.path, *claimed}:
            done.records[order.file_id] = self._folder.write(order.path, blob, expected=order.expected)
        elif old.blob == blob and order.expected is None:
            done.records[order.file_id] = self._folder.move(old, order.path)
        else:
            self._folder.check(old)
            done.records[order.file_id] = self._folder.write(order.path, blob, expected=order.expected)
            self._keep_replaced(order.whose or order.file_id, done)
            self._folder.remove(old.path, expected=old)
            self._keep_replaced(order.file_id, done)

    def _keep_replaced(self, file_id: FileId, done: FiguresDone) -> None:
        done.replaced += [(file_id, figure) for figure in self._folder.replaced]
        self._folder.replaced.clear()
