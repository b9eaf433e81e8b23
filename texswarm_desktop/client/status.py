"""What is shown of a connection: the two facts "how is the link" and "what is not stored yet".

Pure. `present` chooses text, tone and action for every state; `next_look` says when the answer will be another one
without anything happening. The sentences for what needs the user are handed in, because words about errors are kept in
one place, in `ui`.
"""

import math
from collections.abc import Callable
from enum import Enum
from typing import Final

import msgspec
from msgspec.structs import replace

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
    Trouble,
    Waiting,
)
from texswarm_desktop.client.timing import BLIP_S
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_server.protocol.errors import ErrorCode
from texswarm_server.protocol.messages import RoleName

#: A live link that has not stored the oldest edit for so long is shown in amber.
SLOW_SAVE_S: Final = 8.0
#: What stands in the way is told where waiting alone may not help; elsewhere the history tells it.
_TOLD_TROUBLES: Final[frozenset[str]] = frozenset(
    {
        Trouble.NOT_OURS, Trouble.TLS, Trouble.UNTRUSTED, Trouble.RESET_AT_HELLO, Trouble.MUTE_AT_HELLO, Trouble.PROXY,
        Trouble.PROXY_SIGN_IN, Trouble.NAME_UNKNOWN,
    }
)  # fmt: skip
_JUST_AFTER_S: Final = 0.001
#: Why a folder is only looked at, as codes for the table of words: another process has it, or it takes no writing.
OPEN_ELSEWHERE: Final = "open_elsewhere"
NOTHING_WRITABLE: Final = "nothing_writable"
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
    CHECK = "check"
    DISCONNECT = "disconnect"
    REOPEN = "reopen"


class StatusLine(msgspec.Struct, frozen=True):
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


class Hosting(msgspec.Struct, frozen=True):
    """This window's project is shared from here; `people` counts the others.

    `others`: more addresses under which this machine is reached. `join_code`: the short code that leads here, empty
    while there is none. `role`: what joining gives, and `who` may join.
    `is_locked`: everybody else reads. `is_awake`: whether the system was made not to sleep while there are guests; None
    while it was not asked. `words`: what guests who came without link or code compare, once they are known.
    """

    address: str
    link: str = ""
    people: int = 0
    others: tuple[str, ...] = ()
    join_code: str = ""
    role: RoleName = "editor"
    who: WhoJoins = WhoJoins.ANYBODY
    is_locked: bool = False
    is_awake: bool | None = None
    words: str = ""

    @property
    def asks(self) -> bool:
        """Whether everybody who comes waits until the host lets them in."""
        return self.who.asks


class LinkFacts(msgspec.Struct, frozen=True):
    """What is true beside the link's state.

    `oldest_edit_at`: monotonic seconds, None when all is acknowledged. `is_opening`: the link stands, and the document
    it was made for is still to be opened; a link alone is not called connected. `refusal`: the code with which the
    server does not take the document, or what is written in it, and `detail`, its words. `is_reading`: this user may
    read the project and not change it. `waits_for`: who has to let this user in first; empty when nobody.
    `obstacle`: a code that says why the folder is only looked at, and `holder`, who has it open. `unsent_files`: how
    many figures the server is still to store; those it refuses do not count, and are told one by one.
    """

    server_name: str = ""
    unacknowledged: int = 0
    oldest_edit_at: float | None = None
    hosting: Hosting | None = None
    is_opening: bool = False
    refusal: str | None = None
    detail: str = ""
    is_reading: bool = False
    waits_for: str = ""
    obstacle: str = ""
    holder: str = ""
    unsent_files: int = 0


class Need(msgspec.Struct, frozen=True):
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
            return _observing(facts, words) if facts.obstacle else _local()
        case Connecting(lost_at=lost_at) if lost_at is not None:
            return _waiting_edits("Reconnecting…", facts)
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


def refusal_to_show(refusal: str | None, *, is_viewer: bool, is_read_only: bool, unacknowledged: int) -> str | None:
    """Return the code that says why a document is not taken, or what is written in it; None when all is well.

    A link that stands does not mean that the document is taken; what a viewer writes stays here.
    """
    if is_viewer:
        held_back = ErrorCode.FORBIDDEN if unacknowledged else None
        return held_back or (None if refusal == ErrorCode.FORBIDDEN else refusal)
    return ErrorCode.DOCUMENT_READ_ONLY if is_read_only and refusal is None else refusal


def holds_up(state: LinkState | None, facts: LinkFacts) -> str:
    """Return the code of what keeps edits from the server until the user does something; empty when nothing does.

    Who may only read and has written nothing waits for nothing.
    """
    if isinstance(state, NeedsUser):
        return state.code
    is_only_read = facts.refusal in {ErrorCode.FORBIDDEN, ErrorCode.DOCUMENT_READ_ONLY} and not facts.unacknowledged
    return "" if facts.refusal is None or is_only_read else facts.refusal


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
    is_first = state.lost_at is None
    is_at_hello = state.trouble in {Trouble.RESET_AT_HELLO, Trouble.MUTE_AT_HELLO}
    has_been_in = not is_first or facts.unacknowledged > 0
    may_be_cable = is_at_hello and has_been_in  # both ends spoke the same before
    told = state.asked or (state.trouble if state.trouble in _TOLD_TROUBLES and not may_be_cable else "")
    if told:
        wait = f"{words(told, '').title or told} · trying again in {left_s} s"
    second = StatusAction.CANCEL if is_first else None
    return replace(_waiting_edits(wait, facts), action=StatusAction.RETRY, second=second)


def _observing(facts: LinkFacts, words: NeedWords) -> StatusLine:
    need = words(facts.obstacle, facts.holder)
    return StatusLine(f"Reading only · {need.title}", Tone.BUSY, StatusAction.REOPEN, need.sentence)


def _local() -> StatusLine:
    tooltip = "The project is in its folder on this computer, and nobody else is in it."
    return StatusLine("Working locally", Tone.QUIET, StatusAction.HOST, tooltip, second=StatusAction.CONNECT)


def _standing(facts: LinkFacts, now: float, words: NeedWords) -> StatusLine:
    if facts.waits_for:
        return _busy(f"Waiting for {facts.waits_for} to let you in…", StatusAction.CANCEL)
    if facts.is_opening:
        return _busy("Catching up… (0 of 1)")
    if facts.refusal is not None:
        need = words(facts.refusal, "")
        return _with_edits(StatusLine(need.sentence, Tone.BAD, need.action, facts.detail), facts)
    if facts.is_reading:
        return StatusLine("Connected · reading only", Tone.GOOD, tooltip=READING)
    return _live(facts, now)


def _live(facts: LinkFacts, now: float) -> StatusLine:
    is_saved = not facts.unacknowledged and not facts.unsent_files
    is_slow = not is_saved and facts.oldest_edit_at is not None and now - facts.oldest_edit_at > SLOW_SAVE_S
    tone = Tone.BUSY if is_slow else Tone.GOOD
    edits = "all changes saved" if is_saved else "saving…"
    if facts.hosting is None:
        tooltip = f"{facts.server_name} has stored everything." if is_saved and facts.server_name else ""
        return StatusLine(f"Connected · {edits}", tone, tooltip=tooltip)
    people = facts.hosting.people
    text = f"Hosting for {people} {'person' if people == 1 else 'people'} · {facts.hosting.address}"
    return StatusLine(text, tone, StatusAction.INVITE, facts.hosting.link, edits, StatusAction.STOP_HOSTING)
