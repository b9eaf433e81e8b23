"""Reads what can be read of a damaged database into a new one beside it. The damaged one is never written to.

It is worked on in a copy, in which zeros stand for what the disk does not give back: a broken log is mended, a file
that was cut short is filled up, a broken head is made anew from the layout that lies beside the database. Then table by
table every row is taken over that SQLite can still reach, what it did not reach of tables in the order of their key is
looked for on the other pages of their trees, rows with checksums on all pages, also as they stand in the log, and gaps
between the tables are filled.
A recovery is made once for each state of the damaged files, so that what is written into the recovered one afterwards
stays.
"""

import logging
import os
import shutil
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from texswarm_server.protocol.errors import CorruptSnapshotError, NotReadableError, NotWritableError
from texswarm_server.sessions.administration import note_recovery
from texswarm_server.storage.damage import (
    Layout,
    find_loss,
    fingerprint_of,
    is_there,
    layout_path,
    read_layout,
    sync_folder,
)
from texswarm_server.storage.folder_lock import FolderLock
from texswarm_server.storage.mending import restore_documents, restore_owners
from texswarm_server.storage.page_salvage import salvage_pages
from texswarm_server.storage.read_only import (
    FILE_MAGIC,
    is_damage,
    open_read_only,
    readable_number,
    salvaged_rows,
    table_names,
    tolerant_text,
)
from texswarm_server.storage.rescue_copy import rescue_copy
from texswarm_server.storage.schema import open_database, storage_error
from texswarm_server.storage.sqlite_records import transaction
from texswarm_server.storage.store import database_path
from texswarm_server.storage.tree_salvage import salvage_tree
from texswarm_server.storage.write_ahead_log import mend_log, shared_memory_path, wal_path

_logger = logging.getLogger(__name__)

_RECOVERED_NAME: Final = "texswarm-recovered.db"
_ATTEMPT: Final = ".recovering-"
_LOG: Final = "log-as-found"
_SOURCE_KEY: Final = "recovered_from"
_HEAD_BYTES: Final = 100
_EMPTY_LEAF: Final = 0x0D


def recovered_path(path: Path) -> Path:
    """Return where the recovered database of the one at `path` lies."""
    return path.with_name(_RECOVERED_NAME)


