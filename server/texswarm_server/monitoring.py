"""What Prometheus is told at `/metrics`: numbers that others keep anyway, read when somebody asks.

Nobody's name, document or address is among them. How many documents are stored is looked up in the background when
somebody asks, and told to the next who does.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from texswarm_server import __version__
from texswarm_server.front_desk import FrontDesk
from texswarm_server.net.legacy_peer import LegacyPeer
from texswarm_server.net.peer import Peer
from texswarm_server.net.protocol2_peer import Protocol2Peer
from texswarm_server.net.statistics import BlobStatistics, ConnectionStatistics, Histogram
from texswarm_server.net.yjs_peer import YjsPeer
from texswarm_server.open_documents import OpenDocuments
from texswarm_server.sessions.records import Records
from texswarm_server.storage.store import Store

if TYPE_CHECKING:
    import asyncio

_PREFIX: Final = "texswarm_"
_WIRES: Final = (Protocol2Peer.wire, LegacyPeer.wire, YjsPeer.wire)


class Monitoring(Collector):
    """Reads one server's numbers. `loop_lag_s`: by how much the loop came too late to what was due."""

    def __init__(
        self,
        connections: ConnectionStatistics,
        documents: OpenDocuments,
        front_desk: FrontDesk,
        store: Store,
        blobs: BlobStatistics,
        *,
        peers: Callable[[], Iterable[Peer]],
        is_ready: Callable[[], bool],
    ) -> None:
        self._connections = connections
        self._documents = documents
        self._front_desk = front_desk
        self._store = store
        self._blobs = blobs
        self._peers = peers
        self._is_ready = is_ready
        self._stored_documents = self._stored_blobs = self._stored_blob_bytes = 0
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        self.loop_lag_s = Histogram()

    def render(self) -> bytes:
        """Return everything in the text format of Prometheus."""
        self.count_documents()
        return generate_latest(self._registry)

    def count_documents(self) -> None:
        """Look up how many documents and binary files are stored; nobody waits for it."""
        self._store.run(_count_stored).add_done_callback(self._on_counted)

    def describe(self) -> list[Metric]:
        """Say nothing before somebody asks."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every number as it is now."""
        yield _gauge("info", "What this server is.", {__version__: 1}, "version")
        yield _gauge("ready", "1 while people can be let in and changes can be stored.", int(self._is_ready()))
        yield from self._of_connections()
        yield from self._of_sign_ins()
        yield from self._of_documents()
        yield from self._of_blobs()
        yield _histogram("event_loop_lag_seconds", "How late the loop came to what was due.", self.loop_lag_s)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _of_connections(self) -> Iterator[Metric]:
        peers, past = list(self._peers()), self._connections
        by_wire = Counter(dict.fromkeys(_WIRES, 0))
        by_wire.update(peer.wire for peer in peers)
        yield _gauge("connections", "Open connections.", by_wire, "wire")
        waiting = sum(not peer.is_signed_in for peer in peers)
        yield _gauge("connections_unauthenticated", "Open connections without a sign-in.", waiting)
        yield _gauge("connections_held", "Open connections that read too slowly.", sum(p.outbox.is_held for p in peers))
        outbox = sum(peer.buffered_bytes for peer in peers)
        yield _gauge("outbox_bytes", "Written to connections and not yet taken by the network.", outbox)
        yield _counter("connections_closed", "Ended connections.", past.closed, "code")
        yield _counter(
            "handshakes_refused", "Handshakes that were answered with 503.", past.refused_handshakes, "reason"
        )
        yield _counter("received_bytes", "Received from all connections.", past.received_bytes)

    def _of_sign_ins(self) -> Iterator[Metric]:
        past = self._connections
        yield _gauge("sessions", "Sessions that have not expired.", self._front_desk.session_counts, "state")
        yield _counter("authentications", "Sign-ins that succeeded.", past.signed_in, "wire")
        yield _counter("authentications_refused", "Sign-ins that were refused.", past.refused_sign_ins, "reason")

    def _of_documents(self) -> Iterator[Metric]:
        past = self._documents.statistics
        yield _gauge("documents_loaded", "Documents in memory.", self._documents.loaded_count)
        yield _gauge("documents_stored", "Documents in storage.", self._stored_documents)
        yield _counter("document_loads", "Documents read from storage.", past.loads)
        yield _counter("document_loads_failed", "Documents that could not be read.", past.failed_loads)
        yield _counter("updates", "Updates received.", past.updates)
        yield _counter("deliveries", "Messages of documents written to connections.", past.deliveries)
        yield _counter("delivered_bytes", "Their bytes.", past.delivered_bytes)
        yield _counter("presence_deliveries", "Messages of presence written to connections.", past.presence_deliveries)
        yield _gauge("store_backlog_bytes", "Updates that are not durable yet.", self._store.backlog_bytes)
        yield _gauge("store_working", "1 while storage takes updates.", int(self._documents.is_storing))
        words = "From the turn that took updates in until they were durable."
        yield _histogram("acknowledgement_seconds", words, past.acknowledgement_s)

    def _of_blobs(self) -> Iterator[Metric]:
        past = self._blobs
        yield _gauge("blobs_stored", "Binary files in storage; one in two documents is one.", self._stored_blobs)
        yield _gauge("blobs_stored_bytes", "Their bytes.", self._stored_blob_bytes)
        yield _counter("blobs_arrived", "Binary files that arrived whole.", past.arrived)
        yield _counter("blob_received_bytes", "Parts of binary files written to the disk.", past.received_bytes)
        yield _counter("blob_sent_bytes", "Parts of binary files sent to connections.", past.sent_bytes)
        yield _counter("blobs_refused", "Offers, parts and requests of binary files refused.", past.refused, "code")
        yield _counter("blobs_collected", "Binary files forgotten because nothing names them.", past.collected)

    def _on_counted(self, counted: "asyncio.Future[tuple[int, tuple[int, int]]]") -> None:
        if not counted.cancelled() and counted.exception() is None:
            self._stored_documents, (self._stored_blobs, self._stored_blob_bytes) = counted.result()


def _count_stored(records: Records) -> tuple[int, tuple[int, int]]:
    return records.count_documents(), records.blob_totals()


def _gauge(name: str, words: str, value: float | Mapping[str, float], label: str = "") -> Metric:
    if not isinstance(value, Mapping):
        return GaugeMetricFamily(_PREFIX + name, words, value=value)
    family = GaugeMetricFamily(_PREFIX + name, words, labels=[label])
    for key, number in value.items():
        family.add_metric([key], number)
    return family


def _counter(name: str, words: str, value: float | Mapping[str, int] | Mapping[int, int], label: str = "") -> Metric:
    if not isinstance(value, Mapping):
        return CounterMetricFamily(_PREFIX + name, words, value=value)
    family = CounterMetricFamily(_PREFIX + name, words, labels=[label])
    for key, number in value.items():
        family.add_metric([str(key)], number)
    return family


def _histogram(name: str, words: str, histogram: Histogram) -> Metric:
    return HistogramMetricFamily(_PREFIX + name, words, buckets=histogram.cumulative(), sum_value=histogram.total)
