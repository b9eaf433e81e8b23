"""Installations on hosts of the lab, a replica with a connection or a whole desktop; and the server on another host."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.helpers.desktop_child import HOST_ADDRESS
from tests.helpers.desktop_process import DesktopProcess
from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.model_replica import ModelReplica
from tests.helpers.network_lab import LabHost, NetworkLab
from tests.helpers.run_async import until
from tests.helpers.shared_folder import fill
from tests.helpers.status_transcript import StatusTranscript
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.knock import tcp_knock
from texswarm_desktop.client.link import TransportFactory
from texswarm_desktop.client.states import LinkState, Live
from texswarm_desktop.client.status import LinkFacts, next_look
from texswarm_desktop.client.timing import TICK_S, LinkProfile
from texswarm_server.protocol.invite_link import ServerAddress, parse_invite_link
from texswarm_server.protocol.messages import CreateDocument

DOCUMENT = "22222222-2222-4222-8222-222222222222"
LINEAGE = "33333333-3333-4333-8333-333333333333"
PORT = 8091
#: However slow a machine is, no promise is late by more.
_MOST_GRANTED_S = 1.0


def desktop_on(host: LabHost, profile: Path, target: str | None = None) -> DesktopProcess:
    """Return a whole desktop for a host; it hosts there under the host's own addresses."""
    return DesktopProcess(profile, target, environment={HOST_ADDRESS: ""}, inside=host.inside)


@dataclass(frozen=True)
class Visit:
    """Ada's desktop is a guest of Bob's, each on a machine of its own. `link`: by which she came."""

    bobs: LabHost
    adas: LabHost
    bob: DesktopProcess
    ada: DesktopProcess
    link: str


@asynccontextmanager
async def visit(lab: NetworkLab, folder: Path) -> AsyncIterator[Visit]:
    """Let Bob host a paper, and Ada have its text."""
    paper = fill(folder / "paper", {"main.tex": "paper"})
    office = lab.network()
    bobs, adas = lab.host("bob", office), lab.host("ada", office)
    async with desktop_on(bobs, folder / "bob", str(paper)) as bob:
        await bob.until("ready", bool)
        link = (await bob.do("host"))["link"]
        async with desktop_on(adas, folder / "ada", link) as ada:
            await ada.until("ready", bool)
            await ada.until("text", lambda text: text == "paper")
            yield Visit(bobs, adas, bob, ada, link)


class LabServer:
    """`texswarm-server serve` on a host, open unless told otherwise; `kill` and `start` may follow each other."""

    def __init__(self, host: LabHost, data: Path, *options: str, is_open: bool = True) -> None:
        self.host, self.data, self._options = host, data, (*(["--open"] if is_open else []), *options)
        self.start()

    @property
    def address(self) -> ServerAddress:
        return ServerAddress(self.host.address, PORT)

    def start(self) -> None:
        command = [sys.executable, "-m", "texswarm_server", "serve", "--host", "0.0.0.0", *self._options]
        log = (self.data.parent / "server.log").open("ab")
        self.process = self.host.start(*command, "--port", str(PORT), "--data", str(self.data), stdout=-1, stderr=log)
        log.close()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening "), line

    def invitation(self, *options: str) -> str:
        """Return a link that lets in."""
        command = (sys.executable, "-m", "texswarm_server", "invite", "--data", str(self.data), *options)
        link = parse_invite_link(self.host.run(*command).strip())
        return str(replace(link, address=replace(link.address, host=self.host.address)))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class LabDesk:
    """A client; `async with` it in a loop on its host. `transcript`: what its status line says."""

    def __init__(
        self,
        address: ServerAddress,
        profile: LinkProfile | None = None,
        *,
        title: str = "",
        name: str = "bob",
        transport: TransportFactory | None = None,
    ) -> None:
        self.replica = ModelReplica(DOCUMENT)
        self.credentials = FakeCredentials(invite=None)
        self.connection = Connection(
            address=address, credentials=self.credentials, profile=profile, transport=transport, knock=tcp_knock
        )
        self.transcript = StatusTranscript(title)
        self.states: list[LinkState] = []
        self.joined_s, self.took_s, self.promised_s = 0.0, 0.0, 0.0
        self._name, self._is_told = name, False
        self._ticker: asyncio.TimerHandle | None = None
        self.connection.subscribe(self._on_state)

    async def __aenter__(self) -> Self:
        await self.connection.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_told = False
        if self._ticker is not None:
            self._ticker.cancel()
        await self.connection.__aexit__(kind, error, trace)

    async def create(self) -> None:
        """Put the document on the server and be live in it; `joined_s`: how long that takes here and now."""
        began_at = time.monotonic()
        self.replica.create(LINEAGE)
        self.connection.connect()
        await until(lambda: self.is_live)
        await self.connection.request(CreateDocument(title="Paper", document_id=DOCUMENT, lineage=LINEAGE))
        await self.join()
        self.joined_s = time.monotonic() - began_at

    def took(self, seconds: float, promised_s: float) -> None:
        """Note how long it took what is promised in a time."""
        self.took_s, self.promised_s = seconds, promised_s

    @property
    def lateness(self) -> str:
        """Say if it took longer than is promised, and than to join twice takes on this machine, as busy as it is."""
        is_late = self.took_s > self.promised_s + min(2 * self.joined_s, _MOST_GRANTED_S)
        told = f"{self.took_s:.3f} s instead of {self.promised_s} s, where to join took {self.joined_s:.3f} s"
        return told if is_late else ""

    async def begin(self) -> None:
        """Connect, and be told of from the start."""
        self._is_told = True
        self.connection.connect()
        self.look()

    async def join(self) -> None:
        """Be live in the document, and begin to be told of."""
        self.replica.sync = self.connection.add(self.replica)
        self.connection.connect()
        await until(lambda: self.is_saved and self.replica.lineage)
        self._is_told = True
        self.look()

    def type(self, words: str) -> None:
        """Edit, whatever the link does."""
        self.replica.replace(0, 0, words)
        self.look()

    @property
    def is_live(self) -> bool:
        return isinstance(self.connection.state, Live)

    @property
    def is_saved(self) -> bool:
        return self.is_live and not self.replica.unacknowledged()

    @property
    def said(self) -> list[str]:
        """The lines of the transcript."""
        return [line for line in self.transcript.text(0.0).splitlines()[2:] if line]

    async def timed_until(self, condition: Callable[[], object]) -> float:
        """Return how long it takes until a condition holds."""
        began_at = time.monotonic()
        await until(condition)
        self.look()
        return time.monotonic() - began_at

    def _on_state(self, old: LinkState, new: LinkState) -> None:
        self.states.append(new)
        self.transcript.turned(old, new, time.monotonic())
        self.look()

    def look(self) -> None:
        """Write down what is shown, now and whenever it changes by itself."""
        if not self._is_told:
            return
        sync, now = self.replica.sync, time.monotonic()
        refusal = self.replica.refusals[-1].code if self.replica.refusals else None
        oldest_at = sync.oldest_unacknowledged_since if sync else None
        facts = LinkFacts(self._name, self.replica.unacknowledged(), oldest_at, refusal=refusal)
        self.transcript.look(self.connection.state, facts, now)
        if self._ticker is not None:
            self._ticker.cancel()
        again_s = next_look(self.connection.state, facts, now)
        self._ticker = asyncio.get_running_loop().call_later(min(again_s or TICK_S, TICK_S) + 0.001, self.look)
