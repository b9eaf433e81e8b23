"""Who is in the project, one row for each user, ready to show.

The server names a session at a time; a user with two windows is one person here. `rows` is pure.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from PySide6.QtCore import QObject, Signal

from texswarm_desktop.services.project_listener import ProjectListener
from texswarm_desktop.viewmodels.people import Person, person
from texswarm_desktop.viewmodels.project_view import ProjectLike
from texswarm_server.protocol.callbacks import nothing
from texswarm_server.protocol.messages import Participant, PresenceState, RoleName

_NEAREST: Final[tuple[PresenceState, ...]] = ("here", "reconnecting", "away")


class ParticipantRow(msgspec.Struct, frozen=True):
    """One person. `windows` counts the sessions in the nearest of their states."""

    person: Person
    role: RoleName
    state: PresenceState
    is_me: bool
    windows: int


def rows(participants: Iterable[Participant], me: Person) -> list[ParticipantRow]:
    """Return oneself first, then who is here, then who is coming back or away, each group by name.

    Oneself is shown in any case, also while no server says so.
    """
    sessions: dict[str, list[Participant]] = {}
    for participant in participants:
        sessions.setdefault(participant.user_id, []).append(participant)
    found = [_row(group, me) for group in sessions.values()]
    if me.user_id not in sessions:
        found.append(ParticipantRow(me, "owner", "here", is_me=True, windows=1))
    return sorted(found, key=lambda row: (not row.is_me, _NEAREST.index(row.state), row.person.name.casefold()))


def others_here(found: Iterable[ParticipantRow]) -> int:
    """Count the other people who are not away."""
    return sum(not row.is_me and row.state != "away" for row in found)


def _row(group: list[Participant], me: Person) -> ParticipantRow:
    best = min(group, key=lambda one: _NEAREST.index(one.state))
    windows = sum(one.state == best.state for one in group)
    is_me = best.user_id == me.user_id
    shown = me if is_me else person(best.user_id, best.display_name, best.color)
    return ParticipantRow(shown, best.role, "here" if is_me else best.state, is_me, windows)


class ParticipantsView(QObject, ProjectListener):
    """The people of one project.

    Signals: `rows_changed(list[ParticipantRow])`, also when the same people are here and it is another one who decides,
    or a server says so that did not before; `others_changed(int)` with the number of other people here.
    """

    rows_changed = Signal(list)
    others_changed = Signal(int)

    def __init__(self, project: ProjectLike, me: Person, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._me = me
        self._rows = rows(project.participants, me)
        self._standing = self._found_standing()
        self._unsubscribe = project.subscribe(self)

    @property
    def rows(self) -> list[ParticipantRow]:
        """The people to show."""
        return self._rows

    @property
    def am_owner(self) -> bool:
        """Whether a server says that this user decides who may do what here."""
        return any(one.role == "owner" for one in self._mine())

    @property
    def am_in(self) -> bool:
        """Whether a server says that this user is in the project."""
        return any(one.state == "here" for one in self._mine())

    @property
    def me(self) -> Person:
        """Who sits here."""
        return self._me

    def set_me(self, me: Person) -> None:
        """Take in that this user has another name, colour or id."""
        self._me = me
        self.participants_changed()

    def close(self) -> None:
        """Listen no more."""
        self._unsubscribe()
        self._unsubscribe = nothing

    def _found_standing(self) -> tuple[bool, bool]:
        return self.am_in, self.am_owner

    def _mine(self) -> list[Participant]:
        return [one for one in self._project.participants if one.user_id == self._me.user_id]

    # ── what the project tells ──────────────────────────────────────────────────────────────────────────

    def participants_changed(self) -> None:
        """Show who is here now."""
        found, standing = rows(self._project.participants, self._me), self._standing
        self._standing = self._found_standing()
        if found == self._rows and standing == self._standing:
            return
        before, self._rows = others_here(self._rows), found
        self.rows_changed.emit(found)
        if others_here(found) != before:
            self.others_changed.emit(others_here(found))
