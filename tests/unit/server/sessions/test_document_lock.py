"""What a lock withholds, from whom, and what its end gives back."""

import os
from collections.abc import Iterator

import pytest

from tests.helpers.a_paper import ADA, BOB, CYD, EVE, PAPER, members_of_server, paper_with_people
from tests.helpers.door import Door
from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.ids import DocumentId, Lineage, UserId
from texswarm_server.protocol.messages import (
    AnswerKnock,
    ChangeRole,
    Knock,
    LockDocument,
    RemoveMember,
    RoleName,
    UnbanMember,
)
from texswarm_server.sessions.document_access import issue_invite
from texswarm_server.sessions.document_lock import lock_alike
from texswarm_server.sessions.records import DocumentRecord, Records, User

MEMBERS = members_of_server()


@pytest.fixture
def records() -> Iterator[Records]:
    with paper_with_people() as records:
        yield records


def set_locked(records: Records, is_locked: bool, by: UserId = ADA) -> None:
    MEMBERS.set_locked(records, by, LockDocument(document_id=PAPER, is_locked=is_locked), 5.0)


def decide(records: Records, user_id: UserId, role: RoleName) -> None:
    MEMBERS.change_role(records, ADA, ChangeRole(document_id=PAPER, user_id=user_id, role=role), 6.0)


def come(records: Records, user_id: UserId, role: RoleName, *, issued_at: float = 1.0) -> None:
    """Use an invite that gives a role."""
    invite = issue_invite(records, os.urandom, issued_at, role=role, document_id=PAPER, issued_by=ADA)
    Door(records).rules.redeem(records, invite.token, user_id, 7.0)


def may(records: Records) -> dict[str, RoleName | None]:
    return {each.user_id: each.role for each in MEMBERS.members(records, ADA, PAPER).members}


def test_under_a_lock_everybody_but_the_owners_reads_and_its_end_gives_back_what_was_taken(records: Records) -> None:
    set_locked(records, True)
    assert may(records) == {"ada": "owner", "bob": "viewer", "cyd": "viewer"}
    assert MEMBERS.members(records, ADA, PAPER).is_locked
    set_locked(records, False)
    assert may(records) == {"ada": "owner", "bob": "editor", "cyd": "viewer"}
    assert not MEMBERS.members(records, ADA, PAPER).is_locked


@pytest.mark.parametrize(("invited", "after"), [("editor", "editor"), ("viewer", "viewer")])
def test_who_comes_under_a_lock_may_do_after_it_what_the_invite_gives(
    records: Records, invited: RoleName, after: RoleName
) -> None:
    set_locked(records, True)
    come(records, EVE, invited)
    assert may(records)["eve"] == "viewer"
    set_locked(records, False)
    assert may(records)["eve"] == after


def test_who_only_read_and_is_invited_to_write_under_a_lock_writes_after_it(records: Records) -> None:
    set_locked(records, True)
    come(records, CYD, "editor")
    assert may(records)["cyd"] == "viewer"
    set_locked(records, False)
    assert may(records)["cyd"] == "editor"


@pytest.mark.parametrize("role", ["viewer", "editor", "owner"])
@pytest.mark.parametrize("user_id", [BOB, CYD, EVE])
def test_what_an_owner_decides_under_a_lock_holds_at_once_and_after_it(
    records: Records, user_id: UserId, role: RoleName
) -> None:
    set_locked(records, True)
    come(records, EVE, "editor")
    decide(records, user_id, role)
    assert may(records)[user_id] == role
    set_locked(records, False)
    assert may(records)[user_id] == role


@pytest.mark.parametrize("user_id", [BOB, EVE])
def test_who_is_to_read_on_by_an_owners_choice_under_a_lock_does_so_whatever_invite_of_before_is_used(
    records: Records, user_id: UserId
) -> None:
    set_locked(records, True)
    come(records, EVE, "editor")
    decide(records, user_id, "viewer")
    come(records, user_id, "editor")
    set_locked(records, False)
    come(records, user_id, "editor")
    assert may(records)[user_id] == "viewer"


def test_who_is_let_in_as_the_invite_says_may_do_so_after_the_lock_and_another_choice_holds(records: Records) -> None:
    set_locked(records, True)
    for user_id, role in ((EVE, "editor"), (UserId("fay"), "viewer")):
        records.put_user(User(user_id=user_id))
        knock = Knock(user_id=user_id, display_name="", color="", role="editor", asked_at=1.0)
        answer = AnswerKnock(document_id=PAPER, user_id=user_id, accept=True, role=role)
        assert MEMBERS.answer_knock(records, ADA, answer, knock, 6.0) == "viewer"
    set_locked(records, False)
    assert (may(records)["eve"], may(records)["fay"]) == ("editor", "viewer")


def test_who_was_taken_out_under_a_lock_is_not_let_in_by_its_end(records: Records) -> None:
    set_locked(records, True)
    MEMBERS.remove(records, ADA, RemoveMember(document_id=PAPER, user_id=BOB), 6.0)
    MEMBERS.unban(records, ADA, UnbanMember(document_id=PAPER, user_id=BOB), 6.0)
    come(records, BOB, "viewer", issued_at=7.0)
    set_locked(records, False)
    assert may(records)["bob"] == "viewer"


def test_to_lock_what_is_locked_takes_nothing_that_was_decided_since(records: Records) -> None:
    set_locked(records, True)
    decide(records, BOB, "editor")
    before = records.last_audit_number()
    set_locked(records, True)
    assert (may(records)["bob"], records.last_audit_number()) == ("editor", before)


def test_a_lock_and_its_end_leave_alone_what_was_decided_before(records: Records) -> None:
    decide(records, CYD, "editor")
    set_locked(records, True)
    set_locked(records, False)
    assert records.role_decided_at(CYD, PAPER) == 6.0


def test_invites_say_under_a_lock_what_they_give_after_it(records: Records) -> None:
    issue_invite(records, os.urandom, 1.0, role="editor", document_id=PAPER, issued_by=ADA)
    set_locked(records, True)
    assert [each.role for each in MEMBERS.invites(records, ADA, PAPER)] == ["editor"]


@pytest.mark.parametrize(("by", "code"), [(BOB, "forbidden"), (EVE, "document_not_found")])
@pytest.mark.parametrize("is_locked", [True, False])
def test_only_owners_lock_and_unlock(records: Records, by: UserId, code: str, is_locked: bool) -> None:
    set_locked(records, not is_locked)
    with pytest.raises(RejectedError) as caught:
        set_locked(records, is_locked, by)
    assert caught.value.code == code


def test_a_copy_with_the_same_people_is_locked_alike(records: Records) -> None:
    copy = DocumentId("copy")
    set_locked(records, True)
    records.put_document(DocumentRecord(document_id=copy, title="", lineage=Lineage("m"), owner_id=ADA, updated_at=0))
    records.put_role(ADA, copy, "owner")
    records.put_role(BOB, copy, "viewer")
    lock_alike(records, PAPER, copy)
    MEMBERS.set_locked(records, ADA, LockDocument(document_id=copy, is_locked=False), 8.0)
    assert records.role_of(BOB, copy) == "editor"
    assert records.role_of(BOB, PAPER) == "viewer"
