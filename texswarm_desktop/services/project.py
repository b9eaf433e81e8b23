"""One opened project: its document, the durable replica behind it, its folder, and its link to a server, if any.

    edit -> document -> (a few ms, together) -> replica store, and the document's sync with a server
                     -> (half a second later) -> the files of the folder

What a server gets and says is `Project.shared`. Belongs to the thread of its loop and starts no task; whoever opened
it closes it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self
from uuid import uuid4

from texswarm_desktop.core.ignore_rules import Sharing
from texswarm_desktop.core.project_files import OWN_FOLDER
from texswarm_desktop.core.sharing_preview import SharingPreview
from texswarm_desktop.services.belonging import Belonging
from texswarm_desktop.services.disk_state import DiskFile
from texswarm_desktop.services.edit_handover import EditHandover
from texswarm_desktop.services.folder_mirror import FolderMirror
from texswarm_desktop.services.git_hand import marked_by_git
from texswarm_desktop.services.own_presence import OwnPresence
from texswarm_desktop.services.project_blobs import ProjectBlobs
from texswarm_desktop.services.project_entry import (
    REPLICA_FILE,
    Entered,
    enter_folder,
    enter_new_folder,
    enter_or_make_folder,
    look_around,
)
from texswarm_desktop.services.project_folder import ProjectFolder
from texswarm_desktop.services.project_listener import ProjectListener
from texswarm_desktop.services.project_news import ProjectNews
from texswarm_desktop.services.replica_database import StoredReplica
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_desktop.services.returned_files import ReturnedFiles
from texswarm_desktop.services.server_word import ServerWord
from texswarm_desktop.services.shared_replica import SharedReplica
from texswarm_desktop.services.sharing_survey import sharing_of, survey_sharing
from texswarm_server.document.presence import Presence, PresenceData
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.protocol.errors import (
    ChangedOnDiskError,
    CorruptSnapshotError,
    DocumentError,
    RejectedError,
    StorageError,
    TexSwarmError,
)
from texswarm_server.protocol.ids import Lineage
from texswarm_server.protocol.invite_link import InviteLink
from texswarm_server.protocol.messages import CreateDocument, Participant, RoleName


class Project:
    """Invariant: what was typed is in the document, and in the store or queued for it, before it is sent anywhere."""

    def __init__(self, folder: Path, *, store_executor: Executor, clock: Callable[[], float] = monotonic) -> None:
        """Not for others: a project is made by `open`, `create` or `create_replica`."""
        self.folder = folder
        self.document = ProjectDocument()
        self._executor = store_executor
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._news = ProjectNews()
        self._store = ReplicaStore(
            folder / OWN_FOLDER / REPLICA_FILE,
            executor=store_executor,
            on_problem=self._on_replica_problem,
        )
        self._belonging = Belonging(folder, self._store, executor=store_executor)
        self._server = ServerWord(self._store, self._news)
        self._edits = EditHandover(
            self._store,
            on_waiting=partial(self._news.tell, "waiting_changed"),
            is_disk_refusing=partial(self._news.has_problem, "replica"),
            clock=clock,
        )
        self._folder = ProjectFolder(folder, is_ours=self._is_folder_ours)
        self.blobs = ProjectBlobs(
            folder,
            self.document,
            self._store,
            executor=store_executor,
            before_write=self._edits.hand_over,
            on_problem=partial(self._news.set_problem, "figures"),
            on_progress=partial(self._news.tell, "transfers_changed"),
            on_reports=partial(self._news.tell, "files_changed"),
            may_write=lambda: self._server.read_only is None,
            is_ours=self._is_folder_ours,
        )
        self._mirror = FolderMirror(
            self.document,
            self._folder,
            self._store,
            executor=store_executor,
            before_write=self._edits.hand_over,
            after_taking=self._edits.hand_over_taken,
            on_problem=partial(self._news.set_problem, "folder"),
            on_hint=self.blobs.hint,
            on_reports=partial(self._news.tell, "files_changed"),
        )
        self._presence = OwnPresence(self.document.client_id)
        self._came_back = ReturnedFiles(self.document, self._store, self._presence)
        self.shared = SharedReplica(
            self.document,
            belonging=self._belonging,
            edits=self._edits,
            server=self._server,
            presence=self._presence,
            blobs=self.blobs,
            news=self._news,
        )
        self._entered: Entered | None = None
        self._ahead_of: StoredReplica | None = None
        self._catching_up = asyncio.Lock()

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
        ahead: bool = False,
    ) -> Self:
        """Open a project, or make one of a plain folder without changing its files.

        `may_make`: a folder that is not there is made. `bit_by_bit`: return with one file, where there are many new
        ones, and bring the others in while somebody writes already; a disk that takes nothing is then told as a problem
        of the project. `ahead`: where a replica is there, return with what it has, and look at the folder when
        `catch_up` is called.

        What other programs did to the folder meanwhile is brought in. Raises NotReadableError, NotWritableError,
        ProjectInUseError, or CorruptSnapshotError; the files are as they were then.
        """
        project = cls(folder, store_executor=store_executor, clock=clock)
        enter = enter_or_make_folder if may_make else enter_folder
        async with project._entering(enter, waits=not bit_by_bit) as stored:
            if not project._belonging.document_id:
                project._begin_history(folder.name)
                ahead = False
            if project.document.is_empty:
                return project
            if ahead:
                project._ahead_of = stored
                project._mirror.go_ahead()
            else:
                await project._take_over(stored, bit_by_bit=bit_by_bit)
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
            project._belonging.identify(document_id, lineage)
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
        async with project._entering(enter_or_make_folder) as stored:
            if project._belonging.document_id:
                raise ChangedOnDiskError(f"{folder}: a project came into the folder")
            project._belonging.identify(document_id, lineage)
            if content is not None:
                project.document.apply(content)
                if project.document.lineage is None:
                    project.document.initialise(folder.name, Lineage(lineage))
                await project._take_over(stored)
        return project

    async def catch_up(self) -> None:
        """Bring in what other programs did to the folder, where the opening went `ahead` of that.

        Raises NotReadableError: nothing is written then, and it may be tried again.
        """
        async with self._catching_up:
            stored = self._ahead_of
            if stored is None or self._entered is None:
                return
            found = await self._found(stored)
            with self._store.together():
                self._mirror.take_over(stored.records, found, bit_by_bit=True)
                self._edits.hand_over_taken()
            self._ahead_of = None
            self._begin_to_keep(stored)

    async def flush(self) -> None:
        """Return when all is durable, in the replica and in the folder; raises the TexSwarmError in the way.

        Nothing is forgotten then, and it is tried again.
        """
        await self.catch_up()
        await self.kept()
        await self._mirror.flush()
        await self.blobs.flush()
        await self._store.flushed()

    async def taken_in(self) -> None:
        """Return when what other programs did to the folder until now is in the document, as far as it can be."""
        with suppress(TexSwarmError):
            await self.catch_up()
            await self._mirror.taken_in()

    async def kept(self) -> None:
        """Return when everything typed until now is durable in the replica; raises StorageError as `flush` does."""
        self._edits.hand_over()
        await self._store.flushed()

    async def close(self, *, discard: bool = False) -> None:
        """Store everything and let go of the folder; may be called again.

        Raises StorageError, and stays open, when the replica cannot be written: what was typed is in memory only then.
        With `discard` it is given up. Files that could not be written are no loss: the next opening writes them.
        """
        if self._entered is None:
            return
        if not discard:
            with suppress(TexSwarmError):
                await self.catch_up()
        self._mirror.stop_importing()
        self._edits.hand_over()
        if not discard:
            await self._store.flushed()
            await self._belonging.noted()
        is_broken = self._news.has_problem("document")  # what broke in memory is not to be written into files
        if self._ahead_of is None and not is_broken:
            with suppress(TexSwarmError):
                await self._mirror.flush()
                await self.blobs.flush()
        await self._mirror.stop()
        await self.blobs.stop()
        self._edits.hand_over()
        try:
            await self._store.close()
        except StorageError:
            if not discard:
                self._mirror.go_on()
                if self._ahead_of is None:
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
        return self._belonging.document_id

    @property
    def lineage(self) -> str | None:
        """The identity of the history held here; None while there is none."""
        return self.shared.lineage

    def as_new_document(self) -> CreateDocument:
        """Return the order that puts this project where it is not yet."""
        title = self.document.title or self.folder.name
        return CreateDocument(title=title, document_id=self.document_id, lineage=self.lineage)

    @property
    def server_link(self) -> InviteLink | None:
        """The server this project is shared through, without any secret; None when it is local."""
        return self._belonging.server_link

    def bind_server(self, link: InviteLink) -> None:
        """Remember the server this project is shared through."""
        self._belonging.bind_server(link)

    def begin_own_life(self) -> None:
        """Be a project of its own from now on, with the history of this one and with no server."""
        self.belong_to(str(uuid4()))

    def belong_to(self, document_id: str) -> None:
        """Be a replica of another document of the same history from now on; what a server said counts no more."""
        self.forget_server()
        self._belonging.identify(document_id, self.lineage)
        self._belonging.note_when_durable()

    def forget_server(self) -> None:
        """Be a local project from now on, in which everything may be written."""
        self._belonging.forget_server()
        self._server.forget()

    def session_at(self, server: str) -> str | None:
        """Return the session this project had there last; nobody else has it, because a project is open once."""
        return self._belonging.session_at(server)

    def keep_session(self, server: str, session_id: str) -> None:
        """Remember the session at a server, for the next start."""
        self._belonging.keep_session(server, session_id)

    @property
    def oldest_unacknowledged_since(self) -> float | None:
        """When the oldest edit that no server has confirmed was made, by the injected clock; else None."""
        return self._edits.oldest_since

    # ── who listens ─────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, listener: ProjectListener) -> Callable[[], None]:
        """Tell `listener` from now on, of a present problem at once; returns the way out."""
        return self._news.subscribe(listener)

    @property
    def problem(self) -> TexSwarmError | None:
        """What is wrong now, the worst first; None when all is well."""
        return self._news.problem

    @property
    def file_problems(self) -> Mapping[str, TexSwarmError]:
        """Files that are not the same here and in the document, by path, and why."""
        return {**self._mirror.file_problems, **self.blobs.problems, **self._came_back.reports}

    @property
    def refusal(self) -> RejectedError | None:
        """Why the server does not take this document, or edits of it; None when it does, or there is none."""
        return self._server.refusal

    @property
    def read_only(self) -> str | None:
        """Why nothing is to be written here: `VIEWER`, or what the server said; None when one may write.

        It is the server's word, and holds while the server is away, until it says something else or is forgotten.
        """
        return self._server.read_only

    @property
    def role(self) -> RoleName | None:
        """What one may do in the document, by the server's last word; None while it is away."""
        return self._server.role

    @property
    def participants(self) -> list[Participant]:
        """Who is in the document now."""
        return self._server.participants

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

    def unacknowledged(self) -> int:
        """Return how many edits no server has confirmed."""
        return self._edits.unconfirmed

    @property
    def presence(self) -> Presence:
        """Who is where, this user included."""
        return self._presence.states

    def set_presence(self, state: PresenceData | None) -> None:
        """Tell the others where this user is; None: nowhere."""
        self.shared.set_presence(state)
        if self._came_back.seen(state):
            self._news.tell("files_changed")

    # ── inside: opening ─────────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def _entering(self, enter: Callable[[Path], Entered], *, waits: bool = True) -> AsyncIterator[StoredReplica]:
        """Enter the folder and load the replica; what happens inside is stored all together, or nothing of it.

        `waits`: until it is durable.
        """
        self._entered = entered = await self._enter(enter)
        try:
            stored = await self._store.load(self._clock())
            self._restore(stored, entered)
            self._mirror.obey(
                entered.rules,
                stored.meta.get("folders"),
                stored.former,
                left=stored.left,
                had=stored.records,
            )
            with self._store.together():
                yield stored
                self._edits.hand_over()
            self._mirror.files_changed()
            if waits:  # nobody is to hear of what is not kept: see `EditHandover`
                with suppress(StorageError):
                    await self._store.flushed()
            if entered.identity is None:
                self._belonging.note_when_durable()
                if waits:
                    await self._store.flushed()
                    await self._belonging.noted()
            if self._ahead_of is None:
                self._begin_to_keep(stored)
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
        self._belonging.load(stored.meta)
        self._server.load(stored.meta)
        self._edits.load(stored.waiting)
        self.document.on_update = self._edits.gather
        self.document.on_files_changed = self._on_document_files_changed
        self.document.on_file_touched = self._mirror.touched
        self.document.on_file_returned = self._on_document_file_returned
        self.document.remember_removed(self._came_back.removed_before(stored.meta))

    def _begin_to_keep(self, stored: StoredReplica) -> None:
        """Keep the folder and the document the same from now on."""
        self._mirror.watch()
        self.blobs.start({FileId(each): record for each, record in stored.figures.items()})

    async def _take_over(self, stored: StoredReplica, *, bit_by_bit: bool = False) -> None:
        self._mirror.take_over(stored.records, await self._found(stored), bit_by_bit=bit_by_bit)

    async def _found(self, stored: StoredReplica) -> Mapping[str, DiskFile]:
        """What is in the folder, also what its rules leave out and the project has all the same."""
        around = await self._loop.run_in_executor(self._executor, look_around, self.folder)
        self._mirror.want(around.on_purpose)
        known = {*self._mirror.paths.values(), *(record.path for record in stored.records.values())}
        missing = sorted(known - around.found.keys())
        if not known:
            return around.found

        def read() -> dict[str, DiskFile]:
            return marked_by_git(self.folder, {**around.found, **self._folder.read_all(missing)})

        return await self._loop.run_in_executor(self._executor, read)

    def _begin_history(self, title: str) -> None:
        lineage = str(uuid4())
        self._belonging.identify(str(uuid4()), lineage)
        self.document.initialise(title, Lineage(lineage))

    async def _leave(self) -> None:
        entered, self._entered = self._entered, None
        self.document.on_update = self.document.on_files_changed = self.document.on_file_touched = _ignore
        self.document.on_file_returned = _ignore
        self._edits.stop()
        if entered is not None:
            entered.lock.release()

    # ── inside: what happens ────────────────────────────────────────────────────────────────────────────

    def _is_folder_ours(self) -> bool:
        return self._entered is None or not self._entered.lock.is_elsewhere

    def _on_replica_problem(self, error: TexSwarmError | None) -> None:
        if error is not None:
            self._edits.tell_server()  # a disk that takes nothing must not keep it from others
        self._news.set_problem("replica", error)

    def _on_document_files_changed(self) -> None:
        self._came_back.files_changed()
        self._mirror.files_changed()
        self.blobs.files_changed()
        self._news.tell("files_changed")

    def _on_document_file_returned(self, file_id: FileId, writers: frozenset[int]) -> None:
        self._came_back.note(file_id, writers)
        self._news.tell("files_changed")


def _release(job: "asyncio.Future[Entered]") -> None:
    if not job.cancelled() and job.exception() is None:
        job.result().lock.release()


def _ignore(*_args: object) -> None:
    pass
