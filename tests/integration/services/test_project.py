"""A project on a real disk: opened, typed in, closed, changed by other programs, opened again."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.helpers.folder_listing import files_in
from tests.helpers.small_disk import small_disk
from texswarm_desktop.services.project import Project
from texswarm_server.document import ProjectDocument
from texswarm_server.document.presence import PresenceEntry, decode_presence, encode_presence
from texswarm_server.protocol.errors import (
    CorruptSnapshotError,
    DiskFullError,
    FilePathError,
    LinkNotFollowedError,
    MalformedUpdateError,
    NotReadableError,
    NotWritableError,
    ProjectInUseError,
    RejectedError,
    TexSwarmError,
)
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, parse_invite_link
from texswarm_server.protocol.messages import DocumentOpened

Story = Callable[[], Awaitable[None]]


class Recorder:
    """Writes down what a project tells."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.problems: list[TexSwarmError | None] = []
        self.is_well = asyncio.Event()

    def files_changed(self) -> None:
        self.told.append("files")

    def participants_changed(self) -> None:
        self.told.append("participants")

    def presence_changed(self) -> None:
        self.told.append("presence")

    def transfers_changed(self) -> None: ...

    def waiting_changed(self) -> None:
        self.told.append("waiting")

    def problem(self, error: TexSwarmError | None) -> None:
        self.problems.append(error)
        if error is None:
            self.is_well.set()


