"""The patterns of one project while somebody changes them, and what they match at each moment. Knows no widgets."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from PySide6.QtCore import QObject, Signal

from texswarm_desktop.core.ignore_rules import Sharing
from texswarm_desktop.core.sharing_preview import SharingPreview, with_patterns
from texswarm_desktop.qtx.task_scope import TaskScope
from texswarm_desktop.qtx.timers import SingleShot
from texswarm_server.protocol.errors import TexSwarmError

#: After the last key press.
_PAUSE_S: Final = 0.15

Survey = Callable[[Sharing], Awaitable[SharingPreview]]
Save = Callable[[Sharing], Awaitable[None]]


class SharingView(QObject):
    """Signals: `preview_changed(SharingPreview)`; `saved()`; `failed(TexSwarmError)`."""

    preview_changed = Signal(object)
    saved = Signal()
    failed = Signal(object)

    def __init__(
        self, scope: TaskScope, sharing: Sharing, *, survey: Survey, save: Save, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._scope, self._survey, self._save = scope, survey, save
        self._number = 0
        self._timer = SingleShot(self._look, self)
        self.sharing = sharing

    def begin(self) -> None:
        """Say for the first time what is matched."""
        self._look()

    def change(self, share: str, leave_out: str) -> None:
        """Take in what was typed, a pattern a line, and say soon what that matches."""
        self.sharing = with_patterns(self.sharing, share, leave_out)
        self._timer.start(_PAUSE_S)

    def save(self) -> None:
        """Let what was typed hold from now on."""
        self._start("save the patterns", self._store())

    def _look(self) -> None:
        self._number += 1
        self._start("match the patterns", self._match(self._number))

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        if self._scope.is_closed:
            work.close()
        else:
            self._scope.start(name, work)

    async def _match(self, number: int) -> None:
        try:
            found = await self._survey(self.sharing)
        except TexSwarmError as error:
            self.failed.emit(error)
            return
        if number == self._number:
            self.preview_changed.emit(found)

    async def _store(self) -> None:
        try:
            await self._save(self.sharing)
        except TexSwarmError as error:
            self.failed.emit(error)
        else:
            self.saved.emit()
