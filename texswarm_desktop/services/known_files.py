"""What is known to be on the disk, of each file of a project, and what was in it before.

Knows neither the document nor the folder: whoever looked or wrote says what it found.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from texswarm_desktop.core.reconcile import Record, meant_by, stray
from texswarm_desktop.core.stale_saves import FormerState, FormerStates, former_state
from texswarm_desktop.services.disk_state import DiskState
from texswarm_desktop.services.mirrored_file import MirroredFile
from texswarm_desktop.services.replica_database import forget_record, put_former, put_record
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document.project_document import FileId


class KnownFiles:
    """Invariant: what is known here is in the replica, or queued for it, so that a start after any end knows it too.

    `files`: what is on the disk, by file id; `former`: what was in a file before, for who loaded it then. Both are read
    by others, and changed here.
    """

    def __init__(self, store: ReplicaStore) -> None:
        self._store = store
        self.files: dict[FileId, MirroredFile] = {}
        self.former: dict[FileId, FormerStates] = {}

    def load_former(self, former: Mapping[str, Sequence[FormerState]]) -> None:
        """Take in what was in files at the last time."""
        self.former = {FileId(file_id): FormerStates(tuple(states)) for file_id, states in former.items()}

    @property
    def paths(self) -> dict[str, str]:
        """Where the files are, by id."""
        return {file_id: file.path for file_id, file in self.files.items()}

    def former_of(self, file_id: FileId) -> FormerStates:
        """Return what was in a file before what is in it now."""
        return self.former.get(file_id, FormerStates())

    def know(self, file_id: FileId, file: MirroredFile, stored: Record | None = None) -> None:
        """Hear how a file is on the disk now; `stored`: what the replica has of it already."""
        self.files[file_id] = file
        if (double := FileId(stray(file_id, file.path))) in self.files:
            self.forget(double)
        if stored != file.record:
            self._store.put(put_record(file_id, file.record))

    def know_stray(self, file_id: FileId, file: MirroredFile) -> None:
        """Hear that a file is also where it is to go: nobody's now, and the next round removes it."""
        self.know(FileId(stray(file_id, file.path)), file)

    def written_again(self, touched: Mapping[str, DiskState]) -> None:
        """Hear that another program wrote files, by path, again as they were: only how they look is another."""
        for file_id, file in list(self.files.items()):
            if file.path in touched:
                self.files[file_id] = replace(file, state=touched[file.path])

    def forget(self, file_id: FileId) -> None:
        """Hear that a file is not on the disk, or is none of the project's."""
        self.files.pop(file_id, None)
        self._store.put(forget_record(file_id))

    def let_go_of_others(self, records: Mapping[str, Record], now: float) -> None:
        """Hear that the files of these records that are not known are not there any more."""
        for file_id in sorted(records.keys() - self.files.keys()):
            text = records[file_id].last_text
            if text is not None:
                self.before(FileId(meant_by(file_id)), former_state(text, now))
            self._store.put(forget_record(file_id))

    def let_go(self, file_id: FileId, now: float) -> None:
        """Hear that a file is not there any more; when it is again, an editor may still have what was in it."""
        if (file := self.files.get(file_id)) is not None:
            self.before(FileId(meant_by(file_id)), former_state(file.text, now))
        self.forget(file_id)

    def before(self, file_id: FileId, state: FormerState) -> None:
        """Hear what was in a file until now: an editor may have loaded it."""
        self.know_former(file_id, self.former_of(file_id).after(state))

    def know_former(self, file_id: FileId, former: FormerStates) -> None:
        """Hear what was in a file before, all of it."""
        before = self.former_of(file_id)
        if former != before:
            self.former[file_id] = former
            self._store.put(put_former(file_id, before.states, former.states))
