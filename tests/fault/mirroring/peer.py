"""One person: a document, its replica, and a folder that a real mirror keeps the same, on a simulated disk.

The process can be killed at any step and started again: what is on the disk and in the replica stays.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, cast

from tests.fault.mirroring.disk import TEMPORARY, Killed, MirrorsDisk, SimulatedDisk
from texswarm_desktop.core.local_names import POSIX
from texswarm_desktop.services.folder_mirror import FolderMirror
from texswarm_desktop.services.own_presence import OwnPresence
from texswarm_desktop.services.project_folder import ProjectFolder
from texswarm_desktop.services.replica_database import ReplicaDatabase
from texswarm_desktop.services.replica_store import ReplicaStore
from texswarm_desktop.services.returned_files import ReturnedFiles
from texswarm_server.document import FileId, ProjectDocument
from texswarm_server.protocol.ids import Lineage

if TYPE_CHECKING:
    from tests.fault.mirroring.world import World
    from texswarm_desktop.services.folder_watch import FolderWatch

_TICK_S = 0.004
#: How late the system's word comes that something happened in a folder, and how often it is looked at in any case.
_WORD_S = (0.0, 0.002, 0.06, 0.25)
_DISTRUST_S = 5.0


class KeptDatabase(ReplicaDatabase):
    """The real tables, in a file that survives the process."""

    def __init__(self, connection: sqlite3.Connection, before_step: Callable[[str], None]) -> None:
        self._path = Path("/simulated/replica.db")
        self._connection = connection
        self._before_step = before_step
        self._prepare()

    def commit(self, operations: Any) -> None:
        self._before_step("commit")
        super().commit(operations)
        self._before_step("report the commit")

    def close(self) -> None:
        pass


class Process:
    """What is gone when it is killed: the document in memory, the mirror, and everything they were about to do."""

    def __init__(self, peer: "Peer", client_id: int) -> None:
        self.peer = peer
        self.is_dead = False
        self.document = ProjectDocument(client_id=client_id)
        self.store = ReplicaStore(
            Path("/simulated"),
            executor=cast("Executor", self),
            open_database=lambda _: KeptDatabase(peer.database, self.step),
        )
        self.folder = ProjectFolder(peer.root, MirrorsDisk(peer.disk, peer.root, self.step, exchanges=peer.exchanges))
        self.mirror = FolderMirror(
            self.document,
            self.folder,
            self.store,
            executor=cast("Executor", self),
            before_write=self.hand_over,
            after_taking=self._hand_over_taken,
            on_problem=lambda _: None,
            clock=peer.world.loop.time,
            wall_clock=peer.world.clock,
        )
        self.came_back = ReturnedFiles(self.document, self.store, OwnPresence(self.document.client_id))
        self.updates: list[tuple[bytes, bool]] = []
        self._untold: list[bytes] = []
        self._holds_back = 0
        self._held_calls: list[Callable[[], None]] = []
        self._tick: asyncio.Handle | None = None

    async def start(self) -> None:
        peer = self.peer
        stored = await self.store.load(0.0)
        self.document.load(stored.updates)
        peer.world.survived(peer, self.document)
        self._note_removals()
        self.document.on_update = self._on_update
        self.document.remember_removed(self.came_back.removed_before(stored.meta))
        self.document.on_files_changed = self._on_files_changed
        self.document.on_file_touched = self.mirror.touched
        self.mirror.obey(POSIX, stored.meta.get("folders"), stored.former, left=stored.left)
        known = {*self.mirror.paths.values(), *(record.path for record in stored.records.values())}
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(cast("Executor", self), self.folder.scan)
        found |= await loop.run_in_executor(cast("Executor", self), self.folder.read_all, sorted(known - found.keys()))
        with self.store.together():
            if peer.is_first and self.document.is_empty:
                self.document.initialise("A book", Lineage("11111111-1111-4111-8111-111111111111"))
            if not self.document.is_empty:
                self.mirror.take_over(stored.records, found)
            self.hand_over()
        self.mirror.files_changed()
        await self.store.flushed()
        self.mirror.watch(cast("FolderWatch", Watch()))
        self._distrust()

    def _on_files_changed(self) -> None:
        """As `Project` does."""
        self.came_back.files_changed()
        self.mirror.files_changed()

    def _note_removals(self) -> None:
        """What the mirror takes out of the document because a program deleted it is deleted by somebody."""
        remove, programs = self.document.remove_file, self.peer.world.programs

        def remove_and_note(file_id: FileId) -> None:
            if (self.peer.name, self.document.files[file_id].path) in programs.unlinked:
                self.peer.world.deleted_ids.add(file_id)
            remove(file_id)

        self.document.remove_file = remove_and_note  # type: ignore[method-assign]

    def _distrust(self) -> None:
        if not self.is_dead:
            self.mirror.hint()
            asyncio.get_running_loop().call_later(_DISTRUST_S, self._distrust)

    def die(self) -> None:
        self.is_dead = True
        self.mirror._is_stopped = True
        for timer in (self.mirror._timer, self.mirror._again, self.mirror._late, self._tick):
            if timer is not None:
                timer.cancel()
        self.document.on_update = self.document.on_files_changed = self.document.on_file_touched = _ignore

    # ── steps in the executor ───────────────────────────────────────────────────────────────────────────

    def step(self, deed: str) -> None:
        if self.is_dead:
            raise Killed
        self.peer.world.between_steps(self, deed)
        if self.is_dead:
            raise Killed

    # ── what was typed and what arrived ─────────────────────────────────────────────────────────────────

    def _on_update(self, update: bytes, is_local: bool) -> None:
        self.updates.append((update, is_local))
        if self._tick is None:
            self._tick = asyncio.get_running_loop().call_later(_TICK_S, self.hand_over)

    def hand_over(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        updates, self.updates = self.updates, []
        for update, is_local in updates:
            if update != b"\x00\x00":
                self.store.append(update, int(is_local), is_local=is_local)
                if is_local:
                    self._untold.append(update)
        if not self._holds_back:
            self._tell()

    def _hand_over_taken(self) -> None:
        """As `Project` does."""
        self._holds_back += 1
        self.hand_over()
        self.store.when_durable(self._taken_is_kept)

    def _taken_is_kept(self) -> None:
        self._holds_back -= 1
        if not self._holds_back and not self.is_dead:
            self._tell()

    def _tell(self) -> None:
        untold, self._untold = self._untold, []
        for update in untold:
            self.peer.world.send(self.peer, update)
        calls, self._held_calls = self._held_calls, []
        for call in calls:
            call()

    def when_kept(self, call: Callable[[], None]) -> None:
        """As `Project` does."""
        self._held_calls.append(call)
        if not self._holds_back:
            self._tell()


class Watch:
    """The system's word comes from the world."""

    def watch(self, folders: object) -> None:
        pass

    def stop(self) -> None:
        pass

    async def stopped(self) -> None:
        pass


