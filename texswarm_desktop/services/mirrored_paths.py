"""Where the texts of a document are in a folder on this disk, and which of them cannot be there.

Paths of the document are for everybody; those of the disk are spelled so that it takes them (`core.local_names`).
"""

from collections.abc import Callable, Collection, Mapping

from texswarm_desktop.core.ignore_rules import SharedOnPurpose
from texswarm_desktop.core.local_names import LocalNames, NameRules
from texswarm_desktop.core.project_files import is_project_folder, is_project_text, is_usual
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.protocol.errors import (
    FilePathError,
    KindNotTakenError,
    KindNotWantedError,
    NameNotHereError,
)


class MirroredPaths:
    """Follows the tree of one document. `kept` says where files are now: they stay there as long as they may."""

    def __init__(self, document: ProjectDocument, kept: Callable[[], Mapping[str, str]]) -> None:
        self._document = document
        self._kept = kept
        self._names = LocalNames()
        self._on_purpose = SharedOnPurpose()
        self._had: Collection[str] = ()
        self._tree: object = None
        self._paths: Mapping[FileId, str] = {}

    def obey(self, rules: NameRules) -> None:
        """Spell names as this disk takes them, from now on."""
        self._names = LocalNames(rules)
        self._tree = None

    def had(self, file_ids: Collection[str]) -> None:
        """Hear which files were written here before: they stay, whatever is wished now."""
        self._had = file_ids
        self._tree = None

    def want(self, on_purpose: SharedOnPurpose) -> bool:
        """Hear which files of other than the usual kinds are wished for here, and say whether these are others."""
        if on_purpose.patterns == self._on_purpose.patterns:
            return False
        self._on_purpose = on_purpose
        self._tree = None
        return True

    @property
    def of_files(self) -> Mapping[FileId, str]:
        """The path on this disk of each file that can be there, by id."""
        files = self._document.files
        if files is not self._tree:
            kept = self._kept()
            texts: dict[str, str] = {file_id: entry.path for file_id, entry in self._document.text_files.items()}
            wanted = {one: path for one, path in texts.items() if one in kept or self._is_wanted(one, path)}
            found = self._names.paths(wanted, kept)
            self._paths = {FileId(file_id): path for file_id, path in found.items()}
            self._tree = files
        return self._paths

    @property
    def of_folders(self) -> Mapping[str, str]:
        """The document's path of each folder that need not hold a file, by its path on this disk."""
        return {
            self._names.spelled(path): path
            for path in self._document.folders
            if all(map(is_project_folder, path.split("/")))
        }

    def shared(self, path: str) -> str:
        """Return the document's path for a file or folder that is new on this disk."""
        return self._names.shared(path)

    @property
    def refused(self) -> Mapping[str, FilePathError]:
        """Files of the document that are not written here, by the document's path, and why."""
        found: dict[str, FilePathError] = {}
        for path in self._document.unsafe_paths.values():
            found[path] = NameNotHereError(f"not a path inside a project: {path!r}")
        for file_id in self._document.text_files.keys() - self.of_files.keys():
            path = self._document.files[file_id].path
            found[path] = self._why_not(file_id, path)
        return found

    def _is_wanted(self, file_id: str, path: str) -> bool:
        return is_usual(path) or file_id in self._had or self._on_purpose.names(path)

    def _why_not(self, file_id: str, path: str) -> FilePathError:
        if not is_project_text(path):
            return KindNotTakenError(path)
        return NameNotHereError(path) if self._is_wanted(file_id, path) else KindNotWantedError(path)
