"""How somebody came: what the records and the audit log keep of a connection that a session began or went on with."""

from dataclasses import dataclass

from texswarm_server.sessions.audit import AuditAction, AuditEntry
from texswarm_server.sessions.records import Records, StoredSession
from texswarm_server.sessions.registry import Session


@dataclass(frozen=True, slots=True)
class Arrival:
    """When (wall time), from where and with what program somebody came."""

    at: float
    address: str
    client: str

    def note(self, records: Records, session: Session) -> None:
        """Store that a session is attached, and tell the audit log who came."""
        records.put_session(
            StoredSession(
                session_id=session.session_id,
                user_id=session.user_id,
                grant_id=session.grant_id,
                attached_at=self.at,
                address=self.address,
                client=self.client,
                wire=session.wire,
            )
        )
        records.put_audit(
            AuditEntry(
                at=self.at,
                action=AuditAction.SIGNED_IN,
                actor=session.user_id,
                user_id=session.user_id,
                reference=session.session_id,
                address=self.address,
                detail=self.client,
            )
        )
