"""Every change of access after the sign-in, each with its entry in the audit log, inside one transaction.

A command line calls these on the database of a server that may be running, and a server calls them for its users; both
ways the server hears of the change by the entry. `actor` is a user id, `OPERATOR` or `SERVER`; whether an actor may do
what is asked is the caller's business. Each function returns the entries it wrote, none where nothing changed.
"""

from collections.abc import Iterable
from dataclasses import replace

from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.ids import DocumentId, SessionId, UserId
from texswarm_server.protocol.messages import RoleName
from texswarm_server.sessions.audit import AuditAction, AuditEntry
from texswarm_server.sessions.credentials import RandomBytes, hash_token
from texswarm_server.sessions.document_lock import settle
from texswarm_server.sessions.records import Invite, Records, Removal, User
from texswarm_server.sessions.signing_keys import add_key
from texswarm_server.sessions.usable_invites import obstacle


def change_role(
    records: Records,
    *,
    actor: str,
    user_id: str,
    document_id: str,
    role: RoleName,
    now: float,
    is_forced: bool = False,
) -> list[AuditEntry]:
    """Give a user a role in a document, also one who had none or was taken out; no earlier invite changes it.

    Nor does the end of a lock. Raises RejectedError: document_not_found, not_found, or last_owner unless `is_forced`.
    """
    document, user = _existing(records, document_id), _known(records, user_id)
    current = records.role_of(user.user_id, document)
    if not settle(records, user.user_id, document) and current == role:
        return []
    if current == "owner" and not is_forced:
        _insist_on_another_owner(records, user.user_id, document)
    records.forget_removal(user.user_id, document)
    records.put_role(user.user_id, document, role, decided_at=now)
    return [_note(records, now, actor, AuditAction.ROLE_CHANGED, user_id=user_id, document_id=document, role=role)]


def remove_member(
    records: Records,
    *,
    actor: str,
    user_id: str,
    document_id: str,
    now: float,
    ban: bool = False,
    is_forced: bool = False,
    revoke_invites: bool | None = None,
    with_shared: bool = False,
) -> list[AuditEntry]:
    """Take a user out of a document: invites made until now do not lead back for this user; with `ban` no invite does.

    `revoke_invites` (None: with `ban`): those to the document that the user made, or came by and nobody else, because
    whoever holds one could come in as somebody new; with `with_shared` also those by which others came.
    Raises RejectedError: document_not_found, not_found, or last_owner unless `is_forced`.
    """
    document, user = _existing(records, document_id), _known(records, user_id)
    revokes = ban if revoke_invites is None else revoke_invites
    before = records.find_removal(user.user_id, document)
    if before and before.is_ban >= ban:
        return []
    if records.role_of(user.user_id, document) == "owner" and not is_forced:
        _insist_on_another_owner(records, user.user_id, document)
    settle(records, user.user_id, document)
    records.remove_role(user.user_id, document)
    records.put_removal(Removal(user_id=user.user_id, document_id=document, removed_at=now, is_ban=ban))
    action = AuditAction.MEMBER_BANNED if ban else AuditAction.MEMBER_REMOVED
    entries = [_note(records, now, actor, action, user_id=user_id, document_id=document)]
    known = _leading_back(records, user.user_id, with_shared=with_shared) if revokes else []
    return entries + _revoke_invites(records, actor, [each for each in known if each.document_id == document], now)


def unban_member(records: Records, *, actor: str, user_id: str, document_id: str, now: float) -> list[AuditEntry]:
    """Forget that a user was taken out of a document; it takes an invite or a role to be in it again.

    Raises RejectedError: document_not_found, or not_found when the user was not taken out.
    """
    document = _existing(records, document_id)
    if records.find_removal(UserId(user_id), document) is None:
        raise RejectedError(ErrorCode.NOT_FOUND, f"{user_id} was not removed from this document")
    records.forget_removal(UserId(user_id), document)
    return [_note(records, now, actor, AuditAction.MEMBER_UNBANNED, user_id=user_id, document_id=document)]


