"""Several people with one project, each with a folder, an editor in the window, other programs on the disk, and a link
that comes and goes. Everything they write is a line of its own, so that at rest each can be looked for.

    window   types and deletes lines, renames and deletes files
    disk     the same by other programs: in place, by a new file and a rename, from a text that was loaded long ago,
             by `git checkout` of another branch; and empty folders
    figures  written, replaced, renamed and deleted by programs and in the window; each content is one of its own
    link     cut and mended; what was written meanwhile is exchanged then
"""

import asyncio
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pycrdt

from tests.helpers.folder_listing import files_in, folders_in
from tests.helpers.live_folder import git
from tests.helpers.run_async import until
from texswarm_desktop.services.project import Project
from texswarm_server.document import FileId, ProjectDocument

FIRST_FILES = {
    f"{name}.tex": "".join(f"first line {number} of {name}\n" for number in range(12))
    for name in ("main", "intro", "s/method", "s/results")
}
_NAMES = ("a", "b", "s/c", "s/d", "t/e")
_PAUSES_S = (0.0, 0.0, 0.01, 0.06, 0.25)
_CALM_ROUNDS = 3
_MAX_ROUNDS = 1500


class Peer:
    """One person: a project over a folder. The wire is what its project sends through."""

    def __init__(self, hub: "Hub", project: Project) -> None:
        self.hub = hub
        self.project = project
        self.is_linked = False
        self.loaded: dict[str, str] = {}
        self.is_synced, self.handle, self.blobs = True, None, None
        project.blobs.attached(Parcels(hub))

    @property
    def folder(self) -> Path:
        return self.project.folder

    def local_update(self, update: bytes, row: int) -> None:
        if self.is_linked:
            self.hub.take(update, self)

    def presence_changed(self) -> None:
        pass

    def on_disk(self) -> list[str]:
        """The texts in the folder, by path."""
        return list(self.contents())

    def contents(self) -> dict[str, bytes]:
        found = files_in(self.folder)
        return {path: found[path] for path in found if path.endswith(".tex") and not _is_hidden(path)}

    def figures(self) -> dict[str, bytes]:
        """The figures in the folder, by path."""
        found = files_in(self.folder)
        return {path: found[path] for path in found if path.endswith(".png") and not _is_hidden(path)}

    def folders(self) -> set[str]:
        return folders_in(self.folder)

    def texts(self) -> dict[str, str]:
        document = self.project.document
        return {entry.path: str(document.text(file_id)) for file_id, entry in document.text_files.items()}


class Parcels:
    """The traffic of figures of one person, as far as a project sees it: it is the hub's."""

    sending = fetching = None
    unsent = 0
    is_settled = True

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub

    def files_changed(self) -> None:
        self._hub.carry()


class Hub:
    """Who passes on what each says, and keeps it for those whose link is cut; figures as well."""

    def __init__(self) -> None:
        self.document = ProjectDocument()
        self.peers: list[Peer] = []
        self.contents: dict[str, bytes] = {}
        self._under_way: set[tuple[int, str]] = set()

    def carry(self) -> None:
        """Fetch the contents that are new at somebody, and bring what others lack; over links that stand."""
        for number, peer in enumerate(self.peers):
            if peer.is_linked:
                self._collect(number, peer)
                self._bring(number, peer)

    def _collect(self, number: int, peer: Peer) -> None:
        for blob in peer.project.blobs.present():
            if blob.blob_hash not in self.contents and self._begins(number, blob.blob_hash):

                def store(data: bytes | None, key: str = blob.blob_hash) -> None:
                    self._under_way.discard((number, key))
                    if data is not None and peer.is_linked:
                        self.contents[key] = data
                        self.carry()

                peer.project.blobs.read(blob, 0, blob.size, store)

    def _bring(self, number: int, peer: Peer) -> None:
        for blob in peer.project.blobs.lacking():
            if blob.blob_hash in self.contents and self._begins(number, blob.blob_hash):

                def kept(_received: int, _kept: object, key: str = blob.blob_hash) -> None:
                    self._under_way.discard((number, key))

                peer.project.blobs.keep(blob, 0, self.contents[blob.blob_hash], kept)

    def _begins(self, number: int, key: str) -> bool:
        is_new = (number, key) not in self._under_way
        self._under_way.add((number, key))
        return is_new

    def take(self, update: bytes, source: Peer | None) -> None:
        self.document.apply(update)
        for peer in self.peers:
            if peer is not source and peer.is_linked:
                peer.project.shared.apply_remote(update)

    def link(self, peer: Peer) -> None:
        if not peer.is_linked:
            peer.is_linked = True
            peer.project.shared.apply_remote(self.document.update_since(peer.project.shared.state_vector()))
            self.take(peer.project.shared.update_since(self.document.state_vector()), peer)
            self.carry()


