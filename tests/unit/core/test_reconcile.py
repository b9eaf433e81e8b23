from msgspec.structs import replace

from texswarm_desktop.core.former_names import Left
from texswarm_desktop.core.reconcile import (
    NOTHING,
    Add,
    Discard,
    Found,
    Known,
    Merge,
    Record,
    Remove,
    Rename,
    RestoreFile,
    SavedBefore,
    reconcile,
    stray,
)
from texswarm_desktop.core.text_bytes import DecodedText
from texswarm_server.document.text_format import TextFormat


def found(text: str) -> Found:
    return Found(text.encode(), DecodedText(text, TextFormat()))


def record(path: str, text: str, *, intent: str | None = None) -> Record:
    return Record(path, text, digest=text.encode(), intent=intent.encode() if intent is not None else None)


BINARY = Found(b"\0", None)


def test_what_is_as_we_left_it_is_known() -> None:
    assert reconcile({"1": record("a", "x")}, {"a": found("x")}, {"1": ("a", "newer")}) == [Known("1", "a")]


def test_a_write_that_a_crash_cut_short_after_the_file_was_there_is_ours() -> None:
    records = {"1": record("a", "old", intent="new")}
    assert reconcile(records, {"a": found("new")}, {"1": ("a", "newer")}) == [Known("1", "a")]
    assert reconcile(records, {"a": found("old")}, {"1": ("a", "newer")}) == [Known("1", "a")]
    assert reconcile({"1": Record("a", intent=b"x")}, {"a": found("x")}, {"1": ("a", "y")}) == [Known("1", "a")]


def test_what_another_program_changed_is_merged_with_what_we_last_wrote_as_base() -> None:
    assert reconcile({"1": record("a", "old")}, {"a": found("x")}, {"1": ("a", "doc")}) == [Merge("1", "a", "old")]


def test_a_file_both_sides_made_has_no_base() -> None:
    assert reconcile({}, {"a": found("x")}, {"1": ("a", "doc")}) == [Merge("1", "a", None)]
    assert reconcile({}, {"a": found("doc")}, {"1": ("a", "doc")}) == [Known("1", "a")]


def test_a_file_that_is_no_text_any_more_is_left_alone() -> None:
    assert reconcile({"1": record("a", "x")}, {"a": BINARY}, {"1": ("a", "x")}) == []
    assert reconcile({}, {"a": BINARY}, {}) == []


def test_a_new_file_is_added() -> None:
    assert reconcile({}, {"a": found("x")}, {}) == [Add("a")]


def test_a_deleted_file_is_removed() -> None:
    records = {"1": record("a", "x"), "2": record("b", "y")}
    assert reconcile(records, {"b": found("y")}, {"1": ("a", "x"), "2": ("b", "y")}) == [Known("2", "b"), Remove("1")]


def test_a_deleted_file_that_was_edited_here_since_is_kept() -> None:
    records = {"1": record("a", "x"), "2": record("b", "y")}
    assert reconcile(records, {"b": found("y")}, {"1": ("a", "edited"), "2": ("b", "y")}) == [Known("2", "b")]


def test_a_folder_without_any_text_removes_nothing() -> None:
    assert reconcile({"1": record("a", "x")}, {}, {"1": ("a", "x")}) == []


def test_a_file_that_was_never_written_is_not_missing() -> None:
    assert reconcile({"1": Record("a", intent=b"x")}, {}, {"1": ("a", "x")}) == []
    assert reconcile({}, {"b": found("y")}, {"1": ("a", "x")}) == [Add("b")]


def test_a_file_with_another_name_is_renamed() -> None:
    assert reconcile({"1": record("a", "x")}, {"b": found("x")}, {"1": ("a", "edited")}) == [Rename("1", "b")]


def test_a_file_with_another_name_that_was_changed_besides_is_renamed_and_merged() -> None:
    records, new = {"1": record("a", "1\n2\n3\n")}, found("1\n2\n3\n4\n")
    assert reconcile(records, {"b": new}, {"1": ("a", "1\n2\n3\n")}) == [Rename("1", "b"), Merge("1", "b", "1\n2\n3\n")]
    assert reconcile(records, {"b": found("else\n")}, {"1": ("a", "1\n2\n3\n")}) == [Remove("1"), Add("b")]


