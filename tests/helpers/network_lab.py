"""Several machines on networks of their own inside this one: Linux network namespaces, for tests of links.

    with NetworkLab() as lab:
        office = lab.network()
        ada, bob = lab.host("ada", office), lab.host("bob", office)
        bob.start(sys.executable, "-m", "texswarm_server", …)
        with ada.entered():
            asyncio.run(connects_to(bob.address))
        ada.cut(incoming=False)

Every network is a bridge in a namespace of the lab's own, every host a namespace joined to it by a veth pair, or by a
`Wire`: a cable that is slow and loses frames, in user space, because not every kernel has netem, and because its losses
are drawn from a seed; where the kernel has it, by that as well. Namespaces have no names and are held open by this
process alone, so nothing is left of them when it ends, however it ends. Frames are dropped on their way in at either
end of a cable, so that a sender never notices.

Needs Linux, root, `ip` and `nft`; tests that use it stand under `needs_network_lab`.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pytest

from tests.helpers.lab_cable import Cable, Wire
from tests.helpers.lab_namespaces import LIMIT_S, entered, in_a_thread, new_tap, run_program, unshared

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


@cache
def obstacle() -> str | None:
    """Return why there can be no lab here, or None."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "making network namespaces needs root"
    missing = [program for program in ("ip", "nft") if shutil.which(program) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    return _trial()


def _trial() -> str | None:
    """A container may look like root and be allowed nothing."""
    try:
        with NetworkLab() as lab:
            lab.host("trial", lab.network()).cut()
    except (OSError, subprocess.CalledProcessError) as error:
        words = f"{getattr(error, 'stderr', '') or error}".strip()
        if any(told in words for told in ("not permitted", "Permission denied", "not supported", "No such file")):
            return f"network namespaces cannot be made here: {words}"
        raise
    return None


def needs_network_lab(test: Callable[..., Any]) -> Callable[..., Any]:
    """Skip a test, with the reason, where there can be no lab."""
    reason = obstacle()
    return pytest.mark.skipif(reason is not None, reason=reason or "")(test)


@cache
def netem_obstacle() -> str | None:
    """Return why the kernel cannot make a cable bad by itself, or None."""
    if (reason := obstacle()) is not None:
        return reason
    if shutil.which("tc") is None:
        return "not installed: tc"
    try:
        with NetworkLab() as lab:
            lab.host("trial", lab.network(), wire=Wire(delay_s=0.001, is_netem=True))
    except subprocess.CalledProcessError as error:
        return f"this kernel has no netem: {error.stderr.strip()}"
    return None


def needs_netem(test: Callable[..., Any]) -> Callable[..., Any]:
    """Skip a test, with the reason, where the kernel cannot make a cable bad."""
    reason = netem_obstacle()
    return pytest.mark.skipif(reason is not None, reason=reason or "")(test)


@dataclass(frozen=True, slots=True)
class LabNetwork:
    """One broadcast domain; hosts on it are numbered from 1."""

    number: int

    @property
    def bridge(self) -> str:
        return f"br{self.number}"

    def address(self, number: int) -> str:
        """Return the IPv4 address of a host."""
        return f"10.77.{self.number}.{number}"

    def address6(self, number: int) -> str:
        """Return the IPv6 address of a host."""
        return f"fd77:0:0:{self.number}::{number:x}"


class NetworkLab:
    """Makes networks and hosts; leaving it ends what was started on them, and all of them."""

    def __init__(self) -> None:
        self._switch = -1
        self._networks = self._hosts = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.__enter__()
        try:
            self._switch = self.new_namespace()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    def network(self) -> LabNetwork:
        """Make a network."""
        self._networks += 1
        made = LabNetwork(self._networks)
        self.ip(f"link add {made.bridge} type bridge forward_delay 0 mcast_snooping 0", f"link set {made.bridge} up")
        return made

    def host(self, name: str, *networks: LabNetwork, wire: Wire | None = None) -> "LabHost":
        """Make a machine with an interface on each network: eth0, eth1, …"""
        self._hosts += 1
        host = LabHost(self, name, self._hosts)
        self.keep(host)
        for network in networks:
            host.join(network, wire=wire)
        return host

    # ── for hosts ───────────────────────────────────────────────────────────────────────────────────────

    def ip(self, *lines: str) -> None:
        """Run `ip` in the namespace of the bridges."""
        with entered(self._switch):
            run_program("ip", "-batch", "-", stdin="\n".join(lines))

    def nft(self, script: str) -> None:
        """Run `nft` in the namespace of the bridges."""
        with entered(self._switch):
            run_program("nft", "-f", "-", stdin=script)

    def tc(self, line: str) -> None:
        """Run `tc` in the namespace of the bridges."""
        with entered(self._switch):
            run_program("tc", *line.split())

    def tap(self, name: str) -> int:
        """Make a tap interface among the bridges and return its descriptor."""
        return new_tap(self._switch, name)

    def keep(self, thing: AbstractContextManager[T]) -> T:
        """Enter something that ends with the lab."""
        return self._stack.enter_context(thing)

    def new_namespace(self) -> int:
        """Return the descriptor of a new namespace with its loopback up, kept open as long as the lab."""
        made = in_a_thread(unshared)
        self._stack.callback(os.close, made)
        with entered(made):
            for scope in ("all", "default"):  # addresses are good at once: nobody here has the same
                with suppress(OSError):
                    Path(f"/proc/sys/net/ipv6/conf/{scope}/accept_dad").write_text("0")
            run_program("ip", "link", "set", "lo", "up")
        return made


@dataclass
class _Port:
    """One interface of a host, and the bridge's end of its cable."""

    network: LabNetwork
    near: str
    far: str


@dataclass
class LabHost:
    """A machine of the lab. `cut`, `mend`, `unplug` and the others act on all its interfaces, or on the one named."""

    lab: NetworkLab
    name: str
    number: int
    _namespace: int = -1
    _ports: list[_Port] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self._namespace = self.lab.new_namespace()
        self._stack.__enter__()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    # ── where it is ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def address(self) -> str:
        """The first interface's first IPv4 address."""
        return self._ports[0].network.address(self.number)

    @property
    def addresses(self) -> list[str]:
        """The IPv4 address in each network."""
        return [port.network.address(self.number) for port in self._ports]

    @property
    def address6(self) -> str:
        """The first interface's first IPv6 address."""
        return self._ports[0].network.address6(self.number)

    def join(self, network: LabNetwork, *, wire: Wire | None = None) -> str:
        """Plug into one more network; returns the new interface's name."""
        port = _Port(network, f"eth{len(self._ports)}", f"h{self.number}p{len(self._ports)}")
        if wire is None or wire.is_netem:
            # iproute2 takes a path for a namespace; ours has no name.
            far_end = f"/proc/{os.getpid()}/fd/{self._namespace}"
            self.lab.ip(f"link add {port.far} type veth peer name {port.near} netns {far_end}")
        else:
            self._stack.enter_context(Cable(self.lab.tap(port.far), new_tap(self._namespace, port.near), wire))
        self.lab.ip(f"link set {port.far} master {network.bridge} up")
        self._ports.append(port)
        self.ip(f"link set {port.near} up", *_addresses(port, self.number))
        if wire is not None and wire.is_netem:
            self.run("tc", *wire.queue_on(port.near).split())
            self.lab.tc(wire.queue_on(port.far))
        return port.near

    def renumber(self, number: int) -> None:
        """Take other addresses, as after a new lease; connections that stood hang from here on."""
        self.number = number
        for port in self._ports:
            self.ip(f"addr flush dev {port.near} scope global", *_addresses(port, number))

    # ── what is done on it ──────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Put this thread on the host: sockets made, threads begun and programs started in the block belong there."""
        with entered(self._namespace):
            yield

    def ip(self, *lines: str) -> None:
        """Run lines of `ip`."""
        with self.entered():
            run_program("ip", "-batch", "-", stdin="\n".join(lines))

    def nft(self, script: str) -> None:
        """Run a script of `nft`: a firewall."""
        with self.entered():
            run_program("nft", "-f", "-", stdin=script)

    def run(self, *command: str, timeout_s: float = LIMIT_S) -> str:
        """Run a program to its end and return what it wrote; raises CalledProcessError."""
        with self.entered():
            return run_program(*command, timeout_s=timeout_s)

    @property
    def inside(self) -> tuple[str, ...]:
        """The command that runs another one on the host; `nsenter` becomes that one, so that signals arrive."""
        return "nsenter", f"--net=/proc/{os.getpid()}/fd/{self._namespace}"

    def start(self, *command: str, **options: Any) -> "subprocess.Popen[str]":
        """Start a program that ends with the lab."""
        with self.entered():
            process = subprocess.Popen(command, text=True, stdin=subprocess.DEVNULL, **options)
        self._stack.callback(_end, process)
        return process

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in a thread that sits on the host, and wait for it."""

        def there() -> T:
            with self.entered():
                return function()

        return in_a_thread(there)

    def loop(self) -> "LabLoop":
        """Start an event loop in a thread that sits on the host; it ends with the lab."""
        return self._stack.enter_context(LabLoop(self))

    # ── faults ──────────────────────────────────────────────────────────────────────────────────────────

    def cut(self, *, incoming: bool = True, outgoing: bool = True, only: str = "", interface: str = "") -> None:
        """Let no frame through any more, without a sign; `only`: such as match an nft rule, "tcp dport 80"."""
        self.mend()
        for port in self._ports:
            if interface not in {"", port.near}:
                continue
            if incoming:
                self.nft(_dropping(port.near, only))
            if outgoing:
                self.lab.nft(_dropping(port.far, only))

    def mend(self) -> None:
        """End a cut."""
        for port in self._ports:
            self.nft(_dropping_nothing(port.near))
            self.lab.nft(_dropping_nothing(port.far))

    def unplug(self) -> None:
        """Pull the cables: the system notices."""
        self.lab.ip(*(f"link set {port.far} down" for port in self._ports))

    def plug(self) -> None:
        """Put the cables back."""
        self.lab.ip(*(f"link set {port.far} up" for port in self._ports))

    def isolate(self) -> None:
        """Be a client of an access point that isolates its clients: isolated hosts do not reach each other."""
        self.lab.ip(*(f"link set {port.far} type bridge_slave isolated on" for port in self._ports))


class LabLoop(AbstractContextManager["LabLoop"]):
    """An event loop on a host, in a thread of its own."""

    def __init__(self, host: LabHost) -> None:
        self._host = host
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"loop of {host.name}")

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_up.wait(LIMIT_S)
        return self

    def __exit__(self, *_exc: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Start a coroutine there."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float = LIMIT_S) -> T:
        """Run a coroutine there and wait for it; not from a loop."""
        return self.submit(work).result(timeout_s)

    def _serve(self) -> None:
        with self._host.entered(), asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._loop.call_soon(self._is_up.set)
            self._loop.run_forever()


def _addresses(port: _Port, number: int) -> list[str]:
    return [
        f"addr add {port.network.address(number)}/24 dev {port.near}",
        f"addr add {port.network.address6(number)}/64 dev {port.near} nodad",
    ]


def _dropping(interface: str, only: str) -> str:
    rule = f"{only} drop" if only else "drop"
    chain = f"type filter hook ingress device {interface} priority 0"
    return f"table netdev cut_{interface} {{ chain drops {{ {chain}; {rule}; }}; }}\n"


def _dropping_nothing(interface: str) -> str:
    """The table is added first, because deleting one that is not there is an error."""
    return f"add table netdev cut_{interface}\ndelete table netdev cut_{interface}\n"


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
