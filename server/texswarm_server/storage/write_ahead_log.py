"""Is SQLite's write-ahead log whole? It holds what was stored last, and SQLite passes over what is wrong with it.

What is committed stands in the log (`-wal`) until it is moved into the database file. When a database is opened whose
process was killed, SQLite reads the log up to the first frame that does not check, and takes the rest for the beginning
of a transaction that was never finished. Only the last transaction can be that: each is made durable before the next
one begins. So where two commits lie behind such a place, or fewer before it than the index in shared memory (`-shm`)
counted, something was stored and is lost. The index of a process that was killed lies there until the database is
opened: it is read before that, and again after it. Nothing is said of a log into which somebody just writes, and so of
none that is another one a moment later.

The formats: https://www.sqlite.org/walformat.html.
"""

import struct
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from texswarm_server.storage.read_only import open_read_only

_MAGIC: Final = 0x377F0682
_VERSION: Final = 3_007_000
_HEAD: Final = struct.Struct(">IIII8s8s")
_FRAME_HEAD: Final = struct.Struct(">II8s8s")
_ANY_SIZE: Final = 4096
_PAGE_SIZES: Final = frozenset(1 << bits for bits in range(9, 17))
_INDEX_HEAD: Final = struct.Struct("=12xB3xI12x8s8s")
_MOST_TORN: Final = 1
_TRIES: Final = 20
_PAUSE_S: Final = 0.002
_MOMENT_S: Final = 0.05
_WORD: Final = 0xFFFFFFFF

Sums = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Frame:
    """One page as a transaction left it. `pages_after`, in the last one of a transaction: those of the database."""

    page: int
    pages_after: int
    salts: bytes
    sums: bytes


@dataclass(frozen=True, slots=True)
class _Log:
    """Everything since the log began anew the last time, whether SQLite would read it or not."""

    head: bytes
    page_bytes: int
    salts: bytes
    order: str
    sums: bytes | None
    frames: tuple[_Frame, ...]


@dataclass(frozen=True, slots=True)
class _Index:
    """What SQLite counted: frames that are committed, and those of them that were moved into the database."""

    frames: int
    moved: int
    salts: bytes


def wal_path(path: Path) -> Path:
    """Return where SQLite keeps what is not in the database file yet."""
    return path.with_name(path.name + "-wal")


def shared_memory_path(path: Path) -> Path:
    """Return where SQLite keeps the index of the log."""
    return path.with_name(path.name + "-shm")


def lost_changes(path: Path) -> str:
    """Return what is lost of the log of the database at `path` that was committed, empty when it looks whole.

    Raises OSError, and sqlite3.Error where the database cannot be opened for another reason.
    """
    index, log = _read_index(path), _read_log(path)
    counted = index.frames if index is not None and index.frames > index.moved else 0
    if log is None:
        return "the log of the last changes is gone" if counted else ""
    taken = _taken_by_sqlite(path, log)
    if taken is None or _read_head(path) != log.head:  # somebody begins it anew just now
        return ""
    if index is not None and index.salts == log.salts and counted > taken:
        return f"{counted - taken} of {counted} pages in the log of the last changes are lost"
    beyond = sum(frame.pages_after > 0 for frame in log.frames[taken:])
    if beyond <= _MOST_TORN or not _is_at_rest(path, log, taken):
        return ""
    return f"the log of the last changes is damaged before {beyond} of them"


def mend_log(path: Path) -> None:
    """Let SQLite read on behind damage in the log of a copy, whose pages that are wrong are taken as they are.

    It is mostly written again later in the log, and what people wrote on it has checksums of its own. Raises OSError.
    """
    log = _read_log(path)
    if log is None:
        return
    with wal_path(path).open("rb") as file:
        mended = b"".join(_written(log, file))
    wal_path(path).write_bytes(mended)


def logged_pages(log: Path, page_bytes: int) -> Iterator[bytes]:
    """Yield what stands for a page in a log, wherever in it: what was not committed or is not right is among it.

    So are pages as they once were, and those of before the log began anew. Raises OSError.
    """
    with log.open("rb") as file:
        file.seek(_HEAD.size)
        while len(file.read(_FRAME_HEAD.size)) == _FRAME_HEAD.size and len(page := file.read(page_bytes)) == page_bytes:
            yield page


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def _read_log(path: Path) -> _Log | None:
    """Return what stands in a log, None where there is none or nothing was ever written into it."""
    head = _read_head(path)
    if len(head) < _HEAD.size:
        return None
    with wal_path(path).open("rb") as file:
        file.seek(_HEAD.size)
        return _without_former(head, file)


def _read_head(path: Path) -> bytes:
    try:
        with wal_path(path).open("rb") as file:
            return file.read(_HEAD.size)
    except FileNotFoundError:
        return b""


