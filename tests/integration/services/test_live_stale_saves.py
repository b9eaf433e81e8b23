"""Editors that loaded a file before something arrived in it, and save it afterwards."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.helpers.live_folder import opened, text_at, texts_of
from tests.helpers.run_async import runs_async, until

TEXT = "".join(f"line {number} of a text\n" for number in range(40))


@runs_async
async def test_an_editor_that_saves_what_it_loaded_long_ago_undoes_nothing(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    file = tmp_path / "main.tex"
    async with opened(tmp_path, executor, {"main.tex": TEXT}) as project:
        in_the_editor = file.read_text()
        for number in range(3):
            text_at(project, "main.tex").replace_cp(0, 0, f"remark {number} from elsewhere\n")
            await until(lambda: file.read_text() == texts_of(project)["main.tex"])
        in_the_editor = in_the_editor.replace("line 30 ", "line thirty ")
        file.write_text(in_the_editor)
        await until(lambda: "thirty" in texts_of(project)["main.tex"])
        await until(lambda: file.read_text() == texts_of(project)["main.tex"])
        in_the_editor = in_the_editor.replace("line 20 ", "line twenty ")
        file.write_text(in_the_editor)
        await until(lambda: "twenty" in texts_of(project)["main.tex"])
        remarks = "".join(f"remark {number} from elsewhere\n" for number in (2, 1, 0))
        assert texts_of(project)["main.tex"] == remarks + in_the_editor


@runs_async
async def test_what_arrived_can_be_deleted_on_disk_all_the_same(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    file = tmp_path / "main.tex"
    async with opened(tmp_path, executor, {"main.tex": TEXT}) as project:
        text_at(project, "main.tex").replace_cp(0, 0, "first remark\nsecond remark, with more to say\n")
        await until(lambda: file.read_text() == texts_of(project)["main.tex"])
        file.write_text("second remark, with more to say\n" + TEXT.replace("line 30 ", "line thirty "))
        await until(lambda: "thirty" in texts_of(project)["main.tex"])
        assert "first remark" not in texts_of(project)["main.tex"]
        text_at(project, "main.tex").replace_cp(
            0, 0, "Another person thinks otherwise and writes a whole sentence about it\n"
        )
        await until(lambda: file.read_text() == texts_of(project)["main.tex"])
        file.write_text(
            "Another person thinks otherwise and writes a whole sentence about it\n"
            + TEXT.replace("line 30 ", "line thirty ")
        )
        await until(lambda: "second remark" not in texts_of(project)["main.tex"])
        assert texts_of(project)[
            "main.tex"
        ] == "Another person thinks otherwise and writes a whole sentence about it\n" + TEXT.replace(
            "line 30 ", "line thirty "
        )


@runs_async
async def test_what_a_program_writes_over_a_moment_after_it_came_is_in_the_file_again(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    """The program cannot know of it; the document is as it was, and only the file is to be written."""
    file = tmp_path / "main.tex"
    async with opened(tmp_path, executor, {"main.tex": TEXT}) as project:
        text_at(project, "main.tex").replace_cp(0, 0, "a remark from elsewhere\n")
        await until(lambda: file.read_text() == "a remark from elsewhere\n" + TEXT)
        file.write_text(TEXT)
        await project.taken_in()
        await project.flush()
        assert texts_of(project)["main.tex"] == file.read_text() == "a remark from elsewhere\n" + TEXT
