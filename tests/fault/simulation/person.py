"""A person at a desktop: the real connection, session and document sync over a cable, and a replica that outlives them.

What the person typed is known word by word, so that a look at any copy tells what is lost, doubled or should not be
there.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.model_replica import FILE, ModelReplica
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.states import LinkState, Live, NeedsUser
from texswarm_server.document.presence import Presence, PresenceEntry, decode_presence, encode_presence
from texswarm_server.protocol.invite_link import ServerAddress

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fault.simulation.network import Cable
    from texswarm_desktop.client.document_sync import DocumentSync
    from texswarm_server.protocol.messages import Participant

ADDRESS: Final = ServerAddress("192.168.7.1")


class SimulatedReplica(ModelReplica):
    """A replica that keeps who is where, as the desktop does."""

    def __init__(self, document_id: str, chance: random.Random) -> None:
        super().__init__(document_id, client_ids=iter(lambda: chance.getrandbits(32), None))
        self.others = Presence()
        self.listed: dict[str, str] = {}
        self.came_again: dict[str, str] = {}
        self._seen: dict[str, str] = {}

    def participants_changed(self, participants: list[Participant]) -> None:
        """Note who is listed, and who was, was not any more, and is again."""
        super().participants_changed(participants)
        before, self.listed = self.listed, {each.participant_id: each.display_name for each in participants}
        new = {each: name for each, name in self.listed.items() if each not in before}
        self.came_again |= {each: name for each, name in new.items() if each in self._seen}
        self._seen |= self.listed

    def apply_presence(self, update: bytes) -> None:
        self.others.apply(decode_presence(update))

    def presence_update(self) -> bytes:
        self.presence_clock += 1
        return encode_presence(
            [PresenceEntry(self.document.client_id, self.presence_clock, {"n": self.presence_clock})]
        )

    def others_left(self) -> None:
        self.others.clear()


class Person:
    """One installation. Words are told apart by the letter in front."""

    def __init__(
        self, name: str, document_id: str, invite: str, user_id: str, cable: Cable, group: asyncio.TaskGroup, seed: int
    ) -> None:
        self.name, self.cable, self.user_id = name, cable, user_id
        self.invite = invite
        self.was_barred = self.may_be_asked = False
        self._group = group
        self._chance = random.Random(f"{name} {seed}")
        self._loop = asyncio.get_running_loop()
        self.replica = SimulatedReplica(document_id, self._chance)
        self.credentials = FakeCredentials(invite=invite)
        self.credentials.display_name, self.credentials.user_id = name, user_id
        self.connection: Connection | None = None
        self.sync: DocumentSync | None = None
        self.states: list[LinkState] = []
        self.wall_skew_s = 0.0
        self.typed: dict[str, int] = {}
        self.deleted: dict[str, int] = {}
        self._stop: asyncio.Event | None = None
        self.on_state: Callable[[LinkState], None] = lambda state: None

    # ── the program ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_running(self) -> bool:
        return self.connection is not None

    @property
    def state(self) -> LinkState | None:
        return None if self.connection is None else self.connection.state

    @property
    def is_at_rest(self) -> bool:
        """Whether it is connected, has caught up, and everything is saved."""
        is_synced = self.sync is not None and self.sync.is_synced
        return isinstance(self.state, Live) and is_synced and not self.replica.unacknowledged()

    def wall_clock(self) -> float:
        return 1_700_000_000.0 + self._loop.time() + self.wall_skew_s

    def start(self) -> None:
        stop = self._stop = asyncio.Event()
        self.connection = Connection(
            address=ADDRESS,
            credentials=self.credentials,
            transport=self.cable.transport,
            clock=self._loop.time,
            wall_clock=self.wall_clock,
            rng=random.Random(self._chance.random()),
        )
        self._group.create_task(self._run(self.connection, stop), name=self.name)

    async def _run(self, connection: Connection, stop: asyncio.Event) -> None:
        async with connection:
            connection.subscribe(self._on_state)
            self.sync = self.replica.sync = connection.add(self.replica)
            connection.connect()
            await stop.wait()

    def stop(self) -> None:
        """Close the program in good order."""
        if self._stop is not None:
            self._stop.set()
        self.connection, self.sync, self.replica.sync, self._stop = None, None, None, None

    def kill(self) -> None:
        """End it as SIGKILL does: the system closes its sockets, and what was not on disk is forgotten."""
        for wire in self.cable.living:
            wire.cut()
        self.stop()
        self.replica.restart()
        self.replica.others_left()

    def insist(self) -> None:
        """Do what the program asks for: press the button."""
        if self.connection is not None:
            self.connection.retry_now()

    def use_invite(self, token: str) -> None:
        """Sign in by another invitation, when there is nothing better."""
        self.invite = self.credentials.invite = token

    def forget_session(self) -> None:
        self.credentials.session_id = None

    def _on_state(self, _old: LinkState, new: LinkState) -> None:
        self.states.append(new)
        self.on_state(new)

    @property
    def needed_user(self) -> list[NeedsUser]:
        return [state for state in self.states if isinstance(state, NeedsUser)]

    # ── the text ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def can_type(self) -> bool:
        return self.is_running and self.replica.document.file_at(FILE) is not None

    @property
    def words(self) -> list[str]:
        return self.replica.text.split()

    def type(self, word: str, choice: int) -> None:
        """Type a word behind another one."""
        text = self.replica.text
        at = _start_of(text, choice)
        self.replica.replace(at, at, word + " ")
        self.typed[word] = self.replica.last_local_row()

    def delete(self, choice: int) -> None:
        """Take a word out, whoever typed it."""
        text = self.replica.text
        if not text:
            return
        at = _start_of(text, choice)
        word = text[at:].split(" ", 1)[0]
        if word:
            self.replica.replace(at, at + len(word) + 1, "")
            self.deleted[word] = self.replica.last_local_row()

    @property
    def acknowledged(self) -> set[str]:
        """The words whose typing the server has called durable."""
        return {word for word, row in self.typed.items() if row <= self.replica.acknowledged_row}

    @property
    def acknowledged_deletions(self) -> set[str]:
        return {word for word, row in self.deleted.items() if row <= self.replica.acknowledged_row}

    def show_caret(self) -> None:
        if self.sync is not None:
            self.sync.presence_changed()


def _start_of(text: str, choice: int) -> int:
    """Return where a word starts; which one follows from the words and `choice`, not from their order."""
    words = sorted(set(text.split()))
    return text.index(words[choice % len(words)]) if words else 0
