"""A bad cable between two hosts of a network lab: slow, and losing frames that a seed chooses."""

import heapq
import os
import random
import select
import threading
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Final, Self

from tests.helpers.lab_namespaces import LIMIT_S

_FRAME_BYTES: Final = 65536


@dataclass(frozen=True, slots=True)
class Wire:
    """A bad cable: every frame arrives after `delay_s` each way, or, with a chance of `loss`, not at all.

    `is_netem`: the kernel makes it bad, and draws its losses without a seed; see `needs_netem`.
    """

    delay_s: float = 0.0
    loss: float = 0.0
    seed: int = 1
    is_netem: bool = False

    def queue_on(self, interface: str) -> str:
        """Return the line for `tc` that makes an interface send so."""
        return f"qdisc add dev {interface} root netem delay {self.delay_s * 1000:g}ms loss {self.loss * 100:g}%"


class Cable(AbstractContextManager["Cable"]):
    """Carries frames between two taps as a Wire says, in a thread of its own."""

    def __init__(self, one: int, other: int, wire: Wire) -> None:
        self._other_end = {one: other, other: one}
        self._wire, self._random = wire, random.Random(wire.seed)
        self._under_way: list[tuple[float, int, int, bytes]] = []
        self._count = 0
        self._stop, self._may_stop = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="cable")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        os.close(self._may_stop)
        self._thread.join(LIMIT_S)
        for end in (*self._other_end, self._stop):
            os.close(end)

    def _carry(self) -> None:
        while True:
            next_at = self._under_way[0][0] if self._under_way else None
            patience_s = None if next_at is None else max(0.0, next_at - time.monotonic())
            ready, _, _ = select.select([self._stop, *self._other_end], [], [], patience_s)
            if self._stop in ready:
                return
            for end in ready:
                self._take_in(end)
            self._deliver(time.monotonic())

    def _take_in(self, end: int) -> None:
        with suppress(OSError):
            frame = os.read(end, _FRAME_BYTES)
            if self._random.random() >= self._wire.loss:
                self._count += 1
                arrival = (time.monotonic() + self._wire.delay_s, self._count, self._other_end[end], frame)
                heapq.heappush(self._under_way, arrival)

    def _deliver(self, now: float) -> None:
        while self._under_way and self._under_way[0][0] <= now:
            _, _, end, frame = heapq.heappop(self._under_way)
            with suppress(OSError):  # an interface that is down takes nothing
                os.write(end, frame)
