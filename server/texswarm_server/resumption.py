"""Which session a sign-in goes on with: the one it names, one that its user left behind on its wire, or a new one.

It is asked twice, before and after the token was looked at in storage: meanwhile a connection may go, or another come.
"""

from texswarm_server.net.peer import Peer
from texswarm_server.open_documents import OpenDocuments
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.ids import SessionId, UserId
from texswarm_server.protocol.messages import Authentication
from texswarm_server.sessions.registry import Attachment, Session, SessionRegistry
from texswarm_server.sessions.sign_in import SignedIn

_NOBODY = UserId("")


class Resumption:
    """Decides by the sessions there are and where they have a place."""

    def __init__(self, registry: SessionRegistry, documents: OpenDocuments) -> None:
        self._registry = registry
        self._documents = documents

    def expected(self, peer: Peer, message: Authentication) -> Session | None:
        """Return the session that a sign-in is given if it is accepted, where that can be told.

        It is then stored in the transaction that accepts it, which spares every sign-in another one. A new one has no
        user yet.
        """
        known = self._named(message)
        if known is not None:
            return known
        if message.user_id is None or not self._registry.has_room(UserId(message.user_id)):
            return None
        left = self._left_behind(peer, UserId(message.user_id))
        return left or Session(self._registry.new_id(), _NOBODY, "", wire=_unnamed(peer))

    @staticmethod
    def fits(expected: Session, user_id: UserId) -> bool:
        """Whether the session that was expected can be this user's."""
        return expected.user_id in {_NOBODY, user_id}

    def attach(
        self, peer: Peer, message: Authentication, signed_in: SignedIn, expected: Session | None
    ) -> Attachment | None:
        """Give a peer that is still there its session, None where it is not; raises RejectedError."""
        if peer.is_closed or self.gives_way(peer, message):
            return None
        left = self._left_behind(peer, signed_in.user.user_id)
        wanted = left.session_id if left else message.session_id
        return self._registry.attach(
            signed_in.user.user_id,
            SessionId(wanted) if wanted else None,
            peer,
            grant_id=signed_in.grant_id,
            new_id=expected.session_id if expected is not None and expected.user_id == _NOBODY else None,
            wire=_unnamed(peer),
        )

    def gives_way(self, peer: Peer, message: Authentication) -> bool:
        """Shut `peer` if its client has given it up already: its session is served by a connection made later.

        What was sent over a stuck network arrives whenever it likes; the newer connection must not give way to it.
        Asked before the token is looked at too, so that one that was spent in the meantime does no harm.
        """
        session = self._named(message)
        holder = session.connection if session else None
        is_belated = isinstance(holder, Peer) and holder.opened_at > peer.opened_at
        if is_belated:
            peer.shut(CloseCode.REPLACED, "the session goes on in a newer connection")
        return is_belated

    def _named(self, message: Authentication) -> Session | None:
        """Return the session that a client wants to go on with, if it has not expired."""
        return self._registry.find(SessionId(message.session_id)) if message.session_id else None

    def _left_behind(self, peer: Peer, user_id: UserId) -> Session | None:
        """Return the session that a client which cannot name it goes on with: one that its user lost on this wire.

        Users of such wires may share an invite and a name; then the one is as good as the other. A connection for one
        document goes on with a session that was in it.
        """
        if peer.can_resume:
            return None
        left = self._registry.left_behind(user_id, peer.wire)
        wanted = peer.document_id
        return next((each for each in left if wanted is None or self._documents.is_in(each.session_id, wanted)), None)


def _unnamed(peer: Peer) -> str:
    """Return the wire by which the client of `peer` comes back to a session that it cannot name; empty where it can."""
    return "" if peer.can_resume else peer.wire
