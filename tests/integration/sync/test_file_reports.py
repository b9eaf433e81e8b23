"""Files that cannot be shared are told one by one, and keep nobody else from it."""

from pathlib import Path

from tests.helpers.run_async import runs_async
from tests.helpers.shared_folder import fill, running_server, shared
from tests.helpers.sync_process import SyncProcess


@runs_async
async def test_a_file_that_cannot_be_shared_is_told_once(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, {"main.tex": "m\n"})
        async with SyncProcess(tmp_path / "two", paper) as two:
            await two.until_saved()
            fill(tmp_path / "two", {"a:b.tex": "x"})
            told = await two.until("file_problem", path="a:b.tex")
            assert "Rename it" in told["sentence"]
            (tmp_path / "two" / "a:b.tex").unlink()
            await two.until("file_problem", path="a:b.tex", sentence=None)
