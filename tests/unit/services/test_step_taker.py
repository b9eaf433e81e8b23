"""What other programs did to a folder, done to a document: each step by itself."""

from typing import TYPE_CHECKING, cast

import pytest

from texswarm_desktop.core.disk_changes import Foreign, ForgetFile, RewriteFile, TakeLate
from texswarm_desktop.core.reconcile import Add, Discard, Known, Merge, Remove, Rename, RestoreFile, stray
from texswarm_desktop.core.text_bytes import DecodedText
from texswarm_desktop.services.disk_state import DiskFile, DiskState, digest_of
from texswarm_desktop.services.figure_record import Stamp
from texswarm_desktop.services.known_files import KnownFiles
from texswarm_desktop.services.mirrored_file import MirroredFile
from texswarm_desktop.services.mirrored_paths import MirroredPaths
from texswarm_desktop.services.project_folder import Look
from texswarm_desktop.services.step_taker import StepTaker
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.document.text_format import PLAIN
from texswarm_server.protocol.errors import KindNotTakenError

if TYPE_CHECKING:
    from texswarm_desktop.services.folder_intake import FolderIntake
    from texswarm_desktop.services.replica_store import ReplicaStore

OLD = "one\ntwo\nthree\n"


class ForgetfulStore:
    """Keeps nothing."""

    def put(self, operation: object) -> None:
        pass


