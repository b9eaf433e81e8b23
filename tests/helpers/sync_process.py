"""`texswarm sync` in a process of its own, as people run it."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.helpers.folder_listing import files_in

LIMIT_S = 60.0
_PROBLEMS = {"problem", "file_problem"}


class SyncProcess:
    """Starts the peer with `--json`; used as an async context manager, which ends it as SIGTERM does.

    `profile`: beside the folder and of its name unless given, so that each folder is a person of its own. `inside`: a
    command that runs another one, on a machine of the lab say.
    """

    def __init__(
        self,
        folder: Path,
        link: str | None = None,
        *options: str,
        profile: Path | None = None,
        inside: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.profile = profile or folder.with_name(f"{folder.name}.profile")
        self.events: list[dict[str, Any]] = []
        self.error_log = self.profile.with_name(f"{folder.name}.stderr")
        self._inside = inside
        self._arguments = [str(folder), *([link] if link else []), *options]
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.error_log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._inside,
                sys.executable, "-m", "texswarm_desktop", "sync", "--json", "--profile-dir", str(self.profile),
                *self._arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            await self.end(signal.SIGTERM if error is None else signal.SIGKILL)

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    @property
    def said(self) -> str:
        """Everything written to standard error until now."""
        return self.error_log.read_text(encoding="utf-8") if self.error_log.exists() else ""

    async def until(self, event: str, **details: Any) -> dict[str, Any]:
        """Read on until an event with these details comes, and return it."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                one = await self._next()
                assert one is not None, f"it ended before {event} {details}: {self.events[-3:]} {self.said}"
                if one["event"] == event and all(one.get(key) == value for key, value in details.items()):
                    return one

    async def until_all_well(self) -> None:
        """Read on until of everything that was told to be wrong it was told that it no longer is."""
        async with asyncio.timeout(LIMIT_S):
            while self.wrong:
                assert await self._next() is not None, f"it ended while this was wrong: {self.wrong} {self.said}"

    @property
    def wrong(self) -> dict[str, str]:
        """What was told to be wrong until now, by path; by no path, of the disk."""
        told = {one.get("path", ""): one["sentence"] for one in self.events if one["event"] in _PROBLEMS}
        return {path: sentence for path, sentence in told.items() if sentence is not None}

    async def until_saved(self) -> None:
        """Read on until everything is stored by the server."""
        await self.until("status", text="Connected · all changes saved")

    def send(self, how: signal.Signals) -> None:
        """Send a signal, and wait for nothing."""
        assert self._process is not None
        self._process.send_signal(how)

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        return await self.ended()

    async def ended(self) -> int:
        """Return the exit status once it has ended by itself."""
        process, self._process = self._process, None
        assert process is not None
        try:
            async with asyncio.timeout(LIMIT_S):
                while await self._next(process) is not None:
                    pass
                return await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        finally:
            process._transport.close()  # type: ignore[attr-defined]

    async def _next(self, process: asyncio.subprocess.Process | None = None) -> dict[str, Any] | None:
        process = process or self._process
        assert process is not None
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            return None
        self.events.append(json.loads(line))
        return self.events[-1]


async def sync_once(folder: Path, link: str | None = None, *options: str) -> SyncProcess:
    """Run `texswarm sync --once` to its end, which must be a good one."""
    process = SyncProcess(folder, link, "--once", *options)
    async with process:
        status = await process.ended()
    assert status == 0, (status, process.events, process.said)
    return process


def texts_in(folder: Path) -> dict[str, str]:
    """Return every file of a project's folder by path, without what is ours; what goes meanwhile is left out."""
    return {path: data.decode() for path, data in files_in(folder).items()}
