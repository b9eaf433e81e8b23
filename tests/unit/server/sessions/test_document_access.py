"""Documents: who may see, open and make them, and invite others."""

import os
from collections.abc import Iterator

import pytest

from tests.helpers.records import records_in_memory
from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.ids import DocumentId, UserId
from texswarm_server.protocol.messages import CreateDocument, CreateInvite, RoleName
from texswarm_server.protocol.version import Limits
from texswarm_server.sessions.credentials import hash_token
from texswarm_server.sessions.document_access import DocumentAccess, issue_invite
from texswarm_server.sessions.records import DocumentRecord, Records, User

ADA, BOB = UserId("ada"), UserId("bob")
ID = "123e4567-e89b-42d3-a456-426614174000"
ACCESS = DocumentAccess(os.urandom, Limits(max_documents_per_user=2, max_title_chars=20), is_open=False)


@pytest.fixture
def records() -> Iterator[Records]:
    with records_in_memory() as records:
        records.put_user(User(user_id=ADA, can_create=True))
        records.put_user(User(user_id=BOB))
        yield records


def create(records: Records, user_id: UserId = ADA, **details: object) -> DocumentRecord:
    order = CreateDocument(**({"title": "A paper"} | details))  # type: ignore[arg-type]
    return ACCESS.create(records, user_id, order, 1000.0)


def refusal(records: Records, user_id: UserId = ADA, **details: object) -> str:
    with pytest.raises(RejectedError) as caught:
        create(records, user_id, **details)
    return caught.value.code


def test_who_makes_a_document_owns_it(records: Records) -> None:
    paper = create(records, lineage="l-1", document_id=ID)

    assert (paper.document_id, paper.lineage, paper.owner_id) == (ID, "l-1", ADA)
    assert [(each.record, each.role) for each in ACCESS.listed(records, ADA)] == [(paper, "owner")]
    assert ACCESS.listed(records, BOB) == []


def test_the_same_order_again_finds_what_it_made(records: Records) -> None:
    paper = create(records, document_id=ID)

    assert create(records, document_id=ID) == create(records, document_id=ID, lineage=paper.lineage) == paper
    assert refusal(records, document_id=ID, lineage="another") == "document_exists"
    assert refusal(records, BOB, document_id=ID) == "document_exists"


def test_what_cannot_be_made_is_refused_with_its_code(records: Records) -> None:
    assert refusal(records, BOB) == "forbidden"
    assert (
        refusal(records, title=" ")
        == refusal(records, title="x" * 21)
        == refusal(records, title="a\n")
        == "name_invalid"
    )
    assert refusal(records, document_id="../etc") == "name_invalid"
    create(records), create(records)
    assert refusal(records) == "limit_exceeded"


def test_an_unknown_document_and_one_of_others_look_the_same(records: Records) -> None:
    create(records, document_id=ID)
    answers = []
    for document_id in (ID, "nothing"):
        with pytest.raises(RejectedError) as caught:
            ACCESS.find(records, BOB, document_id)
        answers.append((caught.value.code, caught.value.message))

    assert answers == [("document_not_found", "")] * 2


def test_on_an_open_server_everybody_edits_everything(records: Records) -> None:
    paper = create(records)
    access = DocumentAccess(os.urandom, Limits(), is_open=True)

    assert access.find(records, BOB, paper.document_id).role == "editor"
    assert [each.role for each in access.listed(records, BOB)] == ["editor"]
    assert [each.role for each in access.listed(records, ADA)] == ["owner"]
    assert access.create(records, BOB, CreateDocument(title="B"), 0).owner_id == BOB


@pytest.mark.parametrize(("role", "may"), [("owner", True), ("editor", False), ("viewer", False)])
def test_only_owners_invite_into_a_document(records: Records, role: RoleName, may: bool) -> None:
    paper = create(records)
    records.put_role(BOB, paper.document_id, role)
    order = CreateInvite(document_id=paper.document_id, role="viewer", ttl_s=60, uses=3)
    if not may:
        with pytest.raises(RejectedError, match="forbidden"):
            ACCESS.invite(records, BOB, order, 1000)
        return

    issued = ACCESS.invite(records, BOB, order, 1000)

    assert records.find_invite(hash_token(issued.token)) == issued.invite
    assert (issued.invite.role, issued.invite.expires_at, issued.invite.max_uses) == ("viewer", 1060, 3)


def test_only_who_may_create_invites_to_the_server(records: Records) -> None:
    assert ACCESS.invite(records, ADA, CreateInvite(), 0).invite.document_id is None
    with pytest.raises(RejectedError, match="forbidden"):
        ACCESS.invite(records, BOB, CreateInvite(), 0)


@pytest.mark.parametrize("limits", [{"uses": 0}, {"ttl_s": 0.0}, {"ttl_s": -1.0}, {"ttl_s": 1e300}])
def test_an_invite_nobody_could_use_is_refused(records: Records, limits: dict[str, float]) -> None:
    with pytest.raises(RejectedError, match="invalid_payload"):
        ACCESS.invite(records, ADA, CreateInvite(**limits), 0)  # type: ignore[arg-type]


def test_the_host_cannot_invite_into_nothing(records: Records) -> None:
    with pytest.raises(RejectedError, match="document_not_found"):
        issue_invite(records, os.urandom, 0, role="editor", document_id=DocumentId("nothing"))
