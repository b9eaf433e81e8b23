"""What the pop-up of the status line says: the link in full, what became of it before, what can be done. No Qt."""

import math
from datetime import datetime
from typing import Final

import msgspec

from texswarm_desktop.client.history import Drop
from texswarm_desktop.client.states import Authenticating, Connecting, Idle, LinkState, Live, Offline, Syncing, Waiting
from texswarm_desktop.client.status import LinkFacts, StatusAction, StatusLine, Tone, edits_waiting
from texswarm_desktop.ui.error_texts import text_of_code
from texswarm_server.protocol.invite_link import ServerAddress

_PROFILES: Final = {"lan": "local network", "remote": "internet"}
_MOST_ROWS: Final = 6
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_ON_THE_WAY: Final = (Connecting, Authenticating, Syncing, Waiting, Offline)


class LinkLook(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of a link at one moment. Times: `now` monotonic, `wall_now` since the epoch."""

    line: StatusLine
    facts: LinkFacts
    state: LinkState | None
    address: ServerAddress | None = None
    profile: str = ""
    round_trip_s: float | None = None
    history: tuple[Drop, ...] = ()
    now: float = 0.0
    wall_now: float = 0.0


class DropRow(msgspec.Struct, frozen=True):
    """One time that the link was gone."""

    when: str
    cause: str
    how_long: str


class LinkDetails(msgspec.Struct, frozen=True):
    """What is shown: a heading, pairs of a name and a value, the last drops (the newest first), and actions."""

    heading: str
    rows: tuple[tuple[str, str], ...]
    drops: tuple[DropRow, ...]
    actions: tuple[StatusAction, ...]


def details(look: LinkLook) -> LinkDetails:
    """Return what to show."""
    drops = tuple(_drop_row(drop, look) for drop in reversed(look.history[-_MOST_ROWS:]))
    heading = look.line.text.removesuffix(f" · {edits_waiting(look.facts.unacknowledged)}")  # a row tells it as well
    return LinkDetails(heading, tuple(_rows(look)), drops, tuple(_actions(look)))


def _rows(look: LinkLook) -> list[tuple[str, str]]:
    rows = []
    if look.address is not None:
        kind = _PROFILES.get(look.profile, look.profile)
        name = look.facts.server_name or str(look.address)
        rows.append(("Server", name))
        if str(look.address) != name:
            rows.append(("Address", str(look.address)))
        rows.append(("Kind", f"{kind}, {'encrypted' if look.address.tls else 'not encrypted'}"))
        rows.append(("Response time", _round_trip(look)))
    waiting = look.facts.unacknowledged
    if isinstance(look.state, Idle | None) and look.address is None:
        rows.append(("Saved", "in its folder, on this computer only"))  # no server is to store what is typed here
    else:
        rows.append(("Unsaved edits", edits_waiting(waiting) if waiting else "none: all changes are saved"))
    hosting = look.facts.hosting
    if hosting is not None and hosting.people and hosting.is_awake is not None:
        rows.append(("Sleep", "held off while guests are here" if hosting.is_awake else "cannot be held off"))
    trouble = look.state.asked or look.state.trouble if isinstance(look.state, Waiting) else ""
    if trouble:
        rows.append(("What is wrong", text_of_code(trouble).sentence))
    return rows


def _round_trip(look: LinkLook) -> str:
    if not isinstance(look.state, (Syncing, Live)):
        return "no connection now"
    return "…" if look.round_trip_s is None else f"{max(1, round(look.round_trip_s * 1000)):,} ms"


def _actions(look: LinkLook) -> list[StatusAction]:
    actions = []
    if look.line.tone is Tone.BAD and look.line.action is not None:
        actions.append(look.line.action)
    if isinstance(look.state, (Waiting, Offline)):
        actions.append(StatusAction.RETRY)
    if look.facts.hosting is not None:
        actions.append(StatusAction.STOP_HOSTING)
    elif isinstance(look.state, (*_ON_THE_WAY, Live)):
        actions.append(StatusAction.DISCONNECT)
    return list(dict.fromkeys((*actions, StatusAction.CHECK)))


def _drop_row(drop: Drop, look: LinkLook) -> DropRow:
    began = datetime.fromtimestamp(look.wall_now - (look.now - drop.began_at)).astimezone()
    is_today = began.date() == datetime.fromtimestamp(look.wall_now).astimezone().date()
    lasted = duration(drop.lasted_s(look.now))
    return DropRow(
        f"{began:%H:%M:%S}" if is_today else f"{began:%d %b %H:%M}",
        text_of_code(drop.cause).title,
        f"{lasted} so far" if drop.ended_at is None else lasted,
    )


def duration(seconds: float) -> str:
    """Return "under 1 s", "12 s", "3 min", "2 h 5 min"."""
    if seconds < 1:
        return "under 1 s"
    if seconds < _MINUTE_S:
        return f"{math.floor(seconds)} s"
    if seconds < _HOUR_S:
        return f"{math.floor(seconds / _MINUTE_S)} min"
    hours, rest = divmod(math.floor(seconds / _MINUTE_S), _MINUTE_S)
    return f"{hours} h {rest} min"
