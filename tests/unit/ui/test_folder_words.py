"""Folders are shown as people know them."""

from pathlib import Path

from texswarm_desktop.ui.folder_words import shown_folder


def test_the_home_folder_is_a_tilde() -> None:
    assert shown_folder(Path.home() / "papers") == "~/papers"
    assert shown_folder(Path("/srv/papers")) == "/srv/papers"
