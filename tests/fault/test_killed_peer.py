"""`texswarm sync` is killed at random instants of its whole life: no file is half-written, no line and no figure is
lost, and none is there twice.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Final
from uuid import uuid4

import pytest

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.folder_listing import files_in
from tests.helpers.model_replica import ModelReplica
from tests.helpers.run_async import until
from tests.helpers.sync_process import SyncProcess, sync_once
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.states import Live
from texswarm_desktop.services.disk import SystemDisk
from texswarm_desktop.services.folder_lock import holder_of
from texswarm_desktop.services.project_entry import lock_path
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import InviteLink
from texswarm_server.protocol.messages import CreateDocument

ROUNDS_IN_CI: Final = 6
ROUNDS: Final = int(os.environ.get("TEXSWARM_KILL_ROUNDS", "100"))
SEED: Final = int(os.environ.get("TEXSWARM_FIRST_SEED", "1"))
#: Written by both sides; while the peer runs, its folder's own editor writes elsewhere, because an editor that writes
#: what it read before would undo what came meanwhile.
SHARED: Final = "main.tex"
MINE: Final = "notes/mine.tex"
NEVER_KILLED: Final = "other"
#: So long after what it was waited for a peer lives at most; short, so that it dies about then.
MOMENT_S: Final = 0.25
FIGURE: Final = b"\x89PNG"


class Hour(Enum):
    """After what, in its life, a peer is killed: each is seen from outside, and comes sooner or later as it will."""

    STARTED = "the process is there"
    ENTERED = "it has the folder"
    SIGNED_IN = "the server has let it in"
    SAVED = "all was the same on both sides"
    AT_WORK = "somebody has written since"
    ENDING = "it was told to end"


class Diary:
    """Every line that was ever written, each of them once."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.lines: list[str] = []
        self.drawn: set[bytes] = set()
        self.discarded: set[bytes] = set()
        self.deaths: Counter[Hour] = Counter()
        self.told: list[tuple[str, str]] = []

    def hours(self, rounds: int) -> Iterator[Hour]:
        """Yield an hour of death for each round: in any six rounds that follow each other, each once."""
        for _ in range(0, rounds, len(Hour)):
            yield from self.chance.sample(list(Hour), len(Hour))

    def line(self, who: str) -> str:
        self.lines.append(f"{who} wrote line {len(self.lines)} — é😀 {'x' * self.chance.randrange(60)}\n")
        return self.lines[-1]

    def into(self, text: str, who: str) -> str:
        lines = text.splitlines(keepends=True)
        lines.insert(self.chance.randint(0, len(lines)), self.line(who))
        return "".join(lines)

    def check_whole(self, folder: Path) -> None:
        """Whatever the instant: files hold whole lines, as somebody wrote them."""
        assert set(figures_in(folder).values()) <= self.drawn
        for path, text in texts_in(folder).items():
            assert set(text.splitlines(keepends=True)) <= set(self.lines), path

    def check_all(self, texts: dict[str, str], figures: dict[str, bytes]) -> None:
        found = Counter(line for text in texts.values() for line in text.splitlines(keepends=True))
        assert found == Counter(self.lines)
        there = Counter(figures.values())
        lost, doubled = self.drawn - self.discarded - there.keys(), {one for one, count in there.items() if count > 1}
        assert not lost | doubled, "\n".join(self._told_of(lost | doubled))

    def _told_of(self, contents: set[bytes]) -> list[str]:
        names = {_label(data) for data in contents}
        paths = {path for path, said in self.told if any(name in said for name in names)}
        return [f"{path}: {said}" for path, said in self.told if path in paths]

    def draw(self, folder: Path) -> None:
        """Write, replace, move or delete a figure, as programs do: in place, or by another file and a rename."""
        chance, there = self.chance, sorted(figures_in(folder))
        number = len(self.told)
        name = chance.choice(there) if there and chance.random() < 0.7 else f"f{number}.png"
        path, deed = folder / name, chance.random()
        aside = folder / f".aside{number}.png"
        if name in there and deed < 0.15:
            path.rename(folder / f"moved{number}.png")
            self.told.append((name, f"{folder.name} moves it to moved{number}.png"))
        elif name in there and deed < 0.25:
            path.rename(aside)
            self._discard(name, aside.read_bytes(), "is deleted")
            aside.unlink()
        else:
            data = FIGURE + f" {folder.name} {number} ".encode() + chance.randbytes(chance.randrange(200_000))
            self.drawn.add(data)
            self.told.append((name, f"{folder.name} writes {_label(data)}"))
            self._put(path, aside, data, in_place=deed < 0.5)

    def _put(self, path: Path, aside: Path, data: bytes, *, in_place: bool) -> None:
        """What gives way is read aside, or in the open file: nobody has to keep what an editor replaces."""
        if in_place and path.exists():
            with path.open("r+b") as file:
                self._discard(path.name, file.read(), "is replaced")
                file.seek(0)
                file.truncate()
                file.write(data)
                number = os.fstat(file.fileno()).st_ino
            is_replaced = not path.exists() or path.stat().st_ino != number
            if is_replaced and path.parent.name != NEVER_KILLED:  # whoever looks at what was replaced may be dead
                self._discard(path.name, data, "went where a file was that was just replaced")
            return
        aside.write_bytes(data)
        if path.exists() and SystemDisk().exchange(aside, path):
            self._discard(path.name, aside.read_bytes(), "is replaced")
            aside.unlink()
        else:
            aside.rename(path)

    def _discard(self, name: str, data: bytes, why: str) -> None:
        self.discarded.add(data)
        self.told.append((name, f"{_label(data)} {why}"))


