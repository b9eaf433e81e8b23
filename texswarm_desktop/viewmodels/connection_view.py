"""What the status line shows of a connection: the two facts "how is the link" and "what is not stored yet".

`present` is pure and chooses text, tone and action for every state; `next_look` says when the answer will be another
one without anything happening. The QObject only watches, waits and tells. It must not know widgets or sockets. The
sentences for what needs the user are handed in, because words about errors are kept in one place, in `ui`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, Protocol

from PySide6.QtCore import QObject, Signal

from texswarm_desktop.client.states import (
    Authenticating,
    Closed,
    Connecting,
    Idle,
    LinkState,
    Live,
    NeedsUser,
    Offline,
    Syncing,
    Waiting,
)
from texswarm_desktop.client.timing import BLIP_S
from texswarm_desktop.qtx.timers import SingleShot

#: A live link that has not stored the oldest edit for so long is shown in amber.
SLOW_SAVE_S: Final = 8.0
_JUST_AFTER_S: Final = 0.001
READING: Final = "You may read this project. An owner of it can let you write."


class Tone(Enum):
    """How a status is coloured; the words alone must say the same."""

    QUIET = "quiet"
    BUSY = "busy"
    GOOD = "good"
    BAD = "bad"


class StatusAction(Enum):
    """What the user can do about a status, from the status line."""

    HOST = "host"
    CONNECT = "connect"
    CANCEL = "cancel"
    RETRY = "retry"
    INVITE = "invite"
    STOP_HOSTING = "stop_hosting"
    SIGN_IN = "sign_in"
    CHOOSE_COPY = "choose_copy"
    WORK_LOCALLY = "work_locally"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class StatusLine:
    """What is shown. `edits`: the second fact, where `text` does not tell it; `second`: one more action."""

    text: str
    tone: Tone
    action: StatusAction | None = None
    tooltip: str = ""
    edits: str = ""
    second: StatusAction | None = None

    @property
    def whole(self) -> str:
        """Both facts in one line."""
        return f"{self.text} · {self.edits}" if self.edits else self.text


@dataclass(frozen=True, slots=True)
class Hosting:
    """This window's project is shared from here; `people` counts the others."""

    address: str
    link: str = ""
    people: int = 0


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What is true beside the link's state.

    `oldest_edit_at`: monotonic seconds, None when all is acknowledged. `is_opening`: the link stands, and the document
    it was made for is still to be opened; a link alone is not called connected. `refusal`: the code with which the
    server does not take the document, or what is written in it, and `detail`, its words. `is_reading`: this user may
    read the project and not change it.
    """

    server_name: str = ""
    unacknowledged: int = 0
    oldest_edit_at: float | None = None
    hosting: Hosting | None = None
    is_stored_here: bool = True
    is_opening: bool = False
    refusal: str | None = None
    detail: str = ""
    is_reading: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """What a state that needs the user says, and offers."""

    sentence: str
    action: StatusAction | None
    title: str = ""


NeedWords = Callable[[str, str], Need]


def bare_need(code: str, message: str) -> Need:
    """Return what can be said without a table of words: for tests and for logs."""
    return Need(message or code, StatusAction.SIGN_IN)


# ── the decision ────────────────────────────────────────────────────────────────────────────────────────────


def present(state: LinkState | None, facts: LinkFacts, now: float, words: NeedWords = bare_need) -> StatusLine:  # noqa: PLR0911 - a row for each state
    """Return what to show for a state at a time (monotonic seconds). None: the project has no connection."""
    if is_blip(state, now):
        return _standing(facts, now, words)
    match state:
        case None | Idle() | Closed():
            return _local(facts)
        case Connecting():
            return _with_edits(_busy(_connecting(facts), StatusAction.CANCEL), facts)
        case Authenticating(is_again=True):
            return _waiting_edits("Signing in again…", facts)
        case Authenticating():
            return _with_edits(_busy("Signing in…"), facts)
        case Syncing(done=done, total=total):
            return _with_edits(_busy(f"Catching up… ({done} of {total})"), facts)
        case Live():
            return _standing(facts, now, words)
        case Waiting():
            return _waiting(state, facts, now, words)
        case Offline():
            return replace(_waiting_edits("Offline", facts), tone=Tone.QUIET)
        case NeedsUser(code=code, message=message):
            need = words(code, message)
            return _with_edits(StatusLine(need.sentence, Tone.BAD, need.action, message), facts)


def is_blip(state: LinkState | None, now: float) -> bool:
    """Say whether a link that stood is gone for so short a time that nothing is shown of it."""
    lost_at: float | None = getattr(state, "lost_at", None)
    return lost_at is not None and now - lost_at < BLIP_S


def next_look(state: LinkState | None, facts: LinkFacts, now: float) -> float | None:
    """Return in how many seconds `present` will say something else, if nothing happens; None: never."""
    if isinstance(state, Waiting) and not is_blip(state, now):
        left = state.retry_at - now
        return left - math.ceil(left) + 1 if left > 1 else None
    if is_blip(state, now):
        lost_at: float = getattr(state, "lost_at", now)
        return BLIP_S - (now - lost_at)
    if isinstance(state, Live) and facts.oldest_edit_at is not None:
        left = facts.oldest_edit_at + SLOW_SAVE_S - now
        return left + _JUST_AFTER_S if left >= 0 else None
    return None


def edits_waiting(count: int) -> str:
    """Return "1 edit waiting", "12 edits waiting"."""
    return f"{count:,} edit{'' if count == 1 else 's'} waiting"


def _connecting(facts: LinkFacts) -> str:
    return f"Connecting to {facts.server_name}…" if facts.server_name else "Connecting…"


def _busy(text: str, action: StatusAction | None = None) -> StatusLine:
    return StatusLine(text, Tone.BUSY, action)


def _with_edits(line: StatusLine, facts: LinkFacts) -> StatusLine:
    return replace(line, edits=edits_waiting(facts.unacknowledged)) if facts.unacknowledged else line


def _waiting_edits(text: str, facts: LinkFacts) -> StatusLine:
    line = f"{text} · {edits_waiting(facts.unacknowledged)}"
    return StatusLine(line, Tone.BUSY, tooltip="You can go on writing; everything is kept on this computer.")


def _waiting(state: Waiting, facts: LinkFacts, now: float, words: NeedWords) -> StatusLine:
    """A server that asks to wait is told apart from a link that failed; both go on by themselves."""
    left_s = max(1, math.ceil(state.retry_at - now))
    wait = f"Reconnecting in {left_s} s"
    if state.asked:
        wait = f"{words(state.asked, '').title or state.asked} · trying again in {left_s} s"
    second = StatusAction.CANCEL if state.lost_at is None else None
    return replace(_waiting_edits(wait, facts), action=StatusAction.RETRY, second=second)


def _local(facts: LinkFacts) -> StatusLine:
    edits = "" if facts.is_stored_here else "not saved to the folder yet"
    tooltip = "The project is in its folder on this computer, and nobody else is in it."
    return StatusLine("Working locally", Tone.QUIET, StatusAction.HOST, tooltip, edits, StatusAction.CONNECT)


def _standing(facts: LinkFacts, now: float, words: NeedWords) -> StatusLine:
    if facts.is_opening:
        return _busy("Catching up… (0 of 1)")
    if facts.refusal is not None:
        need = words(facts.refusal, "")
        return _with_edits(StatusLine(need.sentence, Tone.BAD, need.action, facts.detail), facts)
    if facts.is_reading:
        return StatusLine("Connected · reading only", Tone.GOOD, tooltip=READING)
    return _live(facts, now)


def _live(facts: LinkFacts, now: float) -> StatusLine:
    is_saved = not facts.unacknowledged
    is_slow = not is_saved and facts.oldest_edit_at is not None and now - facts.oldest_edit_at > SLOW_SAVE_S
    tone = Tone.BUSY if is_slow else Tone.GOOD
    edits = "all changes saved" if is_saved else "saving…"
    if facts.hosting is None:
        tooltip = f"{facts.server_name} has stored everything." if is_saved and facts.server_name else ""
        return StatusLine(f"Connected · {edits}", tone, tooltip=tooltip)
    people = facts.hosting.people
    text = f"Hosting for {people} {'person' if people == 1 else 'people'} · {facts.hosting.address}"
    return StatusLine(text, tone, StatusAction.INVITE, facts.hosting.link, edits, StatusAction.STOP_HOSTING)


# ── the QObject ─────────────────────────────────────────────────────────────────────────────────────────────


class ConnectionLike(Protocol):
    """The part of a connection that is looked at here."""

    @property
    def state(self) -> LinkState:
        """How the link is."""

    def subscribe(self, listener: Callable[[LinkState, LinkState], None]) -> Callable[[], None]:
        """Call `listener(old, new)` at each change; returns the way out."""

    def retry_now(self, cause: str) -> None:
        """End a wait."""


class ConnectionView(QObject):
    """The status of one window's link, ready to show.

    Signals: `state_changed(old, new)` as the connection tells it; `line_changed(StatusLine)` when that is another one.
    """

    state_changed = Signal(object, object)
    line_changed = Signal(object)

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
        self._unsubscribe: Callable[[], None] = _nothing
        self._facts = LinkFacts()
        self._timer = SingleShot(self.refresh, self)
        self._line = self._now_presented()

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

    def attach(self, connection: ConnectionLike) -> None:
        """Show this connection from now on."""
        self._unsubscribe()
        self._connection = connection
        self._unsubscribe = connection.subscribe(self._on_connection_state)
        self.refresh()

    def detach(self) -> None:
        """Show no connection any more: the project is local."""
        self._unsubscribe()
        self._unsubscribe = _nothing
        self._connection = None
        self.refresh()

    def set_facts(self, facts: LinkFacts) -> None:
        """Take in what is true beside the state."""
        if facts != self._facts:
            self._facts = facts
            self.refresh()

    def set_unacknowledged(self, count: int, oldest_edit_at: float | None) -> None:
        """Take in how many edits no server has stored, and since when the oldest waits (monotonic seconds)."""
        self.set_facts(replace(self._facts, unacknowledged=count, oldest_edit_at=oldest_edit_at))

    def set_server_name(self, name: str) -> None:
        """Take in how the server is called."""
        self.set_facts(replace(self._facts, server_name=name))

    def set_stored_here(self, *, is_stored: bool) -> None:
        """Take in whether what was typed could be written to the folder."""
        self.set_facts(replace(self._facts, is_stored_here=is_stored))

    def set_opening(self, *, is_opening: bool) -> None:
        """Take in that a link is made for a document that is not open yet, or no longer."""
        self.set_facts(replace(self._facts, is_opening=is_opening))

    def set_refusal(self, code: str | None, detail: str = "", *, is_reading: bool = False) -> None:
        """Take in that the server does not take the document, or what is written in it, or (None) that it does."""
        self.set_facts(replace(self._facts, refusal=code, detail=detail, is_reading=is_reading))

    def set_hosting(self, hosting: Hosting | None) -> None:
        """Take in that this window shares its project, or no longer."""
        self.set_facts(replace(self._facts, hosting=hosting))

    def retry_now(self) -> None:
        """Try again at once, because the user said so."""
        if self._connection is not None:
            self._connection.retry_now("user")

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
        self._unsubscribe = _nothing
        self._connection = None
        self._timer.stop()

    def _now_presented(self) -> StatusLine:
        return present(self.state, self._facts, self._clock(), self._words)

    def _on_connection_state(self, old: LinkState, new: LinkState) -> None:
        self.state_changed.emit(old, new)
        self.refresh()


def _nothing() -> None:
    pass
