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
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from platformdirs import user_data_path, user_documents_path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from texswarm_desktop.core.settings import USUAL_FONT_SIZE_PT
from texswarm_desktop.qtx.application import Application
from texswarm_desktop.qtx.garbage import GuiThreadGarbage
from texswarm_desktop.qtx.loop import loop_factory
from texswarm_desktop.qtx.task_scope import TaskScope
from texswarm_desktop.services.credentials import CredentialStore
from texswarm_desktop.services.host_identity import HostIdentity
from texswarm_desktop.services.known_hosts import KnownHosts
from texswarm_desktop.services.library import Library
from texswarm_desktop.services.secret_store import FileSecretStore, KeyringSecretStore, SecretStore
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_desktop.services.wakefulness import KeepAwake
from texswarm_desktop.ui.editor.latex_editor import LatexEditor
from texswarm_desktop.ui.error_texts import need_words
from texswarm_desktop.ui.main_window import MainWindow
from texswarm_desktop.ui.theme import Theme, ThemeMode
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.joining import JoinView
from texswarm_desktop.viewmodels.nearby_view import Hosts, NearbyView
from texswarm_desktop.viewmodels.opened_project import OpenedProject
from texswarm_desktop.viewmodels.sharing import EVERYWHERE
from texswarm_desktop.viewmodels.start_view import RecentProject, StartView, is_address
from texswarm_desktop.viewmodels.transfers import Transfers
from texswarm_desktop.viewmodels.workspace import Workspace
from texswarm_desktop.ways import Ways, new_finder
from texswarm_desktop.window_controller import WindowController
from texswarm_server.protocol.errors import ProjectInUseError, StorageError, TexSwarmError

if TYPE_CHECKING:
    from texswarm_desktop.doorbell import Doorbell
    from texswarm_desktop.viewmodels.observed_project import ObservedProject

