"""What a window says while a figure is on its way to a real server."""

import hashlib
import random

import pytest

from tests.gui.desktop.test_servers import server_in, shared
from tests.helpers.live_desktops import Desks, runs_at_desks
from tests.helpers.run_async import until

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@runs_at_desks
async def test_saved_is_said_again_only_when_the_server_has_the_figure(desks: Desks) -> None:
    figure = b"\x89PNG" + random.Random(1).randbytes(4_000_000)
    name = hashlib.sha256(figure).hexdigest()
    async with server_in(desks.root) as server:
        ada = await shared(desks, server)
        await ada.until_said("all changes saved")
        said: list[tuple[str, bool]] = []

        def is_stored() -> bool:
            return any(path.is_file() and path.stat().st_size == len(figure) for path in stored.rglob(f"*{name}*"))

        stored = desks.root / "server"
        ada.status.line_changed.connect(lambda line: said.append((line.whole, is_stored())))
        (ada.opened.project.folder / "figure.png").write_bytes(figure)
        await until(lambda: ("Connected · saving…", False) in said, str(said))
        await until(lambda: said[-1][0] == "Connected · all changes saved", str(said))
        named = [entry.path for entry in ada.opened.document.blob_files.values()]
        assert named == ["figure.png"]
        last = max(number for number, (text, _) in enumerate(said) if text == "Connected · saving…")
        assert [is_there for text, is_there in said[last + 1 :] if "all changes saved" in text] == [True]
