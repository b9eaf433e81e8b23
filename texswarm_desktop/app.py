"""The composition root of the desktop, and the one road by which it ends.

Everything is built here and passed on. `main` runs under `asyncio.Runner` with Qt's loop; the window's close sets an
event, `main` lets go of everything in order and returns. Nobody calls `quit()`: the loop would stop before the cleanup.
"""

import asyncio
import importlib
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from platformdirs import user_data_path, user_documents_path
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from texswarm_desktop.client.link import TransportFactory
from texswarm_desktop.client.pairing import OpenCertified
from texswarm_desktop.client.server_talk import LinkCancelledError
from texswarm_desktop.client.status import Hosting
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_desktop.qtx.garbage import GuiThreadGarbage
from texswarm_desktop.qtx.loop import loop_factory
from texswarm_desktop.qtx.single_instance import FolderCalls, LinkReceiver, call_window_of, hand_over, socket_name
from texswarm_desktop.qtx.task_scope import TaskScope
from texswarm_desktop.services.credentials import CredentialStore
from texswarm_desktop.services.embedded_server import load_ahead
from texswarm_desktop.services.host_identity import HostIdentity
from texswarm_desktop.services.known_hosts import KnownHosts
from texswarm_desktop.services.library import Library
from texswarm_desktop.services.secret_store import FileSecretStore, KeyringSecretStore, SecretStore
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_desktop.services.wakefulness import KeepAwake
from texswarm_desktop.ui.editor.latex_editor import LatexEditor
from texswarm_desktop.ui.error_texts import need_words, text_of
from texswarm_desktop.ui.main_window import MainWindow
from texswarm_desktop.ui.theme import Theme, ThemeMode
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.doctor_view import DoctorView
from texswarm_desktop.viewmodels.joining import JoinView, JoinWish
from texswarm_desktop.viewmodels.lobby_view import Answer
from texswarm_desktop.viewmodels.membership import Decision
from texswarm_desktop.viewmodels.nearby_view import HostFinder, Hosts, NearbyView, NewFinder
from texswarm_desktop.viewmodels.observed_project import ObservedProject
from texswarm_desktop.viewmodels.opened_project import OpenedProject
from texswarm_desktop.viewmodels.sharing import EVERYWHERE
from texswarm_desktop.viewmodels.sharing_view import SharingView
from texswarm_desktop.viewmodels.start_view import RecentProject, StartView, is_address
from texswarm_desktop.viewmodels.transfers import ExportWish, Transfers
from texswarm_desktop.viewmodels.workspace import DocumentChoice, Workspace
from texswarm_server.protocol.errors import ErrorCode, ProjectInUseError, RejectedError, StorageError, TexSwarmError
from texswarm_server.protocol.invite_link import parse_invite_link
from texswarm_server.protocol.messages import RoleName

_log: Final = logging.getLogger(__name__)
_NAME: Final = "texswarm"
_USUAL_FONT_PT: Final = 12
_DISK_WORKERS: Final = 4
_SETTLED_AFTER_MS: Final = 400
_AT_LEISURE_AFTER_MS: Final = 4000

Companion = Callable[["Desktop"], Awaitable[None]]
"""Something that goes along with a running desktop: the hand of a test, the director of a demonstration."""


