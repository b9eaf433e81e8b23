"""What other programs did to the folder, looked at until it has settled, and the merges it comes to.

Looks and compares in the executor; decides by `core.settling` and `core.disk_changes`. Changes nothing: the mirror
takes what comes out of here into the document.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from texswarm_desktop.core.disk_changes import DiskFacts, DiskStep, LateSave, disk_steps
from texswarm_desktop.core.empty_folders import FolderFacts
from texswarm_desktop.core.former_names import Left
from texswarm_desktop.core.reconcile import Merge
from texswarm_desktop.core.renames import Mirrored, Seen
from texswarm_desktop.core.settling import Change, Doubt, Sight, doubt_about, settle
from texswarm_desktop.core.stale_saves import FormerStates, former_state
from texswarm_desktop.core.text_merge import Edit, common_lines, merge
from texswarm_desktop.services.disk_state import DiskFile, DiskState
from texswarm_desktop.services.folder_writer import Replaced
from texswarm_desktop.services.git_hand import marked_by_git
from texswarm_desktop.services.mirrored_file import MirroredFile
from texswarm_desktop.services.project_folder import Look, ProjectFolder
from texswarm_desktop.services.replaced_files import ReplacedFiles
from texswarm_server.document.project_document import FileId, ProjectDocument

_NS: Final = 1e9
#: How many places are remembered where a file was.
_MOST_LEFT: Final = 200


class Sighting(msgspec.Struct, frozen=True):
    """A look at the folder, sorted: what can be taken now, and after how many seconds to look again, if at all.

    `changed`, `gone` and `late` as in `DiskFacts`; `came` and `went`: empty folders.
    """

    look: Look
    changed: Mapping[str, Seen]
    gone: Set[FileId]
    late: Mapping[str, LateSave]
    again_s: float | None
    came: frozenset[str] = frozenset()
    went: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TextMerge:
    """Three states of one text; `ours` is the document's. `former`: what was in the file before `base`.

    `is_known`: whoever wrote `theirs` knew of `base`, and loaded nothing before.
    """

    file_id: FileId
    path: str
    base: str | None
    theirs: str
    ours: str
    former: FormerStates
    now: float = field(compare=False)
    is_known: bool = False

    def merged(self) -> "MergedText":
        """Return what is to be done to the document; takes a while for a large text."""
        if self.base is None:
            base = common_lines(self.theirs, self.ours)
            return MergedText(merge(base, self.theirs, self.ours), self.former)
        former = self.former
        base = self.base if self.is_known else former.base_of(self.theirs, self.base, self.now)
        if base != self.base:  # what was in the file is written over, and whoever loaded that may save it yet
            former = former.after(former_state(self.base, self.now))
        return MergedText(merge(base, self.theirs, self.ours), former.carried(base, self.theirs))


class MergedText(msgspec.Struct, frozen=True):
    """Edits on a text of the document, and what was in its file before."""

    edits: list[Edit]
    former: FormerStates


class FolderIntake:
    """Belongs to the loop, except `look`, which blocks. Remembers only what it is waiting for."""

    def __init__(
        self,
        folder: ProjectFolder,
        document: ProjectDocument,
        paths: Callable[[], Mapping[FileId, str]],
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._document = document
        self._paths = paths
        self._clock, self._wall_clock = clock, wall_clock
        self._suspects: set[str] = set()
        self._sights: dict[str, Sight] = {}
        self._replaced = ReplacedFiles()
        self._left: dict[str, Left] = {}
        self.is_wanted = False

    def hint(self, paths: Iterable[Path] = ()) -> None:
        """Want a look, at these files with more care than at others."""
        self.is_wanted = True
        for path in paths:
            if path.is_relative_to(self._folder.root):
                self._suspects.add(path.relative_to(self._folder.root).as_posix())

    def keep(self, files: Iterable[Replaced]) -> None:
        """Go on looking for a while into files that are no more."""
        self._replaced.keep(files, self._clock())

    def remember(self, left: Mapping[str, Left]) -> None:
        """Know a file again that is saved where it was; the latest ones."""
        for path, one in left.items():
            self._left.pop(path, None)
            self._left[path] = one
        while len(self._left) > _MOST_LEFT:
            del self._left[next(iter(self._left))]

    def taken(self, name: str, file: DiskFile) -> None:
        """Hear that what was written to a file that is no more is in the document."""
        self._replaced.taken(name, file, self._clock())

    def close(self) -> None:
        """Look no more."""
        self._replaced.close()

    def begin(self, known: Mapping[str, DiskState]) -> Callable[[], Look]:
        """Return the look, to be taken in the executor."""
        suspects, self._suspects = self._suspects | self._sights.keys(), set()
        self.is_wanted = False
        expected = set(self._paths().values())
        figures = {entry.path for entry in self._document.blob_files.values()}
        replaced = self._replaced.look()

        def look() -> Look:
            found = self._folder.look(known, suspects, expected=expected, figures=figures)
            found.late.update(replaced())
            found.changed.update(marked_by_git(self._folder.root, found.changed))
            return found

        return look

    def sort(self, look: Look, files: Mapping[FileId, MirroredFile], folders: FolderFacts) -> Sighting:
        """Say what of a look can be taken."""
        owners = {file.path: file_id for file_id, file in files.items()}
        came, went = folders.came(look.empty), folders.went(look.there) if not look.closed else set[str]()
        changes = self._changes(look, {path: files[owner] for path, owner in owners.items()})
        changes |= {f"{folder}/": Change(folder in came, Doubt.GONE) for folder in came | went}
        settled = settle(self._sights, changes, self._clock())
        self._sights = settled.waiting
        gone = {owners[path] for path in look.gone & settled.ready if path in owners}
        changed = {path: _seen(look.changed[path]) for path in look.changed.keys() & settled.ready}
        if look.closed or (look.gone & owners.keys() | look.changed.keys()) - settled.ready:
            # One that is new may be one that is gone, or one that something else took the place of; and one that is
            # gone may be in a folder that cannot be looked into.
            changed, gone = {path: seen for path, seen in changed.items() if path in owners}, set()
            held = settled.ready & (look.gone | look.changed.keys()) - changed.keys()
            self._sights |= {path: settled.sights[path] for path in held}
        came, went = ({one for one in some if f"{one}/" in settled.ready} for some in (came, went))
        late = self._replaced.saves(look.late.keys() & settled.ready, look.late)
        self._replaced.drop_old(self._clock(), kept={*settled.waiting, *late})
        return Sighting(look, changed, gone, late, settled.again_s, frozenset(came), frozenset(went))

    def _changes(self, look: Look, files: Mapping[str, MirroredFile]) -> dict[str, Change]:
        now_ns = self._wall_clock() * _NS
        changes: dict[str, Change] = {}
        moved = {files[path].state.stamp.inode: files[path].text for path in look.gone & files.keys()}
        for path, file in look.changed.items():
            # One that was given another name may be being saved under it.
            known = files[path].text if path in files else moved.get(file.state.stamp.inode)
            doubt = doubt_about(known, file.decoded.text if file.decoded else None)
            changes[path] = Change(file.state, doubt, (now_ns - file.state.stamp.modified_ns) / _NS)
        arrived = {file.state.digest for path, file in look.changed.items() if path not in files}
        for name, file in look.late.items():
            doubt = doubt_about(self._replaced.text_of(name), file.text)
            changes[name] = Change(file.state, doubt, (now_ns - file.state.stamp.modified_ns) / _NS)
        for path in look.gone & files.keys():
            has_moved = files[path].state.digest in arrived
            changes[path] = Change(None, Doubt.NONE if has_moved else Doubt.GONE)
        return changes

    def steps(
        self, sighting: Sighting, files: Mapping[FileId, MirroredFile], former: Mapping[FileId, FormerStates]
    ) -> list[DiskStep]:
        """Decide what is to be done, as the document is at this moment."""
        paths = self._paths()
        mirrored = {file_id: file.mirrored for file_id, file in files.items()}
        for file_id in sighting.gone & former.keys():
            mirrored[file_id] = replace(mirrored[file_id], former=former[file_id].some)
        return disk_steps(
            DiskFacts(
                mirrored=dict[str, Mirrored](mirrored.items()),
                document=dict[str, str](paths.items()),
                changed=sighting.changed,
                gone=sighting.gone,
                edited={
                    file_id
                    for file_id in sighting.gone
                    if file_id in paths and str(self._document.text(file_id)) != files[file_id].text
                },
                ignored=sighting.look.left_out,
                left=self.left_at(sighting.changed.keys(), former),
                late=sighting.late,
            )
        )

    def left_at(self, paths: Set[str], former: Mapping[FileId, FormerStates]) -> dict[str, Left]:
        """Return what was at these paths before, with all that an editor may have of it."""
        here = {path: self._left[path] for path in paths & self._left.keys()}
        return {
            path: replace(left, former=former[FileId(left.file_id)].small) if left.file_id in former else left
            for path, left in here.items()
        }

    def merges(
        self, sighting: Sighting, steps: Iterable[DiskStep], former: Mapping[FileId, FormerStates]
    ) -> list[TextMerge]:
        """Return the texts to be merged for `steps`, as they are now; `former`: what their files held before."""
        return [
            TextMerge(
                FileId(step.file_id),
                step.path,
                step.base,
                sighting.changed[step.path].text or "",
                str(self._document.text(FileId(step.file_id))),
                former.get(FileId(step.file_id), FormerStates()),
                self._wall_clock(),
                sighting.look.changed[step.path].by_git,
            )
            for step in steps
            if isinstance(step, Merge)
        ]


def all_merged(merges: Iterable[TextMerge]) -> list[tuple[TextMerge, MergedText]]:
    """Return what each merge comes to; for the executor."""
    return [(one, one.merged()) for one in merges]


def _seen(file: DiskFile) -> Seen:
    return Seen(file.state.digest, file.state.stamp.inode, file.decoded.text if file.decoded else None)
