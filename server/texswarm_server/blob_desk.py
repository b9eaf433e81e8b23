"""Binary files of documents, joined to storage and to the connections of their members.

Takes offers, chunks and requests from the dispatcher, asks `BlobUploads` whether they may be, and has the bytes moved
on a thread of its own, one after the other, so that neither the loop nor the store of the texts waits for them. Who may
have a content is decided by the document: knowing a hash opens nothing.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from texswarm_server.config import ServerConfig
from texswarm_server.document.blob_ref import BlobRef, UploadKey
from texswarm_server.net.peer import Peer
from texswarm_server.net.prepared_frame import Traffic
from texswarm_server.net.statistics import BlobStatistics
from texswarm_server.open_documents import OpenDocuments
from texswarm_server.protocol.errors import (
    ErrorCode,
    RejectedError,
    StorageError,
    TexSwarmError,
    code_of,
)
from texswarm_server.protocol.frames import BlobChunk, encode_frame
from texswarm_server.protocol.ids import BlobHash, DocumentId, Handle, SessionId, UserId
from texswarm_server.protocol.messages import (
    BlobGap,
    BlobReceived,
    BlobRefusal,
    BlobStored,
    BlobsWanted,
    Error,
    FetchBlob,
    OfferBlobs,
)
from texswarm_server.rooms.blob_uploads import BlobUploads
from texswarm_server.rooms.room import Room
from texswarm_server.sessions.records import BlobRecord, Records
from texswarm_server.storage.blob_references import unreferenced
from texswarm_server.storage.blob_store import BlobStore
from texswarm_server.storage.store import Store, database_path

T = TypeVar("T")
_logger = logging.getLogger(__name__)

#: How many chunks one session may have asked for and not got yet.
_MOST_FETCHES: Final = 8
_SENDER_CHARS: Final = 16
#: A whole content that no document claims this long after it came is left over from a crash.
_STRAY_AFTER_S: Final = 3600.0

Sizes = dict[BlobHash, int]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, on which connection."""

    peer: Peer
    session_id: SessionId
    user_id: UserId


