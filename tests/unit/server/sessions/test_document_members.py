"""Owners and their people: who may order what, and what others are told."""

import os
from collections.abc import Iterator

import pytest

from tests.helpers.a_paper import ADA, BOB, CYD, EVE, PAPER, members_of_server, paper_with_people
from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.ids import UserId
from texswarm_server.protocol.messages import ChangeRole, RemoveMember, RoleName, UnbanMember
from texswarm_server.protocol.version import Limits
from texswarm_server.sessions.document_access import DocumentAccess, issue_invite
from texswarm_server.sessions.document_members import DocumentMembers
from texswarm_server.sessions.records import Records

MEMBERS = members_of_server()
OPEN = members_of_server(is_open=True)


@pytest.fixture
def records() -> Iterator[Records]:
    with paper_with_people() as records:
        yield records


def listed(records: Records) -> list[tuple[str, str | None, bool]]:
    return [(each.user_id, each.role, each.is_banned) for each in MEMBERS.members(records, ADA, PAPER).members]


def remove(records: Records, by: UserId, user_id: UserId, *, ban: bool = False) -> None:
    MEMBERS.remove(records, by, RemoveMember(document_id=PAPER, user_id=user_id, ban=ban), 1.0)


def change(records: Records, by: UserId, user_id: UserId, role: RoleName, rules: DocumentMembers = MEMBERS) -> None:
    rules.change_role(records, by, ChangeRole(document_id=PAPER, user_id=user_id, role=role), 1.0)


def refusal(attempt: object, *values: object, **options: object) -> str:
    with pytest.raises(RejectedError) as caught:
        attempt(*values, **options)  # type: ignore[operator]
    return caught.value.code


def test_an_owner_changes_roles_and_takes_people_out(records: Records) -> None:
    change(records, ADA, CYD, "editor")
    remove(records, ADA, BOB, ban=True)
    assert listed(records) == [("ada", "owner", False), ("cyd", "editor", False), ("bob", None, True)]

    unbanned = MEMBERS.unban(records, ADA, UnbanMember(document_id=PAPER, user_id=BOB), 2.0)
    assert (unbanned.role, unbanned.is_banned, unbanned.display_name) == (None, False, "Bob")
    assert [user_id for user_id, *_ in listed(records)] == ["ada", "cyd"]


@pytest.mark.parametrize(("by", "code"), [(BOB, "forbidden"), (CYD, "forbidden"), (EVE, "document_not_found")])
def test_others_may_not(records: Records, by: UserId, code: str) -> None:
    attempts = [
        (MEMBERS.members, records, by, PAPER),
        (change, records, by, CYD, "owner"),
        (change, records, by, by, "owner"),
        (remove, records, by, ADA),
        (MEMBERS.unban, records, by, UnbanMember(document_id=PAPER, user_id=CYD), 1.0),
        (MEMBERS.invites, records, by, PAPER),
    ]

    assert [refusal(*attempt) for attempt in attempts] == [code] * len(attempts)
    assert refusal(remove, records, by, by, ban=True) == code


def test_everybody_may_leave_but_the_last_owner(records: Records) -> None:
    for user_id in (BOB, CYD):
        remove(records, user_id, user_id)

    assert [each for each in listed(records) if each[1]] == [("ada", "owner", False)]
    assert refusal(remove, records, ADA, ADA) == "last_owner"
    assert refusal(change, records, ADA, ADA, "viewer") == "last_owner"


def test_strangers_are_not_drawn_in_and_not_told_of(records: Records) -> None:
    for user_id in (EVE, UserId("nobody")):
        assert refusal(change, records, ADA, user_id, "editor") == "not_found"
        assert refusal(remove, records, ADA, user_id) == "not_found"


def test_where_everybody_may_edit_an_owner_still_decides(records: Records) -> None:
    change(records, ADA, EVE, "viewer", OPEN)
    assert records.role_of(EVE, PAPER) == "viewer"
    OPEN.remove(records, ADA, RemoveMember(document_id=PAPER, user_id=EVE), 2.0)

    access = DocumentAccess(os.urandom, Limits(), is_open=True)
    assert access.role(records, EVE, PAPER) is None
    assert [each.record.document_id for each in access.listed(records, EVE)] == []


def test_a_removed_member_can_be_banned_later(records: Records) -> None:
    remove(records, ADA, BOB)
    remove(records, ADA, BOB, ban=True)

    assert ("bob", None, True) in listed(records)


def test_invites_are_listed_and_revoked_by_owners_and_their_makers(records: Records) -> None:
    theirs = issue_invite(records, os.urandom, 5.0, role="viewer", document_id=PAPER, uses=3, ttl_s=10).invite
    mine = issue_invite(records, os.urandom, 6.0, role="editor", issued_by=BOB).invite

    shown = MEMBERS.invites(records, ADA, PAPER)[0]
    assert (shown.invite_id, shown.role, shown.max_uses, shown.uses, shown.expires_at, shown.issued_by) == (
        theirs.invite_id, "viewer", 3, 0, 15.0, "",
    )  # fmt: skip
    assert [each.invite_id for each in MEMBERS.invites(records, BOB, None)] == [mine.invite_id]
    assert MEMBERS.invites(records, ADA, None) == []
    assert refusal(MEMBERS.revoke_invite, records, BOB, theirs.invite_id, 7.0) == "not_found"
    assert refusal(MEMBERS.revoke_invite, records, ADA, mine.invite_id, 7.0) == "not_found"
    assert refusal(MEMBERS.revoke_invite, records, ADA, "nothing", 7.0) == "not_found"

    MEMBERS.revoke_invite(records, ADA, theirs.invite_id, 7.0)
    MEMBERS.revoke_invite(records, BOB, mine.invite_id, 7.0)

    assert (MEMBERS.invites(records, ADA, PAPER), MEMBERS.invites(records, BOB, None)) == ([], [])
