"""One rule for sign-ins and for lists: whether an invite still lets somebody in."""

import pytest

from texswarm_server.protocol.errors import ErrorCode
from texswarm_server.sessions.records import Invite
from texswarm_server.sessions.usable_invites import obstacle


def invite(**terms: object) -> Invite:
    return Invite(**({"token_hash": "h", "role": "editor"} | terms))


@pytest.mark.parametrize(
    ("terms", "now", "expected"),
    [
        ({}, 1e9, None),
        ({"is_revoked": True, "expires_at": 5.0, "max_uses": 1, "uses": 1}, 9.0, ErrorCode.INVITE_REVOKED),
        ({"expires_at": 5.0}, 4.9, None),
        ({"expires_at": 5.0}, 5.0, ErrorCode.INVITE_EXPIRED),
        ({"max_uses": 2, "uses": 1}, 0.0, None),
        ({"max_uses": 2, "uses": 2}, 0.0, ErrorCode.INVITE_USED_UP),
    ],
)
def test_an_invite_lets_in_within_its_terms(terms: dict[str, object], now: float, expected: ErrorCode | None) -> None:
    assert obstacle(invite(**terms), now) == expected


def test_who_was_let_in_before_is_not_counted_again() -> None:
    used_up = invite(max_uses=1, uses=1)
    assert obstacle(used_up, 0.0, is_counted=False) is None
    assert obstacle(invite(max_uses=1, uses=1, is_revoked=True), 0.0, is_counted=False) == ErrorCode.INVITE_REVOKED