_log: Final = logging.getLogger(__name__)
_NAME: Final = "texswarm"
_DISK_WORKERS: Final = 4
#: A window without a project is shown after this, and one that the system shows nowhere is not waited for longer.
_SHOWN_AFTER_MS: Final = 400
_SEEN_WITHIN_S: Final = 0.4
_SETTLED_AFTER_S: Final = 0.2
_AT_LEISURE_AFTER_MS: Final = 1500
_LOADED_AT_LEISURE: Final = tuple(
    f"texswarm_desktop.ui.dialogs.{name}" for name in ("host_sheet", "join_dialog", "members_sheet", "doctor_dialog")
)

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
        self._profile = folder = _profile_folder(profile)
        self._executor = ThreadPoolExecutor(_DISK_WORKERS, thread_name_prefix="disk")
        self._ways = Ways()
        self._scope = TaskScope("desktop")
        self._closing = asyncio.Event()
        self._seen = asyncio.Event()
        self._network: Any = None
        self._shown = asyncio.Event()
        self._is_usual = profile is None
        self.settings = SettingsStore(folder)
        self._host_identity = HostIdentity(folder / "host-identity")
        projects = folder / "projects" if profile else user_documents_path() / "TeXSwarm"
        self._library = Library(projects, settings=self.settings, executor=self._executor)
        self.status = ConnectionView(clock=time.monotonic, words=need_words)
        self.workspace = self._new_workspace(folder, host_address, keep_awake)
        self._start = StartView(recent=self._recent(), name=self.workspace.me.name)
        self.theme = Theme(application, ThemeMode(self.settings.settings.theme))
        self.nearby = NearbyView(new_finder(host_address) if finds_hosts else None)
        known = KnownHosts(folder / "known-hosts.json")
        self._join = JoinView(
            nearby=self.nearby,
            known=known,
            new_door=self._ways.door,
            executor=self._executor,
            own_fingerprint=self._host_identity.kept_fingerprint,
        )
        self.window = self._new_window()
        self._controller = self._new_controller()
        self._doorbell: Doorbell | None = None
        self._wire_workspace()
        self.window.closed.connect(self._closing.set)
        self.window.painted.connect(self._seen.set)
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
            host_identity=self._host_identity,
            new_transport=self._ways.websockets,
            scope=self._scope,
            host_address=host_address,
            keep_awake=keep_awake,
            bring_up=_call_window_of,
            until_seen=self._until_seen,
        )

    def _new_window(self) -> MainWindow:
        return MainWindow(
            theme=self.theme,
            start=self._start,
            join=self._join,
            connection=self.status,
            zoom=self.settings.settings.font_size_pt - USUAL_FONT_SIZE_PT,
            projects_folder=str(self._library.projects_folder),
        )

    def _new_controller(self) -> WindowController:
        return WindowController(
            self.window,
            self.workspace,
            scope=self._scope,
            start=self._start,
            join=self._join,
            settings=self.settings,
            transfers=Transfers(self._executor),
            find_proxy=self._ways.proxy_for,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._scope.close()
        if self._doorbell is not None:
            await self._doorbell.close()
            self._doorbell = None
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

    def begin(self, target: str | None, *, asks: bool = False) -> None:
        """Open what was asked for, or what was open last, on the first start a small paper; and show the window.

        It is shown with the project in it, or after a moment without. `asks`: a link is shown over what was open last,
        for the user to say whether it is followed.
        """
        self._controller.do("begin", self._open_first(target, asks=asks))
        QTimer.singleShot(_SHOWN_AFTER_MS, self.window, self._show_first)
        self._scope.start("settle", self._settle())

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

    def show_link(self, link: str) -> None:
        """Somebody followed a link elsewhere: it is shown here, and nothing happens until the user says so."""
        self.window.come_to_front()
        if is_address(link):
            self.window.meeting.show_join_dialog(link)

    def set_theme(self, name: str) -> None:
        """Wear another theme: system, light or dark."""
        self.theme.set_mode(ThemeMode(name))

    @property
    def doorbell(self) -> "Doorbell":
        """What other programs on this computer ring; loaded when it is first asked for."""
        from texswarm_desktop.doorbell import Doorbell  # noqa: PLC0415 - it brings what speaks to the network

        if self._doorbell is None:
            self._doorbell = Doorbell(
                self._profile, self.window, show_link=self.show_link, status=self.status, executor=self._executor
            )
        return self._doorbell

    @property
    def editor(self) -> LatexEditor | None:
        """The editor in front, None while no file is open."""
        page = self.window.page
        return page.area.editor if page else None

    # ── wiring ──────────────────────────────────────────────────────────────────────────────────────────

    def _wire_workspace(self) -> None:
        workspace = self.workspace
        self.window.came_back.connect(workspace.came_back)
        workspace.opened_changed.connect(self._on_workspace_opened)
        workspace.observed_changed.connect(self._on_workspace_observed)
        workspace.attached.connect(self.window.show_attached)
        workspace.closing.connect(self.window.show_start)
        workspace.closing.connect(self._on_workspace_closing)
        workspace.notice.connect(self.window.show_error)
        workspace.put_aside.connect(self.window.show_put_aside)
        workspace.busy_changed.connect(self._start.set_busy)
        self.settings.on_problem = self.window.show_error

    def _on_workspace_opened(self, opened: OpenedProject) -> None:
        self._start.set_name(self.workspace.me.name)
        self.window.show_project(opened.view, opened.participants, opened.presence, opened.lobby)
        opened.view.open_main_file()
        self._show_first()
        self._start.set_recent(self._recent())
        self._scope.start("doorbell", self._answer_for(opened))

    async def _answer_for(self, opened: OpenedProject) -> None:
        """Let other programs on this computer know who has the project, once it can be seen here."""
        await self._until_seen()
        if self.workspace.opened is opened:
            await self.doorbell.answer_for(opened)

    def _on_workspace_closing(self) -> None:
        if self._doorbell is not None:
            self._scope.start("doorbell", self._doorbell.fall_silent())

    def _on_workspace_observed(self, observed: "ObservedProject") -> None:
        self.window.show_project(observed.view, observed.participants, observed.presence)
        observed.view.open_main_file()
        self._show_first()

    def _on_nearby_hosts(self, hosts: Hosts) -> None:
        """Where the host of the open project is among them, it is looked for there: known again by its certificate."""
        from texswarm_desktop.core.nearby import places_by_fingerprint  # noqa: PLC0415

        for fingerprint, said in places_by_fingerprint(hosts).items():
            self.workspace.host_seen(fingerprint, said.addresses, said.lately)

    # ── roads ───────────────────────────────────────────────────────────────────────────────────────────

    async def _open_first(self, target: str | None, *, asks: bool) -> None:
        settings, workspace = self.settings.settings, self.workspace
        link = target if target is not None and "://" in target else None
        try:
            if link is not None and not asks:
                self._show_first()
                await self._controller.join(link)
            elif target is not None and link is None:
                if not await workspace.open(_absolute(target)) and not self._shown.is_set():
                    self._shown.set()  # the other window is in front now, and there is nothing to show here
                    self.window.close()
            elif not settings.has_started_before and link is None:
                await workspace.open_welcome()
            elif (last := next(iter(self._recent()), None)) is not None and not last.is_missing:
                with suppress(ProjectInUseError):  # another window has it: this one begins on the first page
                    await workspace.open_free(last.folder)
        finally:
            self._show_first()
            if self.settings.problem is not None:
                self.window.show_error(self.settings.problem)
            if link is not None and asks:
                self.show_link(link)
        if not settings.has_started_before and self._is_usual:
            self._executor.submit(_register_links)
        self.settings.set_started()

    def _recent(self) -> list[RecentProject]:
        return [
            RecentProject(
                Path(known.path), known.title, known.last_opened, known.server, is_missing=not Path(known.path).is_dir()
            )
            for known in self.settings.settings.recent
        ]

    async def _until_seen(self) -> None:
        """Return when the window can be seen, or was shown and still cannot."""
        await self._shown.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SEEN_WITHIN_S):
                await self._seen.wait()

    def _show_first(self) -> None:
        """Show the window, once; a window that was closed stays closed."""
        if not self._shown.is_set():
            self._shown.set()
            self.window.show()

    async def _settle(self) -> None:
        """The window is there: make ready what was waited with."""
        await self._until_seen()
        await asyncio.sleep(_SETTLED_AFTER_S)
        self._watch_system()
        self.nearby.start()
        self.doorbell.links.start()
        self._executor.submit(importlib.import_module, "texswarm_desktop.client.connection")
        QTimer.singleShot(_AT_LEISURE_AFTER_MS, self.window, lambda: self._executor.submit(_load_at_leisure))

    def _watch_system(self) -> None:
        """Hear of a lost or another network, and of sleep; imported late, for a fast start."""
        from texswarm_desktop.qtx.sleep_watch import SleepWatch  # noqa: PLC0415
        from texswarm_desktop.services.network_watch import NetworkWatch  # noqa: PLC0415

        watch = NetworkWatch(self.workspace.network_changed, executor=self._executor)
        self._controller.do("network", watch.run())
        sleep = SleepWatch(self.window)
        sleep.woke.connect(self.workspace.woke)
        sleep.listen()
        self._hear_of_the_network()

    def _hear_of_the_network(self) -> None:
        """The system's own word for "no network" may mean that there is no way out of it: others may still be in it."""
        from PySide6.QtNetwork import QNetworkInformation  # noqa: PLC0415

        if not QNetworkInformation.loadDefaultBackend():
            return
        self._network = QNetworkInformation.instance()
        lost = QNetworkInformation.Reachability.Disconnected
        self._network.reachabilityChanged.connect(lambda now: self.workspace.way_out_changed(now != lost))
        self._network.isBehindCaptivePortalChanged.connect(self._on_captive_portal)

    def _on_captive_portal(self, is_behind: bool) -> None:
        if not is_behind:
            self.workspace.network_changed(is_online=True)