class Story:
    """What happens, and what must be true afterwards."""

    def __init__(self, root: Path, executor: Executor) -> None:
        self._root = root
        self._executor = executor
        self.hub = Hub()
        self._count = 0
        self._written: set[str] = {line for text in FIRST_FILES.values() for line in text.splitlines()}
        self._deleted: set[str] = set()
        self._deleted_ids: set[str] = set()
        self._by_program: dict[str, Peer] = {}
        self._written_again: set[str] = set()
        self._drawn: set[bytes] = set()
        self._discarded: set[bytes] = set()

    async def begin(self, count: int) -> Self:
        first = self._root / "peer0"
        for path, text in FIRST_FILES.items():
            (first / path).parent.mkdir(parents=True, exist_ok=True)
            (first / path).write_text(text)
        self._make_branches(first)
        project = await Project.open(first, store_executor=self._executor)
        self._join(project)
        for number in range(1, count):
            replica = await Project.create_replica(
                self._root / f"peer{number}", project.document_id, project.lineage, store_executor=self._executor
            )
            self._join(replica)
        await self.rest()
        return self

    async def end(self) -> None:
        for peer in self.hub.peers:
            await peer.project.close()

    def _join(self, project: Project) -> None:
        peer = Peer(self.hub, project)
        self.hub.peers.append(peer)
        project.shared.attach(peer)
        self.hub.link(peer)

    def _make_branches(self, folder: Path) -> None:
        git(folder, "init", "-q", "-b", "one")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "one")
        git(folder, "checkout", "-qb", "two")
        self._edit_on_disk(folder / "intro.tex", lambda lines: [*lines[:3], "on the other branch", *lines[4:]])
        (folder / "extra.tex").write_text("an extra file of the other branch\n")
        git(folder, "rm", "-q", "s/results.tex")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "two")
        git(folder, "checkout", "-q", "one")

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────

    async def do(self, kind: str, who: int, which: int, where: int) -> None:
        peer = self.hub.peers[who % len(self.hub.peers)]
        if kind == "checkout":  # what it throws away must be known, and not just being written
            await until(lambda: self.hub.peers[0].project._mirror._job is None)
        before = set(self._written)
        try:
            getattr(self, f"_{kind}")(peer, which, where)
        except FileNotFoundError:  # the mirror was quicker, and what was to be written was not
            self._deleted |= self._written - before
        await asyncio.sleep(_PAUSES_S[(which + where) % len(_PAUSES_S)])

    def _line(self) -> str:
        self._count += 1
        words = hashlib.sha256(str(self._count).encode()).hexdigest()
        line = f"{words[:6]} {words[6:15]} {words[15:19]} {words[19:27]} {self._count}"  # no two are alike
        self._written.add(line)
        return line

    def _disk_line(self, peer: Peer) -> str:
        self._by_program[line := self._line()] = peer
        return line

    def _type(self, peer: Peer, which: int, where: int) -> None:
        if (file_id := self._pick(peer, which)) is not None:
            text = peer.project.document.text(file_id)
            starts = _line_starts(str(text))
            at = starts[where % len(starts)]
            text.replace_cp(at, at, self._line() + "\n")

    def _erase(self, peer: Peer, which: int, where: int) -> None:
        if (file_id := self._pick(peer, which)) is not None:
            text = peer.project.document.text(file_id)
            lines = str(text).splitlines(keepends=True)
            if lines:
                at = where % len(lines)
                start = sum(map(len, lines[:at]))
                self._deleted.add(lines[at].rstrip("\n"))
                text.replace_cp(start, start + len(lines[at]), "")

    def _rename(self, peer: Peer, which: int, where: int) -> None:
        path = f"{_NAMES[where % len(_NAMES)]}{self._count}.tex"
        if (file_id := self._pick(peer, which)) is not None and peer.project.document.file_at(path) is None:
            peer.project.document.rename_file(file_id, path)

    def _remove(self, peer: Peer, which: int, where: int) -> None:
        if len(peer.project.document.text_files) > 3 and (file_id := self._pick(peer, which)) is not None:
            self._deleted_ids.add(file_id)
            peer.project.document.remove_file(file_id)

    def _write(self, peer: Peer, which: int, where: int) -> None:
        if (path := self._pick_on_disk(peer, which)) is not None:
            self._edit_on_disk(path, lambda lines: _with(lines, where, self._disk_line(peer)))

    def _save(self, peer: Peer, which: int, where: int) -> None:
        if (path := self._pick_on_disk(peer, which)) is not None:
            new = path.with_name(f".{path.name}.new")
            new.write_text(
                "".join(f"{line}\n" for line in _with(path.read_text().splitlines(), where, self._disk_line(peer)))
            )
            new.replace(path)

    def _cut_line(self, peer: Peer, which: int, where: int) -> None:
        if (path := self._pick_on_disk(peer, which)) is not None and (lines := path.read_text().splitlines()):
            self._deleted.add(lines.pop(where % len(lines)))
            path.write_text("".join(f"{line}\n" for line in lines))

    def _load(self, peer: Peer, which: int, where: int) -> None:
        if (path := self._pick_on_disk(peer, which)) is not None:
            peer.loaded = {path.as_posix(): path.read_text()}

    def _save_loaded(self, peer: Peer, which: int, where: int) -> None:
        for name, text in peer.loaded.items():
            if Path(name).exists():
                lines = _with(text.splitlines(), where, self._disk_line(peer))
                self._note_overwritten(peer, Path(name), lines)
                peer.loaded = {name: "".join(f"{line}\n" for line in lines)}
                Path(name).write_text(peer.loaded[name])

    def _note_overwritten(self, peer: Peer, path: Path, lines: list[str]) -> None:
        """What one program writes over that another one on this disk wrote is nobody else's to keep."""
        there = set(path.read_text().splitlines()) - set(lines)
        self._deleted |= {line for line in there if self._by_program.get(line) is peer}

    def _move(self, peer: Peer, which: int, where: int) -> None:
        path = self._pick_on_disk(peer, which)
        new = peer.folder / f"{_NAMES[where % len(_NAMES)]}{self._count}.tex"
        if path is not None and not new.exists():
            new.parent.mkdir(exist_ok=True)
            path.rename(new)

    def _unlink(self, peer: Peer, which: int, where: int) -> None:
        if len(peer.on_disk()) > 3 and (path := self._pick_on_disk(peer, which)) is not None:
            self._note_gone(peer, {path.relative_to(peer.folder).as_posix()})
            path.unlink()

    def _make_file(self, peer: Peer, which: int, where: int) -> None:
        path = peer.folder / f"{_NAMES[where % len(_NAMES)]}-new{self._count}.tex"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{self._disk_line(peer)}\n" for _ in range(6)))

    def _folder(self, peer: Peer, which: int, where: int) -> None:
        path = peer.folder / f"empty{which % 3}"
        with suppress(OSError):
            path.rmdir() if path.exists() else path.mkdir()

    def _checkout(self, peer: Peer, which: int, where: int) -> None:
        """What is not in the branch is thrown away, as whoever checks out by force wants it."""
        peer = self.hub.peers[0]
        before = peer.contents()
        git(peer.folder, "checkout", "-qf", ("one", "two")[which % 2])
        after = peer.contents()
        self._written_again |= {
            line for path in after if after[path] != before.get(path) for line in _lines(after[path])
        }
        self._deleted |= {line for path in before for line in _lines(before[path])} - {
            line for path in after for line in _lines(after[path])
        }
        self._note_gone(peer, before.keys() - after.keys())

    # ── figures ─────────────────────────────────────────────────────────────────────────────────────────

    def _draw(self, peer: Peer, which: int, where: int) -> None:
        """A new figure, or another content for one that is there: in place, or by a new file and a rename."""
        path = self._pick_figure(peer, which) if which % 4 else None
        path = path or peer.folder / f"{_NAMES[where % len(_NAMES)]}-{self._count}.png"
        path.parent.mkdir(exist_ok=True)
        if path.exists():
            self._discarded.add(path.read_bytes())
        self._count += 1
        data = b"\x89PNG" + f"{peer.folder.name} {self._count} ".encode() * (where * 50 + 1)
        self._drawn.add(data)
        if where % 2:
            path.write_bytes(data)
        else:
            new = path.with_name(f".{path.name}.new")
            new.write_bytes(data)
            new.replace(path)

    def _move_figure(self, peer: Peer, which: int, where: int) -> None:
        new = peer.folder / f"{_NAMES[where % len(_NAMES)]}-moved{self._count}.png"
        if (path := self._pick_figure(peer, which)) is not None and not new.exists():
            new.parent.mkdir(exist_ok=True)
            path.rename(new)

    def _unlink_figure(self, peer: Peer, which: int, where: int) -> None:
        if (path := self._pick_figure(peer, which)) is not None:
            self._discarded.add(path.read_bytes())
            path.unlink()

    def _rename_figure(self, peer: Peer, which: int, where: int) -> None:
        document = peer.project.document
        path = f"{_NAMES[where % len(_NAMES)]}-renamed{self._count}.png"
        if (files := sorted(document.blob_files)) and document.file_at(path) is None:
            document.rename_file(files[which % len(files)], path)

    def _remove_figure(self, peer: Peer, which: int, where: int) -> None:
        document = peer.project.document
        if files := sorted(document.blob_files):
            file_id = files[which % len(files)]
            blob = document.files[file_id].blob
            self._discarded |= {data for data in self._drawn if blob and _sha(data) == blob.blob_hash}
            document.remove_file(file_id)

    def _pick_figure(self, peer: Peer, which: int) -> Path | None:
        paths = sorted(peer.figures())
        return peer.folder / paths[which % len(paths)] if paths else None

    def _drop(self, peer: Peer, which: int, where: int) -> None:
        peer.is_linked = False

    def _mend(self, peer: Peer, which: int, where: int) -> None:
        self.hub.link(peer)

    def _note_gone(self, peer: Peer, paths: set[str]) -> None:
        known = {base.path: file_id for file_id, base in peer.project._mirror._known.files.items()}
        self._deleted_ids |= {known[path] for path in paths if path in known}
        for path in paths:
            if (peer.folder / path).exists():
                self._deleted |= set(_lines((peer.folder / path).read_bytes()))

    def _pick(self, peer: Peer, which: int) -> FileId | None:
        files = sorted(peer.project.document.text_files)
        return files[which % len(files)] if files else None

    def _pick_on_disk(self, peer: Peer, which: int) -> Path | None:
        paths = peer.on_disk()
        return peer.folder / paths[which % len(paths)] if paths else None

    def _edit_on_disk(self, path: Path, edit: Any) -> None:
        path.write_text("".join(f"{line}\n" for line in edit(path.read_text().splitlines())))

    # ── at rest ─────────────────────────────────────────────────────────────────────────────────────────

    async def rest(self) -> None:
        """Mend every link, and return when nobody has anything to do any more."""
        for peer in self.hub.peers:
            self.hub.link(peer)
        calm, before = 0, None
        for _ in range(_MAX_ROUNDS):
            for peer in self.hub.peers:
                await peer.project.taken_in()
                await peer.project.flush()
            now = [(peer.texts(), peer.contents(), peer.figures()) for peer in self.hub.peers]
            calm = calm + 1 if now == before and not list(self._differences()) else 0
            if calm == _CALM_ROUNDS:
                return
            before = now
            await asyncio.sleep(0.02)
        raise AssertionError("no rest: " + "; ".join(self._differences()))

    def _differences(self) -> Iterator[str]:
        shown = {path: text.encode() for path, text in _texts(self.hub.document).items()}
        for peer in self.hub.peers:
            name, there = peer.folder.name, peer.contents()
            for path in sorted(shown.keys() | there.keys()):
                if shown.get(path) != there.get(path):
                    yield f"{name}: {path} {there.get(path)!r} instead of {shown.get(path)!r}"
            figures = {path: _sha(data) for path, data in peer.figures().items()}
            named = {entry.path: entry.blob.blob_hash for entry in self.hub.document.blob_files.values() if entry.blob}
            if figures != named:
                yield f"{name} has the figures {figures} instead of {named}"
            if peer.project.blobs.problems:
                yield f"{name} has problems: {peer.project.blobs.problems}"

    def judge(self) -> "Verdict":
        """Return what is not as it must be."""
        found = Counter(line for text in _texts(self.hub.document).values() for line in text.splitlines())
        gone = {line for file_id in self._gone_ids() for line in self._text_of(file_id).splitlines()}
        folders = [peer.folders() for peer in self.hub.peers]
        drawn = Counter(self.hub.peers[0].figures().values())
        # What git wrote a second time is there twice, and what was deleted may come back from two stale editors.
        may_be_twice = self._written_again | self._deleted
        return Verdict(
            lost=sorted(self._written - self._deleted - gone - found.keys()),
            doubled=sorted(line for line, count in found.items() if count > 1 and line not in may_be_twice),
            lost_figures=sorted(self._drawn - self._discarded - drawn.keys()),
            doubled_figures=sorted(data for data, count in drawn.items() if count > 1),
            folders_differ=[sorted(some ^ folders[0]) for some in folders if some != folders[0]],
        )

    def _gone_ids(self) -> set[str]:
        return self._deleted_ids - self.hub.document.files.keys()

    def _text_of(self, file_id: str) -> str:
        return str(self.hub.document._doc.get(f"text:{file_id}", type=pycrdt.Text))


