"""Other programs at work in the folders: each does its work in steps, between which everything else may happen.

an editor    holds the text it loaded, and saves it in place, by a new file and a rename, or by moving the old file
             away first; it loads anew now and then, and else goes on from what it has
git          checks out another branch by force: many files, one after the other
a script     renames, deletes and makes files and folders, and spells some in another way
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from texswarm_desktop.core.text_bytes import encode_text
from texswarm_server.document import FileId
from texswarm_server.document.text_format import PLAIN, TextFormat

if TYPE_CHECKING:
    from tests.fault.mirroring.peer import Peer
    from tests.fault.mirroring.world import World

#: Both ways to break a line, and both to lack a character.
SPELLINGS = (
    PLAIN,
    TextFormat("latin-1"),
    TextFormat("latin-1", newline="\r\n"),
    TextFormat(newline="\r\n"),
    TextFormat(has_bom=True),
    TextFormat("utf-16-le", has_bom=True),
)
_STEP_S = (0.0, 0.0001, 0.001, 0.02, 0.1)
_NAMES = ("a", "b", "s/c", "s/d", "t/e", "t/u/f")
#: How long an editor keeps what it loaded before it looks again.
_STALE_S = 30.0


@dataclass(slots=True)
class Buffer:
    """What an editor holds of a file, and what it loaded."""

    text: str
    loaded_at: float
    spelled: TextFormat = PLAIN


class Programs:
    """All programs on all disks. On one disk, no two of them are at work on one file at the same time."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._working: list[tuple[Peer, Iterator[None]]] = []
        self._buffers: dict[tuple[str, str], Buffer] = {}
        self._branches: dict[str, dict[str, str]] = {}
        self._count = 0
        self.written_again: set[str] = set()
        self.local: dict[str, str] = {}
        self.unlinked: set[tuple[str, str]] = set()

    def new_path(self) -> str:
        self._count += 1
        return f"{self._world.random.choice(_NAMES)}{self._count}.tex"

    def begin(self, peer: "Peer", kind: str) -> None:
        """Let a program begin; its first step is done at once."""
        work = getattr(self, f"_{kind}")(peer)
        self._working.append((peer, work))
        self._step(peer, work)

    def go_on(self, peer: "Peer") -> None:
        """Let a program on the disk of `peer` do a step, if one is at work."""
        for one, work in self._working:
            if one is peer:
                self._step(one, work)
                return

    async def finish(self) -> None:
        """Return when no program is at work any more."""
        while self._working:  # noqa: ASYNC110 - the clock is a simulated one
            await asyncio.sleep(0.01)

    def _step(self, peer: "Peer", work: Iterator[None]) -> None:
        if (peer, work) not in self._working:
            return
        try:
            next(work)
        except StopIteration:
            self._working.remove((peer, work))
        else:
            self._world.loop.call_later(self._world.random.choice(_STEP_S), self._step, peer, work)

    def _pick(self, peer: "Peer") -> str | None:
        paths = [path for path in peer.disk.texts() if path not in peer.busy and "*" not in peer.busy]
        return self._world.random.choice(paths) if paths else None

    # ── an editor ───────────────────────────────────────────────────────────────────────────────────────

    def _write(self, peer: "Peer") -> Iterator[None]:
        """Load a file, add a line, and save it."""
        yield from self._edit(peer, is_fresh=True)

    def _save_old(self, peer: "Peer") -> Iterator[None]:
        """Add a line to what was loaded before, and save that."""
        yield from self._edit(peer, is_fresh=False)

    def _cut_line(self, peer: "Peer") -> Iterator[None]:
        yield from self._edit(peer, is_fresh=True, cuts=True)

    def _edit(self, peer: "Peer", *, is_fresh: bool, cuts: bool = False) -> Iterator[None]:
        world = self._world
        if (path := self._pick(peer)) is None:
            return
        peer.busy.add(path)
        try:
            buffer = self._buffers.get((peer.name, path))
            if is_fresh or buffer is None or world.loop.time() - buffer.loaded_at > _STALE_S:
                buffer = Buffer(peer.disk.text(path), world.loop.time(), peer.disk.spelling(path))
                world.tell(peer.name, f"an editor loads {path}")
                if world.random.random() < 0.7:
                    yield
            lines = buffer.text.splitlines()
            if cuts and lines:
                world.deleted.add(gone := lines.pop(world.random.randrange(len(lines))))
                world.tell(peer.name, f"an editor cuts {gone!r} out of {path}")
            else:
                line = world.line(f"saved by an editor of {peer.name} in {path}")
                self.local[line] = peer.name
                lines.insert(world.random.randint(0, len(lines)), line)
            buffer.text = "".join(f"{line}\n" for line in lines)
            self._buffers[peer.name, path] = buffer
            yield from self._save(peer, path, buffer.text, cuts=cuts, spelled=buffer.spelled)
        finally:
            peer.busy.discard(path)

    def _save(self, peer: "Peer", path: str, text: str, *, cuts: bool, spelled: TextFormat) -> Iterator[None]:
        world, disk, data = self._world, peer.disk, encode_text(text, spelled)
        kind = world.random.choice(("in place", "in place", "in pieces", "new file", "backup"))
        world.tell(peer.name, f"saves {path} ({kind}): {text.splitlines()[:3]}...")
        self._note_saved_twice(peer, path, text)
        with suppress(OSError):
            folder = path.rpartition("/")[0]
            if folder not in disk.folders:
                disk.make_folder(folder)
            if kind in {"in place", "in pieces"}:
                self._note_overwritten(peer, path, text, cuts=cuts)
                inode = disk.create(path)
                if world.random.random() < 0.6:
                    yield
                if kind == "in pieces":
                    disk.fill(path, inode, encode_text(text[: len(text) // 2], spelled))
                    yield
                disk.fill(path, inode, data)
                world.tell(peer.name, f"has saved {path}")
                return
            hidden = f"{folder}/.{PurePosixPath(path).name}.new".lstrip("/")
            inode = disk.create(hidden)
            disk.fill(hidden, inode, data)
            yield
            if folder not in disk.folders:
                return
            self._note_overwritten(peer, path, text, cuts=cuts)
            if kind == "backup" and path in disk.files:
                backup = f"{path}~"
                disk.rename(path, backup)
                if world.random.random() < 0.5:
                    yield
                disk.rename(hidden, path)
                disk.remove(backup)
            else:
                disk.rename(hidden, path)
            world.tell(peer.name, f"has saved {path}")

    def _note_saved_twice(self, peer: "Peer", path: str, text: str) -> None:
        """A file was moved, and an editor saves what it has of it where it was: both are on the disk then."""
        saved = set(text.splitlines())
        for new in peer.disk.files:
            if path in peer.disk.were.get(new, ()):
                self.written_again |= saved & set(peer.disk.text(new).splitlines())

    def _note_overwritten(self, peer: "Peer", path: str, text: str, *, cuts: bool) -> None:
        """What one program writes over that another one on this disk wrote is nobody else's to keep.

        Who only takes a line out, under a name that the mirror gave up meanwhile, writes what git would: a file that
        has less than the one under the new name, and nothing of its own. It may be meant to be there, so it stays.
        """
        if cuts and path not in peer.disk.files:
            self.written_again |= set(text.splitlines())
        if path in peer.disk.files:
            lines = set(text.splitlines())
            for line in peer.disk.text(path).splitlines():
                if line not in lines and self.local.get(line) == peer.name:
                    self._world.deleted.add(line)

    # ── a script ────────────────────────────────────────────────────────────────────────────────────────

    def _move(self, peer: "Peer") -> Iterator[None]:
        path = self._pick(peer)
        new = self.new_path()
        if path is not None:
            peer.disk.make_folder(new.rpartition("/")[0])
            self._world.tell(peer.name, f"moves {path} to {new}")
            peer.disk.rename(path, new)
            self._note_moved(peer, path, new)
            if (buffer := self._buffers.pop((peer.name, path), None)) is not None:
                self._buffers[peer.name, new] = buffer
        yield from ()

    def _unlink(self, peer: "Peer") -> Iterator[None]:
        path = self._pick(peer)
        if path is not None and len(peer.disk.texts()) > 3:
            self._forget(peer, path)
            self._world.tell(peer.name, f"deletes {path}")
            peer.disk.remove(path)
        yield from ()

    def _make(self, peer: "Peer") -> Iterator[None]:
        path = self.new_path()
        lines = [self._world.line(f"in the new {path} of {peer.name}") for _ in range(8)]
        self.local |= dict.fromkeys(lines, peer.name)
        peer.busy.add(path)
        peer.disk.make_folder(path.rpartition("/")[0])
        self._world.tell(peer.name, f"makes {path} with {lines}")
        inode = peer.disk.create(path)
        if self._world.random.random() < 0.4:
            yield
        spelled = self._world.random.choice(SPELLINGS) if self._world.spells else PLAIN
        peer.disk.fill(path, inode, encode_text("".join(f"{line}\n" for line in lines), spelled))
        peer.busy.discard(path)
        yield from ()

    def _convert(self, peer: "Peer") -> Iterator[None]:
        """Spell a file in another way, and change nothing else."""
        if (path := self._pick(peer)) is None:
            return
        peer.busy.add(path)
        try:
            text, spelled = peer.disk.text(path), self._world.random.choice(SPELLINGS)
            self._world.tell(peer.name, f"spells {path} as {spelled}")
            if self._world.random.random() < 0.5:
                yield
            yield from self._save(peer, path, text, cuts=False, spelled=spelled)
        finally:
            peer.busy.discard(path)

    def _folder(self, peer: "Peer") -> Iterator[None]:
        path = f"empty{self._world.random.randrange(3)}"
        with suppress(OSError):
            (peer.disk.remove_folder if path in peer.disk.folders else peer.disk.make_folder)(path)
        yield from ()

    def _move_folder(self, peer: "Peer") -> Iterator[None]:
        folders = sorted(peer.disk.shown_folders())
        if folders and not peer.busy:
            old = self._world.random.choice(folders)
            self._count += 1
            self._world.tell(peer.name, f"moves the folder {old} to moved{self._count}")
            for path in [path for path in peer.disk.files if path.startswith(f"{old}/")]:
                self._note_moved(peer, path, f"moved{self._count}{path[len(old) :]}")
            peer.disk.move_folder(old, f"moved{self._count}")
        yield from ()

    def _unlink_folder(self, peer: "Peer") -> Iterator[None]:
        folders = sorted(peer.disk.shown_folders())
        if folders and not peer.busy:
            folder = self._world.random.choice(folders)
            inside = [path for path in peer.disk.texts() if path.startswith(f"{folder}/")]
            if len(peer.disk.texts()) - len(inside) < 2:
                return
            self._world.tell(peer.name, f"deletes the folder {folder}")
            peer.busy.add("*")
            for path in inside:
                if path in peer.disk.files:
                    self._forget(peer, path)
                    peer.disk.remove(path)
                    yield
            for one in sorted(peer.disk.folders, reverse=True):
                if one == folder or one.startswith(f"{folder}/"):
                    with suppress(OSError):
                        peer.disk.remove_folder(one)
            peer.busy.discard("*")

    def _note_moved(self, peer: "Peer", old: str, new: str) -> None:
        peer.disk.were[new] = {old, *peer.disk.were.get(old, ())}

    def _note_unseen_move(self, peer: "Peer", path: str) -> None:
        """A file was moved, and before the mirror saw that there is another one in its place.

        Which is which cannot be known when the moved one is changed besides: then what is in it is there twice. So
        it is when the mirror saw that and was killed before it was durable.
        """
        known = {*self._mirrored(peer).values(), *self._stored(peer).values()}
        if path not in peer.disk.files and path in known:
            for new in peer.disk.files:
                if path in peer.disk.were.get(new, ()):
                    self.written_again |= set(peer.disk.text(new).splitlines())

    def _forget(self, peer: "Peer", path: str) -> None:
        self._world.deleted |= set(peer.disk.text(path).splitlines())
        self.unlinked.add((peer.name, path))
        known = {path, *peer.disk.were.get(path, ())}
        self._world.deleted_ids |= {file_id for file_id, shown in self._mirrored(peer).items() if shown in known}

    def _mirrored(self, peer: "Peer") -> dict[FileId, str]:
        if peer.process is not None:
            return {file_id: base.path for file_id, base in peer.process.mirror._known.files.items()}
        return self._stored(peer)

    def _stored(self, peer: "Peer") -> dict[FileId, str]:
        return {FileId(file_id): path for file_id, path in peer.database.execute("SELECT file_id, path FROM files")}

    # ── git ─────────────────────────────────────────────────────────────────────────────────────────────

    def commit(self, branch: str, files: dict[str, str]) -> None:
        self._branches[branch] = files

    def _checkout(self, peer: "Peer") -> Iterator[None]:
        """By force: every file of the branch is as it is there, and those that only the other branch has are gone."""
        if peer.busy:
            return
        world, disk = self._world, peer.disk
        peer.busy.add("*")
        branch = world.random.choice(sorted(self._branches))
        files = self._branches[branch]
        others = {path for one in self._branches.values() for path in one} - files.keys()
        world.tell(peer.name, f"checks out {branch}")
        for path in sorted(others & disk.files.keys()):
            if path in disk.files:
                self._forget(peer, path)
                disk.remove(path)
                if world.random.random() < 0.5:
                    yield
        for path, text in sorted(files.items()):
            if path in disk.files and disk.text(path) == text:
                continue
            folder = path.rpartition("/")[0]
            if path in disk.files:
                lines = set(text.splitlines())
                world.deleted |= set(disk.text(path).splitlines()) - lines
                disk.remove(path)
                if world.random.random() < 0.3:
                    yield
            self.written_again |= set(text.splitlines())
            self._note_unseen_move(peer, path)
            disk.make_folder(folder)
            if path in disk.files:  # the mirror was quicker
                world.deleted |= set(disk.text(path).splitlines()) - set(text.splitlines())
                disk.remove(path)
            inode = disk.create(path)
            if world.random.random() < 0.3:
                yield
            disk.fill(path, inode, text.encode())
            if world.random.random() < 0.5:
                yield
        peer.busy.discard("*")
