"""Where the others are in each text, and telling them where this user is.

Positions are UTF-16 units in the text as its sender had it; between two tellings they are moved here with every edit,
so that a caret stays beside its word. Of edits on their way the sender could not know: once others pause, it tells its
place again, as one it was pushed to. A state comes from a stranger's program: what is not of our form is passed over.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from texswarm_desktop.qtx.timers import SingleShot, Tick
from texswarm_desktop.services.project_listener import ProjectListener
from texswarm_desktop.viewmodels.people import Person, person
from texswarm_desktop.viewmodels.project_view import ProjectLike
from texswarm_desktop.viewmodels.text_binding import TextBinding
from texswarm_server.document.file_text import TextChange, shifted_u16
from texswarm_server.document.presence import PresenceData
from texswarm_server.protocol.callbacks import nothing

#: One's own caret is told this long after it began to move: well within a frame, and after the edit that moved it.
TELL_AFTER_S: Final = 0.012
#: A caret that only others' edits moved is told when they have paused for so long.
TELL_PUSHED_AFTER_S: Final = 0.25
_MAX_POSITION: Final = 2**31 - 1


class RemoteCaret(msgspec.Struct, frozen=True):
    """Somebody's caret and selection in one text; both ends in UTF-16 units, equal without a selection.

    `pushes` is not 0 when others' edits moved it last, not its owner; it counts on, so that no telling is like another.
    """

    client_id: int
    person: Person
    anchor_u16: int
    head_u16: int
    pushes: int = 0


# ── pure ────────────────────────────────────────────────────────────────────────────────────────────────────


def caret_in(client_id: int, state: PresenceData, file_id: str) -> RemoteCaret | None:
    """Read where a client is in a file; None when it is elsewhere, or its state is not of our form."""
    user, caret = state.get("user"), state.get("caret")
    if state.get("file") != file_id or not isinstance(caret, dict):
        return None
    anchor, head = _position(caret.get("anchor")), _position(caret.get("head"))
    if anchor is None or head is None:
        return None
    return RemoteCaret(client_id, person_of(client_id, user), anchor, head, _count(state.get("pushed")))


def person_of(client_id: int, user: Any) -> Person:
    """Return who a client says it is."""
    known = user if isinstance(user, dict) else {}
    user_id = known.get("id")
    name, color = known.get("name"), known.get("color")
    return person(user_id if isinstance(user_id, str) and user_id else str(client_id), name, color)


def shifted_by_edit(position: int, at: int, removed: int, added: int) -> int:
    """Return where a position lies after one's own edit; text put in at the very position does not push it."""
    if position <= at:
        return position
    return at + added if position <= at + removed else position + added - removed


def _position(value: Any) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value <= _MAX_POSITION else None


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _moved(caret: RemoteCaret, move: Callable[[int], int]) -> RemoteCaret:
    anchor, head = move(caret.anchor_u16), move(caret.head_u16)
    if (anchor, head) == (caret.anchor_u16, caret.head_u16):
        return caret
    return replace(caret, anchor_u16=anchor, head_u16=head)


# ── one open file ───────────────────────────────────────────────────────────────────────────────────────────


