"""Which parts of which binary files travel next, up and down, on one opened document.

Pure: it is told what happened and answers with effects; it holds no bytes, no files and no clock. One of them serves a
document for as long as the project is open. On each link it begins anew: it offers what the document names and is here
(so that only what the server lacks travels), and asks for what the document names and is not here, from where it broke
off.

Text goes first because little of this is ever on its way: a few chunks in each direction, not sent before the earlier
ones are answered, and chunks that shrink as soon as answers take longer than they must. What waits in front of an edit
is then what fits into a few hundredths of a second of the network, whatever that is.

Left out: what the bytes are, and whether they are right. Who reads, writes and checks them says what came of it.
"""

from collections import Counter, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from texswarm_desktop.core.figure_travel import Progress
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.protocol.errors import ErrorCode, Verdict, code_verdict
from texswarm_server.protocol.ids import BlobHash
from texswarm_server.protocol.messages import MAX_OFFERED_BLOBS
from texswarm_server.protocol.version import Limits

_FIRST_CHUNK_BYTES: Final = 32 * 1024
_LEAST_CHUNK_BYTES: Final = 8 * 1024
_CHUNKS_AT_A_TIME: Final = 2
_MESSAGES_AT_A_TIME: Final = 4
#: How much longer than the shortest one an answer may take: below the first chunks grow, above the second they shrink.
_QUICK_S: Final = 0.025
_SLOW_S: Final = 0.1
_FIRST_PAUSE_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 60.0
#: How often a content that came out wrong is tried again before somebody is told.
_MOST_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """Ask the server which of these it lacks."""

    blobs: tuple[BlobRef, ...]


@dataclass(frozen=True, slots=True)
class ReadChunk:
    """Read these bytes here, and send them unless the link was lost meanwhile."""

    blob: BlobRef
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class FetchChunk:
    """Ask the server for these bytes."""

    blob: BlobRef
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class KeepChunk:
    """Write these bytes here, at the end of what has arrived; with the last ones the whole is checked."""

    blob: BlobRef
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """Let the project know that a content is not taken or does not arrive, and why; None: that is over."""

    blob: BlobRef
    code: str | None


@dataclass(frozen=True, slots=True)
class Wake:
    """Call `wake` after this many seconds."""

    delay_s: float


BlobEffect = Offer | ReadChunk | FetchChunk | KeepChunk | Report | Wake


