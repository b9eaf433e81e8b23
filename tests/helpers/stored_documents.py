"""Databases with something in them, and harm done to their files."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

from tests.helpers.run_async import until
from texswarm_server.document import ProjectDocument
from texswarm_server.protocol.ids import DocumentId, Lineage, UserId
from texswarm_server.sessions.records import DocumentRecord, Records, User
from texswarm_server.storage.damage import note_suspicion
from texswarm_server.storage.sqlite_store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PAPER = DocumentId("paper")
ADA = UserId("ada")
PAGE_BYTES = 4096


@asynccontextmanager
async def opened_store(data: Path, **options: Any) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(data, **options)
    try:
        yield store
    finally:
        await store.close(time_limit_s=20)


async def add_document(store: SqliteStore, document_id: DocumentId = PAPER, title: str = "Paper") -> None:
    def add(records: Records) -> None:
        records.put_user(User(user_id=ADA))
        record = DocumentRecord(
            document_id=document_id, title=title, lineage=Lineage("l"), owner_id=ADA, updated_at=1.0
        )
        records.put_document(record)
        records.put_role(ADA, document_id, "owner")

    await store.run(add)


async def append_all(store: SqliteStore, updates: list[bytes], document_id: DocumentId = PAPER) -> None:
    """Append and wait until all are durable."""
    durable = asyncio.Event()
    for update in updates[:-1]:
        store.append(document_id, update, lambda: None)
    store.append(document_id, updates[-1], durable.set)
    await durable.wait()


async def upkeep_done(store: SqliteStore) -> None:
    """Wait until everything is looked after that was to be, and written."""
    await until(lambda: not store.upkeep.is_at_work)
    await store.run(lambda _records: None)


def typed_updates(letters: int, *, text: str = "a") -> tuple[ProjectDocument, list[bytes]]:
    """A project with one file, and the updates that made it: title, file, and one for each time `text` was typed."""
    document, updates = ProjectDocument(), list[bytes]()
    document.on_update = lambda update, is_local: updates.append(update)
    document.initialise("Paper", Lineage("l"))
    file_id = document.add_file("main.tex")
    for number in range(letters):
        end = number * len(text)
        document.text(file_id).replace_u16(end, end, text)
    return document, updates


def text_of(updates: list[bytes]) -> str:
    document = ProjectDocument()
    for update in updates:
        document.apply(update)
    return "".join(str(document.text(file_id)) for file_id in document.files)


def spoil_page(path: Path, marker: bytes) -> None:
    """Overwrite the page of a database on which `marker` stands, as a broken disk does."""
    content = bytearray(path.read_bytes())
    at = content.index(marker) // PAGE_BYTES * PAGE_BYTES
    content[at : at + PAGE_BYTES] = b"\xee" * PAGE_BYTES
    path.write_bytes(content)


def root_of(path: Path, name: str) -> int:
    """Return the number of the first page of a table or an index."""
    with closing(sqlite3.connect(path)) as database:
        row = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return int(row[0])


def write_noise(path: Path, *pages: int) -> None:
    """Write noise over pages of a database, and have it looked at when it is opened next."""
    with path.open("rb+") as file:
        for page in pages:
            file.seek((page - 1) * PAGE_BYTES)
            file.write(random.Random(1).randbytes(PAGE_BYTES))
    note_suspicion(path)
