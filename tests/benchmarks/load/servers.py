"""The three servers, each in a process of its own that is held to one core."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from tests.benchmarks.load.dialects import Account, Hocuspocus, TexSwarm, YWebsocket, text
from tests.benchmarks.load.swarm import Swarm

RIVALS: Final = Path(__file__).resolve().parents[1] / "rivals"
SERVER_CORE, CLIENT_CORE = 0, 1
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_START_LIMIT_S: Final = 30.0


def why_not() -> str | None:
    """Return why nothing can be measured here, None where it can."""
    if not hasattr(os, "sched_setaffinity") or not {SERVER_CORE, CLIENT_CORE} <= os.sched_getaffinity(0):
        return "the server needs one core and the clients another, and the system has to hold them there"
    return None


def install_rivals() -> str | None:
    """Install the servers ours is measured against, as locked; return why that cannot be done."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "node and npm are not installed"
    if (RIVALS / "node_modules" / ".package-lock.json").exists():
        return None
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(RIVALS)]
    answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    return f"npm: {answer.stderr.strip()[-200:]}" if answer.returncode else None


def hold_to(core: int) -> None:
    """Hold this process to one core, before others where the system allows that."""
    os.sched_setaffinity(0, {core})
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)


class Process:
    """A server on the server's core. `cpu_s` and `rss_bytes` are those of the process with all its threads."""

    name = ""

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    @property
    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def rss_bytes(self) -> int:
        (line,) = (each for each in Path(f"/proc/{self._pid}/status").read_text().splitlines() if "VmRSS" in each)
        return int(line.split()[1]) * 1024

    def start(self) -> None:
        self.port = self.port or _free_port()
        self._process = subprocess.Popen(
            self._command(),
            env=os.environ | self._environment(),
            stdout=subprocess.PIPE,
            stderr=self._log(),
            text=True,
            preexec_fn=lambda: hold_to(SERVER_CORE),  # noqa: PLW1509 - one thread here
        )
        _wait_for(self.port)

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()
            self._process = None

    def dialect(self, document: str, clients: int) -> Any:
        """Make a document and return how `clients` speak about it."""
        raise NotImplementedError

    @property
    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _environment(self) -> dict[str, str]:
        return {"NODE_ENV": "production", "HOST": "127.0.0.1", "PORT": str(self.port)}

    def _log(self) -> Any:
        return subprocess.DEVNULL


class YWebsocketServer(Process):
    """`@y/websocket-server` as its command starts it: no authentication, everything in memory."""

    name = "y-websocket"

    def _command(self) -> list[str]:
        return ["node", str(RIVALS / "node_modules" / "@y" / "websocket-server" / "src" / "server.js")]

    def dialect(self, document: str, clients: int) -> YWebsocket:
        return YWebsocket(document)


class HocuspocusServer(Process):
    """`@hocuspocus/server` without extensions: every token is welcome, everything in memory."""

    name = "Hocuspocus"

    def _command(self) -> list[str]:
        return ["node", str(RIVALS / "hocuspocus.mjs")]

    def dialect(self, document: str, clients: int) -> Hocuspocus:
        return Hocuspocus(document)


class TexSwarmServer(Process):
    """Ours, as `serve` starts it: invites, roles, sessions, and nothing acknowledged before it is on the disk."""

    name = "TeXSwarm"

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="texswarm-load-"))
        self.data = self.folder / "data"

    def __exit__(self, *_error: object) -> None:
        super().__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _command(self) -> list[str]:
        program = [sys.executable, "-m", "texswarm_server", "serve", "--host", "127.0.0.1"]
        return [*program, "--port", str(self.port), "--data", str(self.data), *self.options]

    options: tuple[str, ...] = ()

    def _log(self) -> Any:
        return (self.folder / "server.log").open("a")

    def dialect(self, document: str, clients: int) -> TexSwarm:
        """Create the document as its owner, who invites everybody else as editors."""
        command = [sys.executable, "-m", "texswarm_server", "invite", "--data", str(self.data), "--role", "owner"]
        link = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        (token,) = re.findall(r"token=([^&\s]+)", link)
        owner = TexSwarm(document, [Account(token)], opens=False)
        swarm = Swarm(self.port)
        swarm.connect_all(owner, [0])
        swarm.clients[0].send(text({"type": "CreateDocument", "payload": {"title": document}}))
        swarm.until(lambda: len(owner.answers) == 1)
        document_id = owner.answers[0]["document_id"]
        order = {"document_id": document_id, "role": "editor"}
        swarm.clients[0].send(text({"type": "CreateInvite", "payload": order}))
        swarm.until(lambda: len(owner.answers) == 2)
        swarm.close()
        invite = owner.answers[1]["token"]
        return TexSwarm(document_id, [Account(invite) for _ in range(clients)])


SERVERS: Final = (YWebsocketServer, HocuspocusServer, TexSwarmServer)


def skip_unless_measurable() -> None:
    if reason := why_not() or install_rivals():
        pytest.skip(reason)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    give_up_at = time.perf_counter() + _START_LIMIT_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.perf_counter() < give_up_at, "the server did not start"
        time.sleep(0.005)
