"""The way from a room to the connections of its members: which there are, and what is written to them.

Rooms name members by their session. Who has no connection now is passed over.
"""

from typing import Final

from texswarm_server.net.audience import Audience
from texswarm_server.net.peer import Peer
from texswarm_server.net.prepared_frame import Traffic, text_frame
from texswarm_server.net.statistics import DocumentStatistics
from texswarm_server.protocol.ids import Handle, SessionId
from texswarm_server.rooms.effects import Broadcast, SendDocument, SendPresence, Tell

_LARGE_BYTES: Final = 16 * 1024


class Deliveries:
    """Invariant: what was found out about an audience holds as long as no connection comes or goes."""

    def __init__(self, statistics: DocumentStatistics) -> None:
        self._statistics = statistics
        self._peers: dict[SessionId, Peer] = {}
        self._audiences: dict[tuple[Handle, bool], tuple[tuple[SessionId, ...], Audience]] = {}
        self._last_large: tuple[bytes, Traffic] | None = None

    # ── who is there ────────────────────────────────────────────────────────────────────────────────────

    def arrive(self, session_id: SessionId, peer: Peer) -> None:
        """Let `peer` be the connection of a session."""
        self._peers[session_id] = peer
        self._audiences.clear()

    def lose(self, session_id: SessionId) -> None:
        """Note that a session has no connection any more."""
        self._peers.pop(session_id, None)
        self._audiences.clear()

    def reaches(self, session_id: SessionId, peer: Peer) -> bool:
        """Whether `peer` is the connection of a session still."""
        return self._peers.get(session_id) is peer

    def connected(self, members: tuple[SessionId, ...]) -> list[Peer]:
        """Return the connections of those members that have one."""
        peers = self._peers
        return [peers[session_id] for session_id in members if session_id in peers]

    def forget(self, handle: Handle) -> None:
        """Note that a room is gone: its handle names none any more."""
        for is_presence in (False, True):
            self._audiences.pop((handle, is_presence), None)

    def tick(self) -> None:
        """Let go of what is kept only for those who ask within moments of each other."""
        self._last_large = None

    # ── what is written ─────────────────────────────────────────────────────────────────────────────────

    def send_document(self, handle: Handle, effect: SendDocument) -> None:
        """Write what happened in a document, or what it holds, to some."""
        traffic, peers = self._traffic(handle, effect.payload), self.connected(effect.members)
        for peer in peers:
            peer.deliver(traffic)
        self._statistics.deliveries += len(peers)
        self._statistics.delivered_bytes += len(peers) * len(effect.payload)

    def send_presence(self, handle: Handle, effect: SendPresence) -> None:
        """Write to some who is where."""
        traffic, peers = Traffic(handle, effect.payload), self.connected(effect.members)
        for peer in peers:
            peer.deliver_presence(traffic)
        self._statistics.presence_deliveries += len(peers)

    def broadcast(self, handle: Handle, effect: Broadcast) -> None:
        """Write one message to everybody in a document but a few."""
        audience, besides = self._audience(handle, effect), tuple(self.connected(effect.besides))
        traffic, count = Traffic(handle, effect.payload), audience.size - len(besides)
        if effect.may_be_dropped:
            audience.deliver_presence(traffic, besides)
            self._statistics.presence_deliveries += count
        else:
            audience.deliver(traffic, besides)
            self._statistics.deliveries += count
            self._statistics.delivered_bytes += count * len(effect.payload)

    def tell(self, effect: Tell) -> None:
        """Let some know a fact, put into a frame once for all of them."""
        frame = text_frame(effect.fact)
        for peer in self.connected(effect.members):
            peer.relay(effect.fact, frame)

    def _audience(self, handle: Handle, effect: Broadcast) -> Audience:
        """Return the connections of the members named, found once as long as nobody comes or goes."""
        key = handle, effect.may_be_dropped
        members, audience = self._audiences.get(key) or ((), None)
        if audience is None or members is not effect.members:
            audience = Audience(self.connected(effect.members))
            self._audiences[key] = effect.members, audience
        return audience

    def _traffic(self, handle: Handle, payload: bytes) -> Traffic:
        """Return `payload` as it is written; a large one is kept, because newcomers ask for the same one by one."""
        if len(payload) < _LARGE_BYTES:
            return Traffic(handle, payload)
        if self._last_large is None or self._last_large[0] is not payload:
            self._last_large = payload, Traffic(handle, payload)
        return self._last_large[1]
