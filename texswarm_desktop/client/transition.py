"""The life of one connection as a table: `step(state, event, moment, profile) -> (state, effects)`.

The theory. There is one machine for each connection to a server, however many documents run over it. The driver feeds
it: with the wishes of people and the system (connect, close, retry, wake, network, announcement, key press), with what
happened to the transport, and with its own timers. Transport and timer events carry the generation they belong to; one
that is not the state's is stale and changes nothing. Leaving a state has effects of its own (documents lose their link,
timers stop, the transport is dropped), derived here from the pair of states, so that no road can forget them.

Left out on purpose: documents (each has its DocumentSync; the machine only hears n of m), the pings of a quiet link
(the driver's tick finds a dead link and reports it lost), knocking while a link is away (the driver does it as long as
the state is worth it, and reports an answer), renewal of tokens on a standing link (the server does it in band), and a
limit for catching up: however long it takes, a link that gives signs of life is not hopeless.

A credential the server turned down is not shown again until it has let us in, so a sign-in ends after at most three.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from texswarm_desktop.client.backoff import delay_s
from texswarm_desktop.client.effects import (
    CancelTimer,
    DropTransport,
    ForgetCredential,
    LinkEffect,
    LookElsewhere,
    LoseDocuments,
    OpenDocuments,
    OpenTransport,
    Probe,
    SignIn,
    StartTimer,
    TimerKind,
)
from texswarm_desktop.client.events import (
    CloseRequested,
    ConnectRequested,
    DocumentsProgressed,
    HostAnnounced,
    HostAnswered,
    HostProved,
    KeyPressed,
    LinkEvent,
    LookDue,
    Moment,
    NetworkReturned,
    NetworkWentAway,
    ProbeTimedOut,
    RetryDemanded,
    RetryDue,
    SignedIn,
    SignInRefused,
    StepTimedOut,
    TransportLost,
    TransportOpened,
    Woke,
)
from texswarm_desktop.client.states import (
    NO_RUNGS,
    Authenticating,
    Closed,
    Connecting,
    Idle,
    LinkState,
    Live,
    NeedsUser,
    Offline,
    Rung,
    StopCode,
    Syncing,
    Trouble,
    Waiting,
)
from texswarm_desktop.client.timing import LinkProfile, offline_timeout_s
from texswarm_server.protocol.close_codes import CloseCode, close_verdict
from texswarm_server.protocol.errors import ErrorCode, LocalProtocolError, Verdict

Step = tuple[LinkState, tuple[LinkEffect, ...]]
Handler = Callable[[Any, Any, Moment, LinkProfile], Step]

_TIMERS: Final[dict[type[LinkState], frozenset[TimerKind]]] = {
    Connecting: frozenset({TimerKind.STEP}),
    Authenticating: frozenset({TimerKind.STEP, TimerKind.PROBE, TimerKind.LOOK}),
    Syncing: frozenset({TimerKind.PROBE, TimerKind.LOOK}),
    Live: frozenset({TimerKind.PROBE, TimerKind.LOOK}),
    Waiting: frozenset({TimerKind.RETRY}),
}
_WITH_TRANSPORT: Final = (Connecting, Authenticating, Syncing, Live)
_WITH_DOCUMENTS: Final = (Syncing, Live)
#: A server, or whatever answers in its place, may ask for any wait, also an endless one.
_LONGEST_TOLD_WAIT_S: Final = 3600.0

#: Refusals that speak of the credential shown, not of the person: the next rung may do better.
_CREDENTIAL_CODES: Final[frozenset[str]] = frozenset(
    {
        ErrorCode.TOKEN_INVALID,
        ErrorCode.TOKEN_EXPIRED,
        ErrorCode.TOKEN_REVOKED,
        ErrorCode.INVITE_EXPIRED,
        ErrorCode.INVITE_USED_UP,
        ErrorCode.INVITE_REVOKED,
    }
)
#: A server may say in the reason of a close which of its codes it means; these are believed.
_REASONS: Final[dict[int, frozenset[str]]] = {
    CloseCode.FORBIDDEN: frozenset({ErrorCode.IDENTITY_MISMATCH}),
    CloseCode.TOKEN_INVALID: _CREDENTIAL_CODES,
    CloseCode.TRY_AGAIN_LATER: frozenset({ErrorCode.THROTTLED, ErrorCode.OVER_CAPACITY}),
}
_STOP_CODES: Final[dict[int, str]] = {
    CloseCode.MESSAGE_TOO_BIG: StopCode.FRAME_TOO_BIG,
    CloseCode.FORBIDDEN: ErrorCode.REMOVED,
    CloseCode.SESSION_ENDED: StopCode.SESSION_ENDED,
    CloseCode.OTHER_LINEAGE: ErrorCode.LINEAGE_MISMATCH,
    CloseCode.UNSUPPORTED_VERSION: ErrorCode.PROTOCOL_UNSUPPORTED,
}


def step(state: LinkState, event: LinkEvent, moment: Moment, profile: LinkProfile) -> Step:
    """Return the next state and what to do, in order. Raises LocalProtocolError for a pair that cannot be."""
    if getattr(event, "generation", state.generation) != state.generation:
        return state, ()
    pair = (type(state), type(event))
    if pair in ILLEGAL:
        raise LocalProtocolError(f"{type(event).__name__} while {type(state).__name__}")
    handler = TABLE.get(pair)
    if handler is None:
        return state, ()
    new, effects = handler(state, event, moment, profile)
    return new, (*_leaving(state, new), *effects)


def _leaving(old: LinkState, new: LinkState) -> list[LinkEffect]:
    is_same_link = old.generation == new.generation
    effects: list[LinkEffect] = []
    if isinstance(old, _WITH_DOCUMENTS) and not (is_same_link and isinstance(new, _WITH_DOCUMENTS)):
        effects.append(LoseDocuments())
    kept = _TIMERS.get(type(new), frozenset()) if is_same_link else frozenset()
    effects += [CancelTimer(kind) for kind in sorted(_TIMERS.get(type(old), frozenset()) - kept)]
    if isinstance(old, _WITH_TRANSPORT) and not (is_same_link and isinstance(new, _WITH_TRANSPORT)):
        effects.append(DropTransport(old.generation))
    return effects


# ── towards a link ──────────────────────────────────────────────────────────────────────────────────────────


def _open(new: Connecting, profile: LinkProfile) -> Step:
    return new, (OpenTransport(new.generation), StartTimer(TimerKind.STEP, profile.connect_timeout_s))


def _on_connect(state: Idle | NeedsUser, _event: object, _moment: Moment, profile: LinkProfile) -> Step:
    return _open(Connecting(state.generation + 1), profile)


def _on_retry_due(state: Waiting, _event: object, _moment: Moment, profile: LinkProfile) -> Step:
    return _open(Connecting(state.generation + 1, state.failures, state.lost_at, state.refused), profile)


def _on_demand(state: Waiting | Offline, _event: object, _moment: Moment, profile: LinkProfile) -> Step:
    return _open(Connecting(state.generation + 1, 0, state.lost_at, state.refused), profile)


def _on_hope(state: Waiting, event: object, moment: Moment, profile: LinkProfile) -> Step:
    if moment.now < state.not_before:
        return state, ()
    return _on_demand(state, event, moment, profile)


def _on_key_press(state: Waiting, _event: KeyPressed, moment: Moment, profile: LinkProfile) -> Step:
    if moment.now < max(state.not_before, state.since + profile.key_press_after_s):
        return state, ()
    return _open(Connecting(state.generation + 1, state.failures, state.lost_at, state.refused), profile)


def _on_restart(state: Connecting, _event: object, _moment: Moment, profile: LinkProfile) -> Step:
    """An attempt begun before sleep, or over another network, may hang until its time is up: begin afresh."""
    return _open(replace(state, generation=state.generation + 1, failures=0), profile)


def _on_elsewhere(state: Connecting, event: HostAnnounced, moment: Moment, profile: LinkProfile) -> Step:
    """The attempt goes to where the host was."""
    return _on_restart(state, event, moment, profile) if event.is_elsewhere else (state, ())


def _on_answered(state: Waiting, event: HostAnswered, moment: Moment, profile: LinkProfile) -> Step:
    """Packets come through, where none did; whether a server of ours is behind them is to be seen."""
    if not state.is_worth_knocking or moment.now < state.not_before:
        return state, ()
    return _on_retry_due(state, event, moment, profile)


def _on_opened(state: Connecting, _event: TransportOpened, moment: Moment, profile: LinkProfile) -> Step:
    rung = _next_rung(moment, state.refused)
    if rung is None:
        return NeedsUser(state.generation, ErrorCode.TOKEN_MISSING), ()
    new = Authenticating(state.generation, rung, state.failures, state.lost_at, state.refused)
    return new, (SignIn(rung), StartTimer(TimerKind.STEP, profile.connect_timeout_s))


def _on_signed_in(state: Authenticating, event: SignedIn, moment: Moment, _profile: LinkProfile) -> Step:
    new = _synced_to(state, 0, event.documents, moment.now)
    return new, (OpenDocuments(),)


def _on_progress(state: Syncing | Live, event: DocumentsProgressed, moment: Moment, profile: LinkProfile) -> Step:
    if isinstance(state, Live):
        if event.done == event.total:
            return state, ()
        state = Syncing(state.generation, 0, 0, _failures_of(state, moment, profile))
    return _synced_to(state, event.done, event.total, moment.now), ()


def _synced_to(state: Authenticating | Syncing, done: int, total: int, now: float) -> Syncing | Live:
    if done == total:
        return Live(state.generation, now, state.failures)
    return Syncing(state.generation, done, total, state.failures, state.lost_at)


# ── away from a link ────────────────────────────────────────────────────────────────────────────────────────


def _on_close(state: LinkState, _event: CloseRequested, _moment: Moment, _profile: LinkProfile) -> Step:
    return Closed(state.generation), ()


def _on_lost(
    state: Connecting | Authenticating | Syncing | Live, event: TransportLost, moment: Moment, profile: LinkProfile
) -> Step:
    reason = f"closed with {event.code}: {event.reason}" if event.code is not None else event.reason
    if event.code == CloseCode.REPLACED:
        return Idle(state.generation), ()
    if event.stop:
        return NeedsUser(state.generation, event.stop, event.reason), ()
    if event.code is not None and close_verdict(event.code) is Verdict.STOP:
        return NeedsUser(state.generation, _told(event) or _STOP_CODES[event.code], event.reason), ()
    if event.code == CloseCode.TOKEN_INVALID and not isinstance(state, Connecting):
        return _on_token_lost(state, _told(event), moment, profile)
    if event.code in {CloseCode.GOING_AWAY, CloseCode.SERVICE_RESTART}:
        return _lose(state, reason, moment, profile, least_failures=2, trouble=Trouble.RESTARTED)
    is_full = event.code == CloseCode.TRY_AGAIN_LATER
    least_wait_s = event.retry_after_s or (profile.overload_wait_s * moment.jitter if is_full else 0.0)
    asked, trouble = _told(event), event.trouble
    return _lose(state, reason, moment, profile, least_wait_s=least_wait_s, asked=asked, trouble=trouble)


def _told(event: TransportLost) -> str:
    return event.reason if event.code is not None and event.reason in _REASONS.get(event.code, ()) else ""


def _on_token_lost(state: Authenticating | Syncing | Live, told: str, moment: Moment, profile: LinkProfile) -> Step:
    if isinstance(state, Authenticating):
        return _turn_down(state, told or ErrorCode.TOKEN_INVALID, "", moment, profile)
    code = told or ErrorCode.TOKEN_EXPIRED
    forget = ForgetCredential(Rung.ACCESS, code)
    refused = frozenset({Rung.ACCESS})
    if _next_rung(moment, refused) is None:
        return NeedsUser(state.generation, code), (forget,)
    new, effects = _lose(state, "token expired", moment, profile, refused=refused, trouble=code)
    return new, (forget, *effects)


def _on_refused(state: Authenticating, event: SignInRefused, moment: Moment, profile: LinkProfile) -> Step:
    if event.is_retryable or event.retry_after_s is not None:
        wait_s = event.retry_after_s or 0.0
        return _lose(state, event.code, moment, profile, least_wait_s=wait_s, is_told=wait_s > 0, asked=event.code)
    if event.code in _CREDENTIAL_CODES:
        return _turn_down(state, event.code, event.message, moment, profile)
    return NeedsUser(state.generation, event.code, event.message), ()


def _turn_down(state: Authenticating, code: str, message: str, moment: Moment, profile: LinkProfile) -> Step:
    """The server does not take this rung: forget it and show the next one on a new link, or ask the user."""
    forget = ForgetCredential(state.rung, code)
    refused = state.refused | {state.rung}
    if _next_rung(moment, refused) is None:
        return NeedsUser(state.generation, code, message), (forget,)
    new, effects = _open(Connecting(state.generation + 1, state.failures, state.lost_at, refused), profile)
    return new, (forget, *effects)


def _on_silence(state: LinkState, event: LinkEvent, moment: Moment, profile: LinkProfile) -> Step:
    trouble = Trouble.NO_ANSWER if isinstance(state, Connecting) else Trouble.SILENT
    return _lose(state, type(event).__name__, moment, profile, trouble=trouble)


def _on_probe_unanswered(state: LinkState, event: ProbeTimedOut, moment: Moment, profile: LinkProfile) -> Step:
    return _lose(state, type(event).__name__, moment, profile, trouble=Trouble.SILENT, silent_s=event.silent_s)


def _on_network_gone(
    state: Connecting | Waiting, _event: NetworkWentAway, _moment: Moment, _profile: LinkProfile
) -> Step:
    return Offline(state.generation, state.failures, state.lost_at, state.refused), ()


def _on_doubt_offline(state: LinkState, _event: NetworkWentAway, _moment: Moment, profile: LinkProfile) -> Step:
    """The system may be wrong, and a link that answers stays; one that does not is offline since the system said so."""
    return state, (Probe(), StartTimer(TimerKind.PROBE, offline_timeout_s(profile)))


def _on_said_elsewhere(state: LinkState, event: HostAnnounced, _moment: Moment, profile: LinkProfile) -> Step:
    """Anybody can say so: only a link that is silent, and a host that proves to be elsewhere, end it together."""
    if not event.is_elsewhere:
        return state, ()
    return state, (Probe(), StartTimer(TimerKind.LOOK, profile.moved_timeout_s))


def _on_look_due(state: LinkState, event: LookDue, _moment: Moment, _profile: LinkProfile) -> Step:
    return state, (LookElsewhere(event.generation),)


def _on_doubt(state: LinkState, _event: object, _moment: Moment, profile: LinkProfile) -> Step:
    return state, (Probe(), StartTimer(TimerKind.PROBE, profile.probe_timeout_s))


def _on_move(state: LinkState, _event: NetworkReturned, _moment: Moment, profile: LinkProfile) -> Step:
    """There are other addresses than before, and the link may stand on one that is gone."""
    return state, (Probe(), StartTimer(TimerKind.PROBE, profile.moved_timeout_s))


def _lose(
    state: Any,
    reason: str,
    moment: Moment,
    profile: LinkProfile,
    *,
    least_failures: int = 1,
    least_wait_s: float = 0.0,
    is_told: bool = False,
    refused: frozenset[Rung] | None = None,
    asked: str = "",
    trouble: str = Trouble.ENDED,
    silent_s: float = 0.0,
) -> Step:
    failures = _failures_of(state, moment, profile) + 1
    lost_at: float | None = moment.now if isinstance(state, Live) else state.lost_at
    if refused is None:
        refused = getattr(state, "refused", NO_RUNGS)
    if not moment.is_online:
        since = moment.now - silent_s if isinstance(state, Live) else lost_at
        return Offline(state.generation, failures, since, refused), ()
    least_wait_s = min(least_wait_s, _LONGEST_TOLD_WAIT_S)
    wait_s = max(delay_s(profile, max(failures, least_failures), moment.jitter), least_wait_s)
    retry_at = moment.now + wait_s
    not_before = moment.now + least_wait_s if is_told else moment.now
    new = Waiting(
        state.generation, failures, lost_at, moment.now, retry_at, not_before, reason, refused, asked, trouble
    )
    return new, (StartTimer(TimerKind.RETRY, wait_s),)


def _failures_of(state: Any, moment: Moment, profile: LinkProfile) -> int:
    if isinstance(state, Live) and moment.now - state.since >= profile.settled_after_s:
        return 0
    failures: int = state.failures
    return failures


def _next_rung(moment: Moment, refused: frozenset[Rung]) -> Rung | None:
    return next((rung for rung in moment.rungs if rung not in refused), None)


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────

TABLE: Final[dict[tuple[type[LinkState], type[LinkEvent]], Handler]] = {
    (Idle, ConnectRequested): _on_connect,
    (Idle, CloseRequested): _on_close,
    (Connecting, CloseRequested): _on_close,
    (Connecting, Woke): _on_restart,
    (Connecting, NetworkReturned): _on_restart,
    (Connecting, NetworkWentAway): _on_network_gone,
    (Connecting, HostAnnounced): _on_elsewhere,
    (Connecting, TransportOpened): _on_opened,
    (Connecting, TransportLost): _on_lost,
    (Connecting, StepTimedOut): _on_silence,
    (Authenticating, CloseRequested): _on_close,
    (Authenticating, Woke): _on_doubt,
    (Authenticating, NetworkReturned): _on_move,
    (Authenticating, NetworkWentAway): _on_doubt_offline,
    (Authenticating, HostAnnounced): _on_said_elsewhere,
    (Authenticating, TransportLost): _on_lost,
    (Authenticating, SignedIn): _on_signed_in,
    (Authenticating, SignInRefused): _on_refused,
    (Authenticating, StepTimedOut): _on_silence,
    (Authenticating, ProbeTimedOut): _on_probe_unanswered,
    (Authenticating, LookDue): _on_look_due,
    (Authenticating, HostProved): _on_silence,
    (Syncing, CloseRequested): _on_close,
    (Syncing, Woke): _on_doubt,
    (Syncing, NetworkReturned): _on_move,
    (Syncing, NetworkWentAway): _on_doubt_offline,
    (Syncing, HostAnnounced): _on_said_elsewhere,
    (Syncing, HostAnswered): _on_doubt,
    (Syncing, TransportLost): _on_lost,
    (Syncing, DocumentsProgressed): _on_progress,
    (Syncing, ProbeTimedOut): _on_probe_unanswered,
    (Syncing, LookDue): _on_look_due,
    (Syncing, HostProved): _on_silence,
    (Live, CloseRequested): _on_close,
    (Live, Woke): _on_doubt,
    (Live, NetworkReturned): _on_move,
    (Live, NetworkWentAway): _on_doubt_offline,
    (Live, HostAnnounced): _on_said_elsewhere,
    (Live, HostAnswered): _on_doubt,
    (Live, TransportLost): _on_lost,
    (Live, DocumentsProgressed): _on_progress,
    (Live, ProbeTimedOut): _on_probe_unanswered,
    (Live, LookDue): _on_look_due,
    (Live, HostProved): _on_silence,
    (Waiting, ConnectRequested): _on_demand,
    (Waiting, CloseRequested): _on_close,
    (Waiting, RetryDemanded): _on_demand,
    (Waiting, Woke): _on_hope,
    (Waiting, NetworkReturned): _on_hope,
    (Waiting, NetworkWentAway): _on_network_gone,
    (Waiting, HostAnnounced): _on_hope,
    (Waiting, HostAnswered): _on_answered,
    (Waiting, KeyPressed): _on_key_press,
    (Waiting, RetryDue): _on_retry_due,
    (Offline, ConnectRequested): _on_demand,
    (Offline, CloseRequested): _on_close,
    (Offline, RetryDemanded): _on_demand,
    (Offline, Woke): _on_demand,
    (Offline, NetworkReturned): _on_demand,
    (Offline, HostAnnounced): _on_demand,
    (Offline, HostAnswered): _on_demand,
    (NeedsUser, ConnectRequested): _on_connect,
    (NeedsUser, CloseRequested): _on_close,
    (NeedsUser, RetryDemanded): _on_connect,
}

#: Pairs that only a mistake of ours can bring about.
ILLEGAL: Final[frozenset[tuple[type[LinkState], type[LinkEvent]]]] = frozenset(
    {
        (Connecting, SignedIn),
        (Connecting, SignInRefused),
        (Connecting, DocumentsProgressed),
        (Authenticating, TransportOpened),
        (Authenticating, DocumentsProgressed),
        (Syncing, TransportOpened),
        (Syncing, SignedIn),
        (Syncing, SignInRefused),
        (Live, TransportOpened),
        (Live, SignedIn),
        (Live, SignInRefused),
    }
)

#: Pairs without meaning: a wish that is fulfilled already, a report that comes after the state has moved on.
IGNORED: Final[frozenset[tuple[type[LinkState], type[LinkEvent]]]] = frozenset(
    {
        *(
            (Idle, event)
            for event in (RetryDemanded, Woke, NetworkReturned, NetworkWentAway, HostAnnounced, KeyPressed)
        ),
        *((state, HostAnswered) for state in (Idle, Connecting, Authenticating, NeedsUser, Closed)),
        *((Connecting, event) for event in (ConnectRequested, RetryDemanded, KeyPressed)),
        *((Connecting, event) for event in (ProbeTimedOut, LookDue, HostProved, RetryDue)),
        *((Authenticating, event) for event in (ConnectRequested, RetryDemanded, KeyPressed, RetryDue)),
        *((Syncing, event) for event in (ConnectRequested, RetryDemanded, KeyPressed)),
        *((Syncing, event) for event in (StepTimedOut, RetryDue)),
        *((Live, event) for event in (ConnectRequested, RetryDemanded, KeyPressed)),
        *((Live, event) for event in (StepTimedOut, RetryDue)),
        (Offline, NetworkWentAway),
        (Offline, KeyPressed),
        (Offline, RetryDue),
        *((NeedsUser, event) for event in (Woke, NetworkReturned, NetworkWentAway, HostAnnounced, KeyPressed)),
        *((Closed, event) for event in (ConnectRequested, CloseRequested, RetryDemanded, Woke, NetworkReturned)),
        *((Closed, event) for event in (NetworkWentAway, HostAnnounced, KeyPressed)),
        *(
            (state, event)
            for state in (Idle, Waiting, Offline, NeedsUser, Closed)
            for event in (TransportOpened, TransportLost, SignedIn, SignInRefused, HostProved, DocumentsProgressed)
        ),
        *(
            (state, event)
            for state in (Idle, Waiting, Offline, NeedsUser, Closed)
            for event in (StepTimedOut, ProbeTimedOut, LookDue)
        ),
        *((state, RetryDue) for state in (Idle, NeedsUser, Closed)),
    }
)
