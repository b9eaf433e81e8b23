"""Access tokens: what they prove, for how long, and what is refused."""

import base64
import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.ids import UserId
from texswarm_server.sessions.access_tokens import AccessClaims, AccessTokens

KEY = b"k" * 32


def tokens(key: bytes = KEY, key_id: str = "k1") -> AccessTokens:
    return AccessTokens({key_id: key}, key_id, ttl_s=100, random=lambda size: b"\x07" * size)


def refusal(token: str, now: float = 1000.0) -> str:
    with pytest.raises(RejectedError) as caught:
        tokens().verify(token, now)
    return caught.value.code


def test_a_token_proves_user_and_sign_in_until_it_expires() -> None:
    token, expires_at = tokens().issue(UserId("ada"), "g1", now=1000.0)

    assert expires_at == 1100.0
    assert tokens().verify(token, 1099.9) == AccessClaims(UserId("ada"), "g1", 1100.0, is_young=False)
    assert refusal(token, 1100.0) == "token_expired"


def test_a_clock_that_was_set_back_does_not_make_a_token_invalid() -> None:
    token, _expires_at = tokens().issue(UserId("ada"), "g1", now=1000.0)

    assert tokens().verify(token, 10.0).user_id == "ada"


def test_an_older_key_still_verifies() -> None:
    old, _expires_at = tokens().issue(UserId("ada"), "g1", now=0)
    rotated = AccessTokens({"k1": KEY, "k2": b"n" * 32}, "k2", ttl_s=100, random=lambda size: b"\x01" * size)

    assert rotated.verify(old, 1).user_id == "ada"
    assert jwt.get_unverified_header(rotated.issue(UserId("ada"), "g", 0)[0])["kid"] == "k2"


def test_a_token_is_young_in_its_first_half_and_while_its_key_is_the_newest() -> None:
    token, _expires_at = tokens().issue(UserId("ada"), "g1", now=1000.0)
    rotated = AccessTokens({"k1": KEY, "k2": b"n" * 32}, "k2", ttl_s=100, random=lambda size: b"\x01" * size)

    assert [tokens().verify(token, now).is_young for now in (1000.0, 1049.0, 1051.0)] == [True, True, False]
    assert not rotated.verify(token, 1000.0).is_young


def test_a_token_that_was_good_is_refused_once_its_key_is_gone_and_by_whoever_has_another() -> None:
    token, _expires_at = tokens().issue(UserId("ada"), "g1", now=1000.0)
    server, stranger = tokens(), tokens(key=b"o" * 32)
    assert server.verify(token, 1000.0) == server.verify(token, 1000.0)
    server.use({"k2": b"n" * 32}, "k2")

    for each in (server, stranger):
        with pytest.raises(RejectedError, match="token_invalid"):
            each.verify(token, 1000.0)


@pytest.mark.parametrize(("now", "delay_s"), [(1000.0, 80.0), (1040.0, 40.0), (1090.0, 0.0), (500.0, 80.0), (9e9, 0.0)])
def test_the_next_token_is_made_when_a_fifth_of_the_life_is_left(now: float, delay_s: float) -> None:
    assert tokens().renewal_delay_s(1100.0, now) == pytest.approx(delay_s)


def test_a_token_of_another_key_is_refused() -> None:
    assert refusal(tokens(b"x" * 32).issue(UserId("ada"), "g", 1000)[0]) == "token_invalid"
    assert refusal(tokens(b"x" * 32, "other").issue(UserId("ada"), "g", 1000)[0]) == "token_invalid"


def test_an_unsigned_token_is_refused() -> None:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "k1"}).encode()).rstrip(b"=").decode()
    body = base64.urlsafe_b64encode(json.dumps({"sub": "ada", "exp": 9e9, "jti": "g.x"}).encode()).rstrip(b"=").decode()

    assert refusal(f"{header}.{body}.") == "token_invalid"


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": "ada"},
        {"sub": 5, "exp": 9e9, "jti": "g"},
        {"sub": "ada", "exp": "soon", "jti": "g"},
        {"sub": "ada", "exp": 9e9},
    ],
)
def test_signed_claims_of_another_form_are_refused(claims: dict[str, object]) -> None:
    assert refusal(jwt.encode(claims, KEY, algorithm="HS256", headers={"kid": "k1"})) == "token_invalid"


@given(st.text(max_size=80) | st.lists(st.text("abcAB12_-=", max_size=20), min_size=3, max_size=3).map(".".join))
def test_any_text_is_refused(text: str) -> None:
    assert refusal(text) == "token_invalid"


@given(st.integers(0, 10**6))
def test_a_token_with_one_letter_changed_is_refused(place: int) -> None:
    token, _expires_at = tokens().issue(UserId("ada"), "g1", now=1000.0)
    at = place % (len(token) - 1)  # the last letter of a signature has bits that mean nothing
    forged = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]

    assert refusal(forged) == "token_invalid"


def test_what_was_sealed_here_is_known_again_also_after_another_key() -> None:
    old = tokens()
    sealed = old.sealed("txr_secret.grant.5")
    assert old.is_sealed(sealed)
    old.use({"k1": KEY, "k2": b"2" * 32}, "k2")
    assert old.is_sealed(sealed)
    old.use({"k2": b"2" * 32}, "k2")
    assert not old.is_sealed(sealed)


@given(st.text(max_size=80) | st.lists(st.text("abcAB12_-=k", max_size=20), min_size=3, max_size=5).map(".".join))
def test_any_text_is_not_sealed(text: str) -> None:
    assert not tokens().is_sealed(text)
