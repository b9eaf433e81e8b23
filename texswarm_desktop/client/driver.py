"""Runs the connection's machine: one queue, one loop: event, step, store, effects in order, tell listeners.

Only that loop writes the state. It runs where an event is posted and needs no task of its own; an event posted while it
runs waits in the queue. Tasks exist one for each transport, and belong to the driver's task group; timers one of each
kind, plus a tick a second while a link is wanted, which finds sleep and dead links. While a near server is away, or
suspiciously quiet, one more task knocks at its door. After the context manager is left, nothing of the driver runs.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Protocol, Self

from texswarm_desktop.client.backoff import JITTER
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
    HostAnnounced,
    HostAnswered,
    HostProved,
    LinkEvent,
    LookDue,
    Moment,
    ProbeTimedOut,
    RetryDue,
    StepTimedOut,
    TransportLost,
    TransportOpened,
    Woke,
)
from texswarm_desktop.client.heartbeat import Heartbeat
from texswarm_desktop.client.link import (
    Knock,
    Link,
    LinkClosedError,
    NoLinkError,
    TransportFactory,
    WrongCertificateError,
)
from texswarm_desktop.client.states import (
    Closed,
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
from texswarm_desktop.client.timing import (
    TICK_S,
    LinkProfile,
    has_slept,
    knocking_every_s,
)
from texswarm_desktop.client.transition import step
from texswarm_desktop.client.way_in import WayIn
from texswarm_desktop.client.whereabouts import Whereabouts
from texswarm_server.protocol.errors import LinkError, LocalProtocolError, RemoteProtocolError
from texswarm_server.protocol.invite_link import ServerAddress

logger = logging.getLogger(__name__)

StateListener = Callable[[LinkState, LinkState], None]

#: These timers ask whether a probe was answered; to an answer belongs at least the time of so many round trips.
_ABOUT_SILENCE: Final = frozenset({TimerKind.PROBE, TimerKind.LOOK})
_ROUND_TRIPS: Final = 3
#: What came in is worked at for so long without a pause.
_PORTION_S: Final = 0.002

#: States that are left only by somebody's wish.
_FOR_GOOD: Final = (Idle, NeedsUser, Closed)

_TIMER_EVENTS: Final[dict[TimerKind, type[StepTimedOut | LookDue | RetryDue]]] = {
    TimerKind.STEP: StepTimedOut,
    TimerKind.LOOK: LookDue,
    TimerKind.RETRY: RetryDue,
}


class Cancellable(Protocol):
    """A timer that can be stopped."""

    def cancel(self) -> None:
        """Stop it, if it has not fired."""


#: `call_later(delay_s, callback)`; the loop's own, or a test's.
CallLater = Callable[[float, Callable[[], None]], Cancellable]


class SessionPort(Protocol):
    """What is said over the link; the driver only carries it."""

    def rungs(self) -> tuple[Rung, ...]:
        """Return the credentials at hand, best first."""

    async def prepare(self) -> None:
        """Have the credentials at hand that are good now, before a transport is opened."""

    def sign_in(self, rung: Rung) -> None:
        """Say who is there."""

    def forget(self, rung: Rung, code: str) -> None:
        """Throw a credential away."""

    def open_documents(self) -> None:
        """Open every document."""

    def lose_documents(self) -> None:
        """The link is gone."""

    def received(self, frame: str | bytes) -> None:
        """Take in a frame; raises RemoteProtocolError when it is nonsense."""


class Driver:
    """The machine's hands. Invariant: at most one link is current, and only frames of it are delivered."""

    def __init__(
        self,
        session: SessionPort,
        *,
        address: ServerAddress,
        profile: LinkProfile,
        transport: TransportFactory,
        knock: Knock | None = None,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        rng: random.Random,
        call_later: CallLater | None = None,
    ) -> None:
        self.state: LinkState = Idle()
        self.is_online = True
        self._session = session
        self._where = Whereabouts(address)
        self._way_in = WayIn(self._where, profile=profile, transport=transport, knock=knock, clock=clock)
        self._profile, self._knock = profile, knock
        self._clock, self._wall_clock, self._rng = clock, wall_clock, rng
        self._call_later = call_later
        self._queue: deque[LinkEvent] = deque()
        self._is_running = False
        self._listeners: list[StateListener] = []
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._timers: dict[TimerKind, Cancellable] = {}
        self._link: Link | None = None
        self._heartbeat = Heartbeat(profile, clock)
        self._ticking: Cancellable | None = None
        self._ticked = (0.0, 0.0)
        self._scout: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._news: Cancellable | None = None
        self._is_news_elsewhere = False
        self._away_since: float | None = None

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────

    async def __aenter__(self) -> Self:
        if self._call_later is None:
            self._call_later = asyncio.get_running_loop().call_later
        self._group = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.post(CloseRequested())
        if self._news is not None:
            self._news.cancel()
        group, self._group = self._group, None
        if group is not None:
            await group.__aexit__(None, None, None)  # an error of the body is not the group's: it would be wrapped

    def subscribe(self, listener: StateListener) -> Callable[[], None]:
        """Call `listener(old, new)` after every change of state; returns the way out."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def current_address(self) -> ServerAddress:
        """Where the server was reached last, or is to be reached first; nobody else's word changes it."""
        return self._where.proved

    @property
    def round_trip_s(self) -> float | None:
        """How long the last ping of the current link took; None without one."""
        return self._link.round_trip_s if self._link is not None else None

    def measure(self) -> None:
        """Ping now, so that `round_trip_s` is of now."""
        self._heartbeat.ping()

    def seen_at(self, addresses: Iterable[ServerAddress], lately: Iterable[ServerAddress] = ()) -> None:
        """The host said on the local network where it is: there it is looked for first from now on."""
        is_elsewhere = self._where.tell(addresses, self._clock(), has_link=self._link is not None, lately=lately)
        if is_elsewhere is not None:
            self._is_news_elsewhere |= is_elsewhere
            self._way_in.look_again()
            self._heed_news()

    def send(self, frame: str | bytes) -> None:
        """Hand a frame to the current link; without one it is lost, as it would be on the way."""
        if self._link is not None:
            self._link.send(frame)

    # ── the loop ────────────────────────────────────────────────────────────────────────────────────────

    def post(self, event: LinkEvent) -> None:
        """Queue an event and run the loop, unless it is running already."""
        self._queue.append(event)
        if self._is_running:
            return
        self._is_running = True
        try:
            while self._queue:
                self._take(self._queue.popleft())
        finally:
            self._is_running = False

    def _take(self, event: LinkEvent) -> None:
        old = self.state
        moment = Moment(self._clock(), self._rng.uniform(*JITTER), self.is_online, self._session.rungs())
        try:
            self.state, effects = step(old, event, moment, self._profile)
        except LocalProtocolError:
            logger.exception("a mistake in the table")
            self._queue.append(TransportLost(old.generation, reason="internal error"))
            return
        if self.state != old:
            logger.debug("%s: %s -> %s", type(event).__name__, old, self.state)
        for effect in effects:
            self._guard(self._act, effect)
        self._keep_ticking()
        self._keep_knocking()
        if self.state != old:
            for listener in tuple(self._listeners):
                self._guard(listener, old, self.state)

    def _guard(self, call: Callable[..., None], *args: object) -> None:
        """One of the borders where any exception is caught. A failing effect becomes a lost link, a listener a log."""
        try:
            call(*args)
        except Exception:
            logger.exception("%s%s", call, args)
            if call == self._act:
                self._queue.append(TransportLost(self.state.generation, reason="internal error"))

    def _act(self, effect: LinkEffect) -> None:
        match effect:
            case OpenTransport(generation):
                self._open(generation)
            case DropTransport(generation):
                self._drop(generation)
            case SignIn(rung):
                self._session.sign_in(rung)
            case ForgetCredential(rung, code):
                self._session.forget(rung, code)
            case OpenDocuments():
                self._session.open_documents()
            case LoseDocuments():
                self._session.lose_documents()
            case Probe():
                self._heartbeat.probe()
            case LookElsewhere(generation):
                self._look_elsewhere(generation)
            case StartTimer(kind, delay_s):
                self._start_timer(kind, delay_s)
            case CancelTimer(kind):
                self._cancel_timer(kind)

    # ── transports ──────────────────────────────────────────────────────────────────────────────────────

    def _open(self, generation: int) -> None:
        assert self._group is not None, "the driver is entered before it connects"
        self._tasks[generation] = self._group.create_task(self._serve(generation), name=f"link {generation}")

    def _drop(self, generation: int) -> None:
        """End a transport. Who gives one up that still works, for another, is not to look gone in between."""
        if self._link is not None:
            self._link.is_for_good = isinstance(self.state, _FOR_GOOD)
        self._have(None)
        looking, self._looking = self._looking, None
        for task in (looking, self._tasks.pop(generation, None)):
            if task is not None:
                task.cancel()

    async def _serve(self, generation: int) -> None:
        """Open a transport and carry what comes in, until it ends or is dropped. Also a border for exceptions."""
        try:
            await self._session.prepare()
            away_s = 0.0 if self._away_since is None else self._clock() - self._away_since
            async with self._way_in.opened(away_s) as link:
                self._opened(generation, link)
                await self._carry(generation, link)
        except LinkClosedError as error:
            self._ended(
                generation, TransportLost(generation, error.code, error.reason, retry_after_s=error.retry_after_s)
            )
        except WrongCertificateError as error:
            self._ended(generation, TransportLost(generation, None, str(error), StopCode.WRONG_CERTIFICATE))
        except NoLinkError as error:
            self._where.refused()
            self._ended(generation, TransportLost(generation, None, str(error), trouble=error.trouble))
        except (LinkError, RemoteProtocolError) as error:
            self._ended(generation, TransportLost(generation, None, str(error)))
        except Exception as error:
            logger.exception("link %d", generation)
            self._ended(generation, TransportLost(generation, None, repr(error)))

    async def _carry(self, generation: int, link: Link) -> None:
        """Take in what comes, a portion at a time: what came in a burst would keep the window from being painted."""
        spent_s = 0.0
        while True:
            frame = await link.receive()
            begin = self._clock()
            self._received(generation, frame)
            spent_s += self._clock() - begin
            if spent_s > _PORTION_S:
                spent_s = 0.0
                await asyncio.sleep(0)

    def _opened(self, generation: int, link: Link) -> None:
        if generation not in self._tasks:
            return
        link.is_for_good = False
        self._have(link)
        self.post(TransportOpened(generation))

    def _received(self, generation: int, frame: str | bytes) -> None:
        if generation in self._tasks:
            self._session.received(frame)

    def _ended(self, generation: int, event: TransportLost) -> None:
        if self._tasks.pop(generation, None) is not None:
            self._have(None)
            self.post(event)

    def _have(self, link: Link | None) -> None:
        self._link = link
        self._heartbeat.watch(link)

    # ── timers ──────────────────────────────────────────────────────────────────────────────────────────

    def _start_timer(self, kind: TimerKind, delay_s: float) -> None:
        self._cancel_timer(kind)
        generation = self.state.generation
        if kind in _ABOUT_SILENCE and self.round_trip_s is not None:
            delay_s = max(delay_s, _ROUND_TRIPS * self.round_trip_s)  # a slow link is not a silent one

        def fire() -> None:
            if self._timers.get(kind) is handle:
                del self._timers[kind]
                self._fired(kind, generation)

        handle = self._later(delay_s, fire)
        self._timers[kind] = handle

    def _cancel_timer(self, kind: TimerKind) -> None:
        handle = self._timers.pop(kind, None)
        if handle is not None:
            handle.cancel()

    def _fired(self, kind: TimerKind, generation: int) -> None:
        if kind in _ABOUT_SILENCE and self._heartbeat.is_heard_since_probe:
            return
        if kind is TimerKind.PROBE:
            self.post(ProbeTimedOut(generation, self._heartbeat.since_probe_s))
        else:
            self.post(_TIMER_EVENTS[kind](generation))

    def _later(self, delay_s: float, callback: Callable[[], None]) -> Cancellable:
        assert self._call_later is not None, "the driver is entered before it connects"
        return self._call_later(delay_s, callback)

    # ── signs of life ───────────────────────────────────────────────────────────────────────────────────

    def _keep_ticking(self) -> None:
        is_wanted = not isinstance(self.state, (Idle, NeedsUser, Closed))
        if is_wanted and self._ticking is None:
            self._ticked = (self._wall_clock(), self._clock())
            self._ticking = self._later(TICK_S, self._tick)
        elif not is_wanted and self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    def _tick(self) -> None:
        wall, now = self._wall_clock(), self._clock()
        slept = has_slept(wall - self._ticked[0], now - self._ticked[1])
        self._ticked = (wall, now)
        self._ticking = self._later(self._heartbeat.next_look_s(now), self._tick)
        if slept:
            self._heartbeat.trust(now)
            self.post(Woke())
        elif (silent_s := self._heartbeat.feel(now)) is not None:
            reason = f"silent for {silent_s:.1f} s"
            self.post(TransportLost(self.state.generation, reason=reason, trouble=Trouble.SILENT))
        self._keep_knocking()

    # ── elsewhere ───────────────────────────────────────────────────────────────────────────────────────

    def _heed_news(self) -> None:
        """Act on what was told, now or, in a flood of it, in a moment: a true word may be among them."""
        if self._news is not None:
            return
        wait_s = self._where.heed(self._clock())
        if not wait_s:
            is_elsewhere, self._is_news_elsewhere = self._is_news_elsewhere, False
            self.post(HostAnnounced(is_elsewhere))
        elif self._call_later is not None:
            self._news = self._later(wait_s, self._on_late_news)

    def _on_late_news(self) -> None:
        self._news = None
        self._heed_news()

    def _look_elsewhere(self, generation: int) -> None:
        assert self._group is not None, "the driver is entered before it connects"
        if self._looking is None:
            self._looking = self._group.create_task(self._prove_elsewhere(generation), name="elsewhere")

    async def _prove_elsewhere(self, generation: int) -> None:
        """Also a border for exceptions: who only looks must not cost the connection."""
        try:
            is_there = await self._way_in.prove_elsewhere(lambda: not self._heartbeat.is_heard_since_probe)
        except Exception:
            logger.exception("looking for %s elsewhere", self._where.proved)
            is_there = False
        if self._looking is asyncio.current_task():
            self._looking = None
        if is_there and not self._heartbeat.is_heard_since_probe:
            self.post(HostProved(generation))

    # ── knocking ────────────────────────────────────────────────────────────────────────────────────────

    def _keep_knocking(self) -> None:
        """Keep somebody at the door while an answer would be news."""
        every_s = self._knocking_every_s()
        if every_s is None:
            scout, self._scout = self._scout, None
            if scout is not None:
                scout.cancel()
        elif self._scout is None and self._knock is not None and self._group is not None:
            self._scout = self._group.create_task(self._knock_until_answered(self._knock, every_s), name="scout")

    def _knocking_every_s(self) -> float | None:
        if isinstance(self.state, (Waiting, Offline)):  # the system may be wrong, or slow to tell
            now = self._clock()
            self._away_since = now if self._away_since is None else self._away_since
            is_worth_it = isinstance(self.state, Offline) or self.state.is_worth_knocking
            return knocking_every_s(self._profile, now - self._away_since) if is_worth_it else None
        if isinstance(self.state, (Syncing, Live)):
            self._away_since = None
            return self._profile.knock_every_s if self._heartbeat.is_doubting else None
        return None

    async def _knock_until_answered(self, knock: Knock, every_s: float) -> None:
        """Also a border for exceptions: who only looks must not cost the connection."""
        try:
            address = await knock(self._where.addresses, every_s=every_s, is_patient=True)
        except Exception:
            logger.exception("knocking at %s", self._where.proved)
            return
        self._scout = None
        self._heartbeat.is_doubting = False
        if isinstance(self.state, (Waiting, Offline)):
            self._where.answered(address)
        self.post(HostAnswered())
