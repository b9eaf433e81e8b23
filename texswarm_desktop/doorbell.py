"""What other programs on this computer ring: for a link that somebody follows, or for the folder that is open here.

Nobody can ring before there is a window, so this is loaded when it can be seen.
"""

from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from texswarm_desktop.qtx.single_instance import FolderCalls, LinkReceiver, socket_name
from texswarm_desktop.ui.error_texts import sentence_of
from texswarm_desktop.ui.main_window import MainWindow
from texswarm_desktop.viewmodels.connection_view import ConnectionView
from texswarm_desktop.viewmodels.folder_news import FolderNews
from texswarm_desktop.viewmodels.opened_project import OpenedProject


class Doorbell:
    """Invariant: it is answered for one project at most. `show_link` gets each link that is followed elsewhere."""

    def __init__(
        self,
        profile: Path,
        window: MainWindow,
        *,
        show_link: Callable[[str], None],
        status: ConnectionView,
        executor: Executor,
    ) -> None:
        self._window, self._status, self._executor = window, status, executor
        self.links = LinkReceiver(socket_name(profile), window)
        self.links.link_received.connect(show_link)
        self._calls = FolderCalls(window)
        self._calls.called.connect(window.come_to_front)
        self._news: FolderNews | None = None

    async def answer_for(self, opened: OpenedProject) -> None:
        """Say from now on that this project is open here, and how it stands."""
        await self.fall_silent()
        self._calls.answer_for(opened.project.folder)
        self._news = FolderNews(
            opened, self._status, sentence_of=sentence_of, executor=self._executor, parent=self._window
        )
        await self._news.run()

    def fall_silent(self) -> Coroutine[Any, Any, None]:
        """Say nothing of any project, at once; before its views are closed. What is returned waits until it is so.

        Where the desktop ends, a task may not come to its first step.
        """
        self._calls.stop()
        news, self._news = self._news, None
        if news is not None:
            news.stop()
        return _ended(news)

    async def close(self) -> None:
        """Hear nobody any more."""
        self.links.close()
        await self.fall_silent()


async def _ended(news: FolderNews | None) -> None:
    if news is not None:
        await news.close()