def _without_former(head: bytes, file: BinaryIO) -> _Log:
    """Leave out what still lies there from before the log began anew."""
    magic, _, page_bytes, _, salts, sums = _HEAD.unpack(head)
    order = ">" if magic & 1 else "<"
    is_right = magic & ~1 == _MAGIC and _packed(_sum(head[:-8], order)) == sums
    page_bytes = page_bytes if page_bytes in _PAGE_SIZES else _ANY_SIZE
    frames = tuple(_frames(file, page_bytes))
    if not is_right and frames:
        salts = frames[0].salts
    last = max((number for number, frame in enumerate(frames, 1) if frame.salts == salts), default=0)
    return _Log(head, page_bytes, salts, order, sums if is_right else None, frames[:last])


def _frames(file: BinaryIO, page_bytes: int) -> Iterator[_Frame]:
    while len(head := file.read(_FRAME_HEAD.size)) == _FRAME_HEAD.size and len(file.read(page_bytes)) == page_bytes:
        yield _Frame(*_FRAME_HEAD.unpack(head))


def _taken_by_sqlite(path: Path, log: _Log) -> int | None:
    """Return how many frames of the log count for SQLite, which looks at all of them when nobody has it open.

    None where nobody can say, because somebody else writes into it.
    """
    with closing(open_read_only(path)) as database:
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        index = _whole_index(path)
    if log.sums is None:
        return 0
    return index.frames if index is not None and index.salts == log.salts else None


def _is_at_rest(path: Path, log: _Log, taken: int) -> bool:
    """Whether a log is a moment later what it was; damage is there to stay."""
    time.sleep(_MOMENT_S)
    return _read_log(path) == log and _taken_by_sqlite(path, log) == taken


def _whole_index(path: Path) -> _Index | None:
    """Return the index of a database that is open; it is read again where somebody just wrote into it."""
    for _ in range(_TRIES):
        if index := _read_index(path):
            return index
        time.sleep(_PAUSE_S)
    return None


def _read_index(path: Path) -> _Index | None:
    """Return what the index says, None where there is none, or none that SQLite would believe."""
    try:
        content = shared_memory_path(path).read_bytes()[:100]
    except OSError:
        return None
    first, second, rest = content[:48], content[48:96], content[96:]
    if first != second or len(rest) < 4:  # two copies, so that one is whole
        return None
    is_made, frames, salts, sums = _INDEX_HEAD.unpack(first)
    order = "<" if sys.byteorder == "little" else ">"
    if not is_made or struct.pack("=II", *_sum(first[:-8], order)) != sums:
        return None
    return _Index(frames, struct.unpack("=I", rest)[0], salts)


# ── writing, and checksums ──────────────────────────────────────────────────────────────────────────────────


def _written(log: _Log, file: BinaryIO) -> Iterator[bytes]:
    """Yield a log that SQLite reads to its end; `file`: the one whose frames are taken over."""
    magic = _MAGIC | (log.order == ">")
    head = struct.pack(">IIII8s", magic, _VERSION, log.page_bytes, 0, log.salts)
    sums = _sum(head, log.order)
    yield head + _packed(sums)
    for frame, content in _worth_keeping(log, file):
        start = struct.pack(">II", frame.page, frame.pages_after)
        sums = _sum(start + content, log.order, sums)
        yield start + log.salts + _packed(sums) + content


def _worth_keeping(log: _Log, file: BinaryIO) -> Iterator[tuple[_Frame, bytes]]:
    """Yield frames with their pages, up to the last commit; not those that are wrong and name no page there can be."""
    last = max((number for number, frame in enumerate(log.frames, 1) if frame.pages_after), default=0)
    before, most = log.sums, 0
    file.seek(_HEAD.size)
    for frame in log.frames[:last]:
        start, content = file.read(_FRAME_HEAD.size)[:8], file.read(log.page_bytes)
        is_right = before is not None and _packed(_sum(start + content, log.order, _unpacked(before))) == frame.sums
        before = frame.sums
        if is_right:
            most = max(most, frame.page, frame.pages_after)
        if is_right or (0 < frame.page <= most >= frame.pages_after):
            yield frame, content


def _sum(data: bytes, order: str, before: Sums = (0, 0)) -> Sums:
    """Return the checksum of SQLite's log over `data`, going on from the one before."""
    one, two = before
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = one + first + two & _WORD
        two = two + second + one & _WORD
    return one, two


def _packed(sums: Sums) -> bytes:
    return struct.pack(">II", *sums)


def _unpacked(sums: bytes) -> Sums:
    one, two = struct.unpack(">II", sums)
    return one, two
