"""The application object of Qt, which macOS tells of the links that somebody follows: there they come as events.

On other systems a link starts the program again, and `single_instance` hands it over.
"""

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QEvent, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

_SCHEME: Final = "texswarm"


class Application(QApplication):
    """Passes on each link of ours; one that comes before anybody takes them waits, as the one that started the program.

    No event filter: one of an application sees every event of the program, each key press among them.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(list(arguments))
        self._take: Callable[[str], None] | None = None
        self._waiting: list[str] = []

    def take_links(self, take: Callable[[str], None] | None) -> None:
        """Let `take` have the links that came and that come; None: nobody takes them any more."""
        self._take = take
        waiting, self._waiting = self._waiting, []
        for link in waiting:
            self._pass_on(link)

    def _pass_on(self, link: str) -> None:
        if self._take is None:
            self._waiting.append(link)
        else:
            self._take(link)

    def event(self, event: QEvent) -> bool:
        """Take a link out of what the system wants to have opened."""
        if isinstance(event, QFileOpenEvent) and event.url().scheme() == _SCHEME:
            self._pass_on(event.url().toString(QUrl.ComponentFormattingOption.FullyEncoded))
            return True
        return super().event(event)