class Peer:
    """A person. `process` is None while the program does not run; `busy`: paths that a program is at work on."""

    def __init__(self, world: "World", number: int, random: Random, *, exchanges: bool) -> None:
        self.world, self.random, self.exchanges = world, random, exchanges
        self.name = f"peer{number}"
        self.root = Path("/simulated") / self.name
        self.is_first = number == 0
        self.disk = SimulatedDisk(world.clock, self._on_disk)
        self.disk.folders.add(".texswarm")
        self.database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.process: Process | None = None
        self.is_linked = True
        self.busy: set[str] = set()
        self.unkept: list[str] = []

    @property
    def document(self) -> ProjectDocument | None:
        return self.process.document if self.process is not None else None

    async def start(self) -> None:
        for path in [path for path in self.disk.files if TEMPORARY in path]:
            self.disk.remove(path)
        process = Process(self, self.random.getrandbits(31))
        try:
            await process.start()
        except Killed:
            return
        self.process = process

    def kill(self) -> None:
        if self.process is not None:
            self.process.die()
            self.process = None

    def _on_disk(self, path: str) -> None:
        if self.process is not None and not self.process.is_dead:
            mirror = self.process.mirror
            asyncio.get_running_loop().call_later(self.random.choice(_WORD_S), mirror.hint, [self.root / path])

    def text_of(self, file_id: FileId) -> str:
        assert self.document is not None
        return str(self.document.text(file_id))


def _ignore(*_args: object) -> None:
    pass


Job = Future[Any]
