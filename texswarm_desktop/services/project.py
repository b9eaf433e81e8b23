"""One opened project: its document, the durable replica behind it, its folder, and its link to a server, if any.

    edit -> document -> (a few ms, together) -> replica store, and the document's sync with a server
                     -> (half a second later) -> the files of the folder

Implements the replica port of the client. Belongs to the thread of its loop and starts no task; whoever opened it
closes it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Final, Protocol, Self
from uuid import uuid4

from texswarm_desktop.core.ignore_rules import Sharing
from texswarm_desktop.core.outbox import Outbox, OutboxRow, in_portions, merge_many
from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.core.sharing_preview import SharingPreview
from texswarm_desktop.services.disk_state import DiskFile
from texswarm_desktop.services.folder_mirror import FolderMirror
from texswarm_desktop.services.own_presence import OwnPresence
from texswarm_desktop.services.project_blobs import ProjectBlobs
from texswarm_desktop.services.project_entry import (
    REPLICA_FILE,
    Entered,
    enter_folder,
    enter_new_folder,
    enter_or_make_folder,
)
from texswarm_desktop.services.project_folder import ProjectFolder
from texswarm_desktop.services.project_identity import ProjectIdentity, write_identity
from texswarm_desktop.services.project_listener import ProjectListener
from texswarm_desktop.services.replica_database import StoredReplica
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_desktop.services.returned_files import ReturnedFiles
from texswarm_desktop.services.sharing_survey import sharing_of, survey_sharing
from texswarm_server.document.presence import Presence, PresenceData
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.document.updates import EMPTY_UPDATE
from texswarm_server.protocol.errors import (
    ChangedOnDiskError,
    CorruptSnapshotError,
    DamagedDocumentError,
    DocumentError,
    ErrorCode,
    RejectedError,
    SettingsError,
    StorageError,
    TexSwarmError,
)
from texswarm_server.protocol.ids import Lineage
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link
from texswarm_server.protocol.messages import CreateDocument, DocumentOpened, Participant, RoleName

#: Edits closer together than this leave together; the first after a pause leaves at the end of its loop turn.
TICK_S: Final = 0.004
#: What `Project.read_only` says of somebody whose role is to read.
VIEWER: Final = "viewer"

_WORST_FIRST: Final = ("document", "replica", "folder", "figures", "server")

_log: Final = logging.getLogger(__name__)


class SyncPort(Protocol):
    """The traffic of this document with a server, as the project sees it."""

    def local_update(self, update: bytes, row: int) -> None:
        """Send an edit that is kept under `row`."""

    def presence_changed(self) -> None:
        """Publish where the user is now."""


class Project:
    """Invariant: what was typed is in the document, and in the store or queued for it, before it is sent anywhere."""

    def __init__(self, folder: Path, *, store_executor: Executor, clock: Callable[[], float] = monotonic) -> None:
        """Not for others: a project is made by `open`, `create` or `create_replica`."""
        self.folder = folder
        self.document = ProjectDocument()
        self.participants: list[Participant] = []
        self.role: RoleName | None = None
        self._executor = store_executor
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._document_id = ""
        self._lineage: str | None = None
        self._server_link: InviteLink | None = None
        self._session: tuple[str, str] | None = None
        self._store = ReplicaStore(
            folder / OWN_FOLDER / REPLICA_FILE,
            executor=store_executor,
            on_problem=partial(self._set_problem, "replica"),
        )
        self._folder = ProjectFolder(folder)
        self.blobs = ProjectBlobs(
            folder,
            self.document,
            self._store,
            executor=store_executor,
            before_write=self._hand_over,
            on_problem=partial(self._set_problem, "figures"),
            on_progress=partial(self._tell, "transfers_changed"),
        )
        self._mirror = FolderMirror(
            self.document,
            self._folder,
            self._store,
            executor=store_executor,
            before_write=self._hand_over,
            after_taking=self._hand_over_taken,
            on_problem=partial(self._set_problem, "folder"),
            on_hint=self.blobs.hint,
            on_reports=lambda: self._tell("files_changed"),
        )
        self._presence = OwnPresence(self.document.client_id)
        self._came_back = ReturnedFiles(self.document, self._store, self._presence)
        self._outbox = Outbox()
        self._untold: list[tuple[bytes, int]] = []
        self._holds_back = 0
        self._held_calls: list[Callable[[], None]] = []
        self._noting: asyncio.Future[None] | None = None
        self._entered: Entered | None = None
        self._sync: SyncPort | None = None
        self._listeners: list[ProjectListener] = []
        self._problems: dict[str, TexSwarmError] = {}
        self._refusal: RejectedError | None = None
        self._read_only: str | None = None
        self._typed: list[bytes] = []
        self._typed_since = 0.0
        self._arrived: list[bytes] = []
        self._tick: asyncio.Handle | None = None
        self._last_tick = 0.0

    # ── opening and closing ─────────────────────────────────────────────────────────────────────────────

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        store_executor: Executor,
        clock: Callable[[], float] = monotonic,
        may_make: bool = False,
        bit_by_bit: bool = False,
    ) -> Self:
        """Open a project, or make one of a plain folder without changing its files.

        `may_make`: a folder that is not there is made. `bit_by_bit`: return with one file, where there are many new
        ones, and bring the others in while somebody writes already; a disk that takes nothing is then told as a problem
        of the project.

        What other programs did to the folder meanwhile is brought in. Raises NotReadableError, NotWritableError,
        ProjectInUseError, or CorruptSnapshotError; the files are as they were then.
        """
        project = cls(folder, store_executor=store_executor, clock=clock)
        enter = enter_or_make_folder if may_make else enter_folder
        async with project._entering(enter, waits=not bit_by_bit) as (entered, stored):
            if not project._document_id:
                project._begin_history(folder.name)
            if not project.document.is_empty:
                found = await project._found(stored, entered)
                project._mirror.take_over(stored.records, found, bit_by_bit=bit_by_bit)
        return project

    @classmethod
    async def create(
        cls,
        folder: Path,
        title: str,
        files: Mapping[str, str],
        *,
        store_executor: Executor,
        clock: Callable[[], float] = monotonic,
    ) -> Self:
        """Make a new project with `files` (path, text) in a folder that is empty or not there yet.

        Raises as `open` does, and FilePathError for a path that is not one.
        """
        project = cls(folder, store_executor=store_executor, clock=clock)
        async with project._entering(enter_new_folder):
            project._begin_history(title)
            for path, text in files.items():
                project.document.add_file(path, text)
        return project

    @classmethod
    async def create_replica(
        cls,
        folder: Path,
        document_id: str,
        lineage: str | None,
        *,
        store_executor: Executor,
        clock: Callable[[], float] = monotonic,
    ) -> Self:
        """Make an empty replica of a document on a server, in a folder that is empty or not there yet.

        Its files and its title arrive from there. Raises as `open` does.
        """
        project = cls(folder, store_executor=store_executor, clock=clock)
        async with project._entering(enter_new_folder):
            project._identify(document_id, lineage)
        return project

    @classmethod
    async def join(
        cls,
        folder: Path,
        document_id: str,
        lineage: str,
        content: bytes | None = None,
        *,
        store_executor: Executor,
        clock: Callable[[], float] = monotonic,
    ) -> Self:
        """Make a plain folder, or one that is not there yet, a replica of a document on a server.

        `content`: the document as an update, for one to which the texts in the folder are to be added; without it the
        document's arrive from the server. Raises as `open` does, and ChangedOnDiskError when a project is there.
        """
        project = cls(folder, store_executor=store_executor, clock=clock)
        async with project._entering(enter_or_make_folder) as (entered, stored):
            if project._document_id:
                raise ChangedOnDiskError(f"{folder}: a project came into the folder")
            project._identify(document_id, lineage)
            if content is not None:
                project.document.apply(content)
                if project.document.lineage is None:
                    project.document.initialise(folder.name, Lineage(lineage))
                project._mirror.take_over(stored.records, await project._found(stored, entered))
        return project

    async def flush(self) -> None:
        """Return when all is durable, in the replica and in the folder; raises the TexSwarmError in the way.

        Nothing is forgotten then, and it is tried again.
        """
        await self.kept()
        await self._mirror.flush()
        await self.blobs.flush()
        await self._store.flushed()

    async def taken_in(self) -> None:
        """Return when what other programs did to the folder until now is in the document, as far as it can be."""
        await self._mirror.taken_in()

    async def kept(self) -> None:
        """Return when everything typed until now is durable in the replica; raises StorageError as `flush` does."""
        self._hand_over()
        await self._store.flushed()

    async def close(self, *, discard: bool = False) -> None:
        """Store everything and let go of the folder; may be called again.

        Raises StorageError, and stays open, when the replica cannot be written: what was typed is in memory only then.
        With `discard` it is given up. Files that could not be written are no loss: the next opening writes them.
        """
        if self._entered is None:
            return
        self._mirror.stop_importing()
        self._hand_over()
        if not discard:
            await self._store.flushed()
            await self._identity_noted()
        if "document" not in self._problems:  # what broke in memory is not to be written into files
            with suppress(TexSwarmError):
                await self._mirror.flush()
                await self.blobs.flush()
        await self._mirror.stop()
        await self.blobs.stop()
        self._hand_over()
        try:
            await self._store.close()
        except StorageError:
            if not discard:
                self._mirror.go_on()
                self.blobs.go_on()
                raise
            await self._store.abandon()
        await self._leave()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # ── what it is ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def document_id(self) -> str:
        """The document's UUID."""
        return self._document_id

    @property
    def lineage(self) -> str | None:
        """The identity of the history held here; None while there is none."""
        return self._lineage or self.document.lineage

    def as_new_document(self) -> CreateDocument:
        """Return the order that puts this project where it is not yet."""
        title = self.document.title or self.folder.name
        return CreateDocument(title=title, document_id=self._document_id, lineage=self.lineage)

    @property
    def server_link(self) -> InviteLink | None:
        """The server this project is shared through, without any secret; None when it is local."""
        return self._server_link

    def bind_server(self, link: InviteLink) -> None:
        """Remember the server this project is shared through."""
        self._server_link = replace(link, token=None, document_id=self._document_id)
        self._store.set_meta("server", str(self._server_link))

    def begin_own_life(self) -> None:
        """Be a project of its own from now on, with the history of this one and with no server."""
        self.forget_server()
        self._identify(str(uuid4()), self.lineage)
        self._write_identity()

    def forget_server(self) -> None:
        """Be a local project from now on, in which everything may be written."""
        self._server_link = self._session = None
        self._store.set_meta("server", None)
        self._store.set_meta("session", None)
        self._set_read_only(None)
        self._tell("participants_changed")

    def session_at(self, server: str) -> str | None:
        """Return the session this project had there last; nobody else has it, because a project is open once."""
        return self._session[1] if self._session is not None and self._session[0] == server else None

    def keep_session(self, server: str, session_id: str) -> None:
        """Remember the session at a server, for the next start."""
        if self._session != (server, session_id):
            self._session = (server, session_id)
            self._store.set_meta("session", f"{server} {session_id}")

    @property
    def oldest_unacknowledged_since(self) -> float | None:
        """When the oldest edit that no server has confirmed was made, by the injected clock; else None."""
        if self._outbox.oldest_since is not None:
            return self._outbox.oldest_since
        return self._typed_since if self._typed else None

    # ── who listens ─────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, listener: ProjectListener) -> Callable[[], None]:
        """Tell `listener` from now on, of a present problem at once; returns the way out."""
        self._listeners.append(listener)
        if self.problem is not None:
            listener.problem(self.problem)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    @property
    def problem(self) -> TexSwarmError | None:
        """What is wrong now, the worst first; None when all is well."""
        return next((self._problems[name] for name in _WORST_FIRST if name in self._problems), None)

    @property
    def file_problems(self) -> Mapping[str, TexSwarmError]:
        """Files that are not the same here and in the document, by path, and why."""
        return {**self._mirror.file_problems, **self.blobs.problems, **self._came_back.reports}

    @property
    def refusal(self) -> RejectedError | None:
        """Why the server does not take this document, or edits of it; None when it does, or there is none."""
        return self._refusal

    @property
    def read_only(self) -> str | None:
        """Why nothing is to be written here: `VIEWER`, or what the server said; None when one may write.

        It is the server's word, and holds while the server is away, until it says something else or is forgotten.
        """
        return self._read_only

    async def sharing(self) -> Sharing:
        """Return what of the folder is wished to be shared and left out; raises NotReadableError."""
        return await self._loop.run_in_executor(self._executor, sharing_of, self.folder)

    async def preview_sharing(self, sharing: Sharing) -> SharingPreview:
        """Say which files these patterns match; raises NotReadableError."""
        in_project = {entry.path for entry in self.document.files.values()}
        return await self._loop.run_in_executor(self._executor, survey_sharing, self.folder, sharing, in_project)

    async def set_sharing(self, sharing: Sharing) -> None:
        """Choose what of the folder is shared and what is left out, on this computer; raises NotWritableError."""
        await self._loop.run_in_executor(self._executor, self._folder.set_sharing, sharing)
        self._mirror.hint()
        self.blobs.hint()

    def attach(self, sync: SyncPort) -> None:
        """Send edits and presence through `sync` from now on."""
        self._sync = sync

    def detach(self) -> None:
        """Keep edits here."""
        self._sync = None
        self.role = self._refusal = None
        self._set_problem("server", None)
        self.participants_changed([])
        self.others_left()

    # ── presence ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def presence(self) -> Presence:
        """Who is where, this user included."""
        return self._presence.states

    def set_presence(self, state: PresenceData | None) -> None:
        """Tell the others where this user is; None: nowhere."""
        self._presence.set(state)
        if self._came_back.seen(state):
            self._tell("files_changed")
        if self._sync is not None:
            self._sync.presence_changed()

    def presence_update(self) -> bytes:
        """Return one's own presence under a new clock, empty when there is nothing to show."""
        return self._presence.update()

    def apply_presence(self, update: bytes) -> None:
        """Take in the presence of others; raises RemoteProtocolError for bytes that are none."""
        has_changed, must_answer = self._presence.apply(update)
        if must_answer and self._sync is not None:
            self._sync.presence_changed()
        if has_changed:
            self._tell("presence_changed")

    def others_left(self) -> None:
        """Forget the others: nobody tells any more where they are."""
        if self._presence.forget_others():
            self._tell("presence_changed")

    # ── the replica, as the client sees it ──────────────────────────────────────────────────────────────

    def state_vector(self) -> bytes:
        """Return what this replica has."""
        return self.document.state_vector()

    def update_since(self, state_vector: bytes) -> bytes:
        """Return everything a replica with `state_vector` lacks; raises MalformedUpdateError."""
        return self.document.update_since(state_vector)

    def unacknowledged_updates(self) -> list[tuple[int, bytes]]:
        """Return the local updates no server has confirmed as (outbox row, update), oldest first."""
        return self._outbox.updates

    def apply_remote(self, update: bytes) -> None:
        """Take in an update; raises MalformedUpdateError, or DamagedDocumentError: then it must be opened anew."""
        try:
            self.document.apply(update)
        except DamagedDocumentError as error:
            self._set_problem("document", error)
            raise

    def unacknowledged(self) -> int:
        """Return how many edits no server has confirmed."""
        return self._outbox.edits + len(self._typed)

    def last_local_row(self) -> int:
        """Return the highest outbox row written or queued; 0 when there is none."""
        return self._outbox.last_row

    def when_kept(self, call: Callable[[], None]) -> None:
        """Call when nothing is held back here: see `_hand_over_taken`."""
        self._held_calls.append(call)
        if not self._holds_back or self._problems.keys() & {"replica"}:
            self._tell_server()

    def acknowledged(self, row: int) -> None:
        """Mark every outbox row up to `row` as stored durably by the server."""
        if self._outbox.acknowledge(row):
            self._store.confirm(row)
            self._tell("waiting_changed")

    def participants_changed(self, participants: list[Participant]) -> None:
        """Take in who is in the document now."""
        if participants != self.participants:
            self.participants = participants
            self._tell("participants_changed")

    def opened(self, fact: DocumentOpened) -> None:
        """The document is open on the link, with this role."""
        self.role, self._refusal = fact.role, None
        self._set_read_only(fact.read_only or (VIEWER if fact.role == VIEWER else None))
        self._set_problem("server", None)
        if self._lineage is None:
            self._identify(self._document_id, fact.lineage)
            self._write_identity()
        self._tell("participants_changed")

    def refused(self, error: RejectedError) -> None:
        """The server does not take this document, or edits of it; trying again by itself cannot help."""
        self._refusal = error
        if error.code == ErrorCode.FORBIDDEN:
            self._set_read_only(VIEWER)
        self._set_problem("server", error)
        self._tell("participants_changed")

    def role_changed(self, role: RoleName) -> None:
        """One may do more here than before, or less; edits that were refused for the old role go out now."""
        self.role = role
        if self._refusal is not None and self._refusal.code == ErrorCode.FORBIDDEN and role != VIEWER:
            self._refusal = None
            self._set_problem("server", None)
        if self._read_only in {None, VIEWER}:
            self._set_read_only(VIEWER if role == VIEWER else None)
        self._tell("participants_changed")

    # ── inside: opening ─────────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def _entering(
        self, enter: Callable[[Path], Entered], *, waits: bool = True
    ) -> AsyncIterator[tuple[Entered, StoredReplica]]:
        """Enter the folder and load the replica; what happens inside is stored all together, or nothing of it.

        `waits`: until it is durable.
        """
        self._entered = entered = await self._enter(enter)
        try:
            stored = await self._store.load(self._clock())
            self._restore(stored, entered)
            self._mirror.obey(entered.rules, stored.meta.get("folders"), stored.former)
            with self._store.together():
                yield entered, stored
                self._hand_over()
            self._mirror.files_changed()
            if waits:  # nobody is to hear of what is not kept: see `_hand_over_taken`
                with suppress(StorageError):
                    await self._store.flushed()
            if entered.identity is None:
                # Only now: whose replica it is must never be noted of one that may still be nobody's after a crash.
                self._store.when_durable(self._write_identity)
                if waits:
                    await self._store.flushed()
                    await self._identity_noted()
            self._mirror.watch()
            self.blobs.start({FileId(each): record for each, record in stored.figures.items()})
        except BaseException:
            await self._mirror.stop()
            await self.blobs.stop()
            await self._store.abandon()
            await self._leave()
            raise

    async def _enter(self, enter: Callable[[Path], Entered]) -> Entered:
        """A lock that was taken while nobody waits for it any more is given back."""
        job = self._loop.run_in_executor(self._executor, enter, self.folder)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            job.add_done_callback(_release)
            raise

    def _restore(self, stored: StoredReplica, entered: Entered) -> None:
        if entered.identity is not None and not stored.meta.get("document_id"):
            raise CorruptSnapshotError(f"{self.folder}: the replica is empty, and was not")
        try:
            self.document.load(stored.updates)
        except DocumentError as error:
            raise CorruptSnapshotError(f"{self.folder}: {error}") from error
        self._document_id = stored.meta.get("document_id", "")
        self._lineage = stored.meta.get("lineage")
        with suppress(SettingsError):
            self._server_link = parse_invite_link(stored.meta["server"]) if "server" in stored.meta else None
        server, _, session_id = stored.meta.get("session", "").rpartition(" ")
        self._session = (server, session_id) if server else None
        self._read_only = stored.meta.get("read_only") if "server" in stored.meta else None
        self._outbox = Outbox(stored.waiting)
        self.document.on_update = self._on_document_update
        self.document.on_files_changed = self._on_document_files_changed
        self.document.on_file_touched = self._mirror.touched
        self.document.on_file_returned = self._on_document_file_returned
        self.document.remember_removed(self._came_back.removed_before(stored.meta))

    async def _found(self, stored: StoredReplica, entered: Entered) -> Mapping[str, DiskFile]:
        """What is in the folder, also what its rules leave out and the project has all the same."""
        known = {*self._mirror.paths.values(), *(record.path for record in stored.records.values())}
        missing = known - entered.found.keys()
        if not missing:
            return entered.found
        read_all = partial(self._folder.read_all, sorted(missing))
        return {**entered.found, **await self._loop.run_in_executor(self._executor, read_all)}

    def _set_read_only(self, reason: str | None) -> None:
        if reason != self._read_only:
            self._read_only = reason
            self._store.set_meta("read_only", reason)

    def _begin_history(self, title: str) -> None:
        lineage = str(uuid4())
        self._identify(str(uuid4()), lineage)
        self.document.initialise(title, Lineage(lineage))

    def _identify(self, document_id: str, lineage: str | None) -> None:
        self._document_id, self._lineage = document_id, lineage
        self._store.set_meta("document_id", document_id)
        self._store.set_meta("lineage", lineage)

    def _write_identity(self) -> None:
        self._noting = self._loop.run_in_executor(self._executor, self._note_identity)
        self._noting.add_done_callback(_log_failure)

    async def _identity_noted(self) -> None:
        if self._noting is not None:
            await asyncio.wait([self._noting])

    def _note_identity(self) -> None:
        """In the executor."""
        write_identity(self.folder, ProjectIdentity(document_id=self._document_id, lineage=self._lineage))

    async def _leave(self) -> None:
        entered, self._entered = self._entered, None
        self.document.on_update = self.document.on_files_changed = self.document.on_file_touched = _ignore
        self.document.on_file_returned = _ignore
        if self._tick is not None:
            self._tick.cancel()
        if entered is not None:
            entered.lock.release()

    # ── inside: what was typed and what arrived ─────────────────────────────────────────────────────────

    def _on_document_update(self, update: bytes, is_local: bool) -> None:
        if update == EMPTY_UPDATE:
            return
        if is_local:
            if not self._typed:
                self._typed_since = self._clock()
            self._typed.append(update)
        else:
            self._arrived.append(update)
        if self._tick is None:
            wait_s = self._last_tick + TICK_S - self._loop.time()
            later = self._loop.call_later
            self._tick = later(wait_s, self._hand_over) if wait_s > 0 else self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        """Give what has gathered to the store, and to the server what was made here."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        self._last_tick = self._loop.time()
        arrived, self._arrived = self._arrived, []
        for portion in in_portions(arrived):
            self._store.append(merge_many(portion), 0, is_local=False)
        typed, self._typed = self._typed, []
        for portion in in_portions(typed):
            self._hand_over_typed(merge_many(portion), len(portion))
        if typed:
            self._tell("waiting_changed")

    def _hand_over_typed(self, update: bytes, edits: int) -> None:
        row = self._store.append(update, edits, is_local=True)
        self._outbox.add(OutboxRow(row, edits, update, self._typed_since))
        self._untold.append((update, row))
        if not self._holds_back or self._problems.keys() & {"replica"}:
            self._tell_server()

    def _hand_over_taken(self) -> None:
        """Hand over what another program wrote, and let nobody hear of it, or of what comes after, until it is kept."""
        self._holds_back += 1
        self._hand_over()
        self._store.when_durable(self._taken_is_kept)

    def _taken_is_kept(self) -> None:
        self._holds_back -= 1
        if not self._holds_back:
            self._tell_server()

    def _tell_server(self) -> None:
        untold, self._untold = self._untold, []
        if self._sync is not None:
            for update, row in untold:
                self._sync.local_update(update, row)
        calls, self._held_calls = self._held_calls, []
        for call in calls:
            call()

    def _on_document_files_changed(self) -> None:
        self._came_back.files_changed()
        self._mirror.files_changed()
        self.blobs.files_changed()
        self._tell("files_changed")

    def _on_document_file_returned(self, file_id: FileId, writers: frozenset[int]) -> None:
        self._came_back.note(file_id, writers)
        self._tell("files_changed")

    # ── inside: telling ─────────────────────────────────────────────────────────────────────────────────

    def _set_problem(self, name: str, error: TexSwarmError | None) -> None:
        """Told when the problem to be seen is another one."""
        before = self.problem
        if name == "replica" and error is not None:
            self._tell_server()  # a disk that takes nothing must not keep it from others
        if error is None:
            self._problems.pop(name, None)
        else:
            self._problems[name] = error
        if str(before) != str(self.problem):
            for listener in tuple(self._listeners):
                listener.problem(self.problem)

    def _tell(self, name: str) -> None:
        for listener in tuple(self._listeners):
            getattr(listener, name)()


def _release(job: "asyncio.Future[Entered]") -> None:
    if not job.cancelled() and job.exception() is None:
        job.result().lock.release()


def _log_failure(job: "asyncio.Future[None]") -> None:
    if not job.cancelled() and job.exception() is not None:
        _log.info("whose replica this is was not noted: %s", job.exception())


def _ignore(*_args: object) -> None:
    pass
