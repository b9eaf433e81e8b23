"""Names that this disk does not take, or others do not, and names that nobody may have."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pycrdt
import pytest

from tests.helpers.folder_listing import files_in
from tests.helpers.live_folder import fill, opened, texts_of, type_at_end
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.core.local_names import WINDOWS
from texswarm_desktop.services import project_entry
from texswarm_desktop.services.atomic_file import TEMPORARY_PREFIX
from texswarm_server.document import ProjectDocument
from texswarm_server.protocol.errors import (
    KindNotTakenError,
    LinkNotFollowedError,
    NameNotHereError,
    NameNotSharedError,
)

HARD_NAMES = ["aux.tex", "what?.tex", "Main.tex", "main.tex", "sec./x.tex", "plain.tex"]
SPELLED = ["au%78.tex", "what%3F.tex", "sec%2E/x.tex", "plain.tex"]


def on_disk(folder: Path) -> dict[str, str]:
    """What is being written has another name for a moment."""
    return {path: data.decode() for path, data in files_in(folder).items() if TEMPORARY_PREFIX not in path}


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be one that takes as little as Windows does."""
    monkeypatch.setattr(project_entry, "_rules_of", lambda own: WINDOWS)


@pytest.mark.usefixtures("windows")
@runs_async
async def test_every_name_has_a_place_and_travels_both_ways(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with opened(tmp_path, executor) as project:
        for path in HARD_NAMES:
            project.document.add_file(path, f"{path}\n")
        await until(lambda: len(on_disk(tmp_path)) == len(HARD_NAMES))
        assert set(SPELLED) < set(on_disk(tmp_path))
        fill(tmp_path, {"au%78.tex": "written\n", "co%6E.tex": "new\n"})
        await until(lambda: texts_of(project).get("con.tex") == "new\n" and texts_of(project)["aux.tex"] == "written\n")
        (tmp_path / "plain.tex").rename(tmp_path / "pla%3Ein.tex")
        await until(lambda: texts_of(project).get("pla>in.tex") == "plain.tex\n")
        before = texts_of(project), on_disk(tmp_path)
        assert not project.file_problems
    async with opened(tmp_path, executor) as project:
        assert (texts_of(project), on_disk(tmp_path)) == before


@pytest.mark.usefixtures("windows")
@runs_async
async def test_a_name_in_another_letter_case_stands_beside_the_first(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with opened(tmp_path, executor, {"main.tex": "here first"}) as project:
        project.document.add_file("Main.tex", "there")
        await until(lambda: on_disk(tmp_path) == {"main.tex": "here first", "%4Dain.tex": "there"})
        project.document.remove_file(project.document.file_at("main.tex"))
        await until(lambda: on_disk(tmp_path) == {"Main.tex": "there"})


@runs_async
async def test_a_rename_of_letter_case_alone_travels(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with opened(tmp_path, executor, {"main.tex": "m"}) as project:
        file_id = project.document.file_at("main.tex")
        project.document.rename_file(file_id, "Main.tex")
        await until(lambda: on_disk(tmp_path) == {"Main.tex": "m"})
        (tmp_path / "Main.tex").rename(tmp_path / "MAIN.tex")
        await until(lambda: project.document.file_at("MAIN.tex") == file_id)


def stranger_with(*paths: str, base: ProjectDocument) -> bytes:
    """Return what a program says that looks at no rule."""
    document: Any = pycrdt.Doc()
    document.apply_update(base.update_since())
    files = document.get("files", type=pycrdt.Map)
    for at, path in enumerate(paths):
        files[f"evil{at}"] = pycrdt.Map({"path": path, "kind": "text"})
        document.get(f"text:evil{at}", type=pycrdt.Text).insert(0, "evil")
    return document.get_update()


@runs_async
async def test_hostile_names_are_refused_one_by_one(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    evil = [
        "/etc/x.tex",
        "../x.tex",
        "a/../../x.tex",
        "nul\0.tex",
        ".git/x.tex",
        ".texswarm/x.tex",
        "a\\b.tex",
        "C:x.tex",
    ]
    async with opened(tmp_path / "project", executor, {"main.tex": "m"}) as project:
        project.shared.apply_remote(
            stranger_with(*evil, "latexmkrc", "x" * 300 + ".tex", "good.tex", base=project.document)
        )
        await project.flush()
        await until(lambda: len(project.file_problems) == len(evil) + 2)
        assert on_disk(tmp_path / "project") == {"main.tex": "m", "good.tex": "evil"}
        assert project.problem is None
        assert isinstance(project.file_problems["latexmkrc"], KindNotTakenError)
        assert isinstance(project.file_problems["../x.tex"], NameNotHereError)
        assert isinstance(project.file_problems["x" * 300 + ".tex"], NameNotHereError)
    assert set(on_disk(tmp_path)) == {"project/main.tex", "project/good.tex"}


@runs_async
async def test_a_file_and_a_folder_of_one_name_live_side_by_side(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with opened(tmp_path, executor, {"a.tex": "file"}) as project:
        project.document.add_file("a.tex/b.tex", "in the folder")
        await until(lambda: on_disk(tmp_path) == {"%61.tex": "file", "a.tex/b.tex": "in the folder"})
        assert texts_of(project) == {"a.tex": "file", "a.tex/b.tex": "in the folder"}


@pytest.mark.skipif(os.name == "nt", reason="other names, and links need a privilege")
@runs_async
async def test_what_cannot_be_shared_is_told_and_heard_of(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    told = []

    class Listener:
        def files_changed(self) -> None:
            told.append(set(project.file_problems))

        def __getattr__(self, name: str) -> Any:
            return lambda *_: None

    async with opened(tmp_path, executor, {"main.tex": "m"}) as project:
        project.subscribe(Listener())
        fill(tmp_path, {"a:b.tex": "x"})
        (tmp_path / "refs.bib").symlink_to("/etc/hostname")
        await until(lambda: told and told[-1] == {"a:b.tex", "refs.bib"})
        assert isinstance(project.file_problems["a:b.tex"], NameNotSharedError)
        assert isinstance(project.file_problems["refs.bib"], LinkNotFollowedError)
        (tmp_path / "a:b.tex").rename(tmp_path / "ab.tex")
        (tmp_path / "refs.bib").unlink()
        await until(lambda: told[-1] == set())
        assert texts_of(project) == {"main.tex": "m", "ab.tex": "x"}


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
@runs_async
async def test_a_link_to_another_file_of_the_project_is_kept(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    fill(tmp_path, {"s/chapter.tex": "one\n"})
    (tmp_path / "now.tex").symlink_to("s/chapter.tex")
    async with opened(tmp_path, executor, {"main.tex": "m"}) as project:
        assert set(texts_of(project)) == {"main.tex", "now.tex", "s/chapter.tex"}
        type_at_end(project, "now.tex", "two\n")
        await until(lambda: texts_of(project)["s/chapter.tex"] == "one\ntwo\n")
        assert (tmp_path / "now.tex").is_symlink()
        project.document.remove_file(project.document.file_at("now.tex"))
        await until(lambda: not (tmp_path / "now.tex").is_symlink())
        assert on_disk(tmp_path) == {"main.tex": "m", "s/chapter.tex": "one\ntwo\n"}