def remove_user(
    records: Records,
    *,
    actor: str,
    user_id: str,
    now: float,
    revoke_invites: bool = True,
    with_shared: bool = False,
) -> list[AuditEntry]:
    """Remove a user from the server: no token of theirs is accepted, nor any invite, until `restore_user`.

    The invites that the user made, or came by and nobody else, are revoked as well, because whoever holds one could
    come in as somebody new; with `with_shared` also those by which others came.
    Raises RejectedError(not_found).
    """
    user = _known(records, user_id, or_removed=True)
    if user.is_removed:
        return []
    records.put_user(replace(user, is_removed=True))
    records.remove_sessions([session.session_id for session in records.sessions_of(user.user_id)])
    entries = [_note(records, now, actor, AuditAction.USER_REMOVED, user_id=user_id)]
    known = _leading_back(records, user.user_id, with_shared=with_shared) if revoke_invites else []
    return entries + _revoke_invites(records, actor, known, now)


def restore_user(records: Records, *, actor: str, user_id: str, now: float) -> list[AuditEntry]:
    """Let a user who was removed from the server in again, with the tokens and roles of before.

    Raises RejectedError(not_found).
    """
    user = _known(records, user_id, or_removed=True)
    if not user.is_removed:
        return []
    records.put_user(replace(user, is_removed=False))
    return [_note(records, now, actor, AuditAction.USER_RESTORED, user_id=user_id)]


def revoke_invite(records: Records, *, actor: str, invite_id: str, now: float) -> list[AuditEntry]:
    """Let nobody else in by an invite; who came by it stays. Raises RejectedError(not_found)."""
    invite = records.find_invite_by_id(invite_id)
    if invite is None:
        raise RejectedError(ErrorCode.NOT_FOUND, f"no invite {invite_id}")
    return _revoke_invites(records, actor, [invite], now)


def revoke_by_token(records: Records, *, actor: str, token: str, now: float) -> list[AuditEntry]:
    """Let nobody else in by the invite with this secret, if there is one; who came by it stays."""
    invite = records.find_invite(hash_token(token))
    return _revoke_invites(records, actor, [invite] if invite is not None else [], now)


def change_invite(
    records: Records, *, actor: str, invite: Invite, role: RoleName | None, asks: bool | None, now: float
) -> Invite:
    """Let an invite give another role from now on, or ask first, or no longer; None: as before."""
    changed = replace(invite, role=role or invite.role, asks=invite.asks if asks is None else asks)
    if changed != invite:
        records.put_invite(changed)
        details = {"reference": invite.invite_id, "document_id": invite.document_id or "", "role": changed.role}
        _note(records, now, actor, AuditAction.INVITE_CHANGED, **details)
    return changed


def decline_entry(records: Records, *, actor: str, user_id: str, document_id: str, now: float) -> AuditEntry:
    """Note that somebody who asked to be let into a document was not."""
    return _note(records, now, actor, AuditAction.ENTRY_DECLINED, user_id=user_id, document_id=document_id)


def revoke_tokens(records: Records, *, actor: str, user_id: str, now: float) -> list[AuditEntry]:
    """Revoke every token of a user and end the sessions, and revoke what would sign the user in again.

    Raises RejectedError(not_found).
    """
    user = _known(records, user_id, or_removed=True)
    records.revoke_grants_of(user.user_id)
    records.remove_sessions([session.session_id for session in records.sessions_of(user.user_id)])
    entries = [_note(records, now, actor, AuditAction.TOKENS_REVOKED, user_id=user_id)]
    return entries + _revoke_invites(records, actor, records.invites_for(user.user_id), now)


def revoke_sign_in(
    records: Records, *, actor: str, grant_id: str, action: AuditAction, now: float, address: str = ""
) -> list[AuditEntry]:
    """Revoke the tokens of one sign-in, because of `action`, and end its sessions."""
    grant = records.find_grant(grant_id)
    if grant is None or grant.is_revoked:
        return []
    records.put_grant(replace(grant, is_revoked=True))
    sessions = records.sessions_of(grant.user_id)
    records.remove_sessions([session.session_id for session in sessions if session.grant_id == grant_id])
    return [_note(records, now, actor, action, user_id=grant.user_id, reference=grant_id, address=address)]


def close_session(records: Records, *, actor: str, session_id: str, now: float, detail: str = "") -> list[AuditEntry]:
    """End a session; its user may come back in a new one. Raises RejectedError(not_found)."""
    session = records.find_session(SessionId(session_id))
    if session is None:
        raise RejectedError(ErrorCode.NOT_FOUND, f"no session {session_id}")
    records.remove_sessions([session.session_id])
    return [
        _note(
            records,
            now,
            actor,
            AuditAction.SESSION_CLOSED,
            user_id=session.user_id,
            reference=session_id,
            detail=detail,
        )
    ]


