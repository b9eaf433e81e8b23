"""The rules of signing in with their surroundings: records in memory, a clock that is set, random bytes that count."""

from dataclasses import replace

import pytest

from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.messages import Authentication
from texswarm_server.sessions.access_tokens import AccessTokens
from texswarm_server.sessions.credentials import hash_token, new_invite_token
from texswarm_server.sessions.records import Invite, Records
from texswarm_server.sessions.sign_in import SignedIn, SignIn

IDLE_S = 30 * 86400


class Door:
    """The rules with their surroundings: a clock that is set, random bytes that count."""

    def __init__(self, records: Records, *, is_open: bool = False) -> None:
        self.records = records
        self.now = 1000.0
        self._counter = 0
        self.tokens = AccessTokens({"k": b"k" * 32}, "k", ttl_s=3600, random=self.random)
        self.rules = SignIn(self.tokens, self.random, is_open=is_open, refresh_idle_s=IDLE_S, max_name_chars=20)

    def random(self, size: int) -> bytes:
        self._counter += 1
        return self._counter.to_bytes(size, "big")

    def invite(self, **details: object) -> str:
        token = new_invite_token(self.random)
        values = {"token_hash": hash_token(token), "role": "editor"} | details
        self.records.put_invite(Invite(**values))  # type: ignore[arg-type]
        return token

    def knock(self, token: str | None, *, is_tokenless: bool = False, **details: object) -> SignedIn:
        message = Authentication(protocol=2, token=token, **details)  # type: ignore[arg-type]
        return self.rules.sign_in(self.records, message, self.now, address="192.0.2.1", is_tokenless=is_tokenless)

    def refusal(self, token: str | None, **details: object) -> str:
        with pytest.raises(RejectedError) as caught:
            self.knock(token, **details)
        return caught.value.code

    def confirm(self, signed_in: SignedIn) -> None:
        self.records.put_user(replace(signed_in.user, is_confirmed=True))

    def access_token(self, signed_in: SignedIn) -> str:
        return self.tokens.issue(signed_in.user.user_id, signed_in.grant_id, self.now)[0]
