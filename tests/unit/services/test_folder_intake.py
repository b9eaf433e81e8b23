"""What can be taken of a look at the folder, and what a merge of what another program saved comes to."""

from typing import TYPE_CHECKING, cast

from texswarm_desktop.core.empty_folders import FolderFacts
from texswarm_desktop.core.former_names import Left
from texswarm_desktop.core.reconcile import Add, RestoreFile
from texswarm_desktop.core.renames import Seen
from texswarm_desktop.core.stale_saves import FormerStates, former_state
from texswarm_desktop.core.text_bytes import DecodedText
from texswarm_desktop.core.text_merge import apply_edits
from texswarm_desktop.services.disk_state import DiskFile, DiskState, digest_of
from texswarm_desktop.services.figure_record import Stamp
from texswarm_desktop.services.folder_intake import FolderIntake, Sighting, TextMerge
from texswarm_desktop.services.mirrored_file import MirroredFile
from texswarm_desktop.services.project_folder import Look
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.document.text_format import PLAIN

if TYPE_CHECKING:
    from texswarm_desktop.services.project_folder import ProjectFolder

FIRST = "".join(f"first {word} line\n" for word in ("alpha", "beta", "gamma", "delta"))
LOADED = FIRST.replace("first gamma", "".join(f"{word} came here\n" for word in "abcdefghij") + "first gamma")


def merged(base: str, theirs: str, ours: str, former: FormerStates, now: float) -> tuple[str, FormerStates]:
    found = TextMerge(FileId("1"), "a.tex", base, theirs, ours, former, now).merged()
    return apply_edits(ours, found.edits), found.former


def test_what_an_editor_had_loaded_is_known_also_when_git_wrote_over_it() -> None:
    """Seed 301703 of the simulated mirror: what was typed meanwhile was taken for what the editor had taken out."""
    former = FormerStates((former_state(FIRST, 195.0),))
    ours, former = merged(LOADED, FIRST, LOADED + "typed meanwhile\nand this too\n", former, 200.0)
    assert "typed meanwhile" in ours
    written = former.after(former_state(FIRST, 201.0))
    saved, _ = merged(ours, LOADED + "saved by the editor\n", ours, written, 202.0)
    assert {"typed meanwhile", "and this too", "saved by the editor"} <= set(saved.splitlines())


def seen(text: str, inode: int) -> DiskFile:
    return DiskFile(DiskState(Stamp(inode, len(text), 1), digest_of(text.encode())), DecodedText(text, PLAIN))


def taken(look: Look, known: str) -> set[str]:
    """Return what can be taken of a look, 0.1 s after everything in it was written; `known`: what was in a.tex."""
    document = ProjectDocument()
    intake = FolderIntake(cast("ProjectFolder", None), document, dict, clock=lambda: 50.0, wall_clock=lambda: 0.1)
    file = MirroredFile("a.tex", known, PLAIN, seen(known, inode=7).state)
    sighting = intake.sort(look, {FileId("1"): file}, FolderFacts(frozenset(), set(), set()))
    return set(sighting.changed)


def test_half_a_save_under_a_name_that_the_file_just_got_is_not_taken() -> None:
    """Seed 983809 of the simulated mirror: what somebody typed went on in the line at which the half ended."""
    half = FIRST[:40]
    assert taken(Look(changed={"b.tex": seen(half, inode=7)}, gone={"a.tex"}), FIRST) == set()
    assert taken(Look(changed={"a.tex": seen(half, inode=7)}), FIRST) == set()
    assert taken(Look(changed={"a.tex": seen(FIRST + "more\n", inode=7)}), FIRST) == {"a.tex"}


def test_a_new_file_needs_no_end_of_another_one() -> None:
    assert taken(Look(changed={"b.tex": seen("a few words", inode=8)}), FIRST) == {"b.tex"}


def test_an_editor_may_have_loaded_what_was_in_a_file_long_before_it_went() -> None:
    """Seed 987158 of the simulated mirror: what it saved was brought in as a file of its own."""
    file_id = FileId("1")
    intake = FolderIntake(cast("ProjectFolder", None), ProjectDocument(), dict, clock=float, wall_clock=float)
    intake.remember({"a.tex": Left(file_id, LOADED * 3)})
    former = {file_id: FormerStates((former_state(FIRST, 1.0),))}
    saved = {"a.tex": Seen(b"saved", 7, FIRST + "one more line\n")}
    sighting = Sighting(Look(), changed=saved, gone=frozenset(), late={}, again_s=None)
    assert intake.steps(sighting, {}, former) == [RestoreFile(file_id, "a.tex", FIRST)]
    assert intake.steps(sighting, {}, {}) == [Add("a.tex")]
