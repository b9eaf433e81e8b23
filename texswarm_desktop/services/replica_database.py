"""The replica on disk: one SQLite database, the only place that knows its tables. Every function blocks.

    snapshot   the document up to row `upto`, as one update, with its digest
    rows       updates since then, and local ones no server has confirmed; with a checksum
    files      what was last written to the folder, and what is about to be
    figures    binary files as they were last seen in the folder
    intents    what is about to be written, as a change of what was written last
    former     what was in files before, for editors that loaded it then
    former_names   where files were before, for editors that save them there
    meta       names and values

A transaction is durable when it returns (WAL, synchronous=FULL). What does not have its checksum is refused whole:
a replica that cannot be read is never replaced by something emptier.
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Final, cast, get_args

import msgspec
from msgspec.structs import replace

from texswarm_desktop.core.former_names import Left
from texswarm_desktop.core.outbox import OutboxRow, folded, in_portions, merge_many
from texswarm_desktop.core.reconcile import NOTHING, Record
from texswarm_desktop.core.stale_saves import FormerState
from texswarm_desktop.core.text_merge import Edit, apply_edits
from texswarm_desktop.services.disk_errors import database_not_writable
from texswarm_desktop.services.figure_record import FigureRecord, Stamp
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.document.text_format import Encoding, Newline, TextFormat
from texswarm_server.document.updates import compact
from texswarm_server.protocol.errors import (
    CorruptSnapshotError,
    DocumentError,
    NotReadableError,
)
from texswarm_server.protocol.ids import BlobHash

SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), upto INTEGER NOT NULL, data BLOB NOT NULL,
    digest BLOB NOT NULL);
CREATE TABLE rows (id INTEGER PRIMARY KEY, data BLOB NOT NULL, edits INTEGER NOT NULL, is_waiting INTEGER NOT NULL,
    checksum INTEGER NOT NULL);
CREATE TABLE files (file_id TEXT PRIMARY KEY, path TEXT NOT NULL, text BLOB, encoding TEXT NOT NULL,
    has_bom INTEGER NOT NULL, newline TEXT NOT NULL, digest BLOB, intent BLOB);
"""

#: What came later than the other tables; a program that does not know it passes it over.
_FIGURES: Final = """
CREATE TABLE IF NOT EXISTS figures (file_id TEXT PRIMARY KEY, path TEXT NOT NULL, hash TEXT NOT NULL,
    size INTEGER NOT NULL, inode TEXT NOT NULL, modified_ns INTEGER NOT NULL)
"""

_FAST: Final = 1
_SMALL_BYTES: Final = 16 * 1024

_INTENTS: Final = """
CREATE TABLE IF NOT EXISTS intents (file_id TEXT PRIMARY KEY, start INTEGER NOT NULL, stop INTEGER NOT NULL,
    text BLOB NOT NULL)
"""
_FORMER: Final = """
CREATE TABLE IF NOT EXISTS former (file_id TEXT NOT NULL, until REAL NOT NULL, text BLOB NOT NULL,
    digest BLOB NOT NULL DEFAULT x'', PRIMARY KEY (file_id, until)) WITHOUT ROWID
"""
_LEFT: Final = """
CREATE TABLE IF NOT EXISTS former_names (path TEXT PRIMARY KEY, file_id TEXT NOT NULL, text BLOB NOT NULL,
    at REAL NOT NULL)
"""
_FORGET_NAMES: Final = """
DELETE FROM former_names WHERE at < ? OR rowid NOT IN (SELECT rowid FROM former_names ORDER BY rowid DESC LIMIT ?)
"""
#: For how long, and of how many places, it is remembered over a restart which file was there.
_LEFT_S: Final = 30 * 24 * 3600.0
_MOST_LEFT: Final = 50
#: What was in files that are gone, for longer than that before the last that is known of any.
_FORGET_FORMER: Final = """
DELETE FROM former WHERE until < (SELECT max(until) FROM former) - ? AND file_id NOT IN (SELECT file_id FROM files)
"""
_FORMER_DIGEST: Final = "ALTER TABLE former ADD COLUMN digest BLOB NOT NULL DEFAULT x''"

Operation = Callable[[sqlite3.Connection], None]


