"""What the status line of a window shows of its connection.

`client.status` decides; the QObject only watches, waits and tells. It must not know widgets or sockets.
"""

from collections.abc import Callable
from typing import Protocol, cast

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from texswarm_desktop.client.history import Drop, record
from texswarm_desktop.client.states import Closed, Idle, LinkState
from texswarm_desktop.client.status import Hosting, LinkFacts, NeedWords, StatusLine, bare_need, next_look, present
from texswarm_desktop.client.timing import LinkProfile
from texswarm_desktop.qtx.timers import SingleShot
from texswarm_server.protocol.callbacks import nothing
from texswarm_server.protocol.invite_link import ServerAddress


class ConnectionLike(Protocol):
    """The part of a connection that is looked at here."""

    @property
    def state(self) -> LinkState:
        """How the link is."""

    def subscribe(self, listener: Callable[[LinkState, LinkState], None]) -> Callable[[], None]:
        """Call `listener(old, new)` at each change; returns the way out."""

    def retry_now(self, cause: str) -> None:
        """End a wait."""


class MeasuredConnection(Protocol):
    """What more is looked at for the pop-up."""

    @property
    def current_address(self) -> ServerAddress:
        """Where the server is."""

    @property
    def profile(self) -> LinkProfile:
        """How patient the link is."""

    @property
    def round_trip_s(self) -> float | None:
        """How long a ping and its answer took last."""

    def measure(self) -> None:
        """Have that measured now."""


class ConnectionView(QObject):
    """The status of one window's link, ready to show.

    Signals: `state_changed(old, new)` as the connection tells it; `line_changed(StatusLine)` when that is another one;
    `hosting_changed(Hosting | None)`.
    """

    state_changed = Signal(object, object)
    line_changed = Signal(object)
    hosting_changed = Signal(object)

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        words: NeedWords = bare_need,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._words = words
        self._connection: ConnectionLike | None = None
        self._unsubscribe: Callable[[], None] = nothing
        self._facts = LinkFacts()
        self._timer = SingleShot(self.refresh, self)
        self._line = self._now_presented()
        self.history: tuple[Drop, ...] = ()

    @property
    def state(self) -> LinkState | None:
        """The state of the link; None without a connection."""
        return self._connection.state if self._connection else None

    @property
    def is_local(self) -> bool:
        """Whether the project has no connection, not even one that is away."""
        return isinstance(self.state, Idle | Closed | None)

    @property
    def facts(self) -> LinkFacts:
        """What is true beside the state."""
        return self._facts

    @property
    def line(self) -> StatusLine:
        """What is shown now."""
        return self._line

    @property
    def measured(self) -> MeasuredConnection | None:
        """The connection that is shown, where more is to be known of it."""
        return cast("MeasuredConnection", self._connection) if hasattr(self._connection, "measure") else None

    def attach(self, connection: ConnectionLike) -> None:
        """Show this connection from now on."""
        self._unsubscribe()
        if connection is not self._connection:
            self.history = ()
        self._connection = connection
        self._unsubscribe = connection.subscribe(self._on_connection_state)
        self.refresh()

    def detach(self) -> None:
        """Show no connection any more: the project is local."""
        self._unsubscribe()
        self._unsubscribe = nothing
        self._connection = None
        self.refresh()

    def set_facts(self, facts: LinkFacts) -> None:
        """Take in what is true beside the state."""
        if facts != self._facts:
            self._facts = facts
            self.refresh()

    def set_unacknowledged(self, count: int, oldest_edit_at: float | None, *, files: int = 0) -> None:
        """Take in how many edits no server has stored, since when the oldest waits (monotonic seconds), and `files`."""
        waits = replace(self._facts, unacknowledged=count, oldest_edit_at=oldest_edit_at, unsent_files=files)
        self.set_facts(waits)

    def set_server_name(self, name: str) -> None:
        """Take in how the server is called."""
        self.set_facts(replace(self._facts, server_name=name))

    def set_opening(self, *, is_opening: bool) -> None:
        """Take in that a link is made for a document that is not open yet, or no longer."""
        self.set_facts(replace(self._facts, is_opening=is_opening))

    def set_waiting_for(self, name: str) -> None:
        """Take in who has to let this user in first, or (empty) that nobody has to."""
        self.set_facts(replace(self._facts, waits_for=name))

    def set_refusal(self, code: str | None, detail: str = "", *, is_reading: bool = False) -> None:
        """Take in that the server does not take the document, or what is written in it, or (None) that it does."""
        self.set_facts(replace(self._facts, refusal=code, detail=detail, is_reading=is_reading))

    def set_obstacle(self, code: str, holder: str = "") -> None:
        """Take in why the folder is only looked at, and who has it open; empty: it is a project like any other."""
        self.set_facts(replace(self._facts, obstacle=code, holder=holder))

    def set_hosting(self, hosting: Hosting | None) -> None:
        """Take in that this window shares its project, or no longer."""
        if hosting != self._facts.hosting:
            self.set_facts(replace(self._facts, hosting=hosting))
            self.hosting_changed.emit(hosting)

    def retry_now(self) -> None:
        """Try again at once, because the user said so."""
        if self._connection is not None:
            self._connection.retry_now("user")

    def now(self) -> float:
        """Return the time by the clock of `history` (monotonic seconds)."""
        return self._clock()

    def refresh(self) -> None:
        """Look again, tell if something else is to be shown, and wait for the next moment when that may be."""
        line = self._now_presented()
        if line != self._line:
            self._line = line
            self.line_changed.emit(line)
        delay_s = next_look(self.state, self._facts, self._clock())
        if delay_s is None:
            self._timer.stop()
        else:
            self._timer.start(delay_s)

    def close(self) -> None:
        """Stop watching."""
        self._unsubscribe()
        self._unsubscribe = nothing
        self._connection = None
        self._timer.stop()

    def _now_presented(self) -> StatusLine:
        return present(self.state, self._facts, self._clock(), self._words)

    def _on_connection_state(self, old: LinkState, new: LinkState) -> None:
        self.history = record(self.history, old, new, self._clock())
        self.state_changed.emit(old, new)
        self.refresh()
