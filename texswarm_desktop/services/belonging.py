"""Whose replica a folder holds: the document and its history, and the server it is shared through.

Kept in the replica, and the first two beside it as well, where they can be read without opening it.
"""

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from texswarm_desktop.services.project_identity import ProjectIdentity, write_identity
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_server.protocol.errors import SettingsError
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link

_log: Final = logging.getLogger(__name__)


class Belonging:
    """Invariant: what is noted beside the replica was durable in it before, or is noted when it is.

    `server_link`: without any secret; None for a project that is local.
    """

    def __init__(self, folder: Path, store: ReplicaStore, *, executor: Executor) -> None:
        self._folder = folder
        self._store = store
        self._executor = executor
        self._loop = asyncio.get_running_loop()
        self._session: tuple[str, str] | None = None
        self._noting: asyncio.Future[None] | None = None
        self.document_id = ""
        self.lineage: str | None = None
        self.server_link: InviteLink | None = None

    def load(self, meta: Mapping[str, str]) -> None:
        """Take in what was kept at the last time."""
        self.document_id = meta.get("document_id", "")
        self.lineage = meta.get("lineage")
        with suppress(SettingsError):
            self.server_link = parse_invite_link(meta["server"]) if "server" in meta else None
        server, _, session_id = meta.get("session", "").rpartition(" ")
        self._session = (server, session_id) if server else None

    # ── the document ────────────────────────────────────────────────────────────────────────────────────

    def identify(self, document_id: str, lineage: str | None) -> None:
        """Be a replica of this document, with this history, from now on."""
        self.document_id, self.lineage = document_id, lineage
        self._store.set_meta("document_id", document_id)
        self._store.set_meta("lineage", lineage)

    def note(self) -> None:
        """Begin to write beside the replica whose it is."""
        self._noting = self._loop.run_in_executor(self._executor, self._write)
        self._noting.add_done_callback(_log_failure)

    def note_when_durable(self) -> None:
        """Write that only then: it must never be noted of a replica that may still be nobody's after a crash."""
        self._store.when_durable(self.note)

    async def noted(self) -> None:
        """Return when that is written, or could not be."""
        if self._noting is not None:
            await asyncio.wait([self._noting])

    def _write(self) -> None:
        """In the executor."""
        write_identity(self._folder, ProjectIdentity(document_id=self.document_id, lineage=self.lineage))

    # ── the server ──────────────────────────────────────────────────────────────────────────────────────

    def bind_server(self, link: InviteLink) -> None:
        """Remember the server it is shared through."""
        self.server_link = replace(link, token=None, document_id=self.document_id)
        self._store.set_meta("server", str(self.server_link))

    def forget_server(self) -> None:
        """Belong to no server from now on."""
        self.server_link = self._session = None
        self._store.set_meta("server", None)
        self._store.set_meta("session", None)

    def session_at(self, server: str) -> str | None:
        """Return the session it had there last; nobody else has it, because a project is open once."""
        return self._session[1] if self._session is not None and self._session[0] == server else None

    def keep_session(self, server: str, session_id: str) -> None:
        """Remember the session at a server, for the next start."""
        if self._session != (server, session_id):
            self._session = (server, session_id)
            self._store.set_meta("session", f"{server} {session_id}")


def _log_failure(job: "asyncio.Future[None]") -> None:
    if not job.cancelled() and job.exception() is not None:
        _log.info("whose replica this is was not noted: %s", job.exception())
