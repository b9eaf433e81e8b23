"""The binary files of one document on a link: does what `BlobTransfer` decides, with a port for the bytes.

Pure: no sockets, tasks or files. Frames and orders go out by the link; bytes are read and written by the port, which
calls back on the loop. What comes back after the link was lost counts for nothing.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from texswarm_desktop.client.blob_transfer import (
    BlobEffect,
    BlobTransfer,
    FetchChunk,
    KeepChunk,
    Offer,
    ReadChunk,
    Report,
    Wake,
)
from texswarm_desktop.client.ports import BlobPort
from texswarm_desktop.core.figure_travel import Kept, Progress
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.frames import BlobChunk, encode_frame
from texswarm_server.protocol.ids import BlobHash, Handle
from texswarm_server.protocol.messages import (
    BlobOffer,
    BlobReceived,
    BlobStored,
    BlobsWanted,
    FetchBlob,
    OfferBlobs,
    Order,
)
from texswarm_server.protocol.version import Limits


class BlobLink(Protocol):
    """The link as the binary files of a document see it."""

    @property
    def limits(self) -> Limits:
        """What the server lets a chunk grow to."""

    def send_order(self, order: Order, document_id: str) -> None:
        """Send an order; a refusal of it comes back to `DocumentSync.order_refused`."""

    def send_frame(self, frame: bytes) -> None:
        """Send a binary frame."""


class BlobSync:
    """Invariant: nothing is sent but on the link and the handle of the last `start`, until `stop`."""

    def __init__(self, port: BlobPort, document_id: str, *, clock: Callable[[], float]) -> None:
        self._port = port
        self._document_id = document_id
        self._clock = clock
        self._link: BlobLink | None = None
        self._handle = Handle(0)
        self._generation = 0
        self._transfer = BlobTransfer(Limits())
        self._is_done = False
        port.attached(self)

    @property
    def sending(self) -> Progress | None:
        """How far what goes up is."""
        return self._transfer.sending

    @property
    def fetching(self) -> Progress | None:
        """How far what comes down is."""
        return self._transfer.fetching

    @property
    def is_settled(self) -> bool:
        """Whether all that can travel on this link has."""
        return self._transfer.is_settled

    @property
    def unsent(self) -> int:
        """How many contents are here that the server is still to store."""
        return self._transfer.unsent

    # ── the document ────────────────────────────────────────────────────────────────────────────────────

    def start(self, link: BlobLink, handle: Handle, *, can_write: bool) -> None:
        """The document is open and caught up."""
        self._link, self._handle = link, handle
        self._generation += 1
        self._port.limits_known(link.limits)
        self._look()
        self._do(self._transfer.link_up(link.limits, self._clock(), can_write=can_write))

    def stop(self) -> None:
        """The handle is void."""
        self._link = None
        self._generation += 1
        self._do(self._transfer.link_lost())

    def role_changed(self, *, can_write: bool) -> None:
        """The user may send, or may not any more."""
        self._do(self._transfer.role_changed(self._clock(), can_write=can_write))

    def files_changed(self) -> None:
        """Look anew what the document names and what of it is here."""
        self._look()

    def close(self) -> None:
        """The document leaves the link for good: ask the port for nothing any more."""
        self.stop()
        self._is_done = True
        self._port.attached(None)

    # ── what the server says ────────────────────────────────────────────────────────────────────────────

    def hear(self, fact: BlobsWanted | BlobReceived | BlobStored) -> None:
        """Take in a fact about a blob of this document."""
        now = self._clock()
        match fact:
            case BlobsWanted(wanted=wanted, refused=refused):
                gaps = {BlobHash(each.hash): each.offset for each in wanted}
                codes = {BlobHash(each.hash): each.code for each in refused}
                self._do(self._transfer.wanted(gaps, codes, now))
            case BlobReceived(hash=blob_hash, offset=offset):
                self._do(self._transfer.received(BlobHash(blob_hash), offset, now))
            case BlobStored(hash=blob_hash):
                self._do(self._transfer.stored(BlobHash(blob_hash), now))

    def receive(self, chunk: BlobChunk) -> None:
        """Take in a part of a content."""
        blob = BlobRef(chunk.blob_hash, chunk.size)
        self._do(self._transfer.arrived(blob, chunk.offset, chunk.data, self._clock()))

    def refused(self, blob_hash: str, code: str) -> None:
        """The server refused a chunk, or to send one."""
        self._do(self._transfer.refused(BlobHash(blob_hash), code, self._clock()))

    def offer_refused(self, code: str) -> None:
        """The server refused an offer."""
        self._do(self._transfer.offer_refused(code, self._clock()))

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _look(self) -> None:
        here, lacking = self._port.present(), self._port.lacking()
        self._do(self._transfer.files_changed(here, lacking, self._clock()))

    def _do(self, effects: Sequence[BlobEffect]) -> None:
        for effect in effects:
            if not self._is_done:
                self._act(effect)
        if not self._is_done:
            self._port.progressed()

    def _act(self, effect: BlobEffect) -> None:
        match effect:
            case Offer(blobs):
                offers = [BlobOffer(hash=blob.blob_hash, size=blob.size) for blob in blobs]
                self._order(OfferBlobs(handle=self._handle, blobs=offers))
            case FetchChunk(blob, offset, length):
                self._order(FetchBlob(handle=self._handle, hash=blob.blob_hash, offset=offset, length=length))
            case ReadChunk(blob, offset, length):
                generation = self._generation
                self._port.read(blob, offset, length, lambda data: self._on_read(generation, blob, offset, data))
            case KeepChunk(blob, offset, data):
                self._port.keep(blob, offset, data, lambda received, outcome: self._on_kept(blob, received, outcome))
            case Report(blob, code):
                self._port.refused(blob, code)
            case Wake(delay_s):
                self._port.later(delay_s, self._on_due)

    def _order(self, order: Order) -> None:
        if self._link is not None:
            self._link.send_order(order, self._document_id)

    def _on_read(self, generation: int, blob: BlobRef, offset: int, data: bytes | None) -> None:
        if generation != self._generation or self._link is None:
            return
        if data is None:
            self._do(self._transfer.unreadable(blob, self._clock()))
        else:
            chunk = BlobChunk(blob.blob_hash, blob.size, offset, data)
            self._link.send_frame(encode_frame(self._handle, chunk))

    def _on_kept(self, blob: BlobRef, received: int, outcome: Kept) -> None:
        now = self._clock()
        if outcome is Kept.WRITTEN:
            self._do(self._transfer.kept(blob, received, now))
        else:
            self._do(self._transfer.not_kept(blob, received, now, is_wrong=outcome is Kept.WRONG))

    def _on_due(self) -> None:
        if not self._is_done:
            self._do(self._transfer.wake(self._clock()))
