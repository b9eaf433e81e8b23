"""People without a desktop: a browser on the Yjs wire, and a program of the first generation, over the same cables.

Neither knows what is stored. A browser keeps what was typed and tells it again whenever it connects, so nothing of it
may be lost; the other program keeps nothing, so of it only that may be asked for which was sent to a server that lived.
"""

import asyncio
import json
import random
from abc import ABC, abstractmethod
from typing import ClassVar, Final
from urllib.parse import urlencode

from tests.fault.simulation.awareness import LOOK_EVERY_S, BrowserAwareness
from tests.fault.simulation.network import Cable, ClientEnd
from tests.helpers.model_replica import FILE
from texswarm_desktop.client.link import LinkClosedError
from texswarm_server.document import ProjectDocument
from texswarm_server.protocol.errors import LinkError
from texswarm_server.protocol.frames import Awareness, SyncStep1, SyncStep2, Update, decode_body, encode_body
from texswarm_server.protocol.messages import GUEST_NAME
from texswarm_server.protocol.version import WEBSOCKET_PATH, YJS_PATH

_SILENT_S: Final = 25.0
_QUIET_S: Final = 5.0
_LOOK_EVERY_S: Final = 1.0


class Guest(ABC):
    """One program that connects again for ever, whatever it is told. `typed`: its words; `shown_as`: to others."""

    path: str
    shown_as: str
    keeps_what_was_typed: ClassVar[bool]

    def __init__(
        self, name: str, document_id: str, invite: str, user_id: str, cable: Cable, group: asyncio.TaskGroup, seed: int
    ) -> None:
        self.name, self.cable, self.user_id = name, cable, user_id
        self.typed: dict[str, int] = {}
        self.deleted: dict[str, int] = {}
        self.was_barred = self.is_running = False
        self._document_id, self._invite, self._group = document_id, invite, group
        self._chance = random.Random(f"{name} {seed}")
        self._loop = asyncio.get_running_loop()
        self._end: ClientEnd | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if not self.is_running:
            self.is_running = True
            self._task = self._group.create_task(self._run(), name=self.name)

    def stop(self) -> None:
        self.is_running = False
        if self._task is not None:
            self._task.cancel()

    def use_invite(self, token: str) -> None:
        """Come by this invitation from the next connection on."""
        self._invite = token

    def type(self, word: str, choice: int) -> None:
        """Type a word somewhere; `can_type` must hold."""
        self.typed[word] = 0
        self._write(word + " ", choice)

    @property
    @abstractmethod
    def can_type(self) -> bool:
        """Whether there is a text to type into."""

    @property
    @abstractmethod
    def text(self) -> str:
        """What is shown."""

    @property
    @abstractmethod
    def is_at_rest(self) -> bool:
        """Whether it is connected and was told everything."""

    @property
    def _hears_something(self) -> bool:
        """Whether the connection stands at both ends: a server gives a sign of life every two seconds."""
        return self._end is not None and self._loop.time() - self._end.heard_at < _QUIET_S

    @abstractmethod
    def _write(self, words: str, choice: int) -> None: ...

    @abstractmethod
    def _greet(self, end: ClientEnd) -> None: ...

    @abstractmethod
    def _hear(self, end: ClientEnd, frame: str | bytes) -> None: ...

    def _lost(self) -> None:
        self._end = None

    async def _run(self) -> None:
        while True:
            try:
                await self._talk(await self.cable.connect(self.path))
            except (LinkError, LinkClosedError):
                pass
            finally:
                self._lost()
            await asyncio.sleep(self._chance.uniform(0.1, 1.5))

    async def _talk(self, end: ClientEnd) -> None:
        self._end = end
        watch = self._loop.call_later(_LOOK_EVERY_S, self._look, end)
        try:
            self._greet(end)
            while True:
                self._hear(end, await end.receive())
        finally:
            watch.cancel()
            end.close()

    def _look(self, end: ClientEnd) -> None:
        """Give up a connection over which nothing was heard for long, as both programs do."""
        if self._end is not end:
            return
        if self._loop.time() - end.heard_at > _SILENT_S:
            end.give_up()
        else:
            self._loop.call_later(_LOOK_EVERY_S, self._look, end)


