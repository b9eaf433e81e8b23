"""What is given out at the door is one invite that follows the host's wishes and ends with the run."""

import os
from collections.abc import Iterator

import pytest

from tests.helpers.records import records_in_memory
from texswarm_server.protocol.ids import DocumentId, Lineage, UserId
from texswarm_server.protocol.messages import RoleName
from texswarm_server.sessions.administration import revoke_invite
from texswarm_server.sessions.credentials import hash_token
from texswarm_server.sessions.door_invite import DoorInvite
from texswarm_server.sessions.records import DocumentRecord, Invite, InviteWay, Records

PAPER, OTHER = "a-paper", "another"


@pytest.fixture
def records() -> Iterator[Records]:
    with records_in_memory() as records:
        for name in (PAPER, OTHER):
            facts = {"title": name, "owner_id": UserId("ada"), "updated_at": 0.0}
            records.put_document(DocumentRecord(document_id=DocumentId(name), lineage=Lineage("l"), **facts))
        yield records


def give(
    door: DoorInvite, records: Records, role: RoleName = "editor", document_id: str = PAPER, *, asks: bool = False
) -> Invite:
    found = records.find_invite(hash_token(door.give(records, 1.0, role=role, document_id=document_id, asks=asks)))
    assert found is not None
    return found


def usable(records: Records) -> list[str]:
    return [each.invite_id for each in records.invites() if not each.is_revoked]


def test_all_guests_get_the_same_one(records: Records) -> None:
    door = DoorInvite(os.urandom)
    assert give(door, records) == give(door, records)
    assert len(usable(records)) == 1


def test_it_follows_what_the_host_wishes_also_after_it_was_given(records: Records) -> None:
    door = DoorInvite(os.urandom)
    given = give(door, records)
    door.change(records, 2.0, role="viewer", document_id=PAPER, asks=True)
    (now,) = records.invites()
    assert (now.invite_id, now.role, now.asks) == (given.invite_id, "viewer", True)
    assert give(door, records).role == "editor"


def test_nothing_is_given_out_by_a_wish_alone(records: Records) -> None:
    DoorInvite(os.urandom).change(records, 2.0, role="viewer", document_id=PAPER, asks=True)
    assert records.invites() == []


def test_where_it_was_withdrawn_the_next_guest_gets_another_one(records: Records) -> None:
    door = DoorInvite(os.urandom)
    first = give(door, records)
    revoke_invite(records, actor="ada", invite_id=first.invite_id, now=2.0)
    assert usable(records) == []
    second = give(door, records)
    assert usable(records) == [second.invite_id]


def test_for_another_document_the_one_of_before_ends(records: Records) -> None:
    door = DoorInvite(os.urandom)
    give(door, records)
    other = give(door, records, document_id=OTHER)
    assert usable(records) == [other.invite_id]


def test_it_ends_with_the_run_and_that_of_a_killed_run_with_the_next(records: Records) -> None:
    door = DoorInvite(os.urandom)
    give(door, records)
    door.revoke(records, 2.0)
    assert usable(records) == []
    give(door, records)
    DoorInvite(os.urandom).revoke(records, 3.0)
    assert usable(records) == []
    DoorInvite(os.urandom).revoke(records, 4.0)


def test_that_of_the_list_ends_without_that_of_the_code(records: Records) -> None:
    by_code, by_list = DoorInvite(os.urandom), DoorInvite(os.urandom, InviteWay.NEARBY)
    kept, shut = give(by_code, records), give(by_list, records)
    assert kept.invite_id != shut.invite_id
    by_list.revoke(records, 2.0)
    assert usable(records) == [kept.invite_id]
