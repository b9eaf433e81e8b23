"""What is counted while the server works. Pure: plain numbers that hot paths only add to; `monitoring` reads them."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

LATENCY_BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Histogram:
    """Values counted by the bounds they stay within, the last count being of those above every bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = LATENCY_BOUNDS_S) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, int]]:
        """Return for each bound, as text, how many values stayed within it; the last is `+Inf`."""
        pairs, so_far = [], 0
        for bound, count in zip([*map(repr, self.bounds), "+Inf"], self.counts, strict=True):
            so_far += count
            pairs.append((bound, so_far))
        return pairs


@dataclass(slots=True)
class ConnectionStatistics:
    """Of all connections since the start. Bytes are those of the WebSocket wire, without TLS."""

    received_bytes: int = 0
    signed_in: Counter[str] = field(default_factory=Counter)
    refused_sign_ins: Counter[str] = field(default_factory=Counter)
    refused_handshakes: Counter[str] = field(default_factory=Counter)
    closed: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class BlobStatistics:
    """Of all binary files since the start. `refused`: by the code that was answered; bytes are those of contents."""

    arrived: int = 0
    received_bytes: int = 0
    sent_bytes: int = 0
    collected: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class DocumentStatistics:
    """Of all documents since the start. A delivery is one message of a document written to one connection."""

    updates: int = 0
    deliveries: int = 0
    delivered_bytes: int = 0
    presence_deliveries: int = 0
    loads: int = 0
    failed_loads: int = 0
    acknowledgement_s: Histogram = field(default_factory=Histogram)
