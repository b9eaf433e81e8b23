"""One folder and one document on a server, kept the same: the headless peer.

    look at the folder -> open it, if it is a project -> sign in -> bring folder and document together -> go on

What is decided is decided by `core.joining`; what can be mended by itself is a state of the connection. What cannot is
raised from `run`, whose caller chooses the words.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Set
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import structs

from texswarm_desktop.client.address_book import lasting_key
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.document_preview import DocumentPreview, look_at
from texswarm_desktop.client.knock import tcp_knock
from texswarm_desktop.client.proxy_choice import ProxyChoice
from texswarm_desktop.client.server_talk import admitted, end_connection, invite_to, let_in, share
from texswarm_desktop.client.states import Idle, LinkState, Live, NeedsUser, Syncing
from texswarm_desktop.client.transport import websocket_transport
from texswarm_desktop.core.file_differences import FileSet, differences
from texswarm_desktop.core.holder_news import HolderNews
from texswarm_desktop.core.joining import Road, Side, is_of_one_origin, road_for
from texswarm_desktop.core.palette import color_of
from texswarm_desktop.core.reload_limit import ReloadLimit
from texswarm_desktop.core.settings import Settings
from texswarm_desktop.services.at_rest import is_at_rest, missing_figures
from texswarm_desktop.services.coming_together import come_together
from texswarm_desktop.services.credentials import CredentialStore, ServerCredentials
from texswarm_desktop.services.folder_channel import FolderChannel
from texswarm_desktop.services.folder_lock import holder_of
from texswarm_desktop.services.folder_survey import FolderSurvey, files_of, survey
from texswarm_desktop.services.lan_addresses import prefixes_here
from texswarm_desktop.services.project import Project
from texswarm_desktop.services.project_entry import lock_path
from texswarm_desktop.services.server_word import VIEWER
from texswarm_desktop.sync.attachment import Attachment
from texswarm_desktop.sync.options import SyncOptions
from texswarm_desktop.sync.reporter import Reporter
from texswarm_desktop.sync.status_feed import StatusFeed
from texswarm_desktop.ui.error_texts import sentence_of
from texswarm_desktop.viewmodels.file_news import FileNews
from texswarm_server.protocol.errors import (
    DamagedDocumentError,
    ErrorCode,
    FigureMissingError,
    LinkLostError,
    LinkTimeoutError,
    OneOriginError,
    ProjectInUseError,
    RejectedError,
    SettingsError,
    StorageError,
    TexSwarmError,
)
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link

if TYPE_CHECKING:
    from texswarm_desktop.client.document_sync import DocumentSync

_log: Final = logging.getLogger(__name__)
T = TypeVar("T")

_PAUSE_S: Final = 0.2
#: How another program names the states in which it is signed in.
_SIGNED_IN: Final = frozenset({"syncing", "live"})
#: How long, at the end, to wait for the server to store what it was not told before.
_GOODBYE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _There:
    """The document on the server."""

    document_id: str
    lineage: str


class Peer:
    """One run. Invariant: while `_sync` is not None, the project is open and added to the connection."""

    def __init__(
        self,
        options: SyncOptions,
        reporter: Reporter,
        *,
        credentials: CredentialStore,
        settings: Settings,
        executor: Executor,
    ) -> None:
        self._options = options
        self._reporter = reporter
        self._store = credentials
        self._settings = settings
        self._executor = executor
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()
        self._given_up = asyncio.Event()
        self._patience: asyncio.TimerHandle | None = None
        self._missing_patience: asyncio.TimerHandle | None = None
        self._missing: Set[str] = frozenset()
        self._feed = StatusFeed(reporter, self._news.set, self._tell_others)
        self._attachment = Attachment(options, reporter, executor=executor, on_news=self._on_holder_news)
        self._channel: FolderChannel | None = None
        self._file_news: FileNews | None = None
        self._told = HolderNews()
        self._link: InviteLink | None = None
        self._project: Project | None = None
        self._connection: Connection | None = None
        self._credentials: ServerCredentials | None = None
        self._sync: DocumentSync | None = None
        self._is_link_told = False
        self._reloads = ReloadLimit()

    def stop(self) -> None:
        """Come to an end; `run` returns when everything is stored."""
        self._stopping.set()

    async def run(self) -> None:
        """Return when asked to stop, or with `--once` when all is the same; raises TexSwarmError for all else."""
        try:
            await self._until_over()
        finally:
            await self._close()

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────

    async def _until_over(self) -> None:
        self._watch_patience(is_in=False)
        async with asyncio.TaskGroup() as group:
            work = group.create_task(_caught(self._work()))
            ends = [group.create_task(event.wait()) for event in (self._stopping, self._given_up)]
            await asyncio.wait([work, *ends], return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and self._stopping.is_set():
                await self._say_goodbye()
            for task in (work, *ends):
                task.cancel()
        error = None if work.cancelled() else work.result()
        if error is not None:
            raise error
        if work.cancelled() and not self._stopping.is_set():
            if self._missing:
                raise FigureMissingError(", ".join(sorted(self._missing)))
            if self._attachment.is_mute and self._attachment.holder is not None:
                raise self._attachment.holder
            raise LinkTimeoutError(f"not signed in for {self._options.patience_s:g} s")

    async def _say_goodbye(self) -> None:
        """Take in, write and send what there is; what the server does not store in time waits here for the next run."""
        project, sync = self._project, self._sync
        if project is None:
            return
        with suppress(TimeoutError, TexSwarmError):
            async with asyncio.timeout(_GOODBYE_S):
                await project.taken_in()
                await project.flush()
                while sync is not None and sync.handle is not None and any(_left(project)):
                    self._news.clear()
                    await self._news.wait()
        if any(_left(project)):
            self._reporter.left(*_left(project))

    async def _close(self) -> None:
        for timer in filter(None, (self._patience, self._missing_patience)):
            timer.cancel()
        self._feed.close()
        await self._close_channel()
        if self._connection is not None:
            await end_connection(self._connection)
        if self._project is not None:
            try:
                await self._project.close()
            except StorageError:
                await self._project.close(discard=True)
                raise

    # ── the road ────────────────────────────────────────────────────────────────────────────────────────

    async def _work(self) -> None:
        link = await self._begin()
        if link is None:
            return
        connection = await self._connect(link)
        while True:
            if await self._agree(connection, link) or self._options.dry_run:
                return
            self._attach(connection, link)
            if await self._go_on():
                return
            self._detach(connection)

    async def _begin(self) -> InviteLink | None:
        """Open the folder if that needs no word of the server, so that edits are kept from now on; return the link.

        Another program that has it open is waited for; None where it brought all to rest, and that was to be done once.
        """
        link = parse_invite_link(self._options.link) if self._options.link is not None else None
        if self._options.dry_run:
            return _required(link or (await self._look()).server, self._options)
        while True:
            try:
                holder = await self._blocking(holder_of, lock_path(self._options.folder))
                if holder is None:
                    return await self._open(link)
            except ProjectInUseError as error:
                holder = error
            if await self._attachment.until_free(holder, link):
                return None

    async def _open(self, link: InviteLink | None) -> InviteLink:
        here = await self._look()
        if here.identity is not None and (link is None or link.document_id in {None, here.identity.document_id}):
            await self._take(await Project.open(self._options.folder, store_executor=self._executor))
        elif link is not None and link.document_id is None:
            await self._take(await Project.open(self._options.folder, store_executor=self._executor, may_make=True))
        known = self._project.server_link if self._project is not None else None
        self._link = _required(link or known, self._options)
        return self._link

    async def _connect(self, link: InviteLink) -> Connection:
        credentials = await self._store.for_server(link.address, invite=link.token, fingerprint=lasting_key(link))
        if self._project is not None:
            credentials.session_id = self._project.session_at(str(link.address))
        name = self._options.name or self._settings.name or self._store.default_name
        credentials.describe(name, self._settings.color or color_of(self._store.user_id))
        connection = Connection(
            address=link.address,
            credentials=credentials,
            transport=websocket_transport(link.fingerprint, ProxyChoice(prefixes_here)),
            knock=tcp_knock,
            fingerprint=link.fingerprint,
        )
        await connection.__aenter__()
        self._connection, self._credentials = connection, credentials
        self._feed.set_opening(is_opening=True)
        self._feed.follow_connection(connection)
        connection.subscribe(self._on_connection_state)
        connection.connect()
        return connection

    async def _agree(self, connection: Connection, link: InviteLink) -> bool:
        """Find the document and bring folder and document together; over drops, until it is done.

        True where another program took the folder first, and did what was to be done once.
        """
        while True:
            try:
                await let_in(connection)
                there = await self._there(connection, link)
                if there is None or self._options.dry_run:
                    await self._rehearse(connection, there)
                else:
                    await self._meet(connection, there)
            except LinkLostError as error:
                _log.info("asked again: %s", error)
                await asyncio.sleep(_PAUSE_S)
            except ProjectInUseError as error:
                if await self._attachment.until_free(error, link):
                    return True
            else:
                return False

    async def _there(self, connection: Connection, link: InviteLink) -> _There | None:
        """Return the document; None where a dry run would make it."""
        if link.document_id is not None:
            documents = await admitted(connection, link)
            chosen = next((one for one in documents if one.id == link.document_id), None)
            if chosen is None:
                raise RejectedError(ErrorCode.DOCUMENT_NOT_FOUND)
            return _There(chosen.id, chosen.lineage)
        if self._project is None:  # a dry run
            return None
        await share(connection, self._project.as_new_document(), link.token)
        await self._tell_link(connection, link)
        return _There(self._project.document_id, self._project.lineage or "")

    async def _tell_link(self, connection: Connection, link: InviteLink) -> None:
        """Tell once by which link others can join; who may not invite tells one without an invitation."""
        assert self._project is not None
        if self._is_link_told:
            return
        token = None
        with suppress(RejectedError):
            token = await invite_to(connection, self._project.document_id)
        others = replace(link, token=token, document_id=self._project.document_id)
        self._reporter.link(str(others), self._project.document_id)
        self._is_link_told = True

    async def _meet(self, connection: Connection, there: _There) -> None:
        project = self._project
        if project is not None and project.lineage in {None, there.lineage}:
            return
        here = await self._look()
        has_files = bool(here.texts or here.figures)
        preview = await look_at(connection, there.document_id, there.lineage) if has_files else None
        road = _road(here, there, preview, self._options)
        if road is Road.ASK:
            raise _refusal(here, there)
        await self._come_together(road, there, preview)

    async def _rehearse(self, connection: Connection, there: _There | None) -> None:
        """Only say what would happen."""
        here = await self._look()
        if there is None:
            self._reporter.plan(Road.FILL, differences(await self._files(), FileSet({})))
            return
        preview = await look_at(connection, there.document_id, there.lineage)
        road = _road(here, there, preview, self._options)
        self._reporter.plan(road, differences(await self._files(), preview.files))
        if road is Road.ASK:
            raise _refusal(here, there)

    async def _come_together(self, road: Road, there: _There, preview: DocumentPreview | None) -> None:
        project, self._project = self._project, None
        if project is not None:
            await self._close_channel()
            await project.close()
        content = preview.document.update_since() if preview is not None else None
        joined = await come_together(
            road, self._options.folder, there.document_id, there.lineage, content, executor=self._executor
        )
        if joined.aside is not None:
            self._reporter.aside("copy" if road is Road.KEEP_BOTH else "backup", joined.aside)
        await self._take(joined.project)

    def _attach(self, connection: Connection, link: InviteLink) -> None:
        project = self._required_project()
        project.bind_server(link)
        self._sync = connection.add(project.shared)
        project.shared.attach(self._sync)
        self._feed.set_opening(is_opening=False)
        self._keep_session()

    def _detach(self, connection: Connection) -> None:
        project, self._sync = self._required_project(), None
        connection.remove(project.document_id)
        project.shared.detach()

    # ── going on ────────────────────────────────────────────────────────────────────────────────────────

    async def _go_on(self) -> bool:
        """Return True when it is done, False when the histories turn out to be two; raises what ends it."""
        while True:
            self._news.clear()
            project, connection = self._required_project(), self._connection
            if connection is not None and isinstance(connection.state, NeedsUser):
                raise RejectedError(connection.state.code, connection.state.message)
            if isinstance(project.problem, DamagedDocumentError):
                await self._load_again(project)
                continue
            refusal = self._refusal(project)
            if refusal is not None and refusal.code == ErrorCode.LINEAGE_MISMATCH:
                return False
            if refusal is not None:
                raise refusal
            if self._options.once and await is_at_rest(project):
                return True
            if self._options.once:
                self._watch_missing(project)
            await self._news.wait()

    def _refusal(self, project: Project) -> RejectedError | None:
        """What a viewer writes stays here; that ends it only where all is to be stored."""
        held_back = self._options.once and project.unacknowledged() > 0
        if project.read_only is not None and held_back:
            is_viewer = project.read_only == VIEWER
            return RejectedError(ErrorCode.FORBIDDEN if is_viewer else ErrorCode.DOCUMENT_READ_ONLY)
        refusal = project.refusal
        return refusal if refusal is not None and refusal.code != ErrorCode.FORBIDDEN else None

    def _watch_missing(self, project: Project) -> None:
        """With `--once`, a figure that the server does not have is told, and waited for so long and no longer."""
        before = self._missing
        self._set_missing(frozenset(missing_figures(project)))
        for path in sorted(self._missing - before - project.file_problems.keys()):
            self._reporter.file(path, FigureMissingError(path))

    def _set_missing(self, missing: Set[str]) -> None:
        self._missing = missing
        if self._missing and self._missing_patience is None:
            loop = asyncio.get_running_loop()
            self._missing_patience = loop.call_later(self._options.patience_s, self._given_up.set)
        elif not self._missing and self._missing_patience is not None:
            self._missing_patience.cancel()
            self._missing_patience = None

    async def _load_again(self, project: Project) -> None:
        """Put the stored replica in the place of one that an update broke in memory."""
        link, connection, problem = project.server_link, self._connection, project.problem
        if not self._reloads.allows(asyncio.get_running_loop().time()) and problem is not None:
            raise problem
        assert link is not None
        assert connection is not None
        await project.kept()
        self._detach(connection)
        self._project = None
        await self._close_channel()
        await project.close()
        await self._take(await Project.open(self._options.folder, store_executor=self._executor))
        self._attach(connection, link)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _on_connection_state(self, old: LinkState, new: LinkState) -> None:
        self._watch_patience(is_in=isinstance(new, Syncing | Live))
        if isinstance(new, Syncing | Live):
            self._keep_session()
        elif isinstance(new, Idle) and not isinstance(old, Idle):
            # Somebody copied the folder, session and all, and the copy came later: each has one of its own from here.
            assert self._connection is not None
            assert self._credentials is not None
            self._credentials.session_id = None
            self._connection.connect()

    def _watch_patience(self, *, is_in: bool) -> None:
        """With `--once`, a server that does not let us in is waited for so long and no longer."""
        if is_in and self._patience is not None:
            self._patience.cancel()
            self._patience = None
        elif self._options.once and self._patience is None and not is_in:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(self._options.patience_s, self._given_up.set)

    def _keep_session(self) -> None:
        connection, project = self._connection, self._project
        welcome = connection.welcome if connection is not None else None
        if connection is None or project is None or welcome is None:
            return
        if welcome.session_id is not None:
            project.keep_session(str(connection.address), welcome.session_id)

    async def _take(self, project: Project) -> None:
        self._project = project
        self._feed.follow_project(project)
        await self._close_channel()
        self._file_news = FileNews(project, sentence_of, lambda: self._tell_others(self._told))
        self._channel = FolderChannel(self._options.folder, self._is_at_rest, executor=self._executor)
        await self._channel.open()

    # ── beside other programs ───────────────────────────────────────────────────────────────────────────

    def _tell_others(self, news: HolderNews) -> None:
        self._told = news
        if self._channel is not None and self._link is not None and self._project is not None:
            there = replace(self._link, token=None, document_id=self._project.document_id)
            news = structs.replace(news, server=str(there), missing=missing_figures(self._project))
            self._channel.tell(self._file_news.added_to(news) if self._file_news is not None else news)

    async def _is_at_rest(self) -> bool:
        return self._project is not None and await is_at_rest(self._project)

    async def _close_channel(self) -> None:
        channel, self._channel = self._channel, None
        news, self._file_news = self._file_news, None
        if news is not None:
            news.close()
        if channel is not None:
            await channel.close()

    def _on_holder_news(self, news: HolderNews) -> None:
        """With `--once`, the patience for a server and for figures is the same as without another program."""
        if self._options.once:
            self._watch_patience(is_in=news.state in _SIGNED_IN)
            self._set_missing(frozenset(news.missing))

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _required_project(self) -> Project:
        assert self._project is not None
        return self._project

    async def _files(self) -> FileSet:
        return await self._blocking(files_of, self._options.folder)

    async def _look(self) -> FolderSurvey:
        return await self._blocking(survey, self._options.folder)

    async def _blocking(self, work: Callable[[Path], T], path: Path) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, path)


def _road(here: FolderSurvey, there: _There, preview: DocumentPreview | None, options: SyncOptions) -> Road:
    theirs = preview.files if preview is not None else FileSet({})
    is_empty = not any(theirs.texts.values()) and not theirs.figures
    return road_for(_side_of(here), Side(there.lineage, is_empty, there.document_id), options.choice)


def _side_of(here: FolderSurvey) -> Side:
    known = here.identity
    return Side(known.lineage, here.is_empty, known.document_id) if known is not None else Side(None, here.is_empty)


def _refusal(here: FolderSurvey, there: _There) -> RejectedError:
    """Nothing happens without a word: there are different histories, or two documents of one."""
    is_one = is_of_one_origin(_side_of(here), Side(there.lineage, is_empty=False))
    return OneOriginError() if is_one else RejectedError(ErrorCode.LINEAGE_MISMATCH)


def _left(project: Project) -> tuple[int, int]:
    """Return how many edits and how many figures the server has not stored."""
    return project.unacknowledged(), project.blobs.unsent


def _required(link: InviteLink | None, options: SyncOptions) -> InviteLink:
    if link is None:
        raise SettingsError(f"{options.folder} does not know a server yet; name one: texswarm sync FOLDER LINK")
    return link


async def _caught(work: Coroutine[Any, Any, None]) -> TexSwarmError | None:
    """Return the error instead of raising it: a task group would wrap it."""
    try:
        await work
    except TexSwarmError as error:
        return error
    return None
