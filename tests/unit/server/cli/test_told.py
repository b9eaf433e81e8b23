"""Each entry of the audit log is one sentence, whatever people call themselves."""

import pytest

from texswarm_server.cli.told import sentence
from texswarm_server.sessions.audit import AuditAction, AuditEntry

NAMES = {"u" * 36: "Ada {user}", "d" * 36: "A paper " * 20}


@pytest.mark.parametrize("action", AuditAction)
def test_every_action_has_a_sentence(action: AuditAction) -> None:
    entry = AuditEntry(at=0, action=action, actor="operator", user_id="u" * 36, document_id="d" * 36, role="editor")
    said = sentence(entry, NAMES)
    assert said
    assert "\n" not in said
    assert sentence(AuditEntry(at=0, action=action, actor="operator"), {})


def test_who_is_meant_stands_there_by_name_and_id() -> None:
    entry = AuditEntry(
        at=0, action=AuditAction.ROLE_CHANGED, actor="", user_id="u" * 36, document_id="d" * 36, role="viewer"
    )
    assert (
        sentence(entry, NAMES)
        == "Ada {user} (uuuuuuuu) became viewer of A paper A paper A paper A paper A paper… (dddddddd)"
    )


def test_somebody_without_a_name_is_named_by_the_id() -> None:
    entry = AuditEntry(at=0, action=AuditAction.USER_REMOVED, actor="", user_id="x-1")
    assert sentence(entry, {}) == "x-1 was removed from the server"
