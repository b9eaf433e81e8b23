"""The records of a server in memory: the real tables, without a file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from texswarm_server.storage.migrations import migrate
from texswarm_server.storage.sqlite_records import SqliteRecords


@contextmanager
def records_in_memory() -> Iterator[SqliteRecords]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, 0)
        yield SqliteRecords(connection)