class FilePresence(QObject):
    """The others' carets in one open file.

    Signals: `carets_changed()`; `caret_told(client_id)` with a client id when somebody moved.
    """

    carets_changed = Signal()
    caret_told = Signal(object)  # a Yjs client id has 53 bits

    def __init__(self, file_id: str, binding: TextBinding, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.file_id = file_id
        self.carets: dict[int, RemoteCaret] = {}
        self._told: dict[int, RemoteCaret] = {}
        self._read_before: dict[int, tuple[PresenceData, RemoteCaret | None]] = {}
        self._is_remote = False
        binding.about_to_apply_remote.connect(self._on_binding_about_to_apply)
        binding.remote_applied.connect(self._on_binding_remote_applied)
        binding.document.contentsChange.connect(self._on_document_contents_change)

    def take_in(self, states: Mapping[int, PresenceData], me: int) -> None:
        """Show the carets that `states` tell; one that was told before and moved since with the text stays there."""
        told: dict[int, RemoteCaret] = {}
        for client_id, state in states.items():
            caret = self._read(client_id, state) if client_id != me else None
            if caret is not None:
                told[client_id] = caret
        self._read_before = {client_id: each for client_id, each in self._read_before.items() if client_id in states}
        if told == self._told:
            return
        news = [client_id for client_id, caret in told.items() if self._told.get(client_id) != caret]
        self.carets = {
            client_id: told[client_id] if client_id in news else self.carets[client_id] for client_id in told
        }
        self._told = told
        self.carets_changed.emit()
        for client_id in news:
            if not told[client_id].pushes:
                self.caret_told.emit(client_id)

    def _read(self, client_id: int, state: PresenceData) -> RemoteCaret | None:
        """Read a state, unless it is the very one of the time before: of many people one moves at a time."""
        before = self._read_before.get(client_id)
        if before is None or before[0] is not state:
            before = self._read_before[client_id] = state, caret_in(client_id, state, self.file_id)
        return before[1]

    def _on_binding_about_to_apply(self) -> None:
        self._is_remote = True

    def _on_binding_remote_applied(self, changes: list[TextChange]) -> None:
        self._is_remote = False
        self._move(partial(shifted_u16, changes=changes, stay_before_insert=False))

    def _on_document_contents_change(self, at: int, removed: int, added: int) -> None:
        if not self._is_remote and self.carets:
            self._move(partial(shifted_by_edit, at=at, removed=removed, added=added))

    def _move(self, move: Callable[[int], int]) -> None:
        if not self.carets:
            return
        moved = {client_id: _moved(caret, move) for client_id, caret in self.carets.items()}
        if moved != self.carets:
            self.carets = moved
            self.carets_changed.emit()


# ── the project ─────────────────────────────────────────────────────────────────────────────────────────────


class PresenceView(QObject, ProjectListener):
    """Everybody's place in one project, this user's included."""

    def __init__(self, project: ProjectLike, me: Person, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._me = me
        self._files: dict[str, FilePresence] = {}
        self._place: PresenceData = {}
        self._tick = Tick(self._tell, TELL_AFTER_S, self)
        self._pushed = SingleShot(self._tell, self)
        self._pushes = 0
        self._unsubscribe = project.subscribe(self)

    def follow(self, file_id: str, binding: TextBinding) -> FilePresence:
        """Return the others' carets in an open file, kept up to date until `forget`."""
        presence = FilePresence(file_id, binding, self)
        self._files[file_id] = presence
        presence.take_in(self._project.presence.states, self._project.document.client_id)
        return presence

    def forget(self, file_id: str) -> None:
        """The file is no longer open."""
        presence = self._files.pop(file_id, None)
        if presence is not None:
            presence.deleteLater()

    def set_me(self, me: Person) -> None:
        """Take in that this user has another name or colour, and tell it."""
        self._me = me
        self._tick.request()

    def set_place(self, file_id: str, anchor_u16: int, head_u16: int) -> None:
        """Take in where this user is; told a moment later, however often it changes until then."""
        self._place = {"file": file_id, "caret": {"anchor": anchor_u16, "head": head_u16}}
        self._tick.request()

    def push_place(self, file_id: str, anchor_u16: int, head_u16: int) -> None:
        """Take in where others' edits moved this user to; told when they pause."""
        self._place = {"file": file_id, "caret": {"anchor": anchor_u16, "head": head_u16}}
        if not self._tick.is_pending:
            self._pushes += 1
            self._place["pushed"] = self._pushes
        self._pushed.start(TELL_PUSHED_AFTER_S)

    def set_nowhere(self) -> None:
        """Take in that this user has no file open."""
        self._place = {}
        self._tick.request()

    def place_of(self, user_id: str) -> tuple[str, int] | None:
        """Return the file and the position (UTF-16) where somebody is, or None when they are in no file here."""
        for client_id, state in self._others():
            file_id = state.get("file")
            if person_of(client_id, state.get("user")).user_id != user_id or not isinstance(file_id, str):
                continue
            caret = self._shown(file_id, client_id) or caret_in(client_id, state, file_id)
            if caret is not None and file_id in self._project.document.files:
                return file_id, caret.head_u16
        return None

    def close(self) -> None:
        """Listen and tell no more."""
        self._unsubscribe()
        self._unsubscribe = nothing
        self._tick.cancel()
        self._pushed.stop()

    def _shown(self, file_id: str, client_id: int) -> RemoteCaret | None:
        presence = self._files.get(file_id)
        return presence.carets.get(client_id) if presence else None

    def _others(self) -> Iterable[tuple[int, PresenceData]]:
        mine = self._project.document.client_id
        return [(client_id, state) for client_id, state in self._project.presence.states.items() if client_id != mine]

    def _tell(self) -> None:
        user = {"id": self._me.user_id, "name": self._me.name, "color": self._me.color}
        self._project.set_presence({"user": user, **self._place})

    # ── what the project tells ──────────────────────────────────────────────────────────────────────────

    def presence_changed(self) -> None:
        """Move the carets to where they are now."""
        states, mine = self._project.presence.states, self._project.document.client_id
        for presence in self._files.values():
            presence.take_in(states, mine)
