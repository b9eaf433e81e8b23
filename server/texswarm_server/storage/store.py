"""The interface of storage: durable appends that report back, loads, and transactions over the records."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from texswarm_server.protocol.errors import ErrorCode, RejectedError, TexSwarmError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from texswarm_server.protocol.errors import StorageError
    from texswarm_server.protocol.ids import DocumentId
    from texswarm_server.sessions.records import DocumentRecord, Records

T = TypeVar("T")
_logger = logging.getLogger(__name__)

_LOST_WITH_A_DATABASE: Final = {ErrorCode.TOKEN_INVALID, ErrorCode.DOCUMENT_NOT_FOUND}


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it was stored: its record, and updates that together are its content.

    `damage`: what of it cannot be read any more, in words for logs. `updates` are the rest, and nothing may be added.
    """

    record: DocumentRecord
    updates: list[bytes]
    size_bytes: int
    damage: tuple[str, ...] = ()


@dataclass(slots=True)
class StoreListener:
    """Who hears, on the loop, that writing fails and that it works again; both once per episode."""

    on_trouble: Callable[[StorageError], None] = lambda _error: None
    on_recovered: Callable[[], None] = lambda: None


class Store(Protocol):
    """Keeps everything. Work is done in the order it is asked for; nothing here blocks the loop."""

    listener: StoreListener
    damage: str
    """Why nothing may be added to any document: parts of the database cannot be read. Empty when all is well."""

    def append(self, document_id: DocumentId, update: bytes, on_durable: Callable[[], None], *, edits: int = 1) -> None:
        """Store an update made of so many `edits`; `on_durable` is called on the loop once it survives a power cut.

        While the disk refuses, the update is kept in memory and tried again.
        """

    def load(self, document_id: DocumentId) -> asyncio.Future[StoredDocument | None]:
        """Return a document, None when there is none; raises StorageError when nothing of it can be read."""

    def run(self, job: Callable[[Records], T]) -> asyncio.Future[T]:
        """Run `job` in a transaction and return what it returned, once that is durable.

        What `job` raises undoes what it wrote; it may be run again. Raises StorageError when the disk refuses.
        """

    def rest(self, document_id: DocumentId) -> None:
        """Note that nobody has a document open any more: its log is made short, a version kept if it changed."""

    def audit_version(self) -> int:
        """Return a number that is another one whenever anybody has added to the audit log since.

        It costs microseconds and no lock, and nothing of what waits is hurried by it.
        """

    @property
    def backlog_bytes(self) -> int:
        """Bytes of updates that are not durable yet."""

    async def close(self, time_limit_s: float) -> None:
        """Make everything durable and let go of the files; raises StorageError when that takes too long."""


def log_failure(future: asyncio.Future[Any]) -> None:
    """Say what of the server's own could not be stored; nobody waits for it."""
    if not future.cancelled() and isinstance(error := future.exception(), TexSwarmError):
        _logger.warning("not stored: %s", error)


def excused(error: TexSwarmError, damage: str) -> TexSwarmError:
    """Return what is answered instead of `error` while a database has `damage`: what is unknown may be what was lost.

    A client that is told that its token or document does not exist gives it up for good.
    """
    if damage and isinstance(error, RejectedError) and error.code in _LOST_WITH_A_DATABASE:
        return RejectedError(
            ErrorCode.STORAGE_UNAVAILABLE, "the database is damaged, and this may be among what is lost"
        )
    return error


DATABASE_NAME = "texswarm.db"


def database_path(data: Path) -> Path:
    """Return where in the data folder the database lies."""
    return data / DATABASE_NAME
