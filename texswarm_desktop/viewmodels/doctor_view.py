"""An examination of the road to a server, as it goes on: findings come one by one. Knows no widgets and no words."""

from collections.abc import AsyncIterator, Callable

from PySide6.QtCore import QObject, Signal

from texswarm_desktop.core.doctor import Finding
from texswarm_desktop.qtx.task_scope import TaskScope

Examine = Callable[[], AsyncIterator[Finding]]


class DoctorView(QObject):
    """One examination at a time; a new one takes the place of the one that runs.

    Signals: `begun()`; `found(Finding)`; `finished()` after the last one.
    """

    begun = Signal()
    found = Signal(object)
    finished = Signal()

    def __init__(self, scope: TaskScope, examine: Examine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scope, self._examine = scope, examine
        self._number = 0
        self.findings: list[Finding] = []

    def examine(self) -> None:
        """Begin, or begin again."""
        self._number += 1
        self.findings = []
        self.begun.emit()
        if not self._scope.is_closed:
            self._scope.start("doctor", self._run(self._number))

    def stop(self) -> None:
        """Tell nothing more."""
        self._number += 1

    async def _run(self, number: int) -> None:
        async for finding in self._examine():
            if number != self._number:
                return
            self.findings.append(finding)
            self.found.emit(finding)
        if number == self._number:
            self.finished.emit()
