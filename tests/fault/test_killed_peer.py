"""`texswarm sync` is killed at random instants: no file is half-written, no line is lost, none is there twice."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGKILL
from typing import Final
from uuid import uuid4

import pytest

from tests.helpers.fake_credentials import FakeCredentials
from tests.helpers.model_replica import ModelReplica
from tests.helpers.run_async import until
from tests.helpers.sync_process import SyncProcess, sync_once, texts_in
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.states import Live
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import InviteLink
from texswarm_server.protocol.messages import CreateDocument

ROUNDS_IN_CI: Final = 5
ROUNDS: Final = int(os.environ.get("TEXSWARM_KILL_ROUNDS", "100"))
SEED: Final = int(os.environ.get("TEXSWARM_FIRST_SEED", "1"))
#: Written by both sides; while the peer runs, its folder's own editor writes elsewhere, because an editor that writes
#: what it read before would undo what came meanwhile.
SHARED: Final = "main.tex"
MINE: Final = "notes/mine.tex"
#: The longest a peer lives: it takes half a second to start, and is killed anywhere from there to long at rest.
LONGEST_S: Final = 1.6


class Diary:
    """Every line that was ever written, each of them once."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.lines: list[str] = []

    def line(self, who: str) -> str:
        self.lines.append(f"{who} wrote line {len(self.lines)} — é😀 {'x' * self.chance.randrange(60)}\n")
        return self.lines[-1]

    def into(self, text: str, who: str) -> str:
        lines = text.splitlines(keepends=True)
        lines.insert(self.chance.randint(0, len(lines)), self.line(who))
        return "".join(lines)

    def check_whole(self, folder: Path) -> None:
        """Whatever the instant: files hold whole lines, as somebody wrote them."""
        for path, text in texts_in(folder).items():
            if not Path(path).name.startswith(".texswarm-tmp-"):
                assert set(text.splitlines(keepends=True)) <= set(self.lines), path

    def check_all(self, texts: dict[str, str]) -> None:
        found = Counter(line for text in texts.values() for line in text.splitlines(keepends=True))
        assert found == Counter(self.lines)


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
        return {entry.path: str(document.text(file_id)) for file_id, entry in document.files.items()}


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


async def one_round(folder: Path, link: str, diary: Diary, colleague: Colleague) -> None:
    """Edit while the peer is away, then while it runs, and kill it at some instant of that."""
    chance = diary.chance
    if (folder / SHARED).exists() and chance.random() < 0.5:
        edit(folder / SHARED, diary)
    if chance.random() < 0.7:
        colleague.write(diary)
    async with SyncProcess(folder, link) as peer:
        ends_at = asyncio.get_running_loop().time() + chance.uniform(0.1, LONGEST_S)
        while asyncio.get_running_loop().time() < ends_at:
            await asyncio.sleep(chance.uniform(0, 0.15))
            if chance.random() < 0.5:
                colleague.write(diary)
            elif (folder / ".texswarm").exists():
                edit(folder / MINE, diary)
        await peer.end(SIGKILL)
    diary.check_whole(folder)


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


async def story(root: Path, seed: int, rounds: int) -> None:
    diary, folder = Diary(seed), root / "paper"
    async with colleague_at(root) as (colleague, link):
        for _ in range(rounds):
            await one_round(folder, link, diary, colleague)
        await sync_once(folder, link)
        await until(lambda: sum(text.count("\n") for text in colleague.texts.values()) >= len(diary.lines))
        await sync_once(folder, link)
        diary.check_all(colleague.texts)
        assert texts_in(folder) == colleague.texts


def test_a_killed_peer_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    asyncio.run(story(tmp_path, seed=0, rounds=ROUNDS_IN_CI))


@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_campaign_of_kills(tmp_path: Path) -> None:
    asyncio.run(story(tmp_path, SEED, ROUNDS))
