"""Looks through a whole database: does the file hang together, is everything in it as it was written, can it be used?

Nothing is written, and a server may go on working meanwhile.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from texswarm_server.document.careful_document import CarefulDocument
from texswarm_server.document.loading import load_document
from texswarm_server.protocol.errors import CorruptSnapshotError
from texswarm_server.protocol.ids import DocumentId
from texswarm_server.sessions.records import OPEN_DOOR
from texswarm_server.storage.blob_backup import named_blobs
from texswarm_server.storage.blob_store import blob_path, blobs_folder, hash_file
from texswarm_server.storage.damage import find_loss, is_there
from texswarm_server.storage.document_log import read_log
from texswarm_server.storage.packing import unpack
from texswarm_server.storage.read_only import is_damage, open_read_only, table_names
from texswarm_server.storage.schema import storage_error
from texswarm_server.storage.store import database_path

_MOST_LINES: Final = 100

#: Which column names a row of which other table: table, column, other table, its column.
_REFERENCES: Final = (
    ("documents", "owner_id", "users", "user_id"),
    ("roles", "user_id", "users", "user_id"),
    ("roles", "document_id", "documents", "document_id"),
    ("grants", "user_id", "users", "user_id"),
    ("sessions", "user_id", "users", "user_id"),
    ("registrations", "token_hash", "invites", "token_hash"),
    ("registrations", "user_id", "users", "user_id"),
    ("invites", "document_id", "documents", "document_id"),
    ("join_codes", "token_hash", "invites", "token_hash"),
    ("updates", "document_id", "documents", "document_id"),
    ("snapshots", "document_id", "documents", "document_id"),
    ("versions", "document_id", "documents", "document_id"),
    ("refresh_tokens", "grant_id", "grants", "grant_id"),
    ("removals", "document_id", "documents", "document_id"),
    ("blobs", "document_id", "documents", "document_id"),
)

Progress = Callable[[int, int], None]


class ProblemKind(StrEnum):
    """What can be wrong. Only `harmful_update` is no damage of the disk: the document is shown without it."""

    STRUCTURE = "structure"
    DOCUMENT_DAMAGED = "document_damaged"
    DOCUMENT_UNREADABLE = "document_unreadable"
    HARMFUL_UPDATE = "harmful_update"
    VERSION_DAMAGED = "version_damaged"
    REFERENCE = "reference"
    BLOB_MISSING = "blob_missing"
    BLOB_DAMAGED = "blob_damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, in words for the operator; `document_id` where it concerns one document only."""

    kind: ProblemKind
    detail: str
    document_id: DocumentId | None = None


@dataclass(slots=True, kw_only=True)
class IntegrityReport:
    """What was looked at and what was found. Sizes in bytes."""

    path: Path
    documents: int = 0
    updates: int = 0
    versions: int = 0
    content_bytes: int = 0
    blobs: int = 0
    blob_bytes: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(data: Path, *, on_progress: Progress = lambda _done, _total: None) -> IntegrityReport:
    """Look through the database in the folder `data`; `on_progress` is told documents done and documents in all.

    Raises NotReadableError when there is no database or it may not be read; damage is in the report.
    """
    path = database_path(data)
    report = IntegrityReport(path=path)
    if loss := find_loss(path):
        report.problems.append(Problem(kind=ProblemKind.STRUCTURE, detail=loss))
        if not is_there(path):
            return report
    with closing(open_read_only(path)) as database:
        for part in (_check_structure, _check_references):
            _look(database, report, part)
        _check_documents(database, report, on_progress)
        named: list[tuple[str, int]] = []
        _look(database, report, lambda rows, _report: named.extend(named_blobs(rows)))
    _check_blobs(named, report)
    return report


def _look(
    database: sqlite3.Connection, report: IntegrityReport, part: Callable[[sqlite3.Connection, IntegrityReport], None]
) -> None:
    try:
        with _one_moment(database):
            part(database, report)
    except sqlite3.DatabaseError as error:
        _note_structure(report, error)


def _note_structure(report: IntegrityReport, error: sqlite3.Error) -> None:
    """Note damage; raises StorageError for anything else."""
    if not is_damage(error):
        raise storage_error(error, report.path) from error
    problem = Problem(kind=ProblemKind.STRUCTURE, detail=str(error))
    if problem not in report.problems:
        report.problems.append(problem)


@contextmanager
def _one_moment(database: sqlite3.Connection) -> Iterator[None]:
    """Let what is read inside be of one moment; a transaction is kept short, since it holds the log of others."""
    database.execute("BEGIN")
    try:
        yield
    finally:
        if database.in_transaction:
            database.execute("ROLLBACK")


