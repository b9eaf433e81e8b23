"""A file that one person deletes while another writes in it, also when the deleter's program runs no more by then."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.helpers.run_async import runs_async, until
from texswarm_desktop.services.project import Project
from texswarm_server.document.text_format import TextFormat
from texswarm_server.protocol.errors import FileCameBackError

BOB = {"user": {"id": "bob", "name": "Bob", "color": "#db2777"}}


def exchange(one: Project, other: Project) -> None:
    ours, theirs = one.shared, other.shared
    while ours.state_vector() != theirs.state_vector() or dict(one.document.files) != dict(other.document.files):
        ours.apply_remote(theirs.update_since(ours.state_vector()))
        theirs.apply_remote(ours.update_since(theirs.state_vector()))


async def two(tmp_path: Path, executor: ThreadPoolExecutor) -> tuple[Project, Project]:
    files = {"main.tex": "m\n", "notes.tex": "n\n"}
    ada = await Project.create(tmp_path / "ada", "Paper", files, store_executor=executor)
    bob = await Project.create_replica(tmp_path / "bob", ada.document_id, ada.lineage, store_executor=executor)
    exchange(ada, bob)
    await bob.flush()
    return ada, bob


def delete(project: Project, path: str) -> None:
    file_id = project.document.file_at(path)
    assert file_id is not None
    project.document.remove_file(file_id)


def write(project: Project, path: str, words: str) -> None:
    file_id = project.document.file_at(path)
    assert file_id is not None
    project.document.text(file_id).replace_cp(0, 0, words)


def let_come_back(ada: Project, bob: Project) -> None:
    delete(ada, "notes.tex")
    write(bob, "notes.tex", "written meanwhile\n")
    exchange(ada, bob)


@runs_async
async def test_what_is_written_in_a_deleted_file_brings_it_back_after_a_restart_and_it_is_told_who_wrote(
    tmp_path: Path, executor
) -> None:
    ada, bob = await two(tmp_path, executor)
    async with bob:
        async with ada:
            delete(ada, "notes.tex")
        write(bob, "notes.tex", "written meanwhile\n")
        async with await Project.open(tmp_path / "ada", store_executor=executor) as again:
            assert not (tmp_path / "ada" / "notes.tex").exists()
            bob.set_presence(BOB)
            again.shared.apply_presence(bob.shared.presence_update())
            exchange(again, bob)
            (told,) = again.file_problems.values()
            assert isinstance(told, FileCameBackError)
            assert (told.path, told.by) == ("notes.tex", "Bob")
            await again.flush()
            await bob.flush()
            found = [(tmp_path / name / "notes.tex").read_text() for name in ("ada", "bob")]
            assert found == ["written meanwhile\nn\n"] * 2


@runs_async
async def test_it_is_told_until_somebody_has_been_there(tmp_path: Path, executor) -> None:
    ada, bob = await two(tmp_path, executor)
    async with ada, bob:
        let_come_back(ada, bob)
        (told,) = ada.file_problems.values()
        assert isinstance(told, FileCameBackError)
        assert told.by == ""
        assert bob.file_problems == {}
        ada.set_presence({"file": ada.document.file_at("main.tex")})
        assert len(ada.file_problems) == 1
        ada.set_presence({"file": ada.document.file_at("notes.tex")})
        assert ada.file_problems == {}


@runs_async
async def test_a_file_that_is_deleted_again_is_told_no_more(tmp_path: Path, executor) -> None:
    ada, bob = await two(tmp_path, executor)
    async with ada, bob:
        let_come_back(ada, bob)
        delete(bob, "notes.tex")
        exchange(ada, bob)
        assert ada.file_problems == {}


@runs_async
async def test_what_comes_back_after_a_restart_is_spelled_as_it_was(tmp_path: Path, executor) -> None:
    ada, bob = await two(tmp_path, executor)
    async with bob:
        async with ada:
            file_id = ada.document.file_at("notes.tex")
            assert file_id is not None
            ada.document.set_spelling(file_id, TextFormat("latin-1", newline="\r\n"))
            exchange(ada, bob)
            delete(ada, "notes.tex")
        write(bob, "notes.tex", "geschrieben, während niemand da war\n")
        async with await Project.open(tmp_path / "ada", store_executor=executor) as again:
            exchange(again, bob)
            await again.flush()
        await bob.flush()
    for folder in ("ada", "bob"):
        data = (tmp_path / folder / "notes.tex").read_bytes()
        assert data == "geschrieben, während niemand da war\r\nn\r\n".encode("latin-1")


@runs_async
async def test_a_deleted_file_that_another_program_saves_after_a_restart_is_spelled_as_it_saved_it(
    tmp_path: Path, executor
) -> None:
    data = "".join(f"Zeile {number} für sich\r\n" for number in range(20)).encode("latin-1")
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "main.tex").write_text("m\n")
    (folder / "notes.tex").write_bytes(data)
    async with await Project.open(folder, store_executor=executor) as project:
        await project.flush()
        delete(project, "notes.tex")
        await project.flush()
        await until(lambda: not (folder / "notes.tex").exists())
    (folder / "notes.tex").write_bytes(data + b"mehr\r\n")
    async with await Project.open(folder, store_executor=executor) as project:
        await project.flush()
    assert (folder / "notes.tex").read_bytes() == data + b"mehr\r\n"