def rotate_keys(
    records: Records, *, actor: str, random: RandomBytes, now: float, drop_old: bool = False
) -> list[AuditEntry]:
    """Sign access tokens with a new key from now on; with `drop_old` those of earlier keys are refused at once."""
    key = add_key(records, random, now=now, drop_old=drop_old)
    detail = "earlier keys dropped" if drop_old else ""
    return [_note(records, now, actor, AuditAction.KEY_ROTATED, reference=key.key_id, detail=detail)]


def note_role(records: Records, *, actor: str, user_id: str, document_id: str, role: str, now: float) -> AuditEntry:
    """Record that an invite gave a role."""
    return _note(records, now, actor, AuditAction.ROLE_CHANGED, user_id=user_id, document_id=document_id, role=role)


def note_restoration(
    records: Records, *, actor: str, document_id: str, version_id: int, origin: str, now: float
) -> AuditEntry:
    """Record that a former state of `origin` became a document, with the people who are in `origin`."""
    return _note(
        records,
        now,
        actor,
        AuditAction.VERSION_RESTORED,
        document_id=document_id,
        reference=str(version_id),
        detail=f"from {origin}",
    )


def note_recovery(records: Records, *, actor: str, now: float) -> AuditEntry:
    """Record that a recovered database is the server's from now on."""
    return _note(records, now, actor, AuditAction.RECOVERY_ACCEPTED)


# ── inside ──────────────────────────────────────────────────────────────────────────────────────────────


def _note(records: Records, now: float, actor: str, action: AuditAction, **details: str) -> AuditEntry:
    return records.put_audit(replace(AuditEntry(at=now, action=action, actor=actor), **details))  # type: ignore[arg-type]


def _existing(records: Records, document_id: str) -> DocumentId:
    if records.find_document(DocumentId(document_id)) is None:
        raise RejectedError(ErrorCode.DOCUMENT_NOT_FOUND, document_id)
    return DocumentId(document_id)


def _known(records: Records, user_id: str, *, or_removed: bool = False) -> User:
    user = records.find_user(UserId(user_id))
    if user is None or (user.is_removed and not or_removed):
        raise RejectedError(ErrorCode.NOT_FOUND, f"no user {user_id}")
    return user


def _insist_on_another_owner(records: Records, user_id: UserId, document_id: DocumentId) -> None:
    members = records.members_of(document_id)
    owners = {each.user.user_id for each in members if each.role == "owner" and not each.user.is_removed}
    if not owners - {user_id}:
        raise RejectedError(ErrorCode.LAST_OWNER, f"{user_id} is the only owner")


def invites_left(records: Records, user_id: str, document_id: str | None, now: float) -> list[Invite]:
    """Return what still lets in whoever holds it, though a user who was taken out knows it.

    `document_id`: to this document only.
    """
    known = [*records.invites_used_by(UserId(user_id)), *records.invites_issued_by(UserId(user_id))]
    distinct = {each.token_hash: each for each in known}.values()
    return [each for each in distinct if document_id in {None, each.document_id} and obstacle(each, now) is None]


def _leading_back(records: Records, user_id: UserId, *, with_shared: bool) -> list[Invite]:
    """Return the invites by which a user could come in as somebody new, or again.

    Those by which others came are left alone unless `with_shared`: a link that a whole class was sent is no one's.
    """
    used = records.invites_used_by(user_id)
    own = [each for each in used if with_shared or set(records.users_of(each.token_hash)) == {user_id}]
    known = [*own, *records.invites_issued_by(user_id), *records.invites_for(user_id)]
    return list({invite.token_hash: invite for invite in known}.values())


def _revoke_invites(records: Records, actor: str, invites: Iterable[Invite], now: float) -> list[AuditEntry]:
    entries = []
    for invite in invites:
        if not invite.is_revoked:
            records.put_invite(replace(invite, is_revoked=True))
            details = {"reference": invite.invite_id, "document_id": invite.document_id or "", "role": invite.role}
            entries.append(_note(records, now, actor, AuditAction.INVITE_REVOKED, **details))
    return entries