class TakenNames:
    """Stands for the intake, which hears that a late save was taken."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def taken(self, name: str, file: DiskFile) -> None:
        self.names.append(name)


def on_disk(text: str) -> DiskFile:
    return DiskFile(DiskState(Stamp(1, len(text), 1), digest_of(text.encode())), DecodedText(text, PLAIN))


class Desk:
    """A document with the file `a.tex`, known to be on the disk as it is; `unwritten` is what is told of."""

    def __init__(self, *, is_watched: bool = True) -> None:
        self.document = ProjectDocument()
        self.file_id = self.document.add_file("a.tex", OLD)
        self.known = KnownFiles(cast("ReplicaStore", ForgetfulStore()))
        self.known.know(self.file_id, MirroredFile("a.tex", OLD, PLAIN, on_disk(OLD).state))
        self.intake = TakenNames()
        self.unwritten: set[FileId] = set()
        self.taker = StepTaker(
            self.document,
            MirroredPaths(self.document, lambda: self.known.paths),
            self.known,
            cast("FolderIntake", self.intake),
            on_unwritten=self.unwritten.add,
            wall_clock=lambda: 100.0,
        )
        self.taker.is_watched = is_watched

    def see(self, step: object, **found: str) -> None:
        """Take a step while the folder is watched; `found`: what is there, by path without its ending."""
        look = Look(changed={f"{name}.tex": on_disk(text) for name, text in found.items()})
        self.taker.take_seen(step, look, {})  # type: ignore[arg-type]

    def find(self, step: object, **found: str) -> None:
        """Take a step at the opening, with records of what was known until now."""
        records = {str(one): file.record for one, file in self.known.files.items()}
        self.known.files.clear()
        self.taker.take_found(step, records, {f"{name}.tex": on_disk(text) for name, text in found.items()})  # type: ignore[arg-type]

    @property
    def texts(self) -> dict[str, str]:
        return {entry.path: str(self.document.text(one)) for one, entry in self.document.text_files.items()}

    @property
    def former(self) -> list[str]:
        return [state.text for state in self.known.former_of(self.file_id).states]


def test_what_is_as_it_was_left_is_known_again() -> None:
    desk = Desk()
    desk.find(Known(desk.file_id, "a.tex"), a=OLD)
    assert (desk.known.paths, desk.texts) == ({desk.file_id: "a.tex"}, {"a.tex": OLD})


@pytest.mark.parametrize("takes", [Desk.see, Desk.find])
def test_what_another_program_changed_is_in_the_document_before_it_is_known(takes) -> None:
    desk = Desk()
    desk.document.text(desk.file_id).replace_cp(0, 0, "typed\n")
    takes(desk, Merge(desk.file_id, "a.tex", OLD), a="one\ntwo\nsaved\nthree\n")
    assert desk.texts == {"a.tex": "typed\none\ntwo\nsaved\nthree\n"}
    assert desk.known.files[desk.file_id].text == "one\ntwo\nsaved\nthree\n"
    assert desk.unwritten == {desk.file_id}


@pytest.mark.parametrize("takes", [Desk.see, Desk.find])
def test_a_new_file_comes_in(takes) -> None:
    desk = Desk()
    takes(desk, Add("b.tex"), b="new\n")
    assert desk.texts == {"a.tex": OLD, "b.tex": "new\n"}
    assert "b.tex" in desk.known.paths.values()


@pytest.mark.parametrize("takes", [Desk.see, Desk.find])
def test_a_file_under_another_name_is_the_same_file(takes) -> None:
    desk = Desk()
    takes(desk, Rename(desk.file_id, "b.tex"), b=OLD)
    assert desk.document.files[desk.file_id].path == "b.tex"
    assert desk.known.paths == {desk.file_id: "b.tex"}


@pytest.mark.parametrize("takes", [Desk.see, Desk.find])
def test_a_file_that_was_deleted_here_and_written_in_there_comes_back(takes) -> None:
    desk = Desk()
    desk.document.remove_file(desk.file_id)
    takes(desk, RestoreFile(desk.file_id, "a.tex", OLD), a=OLD + "four\n")
    assert desk.texts == {"a.tex": OLD + "four\n"}
    assert desk.document.file_at("a.tex") == desk.file_id


def test_a_file_that_is_gone_is_taken_out_and_what_was_in_it_remembered() -> None:
    desk = Desk()
    desk.see(Remove(desk.file_id))
    assert (desk.texts, desk.known.paths, desk.former) == ({}, {}, [OLD])
    desk = Desk()
    desk.find(Remove(desk.file_id))
    assert (desk.texts, desk.known.paths) == ({}, {})


@pytest.mark.parametrize(("step", "is_written"), [(RewriteFile, True), (ForgetFile, False)])
def test_what_was_in_a_file_that_stays_or_is_gone_on_both_sides_is_remembered(step, is_written: bool) -> None:
    desk = Desk()
    desk.see(step(desk.file_id))
    assert (desk.known.paths, desk.former) == ({}, [OLD])
    assert desk.unwritten == ({desk.file_id} if is_written else set())


def test_a_file_taken_from_another_place_is_left_there_to_go_while_somebody_watches() -> None:
    desk = Desk()
    desk.see(Merge(desk.file_id, "b.tex", OLD), b=OLD + "four\n")
    assert desk.known.paths == {desk.file_id: "b.tex", stray(desk.file_id, "a.tex"): "a.tex"}
    desk = Desk(is_watched=False)
    desk.see(Merge(desk.file_id, "b.tex", OLD), b=OLD + "four\n")
    assert desk.known.paths == {desk.file_id: "b.tex"}


def test_what_is_left_over_of_a_file_is_to_go() -> None:
    desk = Desk()
    desk.document.remove_file(desk.file_id)
    desk.find(Discard("a.tex"), a=OLD)
    assert desk.known.paths == {stray(desk.file_id, "a.tex"): "a.tex"}
    assert desk.texts == {}


def test_a_late_save_is_taken_and_told_and_its_file_written() -> None:
    desk = Desk()
    look = Look(late={"replaced: 1": on_disk(OLD + "late\n")})
    desk.taker.take_seen(TakeLate(desk.file_id, "a.tex", OLD, "replaced: 1"), look, {})
    assert desk.texts == {"a.tex": OLD + "late\n"}
    assert (desk.intake.names, desk.unwritten, desk.former) == (["replaced: 1"], {desk.file_id}, [OLD + "late\n"])


def test_what_is_no_text_is_told_and_left_alone() -> None:
    desk = Desk()
    with pytest.raises(KindNotTakenError):
        desk.see(Foreign("a.tex"))
    assert desk.texts == {"a.tex": OLD}
