"""What is remembered of who came in and of every change of access: numbered entries, in the order they happened.

The entries are also the feed by which a running server hears of changes, its own and those of other processes on the
same data: whoever changes access writes the change and its entry in one transaction. Secrets never stand in an entry.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

OPERATOR: Final = "operator"
"""Stands as the actor for whoever runs the server."""

SERVER: Final = "server"
"""Stands as the actor for what the server did by itself."""


class AuditAction(StrEnum):
    """What happened."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SIGN_IN_REFUSED = "sign_in_refused"
    USER_REGISTERED = "user_registered"
    USER_REMOVED = "user_removed"
    USER_RESTORED = "user_restored"
    USER_INVITED_BACK = "user_invited_back"
    TOKENS_REVOKED = "tokens_revoked"
    TOKEN_REUSED = "token_reused"  # noqa: S105 - not a secret
    SESSION_CLOSED = "session_closed"
    INVITE_ISSUED = "invite_issued"
    INVITE_REDEEMED = "invite_redeemed"
    INVITE_REVOKED = "invite_revoked"
    INVITE_CHANGED = "invite_changed"
    CODE_ISSUED = "code_issued"
    CODE_BURNED = "code_burned"
    ENTRY_DECLINED = "entry_declined"
    ROLE_CHANGED = "role_changed"
    MEMBER_REMOVED = "member_removed"
    MEMBER_BANNED = "member_banned"
    MEMBER_UNBANNED = "member_unbanned"
    DOCUMENT_LOCKED = "document_locked"
    DOCUMENT_UNLOCKED = "document_unlocked"
    KEY_ROTATED = "key_rotated"
    VERSION_RESTORED = "version_restored"
    RECOVERY_ACCEPTED = "recovery_accepted"


#: What a server must act on where the people concerned are connected.
LIVE_ACTIONS: Final = (
    AuditAction.SIGNED_OUT,
    AuditAction.USER_REMOVED,
    AuditAction.TOKENS_REVOKED,
    AuditAction.TOKEN_REUSED,
    AuditAction.SESSION_CLOSED,
    AuditAction.ROLE_CHANGED,
    AuditAction.MEMBER_REMOVED,
    AuditAction.MEMBER_BANNED,
    AuditAction.MEMBER_UNBANNED,
    AuditAction.KEY_ROTATED,
    AuditAction.CODE_ISSUED,
    AuditAction.CODE_BURNED,
    AuditAction.INVITE_REVOKED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that happened; texts are empty where they do not apply.

    `number` rises and is given by the records. `at`: seconds since the epoch. `actor`: who did it, a user id,
    `OPERATOR` or `SERVER`. `user_id`: whom it concerns. `reference`: the invite, session, sign-in, key
    or version.
    `address`: where the person was. `detail`: for readers.
    """

    at: float
    action: AuditAction
    actor: str
    user_id: str = ""
    document_id: str = ""
    reference: str = ""
    role: str = ""
    address: str = ""
    detail: str = ""
    number: int = 0
