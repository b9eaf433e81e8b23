"""Files in other encodings and line endings, which are the same bytes in every folder."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.helpers.folder_listing import files_in
from tests.helpers.live_folder import everything_in, opened, text_at, texts_of, type_at_end
from tests.helpers.run_async import runs_async, until
from texswarm_desktop.services.atomic_file import TEMPORARY_PREFIX
from texswarm_desktop.services.project import Project
from texswarm_desktop.services.spelling import Spelling
from texswarm_server.document import FileId, ProjectDocument
from texswarm_server.document.text_format import PLAIN, TextFormat
from texswarm_server.protocol.errors import EncodingTooSmallError

LATIN_DOS = TextFormat("latin-1", newline="\r\n")
TEXT = "\\usepackage[latin1]{inputenc}\né\n"
BYTES = {
    "latin.tex": TEXT.replace("\n", "\r\n").encode("latin-1"),
    "mark.tex": b"\xef\xbb\xbfa\n",
    "wide.txt": "ä\n".encode("utf-16"),
    "plain.tex": "é\n".encode(),
}


def put(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for path, data in files.items():
        (folder / path).write_bytes(data)


def here(folder: Path) -> dict[str, bytes]:
    return {path: data for path, data in files_in(folder).items() if TEMPORARY_PREFIX not in path}


def spelling_of(project: Project, path: str) -> TextFormat | None:
    return project.document.files[FileId(project.document.file_at(path) or "")].spelling


def meet(one: Project, other: Project) -> None:
    """Exchange what either side lacks, as over a server."""
    updates = (
        one.document.update_since(other.document.state_vector()),
        other.document.update_since(one.document.state_vector()),
    )
    other.shared.apply_remote(updates[0])
    one.shared.apply_remote(updates[1])


@asynccontextmanager
async def two(
    tmp_path: Path, executor: ThreadPoolExecutor, files: dict[str, bytes] = BYTES
) -> AsyncIterator[tuple[Project, Project]]:
    put(tmp_path / "ada", files)
    async with opened(tmp_path / "ada", executor) as ada:
        replica = await Project.create_replica(tmp_path / "bob", ada.document_id, ada.lineage, store_executor=executor)
        async with replica as bob:
            meet(ada, bob)
            await until(lambda: here(bob.folder) == here(ada.folder))
            yield ada, bob


@runs_async
async def test_another_folder_has_the_same_bytes(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with two(tmp_path, executor) as (ada, bob):
        assert here(bob.folder) == BYTES
        type_at_end(bob, "latin.tex", "ü\n")
        meet(ada, bob)
        expected = BYTES["latin.tex"] + b"\xfc\r\n"
        await until(lambda: here(ada.folder)["latin.tex"] == here(bob.folder)["latin.tex"] == expected)
        assert spelling_of(ada, "plain.tex") is None


@runs_async
async def test_what_another_program_spells_anew_is_so_everywhere(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with two(tmp_path, executor) as (ada, bob):
        put(bob.folder, {"latin.tex": TEXT.encode(), "plain.tex": "é\r\n".encode("latin-1")})
        await until(lambda: spelling_of(bob, "latin.tex") == PLAIN and spelling_of(bob, "plain.tex") == LATIN_DOS)
        meet(ada, bob)
        await until(lambda: here(ada.folder) == here(bob.folder))
        assert here(ada.folder)["latin.tex"] == TEXT.encode()
        assert texts_of(ada)["latin.tex"] == TEXT


@runs_async
async def test_of_two_at_once_one_is_everywhere(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with two(tmp_path, executor) as (ada, bob):
        put(ada.folder, {"plain.tex": "é\n".encode("latin-1")})
        put(bob.folder, {"plain.tex": b"\xef\xbb\xbf\xc3\xa9\n"})
        await until(lambda: spelling_of(ada, "plain.tex") is not None and spelling_of(bob, "plain.tex") is not None)
        meet(ada, bob)
        await until(lambda: here(ada.folder) == here(bob.folder))
        assert texts_of(ada) == texts_of(bob)


@runs_async
async def test_an_edit_on_disk_that_shows_no_encoding_changes_none(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with two(tmp_path, executor) as (ada, bob):
        put(ada.folder, {"latin.tex": b"plain letters\r\n"})
        await until(lambda: texts_of(ada)["latin.tex"] == "plain letters\n")
        type_at_end(ada, "latin.tex", "é\n")
        meet(ada, bob)
        await until(lambda: here(bob.folder)["latin.tex"] == b"plain letters\r\n\xe9\r\n")


@runs_async
async def test_a_letter_that_latin_1_lacks_makes_it_utf_8_everywhere_and_is_told(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    async with two(tmp_path, executor) as (ada, bob):
        type_at_end(ada, "latin.tex", "€\n")
        meet(ada, bob)
        expected = (TEXT + "€\n").replace("\n", "\r\n").encode()
        await until(lambda: here(ada.folder)["latin.tex"] == here(bob.folder)["latin.tex"] == expected)
        await until(lambda: set(ada.file_problems) == set(bob.file_problems) == {"latin.tex"})
        assert isinstance(bob.file_problems["latin.tex"], EncodingTooSmallError)
        text = text_at(bob, "latin.tex")
        text.replace_cp(len(TEXT), len(TEXT) + 2, "")
        meet(ada, bob)
        await until(lambda: here(ada.folder) == here(bob.folder) == BYTES)
        await until(lambda: not ada.file_problems and not bob.file_problems)


@runs_async
async def test_a_folder_that_joins_with_other_spellings_takes_the_projects(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    put(tmp_path / "bob", {"latin.tex": TEXT.encode(), "plain.tex": "é\r\n".encode("latin-1")})
    async with two_joined(tmp_path, executor) as (ada, bob):
        await until(lambda: here(bob.folder) == BYTES)
        assert texts_of(bob) == texts_of(ada)
        meet(ada, bob)
        assert here(ada.folder) == BYTES


@asynccontextmanager
async def two_joined(tmp_path: Path, executor: ThreadPoolExecutor) -> AsyncIterator[tuple[Project, Project]]:
    put(tmp_path / "ada", BYTES)
    async with opened(tmp_path / "ada", executor) as ada:
        assert ada.lineage is not None
        content = ada.document.update_since()
        bob = await Project.join(tmp_path / "bob", ada.document_id, ada.lineage, content, store_executor=executor)
        async with bob:
            await bob.flush()
            yield ada, bob


@runs_async
async def test_opening_again_changes_nothing_and_what_was_done_meanwhile_counts(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    put(tmp_path, BYTES)
    async with opened(tmp_path, executor):
        pass
    before = everything_in(tmp_path)
    async with opened(tmp_path, executor) as project:
        assert everything_in(tmp_path) == before
    put(tmp_path, {"latin.tex": TEXT.encode(), "plain.tex": "é and more\r\n".encode("latin-1")})
    (tmp_path / "mark.tex").rename(tmp_path / "moved.tex")
    changed = here(tmp_path)
    async with opened(tmp_path, executor) as project:
        assert (spelling_of(project, "latin.tex"), spelling_of(project, "plain.tex")) == (PLAIN, LATIN_DOS)
        assert spelling_of(project, "moved.tex") == TextFormat(has_bom=True)
        assert here(tmp_path) == changed


@runs_async
async def test_a_file_that_is_moved_and_spelled_anew_is_both(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with two(tmp_path, executor) as (ada, bob):
        file_id = ada.document.file_at("latin.tex")
        (ada.folder / "latin.tex").unlink()
        put(ada.folder, {"utf.tex": TEXT.encode()})
        await until(lambda: ada.document.file_at("utf.tex") == file_id)
        meet(ada, bob)
        await until(lambda: here(bob.folder) == here(ada.folder))
        assert here(bob.folder)["utf.tex"] == TEXT.encode()


@runs_async
async def test_what_a_program_of_before_kept_to_itself_is_said(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    """It wrote a folder's files in that folder's own spelling, and no word of it into the document."""
    put(tmp_path, BYTES)
    with pytest.MonkeyPatch.context() as before:
        add = ProjectDocument.add_file
        before.setattr(ProjectDocument, "add_file", lambda *given, **_: add(*given))
        before.setattr(Spelling, "_say_once", lambda *_: None)
        before.setattr(Spelling, "said", lambda self, file_id: self._known.files[file_id].format)
        before.setattr(Spelling, "found", lambda self, file_id, file, record=None: file.decoded.format)
        async with opened(tmp_path, executor) as project:
            assert spelling_of(project, "latin.tex") is None
        assert here(tmp_path) == BYTES
    async with opened(tmp_path, executor) as project:
        assert here(tmp_path) == BYTES
        assert spelling_of(project, "latin.tex") == LATIN_DOS
        assert spelling_of(project, "plain.tex") is None