def recover(path: Path) -> Path:
    """Return a database with everything that can still be read of the damaged one at `path`.

    Raises CorruptSnapshotError when nothing can be read, NotWritableError when there is no room for it.
    """
    target, source = recovered_path(path), fingerprint_of(path)
    if not (is_there(path) or wal_path(path).exists()):
        remedy = f"put a backup there, or remove {layout_path(path)} to begin with an empty one"
        raise CorruptSnapshotError(f"there was a database at {path}, and nothing is left of it: {remedy}")
    if _is_recovered_from(target, source):
        return target
    try:
        written_at = max(each.stat().st_mtime for each in (path, wal_path(path)) if each.exists())
        with TemporaryDirectory(prefix=_ATTEMPT, dir=path.parent) as folder:
            copy, log = Path(folder, path.name), Path(folder, _LOG)
            _copy_files(path, copy, log)
            _make_readable(copy, read_layout(path), path)
            part = Path(folder, _RECOVERED_NAME)
            _take_over(copy, log, part, source, written_at)
            for leftover in (target, wal_path(target), shared_memory_path(target)):
                leftover.unlink(missing_ok=True)
            part.replace(target)
            sync_folder(target.parent)
    except OSError as error:
        raise NotWritableError(f"{path} is damaged, and cannot be recovered: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise storage_error(error, path) from error
    return target


def clear_attempts(data: Path) -> None:
    """Remove what recoveries left that were killed. To be called by whoever has the folder `data` for themselves."""
    for folder in data.glob(f"{_ATTEMPT}*"):
        shutil.rmtree(folder, ignore_errors=True)


def database_in_use(data: Path) -> Path:
    """Return the database that a server on the folder `data` works with: a recovered one beside a damaged one."""
    path = database_path(data)
    recovered = recovered_path(path)
    return recovered if recovered.exists() and _is_recovered_from(recovered, fingerprint_of(path)) else path


def usable_database(data: Path) -> Path:
    """Return `database_in_use`; raises CorruptSnapshotError where something of it is gone and nothing was recovered.

    For whoever opens it beside the server or before it: SQLite would write over what is left, and forget what was.
    """
    in_use, path = database_in_use(data), database_path(data)
    if in_use == path and (loss := find_loss(path)):
        raise CorruptSnapshotError(f"{path} is damaged: {loss}; a start of the server shows what can still be read")
    return in_use


def accept_recovered(data: Path, *, actor: str, now: float) -> Path:
    """Put the recovered database in the place of the damaged one and return where the damaged one lies now.

    Nothing is deleted, and a power cut at any moment leaves the damaged database in its place or the recovered one.
    Raises NotReadableError when there is nothing recovered from what lies there now, and NotWritableError, also when
    a server uses the folder.
    """
    path = database_path(data)
    recovered = database_in_use(data)
    if recovered == path:
        raise NotReadableError(f"there is no recovered database of {path}; a start of the server makes one")
    lock = FolderLock(data)
    try:
        aside = _put_aside(path)
        sources = [fingerprint_of(path), fingerprint_of(path, with_wal=False)]
        _write_last_words(recovered, sources, actor, now)
        for leftover in (wal_path(path), shared_memory_path(path)):
            leftover.unlink(missing_ok=True)
        recovered.replace(path)
        sync_folder(data)
    except OSError as error:
        raise NotWritableError(f"cannot replace {path}: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise storage_error(error, recovered) from error
    finally:
        lock.release()
    return aside


def _put_aside(path: Path) -> Path:
    """Give the damaged files a second name each, under which they stay."""
    aside = _free_name(path)
    for old, new in ((path, aside), (wal_path(path), wal_path(aside))):
        if old.exists():
            try:
                new.hardlink_to(old)
            except OSError:  # a file system without such names
                shutil.copy2(old, new)
    sync_folder(path.parent)
    return aside


def _write_last_words(recovered: Path, sources: list[str], actor: str, now: float) -> None:
    """Have everything in the one file that is to be renamed, and let it count as what was recovered until then."""
    with closing(open_database(recovered)) as database:
        with transaction(database) as records:
            records.put_setting(_SOURCE_KEY, "\n".join(sources))
            note_recovery(records, actor=actor, now=now)
        if database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise NotWritableError(f"another program has {recovered} open")


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return aside


def _is_recovered_from(target: Path, source: str) -> bool:
    try:
        with closing(open_read_only(target)) as database:
            row = database.execute("SELECT value FROM settings WHERE key = ?", (_SOURCE_KEY,)).fetchone()
    except (NotReadableError, sqlite3.Error):
        return False
    return row is not None and source in row[0].splitlines()


# ── a copy that SQLite can read ─────────────────────────────────────────────────────────────────────────


def _copy_files(path: Path, copy: Path, log: Path) -> None:
    """Copy what there is and can be read; the log of a database that lost something of it is mended, but for `log`."""
    if is_there(path):
        rescue_copy(path, copy)
    if wal_path(path).exists():
        rescue_copy(wal_path(path), log)
        rescue_copy(log, wal_path(copy))
        if find_loss(path):
            mend_log(copy)


def _make_readable(copy: Path, layout: Layout | None, path: Path) -> None:
    """Mend as little as is needed: the length, then the head, then the list of tables."""
    if is_there(copy):
        _fill_up(copy)
        if _has_tables(copy):
            return
    if layout is None:
        raise CorruptSnapshotError(f"{path} is not a database of this server, or is damaged beyond recovery")
    _write_head(copy, layout)
    if _has_tables(copy):
        return
    wal_path(copy).unlink(missing_ok=True)
    _write_list_of_tables(copy, layout)
    if not _has_tables(copy):
        raise CorruptSnapshotError(f"{path} is damaged beyond recovery")


def _fill_up(copy: Path) -> None:
    """Let a file that was cut short have the length that its head tells, as far as that is believable."""
    with copy.open("rb+") as file:
        head = file.read(_HEAD_BYTES)
        size = file.seek(0, os.SEEK_END)
        if len(head) < _HEAD_BYTES or head[:16] != FILE_MAGIC:
            return
        page_bytes, pages = struct.unpack(">H", head[16:18])[0], struct.unpack(">I", head[28:32])[0]
        wanted = max(pages, -(-size // page_bytes) if page_bytes >= 512 else 0) * page_bytes
        if size < wanted <= 2 * size + 2**30:
            file.truncate(wanted)


def _has_tables(copy: Path) -> bool:
    try:
        with closing(sqlite3.connect(copy, isolation_level=None)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return {"documents", "updates", "settings"} <= table_names(database)
    except sqlite3.DatabaseError:
        return False


def _write_head(copy: Path, layout: Layout) -> None:
    copy.touch()
    with copy.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        pages = max(1, -(-size // layout.page_bytes))
        file.truncate(pages * layout.page_bytes)
        file.seek(0)
        file.write(_head(layout, pages, is_wal=True))


def _head(layout: Layout, pages: int, *, is_wal: bool) -> bytes:
    """Return the hundred bytes a database begins with; https://www.sqlite.org/fileformat.html#the_database_header."""
    mode = 2 if is_wal else 1
    fields = struct.pack(
        ">H6B12I20xII",
        layout.page_bytes % 65536 or 1, mode, mode, 0, 64, 32, 32,
        1, pages, 0, 0, 1, 4, 0, 0, 1, layout.version, 0, 0,
        1, sqlite3.sqlite_version_info[0] * 1_000_000,
    )  # fmt: skip
    return FILE_MAGIC + fields


def _write_list_of_tables(copy: Path, layout: Layout) -> None:
    """Make the first page anew: an empty list, and then every table with the page it was known to begin on."""
    pages = copy.stat().st_size // layout.page_bytes
    leaf = struct.pack(">BHHHB", _EMPTY_LEAF, 0, 0, layout.page_bytes % 65536, 0)
    first = (_head(layout, pages, is_wal=False) + leaf).ljust(layout.page_bytes, b"\x00")
    with copy.open("rb+") as file:
        file.write(first)
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        rows = [(row.kind, row.name, row.table, row.root_page, row.statement) for row in layout.rows]
        database.executemany("INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES (?,?,?,?,?)", rows)


# ── taking over what is in it ───────────────────────────────────────────────────────────────────────────


def _take_over(copy: Path, log: Path, part: Path, source: str, written_at: float) -> None:
    with closing(sqlite3.connect(copy, isolation_level=None)) as old, closing(sqlite3.connect(part)) as new:
        old.text_factory = tolerant_text
        os.chmod(part, 0o600)  # noqa: PTH101 - the same, beside `connect`
        torn = set[str]()
        for kind, table, statement in _statements(old):
            new.execute(statement)
            if kind == "table" and _copy_table(old, new, table):
                torn.add(table)
                salvage_tree(copy, old, new, table)
                _logger.error("recovering: parts of the table %s cannot be read", table)
        if found := salvage_pages(copy, log, new, torn):
            _logger.error("recovering: %d rows lay on pages that no table leads to any more", found)
        _fill_gaps(old, new, torn, written_at)
        _go_on_counting(old, new)
        new.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_SOURCE_KEY, source))
        new.execute(f"PRAGMA user_version = {int(old.execute('PRAGMA user_version').fetchone()[0])}")
        new.commit()
        if not new.execute("SELECT 1 FROM documents UNION SELECT 1 FROM users LIMIT 1").fetchone():
            raise CorruptSnapshotError("nothing in the damaged database can be read; put a backup in its place")
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def _fill_gaps(old: sqlite3.Connection, new: sqlite3.Connection, torn: set[str], written_at: float) -> None:
    if "removals" not in table_names(new):
        return  # made by a version long ago
    if restored := restore_documents(new, _owners(old), written_at):
        _logger.error("recovering: %d documents have no record any more, and are known by their content", restored)
    if "roles" in torn:
        restore_owners(new)


def _owners(old: sqlite3.Connection) -> dict[str, str]:
    """Return who owns which document, by the index that may have outlived its table."""
    query = "SELECT document_id, owner_id FROM documents INDEXED BY documents_of_owner ORDER BY owner_id, document_id"
    owners: dict[str, str] = {}
    try:
        owners.update(old.execute(query))
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    return owners


def _statements(old: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Return what makes the tables, and then the indexes: kind, name, statement."""
    query = (
        "SELECT type, name, sql FROM sqlite_master"
        " WHERE type IN ('table', 'index') AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC"
    )
    return old.execute(query).fetchall()


def _go_on_counting(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Let no update have a number that a snapshot counts as its own already."""
    found = [
        readable_number(database, query)
        for database, query in (
            (old, "SELECT seq FROM sqlite_sequence WHERE name = 'updates'"),
            (new, "SELECT max(through) FROM snapshots"),
            (new, "SELECT max(number) FROM updates"),
        )
    ]
    last = max([0, *(number for number in found if number is not None)])
    new.execute("DELETE FROM sqlite_sequence WHERE name = 'updates'")
    new.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('updates', ?)", (last,))


def _copy_table(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> bool:
    """Copy every row that can be reached; True when some cannot."""
    columns = [row[1] for row in new.execute(f"PRAGMA table_info({table})")]
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names from the schema
    definition = new.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    if "WITHOUT ROWID" not in definition:
        gaps: list[None] = []
        new.executemany(insert, salvaged_rows(old, table, names, on_gap=lambda: gaps.append(None)))
        return bool(gaps)
    try:
        new.executemany(insert, old.execute(f"SELECT {names} FROM {table} NOT INDEXED"))  # noqa: S608
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        new.executemany(insert, _from_both_ends(old, table, names))
        return True
    return False


def _from_both_ends(old: sqlite3.Connection, table: str, names: str) -> Iterator[tuple[Any, ...]]:
    """Yield rows of a table that is kept in the order of its key: from the first and from the last to the damage."""
    columns = sorted((row for row in old.execute(f"PRAGMA table_info({table})") if row[5]), key=_place)
    for direction in ("ASC", "DESC"):
        key = ", ".join(f"{row[1]} {direction}" for row in columns)
        try:
            yield from old.execute(f"SELECT {names} FROM {table} NOT INDEXED ORDER BY {key}")  # noqa: S608
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise


def _place(row: tuple[Any, ...]) -> int:
    return int(row[5])
