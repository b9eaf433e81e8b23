"""The session server in a process of its own, as an operator runs it."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

START_LIMIT_S = 30.0


class ServerProcess:
    """Starts `texswarm-server serve` on a data folder; `kill` and `start` may follow each other at will."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.port = 0
        self.tls = False
        self._options = options
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            await self.stop()

    async def start(self) -> None:
        """Start it, on the port it had before if there was one, and wait until it accepts."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with (self.data.parent / "server.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "texswarm_server", "serve", "--host", "127.0.0.1", "--port", str(self.port),
                "--data", str(self.data), *self._options,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self._process.stdout is not None
        line = (await asyncio.wait_for(self._process.stdout.readline(), START_LIMIT_S)).decode()
        found = re.fullmatch(r"listening ws(s?)://127\.0\.0\.1:(\d+)/ws\n", line)
        assert found, f"the server said {line!r}; see {self.data.parent / 'server.log'}"
        self.port, self.tls = int(found[2]), bool(found[1])

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal and go on."""
        assert self._process is not None
        self._process.send_signal(number)

    async def stop(self) -> int:
        """Ask it to end and return its exit status."""
        return await self._end(signal.SIGTERM)

    async def invite(self, url: str, *, document: str | None = None, role: str = "owner") -> str:
        """Return a link made by the operator's command, beside the running server."""
        options = ["--document", document] if document else []
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "texswarm_server", "invite", "--data", str(self.data), "--role", role,
            "--url", url, *options, stdout=asyncio.subprocess.PIPE, env=dict(os.environ),
        )  # fmt: skip
        out, _ = await process.communicate()
        assert process.returncode == 0
        return out.decode().strip()

    async def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(how)
        status = await asyncio.wait_for(process.wait(), START_LIMIT_S)
        transport = getattr(process, "_transport", None)
        if transport is not None:
            transport.close()
        return status
