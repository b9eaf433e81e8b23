"""What another program did to a folder, decided from facts alone."""

from texswarm_desktop.core.disk_changes import (
    DiskFacts,
    Foreign,
    ForgetFile,
    LateSave,
    RewriteFile,
    TakeLate,
    disk_steps,
)
from texswarm_desktop.core.former_names import Left
from texswarm_desktop.core.reconcile import Add, Merge, Remove, Rename, RestoreFile, stray
from texswarm_desktop.core.renames import Mirrored, Seen

LINES = "one\ntwo\nthree\nfour\n"


def mirrored(path: str, text: str = LINES, inode: int = 1) -> Mirrored:
    return Mirrored(path, text, text.encode(), inode)


def seen(text: str | None, inode: int = 2) -> Seen:
    return Seen((text or "binary").encode(), inode, text)


def facts(**other) -> DiskFacts:
    return DiskFacts(**{"mirrored": {"1": mirrored("a.tex")}, "document": {"1": "a.tex"}, "changed": {}} | other)


def test_a_changed_file_is_merged_from_what_was_mirrored() -> None:
    assert disk_steps(facts(changed={"a.tex": seen("new")})) == [Merge("1", "a.tex", LINES)]


def test_a_file_that_was_renamed_in_the_document_meanwhile_is_merged_all_the_same() -> None:
    given = facts(document={"1": "b.tex"}, changed={"a.tex": seen("new")})
    assert disk_steps(given) == [Merge("1", "a.tex", LINES)]


def test_a_new_file_is_added_unless_it_is_ignored() -> None:
    changed = {"b.tex": seen("b"), "c.tex": seen("c")}
    assert disk_steps(facts(changed=changed, ignored={"c.tex"})) == [Add("b.tex")]


def test_a_new_file_where_the_document_has_one_that_is_not_written_yet_is_merged() -> None:
    given = facts(document={"1": "a.tex", "2": "b.tex"}, changed={"b.tex": seen("b")})
    assert disk_steps(given) == [Merge("2", "b.tex", None)]


def test_a_deleted_file_is_removed() -> None:
    assert disk_steps(facts(gone=["1"])) == [Remove("1")]


def test_a_deleted_file_that_somebody_wrote_in_is_written_again() -> None:
    assert disk_steps(facts(gone=["1"], edited=["1"])) == [RewriteFile("1")]


def test_a_deleted_file_that_somebody_renamed_is_written_again() -> None:
    assert disk_steps(facts(document={"1": "b.tex"}, gone=["1"])) == [RewriteFile("1")]


def test_a_file_deleted_on_both_sides_is_forgotten() -> None:
    assert disk_steps(facts(document={}, gone=["1"])) == [ForgetFile("1")]


def test_a_file_deleted_in_the_document_but_changed_on_disk_comes_back() -> None:
    assert disk_steps(facts(document={}, changed={"a.tex": seen("new")})) == [RestoreFile("1", "a.tex", LINES)]


def test_a_moved_file_is_renamed() -> None:
    assert disk_steps(facts(changed={"b.tex": seen(LINES)}, gone=["1"])) == [Rename("1", "b.tex")]


def test_a_file_in_another_letter_case_is_renamed() -> None:
    assert disk_steps(facts(changed={"A.tex": seen(LINES, 1)}, gone=["1"])) == [Rename("1", "A.tex")]


def test_a_moved_file_that_nobody_wants_shared_stays_shared() -> None:
    given = facts(changed={"b.tex": seen(LINES)}, gone=["1"], ignored={"b.tex"})
    assert disk_steps(given) == [Rename("1", "b.tex")]


def test_a_file_that_was_moved_and_changed_is_renamed_and_merged() -> None:
    given = facts(changed={"b.tex": seen(LINES + "five\n")}, gone=["1"])
    assert disk_steps(given) == [Rename("1", "b.tex"), Merge("1", "b.tex", LINES)]


def test_the_same_place_on_the_disk_is_no_proof() -> None:
    given = facts(changed={"b.tex": seen("something else", inode=1)}, gone=["1"])
    assert disk_steps(given) == [Remove("1"), Add("b.tex")]


def test_a_moved_file_that_somebody_wrote_in_keeps_both() -> None:
    given = facts(changed={"b.tex": seen(LINES)}, gone=["1"], edited=["1"])
    assert disk_steps(given) == [Rename("1", "b.tex")]


def test_of_several_new_files_the_most_alike_is_the_moved_one() -> None:
    both = {"1": mirrored("a.tex", inode=1), "2": mirrored("b.tex", inode=2)}
    changed = {"x.tex": seen(LINES, inode=2), "y.tex": seen(LINES, inode=1)}
    given = facts(mirrored=both, document={"1": "a.tex", "2": "b.tex"}, changed=changed, gone=["1", "2"])
    assert disk_steps(given) == [Rename("1", "y.tex"), Rename("2", "x.tex")]


def test_what_is_no_text_is_left_alone_and_reported_where_a_file_was() -> None:
    assert disk_steps(facts(changed={"a.tex": seen(None), "b.tex": seen(None)})) == [Foreign("a.tex")]


def test_what_is_no_text_in_the_place_of_a_deleted_file_is_nobodys() -> None:
    assert disk_steps(facts(document={}, changed={"a.tex": seen(None)})) == [ForgetFile("1")]


def test_a_file_moved_to_a_name_that_another_is_on_its_way_to_is_still_itself() -> None:
    given = facts(document={"1": "a.tex", "2": "b.tex"}, changed={"b.tex": seen(LINES)}, gone=["1"])
    assert disk_steps(given) == [Rename("1", "b.tex")]


