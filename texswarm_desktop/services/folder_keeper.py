"""Keeps the empty folders of a document and of its folder on the disk the same; `core.empty_folders` decides.

What is known to be on both sides is kept in the replica, for the next start.
"""

from collections.abc import Collection, Set

import msgspec

from texswarm_desktop.core.empty_folders import FolderFacts, folders_of
from texswarm_desktop.services.mirrored_paths import MirroredPaths
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document.project_document import ProjectDocument

META_KEY = "folders"


class FolderKeeper:
    """Belongs to the loop. Paths are spelled as on this disk."""

    def __init__(self, document: ProjectDocument, paths: MirroredPaths, store: ReplicaStore) -> None:
        self._document = document
        self._paths = paths
        self._store = store
        self._known: frozenset[str] = frozenset()
        self._stuck: Set[str] = frozenset()

    def remember(self, stored: str | None) -> None:
        """Take in what was kept at the last time."""
        if stored is not None:
            self._known = frozenset(msgspec.json.decode(stored, type=list[str]))

    @property
    def facts(self) -> FolderFacts:
        """What is known now."""
        figures = (entry.path for entry in self._document.blob_files.values())
        needed = folders_of([*self._paths.of_files.values(), *figures])
        return FolderFacts(self._known, self._paths.of_folders.keys(), needed)

    @property
    def is_behind(self) -> bool:
        """Whether a folder is to be made or taken away; not one where that was tried, and something is in the way."""
        if not self._known and not self._paths.of_folders:
            return False
        facts = self.facts
        return bool((facts.to_make | facts.to_unmake) - self._stuck)

    def take(self, came: Collection[str], went: Collection[str]) -> None:
        """Tell the document what another program did."""
        for folder in came:
            self._document.add_folder(self._paths.shared(folder))
        for folder in went:
            self._document.remove_folder(self._paths.of_folders[folder])
        self._know((self._known | set(came)) - set(went))

    def tried(self, made: Set[str], unmade: Set[str], stuck: Set[str]) -> None:
        """Take in what a round of writing came to; `stuck`: folders that something is in the way of."""
        self._know((self._known | made) - unmade)
        self._stuck = stuck

    def emptied(self, folders: Set[str]) -> None:
        """Hear which folders are empty: nothing is in their way any more."""
        self._stuck = self._stuck - folders

    def _know(self, known: Set[str]) -> None:
        if known != self._known:
            self._known = frozenset(known)
            self._store.set_meta(META_KEY, msgspec.json.encode(sorted(known)).decode())