def test_what_the_document_has_no_more_is_deleted_if_it_is_still_ours() -> None:
    assert reconcile({"1": record("a", "x")}, {"a": found("x")}, {}) == [Discard("a")]
    assert reconcile({"1": record("a", "x")}, {"a": found("changed")}, {}) == [RestoreFile("1", "a", "x")]
    assert reconcile({"1": record("a", "x")}, {"a": found("x")}, {"1": ("b", "x")}) == [Discard("a")]


def test_what_was_written_where_the_document_has_another_name_is_merged_there() -> None:
    records = {"1": record("old", "x")}
    assert reconcile(records, {"old": found("y")}, {"1": ("new", "x")}) == [Merge("1", "old", "x")]


def test_what_was_written_in_a_file_that_is_to_go_means_that_file() -> None:
    records = {stray("1", "old"): record("old", "x")}
    assert reconcile(records, {"old": found("y")}, {"1": ("new", "x")}) == [Merge("1", "old", "x")]
    assert reconcile(records, {"old": found("y")}, {}) == [RestoreFile("1", "old", "x")]


def test_a_write_that_was_cut_short_before_it_is_not_taken_for_done() -> None:
    cut_short = {"1": replace(record("old", "x"), intent=b"more", intent_text="x and more")}
    assert reconcile(cut_short, {"new": found("x")}, {}) == [RestoreFile("1", "new", "x")]


def test_a_file_moved_on_both_sides_is_one_file() -> None:
    records = {"1": record("old", "x")}
    assert reconcile(records, {"theirs": found("x")}, {"1": ("ours", "x")}) == [Rename("1", "theirs")]
    assert reconcile(records, {"theirs": found("x")}, {}) == [RestoreFile("1", "theirs", "x")]


def test_a_write_that_a_crash_cut_short_is_the_base_of_what_came_after_it() -> None:
    cut = Record("a", "old", digest=b"old", intent=b"new", intent_text="new")
    assert reconcile({"1": cut}, {"a": found("new and more")}, {"1": ("a", "doc")}) == [Merge("1", "a", "new")]


def test_a_file_that_was_moved_on_from_the_name_a_crash_left_it_under_is_that_file() -> None:
    """Seed 10765 of the simulated mirror; what is under the first name is as it was there."""
    cut = {"1": Record("a", "x\n", digest=b"x\n", intent=b"x\ny\n", intent_text="x\ny\n")}
    document = {"1": ("b", "x\ny\n")}
    assert reconcile(cut, {"a": found("x\n"), "c": found("x\ny\n")}, document) == [Discard("a"), Rename("1", "c")]
    assert reconcile(cut, {"a": found("x\n"), "c": found("x\nz\n")}, document) == [Discard("a"), Add("c")]


def test_what_is_not_known_to_have_been_written_takes_nothing_out_of_what_is_there() -> None:
    """Seed 600364 of the simulated mirror: the crash came before the file was there, and git made it."""
    cut = {"1": Record("a", intent=b"x and y", intent_text="x and y")}
    assert reconcile(cut, {"a": found("x")}, {"1": ("a", "x and y")}) == [Merge("1", "a", None)]


def test_what_was_written_in_a_deleted_file_is_not_for_the_one_that_has_its_name_now() -> None:
    """Seed 700139 of the simulated mirror: it would be there twice when the deleted one comes back."""
    records, document = {"1": record("a", "x\n")}, {"2": ("a", "new\n")}
    assert reconcile(records, {"a": found("x\ny\n")}, document) == [RestoreFile("1", "a", "x\n")]
    assert reconcile(records, {"a": found("x\n")}, document) == [Discard("a")]
    assert reconcile(records, {"a": found("new\n")}, document) == [Known("2", "a")]
    assert reconcile(records, {"a": found("x\ny\n")}, document | {"1": ("b", "x\n")}) == [Merge("1", "a", "x\n")]


