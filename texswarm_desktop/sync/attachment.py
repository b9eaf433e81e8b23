"""Beside another program that has the folder open: what it tells is passed on, until it lets go of the folder.

Nothing is written or sent meanwhile. Knows no project and no server.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import aclosing
from typing import Final

from texswarm_desktop.core.figure_travel import Progress
from texswarm_desktop.core.holder_news import HolderNews, keeps_with
from texswarm_desktop.services.folder_lock import holder_of
from texswarm_desktop.services.holder_talk import news_of_holder
from texswarm_desktop.services.project_entry import lock_path
from texswarm_desktop.sync.options import SyncOptions
from texswarm_desktop.sync.reporter import Reporter
from texswarm_desktop.viewmodels.figure_view import TransferFacts
from texswarm_server.protocol.errors import ProjectInUseError, RejectedError
from texswarm_server.protocol.invite_link import InviteLink

_LOOK_AGAIN_S: Final = 0.5


class Attachment:
    """`holder`: who has the folder; None while nobody else does, as far as is known here.

    `on_news` is called with whatever the holder tells.
    """

    def __init__(
        self,
        options: SyncOptions,
        reporter: Reporter,
        *,
        executor: Executor,
        on_news: Callable[[HolderNews], None],
    ) -> None:
        self._options = options
        self._reporter = reporter
        self._executor = executor
        self._on_news = on_news
        self._link: InviteLink | None = None
        self._told: HolderNews | None = None
        self.holder: ProjectInUseError | None = None

    @property
    def is_mute(self) -> bool:
        """Whether somebody else has the folder and has not said how things stand."""
        return self.holder is not None and self._told is None

    async def until_free(self, holder: ProjectInUseError, link: InviteLink | None) -> bool:
        """Return False once nobody else has the folder, and with `--once` True when all is at rest.

        Then also raises ProjectInUseError where the folder is kept the same as something else than `link` leads to,
        and RejectedError where the holder does not go on without its user.
        """
        self._link = link
        current: ProjectInUseError | None = holder
        while current is not None:
            self._attach(current)
            is_certain = False
            news = news_of_holder(self._options.folder, asks_rest=self._options.once, executor=self._executor)
            async with aclosing(news):
                async for one in news:
                    if not is_certain:  # who took the folder just before may not have put its name in the lock by then
                        current, is_certain = await self._look() or current, True
                        self._attach(current)
                    if self._is_done(one, current):
                        return True
            current = await self._look()
            if current is not None:
                await asyncio.sleep(_LOOK_AGAIN_S)
        self.holder = self._told = None
        self._reporter.attached(None, is_once=self._options.once)
        return False

    async def _look(self) -> ProjectInUseError | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, holder_of, lock_path(self._options.folder))

    def _attach(self, holder: ProjectInUseError) -> None:
        if self.holder is None or self.holder.pid != holder.pid:
            self._told = None
            self._reporter.attached(holder, is_once=self._options.once)
        self.holder = holder

    def _pass_on_files(self, before: HolderNews, news: HolderNews) -> None:
        reporter = self._reporter
        if before.problem != news.problem:
            reporter.problem_told(news.problem or None)
        for path, sentence in news.files.items():
            if before.files.get(path) != sentence:
                reporter.file_told(path, sentence)
        for path in before.files.keys() - news.files.keys():
            reporter.file_told(path, None)
        if before.notes.keys() != news.notes.keys():
            reporter.not_shared_told(news.notes, sorted(before.notes.keys() - news.notes.keys()))
        travel = (news.sending, news.fetching)
        if travel != (before.sending, before.fetching):
            both = [Progress(one.done, one.total, one.files, 0.0) if one is not None else None for one in travel]
            reporter.transfer(TransferFacts(*both) if any(both) else None)

    def _is_done(self, news: HolderNews, holder: ProjectInUseError) -> bool:
        before, self._told = self._told, news
        self._on_news(news)
        if before is None or (before.state, before.text) != (news.state, news.text):
            self._reporter.holder_status(news)
        self._pass_on_files(before or HolderNews(), news)
        if self._options.once and not keeps_with(news, self._link):
            raise holder
        if self._options.once and news.code:
            raise RejectedError(news.code)
        return news.is_at_rest