def test_a_file_that_is_as_it_was_under_another_name_has_moved_whatever_took_its_place() -> None:
    changed = {"a.tex": seen("another", inode=5), "b.tex": seen(LINES, inode=1)}
    assert disk_steps(facts(changed=changed)) == [Rename("1", "b.tex"), Add("a.tex")]
    copied = {"a.tex": seen("another", inode=1), "b.tex": seen(LINES, inode=5)}
    assert disk_steps(facts(changed=copied)) == [Merge("1", "a.tex", LINES), Add("b.tex")]


def test_a_file_deleted_by_others_and_renamed_here_comes_back() -> None:
    given = facts(document={}, gone=["1"], changed={"b.tex": seen(LINES)})
    assert disk_steps(given) == [RestoreFile("1", "b.tex", LINES)]


def test_what_is_saved_where_a_file_was_before_is_that_file() -> None:
    left = {"old.tex": Left("1", LINES)}
    saved = facts(changed={"old.tex": seen("one\ntwo\nthree\nfour\nfive\n")}, left=left)
    assert disk_steps(saved) == [Merge("1", "old.tex", LINES)]
    assert disk_steps(facts(changed={"old.tex": seen(LINES)}, left=left)) == [Add("old.tex")]
    assert disk_steps(facts(changed={"old.tex": seen("something else\n")}, left=left)) == [Add("old.tex")]


def test_what_is_written_into_a_file_that_is_no_more_is_taken_once_it_is_there() -> None:
    late = {"x": LateSave("1", "a.tex", LINES, seen("more")), "y": LateSave("1", "a.tex", LINES, seen(""))}
    assert disk_steps(facts(late=late)) == [TakeLate("1", "a.tex", LINES, "x")]


def test_what_is_written_into_a_file_that_is_to_go_means_that_file() -> None:
    double = stray("1", "old.tex")
    files = {"1": mirrored("a.tex"), double: mirrored("old.tex")}
    assert disk_steps(facts(mirrored=files, changed={"old.tex": seen("new")})) == [Merge("1", "old.tex", LINES)]


def test_a_file_that_is_to_go_and_got_another_name_is_no_second_file() -> None:
    double = stray("1", "old.tex")
    given = facts(mirrored={double: mirrored("old.tex")}, gone={double}, changed={"new.tex": seen(LINES)})
    assert disk_steps(given) == [ForgetFile(double), Merge("1", "new.tex", LINES)]
    deleted = facts(
        document={}, mirrored={double: mirrored("old.tex")}, gone={double}, changed={"new.tex": seen(LINES)}
    )
    assert disk_steps(deleted) == [ForgetFile(double), RestoreFile("1", "new.tex", LINES)]


def test_what_a_file_lacks_that_is_made_anew_where_we_took_it_away_was_taken_out_by_nobody() -> None:
    given = facts(mirrored={}, changed={"a.tex": seen("one\ntwo\nnew\n")}, left={"a.tex": Left("1", LINES)})
    assert disk_steps(given) == [Merge("1", "a.tex", "one\ntwo\n")]


def test_who_saves_the_file_that_was_there_before_ours_changes_that_one() -> None:
    """Seed 301952 of the simulated mirror: another file of the project had taken the name of a renamed one."""
    before, ours = LINES, "another\nfile\n"
    given = facts(
        mirrored={"1": mirrored("a.tex", ours), "2": mirrored("b.tex", before)},
        document={"1": "a.tex", "2": "b.tex"},
        changed={"a.tex": seen(before + "five\n")},
        left={"a.tex": Left("2", before)},
    )
    assert disk_steps(given) == [RewriteFile("1"), Merge("2", "a.tex", before)]


def test_who_saves_ours_where_another_file_was_before_changes_ours() -> None:
    given = facts(changed={"a.tex": seen(LINES + "five\n")}, left={"a.tex": Left("2", "one\ntwo\n")})
    assert disk_steps(given) == [Merge("1", "a.tex", LINES)]


def test_an_old_state_of_ours_is_ours_though_it_looks_like_what_was_there_before() -> None:
    """Seed 810445 of the simulated mirror: ours had grown much since the editor loaded it."""
    ours = LINES + "ours\n" + "".join(f"came later {number}\n" for number in range(20))
    saved = seen(LINES + "ours\nfive\n")
    given = facts(mirrored={"1": mirrored("a.tex", ours)}, changed={"a.tex": saved}, left={"a.tex": Left("2", LINES)})
    assert disk_steps(given) == [Merge("1", "a.tex", ours)]


def test_who_loaded_an_old_state_of_what_was_there_before_ours_changes_that_one() -> None:
    """Seed 987158 of the simulated mirror: it was removed, git made another there, and an editor saved what it had."""
    loaded = LINES + "typed at first\n"
    left = {"a.tex": Left("2", loaded + "".join(f"came later {number}\n" for number in range(20)), former=(loaded,))}
    saved = facts(changed={"a.tex": seen(loaded + "five\n")}, left=left)
    assert disk_steps(saved) == [RewriteFile("1"), RestoreFile("2", "a.tex", loaded)]
    assert disk_steps(facts(changed={"a.tex": seen(LINES + "five\n")}, left=left)) == [Merge("1", "a.tex", LINES)]


def test_a_few_lines_that_a_file_began_with_do_not_make_a_new_one_that_file() -> None:
    left = {"b.tex": Left("2", LINES, former=("", "one\n"))}
    assert disk_steps(facts(changed={"b.tex": seen("one\nsomething else\nand more\n")}, left=left)) == [Add("b.tex")]