class BlobDesk:
    """Invariant: a content that is told to be stored is whole, checked, durable, and recorded for its document."""

    def __init__(
        self, store: Store, documents: OpenDocuments, config: ServerConfig, *, wall_clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._documents = documents
        self._config = config
        self._limits = config.limits
        self._wall_clock = wall_clock
        self._loop = asyncio.get_running_loop()
        self._files = BlobStore(config.data)
        self._uploads = BlobUploads(self._limits, self._files.parts(), self._loop.time())
        self._stored: dict[DocumentId, Sizes] = {}
        self._fetches: Counter[SessionId] = Counter()
        self._sound: set[BlobHash] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="texswarm-blobs")
        self._care_thread = ThreadPoolExecutor(1, thread_name_prefix="texswarm-blob-care")
        self._care_at = self._loop.time() + config.blob_care_s
        self._is_caring = False
        self._is_closing = False
        self.statistics = BlobStatistics()

    async def close(self) -> None:
        """Let go of the threads; what had arrived of a content stays on the disk."""
        self._is_closing = True
        for thread in (self._thread, self._care_thread):
            await self._loop.run_in_executor(None, partial(thread.shutdown, cancel_futures=True))

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────

    async def offer(self, caller: Caller, order: OfferBlobs) -> None:
        """Say which of the offered contents the document lacks; raises RejectedError."""
        room = self._room(caller, Handle(order.handle), is_writing=True)
        stored = await self._sizes(room.document_id)
        stored_bytes = sum(stored.values())
        wanted, refused = [], []
        for each in order.blobs:
            key = _key(room, caller, BlobRef(BlobHash(each.hash), each.size))
            if each.hash in stored:
                continue
            if code := self._uploads.refusal(key, stored_bytes):
                self.statistics.refused[code] += 1
                refused.append(BlobRefusal(hash=each.hash, code=code))
            else:
                wanted.append(BlobGap(hash=each.hash, offset=self._uploads.offset(key)))
        caller.peer.tell(BlobsWanted(handle=order.handle, wanted=wanted, refused=refused, request=order.request))

    async def fetch(self, caller: Caller, order: FetchBlob) -> None:
        """Have a part of a content sent; raises RejectedError."""
        room = self._room(caller, Handle(order.handle))
        size = (await self._sizes(room.document_id)).get(BlobHash(order.hash))
        if size is None:
            raise RejectedError(ErrorCode.NOT_FOUND, "no such blob in this document")
        if order.offset + order.length > size or (not order.length and size):
            raise RejectedError(ErrorCode.BLOB_INVALID, f"{order.length} bytes from {order.offset} on, of {size}")
        if order.length > self._limits.max_blob_chunk_bytes or self._fetches[caller.session_id] >= _MOST_FETCHES:
            raise RejectedError(ErrorCode.LIMIT_EXCEEDED, "too much at once")
        self._fetches[caller.session_id] += 1
        blob = BlobRef(BlobHash(order.hash), size)
        reading = self._run(self._read, blob, order.offset, order.length)
        reading.add_done_callback(partial(self._on_read, caller, room, blob, order))

    def chunk(self, caller: Caller, handle: Handle, chunk: BlobChunk) -> None:
        """Take in a part of a content; what is wrong with it is answered here."""
        try:
            key = self._take(caller, handle, chunk)
        except RejectedError as error:
            self._refuse(caller, handle, chunk.blob_hash, error)
            return
        if key is None:
            caller.peer.tell(BlobStored(handle=handle, hash=chunk.blob_hash))
            return
        writing = self._run(self._write, key, chunk)
        writing.add_done_callback(partial(self._on_written, caller, handle, key, chunk))

    def _take(self, caller: Caller, handle: Handle, chunk: BlobChunk) -> UploadKey | None:
        """Return what a chunk that may be written is a part of, None when it is stored; raises RejectedError."""
        room = self._room(caller, handle, is_writing=True)
        stored = self._stored.get(room.document_id)
        if stored is None:
            raise RejectedError(ErrorCode.BLOB_INVALID, "offer it first")
        if chunk.blob_hash in stored:
            return None
        key = _key(room, caller, BlobRef(chunk.blob_hash, chunk.size))
        stored_bytes = sum(stored.values())
        self._uploads.take(caller.session_id, key, chunk, stored_bytes=stored_bytes, now=self._loop.time())
        return key

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: float) -> None:
        """Do what is due: forget what was never finished, and collect what nothing names any more."""
        for key in self._uploads.overdue(now - self._config.blob_unfinished_s):
            self._uploads.ended(key)
            self._run(self._files.drop, key).add_done_callback(_log_failure)
        if now >= self._care_at and not self._is_caring and not self._store.damage:
            self._care_at = now + self._config.blob_care_s
            self._is_caring = True
            self._store.run(lambda records: records.blobs()).add_done_callback(self._on_listed)

    def _on_listed(self, listed: "asyncio.Future[list[BlobRecord]]") -> None:
        if self._is_closing or listed.cancelled() or listed.exception():
            self._is_caring = False
            return
        path = database_path(self._config.data)
        looking = self._loop.run_in_executor(self._care_thread, _unreferenced_of_all, path, listed.result())
        looking.add_done_callback(partial(self._on_looked, listed.result()))

    def _on_looked(self, records: list[BlobRecord], looked: "asyncio.Future[set[tuple[DocumentId, BlobHash]]]") -> None:
        if self._is_closing or looked.cancelled() or looked.exception():
            _log_failure(looked)
            self._is_caring = False
            return
        care = partial(_collect, loose=looked.result(), now=self._wall_clock(), grace_s=self._config.blob_grace_s)
        self._store.run(lambda rows: care(rows, records)).add_done_callback(self._on_collected)

    def _on_collected(self, collected: "asyncio.Future[list[BlobRecord]]") -> None:
        if self._is_closing or collected.cancelled() or collected.exception():
            _log_failure(collected)
            self._is_caring = False
            return
        self.statistics.collected += len(collected.result())
        for record in collected.result():
            self._stored.get(record.document_id, {}).pop(record.blob_hash, None)
        self._store.run(lambda records: records.blobs()).add_done_callback(self._on_left)

    def _on_left(self, left: "asyncio.Future[list[BlobRecord]]") -> None:
        """Delete the files that no document claims; one that came in the meantime is in the index already."""
        if not (self._is_closing or left.cancelled() or left.exception()):
            claimed = {record.blob_hash for record in left.result()}
            claimed.update(*(sizes.keys() for sizes in self._stored.values()))
            self._run(self._sweep, claimed, self._wall_clock() - _STRAY_AFTER_S).add_done_callback(_log_failure)
        self._is_caring = False

    # ── on the thread ───────────────────────────────────────────────────────────────────────────────────

    def _write(self, key: UploadKey, chunk: BlobChunk) -> int:
        received = self._files.append(key, chunk.offset, chunk.data)
        if received == key.blob.size:
            self._files.finish(key)
        return received

    def _read(self, blob: BlobRef, offset: int, length: int) -> bytes | None:
        """Return the bytes, None where what lies there is not the content any more; looked through once."""
        if blob.blob_hash not in self._sound:
            if not self._files.is_sound(blob):
                return None
            self._sound.add(blob.blob_hash)
        return self._files.read(blob, offset, length)

    def _sweep(self, claimed: set[BlobHash], before: float) -> None:
        for blob_hash in self._files.hashes(older_than=before) - claimed:
            self._files.remove(blob_hash)
            self._sound.discard(blob_hash)

    # ── what came of it ─────────────────────────────────────────────────────────────────────────────────

    def _on_written(
        self, caller: Caller, handle: Handle, key: UploadKey, chunk: BlobChunk, writing: "asyncio.Future[int]"
    ) -> None:
        if writing.cancelled():
            return
        error = writing.exception()
        self._uploads.written(caller.session_id, key, chunk, None if error else writing.result())
        if error is not None:
            if not isinstance(error, StorageError):
                self._uploads.ended(key)
            self._refuse(caller, handle, chunk.blob_hash, error)
            return
        self.statistics.received_bytes += len(chunk.data)
        if writing.result() == key.blob.size:
            self._record(caller, handle, key)
        else:
            caller.peer.tell(BlobReceived(handle=handle, hash=chunk.blob_hash, offset=writing.result()))

    def _record(self, caller: Caller, handle: Handle, key: UploadKey) -> None:
        record = BlobRecord(key.document_id, key.blob.blob_hash, key.blob.size, self._wall_clock())

        def put(records: Records) -> None:
            records.put_blob(record)

        self._uploads.ended(key)
        self._stored[key.document_id][key.blob.blob_hash] = key.blob.size
        self._store.run(put).add_done_callback(partial(self._on_recorded, caller, handle, key))

    def _on_recorded(self, caller: Caller, handle: Handle, key: UploadKey, recorded: "asyncio.Future[None]") -> None:
        if recorded.cancelled():
            return
        if error := recorded.exception():
            self._stored[key.document_id].pop(key.blob.blob_hash, None)
            self._refuse(caller, handle, key.blob.blob_hash, error)
            return
        self.statistics.arrived += 1
        self._documents.tell_present(
            key.document_id, lambda room: BlobStored(handle=room.handle, hash=key.blob.blob_hash)
        )
        for other in self._uploads.of_blob(key.document_id, key.blob):
            self._uploads.ended(other)
            self._run(self._files.drop, other).add_done_callback(_log_failure)

    def _on_read(
        self, caller: Caller, room: Room, blob: BlobRef, order: FetchBlob, reading: "asyncio.Future[bytes | None]"
    ) -> None:
        self._fetches[caller.session_id] -= 1
        if self._fetches[caller.session_id] <= 0:
            del self._fetches[caller.session_id]
        if reading.cancelled():
            return
        data = None if reading.exception() else reading.result()
        if data is not None and room.role_of(caller.session_id) is not None:
            self.statistics.sent_bytes += len(data)
            chunk = BlobChunk(blob.blob_hash, blob.size, order.offset, data)
            caller.peer.deliver(Traffic(room.handle, encode_frame(room.handle, chunk)))
            return
        error = reading.exception() or RejectedError(ErrorCode.NOT_FOUND, "the blob is damaged here")
        if reading.exception() is None and data is None:
            self._forget(blob.blob_hash)
        self._refuse(caller, room.handle, blob.blob_hash, error, request=order.request)

    def _forget(self, blob_hash: BlobHash) -> None:
        """A content that is damaged is nobody's any more: whoever has it may send it again."""
        _logger.error("blob %s was damaged on the disk and is set aside", blob_hash)
        holders = [document_id for document_id, sizes in self._stored.items() if sizes.pop(blob_hash, None) is not None]

        def remove(records: Records) -> None:
            for record in records.blobs():
                if record.blob_hash == blob_hash:
                    records.remove_blob(record.document_id, blob_hash)

        self._store.run(remove).add_done_callback(_log_failure)
        _logger.debug("it was used in %s", ", ".join(holders))

    # ── small helps ─────────────────────────────────────────────────────────────────────────────────────

    def _room(self, caller: Caller, handle: Handle, *, is_writing: bool = False) -> Room:
        """Return the document behind a handle; raises RejectedError for who may not do this in it."""
        room = self._documents.room_of(caller.session_id, handle)
        if is_writing and room.role_of(caller.session_id) == "viewer":
            raise RejectedError(ErrorCode.FORBIDDEN)
        if is_writing and room.read_only:
            raise RejectedError(ErrorCode.DOCUMENT_READ_ONLY, room.read_only)
        return room

    async def _sizes(self, document_id: DocumentId) -> Sizes:
        """Return the contents that a document has; what a backup did not bring back is wanted again."""
        if document_id not in self._stored:
            records = await self._store.run(lambda records: records.blobs_of(document_id))
            known = [BlobRef(record.blob_hash, record.size_bytes) for record in records]
            there = await self._run(lambda: [blob for blob in known if self._files.lies_there(blob)]) if known else []
            self._stored.setdefault(document_id, {blob.blob_hash: blob.size for blob in there})
        return self._stored[document_id]

    def _run(self, work: Callable[..., T], *values: object) -> "asyncio.Future[T]":
        if self._is_closing:
            future: asyncio.Future[T] = self._loop.create_future()
            future.cancel()
            return future
        return self._loop.run_in_executor(self._thread, work, *values)

    def _refuse(
        self, caller: Caller, handle: Handle, blob_hash: str, error: BaseException, *, request: int | None = None
    ) -> None:
        if not isinstance(error, TexSwarmError):
            raise error
        self.statistics.refused[str(code_of(error))] += 1
        message = error.message if isinstance(error, RejectedError) else ""
        if isinstance(error, StorageError):
            _logger.warning("a blob was refused: %s", error)
        caller.peer.tell(Error(code=code_of(error), message=message, handle=handle, blob=blob_hash, request=request))


