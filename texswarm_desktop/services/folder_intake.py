"""What other programs did to the folder, looked at until it has settled, and the merges it comes to.

Looks and compares in the executor; decides by `core.settling` and `core.disk_changes`. Changes nothing: the mirror
takes what comes out of here into the document.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from texswarm_desktop.core.disk_changes import DiskFacts
from texswarm_desktop.core.empty_folders import FolderFacts
from texswarm_desktop.core.reconcile import Merge
from texswarm_desktop.core.renames import Seen
from texswarm_desktop.core.settling import Change, Doubt, Sight, doubt_about, settle
from texswarm_desktop.core.stale_saves import FormerStates
from texswarm_desktop.core.text_merge import Edit, merge
from texswarm_desktop.services.mirrored_file import MirroredFile
from texswarm_desktop.services.project_folder import DiskFile, DiskState, Look, ProjectFolder
from texswarm_server.document.project_document import FileId, ProjectDocument

_NS: Final = 1e9


@dataclass(frozen=True, slots=True)
class Sighting:
    """A look at the folder, sorted: what can be taken now, and after how many seconds to look again, if at all.

    `came` and `went`: empty folders.
    """

    look: Look
    facts: DiskFacts
    again_s: float | None
    came: frozenset[str] = frozenset()
    went: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TextMerge:
    """Three states of one text; `ours` is the document's. `former`: what was in the file before `base`."""

    file_id: FileId
    base: str
    theirs: str
    ours: str
    former: FormerStates

    def edits(self) -> list[Edit]:
        """Return what is to be done to the document; takes a while for a large text."""
        return merge(self.former.base_of(self.theirs, self.base), self.theirs, self.ours)


class FolderIntake:
    """Belongs to the loop, except `look`, which blocks. Remembers only what it is waiting for."""

    def __init__(
        self,
        folder: ProjectFolder,
        document: ProjectDocument,
        paths: Callable[[], Mapping[FileId, str]],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._document = document
        self._paths = paths
        self._clock, self._wall_clock = clock, wall_clock
        self._suspects: set[str] = set()
        self._sights: Mapping[str, Sight] = {}
        self.is_wanted = False

    def hint(self, paths: Iterable[Path] = ()) -> None:
        """Want a look, at these files with more care than at others."""
        self.is_wanted = True
        for path in paths:
            if path.is_relative_to(self._folder.root):
                self._suspects.add(path.relative_to(self._folder.root).as_posix())

    def begin(self, known: Mapping[str, DiskState]) -> Callable[[], Look]:
        """Return the look, to be taken in the executor."""
        suspects, self._suspects = self._suspects | self._sights.keys(), set()
        self.is_wanted = False
        expected = set(self._paths().values())
        return lambda: self._folder.look(known, suspects, expected=expected)

    def sort(self, look: Look, files: Mapping[FileId, MirroredFile], folders: FolderFacts) -> Sighting:
        """Say what of a look can be taken."""
        owners = {file.path: file_id for file_id, file in files.items()}
        came, went = folders.came(look.empty), folders.went(look.there)
        changes = self._changes(look, {path: files[owner] for path, owner in owners.items()})
        changes |= {f"{folder}/": Change(folder in came, Doubt.GONE) for folder in came | went}
        settled = settle(self._sights, changes, self._clock())
        self._sights = settled.waiting
        gone = {owners[path] for path in look.gone & settled.ready if path in owners}
        changed = {path: _seen(look.changed[path]) for path in look.changed.keys() & settled.ready}
        if look.gone - settled.ready:  # one of the new files may be the one that is about to be gone
            changed = {path: seen for path, seen in changed.items() if path in owners}
        came, went = ({one for one in some if f"{one}/" in settled.ready} for some in (came, went))
        facts = self._facts(files, changed, gone, look.left_out)
        return Sighting(look, facts, settled.again_s, frozenset(came), frozenset(went))

    def _changes(self, look: Look, files: Mapping[str, MirroredFile]) -> dict[str, Change]:
        now_ns = self._wall_clock() * _NS
        changes: dict[str, Change] = {}
        for path, file in look.changed.items():
            known = files[path].text if path in files else None
            doubt = doubt_about(known, file.decoded.text if file.decoded else None)
            changes[path] = Change(file.state, doubt, (now_ns - file.state.stamp.modified_ns) / _NS)
        arrived = {file.state.digest for path, file in look.changed.items() if path not in files}
        for path in look.gone & files.keys():
            has_moved = files[path].state.digest in arrived
            changes[path] = Change(None, Doubt.NONE if has_moved else Doubt.GONE)
        return changes

    def _facts(
        self,
        files: Mapping[FileId, MirroredFile],
        changed: Mapping[str, Seen],
        gone: Collection[FileId],
        ignored: Collection[str],
    ) -> DiskFacts:
        paths = self._paths()
        return DiskFacts(
            mirrored={file_id: file.mirrored for file_id, file in files.items()},
            document=dict[str, str](paths.items()),
            changed=changed,
            gone=gone,
            edited={
                file_id
                for file_id in gone
                if file_id in paths and str(self._document.text(file_id)) != files[file_id].text
            },
            ignored=ignored,
        )

    def merges(
        self, sighting: Sighting, steps: Iterable[object], former: Mapping[FileId, FormerStates]
    ) -> list[TextMerge]:
        """Return the texts to be merged for `steps`, as they are now; `former`: what their files held before."""
        return [
            TextMerge(
                FileId(step.file_id),
                step.base,
                sighting.facts.changed[step.path].text or "",
                str(self._document.text(FileId(step.file_id))),
                former.get(FileId(step.file_id), FormerStates()),
            )
            for step in steps
            if isinstance(step, Merge)
        ]

    def is_fresh(self, merges: Iterable[TextMerge]) -> bool:
        """Say whether nobody wrote in these texts since."""
        files = self._document.text_files
        return all(one.file_id in files and str(self._document.text(one.file_id)) == one.ours for one in merges)


def all_edits(merges: Iterable[TextMerge]) -> dict[FileId, list[Edit]]:
    """Return the edits of each merge; for the executor."""
    return {one.file_id: one.edits() for one in merges}


def _seen(file: DiskFile) -> Seen:
    return Seen(file.state.digest, file.state.stamp.inode, file.decoded.text if file.decoded else None)
