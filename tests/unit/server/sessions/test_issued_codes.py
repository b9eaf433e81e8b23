"""Join codes that an operator made: each leads to an invite, a few times, until it ends; what is counted is kept."""

from __future__ import annotations

import os
import re
from dataclasses import astuple
from typing import TYPE_CHECKING

import pytest

from tests.helpers.records import records_in_memory
from texswarm_server.pairing.join_code import JoinCode
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.sessions.administration import revoke_invite
from texswarm_server.sessions.audit import AuditAction
from texswarm_server.sessions.code_tries import LIFE_S, MAX_USES, MAX_WRONG
from texswarm_server.sessions.credentials import hash_token
from texswarm_server.sessions.issued_codes import (
    MOST_CODES,
    HoldingCode,
    IssuedCodes,
    count_wrong,
    holding_codes,
    issue_code,
    spend_code,
)
from texswarm_server.sessions.records import InviteWay
from texswarm_server.sessions.usable_invites import obstacle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from texswarm_server.sessions.records import Records

NOW = 1000.0


@pytest.fixture
def records() -> Iterator[Records]:
    with records_in_memory() as found:
        yield found


def made(records: Records, **how: object) -> JoinCode:
    return issue_code(records, os.urandom, NOW, role="editor", **how)  # type: ignore[arg-type]


def codes(records: Records, now: float = NOW) -> list[JoinCode]:
    return [one.code for one in holding_codes(records, now)]


def test_a_code_leads_to_its_invite_as_often_as_was_said(records: Records) -> None:
    code = made(records, uses=2)
    assert spend_code(records, code, NOW) == spend_code(records, code, NOW)
    with pytest.raises(RejectedError) as refused:
        spend_code(records, code, NOW)
    assert refused.value.code == ErrorCode.CODE_EXPIRED
    assert (codes(records), records.join_codes()) == ([], [])


def test_what_it_leads_to_is_an_invite_that_says_so(records: Records) -> None:
    given = spend_code(records, made(records), NOW)
    invite = records.find_invite(hash_token(given.token))
    assert invite is not None
    assert (invite.way, invite.max_uses, invite.expires_at) == (InviteWay.CODE, MAX_USES, NOW + LIFE_S)


def test_codes_have_numbers_of_their_own_and_the_latest_stands_first(records: Records) -> None:
    all_of_them = [made(records) for _ in range(20)]
    assert codes(records) == all_of_them[::-1]
    assert len({code.nameplate for code in all_of_them}) == 20


def test_it_grows_old(records: Records) -> None:
    code = made(records, ttl_s=60.0)
    assert codes(records, NOW + 59) == [code]
    assert codes(records, NOW + 60) == []
    with pytest.raises(RejectedError):
        spend_code(records, code, NOW + 60)


def test_it_ends_with_its_invite(records: Records) -> None:
    code = made(records)
    (stored,) = records.join_codes()
    revoke_invite(records, actor="operator", invite_id=stored.token_hash[:12], now=NOW)
    assert codes(records) == []
    with pytest.raises(RejectedError):
        spend_code(records, code, NOW)


def test_wrong_tries_are_counted_over_restarts_and_burn_it_with_its_invite(records: Records) -> None:
    code = made(records)
    for _ in range(MAX_WRONG - 1):
        count_wrong(records, code, NOW)
    assert [one.wrong for one in holding_codes(records, NOW)] == [MAX_WRONG - 1]
    (stored,) = records.join_codes()
    count_wrong(records, code, NOW)
    invite = records.find_invite(stored.token_hash)
    assert invite is not None
    assert (codes(records), obstacle(invite, NOW)) == ([], ErrorCode.INVITE_REVOKED)
    assert AuditAction.CODE_BURNED in [entry.action for entry in records.audit()]


def test_who_was_given_the_invite_before_it_was_burned_comes_in(records: Records) -> None:
    code = made(records)
    given = spend_code(records, code, NOW)
    for _ in range(MAX_WRONG):
        count_wrong(records, code, NOW)
    invite = records.find_invite(hash_token(given.token))
    assert invite is not None
    assert (codes(records), obstacle(invite, NOW)) == ([], None)


def test_there_are_not_more_than_can_be_announced(records: Records) -> None:
    for _ in range(MOST_CODES):
        made(records)
    with pytest.raises(RejectedError) as refused:
        made(records)
    assert refused.value.code == ErrorCode.LIMIT_EXCEEDED


def test_no_entry_of_the_audit_log_holds_a_secret(records: Records) -> None:
    code = made(records)
    told = " ".join(str(value) for entry in records.audit() for value in astuple(entry))
    words = re.findall(r"\w+", told)  # whole ones: a secret word may be part of an honest one
    assert code.nameplate in words
    assert not set(code.words) & set(words)
    assert records.join_codes()[0].token not in told


# ── who tries them ──────────────────────────────────────────────────────────────────────────────────────

FIRST, SECOND = JoinCode("417", ("otter", "maple")), JoinCode("418", ("otter", "maple"))


def holding(*held: JoinCode, wrong: int = 0) -> IssuedCodes:
    issued = IssuedCodes()
    issued.hold(HoldingCode(code, wrong, NOW + LIFE_S) for code in held)
    return issued


def refusal(issued: IssuedCodes, nameplate: str, address: str = "192.0.2.9") -> str:
    with pytest.raises(RejectedError) as refused:
        issued.begin(nameplate, address, NOW)
    return refused.value.code


def test_wrong_tries_at_one_code_leave_the_others_alone() -> None:
    issued = holding(FIRST, SECOND)
    burned = [issued.wrong(issued.begin("417", f"192.0.2.{one}", NOW)) for one in range(MAX_WRONG)]
    assert burned == [False] * (MAX_WRONG - 1) + [True]
    assert (issued.nameplates, refusal(issued, "417")) == (("418",), ErrorCode.CODE_EXPIRED)


def test_a_burned_code_stays_so_while_the_records_do_not_know_yet() -> None:
    issued = holding(FIRST)
    for one in range(MAX_WRONG):
        issued.wrong(issued.begin("417", f"192.0.2.{one}", NOW))
    issued.hold([HoldingCode(FIRST, MAX_WRONG - 1, NOW + LIFE_S)])
    assert issued.nameplates == ()


def test_tries_of_before_a_restart_count() -> None:
    issued = holding(FIRST, wrong=MAX_WRONG - 1)
    assert issued.wrong(issued.begin("417", "192.0.2.1", NOW))


def test_news_of_other_codes_do_not_forget_what_goes_on() -> None:
    issued = holding(FIRST)
    begun = [issued.begin("417", f"192.0.2.{one}", NOW) for one in range(MAX_WRONG)]
    issued.hold([HoldingCode(FIRST, 0, NOW + LIFE_S), HoldingCode(SECOND, 0, NOW + LIFE_S)])
    assert refusal(issued, "417") == ErrorCode.THROTTLED
    issued.ended(begun[0])
    assert issued.owns(issued.begin("417", "192.0.2.9", NOW))


def test_an_attempt_at_a_code_that_ended_is_nobodys() -> None:
    issued = holding(FIRST)
    attempt = issued.begin("417", "192.0.2.1", NOW)
    issued.hold([])
    assert not issued.owns(attempt)
    assert not issued.wrong(attempt)
    assert issued.knows("417")
    assert not issued.knows("999")
