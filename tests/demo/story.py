"""What happens in the demonstration: host, join, write together, lose a link, go on writing, get it back.

Nothing here waits for a duration but the hands on the keyboards, which type as fast as people do.
"""

import asyncio
import random
import re
import time
from collections.abc import Callable, Coroutine
from functools import partial
from operator import eq
from pathlib import Path
from typing import Any, Final

from tests.demo.cast import CAST, FILE, HOST, PEER, TRAVELLER
from tests.demo.evidence import Desk, Evidence
from tests.demo.stage import Seat, Stage

SAVED: Final = re.compile(r"(Connected|Hosting for 2 people · \S+) · all changes saved")
WAITS: Final = re.compile(r"Reconnecting in [2-9] s · [\d,]+ edits waiting")
_KEY_S: Final = (0.03, 0.11)
_NEW_LINE_S: Final = 0.2
_LAST_LETTERS: Final = 12


class Story:
    """One performance on a stage. `tell` is called with each sentence when it becomes true."""

    def __init__(self, stage: Stage, output: Path, tell: Callable[[float, str], None]) -> None:
        self._stage, self._output, self._tell = stage, output, tell
        self._began = time.monotonic()
        self.evidence = Evidence(began=self._began)

    async def perform(self) -> Evidence:
        """Let everything happen, in order; raises DesktopError when something that must come true does not."""
        await self._gather()
        self._happens("All three write at the same time.")
        await self._each(self._write_together)
        await self._all_saved()
        await self._carets_agree()
        await self._each(partial(self._take_pictures, "1-live"))
        await self._cut()
        await self._return()
        await self._look()
        return self.evidence

    # ── the acts ────────────────────────────────────────────────────────────────────────────────────────

    async def _gather(self) -> None:
        host, link = await self._stage.host(HOST)
        self._happens(f"{HOST.name} opened the first paper and hosts it at {link.address}.")
        self.evidence.before = await host.do("files")
        async with asyncio.TaskGroup() as group:
            for author in (PEER, TRAVELLER):
                group.create_task(self._stage.peer(author, link))
        self._stage.seats.sort(key=lambda seat: CAST.index(seat.author))
        await self._each(self._sit_down)
        await self._carets_agree()
        self._happens(f"{PEER.name} and {TRAVELLER.name} have joined by the link; everybody sees everybody.")

    async def _sit_down(self, seat: Seat) -> None:
        await seat.desktop.until("ready", bool)
        await seat.desktop.until("status", _is_saved)
        await seat.do("open", path=FILE)
        lines = (await seat.do("text")).split("\n")
        number = next((at for at, line in enumerate(lines) if seat.author.below in line), -1)
        await seat.do("caret", line=number)

    async def _write_together(self, seat: Seat) -> None:
        """Write the first passage, and wait for the others shortly before its end: a name shows only for a moment."""
        text = seat.author.passages[0]
        await self._type(seat, text[:-_LAST_LETTERS])
        await self._meet()
        await self._type(seat, text[-_LAST_LETTERS:])

    async def _cut(self) -> None:
        cable = self._seat_of(TRAVELLER.key).cable
        assert cable is not None
        cable.refuse()
        self.evidence.cut_at = self._happens(f"{TRAVELLER.first_name}'s cable is cut. All three go on writing.")
        await self._each(self._write_apart)
        apart = [await seat.do("text", path=FILE) for seat in self._stage.seats]
        self.evidence.apart = {seat.author.key: text for seat, text in zip(self._stage.seats, apart, strict=True)}

    async def _write_apart(self, seat: Seat) -> None:
        await self._type(seat, seat.author.passages[1])
        if seat.author is TRAVELLER:
            await seat.desktop.until("status", _is_waiting)
        await self._meet()
        await self._take_pictures("2-cut", seat)

    async def _return(self) -> None:
        cable = self._seat_of(TRAVELLER.key).cable
        assert cable is not None
        cable.restore()
        self.evidence.restored_at = self._happens("The cable is whole again. Nobody presses anything but letters.")
        await self._each(lambda seat: self._type(seat, seat.author.passages[2]))
        await self._all_saved()
        await self._carets_agree()
        self._happens("All three have the same text, and the host has stored it.")
        await self._each(partial(self._take_pictures, "3-end"))

    async def _all_saved(self) -> None:
        """Wait until everything is acknowledged everywhere, and has arrived everywhere."""
        await self._each(lambda seat: seat.desktop.until("status", _is_saved))
        text = await self._stage.seats[0].do("text", path=FILE)
        for seat in self._stage.seats[1:]:
            await seat.desktop.until("screen", lambda shown: shown == text)

    async def _carets_agree(self) -> None:
        """Wait until everybody sees the others where they are; nobody may be typing."""
        places = {seat.author.name: await seat.do("place") for seat in self._stage.seats}
        for seat in self._stage.seats:
            others = {name: place for name, place in places.items() if name != seat.author.name}
            await seat.desktop.until("carets", partial(eq, others))
        self.evidence.places.append(places)

    async def _look(self) -> None:
        for seat in self._stage.seats:
            await seat.do("flush")
            status = await seat.do("status")
            desk = Desk(
                author=seat.author,
                files=await seat.do("files"),
                screen=await seat.do("screen"),
                folder=_read(Path(await seat.do("folder"))),
                status=status["text"],
                dialogs=status["dialogs"],
                history=[(at, line) for at, line, _tone in await seat.do("history")],
            )
            self.evidence.desks.append(desk)
        for seat in reversed(self._stage.seats):
            self.evidence.exits[seat.author.name] = await seat.desktop.quit()

    # ── how ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _each(self, act: Callable[[Seat], Coroutine[Any, Any, Any]]) -> None:
        """Let everybody do something at the same time, each in step with the others where they `_meet`."""
        self._meeting = asyncio.Barrier(len(self._stage.seats))
        async with asyncio.TaskGroup() as group:
            for seat in self._stage.seats:
                group.create_task(act(seat))

    async def _meet(self) -> None:
        await self._meeting.wait()

    async def _type(self, seat: Seat, text: str) -> None:
        """Type as a person does; where the machine is slow, faster, to keep the pace."""
        chance = random.Random(f"{seat.author.key} {text}")
        due = time.monotonic()
        for letter in text:
            due += _NEW_LINE_S if letter == "\n" else chance.uniform(*_KEY_S)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await seat.do("type", text=letter)

    async def _take_pictures(self, moment: str, seat: Seat) -> None:
        self.evidence.pictures.append(await seat.grab(self._output, moment))

    def _seat_of(self, key: str) -> Seat:
        return next(seat for seat in self._stage.seats if seat.author.key == key)

    def _happens(self, sentence: str) -> float:
        at = time.monotonic()
        self.evidence.events.append((at, sentence))
        self._tell(at - self._began, sentence)
        return at


def _is_saved(status: dict[str, Any]) -> bool:
    return SAVED.fullmatch(status["text"]) is not None


def _is_waiting(status: dict[str, Any]) -> bool:
    return WAITS.fullmatch(status["text"]) is not None


def _read(folder: Path) -> dict[str, str]:
    """Return the texts in a project's folder by their paths, without what is ours."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".texswarm" not in path.parts
    }
