"""Does to the document what other programs did to its folder, step by step, and notes what is on the disk now.

What the steps are was decided before (`core.reconcile` at the opening, `core.disk_changes` while the folder is
watched). Writes nothing: what is to be written afterwards is told.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from texswarm_desktop.core.disk_changes import DiskStep, Foreign, ForgetFile, RewriteFile, TakeLate
from texswarm_desktop.core.reconcile import (
    Add,
    Discard,
    Known,
    Merge,
    Record,
    Remove,
    Rename,
    RestoreFile,
    SavedBefore,
    Step,
    meant_by,
)
from texswarm_desktop.core.stale_saves import former_state
from texswarm_desktop.services.disk_state import DiskFile
from texswarm_desktop.services.folder_intake import FolderIntake, MergedText, TextMerge
from texswarm_desktop.services.known_files import KnownFiles
from texswarm_desktop.services.mirrored_file import MirroredFile
from texswarm_desktop.services.mirrored_paths import MirroredPaths
from texswarm_desktop.services.project_folder import Look
from texswarm_desktop.services.spelling import Spelling
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.document.text_format import PLAIN
from texswarm_server.protocol.errors import KindNotTakenError


class StepTaker:
    """Invariant: the document has what another program wrote before that is known to be on the disk.

    The caller makes both durable together. `on_unwritten` hears of each file that the disk may not have as the document
    has it. While the folder `is_watched`, a file that is taken from another place is left there as one that is to go.
    """

    def __init__(
        self,
        document: ProjectDocument,
        paths: MirroredPaths,
        known: KnownFiles,
        intake: FolderIntake,
        *,
        on_unwritten: Callable[[FileId], None],
        wall_clock: Callable[[], float],
    ) -> None:
        self._document = document
        self._paths = paths
        self._known = known
        self._intake = intake
        self._on_unwritten = on_unwritten
        self._wall_clock = wall_clock
        self.spelling = Spelling(document, known)
        self.is_watched = False

    # ── at the opening ──────────────────────────────────────────────────────────────────────────────────

    def take_found(self, step: Step, records: Mapping[str, Record], found: Mapping[str, DiskFile]) -> None:
        """Take what was done to the folder while nobody looked."""
        match step:
            case Known(file_id, path):
                self._remember_written_over(file_id, records)
                self._know(FileId(file_id), path, found[path], records.get(file_id))
            case Merge(file_id, path, base):
                self._remember_written_over(file_id, records)
                self.merge(FileId(file_id), path, base, found[path], record=records.get(file_id))
            case Add(path):
                self.add(path, found[path])
            case Rename(file_id, path):
                self._document.rename_file(FileId(file_id), self._paths.shared(path))
                self._know(FileId(file_id), path, found[path], records[file_id])
            case RestoreFile(file_id, path, base):
                self._remember_written_over(file_id, records)
                self._restore(FileId(meant_by(file_id)), path, found[path])
                self.merge(FileId(meant_by(file_id)), path, base, found[path], record=records.get(file_id))
            case SavedBefore(file_id, path, base):
                self._take_saved_before(FileId(file_id), path, base, found[path])
            case Remove(file_id):
                self._document.remove_file(FileId(file_id))
            case Discard(path):
                # Left to the next round, which looks at the file once more.
                owner = next(file_id for file_id, record in records.items() if record.path == path)
                self._remember_written_over(owner, records)
                text = records[owner].text_before(found[path].state.digest)
                self._known.know_stray(FileId(meant_by(owner)), MirroredFile(path, text, PLAIN, found[path].state))

    def add(self, path: str, file: DiskFile) -> None:
        """Take a new file of another program's into the document."""
        assert file.decoded is not None
        text, spelling = file.decoded.text, file.decoded.format
        self._know(self._document.add_file(self._paths.shared(path), text, spelling=spelling), path, file)

    def merge(
        self,
        file_id: FileId,
        path: str,
        base: str | None,
        file: DiskFile,
        aside: Mapping[TextMerge, MergedText] = MappingProxyType({}),
        *,
        record: Record | None = None,
    ) -> None:
        """Carry what another program changed since `base` into the document; `aside`: what was compared before.

        `record`: what was known of the file at the last time.
        """
        order = self._text_merge(file_id, path, base, file)
        self._known.know_former(file_id, self._edit(order, aside.get(order)).former)
        self._hold(file_id, path, file, record)

    def _take_saved_before(self, file_id: FileId, path: str, base: str, file: DiskFile) -> None:
        self._known.know_former(file_id, self._edit(self._text_merge(file_id, path, base, file)).former)
        self._known.know_stray(file_id, MirroredFile(path, file.text or "", PLAIN, file.state))
        self._on_unwritten(file_id)

    def _remember_written_over(self, file_id: str, records: Mapping[str, Record]) -> None:
        """A crash came before it was noted what we wrote over; whether it came before we did is not known."""
        record = records.get(file_id)
        if record is not None and record.intent_text is not None and record.text is not None:
            self._known.before(FileId(meant_by(file_id)), former_state(record.text, self._wall_clock()))

    def _know(self, file_id: FileId, path: str, file: DiskFile, record: Record | None = None) -> None:
        text = file.decoded.text if file.decoded else ""
        if record is not None and record.digest == file.state.digest and record.text is not None:
            text = record.text
        spelled = self.spelling.found(file_id, file, record)
        self._known.know(file_id, MirroredFile(path, text, spelled, file.state), record)

    def _text_merge(self, file_id: FileId, path: str, base: str | None, file: DiskFile) -> TextMerge:
        ours, former = str(self._document.text(file_id)), self._known.former_of(file_id)
        return TextMerge(file_id, path, base, file.text or "", ours, former, self._wall_clock(), file.by_git)

    def _edit(self, order: TextMerge, merged: MergedText | None = None) -> MergedText:
        """Do to the document what a merge comes to; it is computed here where it was not aside."""
        merged = merged or order.merged()
        if merged.edits:
            edits = [(edit.start, edit.end, edit.new) for edit in merged.edits]
            self._document.text(order.file_id).merge_cp(edits)
        return merged

    # ── while it is watched ─────────────────────────────────────────────────────────────────────────────

    def take_seen(self, step: DiskStep, look: Look, merged: Mapping[TextMerge, MergedText]) -> None:
        """Take what a look has shown; raises FilePathError. `merged`: texts that were compared aside."""
        found = look.changed
        match step:
            case Merge(file_id, path, base):
                self.merge(FileId(file_id), path, base, found[path], merged)
            case RestoreFile(file_id, path, base):
                self._restore(FileId(file_id), path, found[path])
                self.merge(FileId(file_id), path, base, found[path])
            case TakeLate(file_id, path, base, name):
                self._take_late(FileId(file_id), path, base, look.late[name])
                self._intake.taken(name, look.late[name])
            case Add(path):
                self.add(path, found[path])
            case Rename(file_id, path):
                self._rename(FileId(file_id), path, found[path])
            case Remove(file_id):
                self._known.let_go(FileId(file_id), self._wall_clock())
                self._document.remove_file(FileId(file_id))
            case RewriteFile(file_id):
                self._known.let_go(FileId(file_id), self._wall_clock())
                self._on_unwritten(FileId(file_id))
            case ForgetFile(file_id):
                self._known.let_go(FileId(file_id), self._wall_clock())
            case Foreign(path):
                raise KindNotTakenError(f"{path}: another program put something there")

    def _take_late(self, file_id: FileId, path: str, base: str, file: DiskFile) -> None:
        self._restore(file_id, path, file)
        self._edit(self._text_merge(file_id, path, base, file))
        # What the program has in it from now on.
        self._known.before(file_id, former_state(file.text or "", self._wall_clock()))
        self._on_unwritten(file_id)

    def _restore(self, file_id: FileId, path: str, file: DiskFile) -> None:
        """Have a file in the document again that was deleted in it, spelled as it was found."""
        if file_id not in self._document.files:
            shared = self._document.free_path(self._paths.shared(path))
            spelling = file.decoded.format if file.decoded is not None else None
            self._document.add_file(shared, file_id=file_id, spelling=spelling)

    def _hold(self, file_id: FileId, path: str, file: DiskFile, record: Record | None = None) -> None:
        """The file at `path` is this one, and is as it was found there."""
        old = self._known.files.get(file_id)
        if old is not None and old.path != path and self.is_watched:
            self._known.know_stray(file_id, old)
        self._known.know(
            file_id, MirroredFile(path, file.text or "", self.spelling.found(file_id, file, record), file.state)
        )
        self._on_unwritten(file_id)

    def _rename(self, file_id: FileId, path: str, file: DiskFile) -> None:
        """Only the name: what else is another one follows as a merge, and has the old text as its base."""
        self._document.rename_file(file_id, self._document.free_path(self._paths.shared(path)))
        spelled = self.spelling.found(file_id, file)
        self._known.know(file_id, replace(self._known.files[file_id], path=path, state=file.state, format=spelled))
        self._on_unwritten(file_id)