class StoredReplica(msgspec.Struct):
    """Everything that was stored. `updates` make up the whole document; none when nothing was ever written.

    `loose_bytes` and `loose_edits`: of rows that it would be faster to load as part of the snapshot; `whole_bytes`: of
    snapshot and rows.
    """

    updates: list[bytes] = msgspec.field(default_factory=list)
    meta: dict[str, str] = msgspec.field(default_factory=dict)
    waiting: list[OutboxRow] = msgspec.field(default_factory=list)
    records: dict[str, Record] = msgspec.field(default_factory=dict)
    figures: dict[str, FigureRecord] = msgspec.field(default_factory=dict)
    former: dict[str, list[FormerState]] = msgspec.field(default_factory=dict)
    left: dict[str, Left] = msgspec.field(default_factory=dict)
    last_row: int = 0
    loose_bytes: int = 0
    loose_edits: int = 0
    whole_bytes: int = 0


class ReplicaDatabase:
    """An open database. Raises NotWritableError, NotReadableError or CorruptSnapshotError, and changes nothing then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._typed_errors():
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close; may be called twice."""
        self._connection.close()

    def commit(self, operations: Iterable[Operation]) -> None:
        """Do all of `operations` durably, or none of them."""
        with self._typed_errors(), self._transaction() as connection:
            for operation in operations:
                operation(connection)

    def load(self, since: float) -> StoredReplica:
        """Read everything; edits that wait count as made at `since`."""
        with self._typed_errors():
            upto, snapshot = self._snapshot()
            rows = self._rows()
            later = [row for row, _ in rows if row.row > upto]
            updates = [row.update for row in later]
            loose = [row for row in later if is_loose(row.update, row.edits)]
            return StoredReplica(
                updates=_in_few(snapshot, updates, self._path),
                meta=dict(self._connection.execute("SELECT key, value FROM meta")),
                waiting=[OutboxRow(row.row, row.edits, row.update, since) for row, is_waiting in rows if is_waiting],
                records=self._records(),
                former=self._former(),
                left=self._left(),
                figures=dict(map(_figure, self._connection.execute("SELECT * FROM figures"))),
                last_row=max([upto, *(row.row for row, _ in rows)]),
                loose_bytes=sum(len(row.update) for row in loose),
                loose_edits=sum(max(row.edits, 1) for row in loose),
                whole_bytes=len(snapshot or b"") + sum(map(len, updates)),
            )

    def compact(self) -> int:
        """Put everything into one snapshot and return its size; rows that wait for a server stay rows, but few."""
        with self._typed_errors():
            upto, snapshot = self._snapshot()
            rows = self._rows()
            loose = [row.update for row, _ in rows if row.row > upto]
            waiting = folded(row for row, is_waiting in rows if is_waiting)
            if not loose and len(waiting) == len(rows):
                return len(snapshot or b"")
            data = _compacted(snapshot, loose, self._path)
            last = max([upto, *(row.row for row, _ in rows)])
            with self._transaction() as connection:
                _put_snapshot(connection, last, data)
                connection.execute("DELETE FROM rows")
                for row in waiting:
                    add_row(row.row, row.update, row.edits, is_waiting=True)(connection)
            return len(data)

    def _records(self) -> dict[str, Record]:
        records = dict(map(_record, self._connection.execute("SELECT * FROM files")))
        for file_id, start, stop, text in self._connection.execute("SELECT * FROM intents"):
            record = records.get(file_id)
            if record is not None and record.intent is not None:
                intended = apply_edits(record.text or "", [Edit(start, stop, _unpacked(text))])
                records[file_id] = replace(record, intent_text=intended)
        return records

    def _former(self) -> dict[str, list[FormerState]]:
        found: dict[str, list[FormerState]] = {}
        query = "SELECT file_id, text, until, digest FROM former ORDER BY file_id, until"
        for file_id, *state in self._connection.execute(query):
            found.setdefault(file_id, []).append(FormerState(*state))
        return found

    def _left(self) -> dict[str, Left]:
        found = self._connection.execute("SELECT path, file_id, text FROM former_names ORDER BY rowid")
        return {path: Left(file_id, _unpacked(text)) for path, file_id, text in found}

    def _snapshot(self) -> tuple[int, bytes | None]:
        found = self._connection.execute("SELECT upto, data, digest FROM snapshot").fetchone()
        if found is None:
            return 0, None
        upto, data, digest = found
        if hashlib.sha256(data).digest() != digest:
            raise CorruptSnapshotError(f"{self._path}: the snapshot is not what was written")
        return upto, data

    def _rows(self) -> list[tuple[OutboxRow, bool]]:
        rows = []
        for row, data, edits, is_waiting, checksum in self._connection.execute("SELECT * FROM rows ORDER BY id"):
            if zlib.crc32(data) != checksum:
                raise CorruptSnapshotError(f"{self._path}: row {row} is not what was written")
            rows.append((OutboxRow(row, edits, data, 0.0), bool(is_waiting)))
        return rows

    def _prepare(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise NotReadableError(f"{self._path}: made by a newer version")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        if not version:
            self._connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
        self._connection.execute(_FIGURES)
        self._connection.execute(_INTENTS)
        self._connection.execute(_FORMER)
        self._connection.execute(_LEFT)
        if "digest" not in {column[1] for column in self._connection.execute("PRAGMA table_info(former)")}:
            self._connection.execute(_FORMER_DIGEST)
        self._connection.execute(_FORGET_FORMER, (_LEFT_S,))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            # The general code is for statements that do not fit the tables: they are not ours any more.
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                raise CorruptSnapshotError(f"{self._path}: {error}") from error
            raise database_not_writable(self._path, error) from error
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            raise CorruptSnapshotError(f"{self._path}: {error}") from error


def is_loose(update: bytes, edits: int) -> bool:
    """Say whether it is the number of its edits and not their size that makes an update slow to load.

    Typed in a hurry, a thousand edits are one update of twenty kilobytes, and load as slowly as a thousand updates.
    """
    return len(update) < _SMALL_BYTES * max(edits, 1)


def read_meta(path: Path, key: str) -> str | None:
    """Return a value of a database without opening it for writing; raises NotReadableError."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    except sqlite3.Error as error:
        raise NotReadableError(f"{path}: {error}") from error
    return found[0] if found is not None else None


# ── operations ──────────────────────────────────────────────────────────────────────────────────────────


def add_row(row: int, update: bytes, edits: int, *, is_waiting: bool) -> Operation:
    """Store an update; `is_waiting`: it was made here and no server has confirmed it."""
    values = (row, update, edits, is_waiting, zlib.crc32(update))
    return _statement("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", *values)


def confirm_rows(row: int) -> Operation:
    """Note that a server has every row up to `row`."""
    return _statement("UPDATE rows SET is_waiting = 0 WHERE id <= ? AND is_waiting", row)


def put_meta(key: str, value: str | None) -> Operation:
    """Set a value, or forget it."""
    if value is None:
        return _statement("DELETE FROM meta WHERE key = ?", key)
    return _statement("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)


def put_intent(file_id: str, path: str, digest: bytes, change: Edit) -> Operation:
    """Note what is about to be written for a file, before it is; `change`: of what was written last."""

    def operation(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO files VALUES (?, ?, NULL, 'utf-8', 0, '\n', NULL, ?) "
            "ON CONFLICT (file_id) DO UPDATE SET intent = excluded.intent",
            (file_id, path, digest),
        )
        values = (file_id, change.start, change.end, zlib.compress(change.new.encode(), 0))
        connection.execute("INSERT OR REPLACE INTO intents VALUES (?, ?, ?, ?)", values)

    return operation


def put_removal(file_id: str) -> Operation:
    """Note that a file is about to be deleted, before it is."""

    def operation(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE files SET intent = ? WHERE file_id = ?", (NOTHING, file_id))
        connection.execute("DELETE FROM intents WHERE file_id = ?", (file_id,))

    return operation


def put_record(file_id: str, record: Record) -> Operation:
    """Note what was written for a file."""

    def operation(connection: sqlite3.Connection) -> None:
        # In the form of zlib and not compressed: that would take a second for a book, on a disk that has the room.
        text = None if record.text is None else zlib.compress(record.text.encode(), 0)
        spelled = (record.format.encoding, record.format.has_bom, record.format.newline)
        values = (file_id, record.path, text, *spelled, record.digest, record.intent)
        connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        connection.execute("DELETE FROM intents WHERE file_id = ?", (file_id,))

    return operation


def forget_record(file_id: str) -> Operation:
    """Forget a file that is no more in the folder."""

    def operation(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM files WHERE file_id = ?", (file_id,))
        connection.execute("DELETE FROM intents WHERE file_id = ?", (file_id,))

    return operation


def put_former(file_id: str, before: Iterable[FormerState], now: Iterable[FormerState]) -> Operation:
    """Note what was in a file before, where that is another than it was."""
    old, new = set(before), set(now)

    def operation(connection: sqlite3.Connection) -> None:
        gone = ((file_id, state.until) for state in old - new)
        came = ((file_id, state.until, state.packed, state.digest) for state in new - old)
        connection.executemany("DELETE FROM former WHERE file_id = ? AND until = ?", gone)
        connection.executemany("INSERT OR REPLACE INTO former (file_id, until, text, digest) VALUES (?, ?, ?, ?)", came)

    return operation


def put_left(path: str, left: Left, now: float) -> Operation:
    """Note which file was at a path, in place of what was known of it; the oldest notes go."""

    def operation(connection: sqlite3.Connection) -> None:
        values = (path, left.file_id, zlib.compress(left.text.encode(), _FAST), now)
        connection.execute("INSERT OR REPLACE INTO former_names VALUES (?, ?, ?, ?)", values)
        connection.execute(_FORGET_NAMES, (now - _LEFT_S, _MOST_LEFT))

    return operation


def put_figure(file_id: str, record: FigureRecord) -> Operation:
    """Note how a binary file is in the folder."""
    values = (file_id, record.path, record.blob.blob_hash, record.blob.size)
    stamp = (str(record.stamp.inode), record.stamp.modified_ns)  # an inode may have 64 bits without a sign
    return _statement("INSERT OR REPLACE INTO figures VALUES (?, ?, ?, ?, ?, ?)", *values, *stamp)


def forget_figure(file_id: str) -> Operation:
    """Forget a binary file that is no more in the folder."""
    return _statement("DELETE FROM figures WHERE file_id = ?", file_id)


def _statement(sql: str, *values: object) -> Operation:
    def operation(connection: sqlite3.Connection) -> None:
        connection.execute(sql, values)

    return operation


def _put_snapshot(connection: sqlite3.Connection, upto: int, data: bytes) -> None:
    values = (upto, data, hashlib.sha256(data).digest())
    connection.execute("INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?, ?)", values)


# ── what comes back ─────────────────────────────────────────────────────────────────────────────────────


def _record(values: tuple[str, str, bytes | None, str, int, str, bytes | None, bytes | None]) -> tuple[str, Record]:
    file_id, path, text, encoding, has_bom, newline, digest, intent = values
    known = encoding if encoding in get_args(Encoding) else "utf-8"
    spelled = TextFormat(cast("Encoding", known), bool(has_bom), cast("Newline", newline))
    return file_id, Record(path, None if text is None else _unpacked(text), spelled, digest, intent)


def _figure(values: tuple[str, str, str, int, str, int]) -> tuple[str, FigureRecord]:
    file_id, path, blob_hash, size, inode, modified_ns = values
    return file_id, FigureRecord(path, BlobRef(BlobHash(blob_hash), size), Stamp(int(inode), size, modified_ns))


def _unpacked(text: bytes) -> str:
    try:
        return zlib.decompress(text).decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise CorruptSnapshotError("the last written text is not what was stored") from error


def _in_few(snapshot: bytes | None, loose: list[bytes], path: Path) -> list[bytes]:
    """Merging saves the loading of many small updates; a large one it would only read once more."""
    few = [] if snapshot is None else [snapshot]
    with _refusing_other_bytes(path):
        for is_large, some in groupby(loose, _is_large):
            few += some if is_large else [merge_many(portion) for portion in in_portions(some)]
    return few


def _is_large(update: bytes) -> bool:
    return len(update) >= _SMALL_BYTES


def _compacted(snapshot: bytes | None, loose: list[bytes], path: Path) -> bytes:
    with _refusing_other_bytes(path):
        later = [merge_many(loose)] if loose else []
        return compact(later if snapshot is None else [snapshot, *later])


@contextmanager
def _refusing_other_bytes(path: Path) -> Iterator[None]:
    try:
        yield
    except DocumentError as error:
        raise CorruptSnapshotError(f"{path}: {error}") from error
