"""A lock of a document: until its end everybody who may write in it, but not its owners, only reads.

Decides inside one transaction of the records. What a lock takes is withheld, and its end gives it back: from those who
wrote when it began, and from those who came since by an invite that lets write. What somebody decides about a person
meanwhile holds, under the lock and after it. Invites stay as they are, and so do decisions of before.
"""

import json
from collections.abc import Iterable
from typing import Final

from texswarm_server.protocol.ids import DocumentId, UserId
from texswarm_server.protocol.messages import RoleName
from texswarm_server.sessions.audit import AuditAction, AuditEntry
from texswarm_server.sessions.records import Records

_OPEN: Final = ""


def is_locked(records: Records, document_id: DocumentId) -> bool:
    """Say whether a lock is on a document."""
    return _withheld_from(records, document_id) is not None


def lock_document(records: Records, *, actor: str, document_id: DocumentId, now: float) -> list[AuditEntry]:
    """Let everybody but the owners only read until `unlock_document`; under a lock nothing changes."""
    if is_locked(records, document_id):
        return []
    writers = [each.user.user_id for each in records.members_of(document_id) if each.role == "editor"]
    _keep(records, document_id, writers)
    _note(records, AuditAction.DOCUMENT_LOCKED, actor, document_id, now)
    return _give(records, writers, "viewer", actor=actor, document_id=document_id, now=now)


def unlock_document(records: Records, *, actor: str, document_id: DocumentId, now: float) -> list[AuditEntry]:
    """End a lock, and give back what it withheld."""
    withheld_from = _withheld_from(records, document_id)
    if withheld_from is None:
        return []
    records.put_setting(_key(document_id), _OPEN)
    _note(records, AuditAction.DOCUMENT_UNLOCKED, actor, document_id, now)
    readers = [each for each in withheld_from if records.role_of(each, document_id) == "viewer"]
    return _give(records, readers, "editor", actor=actor, document_id=document_id, now=now)


def under_lock(records: Records, user_id: UserId, document_id: DocumentId, role: RoleName) -> RoleName:
    """Return what an invite gives now that gives `role`; a lock withholds the rest until its end."""
    if not withholds(records, document_id, role):
        return role
    withhold(records, user_id, document_id)
    return "viewer"


def withholds(records: Records, document_id: DocumentId, role: RoleName) -> bool:
    """Say whether a lock keeps an invite from giving this role now."""
    return role == "editor" and is_locked(records, document_id)


def withhold(records: Records, user_id: UserId, document_id: DocumentId) -> None:
    """Note that the end of the lock lets somebody write."""
    _keep(records, document_id, [*(_withheld_from(records, document_id) or ()), user_id])


def settle(records: Records, user_id: UserId, document_id: DocumentId) -> bool:
    """Withhold nothing from somebody about whom was decided; returns whether something was withheld."""
    withheld_from = _withheld_from(records, document_id) or ()
    if user_id not in withheld_from:
        return False
    _keep(records, document_id, [each for each in withheld_from if each != user_id])
    return True


def lock_alike(records: Records, origin: DocumentId, document_id: DocumentId) -> None:
    """Put the lock of one document on another that has the same people, if there is one."""
    withheld_from = _withheld_from(records, origin)
    if withheld_from is not None:
        _keep(records, document_id, withheld_from)


def _give(
    records: Records, users: Iterable[UserId], role: RoleName, *, actor: str, document_id: DocumentId, now: float
) -> list[AuditEntry]:
    """Give a role by a lock, or by its end: who decided what, and when, stays as it was."""
    entries = []
    for user_id in users:
        decided_at = records.role_decided_at(user_id, document_id)
        records.put_role(user_id, document_id, role, decided_at=decided_at)
        entries.append(_note(records, AuditAction.ROLE_CHANGED, actor, document_id, now, user_id=user_id, role=role))
    return entries


def _note(
    records: Records,
    action: AuditAction,
    actor: str,
    document_id: DocumentId,
    now: float,
    *,
    user_id: str = "",
    role: str = "",
) -> AuditEntry:
    return records.put_audit(
        AuditEntry(at=now, action=action, actor=actor, document_id=document_id, user_id=user_id, role=role)
    )


def _withheld_from(records: Records, document_id: DocumentId) -> list[UserId] | None:
    """Return from whom a lock withholds that they may write; None where there is no lock."""
    kept = records.find_setting(_key(document_id))
    return [UserId(each) for each in json.loads(kept)] if kept else None


def _keep(records: Records, document_id: DocumentId, withheld_from: Iterable[UserId]) -> None:
    records.put_setting(_key(document_id), json.dumps([*dict.fromkeys(withheld_from)]))


def _key(document_id: DocumentId) -> str:
    return f"lock {document_id}"
