"""Who hears what happens to a project, and what is wrong with it now."""

from collections.abc import Callable
from typing import Final

from texswarm_desktop.services.project_listener import ProjectListener
from texswarm_server.protocol.errors import TexSwarmError

_WORST_FIRST: Final = ("document", "replica", "folder", "figures", "server")


class ProjectNews:
    """Invariant: every listener was told last of the problem that is to be seen now, the worst there is.

    A problem goes by the name of what has it; see `_WORST_FIRST`.
    """

    def __init__(self) -> None:
        self._listeners: list[ProjectListener] = []
        self._problems: dict[str, TexSwarmError] = {}

    def subscribe(self, listener: ProjectListener) -> Callable[[], None]:
        """Tell `listener` from now on, of a present problem at once; returns the way out."""
        self._listeners.append(listener)
        if self.problem is not None:
            listener.problem(self.problem)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    @property
    def problem(self) -> TexSwarmError | None:
        """What is wrong now, the worst first; None when all is well."""
        return next((self._problems[name] for name in _WORST_FIRST if name in self._problems), None)

    def has_problem(self, name: str) -> bool:
        """Say whether something is wrong there."""
        return name in self._problems

    def set_problem(self, name: str, error: TexSwarmError | None) -> None:
        """Say what is wrong there, or (None) that nothing is; told when the problem to be seen is another one."""
        before = self.problem
        if error is None:
            self._problems.pop(name, None)
        else:
            self._problems[name] = error
        if str(before) != str(self.problem):
            for listener in tuple(self._listeners):
                listener.problem(self.problem)

    def tell(self, name: str) -> None:
        """Call this method of every listener."""
        for listener in tuple(self._listeners):
            getattr(listener, name)()
