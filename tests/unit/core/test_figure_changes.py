"""What becomes of binary files that are not the same in the folder and in the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.figure_changes import (
    AddFigure,
    BringBack,
    DeleteOut,
    Figure,
    FigureFacts,
    FigureStep,
    Forget,
    KeepBoth,
    KeepLost,
    Know,
    RemoveFigure,
    RenameBeside,
    RenameFigure,
    Return,
    TakeContent,
    WriteOut,
    figure_steps,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

A, B, C = "a" * 64, "b" * 64, "c" * 64


def facts(record: str = "", disk: dict[str, str] | None = None, document: str = "", **more: object) -> FigureFacts:
    """`record` and `document`: the hash of file `f` at `p.png`, empty for none."""
    return FigureFacts(
        records={"f": Figure("p.png", record)} if record else {},
        disk={"p.png": A} if disk is None else disk,
        document={"f": Figure("p.png", document)} if document else {},
        **more,
    )


def test_where_nothing_changed_nothing_is_done() -> None:
    assert figure_steps(facts(A, {"p.png": A}, A)) == []


def test_what_is_new_on_disk_is_added_unless_it_is_left_out_or_unsettled() -> None:
    assert figure_steps(facts(disk={"p.png": A})) == [AddFigure("p.png")]
    assert figure_steps(facts(disk={"p.png": A}, left_out={"p.png"})) == []
    assert figure_steps(facts(disk={"p.png": A}, unsettled={"p.png"})) == []


def test_what_is_new_in_the_document_is_written() -> None:
    assert figure_steps(facts(disk={}, document=A)) == [WriteOut("f")]
    assert figure_steps(facts(disk={"p.png": A}, document=A)) == [Know("f")]


def test_what_changed_on_one_side_changes_the_other() -> None:
    assert figure_steps(facts(A, {"p.png": B}, A)) == [TakeContent("f", "p.png")]
    assert figure_steps(facts(A, {"p.png": A}, B)) == [WriteOut("f")]
    assert figure_steps(facts(A, {"p.png": B}, B)) == [Know("f")]


def test_what_changed_on_both_sides_is_kept_twice() -> None:
    assert figure_steps(facts(A, {"p.png": B}, C)) == [KeepBoth("p.png", "p (2).png"), WriteOut("f")]
    taken = facts(A, {"p.png": B}, C, taken={"p (2).png"})
    assert figure_steps(taken)[0] == KeepBoth("p.png", "p (3).png")


def test_what_gives_way_waits_for_the_content_that_comes_in_its_place() -> None:
    assert figure_steps(facts(A, {"p.png": B}, C, lacking={C})) == []
    assert figure_steps(facts(A, {"p.png": A}, C, lacking={C})) == []
    assert figure_steps(facts(disk={"p.png": A}, document=B, lacking={B})) == []


def test_what_the_document_names_already_is_not_kept_once_more() -> None:
    interrupted = FigureFacts(
        records={"f": Figure("p.png", A)},
        disk={"p.png": B},
        document={"f": Figure("p.png", C), "g": Figure("p (2).png", B)},
    )
    assert figure_steps(interrupted) == [WriteOut("f"), WriteOut("g")]


def test_what_was_renamed_in_the_document_and_changed_on_disk_is_both() -> None:
    renamed = FigureFacts({"f": Figure("p.png", A)}, {"p.png": B}, {"f": Figure("q.png", A)})
    assert figure_steps(renamed) == [TakeContent("f", "p.png")]
    changed_too = FigureFacts({"f": Figure("p.png", A)}, {"p.png": B}, {"f": Figure("q.png", C)})
    assert figure_steps(changed_too) == [WriteOut("f")]
    assert settled({"f": Figure("p.png", A)}, {"p.png": B}, {"f": Figure("q.png", C)})[1] == {"p.png": B, "q.png": C}


def test_what_lost_becomes_a_file_beside_unless_it_is_one() -> None:
    lost = facts(A, {"p.png": A}, B, lost={"f": [A]})
    assert figure_steps(lost) == [KeepLost("f", A, "p (2).png"), WriteOut("f")]
    kept = FigureFacts({}, {}, {"f": Figure("p.png", B), "g": Figure("r.png", A)}, lost={"f": [A]}, lacking={A, B})
    assert figure_steps(kept) == [KeepLost("f", A, None)]


def test_two_new_files_of_one_name_are_both_kept() -> None:
    assert figure_steps(facts(disk={"p.png": A}, document=B)) == [KeepBoth("p.png", "p (2).png"), WriteOut("f")]


def test_a_file_that_is_gone_is_renamed_deleted_or_written_again() -> None:
    assert figure_steps(facts(A, {"q.png": A}, A)) == [RenameFigure("f", "q.png")]
    assert figure_steps(facts(A, {"q.png": B}, A)) == [RemoveFigure("f"), AddFigure("q.png")]
    assert figure_steps(facts(A, {}, B)) == [WriteOut("f")]
    assert figure_steps(facts(A, {}, A, is_whole=False)) == []
    assert figure_steps(facts(A, {}, A, unsettled={"p.png"})) == []


def test_a_file_that_got_the_name_of_another_that_is_to_be_written_there_is_beside_it() -> None:
    both = FigureFacts(
        records={"f": Figure("p.png", A)},
        disk={"q.png": A},
        document={"f": Figure("p.png", A), "g": Figure("q.png", B)},
    )
    assert figure_steps(both) == [RenameBeside("f", "q (2).png"), WriteOut("g")]
    assert settled(dict(both.records), dict(both.disk), dict(both.document))[1] == {"q.png": B, "q (2).png": A}


def test_a_file_deleted_in_the_document_is_deleted_unless_somebody_changed_it() -> None:
    assert figure_steps(facts(A, {"p.png": A})) == [DeleteOut("f")]
    assert figure_steps(facts(A, {"p.png": B})) == [BringBack("f", "p.png")]
    assert figure_steps(facts(A, {})) == [Forget("f")]


def test_a_file_deleted_in_the_document_that_has_another_name_on_disk_is_the_same_file_again() -> None:
    assert figure_steps(facts(A, {"q.png": A})) == [BringBack("f", "q.png")]
    assert figure_steps(facts(A, {"q.png": A}, left_out={"q.png"})) == [Forget("f")]
    assert figure_steps(facts(A, {"q.png": B})) == [Forget("f"), AddFigure("q.png")]


def test_a_name_that_another_file_has_taken_over_is_not_deleted() -> None:
    moved = FigureFacts(
        records={"f": Figure("p.png", A), "g": Figure("q.png", B)},
        disk={"p.png": A, "q.png": B},
        document={"g": Figure("p.png", B)},
    )
    assert figure_steps(moved) == [WriteOut("g"), Forget("f")]


HASHES = st.sampled_from([A, B, C])
PATHS = st.sampled_from(["p.png", "q.png", "r.png"])
FIGURES = st.dictionaries(st.sampled_from("fg"), st.builds(Figure, PATHS, HASHES), max_size=2).filter(
    lambda files: len({figure.path for figure in files.values()}) == len(files)
)


def settled(
    records: dict[str, Figure], disk: dict[str, str], document: dict[str, Figure], arriving: Sequence[str] = ()
) -> Any:
    """Do the steps as the mirror does, again and again, until nothing is left to do.

    `arriving`: contents that are not here at first, unless they are on disk; one comes in each second round.
    """
    lacking = [blob_hash for blob_hash in arriving if blob_hash not in {*disk.values()}]
    for number in range(2 * len(lacking) + 6):
        steps = figure_steps(FigureFacts(records, disk, document, lacking=set(lacking)))
        if not steps and not lacking:
            return records, disk, document
        take(steps, records, disk, document, f"{number}")
        if number % 2:
            del lacking[:1]
    raise AssertionError("it never comes to rest")


def take(
    steps: Sequence[FigureStep], records: dict[str, Figure], disk: dict[str, str], document: dict[str, Figure], new: str
) -> None:
    """Do the steps; what is added has `new` in its id."""
    claimed, before = {figure.path for figure in document.values()}, dict(disk)
    for step in steps:
        match step:
            case Know(file_id):
                records[file_id] = Figure(document[file_id].path, disk[document[file_id].path])
            case AddFigure(path):
                document[f"new{new}{path}"] = records[f"new{new}{path}"] = Figure(path, disk[path])
            case TakeContent(file_id, path):
                document[file_id] = Figure(document[file_id].path, disk[path])
                records[file_id] = Figure(path, disk[path])
            case RenameFigure(file_id, path):
                document[file_id] = Figure(path, document[file_id].blob_hash)
                records[file_id] = Figure(path, disk[path])
            case BringBack(file_id, path):
                document[file_id] = records[file_id] = Figure(path, disk[path])
            case RenameBeside(file_id, path):
                document[file_id] = Figure(path, document[file_id].blob_hash)
                claimed.add(path)
                del records[file_id]
            case RemoveFigure(file_id):
                del document[file_id], records[file_id]
            case KeepBoth(path, copy_path):
                document[f"copy{new}{copy_path}"] = Figure(copy_path, disk[path])
                claimed.add(copy_path)
            case Forget(file_id):
                del records[file_id]
            case DeleteOut(file_id):
                del disk[records.pop(file_id).path]
            case WriteOut(file_id):
                old = records.get(file_id)
                records[file_id] = figure = document[file_id]
                disk[figure.path] = figure.blob_hash
                known = {} if old is None else {old.blob_hash, figure.blob_hash}
                if old is not None and old.path not in {figure.path, *claimed} and before.get(old.path) in known:
                    disk.pop(old.path, None)


@given(FIGURES, st.dictionaries(PATHS, HASHES, max_size=3), FIGURES, st.permutations([A, B, C]))
def test_it_comes_to_rest_with_both_the_same_and_nothing_new_is_lost(
    records: dict[str, Figure], disk: dict[str, str], document: dict[str, Figure], arriving: list[str]
) -> None:
    known = {figure.blob_hash for figure in records.values()}
    new = ({*disk.values()} | {figure.blob_hash for figure in document.values()}) - known
    records, disk, document = settled(dict(records), dict(disk), dict(document), arriving)
    assert {figure.path: figure.blob_hash for figure in document.values()} == disk
    assert new <= {*disk.values()}
    kept = [(path.partition(" (")[0], blob_hash) for path, blob_hash in disk.items() if "(" in path]
    assert len(kept) == len({*kept})


def test_what_was_changed_while_somebody_deleted_it_returns_and_stays_on_disk_until_then() -> None:
    assert figure_steps(facts(A, {"p.png": A}, returning={"f"})) == [Return("f")]
    assert figure_steps(facts(A, {"p.png": A}, returning={"f"}, may_return=False)) == []
    assert figure_steps(facts(A, {"p.png": A})) == [DeleteOut("f")]


def test_what_two_people_renamed_is_one_file() -> None:
    renamed = FigureFacts(
        records={"f": Figure("p.png", A)}, disk={"q.png": A}, document={"f": Figure("r.png", A)}, taken={"r.png"}
    )
    assert figure_steps(renamed) == [RenameFigure("f", "q.png")]


def test_what_was_renamed_here_and_changed_elsewhere_is_one_file() -> None:
    changed = FigureFacts(records={"f": Figure("p.png", A)}, disk={"q.png": A}, document={"f": Figure("p.png", B)})
    assert figure_steps(changed) == [RenameFigure("f", "q.png")]


def test_what_was_written_and_renamed_before_that_was_noted_is_one_file() -> None:
    killed = FigureFacts(records={"f": Figure("p.png", A)}, disk={"q.png": B}, document={"f": Figure("p.png", B)})
    assert figure_steps(killed) == [RenameFigure("f", "q.png")]