class Verdict:
    """What was lost, what is there twice, and folders that are not everywhere."""

    def __init__(
        self,
        *,
        lost: list[str],
        doubled: list[str],
        lost_figures: list[bytes],
        doubled_figures: list[bytes],
        folders_differ: list[list[str]],
    ) -> None:
        self.lost, self.doubled, self.folders_differ = lost, doubled, folders_differ
        self.lost_figures = [_label(data) for data in lost_figures]
        self.doubled_figures = [_label(data) for data in doubled_figures]


_WINDOW = "type type type erase rename remove"
_DISK = "write write save save cut_line load save_loaded save_loaded move unlink make_file folder checkout"
#: What is told more than once happens more often.
_FIGURES = "draw draw draw draw move_figure unlink_figure rename_figure remove_figure"
KINDS = tuple(f"{_WINDOW} {_DISK} drop mend".split())
#: Figures above all, and people who are apart often.
FIGURE_KINDS = tuple(f"{_FIGURES} {_FIGURES} type write save make_file folder drop drop mend".split())


async def live_through(
    root: Path, executor: Executor, count: int, plan: list[tuple[str, int, int, int]], kinds: set[str] | None = None
) -> Verdict:
    """Let `count` people do what is planned, wait for rest, and return the verdict."""
    story = Story(root, executor)
    try:
        await story.begin(count)
        for kind, who, which, where in plan:
            if kinds is None or kind in kinds:
                await story.do(kind, who, which, where)
        await story.rest()
        return story.judge()
    finally:
        await story.end()
        shutil.rmtree(root, ignore_errors=os.name == "nt")


def _texts(document: ProjectDocument) -> dict[str, str]:
    return {entry.path: str(document.text(file_id)) for file_id, entry in document.text_files.items()}


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _label(data: bytes) -> str:
    return data[4:40].decode()


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def _lines(data: bytes) -> list[str]:
    return data.decode().splitlines()


def _line_starts(text: str) -> list[int]:
    return [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]


def _with(lines: list[str], where: int, line: str) -> list[str]:
    at = where % (len(lines) + 1)
    return [*lines[:at], line, *lines[at:]]
