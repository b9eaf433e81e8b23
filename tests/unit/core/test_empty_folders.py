"""What becomes of folders that nothing is in."""

from texswarm_desktop.core.empty_folders import FolderFacts, folders_of


def facts(known: str = "", shared: str = "", needed: str = "") -> FolderFacts:
    return FolderFacts(set(known.split()), set(shared.split()), set(needed.split()))


def test_a_folder_that_is_new_on_the_disk_is_told() -> None:
    assert facts(known="k", shared="s", needed="n").came(["a", "k", "s", "n"]) == {"a"}


def test_a_folder_that_went_from_the_disk_is_taken_out_unless_a_file_needs_it() -> None:
    assert facts(known="a b c d", shared="a b c e", needed="c").went({"b"}) == {"a"}


def test_a_folder_that_is_new_in_the_document_is_made() -> None:
    assert facts(known="a", shared="a b").to_make == {"b"}


def test_a_folder_that_the_document_has_no_more_is_taken_away() -> None:
    assert facts(known="a b c", shared="a", needed="c").to_unmake == {"b"}


def test_folders_of_files_are_all_above_them() -> None:
    assert folders_of(["a/b/c.tex", "a/d.tex", "e.tex"]) == {"a", "a/b"}
