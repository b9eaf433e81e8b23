"""A desktop in a process of its own, driven from here; see `desktop_child`."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
ANSWER_LIMIT_S = 60.0
SETTLE_LIMIT_S = 60.0


class DesktopError(AssertionError):
    """The desktop could not do what it was told, or ended before it answered."""


class DesktopProcess:
    """Starts a desktop, gives it orders, and sees to its end. `platform`: Qt's name of it; None: as Qt thinks best."""

    def __init__(
        self,
        profile: Path,
        target: str | None = None,
        *,
        platform: str | None = "offscreen",
        environment: Mapping[str, str] | None = None,
        inside: Sequence[str] = (),
    ) -> None:
        """`inside`: the command that runs another one where this desktop is to be."""
        self.profile, self.target, self._inside = profile, target, inside
        self._environment = {**(environment or {}), **({"QT_QPA_PLATFORM": platform} if platform else {})}
        self._numbers = itertools.count(1)
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            if self._process is not None:
                await self.kill()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        if error is None:
            await self.quit()
        else:
            await self.kill()

    async def start(self) -> None:
        """Start the program and wait until its window is there; what cannot show one is ended."""
        self.profile.mkdir(parents=True, exist_ok=True)
        arguments = ["--profile-dir", str(self.profile), *([self.target] if self.target else [])]
        environment = os.environ | self._environment | {"PYTHONUNBUFFERED": "1"}
        with (self.profile / "desktop.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._inside, sys.executable, "-m", "tests.helpers.desktop_child", *arguments,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
                cwd=ROOT, env=environment, limit=64 * 1024 * 1024,
            )  # fmt: skip
        try:
            await self._answer(0)
        except BaseException:
            await self.kill()
            raise

    async def do(self, name: str, /, **details: Any) -> Any:
        """Give one order and return its answer; raises DesktopError."""
        process, number = self._running(), next(self._numbers)
        assert process.stdin is not None
        process.stdin.write(json.dumps({"id": number, "do": name, **details}).encode() + b"\n")
        await process.stdin.drain()
        return await self._answer(number)

    async def until(self, name: str, is_reached: Callable[[Any], bool], *, limit_s: float = SETTLE_LIMIT_S) -> Any:
        """Ask again and again until the answer is as wanted; raises DesktopError with the last answer."""
        answer: Any = None
        try:
            async with asyncio.timeout(limit_s):
                while not is_reached(answer := await self.do(name)):  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise DesktopError(f"{self.profile.name}: {name} stayed {answer!r}\n{self.log_tail()}") from None
        return answer

    async def quit(self) -> int:
        """Close the window and return the exit status."""
        process = self._running()
        assert process.stdin is not None
        try:
            await self.do("quit")
        except BaseException:
            await self.kill()
            raise
        process.stdin.close()
        return await self._ended()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal and go on."""
        self._running().send_signal(number)

    async def kill(self) -> None:
        """End the program as a power cut would."""
        process = self._running()
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await self._ended()

    def log_tail(self, lines: int = 40) -> str:
        """Return the last lines the program wrote to standard error."""
        return "\n".join((self.profile / "desktop.log").read_text(errors="replace").splitlines()[-lines:])

    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "not started"
        return self._process

    async def _ended(self) -> int:
        process, self._process = self._running(), None
        try:
            status = await asyncio.wait_for(process.wait(), ANSWER_LIMIT_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise DesktopError(f"{self.profile.name} did not end\n{self.log_tail()}") from None
        finally:
            transport = getattr(process, "_transport", None)
            if transport is not None:
                transport.close()
        return status

    async def _answer(self, number: int) -> Any:
        process = self._running()
        assert process.stdout is not None
        while True:
            line = await asyncio.wait_for(process.stdout.readline(), ANSWER_LIMIT_S)
            if not line:
                raise DesktopError(f"{self.profile.name} ended\n{self.log_tail()}")
            try:
                answer = json.loads(line)
            except ValueError:
                continue
            if answer["id"] == number:
                if "error" in answer:
                    raise DesktopError(f"{self.profile.name}: {answer['error']}\n{answer['trace']}")
                return answer["ok"]
