"""Who asks to be let into the open project, for its owner to decide."""

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from texswarm_desktop.viewmodels.people import Person, person
from texswarm_server.protocol.callbacks import nothing
from texswarm_server.protocol.messages import Fact, Knock, KnockList, RoleName

if TYPE_CHECKING:
    from collections.abc import Callable

    from texswarm_desktop.client.connection import Connection


class Visitor(msgspec.Struct, frozen=True):
    """Somebody who waits. `role`: what the invitation would give."""

    person: Person
    role: RoleName


class LetIn(msgspec.Struct, frozen=True):
    """Let somebody in who waits; `role`: what they may do."""

    user_id: str
    role: RoleName


class SendAway(msgspec.Struct, frozen=True):
    """Do not let somebody in."""

    user_id: str


Answer = LetIn | SendAway


class LobbyView(QObject):
    """The visitors of one project. Signal: `visitors_changed(list[Visitor])`, the longest waiting first."""

    visitors_changed = Signal(list)

    def __init__(self, document_id: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document_id = document_id
        self._leave: Callable[[], None] = nothing
        self.visitors: list[Visitor] = []

    def attach(self, connection: "Connection") -> None:
        """Hear from this connection who knocks."""
        self.detach()
        self._leave = connection.listen(self._hear)

    def detach(self) -> None:
        """Hear from nobody: without a link nobody can be let in."""
        self._leave()
        self._leave = nothing
        self._show([])

    def _hear(self, fact: Fact) -> None:
        if isinstance(fact, KnockList) and fact.document_id == self._document_id:
            self._show([_visitor(knock) for knock in fact.knocks])

    def _show(self, visitors: list[Visitor]) -> None:
        if visitors != self.visitors:
            self.visitors = visitors
            self.visitors_changed.emit(visitors)


def _visitor(knock: Knock) -> Visitor:
    return Visitor(person(knock.user_id, knock.display_name, knock.color), knock.role)
