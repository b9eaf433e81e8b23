"""What changed, in words: one sentence for each entry of the audit log. Pure."""

from collections.abc import Mapping
from typing import Final

from texswarm_server.sessions.audit import AuditAction, AuditEntry

_SHORT: Final = 8
_LONGEST_NAME: Final = 40

_SENTENCES: Final[Mapping[AuditAction, str]] = {
    AuditAction.SIGNED_IN: "{user} signed in",
    AuditAction.SIGNED_OUT: "{user} signed out",
    AuditAction.SIGN_IN_REFUSED: "a sign-in was refused: {detail}",
    AuditAction.USER_REGISTERED: "{user} came in for the first time",
    AuditAction.USER_REMOVED: "{user} was removed from the server",
    AuditAction.USER_RESTORED: "{user} may come in again",
    AuditAction.USER_INVITED_BACK: "{user} may sign in again by invite {reference}",
    AuditAction.TOKENS_REVOKED: "all tokens of {user} were revoked",
    AuditAction.TOKEN_REUSED: "a spent token of {user} was used again: that sign-in was revoked",
    AuditAction.SESSION_CLOSED: "a session of {user} was closed",
    AuditAction.INVITE_CHANGED: "invite {reference} was changed: {role} of {place}",
    AuditAction.ENTRY_DECLINED: "{user} asked to be let into {place} and was not",
    AuditAction.INVITE_ISSUED: "invite {reference} was issued: {role} of {place}",
    AuditAction.INVITE_REDEEMED: "{user} used invite {reference}",
    AuditAction.INVITE_REVOKED: "invite {reference} was revoked",
    AuditAction.CODE_ISSUED: "join code {detail} was made for invite {reference}",
    AuditAction.CODE_BURNED: "join code {detail} was burned by wrong tries",
    AuditAction.ROLE_CHANGED: "{user} became {role} of {place}",
    AuditAction.MEMBER_REMOVED: "{user} was removed from {place}",
    AuditAction.MEMBER_BANNED: "{user} was banned from {place}",
    AuditAction.MEMBER_UNBANNED: "{user} may be invited to {place} again",
    AuditAction.DOCUMENT_LOCKED: "{place} was locked: all but its owners only read",
    AuditAction.DOCUMENT_UNLOCKED: "{place} was unlocked",
    AuditAction.KEY_ROTATED: "access tokens are signed with a new key{more}",
    AuditAction.VERSION_RESTORED: "version {reference} became {place}{more}",
    AuditAction.RECOVERY_ACCEPTED: "what was recovered of a damaged database took its place",
}


def sentence(entry: AuditEntry, names: Mapping[str, str]) -> str:
    """Return what happened; `names`: what users and documents are called, by id."""
    words = {
        "user": _named(entry.user_id, names) or "somebody",
        "place": _named(entry.document_id, names) or "the server",
        "reference": entry.reference,
        "role": entry.role,
        "detail": entry.detail or "no reason given",
        "more": f" ({entry.detail})" if entry.detail else "",
    }
    begins_with_name = _SENTENCES[entry.action].startswith("{user}") and bool(entry.user_id)
    text = _SENTENCES[entry.action].format(**words)
    return text if begins_with_name else text[0].upper() + text[1:]


def is_told(action: AuditAction) -> bool:
    """Whether there is a sentence for an action."""
    return action in _SENTENCES


def _named(identifier: str, names: Mapping[str, str]) -> str:
    """Return name and the beginning of the id: names are chosen by people, and need not differ."""
    if not identifier:
        return ""
    name = names.get(identifier, "")
    name = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1].rstrip()}…"
    return f"{name} ({identifier[:_SHORT]})" if name else identifier
