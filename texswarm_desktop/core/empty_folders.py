"""Which empty folders are to be made, taken away, or told to the others.

Folders with files need no care: they are made for the files and go with the last one. One that somebody made and put
nothing in is written down in the document. As with files, what was known to be on both sides (`known`) tells what is
new on one side from what is gone on the other. All paths are spelled as on this disk.
"""

from collections.abc import Iterable, Set

import msgspec


class FolderFacts(msgspec.Struct, frozen=True):
    """`known`: on both sides when we last looked; `shared`: in the document; `needed`: those its files are in."""

    known: Set[str]
    shared: Set[str]
    needed: Set[str]

    def came(self, empty: Iterable[str]) -> set[str]:
        """Return which of the folders that are `empty` on the disk are new there."""
        return set(empty) - self.known - self.shared - self.needed

    def went(self, there: Set[str]) -> set[str]:
        """Return which folders are gone from the disk, where these are `there`."""
        return {folder for folder in self.known & self.shared if folder not in there} - self.needed

    @property
    def to_make(self) -> set[str]:
        """Folders that the document has, and the disk not yet."""
        return {*self.shared} - self.known

    @property
    def to_unmake(self) -> set[str]:
        """Folders that the document has no more; what else is in one keeps it."""
        return {*self.known} - self.shared - self.needed


def folders_of(paths: Iterable[str]) -> set[str]:
    """Return the folders that files at `paths` are in, and those that these are in."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found