class Desktop:
    """One running desktop: a window and all that stands behind it. An async context manager."""

    def __init__(
        self,
        application: QApplication,
        profile: Path | None,
        *,
        host_address: str = EVERYWHERE,
        keep_awake: KeepAwake | None = None,
        finds_hosts: bool = True,
    ) -> None:
        folder = _profile_folder(profile)
        self._executor = ThreadPoolExecutor(_DISK_WORKERS, thread_name_prefix="disk")
        self._scope = TaskScope("desktop")
        self._choice: DocumentChoice | None = None
        self._closing = asyncio.Event()
        self._network: Any = None
        self._is_shown = False
        self._is_usual = profile is None
        self._words_of: str | None = None
        self.settings = SettingsStore(folder)
        projects = folder / "projects" if profile else user_documents_path() / "TeXSwarm"
        self._library = Library(projects, settings=self.settings, executor=self._executor)
        self.status = ConnectionView(clock=time.monotonic, words=need_words)
        self.workspace = self._new_workspace(folder, host_address, keep_awake)
        self._transfers = Transfers(self._executor)
        self._start = StartView(recent=self._recent(), name=self.workspace.me.name)
        self.theme = Theme(application, ThemeMode(self.settings.settings.theme))
        self.nearby = NearbyView(_new_finder(host_address) if finds_hosts else None)
        self._join = JoinView(
            nearby=self.nearby,
            known=KnownHosts(folder / "known-hosts.json"),
            new_door=_new_door,
            executor=self._executor,
        )
        self.window = MainWindow(
            theme=self.theme,
            start=self._start,
            join=self._join,
            connection=self.status,
            zoom=self.settings.settings.font_size_pt - _USUAL_FONT_PT,
            projects_folder=str(self._library.projects_folder),
        )
        self._links = LinkReceiver(socket_name(folder), self.window)
        self._calls = FolderCalls(self.window)
        self._wire_workspace()
        self._wire_window()
        self.nearby.hosts_changed.connect(self._on_nearby_hosts)
        self.workspace.own_server_changed.connect(self.nearby.hide)

    def _new_workspace(self, folder: Path, host_address: str, keep_awake: KeepAwake | None) -> Workspace:
        secrets = _secrets(FileSecretStore(folder / "secrets.json"), is_apart=not self._is_usual)
        return Workspace(
            library=self._library,
            credentials=CredentialStore(folder, secrets, self._executor),
            settings=self.settings,
            status=self.status,
            host_data=folder / "host",
            host_identity=HostIdentity(folder / "host-identity"),
            new_transport=_websockets,
            scope=self._scope,
            host_address=host_address,
            keep_awake=keep_awake,
            bring_up=call_window_of,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._scope.close()
        self._links.close()
        self._calls.stop()
        await self.nearby.close()
        try:
            await self.workspace.close()
        except StorageError:
            _log.exception("what was typed last could not be stored")
        self.status.close()
        self.window.hide()
        self.window.deleteLater()
        self._executor.shutdown()

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, target: str | None) -> None:
        """Open what was asked for, or what was open last, on the first start a small paper; and show the window.

        It is shown with the project in it, or after a moment without.
        """
        self._do("begin", self._open_first(target))
        QTimer.singleShot(_SETTLED_AFTER_MS, self.window, self._settle)

    def accompany(self, companion: Companion) -> None:
        """Let something go along until the end."""
        self._scope.start("companion", _as_coroutine(companion(self)))

    async def until_closed(self) -> None:
        """Return when the window was closed and everything typed is stored.

        Where the disk refuses, the window comes back and says so: closing it would lose what is in memory only.
        """
        while True:
            await self._closing.wait()
            self._closing.clear()
            try:
                await self.workspace.close()
            except StorageError as error:
                self.window.show()
                self.window.show_error(error)
            else:
                return

    def set_theme(self, name: str) -> None:
        """Wear another theme: system, light or dark."""
        self.theme.set_mode(ThemeMode(name))

    @property
    def editor(self) -> LatexEditor | None:
        """The editor in front, None while no file is open."""
        page = self.window.page
        return page.area.editor if page else None

    # ── wiring ──────────────────────────────────────────────────────────────────────────────────────────

    def _wire_workspace(self) -> None:
        workspace = self.workspace
        self._links.link_received.connect(self._on_links_received)
        self._calls.called.connect(self.window.come_to_front)
        workspace.opened_changed.connect(self._on_workspace_opened)
        workspace.observed_changed.connect(self._on_workspace_observed)
        workspace.attached.connect(self.window.show_attached)
        workspace.closing.connect(self.window.show_start)
        workspace.closing.connect(self._calls.stop)
        workspace.notice.connect(self.window.show_error)
        workspace.choice_needed.connect(self._on_workspace_choice)
        workspace.put_aside.connect(self.window.show_put_aside)
        workspace.busy_changed.connect(self._start.set_busy)
        workspace.hosting_changed.connect(self._on_workspace_hosting)
        self.settings.on_problem = self.window.show_error

    def _wire_window(self) -> None:
        window, workspace = self.window, self.workspace
        window.new_requested.connect(lambda title, template: self._do("new", workspace.new(title, template)))
        window.open_folder_requested.connect(lambda folder: self._do("open", workspace.open(folder)))
        window.reopen_requested.connect(lambda: self._do("open again", workspace.reopen()))
        window.host_requested.connect(lambda: self._do("host", workspace.host()))
        window.host_folder_requested.connect(lambda folder: self._do("host", self._host_folder(folder)))
        window.stop_hosting_requested.connect(lambda: self._do("stop hosting", workspace.stop_hosting()))
        window.way_in_requested.connect(lambda wish, name: self._do("find the way in", self._find_way_in(wish, name)))
        window.words_wanted.connect(lambda fingerprint: self._do("words", self._join.words_for(fingerprint)))
        window.join_requested.connect(lambda link, name: self._do("join", workspace.join(link, name)))
        window.connect_requested.connect(
            lambda address, invitation, name: self._do("connect", workspace.connect_to(address, invitation, name))
        )
        window.invite_requested.connect(lambda: self._do("invite", self._copy_invite()))
        window.members_requested.connect(lambda: self._do("members", self._show_members()))
        window.member_decided.connect(lambda decision: self._do("decide", self._decide(decision)))
        window.member_invite_requested.connect(lambda role: self._do("invite", self._copy_member_invite(role)))
        window.access_chosen.connect(lambda role: self._do("access", workspace.owner.set_access(role)))
        window.who_joins_chosen.connect(lambda who: self._do("who joins", self._choose_who_joins(who)))
        window.lock_chosen.connect(lambda is_on: self._do("lock", workspace.owner.set_locked(is_locked=is_on)))
        window.knock_answered.connect(lambda answer: self._do("answer", self._answer_knock(answer)))
        window.name_chosen.connect(self._on_window_name_chosen)
        window.sign_out_requested.connect(lambda: self._do("sign out", workspace.sign_out()))
        window.cancel_requested.connect(workspace.cancel)
        window.check_requested.connect(self._check_connection)
        window.work_locally_requested.connect(workspace.work_locally)
        window.choose_copy_requested.connect(lambda: self._do("compare", self._show_histories()))
        window.history_chosen.connect(
            lambda choice, histories: self._do("choose", workspace.choose_history(choice, histories))
        )
        window.document_chosen.connect(self._on_window_document_chosen)
        window.share_there_requested.connect(self._on_window_share_there)
        window.leave_requested.connect(lambda: self._do("leave", workspace.close()))
        window.sharing_requested.connect(lambda: self._do("patterns", self._show_sharing()))
        window.theme_chosen.connect(self.settings.set_theme)
        window.zoom_changed.connect(lambda zoom: self.settings.set_font_size(_USUAL_FONT_PT + zoom))
        window.closed.connect(self._closing.set)
        self._wire_transfers()

    def _wire_transfers(self) -> None:
        transfers, desk = self._transfers, self.window.transfers
        desk.import_requested.connect(lambda source, folder: self._do("import", self._import(source, folder)))
        desk.export_requested.connect(lambda wish: self._do("export", self._export(wish)))
        desk.cancel_requested.connect(transfers.cancel)
        transfers.progressed.connect(desk.show_progress)

    def _do(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Run what the user asked for; what goes wrong is told inside the window."""
        if self._scope.is_closed:
            work.close()
            return
        task = self._scope.start(name, self._told(work))
        task.add_done_callback(lambda _task: work.close())  # as the scope does for what it was given

    async def _told(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except LinkCancelledError:
            _log.debug("cancelled by the user")
        except TexSwarmError as error:
            _log.info("told the user: %s", error)
            self.window.show_error(error)

    def _on_workspace_opened(self, opened: OpenedProject) -> None:
        self._start.set_name(self.workspace.me.name)
        self.window.show_project(opened.view, opened.participants, opened.presence, opened.lobby)
        opened.view.open_main_file()
        self._show_first()
        self._start.set_recent(self._recent())
        self._calls.answer_for(opened.project.folder)

    def _on_workspace_observed(self, observed: ObservedProject) -> None:
        self.window.show_project(observed.view, observed.participants, observed.presence)
        observed.view.open_main_file()
        self._show_first()

    def _on_links_received(self, link: str) -> None:
        """Somebody followed a link elsewhere: it is shown here, and nothing happens until the user says so."""
        self.window.come_to_front()
        if is_address(link):
            self.window.show_join_dialog(link)

    def _on_nearby_hosts(self, hosts: Hosts) -> None:
        """Where the host of the open project is among them, it is looked for there: known again by its certificate."""
        for host in hosts:
            if host.announcement.fingerprint is not None:
                self.workspace.host_seen(host.announcement.fingerprint, host.addresses)

    def _on_workspace_hosting(self, hosting: Hosting | None) -> None:
        fingerprint = parse_invite_link(hosting.link).fingerprint if hosting is not None and hosting.link else None
        if hosting is not None and fingerprint is not None and not hosting.words and fingerprint != self._words_of:
            self._words_of = fingerprint
            self._do("words", self._show_own_words(fingerprint))

    def _on_workspace_choice(self, choice: DocumentChoice) -> None:
        self._choice = choice
        opened = self.workspace.opened
        title = opened.view.title if opened is not None and choice.can_create else ""
        self.window.show_choice(str(choice.link.address), choice.documents, share_title=title)

    def _on_window_name_chosen(self, name: str) -> None:
        self.workspace.set_name(name)
        self._start.set_name(self.workspace.me.name)

    def _on_window_document_chosen(self, document_id: str) -> None:
        if self._choice is not None:
            self._do("open", self.workspace.choose(self._choice.link, document_id))

    def _on_window_share_there(self) -> None:
        if self._choice is not None:
            self._do("share", self.workspace.share_at(self._choice.link))

    # ── roads ───────────────────────────────────────────────────────────────────────────────────────────

    async def _open_first(self, target: str | None) -> None:
        settings, workspace = self.settings.settings, self.workspace
        try:
            if target is not None and "://" in target:
                self._show_first()
                await workspace.join(target)
            elif target is not None:
                if not await workspace.open(_absolute(target)) and not self._is_shown:
                    self._is_shown = True  # the other window is in front now, and there is nothing to show here
                    self.window.close()
            elif not settings.has_started_before:
                await workspace.open_welcome()
            elif (last := next(iter(self._recent()), None)) is not None and not last.is_missing:
                with suppress(ProjectInUseError):  # another window has it: this one begins on the first page
                    await workspace.open_free(last.folder)
        finally:
            self._show_first()
            if self.settings.problem is not None:
                self.window.show_error(self.settings.problem)
        if not settings.has_started_before and self._is_usual:
            self._executor.submit(_register_links)
        self.settings.set_started()

    def _check_connection(self) -> None:
        """Examine the road to the server that matters now, in a window of its own."""
        from texswarm_desktop.client.join_doctor import JoinDoctor, Visitor  # noqa: PLC0415 - most starts need none
        from texswarm_desktop.services.machine_facts import ThisMachine  # noqa: PLC0415

        link, me = self.workspace.link_to_check(), self.workspace.me
        doctor = JoinDoctor(ThisMachine(), Visitor(me.user_id, me.name))
        text = None if link is None else str(link)
        view = DoctorView(self._scope, lambda: doctor.examine(text))
        self.window.show_doctor(view, server="" if link is None else str(link.address))

    async def _host_folder(self, folder: Path) -> None:
        await self.workspace.open(folder)
        await self.workspace.host()

    async def _import(self, source: str, folder: Path) -> None:
        """What goes wrong is said in the sheet; the project on the desk stays there until the new one is."""
        try:
            report = await self._transfers.bring_in(source, folder)
        except TexSwarmError as error:
            self.window.transfers.show_failed(error)
            return
        self.window.transfers.show_imported(report)
        await self.workspace.open(report.folder)
        opened = self.workspace.opened
        if opened is not None and report.main is not None:
            opened.view.use_as_main(report.main)

    async def _export(self, wish: ExportWish) -> None:
        """What was typed until now is in the files first."""
        opened, shown = self.workspace.opened, self.workspace.opened or self.workspace.observed
        if shown is None:
            return
        try:
            if opened is not None:
                await opened.project.flush()
            report = await self._transfers.give_out(shown.view.folder, wish, shown.view.main_path)
        except TexSwarmError as error:
            self.window.transfers.show_failed(error)
            return
        self.window.transfers.show_exported(report)

    async def _find_way_in(self, wish: JoinWish, name: str) -> None:
        """Look for the way in while the Join dialog waits, which is told of what stands in the way."""
        try:
            link = await self._join.way_in(wish)
        except TexSwarmError as error:
            _log.info("no way in: %s", error)
            self.window.show_join_problem(error)
        else:
            self.window.end_joining()
            await self.workspace.join(str(link), name)

    async def _show_own_words(self, fingerprint: str) -> None:
        try:
            self.workspace.show_words(await self._join.words_for(fingerprint))
        finally:
            self._words_of = None

    async def _choose_who_joins(self, who: WhoJoins) -> None:
        await self.workspace.owner.set_who_joins(who)
        self.settings.set_who_joins(who)

    async def _copy_invite(self) -> None:
        link = await self.workspace.owner.invite()
        QGuiApplication.clipboard().setText(str(link))
        self.window.show_copied(str(link))

    async def _show_histories(self) -> None:
        self.window.show_histories(await self.workspace.compare_histories())

    async def _answer_knock(self, answer: Answer) -> None:
        """Whoever left, or was let in by another owner, need not be answered."""
        try:
            await self.workspace.owner.answer(answer)
        except RejectedError as error:
            if error.code != ErrorCode.NOT_FOUND:
                raise

    async def _show_sharing(self) -> None:
        opened = self.workspace.opened
        if opened is None:
            return
        project = opened.project
        sharing = await project.sharing()
        view = SharingView(self._scope, sharing, survey=project.preview_sharing, save=project.set_sharing)
        self.window.show_sharing(view)

    async def _show_members(self) -> None:
        self.window.show_members(await self.workspace.owner.membership())

    async def _decide(self, decision: Decision) -> None:
        """What a server refuses is said in the sheet, over what holds now."""
        try:
            self.window.update_members(await self.workspace.owner.decide(decision))
        except RejectedError as error:
            self.window.update_members(await self.workspace.owner.membership(), problem=text_of(error).sentence)

    async def _copy_member_invite(self, role: RoleName) -> None:
        QGuiApplication.clipboard().setText(str(await self.workspace.owner.invite(role)))
        self.window.update_members(await self.workspace.owner.membership(), is_copied=True)

    def _recent(self) -> list[RecentProject]:
        return [
            RecentProject(
                Path(known.path), known.title, known.last_opened, known.server, is_missing=not Path(known.path).is_dir()
            )
            for known in self.settings.settings.recent
        ]

    def _show_first(self) -> None:
        """Show the window, once; a window that was closed stays closed."""
        if not self._is_shown:
            self._is_shown = True
            self.window.show()

    def _settle(self) -> None:
        """The window is there: make ready what was waited with."""
        self._show_first()
        self._watch_system()
        if not self._scope.is_closed:
            self.nearby.start()
            self._links.start()
        self._executor.submit(importlib.import_module, "texswarm_desktop.client.connection")
        QTimer.singleShot(_AT_LEISURE_AFTER_MS, self.window, lambda: self._executor.submit(load_ahead))

    def _watch_system(self) -> None:
        """Hear of a lost or another network, and of sleep; imported late, for a fast start."""
        from texswarm_desktop.qtx.sleep_watch import SleepWatch  # noqa: PLC0415
        from texswarm_desktop.services.network_watch import NetworkWatch  # noqa: PLC0415

        watch = NetworkWatch(self.workspace.network_changed, executor=self._executor)
        self._do("network", watch.run())
        sleep = SleepWatch(self.window)
        sleep.woke.connect(self.workspace.woke)
        sleep.listen()
        self._hear_of_the_network()

    def _hear_of_the_network(self) -> None:
        """The system's own word for "no network" may differ from "no address": both count."""
        from PySide6.QtNetwork import QNetworkInformation  # noqa: PLC0415

        if not QNetworkInformation.loadDefaultBackend():
            return
        self._network = QNetworkInformation.instance()
        lost = QNetworkInformation.Reachability.Disconnected
        self._network.reachabilityChanged.connect(lambda now: self.workspace.network_changed(now != lost))


def _websockets(fingerprint: str | None) -> TransportFactory:
    """Loaded when the first link is made, not before the window is there."""
    from texswarm_desktop.client.transport import websocket_transport  # noqa: PLC0415

    return websocket_transport(fingerprint)


def _new_door(fingerprint: str | None) -> OpenCertified:
    from texswarm_desktop.client.transport import door_transport  # noqa: PLC0415

    return door_transport(fingerprint)


def _new_finder(host_address: str) -> NewFinder:
    """Return what makes a finder that looks where this desktop would host; loaded when it is first made."""

    def make(on_change: Callable[[Hosts], object]) -> HostFinder:
        from texswarm_desktop.services.discovery import Browser  # noqa: PLC0415
        from texswarm_server.discovery import addresses_of  # noqa: PLC0415

        return Browser(on_change, find_addresses=addresses_of(host_address))

    return make


def _profile_folder(profile: Path | None) -> Path:
    return profile.resolve() if profile else user_data_path(_NAME, appauthor=False)


def _register_links() -> None:
    """Have the system open links with this program, from its first start on; where that fails, links can be pasted."""
    from texswarm_desktop.services.link_registration import own_command, register_links  # noqa: PLC0415

    try:
        register_links(own_command())
    except TexSwarmError as error:
        _log.info("links are not registered: %s", error)


def _secrets(file: SecretStore, *, is_apart: bool) -> SecretStore:
    """A profile of its own keeps everything in its folder; the usual one asks the system's key ring first."""
    return file if is_apart else KeyringSecretStore(file)


def _absolute(folder: str) -> Path:
    return Path(folder).expanduser().absolute()


async def _as_coroutine(work: Awaitable[None]) -> None:
    await work


def _close_on_signals(close: Callable[[], object]) -> None:
    """End by the usual road when the session ends or somebody presses Ctrl-C; Windows has neither signal."""
    with suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, close)


