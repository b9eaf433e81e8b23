"""Whatever bytes a client sends, only documented answers come out and nobody else notices."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.wire_client import Opened, signed_in_client
from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.errors import ErrorCode
from texswarm_server.protocol.frames import Acknowledged, Awareness, SyncStep1, SyncStep2, Update, encode_frame
from texswarm_server.protocol.messages import (
    ORDERS,
    CreateInvite,
    DocumentClosed,
    DocumentList,
    Error,
    Heartbeat,
    ListDocuments,
    OpenDocument,
)

if TYPE_CHECKING:
    from collections.abc import Callable

#: What makes sense only to the document's own members, or ends the connection on purpose, is left out.
LEFT_OUT = {"Authentication", "SignOut"}
JUNK_VALUES = [None, True, -1, 2**70, 1.5, "", "x" * 600, "\u0000", "é😀", [], {}, [[]], {"a": {"b": 1}}]


class Chance:
    """Makes messages that are nearly right, from a seed."""

    def __init__(self, seed: int, opened: Opened) -> None:
        self.random = random.Random(seed)
        self.opened = opened

    def message(self) -> str | bytes:
        makers: list[Callable[[], str | bytes]] = [self._frame, self._broken_frame, self._order, self._broken_text]
        return self.random.choice(makers)()

    def _bytes(self) -> bytes:
        return self.random.randbytes(self.random.randrange(40))

    def _frame(self) -> bytes:
        update = self.opened.replica.update_since()
        data = self.random.choice([self._bytes(), self._broken(update), self.opened.replica.state_vector(), b""])
        kind = self.random.choice([SyncStep1, SyncStep2, Update, Awareness])
        body = Acknowledged(self.random.randrange(9)) if self.random.random() < 0.1 else kind(data)
        return encode_frame(self.opened.handle, body)

    def _broken(self, data: bytes) -> bytes:
        broken = bytearray(data)
        for _ in range(self.random.randint(1, 4)):
            broken[self.random.randrange(len(broken))] = self.random.randrange(256)
        return bytes(broken[: self.random.choice([len(broken), self.random.randrange(len(broken))])])

    def _broken_frame(self) -> bytes:
        return self._broken(self._frame() or b"\x00")

    def _order(self) -> str:
        kind = self.random.choice([kind for kind in ORDERS if kind.__name__ not in LEFT_OUT])
        fields = [name for name in kind.__struct_fields__ if self.random.random() < 0.6]
        payload = {name: self.random.choice(JUNK_VALUES) for name in fields}
        return json.dumps({"type": kind.__name__, "payload": payload})

    def _broken_text(self) -> str:
        good = self.random.choice([OpenDocument(document_id="d"), CreateInvite(), Heartbeat(timestamp="t")])
        return self._broken(encode(good).encode()).decode("utf-8", "replace")


@pytest.mark.expects_log
@pytest.mark.parametrize("seed", range(6))
@runs_async
async def test_only_documented_answers_come_out(premises, seed, caplog) -> None:
    async with (
        premises.running() as place,
        signed_in_client(place.url, place.host_invite) as ada,
        signed_in_client(place.url, place.host_invite) as fuzzer,
    ):
        mine = await ada.create_and_open("mine")
        theirs = await fuzzer.create_and_open("a paper é😀")
        document_id = theirs.facts.document_id
        chance = Chance(seed, theirs)
        fuzzer.is_automatic = False
        for number in range(300):
            message = chance.message()
            await (fuzzer.send_text(message) if isinstance(message, str) else fuzzer.send_bytes(message))
            if number % 20 == 0:
                assert await fuzzer.ask(ListDocuments(), DocumentList)
                if any(isinstance(fact, DocumentClosed) for fact in fuzzer.facts) or not fuzzer.documents:
                    fuzzer.facts.clear()
                    chance.opened = await fuzzer.open(document_id)
        assert {fact.code for fact in fuzzer.facts if isinstance(fact, Error)} <= set(ErrorCode) - {"internal_error"}
        await mine.write(" goes on")
        await mine.acknowledged_all()
    assert "Traceback" not in caplog.text