def _check_structure(database: sqlite3.Connection, report: IntegrityReport) -> None:
    for (line,) in database.execute(f"PRAGMA integrity_check({_MOST_LINES})"):
        if line != "ok":
            report.problems.append(Problem(kind=ProblemKind.STRUCTURE, detail=line))


def _check_references(database: sqlite3.Connection, report: IntegrityReport) -> None:
    tables = table_names(database)
    for table, column, other, key in _REFERENCES:
        if not {table, other} <= tables:
            detail = f"no table {', '.join(sorted({table, other} - tables))}"
            report.problems.append(Problem(kind=ProblemKind.STRUCTURE, detail=detail))
            continue
        query = (
            f"SELECT {column}, count(*) FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608 - our own names
            f" AND {column} <> ? AND {column} NOT IN (SELECT {key} FROM {other}) GROUP BY {column} LIMIT {_MOST_LINES}"
        )
        for value, count in database.execute(query, (OPEN_DOOR,)):
            detail = f"{count} of {table} name {column} {value}, which is not among the {other}"
            document_id = DocumentId(value) if column == "document_id" else None
            report.problems.append(Problem(kind=ProblemKind.REFERENCE, detail=detail, document_id=document_id))


def _check_blobs(named: list[tuple[str, int]], report: IntegrityReport) -> None:
    """Look through the contents of binary files; those that no document names are no problem, and go by themselves."""
    folder = blobs_folder(report.path.parent)
    for blob_hash, size in named:
        path = blob_path(folder, blob_hash)
        report.blobs += 1
        report.blob_bytes += size
        try:
            is_right = hash_file(path) == (blob_hash, size)
        except FileNotFoundError:
            detail = f"{path} is not there; whoever has the file sends it again when they connect"
            report.problems.append(Problem(kind=ProblemKind.BLOB_MISSING, detail=detail))
        except OSError as error:
            report.problems.append(Problem(kind=ProblemKind.BLOB_MISSING, detail=f"{path}: {error.strerror}"))
        else:
            if not is_right:
                detail = f"{path} is not what its name says"
                report.problems.append(Problem(kind=ProblemKind.BLOB_DAMAGED, detail=detail))


def _check_documents(database: sqlite3.Connection, report: IntegrityReport, on_progress: Progress) -> None:
    try:
        document_ids = [row[0] for row in database.execute("SELECT document_id FROM documents ORDER BY document_id")]
    except sqlite3.DatabaseError as error:
        _note_structure(report, error)
        return
    for number, document_id in enumerate(document_ids):
        on_progress(number, len(document_ids))
        try:
            _check_document(database, report, DocumentId(document_id))
            _check_versions(database, report, DocumentId(document_id))
        except sqlite3.DatabaseError as error:
            _note_structure(report, error)
    on_progress(len(document_ids), len(document_ids))


def _check_document(database: sqlite3.Connection, report: IntegrityReport, document_id: DocumentId) -> None:
    def note(kind: ProblemKind, detail: str) -> None:
        report.problems.append(Problem(kind=kind, detail=detail, document_id=document_id))

    with _one_moment(database):
        log = read_log(database, document_id)
    report.documents += 1
    report.updates += len(log.updates)
    report.content_bytes += log.size_bytes
    for detail in log.damage:
        note(ProblemKind.DOCUMENT_DAMAGED, detail)
    try:
        document = load_document(log.content)
    except CorruptSnapshotError as error:
        note(ProblemKind.DOCUMENT_UNREADABLE, str(error))
        return
    if isinstance(document, CarefulDocument) and document.harmful:
        note(ProblemKind.HARMFUL_UPDATE, f"{len(document.harmful)} updates break it and are left out")


def _check_versions(database: sqlite3.Connection, report: IntegrityReport, document_id: DocumentId) -> None:
    """Unpack every former state, one at a time: together they may be many times the document."""
    query = "SELECT version_id FROM versions WHERE document_id = ? ORDER BY version_id"
    for (version_id,) in database.execute(query, (document_id,)).fetchall():
        if detail := _harm_to_version(database, version_id):
            problem = Problem(kind=ProblemKind.VERSION_DAMAGED, detail=detail, document_id=document_id)
            report.problems.append(problem)
        report.versions += 1


def _harm_to_version(database: sqlite3.Connection, version_id: int) -> str:
    """Return what is wrong with a version; empty when nothing is, or it has been thinned out meanwhile."""
    query = "SELECT size, crc, data FROM versions WHERE version_id = ?"
    try:
        row = database.execute(query, (version_id,)).fetchone()
        content = row and unpack(row[1], row[2], f"version {version_id}")
    except CorruptSnapshotError as error:
        return str(error)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return f"version {version_id} cannot be read"
    if row and len(content) != row[0]:
        return f"version {version_id} has {len(content)} bytes instead of {row[0]}"
    return ""
