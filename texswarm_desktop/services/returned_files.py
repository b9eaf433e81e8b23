"""Files that were deleted here and came back, because somebody wrote in them meanwhile.

Which ones were deleted here is remembered across restarts: what others typed while away may arrive much later.
"""

import json
from collections.abc import Mapping
from typing import Final

from texswarm_desktop.services.own_presence import OwnPresence
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document.presence import PresenceData
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.document.removed_texts import RemovedText
from texswarm_server.document.text_format import TextFormat
from texswarm_server.protocol.errors import FileCameBackError

_META: Final = "removed"


class ReturnedFiles:
    """Of one project. What came back is told until somebody has been in it, or it is deleted again."""

    def __init__(self, document: ProjectDocument, store: ReplicaStore, presence: OwnPresence) -> None:
        self._document, self._store, self._presence = document, store, presence
        self._stored: Mapping[FileId, RemovedText] = {}
        self._writers: dict[FileId, str] = {}

    def removed_before(self, meta: Mapping[str, str]) -> Mapping[str, RemovedText]:
        """Return which files, by id, were deleted here before this start; `meta`: of the store."""
        try:
            known = json.loads(meta.get(_META, "{}"))
        except ValueError:
            known = {}
        if not isinstance(known, dict):
            return {}
        found = {file_id: _removed(said) for file_id, said in known.items()}
        return {file_id: text for file_id, text in found.items() if text is not None}

    def files_changed(self) -> None:
        """Hear that files came or went."""
        removed = self._document.removed_here
        if removed != self._stored:
            self._stored = removed
            self._store.set_meta(_META, json.dumps({file_id: _said(text) for file_id, text in removed.items()}))
        for file_id in self._writers.keys() - self._document.files.keys():
            del self._writers[file_id]

    def note(self, file_id: FileId, writers: frozenset[int]) -> None:
        """Hear that a file is there again, because one of these clients wrote in it."""
        names = {_name(self._presence.states.states.get(client)) for client in writers}
        self._writers[file_id] = names.pop() if len(names) == 1 else ""
        self.files_changed()

    def seen(self, state: PresenceData | None) -> bool:
        """Say whether somebody who is where `state` says sees a file that came back."""
        return state is not None and self._writers.pop(FileId(str(state.get("file"))), None) is not None

    @property
    def reports(self) -> Mapping[str, FileCameBackError]:
        """What is to be told, by path."""
        files = self._document.files
        paths = {files[file_id].path: by for file_id, by in self._writers.items() if file_id in files}
        return {path: FileCameBackError(path, by=by) for path, by in paths.items()}


def _said(text: RemovedText) -> object:
    """The path alone where that says all: a program of before knows no more."""
    return text.path if text.spelling is None else {"path": text.path, "spelling": text.spelling.to_map()}


def _removed(said: object) -> RemovedText | None:
    if isinstance(said, str):
        return RemovedText(said)
    path = said.get("path") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(path, str):
        return None
    return RemovedText(path, TextFormat.from_map(said.get("spelling")))


def _name(state: PresenceData | None) -> str:
    user = (state or {}).get("user")
    name = user.get("name") if isinstance(user, dict) else None
    return name if isinstance(name, str) else ""
