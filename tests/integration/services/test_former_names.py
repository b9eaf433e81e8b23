"""An editor that still has a file open under the name it had, and saves it while nobody looks at the folder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.helpers.live_folder import opened, texts_of
from tests.helpers.run_async import runs_async, until

TEXT = "".join(f"line {number} of a text\n" for number in range(40))


@runs_async
async def test_what_is_saved_under_a_former_name_between_two_starts_is_in_the_file(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    """Nothing is there twice, and what came meanwhile stays."""
    old, new = tmp_path / "intro.tex", tmp_path / "chapter.tex"
    async with opened(tmp_path, executor, {"main.tex": "m\n", "intro.tex": TEXT}) as project:
        file_id = project.document.file_at("intro.tex")
        assert file_id is not None
        project.document.rename_file(file_id, "chapter.tex")
        await until(lambda: new.exists() and not old.exists())
        project.document.text(file_id).replace_cp(0, 0, "came from elsewhere\n")
        await project.flush()
    old.write_text(TEXT.replace("line 30 ", "and more\nline 30 ") + "written there\n")
    async with opened(tmp_path, executor) as project:
        await until(lambda: not old.exists())
        await project.flush()
        kept = texts_of(project)
    written = "came from elsewhere\n" + TEXT.replace("line 30 ", "and more\nline 30 ") + "written there\n"
    assert kept == {"main.tex": "m\n", "chapter.tex": written}
    assert new.read_text() == written


@runs_async
async def test_a_deleted_file_that_an_editor_saves_between_two_starts_is_that_file(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m\n", "intro.tex": TEXT}) as project:
        file_id = project.document.file_at("intro.tex")
        assert file_id is not None
        project.document.remove_file(file_id)
        await until(lambda: not (tmp_path / "intro.tex").exists())
        await project.flush()
    (tmp_path / "intro.tex").write_text(TEXT + "written there\n")
    async with opened(tmp_path, executor) as project:
        assert project.document.file_at("intro.tex") == file_id
        assert texts_of(project)["intro.tex"] == TEXT + "written there\n"


@runs_async
async def test_another_file_under_a_former_name_is_a_file_of_its_own(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m\n", "intro.tex": TEXT, "empty.tex": ""}) as project:
        for old, new in {"intro.tex": "chapter.tex", "empty.tex": "other.tex"}.items():
            file_id = project.document.file_at(old)
            assert file_id is not None
            project.document.rename_file(file_id, new)
            await until((tmp_path / new).exists)
        await project.flush()
    (tmp_path / "intro.tex").write_text("quite another text\n")
    (tmp_path / "empty.tex").write_text("and one more\n")
    async with opened(tmp_path, executor) as project:
        kept = texts_of(project)
    assert (kept["intro.tex"], kept["chapter.tex"]) == ("quite another text\n", TEXT)
    assert (kept["empty.tex"], kept["other.tex"]) == ("and one more\n", "")
