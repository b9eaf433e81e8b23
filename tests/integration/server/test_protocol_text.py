"""PROTOCOL.md says everything that can be said on the wire, and nothing that cannot."""

import re
from pathlib import Path

import msgspec
import pytest

from texswarm_server.pairing.messages import GUEST_SAYS, HOST_SAYS
from texswarm_server.protocol import legacy, messages
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import ErrorCode, Verdict, code_verdict
from texswarm_server.protocol.legacy import LEGACY_FACTS, LEGACY_ORDERS
from texswarm_server.protocol.messages import FACTS, ORDERS, Message
from texswarm_server.protocol.version import Limits

TEXT = (Path(__file__).parents[3] / "server" / "PROTOCOL.md").read_text("utf-8")
NAMED = {word for span in re.findall(r"`([^`\n]+)`", TEXT) for word in re.findall(r"\w+", span)}
PARTS = (
    messages.ServerInfo,
    messages.DocumentInfo,
    messages.Participant,
    messages.MemberInfo,
    messages.InviteInfo,
    messages.Knock,
    messages.InterfaceInfo,
    Limits,
    legacy.DocumentSummary,
    legacy.LegacyPresence,
    legacy.InsertOperation,
    legacy.DeleteOperation,
    legacy.ReplaceOperation,
    legacy.TextRange,
)
EVERY_CODE = [*ErrorCode]
KINDS: list[type[Message]] = [*dict.fromkeys((*ORDERS, *FACTS, *LEGACY_ORDERS, *LEGACY_FACTS, *GUEST_SAYS, *HOST_SAYS))]


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_stands_there_with_its_fields(kind: type[Message]) -> None:
    assert {kind.__name__, *kind.__struct_fields__} - NAMED == set()


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_a_message_stands_there_with_its_fields(part: type[msgspec.Struct]) -> None:
    assert set(part.__struct_fields__) - NAMED == set()


def rows(title: str) -> dict[str, str]:
    """The table under a heading: first column to last."""
    section = TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    cells = [
        [cell.strip(" `") for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"
    ]
    return {row[0]: row[-1] for row in cells[2:]}


def test_the_table_of_error_codes_is_complete() -> None:
    assert list(rows("`Error`")) == EVERY_CODE


def test_the_codes_that_may_pass_are_named() -> None:
    sentence = re.search(r"\n(`throttled`.*) may pass by themselves", TEXT, re.DOTALL)
    assert sentence is not None
    assert set(re.findall(r"`(\w+)`", sentence[1])) == {
        code for code in EVERY_CODE if code_verdict(code) is Verdict.RETRY
    }


def test_the_table_of_close_codes_is_complete_and_says_who_stops() -> None:
    from texswarm_server.protocol.close_codes import close_verdict

    table = {int(code): words for code, words in rows("Close codes").items()}
    assert list(table) == sorted(CloseCode)
    for code, words in table.items():
        connects = "connects again" in words or "tries" in words or words == "–"
        assert connects == (close_verdict(code) is Verdict.RETRY), code


def test_no_message_is_named_that_does_not_exist() -> None:
    known = {kind.__name__ for kind in KINDS}
    assert {word for word in NAMED if re.fullmatch(r"(?:[A-Z][a-z]+){2,}", word)} - known == set()