def _load_at_leisure() -> None:
    """Load what is likely to be asked for next, so that the first time is as quick as the second. In any thread."""
    for name in _LOADED_AT_LEISURE:
        importlib.import_module(name)
    from texswarm_desktop.services.embedded_server import load_ahead  # noqa: PLC0415

    load_ahead()


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


def _call_window_of(folder: Path) -> bool:
    """Ask another window that has a folder open to come to the front, and tell whether there is one."""
    from texswarm_desktop.qtx.single_instance import call_window_of  # noqa: PLC0415 - most starts call nobody

    return call_window_of(folder)


def _is_taken_over(target: str, profile_dir: Path | None) -> bool:
    """Give what was asked for to the desktop that is running, if it is that one's; a folder, to whoever has it open."""
    from texswarm_desktop.qtx.single_instance import hand_over, socket_name  # noqa: PLC0415 - as above

    if "://" in target:
        return hand_over(socket_name(_profile_folder(profile_dir)), target)
    folder = _absolute(target)
    is_there = _call_window_of(folder)
    if is_there:
        sys.stderr.write(f"texswarm: {folder} is open in another window, which was brought to the front\n")
    return is_there


async def _main(
    application: Application,
    target: str | None,
    profile: Path | None,
    *,
    asks: bool,
    companion: Companion | None,
    host_address: str,
) -> int:
    async with Desktop(application, profile, host_address=host_address) as desktop:
        _close_on_signals(desktop.window.close)
        desktop.begin(target, asks=asks)
        if companion is not None:
            desktop.accompany(companion)
        application.take_links(desktop.show_link)
        try:
            await desktop.until_closed()
        finally:
            application.take_links(None)
    return 0


def run(
    *,
    target: str | None,
    profile_dir: Path | None,
    asks: bool = False,
    companion: Companion | None = None,
    host_address: str = EVERYWHERE,
) -> int:
    """Run the desktop until its window is closed; returns the exit status.

    `asks`: a link is followed only when the user says so. `host_address`: where its server listens.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    application = Application(sys.argv[:1])
    application.setApplicationName("TeXSwarm")
    application.setDesktopFileName(_NAME)
    if target is not None and _is_taken_over(target, profile_dir):
        return 0
    with GuiThreadGarbage(), asyncio.Runner(loop_factory=loop_factory(application)) as runner:
        return runner.run(
            _main(application, target, profile_dir, asks=asks, companion=companion, host_address=host_address)
        )
