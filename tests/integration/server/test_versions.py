"""What a server keeps of a document's past, and how a past state is brought back while people go on."""

from __future__ import annotations

import os

from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import signed_in_client
from texswarm_server.cli.database import reading
from texswarm_server.protocol.messages import DocumentList, ListDocuments
from texswarm_server.sessions.audit import OPERATOR, AuditAction
from texswarm_server.storage.versions import list_versions, restore_version


@runs_async
async def test_a_document_that_was_closed_can_be_brought_back_as_it_was_beside_what_it_became(premises) -> None:
    data = premises.config.data
    async with (
        premises.running(idle_document_s=0.01) as place,
        signed_in_client(place.url, place.host_invite) as ada,
    ):
        paper = await ada.create_and_open("The first draft", title="Thesis")
        document_id = paper.facts.document_id
        await ada.close_document(paper)
        await until(lambda: list_versions(data, document_id), "a version of what was closed")
        (version,) = list_versions(data, document_id)
        paper = await ada.open(document_id)
        await paper.write(", thrown away")
        await paper.acknowledged_all()
        record = restore_version(data, version.version_id, now=1.0, random=os.urandom)

        listed = await ada.ask(ListDocuments(), DocumentList)
        restored = await ada.open(record.document_id, lineage=record.lineage)
        assert restored.text() == "The first draft"
        assert paper.text() == "The first draft, thrown away"
        assert {each.id: each.role for each in listed.documents} == {document_id: "owner", record.document_id: "owner"}
        await restored.write(", and a second")
        await restored.acknowledged_all()
        assert restored.replica.lineage == record.lineage
    with reading(data) as overview:
        (entry,) = overview.audit(9, user_id=None, document_id=None, actions=[AuditAction.VERSION_RESTORED])
    assert (entry.actor, entry.document_id, entry.at) == (OPERATOR, record.document_id, 1.0)
    assert (entry.reference, entry.detail) == (str(version.version_id), f"from {document_id}")
