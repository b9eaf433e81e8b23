"""A project as a client of the first generation sees it: one text, the main file, in code points.

A replica of its own stands behind it, so that what such a client says is an edit to what it was shown, and meets the
edits of others as any replica's does.
"""

from hashlib import blake2b
from typing import Any, Final

from texswarm_server.document.file_text import FileText
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.document.text_index import TextIndex
from texswarm_server.document.updates import merge_updates
from texswarm_server.protocol.errors import PositionError
from texswarm_server.protocol.ids import Lineage
from texswarm_server.protocol.legacy import LegacyPresence

_MAIN_PATH: Final = "main.tex"
_MAIN_ID: Final = FileId("main")


class MainFile:
    """Invariant: `text` is what the replica holds; every edit made here was returned as an update."""

    def __init__(self) -> None:
        self._project = ProjectDocument()
        self._project.on_update = self._on_update
        self._outgoing: list[bytes] = []

    @property
    def is_empty(self) -> bool:
        """Whether nobody ever wrote into this project."""
        return self._project.is_empty

    @property
    def client_id(self) -> int:
        """The id under which the replica writes and is present."""
        return self._project.client_id

    @property
    def text(self) -> str:
        """The text of the main file, empty where a project has none."""
        text = self._text
        return "" if text is None else str(text)

    def state_vector(self) -> bytes:
        """Return what the replica has."""
        return self._project.state_vector()

    def apply(self, update: bytes) -> None:
        """Take in an update of others; raises DocumentError."""
        self._project.apply(update)

    def initialise(self, title: str, lineage: Lineage) -> bytes:
        """Give a new project title, lineage and an empty main file, and return the update."""
        self._project.initialise(title, lineage)
        self._project.add_file(_MAIN_PATH, file_id=_MAIN_ID)
        return self._sent()

    def replace(self, start: int, end: int, content: str) -> bytes | None:
        """Put `content` in place of a range and return the update, None when nothing changed.

        Raises PositionError and changes nothing when it is not a range of the text.
        """
        text = self._text
        if text is not None:
            text.replace_cp(start, end, content)
        elif start == end == 0:
            if content:
                self._project.add_file(_MAIN_PATH, content, _MAIN_ID)
        else:
            raise PositionError(f"range {start}..{end} of an empty text")
        return self._sent() if self._outgoing else None

    # ── who is where ────────────────────────────────────────────────────────────────────────────────────

    def state_of(self, presence: LegacyPresence) -> dict[str, Any] | None:
        """Return the awareness state that says the same as `presence`; None for who is not active."""
        if not presence.is_active:
            return None
        state: dict[str, Any] = {"user": {"id": presence.user_id, "name": presence.display_name}}
        text, places = self._text, _places(presence)
        if text is None or places is None:
            return state
        try:
            anchor, head = (_u16_from_cp(text.index, place) for place in places)
        except PositionError:
            return state
        return state | {"file": text.file_id, "caret": {"anchor": anchor, "head": head}}

    def presence_of(self, state: dict[str, Any]) -> LegacyPresence:
        """Return what an awareness state says, as far as the first generation has words for it."""
        user = state.get("user")
        user = user if isinstance(user, dict) else {}
        caret = self._caret(state)
        return LegacyPresence(
            user_id=str(user.get("id", "")),
            display_name=str(user.get("name", "")),
            cursor_position=caret and caret[1],
            selection={"start": min(caret), "end": max(caret)} if caret and caret[0] != caret[1] else None,
        )

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _text(self) -> FileText | None:
        file_id = self._project.main_file
        return None if file_id is None else self._project.text(file_id)

    def _caret(self, state: dict[str, Any]) -> tuple[int, int] | None:
        text, caret = self._text, state.get("caret")
        if text is None or state.get("file") != text.file_id or not isinstance(caret, dict):
            return None
        anchor, head = caret.get("anchor"), caret.get("head")
        if not isinstance(anchor, int) or not isinstance(head, int):
            return None
        try:
            return text.index.cp_from_u16(anchor), text.index.cp_from_u16(head)
        except PositionError:
            return None

    def _on_update(self, update: bytes, is_local: bool) -> None:
        if is_local:
            self._outgoing.append(update)

    def _sent(self) -> bytes:
        outgoing, self._outgoing = self._outgoing, []
        return merge_updates(outgoing)


def version_of(text: str) -> str:
    """Return a name of a text: the same for the same text."""
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _places(presence: LegacyPresence) -> tuple[int, int] | None:
    """Return anchor and head, None where the client says neither in a form that is known."""
    head, selection = presence.cursor_position, presence.selection
    if isinstance(selection, dict):
        start, end = selection.get("start"), selection.get("end")
        if isinstance(start, int) and isinstance(end, int):
            return (end, start) if head == start else (start, end)
    return (head, head) if isinstance(head, int) else None


def _u16_from_cp(index: TextIndex, position: int) -> int:
    return index.u16_from_u8(index.u8_from_cp(position))
