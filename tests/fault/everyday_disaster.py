"""Two desktops, one server, a cable for each, and a plan of what goes wrong; then a look at what is left.

At rest every copy is equal and holds exactly what was typed; nobody was shown a dialog; and the status line only ever
said what PRODUCT's table says.
"""

import asyncio
import re
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.helpers.desktop_process import DesktopProcess
from tests.helpers.plan import PEOPLE, Plan, Step
from tests.helpers.server_process import ServerProcess
from tests.helpers.tcp_proxy import TcpProxy

ACCESS_TTL_S: Final = 2.0
STATUS_LINES: Final = re.compile(
    r"""Working\ locally(\ ·\ not\ saved\ to\ the\ folder\ yet)?
      | (Connecting(\ to\ \S+)?|Reconnecting)…(\ ·\ [\d,]+\ edits?\ waiting)?
      | Signing\ in(\ again)?…(\ ·\ [\d,]+\ edits?\ waiting)?
      | Catching\ up…\ \(\d+\ of\ \d+\)(\ ·\ [\d,]+\ edits?\ waiting)?
      | Connected\ ·\ (all\ changes\ saved|saving…)
      | (Reconnecting|It\ may\ be\ encrypted\ now\ ·\ trying\ again)\ in\ \d+\ s\ ·\ [\d,]+\ edits?\ waiting
      | Offline\ ·\ [\d,]+\ edits?\ waiting""",
    re.VERBOSE,
)
SAVED: Final = "Connected · all changes saved"


class EverydayDisaster:
    """The stage of a plan. Enter it, `perform`, then `look`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = AsyncExitStack()
        self._desks: dict[str, DesktopProcess] = {}
        self._cables: dict[str, TcpProxy] = {}
        self._typed: Counter[str] = Counter()
        self.server = ServerProcess(folder / "server" / "data", "--access-ttl", str(ACCESS_TTL_S))

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        try:
            await self._build()
        except BaseException as error:
            await self._stack.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def _build(self) -> None:
        await self._stack.enter_async_context(self.server)
        for who in PEOPLE:
            self._cables[who] = await self._stack.enter_async_context(TcpProxy(self.server.port))
        ann = self._desks["ann"] = DesktopProcess(self._folder / "ann")
        await self._stack.enter_async_context(ann)
        await ann.until("ready", bool)
        await ann.do("share", link=await self.server.invite(self._url("ann")))
        status = await ann.until("status", lambda status: status["text"] == SAVED)
        link = await self.server.invite(self._url("bob"), document=status["document"], role="editor")
        bob = self._desks["bob"] = DesktopProcess(self._folder / "bob", link)
        await self._stack.enter_async_context(bob)
        await bob.until("ready", bool)
        self._typed.update(await ann.do("text"))

    def _url(self, who: str) -> str:
        return f"ws://127.0.0.1:{self._cables[who].port}"

    # ── the plan ────────────────────────────────────────────────────────────────────────────────────────

    async def perform(self, plan: Plan) -> None:
        """Let everything happen in order; what two people type in neighbouring steps is typed at the same time."""
        waiting: dict[str, Step] = {}
        for step in plan.steps:
            if step.do == "type" and step.who not in waiting:
                waiting[step.who] = step
                continue
            await self._type(waiting)
            if step.do == "type":
                waiting[step.who] = step
            else:
                await self._happen(step)
        await self._type(waiting)

    async def _type(self, waiting: dict[str, Step]) -> None:
        steps, _ = list(waiting.values()), waiting.clear()
        await asyncio.gather(*(self._type_line(step) for step in steps))

    async def _type_line(self, step: Step) -> None:
        desk = self._desks[step.who]
        await desk.do("caret", line=step.line)
        await desk.do("type", text=step.text)
        self._typed.update(step.text)

    async def _happen(self, step: Step) -> None:
        match step.do:
            case "kill_server":
                await self.server.kill()
            case "start_server":
                await self.server.start()
            case "kill_desktop":
                await self._desks[step.who].do("store")
                await self._desks[step.who].kill()
            case "start_desktop":
                await self._restart(step.who)
            case "expire":
                await asyncio.sleep(ACCESS_TTL_S * 1.1)
            case "delay":
                self._cables[step.who].delay(step.seconds)
            case fault:
                getattr(self._cables[step.who], fault)()

    async def _restart(self, who: str) -> None:
        desk = self._desks[who]
        desk.target = None  # it opens what was open last
        await desk.start()
        await desk.until("ready", bool)

    # ── at rest ─────────────────────────────────────────────────────────────────────────────────────────

    async def look(self) -> None:
        """Bring everything to rest and insist that all is well."""
        for cable in self._cables.values():
            cable.restore()
        texts = await self._texts_at_rest()
        assert len(set(texts)) == 1, "the copies differ"
        missing, doubled = self._typed - Counter(texts[0]), Counter(texts[0]) - self._typed
        assert not missing, f"lost: {dict(missing)}"
        assert not doubled, f"too many: {dict(doubled)}"
        for desk in self._desks.values():
            await self._look_at(desk)

    async def _texts_at_rest(self) -> list[str]:
        for desk in self._desks.values():
            await desk.do("retry")
        give_up_at = time.monotonic() + 60
        while True:
            for desk in self._desks.values():
                await desk.until("status", lambda status: status["text"] == SAVED)
            texts = [await desk.do("text") for desk in self._desks.values()]
            if len(set(texts)) == 1 or time.monotonic() > give_up_at:
                return texts
            await asyncio.sleep(0.05)

    async def _look_at(self, desk: DesktopProcess) -> None:
        text = await desk.do("text")
        assert await desk.do("screen") == text, "the screen shows something else"
        await desk.do("flush")
        main = Path(await desk.do("folder")) / "main.tex"
        assert main.read_text(encoding="utf-8") == text, "the folder holds something else"
        status: dict[str, Any] = await desk.do("status")
        assert status["dialogs"] == [], "a dialog was shown"
        strange = [line for _, line, _ in await desk.do("history") if not STATUS_LINES.fullmatch(line)]
        assert not strange, f"the status line said {strange}"