class Browser(Guest):
    """A tab with an editor on y-websocket."""

    keeps_what_was_typed = True

    def __init__(self, name: str, document_id: str, invite: str, user_id: str, *rest: object) -> None:
        super().__init__(name, document_id, invite, user_id, *rest)  # type: ignore[arg-type]
        self.shown_as = name
        self.use_invite(invite)
        self.replica = ProjectDocument(client_id=self._chance.getrandbits(32))
        self.replica.on_update = self._on_update
        self.awareness = BrowserAwareness(self.replica.client_id, self._loop.time, self._say_presence)
        self._is_synced = False
        self._glance: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if not self.is_running:
            self._look_around()
        super().start()

    def stop(self) -> None:
        super().stop()
        if self._glance is not None:
            self._glance.cancel()

    def show_caret(self) -> None:
        """Put the caret somewhere else."""
        self.awareness.show({"n": self._chance.random()})

    def use_invite(self, token: str) -> None:
        query = urlencode({"token": token, "user_id": self.user_id, "name": self.name})
        self.path = f"{YJS_PATH}{self._document_id}?{query}"

    @property
    def can_type(self) -> bool:
        return self.is_running and self.replica.file_at(FILE) is not None

    @property
    def text(self) -> str:
        file_id = self.replica.file_at(FILE)
        return "" if file_id is None else str(self.replica.text(file_id))

    @property
    def is_at_rest(self) -> bool:
        return self._hears_something and self._is_synced

    def _write(self, words: str, choice: int) -> None:
        file_id, text = self.replica.file_at(FILE), self.text
        assert file_id is not None
        starts = [0, *(at + 1 for at, letter in enumerate(text) if letter == " ")]
        at = starts[choice % len(starts)]
        self.replica.text(file_id).replace_u16(at, at, words)

    def _on_update(self, update: bytes, is_local: bool) -> None:
        if is_local and self._end is not None:
            self._end.send(encode_body(Update(update)))

    def _greet(self, end: ClientEnd) -> None:
        end.send(encode_body(SyncStep1(self.replica.state_vector())))
        self.awareness.tell_own()

    def _say_presence(self, update: bytes) -> None:
        if self._end is not None:
            self._end.send(encode_body(Awareness(update)))

    def _look_around(self) -> None:
        self.awareness.look()
        self._glance = self._loop.call_later(LOOK_EVERY_S, self._look_around)

    def _hear(self, end: ClientEnd, frame: str | bytes) -> None:
        assert isinstance(frame, bytes), f"a browser was told {frame}"
        match decode_body(frame):
            case SyncStep1(state_vector):
                end.send(encode_body(SyncStep2(self.replica.update_since(state_vector))))
            case SyncStep2(update):
                self.replica.apply(update)
                self._is_synced = True
            case Update(update):
                self.replica.apply(update)
            case Awareness(update):
                self.awareness.hear(update)
            case body:
                raise AssertionError(f"y-websocket does not know {body}")

    def _lost(self) -> None:
        super()._lost()
        self._is_synced = False
        self.awareness.lose_connection()


class FirstGeneration(Guest):
    """A program that speaks protocol 1: it is shown whole texts, and says where to insert by counting characters.

    It writes at the beginning only: its places are those of the text it was shown last, and another one may be there by
    the time it is heard.
    """

    keeps_what_was_typed = False
    path, shown_as = WEBSOCKET_PATH, GUEST_NAME

    def __init__(self, *details: object) -> None:
        super().__init__(*details)  # type: ignore[arg-type]
        self._text: str | None = None

    @property
    def can_type(self) -> bool:
        return bool(self._end is not None and self._text)

    @property
    def text(self) -> str:
        return self._text or ""

    @property
    def is_at_rest(self) -> bool:
        return self._hears_something and self._text is not None

    def _write(self, words: str, choice: int) -> None:
        insert = {"document_id": self._document_id, "position": 0, "content": words}
        spelt = {"Insert": insert} if choice % 2 else {"type": "Insert", **insert}
        self._say("DocumentOperation", {"operation": spelt})

    def _say(self, kind: str, payload: dict[str, object]) -> None:
        if self._end is not None:
            self._end.send(json.dumps({"type": kind, "payload": payload}))

    def _greet(self, end: ClientEnd) -> None:
        self._say("Authentication", {"user_id": self.user_id, "token": self._invite})

    def _hear(self, end: ClientEnd, frame: str | bytes) -> None:
        assert isinstance(frame, str), "a program of the first generation was sent a binary message"
        message = json.loads(frame)
        match message["type"], message["payload"]:
            case "Error", {"code": "auth_success"}:
                self._say("OpenDocument", {"document_id": self._document_id})
            case "Error", {"code": code} if code not in {"forbidden", "storage_unavailable"}:
                end.give_up()
            case "DocumentUpdate", {"content": content}:
                self._text = content

    def _lost(self) -> None:
        super()._lost()
        self._text = None
