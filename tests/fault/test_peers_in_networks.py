"""Two folders kept by `texswarm sync` on machines of their own, while the network of one of them is taken away.

What is written, moved and made meanwhile, by seed, is in both folders in the end: every line and every figure, and
each of them once.
"""

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.folder_listing import files_in
from tests.helpers.lab_desk import LabServer
from tests.helpers.network_lab import LabHost, NetworkLab, needs_network_lab
from tests.helpers.run_async import runs_async, until
from tests.helpers.sync_process import SyncProcess
from texswarm_server.protocol.invite_link import InviteLink

SEED: Final = int(os.environ.get("TEXSWARM_SEED", "1"))
ROUNDS: Final = int(os.environ.get("TEXSWARM_ROUNDS", "2"))
#: How the network of a machine goes, and comes again.
FAULTS: Final[dict[str, tuple[Callable[[LabHost], None], Callable[[LabHost], None]]]] = {
    "unplugged": (LabHost.unplug, LabHost.plug),
    "no frame arrives": (lambda host: host.cut(outgoing=False), LabHost.mend),
    "other addresses": (LabHost.unplug, lambda host: (host.renumber(host.number + 40), host.plug())[1]),
}


class Pen:
    """Writes lines of which no two are alike, as an editor that saves by a rename does."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.written: Counter[str] = Counter()
        self.drawn: Counter[bytes] = Counter()

    def write(self, folder: Path) -> None:
        path = self.chance.choice([folder / name for name in sorted(texts_in(folder))])
        lines = path.read_text(encoding="utf-8").splitlines()
        lines.insert(self.chance.randint(0, len(lines)), self.line(folder.name))
        self._save(path, lines)

    def make(self, folder: Path, name: str) -> None:
        self._save(folder / name, [self.line(folder.name) for _ in range(4)])

    def move(self, folder: Path) -> None:
        path = self.chance.choice([folder / name for name in sorted(texts_in(folder))])
        path.rename(folder / f"moved-{sum(self.written.values())}.tex")

    def draw(self, folder: Path, name: str, *, knows: bytes | None = None) -> bytes:
        """Put a figure there; `knows`: the content that gives way, which nobody has to keep."""
        data = b"\x89PNG " + folder.name.encode() + self.chance.randbytes(20_000)
        self.drawn[data] += 1
        if knows is not None:
            del self.drawn[knows]
        (folder / name).write_bytes(data)
        return data

    def line(self, who: str) -> str:
        words = " ".join(f"{self.chance.getrandbits(24):06x}" for _ in range(3))
        self.written[line := f"{who} {words}"] += 1
        return line

    def _save(self, path: Path, lines: list[str]) -> None:
        new = path.with_name(f".{path.name}.new")
        new.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        new.replace(path)


def texts_in(folder: Path) -> dict[str, str]:
    return {path: data.decode() for path, data in files_in(folder).items() if path.endswith(".tex") and path[0] != "."}


def figures_in(folder: Path) -> Counter[bytes]:
    return Counter(data for path, data in files_in(folder).items() if path.endswith(".png"))


def lines_in(folder: Path) -> Counter[str]:
    return Counter(line for text in texts_in(folder).values() for line in text.splitlines())


@needs_network_lab
@pytest.mark.timeout(120)
@pytest.mark.parametrize("fault", FAULTS)
@runs_async
async def test_both_folders_have_every_line_once_after_the_network_of_one_was_away(fault: str, tmp_path: Path) -> None:
    take_away, give_back = FAULTS[fault]
    pen, ada, bob = Pen(SEED), tmp_path / "ada", tmp_path / "bob"
    ada.mkdir()
    for name in ("main.tex", "notes.tex", "method.tex"):
        pen.make(ada, name)

    def is_at_rest() -> bool:
        is_all_there = lines_in(ada) == pen.written and figures_in(ada) == pen.drawn
        return files_in(ada) == files_in(bob) and is_all_there

    with NetworkLab() as lab:
        office = lab.network()
        server = LabServer(lab.host("server", office), tmp_path / "server")
        adas, bobs = lab.host("ada", office), lab.host("bob", office)
        async with SyncProcess(ada, str(InviteLink(server.address)), inside=adas.inside) as first:
            paper = (await first.until("link"))["link"]
            async with SyncProcess(bob, paper, inside=bobs.inside):
                await until(is_at_rest, "both have the paper")
                for number in range(ROUNDS):
                    both, gone = (pen.draw(ada, f"{name}-{number}.png") for name in ("both", "gone"))
                    await until(is_at_rest, f"both have the figures: {fault}, round {number}")
                    take_away(bobs)
                    pen.draw(ada, f"both-{number}.png", knows=both)
                    pen.draw(bob, f"both-{number}.png")
                    (ada / f"gone-{number}.png").unlink()
                    pen.draw(bob, f"gone-{number}.png", knows=gone)
                    for folder in (ada, bob):
                        for _ in range(4):
                            pen.write(folder)
                        pen.make(folder, f"{folder.name}-{number}.tex")
                    pen.move(pen.chance.choice((ada, bob)))
                    give_back(bobs)
                    await until(is_at_rest, f"both have every line once: {fault}, round {number}")
