"""Several people with one project, on simulated disks and a clock of their own: everything that happens is one plan's.

Between any two steps of a mirror on its disk, other programs go on with what they are doing, remote edits arrive,
somebody types, or the process is killed. What is written is a line of its own, so that at rest each can be looked for;
what was done, read and decided is in `told`, line by line, so that a lost one can be traced.
"""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from random import Random
from typing import Any, cast

from tests.fault.mirroring.disk import Killed
from tests.fault.mirroring.peer import Peer, Process
from tests.fault.mirroring.programs import Programs
from tests.fault.simulation.virtual_loop import VirtualLoop
from texswarm_server.document import FileId, ProjectDocument
from texswarm_server.document.file_text import TEXT_ROOT

_WALL_START_S = 1_700_000_000.0
_LATE_S = (0.0, 0.0005, 0.002, 0.01, 0.08)
_CALM_ROUNDS = 3
_MAX_ROUNDS = 400
_LETTERS = (*["", "é", "ü"] * 8, "Ã©", "€")
_SYLLABLES = re.findall("..", "bacedifoguhajekilomunaperosutavewixozy")


class SimulatedLoop(VirtualLoop):
    """Runs what belongs to an executor some time later, in one go, as far as others let it."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, job: Callable[..., Any], *arguments: Any
    ) -> "asyncio.Future[Any]":
        future = self.create_future()
        process = cast("Process", executor)
        self.call_later(self._random.choice(_LATE_S), self._run, process, future, job, arguments)
        return future

    def _run(self, process: Process, future: "asyncio.Future[Any]", job: Callable[..., Any], arguments: Any) -> None:
        if process.is_dead:
            return
        try:
            result = job(*arguments)
        except Killed:
            process.die()
            if process.peer.process is process:
                process.peer.process = None
        except Exception as error:
            self.call_later(self._random.choice(_LATE_S), _fail, process, future, error)
        else:
            self.call_later(self._random.choice(_LATE_S), _finish, process, future, result)


def _finish(process: Process, future: "asyncio.Future[Any]", result: object) -> None:
    if not process.is_dead and not future.done():
        future.set_result(result)


def _fail(process: Process, future: "asyncio.Future[Any]", error: Exception) -> None:
    if not process.is_dead and not future.done():
        future.set_exception(error)


class World:
    """Who is there, what is under way, and what was written and deleted."""

    def __init__(self, random: Random, loop: SimulatedLoop, *, kills: bool, spells: bool = False) -> None:
        """`spells`: files are spelled in different ways, and some words have letters that some of these lack."""
        self.random, self.loop, self.kills, self.spells = random, loop, kills, spells
        self.hub = ProjectDocument(client_id=1)
        self.peers: list[Peer] = []
        self.programs = Programs(self)
        self.mail: deque[tuple[Peer, bytes]] = deque()
        self.written: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.deleted_ids: set[FileId] = set()
        self.told: list[str] = []
        self._count = 0
        self._is_between = False
        self.is_calm = False

    def clock(self) -> float:
        return _WALL_START_S + self.loop.time()

    def tell(self, who: str, what: str) -> None:
        self.told.append(f"{self.loop.time() - 1000:9.4f} {who}: {what}")

    def line(self, where: str) -> str:
        """Return a line that nobody wrote before, in words of its own."""
        self._count += 1
        words = ["".join(self.random.choices(_SYLLABLES, k=3)) for _ in range(4)]
        if self.spells:
            words[-1] += self.random.choice(_LETTERS)
        line = f"{' '.join(words)} {self._count}"
        self.written[line] = where
        return line

    # ── what happens between two steps of a mirror ──────────────────────────────────────────────────────

    def between_steps(self, process: Process, deed: str) -> None:
        who = process.peer.name
        self.tell(who, f"- {deed}")
        if self._is_between or self.is_calm:
            return
        self._is_between = True
        try:
            chance = self.random.random()
            if chance < 0.06:
                self.programs.go_on(process.peer)
            elif chance < 0.09:
                self.deliver()
            elif chance < 0.11:
                self.type(process.peer)
            elif chance < 0.112 and self.kills:
                self.tell(who, "KILLED")
                process.peer.kill()
        finally:
            self._is_between = False

    # ── the wire ────────────────────────────────────────────────────────────────────────────────────────

    def send(self, source: Peer, update: bytes) -> None:
        if source.is_linked:
            self.take(update, source)

    def take(self, update: bytes, source: Peer) -> None:
        self.hub.apply(update)
        for peer in self.peers:
            if peer is not source and peer.is_linked and peer.process is not None:
                self.mail.append((peer, update))
                self.loop.call_later(self.random.choice(_LATE_S), self.deliver)

    def deliver(self) -> None:
        if self.mail:
            peer, update = self.mail.popleft()
            if peer.is_linked and peer.process is not None:
                self.tell(peer.name, "an update arrives")
                peer.process.document.apply(update)

    def link(self, peer: Peer) -> None:
        peer.is_linked = True
        if (process := peer.process) is not None:
            process.hand_over()
            process.document.apply(self.hub.update_since(process.document.state_vector()))
            process.when_kept(lambda: self._answer(peer, process))

    def _answer(self, peer: Peer, process: Process) -> None:
        if peer.is_linked and peer.process is process:
            self.take(process.document.update_since(self.hub.state_vector()), peer)

    def cut(self, peer: Peer) -> None:
        peer.is_linked = False

    # ── the window ──────────────────────────────────────────────────────────────────────────────────────

    def type(self, peer: Peer) -> None:
        document = peer.document
        if document is None or not document.text_files:
            return
        file_id = self.random.choice(sorted(document.text_files))
        text = document.text(file_id)
        starts = [0, *(at + 1 for at, letter in enumerate(str(text)) if letter == "\n")]
        at = self.random.choice(starts)
        peer.unkept.append(line := self.line(f"typed by {peer.name}"))
        self.tell(peer.name, f"types {line!r} into {document.files[file_id].path}")
        text.replace_cp(at, at, line + "\n")

    def survived(self, peer: Peer, document: ProjectDocument) -> None:
        """What was typed a moment before the process was killed may be in its memory only, and in nobody else's."""
        kept = set(everything_in(document)) | set(everything_in(self.hub))
        self.deleted |= {line for line in peer.unkept if line not in kept}
        peer.unkept.clear()

    def erase(self, peer: Peer) -> None:
        document = peer.document
        if document is None or not document.text_files:
            return
        file_id = self.random.choice(sorted(document.text_files))
        lines = str(document.text(file_id)).splitlines(keepends=True)
        if lines:
            at = self.random.randrange(len(lines))
            start = sum(map(len, lines[:at]))
            self.deleted.add(lines[at].rstrip("\n"))
            self.tell(peer.name, f"erases {lines[at]!r}")
            document.text(file_id).replace_cp(start, start + len(lines[at]), "")

    def rename(self, peer: Peer) -> None:
        document = peer.document
        if document is not None and document.text_files:
            file_id = self.random.choice(sorted(document.text_files))
            path = self.programs.new_path()
            self.tell(peer.name, f"renames {document.files[file_id].path} to {path}")
            document.rename_file(file_id, document.free_path(path))

    def remove(self, peer: Peer) -> None:
        document = peer.document
        if document is not None and len(document.text_files) > 3:
            file_id = self.random.choice(sorted(document.text_files))
            self.tell(peer.name, f"removes {document.files[file_id].path}")
            self.deleted_ids.add(file_id)
            document.remove_file(file_id)

    # ── at rest ─────────────────────────────────────────────────────────────────────────────────────────

    async def rest(self) -> None:
        """Let everybody finish, and return when nothing is to be done any more."""
        self.is_calm = True
        await self.programs.finish()
        for peer in self.peers:
            if peer.process is None:
                await peer.start()
                self.tell(peer.name, "is started again")
            self.link(peer)
        calm, before = 0, None
        for _ in range(_MAX_ROUNDS):
            for peer in self.peers:
                assert peer.process is not None
                await peer.process.mirror.taken_in()
                await peer.process.mirror.flush()
                peer.process.hand_over()
            now = [(peer.disk.texts(), peer.disk.shown_folders()) for peer in self.peers]
            is_equal = not self.mail and not list(self.differences())
            calm = calm + 1 if now == before and is_equal else 0
            if calm == _CALM_ROUNDS:
                return
            before = now
            await asyncio.sleep(0.3)
        raise AssertionError("no rest: " + "; ".join(self.differences()))

    def differences(self) -> Iterator[str]:
        shown = texts_of(self.hub)
        for peer in self.peers:
            assert peer.document is not None
            if texts_of(peer.document) != shown:
                yield f"{peer.name} has another document"
            there = peer.disk.texts()
            for path in sorted(shown.keys() | there.keys()):
                if shown.get(path) != there.get(path):
                    yield f"{peer.name}: {path} is {there.get(path)!r} instead of {shown.get(path)!r}"
            for path, data in peer.disk.contents().items():
                if (other := self.peers[0].disk.contents().get(path)) != data:
                    yield f"{peer.name}: {path} is {data!r} and elsewhere {other!r}"
            if peer.disk.shown_folders() != self.peers[0].disk.shown_folders():
                yield f"{peer.name} has other folders: {peer.disk.shown_folders() ^ self.peers[0].disk.shown_folders()}"

    def lost(self) -> list[str]:
        """Return the lines that nobody deleted and that are nowhere."""
        found = self._found()
        gone = set()
        for file_id in self.deleted_ids - self.hub.files.keys():
            gone |= set(str(self.hub._text_of(file_id)).splitlines())
        return sorted(self.written.keys() - self.deleted - gone - found.keys())

    def doubled(self) -> list[str]:
        """Return the lines that are there more than once: neither written a second time by git, nor ever deleted.

        A deleted line may come back, with the saves of two editors that had loaded it before.
        """
        may_be_twice = self.programs.written_again | self.deleted
        return sorted(line for line, count in self._found().items() if count > 1 and line not in may_be_twice)

    def _found(self) -> Counter[str]:
        return Counter(line for text in texts_of(self.hub).values() for line in text.splitlines())


def everything_in(document: ProjectDocument) -> Iterator[str]:
    """Yield the lines of all texts, also of those whose file was deleted."""
    for root in document._doc.keys():  # noqa: SIM118 - no mapping
        if root.startswith(TEXT_ROOT):
            yield from str(document._text_of(FileId(root.removeprefix(TEXT_ROOT)))).splitlines()


def texts_of(document: ProjectDocument) -> dict[str, str]:
    return {entry.path: str(document.text(file_id)) for file_id, entry in document.text_files.items()}
