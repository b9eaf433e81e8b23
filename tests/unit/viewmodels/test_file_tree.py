"""The tree shows the project's files, folders first, and changes only where the project did."""

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QStandardItem

from texswarm_desktop.viewmodels.file_tree import FILE_ID_ROLE, IS_MAIN_ROLE, FileTreeModel
from texswarm_server.document import FileId


def shown(model: FileTreeModel) -> list[str]:
    return list(_lines(model.invisibleRootItem(), ""))


def _lines(parent: QStandardItem, indent: str) -> list[str]:
    lines = []
    for row in range(parent.rowCount()):
        child = parent.child(row)
        is_folder = child.data(FILE_ID_ROLE) is None
        lines += [indent + child.text() + ("/" if is_folder else ""), *_lines(child, indent + "  ")]
    return lines


def files(*paths: str) -> dict[FileId, str]:
    return {FileId(path.upper()): path for path in paths}


def test_folders_come_first_and_case_does_not_matter() -> None:
    model = FileTreeModel()
    model.show_files(files("main.tex", "b/two.tex", "b/One.tex", "Appendix.tex", "a.bib"), None)
    assert shown(model) == ["b/", "  One.tex", "  two.tex", "a.bib", "Appendix.tex", "main.tex"]


def test_an_empty_folder_disappears_with_its_last_file() -> None:
    model = FileTreeModel()
    model.show_files(files("a/b/c.tex", "d.tex"), None)
    model.show_files(files("d.tex"), None)
    assert shown(model) == ["d.tex"]


def test_a_file_and_a_folder_may_have_one_name() -> None:
    model = FileTreeModel()
    model.show_files(files("a", "a/b.tex"), None)
    assert shown(model) == ["a/", "  b.tex", "a"]
    model.show_files(files("a"), None)
    assert shown(model) == ["a"]


def test_rows_that_did_not_change_are_not_touched() -> None:
    model = FileTreeModel()
    model.show_files(files("a/x.tex", "main.tex"), None)
    events: list[str] = []
    model.rowsInserted.connect(lambda *_: events.append("in"))
    model.rowsRemoved.connect(lambda *_: events.append("out"))
    model.show_files(files("a/x.tex", "main.tex", "a/y.tex"), None)
    assert events == ["in"]


def test_the_main_file_is_marked() -> None:
    model = FileTreeModel()
    model.show_files(files("a.tex", "b.tex"), FileId("B.TEX"))
    assert [model.item(row).data(IS_MAIN_ROLE) for row in (0, 1)] == [False, True]


def test_a_file_is_found_by_its_id() -> None:
    model = FileTreeModel()
    model.show_files(files("a/x.tex"), None)
    assert model.index_of("A/X.TEX").data() == "x.tex"
    assert model.index_of("other") == QModelIndex()


PATHS = st.sets(st.sampled_from(["a", "a/b", "a/b/c", "b/c", "B/c", "z.tex", "a/z.tex", "a/b/z.tex"]))


@given(plan=st.lists(PATHS, min_size=1, max_size=6))
def test_after_any_changes_the_tree_is_the_same_as_a_new_one(plan: list[set[str]]) -> None:
    model, fresh = FileTreeModel(), FileTreeModel()
    for paths in plan:
        model.show_files(files(*paths), None)
    fresh.show_files(files(*plan[-1]), None)
    assert shown(model) == shown(fresh)
