"""The awareness states of a room, each owned by the member that published it first.

Clocks are made rising here whatever a member sends: one whose state was taken away while it was out would otherwise
come back with a clock that everybody else holds for old. Clients of y-protocols forget a state that is not told anew
for 30 seconds, and not every client does so: for them the room tells it anew, but never to the client whose own state
it is, which would take it for news about itself.

Those clients also say again whatever they are told, under the clock it was told with. Such an echo is not theirs to
say: one that comes when its owner has just dropped out would take the state from who returns, and one that comes when
its owner has just left would stay for ever.
"""

from collections.abc import Iterable
from typing import Any, Final

from texswarm_server.document.presence import PresenceEntry, decode_presence
from texswarm_server.protocol.errors import ErrorCode, RemoteProtocolError
from texswarm_server.rooms.member import Member

_LARGEST_NUMBER: Final = 2**53 - 2  # what a browser counts to, with room for one more
_MAX_IDS_PER_MEMBER: Final = 16
_MAX_REMEMBERED: Final = 1024


class RoomPresence:
    """Who is where. Invariant: an id has one owner; entries of others for it are not taken in."""

    def __init__(self, first_clock: int = 1) -> None:
        """`first_clock`: above every clock that clients may have heard here before, and still remember."""
        self._first_clock = max(first_clock, 1)
        self._entries: dict[int, PresenceEntry] = {}
        self._owners: dict[int, Member] = {}
        self._told_lately: set[int] = set()
        self._departures = 0
        self._left_at: dict[int, int] = {}

    def welcome(self, member: Member) -> list[PresenceEntry]:
        """Return who is present, for a member that comes.

        Clients of y-protocols that come back have forgotten who is where, but not the clocks: they need newer ones.
        """
        member.came_at = self._departures
        present = self.entries()
        return [self._anew(entry, member) for entry in present] if member.profile.is_forgetful else present

    def publish(self, member: Member, update: bytes) -> list[PresenceEntry]:
        """Take in what `member` says and return what others must hear; raises RemoteProtocolError."""
        entries = decode_presence(update)
        if any(max(entry.clock, entry.client_id) > _LARGEST_NUMBER for entry in entries):
            raise RemoteProtocolError(ErrorCode.FRAME_INVALID, "number too large")
        news = [self._take(member, entry) for entry in entries if self._may_publish(member, entry)]
        return news + self.remove_former_of(member) if news else news

    def remove_of(self, member: Member) -> list[PresenceEntry]:
        """Take away everything `member` published and return the entries that say so."""
        ids = member.awareness_ids | member.former_ids
        member.awareness_ids, member.former_ids = set(), set()
        return self._remove(ids)

    def hand_over(self, old: Member, new: Member) -> None:
        """Keep the states of a session that came back until it publishes anew."""
        new.former_ids = old.awareness_ids | old.former_ids
        for client_id in new.former_ids:
            self._owners[client_id] = new

    def remove_former_of(self, member: Member) -> list[PresenceEntry]:
        """Take away what `member` published on an earlier connection and has not told anew."""
        former, member.former_ids = member.former_ids - member.awareness_ids, set()
        return self._remove(former)

    def entries(self) -> list[PresenceEntry]:
        """Return everybody who is present."""
        return [entry for entry in self._entries.values() if entry.state is not None]

    def renew(self) -> list[tuple[Member, PresenceEntry]]:
        """Return, with their owners and under a new clock, the states that were not told since this was last asked."""
        silent = [client_id for client_id in self._owners if client_id not in self._told_lately]
        renewed = [(self._owners[each], self._stamp(each, 0, self._entries[each].state)) for each in silent]
        self._told_lately.clear()
        return renewed

    def without(self, member: Member, entries: Iterable[PresenceEntry]) -> list[PresenceEntry]:
        """Return the entries that are not `member`'s own."""
        return [entry for entry in entries if self._owners.get(entry.client_id) is not member]

    def latest(self, client_ids: Iterable[int]) -> list[PresenceEntry]:
        """Return how it stands with these clients now."""
        return [self._entries[each] for each in dict.fromkeys(client_ids) if each in self._entries]

    def history(self) -> list[PresenceEntry]:
        """Return everybody who is present and who left lately, for somebody who may have missed it."""
        return list(self._entries.values())

    def _may_publish(self, member: Member, entry: PresenceEntry) -> bool:
        owner = self._owners.get(entry.client_id)
        if owner is None or (owner is not member and not owner.is_here):
            may_have_more = len(member.awareness_ids) < _MAX_IDS_PER_MEMBER
            return entry.state is not None and may_have_more and not self._is_echo(member, entry)
        return owner is member

    def _is_echo(self, member: Member, entry: PresenceEntry) -> bool:
        """Whether somebody says again what they were told of another client, who has gone or dropped out since."""
        known = self._entries.get(entry.client_id)
        if known is None or not member.profile.is_forgetful or entry.clock > known.clock:
            return False
        was_told = known.state is not None or self._left_at[entry.client_id] > member.came_at
        return was_told and entry.client_id not in member.silenced_ids

    def _take(self, member: Member, entry: PresenceEntry) -> PresenceEntry:
        self._own(member, entry)
        return self._stamp(entry.client_id, entry.clock, _signed(member, entry.state))

    def _own(self, member: Member, entry: PresenceEntry) -> None:
        previous = self._owners.get(entry.client_id)
        if previous is not None and previous is not member:
            previous.awareness_ids.discard(entry.client_id)
            previous.former_ids.discard(entry.client_id)
        if entry.state is None:
            self._owners.pop(entry.client_id, None)
            member.awareness_ids.discard(entry.client_id)
            if len(member.silenced_ids) < _MAX_IDS_PER_MEMBER:
                member.silenced_ids.add(entry.client_id)
        else:
            self._owners[entry.client_id] = member
            member.awareness_ids.add(entry.client_id)

    def _remove(self, client_ids: Iterable[int]) -> list[PresenceEntry]:
        gone = []
        for client_id in client_ids:
            self._owners.pop(client_id, None)
            gone.append(self._stamp(client_id, 0, None))
        return gone

    def _stamp(self, client_id: int, clock: int, state: dict[str, Any] | None) -> PresenceEntry:
        known = self._entries.pop(client_id, None)
        entry = PresenceEntry(client_id, max(clock, known.clock + 1 if known else self._first_clock), state)
        self._entries[client_id] = entry
        if state is None:
            self._told_lately.discard(client_id)
            self._departures += 1
            self._left_at[client_id] = self._departures
            self._forget_old()
        else:
            self._told_lately.add(client_id)
            self._left_at.pop(client_id, None)
        return entry

    def _anew(self, entry: PresenceEntry, member: Member) -> PresenceEntry:
        """Give a state the next clock, unless it may be the one `member` itself left behind on a dead connection."""
        owner = self._owners[entry.client_id].profile
        if owner.is_forgetful and owner.user_id == member.profile.user_id:
            return entry
        self._entries[entry.client_id] = renewed = PresenceEntry(entry.client_id, entry.clock + 1, entry.state)
        return renewed

    def _forget_old(self) -> None:
        """Keep the memory of those who left within bounds; the one that changed longest ago is looked at first."""
        while len(self._entries) - len(self._owners) > _MAX_REMEMBERED:
            oldest = next((entry for entry in self._entries.values() if entry.state is None), None)
            if oldest is None:
                return
            del self._entries[oldest.client_id], self._left_at[oldest.client_id]


def _signed(member: Member, state: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return `state` with the user it names being the one who sent it: nobody points in another's name."""
    if state is None or not isinstance(state.get("user"), dict):
        return state
    profile = member.profile
    truth = {"id": profile.user_id, "name": profile.display_name, "color": profile.color}
    return state | {"user": state["user"] | {key: value for key, value in truth.items() if value}}