def _key(room: Room, caller: Caller, blob: BlobRef) -> UploadKey:
    return UploadKey(room.document_id, sha256(caller.user_id.encode()).hexdigest()[:_SENDER_CHARS], blob)


def _unreferenced_of_all(path: Path, records: list[BlobRecord]) -> set[tuple[DocumentId, BlobHash]]:
    """Return what its document does not name any more."""
    of: dict[DocumentId, list[BlobHash]] = {}
    for record in records:
        of.setdefault(record.document_id, []).append(record.blob_hash)
    return {(document, blob) for document, hashes in of.items() for blob in unreferenced(path, document, hashes)}


def _collect(
    records: Records, known: list[BlobRecord], *, loose: set[tuple[DocumentId, BlobHash]], now: float, grace_s: float
) -> list[BlobRecord]:
    """Note since when a content is not named, and forget and return those for which that is long enough."""
    gone = []
    for record in known:
        since = record.unreferenced_since
        if (record.document_id, record.blob_hash) not in loose:
            if since is not None:
                records.put_blob(replace(record, unreferenced_since=None))
        elif since is None:
            records.put_blob(replace(record, unreferenced_since=now))
        elif now - since >= grace_s:
            records.remove_blob(record.document_id, record.blob_hash)
            gone.append(record)
    return gone


def _log_failure(future: "asyncio.Future[Any]") -> None:
    if not future.cancelled() and (error := future.exception()):
        _logger.warning("binary files were not looked after: %s", error)