def _label(data: bytes) -> str:
    """Folder and number: what stands in front of the noise."""
    return b" ".join(data.split(b" ", 3)[1:3]).decode()


def texts_in(folder: Path) -> dict[str, str]:
    found = files_in(folder)
    return {path: data.decode() for path, data in found.items() if path.endswith(".tex") and not _is_hidden(path)}


def figures_in(folder: Path) -> dict[str, bytes]:
    return {path: data for path, data in files_in(folder).items() if path.endswith(".png") and not _is_hidden(path)}


def _is_hidden(path: str) -> bool:
    return Path(path).name.startswith(".")


class Colleague:
    """Somebody else in the document, who is never killed."""

    def __init__(self, server: CollabServer, invite: str) -> None:
        self.replica = ModelReplica(str(uuid4()))
        self.connection = Connection(address=server.address, credentials=FakeCredentials(invite=invite))

    async def share(self) -> None:
        self.replica.create(lineage := str(uuid4()))
        self.connection.connect()
        await until(lambda: isinstance(self.connection.state, Live))
        await self.connection.request(
            CreateDocument(title="Paper", document_id=self.replica.document_id, lineage=lineage)
        )
        self.replica.sync = self.connection.add(self.replica)

    def write(self, diary: Diary) -> None:
        lines = self.replica.text.splitlines(keepends=True)
        at = len("".join(lines[: diary.chance.randint(0, len(lines))]).encode("utf-16-le")) // 2
        self.replica.replace(at, at, diary.line("colleague"))

    @property
    def texts(self) -> dict[str, str]:
        document = self.replica.document
        return {entry.path: str(document.text(file_id)) for file_id, entry in document.text_files.items()}


@asynccontextmanager
async def colleague_at(root: Path) -> AsyncIterator[tuple[Colleague, str]]:
    """Yield a colleague in a shared document, and a link to it."""
    async with CollabServer(ServerConfig(data=root / "server", port=0)) as server:
        colleague = Colleague(server, await server.create_invite("owner"))
        async with colleague.connection:
            await colleague.share()
            document_id = colleague.replica.document_id
            token = await server.create_invite("editor", document_id=document_id)
            yield colleague, str(InviteLink(server.address, token, document_id))