@dataclass(slots=True)
class _Window:
    """What is on its way in one direction, oldest first, and how large chunks are now."""

    most_bytes: int
    chunk_bytes: int = _FIRST_CHUNK_BYTES
    shortest_s: float = float("inf")
    flying: deque[tuple[BlobHash, int, float]] = field(default_factory=deque)

    def room(self) -> int:
        """Return how many bytes may be sent now, 0 for none."""
        if len(self.flying) >= _MESSAGES_AT_A_TIME:
            return 0
        free = _CHUNKS_AT_A_TIME * self.chunk_bytes - sum(length for _, length, _ in self.flying)
        return min(free, self.chunk_bytes, self.most_bytes)

    def fly(self, blob_hash: BlobHash, length: int, now: float) -> None:
        """Note that a chunk is on its way."""
        self.flying.append((blob_hash, length, now))

    def land(self, blob_hash: BlobHash, now: float) -> bool:
        """Note that the oldest chunk of a content is answered; False where none is on its way."""
        found = next((chunk for chunk in self.flying if chunk[0] == blob_hash), None)
        if found is None:
            return False
        self.flying.remove(found)
        took_s = now - found[2]
        self.shortest_s = min(self.shortest_s, took_s)
        if took_s - self.shortest_s < _QUICK_S and found[1] == self.chunk_bytes:
            self.chunk_bytes = min(self.chunk_bytes * 2, self.most_bytes)
        elif took_s - self.shortest_s > _SLOW_S:
            self.chunk_bytes = max(self.chunk_bytes // 2, min(_LEAST_CHUNK_BYTES, self.most_bytes))
        return True

    def forget(self, blob_hash: BlobHash) -> None:
        """Wait for no answer about a content."""
        self.flying = deque(chunk for chunk in self.flying if chunk[0] != blob_hash)

    def is_flying(self, blob_hash: BlobHash) -> bool:
        """Whether something of a content is on its way."""
        return any(chunk[0] == blob_hash for chunk in self.flying)


@dataclass(slots=True)
class _Travel:
    """A content that travels: `done` bytes are there, up to `asked` are there or on their way."""

    blob: BlobRef
    done: int
    asked: int
    has_begun: bool = False

    @property
    def is_all_asked(self) -> bool:
        return self.has_begun and self.asked >= self.blob.size

    def ask(self, room: int) -> tuple[int, int]:
        """Return offset and length of the next chunk."""
        offset, length = self.asked, min(room, self.blob.size - self.asked)
        self.asked, self.has_begun = offset + length, True
        return offset, length

    def go_back(self) -> None:
        """Ask again for what was asked for and has not come."""
        self.asked, self.has_begun = self.done, False


@dataclass(slots=True)
class _Batch:
    """What travels in one direction from when it was idle until it is idle again."""

    done_bytes: int = 0
    since: float | None = None


class BlobTransfer:
    """Invariant: at most a few chunks are on their way in each direction, and never one that nobody asked for."""

    def __init__(self, limits: Limits) -> None:
        self._here: dict[BlobHash, BlobRef] = {}
        self._lacking: dict[BlobHash, tuple[BlobRef, int]] = {}
        self._is_up = self._can_write = False
        self._at_server: set[BlobHash] = set()
        self._offered: set[BlobHash] = set()
        self._absent: set[BlobHash] = set()
        self._paused: dict[BlobHash, float] = {}
        self._tries: dict[BlobHash, int] = {}
        self._given_up: set[BlobHash] = set()
        self._left: set[BlobHash] = set()
        self._pause_s = _FIRST_PAUSE_S
        self._uploads: dict[BlobHash, _Travel] = {}
        self._downloads: dict[BlobHash, _Travel] = {}
        self._writing: Counter[BlobHash] = Counter()
        self._up, self._down = _Window(limits.max_blob_chunk_bytes), _Window(limits.max_blob_chunk_bytes)
        self._sent, self._got = _Batch(), _Batch()
        self._effects: list[BlobEffect] = []

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────

    @property
    def sending(self) -> Progress | None:
        """How far what goes up is, None while nothing does."""
        return _progress(self._sent, self._uploads)

    @property
    def fetching(self) -> Progress | None:
        """How far what comes down is, None while nothing does."""
        return _progress(self._got, self._downloads)

    @property
    def is_settled(self) -> bool:
        """Whether the link stands and nothing can travel any more: all is there and here, or does not come."""
        waits = self._offered or self._uploads or self._downloads or self._paused or self._writing
        return self._is_up and not waits

    @property
    def unsent(self) -> int:
        """How many contents are here that the server is still to store; without a link, of those when it was lost."""
        return len(self._unsent() if self._is_up else self._left & self._here.keys())

    # ── the link, and what the document names ───────────────────────────────────────────────────────────

    def link_up(self, limits: Limits, now: float, *, can_write: bool) -> list[BlobEffect]:
        """The document is open and caught up on a new link."""
        self.link_lost()
        self._is_up, self._can_write = True, can_write
        self._up.most_bytes = self._down.most_bytes = limits.max_blob_chunk_bytes
        return self._go_on(now)

    def link_lost(self) -> list[BlobEffect]:
        """Nothing is on its way any more; what the server said counts no more, what has come stays."""
        if self._is_up:
            self._left = self._unsent()
        self._is_up = self._can_write = False
        for window in (self._up, self._down):
            window.flying.clear()
            window.shortest_s, window.chunk_bytes = float("inf"), min(_FIRST_CHUNK_BYTES, window.most_bytes)
        self._uploads.clear()
        self._downloads.clear()
        for known in (self._at_server, self._offered, self._absent, self._given_up):
            known.clear()
        self._paused.clear()
        self._tries.clear()
        self._pause_s = _FIRST_PAUSE_S
        self._sent, self._got = _Batch(), _Batch()
        return self._taken()

    def role_changed(self, now: float, *, can_write: bool) -> list[BlobEffect]:
        """The user may send, or may not any more."""
        self._can_write = can_write
        if not can_write:
            self._stop_sending()
        return self._go_on(now)

    def files_changed(self, here: Collection[BlobRef], lacking: Mapping[BlobRef, int], now: float) -> list[BlobEffect]:
        """Hear what the document names: what of it is here, and how much has come of what is not."""
        self._here = {blob.blob_hash: blob for blob in here}
        self._lacking = {blob.blob_hash: (blob, done) for blob, done in lacking.items()}
        self._at_server &= self._here.keys() | self._lacking.keys()  # what is named again may have been collected
        for blob_hash in self._uploads.keys() - self._here.keys():
            self._drop_upload(blob_hash)
        for blob_hash in self._downloads.keys() - self._lacking.keys():
            del self._downloads[blob_hash]
            self._down.forget(blob_hash)
        return self._go_on(now)

    def wake(self, now: float) -> list[BlobEffect]:
        """Time has passed."""
        return self._go_on(now)

    # ── going up ────────────────────────────────────────────────────────────────────────────────────────

    def wanted(self, gaps: Mapping[BlobHash, int], refused: Mapping[BlobHash, str], now: float) -> list[BlobEffect]:
        """The server answered an offer; what it did not name it has."""
        answered, self._offered = self._offered, set()
        for blob_hash in sorted(answered & self._here.keys(), key=lambda each: self._here[each].size):
            blob = self._here[blob_hash]
            if blob_hash in refused:
                self._given_up.add(blob_hash)
                self._effects.append(Report(blob, refused[blob_hash]))
            elif blob_hash in gaps:
                start = min(max(gaps[blob_hash], 0), blob.size)
                self._uploads[blob_hash] = _Travel(blob, start, start)
                self._sent.since = self._sent.since if self._sent.since is not None else now
            else:
                self._is_stored(blob_hash)
        return self._go_on(now)

    def offer_refused(self, code: str, now: float) -> list[BlobEffect]:
        """The server does not answer offers: a viewer's, or it is too old to know what they are."""
        self._given_up |= self._offered
        self._offered = set()
        if code_verdict(code) is Verdict.RETRY:
            for blob_hash in self._given_up:
                self._pause(blob_hash, now)
            self._given_up.clear()
        return self._go_on(now)

    def received(self, blob_hash: BlobHash, offset: int, now: float) -> list[BlobEffect]:
        """The server has a content up to `offset`."""
        upload = self._uploads.get(blob_hash)
        if upload is not None and self._up.land(blob_hash, now):
            self._pause_s = _FIRST_PAUSE_S
            self._sent.done_bytes += max(offset - upload.done, 0)
            upload.done = min(offset, upload.blob.size)
            if upload.done < upload.asked and not self._up.is_flying(blob_hash):
                self._try_again(upload, now)
        return self._go_on(now)

    def stored(self, blob_hash: BlobHash, now: float) -> list[BlobEffect]:
        """The server has a content, from us or from somebody else."""
        upload = self._uploads.get(blob_hash)
        if upload is not None:
            self._up.land(blob_hash, now)
            self._sent.done_bytes += upload.blob.size - upload.done
            self._drop_upload(blob_hash)
        self._absent.discard(blob_hash)
        self._offered.discard(blob_hash)
        self._is_stored(blob_hash)
        return self._go_on(now)

    # ── coming down ─────────────────────────────────────────────────────────────────────────────────────

    def arrived(self, blob: BlobRef, offset: int, data: bytes, now: float) -> list[BlobEffect]:
        """The server sent a chunk; one that was not asked for is passed over."""
        download = self._downloads.get(blob.blob_hash)
        if download is None or download.blob != blob or not self._down.land(blob.blob_hash, now):
            return self._go_on(now)
        is_next = offset == download.done and len(data) <= download.asked - offset and (data or not blob.size)
        if is_next:
            self._pause_s = _FIRST_PAUSE_S
            self._at_server.add(blob.blob_hash)
            download.done += len(data)
            self._got.done_bytes += len(data)
            self._writing[blob.blob_hash] += 1
            self._effects.append(KeepChunk(blob, offset, data))
        if not self._down.is_flying(blob.blob_hash) and download.done < download.asked:
            self._try_again(download, now)
        return self._go_on(now)

    def kept(self, blob: BlobRef, received: int, now: float) -> list[BlobEffect]:
        """What came is written: `received` bytes of the content are here. When it is whole, `files_changed` follows."""
        self._is_written(blob.blob_hash)
        if blob.blob_hash in self._lacking:
            self._lacking[blob.blob_hash] = (blob, received)
        download = self._downloads.get(blob.blob_hash)
        is_moving = self._down.is_flying(blob.blob_hash) or blob.blob_hash in self._writing
        if download is not None and not is_moving and received < download.done:
            download.done = received
            self._try_again(download, now)
        return self._go_on(now)

    def not_kept(self, blob: BlobRef, received: int, now: float, *, is_wrong: bool) -> list[BlobEffect]:
        """What came could not be written (`received` bytes are here), or the whole has another hash (`is_wrong`)."""
        self._is_written(blob.blob_hash)
        download = self._downloads.pop(blob.blob_hash, None)
        self._down.forget(blob.blob_hash)
        if blob.blob_hash in self._lacking:
            self._lacking[blob.blob_hash] = (blob, received)
        if download is not None and is_wrong:
            self._fail(blob, ErrorCode.BLOB_INVALID, now)
        elif download is not None:
            self._pause(blob.blob_hash, now)
        return self._go_on(now)

    # ── what went wrong ─────────────────────────────────────────────────────────────────────────────────

    def unreadable(self, blob: BlobRef, now: float) -> list[BlobEffect]:
        """What was to be sent cannot be read here; the project says when it can."""
        self._drop_upload(blob.blob_hash)
        self._pause(blob.blob_hash, now)
        return self._go_on(now)

    def refused(self, blob_hash: BlobHash, code: str, now: float) -> list[BlobEffect]:
        """The server refused a chunk, or to send one."""
        travel = self._uploads.get(blob_hash) or self._downloads.get(blob_hash)
        if travel is None:
            return self._go_on(now)
        self._drop_upload(blob_hash)
        self._downloads.pop(blob_hash, None)
        self._down.forget(blob_hash)
        if code in {ErrorCode.FORBIDDEN, ErrorCode.DOCUMENT_READ_ONLY}:
            self._can_write = False
            self._stop_sending()
        elif code == ErrorCode.NOT_FOUND:
            self._absent.add(blob_hash)
        elif code_verdict(code) is Verdict.RETRY:
            self._pause(blob_hash, now)
        else:
            self._fail(travel.blob, code, now)
        return self._go_on(now)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _go_on(self, now: float) -> list[BlobEffect]:
        if self._is_up:
            self._end_pauses(now)
            if self._can_write:
                self._offer()
                self._send(now)
            self._begin_fetching(now)
            self._fetch(now)
        return self._taken()

    def _unsent(self) -> set[BlobHash]:
        """What the server refuses, or this user may not send, is waited for by nobody."""
        return self._here.keys() - self._at_server - self._given_up if self._can_write else set()

    def _taken(self) -> list[BlobEffect]:
        effects, self._effects = self._effects, []
        return effects

    def _end_pauses(self, now: float) -> None:
        for blob_hash in [each for each, until in self._paused.items() if until <= now]:
            del self._paused[blob_hash]

    def _offer(self) -> None:
        """One offer at a time, so that an answer says what it is about."""
        if self._offered:
            return
        settled = self._at_server | self._uploads.keys() | self._paused.keys() | self._given_up
        due = [blob for blob_hash, blob in self._here.items() if blob_hash not in settled][:MAX_OFFERED_BLOBS]
        if due:
            self._offered = {blob.blob_hash for blob in due}
            self._effects.append(Offer(tuple(due)))

    def _send(self, now: float) -> None:
        for upload in self._uploads.values():
            while not upload.is_all_asked and (room := self._up.room()) > 0:
                offset, length = upload.ask(room)
                self._up.fly(upload.blob.blob_hash, length, now)
                self._effects.append(ReadChunk(upload.blob, offset, length))
        if not self._uploads and not self._offered:
            self._sent = _Batch()

    def _begin_fetching(self, now: float) -> None:
        settled = self._downloads.keys() | self._absent | self._paused.keys() | self._given_up | self._writing.keys()
        due = [each for blob_hash, each in self._lacking.items() if blob_hash not in settled]
        for blob, done in sorted(due, key=lambda each: each[0].size):
            self._downloads[blob.blob_hash] = _Travel(blob, done, done)
            self._got.since = self._got.since if self._got.since is not None else now

    def _fetch(self, now: float) -> None:
        for download in self._downloads.values():
            while not download.is_all_asked and (room := self._down.room()) > 0:
                offset, length = download.ask(room)
                self._down.fly(download.blob.blob_hash, length, now)
                self._effects.append(FetchChunk(download.blob, offset, length))
        if not self._downloads:
            self._got = _Batch()

    def _is_written(self, blob_hash: BlobHash) -> None:
        self._writing[blob_hash] -= 1
        if self._writing[blob_hash] <= 0:
            del self._writing[blob_hash]

    def _is_stored(self, blob_hash: BlobHash) -> None:
        self._at_server.add(blob_hash)
        if self._tries.pop(blob_hash, 0) and blob_hash in self._here:
            self._effects.append(Report(self._here[blob_hash], None))

    def _drop_upload(self, blob_hash: BlobHash) -> None:
        self._uploads.pop(blob_hash, None)
        self._up.forget(blob_hash)

    def _stop_sending(self) -> None:
        self._uploads.clear()
        self._up.flying.clear()
        self._offered.clear()

    def _try_again(self, travel: _Travel, now: float) -> None:
        """The other end has less than was sent, or sent something else: bounded, or two that differ go on for ever."""
        tries = self._tries[travel.blob.blob_hash] = self._tries.get(travel.blob.blob_hash, 0) + 1
        if tries <= _MOST_TRIES:
            travel.go_back()
            return
        self._drop_upload(travel.blob.blob_hash)
        self._downloads.pop(travel.blob.blob_hash, None)
        self._pause(travel.blob.blob_hash, now)

    def _fail(self, blob: BlobRef, code: str, now: float) -> None:
        """Try again a few times what may come right, then say so and wait for the next link."""
        tries = self._tries[blob.blob_hash] = self._tries.get(blob.blob_hash, 0) + 1
        if code == ErrorCode.BLOB_INVALID and tries <= _MOST_TRIES:
            self._pause(blob.blob_hash, now)
        else:
            self._given_up.add(blob.blob_hash)
            self._effects.append(Report(blob, code))

    def _pause(self, blob_hash: BlobHash, now: float) -> None:
        self._paused[blob_hash] = now + self._pause_s
        self._effects.append(Wake(self._pause_s))
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)


def _progress(batch: _Batch, travels: Mapping[BlobHash, _Travel]) -> Progress | None:
    if not travels or batch.since is None:
        return None
    rest = sum(travel.blob.size - travel.done for travel in travels.values())
    return Progress(batch.done_bytes, batch.done_bytes + rest, len(travels), batch.since)
