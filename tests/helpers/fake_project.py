"""A project without disk and server: a real document, and lists that a test sets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from texswarm_server.document import ProjectDocument
from texswarm_server.document.presence import Presence, PresenceData, PresenceEntry
from texswarm_server.protocol.messages import Participant


class FakeProject:
    """What windows look at. Files are given as {path: text}."""

    def __init__(self, files: dict[str, str] | None = None, *, folder: Path = Path("/papers/a-paper")) -> None:
        self.document = ProjectDocument()
        self.folder = folder
        self.presence = Presence()
        self.participants: list[Participant] = []
        self.told: list[PresenceData | None] = []
        self.listeners: list[Any] = []
        self.read_only: str | None = None
        self.blobs: Any = None
        self.file_problems: dict[str, Exception] = {}
        for path, text in (files or {}).items():
            self.document.add_file(path, text)
        self.document.on_files_changed = lambda: self._tell("files_changed")

    def subscribe(self, listener: Any) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def set_presence(self, state: PresenceData | None) -> None:
        self.told.append(state)

    def file_id(self, path: str) -> str:
        file_id = self.document.file_at(path)
        assert file_id is not None, path
        return file_id

    def let_come(self, *participants: Participant) -> None:
        self.participants = list(participants)
        self._tell("participants_changed")

    def let_report(self, **problems: Exception) -> None:
        """Let there be something to be told of single files, by their names."""
        self.file_problems = dict(problems)
        self._tell("files_changed")

    def let_read(self, reason: str | None = "viewer") -> None:
        """Let this user only read, or (None) write."""
        self.read_only = reason
        self._tell("participants_changed")

    def let_be_at(self, client_id: int, path: str, anchor: int, head: int | None = None, name: str = "Ada") -> None:
        """Let somebody tell where they are."""
        caret = {"anchor": anchor, "head": anchor if head is None else head}
        state = {
            "user": {"id": name.lower(), "name": name, "color": "#db2777"},
            "file": self.file_id(path),
            "caret": caret,
        }
        self.let_tell(client_id, state)

    def let_tell(self, client_id: int, state: PresenceData | None) -> None:
        self.presence.publish(client_id, state)
        self._tell("presence_changed")

    def let_everybody_leave(self) -> None:
        self.presence.apply(PresenceEntry(one, 2**31, None) for one in list(self.presence.states))
        self._tell("presence_changed")

    def _tell(self, name: str) -> None:
        for listener in tuple(self.listeners):
            getattr(listener, name)()


def participant(name: str, state: Any = "here", *, session: str = "1", role: Any = "editor") -> Participant:
    """One session of a user whose id is the name in lower case."""
    user_id = name.lower()
    return Participant(
        participant_id=f"{user_id}-{session}",
        user_id=user_id,
        display_name=name,
        color="#059669",
        role=role,
        state=state,
    )