class FakeSync:
    """Takes what a project sends."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, int]] = []
        self.presences = 0
        self.has_sent = asyncio.Event()

    def local_update(self, update: bytes, row: int) -> None:
        self.sent.append((update, row))
        self.has_sent.set()

    def presence_changed(self) -> None:
        self.presences += 1


@pytest.fixture
def opening(executor: ThreadPoolExecutor) -> Callable[..., Awaitable[Project]]:
    return partial(Project.open, store_executor=executor)


@pytest.fixture
def creating(executor: ThreadPoolExecutor) -> Callable[..., Awaitable[Project]]:
    return partial(Project.create, store_executor=executor)


def fill(folder: Path, files: dict[str, str | bytes]) -> Path:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def on_disk(folder: Path) -> dict[str, str]:
    return {path: data.decode("latin-1") for path, data in files_in(folder).items()}


def texts(project: Project) -> dict[str, str]:
    document = project.document
    return {entry.path: str(document.text(file_id)) for file_id, entry in document.files.items()}


def type_into(project: Project, path: str, words: str, at: int | None = None) -> None:
    text = text_of(project, path)
    text.replace_cp(*(2 * [text.index.total_cp if at is None else at]), words)


def text_of(project: Project, path: str) -> Any:
    file_id = project.document.file_at(path)
    assert file_id is not None, path
    return project.document.text(file_id)


async def twice(
    opening: Callable[..., Awaitable[Project]], folder: Path, between: Callable[[], object], typed: str = ""
) -> dict[str, str]:
    """Open, type at the end of main.tex, close; let another program work; open and close again."""
    async with await opening(folder) as project:
        if typed:
            type_into(project, "main.tex", typed)
    between()
    async with await opening(folder) as project:
        await project.flush()
        return texts(project)


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plain_folder_becomes_a_project_and_keeps_its_files(opening: Any, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "main.tex": "\\documentclass{article}\r\n",
        "a/refs.bib": b"@book{\xe9}\n",
        "figure.png": b"\x89PNG\0",
        "main.aux": "aux",
        ".git/config": "[core]",
    }
    fill(tmp_path, files)
    before = on_disk(tmp_path)

    async def story() -> None:
        async with await opening(tmp_path) as project:
            assert texts(project) == {"main.tex": "\\documentclass{article}\n", "a/refs.bib": "@book{é}\n"}
            assert project.document.title == tmp_path.name
            assert project.lineage == project.document.lineage
            assert project.document_id
            await project.flush()

    asyncio.run(story())
    assert on_disk(tmp_path) == before
    assert (tmp_path / ".texswarm" / ".gitignore").read_text() == "*\n"


def test_what_was_typed_is_there_again_and_in_the_folder(creating: Any, opening: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with await creating(tmp_path / "p", "A Paper", {"main.tex": "Hello", "s/one.tex": "One\n"}) as project:
            type_into(project, "main.tex", ", wörld 😀")
            identity = project.document_id, project.lineage
        async with await opening(tmp_path / "p") as project:
            assert texts(project) == {"main.tex": "Hello, wörld 😀", "s/one.tex": "One\n"}
            assert (project.document_id, project.lineage) == identity
            assert project.document.title == "A Paper"
            assert project.unacknowledged() > 0

    asyncio.run(story())
    assert (tmp_path / "p" / "main.tex").read_text(encoding="utf-8") == "Hello, wörld 😀"
    assert (tmp_path / "p" / "s" / "one.tex").read_text() == "One\n"


def test_the_spelling_of_a_file_is_kept(opening: Any, tmp_path: Path) -> None:
    fill(tmp_path, {"main.tex": b"\xef\xbb\xbfa\r\n", "old.tex": b"\xe9\r"})
    (tmp_path / "main.tex").chmod(0o640)

    async def story() -> None:
        async with await opening(tmp_path) as project:
            type_into(project, "main.tex", "b\n")
            type_into(project, "old.tex", "ü\n")

    asyncio.run(story())
    assert (tmp_path / "main.tex").read_bytes() == b"\xef\xbb\xbfa\r\nb\r\n"
    assert (tmp_path / "main.tex").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "old.tex").read_bytes() == b"\xe9\r\xfc\r"


def test_a_folder_that_is_none_is_a_typed_error(opening: Any, tmp_path: Path) -> None:
    fill(tmp_path, {"main.tex": "x"})
    for folder in (tmp_path / "nowhere", tmp_path / "main.tex"):
        with pytest.raises(NotReadableError):
            asyncio.run(opening(folder))
    assert on_disk(tmp_path) == {"main.tex": "x"}


def test_a_second_opening_is_told_who_was_first(opening: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with await opening(tmp_path):
            with pytest.raises(ProjectInUseError) as caught:
                await opening(tmp_path)
            assert caught.value.folder == str(tmp_path)
            assert caught.value.pid is not None
        async with await opening(tmp_path):
            pass

    asyncio.run(story())


def test_a_new_project_wants_an_empty_folder(creating: Any, tmp_path: Path) -> None:
    fill(tmp_path, {"something.else": "x"})
    with pytest.raises(NotWritableError):
        asyncio.run(creating(tmp_path, "T", {}))
    assert on_disk(tmp_path) == {"something.else": "x"}


def test_a_bad_path_lets_go_of_the_folder(creating: Any, tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(FilePathError):
            await creating(tmp_path / "p", "T", {"../out.tex": "x"})

    asyncio.run(story())
    assert not (tmp_path / "out.tex").exists()


@pytest.mark.parametrize("damage", ["empty", "nonsense"])
def test_a_damaged_replica_is_refused_and_left(opening: Any, tmp_path: Path, damage: str) -> None:
    fill(tmp_path, {"main.tex": "x"})

    async def work() -> None:
        async with await opening(tmp_path):
            pass

    asyncio.run(work())
    replica = tmp_path / ".texswarm" / "replica.db"
    replica.write_bytes(b"" if damage == "empty" else b"nonsense" * 1000)
    for _ in range(2):
        with pytest.raises(CorruptSnapshotError):
            asyncio.run(opening(tmp_path))
    assert on_disk(tmp_path) == {"main.tex": "x"}


# ── other programs ──────────────────────────────────────────────────────────────────────────────────────


def test_what_another_program_wrote_while_it_was_closed_comes_in(opening: Any, tmp_path: Path) -> None:
    fill(tmp_path, {"main.tex": "one\ntwo\n"})
    result = asyncio.run(twice(opening, tmp_path, lambda: fill(tmp_path, {"main.tex": "one\n2\nthree\n"}), "three\n"))
    assert result == {"main.tex": "one\n2\nthree\n"}


def test_files_that_came_and_went_while_it_was_closed(opening: Any, tmp_path: Path) -> None:
    fill(tmp_path, {"main.tex": "main\n", "old.tex": "old\n", "name.tex": "same content\n"})

    def work() -> None:
        (tmp_path / "old.tex").unlink()
        (tmp_path / "name.tex").rename(tmp_path / "renamed.tex")
        fill(tmp_path, {"new.tex": "new\n"})

    result = asyncio.run(twice(opening, tmp_path, work))
    assert result == {"main.tex": "main\n", "new.tex": "new\n", "renamed.tex": "same content\n"}
    assert on_disk(tmp_path) == result


def test_a_file_that_another_program_changed_meanwhile_is_merged_not_overwritten(opening: Any, tmp_path: Path) -> None:
    fill(tmp_path, {"main.tex": "one\ntwo\nthree\n"})

    async def story() -> None:
        async with await opening(tmp_path) as project:
            await project.flush()
            fill(tmp_path, {"main.tex": "ONE\ntwo\nthree\n"})
            seen: list[Any] = []
            text_of(project, "main.tex").subscribe(seen.extend)
            type_into(project, "main.tex", "four\n")
            await project.flush()
            assert texts(project) == {"main.tex": "ONE\ntwo\nthree\nfour\n"}
            assert seen

    asyncio.run(story())
    assert on_disk(tmp_path) == {"main.tex": "ONE\ntwo\nthree\nfour\n"}


def test_a_new_file_meets_one_of_the_same_name(opening: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with await opening(tmp_path) as project:
            fill(tmp_path, {"new.tex": "theirs\n"})
            project.document.add_file("new.tex", "ours\n")
            await project.flush()

    asyncio.run(story())
    assert sorted(on_disk(tmp_path)["new.tex"].split()) == ["ours", "theirs"]


def test_the_tree_is_followed_on_the_disk(opening: Any, tmp_path: Path) -> None:
    fill(tmp_path, {"main.tex": "m", "a.tex": "A", "b.tex": "B", "deep/er/c.tex": "C"})

    async def story() -> None:
        async with await opening(tmp_path) as project:
            document = project.document
            a, b, c = (document.file_at(path) for path in ("a.tex", "b.tex", "deep/er/c.tex"))
            assert a
            assert b
            assert c
            document.rename_file(a, "swap.tex")
            document.rename_file(b, "a.tex")
            document.rename_file(a, "b.tex")
            document.remove_file(c)
            await project.flush()

    asyncio.run(story())
    assert on_disk(tmp_path) == {"main.tex": "m", "a.tex": "B", "b.tex": "A"}
    assert not (tmp_path / "deep").exists()


def test_a_removed_file_that_another_program_changed_stays_on_the_disk(opening: Any, tmp_path: Path) -> None:
    fill(tmp_path, {"main.tex": "m", "a.tex": "A"})

    async def story() -> None:
        async with await opening(tmp_path) as project:
            await project.flush()
            fill(tmp_path, {"a.tex": "A, changed"})
            file_id = project.document.file_at("a.tex")
            assert file_id
            project.document.remove_file(file_id)
            await project.flush()

    asyncio.run(story())
    assert on_disk(tmp_path) == {"main.tex": "m", "a.tex": "A, changed"}


@pytest.mark.parametrize("path", [".git/config", "latexmkrc", "run.sh", ".bashrc", "a/.hidden/x.tex"])
def test_a_file_that_other_programs_would_obey_never_reaches_the_disk(opening: Any, tmp_path: Path, path: str) -> None:
    async def story() -> None:
        stranger = ProjectDocument()
        stranger.add_file(path, "evil")
        async with await opening(tmp_path) as project:
            project.shared.apply_remote(stranger.update_since())
            await project.flush()
            assert path in texts(project)

    asyncio.run(story())
    assert on_disk(tmp_path) == {}


def test_nothing_is_written_through_a_symbolic_link(opening: Any, tmp_path: Path) -> None:
    outside = fill(tmp_path / "outside", {"main.tex": "mine"})
    folder = fill(tmp_path / "project", {"main.tex": "m"})
    (folder / "link").symlink_to(outside, target_is_directory=True)
    (folder / "linked.tex").symlink_to(outside / "main.tex")

    async def story() -> None:
        async with await opening(folder) as project:
            assert texts(project) == {"main.tex": "m"}
            for path in ("link/main.tex", "linked.tex"):
                project.document.add_file(path, "evil")
            await project.flush()
            assert set(project.file_problems) == {"link", "link/main.tex", "linked.tex"}
            assert {type(error) for error in project.file_problems.values()} == {LinkNotFollowedError}
            assert project.problem is None

    asyncio.run(story())
    assert on_disk(outside) == {"main.tex": "mine"}


# ── full and forbidden disks ────────────────────────────────────────────────────────────────────────────


def test_a_full_disk_is_a_problem_until_there_is_room(creating: Any, opening: Any, tmp_path: Path) -> None:
    async def story(folder: Path) -> None:
        project, recorder = await creating(folder, "T", {"main.tex": "before\n"}), Recorder()
        await project.flush()
        project.subscribe(recorder)
        disk.fill()
        type_into(project, "main.tex", "while it was full\n" * 500)
        with pytest.raises(NotWritableError):
            await project.flush()
        with pytest.raises(NotWritableError):
            await project.close()
        type_into(project, "main.tex", "and after\n")
        assert [type(problem) for problem in recorder.problems] == [DiskFullError]
        disk.make_room()
        await recorder.is_well.wait()
        await project.close()
        async with await opening(folder) as again:
            assert texts(again) == {"main.tex": "before\n" + "while it was full\n" * 500 + "and after\n"}

    with small_disk(tmp_path) as disk:
        asyncio.run(story(disk.root / "p"))
        assert "and after" in (disk.root / "p" / "main.tex").read_text()


# ── the server's side ───────────────────────────────────────────────────────────────────────────────────


def test_edits_of_one_moment_leave_together_and_wait_until_they_are_confirmed(creating: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with await creating(tmp_path / "p", "T", {"main.tex": ""}) as project:
            await project.flush()
            project.shared.acknowledged(project.shared.last_local_row())
            assert (project.unacknowledged(), project.oldest_unacknowledged_since) == (0, None)
            sync, recorder = FakeSync(), Recorder()
            project.shared.attach(sync)
            project.subscribe(recorder)
            for letter in "hello":
                type_into(project, "main.tex", letter)
            assert project.unacknowledged() == 5
            assert project.oldest_unacknowledged_since is not None
            await sync.has_sent.wait()
            ((update, row),) = sync.sent
            assert row == project.shared.last_local_row()
            assert project.shared.unacknowledged_updates() == [(row, update)]
            project.shared.acknowledged(row)
            assert (project.unacknowledged(), recorder.told) == (0, ["waiting", "waiting"])
            project.shared.detach()
            type_into(project, "main.tex", "!")
            await project.flush()
            assert len(sync.sent) == 1

    asyncio.run(story())


def test_what_nobody_confirmed_still_waits_after_a_restart(creating: Any, opening: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with await creating(tmp_path / "p", "T", {"main.tex": ""}) as project:
            await project.flush()
            project.shared.acknowledged(project.shared.last_local_row())
            for letter in "hello":
                type_into(project, "main.tex", letter)
        async with await opening(tmp_path / "p", clock=lambda: 7.0) as project:
            assert (project.unacknowledged(), project.oldest_unacknowledged_since) == (5, 7.0)
            project.shared.acknowledged(project.shared.last_local_row())
        async with await opening(tmp_path / "p") as project:
            assert project.unacknowledged() == 0

    asyncio.run(story())


def test_a_joined_document_arrives_in_the_folder(executor: ThreadPoolExecutor, tmp_path: Path) -> None:
    server = ProjectDocument()
    server.initialise("Ours", "history")
    server.add_file("main.tex", "Hello\n")

    async def story() -> None:
        async with await Project.create_replica(tmp_path / "p", "doc", None, store_executor=executor) as project:
            assert (project.document_id, project.lineage, project.unacknowledged()) == ("doc", None, 0)
            project.shared.opened(
                DocumentOpened(document_id="doc", handle=1, role="editor", lineage="history", title="Ours")
            )
            project.shared.apply_remote(server.update_since(project.shared.state_vector()))
            assert project.lineage == "history"
            await project.flush()
            assert project.unacknowledged() == 0
        async with await Project.open(tmp_path / "p", store_executor=executor) as project:
            assert (project.document_id, project.lineage, texts(project)) == ("doc", "history", {"main.tex": "Hello\n"})

    asyncio.run(story())
    assert on_disk(tmp_path / "p") == {"main.tex": "Hello\n"}
    assert json.loads((tmp_path / "p" / ".texswarm" / "project.json").read_bytes()) == {
        "document_id": "doc",
        "lineage": "history",
    }


def test_an_empty_replica_that_is_opened_again_is_still_nobody_elses(executor: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with await Project.create_replica(tmp_path / "p", "doc", "history", store_executor=executor):
            pass
        async with await Project.open(tmp_path / "p", store_executor=executor) as project:
            assert (project.document_id, project.lineage, project.document.is_empty) == ("doc", "history", True)

    asyncio.run(story())


def test_bytes_that_are_no_update_change_nothing(opening: Any, tmp_path: Path) -> None:
    fill(tmp_path, {"main.tex": "x"})

    async def story() -> None:
        async with await opening(tmp_path) as project:
            with pytest.raises(MalformedUpdateError):
                project.shared.apply_remote(b"\xff\xff\xff")
            assert texts(project) == {"main.tex": "x"}

    asyncio.run(story())


def test_the_server_is_remembered_without_a_secret(opening: Any, tmp_path: Path) -> None:
    link = InviteLink(ServerAddress("lab.example", 8091, tls=True), "secret", "d", "ab12")

    async def story() -> None:
        async with await opening(tmp_path) as project:
            project.bind_server(link)
        assert b"secret" not in (tmp_path / ".texswarm" / "replica.db").read_bytes()
        async with await opening(tmp_path) as project:
            known = project.server_link
            assert known == InviteLink(link.address, None, project.document_id, "ab12")
            project.forget_server()
        async with await opening(tmp_path) as project:
            assert project.server_link is None

    asyncio.run(story())


def test_who_may_only_read_may_only_read_after_a_restart_and_until_the_server_is_forgotten(
    opening: Any, tmp_path: Path
) -> None:
    viewer = DocumentOpened(document_id="d", handle=1, role="viewer", lineage="l", title="")

    async def story() -> None:
        async with await opening(tmp_path) as project:
            project.bind_server(parse_invite_link("texswarm://example.org"))
            project.shared.opened(viewer)
            project.shared.detach()
            assert project.read_only == "viewer"
        async with await opening(tmp_path) as project:
            assert project.read_only == "viewer"
            project.forget_server()
            assert project.read_only is None
        async with await opening(tmp_path) as project:
            assert project.read_only is None

    asyncio.run(story())


def test_a_promotion_takes_back_what_was_said_about_reading(opening: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with await opening(tmp_path) as project:
            recorder, error = Recorder(), RejectedError("forbidden")
            project.subscribe(recorder)
            project.shared.refused(error)
            assert project.read_only == "viewer"
            project.shared.role_changed("editor")
            assert (project.read_only, project.refusal, recorder.problems) == (None, None, [error, None])

    asyncio.run(story())


def test_a_role_does_not_free_what_the_server_only_shows(opening: Any, tmp_path: Path) -> None:
    fact = DocumentOpened(document_id="d", handle=1, role="viewer", lineage="l", title="", read_only="a damaged row")

    async def story() -> None:
        async with await opening(tmp_path) as project:
            project.shared.opened(fact)
            project.shared.role_changed("owner")
            assert project.read_only == "a damaged row"
            project.shared.opened(msgspec.structs.replace(fact, role="owner", read_only=None))
            assert project.read_only is None

    asyncio.run(story())


def test_a_refusal_is_a_problem_until_the_document_opens(opening: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with await opening(tmp_path) as project:
            recorder, error = Recorder(), RejectedError("document_not_found")
            project.shared.refused(error)
            project.subscribe(recorder)
            fact = DocumentOpened(document_id="d", handle=1, role="viewer", lineage="l", title="")
            project.shared.opened(fact)
            assert recorder.problems == [error, None]
            assert project.role == "viewer"

    asyncio.run(story())


# ── presence ────────────────────────────────────────────────────────────────────────────────────────────


def test_presence_survives_a_lost_link(opening: Any, tmp_path: Path) -> None:
    """The server answers a loss by a `null` under the next clock; ours must be news all the same."""

    async def story() -> None:
        async with await opening(tmp_path) as project:
            assert project.shared.presence_update() == b""
            project.set_presence({"user": {"name": "Ada"}})
            (told,) = decode_presence(project.shared.presence_update())
            others = encode_presence([PresenceEntry(99, 1, {"user": {"name": "Bob"}})])
            project.shared.apply_presence(others)
            assert set(project.presence.states) == {99, project.document.client_id}
            project.shared.others_left()
            assert set(project.presence.states) == {project.document.client_id}
            (again,) = decode_presence(project.shared.presence_update())
            assert again.clock > told.clock + 1
            project.shared.apply_presence(others)
            assert 99 in project.presence.states

    asyncio.run(story())


def test_who_is_declared_gone_says_that_they_are_here(opening: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with await opening(tmp_path) as project:
            sync = FakeSync()
            project.shared.attach(sync)
            project.set_presence({"user": {}})
            project.shared.apply_presence(encode_presence([PresenceEntry(project.document.client_id, 40, None)]))
            assert sync.presences == 2
            (told,) = decode_presence(project.shared.presence_update())
            assert (told.clock > 40, told.state) == (True, {"user": {}})

    asyncio.run(story())


def test_leaving_is_told_once(opening: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with await opening(tmp_path) as project:
            project.set_presence({"user": {}})
            project.shared.presence_update()
            project.set_presence(None)
            assert [entry.state for entry in decode_presence(project.shared.presence_update())] == [None]
            assert project.shared.presence_update() == b""

    asyncio.run(story())
