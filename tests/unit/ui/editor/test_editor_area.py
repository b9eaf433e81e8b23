"""Tabs are named as short as possible."""

from texswarm_desktop.ui.editor.editor_area import tab_names


def test_only_files_of_one_name_show_their_folder() -> None:
    assert tab_names(["a/x.tex", "b/x.tex", "c/y.tex"]) == ["a/x.tex", "b/x.tex", "y.tex"]