def _is_taken_over(target: str, profile_dir: Path | None) -> bool:
    """Give what was asked for to the desktop that is running, if it is that one's; a folder, to whoever has it open."""
    if "://" in target:
        return hand_over(socket_name(_profile_folder(profile_dir)), target)
    folder = _absolute(target)
    is_there = call_window_of(folder)
    if is_there:
        sys.stderr.write(f"texswarm: {folder} is open in another window, which was brought to the front\n")
    return is_there


async def _main(
    application: QApplication,
    target: str | None,
    profile: Path | None,
    companion: Companion | None,
    host_address: str,
) -> int:
    async with Desktop(application, profile, host_address=host_address) as desktop:
        _close_on_signals(desktop.window.close)
        desktop.begin(target)
        if companion is not None:
            desktop.accompany(companion)
        await desktop.until_closed()
    return 0


def run(
    *,
    target: str | None,
    profile_dir: Path | None,
    companion: Companion | None = None,
    host_address: str = EVERYWHERE,
) -> int:
    """Run the desktop until its window is closed; returns the exit status. `host_address`: where its server listens."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    application = QApplication(sys.argv[:1])
    application.setApplicationName("TeXSwarm")
    application.setDesktopFileName(_NAME)
    if target is not None and _is_taken_over(target, profile_dir):
        return 0
    with GuiThreadGarbage(), asyncio.Runner(loop_factory=loop_factory(application)) as runner:
        return runner.run(_main(application, target, profile_dir, companion, host_address))