async def one_round(folder: Path, other: Path, link: str, diary: Diary, colleague: Colleague, hour: Hour) -> None:
    """Edit while the peer is away, then while it runs, and kill it about an hour of its life."""
    chance = diary.chance
    if (folder / SHARED).exists() and chance.random() < 0.5:
        edit(folder / SHARED, diary)
    if chance.random() < 0.7:
        colleague.write(diary)
    for place in (folder, other):
        if (place / SHARED).exists() and chance.random() < 0.5:
            diary.draw(place)
    async with SyncProcess(folder, link) as peer:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(edit_on(folder, other, diary, colleague))
            await until_it_strikes(hour, peer, colleague, diary)
            await asyncio.sleep(chance.uniform(0, MOMENT_S))
            work.cancel()
        assert await peer.end(SIGKILL) in ({-SIGKILL, 0} if hour is Hour.ENDING else {-SIGKILL})
    diary.deaths[hour] += 1
    diary.check_whole(folder)


async def until_it_strikes(hour: Hour, peer: SyncProcess, colleague: Colleague, diary: Diary) -> None:
    if hour is Hour.ENTERED:
        lock = lock_path(peer.folder)
        await until(lambda: (holder := holder_of(lock)) is not None and holder.pid == peer.pid)
    elif hour is Hour.SIGNED_IN:
        await peer.until("status", state="live")
    elif hour is not Hour.STARTED:
        await peer.until_saved()
    if hour is Hour.AT_WORK:
        colleague.write(diary)
        diary.draw(peer.folder)
    elif hour is Hour.ENDING:
        peer.send(SIGTERM)


async def edit_on(folder: Path, other: Path, diary: Diary, colleague: Colleague) -> None:
    chance = diary.chance
    while True:
        await asyncio.sleep(chance.uniform(0, 0.15))
        deed = chance.random()
        if deed < 0.4:
            colleague.write(diary)
        elif (folder / ".texswarm").exists() and deed < 0.8:
            edit(folder / MINE, diary)
        elif (folder / SHARED).exists():
            with suppress(FileNotFoundError):  # the mirror was quicker
                diary.draw(chance.choice((folder, other)))


def edit(path: Path, diary: Diary) -> None:
    """Add a line as an editor does that saves in place, or by another file and a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = diary.into(path.read_text(encoding="utf-8") if path.exists() else "", "editor")
    if diary.chance.random() < 0.5:
        path.write_text(text, encoding="utf-8")
    else:
        other = path.with_suffix(".tmp")
        other.write_text(text, encoding="utf-8")
        other.replace(path)


async def story(root: Path, seed: int, rounds: int) -> Diary:
    """`other`: a folder whose peer is never killed."""
    diary, folder, other = Diary(seed), root / "paper", root / NEVER_KILLED
    async with colleague_at(root) as (colleague, link), SyncProcess(other, link) as second:
        await second.until_saved()
        for _, hour in zip(range(rounds), diary.hours(rounds), strict=False):
            await one_round(folder, other, link, diary, colleague, hour)
        await sync_once(folder, link)
        await until(lambda: sum(text.count("\n") for text in colleague.texts.values()) >= len(diary.lines))

        async def are_same() -> bool:
            await sync_once(folder, link)
            await sync_once(other)  # beside the one that runs
            return files_in(folder) == files_in(other)

        async with asyncio.timeout(60):
            while not await are_same():
                pass
        await sync_once(folder, link)
        diary.check_all(colleague.texts, figures_in(other))
        assert texts_in(folder) == colleague.texts
    return diary


def test_a_killed_peer_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    diary = asyncio.run(story(tmp_path, seed=0, rounds=ROUNDS_IN_CI))
    assert set(diary.deaths) == set(Hour)


@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_campaign_of_kills(tmp_path: Path) -> None:
    diary = asyncio.run(story(tmp_path, SEED, ROUNDS))
    assert min(diary.deaths[hour] for hour in Hour) >= ROUNDS // len(Hour)
