"""What the clients say to each server: the same Yjs messages, in the envelope of each.

A dialect belongs to one document. `begin` is what a client says once the connection stands, `hear` what it answers
until it is synchronised; from then on only frames with edits are looked at, for the marks in them.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.benchmarks.load.wire import TEXT, client_frame, read_varuint, varbytes, varuint

if TYPE_CHECKING:
    from tests.benchmarks.load.swarm import Client

EMPTY_UPDATE = b"\x00\x00"
EMPTY_STATE = b"\x00"
_STEP_1, _STEP_2, _EDIT = b"\x00\x00", b"\x00\x01", b"\x00\x02"


class BadAnswerError(Exception):
    """The server said something that no client of this measurement expects."""


class YWebsocket:
    """The wire of y-websocket: the document is the path."""

    def __init__(self, document: str) -> None:
        self.path = f"/{document}"

    def begin(self, client: Client) -> None:
        client.send(client_frame(_STEP_1 + varbytes(client.state_vector)))

    def hear(self, client: Client, payload: bytes) -> None:
        kind = payload[:2]
        if kind == _STEP_1:
            client.send(client_frame(_STEP_2 + varbytes(EMPTY_UPDATE)))
        elif kind == _STEP_2:
            client.is_synced = True

    def edit(self, update: bytes) -> bytes:
        return client_frame(_EDIT + varbytes(update))


class Hocuspocus:
    """The wire of Hocuspocus: the document's name in front of every message, and an authentication first."""

    path = "/"

    def __init__(self, document: str) -> None:
        self._prefix = varbytes(document.encode())

    def begin(self, client: Client) -> None:
        client.send(client_frame(self._prefix + b"\x02\x00" + varbytes(b"a token") + varbytes(b"4.7.0")))

    def hear(self, client: Client, payload: bytes) -> None:
        message = payload[len(self._prefix) :]
        if message[:2] == b"\x02\x02":
            client.send(client_frame(self._prefix + _STEP_1 + varbytes(client.state_vector)))
        elif message[:2] == _STEP_2:
            client.is_synced = True
        elif message[:2] in {_STEP_1, b"\x04\x00"}:
            client.send(client_frame(self._prefix + _STEP_2 + varbytes(EMPTY_UPDATE)))
        elif message[:1] == b"\x02":
            raise BadAnswerError(repr(message[:80]))

    def edit(self, update: bytes) -> bytes:
        return client_frame(self._prefix + _EDIT + varbytes(update))


@dataclass(slots=True)
class Account:
    """How a person gets in: an invite the first time, an access token and the session afterwards."""

    token: str
    user_id: str | None = None
    session_id: str | None = None


@dataclass
class TexSwarm:
    """Protocol 2. `accounts` has one for each client, by its number, and is brought up to date by what comes back."""

    document: str
    accounts: list[Account]
    handle: int = 0
    path: str = "/ws"
    opens: bool = True
    answers: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, client: Client) -> None:
        account = self.accounts[client.number]
        payload = {
            "protocol": 2,
            "token": account.token,
            "user_id": account.user_id,
            "session_id": account.session_id,
            "display_name": f"Client {client.number}",
            "client": "load",
        }
        if self.opens:
            has = b64encode(client.state_vector).decode()
            payload["open"] = [{"document_id": self.document, "state_vector": has}]
        client.send(text({"type": "Authentication", "payload": payload}))

    def hear(self, client: Client, payload: bytes) -> None:
        if payload[:1] == b"{":
            self._hear_text(client, json.loads(payload))
            return
        _handle, at = read_varuint(payload, 0)
        kind = payload[at : at + 2]
        if kind == _STEP_1:
            if payload[at + 2 :] != varbytes(client.state_vector):
                client.answered += 1
                client.send(client_frame(varuint(self.handle) + _STEP_2 + varbytes(EMPTY_UPDATE)))
        elif kind == _STEP_2:
            client.is_synced = True
            if client.keep is not None:
                client.keep(payload[read_varuint(payload, at + 2)[1] :])

    def edit(self, update: bytes) -> bytes:
        return client_frame(varuint(self.handle) + _EDIT + varbytes(update))

    def _hear_text(self, client: Client, message: dict[str, Any]) -> None:
        facts = message["payload"]
        match message["type"]:
            case "AuthenticationResult" if facts["ok"]:
                self.accounts[client.number] = Account(facts["access_token"], facts["user_id"], facts["session_id"])
                client.is_resumed = facts["resumed"]
                client.is_synced = not self.opens
            case "DocumentOpened":
                self.handle = facts["handle"]
            case "AuthenticationResult" | "Error":
                raise BadAnswerError(json.dumps(message)[:200])
            case "DocumentCreated" | "InviteCreated":
                self.answers.append(facts)


def text(message: dict[str, Any]) -> bytes:
    """Return a frame with an order."""
    return client_frame(json.dumps(message).encode(), TEXT)
