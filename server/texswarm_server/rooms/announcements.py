"""Who is told when of who is here: a few at once, a crowd some at a time, so that nobody's edits wait for long."""

from collections.abc import Mapping
from itertools import islice
from typing import Final

from texswarm_server.protocol.ids import Handle, SessionId
from texswarm_server.protocol.messages import Participant
from texswarm_server.rooms.effects import Announce, Effect, Greet, Tell
from texswarm_server.rooms.member import Member
from texswarm_server.rooms.roster import FEW, Roster

_PER_SECOND: Final = 300
_LONGEST_GATHERING_S: Final = 2.0
_LONGEST_GREETING_S: Final = 1.0
#: While many come, what they came for goes first: nobody is greeted until none came for a moment, or this long.
_CALM_S: Final = 0.1
_LONGEST_RUSH_S: Final = 2.0
_TOLD_AT_ONCE: Final = 32
_BETWEEN_S: Final = 0.02


class Announcements:
    """Invariant: a member who keeps up and does not know who is here is told by an effect that was returned."""

    def __init__(self, handle: Handle, members: Mapping[SessionId, Member]) -> None:
        """`members`: those of the room, which changes them and then says so here."""
        self._members = members
        self._roster = Roster(handle, self._participants)
        self._leaving: dict[SessionId, Member] = {}
        self._is_announcing = self._is_greeting = self._is_coming = False
        self._put_off_s = 0.0
        self._untold: dict[Member, None] = {}

    def joined(self, member: Member) -> list[Effect]:
        """Tell somebody who came who is here, and the others who came."""
        self._leaving.pop(member.session_id, None)
        announcement = self.shown(member)
        if len(self._members) <= FEW:
            return [*self.tell([member]), *announcement]
        self._untold[member] = None
        self._is_coming = True
        return [*self._greet_after(min(self._gathering_s(), _LONGEST_GREETING_S)), *announcement]

    def shown(self, member: Member) -> list[Effect]:
        """Have it announced how somebody is shown now."""
        self._roster.put(member.participant())
        return self._announce_later()

    def leaving(self, member: Member) -> None:
        """Show somebody as before who has gone, until `left` says that this may be told."""
        self._leaving[member.session_id] = member

    def left(self, session_id: SessionId) -> list[Effect]:
        """Have it announced that somebody has gone, unless they came again before that."""
        member = self._leaving.pop(session_id, None)
        if member is None:
            return []
        self._roster.remove(member.participant().participant_id)
        return self._announce_later()

    def announce(self) -> list[Effect]:
        """Tell everybody who is here; those who are held hear it when they catch up."""
        self._is_announcing = False
        self._untold |= dict.fromkeys(self._members.values())
        return self._tell_next()

    def greet(self) -> list[Effect]:
        """Tell those who came lately, or who were not told yet, who is here."""
        self._is_greeting = False
        if self._is_coming and self._put_off_s < _LONGEST_RUSH_S:
            self._is_coming = False
            self._put_off_s += _CALM_S
            return self._greet_after(_CALM_S)
        self._is_coming = False
        return self._tell_next()

    def tell(self, members: list[Member]) -> list[Effect]:
        """Tell members what they do not know of who is here; who reads too slowly hears it when it catches up."""
        by_moment: dict[int, list[Member]] = {}
        for member in members:
            is_behind = member.told_at < self._roster.moment
            if is_behind and member.is_keeping_up and self._members.get(member.session_id) is member:
                by_moment.setdefault(member.told_at, []).append(member)
        told = [self._tell_from(told_at, each) for told_at, each in by_moment.items()]
        if self._untold:
            return [*told, *self._greet_after(_BETWEEN_S)]
        self._put_off_s = 0.0
        return told

    def _tell_next(self) -> list[Effect]:
        chosen = list(islice(self._untold, _TOLD_AT_ONCE))
        for member in chosen:
            del self._untold[member]
        return self.tell(chosen)

    def _tell_from(self, told_at: int, members: list[Member]) -> Effect:
        news, known_at = self._roster.news(told_at)
        for member in members:
            member.told_at = known_at
        if known_at < self._roster.moment:
            self._untold |= dict.fromkeys(members)
        return Tell(tuple(member.session_id for member in members), news)

    def _greet_after(self, delay_s: float) -> list[Effect]:
        if self._is_greeting:
            return []
        self._is_greeting = True
        return [Greet(delay_s)]

    def _announce_later(self) -> list[Effect]:
        """Have changes announced together; later the more there are who are told."""
        if self._is_announcing or not self._members:
            return []
        self._is_announcing = True
        return [Announce(min(self._gathering_s(), _LONGEST_GATHERING_S))]

    def _gathering_s(self) -> float:
        return (len(self._members) / _PER_SECOND) ** 2 if len(self._members) > FEW else 0.0

    def _participants(self) -> list[Participant]:
        return [member.participant() for member in (*self._members.values(), *self._leaving.values())]
