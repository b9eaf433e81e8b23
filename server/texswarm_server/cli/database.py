"""The database of a server that may be running: looked at without touching it, or changed in one transaction."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from texswarm_server.protocol.errors import ErrorCode, NotReadableError, RejectedError, SettingsError
from texswarm_server.sessions.audit import OPERATOR, AuditEntry
from texswarm_server.sessions.records import INVITE_ID_CHARS
from texswarm_server.storage.migrations import SCHEMA_VERSION
from texswarm_server.storage.overview import Overview
from texswarm_server.storage.read_only import open_read_only
from texswarm_server.storage.recovery import usable_database
from texswarm_server.storage.schema import open_database, storage_error
from texswarm_server.storage.sqlite_records import SqliteRecords, transaction

_SHORTEST_ID: Final = 4


@contextmanager
def reading(data: Path) -> Iterator[Overview]:
    """Look at the database in the folder `data`, all at one moment; raises StorageError."""
    path = _existing(data)
    with closing(_open_to_read(path)) as database:
        try:
            database.execute("BEGIN")
            yield Overview(database)
        except sqlite3.Error as error:
            raise storage_error(error, path) from error


@dataclass(frozen=True, slots=True)
class Change:
    """A transaction that an operator is in: pass `records`, `actor` and `now` to the functions of `administration`."""

    records: SqliteRecords
    overview: Overview
    now: float
    actor: str = OPERATOR


@contextmanager
def changing(data: Path) -> Iterator[Change]:
    """Change the database in the folder `data`, wholly or not at all.

    Raises StorageError, and SettingsError where a rule says no.
    """
    with closing(open_database(_existing(data))) as database:
        try:
            with transaction(database) as records:
                yield Change(records, Overview(database), time.time())
        except RejectedError as error:
            raise SettingsError(_why_not(error)) from error


def one_id(overview: Overview, thing: str, text: str) -> str:
    """Return the id that is, or alone begins with, `text`; `thing`: user, document, session or invite.

    Raises SettingsError when there is none, or more than one.
    """
    found = overview.ids_like(thing, text)
    shown = [each[:INVITE_ID_CHARS] if thing == "invite" else each for each in found]
    if found and len(text) < _SHORTEST_ID and text not in shown:
        raise SettingsError(f"{text!r} is too short to name a {thing}: write at least {_SHORTEST_ID} characters")
    if not found:
        raise SettingsError(f"no {thing} has the id {text!r}; `texswarm-server {_LISTS[thing]}` shows those there are")
    if len(found) > 1:
        raise SettingsError(f"{text!r} may be {' or '.join(shown)}: write more of it")
    return shown[0]


def change_each(
    change: Change, thing: str, texts: Sequence[str], act: Callable[[str], list[AuditEntry]]
) -> list[AuditEntry]:
    """Act on each of several things, given by id, and return the entries; raises SettingsError."""
    return [entry for text in texts for entry in act(one_id(change.overview, thing, text))]


_LISTS: Final = {
    "user": "users list",
    "document": "documents list",
    "session": "sessions list",
    "invite": "invites list",
}


def _existing(data: Path) -> Path:
    path = usable_database(data)
    if not path.exists():
        where = "--data, TEXSWARM_DATA or the configuration file say where the server keeps it"
        raise NotReadableError(f"there is no database in {data.absolute()}; {where}")
    return path


def _open_to_read(path: Path) -> sqlite3.Connection:
    database = open_read_only(path)
    try:
        if database.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return database
    except sqlite3.Error as error:
        database.close()
        raise storage_error(error, path) from error
    database.close()
    return open_database(path)  # brings it up to date


def _why_not(error: RejectedError) -> str:
    if error.code == ErrorCode.LAST_OWNER:
        return f"{error.message} of this document; make somebody else an owner first, or say --force"
    return error.message or error.code
