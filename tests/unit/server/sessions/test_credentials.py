"""Bearer secrets: told apart by their form, stored by their hash."""

import pytest

from texswarm_server.protocol.ids import is_uuid
from texswarm_server.sessions.credentials import (
    TokenKind,
    hash_token,
    new_invite_token,
    new_refresh_token,
    new_uuid,
    refresh_claims,
    token_kind,
)


def counting(size: int) -> bytes:
    return bytes(range(size))


def test_tokens_are_told_apart_by_their_form() -> None:
    tokens = [new_invite_token(counting), new_refresh_token(counting, "g", 1.0), "a.b.c", "hello", ""]

    assert [token_kind(token) for token in tokens] == [
        TokenKind.INVITE,
        TokenKind.REFRESH,
        TokenKind.ACCESS,
        TokenKind.UNKNOWN,
        TokenKind.UNKNOWN,
    ]


def test_a_hash_does_not_show_the_token_and_differs_for_another() -> None:
    token = new_invite_token(counting)

    assert token not in hash_token(token)
    assert hash_token(token) == hash_token(token) != hash_token(token + "x")
    assert hash_token("\ud800")


def test_ids_have_the_form_of_the_wire() -> None:
    assert is_uuid(new_uuid(counting))


def test_a_refresh_token_says_to_which_sign_in_it_belongs_and_when_it_was_made() -> None:
    assert refresh_claims(new_refresh_token(counting, "grant", 12.5)) == ("grant", 12.5)


@pytest.mark.parametrize("token", ["txr_secret", "txr_a.b", "txr_a.b.c", "txr_a.b.²", "", "txr_a.b." + "9" * 5000])
def test_any_text_is_no_refresh_token_or_harmless(token: str) -> None:
    assert refresh_claims(token) in {None, ("b", 999_999_999_999.999)}
