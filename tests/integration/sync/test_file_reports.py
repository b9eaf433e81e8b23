"""Files that cannot be shared are told one by one, and keep nobody else from it."""

import json
from pathlib import Path

from tests.helpers.folder_listing import files_in
from tests.helpers.run_async import runs_async, until
from tests.helpers.shared_folder import fill, running_server, shared
from tests.helpers.sync_process import SyncProcess, sync_once


@runs_async
async def test_a_file_that_cannot_be_shared_is_told_once(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, {"main.tex": "m\n"})
        async with SyncProcess(tmp_path / "two", paper) as two:
            await two.until_saved()
            fill(tmp_path / "two", {"a:b.tex": "x"})
            told = await two.until("file_problem", path="a:b.tex")
            assert "rename it" in told["sentence"]
            (tmp_path / "two" / "a:b.tex").unlink()
            await two.until("file_problem", path="a:b.tex", sentence=None)


@runs_async
async def test_what_is_not_shared_is_told_as_a_note(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, {"main.tex": "m\n"})
        fill(tmp_path / "two", {"main.tex": "m\n", "Makefile": "all:\n", ".latexmkrc": "1;\n"})
        once = await sync_once(tmp_path / "two", paper, "--keep-both")
        assert "file_problem" not in {event["event"] for event in once.events}  # they went with the copy
        fill(tmp_path / "two", {"Makefile": "all:\n", ".latexmkrc": "1;\n"})
        once = await sync_once(tmp_path / "two", paper)
        told = [event for event in once.events if event["event"] == "file_problem"]
        assert {(event["path"], event["is_note"]) for event in told} == {("Makefile", True), (".latexmkrc", True)}


@runs_async
async def test_a_listing_and_its_data_travel_where_both_sides_wish_so(tmp_path: Path) -> None:
    """Text as text, the rest as it is; what nobody here wishes for is told, and is written when somebody does."""
    wishes = json.dumps({"share": ["*.py", "*.raw"]})
    async with running_server(tmp_path) as (_, link):
        paper = await shared(tmp_path, link, {"main.tex": "m\n"})
        fill(tmp_path / "first", {".texswarm/settings.json": wishes, "run.py": "print(1)\n"})
        (tmp_path / "first" / "data.raw").write_bytes(bytes(range(256)) * 64)
        await sync_once(tmp_path / "first")
        async with SyncProcess(tmp_path / "two", paper) as two:
            for path in ("run.py", "data.raw"):
                told = await two.until("file_problem", path=path)
                assert "only if you name it" in told["sentence"]
            await until(lambda: set(files_in(tmp_path / "two")) == {"main.tex"})
            fill(tmp_path / "two", {".texswarm/settings.json": wishes, "new.tex": "n"})
            await until(lambda: len(files_in(tmp_path / "two")) == 4)
        await sync_once(tmp_path / "first")
        assert files_in(tmp_path / "first") == files_in(tmp_path / "two")
        assert not (tmp_path / "two" / "run.py").stat().st_mode & 0o111
