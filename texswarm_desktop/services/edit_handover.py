"""What was typed here and what arrived from others, on its way to the replica and to a server.

edit -> gathered for a few ms -> replica store -> server
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from texswarm_desktop.core.outbox import Outbox, OutboxRow, in_portions, merge_many
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.document.updates import EMPTY_UPDATE

#: Edits closer together than this leave together; the first after a pause leaves at the end of its loop turn.
TICK_S: Final = 0.004


class EditHandover:
    """Invariant: what was typed is in the store, or queued for it, before it is sent anywhere.

    What another program wrote is sent to nobody, nor is what comes after it, until it is durable: after a crash it is
    found in the folder once more, and would be there twice for whoever heard of it before. Only a disk that takes
    nothing, of which `is_disk_refusing` tells, keeps it from nobody.
    """

    def __init__(
        self,
        store: ReplicaStore,
        *,
        on_waiting: Callable[[], None],
        is_disk_refusing: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._send: Callable[[bytes, int], None] | None = None
        self._on_waiting = on_waiting
        self._is_disk_refusing = is_disk_refusing
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox()
        self._untold: list[tuple[bytes, int]] = []
        self._holds_back = 0
        self._held_calls: list[Callable[[], None]] = []
        self._typed: list[bytes] = []
        self._typed_since = 0.0
        self._arrived: list[bytes] = []
        self._tick: asyncio.Handle | None = None
        self._last_tick = 0.0

    def load(self, waiting: Iterable[OutboxRow]) -> None:
        """Take in the edits that no server had confirmed at the last time."""
        self._outbox = Outbox(waiting)

    def send_through(self, send: Callable[[bytes, int], None] | None) -> None:
        """Send edits, with the rows that they are kept under, this way from now on; None: they wait here."""
        self._send = send

    # ── what waits ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def oldest_since(self) -> float | None:
        """When the oldest edit that no server has confirmed was made, by the injected clock; else None."""
        if self._outbox.oldest_since is not None:
            return self._outbox.oldest_since
        return self._typed_since if self._typed else None

    @property
    def unconfirmed(self) -> int:
        """How many edits no server has confirmed."""
        return self._outbox.edits + len(self._typed)

    @property
    def unconfirmed_updates(self) -> list[tuple[int, bytes]]:
        """The local updates no server has confirmed as (outbox row, update), oldest first."""
        return self._outbox.updates

    @property
    def last_row(self) -> int:
        """The highest outbox row written or queued; 0 when there is none."""
        return self._outbox.last_row

    def confirm(self, row: int) -> None:
        """Mark every outbox row up to `row` as stored durably by the server."""
        if self._outbox.acknowledge(row):
            self._store.confirm(row)
            self._on_waiting()

    # ── what comes and goes ─────────────────────────────────────────────────────────────────────────────

    def gather(self, update: bytes, is_local: bool) -> None:
        """Take an update of the document; it leaves in a moment, with others."""
        if update == EMPTY_UPDATE:
            return
        if is_local:
            if not self._typed:
                self._typed_since = self._clock()
            self._typed.append(update)
        else:
            self._arrived.append(update)
        if self._tick is None:
            wait_s = self._last_tick + TICK_S - self._loop.time()
            later = self._loop.call_later
            self._tick = later(wait_s, self.hand_over) if wait_s > 0 else self._loop.call_soon(self.hand_over)

    def hand_over(self) -> None:
        """Give what has gathered to the store, and to the server what was made here."""
        self.stop()
        self._last_tick = self._loop.time()
        arrived, self._arrived = self._arrived, []
        for portion in in_portions(arrived):
            self._store.append(merge_many(portion), 0, is_local=False)
        typed, self._typed = self._typed, []
        for portion in in_portions(typed):
            self._hand_over_typed(merge_many(portion), len(portion))
        if typed:
            self._on_waiting()

    def hand_over_taken(self) -> None:
        """Hand over what another program wrote, and let nobody hear of it, or of what comes after, until it is kept."""
        self._holds_back += 1
        self.hand_over()
        self._store.when_durable(self._taken_is_kept)

    def when_kept(self, call: Callable[[], None]) -> None:
        """Call when nothing is held back: see `hand_over_taken`."""
        self._held_calls.append(call)
        if not self._holds_back or self._is_disk_refusing():
            self.tell_server()

    def tell_server(self) -> None:
        """Send what is in the store, or queued for it, whether it is durable or not."""
        untold, self._untold = self._untold, []
        if self._send is not None:
            for update, row in untold:
                self._send(update, row)
        calls, self._held_calls = self._held_calls, []
        for call in calls:
            call()

    def stop(self) -> None:
        """Do nothing by itself until the next update comes."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None

    def _hand_over_typed(self, update: bytes, edits: int) -> None:
        row = self._store.append(update, edits, is_local=True)
        self._outbox.add(OutboxRow(row, edits, update, self._typed_since))
        self._untold.append((update, row))
        if not self._holds_back or self._is_disk_refusing():
            self.tell_server()

    def _taken_is_kept(self) -> None:
        self._holds_back -= 1
        if not self._holds_back:
            self.tell_server()
