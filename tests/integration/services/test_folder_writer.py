"""One round of writing in a real folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from texswarm_desktop.core.reconcile import stray
from texswarm_desktop.services.folder_writer import FileWrite, FolderWriter, WritingRound
from texswarm_desktop.services.mirrored_file import MirroredFile
from texswarm_desktop.services.project_folder import ProjectFolder
from texswarm_server.document.project_document import FileId
from texswarm_server.document.text_format import PLAIN

if TYPE_CHECKING:
    from texswarm_desktop.services.replica_store import ReplicaStore

OLD, NEW = FileId("old"), FileId("new")


class ForgetfulStore:
    """Keeps nothing."""

    def enqueue(self, operation: object) -> None:
        pass

    def commit_now(self) -> None:
        pass


def written(folder: ProjectFolder, name: str) -> MirroredFile:
    (folder.root / name).write_text(name)
    file = folder.read(name)
    assert file is not None
    return MirroredFile(name, name, PLAIN, file.state)


def round_of(folder: ProjectFolder, *writes: FileWrite, removals: Mapping[FileId, MirroredFile] | None = None):
    order = WritingRound(list(writes), removals or {}, {write.path for write in writes}, is_watched=True)
    return FolderWriter(folder, cast("ReplicaStore", ForgetfulStore()), lambda: 0.0).run(order)


def test_a_file_whose_name_another_one_takes_is_not_written_elsewhere_when_a_program_moved_it(tmp_path: Path) -> None:
    """Seed 50097 of the simulated mirror: the moved file would come in as a new one, and all of it be there twice."""
    (tmp_path / ".texswarm").mkdir()
    folder = ProjectFolder(tmp_path)
    base = written(folder, "a.tex")
    renamed = FileWrite(OLD, "b.tex", "a.tex", PLAIN, base, None)
    fresh = FileWrite(NEW, "a.tex", "new", PLAIN, None, (OLD, base))
    (tmp_path / "a.tex").rename(tmp_path / "c.tex")
    outcome = round_of(folder, renamed, fresh)
    assert (outcome.changed, outcome.files) == ({OLD: None, NEW: None}, {})
    assert sorted(path.name for path in tmp_path.glob("*.tex")) == ["c.tex"]


def test_files_that_change_names_are_both_written(tmp_path: Path) -> None:
    (tmp_path / ".texswarm").mkdir()
    folder = ProjectFolder(tmp_path)
    one, other = written(folder, "a.tex"), written(folder, "b.tex")
    outcome = round_of(
        folder,
        FileWrite(OLD, "b.tex", "a.tex", PLAIN, one, (NEW, other)),
        FileWrite(NEW, "a.tex", "b.tex", PLAIN, other, (OLD, one)),
    )
    assert {file_id: file and file.path for file_id, file in outcome.files.items()} == {OLD: "b.tex", NEW: "a.tex"}
    assert {path: left.file_id for path, left in outcome.left.items()} == {"b.tex": NEW, "a.tex": OLD}
    assert ((tmp_path / "a.tex").read_text(), (tmp_path / "b.tex").read_text()) == ("b.tex", "a.tex")


def test_a_file_that_is_to_go_and_that_a_program_moved_is_left_to_the_next_look(tmp_path: Path) -> None:
    """Seed 300057 of the simulated mirror: when it came back in the document, it would be there twice."""
    (tmp_path / ".texswarm").mkdir()
    folder = ProjectFolder(tmp_path)
    base = written(folder, "a.tex")
    (tmp_path / "a.tex").rename(tmp_path / "c.tex")
    outcome = round_of(folder, removals={OLD: base})
    assert (outcome.kept, outcome.files) == ({OLD: base}, {})


def test_a_file_that_is_to_go_goes(tmp_path: Path) -> None:
    (tmp_path / ".texswarm").mkdir()
    folder = ProjectFolder(tmp_path)
    outcome = round_of(folder, removals={OLD: written(folder, "a.tex")})
    assert (outcome.kept, outcome.files, list(tmp_path.glob("*.tex"))) == ({}, {OLD: None}, [])


def test_what_was_in_a_file_is_told_of_both_places_where_it_was(tmp_path: Path) -> None:
    """Seed 980194 of the simulated mirror: an editor had loaded one of the two, and the other one was remembered."""
    (tmp_path / ".texswarm").mkdir()
    folder = ProjectFolder(tmp_path)
    base, double = written(folder, "a.tex"), written(folder, "b.tex")
    write = FileWrite(OLD, "a.tex", "new", PLAIN, base, (OLD, base))
    outcome = round_of(folder, write, removals={FileId(stray(OLD, "b.tex")): double})
    assert [(file_id, state.text) for file_id, state in outcome.former] == [(OLD, "a.tex"), (OLD, "b.tex")]