def test_what_came_where_we_may_have_deleted_a_file_takes_nothing_out_of_it() -> None:
    """Seed 951148 of the simulated mirror: the crash came after the deletion, and git put an older state there."""
    cut = {"1": replace(record("s/a", "1\n2\ntyped\n3\n"), intent=NOTHING)}
    assert reconcile(cut, {"s/a": found("1\n2\n3\n")}, {}) == [RestoreFile("1", "s/a", "1\n2\n3\n")]
    assert reconcile(cut, {"t/a": found("1\n2\n3\n")}, {}) == [RestoreFile("1", "t/a", "1\n2\n3\n")]
    assert reconcile(cut, {"s/a": found("1\n2\ntyped\n3\n")}, {}) == [Discard("s/a")]
    assert reconcile(cut, {}, {}) == []


def test_what_came_where_we_may_have_moved_a_file_away_takes_nothing_out_of_it() -> None:
    cut = {"1": replace(record("a", "1\n2\ntyped\n"), intent=b"1\n2\ntyped\n", intent_text="1\n2\ntyped\n")}
    document, there = {"1": ("b", "1\n2\ntyped\n")}, {"a": found("1\n2\n"), "b": found("1\n2\ntyped\n")}
    assert reconcile(cut, there, document) == [Known("1", "b"), Merge("1", "a", "1\n2\n")]


def test_a_file_that_made_room_for_another_one_and_was_moved_on_is_that_file() -> None:
    """Seed 960657 of the simulated mirror: the crash came after both were written, and all of it was there twice."""
    cut = {
        "1": replace(record("main", "x\n", intent="x\ny\n"), intent_text="x\ny\n"),
        "2": Record("main", intent=b"new\n", intent_text="new\n"),
    }
    document, new = {"1": ("b", "x\ny\n"), "2": ("main", "new\n")}, {"main": found("new\n")}
    assert reconcile(cut, new | {"d": found("x\ny\n")}, document) == [Known("2", "main"), Rename("1", "d")]
    assert reconcile(cut, new, document) == [Known("2", "main")]


def test_a_file_that_was_not_written_yet_takes_nothing_of_the_one_in_its_place() -> None:
    """Seed 34 of the mirror with other spellings: the crash came before either was written, and all was doubled."""
    cut = {
        "1": replace(record("main", "x\ny\n", intent="x\ny\nz\n"), intent_text="x\ny\nz\n"),
        "2": Record("main", intent=b"x\n", intent_text="x\n"),
    }
    document = {"1": ("b", "x\ny\nz\n"), "2": ("main", "x\n")}
    assert reconcile(cut, {"main": found("x\ny\n")}, document) == [Discard("main")]
    assert reconcile(cut, {"main": found("x\ny\nw\n")}, document) == [Merge("1", "main", "x\ny\nz\n")]


def test_what_was_saved_under_a_former_name_is_the_file_that_had_it() -> None:
    lines = "one\ntwo\nthree\nfour\n"
    records, folder = {"1": record("new", lines)}, {"new": found(lines), "old": found(lines + "five\n")}
    left = {"old": Left("1", lines)}
    assert reconcile(records, folder, {"1": ("new", lines)}, left=left) == [
        Known("1", "new"),
        SavedBefore("1", "old", lines),
    ]
    folder = {"other": found("o\n"), "old": found(lines + "five\n")}
    document = {"2": ("other", "o\n")}
    steps = reconcile({"2": record("other", "o\n")}, folder, document, left=left)
    assert steps == [Known("2", "other"), RestoreFile("1", "old", lines)]


def test_another_text_under_a_former_name_is_a_new_file() -> None:
    left = {"old": Left("1", "one\ntwo\nthree\nfour\n"), "blank": Left("1", "\n")}
    folder = {"old": found("one\nfive\n"), "blank": found("\nfive\n")}
    assert reconcile({}, folder, {}, left=left) == [Add("blank"), Add("old")]
