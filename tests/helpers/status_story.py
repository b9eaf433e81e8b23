"""A desktop and its server in a story about the link, on fake time: what happens is told, what is shown written down.

The server answers by itself what it is asked, over links in memory; the fate of each link is the story's.
"""

import random
from types import TracebackType
from typing import Self

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.fake_time import FakeTime
from tests.helpers.link_pair import FakeDoor, LinkPair, LinkPairs
from tests.helpers.model_replica import ModelReplica
from tests.helpers.room_model import Member, RoomModel
from tests.helpers.run_async import settle
from tests.helpers.status_transcript import StatusTranscript
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.states import LinkState
from texswarm_desktop.client.status import LinkFacts
from texswarm_server.protocol.codec import order_codec
from texswarm_server.protocol.frames import decode_frame
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.messages import Authentication, AuthenticationResult, Error, OpenDocument

LINEAGE = "lineage-a"
_STEP_S = 0.125


class Story:
    """An async context manager; `text` at the end. Everything is already connected when it begins, unless `is_new`."""

    def __init__(self, title: str, *, host: str = "10.0.0.5", name: str = "orchid", is_new: bool = False) -> None:
        self.time, self.links, self.door = FakeTime(), LinkPairs(), FakeDoor()
        self.credentials = FakeCredentials()
        self.transcript = StatusTranscript(title, self.time.clock)
        self.address = ServerAddress(host)
        self.refusals: list[AuthenticationResult] = []
        self.open_error = ""
        self._name, self._is_new = name, is_new
        self.replica = ModelReplica()
        self.room = RoomModel(self.replica.document_id, LINEAGE)
        self._read: dict[int, int] = {}
        self._members: dict[int, Member] = {}
        self.connection = Connection(
            address=self.address,
            credentials=self.credentials,
            transport=self.links,
            knock=self.door,
            clock=self.time.clock,
            wall_clock=self.time.wall_clock,
            rng=random.Random(7),
            call_later=self.time.call_later,
        )
        self._leave = self.connection.subscribe(self._on_state)
        self._is_told = is_new
        self.door.open(self.address)

    async def __aenter__(self) -> Self:
        await self.connection.__aenter__()
        self.replica.create(LINEAGE)
        self.room.document.apply(self.replica.update_since(b"\0"))
        self.replica.sync = self.connection.add(self.replica)
        if not self._is_new:
            self.connection.connect()
            await self._settle()
            self._is_told = True
            self._look()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        await self.connection.__aexit__(kind, error, trace)

    @property
    def text(self) -> str:
        return self.transcript.text(self.time.now)

    @property
    def state(self) -> LinkState:
        return self.connection.state

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────

    def happens(self, what: str) -> None:
        self.transcript.happens(what)

    async def connect(self) -> None:
        self.connection.connect()
        await self._settle()

    async def passes(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / _STEP_S)):
            self.time.advance(_STEP_S)
            await self._settle()

    async def type(self, words: str) -> None:
        """Press keys: each is an edit."""
        self.happens(f'"{words}" is typed')
        for letter in words:
            self.replica.replace(0, 0, letter)
        self._look()
        await self._settle()

    async def cut(self, what: str) -> None:
        """Let nothing through any more, without a sign."""
        self.happens(what)
        self.door.answers = None
        self.links.last.answers_pings = False
        await self._settle()

    async def mend(self, what: str) -> None:
        """Let everything through again; what stood silently stays dead."""
        self.happens(what)
        self.links.refuses = self.links.hangs = False
        self.door.refuses = False
        self.door.open(self.address)
        await self._settle()

    async def lose(self, what: str, code: int | None = None, reason: str = "") -> None:
        """End the link, with a close code or without."""
        self.happens(what)
        self.links.last.lose(code, reason)
        await self._settle()

    def refuses(self, *codes: str) -> None:
        """Refuse the next sign-ins."""
        self.refusals += [AuthenticationResult(ok=False, code=code, message="no") for code in codes]

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _on_state(self, old: LinkState, new: LinkState) -> None:
        self.transcript.turned(old, new, self.time.now)
        self._look()

    def _look(self) -> None:
        if not self._is_told:
            return
        sync = self.replica.sync
        oldest_at = sync.oldest_unacknowledged_since if sync is not None else None
        facts = LinkFacts(self._name, self.replica.unacknowledged(), oldest_at)
        self.transcript.look(self.state, facts, self.time.now)

    async def _settle(self) -> None:
        await settle()
        if self.links.links and self.links.last.is_open and self.links.last.answers_pings:
            await self._serve(self.links.last)
        self._look()

    async def _serve(self, link: LinkPair) -> None:
        """Answer whatever was asked on a link, until it is quiet."""
        while (done := self._read.get(id(link), 0)) < len(link.sent):
            self._read[id(link)] = done + 1
            self._answer(link, link.sent[done])
            await settle()

    def _answer(self, link: LinkPair, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self.room.receive(link, decode_frame(frame)[1])
        else:
            match order_codec.decode(frame):
                case Authentication():
                    self._admit(link)
                case OpenDocument(request=request, document_id=document_id) if self.open_error:
                    link.deliver(Error(request=request, code=self.open_error, message="", document_id=document_id))
                case OpenDocument(request=request, state_vector=ours):
                    self._members[id(link)] = self.room.open(link, request=request, state_vector=ours)
        self.room.commit()
        member = self._members.get(id(link))
        while member is not None and member.outbox:
            link.deliver(member.outbox.pop(0))

    def _admit(self, link: LinkPair) -> None:
        if self.refusals:
            link.deliver(self.refusals.pop(0))
            return
        number = len(self.links.links)
        link.deliver(
            AuthenticationResult(
                ok=True, user_id="u", session_id="s", access_token=f"a{number}", refresh_token=f"r{number}"
            )
        )
