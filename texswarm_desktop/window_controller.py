"""Has done what the user asks for in the window: the workspace does it, the window is shown what came of it.

It decides nothing about projects and servers, and knows no widget below the window. What goes wrong is told inside it.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from texswarm_desktop.client.link import FindProxy
from texswarm_desktop.client.server_talk import LinkCancelledError
from texswarm_desktop.client.status import Hosting
from texswarm_desktop.core.settings import USUAL_FONT_SIZE_PT
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_desktop.qtx.task_scope import TaskScope
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_desktop.ui.error_texts import text_of
from texswarm_desktop.ui.main_window import MainWindow
from texswarm_desktop.viewmodels.joining import JoinView, JoinWish
from texswarm_desktop.viewmodels.lobby_view import Answer
from texswarm_desktop.viewmodels.start_view import StartView
from texswarm_desktop.viewmodels.transfers import ExportWish, Transfers
from texswarm_desktop.viewmodels.workspace import DocumentChoice, Workspace
from texswarm_server.protocol.errors import ErrorCode, RejectedError, TexSwarmError
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link
from texswarm_server.protocol.messages import RoleName

if TYPE_CHECKING:
    from texswarm_desktop.viewmodels.membership import Decision

_log: Final = logging.getLogger(__name__)


class WindowController:
    """Stands between one window and its workspace. Its tasks are those of `scope`."""

    def __init__(
        self,
        window: MainWindow,
        workspace: Workspace,
        *,
        scope: TaskScope,
        start: StartView,
        join: JoinView,
        settings: SettingsStore,
        transfers: Transfers,
        find_proxy: FindProxy,
    ) -> None:
        self._window, self._workspace = window, workspace
        self._scope = scope
        self._start, self._join = start, join
        self._settings = settings
        self._transfers, self._find_proxy = transfers, find_proxy
        self._choice: DocumentChoice | None = None
        self._words_of: str | None = None
        self._wire_projects()
        self._wire_servers()
        self._wire_hosting()
        self._wire_members()
        self._wire_transfers()

    def do(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
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
            self._window.show_error(error)

    # ── wiring ──────────────────────────────────────────────────────────────────────────────────────────

    def _wire_projects(self) -> None:
        window, workspace = self._window, self._workspace
        window.new_requested.connect(lambda title, template: self.do("new", workspace.new(title, template)))
        window.open_folder_requested.connect(lambda folder: self.do("open", workspace.open(folder)))
        window.reopen_requested.connect(lambda: self.do("open again", workspace.reopen()))
        window.leave_requested.connect(lambda: self.do("leave", workspace.close()))
        window.sharing_requested.connect(lambda: self.do("patterns", self._show_sharing()))
        window.theme_chosen.connect(self._settings.set_theme)
        window.zoom_changed.connect(lambda zoom: self._settings.set_font_size(USUAL_FONT_SIZE_PT + zoom))

    def _wire_servers(self) -> None:
        window, meeting, workspace = self._window, self._window.meeting, self._workspace
        meeting.way_in_requested.connect(lambda wish, name: self.do("find the way in", self._find_way_in(wish, name)))
        meeting.words_wanted.connect(lambda fingerprint: self.do("words", self._join.words_for(fingerprint)))
        meeting.join_requested.connect(lambda link, name: self.do("join", self.join(link, name)))
        window.connect_requested.connect(
            lambda *asked: self.do("connect", self._follow(lambda: workspace.connect_to(*asked)))
        )
        meeting.name_chosen.connect(self._on_meeting_name_chosen)
        meeting.sign_out_requested.connect(lambda: self.do("sign out", workspace.sign_out()))
        window.cancel_requested.connect(workspace.cancel)
        window.check_requested.connect(self._check_connection)
        window.work_locally_requested.connect(workspace.work_locally)
        window.choose_copy_requested.connect(lambda: self.do("compare", self._show_histories()))
        window.history_chosen.connect(
            lambda choice, histories: self.do("choose", workspace.choose_history(choice, histories))
        )
        window.document_chosen.connect(self._on_window_document_chosen)
        window.share_there_requested.connect(self._on_window_share_there)
        workspace.choice_needed.connect(self._on_workspace_choice)
        workspace.copy_met.connect(window.show_histories)

    def _wire_hosting(self) -> None:
        window, meeting = self._window, self._window.meeting
        workspace, owner = self._workspace, self._workspace.owner
        window.host_requested.connect(lambda: self.do("host", workspace.host()))
        window.host_folder_requested.connect(lambda folder: self.do("host", self._host_folder(folder)))
        window.stop_hosting_requested.connect(lambda: self.do("stop hosting", workspace.stop_hosting()))
        meeting.access_chosen.connect(lambda role: self.do("access", owner.set_access(role)))
        meeting.who_joins_chosen.connect(lambda who: self.do("who joins", self._choose_who_joins(who)))
        meeting.lock_chosen.connect(lambda is_on: self.do("lock", owner.set_locked(is_locked=is_on)))
        workspace.hosting_changed.connect(self._on_workspace_hosting)

    def _wire_members(self) -> None:
        window, meeting = self._window, self._window.meeting
        window.invite_requested.connect(lambda: self.do("invite", self._copy_invite()))
        meeting.members_requested.connect(lambda: self.do("members", self._show_members()))
        meeting.members_outdated.connect(lambda: self.do("members", self._look_at_members_again()))
        meeting.member_decided.connect(lambda decision: self.do("decide", self._decide(decision)))
        meeting.member_invite_requested.connect(lambda role: self.do("invite", self._copy_member_invite(role)))
        meeting.knock_answered.connect(lambda answer: self.do("answer", self._answer_knock(answer)))

    def _wire_transfers(self) -> None:
        transfers, desk = self._transfers, self._window.transfers
        desk.import_requested.connect(lambda source, folder: self.do("import", self._import(source, folder)))
        desk.export_requested.connect(lambda wish: self.do("export", self._export(wish)))
        desk.cancel_requested.connect(transfers.cancel)
        transfers.progressed.connect(desk.show_progress)

    # ── projects ────────────────────────────────────────────────────────────────────────────────────────

    async def _import(self, source: str, folder: Path) -> None:
        """What goes wrong is said in the sheet; the project on the desk stays there until the new one is."""
        try:
            report = await self._transfers.bring_in(source, folder)
        except TexSwarmError as error:
            self._window.transfers.show_failed(error)
            return
        self._window.transfers.show_imported(report)
        await self._workspace.open(report.folder)
        opened = self._workspace.opened
        if opened is not None and report.main is not None:
            opened.view.use_as_main(report.main)

    async def _export(self, wish: ExportWish) -> None:
        """What was typed until now is in the files first."""
        opened, shown = self._workspace.opened, self._workspace.opened or self._workspace.observed
        if shown is None:
            return
        try:
            if opened is not None:
                await opened.project.flush()
            report = await self._transfers.give_out(shown.view.folder, wish, shown.view.main_path)
        except TexSwarmError as error:
            self._window.transfers.show_failed(error)
            return
        self._window.transfers.show_exported(report)

    async def _show_sharing(self) -> None:
        opened = self._workspace.opened
        if opened is None:
            return
        project = opened.project
        sharing = await project.sharing()
        from texswarm_desktop.viewmodels.sharing_view import SharingView  # noqa: PLC0415 - seldom looked at

        view = SharingView(self._scope, sharing, survey=project.preview_sharing, save=project.set_sharing)
        self._window.show_sharing(view)

    # ── servers ─────────────────────────────────────────────────────────────────────────────────────────

    async def _find_way_in(self, wish: JoinWish, name: str) -> None:
        """Look for the way in while the Join dialog waits, which is told of what stands in the way."""
        tried: list[InviteLink] = []
        try:
            link = await self._join.way_in(wish, tried.append)
        except TexSwarmError as error:
            _log.info("no way in: %s", error)
            road = tried[-1] if tried else None
            self._workspace.road_failed(road)
            if not self._window.meeting.show_join_problem(error, road):
                self._window.show_error(error, road)
        else:
            self._window.meeting.end_joining()
            await self.join(str(link), name)

    async def join(self, link: str, name: str = "") -> None:
        """Follow a link that somebody sent."""
        await self._follow(lambda: self._workspace.join(link, name))

    async def _follow(self, go: Callable[[], Awaitable[None]]) -> None:
        """Go where a link leads; where that is nowhere, it is its road that can be looked at, not the project's."""
        try:
            await go()
        except LinkCancelledError:
            raise
        except TexSwarmError as error:
            _log.info("a link led nowhere: %s", error)
            self._window.show_error(error, self._workspace.last_followed)

    def _on_meeting_name_chosen(self, name: str) -> None:
        self._workspace.set_name(name)
        self._start.set_name(self._workspace.me.name)

    def _on_workspace_choice(self, choice: DocumentChoice) -> None:
        self._choice = choice
        opened = self._workspace.opened
        title = opened.view.title if opened is not None and choice.can_create else ""
        self._window.show_choice(str(choice.link.address), choice.documents, share_title=title)

    def _on_window_document_chosen(self, document_id: str) -> None:
        if self._choice is not None:
            link = self._choice.link
            self.do("open", self._follow(lambda: self._workspace.choose(link, document_id)))

    def _on_window_share_there(self) -> None:
        if self._choice is not None:
            self.do("share", self._workspace.share_at(self._choice.link))

    async def _show_histories(self) -> None:
        self._window.show_histories(await self._workspace.compare_histories())

    def _check_connection(self, road: InviteLink | None) -> None:
        """Examine a road, or (None) the one to the server that matters now, in a window of its own."""
        from texswarm_desktop.client.join_doctor import JoinDoctor, Visitor  # noqa: PLC0415 - most starts need none
        from texswarm_desktop.services.embedded_server import likely_ports  # noqa: PLC0415
        from texswarm_desktop.services.machine_facts import ThisMachine  # noqa: PLC0415
        from texswarm_desktop.viewmodels.doctor_view import DoctorView  # noqa: PLC0415

        link, me = road or self._workspace.link_to_check(), self._workspace.me
        hosting = self._workspace.hosting
        doctor = JoinDoctor(
            ThisMachine(),
            Visitor(me.user_id, me.name),
            ask_server=self._workspace.question_to_server() if road is None else None,
            find_proxy=self._find_proxy,
            host_ports=[parse_invite_link(hosting.link).address.port] if hosting and hosting.link else likely_ports(),
        )
        text = None if link is None else str(link)
        view = DoctorView(self._scope, lambda: doctor.examine(text))
        self._window.show_doctor(view, server="" if link is None else str(link.address))

    # ── hosting ─────────────────────────────────────────────────────────────────────────────────────────

    async def _host_folder(self, folder: Path) -> None:
        await self._workspace.open(folder)
        await self._workspace.host()

    async def _choose_who_joins(self, who: WhoJoins) -> None:
        await self._workspace.owner.set_who_joins(who)
        self._settings.set_who_joins(who)

    def _on_workspace_hosting(self, hosting: Hosting | None) -> None:
        fingerprint = parse_invite_link(hosting.link).fingerprint if hosting is not None and hosting.link else None
        if hosting is not None and fingerprint is not None and not hosting.words and fingerprint != self._words_of:
            self._words_of = fingerprint
            self.do("words", self._show_own_words(fingerprint))

    async def _show_own_words(self, fingerprint: str) -> None:
        try:
            self._workspace.show_words(await self._join.words_for(fingerprint))
        finally:
            self._words_of = None

    # ── members ─────────────────────────────────────────────────────────────────────────────────────────

    async def _copy_invite(self) -> None:
        link = await self._workspace.owner.invite()
        self._window.copy(str(link))
        self._window.show_copied(str(link))

    async def _show_members(self) -> None:
        self._window.meeting.show_members(await self._workspace.owner.membership())

    async def _look_at_members_again(self) -> None:
        """Nobody asked for that: where it cannot be had, what was shown stays."""
        with suppress(TexSwarmError):
            self._window.meeting.update_members(await self._workspace.owner.membership())

    async def _decide(self, decision: "Decision") -> None:
        """What a server refuses is said in the sheet, over what holds now."""
        try:
            self._window.meeting.update_members(await self._workspace.owner.decide(decision))
        except RejectedError as error:
            self._window.meeting.update_members(
                await self._workspace.owner.membership(), problem=text_of(error).sentence
            )

    async def _copy_member_invite(self, role: RoleName) -> None:
        self._window.copy(str(await self._workspace.owner.invite(role)))
        self._window.meeting.update_members(await self._workspace.owner.membership(), is_copied=True)

    async def _answer_knock(self, answer: Answer) -> None:
        """Whoever left, or was let in by another owner, need not be answered."""
        try:
            await self._workspace.owner.answer(answer)
        except RejectedError as error:
            if error.code != ErrorCode.NOT_FOUND:
                raise
