"""A paper with its people in the records of a server: Ada owns it, Bob writes, Cyd reads, and Eve is a stranger."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.helpers.records import records_in_memory
from texswarm_server.protocol.ids import DocumentId, Lineage, UserId
from texswarm_server.protocol.messages import RoleName
from texswarm_server.protocol.version import Limits
from texswarm_server.sessions.document_access import DocumentAccess
from texswarm_server.sessions.document_members import DocumentMembers
from texswarm_server.sessions.records import DocumentRecord, Records, User

ADA, BOB, CYD, EVE, PAPER = UserId("ada"), UserId("bob"), UserId("cyd"), UserId("eve"), DocumentId("paper")
_ROLES: dict[UserId, RoleName] = {ADA: "owner", BOB: "editor", CYD: "viewer"}


def members_of_server(*, is_open: bool = False) -> DocumentMembers:
    """Return who decides about people, at a server that lets in only who is invited, or anybody."""
    return DocumentMembers(DocumentAccess(os.urandom, Limits(), is_open=is_open))


@contextmanager
def paper_with_people() -> Iterator[Records]:
    """Yield the records that hold them."""
    with records_in_memory() as records:
        for user_id in (ADA, BOB, CYD, EVE):
            records.put_user(User(user_id=user_id, display_name=user_id.title()))
        records.put_document(
            DocumentRecord(document_id=PAPER, title="", lineage=Lineage("l"), owner_id=ADA, updated_at=0)
        )
        for user_id, role in _ROLES.items():
            records.put_role(user_id, PAPER, role)
        yield records
