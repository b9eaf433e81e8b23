"""Changes of access: each in the records and in the audit log, and none that leaves a document without an owner."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.helpers.records import records_in_memory
from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.ids import DocumentId, Lineage, SessionId, UserId
from texswarm_server.sessions import administration as administer
from texswarm_server.sessions.audit import LIVE_ACTIONS, OPERATOR, AuditAction
from texswarm_server.sessions.document_access import issue_invite, issue_return
from texswarm_server.sessions.records import DocumentRecord, Grant, Records, StoredSession, User
from texswarm_server.sessions.signing_keys import load_keys

ADA, BOB, PAPER = UserId("ada"), UserId("bob"), DocumentId("paper")
NOW = 1000.0


@pytest.fixture
def records() -> Iterator[Records]:
    with records_in_memory() as records:
        for user_id in (ADA, BOB):
            records.put_user(User(user_id=user_id))
        records.put_document(
            DocumentRecord(document_id=PAPER, title="", lineage=Lineage("l"), owner_id=ADA, updated_at=0)
        )
        records.put_role(ADA, PAPER, "owner")
        records.put_role(BOB, PAPER, "editor")
        yield records


def change_role(records: Records, user_id: str, role: str, **options: object) -> list:
    return administer.change_role(records, actor=ADA, user_id=user_id, document_id=PAPER, role=role, now=NOW, **options)


def remove(records: Records, user_id: str, **options: object) -> list:
    return administer.remove_member(records, actor=ADA, user_id=user_id, document_id=PAPER, now=NOW, **options)


def actions(records: Records) -> list[AuditAction]:
    return [entry.action for entry in records.audit()]


def test_a_role_is_changed_and_recorded(records: Records) -> None:
    entry = change_role(records, BOB, "viewer")[0]

    assert records.role_of(BOB, PAPER) == "viewer"
    assert records.audit() == [entry]
    assert (entry.action, entry.actor, entry.user_id, entry.document_id, entry.role, entry.at, entry.number) == (
        AuditAction.ROLE_CHANGED, ADA, BOB, PAPER, "viewer", NOW, 1,
    )  # fmt: skip


def test_what_changes_nothing_is_not_recorded(records: Records) -> None:
    assert change_role(records, BOB, "editor") == []
    administer.remove_user(records, actor=OPERATOR, user_id=BOB, now=NOW)
    assert administer.remove_user(records, actor=OPERATOR, user_id=BOB, now=NOW) == []
    assert administer.restore_user(records, actor=OPERATOR, user_id=ADA, now=NOW) == []


def test_the_last_owner_stays_unless_it_is_meant(records: Records) -> None:
    for attempt in (lambda: change_role(records, ADA, "editor"), lambda: remove(records, ADA)):
        with pytest.raises(RejectedError, match="last_owner"):
            attempt()
    assert (records.role_of(ADA, PAPER), actions(records)) == ("owner", [])

    change_role(records, ADA, "editor", is_forced=True)
    assert records.role_of(ADA, PAPER) == "editor"


def test_an_owner_who_was_removed_from_the_server_does_not_count(records: Records) -> None:
    change_role(records, BOB, "owner")
    administer.remove_user(records, actor=OPERATOR, user_id=BOB, now=NOW)

    with pytest.raises(RejectedError, match="last_owner"):
        remove(records, ADA)


def test_one_of_two_owners_may_go(records: Records) -> None:
    change_role(records, BOB, "owner")
    remove(records, ADA)

    assert [(each.user.user_id, each.role) for each in records.members_of(PAPER)] == [(BOB, "owner")]


def test_a_removal_takes_the_role_and_a_ban_the_invites_too(records: Records) -> None:
    came_by = issue_invite(records, os.urandom, NOW, role="editor", document_id=PAPER).invite
    made = issue_invite(records, os.urandom, NOW, role="viewer", document_id=PAPER, issued_by=BOB).invite
    elsewhere = issue_invite(records, os.urandom, NOW, role="editor").invite
    for invite in (came_by, elsewhere):
        records.put_registration(invite.token_hash, BOB)
    remove(records, BOB)
    assert records.role_of(BOB, PAPER) is None
    assert not any(invite.is_revoked for invite in records.invites())

    entries = remove(records, BOB, ban=True)

    assert [entry.action for entry in entries] == [AuditAction.MEMBER_BANNED, *[AuditAction.INVITE_REVOKED] * 2]
    assert {each.invite_id for each in records.invites() if each.is_revoked} == {came_by.invite_id, made.invite_id}
    assert remove(records, BOB) == [], "a ban is not softened by a removal"


@pytest.mark.parametrize("ban", [True, False])
@pytest.mark.parametrize("revokes", [True, False])
def test_whether_a_removal_takes_the_invites_may_be_said(records: Records, *, ban: bool, revokes: bool) -> None:
    came_by = issue_invite(records, os.urandom, NOW, role="editor", document_id=PAPER).invite
    records.put_registration(came_by.token_hash, BOB)
    made = issue_invite(records, os.urandom, NOW, role="viewer", document_id=PAPER, issued_by=BOB).invite
    remove(records, BOB, ban=ban, revoke_invites=revokes)

    left = {each.invite_id for each in administer.invites_left(records, BOB, PAPER, NOW)}
    assert left == (set() if revokes else {came_by.invite_id, made.invite_id})


def test_a_link_by_which_others_came_stays_unless_it_is_meant(records: Records) -> None:
    shared = issue_invite(records, os.urandom, NOW, role="editor", document_id=PAPER).invite
    own = issue_invite(records, os.urandom, NOW, role="editor").invite
    for invite, user_id in ((shared, ADA), (shared, BOB), (own, BOB)):
        records.put_registration(invite.token_hash, user_id)
    remove(records, BOB, ban=True)
    administer.remove_user(records, actor=OPERATOR, user_id=BOB, now=NOW)

    assert [each.invite_id for each in records.invites() if each.is_revoked] == [own.invite_id]
    assert administer.invites_left(records, BOB, PAPER, NOW) == [shared]
    assert administer.invites_left(records, BOB, "another", NOW) == []

    administer.restore_user(records, actor=OPERATOR, user_id=BOB, now=NOW)
    administer.remove_user(records, actor=OPERATOR, user_id=BOB, now=NOW, with_shared=True)
    assert all(invite.is_revoked for invite in records.invites())


def test_what_signs_a_user_in_again_ends_with_the_tokens_and_with_the_user(records: Records) -> None:
    for end in (administer.revoke_tokens, administer.remove_user):
        invite = issue_return(records, os.urandom, NOW, user_id=BOB, ttl_s=60).invite
        assert invite in records.invites_for(BOB)
        end(records, actor=OPERATOR, user_id=BOB, now=NOW)
        assert all(invite.is_revoked for invite in records.invites_for(BOB))


@pytest.mark.parametrize(("user_id", "code"), [("nobody", "not_found"), (BOB, "removed")])
def test_nobody_is_signed_in_again_who_is_not_there(records: Records, user_id: str, code: str) -> None:
    administer.remove_user(records, actor=OPERATOR, user_id=BOB, now=NOW)
    with pytest.raises(RejectedError) as caught:
        issue_return(records, os.urandom, NOW, user_id=user_id, ttl_s=60)
    assert (caught.value.code, records.invites()) == (code, [])


def test_a_role_given_by_hand_ends_a_ban(records: Records) -> None:
    remove(records, BOB, ban=True)
    change_role(records, BOB, "viewer")

    assert (records.find_removal(BOB, PAPER), records.role_of(BOB, PAPER)) == (None, "viewer")


@pytest.mark.parametrize(
    ("attempt", "code"),
    [
        (lambda records: change_role(records, "nobody", "editor"), "not_found"),
        (lambda records: remove(records, "nobody"), "not_found"),
        (
            lambda records: administer.change_role(
                records, actor=ADA, user_id=BOB, document_id="none", role="viewer", now=NOW
            ),
            "document_not_found",
        ),
        (
            lambda records: administer.unban_member(records, actor=ADA, user_id=BOB, document_id=PAPER, now=NOW),
            "not_found",
        ),
        (lambda records: administer.remove_user(records, actor=ADA, user_id="nobody", now=NOW), "not_found"),
        (lambda records: administer.revoke_tokens(records, actor=ADA, user_id="nobody", now=NOW), "not_found"),
        (lambda records: administer.revoke_invite(records, actor=ADA, invite_id="nothing", now=NOW), "not_found"),
        (lambda records: administer.close_session(records, actor=ADA, session_id="none", now=NOW), "not_found"),
    ],
)
def test_what_does_not_exist_is_refused(records: Records, attempt: Callable[[Records], object], code: str) -> None:
    with pytest.raises(RejectedError) as caught:
        attempt(records)
    assert (caught.value.code, actions(records)) == (code, [])


def sessions(records: Records) -> set[str]:
    return {session.session_id for session in records.sessions()}


def with_sessions(records: Records) -> None:
    for user_id, number in ((ADA, 1), (BOB, 2), (BOB, 3)):
        grant_id = f"g{number}"
        records.put_grant(Grant(grant_id=grant_id, token_hash=grant_id, user_id=user_id, used_at=0))
        records.put_session(StoredSession(session_id=SessionId(f"s{number}"), user_id=user_id, grant_id=grant_id))


def test_sessions_end_with_what_they_stand_on(records: Records) -> None:
    with_sessions(records)
    administer.close_session(records, actor=OPERATOR, session_id="s1", now=NOW)
    assert sessions(records) == {"s2", "s3"}
    administer.revoke_sign_in(records, actor=BOB, grant_id="g2", action=AuditAction.SIGNED_OUT, now=NOW)
    assert sessions(records) == {"s3"}
    administer.revoke_tokens(records, actor=OPERATOR, user_id=BOB, now=NOW)

    assert sessions(records) == set()
    assert [each.is_revoked for each in records.grants_of(BOB)] == [True, True]
    assert actions(records) == [AuditAction.SESSION_CLOSED, AuditAction.SIGNED_OUT, AuditAction.TOKENS_REVOKED]


def test_a_sign_in_is_revoked_once(records: Records) -> None:
    with_sessions(records)
    revoke = {"actor": BOB, "grant_id": "g2", "action": AuditAction.TOKEN_REUSED, "now": NOW}

    assert len(administer.revoke_sign_in(records, **revoke)) == 1
    assert administer.revoke_sign_in(records, **revoke) == []


def test_a_new_key_signs(records: Records) -> None:
    entry = administer.rotate_keys(records, actor=OPERATOR, random=os.urandom, now=NOW)[0]

    assert load_keys(records)[-1].key_id == entry.reference


def test_entries_are_found_by_what_they_concern_and_forgotten_in_time(records: Records) -> None:
    change_role(records, BOB, "viewer")
    administer.revoke_tokens(records, actor=OPERATOR, user_id=ADA, now=NOW + 1)
    administer.remove_user(records, actor=OPERATOR, user_id=BOB, now=NOW + 2)

    numbers = [
        [entry.number for entry in records.audit(**query)]
        for query in (
            {"user_id": BOB}, {"user_id": ADA}, {"document_id": PAPER}, {"after": 1}, {"limit": 2},
            {"actions": LIVE_ACTIONS, "after": 2}, {"actions": [AuditAction.TOKENS_REVOKED]},
        )
    ]  # fmt: skip
    assert numbers == [[1, 3], [1, 2], [1], [2, 3], [2, 3], [3], [2]]
    assert records.prune_audit(NOW + 1) == 1
    assert (records.prune_audit(NOW + 99), records.last_audit_number()) == (1, 3), "the number never goes back"
